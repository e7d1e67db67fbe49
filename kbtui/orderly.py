"""Requests that can be cancelled at any moment, and leave every connection in order.

httpcore 1.0 shields how a request ends from anyio's way of cancelling, and not from asyncio's: a task that is
cancelled while it closes idle connections that have become too old leaves the rest of them open for good,
and one that is cancelled twice its own. So each step is a task of its own here, which is cancelled in anyio's
way when whoever waits for it is cancelled in asyncio's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import anyio
import httpx

T = TypeVar("T")


class Orderly(httpx.AsyncBaseTransport):
    """An httpx transport around another; `aclose` waits for what was cancelled and is not yet in order."""

    def __init__(self, line: httpx.AsyncBaseTransport) -> None:
        self._line = line
        self._under_way: set[asyncio.Task[Any]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.step(self._line.handle_async_request(request), _closed)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Body(self, response.stream)
        return response

    async def aclose(self) -> None:
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self.step(self._line.aclose())

    async def step(self, work: Awaitable[T], unwanted: Callable[[T], Awaitable[None]] | None = None) -> T:
        """Do `work`; where nobody waits for it any more, what came of it nevertheless goes to `unwanted`."""
        scope = anyio.CancelScope()

        async def scoped() -> T:
            with scope:
                return await work
            raise asyncio.CancelledError

        step = self._begin(scoped())
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            scope.cancel()
            if unwanted is not None:
                self._begin(_thrown_away(step, unwanted))
            raise

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task


class _Body(httpx.AsyncByteStream):
    """The body of an answer, each piece of it a step."""

    def __init__(self, line: Orderly, body: httpx.AsyncByteStream) -> None:
        self._line, self._body = line, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        while (piece := await self._line.step(anext(pieces, None))) is not None:
            yield piece

    async def aclose(self) -> None:
        await self._line.step(self._body.aclose())


async def _thrown_away(step: asyncio.Task[T], unwanted: Callable[[T], Awaitable[None]]) -> None:
    with suppress(asyncio.CancelledError, Exception):
        await unwanted(await step)


async def _closed(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()
