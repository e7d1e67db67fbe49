"""A mirror that several processes share: who reads, who writes, who sweeps."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kbtui.mirror import Mirror, Place, Taking
from kbtui.rows import View
from tests.shelf import document, fill, shown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "mirrors" / "workspace.db"


def test_two_processes_share_one_mirror_its_clock_and_its_version(path: Path) -> None:
    ours = Mirror(path)
    fill(ours, document("ours"))
    asked, version = ours.ticket(), ours.version
    theirs = """
import sys
from pathlib import Path
from kbtui.mirror import Mirror
mirror = Mirror(Path(sys.argv[1]))
ticket = mirror.ticket()
metadata = {"last_updated_at_unix_secs": 1}
mirror.store([{"id": "ours", "type": "text", "name": "theirs", "metadata": metadata}], ticket)
print(ticket, mirror.notice)
"""
    run = subprocess.run(
        [sys.executable, "-c", theirs, str(path)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) > asked and ours.ticket() > int(run.stdout)
    assert ours.version > version
    assert ours.store([document("ours")], asked) == 0
    assert (ours.summary("ours") or {})["name"] == "theirs"
    ours.close()


def test_a_reader_does_not_wait_for_a_writer_in_another_process(path: Path) -> None:
    mirror = Mirror(path)
    fill(mirror, *(document(f"{number:04}") for number in range(100)))
    listing = mirror.listing(View())
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE document SET name = 'half done'")
    began = time.perf_counter()
    assert len(mirror.window(listing, 0, 40)) == 40 and len(shown(mirror)) == 100
    assert mirror.row("0001") and mirror.folders() == [] and mirror.path("0001") == [] and mirror.version
    assert time.perf_counter() - began < 1
    writer.execute("ROLLBACK")
    writer.close()
    mirror.close()


def test_a_reader_does_not_wait_for_a_writer_in_another_thread(path: Path) -> None:
    mirror = Mirror(path)
    fill(mirror, *(document(f"{number:04}") for number in range(100)))
    listing = mirror.listing(View())
    inside, leave = threading.Event(), threading.Event()

    def work(database: sqlite3.Connection) -> None:
        database.execute("UPDATE document SET name = 'half done'")
        inside.set()
        assert leave.wait(20)

    writer = threading.Thread(target=mirror._database.write, args=(work,))
    writer.start()
    assert inside.wait(20)
    assert [row.name for row in mirror.window(listing, 0, 2)] == ["0000", "0001"]
    leave.set()
    writer.join()
    assert [row.name for row in mirror.window(listing, 0, 2)] == ["half done", "half done"]
    mirror.close()


def test_a_program_that_never_lets_go_of_the_file_means_going_on_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.database.PATIENCE", 0.05)
    mirror = Mirror(path)
    ticket = fill(mirror, document("a"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert mirror.store([document("b")], ticket) == 1
    assert mirror.notice == "Another program holds the local copy; this session goes on in memory."
    assert shown(mirror) == ["a", "b"]
    other.execute("ROLLBACK")
    other.close()
    mirror.close()


def test_a_program_that_never_gets_done_opening_the_file_means_a_session_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.database.PATIENCE", 0.05)
    Mirror(path).close()
    with Path(f"{path}.lock").open() as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        mirror = Mirror(path)
    assert mirror.notice == "Another program holds the local copy; this session keeps it in memory."
    mirror.close()


# Sweeps that were cut


def test_a_cut_sweep_goes_on_where_it_was_left_and_an_ended_one_does_not(path: Path) -> None:
    mirror = Mirror(path)
    sweep = mirror.begin_sweep(mirror.claim())
    place = Place("text", "next", 1, 7)
    (taken,) = mirror.take(
        [Taking([document("a"), document("a"), document("b")], mirror.ticket(), sweep.ticket, place)]
    )
    assert (taken.changed, taken.fresh) == (2, 2)
    mirror.close()
    again = Mirror(path)
    resumed = again.begin_sweep(again.claim())
    assert resumed == sweep._replace(seen=2, places={"text": place})
    again.end_sweep(resumed, complete=True, newest=7)
    assert again.swept() is not None and again.newest() == 7
    fresh = again.begin_sweep(True)
    assert (fresh.total, fresh.newest, fresh.places, fresh.seen) == (2, 7, {}, 0)
    assert fresh.ticket > sweep.ticket and again.unseen(fresh.ticket) == ["a", "b"]
    again.close()


def test_only_one_holds_the_claim_and_a_dead_process_lets_go_of_it(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from kbtui.mirror import Mirror, Place, Taking
mirror = Mirror(Path(sys.argv[1]))
sweep = mirror.begin_sweep(mirror.claim())
mirror.take([Taking([{"id": "a", "type": "text"}], mirror.ticket(), sweep.ticket, Place("text", "next"))])
print(sweep.ticket, flush=True)
sys.stdin.read()
"""
    mirror = Mirror(path)
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout and other.stdin
    ticket = int(other.stdout.readline())
    assert not mirror.claim()
    ours = mirror.begin_sweep(False)
    assert ours.ticket > ticket and ours.places == {}
    mirror.end_sweep(ours)
    other.kill()
    other.wait()
    other.stdin.close()
    other.stdout.close()
    assert mirror.claim() and not mirror.claim()
    assert mirror.begin_sweep(True)[:2] == (ticket, 1)
    mirror.close()


def test_a_sweep_that_was_cut_too_long_ago_is_begun_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror(path)
    first = mirror.begin_sweep(mirror.claim())
    monkeypatch.setattr("kbtui.mirror.STALE", -1)
    assert mirror.begin_sweep(True).ticket > first.ticket
    mirror.close()
