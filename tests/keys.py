"""A keyboard whose keys come in pieces, each at its time."""

from __future__ import annotations

from collections.abc import Iterable
from unittest.mock import patch

from textual import _parser, events
from textual._xterm_parser import XTermParser
from textual.message import Message

from kbtui.tui.paste import Parser

TICK = 0.01


class Line:
    """What the driver does, with a clock of its own: reads, and ticks that come more often.

    Attributes:
        heard: all that came of it.
    """

    def __init__(self, make: type[XTermParser] = Parser) -> None:
        self.now = 100.0
        self.parser = Parser(clock=lambda: self.now) if make is Parser else make()
        self.heard: list[Message] = []

    def read(self, *pieces: str) -> Line:
        for piece in pieces:
            self._hear(self.parser.feed(piece))
            self._hear(self.parser.tick())
        return self

    def wait(self, seconds: float) -> Line:
        steps = min(round(seconds / TICK), 50)
        for _ in range(steps):
            self.now += seconds / steps
            self._hear(self.parser.tick())
        return self

    def _hear(self, messages: Iterable[Message]) -> None:
        with patch.object(_parser, "get_time", lambda: self.now):
            self.heard += messages

    @property
    def keys(self) -> list[str]:
        return [event.key for event in self.heard if isinstance(event, events.Key)]

    @property
    def pasted(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, events.Paste)]


def heard(*pieces: str) -> Line:
    """What comes of pieces that are read at once, one after another."""
    return Line().read(*pieces)
