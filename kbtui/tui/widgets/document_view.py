"""The document view: the text of a document, rendered or as it is, and what is known of it."""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from kbtui.tui.widgets.hits import Hits, Page, Row, plain
from kbtui.tui.widgets.laying import UNBROKEN, Laid, Words, as_markdown, as_source, typesetter
from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.row_view import LONG, VIEW, RowView

if TYPE_CHECKING:
    from rich.console import Console

Finder = Callable[[str], int | None]
"""Finds the place in a text at which to begin."""

MANY = 2_000  # rows that are not laid out anew for every size on the way
SLICE = 200  # rows that are laid out before it is asked whether they are still wanted
WIDEST = 110  # cells of a row that wraps


class Place(NamedTuple):
    """What is in view of a text, to be found again in other rows.

    Attributes:
        top: the row with which it begins.
        share: how much of all rows stands above.
        words: in the rows from there on, as `Page.find_again` takes them; none where nothing stands above.
        hit: which place was gone to, of so many `hits`.
        left: cells that are out of view to the left.
    """

    top: int
    share: float
    words: Sequence[tuple[str, int]]
    hit: int
    hits: int
    left: int


class DocumentView(RowView, inherit_bindings=False):
    """Lines of text that scroll. A text is laid out in a thread: no key waits for a long one."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.wrap, self.numbers = True, False
        self._said: Sequence[Sequence[Part]] = ()
        self._hang: int | None = None
        self._words: Words | None = None  # what `_rows` are made of; None: of `_said`
        self._laying: Iterator[Laid] | None = None  # the rows that are to come
        self._laid: tuple[int, bool, int] | None = None  # what they are laid out for
        self._begin: Finder | None = None  # where the words stand that were meant

    # Lines of our own

    def say(self, lines: Iterable[Sequence[Part]], *, hang: int | None = None) -> None:
        """Replace everything by lines of our own words.

        What is too wide goes on below, `hang` characters from the left, or as far in as its line begins.
        """
        self._words, self._laying, self._said, self._hang = None, None, list(lines), hang
        self._marks = None
        self._lay_said()
        self._changed(top=True)

    def _lay_said(self) -> None:
        self._laid = self._manner
        console = self._typesetter() if self.size.width else None
        rows = [row for line in self._said for row in self._wrapped(line, console)] if console else []
        self._take(rows, ())

    def _wrapped(self, line: Sequence[Part], console: Console) -> Iterable[Row]:
        """A line of our own in as many rows as it takes."""
        from rich.text import Text

        text = Text.assemble(*((words, self.look(look)) for words, look in line))
        begin = len(text.plain) - len(text.plain.lstrip()) if self._hang is None else self._hang
        head, body = text.divide([begin])
        for row in body.wrap(console, max(10, console.width - begin), tab_size=4) or [body]:
            row.rstrip()
            yield [segment for segment in (head + row).render(console) if segment.text]
            head = Text(" " * begin)

    # A text

    def mark(self, marks: re.Pattern[str] | None, begin: Finder | None = None) -> None:
        """Mark what matches in the text that is shown next.

        It begins with the first such place in view that stands where `begin` says, or behind it.
        """
        if marks != self._marks:
            self._hits.at = 0
        self._marks, self._begin = marks, begin

    def find(self, marks: re.Pattern[str] | None, row: int | None) -> None:
        self._begin = None
        super().find(marks, row)

    async def show_source(self, text: str, *, place: Place | None = None) -> None:
        """Replace everything by `text` as it is, at a place in it; `text` is display-safe."""
        await self._show(as_source(text), place)

    async def show_markdown(self, text: str, *, place: Place | None = None) -> None:
        """Replace everything by `text` rendered as Markdown, at a place in it; `text` is display-safe."""
        await self._show(as_markdown(text), place)

    async def _show(self, words: Words, place: Place | None) -> None:
        anew, self._words = self._words is None, words
        self.left = place.left if place else 0
        await self._lay_out(place, anew=anew)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._again())

    def on_resize(self) -> None:
        self.hold(len(self._rows))
        if self._manner != self._laid:
            self._again()

    def show_lines(self, *, wrap: bool, numbers: bool) -> None:
        """Break the lines of a text at the width of the view or not; tell their numbers or not."""
        self.wrap, self.numbers = wrap, numbers
        if self._manner != self._laid:
            self._again()

    def _again(self) -> None:
        """Another width, or other colours."""
        if self._words is None:
            self._lay_said()
            self._changed(top=False)
        else:
            self.run_worker(self._lay_out_again, group="lay", exclusive=True)  # type: ignore[arg-type]

    async def _lay_out_again(self) -> None:
        if len(self._rows) > MANY:
            await asyncio.sleep(0.1)  # of a window that is being drawn larger only the last size counts
        await self._lay_out(self.where())

    async def _lay_out(self, place: Place | None, *, anew: bool = False) -> None:
        """Show the first slice at once and the rest as it comes; with a `place`, all of it at the end.

        Where something else is shown till then, of a long text its beginning. What is hidden is laid out when
        it appears.
        """
        words, top, shown = self._words, 0.0, False
        if words is None:
            return  # since this was begun, lines of our own have taken the place of the text
        self._laid = self._manner
        self._laying = laying = words.lay(words.text, self._typesetter()) if self.size.width else None
        if laying is None:
            self._take([], ())
            return
        rows, lines = list[Row](), array("q")
        while more := await asyncio.to_thread(lambda: list(islice(laying, SLICE))):
            if self._laying is not laying:
                return
            rows += [row for row, _ in more]
            lines.extend(line for _, line in more)
            if not shown and (place is None or (anew and len(rows) > LONG)):
                shown = True
                self._take(list(rows), lines[:], self._longest(rows))
                self._changed(top=True)
                top = self.scroll_y
        went = shown and self.scroll_y != top
        await self._show_all(rows, lines, None if went else place)
        if self._laying is laying:
            if place is None and not went and len(rows) > SLICE:
                self._go_to_begin()
            if self.to_end:
                self.scroll_to(y=len(rows), animate=False)
            self._laying = None
            self.heard()

    @property
    def is_laying(self) -> bool:
        """Whether rows are to come that are not shown yet."""
        return self._laying is not None

    async def _show_all(self, rows: list[Row], lines: array[int], place: Place | None) -> None:
        """Show all rows, those of the place in view; a long text is looked through in a thread."""
        laying, marks = self._laying, self._marks

        def look() -> tuple[Page | None, Hits, int | None, int]:
            page = Page(rows) if marks or (place and place.words) else None
            again = self._again_in(rows, page, place) if page and place else None
            return page, Hits(page, marks, lambda: self._laying is laying), again, self._longest(rows)

        page, hits, again, beyond = await asyncio.to_thread(look) if len(rows) > LONG else look()
        if self._laying is not laying:
            return
        self._take(rows, lines, beyond)
        self._page = page
        self._changed(top=not rows, hits=hits if marks is self._marks else None)
        if place is not None:
            row = round(place.share * len(rows)) if again is None else again
            self.scroll_to(y=row, animate=False)
            if self._hits:
                same = len(self._hits) == place.hits
                self._hits.at = place.hit if same else self._hits.first_in(row) % len(self._hits)

    def _again_in(self, rows: list[Row], page: Page, place: Place) -> int | None:
        """The row where what was in view begins now; there may be several like it."""
        same = _words_in(rows[place.top : place.top + VIEW]) == place.words
        return place.top if same else page.find_again(place.words, place.share)

    def _take(self, rows: list[Row], lines: Sequence[int], beyond: int = 0) -> None:
        """These are the rows now, the longest with so many cells."""
        self._rows, self._lines, self._page = rows, lines, None
        self.digits = self._words.digits if self._words and self.numbers else 0
        self.beyond = beyond
        self.left = min(self.left, beyond)

    def _longest(self, rows: Iterable[Row]) -> int:
        """The cells of the longest row, where rows may be wider than the view; else 0."""
        return 0 if self.wrap else max((cell_len(plain(row)) for row in rows), default=0)

    def where(self) -> Place | None:
        """What is in view; None for our own words, and at the top of a text where nothing was found."""
        if self._words is None or not self._rows or not (self.scroll_y or self._hits or self.left):
            return None
        top = round(self.scroll_y)
        words = _words_in(self._rows[top : top + VIEW]) if top else []
        share = top / len(self._rows)
        return Place(top, share, words, self._hits.at, len(self._hits), self.left)

    def _changed(self, *, top: bool, hits: Hits | None = None) -> None:
        sought = top or not self._hits
        at = 0 if top else self._hits.at
        self._hits = Hits(self.page if self._marks else None, self._marks) if hits is None else hits
        self._hits.at = max(0, min(at, len(self._hits) - 1))
        if top:
            self.scroll_to(y=0, animate=False)
        self.hold(len(self._rows))
        if sought:
            self._go_to_begin()
        self.refresh()

    def _go_to_begin(self) -> None:
        """Go to the words that were meant, of all that are here."""
        if self._hits:
            begin = self._begin(self._hits.page.text) if self._begin is not None else None
            if begin is not None:
                self._hits.go_to(begin)
            self._show_hit()

    @property
    def _manner(self) -> tuple[int, bool, int]:
        """What decides of how a text is laid out: the width, whether it wraps, the digits of its numbers."""
        digits = self._words.digits if self._words and self.numbers else 0
        return self._width if self.wrap or self._words is None else 0, self.wrap, digits

    @property
    def _width(self) -> int:
        digits = self._words.digits + 1 if self._words and self.numbers else 0
        return max(10, min(self.size.width - digits, WIDEST) - 2) if self.size.width else 0

    def _typesetter(self) -> Console:
        wide = self._words is not None and not self.wrap
        return typesetter(UNBROKEN if wide else self._width, self.look)


def _words_in(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """The words in some rows, each with its row."""
    return [(word, at) for at, row in enumerate(rows) for word in re.findall(r"[^\W_]+", plain(row))]
