"""What the service says when it says no, as one of `errors`. Pure: a status, headers and a body go in.

Four shapes of body have been seen, and all of them are read, wherever they turn up:

    {"detail": [{"loc", "msg", "type"}]}                          422: the request does not fit the contract
    {"detail": {"type", "code", "status", "message", "request_id", "param"}}     older: status and message
    {"detail": "There was an error parsing the body"}
    text, HTML, nothing                                           from a proxy or a gateway in between

A batch answers 200 and puts {"status": "failure", "error_code", "error_status", "error_message"} beside
each id. What decides is the code, then the legacy `status`, then the number of the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kbtui.errors import Busy, Error, MissingPermission, NotFound, Offline, Refused, Unauthorized, Unexpected

LONGEST = 400  # characters of the service's words that fit a sentence

_KINDS: dict[str, type[Error]] = {
    "missing_permissions": MissingPermission,
    "invalid_api_key": Unauthorized,
    "missing_api_key": Unauthorized,
    "detected_unusual_activity": Unauthorized,
    "quota_exceeded": Refused,
    "insufficient_credits": Refused,
    "insufficient_permissions": Refused,
    "workspace_access_denied": Refused,
    "feature_not_available": Refused,
    "subscription_required": Refused,
    "document_has_dependent_agents": Refused,
    "rag_index_not_ready": Refused,
    "knowledge_base_documentation_not_found": NotFound,
    "document_not_found": NotFound,
    "knowledge_base_not_found": NotFound,
    "file_not_found": NotFound,
    "agent_not_found": NotFound,
    "rate_limit_exceeded": Busy,
    "concurrent_limit_exceeded": Busy,
    "too_many_concurrent_requests": Busy,
    "system_busy": Busy,
    "service_unavailable": Busy,
    "maintenance": Busy,
    "internal_error": Unexpected,
}
"""The codes that say more than the number of the answer. All others go by the number."""

THROTTLED = {
    "rate_limit_exceeded",
    "concurrent_limit_exceeded",
    "too_many_concurrent_requests",
    "system_busy",
}
"""Codes that turn a request away at the door: it was not carried out."""

_BY_STATUS: dict[int, type[Error]] = {
    401: Unauthorized,
    404: NotFound,
    407: Offline,
    408: Busy,
    410: NotFound,
    429: Busy,
    503: Busy,
}


@dataclass(frozen=True)
class Words:
    """What a refusal said, whichever shape it had."""

    message: str = ""
    codes: tuple[str, ...] = ()
    request_id: str = ""

    @property
    def code(self) -> str:
        """The code that tells most: one that is known, else the first that was given."""
        return next((code for code in self.codes if code in _KINDS), next(iter(self.codes), ""))


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request: str,
    retry_after: float | None = None,
) -> Error:
    """The answer as an error. `request` is method and path, for the log; headers are lower case."""
    words = _words(body)
    request_id = headers.get("request-id") or headers.get("x-request-id") or words.request_id
    request_id = request_id or headers.get("x-trace-id", "")
    nowhere = status == 404 and not words.codes and words.message in ("", "Not Found")
    kind = Unexpected if nowhere else _kind(status, words)
    return _error(kind, status, words, request, _plain(request_id), retry_after)


def failure(entry: Mapping[str, Any], *, request: str) -> Error:
    """One failed entry of a batch answer as an error."""
    number = entry.get("error_code")
    code, message = entry.get("error_status"), entry.get("error_message")
    status = number if isinstance(number, int) else 0
    words = Words(_text(message), tuple(filter(None, [_text(code)])))
    return _error(_kind(status, words), status, words, request, "", None)


def is_throttled(error: Error) -> bool:
    """Whether the request was turned away before anything was done (429, or a code that says so)."""
    return error.status == 429 or error.code in THROTTLED


def _error(
    kind: type[Error], status: int, words: Words, request: str, request_id: str, retry_after: float | None
) -> Error:
    rest: dict[str, Any] = {"retry_after": retry_after} if kind is Busy else {}
    said = " ".join(filter(None, [words.code, words.message]))
    return kind(
        _sentence(kind, status, words),
        detail=f"{request}: {status} {said}".strip(),
        status=status or None,
        code=words.code,
        request_id=request_id,
        **rest,
    )


def _kind(status: int, words: Words) -> type[Error]:
    if words.code in _KINDS:
        return _KINDS[words.code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Refused if 400 <= status < 500 else Unexpected


def _sentence(kind: type[Error], status: int, words: Words) -> str:
    said = words.message
    if kind is MissingPermission:
        scope = re.search(r"convai_\w+", said)
        if scope:
            return f"The API key lacks the permission {scope[0]}. Grant it, or use another key."
        return said or "The API key lacks a permission that this needs."
    if kind is Unauthorized:
        if words.code == "detected_unusual_activity" and said:
            return said
        told = f" It says: {said}" if said else ""
        return f"The service does not accept the API key. Check it, and that it belongs to this region.{told}"
    if kind is Unexpected and status == 404:  # no such address, where it is not: no such document
        return "The service knows no such address. Check the base URL."
    if kind is Unexpected:
        told = f": {said}" if said else "."
        return f"The service failed ({status or 'no status'}){told} Try again in a while."
    return said or _MUTE.get(status) or f"The service refused it ({status}) without saying why."


_MUTE = {
    402: "The service wants to be paid first: the plan does not cover this (402).",
    403: "The service does not allow this (403).",
    404: "It does not exist, or not any more (404).",
    407: "The proxy wants a name and a password. Put them into the proxy's address.",
    408: "The service waited too long for the request (408). Try again.",
    413: "The service refused it as too large (413).",
    429: "The service has too many requests to handle (429). Try again in a while.",
    503: "The service is not available at the moment (503). Try again in a while.",
}
"""For answers without words, as gateways give them."""


def _words(body: bytes) -> Words:
    """What a body says, in any of its shapes; text that is not JSON says nothing a person could use."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return Words()
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    if isinstance(detail, str):
        return Words(_text(detail))
    if isinstance(detail, list):
        return Words("; ".join(filter(None, map(_complaint, detail[:5]))))
    if not isinstance(detail, dict):
        return Words()
    codes = tuple(filter(None, (_text(detail.get(name)) for name in ("code", "status"))))
    message = _text(detail.get("message")) or _text(detail.get("error"))
    return Words(message, codes, _text(detail.get("request_id")))


def _complaint(item: object) -> str:
    """One entry of a validation error: the field, and what is wrong with it."""
    if not isinstance(item, dict):
        return _text(item)
    where = item.get("loc")
    path = ".".join(str(part) for part in where[1:]) if isinstance(where, list) else ""
    return ": ".join(filter(None, [_text(path), _text(item.get("msg"))]))


def _text(value: object) -> str:
    return _plain(value) if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """Someone else's words as one line of printable characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
