"""One line of the screen, painted in place: header, status, column heads, footer."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

Part = tuple[str, str]
"""A piece of text and the name of its look: "", "dim", "strong", "key", "good", "warn" or "bad"."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: cut with an ellipsis, or filled with spaces."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - cells) + text if right else text + " " * (width - cells)


def cut(parts: Sequence[Part], width: int) -> list[Part]:
    """`parts` in at most `width` cells, the last one cut with an ellipsis."""
    kept: list[Part] = []
    for text, look in parts:
        cells = cell_len(text)
        if cells > width:
            if width > 0:
                kept.append((fit(text, width), look))
            break
        kept.append((text, look))
        width -= cells
    return kept


class Painter(Widget):
    """A widget that paints its lines itself, in the looks that the style sheet gives `painter--…`."""

    LOOKS = ("dim", "strong", "key", "good", "warn", "bad")
    COMPONENT_CLASSES = {f"painter--{look}" for look in LOOKS}

    def look(self, name: str) -> Style:
        """The style of a look on this widget's background; "" is the widget's own."""
        return self.get_component_rich_style(f"painter--{name}", partial=True) if name else Style.null()

    def paint(self, parts: Sequence[Part], width: int, base: Style | None = None) -> Strip:
        """`parts` as a strip of exactly `width` cells over `base` (the widget's own style by default)."""
        base = self.rich_style if base is None else base
        segments = [Segment(text, base + self.look(name)) for text, name in cut(parts, width)]
        strip = Strip(segments)
        return strip.adjust_cell_length(width, base)


class Line(Painter):
    """One line with something on the left and something on the right; the right is never cut."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Paint anew if anything is different; never asks for layout."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def text(self) -> str:
        """What the line says, for tests and for people who read with their ears."""
        return " ".join("".join(text for text, _ in parts) for parts in (self._left, self._right) if parts)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = cut(self._right, width)
        taken = sum(cell_len(text) for text, _ in right)
        left = cut(self._left, max(0, width - taken - 1))
        gap = width - taken - sum(cell_len(text) for text, _ in left)
        return self.paint([*left, (" " * gap, ""), *right], width)
