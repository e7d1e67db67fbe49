"""What comes from the terminal, where Textual needs help: pastes arrive whole, and no byte does harm.

Textual looks for key sequences inside a paste, too: one that holds an escape would press keys, and one whose
end arrives in two pieces would swallow every key that follows. It waits a tenth of a second for the rest of a
sequence, which is short on a slow line. And it takes the answers to some questions for keys.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from kbtui.terminal import over_a_link

START, END = "\x1b[200~", "\x1b[201~"

STUCK = 2.0  # seconds of silence after which the end of a paste will not come any more
BROKEN = 5.0  # seconds after which the rest of a sequence will not
LATE = 1.0  # seconds after an Escape within which the rest of its sequence is still known for what it is
BURST = 0.05  # seconds between bytes that one key sends, on a line that is not slow

_SEQUENCE = r"\x1b(?:\[[0-9;:<=>?]*[ -/]*[@-~]|O[ -~])"
_BEGUN = re.compile(r"\x1b?\x1b(?:\[[0-9;:<=>?]*[ -/]*|O|[]P^_X][^\x07\x1b]{0,200}(?:\x1b)?)?\Z")
_KEY = re.compile(rf"{_SEQUENCE}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # one that prints nothing
_REST = re.compile(r"\[[0-9;:<=>?]*[A-Za-z~]|O[A-Za-z]")
_ANSWER = re.compile(
    r"\x1b\]11;rgba?:(?P<ground>[0-9a-f/]+)(?:\x07|\x1b\\)|\x1b\[\?69;(?P<sides>\d)\$y"
    r"|\x1b[]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)",
    re.I,
)
_KITTY = re.compile(r"\x1b\[[\d:]+(?:;[\d:]*)*u")


@dataclass
class Ground(Message):
    """The terminal's answer to `terminal.GROUND`: its background, each colour from 0 to 1."""

    red: float
    green: float
    blue: float


class SideMargins(Message):
    """The terminal's answer that it can move a part of its rows (DECLRMM)."""


class Parser(XTermParser):
    """Takes pastes and answers out before anybody looks for keys, and gives on whole sequences only.

    Args:
        clock: seconds; other than the real one in tests.
    """

    def __init__(self, debug: bool = False, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(debug)
        self._clock = clock
        self._heard = 0.0  # when something came
        self._held = ""  # the beginning of a sequence
        self._pasted: list[str] | None = None
        self._stuck = False
        self._escaped = -LATE  # when an Escape was given on that may have been a beginning
        self._delay = 0.19 if over_a_link() else 0.09  # seconds that an Escape waits; a tick takes 0.1

    def feed(self, data: str) -> Iterable[Message]:
        now, before = self._clock(), self._heard
        self._heard = now
        if not data:  # the end of all input
            yield from super().feed(data)
            return
        if self._held and not self._held.strip("\x1b") and now - before > BURST and not _REST.match(data):
            yield from self._escapes(self._held)
            self._held = ""
        elif not self._held and now - self._escaped < LATE and _REST.fullmatch(data):
            data = "\x1b" + data
        data, self._held = self._held + data, ""
        if self._stuck and _KEY.fullmatch(data):
            self._pasted = None
        self._stuck = False
        while data:
            if self._pasted is not None:
                data = self._paste(data)
                if self._pasted and self._pasted[-1] == END:
                    yield events.Paste("".join(self._pasted[:-1]).replace("\x00", ""))
                    self._pasted = None
                continue
            keys, start, data = data.partition(START)
            if start:
                self._pasted = []
            elif begun := _BEGUN.search(keys):
                keys, self._held = keys[: begun.start()], begun.group()
            yield from self._keys(keys)

    def tick(self) -> Iterable[Message]:
        silence = self._clock() - self._heard
        if self._pasted is not None and silence >= STUCK:
            # Where it goes on after all, the rest is another paste. Until then a key ends it.
            if self._pasted:
                yield events.Paste("".join(self._pasted).replace("\x00", ""))
                self._pasted.clear()
            self._stuck = True
        if self._held and silence >= self._patience():
            held, self._held = self._held, ""
            if not held.strip("\x1b"):
                yield from self._escapes(held)
            elif len(held) == 2:  # Alt with a character that also begins sequences
                yield from super().feed(held)
        yield from super().tick()

    def _patience(self) -> float:
        """Seconds that the rest of what is held is waited for: more, the less it looks like a key."""
        if not self._held.strip("\x1b"):
            return self._delay
        return 5 * self._delay if len(self._held) == 2 else BROKEN

    def _escapes(self, held: str) -> Iterable[Message]:
        """What was held was no beginning of anything, but the Escape key."""
        self._escaped = self._clock()
        for escape in held:
            yield events.Key("escape", escape)

    def _paste(self, data: str) -> str:
        """Take a piece of a paste; what follows its end. With the end, `END` is the last of the pieces."""
        assert self._pasted is not None
        tail = self._pasted.pop() if self._pasted else ""
        # The end may have begun in the piece before.
        text, end, rest = (tail[-len(END) :] + data).partition(END)
        self._pasted += [tail[: -len(END)], text, *([end] if end else [])]
        return rest

    def _keys(self, keys: str) -> Iterable[Message]:
        done = 0
        for answer in _ANSWER.finditer(keys) if "\x1b" in keys else ():
            if keys[done : answer.start()]:
                yield from super().feed(keys[done : answer.start()])
            done = answer.end()
            yield from _told(answer)
        if keys[done:]:
            if _KITTY.search(keys):
                self._delay = LATE  # on such terminals the Escape key is a sequence, too
            yield from super().feed(keys[done:])


def _told(answer: re.Match[str]) -> Iterable[Message]:
    """What an answer says, if it was asked for."""
    colours = (answer["ground"] or "").split("/")[:3]
    if len(colours) == 3 and all(colours):
        yield Ground(*(int(colour, 16) / (16 ** len(colour) - 1) for colour in colours))
    if answer["sides"] in ("1", "2"):
        yield SideMargins()


def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """What decodes the keyboard: a byte that is no UTF-8 is a character nobody typed, and no end of kbtui."""
    return partial(codecs.getincrementaldecoder(encoding), "replace")


def install() -> None:
    """Have Textual read the keyboard this way."""
    for name, ours in (("XTermParser", Parser), ("getincrementaldecoder", decoder)):
        assert hasattr(linux_driver, name), "Textual reads the keyboard in another way now"
        setattr(linux_driver, name, ours)
