"""Search: the field, what was found, and how it is looked for; what its keys do is in `screens/search.py`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.commands import Command
from kbtui.content import safe
from kbtui.errors import Error, Offline, first_sentence
from kbtui.rows import ALL, DocumentRow, Found
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.finding import EVERYTHING, Finding, Left
from kbtui.tui.panes import RANKED_AT_ONCE
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.results import Results, passage
from kbtui.tui.widgets.table import ColumnHeads

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

PAUSE = 0.25  # seconds after a key before the service is asked
AGAIN = 10.0  # seconds until it is asked again where all but the search answers
SHORTEST = 2  # characters that are searched for
LOW, FLAT = 14, 8  # lines below which there is less room for what stands around the words, and none
NAMES = 5  # matches by name that are shown above the others
AHEAD = 20  # results below the cursor, fewer of which have the next page fetched
PAGES = 3  # of the service's answers that are looked through for a scope, until more is wished
SEARCHING: Part = ("searching …", "dim")
HINT = (
    "The service looks for the words in the texts of all documents, and for words that are nearly the same. "
    "What has them in its name alone comes first."
)

ALONE = (
    "Without the service only names are searched, and the texts of documents that you opened. "
    "It is asked as soon as it answers again."
)


class FoundPanes(Finding):
    """A field, what was found, and what stands around the words of the result under the cursor."""

    def __init__(self, app: KbApp, words: str = "", left: Left | None = None) -> None:
        """`words` are those to begin with; with `left`, a search is taken up again where it was left."""
        super().__init__(app.keymap)
        self._begin = left.words if left else words
        self.wanted = left.id if left else ""  # the result that the cursor is to go to
        self.kb, self.kbapp = app.kb, app
        self.results = Results("lines", self.kb.marks, self.kb.place)
        self.where = left.where if left else EVERYTHING
        self._heads = ColumnHeads("heads", self.results.heads)
        self._header, self._snippet = Line("header"), DocumentView("snippet")
        self.field = Field("words", "words that the agent said, or should have said", self.typed)
        self.kept = self.kb.searches()
        self.place = -1  # in `kept`; -1: the words that were typed here
        self.words = ""  # those
        self.types: tuple[str, ...] = left.types if left else ()  # that are looked for; empty: all
        self.names: list[Found] = []  # the first of those whose names hold the words
        self.named = 0  # how many do
        self.hits: list[Found] = []
        self.state: Part = ("", "")
        self._alone = False  # what was found was found without the service
        self._again_at = 0.0  # when the service is asked again, by the clock
        self._elsewhere = False  # the service found documents that lie outside of the scope
        self.more = asyncio.Event()  # what comes after is wanted
        self.pausing = False  # until it is
        self.waiting: list[Command] = []  # pressed for results that are not here yet

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.field
        yield self._heads
        yield self.results
        yield self._snippet
        yield Line("footer")

    def on_mount(self) -> None:
        self._snippet.can_focus = False
        self.set_focus(self.field)
        self.show()
        self.field.value = self._begin
        self.field.cursor_position = len(self._begin)
        if self._begin:  # words that were looked for already: the keys are for what they find
            self.set_focus(self.results)

    def on_resize(self) -> None:
        self.set_class(self.app.size.height < LOW, "-low")
        self.set_class(self.app.size.height < FLAT, "-flat")

    def situation(self) -> Situation:
        return Situation(
            row=self.row,
            read_only=self.kbapp.read_only(),
            undoable=self.kb.undoable() is not None,
            marked=bool(self.kb.marks),
        )

    @property
    def row(self) -> DocumentRow | None:
        """The document under the cursor, as the mirror knows it."""
        found = self.results.found
        return self.kb.mirror.row(found.id) if found is not None else None

    def show_lines(self) -> None:
        self._look_again()
        shown, named = len(self.names), self.named
        look = "key" if self.types or self.where.ids else "dim"
        types = " or ".join(self.types)
        where = types or self.where.words
        if self.where.ids:
            where = f"{types} in {self.where.words}, picked out here".strip()
        names = f"{shown} of {named} names · " if named > shown else ""
        self._header.show(
            [(" Search", "strong"), (f"  {safe(where)}", look)], [(names, "dim"), self.state, (" ", "")]
        )
        self.show_footer()

    def facts(self) -> list[Part]:
        return self.kbapp.marked()

    # Words

    def typed(self, words: str) -> None:
        """Other words stand in the field: names at once, contents when nothing more is typed for a moment."""
        if self.place < 0 or words != self.kept[self.place]:
            self.place, self.words = -1, words
        words = words.strip()
        self.waiting.clear()
        if len(words) < SHORTEST:
            self.workers.cancel_node(self)
            self.names, self.named, self.hits = [], 0, []
            self.say("", "")
            return
        if self.kb.mirror.count(ALL) <= RANKED_AT_ONCE:
            self.names, self.named = self._by_name(words)
        self.say(*SEARCHING)
        self.look_for(words)

    def _by_name(self, words: str) -> tuple[list[Found], int]:
        inside = self.kb.within(self.where.ids) if self.where.ids else None
        return self.kb.named(words, NAMES, self.types, inside)

    @background("search")
    async def look_for(self, words: str) -> None:
        self.pausing = self._elsewhere = self._alone = False
        if self.kb.mirror.count(ALL) > RANKED_AT_ONCE:
            self.names, self.named = await asyncio.to_thread(self._by_name, words)
            self.show()
        await asyncio.sleep(PAUSE)
        before = self.hits  # those of other words; what is found for these takes their place
        try:
            if self.kbapp.trouble:
                await self.look_here(words)
            await self._ask(words)
        except Offline:
            if self.hits is before:
                await self.look_here(words)
            elif not self.kbapp.trouble:
                raise  # the pages that came stay
            self.kbapp.look_again()
        except Error as error:
            if self.hits is before:
                self.hits = []
                self.say(first_sentence(safe(error.sentence)), "bad")
            raise

    async def _ask(self, words: str) -> None:
        """Show what the service finds, a page at a time as it is looked at."""
        hits, looked_at, pages_read = list[Found](), 0, 0
        inside = self.kb.within(self.where.ids)
        async with aclosing(self.kb.found(words, self.types)) as pages:
            async for page, more in pages:
                hits += [each for each in page if not self.where.ids or inside(each.id)]
                looked_at, pages_read = looked_at + len(page), pages_read + 1
                if more and self.where.ids and pages_read % PAGES:
                    continue
                self.hits, self.pausing, self._alone = hits.copy(), more, False
                self._elsewhere = looked_at > len(hits)
                self._tell(len(hits), looked_at, more)
                if more:
                    self.more.clear()  # this page is what was wished for till now
                    await self.more.wait()
                    self.pausing = False

    def _tell(self, found: int, looked_at: int, more: bool) -> None:
        if self.where.ids:
            on = (
                f"the first {looked_at} documents; Enter looks on" if more else counted(looked_at, "document")
            )
            self.say(f"{found} of {on}", "" if found else "warn")
        elif not found:
            self.say("nothing found", "warn")
        else:
            self.say(f"{count(found)}+ documents" if more else counted(found, "document"), "")

    async def look_here(self, words: str) -> None:
        """Without the service: what was opened, and is kept."""
        found = await asyncio.to_thread(self.kb.found_here, words, self.types)
        inside = self.kb.within(self.where.ids)
        self.hits = [each for each in found if not self.where.ids or inside(each.id)]
        self._alone, self._again_at = True, monotonic() + AGAIN
        self.say(f"offline: {counted(len(self.hits), 'document')} of those you opened", "warn")

    def _look_again(self) -> None:
        """Ask the service for what was found without it: as soon as it is back, or after a while."""
        if self._alone and not self.kbapp.in_touch:
            self._again_at = 0.0
        elif self._alone and monotonic() >= self._again_at:
            self._alone = False
            self.look_for(self.field.value.strip())

    def say(self, sentence: str, look: str) -> None:
        self.state = (sentence, look)
        self.show()

    def show(self) -> None:
        known = {found.id for found in self.hits}
        names = [found for found in self.names if found.id not in known]
        self.results.show([*names, *self.hits])
        self._heads.follow()
        self.show_snippet()
        self.show_lines()
        if self.state != SEARCHING:
            self.came()

    def came(self) -> None:
        """What was looked for is there, or is known not to be."""
        raise NotImplementedError

    def show_snippet(self) -> None:
        found = self.results.found
        if found is None:
            typed = len(self.field.value.strip()) >= SHORTEST
            elsewhere = (
                f"What the service finds lies outside of {self.where.words}: it always looks in all texts."
            )
            hint = elsewhere if self._elsewhere and self.state != SEARCHING else ""
            hint = ALONE if self._alone else hint
            self._snippet.say([[(safe(hint) if typed else HINT, "dim")]])
            return
        self._snippet.say(passage(found, self.kb.place(found.id) or "Root"))
