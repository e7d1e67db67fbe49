"""The file of the history: private, shared by processes, and damaged, full or held by others without harm."""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.errors import Refused
from kbtui.history import Change, History
from tests.past import QUESTION, URL, again, answer, begin, done, latest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    history = History.open(path)
    yield history
    assert history.notice == ""
    history.close()


def test_only_the_person_can_read_it(path: Path, history: History) -> None:
    done(history)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    history.close()
    path.chmod(0o644)
    with again(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_any_thread_and_any_process_may_write_at_once(path: Path, history: History) -> None:
    code = f"""
from pathlib import Path
from kbtui.history import History
history = History.open(Path({str(path)!r}))
for n in range(15):
    history.finish_change(
        history.begin_change({URL!r}, "d1", "x", "words", before={{}}, after={{}}), updated=n)
assert history.notice == "", history.notice
"""
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    threads = [threading.Thread(target=lambda: [done(history, "d1") for _ in range(15)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    changes = history.changes(URL, "d1", limit=1000)
    assert [change.state for change in changes] == ["done"] * 75
    assert len({change.id for change in changes}) == 75


@pytest.mark.parametrize(
    "damage", [b"this is no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_set_aside_and_never_overwritten(path: Path, damage: bytes) -> None:
    path.parent.mkdir(parents=True)
    for number in (1, 2):
        path.write_bytes(damage + bytes([number]))
        history = History.open(path)
        assert f"set aside as state.db.damaged-{number}" in history.notice
        assert (path.parent / f"state.db.damaged-{number}").read_bytes() == damage + bytes([number])
        change = done(history)
        history.close()
        with again(path) as later:
            assert latest(later) == change
        path.unlink()


def flipped(data: bytes, seed: int) -> bytes:
    """The same bytes, some of them others."""
    chance, damaged = random.Random(seed), bytearray(data)
    first = chance.choice([0, 100, 100, 4096])
    for _ in range(chance.choice([1, 4, 40, 400])):
        damaged[chance.randrange(first, len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def work_on(history: History) -> None:
    """What a visit does with a history."""
    latest(history)
    for change in (*history.pending(URL), *filter(None, map(history.whole, history.written(URL)))):
        assert isinstance(change.before["content"], str)
    history.recall(URL, "order", "")
    history.mark_undone(done(history))
    history.remember(URL, "order", "", 1)
    for question in history.questions(URL):
        history.last_answers(URL, question)
        history.remember_answer(URL, question, answer())
    history.keep_question(URL, QUESTION)
    history.trim(3600.0, 2000)


def test_no_damage_of_the_file_is_an_error(path: Path) -> None:
    with again(path) as history:
        for number in range(30):
            (done if number % 3 else begin)(history, f"d{number}", text="wörds " * 20)
        history.remember(URL, "order", "", {"sort": "name"})
        history.keep_question(URL, QUESTION)
        history.remember_answer(URL, QUESTION, answer())
    sound = path.read_bytes()
    for seed in range(60):
        path.write_bytes(flipped(sound, seed))
        with closing(History.open(path)) as history:
            work_on(history)


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TABLE changes",
        "DROP TABLE remembered",
        "DROP TABLE questions",
        "ALTER TABLE changes RENAME COLUMN state TO mood",
        *(
            f"UPDATE OR IGNORE {table} SET {column} = {value}"
            for table, column in (
                *(
                    ("changes", column)
                    for column in ("id", "state", "at", "updated", "name", "before", "after")
                ),
                ("remembered", "value"),
                *(("questions", column) for column in ("question", "agent_name", "used", "answers")),
            )
            for value in ("x'ff00fe'", "'text'", "1e300")
        ),
    ],
)
def test_no_tampering_with_the_file_is_an_error(path: Path, harm: str) -> None:
    with again(path) as history:
        done(history)
        begin(history)
        history.remember(URL, "order", "", {"sort": "name"})
        history.keep_question(URL, QUESTION)
        history.remember_answer(URL, QUESTION, answer())
    with closing(sqlite3.connect(path)) as tampering:
        with suppress(sqlite3.IntegrityError):
            tampering.execute(harm)
        tampering.commit()
    for _ in range(2):
        with closing(History.open(path)) as history:
            work_on(history)
    with again(path) as history:
        work_on(history)


def test_of_two_that_find_it_damaged_one_sets_it_aside(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 500)
    start = threading.Barrier(4)
    found: list[History] = []

    def start_up() -> None:
        start.wait()
        found.append(History.open(path))

    threads = [threading.Thread(target=start_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bool(history.notice) for history in found) == [False, False, False, True]
    change = done(found[0])
    assert all(latest(history) == change for history in found)
    for history in found:
        history.close()


def test_a_file_that_is_damaged_in_the_middle_of_a_run_is_set_aside(path: Path) -> None:
    history = History.open(path)
    history.remember(URL, "place", "", "f1")
    for n in range(50):
        done(history, f"d{n}", text="x" * 5000)
    history.close()
    whole = path.read_bytes()
    history = History.open(path)
    history.recall(URL, "place", "")
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    change = done(history, "new")
    assert "set aside as state.db.damaged-1" in history.notice
    assert latest(history) == change
    history.close()
    with again(path) as later:
        assert later.changes(URL, "new") == [change]


def test_while_another_program_holds_the_file_nothing_is_changed_and_nothing_given_up(path: Path) -> None:
    with again(path) as history:
        first = done(history)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Refused, match="Another program holds"):
                begin(history)
            history.remember(URL, "order", "root", {"sort": "size"})
            assert latest(history) == first
            other.execute("ROLLBACK")
        second = done(history)
        assert history.notice == "" and history.recall(URL, "order", "root") is None
    with again(path) as later:
        assert latest(later) == second


def test_a_gate_that_another_program_never_opens_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.database.PATIENCE", 0.05)
    with again(path) as earlier:
        done(earlier)
    gate = os.open(f"{path}.lock", os.O_RDWR)
    fcntl.flock(gate, fcntl.LOCK_EX)
    history = History.open(path)
    os.close(gate)
    assert "not usable" in history.notice and latest(history) is None
    history.close()


def test_a_file_of_a_newer_kbtui_is_left_alone(path: Path) -> None:
    with again(path) as earlier:
        done(earlier)
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=99")
    newer.close()
    before = path.read_bytes()
    history = History.open(path)
    assert "newer kbtui" in history.notice
    assert latest(history) is None
    change = done(history)
    assert latest(history) == change
    history.close()
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_used_costs_undo_of_other_visits_only(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    history = History.open(tmp_path / "state" / "state.db")
    assert "not usable" in history.notice
    change = done(history)
    assert latest(history) == change
    history.remember(URL, "place", "", 3)
    assert history.recall(URL, "place", "") == 3
    history.close()


def test_a_disk_that_fills_up_in_the_middle_stops_no_save(path: Path) -> None:
    history = History.open(path)
    kept = done(history)
    history.remember(URL, "place", "", "f1")
    history.keep_question(URL, QUESTION)
    history.remember_answer(URL, QUESTION, answer())
    assert history.lasting
    pages = history._connection.execute("PRAGMA page_count").fetchone()[0]
    history._connection.execute(f"PRAGMA max_page_count={pages}")
    change = begin(history, "d2", text="x" * 1_000_000)
    assert "the disk is full" in history.notice
    finished = history.finish_change(change, updated=9)
    assert latest(history) == replace(change, state="done", updated=9, at=finished.at)
    assert history.recall(URL, "place", "") == "f1"
    assert history.questions(URL) == [QUESTION] and history.last_answers(URL, QUESTION) == [answer()]
    assert not history.lasting
    history.close()
    with again(path) as later:
        assert latest(later) == kept


def test_a_change_begun_in_the_file_is_finished_in_memory(path: Path) -> None:
    history = History.open(path)
    change = begin(history)
    history._connection.execute("PRAGMA query_only=1")
    finished = history.finish_change(change, updated=9)
    assert history.notice
    assert latest(history) == finished
    history.close()
    with again(path) as later:
        assert later.pending(URL) == [change]


def test_another_that_writes_for_long_is_waited_for(path: Path, history: History) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    kept: list[Change] = []
    writing = threading.Thread(target=lambda: kept.append(done(history)))
    writing.start()
    assert history._lock.acquire(blocking=False) is False or not kept
    other.execute("COMMIT")
    other.close()
    writing.join()
    assert latest(history) == kept[0]


def test_in_memory_everything_works_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    history = History.open(None)
    change = done(history)
    assert latest(history) == change
    history.close()
    assert list(tmp_path.iterdir()) == []


def test_opening_it_is_quick_though_it_is_large(path: Path) -> None:
    history = History.open(path)
    for n in range(80):
        done(history, f"d{n}", text="word " * 60_000)
    history.close()
    start = time.perf_counter()
    history = History.open(path)
    latest(history)
    assert time.perf_counter() - start < 0.5
    history.close()
    assert path.stat().st_size > 40_000_000
