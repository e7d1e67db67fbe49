"""Search: words in the contents of all documents, as they are typed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult

from kbtui.commands import Command, Situation
from kbtui.content import safe
from kbtui.errors import Error
from kbtui.rows import ALL, TYPES, DocumentRow, Found
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.panes import RANKED_AT_ONCE
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part, cut, fit
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

PAUSE = 0.25  # seconds after a key before the service is asked
SHORTEST = 2  # characters that are searched for
NAMES = 5  # matches by name that are shown above the others
AHEAD = 20  # results below the cursor, fewer of which have the next page fetched
SEARCHING: Part = ("searching …", "dim")
HINT = (
    "The service looks for the words in the texts of all documents, and for words that are nearly the same. "
    "What has them in its name alone comes first."
)
LEAD = 24  # characters of a snippet before the first word that was found


class Search(CommandScreen[None]):
    """A field, what was found, and what stands around the words of the result under the cursor."""

    def __init__(self, app: KbApp, words: str = "") -> None:
        """`words` are those to begin with."""
        super().__init__(app.keymap)
        self._begin = words
        self.kb, self.kbapp = app.kb, app
        self.results = Results("lines")
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
        self._more = asyncio.Event()  # another page is wanted
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
        return Situation(row=self.row, read_only=self.kbapp.read_only())

    @property
    def row(self) -> DocumentRow | None:
        """The document under the cursor, as the mirror knows it."""
        found = self.results.found
        return self.kb.mirror.row(found.id) if found is not None else None

    def show_lines(self) -> None:
        shown, named = len(self._names), self._named
        look = "key" if self._types else "dim"
        names = f"{shown} of {named} names · " if named > shown else ""
        self._header.show(
            [(" Search", "strong"), (f"  {' or '.join(self._types) or 'everything'}", look)],
            [(names, "dim"), self._state, (" ", "")],
        )
        self.show_footer()

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
            self._names, self._named = self.kb.named(words, NAMES, self._types)
        self._say(*SEARCHING)
        self._search(words)

    @background("search")
    async def _search(self, words: str) -> None:
        if self.kb.mirror.count(ALL) > RANKED_AT_ONCE:
            self._names, self._named = await asyncio.to_thread(self.kb.named, words, NAMES, self._types)
            self._show()
        await asyncio.sleep(PAUSE)
        hits: list[Found] = []
        self._more.clear()
        try:
            async with aclosing(self.kb.found(words, self._types)) as pages:
                async for page, more in pages:
                    self._hits = hits = [*hits, *page]
                    if more:
                        self._say(f"{counted(len(hits), 'document')} and more", "")
                        await self._more.wait()
                        self._more.clear()
        except Error:
            self._hits = hits  # not those of other words
            self._say("the service did not answer", "bad")
            raise
        self._hits = hits
        self._say(counted(len(hits), "document") if hits else "nothing found", "" if hits else "warn")

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

    def do_search_results(self) -> None:
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
            self._snippet.say([] if typed else [[(HINT, "dim")]])
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


class Results(VirtualList):
    """What was found, a document a line: its name, what stands around the words, its type and score."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._found: Sequence[Found] = ()

    @property
    def found(self) -> Found | None:
        """The result under the cursor."""
        return self._found[self.cursor] if self.cursor < len(self._found) else None

    def show(self, found: Sequence[Found]) -> None:
        """Draw these, the cursor on the first, or where the keys are here, on its document."""
        here = self.found if self.led else None
        self._found = found
        at = next((place for place, each in enumerate(found) if here and each.id == here.id), 0)
        self.resize_to(len(found), at)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        found = self._found[index]
        name = min(40, width // 3)
        room = max(0, width - name - 18)
        score = "name" if found.score is None else f"{found.score:.2f}"
        snippet = cut(_around_the_first(found.snippet), room)
        gap = room - sum(cell_len(text) for text, _ in snippet)
        return [
            (f"  {fit(safe(found.name[:400]) or '(no name)', name)}  ", ""),
            *snippet,
            (" " * gap, ""),
            (f" {fit(safe(found.type[:7]), 7)}", "dim"),
            (fit(score, 5, right=True) + " ", "dim"),
        ]


def _around_the_first(snippet: Sequence[tuple[str, bool]]) -> list[Part]:
    """Pieces of a snippet in one line, from a little before the first word that was found."""
    parts: list[Part] = []
    for words, is_hit in snippet:
        text = " ".join(safe(words, newlines=True).split("\n")).replace("\t", " ")
        if not is_hit and not parts and len(text) > LEAD:
            text = "…" + text[-LEAD:]
        parts.append((text, "hit" if is_hit else "dim"))
    return parts
