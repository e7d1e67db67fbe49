"""The document view: the text of a document, rendered or as its source, and what is known of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kbtui.tui.widgets.hits import Hits, Row, marked, plain
from kbtui.tui.widgets.line import Painter, Part
from kbtui.tui.widgets.scrolling import Scrolling

if TYPE_CHECKING:
    from rich.console import Console

Finder = Callable[[str], int | None]
"""Finds the place in a text at which to begin."""

VIEW = 12  # rows by which the place in view is found again
HIT = 200  # characters by which a place is found again in the editor
LONG = 2_000  # rows that are not laid out anew for every size on the way
SLICE = 200  # rows that are laid out before it is asked whether they are still wanted


class Words(NamedTuple):
    """A text, and what lays it out."""

    text: str
    lay: Callable[[str, Console], Iterator[Row]]


class DocumentView(Painter, Scrolling, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text that scroll. A text is laid out in a thread: no key waits for a long one."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._said: Sequence[Sequence[Part]] = ()
        self._hang: int | None = None
        self._words: Words | None = None  # what `_rows` are made of; None: of `_said`
        self._laying: Iterator[Row] | None = None  # the rows that are to come
        self._laid = 0  # the width they are laid out for
        self._marks: re.Pattern[str] | None = None  # words that were searched for
        self._begin: Finder | None = None  # where they stand that were meant
        self._hits = Hits()
        self.to_end = False  # the end is what the person wants to see, wherever it will be

    def say(self, lines: Iterable[Sequence[Part]], *, hang: int | None = None) -> None:
        """Replace everything by lines of our own words.

        What is too wide goes on below, `hang` characters from the left, or as far in as its line begins.
        """
        self._words, self._laying, self._said, self._hang = None, None, list(lines), hang
        self._marks = None
        self._lay_said()
        self._changed(top=True)

    def _lay_said(self) -> None:
        self._laid = self._width
        console = self._typesetter() if self._laid else None
        self._rows = [row for line in self._said for row in self._wrapped(line, console)] if console else []

    def _wrapped(self, line: Sequence[Part], console: Console) -> Iterable[Row]:
        """A line of our own in as many rows as it takes."""
        from rich.text import Text

        text = Text.assemble(*((words, self.look(look)) for words, look in line))
        begin = len(text.plain) - len(text.plain.lstrip()) if self._hang is None else self._hang
        head, body = text.divide([begin])
        for row in body.wrap(console, max(10, self._laid - begin), tab_size=4) or [body]:
            row.rstrip()
            yield [segment for segment in (head + row).render(console) if segment.text]
            head = Text(" " * begin)

    def mark(self, marks: re.Pattern[str] | None, begin: Finder | None = None) -> None:
        """Mark what matches in the text that is shown next.

        It begins with the first such place in view that stands where `begin` says, or behind it.
        """
        self._marks, self._begin = marks, begin
        self._hits.at = 0

    def go_to_hit(self, by: int, *, around: bool = True) -> bool:
        """Scroll to the next row with a marked word, or the one before, all around if that is wished.

        False where there is none.
        """
        rows, at = self._hits.rows, self._hits.at
        if not rows:
            return False
        top, bottom = round(self.scroll_y), round(self.scroll_y) + self.size.height
        if top <= rows[at] < bottom:
            at += by
        else:  # the person has scrolled away from it: on from what is in view
            at = next((at for at, row in enumerate(rows) if row >= top), len(rows)) - (by < 0)
        if not around and not 0 <= at < len(rows):
            return False
        self._hits.at = at % len(rows)
        self.scroll_to(y=self._hits.row - self._lead, animate=False)
        return True

    @property
    def hits(self) -> int:
        """How often marked words stand in the text."""
        return self._hits.count

    @property
    def hits_above(self) -> int:
        """How many marked words stand above the row that was gone to."""
        return self._hits.before[self._hits.at] if self.hits else 0

    @property
    def hit(self) -> str:
        """Which of the places with a marked word was gone to, of how many; "" where there is none."""
        return f"hit {1 + self._hits.before[self._hits.at]} of {self.hits}" if self.hits else ""

    @property
    def _lead(self) -> int:
        """Rows that are shown above a hit."""
        return min(3, self.size.height // 4)

    def _find_hits(self) -> None:
        at, self._hits = self._hits.at, Hits(self._rows, self._marks)
        self._hits.at = min(at, max(0, len(self._hits.rows) - 1))

    def _go_to_begin(self) -> None:
        """Go to the words that were meant, of all that are here."""
        if self.hits:
            begin = self._begin(self._hits.text) if self._begin is not None else None
            if begin is not None:
                self._hits.go_to(begin)
            self.scroll_to(y=self._hits.row - self._lead, animate=False)

    async def show_source(self, text: str, *, keep_place: bool = False) -> None:
        """Replace everything by `text` as it is, wrapped; `text` is display-safe."""
        self._words = Words(text, _source)
        await self._lay_out(keep_place)

    async def show_markdown(self, text: str, *, keep_place: bool = False) -> None:
        """Replace everything by `text` rendered as Markdown; `text` is display-safe."""
        self._words = Words(text, _markdown)
        await self._lay_out(keep_place)

    @property
    def hit_words(self) -> str:
        """What stands from the marked words on that were gone to; "" where nothing is marked."""
        if not self.hits:
            return ""
        start = self._hits.starts[self._hits.at]
        return " ".join(self._hits.text[start : start + 2 * HIT].split())[:HIT]

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
        here = self.hits and top <= self._hits.row < top + max(1, self.size.height)
        return self._hits.words if here else ""

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

    @property
    def place(self) -> str:
        """How much of the way to its end it is scrolled; "" where all of it is in view."""
        return f"{int(100 * self.scroll_y / self.max_scroll_y)}%" if self.max_scroll_y else ""

    def on_mouse_scroll_up(self) -> None:
        self.to_end = False

    @property
    def text(self) -> str:
        """Everything it shows, as plain text."""
        return "\n".join("".join(segment.text for segment in row).rstrip() for row in self._rows)

    def render_line(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        width, base = self.size.width, self.rich_style
        if index >= len(self._rows):
            return Strip.blank(width, base)
        row, spans = self._rows[index], self._hits.spans.get(index)
        row = marked(row, spans, self.look("hit")) if spans else row
        segments = [Segment(text, base + style if style else base) for text, style, _ in row]
        return Strip(segments).adjust_cell_length(width, base)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._again())

    def on_resize(self) -> None:
        self.hold(len(self._rows))
        if self._width != self._laid:
            self._again()

    def _again(self) -> None:
        """Another width, or other colours."""
        if self._words is None:
            self._lay_said()
            self._changed(top=False)
        else:
            self.run_worker(self._lay_out_again(), group="lay", exclusive=True)

    async def _lay_out_again(self) -> None:
        if len(self._rows) > LONG:
            await asyncio.sleep(0.1)  # of a window that is being drawn larger only the last size counts
        await self._lay_out(keep_place=bool(self._rows))

    async def _lay_out(self, keep_place: bool) -> None:
        """Show the first slice at once and the rest as it comes; with `keep_place`, all of it at the end.

        What is hidden is laid out when it appears.
        """
        words, before, top = self._words, len(self._rows), 0.0
        self._laid = self._width
        self._laying = laying = words.lay(words.text, self._typesetter()) if words and self._laid else None
        rows: list[Row] = []
        if laying is None:
            self._rows = rows
            return
        while more := await asyncio.to_thread(lambda: list(islice(laying, SLICE))):
            if self._laying is not laying:
                return
            if not rows and not keep_place:
                self._rows = list(more)
                self._changed(top=True)
                top = self.scroll_y
            rows += more
        self._rows = rows
        self._changed(top=not rows)
        if not keep_place and self.scroll_y == top and len(rows) > SLICE:
            self._go_to_begin()
        if self.to_end:
            self.scroll_to(y=len(rows), animate=False)
        elif keep_place and before:
            self.scroll_to(y=round(self.scroll_y * len(rows) / before), animate=False)

    def _changed(self, *, top: bool) -> None:
        sought = top or not self.hits
        self._find_hits()
        if top:
            self.scroll_to(y=0, animate=False)
        self.hold(len(self._rows))
        if sought:
            self._go_to_begin()
        self.refresh()

    @property
    def _width(self) -> int:
        return max(10, min(self.size.width, 110) - 2) if self.size.width else 0

    def _typesetter(self) -> Console:
        """A console that only measures and lays out, in the looks of the style sheet."""
        from rich.console import Console
        from rich.theme import Theme

        heading = self.look("heading")
        code = self.look("code")
        looks = {
            **{f"markdown.h{level}": heading for level in range(1, 8)},
            "markdown.code": code,
            "markdown.code_block": code,
            "markdown.link": self.look("link"),
            "markdown.link_url": self.look("dim"),
            "markdown.block_quote": self.look("dim"),
            "markdown.hr": self.look("dim"),
            "markdown.item.bullet": self.look("key"),
            "markdown.item.number": self.look("key"),
            "markdown.table.border": self.look("dim"),
            "markdown.table.header": self.look("strong"),
            "markdown.strong": Style(bold=True),
            "markdown.em": Style(italic=True),
        }
        return Console(
            file=StringIO(),
            width=self._width,
            color_system="truecolor",
            theme=Theme(looks),
            legacy_windows=False,
        )


def _source(text: str, console: Console) -> Iterator[Row]:
    from rich.text import Text

    for line in text.splitlines():
        for part in Text(line).wrap(console, console.width, no_wrap=False, tab_size=4) or [Text()]:
            yield [Segment(" " + part.plain.rstrip())]


def _markdown(text: str, console: Console) -> Iterator[Row]:
    from kbtui.tui.markdown import Page

    segments = console.render(Page(text))
    for line in Segment.split_and_crop_lines(segments, console.width, include_new_lines=False, pad=False):
        yield [Segment(" "), *(segment for segment in line if not segment.control)]
