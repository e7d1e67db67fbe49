"""A request may be cancelled at any moment, and again: no connection is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kbtui.errors import Offline
from kbtui.transport import Ask, Transport

DOCUMENT = Ask("GET", ("knowledge-base", "a"))
CONTENT = Ask("GET", ("knowledge-base", "a", "content"))
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n{ "
TURNS = 40  # of the event loop: more than a request needs here
OVER = 3  # requests in a row that had come to their end: no later moment is another one


class Counting:
    """A server that counts its open connections and sends its answers in two pieces."""

    def __init__(self) -> None:
        self.open = self.most = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._closed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        self._writers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(HEAD)
                await asyncio.sleep(0)
                writer.write(b" }")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            self._closed.set()
            writer.close()

    def give_up(self) -> None:
        """Say on every connection that nothing comes any more; the client has to close its end."""
        for writer in self._writers:
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
        self._writers.clear()

    async def fall_to(self, number: int) -> None:
        async with asyncio.timeout(5):
            while self.open > number:
                self._closed.clear()
                await self._closed.wait()


@asynccontextmanager
async def counted() -> AsyncIterator[tuple[Counting, Transport]]:
    counting = Counting()
    server = await asyncio.start_server(counting.serve, "127.0.0.1", 0)
    line = Transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "the-key", environ={})
    try:
        yield counting, line
    finally:
        await line.aclose()
        server.close()
        await server.wait_closed()


async def whole(line: Transport) -> None:
    async for _ in line.stream(CONTENT):
        pass


@pytest.mark.parametrize("again", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("others", ["fresh", "given up"])
@pytest.mark.parametrize("asked", ["answer", "body"])
async def test_a_request_cancelled_at_any_moment_leaves_no_connection_behind(
    asked: str, others: str, again: int | None
) -> None:
    async with counted() as (counting, line):
        over = 0
        for turns in range(TURNS):
            await asyncio.gather(*(line.json(DOCUMENT) for _ in range(4)))
            if others == "given up":
                counting.give_up()
                await later(2)
            request = asyncio.ensure_future(line.json(DOCUMENT) if asked == "answer" else whole(line))
            await later(turns)
            over = over + 1 if request.done() else 0
            request.cancel()
            if again is not None:
                await later(again)
                request.cancel()
            await asyncio.wait([request])
            if over == OVER:
                break
        assert over, "some moment came too late"
        await line.aclose()
        await counting.fall_to(0)
        assert counting.most >= 4


async def later(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_a_connection_whose_request_was_cancelled_twice_is_not_kept_for_nothing() -> None:
    """Young connections are taken again, so that there are never more of them than requests at once."""
    async with counted() as (counting, line):
        for turns in range(TURNS):
            for _ in range(5):
                request = asyncio.ensure_future(line.json(DOCUMENT))
                await later(turns)
                request.cancel()
                await later(1)
                request.cancel()
                await asyncio.wait([request])
                await line.json(DOCUMENT)
        await counting.fall_to(2)


async def test_what_is_under_way_when_the_line_is_closed_ends_at_once_and_is_told() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        with contextlib.suppress(ConnectionError):
            await reader.read(-1)
        writer.close()

    came = asyncio.Event()
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    line = Transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "the-key", environ={})
    request = asyncio.ensure_future(line.json(DOCUMENT))
    await came.wait()
    async with asyncio.timeout(5):
        await line.aclose()
        with pytest.raises(Offline):
            await request
    server.close()
    await server.wait_closed()
