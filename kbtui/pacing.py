"""How many requests may be in flight, whose turn it is, and when to try again. No I/O, no clock of its own.

The service limits concurrency, not requests a minute, and publishes no number for knowledge bases. So the
limit is found by asking: start at 4, grow while the service is glad, halve when it says it is too much.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

START = 4  # requests in flight before the service has said anything
CEILING = 16  # beyond it nothing gets faster: by then the decoding is what takes time
BASE = 1.0  # seconds; the first wait is drawn from 0 to this, the next from twice as much
CAP = 30.0  # seconds; no wait of our own choosing is longer
PATIENCE = 120.0  # seconds; who asks for more is told to a person instead of waited for


class Turn:
    """A place in the queue, then a place in flight; `number` counts the turns granted."""

    def __init__(self, go: Callable[[], None]) -> None:
        self.go = go
        self.number = 0
        self.over = False

    @property
    def granted(self) -> bool:
        return self.number > 0


class Pacing:
    """The gate in front of the service, for one workspace.

    `draw` gives a number from 0 to 1: what spreads the retries of many clients.
    """

    def __init__(self, *, draw: Callable[[], float] = random.random) -> None:
        self.limit = START
        self.in_flight = 0
        self._draw = draw
        self._ceiling = CEILING
        self._queue: list[tuple[bool, int, Turn]] = []
        self._asked = 0
        self._granted = 0
        self._halved_at = 0  # turns up to this one were granted before the last halving
        self._credit = 0.0  # what has been earned of the next step up

    def ask(self, go: Callable[[], None], *, urgent: bool = False) -> Turn:
        """Queue up; `go` is called, now or later, when the request may be sent. Urgent ones go first."""
        turn = Turn(go)
        self._asked += 1
        heapq.heappush(self._queue, (not urgent, self._asked, turn))
        self._grant()
        return turn

    def leave(self, turn: Turn) -> None:
        """The request is over, or does not want to wait any longer."""
        if turn.over:
            return
        turn.over = True
        if turn.granted:
            self.in_flight -= 1
        self._grant()

    def served(self, turn: Turn, *, maximum: int | None = None) -> None:
        """The service answered `turn` without complaint; `maximum`: the concurrency it says it allows.

        The limit doubles in every round of requests until the service first complains, then grows by one
        a round; only where at least half of it is in use.
        """
        if maximum is not None and maximum > 0:
            self._ceiling = min(CEILING, maximum)
            self.limit = min(self.limit, self._ceiling)
        if 2 * self.in_flight < self.limit or turn.number <= self._halved_at:
            return
        self._credit += 1.0 if not self._halved_at else 1.0 / self.limit
        if self._credit >= 1.0:
            self._credit = 0.0
            self.limit = min(self.limit + 1, self._ceiling)

    def refused(self, turn: Turn) -> None:
        """The service says it is too much: half as many, once for all requests that were on their way."""
        if turn.number <= self._halved_at:
            return
        self._halved_at = self._granted
        self._credit = 0.0
        self.limit = max(1, self.limit // 2)

    def delay(self, attempt: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait after `attempt` (from 1) failed; None where the service asks for too much.

        Never less than the service asked for, and a little more, so that not all come back at once;
        without its word, any time up to twice that of the attempt before.
        """
        if retry_after is None:
            return self._draw() * min(CAP, BASE * 2.0 ** (attempt - 1))
        if retry_after > PATIENCE:
            return None
        return retry_after + self._draw() * min(1.0, retry_after / 10)

    def _grant(self) -> None:
        while self._queue and self.in_flight < self.limit:
            turn = heapq.heappop(self._queue)[2]
            if turn.over:
                continue
            self.in_flight += 1
            self._granted += 1
            turn.number = self._granted
            turn.go()


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait by a Retry-After header, a number or an HTTP date; `now` in Unix seconds.

    None where there is no header or it makes no sense. Source of the forms: RFC 9110, section 10.2.3.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        when = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, when.timestamp() - now)
    except (ValueError, OverflowError):
        return None
