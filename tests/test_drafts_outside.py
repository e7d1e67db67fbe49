"""Drafts whose files other programs write, and drafts of a kbtui that is killed at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbtui.drafts import Draft
from kbtui.errors import Refused
from tests.drafting import BASE, begin, files, left, opened, until

# $EDITOR


def test_another_program_edits_the_draft_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts, base="mixed\r\nlines\n")
        path = drafts.lend(draft, ".html")
        assert (path.suffix, path.read_bytes()) == (".html", b"mixed\r\nlines\n")
        assert drafts.all() == []  # nothing new yet
        other = path.with_name("saved by renaming")
        other.write_bytes(b"mixed\r\nlines\nand more\n")
        other.replace(path)
        assert drafts.take_back(draft) == "mixed\r\nlines\nand more\n"
        assert not path.exists()
        assert drafts.all()[0].text == left(tmp_path)[0].text == "mixed\r\nlines\nand more\n"


@pytest.mark.parametrize(
    ("base", "saved", "text"),
    [
        ("one", b"one\n", "one"),
        ("one", b"one\r\n", "one"),
        ("one\n", b"one\n", "one\n"),
        ("one", b"one\n\n", "one\n"),
    ],
)
def test_a_line_end_that_the_editor_adds_is_no_change(
    tmp_path: Path, base: str, saved: bytes, text: str
) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts, base=base)
        drafts.lend(draft, ".md").write_bytes(saved)
        assert drafts.take_back(draft) == text


def test_what_the_editor_saved_last_is_the_draft_of_a_kbtui_that_died(tmp_path: Path) -> None:
    crash(tmp_path, [("begin", 0), ("type", 0), ("lend", 0)])
    (path,) = tmp_path.rglob("text.html")
    assert left(tmp_path)[0].text == text_of(0, 1)
    path.write_bytes(b"")
    assert left(tmp_path)[0].text == text_of(0, 1)  # an editor that died while it saved
    path.write_bytes(b"saved after kbtui died")
    with opened(tmp_path) as drafts:
        draft = drafts.adopt(drafts.all()[0])
        assert draft.text == "saved after kbtui died"
        assert not list(tmp_path.rglob("text.*"))
    assert left(tmp_path)[0].text == "saved after kbtui died"


def test_an_editor_that_leaves_no_file_or_no_utf8_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        drafts.lend(draft, ".txt").write_bytes(b"caf\xe9")
        with pytest.raises(Refused, match="no UTF-8"):
            drafts.take_back(draft)
        (kept,) = tmp_path.rglob("*.not-utf-8")
        assert kept.read_bytes() == b"caf\xe9"
        assert drafts.take_back(draft) is None
        assert drafts.all()[0].text == "typed"


ODD = b"caf\xe9"  # no UTF-8


def test_words_that_are_no_utf8_are_kept_and_their_draft_is_shown_again(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.lend(draft, ".md").write_bytes(ODD)
        with pytest.raises(Refused, match="kept in") as refused:
            drafts.take_back(draft)
        assert [shown.document for shown in drafts.all()] == ["d1"]
    (kept,) = tmp_path.rglob("*.not-utf-8")
    assert str(kept) in refused.value.sentence and kept.read_bytes() == ODD
    with opened(tmp_path) as drafts:
        (shown,) = drafts.all()
        assert drafts.damaged == [f"The editor saved bytes that are no UTF-8; they are kept in {kept}."]
        assert drafts.trim(max_age=0, max_bytes=0) == 0
        drafts.saved(drafts.adopt(shown), BASE, updated=9)
        assert drafts.all() == [] and drafts.damaged
    assert kept.read_bytes() == ODD


def test_words_that_are_no_utf8_outlive_a_kbtui_that_was_killed(tmp_path: Path) -> None:
    for saved in (ODD, ODD + ODD):
        crash(tmp_path, [("begin", 0), ("lend", 0)])
        (path,) = tmp_path.rglob("text.html")
        path.write_bytes(saved)
        with opened(tmp_path) as drafts:
            assert drafts.all() if saved == ODD else drafts.trim(max_age=0, max_bytes=0) == 0
            assert drafts.all()[0].document == "0" and drafts.damaged
            drafts.adopt(drafts.all()[0])
    assert sorted(kept.read_bytes() for kept in tmp_path.rglob("*.not-utf-8")) == [ODD, ODD + ODD]


@pytest.mark.parametrize("end", ["drop", "close", "saved", "trim"])
def test_a_file_that_an_editor_left_beside_the_draft_stays(tmp_path: Path, end: str) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        copy = drafts.lend(draft, ".md").with_name("another name.md")
        copy.write_text("saved as")
        copy.with_name("text.md~").write_text("what it was before")
        copy.with_name("text.txt").mkdir()
        copy.with_name("text.txt").joinpath("below").write_text("saved as")
        drafts.typed(draft, lambda: "typed")
        if end == "drop":
            drafts.drop(draft)
        elif end == "saved":
            drafts.saved(draft, "typed", updated=9)
        elif end == "close":
            drafts.typed(draft, lambda: BASE)
    with opened(tmp_path) as drafts:
        drafts.trim(max_age=0, max_bytes=0)
        assert drafts.all() == [] == drafts.damaged
    assert files(tmp_path) == ["another name.md", "below"]


# The end of the process, in real ones

CHILD = """
import itertools, os, signal, sys, time
from pathlib import Path
from kbtui.drafts import Drafts

drafts = Drafts(Path(sys.argv[1]), "https://api.example.com", delay=float(sys.argv[2]))
versions = {}
kept = {}

def text_of(which, version):
    return f"{which} {version}\\r\\n" + "word " * (version % 50 * 200)

def begin(which):
    versions[which] = 0
    kept[which] = drafts.begin(document=str(which), name="n", field="content", format="html",
                               base=text_of(which, 0), base_updated=1)

def type_(which):
    versions[which] += 1
    drafts.typed(kept[which], lambda: text_of(which, versions[which]))

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""


def text_of(which: int, version: int) -> str:
    return f"{which} {version}\r\n" + "word " * (version % 50 * 200)


def version_of(draft: Draft) -> int:
    """Which version a text from the disk is; fails where it is none, whole."""
    version = int(draft.text.split("\r\n")[0].split()[1])
    assert draft.text == text_of(int(draft.document), version)
    assert draft.base == text_of(int(draft.document), 0)
    return version


def child(folder: Path, delay: float, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(folder), str(delay)], stdout=subprocess.PIPE, text=True
    )


def crash(folder: Path, steps: list[tuple[str, int]]) -> None:
    """Carry the steps out in a process that SIGKILL ends right after."""
    code = f"""
for step, which in {steps!r}:
    if step == "begin": begin(which)
    elif step == "type": type_(which)
    elif step == "flush": drafts.flush()
    elif step == "lend": drafts.lend(kept[which], ".html")
    elif step == "drop": drafts.drop(kept[which])
os.kill(os.getpid(), signal.SIGKILL)
"""
    with child(folder, 0.001, code) as process:
        pass
    assert process.returncode == -signal.SIGKILL


STEPS = st.sampled_from(["begin", "type", "type", "type", "flush", "drop"])


@given(st.lists(st.tuples(STEPS, st.integers(0, 2)), max_size=40))
@settings(max_examples=25, deadline=None)
def test_after_any_steps_and_a_kill_what_was_flushed_is_there_whole(steps: list[tuple[str, int]]) -> None:
    typed: dict[int, int] = {}
    safe: dict[int, int] = {}
    possible: list[tuple[str, int]] = []
    for step, which in steps:
        if (step == "begin") == (which in typed) and step != "flush":
            continue
        possible.append((step, which))
        if step == "begin":
            typed[which] = safe[which] = 0
        elif step == "type":
            typed[which] += 1
        elif step == "flush":
            safe = dict(typed)
        else:
            del typed[which]
            safe.pop(which)
    with tempfile.TemporaryDirectory() as folder:
        crash(Path(folder), possible)
        found = {int(draft.document): version_of(draft) for draft in left(Path(folder))}
    assert set(found) <= set(typed)
    for which, version in typed.items():
        assert safe[which] <= found.get(which, 0) <= version


@pytest.mark.parametrize("run", range(3))
def test_a_kill_in_the_middle_of_typing_costs_less_than_a_second(tmp_path: Path, run: int) -> None:
    code = """
begin(0)
while True:
    type_(0)
    say(versions[0], time.monotonic())
    time.sleep(0.002)
"""
    with child(tmp_path, 0.5, code) as process:
        assert process.stdout is not None
        start = time.monotonic()
        for line in process.stdout:
            if float(line.split()[1]) > start + 1.3 + run * 0.17:
                break
        process.kill()
        killed = time.monotonic()
        keys = [line, *process.stdout]
    earlier = version_of(left(tmp_path)[0])
    first_lost = next((float(key.split()[1]) for key in keys if int(key.split()[0]) > earlier), killed)
    assert killed - first_lost < 1.0 or earlier >= int(line.split()[0])
    assert earlier > 50


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.0, 0.01, 10.0])
def test_a_handler_brings_the_last_key_to_the_disk(tmp_path: Path, number: int, delay: float) -> None:
    code = f"""
def last(*_):
    now = versions[0]
    drafts.flush()
    say("last", now)
    os._exit(128 + {int(number)})

signal.signal({int(number)}, last)
begin(0)
while True:
    type_(0)
    if versions[0] % 7 == 0: drafts.flush()
    say(versions[0])
"""
    for keys in (1, 8, 57, random.randrange(20, 200)):
        folder = tmp_path / str(keys)
        with child(folder, delay, code) as process:
            assert process.stdout is not None
            for _ in range(keys):
                process.stdout.readline()
            process.send_signal(number)
            last = [line for line in process.stdout if line.startswith("last")]
        assert process.returncode == 128 + number
        assert version_of(left(folder)[0]) == int(last[0].split()[1])


def test_handlers_interrupt_every_step_of_the_journal_without_a_deadlock(tmp_path: Path) -> None:
    code = """
import random
chance = random.Random(1)

def interrupt(*_):
    drafts.flush()
    signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0001, 0.003))

signal.signal(signal.SIGALRM, interrupt)
interrupt()
for rounds in range(40):
    for which in range(3):
        begin(which)
        type_(which)
    drafts.flush()
    type_(0)
    drafts.drop(kept[1])
    kept[2] = drafts.rebase(kept[2], base=text_of(2, 0))
    drafts.all()
    if rounds % 2: drafts.drop(kept[0]); drafts.drop(kept[2])
signal.signal(signal.SIGALRM, signal.SIG_IGN)
for draft in drafts.all():
    if draft.id != kept[0].id: drafts.drop(draft)
begin(0)
for _ in range(30): type_(0)
drafts.close()
say(rounds)
"""
    with child(tmp_path, 0.0, code) as process:
        assert process.stdout is not None
        rounds = process.stdout.read()
    assert process.returncode == 0
    assert int(rounds) == 39
    newest = left(tmp_path)[0]
    assert version_of(newest) == 30


def test_a_stalled_main_thread_does_not_stop_the_writer(tmp_path: Path) -> None:
    code = """
begin(0)
type_(0)
say("typed")
os.read(0, 1)  # as a write to a terminal that takes no more
"""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD + code, str(tmp_path), "0.05"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        until(lambda: [version_of(draft) for draft in left(tmp_path)] == [1])
        assert left(tmp_path)[0].elsewhere
        process.kill()
    assert not left(tmp_path)[0].elsewhere
