"""Keeps known how the indexes of what is on the screen stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from kbtui.errors import Error

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen


class IndexWatch:
    """Asks for what is on the screen once that rests, one request at a time; what is fresh is not asked for.

    Args:
        heard: draws anew what is shown of indexes, as something was heard of them, by whoever asked.
    """

    def __init__(self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object]) -> None:
        self._screen, self._app, self._kb, self._heard = screen, app, app.kb, heard
        self._seen: Mapping[str, int] = {}
        self._models: Sequence[str] = ()
        self._since = 0.0
        self._changes = self._kb.index_states.changes
        self._asking: Worker[None] | None = None

    def look(self, seen: Mapping[str, int], models: Sequence[str] = ()) -> None:
        """These documents are on the screen now, with their last changes; called again and again.

        With `models`, under each of them; else under the first that has an index.
        """
        if seen != self._seen or models != self._models:
            self._seen, self._models, self._since = seen, models, time.monotonic()
        self._tell()
        idle = self._asking is None or self._asking.is_finished
        if idle and self._rests() and self._kb.index_states.due(seen, models) is not None:
            self._asking = self._screen.run_worker(self._ask, name="indexes", group="indexes")

    def _rests(self) -> bool:
        """Nothing has moved for as long as a text waits before it follows the cursor, and more."""
        rested = time.monotonic() - max(self._since, self._app.last_key)
        return self._app.in_touch and self._screen.is_uncovered and rested > 1.5 * self._app.settle

    async def _ask(self) -> None:
        with suppress(Error):  # why is known of each document
            while self._rests() and await self._kb.look_at_indexes(self._seen, self._models):
                self._tell()
        self._tell()

    def _tell(self) -> None:
        changes = self._kb.index_states.changes
        if changes != self._changes:
            self._changes = changes
            self._heard()
