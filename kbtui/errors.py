"""What can go wrong between a person and their knowledge base.

Error                   something a person can be told in a sentence
├── Offline             no answer: name lookup, connection, TLS, time-out, a line cut in the middle
├── Unauthorized        no key, or a key the service does not accept
│   └── MissingPermission   the key lacks a scope (`convai_read`, `convai_write`); answered as 401
├── Refused             the service understood and said no; its own words (400, 402, 403, 409, 422)
├── NotFound            no such document, folder, chunk, agent or job
├── Busy                too many requests or the service is overloaded (429, 503); when to try again
├── Conflict            the document changed on the service since the edit began
└── Unexpected          an answer that no contract describes, or a fault of the service (5xx)

Everything else that is raised is a bug and is meant to be seen as one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SHORT = 60  # characters of a sentence that fit beside others


def first_sentence(sentence: str) -> str:
    """The first sentence of what went wrong, without its full stop: for a header that says little else."""
    first = re.split(r"(?<=[^.]{3})\.(?:\s|$)", sentence.strip(), maxsplit=1)[0]
    return first if len(first) <= SHORT else f"{first[: SHORT - 1].rstrip()}…"


class Error(Exception):
    """A failure with one sentence for the person and a detail for the log.

    Attributes:
        sentence: what went wrong and what to do, in one or two short sentences, without markup.
        detail: method, path, status and the service's own words; never the key, never a body.
        status: the HTTP status, or None where no answer came.
        code: the service's own code (`document_has_dependent_agents` …), or "".
        request_id: the service's name for the exchange, for its support, or "".
        fate_unknown: True where a request that changes something was sent and no answer came, or one
            that leaves it open (5xx): it may have been carried out, and the sentence says so.
    """

    def __init__(
        self,
        sentence: str,
        *,
        detail: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        fate_unknown: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail or sentence
        self.status = status
        self.code = code
        self.request_id = request_id
        self.fate_unknown = fate_unknown


class Offline(Error):
    """No answer came: the network, a proxy, TLS, or the host itself."""


class Unauthorized(Error):
    """The service does not accept the key (401), or there is none."""


class MissingPermission(Unauthorized):
    """The key is good but lacks a scope, which the sentence names (401 `missing_permissions`)."""


class Refused(Error):
    """The service understood the request and will not carry it out; its own words are in the sentence."""


class NotFound(Error):
    """What was asked for does not exist, or not any more (404)."""


class Busy(Error):
    """The service asks to come back later (429, 503).

    Attributes:
        retry_after: seconds the service asked to wait, or None where it named none.
    """

    def __init__(self, sentence: str, *, retry_after: float | None = None, **rest: object) -> None:
        super().__init__(sentence, **rest)  # type: ignore[arg-type]
        self.retry_after = retry_after


class Conflict(Error):
    """The document changed on the service after the edit began.

    Attributes:
        base: the text that the edit began with.
        mine: the text that the person wants to save.
        theirs: the text that the service holds now.
    """

    def __init__(self, sentence: str, *, base: str, mine: str, theirs: str, **rest: object) -> None:
        super().__init__(sentence, **rest)  # type: ignore[arg-type]
        self.base = base
        self.mine = mine
        self.theirs = theirs


class Unexpected(Error):
    """An answer outside the contract, or a fault on the service's side (5xx)."""


_ADVICE: tuple[tuple[type[Error], str], ...] = (
    (MissingPermission, "Have the permission added to the key, then R; or open another workspace with gw."),
    (Unauthorized, "Check the key, and that it belongs to this region; then R."),
    (Offline, "Check the line and the proxy. kbtui tries again by itself, R at once; what you type is kept."),
    (NotFound, "R brings the list up to date."),
    (Busy, "Nothing: kbtui tries again by itself, X stops that. Later, do again what was given up."),
    (Conflict, "Save again: both texts are shown, and yours is kept until you choose."),
    (Refused, "The service says why. Change that, and try again."),
    (Unexpected, "Try again in a while. If it stays, the request id lets the service's support find it."),
)


class Failure(NamedTuple):
    """What is kept of an error to be told later: not the frames it came through, with the words in them."""

    sentence: str
    detail: str
    code: str
    request_id: str
    fate_unknown: bool
    advice: str  # what a person can do about it, in a sentence or two


def failure_of(error: Error) -> Failure:
    """An error as it is told later."""
    advice = next((words for kind, words in _ADVICE if isinstance(error, kind)), "Try again.")
    return Failure(error.sentence, error.detail, error.code, error.request_id, error.fate_unknown, advice)
