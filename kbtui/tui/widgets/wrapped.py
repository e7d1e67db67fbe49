"""The lines of a text in rows of the screen. Textual's own lays out all of a line at every key."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len
from textual.geometry import Offset
from textual.widgets.text_area import DocumentBase, Location, WrappedDocument

from kbtui.content import in_place, safe
from kbtui.tui.widths import cell_size

PIECE = 500  # characters that are drawn one by one where one has too many marks
FAR = 3  # rows below an edit that are cut anew at once: each is sent to the terminal
TAB = 4  # cells between the places that a tab goes to
# Of the sign before; what shows them with it leaves them out, but the cursor takes a cell for each.
_VARIANTS = re.compile("[\ufe0e\ufe0f]\u200d?")


class Cuts(NamedTuple):
    """Where a line is cut into rows.

    `local`: how a character is drawn depends on its neighbours alone. `loose`: it would be cut otherwise from
    nothing.
    """

    at: Sequence[int]
    local: bool
    loose: bool = False


WHOLE = Cuts((), True)


class Wrapped(WrappedDocument):
    """The lines of a `Body` cut into rows of the screen; after an edit only what is near it is cut anew."""

    def __init__(self, document: DocumentBase, width: int = 0, tab_width: int = TAB) -> None:
        self.document = document
        self._cells = -1  # in a row
        self.loose = False  # a line may be cut otherwise than from nothing, until `tidy`
        self._cuts: list[Cuts] = []  # of each line
        self._rows: list[int] = []  # that each line takes
        self._ends: list[int] = []  # the row behind each line; empty where it is to be counted anew
        self.wrap(width)

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        if width != self._cells or not self._cuts:
            self._cells, self.loose = width, False
            self._cuts = [self._cut(line) for line in self.document.lines]
            self._rows = [len(cuts.at) + 1 for cuts in self._cuts]
            self._ends = []

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        (top, left), (bottom, right) = start, old_end
        if top == bottom == new_end[0] and top < len(self._cuts):
            cuts = [self._cut_again(top, left, right, new_end[1])]
        else:
            top = min(top, len(self._cuts) - 1, self.document.line_count - 1)
            bottom = min(bottom, len(self._cuts) - 1)
            cuts = [self._cut(line) for line in self.document.lines[top : max(top, new_end[0]) + 1]]
        rows = [len(each.at) + 1 for each in cuts]
        self._cuts[top : bottom + 1] = cuts
        if self._rows[top : bottom + 1] != rows:
            self._rows[top : bottom + 1] = rows
            self._ends = []

    def _cut(self, line: str) -> Cuts:
        if not self._cells or (len(line) <= self._cells and line.isascii() and line.isprintable()):
            return WHOLE
        drawn, local = _drawn(line)
        return Cuts(tuple(cuts(drawn, self._cells)), local)

    def _cut_again(self, row: int, start: int, old_end: int, new_end: int) -> Cuts:
        """The cuts of a line in which `start` to `old_end` became `start` to `new_end`.

        From two rows before the change, where a word may go that is shorter now, until a row ends where it
        ended before; where that is far, only the row of the change is cut, and those below stay as they are
        until `tidy`.
        """
        before, local, loose = self._cuts[row]
        line, still_local = _drawn(self.document.lines[row])
        if not (before and local and still_local):
            return self._cut(self.document.lines[row])
        by = new_end - old_end
        new = list(before[: max(0, bisect_right(before, start) - 2)])
        far = 0
        for cut in () if loose else cuts(line, self._cells, new[-1] if new else 0):
            new.append(cut)
            far += cut > new_end
            same = bisect_right(before, cut - by) if far else 0
            if same and before[same - 1] == cut - by:
                return Cuts((*new, *(cut + by for cut in before[same:])), True)
            if far > FAR:
                loose = True
                break
        if not loose:
            return Cuts(tuple(new), True)
        above = before[: bisect_left(before, start)]
        below = [cut + by for cut in before[bisect_right(before, old_end) :]]
        self.loose = True
        return Cuts(self._cut_row(line, above, below), True, loose=True)

    def _cut_row(self, line: str, above: Sequence[int], below: list[int]) -> Sequence[int]:
        """The cuts of a line whose row between the last one above and the first one below has changed.

        What does not fit any more goes to the row below if that has room, else to one of its own.
        """
        start = above[-1] if above else 0
        if below and below[0] == start:  # nothing is left of it
            return (*above, *below[1:])
        for others in (below[1:], below):
            end = others[0] if others else len(line)
            between = [cut for cut in cuts(line[:end], self._cells, start) if cut < end or not others]
            if len(between) <= 1:
                break
        return (*above, *between, *others)

    def tidy(self) -> None:
        """Cut every line as from nothing."""
        self.loose = False
        for row, before in enumerate(self._cuts):
            if before.loose:
                self._cuts[row] = after = self._cut(self.document.lines[row])
                self._rows[row] = len(after.at) + 1
                self._ends = []

    @property
    def height(self) -> int:
        return self._bottoms()[-1]

    def _bottoms(self) -> list[int]:
        if not self._ends:
            self._ends = list(accumulate(self._rows))
        return self._ends

    @property
    def wrapped(self) -> bool:
        return self.height > len(self._rows)

    @property
    def lines(self) -> list[list[str]]:
        return [self.get_sections(index) for index in range(self.document.line_count)]

    def row(self, y: int) -> tuple[int, int, int]:
        """The line that row `y` of the whole belongs to, and where in the line it begins and ends."""
        ends = self._bottoms()
        line = bisect_right(ends, y)
        nth = y - (ends[line - 1] if line else 0)
        return (line, *self._span(line, nth))

    def _span(self, line: int, nth: int) -> tuple[int, int]:
        cuts = self._cuts[line].at
        length = len(self.document.lines[line])
        return (cuts[nth - 1] if nth else 0), (cuts[nth] if nth < len(cuts) else length)

    def get_offsets(self, line_index: int) -> list[int]:
        return list(self._cuts[line_index].at)

    def get_sections(self, line_index: int) -> list[str]:
        line, cuts = shown(self.document.lines[line_index]), self._cuts[line_index].at
        return [line[start:end] for start, end in zip((0, *cuts), (*cuts, len(line)), strict=True)]

    def get_tab_widths(self, line_index: int) -> list[int]:
        return []

    def location_to_offset(self, location: Location) -> Offset:
        line, column = location
        line = max(0, min(line, len(self._cuts) - 1))
        nth = bisect_right(self._cuts[line].at, column)
        start, _ = self._span(line, nth)
        top = self._bottoms()[line - 1] if line else 0
        return Offset(cell_len(spread(shown(self.document.lines[line])[start:column])), top + nth)

    def offset_to_location(self, offset: Offset) -> Location:
        x, y = offset
        ends = self._bottoms()
        y = max(0, min(y, ends[-1] - 1))
        line = bisect_right(ends, y)
        return line, self.get_target_document_column(line, max(0, x), y - (ends[line - 1] if line else 0))

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        last = len(self._cuts[line_index].at)
        nth = y_offset if y_offset >= 0 else last + 1 + y_offset
        start, end = self._span(line_index, nth)
        section = shown(self.document.lines[line_index])[start:end]
        column = start + column_at(section, x_offset)
        return column if nth == last else max(start, min(column, end - 1))


def cuts(line: str, width: int, start: int = 0) -> Iterator[int]:
    """Where a line, as it is `shown`, is cut into rows of `width` cells, from a cut or the beginning on.

    Behind the last blank that fits, and one that does not stands in the cell which is the cursor's; a word
    that is longer is cut where it must be.
    """
    while True:
        most = _fits(line, start, width)
        if most == len(line):
            return
        if line[most] == " ":
            start = most + 1
        else:
            blank = max(line.rfind(" ", start, most), line.rfind("\t", start, most)) + 1
            start = blank if blank > start else _between(line, start, most)
        yield start


def _fits(line: str, start: int, width: int) -> int:
    """The first character from `start` on that does not fit into `width` cells, or the end."""
    most = min(start + width, len(line))
    ahead = line[start:most]
    if ahead.isascii() and "\t" not in ahead and (most == len(line) or line[most].isascii()):
        return most
    cells = 0
    for at in range(start, len(line)):
        character = line[at]
        cells += TAB - cells % TAB if character == "\t" else cell_size(character)
        if cells > width:
            return at
    return len(line)


def _between(line: str, start: int, most: int) -> int:
    """The last place up to `most` where no character is taken from those it is drawn with."""
    at = most
    while at > start and (not cell_size(line[at]) or line[at - 1] == "\u200d"):
        at -= 1
    return at if at > start else max(most, start + 1)


def shown(line: str) -> str:
    """A line as it is drawn, a character for each: nothing that a terminal obeys but tabs."""
    return _drawn(line)[0]


@lru_cache(maxsize=8)
def _drawn(line: str) -> tuple[str, bool]:
    """A line as it is shown, and whether that of each character depends on its neighbours alone."""
    if "\r" in line or "\n" in line:
        line = line.replace("\r", "␍").replace("\n", "␊")
    if not line.isascii():
        line = _VARIANTS.sub(lambda found: "\N{REPLACEMENT CHARACTER}" * len(found[0]), line)
    drawn = safe(line, newlines=True)
    if len(drawn) == len(line):
        return drawn, True
    pieces = (line[at : at + PIECE] for at in range(0, len(line), PIECE))
    return "".join(in_place(piece, tabs=True) for piece in pieces), False


def spread(piece: str, x: int = 0) -> str:
    """A piece of a row that begins in cell `x`, with its tabs as blanks."""
    if "\t" not in piece:
        return piece
    head, *rest = piece.split("\t")
    for next_ in rest:
        head += " " * (TAB - (x + cell_len(head)) % TAB) + next_
    return head


def column_at(section: str, x: int) -> int:
    """Which character of a row stands in cell `x`; its length where none does."""
    cells = 0
    for at, character in enumerate(section):
        cells += TAB - cells % TAB if character == "\t" else cell_size(character)
        if cells > x:
            return at
    return len(section)
