"""Fetching a page over HTTP with the standard library, from this machine alone unless told otherwise.

A name is judged as it is written, before anybody is asked what it means: unless told otherwise, nothing but
`localhost` and the addresses of the loopback is looked up or spoken to.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from kbtui.demo.contract import ApiError, invalid

AGENT = "ElevenlabsBot/1.0"
_SECONDS = 10.0  # for the whole of it, redirects included
_LIMIT = 20 * 1024 * 1024  # bytes of a page
_REDIRECTS = 5
_SAFE = "%/:=&?~#+!$,;'@()*[]-._"


class Fetched(NamedTuple):
    """What came: from which address in the end, as which kind ("text/html"), in which charset, if it says."""

    address: str
    kind: str
    charset: str
    data: bytes


def fetch(url: str, any_host: bool = False) -> Fetched:
    """Fetch a page or any other file; blocks, so call it in a thread.

    Raises ApiError 400 where the address is none, lies beyond this machine without `any_host`, does not
    answer in ten seconds, or answers anything but 200.
    """
    deadline = time.monotonic() + _SECONDS
    try:
        for _ in range(_REDIRECTS + 1):
            status, headers, data = _get(url, any_host, deadline)
            where = headers.get("location")
            if status in (301, 302, 303, 307, 308) and where:
                url = urljoin(url, where)
                continue
            if status != 200:
                raise _failed(f"it answered {status}")
            kind = headers.get("content-type", "text/html").split(";")[0].strip().lower()
            return Fetched(url, kind, headers.get_content_charset(""), data)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failed(str(error) or type(error).__name__) from None
    raise _failed("it redirects too often")


def _failed(why: str) -> ApiError:
    return invalid(f"The URL could not be fetched: {why}.", "url")


def _get(url: str, any_host: bool, deadline: float) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is not an http address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    name = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    if not any_host and not _is_here(name):
        raise ValueError(f"{name} is not on this machine, and the demo fetches from nowhere else")
    connection = http.client.HTTPConnection(name, port)
    connection.sock = socket.create_connection((name, port), timeout=_left(deadline))
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
        target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": AGENT, "Accept": "*/*"})
        answer = connection.getresponse()
        return answer.status, answer.headers, _body(connection, answer, deadline)
    finally:
        connection.close()


def _is_here(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _body(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(deadline))
        piece = answer.read1(64 * 1024)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > _LIMIT:
            raise ValueError(f"it is larger than {_LIMIT} bytes")
        _left(deadline)
