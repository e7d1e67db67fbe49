"""Follows the service in the background: sweep, look again, and say how it stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from math import ceil

from rich.cells import cell_len

from kbtui.content import safe
from kbtui.errors import Busy, Error, Failure, MissingPermission, Offline, Unauthorized, failure_of
from kbtui.knowledge_base import KnowledgeBase
from kbtui.rows import ALL, Progress, View
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Part, cells

POLL = 20.0  # seconds between looks at the service
OLD = 30.0  # seconds after which a person who comes back is shown what is new at once
SWEEP = 900.0  # seconds after which everything is compared again
WIDE, BRIEF = 1_000, 40  # cells: room for everything, and for a few words
SILENT = 5.0  # seconds without an answer from which on that is told
FIRST_RETRY, LAST_RETRY = 2.0, 60.0  # seconds to wait after the service could not be reached

WORDS = (
    (MissingPermission, "not allowed"),
    (Unauthorized, "key refused"),
    (Offline, "offline"),
    (Busy, "busy"),
)
"""What is the matter, in a word or two; anything else is a fault of the service."""

Tell = Callable[[str, str], None]


class Follower:
    """What the service says, brought to the mirror for as long as the app lives.

    Args:
        focus: what is looked at now; it is asked for first.
        tell: shows a sentence to the person.
    """

    def __init__(self, kb: KnowledgeBase, focus: Callable[[], View], tell: Tell) -> None:
        self._kb = kb
        self._focus = focus
        self._tell = tell
        self._again = asyncio.Event()
        self._progress: Progress | None = None
        self._trouble: Error | None = None
        self._retry_at = self._look_at = 0.0  # when it is tried again, or looked again
        self._swept = self._looked = 0.0
        self._all = True  # compare everything, not only what is new
        self._asking: asyncio.Future[None] | None = None  # a round under way
        self._afresh = False  # it was cut off to be begun again
        self._stopped = False
        self._told = ""  # the fault that the person was told of before this look
        self.halted = False  # a look was broken off
        self.failed: tuple[float, Failure] | None = None  # the last look that did, and when

    async def run(self) -> None:
        """Sweep, then look again and again; after a fault wait, say so, and go on. Never returns."""
        delay = FIRST_RETRY
        pause: float | None  # None: until the person asks
        while True:
            self._again.clear()
            self.halted = False
            self._asking = asyncio.ensure_future(self._round())
            try:
                await self._asking
                delay, pause, self._stopped = FIRST_RETRY, POLL, False
                self._look_at = time.time() + POLL
            except Error as error:
                pause = None if isinstance(error, Unauthorized) else delay
                self._unwell(error, pause)
                delay = min(delay * 2, LAST_RETRY)
            except asyncio.CancelledError:
                if self._afresh:
                    self._afresh = False
                    continue
                if not self.halted:
                    raise
                self._all, pause = True, None
            finally:
                self._asking = None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), pause)
            while self._stopped:
                self._again.clear()
                await self._again.wait()

    def refresh(self) -> None:
        """Ask for everything again, now; what else waits for the service goes on to wait."""
        self._all = True
        if self._asking is not None and self._kb.waiting is not None:
            self._afresh = self._asking.cancel()
        self.look()

    def look(self, told: str = "") -> None:
        """Ask for what is new, now; of one fault the person was `told` a moment ago."""
        self._stopped, self._told = False, told
        self._again.set()

    def come_back(self) -> None:
        """The person is back: look, if the last look is old and they did not call it off."""
        called_off = self._stopped or self.halted
        if self._asking is None and not called_off and time.monotonic() - self._looked > OLD:
            self.look()

    def stop(self) -> None:
        """Wait no longer; where the look at the service failed, try no more until the person asks."""
        if self._kb.waiting is not None:
            self._kb.waiting.cancel()
        self._retry_at = 0.0
        if self._asking is not None or self._trouble is not None:
            self._stopped = True
            self._again.set()

    @property
    def busy(self) -> bool:
        """Whether the service is being looked at, or is to be tried again."""
        return self._asking is not None or self._trouble is not None

    def halt(self) -> None:
        """Break off the look at the service, or the wait for another one, until the person asks."""
        if self._asking is not None and self._kb.waiting is None:
            self.halted = self._asking.cancel()
        else:
            self.stop()

    async def _round(self) -> None:
        now = time.monotonic()
        due, self._all = self._all or now - self._swept > SWEEP, False
        try:
            async with aclosing(self._kb.sweep(self._focus()) if due else self._kb.poll()) as pass_:
                async for progress in pass_:
                    if progress.step != "focus":  # nothing was answered yet
                        self._progress, self._trouble, self._told = progress, None, ""
        except Error:
            self._all |= due
            raise
        if due:
            self._swept = now
        self._looked = time.monotonic()
        for lost in await self._kb.overwritten():
            self._tell(
                f"“{lost.name[:80]}” no longer holds what you saved: somebody saved over it. "
                "Your words are a draft again; gd opens it, and saving it offers to merge.",
                "warn",
            )

    def _unwell(self, error: Error, pause: float | None) -> None:
        before = self._told if self._trouble is None else self._trouble.sentence
        news, self._told = error.sentence != before, ""
        self._trouble, self.failed = error, (time.time(), failure_of(error))
        self._retry_at = time.time() + pause if pause and not self._stopped else 0.0
        if news:
            self._tell(error.sentence, "bad")

    def _next_try(self, key: str = "R") -> str:
        """When the next try is, or the key for it.

        A time and no countdown: while nothing happens, nothing is sent to the terminal.
        """
        if self._asking is not None or 0 < self._retry_at < time.time():
            return "trying again"
        tries = f"{key} tries again" if key else ""
        return f"again at {_clock(self._retry_at)}" if self._retry_at else tries

    @property
    def in_touch(self) -> bool:
        """Whether the service answers, and nothing waits to be tried again or is."""
        waits = self._kb.waiting is not None or self._kb.trying is not None
        return self._progress is not None and self._trouble is None and not waits

    @property
    def trouble(self) -> str:
        """Why the last look at the service failed, and when the next one is, or "" where all is well."""
        if self._trouble is None:
            return ""
        return f"{self._trouble.sentence.rstrip('.')}. {_capital(self._next_try())}."

    def _countdown(self, key: str, room: int) -> list[str]:
        """What is waited for, and how long, in at most `room` cells if it can be said in so few.

        `key` stops it; "" where none is to be told. Nothing where nothing is waited for, nor tried again.
        """
        waiting, trying = self._kb.waiting, self._kb.trying
        if waiting is None:
            return [_word(trying.kind), "trying again"] if trying is not None else []
        wait = waiting.next
        if (left := wait.until - time.monotonic()) <= 0:
            return [_word(wait.kind), "trying again"]
        again = f"again in {ceil(left)} s{f' ({key} stops)' if key else ''}"
        why = f"{safe(wait.reason).partition('. ')[0].rstrip('.')} · {again}"
        return [why] if cell_len(why) <= room else [_word(wait.kind), again]

    def amiss(self, key: str, room: int = WIDE, *, retry: str = "R") -> list[Part]:
        """What is the matter with the line, then when it is tried again; nothing where all is well.

        `key` stops a countdown, `retry` tries again at once; "" where no key is to be told.
        """
        waits = self._trouble is None or self._kb.waiting is not None
        if waits and (countdown := self._countdown(key, room)):
            return [(words, "warn") for words in countdown]
        if self._trouble is not None:
            again = self._next_try(retry)
            return [(_word(type(self._trouble)), "bad"), *([(again, "warn")] if again else [])]
        if (silent := self._kb.silent) >= SILENT:
            return [(f"no answer for {int(silent)} s", "warn")]
        return []

    def status(self, key: str, room: int = WIDE) -> list[Part]:
        """Sweep and line, in at most `room` cells if it can be said in so few; `key` stops a countdown."""
        if self._kb.drafts.trouble:
            return [(f"drafts are not safe: {self._kb.drafts.trouble}", "bad")]
        if amiss := self.amiss(key, room):
            whole = _dotted([amiss[0], ("as seen last", "warn"), *amiss[1:]])
            old = amiss[0][1] == "bad" and self._kb.mirror.count(ALL)
            return whole if old and cells(whole) <= room else _dotted(amiss)
        if self.halted:
            return [("not up to date · R goes on", "warn")]
        progress = self._progress
        if progress is None:
            return [("connecting", "dim")]
        if progress.complete:
            return [("online", "good")]
        of = f" of {count(progress.total)}" if progress.total else ""
        return [(f"sweep {count(progress.seen)}{of} · ", "dim"), ("online", "good")]

    def doing(self) -> Part:
        """What it does now, or when it looks again, and how that looks; while it asks, whatever waits."""
        progress, asking = self._progress, self._asking is not None
        if asking and (countdown := self._countdown("", BRIEF)):
            return " · ".join(countdown), "warn"
        if self._trouble is not None:
            return f"{_word(type(self._trouble))} · {self._next_try()}", "bad"
        if self.halted:
            return "cancelled · R goes on", "warn"
        if progress is None:
            return "connecting", ""
        if not asking:
            return f"done, looks again at {_clock(self._look_at)}", ""
        if progress.complete:
            return "looks for what is new", ""
        of = f" of {count(progress.total)}" if progress.total else ""
        return f"reads the list, {count(progress.seen)}{of}", ""


def _dotted(facts: list[Part]) -> list[Part]:
    return [facts[0], *((f" · {text}", look) for text, look in facts[1:])]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _word(kind: type[Error]) -> str:
    return next((word for each, word in WORDS if issubclass(kind, each)), "service fault")
