"""A text with the borders of its chunks beside it."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import get_character_cell_size

from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.virtual_list import VirtualList

GUTTER = 8  # cells: a number, the border and a blank
TAB = 4


class Border(NamedTuple):
    """A chunk, counted from 0, that stands at `text[start:end]`."""

    start: int
    end: int
    chunk: int


def broken(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where the rows begin and end into which a text is broken, at blanks where it has some."""
    begin = 0
    for line in text.split("\n"):
        end = begin + len(line)
        yield from _broken(text, begin, end, width)
        begin = end + 1


def _broken(text: str, begin: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    while True:
        stop = min(end, begin + width)
        part = text[begin:stop]
        if not (part.isascii() and "\t" not in part):
            stop = begin + _fitting(part, width)
        if stop >= end:
            yield begin, end
            return
        blank = text.rfind(" ", begin, stop + 1)
        cut = blank if blank > begin else stop
        yield begin, cut
        begin = cut + (text[cut] == " ")


def _fitting(part: str, width: int) -> int:
    """How many characters of a text fit into so many cells; at least one."""
    cells = 0
    for place, char in enumerate(part):
        cells += TAB if char == "\t" else get_character_cell_size(char)
        if cells > width:
            return max(1, place)
    return len(part)


class ChunkedText(VirtualList):
    """Rows of a text; beside each the chunks that begin there, go on or end.

    The chunk that is chosen stands out: by its border, and because the words of all others are dim.
    """

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.text = ""
        self.chosen = -1
        self._marks: list[tuple[int, int]] = []  # where the words stand that are looked for
        self._here = -1  # where those stand that were gone to
        self._marking: re.Pattern[str] | None = None
        self._rows: list[tuple[int, int]] = []
        self._borders: list[Border] = []
        self._longest = 0
        self._broken_for = 0
        self._meant = 0  # the place in the text that the cursor is to stand at, once there are rows

    async def show(self, text: str) -> None:
        """Show a text, safe to be drawn, without any chunk."""
        self.clear()
        self.text = text
        self.mark(self._marking)
        await self._break()

    def clear(self) -> None:
        """Show nothing."""
        self.text, self._borders, self._longest, self.chosen, self._meant = "", [], 0, -1, 0
        self._rows, self._marks = [], []
        self.resize_to(0, 0)

    def mark(self, words: re.Pattern[str] | None) -> None:
        """Mark what matches, wherever it stands in the text."""
        self._marking = words
        self._marks = [found.span() for found in words.finditer(self.text)] if words else []
        self.refresh()

    def marks_of(self, chunk: int) -> list[int]:
        """The places in a chunk that are marked, as they stand in the text."""
        border = self._border(chunk)
        if border is None:
            return []
        first, behind = (
            bisect_left(self._marks, edge, key=lambda mark: mark[0]) for edge in (border.start, border.end)
        )
        return [start for start, _ in self._marks[first:behind]]

    def point_at(self, at: tuple[int, int] | None) -> None:
        """Draw the place that was gone to as such: the chunk, and which of its places that are marked."""
        marks = self.marks_of(at[0]) if at is not None else []
        here = marks[min(at[1], len(marks) - 1)] if at is not None and marks else -1
        if here != self._here:
            self._here = here
            self.refresh()

    def go_to_mark(self, chunk: int, number: int) -> None:
        """Put the cursor on one of the places in a chunk that are marked, counted from 0."""
        marks = self.marks_of(chunk)
        if marks:
            self.go_to(marks[min(number, len(marks) - 1)])

    def go_to(self, place: int) -> None:
        """Put the cursor on the row of a place in the text, and bring it into view with what is around it."""
        self._meant = place
        if not self._rows:
            return
        self.cursor = self.row_of(place)
        top, height = round(self.scroll_y), self.size.height
        if not top + 1 <= self.cursor < top + height - 1:
            wanted = max(0, min(self.cursor - height // 3, len(self._rows) - height))
            self.scroll_to(y=wanted, animate=False)
        self.refresh()

    def words_here(self, most: int) -> str:
        """The text from the line under the cursor on, so many characters of it."""
        start = self._rows[self.cursor][0] if self._rows else 0
        return self.text[start : start + most]

    def add(self, borders: Iterable[Border]) -> None:
        """Draw these borders too."""
        self._borders = sorted([*self._borders, *map(self._widened, borders)])
        self._longest = max((each.end - each.start for each in self._borders), default=0)
        self.refresh()

    def _widened(self, border: Border) -> Border:
        """A border with the signs before its first word in that line, and those after its last word."""
        start, end, chunk = border
        while start and not self.text[start - 1].isalnum() and self.text[start - 1] != "\n":
            start -= 1
        while end < len(self.text) and not (self.text[end].isalnum() or self.text[end].isspace()):
            end += 1
        return Border(start, end, chunk)

    def _border(self, chunk: int) -> Border | None:
        return next((each for each in self._borders if each.chunk == chunk), None)

    def choose(self, chunk: int) -> None:
        """Let a chunk stand out and bring it into view, if it stands anywhere."""
        self.chosen = chunk
        border = self._border(chunk)
        if border is not None:
            self._meant = border.start
        if border is not None and self._rows:
            self.cursor = self.row_of(border.start)
            last = self.row_of(max(border.start, border.end - 1))
            height = self.size.height
            above = min(3, max(0, height - 1 - (last - self.cursor)))
            top = max(0, min(self.cursor - above, len(self._rows) - height))
            self.scroll_to(y=top, animate=False)
        self.refresh()

    def chunk_here(self) -> int:
        """The chunk under the cursor: the chosen one if it is, else the last that begins before; or -1."""
        if not self._rows or not self._borders:
            return -1
        begin, end = self._rows[self.cursor]
        here = [each.chunk for each in self._over(begin, end)]
        if self.chosen in here:
            return self.chosen
        before = bisect_right(self._borders, end, key=lambda border: border.start)
        return here[-1] if here else self._borders[max(0, before - 1)].chunk

    def on_resize(self) -> None:
        if self._width != self._broken_for:
            self.run_worker(self._break, group="break", exclusive=True)  # type: ignore[arg-type]

    @property
    def _width(self) -> int:
        return max(10, min(self.size.width - 1, 110) - GUTTER) if self.size.width else 0

    async def _break(self) -> None:
        width = self._broken_for = self._width
        if not width:
            return
        text, place = self.text, self._rows[self.cursor][0] if self._rows else self._meant
        rows = await asyncio.to_thread(lambda: list(broken(text, width)))
        if text is self.text and width == self._broken_for:
            self._rows = rows if text else []
            self.resize_to(len(self._rows), self.row_of(place) if self._rows else 0)

    def row_of(self, place: int) -> int:
        """The row in which a character of the text stands."""
        return max(0, bisect_right(self._rows, place, key=lambda row: row[0]) - 1)

    def _over(self, begin: int, end: int) -> list[Border]:
        """The chunks of which something stands in this part of the text."""
        last = bisect_left(self._borders, max(end, begin + 1), key=lambda border: border.start)
        first = bisect_left(self._borders, begin - self._longest, hi=last, key=lambda border: border.start)
        return [each for each in self._borders[first:last] if each.end > begin]

    def parts(self, index: int, width: int) -> Sequence[Part]:
        begin, end = self._rows[index]
        over = self._over(begin, end)
        return [*self._gutter(index, over), *self._words(begin, end, over)]

    def _gutter(self, index: int, over: list[Border]) -> list[Part]:
        """A number where a chunk begins; a heavy line where two overlap; the chosen one's is the heaviest."""
        chosen = any(each.chunk == self.chosen for each in over)
        begins = [each.chunk for each in over if self.row_of(each.start) == index]
        ends = bool(over) and all(self.row_of(max(each.start, each.end - 1)) == index for each in over)
        line = "╶" if begins and ends else "╭" if begins else "╰" if ends else "│" if over else " "
        line = "█" if chosen else "┃" if len(over) > 1 else line
        number = self.chosen if self.chosen in begins else begins[-1] if begins else -1
        shown = f"{number + 1:>5}" if begins else " " * 5
        return [(f"{shown} {line} ", "key" if chosen else "dim")]

    def _words(self, begin: int, end: int, over: list[Border]) -> Iterator[Part]:
        """The words of a row: all but those of the chosen chunk are dim, what is searched is marked."""
        chosen = next((each for each in over if each.chunk == self.chosen), None)
        first, last = (max(begin, chosen.start), min(end, chosen.end)) if chosen else (end, end)
        for start, stop, look in ((begin, first, "dim"), (first, last, ""), (last, end, "dim")):
            yield from self._marked(start, stop, look)

    def _marked(self, start: int, stop: int, look: str) -> Iterator[Part]:
        at = max(0, bisect_left(self._marks, start, key=lambda mark: mark[0]) - 1)
        for first, last in self._marks[at:]:
            if first >= stop:
                break
            if last > start:
                yield self._drawn(start, first), look
                yield (
                    self._drawn(max(start, first), min(stop, last)),
                    "here" if first == self._here else "hit",
                )
                start = max(start, min(stop, last))
        yield self._drawn(start, stop), look

    def _drawn(self, start: int, stop: int) -> str:
        return self.text[start:stop].replace("\t", " " * TAB) if stop > start else ""
