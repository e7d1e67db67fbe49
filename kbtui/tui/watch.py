"""What asks for that which is on the screen: once it rests, and one request at a time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from textual.worker import Worker

from kbtui.errors import Error

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.keyboard import CommandScreen


class Known(Protocol):
    """What is known of documents; `changes` counts how often something was heard."""

    changes: int


class Watch:
    """Keeps something known for a screen.

    Args:
        heard: draws anew what is shown of it, as something was heard, by whoever asked.
        known: what keeps it.
    """

    def __init__(
        self, screen: CommandScreen[Any], app: KbApp, heard: Callable[[], object], known: Known
    ) -> None:
        self._screen, self._app, self._kb, self._heard = screen, app, app.kb, heard
        self._known, self._changes = known, known.changes
        self._since = 0.0  # when something else was looked at
        self._asking: Worker[None] | None = None

    @property
    def _idle(self) -> bool:
        return self._asking is None or self._asking.is_finished

    def _rests(self) -> bool:
        """Nothing has moved for as long as a text waits before it follows the cursor, and more."""
        rested = time.monotonic() - max(self._since, self._app.last_key)
        return self._app.in_touch and self._screen.is_uncovered and rested > 1.5 * self._app.settle

    async def _learn_all(self, ask: Callable[[], Awaitable[bool]]) -> None:
        """Ask until there is nothing more to ask for; what could not be told is known of each document."""
        with suppress(Error):
            while self._rests() and await ask():
                self._tell()
        self._tell()

    def _tell(self) -> None:
        if self._known.changes != self._changes:
            self._changes = self._known.changes
            self._heard()
