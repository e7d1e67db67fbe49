"""Lines in columns, each as wide as what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from textual.strip import Strip
from textual.widget import Widget

from kbtui.tui.widgets.line import Painter, Part, fit, widest

EDGE, GAP = 2, 2  # cells before the first column, and between two


def table(
    rows: Sequence[Sequence[Part]],
    width: int,
    *,
    heads: Sequence[str] = (),
    least: Mapping[int, int] = {},
    right: Container[int] = (),
) -> list[list[Part]]:
    """Rows with a part in each column, laid out in lines of `width` cells; the heads are the first.

    The last column may consist of several parts. Where the room is too little, the columns in `least` give
    way down to so many cells, the first of them first. A column in which nothing stands is left out.

    Args:
        right: columns whose ends stand below each other.
    """
    lines = [[(head, "dim") for head in heads], *rows] if heads else [*rows]
    count = min(map(len, lines))
    cells = {
        column: widest(_text(line, column, count) for line in lines)
        for column in range(count)
        if any(_text(row, column, count) for row in rows)
    }
    over = EDGE + sum(cells.values()) + GAP * (len(cells) - 1) - width
    for column, fewest in least.items():
        less = max(0, min(over, cells.get(column, 0) - fewest))
        over -= less
        if less:
            cells[column] -= less
    return [[(" " * EDGE, ""), *_laid(line, cells, count, right)] for line in lines]


def _laid(
    line: Sequence[Part], cells: Mapping[int, int], count: int, right: Container[int]
) -> Iterator[Part]:
    last = max(cells, default=0)
    for column, room in cells.items():
        text, look = line[column]
        if column != last:
            yield fit(text, room, right=column in right), look
            yield " " * GAP, ""
        else:  # without blanks behind it, which might be cut
            yield " " * (room - widest([text])) * (column in right) + text, look
            yield from line[count:] if column == count - 1 else ()


def _text(line: Sequence[Part], column: int, count: int) -> str:
    """What stands in a column, of which there are so many."""
    return line[column][0] if column < count - 1 else "".join(text for text, _ in line[column:])


class ColumnHeads(Painter, Widget):
    """What stands above the columns of a list, which tells it for so many cells; "" while it is empty."""

    def __init__(self, id: str, heads: Callable[[int], str]) -> None:
        super().__init__(id=id)
        self._heads, self._drawn = heads, ""

    def follow(self) -> None:
        """Draw them anew if the list has others now."""
        if self._words() != self._drawn:
            self.refresh()

    def _words(self) -> str:
        return self._heads(self.size.width - 1)  # the list has a scroll bar

    def render_line(self, y: int) -> Strip:
        self._drawn = self._words()
        return self.paint([(self._drawn, "dim")], self.size.width)
