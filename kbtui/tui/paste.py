"""What comes from the terminal, where Textual needs help: pastes arrive whole, and no byte does harm.

Textual looks for key sequences inside a paste, too: one that holds an escape would press keys, and one whose
end arrives in two pieces would swallow every key that follows. It waits a tenth of a second for the rest of a
sequence, which is short on a slow line. And it takes the answers to some questions for keys.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

from kbtui.terminal import over_a_link

START, END = "\x1b[200~", "\x1b[201~"

STUCK = 2.0  # seconds of silence after which the end of a paste will not come any more
BROKEN = 5.0  # seconds after which the rest of a sequence will not
SLOWEST = 0.5  # seconds that an Escape waits at most for the rest of a sequence, on the slowest line
LATE = 1.0  # seconds after an Escape within which the rest of its sequence is still known for what it is
BURST = 0.05  # seconds between bytes that one key sends, on a line that is not slow

# Sequences, without the escape that begins them: those that end in a letter, answers of any length, and keys.
_CODE = r"\[(?:\?[\d;]*\$?|[<=>]?[\d;:-]*)"
_STRING = r"(?:\]\d|P[\d>!]|_G)[^\x07\x1b]"
_LETTER = r"O[A-DFHP-S]"
# What is only begun where it ends here; what goes on with an escape that came before, soon or late.
_BEGUN = re.compile(rf"\x1b?\x1b(?:{_CODE}|[]OP_]|{_STRING}{{0,4096}}\x1b?)?\Z")
_REST = re.compile(rf"\Z|{_CODE}(?:[A-Za-z~]|\Z)|{_LETTER}|[]OP_]\Z|{_STRING}*")
_LATE = re.compile(rf"\[200~|(?:{_CODE}[A-Za-z~]|{_LETTER}|{_STRING}*(?:\x07|\x1b\\))(?=\x1b|\Z)")
_KEY = re.compile(r"\x1b(?:\[[\d;:]*[A-HPQSZu~]|O[ -~])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # prints nothing
_ASIDE = re.compile(r"(?:\x1b\[(?:<[\d;-]+[Mm]|[IO]|\d+;\d+R))+")  # of the mouse, the focus, the cursor
_OWN = re.compile(  # answers, what Textual would take for no sequence since it is long, characters with Alt
    r"\x1b\]11;rgba?:(?P<ground>[\da-fA-F/]+)(?:\x07|\x1b\\)|\x1b\[\?69;(?P<sides>\d)\$y"
    r"|\x1b\[>(?P<kind>\d+)[\d;]*c"
    rf"|\x1b{_STRING}*(?:\x07|\x1b\\)?|\x1b\[(?:[?>=][\d;]*|[\d;:]{{30,}})[A-Za-z]|(?P<alt>\x1b[^\x1b\[O])"
)
_KITTY = re.compile(r"\x1b\[[\d:]+(?:;[\d:]*)*u")


@dataclass
class Ground(Message):
    """The terminal's answer to a question of `driver.py`: its background, each colour from 0 to 1."""

    red: float
    green: float
    blue: float


class GnuScreen(Message):
    """The terminal's answer that it is GNU screen, which says so to nobody who does not ask."""


class SideMargins(Message):
    """The terminal's answer that it can move a part of its rows (DECLRMM)."""


class Parser(XTermParser):
    """Takes pastes and answers out before anybody looks for keys, and gives on whole sequences only.

    Args:
        clock: seconds; other than the real one in tests.

    Attributes:
        round_trip: seconds that answers of the terminal take; a slow line may pause in the middle of a
            sequence, too.
    """

    def __init__(self, debug: bool = False, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(debug)
        self._clock = clock
        self.round_trip = 0.0
        self._heard = 0.0  # when something came
        self._held = ""  # the beginning of a sequence
        self._begun = 0.0  # when its first character came
        self._slow = False  # it came slower than one key sends it: it may be an Escape and another key
        self._pasted: list[str] | None = None
        self._stuck = False
        self._escaped = -LATE  # when an Escape was given on that may yet have been a beginning
        self._delay = 0.19 if over_a_link() else 0.09  # seconds that an Escape waits; a tick takes 0.1

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # the end of all input
            yield from super().feed(data)
            return
        if _ASIDE.fullmatch(data) and (self._pasted is None or self._stuck):
            yield from self._keys(data)  # what a multiplexer says itself comes in the middle of anything
            return
        before, self._heard = self._heard, self._clock()
        if self._stuck:
            end = "".join(self._pasted or ()) + data
            # A line that goes on with a paste after all brings more than one character.
            typed = len(data) == 1 and not (len(end) > 1 and END.startswith(end))
            if typed or _KEY.fullmatch(data) or data.startswith(START):
                self._pasted = None
            self._stuck = False
        if self._heard - self._escaped < LATE and _LATE.match(data):
            data = "\x1b" + data
        self._escaped = -LATE
        self._slow = bool(self._held) and (self._slow or self._heard - before > BURST)
        self._begun = self._begun if self._held else self._heard
        data, self._held = self._held + data, ""
        if self._slow and not _REST.match(key := data.lstrip("\x1b")):
            yield from self._alone(data[: -len(key)])
            data = key
        while data:
            if self._pasted is not None:
                data = self._paste(data)
                if self._pasted and self._pasted[-1] == END:
                    yield _paste("".join(self._pasted[:-1]))
                    self._pasted = None
                continue
            keys, start, data = data.partition(START)
            if start:
                self._pasted = []
            elif begun := _BEGUN.search(keys):
                keys, self._held = keys[: begun.start()], begun.group()
            yield from self._keys(keys)
            if start:
                yield from self._alone()

    @property
    def waits(self) -> bool:
        """Whether time alone may bring something: `tick` has to be called then."""
        return bool(self._held) or self._pasted is not None or self._timeout_time is not None

    def tick(self) -> Iterable[Message]:
        silence = self._clock() - self._heard
        if self._pasted is not None and silence >= STUCK:
            # Where it goes on after all, the rest is another paste. Until then a key ends it.
            text = "".join(self._pasted)
            end = next(size for size in reversed(range(len(END))) if text.endswith(END[:size]))
            self._pasted = [END[:end]]
            if len(text) > end:
                yield _paste(text[: len(text) - end])
            self._stuck = True
        if self._held and (silence >= self._patience() or self._clock() - self._begun >= BROKEN):
            held, self._held = self._held, ""
            if not held.strip("\x1b"):
                self._escaped = self._clock()
                yield from self._alone(held)
            elif len(held) == 2:  # Alt with a character that also begins sequences, or both one by one
                for keys in held if self._slow else (held,):
                    yield from self._alone(keys)
        yield from super().tick()

    def _patience(self) -> float:
        """Seconds that the rest of what is held is waited for: more, the less it looks like a key."""
        delay = max(self._delay, min(self.round_trip, SLOWEST))
        if not self._held.strip("\x1b"):
            return delay
        return 5 * delay if len(self._held) == 2 else BROKEN

    def _paste(self, data: str) -> str:
        """Take a piece of a paste; what follows its end. With the end, `END` is the last of the pieces."""
        assert self._pasted is not None
        tail = self._pasted.pop() if self._pasted else ""
        # The end may have begun in the piece before.
        text, end, rest = (tail[-len(END) :] + data).partition(END)
        self._pasted += [tail[: -len(END)], text, *([end] if end else [])]
        return rest

    def _keys(self, keys: str) -> Iterable[Message]:
        """Give on what is no paste."""
        if _KITTY.search(keys):
            self._delay = LATE  # on such terminals the Escape key is a sequence, too
        done = 0
        for found in _OWN.finditer(keys):
            yield from self._alone(keys[done : found.start()])
            done = found.end()
            yield from self._alone(found["alt"]) if found["alt"] else _told(found)
        if keys[done:]:
            yield from super().feed(keys[done:])

    def _alone(self, keys: str = "") -> Iterable[Message]:
        """Give on what nothing follows that belongs to it; Textual would wait, or take it for two keys."""
        if keys:
            yield from super().feed(keys)
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from super().tick()

    # Where Textual takes what no terminal sends for a fault of its own

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        try:
            found = list(super()._sequence_to_key_events(sequence, alt))
            "".join(key.character or "" for key in found).encode()
            # A line end, where a paste comes as it is; terminals send another one for the key.
            found = [events.Key("enter", "\r") if key.key == "ctrl+j" else key for key in found]
        except (ValueError, OverflowError):  # codes of no character
            found = [events.Key(Keys.Ignore, sequence)]
        return found

    def parse_mouse_code(self, code: str) -> Message | None:
        with suppress(ArithmeticError):  # a terminal whose cells have no size
            return super().parse_mouse_code(code)
        return None


def _paste(text: str) -> events.Paste:
    return events.Paste(text.replace("\x00", ""))


def _told(answer: re.Match[str]) -> Iterable[Message]:
    """What an answer says, if it was asked for."""
    colours = (answer["ground"] or "").split("/")[:3]
    if len(colours) == 3 and all(colours):
        yield Ground(*(int(colour, 16) / (16 ** len(colour) - 1) for colour in colours))
    if answer["kind"] == "83":
        yield GnuScreen()
    if answer["sides"] in ("1", "2"):
        yield SideMargins()


def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """What decodes the keyboard: a byte that is no UTF-8 is a character nobody typed, and no end of kbtui."""
    return partial(codecs.getincrementaldecoder(encoding), "replace")
