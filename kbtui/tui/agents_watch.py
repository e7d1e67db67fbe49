"""Keeps known how many agents use what is on the screen, where that column is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kbtui.tui.watch import Watch

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen


class AgentsWatch(Watch):
    """Asks how many agents use what is on the screen."""

    def __init__(self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object]) -> None:
        super().__init__(screen, app, heard, app.kb.agent_counts)
        self._seen: Sequence[str] = ()

    def look(self, seen: Sequence[str]) -> None:
        """These documents are on the screen now; called again and again."""
        self._seen = seen
        self._tell()
        if self._idle and seen and self._rests() and self._kb.agent_counts.due(seen):
            self._asking = self._screen.run_worker(self._ask, name="agents", group="counting")

    async def _ask(self) -> None:
        await self._learn_all(lambda: self._kb.count_agents(self._seen))
