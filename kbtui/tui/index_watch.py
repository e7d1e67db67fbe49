"""Keeps known how the indexes of what is on the screen stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kbtui.tui.watch import Watch

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen


class IndexWatch(Watch):
    """Asks how the indexes of what is on the screen stand; what is fresh is not asked for."""

    def __init__(self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object]) -> None:
        super().__init__(screen, app, heard, app.kb.index_states)
        self._seen: Mapping[str, int] = {}
        self._models: Sequence[str] = ()

    def look(self, seen: Mapping[str, int], models: Sequence[str] = ()) -> None:
        """These documents are on the screen now, with their last changes; called again and again.

        With `models`, under each of them; else under the first that has an index.
        """
        if seen != self._seen or models != self._models:
            self._seen, self._models, self._since = seen, models, time.monotonic()
        self._tell()
        if self._idle and self._rests() and self._kb.index_states.due(seen, models) is not None:
            self._asking = self._screen.run_worker(self._ask, name="indexes", group="indexes")

    async def _ask(self) -> None:
        await self._learn_all(lambda: self._kb.look_at_indexes(self._seen, self._models))
