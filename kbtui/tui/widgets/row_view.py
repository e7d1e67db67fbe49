"""Rows that scroll, with the places marked that are looked for in them: what the document view draws."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial

from rich.cells import cell_len
from rich.segment import Segment
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.hits import Hits, Page, Row, marked, plain
from kbtui.tui.widgets.line import Painter
from kbtui.tui.widgets.scrolling import Scrolling

VIEW = 12  # rows by which the place in view is found again
HIT = 200  # characters by which a place is found again in the editor
LONG = 10_000  # rows that are not looked through between two keys: half a megabyte takes 30 ms


class RowView(Painter, Scrolling, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows, with or without the numbers of their lines; they may be wider than the view.

    Attributes:
        digits: of the numbers of lines; 0 where they are not shown.
        beyond: cells of the longest row, where rows may be wider than the view; else 0.
        left: cells that are scrolled out of view to the left.
        to_end: the end is what the person wants to see, wherever it will be.
        heard: told when something else is found.
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.digits = self.beyond = self.left = 0
        self.to_end = False
        self.heard: Callable[[], object] = lambda: None
        self._rows: list[Row] = []
        self._lines: Sequence[int] = ()  # the lines that begin with them; empty: they have no margin
        self._page: Page | None = None  # the rows as one text, once it was needed
        self._marks: re.Pattern[str] | None = None  # words that were searched for
        self._hits = Hits()

    @property
    def text(self) -> str:
        """Everything it shows, as plain text."""
        return "\n".join("".join(segment.text for segment in row).rstrip() for row in self._rows)

    # Drawing

    def render_line(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        width, base = self.scrollable_content_region.width, self.rich_style
        if index >= len(self._rows):
            return Strip.blank(width, base)
        row, spans = self._rows[index], self._hits.spans(index)
        if spans:
            row = marked(row, ((*span, self.look("here" if here else "hit")) for *span, here in spans))  # type: ignore[misc]
        if self._lines:
            row = [*self._number(index), *(self._in_view(row) if self.beyond else row)]
        segments = [Segment(text, base + style if style else base) for text, style, _ in row]
        return Strip(segments).adjust_cell_length(width, base)

    def _number(self, index: int) -> Row:
        if not self.digits:
            return []
        return [Segment(f"{self._lines[index] or '':>{self.digits}} ", self.look("dim"))]

    def _in_view(self, row: Row) -> Row:
        """What is in view of a row that may be wider; at its ends it is told where there is more."""
        strip, stop = Strip(row[1:]), self.left + self._room
        more = strip.cell_length > stop
        inside = strip.crop(self.left, stop - more)
        before = "‹" if self.left and strip.cell_length else " "
        dim = self.look("dim")
        return [Segment(before, dim), *inside, *([Segment("›", dim)] if more else [])]

    @property
    def _room(self) -> int:
        """Cells that there are for a row, without its margin and the number of its line."""
        number = self.digits + 1 if self.digits else 0
        return max(1, self.scrollable_content_region.width - 1 - number)

    # Scrolling

    def move(self, by: str) -> None:
        """Scroll as a `move.…` command says."""
        page = max(1, self.size.height - 1)
        half = max(1, self.size.height // 2)
        steps = {
            "down": 1, "up": -1, "half_down": half, "half_up": -half, "page_down": page, "page_up": -page,
            "top": -len(self._rows), "bottom": len(self._rows),
        }  # fmt: skip
        self.to_end = by == "bottom"
        self.scroll_to(y=self.scroll_y + steps[by], animate=False)

    def move_sideways(self, by: int) -> None:
        """Bring so many half widths of what lies to the right into view; no more than there is."""
        left = self.left + by * max(1, self._room // 2)
        self._go_left(min(left, self.beyond - self._room))

    def _go_left(self, left: int) -> None:
        if max(0, left) != self.left:
            self.left = max(0, left)
            self.refresh()

    @property
    def place(self) -> str:
        """How much of the way to its end it is scrolled; "" where all of it is in view."""
        return f"{int(100 * self.scroll_y / self.max_scroll_y)} %" if self.max_scroll_y else ""

    def on_mouse_scroll_up(self) -> None:
        self.to_end = False

    # What is looked for

    def find(self, marks: re.Pattern[str] | None, row: int | None) -> None:
        """Mark what matches in the rows that are shown, and go to the first place in `row`, or behind it.

        To `row` itself where there is none, and nowhere for None. A long text is looked through in a thread.
        """
        self._marks = marks
        self.workers.cancel_group(self, "find")
        if len(self._rows) <= LONG:
            self._found(Hits(self.page, marks), row)
        else:
            self.run_worker(partial(self._find, marks, row), group="find", exclusive=True)  # type: ignore[arg-type]

    async def _find(self, marks: re.Pattern[str] | None, row: int | None) -> None:
        rows, known = self._rows, self._page
        page = known or await asyncio.to_thread(Page, rows)
        hits = await asyncio.to_thread(Hits, page, marks, lambda: self._marks is marks)
        if self._marks is marks and self._rows is rows:
            self._page = page
            self._found(hits, row)

    def _found(self, hits: Hits, row: int | None) -> None:
        self._hits = hits
        if hits:
            first = round(self.scroll_y) if row is None else row
            hits.at = hits.first_in(min(first, len(self._rows) - 1)) % len(hits)
        if hits and row is not None:
            self._show_hit()
        elif row is not None:
            self.scroll_to(y=row, animate=False)
        self.refresh()
        self.heard()

    @property
    def page(self) -> Page:
        """The rows as one text."""
        if self._page is None:
            self._page = Page(self._rows)
        return self._page

    def go_to_hit(self, by: int, *, around: bool = True) -> bool:
        """Go to the next marked place, or the one before, all around if that is wished.

        False where there is none.
        """
        hits = self._hits
        if not hits:
            return False
        top, bottom = round(self.scroll_y), round(self.scroll_y) + self.size.height
        at = hits.at + by
        if not top <= hits.row < bottom:  # the person has scrolled away from it: on from what is in view
            at = hits.first_in(top) - (by < 0)
        if not around and not 0 <= at < len(hits):
            return False
        hits.at = at % len(hits)
        self._show_hit()
        self.refresh()
        return True

    def _show_hit(self) -> None:
        """Bring the place into view that was gone to, with some rows around it."""
        row, top, lead = self._hits.row, round(self.scroll_y), self._lead
        last = len(self._rows) - 1
        if not min(row, lead) <= row - top < max(1, self.size.height - min(lead, last - row)):
            self.scroll_to(y=row - lead, animate=False)
        if self.beyond:
            column = cell_len(plain(self._rows[row])[1 : self._hits.column])
            if not self.left <= column < self.left + self._room - len(self._hits.words):
                self._go_left(column - self._room // 3 if column > self._room // 2 else 0)

    @property
    def _lead(self) -> int:
        """Rows that are shown above a hit."""
        return min(3, self.size.height // 4)

    @property
    def hits(self) -> int:
        """How often marked words stand in the text."""
        return len(self._hits)

    @property
    def hits_above(self) -> int:
        """How many marked words stand before those that were gone to."""
        return self._hits.at if self._hits else 0

    @property
    def hit(self) -> str:
        """Which of the places with a marked word was gone to, of how many; "" where there is none."""
        return f"hit {count(1 + self._hits.at)} of {count(len(self._hits))}" if self._hits else ""

    @property
    def hit_words(self) -> str:
        """What stands from the marked words on that were gone to; "" where nothing is marked."""
        if not self._hits:
            return ""
        start = self._hits.starts[self._hits.at]
        return " ".join(self._hits.page.text[start : start + 2 * HIT].split())[:HIT]

    @property
    def words_in_view(self) -> str:
        """What stands in view, or from the marked words on that were gone to, where these are in view."""
        if self.hit_in_view:
            return self.hit_words
        top = round(self.scroll_y)
        return "\n".join(map(plain, self._rows[top : top + min(max(1, self.size.height), VIEW)]))

    @property
    def hit_in_view(self) -> str:
        """The marked words that were gone to, where they are in view, or ""."""
        top = round(self.scroll_y)
        here = self._hits and top <= self._hits.row < top + max(1, self.size.height)
        return self._hits.words if here else ""
