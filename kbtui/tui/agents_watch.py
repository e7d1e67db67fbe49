"""Keeps known how many agents use what is on the screen, where that column is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from kbtui.errors import Error

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen


class AgentsWatch:
    """Asks for what is on the screen once that rests, one request at a time."""

    def __init__(self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object]) -> None:
        self._screen, self._app, self._kb, self._heard = screen, app, app.kb, heard
        self._seen: Sequence[str] = ()
        self._changes = self._kb.agent_counts.changes
        self._asking: Worker[None] | None = None

    def look(self, seen: Sequence[str]) -> None:
        """These documents are on the screen now; called again and again."""
        self._seen = seen
        self._tell()
        idle = self._asking is None or self._asking.is_finished
        if idle and seen and self._rests() and self._kb.agent_counts.due(seen):
            self._asking = self._screen.run_worker(self._ask, name="agents", group="counting")

    def _rests(self) -> bool:
        rested = time.monotonic() - self._app.last_key
        return self._app.in_touch and self._screen.is_uncovered and rested > 1.5 * self._app.settle

    async def _ask(self) -> None:
        with suppress(Error):  # a question mark tells it
            while self._rests() and await self._kb.count_agents(self._seen):
                self._tell()
        self._tell()

    def _tell(self) -> None:
        changes = self._kb.agent_counts.changes
        if changes != self._changes:
            self._changes = changes
            self._heard()
