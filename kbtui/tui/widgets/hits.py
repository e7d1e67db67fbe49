"""Where the words that are looked for stand in the rows of a text, and which of these places was gone to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from rich.segment import Segment
from rich.style import Style

Row = list[Segment]
Span = tuple[int, int]


class Hits:
    """The places in some rows that a pattern matches; one may go on in the next row."""

    def __init__(self, rows: Sequence[Row] = (), marks: re.Pattern[str] | None = None) -> None:
        self.at = 0  # which of `rows` was gone to
        self.rows: list[int] = []  # in which a place begins
        self.starts: list[int] = []  # the place of the first in each of these, in the text
        self._ends: list[int] = []
        self.before: list[int] = []  # how many places there are above each of these
        self.count = 0
        self.spans: dict[int, list[Span]] = {}  # of a row, from character to character
        self.text = "\n".join(map(plain, rows)) if marks else ""
        lengths = (len(plain(row)) + 1 for row in rows) if marks else ()
        self._begins = list(accumulate(lengths, initial=0))
        for place in marks.finditer(self.text) if marks else ():
            self._add(*place.span())

    def _add(self, start: int, end: int) -> None:
        first, last = self.row_of(start), self.row_of(max(start, end - 1))
        for row in range(first, last + 1):
            begin, stop = self._begins[row], self._begins[row + 1] - 1
            self.spans.setdefault(row, []).append((max(start, begin) - begin, min(end, stop) - begin))
        if self.rows[-1:] != [first]:
            self.rows.append(first)
            self.starts.append(start)
            self._ends.append(end)
            self.before.append(self.count)
        self.count += 1

    def row_of(self, place: int) -> int:
        """The row in which a character of the text stands."""
        return max(0, bisect_right(self._begins, place) - 1)

    def go_to(self, place: int) -> None:
        """Go to the first of the rows in which something begins at a place in the text, or behind it."""
        self.at = min(bisect_left(self.rows, self.row_of(place)), max(0, len(self.rows) - 1))

    @property
    def words(self) -> str:
        """What stands at the first place in that row."""
        return " ".join(self.text[self.starts[self.at] : self._ends[self.at]].split())

    @property
    def row(self) -> int:
        """The row that was gone to; there must be one."""
        return self.rows[self.at]


def plain(row: Row) -> str:
    return "".join(segment.text for segment in row)


def any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    """What matches any of these words, none of them inside another; None for no words."""
    whole = {_whole(word.split()) for word in words if word.strip()}
    return re.compile("|".join(sorted(whole, key=len, reverse=True)), re.IGNORECASE) if whole else None


def _whole(words: list[str]) -> str:
    """A pattern for words that are none inside another; scripts without spaces have no such edges."""
    begin, end = (
        r"\b" if re.match(r"\w", edge) and edge < "\u0e00" else "" for edge in (words[0][0], words[-1][-1])
    )
    return begin + r"\s+".join(map(re.escape, words)) + end


def marked(row: Row, spans: Iterable[Span], look: Style) -> Row:
    """A row with parts of its text in this look, wherever its segments begin and end."""
    spans = list(spans)
    made: Row = []
    at = 0
    for text, style, control in row:
        end = at + len(text)
        cuts = sorted({at, end, *(edge for span in spans for edge in span if at < edge < end)})
        for begin, stop in pairwise(cuts):
            hit = any(first <= begin < last for first, last in spans)
            piece = text[begin - at : stop - at]
            made.append(Segment(piece, (style or Style.null()) + look if hit else style, control))
        at = end
    return made
