"""What is promised of words that were typed: whatever ends kbtui, the next start offers them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import PATIENCE
from tests.e2e.visit import Server, Visit
from tests.wire import Wire

BEFORE = "as it was"
WORDS = "words that nobody may lose, "
HUNG_UP, TERMINATED, KILLED, A_BUG = 128 + signal.SIGHUP, 128 + signal.SIGTERM, -signal.SIGKILL, 1

Open = Callable[..., Visit]


@pytest.fixture
def document(server: Server, request: pytest.FixtureRequest) -> str:
    """The id of a document of this test's own."""
    return server.create(request.node.name, BEFORE)


@pytest.fixture
def editing(server: Server, home: Path, document: str, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Starts kbtui and types `WORDS` in the editor; they are seen on the screen, and nothing is saved."""
    opened: list[Visit] = []

    def start(*, words: str = WORDS, wire: Wire | None = None, **how: object) -> Visit:
        kbtui = Visit(home, url=wire.url if wire else server.url, key=server.key, **how)  # type: ignore[arg-type]
        opened.append(kbtui)
        kbtui.edit(request.node.name)
        kbtui.type(words)
        kbtui.until("not saved yet")
        kbtui.until(words.strip())
        return kbtui

    yield start
    for kbtui in opened:
        kbtui.__exit__(None, None, None)


def next_start(server: Server, home: Path, url: str = "") -> Visit:
    """kbtui again, which tells of one draft; the list of drafts is open."""
    kbtui = Visit(home, url=url or server.url, key=server.key)
    kbtui.until(r"1 draft from \d\d:\d\d")
    kbtui.press("g", "d")
    kbtui.until("Drafts: typed")
    return kbtui


def bring_back(server: Server, home: Path, document: str, words: str = WORDS + BEFORE, url: str = "") -> None:
    """The next start offers the words; the editor has them; they can be saved, all of them."""
    with next_start(server, home, url) as kbtui:
        kbtui.press("enter")
        kbtui.until("not saved yet")
        kbtui.until(words.strip())
        kbtui.press("ctrl+s")
        kbtui.until("Saved, verified")
        assert server.text(document) == words
        assert not kbtui.drafts()
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0


# The disk


def test_a_word_is_on_the_disk_a_second_later_though_typing_goes_on(editing: Open) -> None:
    kbtui = editing()
    kbtui.when(lambda: WORDS in kbtui.words(), "on the disk")
    lags = []
    for number in range(3):
        word, typed = f"<{number}>", time.monotonic()
        kbtui.type(word)
        while word not in kbtui.words():
            assert time.monotonic() < typed + PATIENCE, "the disk waits for the typing to end"
            kbtui.repeat("x")
        lags.append(time.monotonic() - typed)
    assert min(lags) <= 1.0, lags


def test_a_kill_costs_at_most_the_last_second(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing()
    kbtui.when(lambda: kbtui.words() == WORDS + BEFORE, "on the disk")
    kbtui.type("and those of the last second")
    kbtui.kill(signal.SIGKILL)
    assert kbtui.ended() == KILLED
    bring_back(server, home, document, kbtui.words())


# The terminal


@pytest.mark.parametrize("how", ["", "nohup", "borrowed"])
def test_a_closed_terminal_costs_nothing(
    how: str, editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing(how=how)
    kbtui.hang_up()
    assert kbtui.ended() == HUNG_UP
    bring_back(server, home, document)


BLIND = "and what is typed while nothing is seen, "


def test_a_stalled_terminal_that_is_then_closed_costs_nothing(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing()
    kbtui.stall()
    kbtui.repeat(BLIND)
    kbtui.when(lambda: kbtui.words() == WORDS + BLIND + BEFORE, "on the disk")
    kbtui.hang_up()
    assert kbtui.ended() == HUNG_UP
    bring_back(server, home, document, WORDS + BLIND + BEFORE)


def test_a_stalled_terminal_that_goes_on_shows_what_was_typed(editing: Open) -> None:
    kbtui = editing()
    kbtui.stall()
    kbtui.repeat(BLIND)
    kbtui.thaw()
    kbtui.until(WORDS + BLIND + BEFORE)
    kbtui.until("not saved yet")


def test_a_stalled_terminal_stops_nothing_however_much_is_drawn(editing: Open) -> None:
    kbtui = editing()
    kbtui.stall()
    kbtui.repeat("\x0c" * 30)  # ^L: the whole screen each time, far more than a terminal keeps
    kbtui.type(BLIND)
    kbtui.when(lambda: kbtui.words() == WORDS + BLIND + BEFORE, "on the disk")
    kbtui.thaw()
    kbtui.until(WORDS + BLIND + BEFORE)


def test_a_name_being_typed_is_kept_too(server: Server, home: Path) -> None:
    id = server.create("Named before", BEFORE)
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.until("/ filter")
        kbtui.select("Named before")
        kbtui.press("r")
        kbtui.until("Enter save")
        kbtui.type(" and after")
        kbtui.until("Named before and after")
        kbtui.hang_up()
        assert kbtui.ended() == HUNG_UP
    with next_start(server, home) as again:
        again.press("enter")
        again.until("Renamed")
        assert server.name(id) == "Named before and after"
        assert not again.drafts()


# Signals


def test_an_orderly_end_by_signal_costs_nothing_and_gives_the_terminal_back(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing()
    kbtui.kill(signal.SIGTERM)
    assert kbtui.ended() == TERMINATED
    kbtui.restored()
    bring_back(server, home, document)


def test_a_signal_ends_it_though_the_terminal_is_stalled(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing()
    kbtui.stall()
    kbtui.repeat(BLIND)
    kbtui.when(lambda: not kbtui.unread, "read")
    kbtui.kill(signal.SIGTERM)
    assert kbtui.ended() == TERMINATED
    assert kbtui.line_modes() == kbtui.modes
    bring_back(server, home, document, WORDS + BLIND + BEFORE)


# Bugs

FAULTS = {
    "in a key": """
from kbtui.tui.screens.editor import Editor
def broken(self):
    secret = __import__("os").environ["ELEVENLABS_API_KEY"]
    raise RuntimeError("a bug\\x1b]0;from a stranger\\x07")
Editor.do_edit_save = broken
""",
    "in a worker": """
from kbtui.knowledge_base import KnowledgeBase
async def broken(self, draft, text):
    secret = __import__("os").environ["ELEVENLABS_API_KEY"]
    raise RuntimeError("a bug\\x1b]0;from a stranger\\x07")
KnowledgeBase.save = broken
""",
}


@pytest.mark.parametrize("where", FAULTS)
def test_a_bug_ends_it_loudly_with_every_word_safe_and_no_key_told(
    where: str, editing: Open, server: Server, home: Path, document: str
) -> None:
    kbtui = editing(script=FAULTS[where])
    kbtui.press("ctrl+s")
    assert kbtui.ended() == A_BUG
    kbtui.restored()
    said = kbtui.text
    assert "Traceback" in said and "RuntimeError: a bug" in said
    assert "What you typed is kept" in said
    assert server.key.encode() not in kbtui.raw
    assert b"\x1b]0;from" not in kbtui.raw
    bring_back(server, home, document)


# The network


def test_a_line_cut_while_saving_keeps_the_draft_though_the_service_took_it(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    with Wire(server.url) as wire:
        kbtui = editing(wire=wire)
        held = wire.hold("answer", method="PATCH")
        kbtui.press("ctrl+s")
        held.wait()
        wire.down()
        kbtui.until("was cut before an answer came")
        kbtui.when(lambda: kbtui.words() == WORDS + BEFORE, "on the disk")
        kbtui.until("not saved yet")
        assert server.text(document) == WORDS + BEFORE
        kbtui.kill(signal.SIGKILL)
        assert kbtui.ended() == KILLED
        wire.heal()
        wire.up()
        bring_back(server, home, document, url=wire.url)


def test_a_server_that_dies_keeps_no_word_from_the_next_one(tmp_path: Path, home: Path) -> None:
    with Server(tmp_path / "data") as server:
        id = server.create("Outlives its server", BEFORE)
        with Visit(home, url=server.url, key=server.key) as kbtui:
            kbtui.edit("Outlives its server")
            kbtui.type(WORDS)
            kbtui.until("not saved yet")
            server.kill()
            kbtui.press("ctrl+s")
            kbtui.until("refuses the connection")
            kbtui.until("not saved yet")
            server.start()
            kbtui.press("ctrl+s")
            kbtui.until("Saved, verified")
            assert server.text(id) == WORDS + BEFORE


# Quitting


def test_quitting_waits_for_a_save_under_way(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    with Wire(server.url) as wire:
        kbtui = editing(wire=wire)
        held = wire.hold("request", method="PATCH")
        kbtui.press("ctrl+s")
        held.wait()
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        kbtui.until("Finishing the save")
        assert server.text(document) == BEFORE
        held.release()
        assert kbtui.ended() == 0
        kbtui.restored()
        assert server.text(document) == WORDS + BEFORE
        assert not kbtui.drafts()


def test_quitting_twice_does_not_wait_and_keeps_the_draft(
    editing: Open, server: Server, home: Path, document: str
) -> None:
    with Wire(server.url) as wire:
        kbtui = editing(wire=wire)
        held = wire.hold("request", method="PATCH")
        kbtui.press("ctrl+s")
        held.wait()
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        kbtui.until("Finishing the save")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
        wire.heal()
        bring_back(server, home, document, url=wire.url)


def test_quitting_in_the_middle_of_everything_is_quiet(server: Server, home: Path) -> None:
    with Wire(server.url) as wire:
        held = wire.hold("answer", times=None)
        with Visit(home, url=wire.url, key=server.key) as kbtui:
            held.wait()
            kbtui.press("Q")
            assert kbtui.ended() == 0
            kbtui.restored()
            assert "Traceback" not in kbtui.text


# $EDITOR


@pytest.fixture
def editor(tmp_path: Path) -> Path:
    """An editor that adds words, saves, and stays until it is told to go."""
    script = tmp_path / "editor"
    script.write_text(
        '#!/bin/sh\nprintf %s "more words" >> "$1"\necho "the editor is open"\n'
        'trap "echo interrupted" INT\nwhile ! read answer; do :; done\n'
    )
    script.chmod(0o700)
    return script


@pytest.mark.parametrize("end", ["hang-up", "SIGTERM", "SIGKILL"])
def test_what_the_editor_saved_is_kept_however_kbtui_ends(
    end: str, server: Server, home: Path, editor: Path, document: str, request: pytest.FixtureRequest
) -> None:
    with Visit(home, url=server.url, key=server.key, env={"EDITOR": str(editor)}) as kbtui:
        kbtui.until("/ filter")
        kbtui.select(request.node.name)
        kbtui.press("E")
        kbtui.until("the editor is open")
        if end == "hang-up":
            kbtui.hang_up()
            assert kbtui.ended() == HUNG_UP
        elif end == "SIGTERM":
            kbtui.kill(signal.SIGTERM)
            assert kbtui.ended() == TERMINATED
            assert kbtui.line_modes() == kbtui.modes
        else:
            kbtui.kill(signal.SIGKILL)
    bring_back(server, home, document, BEFORE + "more words")


def test_an_interrupt_belongs_to_the_editor(
    server: Server, home: Path, editor: Path, document: str, request: pytest.FixtureRequest
) -> None:
    with Visit(home, url=server.url, key=server.key, env={"EDITOR": str(editor)}) as kbtui:
        kbtui.until("/ filter")
        kbtui.select(request.node.name)
        kbtui.press("E")
        kbtui.until("the editor is open")
        kbtui.press("ctrl+c")
        kbtui.until("interrupted")
        kbtui.type("go\n")
        kbtui.until("Saved, verified")
        assert server.text(document) == BEFORE + "more words"


# A command that is given a text


def test_an_interrupt_belongs_to_the_command_that_is_given_a_text(
    server: Server, home: Path, document: str, request: pytest.FixtureRequest
) -> None:
    env = {"SHELL": "/bin/sh", "PAGER": "cat; sleep 1.1"}
    with Visit(home, url=server.url, key=server.key, env=env) as kbtui:
        kbtui.until("/ filter")
        kbtui.select(request.node.name)
        kbtui.press("|")
        kbtui.until("a command that is given the plain words")
        kbtui.type("wc -c; echo wait''ing; sleep 60")
        kbtui.press("enter")
        kbtui.until("waiting")
        kbtui.press("ctrl+c")
        kbtui.until("Enter goes back to kbtui")
        kbtui.press("enter")
        kbtui.until("was ended by signal 2; it")
        kbtui.press("g", "|")
        kbtui.until("“cat; sleep 1.1” ended with 0")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
