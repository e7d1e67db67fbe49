"""What may follow the first key of two, shown above the footer to who hesitates."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from kbtui.tui.widgets.line import Painter, Part, fit

GAP = 3  # cells between two columns
Hint = tuple[str, str]  # keys, and what they do


class FollowingKeys(Painter, Widget):
    """Lies over the lines above the footer, as high as it needs to be."""

    def __init__(self) -> None:
        super().__init__(id="following")
        self._lines: list[list[Part]] = []

    @property
    def lines(self) -> int:
        """How high it is."""
        return len(self._lines)

    def tell(self, first: str, hints: Sequence[Hint]) -> None:
        """Appear with what may follow the key `first`."""
        width, height = self.app.size
        title = f"── {first} … "
        rule = title + "─" * (width - cell_len(title))
        self._lines = [[(rule, "dim")], *laid_out(hints, width, max(1, height - 4))]
        self.styles.height = len(self._lines)
        self.styles.offset = (0, height - 1 - len(self._lines))
        self.display = True
        self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.paint(self._lines[y] if y < len(self._lines) else [], self.size.width)


def laid_out(hints: Sequence[Hint], width: int, most: int) -> list[list[Part]]:
    """Hints in columns from top to bottom, in as few lines as have room for them and at most so many."""
    cells = max((cell_len(keys) + 1 + cell_len(label) for keys, label in hints), default=0) + GAP
    columns = max(1, (width - 1) // cells)
    lines = min(most, ceil(len(hints) / columns))
    shown: list[list[Part]] = []
    for line in range(lines):
        parts: list[Part] = [(" ", "")]
        for keys, label in hints[line : lines * columns : lines]:
            parts += [(keys, "key"), (" " + fit(label, cells - cell_len(keys) - 1), "")]
        shown.append(parts)
    return shown
