"""`kbtui serve`: the demo in a process of its own, kept in a directory, stopped by a signal."""

from __future__ import annotations

import json
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from kbtui.demo import generated
from kbtui.demo.server import Demo, Unavailable
from tests.caller import refused

KB = "/v1/convai/knowledge-base"
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from kbtui.demo.serve import main; sys.exit(main(sys.argv[1:]))",
]


def served(*flags: object) -> AbstractContextManager[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The server as a process without a standard input, and what it printed."""
    return running([*COMMAND, "--json", *map(str, flags)])


@contextmanager
def running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def ended(*flags: object, files: int = 1024) -> tuple[int, str, str]:
    limit = f'ulimit -n {files}; exec "$@"'
    process = subprocess.run(
        ["sh", "-c", limit, "sh", *COMMAND, *map(str, flags)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


def call(server: dict[str, str], method: str, path: str, **more: Any) -> httpx.Response:
    with httpx.Client(
        base_url=server["url"], headers={"xi-api-key": server["key"]}, trust_env=False
    ) as client:
        return client.request(method, path, **more)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    with served() as (process, server):
        assert set(server) == {"url", "key", "read_only_key"}
        assert call(server, "GET", KB).status_code == 200
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
        assert (process.returncode, output, errors) == (0, "", "")


def test_what_was_written_survives_a_kill_under_the_same_keys(tmp_path: Path) -> None:
    with served("--data", tmp_path / "kb") as (process, first):
        id = call(first, "POST", f"{KB}/text", json={"text": "kept", "name": "Kept"}).json()["id"]
        process.kill()
        process.wait()
    with served("--data", tmp_path / "kb") as (_, second):
        assert (second["key"], second["read_only_key"]) == (first["key"], first["read_only_key"])
        assert second["url"] != first["url"]
        assert call(second, "GET", f"{KB}/{id}/content").text == "kept"
        for each in call(second, "GET", KB, params={"types": "url", "page_size": 100}).json()["documents"]:
            assert not each["url"].startswith(first["url"])
        assert (tmp_path / "kb").stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "kb").iterdir())


def test_a_directory_is_held_by_one_server_at_a_time(tmp_path: Path) -> None:
    with served("--data", tmp_path):
        code, output, errors = ended("--data", tmp_path)
        assert (code, output) == (2, "")
        assert errors == f"kbtui serve: The directory {tmp_path} is in use by another demo server.\n"
    with served("--data", tmp_path):
        pass


def test_what_cannot_be_used_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "demo.db").write_text("no database, but long enough to be taken for one" * 50)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for flags, words in (
            (["--data", tmp_path / "file" / "below"], "cannot be used: Not a directory"),
            (["--data", tmp_path / "strange"], "demo.db is damaged or not of this demo; move it away"),
            (["--port", taken.getsockname()[1]], "is in use; choose another, or 0 for any free one"),
            (["--port", 65536], "65536 is no port"),
            (["--size", "-1"], "--size"),
            (["--colour"], "Unrecognized arguments: --colour"),
        ):
            code, output, errors = ended(*flags)
            assert (code, output) == (2, "")
            assert words in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update sqlite_master set name = cast(x'ff' as text), sql = cast(x'ff' as text) where name = 'words'",
        "update meta set value = cast(x'ff' as text) where key = 'secret'",
        "update meta set value = cast(x'ff' as text) where key = 'base'",
        "update meta set value = 'x' where key = 'generated'",
    ],
)
def test_a_damaged_file_is_named_and_its_bytes_are_not_shown(tmp_path: Path, statement: str) -> None:
    with Demo(data=tmp_path, size=1):
        pass
    with closing(sqlite3.connect(tmp_path / "demo.db", isolation_level=None)) as db:
        db.execute("pragma writable_schema = on")
        db.execute(statement)
    file = tmp_path / "demo.db"
    sentence = f"The file {file} is damaged or not of this demo; move it away and start again."
    assert ended("--data", tmp_path, "--size", 2) == (2, "", f"kbtui serve: {sentence}\n")


@pytest.mark.parametrize("files", range(6, 12))
def test_too_few_files_to_open_are_said_in_one_sentence(tmp_path: Path, files: int) -> None:
    code, output, errors = ended("--data", tmp_path, files=files)
    assert (code, output) == (2, "")
    assert errors.startswith("kbtui serve: The d") and errors.count("\n") == 1


def test_a_directory_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with Demo(data=tmp_path, sample=False) as demo:
        demo.store.set_meta("version", "999")
    with pytest.raises(Unavailable, match="another version"):
        Demo(data=tmp_path).start()


def test_a_full_disk_is_answered_and_said_in_a_line_and_writing_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    with served("--data", tmp_path) as (process, server):
        before = call(server, "GET", KB).json()
        none = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        answer = call(server, "POST", f"{KB}/text", json={"text": "lost"})
        detail = refused(answer, 507, "insufficient_storage")
        assert (detail["type"], detail["param"]) == ("insufficient_storage", None)
        assert call(server, "GET", KB).json() == before
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, none)
        id = call(server, "POST", f"{KB}/text", json={"text": "kept"}).json()["id"]
        process.terminate()
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "The demo cannot use its database: disk I/O error.\n")
    with served("--data", tmp_path) as (_, server):
        assert call(server, "GET", f"{KB}/{id}/content").text == "kept"


def test_a_stop_does_not_wait_for_a_file_that_takes_for_ever_to_read() -> None:
    for_ever = (
        "import sys, threading; from kbtui.demo import extract; from kbtui.demo.serve import main\n"
        "def read(*_): print('begun', flush=True); threading.Event().wait()\n"
        "extract.extract = read; sys.exit(main(['--json']))"
    )
    with running([sys.executable, "-c", for_ever]) as (process, server):
        assert process.stdout is not None
        upload = threading.Thread(target=suppressed, args=(server, {"file": ("a.md", b"a")}))
        upload.start()
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        output, errors = process.communicate(timeout=30)
        upload.join()
        assert (process.returncode, output, errors) == (0, "", "")


def suppressed(server: dict[str, str], files: Any) -> None:
    with suppress(httpx.HTTPError):
        call(server, "POST", f"{KB}/file", files=files)


def test_people_are_told_the_address_and_the_keys() -> None:
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    process.terminate()
    process.communicate(timeout=10)
    assert lines[0].startswith("The demo knowledge base answers at http://127.0.0.1:")
    assert [line.split()[0] for line in lines[1:]] == ["key", "read-only"]


# In this process


def test_a_demo_starts_at_once_and_leaves_no_thread_and_no_door() -> None:
    with Demo(index_seconds=0):  # the sample is built once a process
        pass
    before = set(threading.enumerate())
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        demo = Demo(index_seconds=0)
        demo.start()
        took.append(time.perf_counter() - begun)
        address = demo.url
        demo.stop()
        demo.stop()
    assert min(took) < 0.3
    assert set(threading.enumerate()) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


def test_demos_beside_each_other_know_nothing_of_each_other() -> None:
    with Demo(index_seconds=0) as one, Demo(index_seconds=0) as other:
        assert one.key != other.key
        id = call(vars(one), "POST", f"{KB}/text", json={"text": "x"}).json()["id"]
        assert call(vars(other), "GET", f"{KB}/{id}").status_code == 404
        assert call({"url": one.url, "key": other.key}, "GET", KB).status_code == 401


def test_it_stops_while_a_client_holds_a_connection_open() -> None:
    demo = Demo(index_seconds=0)
    demo.start()
    host, port = demo.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        begun = time.perf_counter()
        demo.stop()
        assert time.perf_counter() - begun < 1.5
        with suppress(ConnectionResetError):  # it may never have been let in
            assert idle.recv(100) == b""


def test_a_directory_grows_by_what_is_missing_and_keeps_what_was_deleted_away(tmp_path: Path) -> None:
    def ids(size: int) -> set[str]:
        with Demo(data=tmp_path, sample=False, size=size, index_seconds=0) as demo:
            query = {"page_size": 100, "types": ["text", "url", "file"]}
            found = call(vars(demo), "GET", KB, params=query).json()["documents"]
            some = next(d["id"] for d in found if d["access_info"]["role"] == "admin")
            assert call(vars(demo), "DELETE", f"{KB}/{some}").status_code == 200
            return {d["id"] for d in found} - {some}

    first = ids(10)
    second = ids(30)
    assert (len(first), len(second)) == (9, 28)
    assert first - second <= second | first and len(first & second) >= 8
    assert len(ids(20)) == 27


def test_a_directory_grows_with_the_folders_that_its_new_documents_need(tmp_path: Path) -> None:
    with Demo(data=tmp_path, sample=False, size=100) as demo:
        query = {"types": "folder", "search": "Rotterdam"}
        (town,) = call(vars(demo), "GET", KB, params=query).json()["documents"]
        gone = f"{KB}/{town['id']}"
        assert call(vars(demo), "DELETE", gone, params={"force": True}).status_code == 200
    with Demo(data=tmp_path, sample=False, size=1100) as demo:
        rows = demo.store.db.execute(
            "select count(*) from documents where parent not in (select id from documents)"
        ).fetchone()
        assert rows[0] == 0
        assert call(vars(demo), "GET", gone).json()["document_count"] == 25  # of the three before, none


def test_a_fill_that_is_cut_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(seed: int) -> str:
        if seed == 40:
            raise KeyboardInterrupt
        return f"number {seed}"

    with monkeypatch.context() as patch:
        patch.setattr(generated, "name", cut)
        with pytest.raises(KeyboardInterrupt):
            Demo(data=tmp_path, sample=False, size=100).start()
    with Demo(data=tmp_path, sample=False) as demo:
        assert call(vars(demo), "GET", KB).json()["documents"] == []
    with Demo(data=tmp_path, sample=False, size=100) as demo:
        query = {"page_size": 100, "types": ["text", "url", "file"], "sort_by": "name"}
        assert len(call(vars(demo), "GET", KB, params=query).json()["documents"]) == 100
