"""A transport that counts down in no time, and what is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kbtui.errors import Error
from kbtui.pacing import Pacing
from kbtui.transport import Ask, Exchange, Transport
from kbtui.waiting import Wait
from tests.wire import Wire

LIST = Ask("GET", ("knowledge-base",), query={"page_size": 1})


class Line(Transport):
    """A transport that counts down in no time, and remembers what it would have waited."""

    def __init__(self, base_url: str, key: str, **rest: Any) -> None:
        self.waits: list[Wait] = []
        self.log: list[Exchange] = []
        self.while_waiting: Callable[[], Awaitable[None]] = self._nothing
        options: dict[str, Any] = {"pacing": Pacing(draw=lambda: 0.5), "environ": {}, **rest}
        super().__init__(
            base_url,
            key,
            on_wait=self.waits.append,
            on_exchange=self.log.append,
            sleep=lambda seconds: self.while_waiting(),
            **options,
        )

    async def _nothing(self) -> None:
        await asyncio.sleep(0)


async def failed(line: Transport, ask: Ask) -> Error:
    with pytest.raises(Error) as caught:
        await line.json(ask)
    return caught.value


def create(name: str = "New") -> Ask:
    body = {"text": "Some words.", "name": name}
    return Ask("POST", ("knowledge-base", "text"), body=body, effect="once")


async def a_document(line: Transport) -> str:
    return str((await line.json(create())).data["id"])


FAULTS: dict[str, Callable[[Wire], object]] = {
    "cut before the service heard of it": lambda wire: wire.cut("request"),
    "cut before the answer": lambda wire: wire.cut("answer"),
    "cut in the middle of the answer": lambda wire: wire.cut("body"),
    "500": lambda wire: wire.answer(500),
    "502": lambda wire: wire.answer(502, b"<html>"),
    "503": lambda wire: wire.answer(503),
    "504": lambda wire: wire.answer(504),
}
