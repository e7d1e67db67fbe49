"""Requests that can be cancelled at any moment, and leave every connection in order.

httpcore 1.0 shields how a request ends from anyio's way of cancelling, and not from asyncio's: a task that is
cancelled while it closes idle connections that have become too old leaves the rest of them open for good,
and one that is cancelled twice its own. So each step is a task of its own here, which is cancelled in anyio's
way when whoever waits for it is cancelled in asyncio's, and nobody goes on before it has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import anyio
import httpx

T = TypeVar("T")


class _Step(NamedTuple):
    scope: anyio.CancelScope
    began: float  # by `time.monotonic`


class Orderly(httpx.AsyncBaseTransport):
    """An httpx transport around another; what is under way when it is closed ends as if the line was cut."""

    def __init__(self, line: httpx.AsyncBaseTransport) -> None:
        self._line = line
        self._under_way: dict[asyncio.Task[Any], _Step] = {}

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing has come of what is waited for longest, by `time.monotonic`, or None."""
        return min((step.began for step in self._under_way.values()), default=None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.step(self._line.handle_async_request(request), _closed)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Body(self, response.stream)
        return response

    async def aclose(self) -> None:
        while self._under_way:
            for each in self._under_way.values():
                each.scope.cancel()
            await asyncio.wait(self._under_way)
        await self.step(self._line.aclose())

    async def step(
        self, work: Awaitable[T], unwanted: Callable[[T], Coroutine[Any, Any, None]] | None = None
    ) -> T:
        """Do `work`; where nobody waits for it any more, what came of it nevertheless goes to `unwanted`."""
        scope = anyio.CancelScope()

        async def scoped() -> T:
            with scope:
                return await work
            raise httpx.ReadError("The line was closed.")

        step = asyncio.create_task(scoped())
        self._under_way[step] = _Step(scope, time.monotonic())
        step.add_done_callback(self._under_way.pop)
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            scope.cancel()
            await _ended(step)
            if unwanted is not None and not step.cancelled() and step.exception() is None:
                await _ended(asyncio.ensure_future(unwanted(step.result())))
            raise


class _Body(httpx.AsyncByteStream):
    """The body of an answer, each piece of it a step."""

    def __init__(self, line: Orderly, body: httpx.AsyncByteStream) -> None:
        self._line, self._body = line, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        try:
            while (piece := await self._line.step(anext(pieces, None))) is not None:
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await self._line.step(pieces.aclose())

    async def aclose(self) -> None:
        await self._line.step(self._body.aclose())


async def _ended(step: asyncio.Future[Any]) -> None:
    """Wait for the end of a step, which is near, however often whoever waits is cancelled."""
    while not step.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([step])
    if not step.cancelled():
        step.exception()  # looked at, or asyncio tells the person of it


async def _closed(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()
