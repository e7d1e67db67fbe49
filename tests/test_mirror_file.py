"""The file of the local copy: what happens to files, and two kbtui on one."""

from __future__ import annotations

import os
import random
import resource
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kbtui.mirror import Mirror, Place, Taking
from kbtui.rows import ALL, ROOT, SORTS, UNPLACED, Body, View
from tests.shelf import document, fill, folder, shown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "mirrors" / "workspace.db"


def test_a_warm_mirror_paints_the_first_window_without_any_service(path: Path) -> None:
    first = Mirror(path)
    fill(first, *(document(f"{number:04}") for number in range(2000)), folder("f"))
    first.close()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        mirror = Mirror(path)
        rows = mirror.window(mirror.listing(View()), 0, 40)
        times.append(time.perf_counter() - began)
        mirror.close()
        assert [row.id for row in rows] == ["f", *(f"{number:04}" for number in range(39))]
    assert min(times) < 0.05


def test_only_the_person_can_read_the_files(path: Path) -> None:
    before = os.umask(0)
    try:
        mirror = Mirror(path)
        assert mirror.claim()
        fill(mirror, document("a"))
        modes = {each: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        folders = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)]
        mirror.close()
    finally:
        os.umask(before)
    assert len(modes) == 5 and set(modes.values()) == {0o600} and folders == [0o700, 0o700]
    path.chmod(0o644)
    Mirror(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 999)


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1500])


def _overwritten(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE document (mine)")
    database.close()


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (_garbage, "damaged"),
        (_cut_short, "damaged"),
        (_overwritten, "damaged"),
        (_newer, "newer"),
        (_foreign, "foreign"),
    ],
)
def test_a_file_that_is_damaged_newer_or_foreign_is_set_aside_and_built_anew(
    path: Path, harm: Callable[[Path], None], word: str
) -> None:
    first = Mirror(path)
    fill(first, *(document(str(number)) for number in range(500)))
    first.close()
    harm(path)
    harmed = path.read_bytes()
    mirror = Mirror(path)
    assert mirror.notice.endswith(f"it was set aside as workspace.db.{word} and is built anew.")
    assert Path(f"{path}.{word}").read_bytes() == harmed
    assert shown(mirror, ALL) == []
    fill(mirror, document("a"))
    mirror.close()
    again = Mirror(path)
    assert (again.notice, shown(again, ALL)) == ("", ["a"])
    again.close()


def test_damage_that_shows_in_the_middle_of_a_run_ends_in_memory_and_the_file_is_set_aside(
    path: Path,
) -> None:
    first = Mirror(path)
    ticket = fill(first, *(document(f"{number:04}", size=number) for number in range(3000)))
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: 4096 * 30] + b"\xff" * (len(whole) - 4096 * 30))
    mirror = Mirror(path)
    version, listing = mirror.version, mirror.listing(View(text="no such name"))
    assert (
        mirror.store((document(f"{number:04}", "renamed") for number in range(3000)), mirror.ticket()) == 3000
    )
    assert "was set aside as workspace.db.damaged" in mirror.notice and mirror.losses == 1
    assert mirror.version > version and mirror.ticket() > ticket and len(shown(mirror, ALL)) == 3000
    assert mirror.window(listing, 0, 10) == []
    mirror.close()
    again = Mirror(path)
    assert (again.notice, shown(again, ALL)) == ("", [])
    again.close()


def test_a_listing_that_meets_damage_is_empty_rather_than_an_error(path: Path) -> None:
    first = Mirror(path)
    fill(first, *(document(f"{number:04}") for number in range(3000)))
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: 4096 * 30] + b"\xff" * (len(whole) - 4096 * 30))
    mirror = Mirror(path)
    assert shown(mirror, ALL, sort="size") == [] and mirror.notice
    mirror.close()


def _filled(path: Path) -> None:
    mirror = Mirror(path)
    fill(
        mirror,
        *(
            document(f"{number:03}", f"Näme {number} {'x' * 50}", parent=f"f{number % 5}")
            for number in range(120)
        ),
        *(folder(f"f{number}") for number in range(4)),
    )
    mirror.keep_body(Body("001", "html", "wörds " * 900, 1))
    for complete in (True, False):
        sweep = mirror.begin_sweep(True)
        place = Place("text", "next", 1, 7)
        mirror.take([Taking([document("a")], mirror.ticket(), sweep.ticket, place)])
        if complete:
            mirror.end_sweep(sweep, complete=True, newest=7)
    mirror.close()


def _visit(path: Path) -> str:
    """All that a visit does with a mirror; what was told of the file."""
    mirror = Mirror(path)
    for scope in (ROOT, ALL, UNPLACED, "f1"):
        for sort in SORTS:
            mirror.window(mirror.listing(View(scope, sort)), 0, 400)
        mirror.count(scope)
    for id in ("001", "002", "f1", "a"):
        mirror.row(id), mirror.summary(id), mirror.path(id), mirror.body(id)
    mirror.folders(), mirror.labels(9)
    sweep = mirror.begin_sweep(mirror.claim())
    page = [document(f"{number:03}", "again") for number in range(120)]
    mirror.take([Taking(page, mirror.ticket(), sweep.ticket, Place("text", "next", 1, 8))])
    mirror.remove([*mirror.unseen(sweep.ticket), *mirror.miscounted(sweep.ticket), "002"])
    mirror.end_sweep(sweep, complete=True, newest=max(mirror.newest() or 0, mirror.swept() or 0))
    mirror.keep_body(Body("001", "html", "words", 1))
    mirror.close()
    return mirror.notice


def test_no_damage_of_the_file_is_an_error(path: Path) -> None:
    _filled(path)
    sound = path.read_bytes()
    for seed in range(40):
        chance, damaged = random.Random(seed), bytearray(sound)
        first = chance.choice([0, 100, 100, 4096])
        for _ in range(chance.choice([1, 4, 40, 400])):
            damaged[chance.randrange(first, len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        _visit(path)


def test_a_header_that_forbids_to_write_means_a_session_in_memory(path: Path) -> None:
    _filled(path)
    damaged = bytearray(path.read_bytes())
    damaged[18] = 9  # the version of the format for writing
    path.write_bytes(damaged)
    assert _visit(path) == "The local copy cannot be written; this session goes on in memory."


_TABLES = {
    "document": "id seen leaf type name size created updated parent children documents role url lock rest",
    "tally": "scope count",
    "gone": "id ticket at",
    "body": "document used bytes format updated lossy text",
    "clock": "ticket changes",
    "fact": "name value",
    "sweep": "ticket began",
    "place": "name cursor first edge done",
}


@pytest.mark.parametrize("table", _TABLES)
def test_no_tampering_with_the_file_is_an_error(path: Path, table: str) -> None:
    _filled(path)
    sound = path.read_bytes()
    for harm in (
        f"DROP TABLE {table}",
        f"DELETE FROM {table}",
        *(
            f"UPDATE OR IGNORE {table} SET {column} = {value}"
            for column in _TABLES[table].split()
            for value in ("x'ff00fe'", "'words'", "1e300")
        ),
    ):
        path.write_bytes(sound)
        database = sqlite3.connect(path)
        with suppress(sqlite3.IntegrityError):
            database.execute(harm)
        database.commit()
        database.close()
        told = _visit(path)
        assert not harm.startswith("DROP") or "damaged" in told, harm
        assert not _visit(path), harm


@pytest.mark.parametrize("part", ["TRIGGER document_comes", "INDEX document_place", "INDEX body_used"])
def test_a_file_that_lacks_a_part_is_built_anew(path: Path, part: str) -> None:
    _filled(path)
    database = sqlite3.connect(path)
    database.execute(f"DROP {part}")
    database.close()
    assert "is built anew" in _visit(path) and not _visit(path)


def test_a_disk_that_fills_in_the_middle_of_a_run_costs_nothing_that_is_on_the_screen(path: Path) -> None:
    mirror = Mirror(path)
    fill(mirror, *(document(f"{number:04}") for number in range(300)))
    mirror.keep_body(Body("0001", "html", "words", 1))
    listing, version = mirror.listing(View()), mirror.version
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, limits[1]))
    try:
        assert mirror.store([document(f"{number:04}") for number in range(1000)], mirror.ticket()) == 700
        assert mirror.notice == "The disk does not take the local copy; this session goes on in memory."
        assert [row.id for row in mirror.window(listing, 0, 40)] == [f"{number:04}" for number in range(40)]
        assert mirror.version > version and mirror.count(ALL) == 1000 and mirror.body("0001")
        assert mirror.remove(["0000"]) == 1 and mirror.row("0000") is None
        mirror.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    again = Mirror(path)
    assert (again.notice, again.count(ALL)) == ("", 300)
    again.close()


def test_a_file_that_may_grow_no_more_ends_in_memory_with_what_it_held(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Mirror(path)
    fill(first, *(document(f"{number:04}") for number in range(300)))
    first.close()
    connect = sqlite3.connect

    def cramped(*values: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*values, **named)
        if values[0] == str(path):
            connection.execute("PRAGMA max_page_count=1")  # SQLite makes it what the file has now
        return connection

    monkeypatch.setattr(sqlite3, "connect", cramped)
    mirror = Mirror(path)
    assert mirror.store((document(f"{number:04}") for number in range(9000)), mirror.ticket()) == 8700
    assert mirror.notice == "The disk is full; this session goes on in memory."
    assert mirror.count(ALL) == 9000 and mirror.losses == 0
    mirror.close()


def test_a_disk_without_room_for_a_new_file_means_a_session_in_memory(path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        mirror = Mirror(path)
        fill(mirror, document("a"))
        assert mirror.notice == "The disk does not take the local copy; this session keeps it in memory."
        assert shown(mirror) == ["a"]
        mirror.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


_UNPRIVILEGED = """
import os, sys
from pathlib import Path
from kbtui.mirror import Mirror
from kbtui.rows import View
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
mirror = Mirror(Path(sys.argv[1]))
print(mirror.notice)
mirror.store([{"id": "b", "type": "text", "name": "b"}], mirror.ticket())
print([row.id for row in mirror.window(mirror.listing(View()), 0, 9)])
"""


@pytest.mark.parametrize("log", [False, True])
def test_a_file_that_may_only_be_read_is_shown_and_the_session_stays_in_memory(log: bool) -> None:
    with tempfile.TemporaryDirectory() as name:  # not below what only the owner may enter
        path = Path(name) / "workspace.db"
        first = Mirror(path)
        fill(first, document("a"))
        if not log:
            first.close()
        for file in path.parent.iterdir():
            file.chmod(0o444)
        path.parent.chmod(0o555)
        run = subprocess.run(
            [sys.executable, "-c", _UNPRIVILEGED, str(path)], capture_output=True, text=True, check=False
        )
        path.parent.chmod(0o755)
        first.close()
    assert run.returncode == 0, run.stderr
    notice, rows = run.stdout.splitlines()
    assert notice == "The local copy cannot be written; this session keeps it in memory."
    assert rows == "['a', 'b']"


@pytest.mark.parametrize("place", ["folder", "under a file"])
def test_a_place_where_no_file_can_be_means_a_session_in_memory(tmp_path: Path, place: str) -> None:
    path = tmp_path / "place"
    if place == "folder":
        path.mkdir()
    else:
        path.write_text("a file")
        path = path / "workspace.db"
    mirror = Mirror(path)
    assert mirror.notice == "The local copy cannot be opened; this session keeps it in memory."
    fill(mirror, document("a"))
    assert shown(mirror) == ["a"]
    mirror.close()


def test_many_processes_that_open_a_damaged_file_at_once_agree_on_one_new_file(path: Path) -> None:
    path.parent.mkdir(parents=True)
    _garbage(path)
    code = """
import sys
from pathlib import Path
from kbtui.mirror import Mirror
mirror = Mirror(Path(sys.argv[1]))
mirror.store([{"id": sys.argv[2], "type": "text"}], mirror.ticket())
mirror.close()
"""
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)]) for number in range(5)]
    assert [run.wait() for run in runs] == [0] * 5
    mirror = Mirror(path)
    assert sorted(shown(mirror, ALL)) == ["0", "1", "2", "3", "4"]
    mirror.close()
