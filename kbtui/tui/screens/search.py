"""Search: words in the contents of all documents, as they are typed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from textual import on
from textual.app import ComposeResult

from kbtui.commands import Command, Situation
from kbtui.content import safe
from kbtui.errors import Error, Offline
from kbtui.rows import ALL, TYPES, DocumentRow, Found
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.panes import RANKED_AT_ONCE
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.results import Results
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

PAUSE = 0.25  # seconds after a key before the service is asked
SHORTEST = 2  # characters that are searched for
NAMES = 5  # matches by name that are shown above the others
AHEAD = 20  # results below the cursor, fewer of which have the next page fetched
PAGES = 3  # of the service's answers that are looked through for a scope, until more is wished
SEARCHING: Part = ("searching …", "dim")
HINT = (
    "The service looks for the words in the texts of all documents, and for words that are nearly the same. "
    "What has them in its name alone comes first."
)


class Scope(NamedTuple):
    """Where is searched: in these documents and what lies in them, or everywhere where there are none."""

    words: str
    ids: tuple[str, ...] = ()


EVERYTHING = Scope("everything")


class Search(CommandScreen[None]):
    """A field, what was found, and what stands around the words of the result under the cursor."""

    def __init__(self, app: KbApp, words: str = "") -> None:
        """`words` are those to begin with."""
        super().__init__(app.keymap)
        self._begin = words
        self.kb, self.kbapp = app.kb, app
        self.results = Results("lines", self.kb.marks)
        self._scope = EVERYTHING
        self._header, self._snippet = Line("header"), DocumentView("snippet")
        self._field = Field("words", "words that the agent said, or should have said", self._typed)
        self._kept = self.kb.searches()
        self._place = -1  # in `_kept`; -1: the words that were typed here
        self._words = ""  # those
        self._types: tuple[str, ...] = ()  # of documents that are looked for; empty: all
        self._names: list[Found] = []  # the first of those whose names hold the words
        self._named = 0  # how many do
        self._hits: list[Found] = []
        self._state: Part = ("", "")
        self._more = asyncio.Event()  # what comes after is wanted
        self._pausing = False  # until it is
        self._waiting: list[Command] = []  # pressed for results that are not here yet

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        yield self.results
        yield self._snippet
        yield Line("footer")

    def on_mount(self) -> None:
        self._snippet.can_focus = False
        self.set_focus(self._field)
        self._show()
        self._field.value = self._begin
        self._field.cursor_position = len(self._begin)

    def here(self) -> tuple[str, ...]:
        return ("search",) if self.focused is self._field else ("results", "move")

    def situation(self) -> Situation:
        return Situation(row=self.row, read_only=self.kbapp.read_only(), marked=bool(self.kb.marks))

    @property
    def row(self) -> DocumentRow | None:
        """The document under the cursor, as the mirror knows it."""
        found = self.results.found
        return self.kb.mirror.row(found.id) if found is not None else None

    def show_lines(self) -> None:
        shown, named = len(self._names), self._named
        look = "key" if self._types or self._scope.ids else "dim"
        types = " or ".join(self._types)
        where = types or self._scope.words
        if self._scope.ids:
            where = f"{types} in {self._scope.words}, picked out here".strip()
        names = f"{shown} of {named} names · " if named > shown else ""
        self._header.show(
            [(" Search", "strong"), (f"  {safe(where)}", look)], [(names, "dim"), self._state, (" ", "")]
        )
        self.show_footer()

    def facts(self) -> list[Part]:
        return self.kbapp.marked()

    # Words

    def _typed(self, words: str) -> None:
        """Other words stand in the field: names at once, contents when nothing more is typed for a moment."""
        if self._place < 0 or words != self._kept[self._place]:
            self._place, self._words = -1, words
        words = words.strip()
        self._waiting.clear()
        if len(words) < SHORTEST:
            self.workers.cancel_node(self)
            self._names, self._named, self._hits = [], 0, []
            self._say("", "")
            return
        if self.kb.mirror.count(ALL) <= RANKED_AT_ONCE:
            self._names, self._named = self._by_name(words)
        self._say(*SEARCHING)
        self._search(words)

    def _by_name(self, words: str) -> tuple[list[Found], int]:
        inside = self.kb.within(self._scope.ids) if self._scope.ids else None
        return self.kb.named(words, NAMES, self._types, inside)

    @background("search")
    async def _search(self, words: str) -> None:
        self._pausing = False
        if self.kb.mirror.count(ALL) > RANKED_AT_ONCE:
            self._names, self._named = await asyncio.to_thread(self._by_name, words)
            self._show()
        await asyncio.sleep(PAUSE)
        try:
            if self.kbapp.trouble:
                await self._search_here(words)
            await self._ask(words)
        except Offline:
            await self._search_here(words)
            self.kbapp.look_again()
        except Error:
            self._hits = []  # not those of other words
            self._say("the service did not answer", "bad")
            raise

    async def _ask(self, words: str) -> None:
        """Show what the service finds, a page at a time as it is looked at."""
        hits, looked_at, pages_read = list[Found](), 0, 0
        inside = self.kb.within(self._scope.ids)
        self._more.clear()
        async with aclosing(self.kb.found(words, self._types)) as pages:
            async for page, more in pages:
                hits += [each for each in page if not self._scope.ids or inside(each.id)]
                looked_at, pages_read = looked_at + len(page), pages_read + 1
                if more and self._scope.ids and pages_read % PAGES:
                    continue
                self._hits, self._pausing = hits.copy(), more
                self._tell(len(hits), looked_at, more)
                if more:
                    await self._more.wait()
                    self._more.clear()
                    self._pausing = False

    def _tell(self, found: int, looked_at: int, more: bool) -> None:
        if self._scope.ids:
            on = (
                f"the first {looked_at} documents; Enter looks on" if more else counted(looked_at, "document")
            )
            self._say(f"{found} of {on}", "" if found else "warn")
        elif not found:
            self._say("nothing found", "warn")
        else:
            self._say(counted(found, "document") + (" and more" if more else ""), "")

    async def _search_here(self, words: str) -> None:
        """Without the service: what was opened, and is kept."""
        found = await asyncio.to_thread(self.kb.found_here, words, self._types)
        inside = self.kb.within(self._scope.ids)
        self._hits = [each for each in found if not self._scope.ids or inside(each.id)]
        self._say(f"offline: {counted(len(self._hits), 'document')} of those you opened", "warn")

    def _say(self, sentence: str, look: str) -> None:
        self._state = (sentence, look)
        self._show()

    def _show(self) -> None:
        known = {found.id for found in self._hits}
        names = [found for found in self._names if found.id not in known]
        self.results.show([*names, *self._hits])
        self._show_snippet()
        self.show_lines()
        if self._state != SEARCHING and self.here()[0] == "results":
            self._go_on()

    def _go_on(self) -> None:
        """Carry out what was pressed for the results that have come; without any, type other words."""
        waiting, self._waiting = self._waiting, []
        if self.results.found is None:
            self.do_results_words()
            return
        for command in waiting:
            super().run(command)

    def run(self, command: Command) -> None:
        """Carry out a command; one for results waits for those of the words that were typed."""
        for_results = command.id.partition(".")[0] in ("move", "document") or command.id == "results.open"
        if for_results and self._state == SEARCHING and self.here()[0] == "results":
            self._waiting.append(command)
        else:
            super().run(command)

    def do_search_older(self, by: int = 1) -> None:
        self._place = max(-1, min(self._place + by, len(self._kept) - 1))
        self._field.value = self._kept[self._place] if self._place >= 0 else self._words
        self._field.cursor_position = len(self._field.value)

    def do_search_newer(self) -> None:
        if self._place >= 0:
            self.do_search_older(-1)
        else:
            self.do_search_results()

    def do_search_scope(self) -> None:
        """Search in the next scope that there is: everything, the folder that is open, what is marked."""
        scopes = [EVERYTHING, *self._narrower()]
        at = scopes.index(self._scope) + 1 if self._scope in scopes else 0
        self._scope = scopes[at % len(scopes)]
        if len(scopes) == 1:
            self.tell("There is nothing narrower: open a folder or mark documents (space) before you search.")
        self._typed(self._field.value)

    do_results_scope = do_search_scope

    def _narrower(self) -> list[Scope]:
        scopes, here, marked = [], self.kbapp.folder(), self.kb.marks.ids
        if here:
            row = self.kb.mirror.row(here)
            scopes.append(Scope(row.name if row else "a folder that is gone", (here,)))
        if marked:
            scopes.append(Scope(f"{counted(len(marked), 'marked document')}", marked))
        return scopes

    def do_search_results(self) -> None:
        if self._pausing and self._scope.ids and self.results.cursor + AHEAD >= self.results.count:
            self._more.set()
        if self.results.found is not None or self._state == SEARCHING:
            self.kb.remember_search(self._field.value.strip())
            self.set_focus(self.results)
            self.results.show_led()
            self.show_footer()

    def do_search_leave(self) -> None:
        self.dismiss()

    # Results

    def do_move(self, by: str) -> None:
        self.results.move(by)
        self._show_snippet()
        if self.results.cursor == self.results.count - 1:
            self._more.set()
        self.show_footer()  # with the same frame

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self._show_snippet()
        if self.results.cursor + AHEAD >= self.results.count:
            self._more.set()

    def _show_snippet(self) -> None:
        found = self.results.found
        if found is None:
            typed = len(self._field.value.strip()) >= SHORTEST
            elsewhere = (
                f"What the service finds lies outside of {self._scope.words}: it always looks in all texts."
            )
            hint = elsewhere if self._scope.ids and self._state != SEARCHING else ""
            self._snippet.say([[(safe(hint) if typed else HINT, "dim")]])
            return
        path = self.kb.place(found.id) or "Root"
        text: list[Part] = [(safe(words), "hit" if is_hit else "") for words, is_hit in found.snippet]
        if not found.snippet:
            text = [("found by its name" if found.score is None else "the service shows no passage", "dim")]
        self._snippet.say([[(safe(found.name), "strong"), (f"  {safe(path)}", "dim")], text])

    @on(VirtualList.Opened)
    def do_results_open(self) -> None:
        found = self.results.found
        if found is not None:
            self.kb.remember_search(self._field.value.strip())
            self.dismiss()
            self.kbapp.show_found(found)

    def do_results_info(self) -> None:
        """Everything known of the document, in its place."""
        found = self.results.found
        if found is not None:
            self.do_results_open()
            self.kbapp.show_info()

    def do_list_mark(self) -> None:
        found = self.results.found
        if found is not None:
            self.kb.marks.turn(found.id)
            self.results.refresh_line(self.results.cursor)
            self.do_move("down")

    def do_list_unmark(self) -> None:
        self.kb.marks.drop()
        self.results.refresh()
        self.show_footer()

    def do_results_words(self) -> None:
        self._waiting.clear()
        self.set_focus(self._field)
        self.results.show_led()
        self.show_footer()

    def do_filter(self, type_: str) -> None:
        """Look only for documents of this type, or for it too, or not for it any more."""
        types = set(self._types) ^ {type_}
        self._types = tuple(each for each in TYPES if each in types)
        self._typed(self._field.value)

    def do_results_ask(self) -> None:
        from kbtui.tui.screens.ask import Ask

        self.app.switch_screen(Ask(self.kbapp, words=self._field.value))

    def do_results_leave(self) -> None:
        self.do_results_words()
