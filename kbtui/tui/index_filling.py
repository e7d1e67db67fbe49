"""Asks how the indexes stand of all that a list is filtered by them: who filters by them looks at them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kbtui.errors import Error
from kbtui.filters import but_index
from kbtui.index_states import BATCH, LATEST
from kbtui.rows import Beside, Term, View
from kbtui.tui.watch import Watch
from kbtui.views import Listing

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen

MOST = 10_000  # documents that are asked for, a hundred at a time; who has more narrows the scope
KNOWN = Term("index", "known")


class IndexFilling(Watch):
    """Batch by batch in the order of the list, one request at a time, as long as nothing else is done.

    Attributes:
        known: of how many documents it is known how their indexes stand.
        of: how many documents there are to know it of; None before they were counted.
    """

    def __init__(self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object]) -> None:
        super().__init__(screen, app, heard, app.kb.index_states)
        self.known = 0
        self.of: int | None = None
        self._view: View | None = None
        self._done: tuple[View, int, int] | None = None  # for what there was nothing left to ask
        self._again = 0.0  # when to look again at what is being built

    def look(self, view: View | None) -> None:
        """This is filtered by indexes now, or nothing is; called again and again."""
        if view is None or self._view is None or but_index(view) != but_index(self._view):
            self.known, self.of = 0, None
        self._view = view
        if view is None or not self._rests():
            return
        if self._done == self._state(view) and time.monotonic() < self._again:
            return
        if self._idle:
            self._asking = self._screen.run_worker(self._ask(view), name="filling", group="indexes")

    def _state(self, view: View) -> tuple[View, int, int]:
        return but_index(view), self._kb.mirror.version, self._kb.index_states.changes

    def _goes_on(self, view: View) -> bool:
        return self._rests() and self._view is not None and but_index(self._view) == but_index(view)

    async def _ask(self, view: View) -> None:
        documents = await self._count(view)
        with suppress(Error):  # why is known of each document
            for start in range(0, min(len(documents), MOST), BATCH):
                if not await self._learn(view, documents, start):
                    return
        await self._count(view)
        self._done, self._again = self._state(view), time.monotonic() + LATEST

    async def _count(self, view: View) -> Listing:
        """All documents that the filter might be about, and of how many it is known already."""
        kb, every = self._kb, but_index(view)
        marked, known = kb.beside(every).marked, kb.index_states.having(lambda word: True)
        listing = await asyncio.to_thread(kb.mirror.listing, every, Beside(marked))
        told = every._replace(terms=(*every.terms, KNOWN))
        found = await asyncio.to_thread(kb.mirror.listing, told, Beside(marked, known))
        wanted = self._view is not None and but_index(self._view) == every
        if wanted and (self.known, self.of) != (len(found), len(listing)):
            self.known, self.of = len(found), len(listing)
            self._screen.show_lines()
        return listing

    async def _learn(self, view: View, documents: Listing, start: int) -> bool:
        """Ask for one batch of them, as far as it is not known; False where that is not wanted any more."""
        states = self._kb.index_states
        rows = self._kb.mirror.window(documents, start, start + BATCH)
        words = {row: states.word(row.id, row.updated) for row in rows}
        wanted = {row.id: row.updated for row, word in words.items() if word in ("", "building")}
        new = {row for row, word in words.items() if not word}
        while wanted and self._goes_on(view) and await self._kb.look_at_indexes(wanted):
            told = {row for row in new if states.word(row.id, row.updated)}
            self.known, new = self.known + len(told), new - told
            self._heard()
        await asyncio.sleep(0)
        return self._goes_on(view)
