"""What was before every change: kept before the request, found again, never thrown away."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.errors import Refused
from kbtui.history import _MIGRATIONS, ANSWERS, UNDOABLE, Change, History
from kbtui.questions import Answer, Question, Ranked

URL = "https://api.example.com"
OTHER = "https://elsewhere.example.com"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    history = History.open(path)
    yield history
    assert history.notice == ""
    history.close()


def begin(
    history: History, document: str = "d1", kind: str = "edit", url: str = URL, text: str = "new"
) -> Change:
    before = {"content": f"what was before {text}", "format": "html", "name": "Before"}
    after = {"content": text, "name": "After"}
    return history.begin_change(url, document, "Refunds", kind, before=before, after=after)


def done(
    history: History, document: str = "d1", kind: str = "edit", url: str = URL, text: str = "new"
) -> Change:
    return history.finish_change(begin(history, document, kind, url, text), updated=7)


def latest(history: History) -> Change | None:
    """What undo would take back, with its images."""
    found = history.latest_undoable(URL)
    return history.whole(found) if found else None


@contextmanager
def again(path: Path) -> Iterator[History]:
    """The history as the next start opens it."""
    with closing(History.open(path)) as history:
        assert history.notice == ""
        yield history


# Undo


def test_a_change_goes_from_pending_to_done_to_undone(history: History) -> None:
    change = begin(history)
    assert change.state == "pending"
    assert history.pending(URL) == [change]
    assert latest(history) is None
    change = history.finish_change(change, updated=9)
    assert (change.state, change.updated) == ("done", 9)
    assert history.pending(URL) == []
    assert latest(history) == change
    history.mark_undone(change)
    assert latest(history) is None
    assert [kept.state for kept in history.changes(URL, "d1")] == ["undone"]


def test_undo_goes_back_from_the_newest_to_the_oldest(history: History) -> None:
    changes = [done(history, f"d{n}", kind) for n, kind in enumerate(UNDOABLE)]
    for change in reversed(changes):
        assert latest(history) == change
        history.mark_undone(change)
    assert latest(history) is None


def test_undo_goes_past_a_change_that_others_changed_again(history: History) -> None:
    older, newer = done(history, "d1"), done(history, "d2")
    history.supersede(newer)
    assert latest(history) == older
    assert history.changes(URL, "d2")[0].before == newer.before


def test_undo_knows_no_other_base_url_and_no_documents_from_elsewhere(history: History) -> None:
    done(history, url=OTHER)
    assert latest(history) is None
    older = done(history, "d1")
    done(history, "d2")
    here = history.latest_undoable(URL, lambda document: document == "d1")
    assert here and history.whole(here) == older


def test_a_change_is_as_old_as_the_moment_in_which_it_was_seen(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, now = begin(history), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90)
    assert history.finish_change(change, updated=7).at == now + 90


def test_words_of_the_person_that_gave_way_can_be_brought_back(history: History) -> None:
    kept = history.keep_draft(URL, "d1", "Refunds", "the base", "markdown", "my words")
    assert latest(history) == kept
    assert (kept.before, kept.after) == (
        {"content": "the base", "format": "markdown"},
        {"content": "my words"},
    )
    history.mark_undone(kept)
    assert latest(history) is None


def test_a_change_the_service_refused_is_forgotten(history: History) -> None:
    history.abandon(begin(history))
    assert history.changes(URL, "d1") == []


def test_every_change_of_a_document_is_listed_newest_first(history: History) -> None:
    changes = [done(history, text=str(n)) for n in range(5)]
    done(history, "d2")
    words = history.keep_draft(URL, "d1", "Refunds", "base", "html", "gave way")
    assert history.changes(URL, "d1") == [words, *reversed(changes)]
    assert history.changes(URL, "d1", limit=2) == [words, changes[-1]]


def test_texts_come_back_byte_for_byte_at_the_next_start(path: Path, history: History) -> None:
    text = "mixed\r\nlines\u2028\x0b\0 \ud800 ' \" \\ 😀"
    change = history.begin_change(
        URL, "d1", text, "edit", before={"content": text, "format": text}, after={"content": text * 2}
    )
    history.close()
    with again(path) as later:
        assert later.changes(URL, "d1") == [change]


def test_what_comes_back_from_the_service_may_differ_from_what_was_sent(history: History) -> None:
    change = history.finish_change(begin(history), updated=9, after={"content": "normalised"})
    assert history.changes(URL, "d1") == [change]
    assert change.after == {"content": "normalised"}


def test_the_image_of_before_is_on_the_disk_before_the_request_is_sent(path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from kbtui.history import History
history = History.open(Path({str(path)!r}))
history.begin_change({URL!r}, "d1", "Refunds", "delete", before={{"content": "all of it"}}, after={{}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    with again(path) as later:
        assert [change.before for change in later.pending(URL)] == [{"content": "all of it"}]


# Words that another's save may have replaced


def test_edits_are_watched_until_they_are_settled_or_taken_back(history: History) -> None:
    first = done(history, "d1", text="first")
    second = done(history, "d1", text="second")
    other = done(history, "d2")
    done(history, "d3", "rename")
    begin(history, "d4")
    done(history, "d5", url=OTHER)
    history.mark_undone(done(history, "d6"))
    assert list(map(history.whole, history.written(URL))) == [first, second, other]
    history.settle(second)
    assert list(map(history.whole, history.written(URL))) == [first, other]
    assert history.changes(URL, "d1")[0] == replace(second, settled=True)


def test_an_old_edit_is_watched_no_more(history: History) -> None:
    change = done(history)
    assert list(map(history.whole, history.written(URL, since=change.at - 1))) == [change]
    assert history.written(URL, since=change.at + 1) == []


# Small things


def test_small_things_are_remembered_by_base_url_kind_and_key(path: Path, history: History) -> None:
    history.remember(URL, "order", "", {"sort": "size", "descending": True})
    history.remember(URL, "order", "f1", {"sort": "name"})
    history.remember(URL, "place", "", "f1")
    history.remember(URL, "order", "f1", {"sort": "created_at"})
    history.close()
    with again(path) as later:
        assert later.recall(URL, "order", "") == {"sort": "size", "descending": True}
        assert later.recall(URL, "order", "f1") == {"sort": "created_at"}
        assert later.recall(URL, "place", "") == "f1"
        assert later.recall(OTHER, "place", "") is None
        later.remember(URL, "place", "", None)
        assert later.recall(URL, "place", "") is None


# Kept questions

QUESTION = Question("a1", "Night desk", "How long may I send things back?")


def answer(number: int = 1) -> Answer:
    text = "mixed\r\nlines\u2028\x0b\0 \ud800 ' \" \\ 😀"
    chunks = (Ranked(1, "c1", "d1", text, 0.25, text), Ranked(2, "", "d2", "Refunds", None, ""))
    return Answer(float(number), chunks)


def test_the_question_that_was_used_last_comes_first_and_the_same_again_is_one(
    path: Path, history: History
) -> None:
    branch, keyword = QUESTION._replace(branch="b1"), QUESTION._replace(strategy="keyword")
    neutral, odd = QUESTION._replace(as_set=False), QUESTION._replace(words="\ud800 '")
    for question in (QUESTION, branch, keyword, neutral, odd, branch):
        history.keep_question(URL, question)
    history.keep_question(OTHER, QUESTION)
    assert history.questions(URL) == [branch, odd, neutral, keyword, QUESTION]
    renamed = QUESTION._replace(agent_name="Day desk")
    history.keep_question(URL, renamed)
    history.remember_answer(URL, odd, answer())
    history.close()
    with again(path) as later:
        assert later.questions(URL) == [odd, renamed, branch, neutral, keyword]
        assert later.questions(OTHER) == [QUESTION]


def test_the_last_answers_of_a_question_are_kept_newest_first(path: Path, history: History) -> None:
    history.keep_question(URL, QUESTION)
    history.keep_question(OTHER, QUESTION)
    assert history.last_answers(URL, QUESTION) == []
    before = [history.remember_answer(URL, QUESTION, answer(n)) for n in range(ANSWERS + 3)]
    assert before == [None, *(answer(n) for n in range(ANSWERS + 2))]
    history.keep_question(URL, QUESTION)
    history.close()
    with again(path) as later:
        assert later.last_answers(URL, QUESTION) == [answer(n) for n in range(ANSWERS + 2, 2, -1)]
        assert later.last_answers(OTHER, QUESTION) == []


def test_a_forgotten_question_takes_its_answers_along_and_an_answer_that_is_late_comes_to_nothing(
    history: History,
) -> None:
    history.keep_question(URL, QUESTION)
    history.remember_answer(URL, QUESTION, answer())
    history.forget_question(URL, QUESTION)
    assert history.remember_answer(URL, QUESTION, answer()) is None
    assert history.questions(URL) == [] and history.last_answers(URL, QUESTION) == []
    history.keep_question(URL, QUESTION)
    assert history.last_answers(URL, QUESTION) == []


def test_past_the_most_that_are_kept_the_question_that_was_not_used_for_longest_gives_way(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.history.QUESTIONS", 3)
    questions = [QUESTION._replace(words=str(n)) for n in range(5)]
    history.keep_question(OTHER, QUESTION)
    for question in questions[:3]:
        history.keep_question(URL, question)
    history.remember_answer(URL, questions[0], answer())
    for question in questions[3:]:
        history.keep_question(URL, question)
    assert history.questions(URL) == [questions[4], questions[3], questions[0]]
    assert history.questions(OTHER) == [QUESTION]


def test_two_that_ask_at_once_lose_no_answer(path: Path, history: History) -> None:
    history.keep_question(URL, QUESTION)
    with again(path) as other:
        threads = [
            threading.Thread(target=each.remember_answer, args=(URL, QUESTION, answer(n)))
            for n, each in enumerate([history, other] * 4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(each.at for each in history.last_answers(URL, QUESTION)) == [float(n) for n in range(8)]


def test_a_file_from_before_there_were_questions_keeps_what_it_holds(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as earlier:
        for statement in (*_MIGRATIONS[0], "PRAGMA user_version=1"):
            earlier.execute(statement)
        earlier.execute("INSERT INTO remembered VALUES (?, 'place', '', '\"f1\"')", (URL,))
        earlier.commit()
    with again(path) as history:
        assert history.recall(URL, "place", "") == "f1" and history.questions(URL) == []
        history.keep_question(URL, QUESTION)
        assert history.questions(URL) == [QUESTION]


def test_edits_from_before_each_of_them_was_watched_are_announced_only_where_they_were(path: Path) -> None:
    with again(path) as history:
        for document, text in (("d1", "first"), ("d1", "second"), ("d2", "other")):
            done(history, document, text=text)
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("PRAGMA user_version=2")
    with again(path) as history:
        watched = [history.whole(change) for change in history.written(URL)]
        assert [change and change.after["content"] for change in watched] == ["second", "other"]


def test_settings_of_auto_sync_kept_by_an_earlier_kbtui_can_still_be_put_back(path: Path) -> None:
    with again(path) as history:
        done(history)
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("UPDATE changes SET kind = 'sync'")
        earlier.execute("PRAGMA user_version=3")
        earlier.commit()
    with again(path) as history:
        change = history.latest_undoable(URL)
        assert change is not None and change.kind == "auto-sync"


# Limits


def test_limits_take_the_old_and_then_the_oldest_and_never_the_newest(history: History) -> None:
    changes = [done(history, text=str(n) * 10_000) for n in range(5)]
    assert history.trim(max_age=3600, max_bytes=10**9) == 0
    assert history.trim(max_age=3600, max_bytes=45_000) == 3
    assert history.changes(URL, "d1") == [changes[4], changes[3]]
    assert history.trim(max_age=-1, max_bytes=10**9) == 1
    assert history.trim(max_age=-1, max_bytes=0) == 0
    assert latest(history) == changes[4]


def test_limits_give_the_room_back_to_the_disk(path: Path, history: History) -> None:
    for n in range(20):
        done(history, text=str(n) * 100_000)
    history.trim(max_age=3600, max_bytes=1)
    history.close()
    assert path.stat().st_size < 2_000_000
    with again(path) as later:
        assert len(later.changes(URL, "d1")) == 1


# The file


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
