"""What the status line says of the service, and that it stands still while nothing happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kbtui.__main__ import open_workspace
from kbtui.demo.server import Demo
from kbtui.errors import Busy, NotFound, Offline, Unexpected
from kbtui.knowledge_base import KnowledgeBase
from kbtui.rows import Progress, View
from kbtui.tui import following
from kbtui.tui.following import Follower
from kbtui.tui.tasks import Tasks
from tests.house import BASE, opened, settings_for
from tests.service import Service
from tests.wire import Point, Wire

SENTENCE = "nowhere.example cannot be reached. Check the network."


class Unreachable:
    """A knowledge base whose sweep begins and gets no answer."""

    waiting = trying = None
    silent = 0.0
    drafts = SimpleNamespace(trouble="")
    mirror = SimpleNamespace(count=lambda scope: 1)

    def __init__(self) -> None:
        self.tries = 0

    async def sweep(self, focus: View) -> AsyncIterator[Progress]:
        self.tries += 1
        yield Progress("focus", 0, None, 0, 0, False)
        raise Offline(SENTENCE)


def words(follower: Follower, room: int = following.WIDE) -> str:
    return "".join(text for text, _ in follower.status("X", room))


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


@asynccontextmanager
async def workspace(url: str, key: str, home: Path) -> AsyncIterator[tuple[KnowledgeBase, Follower]]:
    """A workspace, and who would follow its service."""
    settings = settings_for(url, key, home)
    kb = open_workspace(settings, settings.workspace)
    assert kb is not None
    yield kb, Follower(kb, View, lambda sentence, look: None)
    await kb.close()


async def test_all_countdowns_are_cancelled_together_and_one_that_is_over_is_not_shown(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with workspace(wire.url, demo.key, tmp_path) as (kb, follower):
        for id, seconds in (("soon", "30"), ("late", "60")):
            wire.answer(429, {"detail": f"Not {id}."}, headers={"retry-after": seconds}, path=id, times=None)
        api = await kb.api()
        reads = [asyncio.create_task(api.get(id)) for id in ("soon", "late")]

        async def both_count_down() -> None:
            async with asyncio.timeout(10):
                while kb.waiting is None or len(kb.waiting.waits) < 2:
                    assert not reads[1].done()
                    await asyncio.sleep(0.01)

        await both_count_down()
        assert "Not soon · again in" in words(follower)
        reads[0].cancel()
        await asyncio.gather(reads[0], return_exceptions=True)
        assert "Not late · again in" in words(follower)
        reads[0] = asyncio.create_task(api.get("soon"))
        await both_count_down()
        assert kb.waiting is not None
        kb.waiting.cancel()
        assert words(follower) == "connecting"
        assert [type(each) for each in await asyncio.gather(*reads, return_exceptions=True)] == [Busy, Busy]


def test_a_countdown_is_told_in_a_sentence_where_there_is_room_and_in_a_word_where_there_is_not() -> None:
    kb: Any = Unreachable()
    follower = Follower(kb, View, lambda sentence, look: None)
    wait = SimpleNamespace(until=time.monotonic() + 7.5, reason=SENTENCE, kind=Offline)
    kb.waiting = SimpleNamespace(next=wait)
    whole = "nowhere.example cannot be reached · again in 8 s (X stops)"
    assert words(follower, len(whole)) == whole
    assert words(follower, len(whole) - 1) == "offline · again in 8 s (X stops)"
    assert words(follower, 5) == "offline · again in 8 s (X stops)"
    wait.kind = Unexpected
    assert follower.status("", 20) == [("service fault", "warn"), (" · again in 8 s", "warn")]
    wait.until = time.monotonic()
    assert words(follower) == "service fault · trying again"


def test_a_service_that_is_silent_is_told_before_anything_but_a_line_that_is_known_to_be_gone() -> None:
    kb: Any = Unreachable()
    follower = Follower(kb, View, lambda sentence, look: None)
    follower._progress = Progress("done", 1, 1, 0, 0, True)
    kb.silent = following.SILENT - 0.1
    assert words(follower) == "online" and not follower.amiss("X")
    kb.silent = 12.9
    assert words(follower) == "no answer for 12 s"
    assert follower.amiss("") == [("no answer for 12 s", "warn")]
    follower.halted = True
    assert words(follower) == "no answer for 12 s"
    follower._trouble = Offline(SENTENCE)
    assert words(follower) == "offline · as seen last · R tries again"
    assert words(follower, 30) == "offline · R tries again"
    assert follower.amiss("", retry="") == [("offline", "bad")], "where R is a letter"


def test_a_task_tells_its_own_state_and_not_what_another_waits_for() -> None:
    save = SimpleNamespace(
        until=time.monotonic() + 7.5, reason=SENTENCE, kind=Offline, asks="PATCH /v1/a/doc"
    )
    mirror = SimpleNamespace(row=lambda id: None)
    kb: Any = SimpleNamespace(waiting=SimpleNamespace(waits=[save], next=save), trying=None, mirror=mirror)
    follower = Follower(kb, View, lambda sentence, look: None)
    follower._progress = Progress("done", 1, 1, 0, 0, True)
    assert follower.doing()[0].startswith("done, looks again at "), "a save waits, the list does not"
    asks: Any = SimpleNamespace(kb=kb, sending=lambda: [("doc", "content"), ("do", "content")])
    assert [each.state for each in Tasks._changes(asks)] == ["waits to be tried again", "on its way"]
    follower._trouble = Offline(SENTENCE)
    assert follower.doing()[0] == "offline · R tries again"
    asking: Any = follower
    asking._asking = object()
    assert follower.doing() == ("offline · again in 8 s", "warn"), "the footer tells what cancels it"


async def test_as_long_as_it_is_not_known_how_another_try_ends_nobody_says_online(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with workspace(wire.url, demo.key, tmp_path) as (kb, follower):
        follower._progress = Progress("done", 1, 1, 0, 0, True)
        assert words(follower) == "online" and follower.in_touch
        wire.answer(429, {"detail": "Slow down."}, headers={"retry-after": "0"}, path="lost")
        hold = wire.hold("request", path="lost", when=lambda request: request.number > 0)
        reading = asyncio.create_task((await kb.api()).get("lost"))
        async with asyncio.timeout(10):
            while "trying" not in words(follower):
                assert not reading.done()
                await asyncio.sleep(0.01)
            assert words(follower) == "busy · trying again" and not follower.in_touch
            hold.release()
            with suppress(NotFound):
                await reading
        assert words(follower) == "online" and follower.in_touch


@pytest.mark.parametrize("point", ["request", "answer", "body"])
async def test_a_request_of_which_nothing_comes_is_told_until_more_of_it_comes(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: Point
) -> None:
    id = service.add("Shared", BASE)
    async with workspace(wire.url, demo.key, tmp_path) as (kb, follower):
        follower._progress = Progress("done", 1, 1, 0, 0, True)
        monkeypatch.setattr(following, "SILENT", 0.01)
        hold = wire.hold(point, path="/content$")
        reading = asyncio.create_task(kb.read(id))
        await asyncio.to_thread(hold.wait)
        async with asyncio.timeout(10):
            while not words(follower).startswith("no answer for "):  # noqa: ASYNC110
                await asyncio.sleep(0)
        hold.release()
        assert (await reading).text == BASE
        assert words(follower) == "online" and kb.silent == 0


async def test_a_fault_that_was_told_before_a_look_that_succeeds_is_news_again_after_it(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with workspace(wire.url, demo.key, tmp_path) as (_, follower):
        said: list[str] = []
        follower._tell = lambda sentence, look: said.append(sentence)
        follower.look("No line.")
        follower._unwell(Offline("No line."), None)
        assert said == []
        follower.look("No line.")
        await follower._round()
        follower._unwell(Offline("No line."), None)
        assert said == ["No line."]


async def test_a_countdown_leaves_room_for_the_name_of_the_workspace_and_the_place(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    why = "There is far too much to do for anybody at the moment"
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        wire.answer(429, {"detail": f"{why}."}, headers={"retry-after": "60"}, times=None)
        await house.press("R")
        await house.until(lambda: "busy · again in" in house.line("header"), "in short")
        assert "kbtui  acme" in house.drawn[0] and "Root" in house.drawn[0] and "X stops" in house.drawn[0]
        await house.pilot.resize_terminal(160, 24)
        await house.until(lambda: f"{why} · again in" in house.drawn[0], "in full")
        assert "kbtui  acme" in house.drawn[0] and "Root" in house.drawn[0] and "X stops" in house.drawn[0]
        await house.press("T")
        await house.until(lambda: why in "".join(house.drawn[1:]), "in full")


async def test_stopped_it_tries_no_more_until_asked() -> None:
    kb: Any = Unreachable()
    follower = Follower(kb, View, lambda sentence, look: None)
    follower.stop()  # nothing is waited for
    running = asyncio.create_task(follower.run())

    async def tried(times: int) -> None:
        async with asyncio.timeout(10):
            while kb.tries < times or "again at" not in words(follower):  # noqa: ASYNC110
                await asyncio.sleep(0)

    await tried(1)
    follower.stop()
    for _ in range(50):
        await asyncio.sleep(0)
        assert kb.tries == 1 and "R tries again" in words(follower)
    follower.refresh()
    await tried(2)
    running.cancel()


async def test_a_countdown_of_a_save_that_is_stopped_does_not_stop_the_looks_at_the_service(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL", 0.1)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        wire.answer(429, {"detail": "Slow down."}, headers={"retry-after": "60"}, method="PATCH")
        await house.press("r", *"!", "enter")
        await house.until(lambda: "X stops" in house.status, "a countdown")
        await house.press("X")
        await house.until(lambda: "safe here as a draft" in house.notices, "told")
        service.patch(house.row.id, name="Chargebacks, theirs")
        await house.until(lambda: house.names == ["Chargebacks, theirs"], "a look of its own")


async def test_a_sweep_that_failed_is_a_sweep_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Once(Unreachable):
        """Its first sweep is carried out; it has no shorter look."""

        async def sweep(self, focus: View) -> AsyncIterator[Progress]:
            async for progress in super().sweep(focus) if self.tries else self._first():
                yield progress

        async def _first(self) -> AsyncIterator[Progress]:
            self.tries += 1
            yield Progress("done", 1, 1, 0, 0, True)

        async def overwritten(self) -> list[Any]:
            return []

    monkeypatch.setattr(following, "FIRST_RETRY", 0.01)
    kb: Any = Once()
    follower = Follower(kb, View, lambda sentence, look: None)
    running = asyncio.create_task(follower.run())
    async with asyncio.timeout(10):
        while words(follower) != "online":  # noqa: ASYNC110
            await asyncio.sleep(0)
        follower.refresh()
        while kb.tries < 3 and not running.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert kb.tries == 3, running
    running.cancel()
