"""What was before every change: kept before the request, found again, never thrown away."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.history import _MIGRATIONS, ANSWERS, UNDOABLE, History
from tests.past import OTHER, QUESTION, URL, again, answer, begin, done, latest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    history = History.open(path)
    yield history
    assert history.notice == ""
    history.close()


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
