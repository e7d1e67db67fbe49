"""One line of the screen, painted in place: header, status, column heads, footer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    Base = Widget
else:
    Base = object

REVERSE = Style(reverse=True)

Part = tuple[str, str]
"""A piece of text and the name of its look, one of `themes.LOOKS`."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: cut with an ellipsis, or filled with spaces."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - cells) + text if right else text + " " * (width - cells)


def cut(parts: Sequence[Part], width: int) -> list[Part]:
    """`parts` in at most `width` cells, the last one cut with an ellipsis, which is no part of a hit."""
    kept: list[Part] = []
    for text, look in parts:
        cells = cell_len(text)
        if cells > width:
            if width > 0 and look == "hit":
                kept += [(set_cell_size(text, width - 1), look), ("…", "dim")]
            elif width > 0:
                kept.append((fit(text, width), look))
            break
        kept.append((text, look))
        width -= cells
    return kept


def prose(sentence: str, look: str = "dim") -> list[Part]:
    """A sentence in which keys stand in backticks: these look like keys, and not like slips of the pen."""
    pieces = sentence.split("`")
    return [(piece, "key" if at % 2 else look) for at, piece in enumerate(pieces) if piece]


def joined(facts: Sequence[Part]) -> list[Part]:
    """Facts that stand beside each other at the right end of a line: more than their colours parts them."""
    parts: list[Part] = []
    for fact in facts:
        parts += [(" · ", "dim"), fact] if parts else [fact]
    return [*parts, (" ", "")] if parts else []


def pane_head(head: str, led: bool) -> Part:
    """What stands above a pane, as wide whether the keys are there or not."""
    return (f"▸ {head}", "cursor") if led else (f"  {head}", "strong")


def cells(parts: Sequence[Part]) -> int:
    """The cells that some parts take."""
    return sum(cell_len(text) for text, _ in parts)


def _laid_over(base: Style, look: Style) -> Style:
    """A look over the style of a line.

    In reverse video colours would be a patchwork of grounds: all of the line has the same. An underline
    swallows that of a hit: it is in reverse there.
    """
    if base.reverse:
        return base + look.without_color
    return base + look + REVERSE if base.underline and look.underline else base + look


def widest(texts: Iterable[str]) -> int:
    """The cells of the longest of some texts; 0 where there is none."""
    return max(map(cell_len, texts), default=0)


class Painter(Base):
    """Paints lines in the looks of the theme; mixed into a widget."""

    def look(self, name: str) -> Style:
        """The style of a look (`themes.looks`), to be laid over the line's own; "" changes nothing."""
        looks: Mapping[str, Style] = self.app.looks  # type: ignore[attr-defined]
        return looks[name]

    def paint(self, parts: Sequence[Part], width: int, base: Style | None = None) -> Strip:
        """`parts` as a strip of exactly `width` cells over `base` (the widget's own style by default)."""
        base = self.rich_style if base is None else base
        runs: list[Part] = []  # neighbours of one look are one run: fewer bytes
        for text, name in cut([part for part in parts if part[0]], width):
            if runs and runs[-1][1] == name:
                runs[-1] = (runs[-1][0] + text, name)
            else:
                runs.append((text, name))
        segments = [Segment(text, _laid_over(base, self.look(name))) for text, name in runs]
        return Strip(segments).adjust_cell_length(width, base)


class Line(Painter, Widget):
    """One line with something on the left and something on the right; the right is never cut."""

    @dataclass
    class Clicked(Message):
        """The line was clicked, so many cells from its left end."""

        line: Line
        x: int

        @property
        def control(self) -> Line:
            return self.line

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Paint anew if anything is different; never asks for layout."""
        if left != self._left:
            self._left, self._right = left, right
            self.refresh()
        elif right != self._right:
            # Only the right end is sent: it tells the position, which changes with every key.
            end = max(cells(right), cells(self._right)) + 1
            self._right = right
            self.refresh(Region(max(0, self.size.width - end), 0, end, 1))

    @property
    def text(self) -> str:
        """What the line says, for tests and for people who read with their ears."""
        return " ".join("".join(text for text, _ in parts) for parts in (self._left, self._right) if parts)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self, event.x))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = cut(self._right, width)
        taken = cells(right)
        left = cut(self._left, max(0, width - taken - 1) if right else width)
        gap = width - taken - cells(left)
        return self.paint([*left, (" " * gap, ""), *right], width)
