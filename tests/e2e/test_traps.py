"""What a program made with Textual alone does on a real line, and kbtui does not.

Each trap is shown to be there still: a test that fails here says which mend can go. Where kbtui's half is
proven elsewhere, the test names the place.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kbtui.tui.paste import END, START
from tests.e2e.terminal import Terminal
from tests.e2e.visit import HOUSE, Server, Visit, environment

PAUSE = 0.3  # seconds that a slow line lets pass in the middle of a sequence
REPAINTED = 4_000  # bytes: far more than what changed, and far less than a whole widget
READY = r"line 20|table 20"


class Plain(Terminal):
    """`plain.py` in a terminal.

    Args:
        redirected: as the shell is told.
    """

    def __init__(
        self, shown: str, home: Path, redirected: str = "", env: Mapping[str, str] | None = None, **rest: Any
    ) -> None:
        home.mkdir()
        self.home = home
        program = shlex.join([sys.executable, "-m", "tests.e2e.plain", shown, str(home)])
        command = ("/bin/sh", "-c", f"exec {program} {redirected}")
        super().__init__(*command, env=environment(home, **(env or {})), cwd=HOUSE, **rest)

    def told(self, what: str) -> list[str]:
        """What it told in lines, of the keys or of the ticks."""
        file = self.home / what
        return file.read_text().split() if file.exists() else []

    def press_last(self, key: str) -> list[str]:
        """The keys that it heard, up to this one."""
        self.press(key)
        self.when(lambda: key in self.told("keys"), f"heard {key}")
        return self.told("keys")[:-1]

    def cost(self, key: str) -> int:
        """The bytes that a key costs."""
        self.quiet(0.2)
        before = len(self.raw)
        self.press(key)
        self.when(lambda: len(self.raw) > before, "drawn")
        self.quiet(0.2)
        return len(self.raw) - before


def mended(mend: str) -> str:
    """What to say where the trap is gone."""
    return f"Textual alone does this now; look whether kbtui's own mend can go: {mend}"


# Keys and pastes


def test_a_paste_with_an_escape_presses_keys(home: Path) -> None:
    """kbtui: test_terminal.py, test_a_paste_with_escapes_presses_no_key_and_arrives_whole."""
    with Plain("table", home) as plain:
        plain.until(READY)
        plain.type(f"{START}log \x1b[1mbold\x1b[0m done d{END}")
        assert "d" in plain.press_last("x"), mended("Parser in paste.py")


def test_a_paste_whose_end_is_cut_by_a_slow_line_kills_the_keyboard(home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        paste_on_a_slow_line(plain)
        plain.type(f"dead{END}")
        assert not {*"dead"} & {*plain.press_last("x")}, mended("Parser in paste.py")


def test_it_ends_in_kbtui_all_the_same(server: Server, home: Path) -> None:
    server.create("Pasted slowly", "")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.edit("Pasted slowly")
        paste_on_a_slow_line(kbtui)
        kbtui.type(" alive")
        kbtui.until("Q and q alive")


def paste_on_a_slow_line(terminal: Terminal) -> None:
    terminal.type(f"{START}Q and q\x1b")
    time.sleep(PAUSE)
    terminal.type(END[1:])


def test_an_arrow_that_is_cut_by_a_slow_line_presses_other_keys(home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        arrow_on_a_slow_line(plain)
        keys = plain.press_last("x")
        assert keys == ["escape", "left_square_bracket", "B"], mended("Parser in paste.py")


def test_it_is_an_arrow_in_kbtui_all_the_same(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a")
        kbtui.until(r"\b1 of \d\d")
        arrow_on_a_slow_line(kbtui)
        kbtui.until(r"\b2 of \d\d")


def arrow_on_a_slow_line(terminal: Terminal) -> None:
    terminal.type("\x1b")
    time.sleep(PAUSE)
    terminal.type("[B")


# How it ends


def test_a_closed_terminal_costs_every_word(home: Path) -> None:
    """kbtui: test_promises.py, test_a_closed_terminal_costs_nothing."""
    with Plain("text", home) as plain:
        plain.until(READY)
        plain.type("words")
        plain.until("words")
        plain.hang_up()
        assert plain.ended() == -signal.SIGHUP, mended("Guard in terminal.py")
        assert not plain.told("kept"), mended("Guard in terminal.py")


def test_a_signal_costs_every_word_and_leaves_the_terminal_as_it_is(home: Path) -> None:
    """kbtui: test_promises.py, test_an_orderly_end_by_signal_costs_nothing_and_gives_the_terminal_back."""
    with Plain("text", home) as plain:
        plain.until(READY)
        plain.kill(signal.SIGTERM)
        assert plain.ended() == -signal.SIGTERM, mended("Guard in terminal.py")
        assert not plain.told("kept"), mended("Guard in terminal.py")
        with pytest.raises(AssertionError):
            plain.restored()


def test_a_name_that_looks_like_markup_is_the_end(home: Path) -> None:
    """kbtui: test_hostile.py."""
    with Plain("[/foo]", home) as plain:
        assert plain.ended() == 1, mended("names are never given to Textual as str")
        assert "MarkupError" in plain.text


# The line


def test_a_stalled_terminal_stops_everything(home: Path) -> None:
    """kbtui: test_promises.py, test_a_stalled_terminal_stops_nothing_however_much_is_drawn."""
    with Plain("clock", home) as plain:
        plain.when(lambda: plain.told("ticks"), "ticking")
        plain.stall()
        ticks = plain.home / "ticks"
        stands = mended("frames in flight in driver.py")
        plain.when(lambda: time.time() - ticks.stat().st_mtime > 1.0, f"stands still: {stands}")
        plain.thaw()
        stood = len(plain.told("ticks"))
        plain.when(lambda: len(plain.told("ticks")) > stood, "ticking again")


def test_a_typed_character_repaints_the_whole_text(home: Path) -> None:
    """kbtui: test_budgets.py."""
    with Plain("text", home) as plain:
        plain.until(READY)
        plain.cost("x")
        assert plain.cost("y") > REPAINTED, mended("picture.py and output.py")


def test_a_row_more_repaints_the_whole_list(home: Path) -> None:
    """kbtui: test_budgets.py."""
    with Plain("table", home) as plain:
        plain.until(READY)
        plain.press("pagedown", "pagedown")
        plain.cost("up")
        assert plain.cost("up") > REPAINTED, mended("picture.py and output.py")


def test_a_cursor_that_blinks_sends_bytes_for_ever(home: Path) -> None:
    """kbtui: test_budgets.py."""
    with Plain("text", home) as plain:
        plain.until(READY)
        for _ in range(2):
            before = len(plain.raw)
            plain.when(lambda: len(plain.raw) > before, mended("cursor_blink is off"), seconds=3)  # noqa: B023


# Where nothing can be shown


@pytest.mark.parametrize("redirected", ["2>{log}", "</dev/null 2>{log}"])
def test_a_redirected_error_output_is_painted_on(redirected: str, home: Path, tmp_path: Path) -> None:
    """kbtui: test_terminal.py, test_a_redirected_error_output_is_told_where_somebody_sees_it, and the one of
    what cannot be shown."""
    log = tmp_path / "log"
    log.touch()
    with Plain("table", home, redirected.format(log=shlex.quote(str(log)))) as plain:
        painted = mended("why_not in terminal.py")
        plain.when(lambda: b"table 20" in log.read_bytes(), f"painted: {painted}")
        os.kill(plain.pid, 0)


def test_a_terminal_that_cannot_draw_is_drawn_on_in_full_colour(home: Path) -> None:
    """kbtui: test_terminal.py, test_a_terminal_that_cannot_draw_is_told_so."""
    with Plain("table", home, env={"TERM": "dumb", "COLORTERM": ""}) as plain:
        plain.when(lambda: b"\x1b[38;2;" in plain.raw, f"drawn on: {mended('why_not in terminal.py')}")
