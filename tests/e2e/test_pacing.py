"""Frames go at the pace of the terminal, and what it answers does no harm."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.visit import Server, Visit

ASK = b"\x1b[6n"
IN_FLIGHT = 4


@pytest.fixture
def kbtui(server: Server, home: Path) -> Iterator[Visit]:
    """kbtui at rest on all documents."""
    with Visit(home, url=server.url, key=server.key) as visit:
        visit.browse_all()
        visit.quiet()
        yield visit


def asked(visit: Visit) -> int:
    return visit.raw.count(ASK)


def test_at_most_four_frames_are_on_their_way_and_the_last_one_is_seen(kbtui: Visit) -> None:
    kbtui.mute = True
    before = asked(kbtui)
    kbtui.repeat("j" * 15)
    kbtui.quiet()
    assert asked(kbtui) - before == IN_FLIGHT
    assert "16 of 9" not in kbtui.text
    kbtui.mute = False
    kbtui.answer()
    kbtui.until(r"\b16 of \d+")
    assert asked(kbtui) - before < 15


def test_a_terminal_that_answers_nothing_is_drawn_on_all_the_same(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, mute=True) as visit:
        visit.browse_all()
        for place in range(2, 14):
            visit.press("j")
            visit.until(rf"\b{place} of \d+")
        visit.press("Q")
        assert visit.ended() == 0
        visit.restored()


def test_a_terminal_that_ceases_to_answer_is_given_up_waiting_for(kbtui: Visit) -> None:
    kbtui.mute = True
    kbtui.repeat("j" * 8)
    kbtui.until(r"\b9 of \d+")  # some seconds later
    kbtui.repeat("j" * 8)
    kbtui.until(r"\b17 of \d+", 3)


def test_a_stalled_terminal_costs_nothing_and_shows_the_end_when_it_goes_on(kbtui: Visit) -> None:
    kbtui.stall()
    for _ in range(40):
        kbtui.press("pagedown", "pageup")
    kbtui.press("g", "g", "j", "j", "j")
    spent = [_seconds(kbtui.pid)]

    def idle() -> bool:
        time.sleep(0.5)
        spent.append(_seconds(kbtui.pid))
        return spent[-1] - spent[-2] < 0.05

    kbtui.when(idle, "idle while the terminal takes nothing")
    kbtui.thaw()
    kbtui.until(r"\b4 of \d+")
    kbtui.nothing_is_left_over()


def _seconds(pid: int) -> float:
    """The time that a process has had a processor, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_no_answer_is_left_for_the_shell(kbtui: Visit) -> None:
    kbtui.mute = True
    kbtui.press("j", "j", "Q")
    kbtui.quiet(0.2)
    kbtui.mute = False
    kbtui.answer()  # late, as over a slow line
    assert kbtui.ended() == 0
    assert kbtui.left() == b""
    kbtui.restored()


def test_what_was_typed_before_a_question_was_seen_does_not_answer_it(server: Server, home: Path) -> None:
    server.create("Unseen question", "words")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.edit("Unseen question")
        kbtui.type("more ")
        kbtui.until("not saved yet")
        kbtui.quiet()
        kbtui.mute = True  # nothing that is drawn from here on is known to be seen
        kbtui.press("f8")
        kbtui.until("Discard the draft")
        kbtui.press("y")
        kbtui.quiet(1.0)
        assert "Discard the draft" in kbtui.text
        kbtui.mute = False
        kbtui.answer()
        kbtui.quiet()
        kbtui.press("y")
        kbtui.until("Draft discarded")


INLINE = """
from kbtui.tui.app import KbApp
run = KbApp.run
KbApp.run = lambda self, **more: run(self, inline=True, **more)
"""


def test_below_a_prompt_textual_draws_by_itself_and_ends_in_order(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, script=INLINE) as kbtui:
        kbtui.browse_all()
        kbtui.press("j")
        kbtui.until(r"\b2 of \d+")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
        assert b"\x1b[?1049h" not in kbtui.raw


@pytest.mark.parametrize("offered", [True, False])
def test_large_frames_are_drawn_together_where_the_terminal_can(
    offered: bool, server: Server, home: Path
) -> None:
    with Visit(home, url=server.url, key=server.key, mute=not offered) as kbtui:
        kbtui.browse_all()
        kbtui.quiet()
        before = len(kbtui.raw)
        kbtui.press("?")
        kbtui.until("Keys and commands")
        kbtui.quiet()
        frame = bytes(kbtui.raw[before:])
        assert (b"\x1b[?2026h" in frame, b"\x1b[?2026l" in frame) == (offered, offered)
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.quiet()
        before = len(kbtui.raw)
        kbtui.press("j")
        kbtui.until(r"2 of \d+")
        assert b"2026" not in kbtui.raw[before:]


@pytest.mark.parametrize(
    ("term", "screen", "moves", "fills"),
    [
        ("xterm-256color", {}, True, True),
        ("xterm-256color", {"STY": "1.pts-0.host"}, True, False),
        ("tmux-256color", {}, True, True),
        ("screen", {}, True, False),
        ("pcansi", {}, False, False),
    ],
)
def test_rows_are_moved_and_blanks_erased_where_the_terminal_is_known_to_do_it_right(
    term: str, screen: dict[str, str], moves: bool, fills: bool, server: Server, home: Path
) -> None:
    if not moves and subprocess.run(["tput", f"-T{term}", "cols"], capture_output=True).returncode:
        pytest.skip(f"the system does not know {term}")
    with Visit(home, url=server.url, key=server.key, env={"TERM": term, **screen}) as kbtui:
        kbtui.browse_all()
        for place in range(2, 30):
            kbtui.press("j")
            kbtui.until(rf"\b{place} of \d+")
        assert bool(re.search(rb"\x1b\[\d*M", kbtui.raw)) == moves
        assert bool(re.search(rb"\x1b\[\d*[KX]", kbtui.raw)) == fills
        kbtui.nothing_is_left_over()


def test_a_screen_that_is_called_another_terminal_is_found_out(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, kind=b"83") as kbtui:
        kbtui.browse_all()
        kbtui.quiet()
        for place in range(2, 30):
            kbtui.press("j")
            kbtui.until(rf"\b{place} of \d+")
        anew = kbtui.raw.rfind(b"\x1b[2J")
        assert not re.search(rb"\x1b\[\d*[KX]", kbtui.raw[anew:])
        kbtui.nothing_is_left_over()


GARBAGE = """
import atexit, gc, os
told = lambda: open(os.environ["HOME"] + "/gc", "w").write(f"{gc.get_freeze_count()} {gc.isenabled()}")
atexit.register(told)
"""


def test_what_was_there_at_the_start_is_not_looked_through_for_garbage(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, script=GARBAGE, cold=True) as kbtui:
        kbtui.settle()
        kbtui.press("Q")
        kbtui.ended()
    frozen, enabled = (home / "gc").read_text().split()
    assert int(frozen) > 10_000 and enabled == "True"


PATIENT = """
from kbtui.tui import output
from kbtui.tui.app import KbApp
output.SOON = 0.3
KbApp.settle = property(lambda self: 99.0, lambda self, seconds: None)
"""
"""However busy the machine is, what belongs together is waited for. And no text follows the cursor."""


def test_what_opens_a_field_or_a_list_and_closes_it_draws_one_frame(server: Server, home: Path) -> None:
    fields = ["/", "r", "e", "f", "enter", "/", "x", "escape", "r", "x", "escape", "f", "t", "escape"]
    lists = ["?", "w", "escape", ":", "escape", "g", "w", "escape", "g", "d", "escape"]
    with Visit(home, url=server.url, key=server.key, script=PATIENT) as kbtui:
        kbtui.browse_all()
        for at, key in enumerate([*fields, "s", "N", *lists, "1", "r", "escape", "3", "2"]):
            kbtui.quiet()
            before = asked(kbtui)
            kbtui.press(key)
            kbtui.when(lambda: asked(kbtui) > before, f"drawn: {key}")  # noqa: B023
            kbtui.quiet()
            assert asked(kbtui) == before + 1, (at, key)


LIST_LATER = """
import os
from kbtui.tui.app import KbApp
from kbtui.tui.output import Output
KbApp.settle = property(lambda self: 99.0, lambda self, seconds: None)
no_more = Output._wait_no_more
may = lambda: os.path.exists(os.environ["HOME"] + "/the list may come")
Output._wait_no_more = lambda self: no_more(self) if may() else self._wait(0.02)
"""


def test_a_letter_is_seen_before_the_long_list_that_it_leads_to(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, script=LIST_LATER, size=(50, 200)) as kbtui:
        release = home / "the list may come"
        release.touch()
        kbtui.browse_all()
        kbtui.press("/")
        kbtui.until("Esc drop")
        kbtui.quiet()
        release.unlink()
        drawn, sent = asked(kbtui), len(kbtui.raw)
        kbtui.press("r")
        kbtui.until(r" r {8}")
        assert asked(kbtui) == drawn and len(kbtui.raw) - sent < 100 and "(9" not in kbtui.text
        release.touch()
        kbtui.until(r"1 of \d+ \(9\d\)")
        kbtui.nothing_is_left_over()


LATE_FRAME = """
from kbtui.tui.screens.question import Asking
shown = Asking._shown
Asking._shown = lambda self: self.set_timer(3.0, lambda: shown(self))
"""
"""It takes long until a question is known to have been drawn at all."""


@pytest.mark.parametrize("drawing", ["changes", "all"])
def test_nor_does_what_was_typed_before_it_was_drawn(drawing: str, server: Server, home: Path) -> None:
    server.create(f"Undrawn question {drawing}", "words")
    config = home / ".config/kbtui/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'drawing = "{drawing}"')
    with Visit(home, url=server.url, key=server.key, script=LATE_FRAME) as kbtui:
        kbtui.settle()
        kbtui.edit(f"Undrawn question {drawing}")
        kbtui.type("more ")
        kbtui.until("not saved yet")
        kbtui.press("f8")
        kbtui.until("Discard the draft")
        kbtui.press("y")
        kbtui.quiet(0.5)
        assert "Discard the draft" in kbtui.text

        def answered() -> bool:
            kbtui.press("y")
            kbtui.quiet(0.3)
            return "Draft discarded" in kbtui.text

        kbtui.when(answered, "answered when it has been drawn")


@pytest.mark.parametrize(("ground", "light"), [(b"rgb:ffff/ffff/ffff", True), (b"rgb:00/00/00", False)])
def test_the_theme_is_that_of_the_terminal_and_the_person_goes_before(
    ground: bytes, light: bool, server: Server, home: Path
) -> None:
    grounds = {True: rb"48;2;251;250;247", False: rb"48;2;20;23;26"}
    with Visit(home, url=server.url, key=server.key, ground=ground) as kbtui:
        kbtui.settle()
        kbtui.quiet()
        assert grounds[light] in kbtui.raw[-3_000_000:]
        assert kbtui.raw.rfind(grounds[light]) > kbtui.raw.rfind(grounds[not light])
        kbtui.press("g", "t")
        kbtui.when(lambda: kbtui.raw.rfind(grounds[not light]) > kbtui.raw.rfind(grounds[light]), "the other")


def test_the_stage_can_be_turned_off(server: Server, home: Path) -> None:
    config = home / ".config/kbtui/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('drawing = "all"')
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.browse_all()
        kbtui.press("j", "j")
        kbtui.until(r"\b3 of \d+")
        kbtui.quiet()
        assert asked(kbtui) == 1 and not re.search(rb"\x1b\[\d+;\d+r", kbtui.raw)
        kbtui.press("Q")
        assert kbtui.ended() == 0
