"""Sending only what changed ends in the picture that sending everything ends in, on any terminal.

`KBTUI_FRAMES` says how many random frames each of the tests of them compares, `KBTUI_SEED` which; how many
there were is printed (`-s`).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.color import Color
from textual.filter import NoColor
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from kbtui.tui import widths
from kbtui.tui.cells import PLAIN, cells, is_doubted
from tests.emulators import Pyte, Tmux
from tests.stage import Both

FRAMES = int(os.environ.get("KBTUI_FRAMES", "1000"))
SEED = int(os.environ.get("KBTUI_SEED", "0")) or random.randrange(1, 2**32)

STYLES = [
    Style.parse(words)
    for words in (
        "", "bold", "dim", "italic red", "underline", "reverse blue", "strike", "on green", "bold on #112233",
        "#aabbcc", "#aabbcc on #112233", "color(200) on color(17)", "underline #aabbcc on #445566", "blink",
        "conceal", "overline", "underline2 red", "bold dim", "bold red on default", "bright_black",
    )
] + [Style(link="https://example.org/a;b"), Style(color="red", meta={"@click": "x"})]  # fmt: skip
COLOURS = ["truecolor", "256", "standard", ""]

SIMPLE = ["a", "b", " ", "  ", "│"]
"""What has one cell each: lines of nothing else are drawn in a shorter way."""

SURE = [*SIMPLE, "世", "界", "e\u0301", "é", "ｱ", "☎"]
"""What has its cells on every terminal."""

DOUBTED = [
    *SURE,
    *("\u0301", "e\u0301\u0327\u0323", "世\u0301", "1\ufe0f\u20e3", "\u200d", "\ufe0f", "\u200b", "\u00ad"),
    *(
        "👩\u200d👩\u200d👧",
        "🇯🇵",
        "🇯",
        "❤\ufe0f",
        "❤",
        "⚡\ufe0e",
        "🏽",
        "👋🏽",
        "😀",
        "한",
        "\u1112\u1161\u11ab",
    ),
    *("क्षि", "का", "ा", "नमस्ते", "กำ", "ที่", "\u0e33", "שלום", "שָׁ", "\u202e", "عربي"),
    *("\x07", "\x1b", "\x1b[2J", "\t", "\n", "\r", "\x7f", "\x85", "\x9b", "\ud800", "\udfff"),
]
"""What terminals disagree about, or what must not reach them; beside it what they do agree about."""


@pytest.fixture(autouse=True, scope="module")
def measured() -> None:
    """Cells are counted as the app counts them."""
    widths.install()


class Film:
    """Frames as the screens of an app make them: lists that move beside others, texts, panes laid over them.

    Args:
        sure: only what every terminal draws alike; then plain Textual draws it too.
    """

    def __init__(self, both: Both, chance: random.Random, sure: bool) -> None:
        self._both, self._chance, self._sure = both, chance, sure
        self._coloured = chance.random() < 0.9
        self._texts = chance.choice([SIMPLE, SURE if sure else DOUBTED])
        self._styles = chance.sample(
            STYLES, chance.choice([2, 5, len(STYLES)])
        )  # few come again side by side
        self._said: list[list[Segment]] = [[]] * chance.choice([1, 4])  # lines that come again
        self._anew(both.size)

    def _anew(self, size: Size) -> None:
        self._size = size
        self._rows = [self._line(size.width) for _ in range(size.height)]
        self._show_all()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            weights = {
                self._move: 6,
                self._lay_over: 6,
                self._replace: 3,
                self._colour: 2,
                self._retype: 2,
                self._pause: 3,
                self._disturb: 1,
            }
            (step,) = self._chance.choices([*weights, self._resize], [*weights.values(), 1])
            step()
            if self._both.stage.fast.takes:
                self._compare()
        self._both.take()
        self._compare()
        self._both.end_alike(self._sure)

    def _compare(self) -> None:
        if self._sure:
            self._both.alike()
        else:
            self._both.as_from_nothing()

    # What happens

    def _replace(self) -> None:
        for y in self._some_rows():
            self._rows[y] = self._line(self._size.width)
        self._show_all()

    def _colour(self) -> None:
        """Lines look otherwise, and most of them say the same."""
        style = self._style()
        for y in self._some_rows():
            self._rows[y] = Strip([Segment(self._rows[y].text, style)], self._size.width)
        for y in self._some_rows()[:2]:
            self._rows[y] = self._line(self._size.width)
        self._show_all()

    def _retype(self) -> None:
        """Lines say something else in places, and look as they did."""
        for y in self._some_rows():
            self._rows[y] = Strip([Segment(self._other(text), style) for text, style, _ in self._rows[y]])
        self._show_all()

    def _move(self) -> None:
        """Rows move, between two columns or in their whole width; new ones come in."""
        top, bottom = self._between(self._size.height)
        left, right = (
            self._between(self._size.width) if self._chance.random() < 0.7 else (0, self._size.width)
        )
        by = self._chance.randint(-3, 3)
        old = self._rows.copy()
        for y in range(top, bottom):
            come = old[y + by] if top <= y + by < bottom else self._line(self._size.width)
            self._rows[y] = laid_over(old[y], left, come.crop(left, right))
        self._show_all()

    def _lay_over(self) -> None:
        """Some widgets are drawn, in pieces that were cut for each other's sake."""
        old = self._rows.copy()
        spans: list[tuple[int, int, int]] = []
        for y in self._some_rows():
            left, right = self._between(self._size.width)
            self._rows[y] = laid_over(old[y], left, self._line(right - left))
            spans.append((y, left, right))
        if not spans:
            return
        clean = self._show_parts(spans)
        if not clean or any(cuts(old[y], left) or cuts(old[y], right) for y, left, right in spans):
            # What is left of a character that was cut in two, terminals show as they like.
            self._show_all()

    def _disturb(self) -> None:
        self._both.disturb()
        self._show_all()

    def _pause(self) -> None:
        """The terminal is not ready until it is again."""
        if self._both.stage.fast.takes:
            self._both.stage.fast.takes = False
        else:
            self._both.take()

    def _resize(self) -> None:
        size = size_of(self._chance)
        if size != self._size:
            self._both.resize(size)
            self._both.stage.fast.takes = True
            self._anew(size)

    # How it is drawn

    def _show_all(self) -> None:
        rows = [strip.divide([*self._cuts(self._size.width), self._size.width]) for strip in self._rows]
        self._rows = [Strip.join(pieces) for pieces in rows]  # cuts may go through characters
        self._show(LayoutUpdate(list(rows), Region(0, 0, *self._size)))

    def _show_parts(self, spans: list[tuple[int, int, int]]) -> bool:
        """Whether no character was cut in two."""
        chops: list[dict[int, Strip | None]] = [{} for _ in self._rows]
        ends: list[list[int]] = [[] for _ in self._rows]
        clean = True
        for y, left, right in spans:
            ends[y] = [*self._cuts(self._size.width), self._size.width]
            pieces = self._rows[y].divide(ends[y])
            chops[y] = {
                x: piece if x < right and end > left else None
                for x, end, piece in zip([0, *ends[y]], ends[y], pieces, strict=False)
            }
            clean = clean and whole(self._rows[y], pieces)
        self._show(ChopsUpdate(chops, spans, ends))
        return clean

    def _show(self, update: LayoutUpdate | ChopsUpdate) -> None:
        cursor = Offset(self._place(self._size.width), self._place(self._size.height))
        if self._sure:
            self._both.draw(update, cursor)
        else:
            self._both.draw_ours(update, cursor)

    # What chance says

    def _line(self, width: int) -> Strip:
        """A line; without marks at its ends where it is sure: they have no place on a terminal."""
        segments = self._chance.choice(self._said)
        if self._chance.random() < 0.6:
            segments = self._words()
            self._said[self._chance.randrange(len(self._said))] = segments
        strip = Strip(segments).adjust_cell_length(width, STYLES[0])
        if self._sure and strip.text.startswith("\u0301"):
            strip = Strip([Segment("x", STYLES[0]), *strip.crop(1, width)])
        if self._sure and strip.text.endswith("\u0301"):
            strip = Strip([*strip.crop(0, width - 1), Segment("x", STYLES[0])])
        return strip

    def _words(self) -> list[Segment]:
        words = ("".join(self._chance.choices(self._texts, k=self._chance.randrange(7))) for _ in range(5))
        segments = [Segment(text, self._style()) for text in words if cell_len(text) and text[0] != "\u200d"]
        return segments if self._coloured else NoColor().apply(segments, Color(0, 0, 0))

    def _other(self, text: str) -> str:
        """Of other letters, or the same: what stays between places that change may not be drawn like them."""
        if self._chance.random() < 0.5:
            return text
        return "".join(self._chance.choice("xyz") if char in "abxyz" else char for char in text)

    def _style(self) -> Style:
        return self._chance.choice(self._styles)

    def _cuts(self, width: int) -> list[int]:
        """Where the widgets of a line meet."""
        return sorted(
            {self._chance.randrange(1, width) for _ in range(self._chance.randrange(3)) if width > 1}
        )

    def _between(self, end: int) -> tuple[int, int]:
        start = self._place(end)
        return start, self._chance.randint(start + 1, end)

    def _place(self, end: int) -> int:
        return self._chance.randrange(end)

    def _some_rows(self) -> list[int]:
        """Few or many."""
        share = self._chance.random()
        return [y for y in range(self._size.height) if self._chance.random() < share]


def size_of(chance: random.Random) -> Size:
    """Mostly small ones: they are filled sooner."""
    width, height = chance.choice([(8, 6), (16, 10), (16, 10), (60, 20)])
    return Size(chance.randint(1, width), chance.randint(1, height))


def laid_over(strip: Strip, x: int, piece: Strip) -> Strip:
    return Strip([*strip.crop(0, x), *piece, *strip.crop(x + piece.cell_length)])


def cuts(strip: Strip, x: int) -> bool:
    """Whether a cut at this column goes through a character."""
    return 0 < x < strip.cell_length and not whole(strip, strip.divide([x, strip.cell_length]))


def whole(strip: Strip, pieces: Sequence[Strip]) -> bool:
    """Whether no cut between the pieces goes through a character, or between it and its mark."""
    texts = [piece.text for piece in pieces]
    return "".join(texts) == strip.text and not any(text.startswith("\u0301") for text in texts)


def run_films(kind: str, make: Callable[[random.Random], Both], sure: bool) -> None:
    """Films until there are frames enough; one that fails tells the seed that makes it again."""
    frames, seed = 0, SEED
    while frames < FRAMES:
        chance = random.Random(seed)
        both = make(chance)
        try:
            Film(both, chance, sure).run(chance.randint(1, 20))
        except Exception as error:
            error.add_note(f"KBTUI_SEED={seed} makes it again, on {both.size}")
            raise
        frames, seed = frames + both.frames, seed + 1
    print(f"{kind}: {frames} frames")


def on_pyte(chance: random.Random) -> Both:
    fills = chance.random() < 0.5
    plain, ours, fresh = (Pyte(1, 1, fills=fills) for _ in range(3))
    sides, uses = chance.random() < 0.5, chance.random() < 0.7
    terminals = (plain, ours, fresh)
    return Both(terminals, size_of(chance), chance.choice(COLOURS), sides=sides, fills=fills and uses)


def test_what_is_sent_ends_in_the_picture_that_textual_draws() -> None:
    run_films("as Textual draws, in pyte", on_pyte, True)


def test_what_terminals_disagree_about_ends_in_the_picture_that_is_drawn_from_nothing() -> None:
    run_films("of every script, in pyte", on_pyte, False)


@pytest.fixture(scope="module")
def on_tmux() -> Iterator[Callable[[random.Random], Both]]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    with Tmux(16, 10) as plain, Tmux(16, 10) as ours, Tmux(16, 10) as fresh:
        yield lambda chance: Both(
            (plain, ours, fresh), size_of(chance), chance.choice(COLOURS), fills=chance.random() < 0.7
        )


def test_and_so_it_does_in_tmux(on_tmux: Callable[[random.Random], Both]) -> None:
    run_films("as Textual draws, in tmux", on_tmux, True)


def test_and_in_tmux_too_what_it_draws_otherwise_than_others(
    on_tmux: Callable[[random.Random], Both],
) -> None:
    run_films("of every script, in tmux", on_tmux, False)


@pytest.mark.parametrize("where", ["pyte", "tmux"])
def test_what_is_not_doubted_has_the_cells_that_it_is_given(where: str) -> None:
    if where == "tmux" and shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    sure = [char for char in map(chr, range(0x20, 0x20000)) if not is_doubted(char) and cell_len(char)]
    with ExitStack() as stack:
        terminal = Pyte(80, 50) if where == "pyte" else stack.enter_context(Tmux(80, 50))
        for begin in range(0, len(sure), 16 * 50):
            lines = [sure[x : x + 16] for x in range(begin, min(begin + 16 * 50, len(sure)), 16)]
            places = [(x, y, char) for y, line in enumerate(lines) for x, char in enumerate(line)]
            terminal.feed("\x1b[2J" + "".join(f"\x1b[{y + 1};{5 * x + 1}H{char}|" for x, y, char in places))
            shown = ["".join(cell[0] for cell in line).rstrip() for line in terminal.cells()]
            wanted = [
                "".join(f"{char}|{'':{4 - cell_len(char)}}" for char in line).rstrip() for line in lines
            ]
            assert shown[: len(wanted)] == wanted


def test_an_accent_in_the_last_column_is_seen_in_tmux(on_tmux: Callable[[random.Random], Both]) -> None:
    both = on_tmux(random.Random())
    both.resize(Size(4, 2))
    for line in ("abce\u0301", "e\u0301e\u0301e\u0301o\u0308", "abcx\u0323\u0302"):
        both.draw_ours(LayoutUpdate([[Strip([Segment(line)])]] * 2, Region(0, 0, 4, 2)))
        both.as_from_nothing()
        assert both.ours() == [line, line]


@given(texts=st.lists(st.lists(st.sampled_from(DOUBTED), max_size=5).map("".join) | st.text(max_size=5)))
def test_texts_have_the_cells_that_textual_gives_them(texts: list[str]) -> None:
    for number in range(len(texts)):
        width = sum(map(cell_len, texts[:number]))
        row = cells([(text, PLAIN) for text in [*texts[:number], "|"]], width + 1)
        assert len(row.chars) == len(row.looks) == width + 1 and row.chars[width] == "|"
