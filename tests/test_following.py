"""What the status line says of the service, and that it stands still while nothing happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from kbtui.errors import Offline
from kbtui.rows import Progress, View
from kbtui.tui.following import Follower

SENTENCE = "nowhere.example cannot be reached. Check the network."


class Unreachable:
    """A knowledge base whose sweep begins and gets no answer."""

    waiting = None
    drafts = SimpleNamespace(trouble="")

    def __init__(self) -> None:
        self.tries = 0

    async def sweep(self, focus: View) -> AsyncIterator[Progress]:
        self.tries += 1
        yield Progress("focus", 0, None, 0, 0, False)
        raise Offline(SENTENCE)


def words(follower: Follower) -> str:
    return "".join(text for text, _ in follower.status())


async def test_offline_names_a_time_is_told_once_and_claims_no_answer_before_one_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    kb: Any = Unreachable()
    follower = Follower(kb, View, lambda sentence, look: told.append(sentence))
    assert words(follower) == "connecting"
    running = asyncio.create_task(follower.run())
    for tries in (1, 2):
        async with asyncio.timeout(10):
            while kb.tries < tries or "again at" not in words(follower):
                assert "online" not in words(follower)
                await asyncio.sleep(0)
        said = words(follower)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda now=now: now + 1.5)
        assert words(follower) == said
        monkeypatch.undo()
        follower.refresh()
        await asyncio.sleep(0)
    assert told == [SENTENCE]
    running.cancel()
