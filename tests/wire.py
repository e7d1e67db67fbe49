"""A loopback proxy in front of a service: it records every exchange, and misbehaves when told to.

    with Wire(demo.url) as wire:
        wire.answer(429, {"detail": "slow down"}, headers={"retry-after": "1"}, path="/search")
        wire.cut("answer", method="PATCH")            # carried out, but nobody hears of it
        page = wire.hold("answer", path=r"knowledge-base$")
        ...                                           # client code aimed at wire.url
        page.wait(); page.release()

A fault is for the next request that matches it (`times=None`: for every one). Of several that match, a
request takes the first, and beside it the first hold. Everything here may be called from any thread;
what waits, waits in the calling thread: in a coroutine use `asyncio.to_thread` or `wire.seen`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

Point = Literal["request", "answer", "body"]
"""Where a fault strikes: before the service hears of the request; after the service has carried it out,
before a byte of the answer; in the middle of the answer's body."""

LIMIT = 2**20  # of a head, in bytes: names of ten thousand characters travel in queries
PATIENCE = 20.0  # seconds until a test that waits for something is told that it does not come


@dataclass(eq=False)
class Request:
    """One request as it came in. `path` is raw, with its escapes; `connection` numbers the lines from 1."""

    number: int
    connection: int
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes
    status: int | None = None  # of the answer that was sent
    finished: bool = False  # the whole answer was sent

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)

    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query or ''} -> {self.status}"


@dataclass
class Answer:
    """What goes back: the service's own, or a made-up one."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def head(self) -> bytes:
        fields = [f"{name}: {value}" for name, value in self.headers if name.lower() not in _HOP]
        length = [] if self.status in (204, 304) else [f"content-length: {len(self.body)}"]
        return "\r\n".join([f"HTTP/1.1 {self.status} .", *fields, *length, "", ""]).encode("latin-1")


@dataclass(eq=False)
class Fault:
    """Something that happens to the requests that match it. `left` is how often it still will."""

    method: str
    path: str
    when: Callable[[Request], bool] | None
    left: float
    cut: Point | None = None
    answer: Answer | None = None
    rewrite: Callable[[Any], Any] | None = None

    def take(self, request: Request) -> bool:
        fits = (
            self.left > 0
            and re.fullmatch(self.method, request.method) is not None
            and re.search(self.path, request.path) is not None
            and (self.when is None or self.when(request))
        )
        self.left -= fits
        return fits

    def drop(self) -> None:
        """No further request is struck."""
        self.left = 0


@dataclass(eq=False)
class Hold(Fault):
    """Keeps requests waiting at one point until `release`."""

    at: Point = "request"
    arrived: threading.Event = field(default_factory=threading.Event)
    _gate: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    def wait(self, timeout: float = PATIENCE) -> None:
        """Return once a request stands here."""
        assert self.arrived.wait(timeout), f"no {self.method} {self.path} came"

    def release(self) -> None:
        """Let go who stands here, and nobody else is stopped."""
        self.drop()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._gate.set)

    async def stand(self) -> None:
        self.arrived.set()
        await self._gate.wait()


class Wire:
    """The proxy; a context manager. `url` stands in for the url of the service."""

    def __init__(self, target_url: str) -> None:
        self.turn_to(target_url)
        self._requests: list[Request] = []
        self._faults: list[Fault] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._lines: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0  # lines opened by the client so far
        self.in_flight = 0
        self.busiest = 0  # the most requests that were in flight at once

    # -- life ------------------------------------------------------------------------------------------

    def __enter__(self) -> Wire:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="wire", daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)

    def turn_to(self, target_url: str) -> None:
        """Stand in front of another service from now on."""
        target = urlsplit(target_url)
        self._host, self._port = target.hostname or "127.0.0.1", target.port or 80

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def down(self) -> None:
        """Go dark: open lines are torn, new ones refused, until `up`."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE)

    def up(self) -> None:
        """Listen again, at the same address."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(PATIENCE)

    # -- what came by ----------------------------------------------------------------------------------

    @property
    def patches(self) -> list[Request]:
        """The requests so far that change a document."""
        return [request for request in self.requests if request.method == "PATCH"]

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order of arrival."""
        with self._changed:
            return list(self._requests)

    def wait_for(self, predicate: Callable[[Request], bool], timeout: float = PATIENCE) -> Request:
        """The first request of all that satisfies `predicate`, when it does (arrived, or finished …)."""
        found: list[Request] = []

        def look() -> bool:
            found[:] = [request for request in self._requests if predicate(request)][:1]
            return bool(found)

        with self._changed:
            came = self._changed.wait_for(look, timeout)
        assert came, "it did not come; seen: " + "; ".join(map(str, self.requests))
        return found[0]

    async def seen(self, predicate: Callable[[Request], bool], timeout: float = PATIENCE) -> Request:
        """`wait_for` for coroutines."""
        return await asyncio.to_thread(self.wait_for, predicate, timeout)

    def forget(self) -> None:
        """Start the record anew."""
        with self._changed:
            self._requests.clear()
            self.busiest = self.in_flight

    # -- faults ----------------------------------------------------------------------------------------

    def answer(
        self,
        status: int,
        body: Any = b"",
        *,
        headers: Mapping[str, str] | None = None,
        method: str = ".*",
        path: str = "",
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer in the service's place. A body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"content-type": "text/plain" if isinstance(body, bytes) else "application/json"}
        made = Answer(status, list({**fields, **(headers or {})}.items()), raw)
        return self._add(Fault(method, path, when, _count(times), answer=made))

    def cut(
        self,
        at: Point,
        *,
        method: str = ".*",
        path: str = "",
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Cut the line."""
        return self._add(Fault(method, path, when, _count(times), cut=at))

    def rewrite(
        self,
        function: Callable[[Any], Any],
        *,
        method: str = ".*",
        path: str = "",
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Put the service's JSON answer through `function`."""
        return self._add(Fault(method, path, when, _count(times), rewrite=function))

    def hold(
        self,
        at: Point,
        *,
        method: str = ".*",
        path: str = "",
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> Hold:
        """Keep requests waiting until the hold's `release`."""
        hold = Hold(method, path, when, _count(times), at=at, _loop=self._loop)
        self._add(hold)
        return hold

    def heal(self) -> None:
        """No fault that is left strikes any more."""
        with self._changed:
            for fault in self._faults:
                fault.drop()

    def _add(self, fault: Fault) -> Fault:
        with self._changed:
            self._faults.append(fault)
        return fault

    # -- the loop --------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        await self._listen()
        self._ready.set()
        await self._end.wait()
        await self._close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._line, "127.0.0.1", self.port, limit=LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the client, until it or a fault ends it."""
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        self.connections += 1
        number = self.connections
        try:
            while await self._exchange(number, reader, writer):
                pass
            writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._lines.discard(line)

    async def _exchange(self, line: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the line is still good."""
        first, headers = await _head(reader)
        method, target, _ = first.split(" ", 2)
        body = await _body(reader, headers)
        parts = urlsplit(target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        request = Request(len(self._requests), line, method, parts.path, query, headers, body)
        with self._changed:
            request.number = len(self._requests)
            self._requests.append(request)
            self.in_flight += 1
            self.busiest = max(self.busiest, self.in_flight)
            hold = next((h for h in self._faults if isinstance(h, Hold) and h.take(request)), None)
            fault = next((f for f in self._faults if not isinstance(f, Hold) and f.take(request)), None)
            self._changed.notify_all()
        try:
            request.finished = await self._carry(request, target, hold, fault, writer)
        finally:
            with self._changed:
                self.in_flight -= 1
                self._changed.notify_all()
        return request.finished

    async def _carry(
        self,
        request: Request,
        target: str,
        hold: Hold | None,
        fault: Fault | None,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Bring one request to its end; False where the line is cut."""
        cut = fault.cut if fault else None
        at = hold.at if hold else None
        if hold and at == "request":
            await hold.stand()
        if cut == "request":
            return False
        rewrite = fault.rewrite if fault else None
        answer = (fault.answer if fault else None) or await self._forward(
            request, target, plain=bool(rewrite)
        )
        if rewrite:
            answer.body = json.dumps(rewrite(json.loads(answer.body))).encode()
        if hold and at == "answer":
            await hold.stand()
        if cut == "answer":
            return False
        request.status = answer.status
        half = len(answer.body) // 2
        writer.write(answer.head() + (answer.body[:half] if request.method != "HEAD" else b""))
        await writer.drain()
        if hold and at == "body":
            await hold.stand()
        if cut == "body":
            return False
        writer.write(answer.body[half:] if request.method != "HEAD" else b"")
        await writer.drain()
        return True

    async def _forward(self, request: Request, target: str, *, plain: bool) -> Answer:
        """Ask the service, on a line of this request's own."""
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=LIMIT)
        try:
            dropped = _HOP | {"accept-encoding"} if plain else _HOP
            fields = [f"{name}: {value}" for name, value in request.headers if name.lower() not in dropped]
            if request.body or request.method not in ("GET", "HEAD", "DELETE"):
                fields.append(f"content-length: {len(request.body)}")
            head = [f"{request.method} {target} HTTP/1.1", *fields, "connection: close", "", ""]
            writer.write("\r\n".join(head).encode("latin-1") + request.body)
            await writer.drain()
            first, headers = await _head(reader)
            status = int(first.split(" ", 2)[1])
            bare = request.method == "HEAD" or status in (204, 304)
            return Answer(status, headers, b"" if bare else await _body(reader, headers, to_end=True))
        finally:
            writer.transport.abort()


_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection"}


def _count(times: int | None) -> float:
    return float("inf") if times is None else times


def _header(headers: list[tuple[str, str]], name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


async def _head(reader: asyncio.StreamReader) -> tuple[str, list[tuple[str, str]]]:
    """The first line and the header fields of a message."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines[1:] if line)
    return lines[0], [(name.strip(), value.strip()) for name, value in pairs]


async def _body(
    reader: asyncio.StreamReader, headers: list[tuple[str, str]], *, to_end: bool = False
) -> bytes:
    """The body that belongs to a head; `to_end`: without a length it lasts until the line ends."""
    if (_header(headers, "transfer-encoding") or "").lower() == "chunked":
        pieces = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        while (await reader.readline()).strip():
            pass
        return b"".join(pieces)
    length = _header(headers, "content-length")
    if length is not None:
        return await reader.readexactly(int(length))
    return await reader.read() if to_end else b""
