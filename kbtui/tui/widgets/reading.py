"""The reading pane: the text of one document, what is known of it, or who uses it, under its tabs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from kbtui.content import safe, to_markdown
from kbtui.errors import Error, Offline
from kbtui.placing import Snippet, Spot, found_at
from kbtui.rows import FOLDER, Body, DocumentRow, Found
from kbtui.tui.widgets.document_view import DocumentView, Place
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.hits import any_of, as_typed
from kbtui.tui.widgets.line import Line, Part, cells, joined
from kbtui.tui.widgets.users import user_lines

if TYPE_CHECKING:
    from kbtui.agents import User
    from kbtui.knowledge_base import KnowledgeBase

TABS = ("text", "info", "agents")
MODES = ("rendered", "source", "plain")  # of a text; plain are its words without mark-up
SHOWN = 400  # characters of a path
SLOW = 0.4  # seconds from which on it is told that a text is on its way


class Reading(Vertical):
    """Shows a document; what to show is handed in, what is missing is fetched."""

    @dataclass
    class TabClicked(Message):
        """This tab is wanted."""

        tab: str

    class Seen(Message):
        """It came into view, and what nobody was asked while nobody looked is missing."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.row: DocumentRow | None = None
        self.tab = "text"
        self.mode = MODES[0]
        self.finding = ""  # words that are looked for in what is shown
        self.busy = False  # the text under the tab line is not yet the one that it names
        self.name_shown = True
        self.place = ""  # the folder of the document, as a path
        self.edited: frozenset[str] = frozenset()  # documents with a draft
        self.view = DocumentView("view")
        self._tabs = Line("tabs")
        self._body: Body | None = None
        self._drawn = ""  # the mode in which it is shown
        self._left: Place | None = None  # where one was in it before a look at what else is known
        self._slow = False
        self._sought = Found("", "", "")  # what a search found, and as what
        self._typed = ""
        self.refresh_key = ""
        self._users: dict[str, tuple[float, list[User]]] = {}  # of documents, and when that was asked
        self._told: object = None  # which of these is shown
        self._missing = False  # what is looked at was not asked for: nobody looked

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self.view

    def on_mount(self) -> None:
        for what in ("scroll_y", "virtual_size"):
            self.watch(self.view, what, self.show_tabs, init=False)
        self.view.heard = self.show_tabs

    def on_resize(self) -> None:
        self.show_tabs()

    @property
    def open_tab(self) -> str:
        """The tab of what is shown: a folder has no text, what is known of it is shown instead."""
        return self.tab if self.tab in self.tabs else "info"

    @property
    def tabs(self) -> Sequence[str]:
        """The tabs that there is something under."""
        return TABS[1:] if self.row is not None and self.row.type == FOLDER else TABS

    async def show(self, kb: KnowledgeBase, row: DocumentRow | None, *, again: bool = False) -> None:
        """Show a document, from the mirror if its text is there, else from the service.

        `again` keeps the place in the text. An `errors.Error` is shown where the text would be.
        """
        if self.row is None or row is None or row.id != self.row.id:
            self._left = None
        elif self._body is not None and not self.view.is_laying:
            self._left = self.view.where() or self._left
        self.row = row
        if self.tab != "text":
            self._drawn = ""  # what is shown now is no text
        again = again and not self.busy  # what was cut in the middle begins anew
        self.busy = True
        self.place = kb.place(row.id) if row else ""
        self.show_tabs()
        slow = self.say_if_slow()
        try:
            await self._show(kb, row, again)
        finally:
            slow.stop()
            self._slow = False
        self.busy = False
        self.show_tabs()  # marks may be others where nothing else is

    def say_if_slow(self) -> Timer:
        """Tell that something is on its way, if it takes long."""
        return self.set_timer(SLOW, self._say_slow)

    def _say_slow(self) -> None:
        self._slow = True
        self.show_tabs()

    async def _show(self, kb: KnowledgeBase, row: DocumentRow | None, again: bool) -> None:
        self._missing = False
        if row is None:
            self._body = None
            self.view.say([[(" Nothing is selected.", "dim")]])
        elif self.tab == "agents":
            await self._show_agents(kb, row, again)
        elif self.open_tab == "info":
            from kbtui.tui.widgets.facts import column, known, shown

            table = await asyncio.to_thread(known, kb, row, self._agents(row))
            self.view.say(shown(table), hang=2 + column(table))
        else:
            await self._show_text(kb, row, again)
            return
        if self.finding:
            self.view.find(as_typed(self.finding), None if again else 0)

    async def _show_text(self, kb: KnowledgeBase, row: DocumentRow, again: bool) -> None:
        kept = kb.kept_body(row)
        if kept is None and not again:
            self.view.say([[(" ", "")], [(" Fetching the text …", "dim")]])
        try:
            body = kept or await kb.read(row.id)
        except Error as error:
            old = kb.mirror.body(row.id) if isinstance(error, Offline) else None
            if old is None:
                self._body = None
                self.view.say([[("", "")], [(f" ✕ {safe(error.sentence)}", "bad")]])
                return
            body = old  # it is marked as old in the tab line
        same = self._body is not None and self._body.document == body.document
        if again and self._body == body and self._drawn == self.mode:
            return
        self._body = body
        self.show_tabs()
        await self._draw(body, keep_place=again and same)

    async def _show_agents(self, kb: KnowledgeBase, row: DocumentRow, again: bool) -> None:
        """The agents that use it, as they were told at the first look at them."""
        if not self.display or not self.screen.is_uncovered:  # type: ignore[attr-defined]
            self._missing = True
            return
        if row.id not in self._users:
            self.view.say([[("", "")], [("  Asking which agents use it …", "dim")]])
            try:
                self._users[row.id] = (time.time(), await kb.agents_of(row.id))
            except Error as error:
                self.view.say([[("", "")], [(f"  ✕ {safe(error.sentence)}", "bad")]], hang=4)
                return
        at, users = self._users[row.id]
        if again and self._told is users:
            return
        self._told = users
        asked = f"asked at {time.strftime('%H:%M', time.localtime(at))}; {self.refresh_key} asks again"
        above = [folder.id for folder in kb.mirror.path(row.id)]
        self.view.say(user_lines(users, above, partial(_path, kb), asked), hang=6)

    def _agents(self, row: DocumentRow) -> str:
        """What is known of the agents that use a document, in words."""
        if row.id not in self._users:
            return "not asked yet: press A"
        at, users = self._users[row.id]
        return f"{counted(len(users), 'agent')} at {time.strftime('%H:%M', time.localtime(at))}"

    def forget(self) -> None:
        """What was told of agents is old."""
        self._users.clear()

    def on_show(self) -> None:
        self.look()

    def look(self) -> None:
        """Somebody may look now, who did not before."""
        if self._missing:
            self.post_message(self.Seen())

    def seek(self, found: Found, typed: str) -> None:
        """Mark what was found in a document, wherever it is shown, and begin where these words stand."""
        self._sought, self._typed, self.finding = found, typed, ""
        self._body = self._left = None  # what is shown already is drawn anew

    def spot(self, row: DocumentRow) -> Spot | None:
        """What of the text of a document is in view, or will be; None for its beginning."""
        if self.row != row or self.busy or self.tab != "text" or self._body is None:
            return Spot(self._sought.snippet, self._typed) if self._sought.id == row.id else None
        hit, view = self.view.hit_in_view, self.view
        return Spot(passage=view.words_in_view, words=hit) if hit or view.scroll_y else None

    def find(self, words: str, row: int | None = None) -> None:
        """Mark words in what is shown, and go to the first of them in a row or behind it, if one is named.

        For no words, what a search found is marked again.
        """
        self.finding = words.strip()
        self.view.find(self._marks() if self.finding or self.tab == "text" else None, row)

    def _marks(self) -> re.Pattern[str] | None:
        """What is marked in the text: what is looked for in it, else what a search found there."""
        snippet, typed = self._found()
        words = [piece for piece, is_hit in snippet if is_hit]
        together = [typed] if words and " " in typed else []  # one word may have been found by another
        return as_typed(self.finding) if self.finding else any_of([*words, *together])

    def _found(self) -> tuple[Snippet, str]:
        """The snippet that a search found in the document that is shown, and what was typed for it."""
        here = self._body is not None and self._sought.id == self._body.document
        return (self._sought.snippet, self._typed) if here else ((), "")

    async def _draw(self, body: Body, *, keep_place: bool) -> None:
        snippet, typed = self._found()
        begin = None if self.finding else partial(found_at, snippet=snippet, typed=typed)
        self.view.mark(self._marks(), begin)
        mode = self.mode
        if not body.text.strip():
            self.view.say([[("", "")], [(" No words. ", "strong"), ("The document holds no text.", "dim")]])
        else:
            show = self.view.show_markdown if mode == "rendered" else self.view.show_source
            text = await asyncio.to_thread(self.shown_of, body, mode)
            here = self.view.where() if keep_place else None
            await show(text, place=here or self._left)
        self._drawn, self._left = mode, None

    def shown_of(self, body: Body, mode: str) -> str:
        """The text that is shown of a body in a mode, safe to be drawn. For a thread: it may take seconds."""
        if mode == "source":
            return safe(body.text, newlines=True)
        redraw = partial(self.app.call_later, self.app.do_screen_redraw)  # type: ignore[attr-defined]
        text = safe(to_markdown(body.text, body.format, broke=redraw), newlines=True)
        if mode == "rendered":
            return text
        from kbtui.tui.markdown import plain_words

        return plain_words(text)

    @on(Line.Clicked, "#tabs")
    def _clicked(self, event: Line.Clicked) -> None:
        end = 0
        for tab in TABS:
            begin, end = end, end + len(tab) + 3
            if begin <= event.x < end:
                self.post_message(self.TabClicked(tab))

    def show_tabs(self) -> None:
        """Say what is shown, where it is, and whether the keys are here.

        Where there is no room for all of it, how the text is shown goes first, then the folder.
        """
        led = self.is_attached and self.screen.focused is self.view  # `has_focus` hears of it later
        left = [part for tab in TABS for part in _tab(tab, is_open=tab == self.open_tab, led=led)]
        place: list[Part] = []
        if self.row is not None and self.name_shown:
            left.append((f" {safe(self.row.name[:200])}", "strong"))
            place = [(f"  {safe(self.place)}", "dim")] if self.place else []
        self._slow = self._slow and (self.busy or self.view.is_laying)
        state, manner, way = self._state(), self._manner(), self._way()
        right = joined([*state, *manner, *way])
        room = (self.size.width or SHOWN) - cells(left) - 1
        if cells(place) + cells(right) > room:
            right = joined([*state, *way])
        if cells(place) + cells(right) > room:
            place = []
        self._tabs.show([*left, *place], right)

    def _state(self) -> list[Part]:
        """How it stands with the document that is shown."""
        row, body = self.row, self._body
        facts: list[Part] = []
        if row is not None:
            facts += [("● draft", "warn")] if row.id in self.edited else []
            facts += [("read-only", "warn")] if row.lock and row.type != FOLDER else []
            if self._is_text and body is not None and body.updated < row.updated:
                facts.append(("as read before it was changed", "warn"))
        return facts

    def _manner(self) -> list[Part]:
        """How its text is shown."""
        if self._body is None or not self._is_text:
            return []
        whole: list[Part] = [] if self.view.wrap else [("not wrapped", "dim")]
        return [(f"{safe(self._body.format)} {self.mode}", "dim"), *whole]

    def _way(self) -> list[Part]:
        """What is on its way, the hit that was gone to, and how far down it is scrolled."""
        if self.row is None:
            return []
        facts: list[Part] = [("…", "dim")] if self._slow else []
        if self.view.hit:
            facts.append((self.view.hit, "key"))
        elif self.finding:
            facts.append(("no hit", "warn"))
        if self.view.place:
            facts.append((f"{self.view.place:<5}", ""))  # as wide at every place: the rest stays put
        return facts

    @property
    def _is_text(self) -> bool:
        """Whether what is shown is the text of the document."""
        body, row = self._body, self.row
        return body is not None and row is not None and body.document == row.id and self.tab == "text"


def _tab(tab: str, *, is_open: bool, led: bool) -> list[Part]:
    """The name of a tab, as wide in every state."""
    if is_open and led:
        return [(f"▸ {tab} ", "cursor")]
    return [("  ", ""), (tab, "tab" if is_open else "dim"), (" ", "")]


def _path(kb: KnowledgeBase, id: str) -> str:
    """A folder with those above it."""
    row = kb.mirror.row(id)
    if row is None:
        return f"{safe(id[:SHOWN])}, which is not in the list"
    return safe(" / ".join(filter(None, (kb.place(id), row.name)))[:SHOWN])
