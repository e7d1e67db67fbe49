"""Where the words that are looked for stand in the rows of a text, and which of these places was gone to."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from rich.segment import Segment
from rich.style import Style

from kbtui.placing import one_after_the_other

Row = list[Segment]
Span = tuple[int, int]

WINDOW = 65_536  # characters that are looked through at once: other threads wait as long
LONGEST = 2_000  # characters of a place, in which a pattern matches
FOLDED = r"(?:\n\s*)?"  # within a word: a row may end there
AGAIN = 6  # words by which a place is found again


class Page:
    """Some rows as one text, each on a line of its own."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        lines = [*map(plain, rows)]
        self.text = "\n".join(lines)
        self._begins = array("q", accumulate((len(line) + 1 for line in lines), initial=0))

    def row_of(self, place: int) -> int:
        """The row in which a character of the text stands."""
        return max(0, min(bisect_right(self._begins, place), len(self._begins) - 1) - 1)

    def span(self, row: int) -> Span:
        """Where a row stands in the text."""
        return self._begins[row], self._begins[row + 1] - 1

    def find_again(self, passage: Sequence[tuple[str, int]], share: float) -> int | None:
        """The row where a passage stands that was seen elsewhere, perhaps with other mark-up; or None.

        Args:
            passage: its words, each with the row in which it stood, counted from that of the place.
            share: how much of the text stood before it; of several places the nearest to that is taken.
        """
        for at in range(0, len(passage), AGAIN):
            words = [word for word, _ in passage[at : at + AGAIN]]
            pattern = one_after_the_other(words) if len(words) > AGAIN // 2 or not at else None
            starts = [start for start, _ in places(pattern, self.text)] if pattern else []
            if starts:
                nearest = min(starts, key=lambda start: abs(start - share * len(self.text)))
                return max(0, self.row_of(nearest) - passage[at][1])
        return None


class Hits:
    """The places in a page that a pattern matches; one may go on in the next row.

    Where nobody wants them any more, they are not all found.
    """

    def __init__(
        self,
        page: Page | None = None,
        marks: re.Pattern[str] | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.at = 0  # which of them was gone to
        self.page = page or Page()
        self.starts, self._ends = array("q"), array("q")
        for start, end in places(marks, self.page.text, wanted) if marks else ():
            self.starts.append(start)
            self._ends.append(end)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def row(self) -> int:
        """The row in which the place begins that was gone to; there must be one."""
        return self.page.row_of(self.starts[self.at])

    @property
    def column(self) -> int:
        """The character of that row with which it begins."""
        return self.starts[self.at] - self.page.span(self.row)[0]

    @property
    def words(self) -> str:
        """What stands there."""
        return " ".join(self.page.text[self.starts[self.at] : self._ends[self.at]].split())

    def spans(self, row: int) -> list[tuple[int, int, bool]]:
        """The places in a row, from character to character; and whether it is the one that was gone to."""
        if not self.starts:
            return []
        begin, stop = self.page.span(row)
        found = []
        for at in range(bisect_right(self._ends, begin), bisect_left(self.starts, stop)):
            first, last = max(self.starts[at], begin) - begin, min(self._ends[at], stop) - begin
            found.append((first, last, at == self.at))
        return found

    def go_to(self, place: int) -> None:
        """Go to the first that has a character of the text, or stands behind it; else to the last."""
        self.at = max(0, min(bisect_right(self._ends, place), len(self) - 1))

    def first_in(self, row: int) -> int:
        """The number of the first that begins in a row, or behind it."""
        return bisect_left(self.starts, self.page.span(row)[0])


def places(marks: re.Pattern[str], text: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[Span]:
    """The places in a text that a pattern matches, one after the other.

    It is looked through piece by piece: Python's search lets no other thread do anything meanwhile.
    """
    at = 0
    while at < len(text) and wanted():
        behind = at + WINDOW
        for found in marks.finditer(text, at, behind + LONGEST):
            if found.start() >= behind:
                break
            yield found.span()
            at = found.end()
        at = max(at, behind)


def plain(row: Row) -> str:
    return "".join(segment.text for segment in row)


def as_typed(words: str) -> re.Pattern[str] | None:
    """What matches these words one after the other in rows, wherever a row ends; None for no words."""
    return one_after_the_other(words.split(), FOLDED)


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


def marked(row: Row, spans: Iterable[tuple[int, int, Style]]) -> Row:
    """A row with parts of its text in another look, in their order, wherever its segments begin and end."""
    made: Row = []
    edges = iter([*spans])
    first, last, look = next(edges, (0, 0, Style.null()))
    at = 0
    for text, style, control in row:
        end, done = at + len(text), at
        while done < end:
            while last <= done and (coming := next(edges, None)) is not None:
                first, last, look = coming
            inside = first <= done < last
            stop = min(end, last) if inside else min(end, first) if done < first else end
            piece = text[done - at : stop - at]
            made.append(Segment(piece, (style or Style.null()) + look if inside else style, control))
            done = stop
        if not text:
            made.append(Segment(text, style, control))
        at = end
    return made
