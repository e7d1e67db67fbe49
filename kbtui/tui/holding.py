"""Keys on their way to a screen: while something to type in is about to open, they are held for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual.app import ScreenStackError

from kbtui.commands import TYPING
from kbtui.tui.keyboard import CommandScreen, apart, has_alt

if TYPE_CHECKING:
    from textual.app import App

    Base = App[int]
else:
    Base = object

Held = list[events.Key | events.Paste]


class Holding(Base):
    """What `KbApp` does with keys; a part of it in a file of its own."""

    held: Held | None = None  # what is typed while an editor opens
    away = False  # another program has the terminal, or will have it in a moment
    last_key = 0.0  # when the person pressed it

    def tell(self, sentence: str, look: str = "") -> None:
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.last_key = time.monotonic()
            if self.away:
                return  # typed a moment before another program has the terminal, and meant for it
            parts: Sequence[events.Key | events.Paste] = (event,)
            if self.held is not None and isinstance(event, events.Key) and not self.is_typing():
                parts = apart(event) if has_alt(event) else parts
            for each in parts:
                if self.held is not None and not self._asked():
                    self._hold(each, self.held)
                else:
                    await self.press(each)
            return
        await super().on_event(event)

    async def press(self, event: events.Key | events.Paste) -> None:
        """Give a key or a paste to the screen, whatever is held."""
        screen = self.screen
        if isinstance(event, events.Key) and isinstance(screen, CommandScreen) and await screen.press(event):
            return
        await super().on_event(event)

    def _asked(self) -> bool:
        """Whether a question waits for its answer: keys are for that, whatever else is about to open."""
        return isinstance(self.screen, CommandScreen) and self.screen.asks

    def is_typing(self) -> bool:
        """Whether the keys are for words."""
        screen = self.screen
        return not isinstance(screen, CommandScreen) or screen.here()[0] in TYPING

    def begin_holding(self) -> None:
        """An editor is about to open: what is typed is for it, and so is what was not released yet."""
        self.held = [*(self.held or ())]

    def _hold(self, event: events.Key | events.Paste, held: Held) -> None:
        """An editor is about to open: what is typed meanwhile is meant for it.

        So is an Escape after words; one on its own, and the second after words, gives up waiting.
        """
        if self.is_typing() or not _is_escape(event):
            held.append(event)
        elif held and not _is_escape(held[-1]):
            held.append(event)
            self.tell("Esc comes after what you typed. Once more, it gives the editor up, and these words.")
        else:
            self.workers.cancel_group(self, "edit")
            self.held = None
            self.clear_notifications()  # the editor is not being opened any more
            if held:
                self.tell("Given up, with what you typed for the editor.", "warn")

    def give_up_holding(self) -> None:
        """No editor opens: words typed for it, and those that are still typed, are not commands."""
        if self.held is not None:
            self.held = None
            with suppress(ScreenStackError):  # the app is about to end
                if isinstance(self.screen, CommandScreen):
                    self.screen.take_for_words()

    async def release(self) -> None:
        """Press what was held and what comes meanwhile; behind a key that opens an editor, they wait."""
        held = self.held
        try:
            while held and self.held is held and not self._asked():
                await self.press(held.pop(0))
        finally:
            if self.held is held:
                self.held = None


def _is_escape(event: events.Key | events.Paste) -> bool:
    return isinstance(event, events.Key) and event.key == "escape"
