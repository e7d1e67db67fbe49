"""The last requests to the service, for who wants to know what was asked: no body, no key. No I/O."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from kbtui.errors import Failure, failure_of

if TYPE_CHECKING:
    from kbtui.transport import Exchange

KEPT = 500  # requests
BELOW = "/v1/convai/"  # all paths begin so
KEY = "$ELEVENLABS_API_KEY"  # stands where the key would

LEAST = ("sort_by", "sort_direction", "folders_first", "page_size")  # parts of a query that many have

_SECRET = re.compile(r"(?i)([?&][\w.\-]*(?:key|token|secret|signature|password)[\w.\-]*=)[^&]+")
_ID = re.compile(r"(?<=/)\w{16,}")
LEAST_ID = 10  # characters of one
_BODIES = {"application/json": "--data @body.json", "multipart/form-data": "-F file=@FILE"}


class Request(NamedTuple):
    """One try of a request that has ended.

    Attributes:
        number: counted from 1 in this visit.
        at: when it was sent, in Unix seconds.
        path: with the query, nothing in it that looks like a secret.
        status: None where no answer came.
        received: bytes of the answer, packed as they came.
        sends: the type of the body that was sent, "" for none. The body itself is kept nowhere.
        error: what went wrong.
    """

    number: int
    at: float
    method: str
    path: str
    status: int | None
    ms: float
    request_id: str
    received: int
    sends: str
    error: Failure | None

    @property
    def called_off(self) -> bool:
        """Whether nobody waited for the answer any more."""
        return self.status is None and self.error is None

    def curl(self, base_url: str) -> str:
        """The request as a command for a shell, the key to be found in the environment of that."""
        scheme, _, rest = base_url.rpartition("://")
        host = rest.partition("/")[0].rpartition("@")[2]  # no name and no password of it
        words = ["curl -sS"]
        if self.method != "GET":
            words.append(f"-X {self.method}")
        words.append(f'-H "xi-api-key: {KEY}"')
        if self.sends == "application/json":
            words.append("-H 'content-type: application/json'")
        if self.sends:
            words.append(_BODIES.get(self.sends, "--data-binary @body"))
        return " ".join([*words, quote(f"{scheme or 'https'}://{host}{self.path}")])


def in_short(path: str, width: int) -> str:
    """A path below `BELOW`; where it is longer than `width`, what tells it from others goes first.

    That are the parts of the query that not all have, and what stands behind an id, which is cut as needed.
    """
    path = path.removeprefix(BELOW)
    if len(path) <= width:
        return path
    where, mark, query = path.partition("?")
    if len(where) > width or (len(where) > width // 2 and query):
        over = len(where) - (width // 2 if query else width)
        where = _ID.sub(lambda id: id[0][: max(LEAST_ID, len(id[0]) - over - 1)] + "…", where)
    asked = sorted(query.split("&"), key=lambda part: _rank(part.partition("=")[0]))
    return where + mark + "&".join(asked)


def _rank(name: str) -> int:
    return LEAST.index(name) if name in LEAST else -1


class Requests:
    """The last of them, newest first."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.count = 0  # all there were
        self._clock = clock
        self._last: deque[Request] = deque(maxlen=KEPT)

    def add(self, exchange: Exchange) -> None:
        """One has ended."""
        self.count += 1
        self._last.appendleft(
            Request(
                self.count,
                self._clock() - exchange.ms / 1000,
                exchange.method,
                _SECRET.sub(r"\1…", exchange.path),
                exchange.status,
                exchange.ms,
                exchange.request_id,
                exchange.received,
                exchange.sends,
                failure_of(exchange.error) if exchange.error is not None else None,
            )
        )

    def last(self) -> list[Request]:
        return list(self._last)

    def failed(self) -> Request | None:
        """The last that failed."""
        return next((each for each in self._last if each.error is not None), None)
