"""Requests to the service and what becomes of them: the only room, with `orderly`, that knows httpx.

A request is described once (`Ask`) and sent as often as it takes. What may be sent again depends on what
would happen if the service had already carried it out:

    read     nothing: reads, and POSTs that only ask                           always
    settled  the same again: delete, move, rename, start an index that may run   always
    once     something twice: create, refresh, upload, save over another's save  only if it surely was not

A request surely was not carried out when no connection came about, or when the service turned it away
(429). Otherwise a `once` request ends with `fate_unknown`, and the person looks before trying again.

The key goes out in one header, to the origin of the base URL alone. It is in no URL, log, repr or error.
"""

from __future__ import annotations

import asyncio
import os
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import quote

import httpx

from kbtui import route
from kbtui.bodies import gathered, json_object, unpacked
from kbtui.errors import Busy, Error, NotFound, Offline, Refused, Unauthorized, Unexpected
from kbtui.orderly import Orderly
from kbtui.pacing import Pacing, Turn, retry_after
from kbtui.refusals import is_throttled, refusal
from kbtui.route import CONNECT, Route
from kbtui.waiting import Wait

READ = 60.0  # seconds until the service must have begun to answer, and between two pieces of an answer
CHANGE = 120.0  # the same for changes: a page may have to be fetched, a text to be taken apart
UPLOAD = 300.0  # the same for uploads: text is extracted before the answer comes
STALL = 30.0  # seconds that a download may stand still
IDLE = 60.0  # seconds that an idle connection is kept: a handshake costs a person three round trips
TRIES = 3  # of a request, where the network or the service fails
BUSY_TRIES = 6  # where the service asks to come back later
REDIRECTS = 5
LARGEST_REFUSAL = 2**16  # bytes that are read of a refusal: its words come first
LARGEST_ANSWER = 2**26  # bytes of JSON: the largest text with every letter escaped

T = TypeVar("T")
Effect = Literal["read", "settled", "once"]


@dataclass(frozen=True)
class File:
    """An upload. The service goes by the MIME type of the part."""

    name: str
    data: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True)
class Ask:
    """A request, described: `path` is the parts below `/v1/convai`, unescaped; `effect` is told above."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = None
    file: File | None = None
    effect: Effect = "read"
    urgent: bool = True  # goes ahead of whoever waits: all but the sweep is what a person asked for
    patience: float = READ
    mute: bool = False  # the answer is empty, or means nothing; else it is a JSON object

    def __str__(self) -> str:
        return f"{self.method} /v1/convai/{'/'.join(self.path)}"


class Answer(NamedTuple):
    """`data` is the JSON object that came, an empty one where none was to come.

    `repeated`: an earlier try may have been carried out already, so "not found" may mean "done".
    """

    data: dict[str, Any]
    repeated: bool


class ContentPiece(NamedTuple):
    """Some bytes of a download, how many have come with them, and how many there are, where that is known."""

    data: bytes
    received: int
    total: int | None


class Exchange(NamedTuple):
    """One try of a request, for the log. `path` has the query; `status` is None where no answer came.

    `received` counts bytes of the answer as they came, `sends` is the type of the request's body, or "".
    `error` is what went wrong; None also where the request was called off.
    """

    method: str
    path: str
    status: int | None
    ms: float
    request_id: str
    received: int = 0
    sends: str = ""
    error: Error | None = None


class _Fault(Exception):
    """A try that failed. `sent`: it may have been carried out; `passing`: another try may do better."""

    def __init__(self, error: Error, *, sent: bool, passing: bool) -> None:
        super().__init__(error.sentence)
        self.error = error
        self.sent = sent
        self.passing = passing


class Transport:
    """The line to one workspace. Nothing is opened before the first request; close it with `aclose`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        pacing: Pacing | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        environ: Mapping[str, str] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.pacing = pacing or Pacing()
        self._key = key
        self._on_wait = on_wait or (lambda wait: None)
        self._on_exchange = on_exchange or (lambda exchange: None)
        self._environ = os.environ if environ is None else environ
        self._sleep = sleep
        self._opening = asyncio.Lock()
        self._opened: tuple[httpx.AsyncClient, Route] | None = None
        self._line: Orderly | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing has come of a request under way, by `time.monotonic`, or None."""
        return self._line.waiting_since if self._line is not None else None

    async def aclose(self) -> None:
        """Close every connection, for good."""
        self._closed = True
        if self._opened is not None:
            client, self._opened = self._opened[0], None
            await client.aclose()

    # -- what is asked of it ---------------------------------------------------------------------------

    async def json(self, ask: Ask) -> Answer:
        """Carry out `ask` and decode the answer. A DELETE that finds nothing on a second try is done.

        Raises:
            Error: any of its kinds.
        """

        async def once() -> dict[str, Any]:
            async with self._exchange(ask) as response:
                if ask.mute:
                    await gathered(response.aiter_raw(), LARGEST_REFUSAL)
                    return {}
                return _decoded(await gathered(_body(response), LARGEST_ANSWER), ask)

        try:
            return Answer(*await self._persist(ask, once))
        except NotFound as gone:
            if ask.method == "DELETE" and gone.fate_unknown:
                return Answer({}, True)
            raise

    async def stream(self, ask: Ask) -> AsyncGenerator[ContentPiece, None]:
        """The body of the answer, in pieces; never more than one of them is held.

        Only a try that has brought nothing yet is repeated.

        Raises:
            Error: any of its kinds; Offline where the line is cut on the way.
        """
        try:
            async with AsyncExitStack() as stack:
                response, _ = await self._persist(
                    ask, lambda: stack.enter_async_context(self._exchange(ask, "identity"))
                )
                plain = "content-encoding" not in response.headers
                total = _number(response, "content-length") if plain else None
                received = 0
                async for data in _body(response):
                    received += len(data)
                    yield ContentPiece(data, received, total)
        except _Fault as fault:
            raise fault.error from None

    # -- trying ----------------------------------------------------------------------------------------

    async def _persist(self, ask: Ask, once: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Try until it is done, hopeless, or no longer safe; and whether it may be done twice over."""
        attempt, doubtful = 0, False
        wait: Wait | None = None
        while True:
            attempt += 1
            try:
                return await once(), doubtful
            except _Fault as fault:
                error, passing = fault.error, fault.passing
                doubtful = doubtful or fault.sent
            finally:
                if wait is not None:
                    wait.tried = True
            reason = error.sentence
            if doubtful and ask.effect != "read":
                _in_doubt(error)
            safe = ask.effect != "once" or not doubtful
            tries = BUSY_TRIES if isinstance(error, Busy) else TRIES
            asked = error.retry_after if isinstance(error, Busy) else None
            seconds = self.pacing.delay(attempt, asked)
            if not passing or not safe or attempt >= tries or seconds is None or self._closed:
                raise error
            sleeping = asyncio.ensure_future(self._sleep(seconds))
            wait = Wait(seconds, str(ask), reason, type(error), attempt, sleeping)
            await self._wait(wait, sleeping, error)

    async def _wait(self, wait: Wait, sleeping: asyncio.Future[None], error: Error) -> None:
        """Count down in the open; raises `error` at once where the countdown is cancelled."""
        self._on_wait(wait)
        try:
            await sleeping
        except asyncio.CancelledError:
            wait.tried = True  # never will be
            if wait.cancelled:
                raise error from None
            raise

    async def _turn(self, urgent: bool) -> Turn:
        """A place in flight, when there is one."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turn = self.pacing.ask(lambda: None if ready.done() else ready.set_result(None), urgent=urgent)
        try:
            await ready
        except asyncio.CancelledError:
            self.pacing.leave(turn)
            raise
        return turn

    @asynccontextmanager
    async def _exchange(self, ask: Ask, encoding: str = "gzip") -> AsyncIterator[httpx.Response]:
        """One try: a good answer, its body yet to be read. What goes wrong, then too, is a `_Fault`."""
        client, way = await self._client()
        request = self._request(client, ask, encoding)
        turn = await self._turn(ask.urgent)
        began, response, fault = time.monotonic(), None, None
        try:
            response = await self._send(client, request, ask)
            if not response.is_success:
                raise await self._refused(response, turn, ask)
            self.pacing.served(turn, maximum=_number(response, "maximum-concurrent-requests"))
            yield response
        except _Fault as raised:
            fault = raised
            raise
        except (httpx.HTTPError, OSError, EOFError, zlib.error) as error:
            fault = _network_fault(error, response, way, ask)
            raise fault from None
        finally:
            self.pacing.leave(turn)
            self._report(request, response, began, fault)
            if response is not None:
                await response.aclose()

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request, ask: Ask) -> httpx.Response:
        """Send, and follow redirects of a GET as long as they stay at home."""
        for _ in range(REDIRECTS):
            try:
                response = await client.send(request, stream=True)
            except (httpx.InvalidURL, UnicodeError):  # httpx has a look at where a redirect leads
                raise _strayed("no address", None, ask) from None
            if not response.has_redirect_location:
                return response
            await response.aclose()
            target = request.url.join(response.headers["location"])
            if ask.method != "GET" or _origin(target) != _origin(request.url):
                place = f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}"
                raise _strayed(place, response.status_code, ask)
            kept = {"accept-encoding": request.headers["accept-encoding"]}
            request = client.build_request("GET", target, headers=kept, extensions=request.extensions)
        lost = Unexpected("The service sends kbtui round in circles. Check the base URL.", detail=str(ask))
        raise _Fault(lost, sent=False, passing=False)

    async def _refused(self, response: httpx.Response, turn: Turn, ask: Ask) -> _Fault:
        asked = retry_after(response.headers.get("retry-after"), time.time())
        body = b""
        with suppress(EOFError, zlib.error):  # a refusal is one, whatever its words came to
            body = await gathered(_body(response), LARGEST_REFUSAL)
        error = refusal(response.status_code, response.headers, body, request=str(ask), retry_after=asked)
        if isinstance(error, Busy):
            self.pacing.refused(turn)
        throttled = is_throttled(error)
        failed = response.status_code >= 500 or response.status_code == 408
        return _Fault(error, sent=failed and not throttled, passing=failed or isinstance(error, Busy))

    def _report(
        self, request: httpx.Request, response: httpx.Response | None, began: float, fault: _Fault | None
    ) -> None:
        headers = response.headers if response is not None else {}
        exchange = Exchange(
            request.method,
            request.url.raw_path.decode("ascii"),
            response.status_code if response is not None else None,
            (time.monotonic() - began) * 1000,
            headers.get("request-id") or headers.get("x-trace-id") or "",
            response.num_bytes_downloaded if response is not None else 0,
            request.headers.get("content-type", "").partition(";")[0],
            fault.error if fault is not None else None,
        )
        self._on_exchange(exchange)

    # -- building --------------------------------------------------------------------------------------

    def _request(self, client: httpx.AsyncClient, ask: Ask, encoding: str) -> httpx.Request:
        if any(part in ("", ".", "..") for part in ask.path):
            # No escape keeps these from meaning another address.
            raise _Fault(NotFound("It does not exist.", detail=str(ask)), sent=False, passing=False)
        try:
            path = "/".join(quote(part, safe="") for part in ask.path)
            return client.build_request(
                ask.method,
                f"{self.base_url}/v1/convai/{path}",
                params=httpx.QueryParams(_pairs(ask.query)) if ask.query else None,
                json=ask.body,
                data=ask.form,
                files={"file": (ask.file.name, ask.file.data, ask.file.mime)} if ask.file else None,
                headers={"accept-encoding": encoding},
                timeout=httpx.Timeout(connect=CONNECT, read=ask.patience, write=READ, pool=None),
            )
        except UnicodeEncodeError:
            sentence = "The text holds half a character, which cannot be sent."
        except httpx.InvalidURL:
            sentence = "The request is too long for an address, so it cannot be sent."
        raise _Fault(Refused(sentence, detail=f"{ask.method} not sent"), sent=False, passing=False)

    async def _client(self) -> tuple[httpx.AsyncClient, Route]:
        async with self._opening:
            if self._closed:
                raise _Fault(Offline("kbtui has closed this connection."), sent=False, passing=False)
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open)
            return self._opened

    def _open(self) -> tuple[httpx.AsyncClient, Route]:
        """Reading certificates takes a while: a thread does it."""
        if not self._key.isascii() or not self._key.isprintable() or not self._key or " " in self._key:
            raise Unauthorized("There is no API key, or it holds characters that no key has. Set it again.")
        try:
            httpx.URL(self.base_url).host  # noqa: B018
        except (httpx.InvalidURL, UnicodeError):  # the latter from a name that only looks international
            raise Error("The base URL is not an address that can be asked. Check it.") from None
        way = route.find(self.base_url, self._environ)
        tls = way.tls if way.tls is not None else False  # False: nobody is asked for a certificate over http
        try:
            line = httpx.AsyncHTTPTransport(
                verify=tls,
                proxy=_proxy(way),
                trust_env=False,
                limits=httpx.Limits(
                    max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE
                ),
            )
            self._line = Orderly(line)
            client = httpx.AsyncClient(
                headers={"xi-api-key": self._key, "user-agent": "kbtui"},
                transport=self._line,
                trust_env=False,
            )
        except (ValueError, httpx.InvalidURL, ImportError):
            raise Error(f"The proxy {way.proxy_name} cannot be used; check its address.") from None
        return client, way


def _proxy(way: Route) -> httpx.Proxy | None:
    if way.proxy is None:
        return None
    return httpx.Proxy(way.proxy, ssl_context=way.tls if way.proxy.startswith("https:") else None)


def _pairs(query: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A query as the service reads it: lists repeated, booleans as `true` and `false`, None left out."""
    pairs = []
    for name, value in query.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is not None:
                pairs.append((name, str(each).lower() if isinstance(each, bool) else str(each)))
    return pairs


def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    return unpacked(response.aiter_raw(), response.headers.get("content-encoding", ""))


def _decoded(body: bytes, ask: Ask) -> dict[str, Any]:
    if len(body) > LARGEST_ANSWER:
        vast = "The answer is larger than kbtui takes. Ask for less, or check what answers at the base URL."
        raise _Fault(Unexpected(vast, detail=f"{ask}: too large"), sent=True, passing=False)
    data = json_object(body)
    if data is None:
        odd = "What answered does not speak as the service does; a proxy or a login page may be in between."
        raise _Fault(Unexpected(odd, detail=f"{ask}: no JSON object"), sent=True, passing=False)
    return data


def _number(response: httpx.Response, header: str) -> int | None:
    value = response.headers.get(header, "")
    return int(value) if value.isdecimal() and len(value) < 16 else None


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _strayed(place: str, status: int | None, ask: Ask) -> _Fault:
    place = place[:100]
    sentence = (
        f"The service points to {place}, and the key is not taken there. If it has moved, set that base URL."
        if ask.method == "GET"
        else f"The service answers with a redirect to {place}, which kbtui follows only to read."
    )
    error = Unexpected(sentence, detail=f"{ask}: {status} to {place}", status=status)
    return _Fault(error, sent=ask.method != "GET", passing=False)


def _in_doubt(error: Error) -> None:
    if not error.fate_unknown:
        error.fate_unknown = True
        error.sentence += " It may have been carried out all the same: look before you try again."
        error.args = (error.sentence,)


def _network_fault(error: Exception, response: httpx.Response | None, way: Route, ask: Ask) -> _Fault:
    """A failure below HTTP, in words; and whether the request can have reached the service."""
    sent, passing = True, True
    if isinstance(error, httpx.ProxyError):
        sent = False
        sentence, passing = route.why_the_proxy_failed(str(error), way)
    elif isinstance(error, httpx.ConnectTimeout):
        sent, sentence = False, route.why_no_connection_in_time(way)
    elif isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
        sent = False
        sentence, passing = route.why_no_connection(error, way)
    elif isinstance(error, httpx.WriteTimeout):
        sentence = f"{way.host} stopped taking the request: nothing went out for {READ:.0f} s."
    elif isinstance(error, httpx.TimeoutException) and response is None:
        sentence = f"{way.host} took the request but did not answer within {ask.patience:.0f} s."
    elif isinstance(error, httpx.TimeoutException):
        sentence = f"The answer of {way.host} stands still: nothing came for {ask.patience:.0f} s."
    elif isinstance(error, zlib.error):
        sentence, passing = f"The answer of {way.host} is damaged.", False
    elif response is None:
        sentence = f"The line to {way.host} was cut before an answer came."
    else:
        sentence = f"The line to {way.host} was cut in the middle of the answer."
    said = type(error).__name__
    if not isinstance(error, httpx.LocalProtocolError):  # quotes what was to be sent: headers, the key
        said = f"{said} {error}".strip()
    return _Fault(Offline(sentence, detail=f"{ask}: {said}"), sent=sent, passing=passing)
