"""Sending only what changed ends in the picture that sending everything ends in, on any terminal.

`KBTUI_FRAMES` says how many examples of about ten frames are tried (100).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Offset, Region
from textual.strip import Strip

from kbtui.tui.driver import PacedDriver
from kbtui.tui.output import Output
from tests.emulators import Screen, Stream, Tmux

many = settings(
    max_examples=int(os.environ.get("KBTUI_FRAMES", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

STYLES = [
    Style.parse(words)
    for words in (
        "", "bold", "dim", "italic red", "underline", "reverse blue", "strike", "on green", "bold on #112233",
        "#aabbcc", "#aabbcc on #112233", "color(200) on color(17)", "underline #aabbcc on #445566", "blink",
        "conceal", "overline", "underline2 red", "bold dim", "bold red on default", "bright_black",
    )
] + [Style(link="https://example.org/a;b"), Style(color="red", meta={"@click": "x"})]  # fmt: skip

Line = list[tuple[str, Style]]
texts = st.lists(st.sampled_from(["a", "b", " ", "  ", "│", "世", "e\u0301", "é"]), max_size=6).map("".join)
lines = st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=4)


def strip_of(line: Line, width: int) -> Strip:
    """A line without marks at its ends: a terminal has no place for the first, and tmux none for the last."""
    strip = Strip([Segment(text, style) for text, style in line]).adjust_cell_length(width, STYLES[0])
    if strip.text.startswith("\u0301"):
        strip = Strip([Segment("x", STYLES[0]), *strip.crop(1, width)])
    if not strip.text.endswith("\u0301"):
        return strip
    return Strip([*strip.crop(0, width - 1), Segment("x", STYLES[0])])


HOME = Offset(0, 0)


class Fast(PacedDriver):
    """A terminal that takes everything at once."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.screens = 1
        self.takes = True

    def ready(self) -> bool:
        return self.takes

    def frame(self, sent: str) -> None:
        self.sent.append(sent)


class Host:
    """As much of an app as the stage asks for."""

    _running, _closed, _batch_count = True, False, 0

    def __init__(self, colours: str) -> None:
        self._driver = self.fast = Fast()
        self.console = Console(color_system=colours, force_terminal=True, legacy_windows=False)  # type: ignore[arg-type]
        self.cursor_position = Offset(0, 0)

    def set_timer(self, *args: Any) -> None:
        pass

    def post_display_hook(self) -> None:
        pass


class Stage(Output, Host):  # type: ignore[misc]
    """The stage without an app around it."""


class Both:
    """The same updates through Textual and through the stage, on terminals of their own."""

    def __init__(self, width: int, height: int, colours: str, fills: bool, sides: bool) -> None:
        for style in STYLES:
            style._ansi = None  # Textual keeps what it was in the colours of the terminal before
        self.stage = Stage(colours)
        if sides:
            self.stage.on_side_margins()
        self.size = (width, height)
        self._screens = [Screen(width, height, fills=fills) for _ in range(2)]
        self._streams = [Stream(screen) for screen in self._screens]
        self.all = ["\x1b[?7l", "\x1b[?7l"]
        for stream, begin in zip(self._streams, self.all, strict=True):
            stream.feed(begin)

    def draw(self, update: CompositorUpdate, cursor: Offset = HOME) -> None:
        plain = update.render_segments(self.stage.console).replace("\n", "\r\n")
        self._feed(0, plain + Control.move_to(*cursor).segment.text)
        self.stage.cursor_position = cursor
        self.stage._display(None, update)  # type: ignore[arg-type]
        self.settle()

    def settle(self) -> None:
        """What the stage sent is drawn."""
        sent = self.stage.fast.sent
        self._feed(1, "".join(sent))
        sent.clear()

    def _feed(self, which: int, data: str) -> None:
        self._streams[which].feed(data)
        self.all[which] += data

    def alike(self) -> None:
        plain, ours = self._screens
        assert ours.cells() == plain.cells()
        assert (ours.cursor.x, ours.cursor.y) == (plain.cursor.x, plain.cursor.y)


def whole(rows: list[Line], width: int) -> LayoutUpdate:
    strips = [[strip_of(row, width)] for row in rows]
    return LayoutUpdate(strips, Region(0, 0, width, len(rows)))  # type: ignore[arg-type]


def part(y: int, x: int, line: Line, width: int) -> ChopsUpdate:
    chops: list[dict[int, Strip | None]] = [{} for _ in range(y)] + [{x: strip_of(line, width)}]
    return ChopsUpdate(chops, [(y, x, x + width)], [[] for _ in range(y)] + [[x + width]])


def draw_steps(both: Both, data: st.DataObject) -> None:
    """Draw what lists, texts and panes do: lines that are replaced, that move, and parts of them."""
    width, height = both.size
    rows: list[Line] = [[] for _ in range(height)]
    both.draw(whole(rows, width))
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["rows", "move", "part", "cursor", "junk"]))
        if step == "part" and height:
            y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
            line = data.draw(lines)
            room = data.draw(st.integers(1, width - x))
            old = strip_of(rows[y], width)
            left, _, right = (
                old.divide([x, x + room, width])[:3] if x else (Strip([]), *old.divide([room, width]))[:3]
            )
            assume(left.cell_length == x)
            both.draw(part(y, x, line, room))
            new = Strip([*left, *strip_of(line, room), *(right if x + room < width else [])])
            rows[y] = [(segment.text, segment.style or Style.null()) for segment in new]
            # What is left of a character that was cut in two, terminals show as they like.
            both.draw(whole(rows, width))
            continue
        if step == "rows":
            for y in data.draw(st.sets(st.integers(0, height - 1), max_size=height)):
                rows[y] = data.draw(lines)
        elif step == "move":
            top = data.draw(st.integers(0, height - 1))
            bottom = data.draw(st.integers(top, height))
            by = data.draw(st.integers(-3, 3))
            block = rows[top:bottom]
            fresh = [data.draw(lines) for _ in range(min(abs(by), len(block)))]
            rows[top:bottom] = (
                (block[by:] + fresh) if by > 0 else (fresh + block[: len(block) + by] if by else block)
            )
            rows = (rows + [[]] * height)[:height]
        elif step == "junk":
            both._feed(1, "\x1b[31mwall: going down\r\n\x1b[7m世\x1b[m")
            both.stage._picture.forget()
        cursor = Offset(data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1)))
        both.draw(whole(rows, width), cursor)
        both.alike()


@many
@given(
    width=st.integers(2, 16),
    height=st.integers(1, 12),
    colours=st.sampled_from(["truecolor", "256", "standard"]),
    fills=st.booleans(),
    sides=st.booleans(),
    data=st.data(),
)
def test_what_is_sent_ends_in_the_picture_that_textual_draws(
    width: int, height: int, colours: str, fills: bool, sides: bool, data: st.DataObject
) -> None:
    both = Both(width, height, colours, fills, sides)
    draw_steps(both, data)


@pytest.fixture(scope="module")
def tmuxes() -> Iterator[tuple[Tmux, Tmux]]:
    with Tmux(16, 10) as plain, Tmux(16, 10) as ours:
        yield plain, ours


@many
@given(data=st.data(), colours=st.sampled_from(["truecolor", "256", "standard"]))
def test_and_so_it_does_in_tmux(tmuxes: tuple[Tmux, Tmux], data: st.DataObject, colours: str) -> None:
    both = Both(16, 10, colours, fills=True, sides=False)
    draw_steps(both, data)
    for tmux, sent in zip(tmuxes, both.all, strict=True):
        tmux.feed("\x1b[m\x1b[2J\x1b[H" + sent)
    plain, ours = tmuxes
    assert ours.cells() == plain.cells()
    assert ours.cursor() == plain.cursor()
