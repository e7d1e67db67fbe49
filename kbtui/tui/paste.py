"""What comes from the terminal, where Textual needs help: pastes arrive whole, and no byte does harm.

Textual looks for key sequences inside a bracketed paste, too: one that holds an escape would press keys, and
one whose end arrives in two pieces would swallow every key that follows.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from functools import partial

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"
_BEGUN = tuple(START[:length] for length in (5, 4, 3))  # shorter ones may be the Escape key, or wait for more


class Parser(XTermParser):
    """Takes pastes out, verbatim, before anybody looks for keys."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._held = ""  # the beginning of what may become a paste
        self._pasted: str | None = None

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # the end of all input
            yield from super().feed(data)
            return
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is not None:
                pasted, end, data = (self._pasted + data).partition(END)
                self._pasted = None if end else pasted
                if end:
                    yield events.Paste(pasted.replace("\x00", ""))
                continue
            keys, start, data = data.partition(START)
            if start:
                self._pasted = ""
            else:
                self._held = next((begun for begun in _BEGUN if keys.endswith(begun)), "")
                keys = keys.removesuffix(self._held)
            if keys:
                yield from super().feed(keys)


def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """What decodes the keyboard: a byte that is no UTF-8 is a character nobody typed, and no end of kbtui."""
    return partial(codecs.getincrementaldecoder(encoding), "replace")


def install() -> None:
    """Have Textual read the keyboard this way."""
    for name, ours in (("XTermParser", Parser), ("getincrementaldecoder", decoder)):
        assert hasattr(linux_driver, name), "Textual reads the keyboard in another way now"
        setattr(linux_driver, name, ours)
