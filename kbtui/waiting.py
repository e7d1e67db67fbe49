"""Why a request waits before it is tried again, and for how long. No I/O."""

from __future__ import annotations

import time
from asyncio import Future

from kbtui.errors import Error


class Wait:
    """A countdown to the next try.

    Attributes:
        seconds: its length.
        until: its end, by `time.monotonic`.
        asks: what is tried again, as method and path.
        reason: a sentence: why there is something to wait for.
        kind: of the error that it tells.
        attempt: how many tries have failed, from 1.
        over: it has ended, one way or another.
        tried: what was waited for has been tried, or never will be.
    """

    def __init__(
        self, seconds: float, asks: str, reason: str, kind: type[Error], attempt: int, sleeping: Future[None]
    ) -> None:
        self.seconds = seconds
        self.asks, self.kind = asks, kind
        self.until = time.monotonic() + seconds
        self.reason = reason
        self.attempt = attempt
        self.cancelled = self.tried = False
        self._sleeping = sleeping

    @property
    def over(self) -> bool:
        return self.cancelled or self._sleeping.done()

    @property
    def trying(self) -> bool:
        """Whether it has ended, and how the try that was waited for ends is not known yet."""
        return self.over and not self.cancelled and not self.tried

    def cancel(self) -> None:
        """Wait no longer: the request fails now, with what it waited for."""
        if not self.over:
            self.cancelled = True
            self._sleeping.cancel()
