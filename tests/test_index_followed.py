"""Indexes that are begun are followed until they are told, wherever one goes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.settings import Workspace
from kbtui.tui.app import KbApp
from tests.chunking import LONG
from tests.house import opened, settings_for
from tests.indexing import (
    BATCH,
    FIRST,
    batches,
    lines,
    looking_at,
    looking_into,
    shows,
)
from tests.service import Service
from tests.wire import Wire


@pytest.fixture
def slow() -> Iterator[Demo]:
    """A demo whose indexes take a moment."""
    with Demo(index_seconds=1) as server:
        yield server


async def test_an_index_that_is_begun_here_is_followed_until_it_is_told_and_the_list_follows_edits(
    slow: Demo, tmp_path: Path
) -> None:
    with Service(slow) as service, Wire(slow.url) as wire:
        id = service.add("Growing", LONG)
        async with opened(settings_for(wire.url, slow.key, tmp_path)) as house:
            await looking_at(house, "Growing", "no index yet")
            wire.forget()
            await house.press("b")
            await shows(house, "◐ being built", "1 being built")
            await house.press("q")
            await house.until(lambda: "Indexed: “Growing”." in house.notices, "told")
            assert (
                service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"][0]["status"] == "succeeded"
            )
            asked = len(batches(wire))
            assert 1 <= asked <= 4, "now and then"
            await house.until(lambda: any("● ready" in line for line in house.drawn), "in the list as well")
            assert len(batches(wire)) == asked, "the list asks for what the app has not heard"
            await house.mend("Quokka. ")
            await house.until(lambda: any("◐" in line for line in house.drawn), "being built anew")


async def test_indexes_that_are_begun_one_by_one_are_followed_in_one_batch(
    slow: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[str]()
    monkeypatch.setattr(KbApp, "tell", lambda app, sentence, look="": told.append(sentence))
    with Service(slow) as service, Wire(slow.url) as wire:
        folder = service.folder("AA Many")
        for number in range(3):
            service.add(f"Quokka {number}", LONG, folder)
        async with opened(settings_for(wire.url, slow.key, tmp_path)) as house:
            await looking_into(house, "AA Many", "no index yet")
            await house.until(lambda: all("no index yet" in line for line in lines(house)), "looked at")
            await house.press("b", "j", "b", "j", "b")
            await shows(house, "3 being built")
            await house.press("q", "1", "g", "g")
            house.app.settle = house.browse.settle = 60.0
            wire.forget()
            await house.until(lambda: sum("Indexed" in each for each in told) == 3, "all are told")
            asked = batches(wire)
            assert any(len(ids) == 3 for _, ids in asked)
            assert len(asked) <= 4, asked


@pytest.mark.parametrize("kept", [True, False])
async def test_who_leaves_the_workspace_is_told_and_what_was_begun_is_taken_up_on_coming_back(
    slow: Demo, demo: Demo, tmp_path: Path, kept: bool
) -> None:
    with Service(slow) as service, Wire(slow.url) as wire:
        service.add("Quokka", LONG)
        one = settings_for(wire.url, slow.key, tmp_path, name="acme", cache=kept)
        second = Workspace("second", demo.url, key=demo.key)
        async with opened(replace(one, workspaces=(one.workspace, second))) as house:
            await looking_at(house, "Quokka", "no index yet")
            await house.press("b")
            await shows(house, "◐ being built")
            hold = wire.hold("answer", path=BATCH)
            await asyncio.to_thread(hold.wait)
            await house.press("q", "g", "w", "j", "enter")
            await house.until(lambda: house.app.settings.workspace is second and house.settled, "the second")
            assert "Indexes are being built in acme" in house.notices
            hold.release()
            assert not any(worker.group == "follow" for worker in house.app.workers)
            await house.press("g", "w", "k", "enter")
            await house.until(lambda: "Indexed: “Quokka”." in house.notices, "told")


async def test_what_was_not_begun_before_the_workspace_was_left_is_told_on_coming_back(
    demo: Demo, service: Service, wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("kbtui.indexing.BATCH", 1)
    folder = service.folder("AA Many")
    for number in range(3):
        service.add(f"Quokka {number}", LONG, folder)
    with Demo(index_seconds=0, sample=False) as other:
        one = settings_for(wire.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key)
        async with opened(replace(one, workspaces=(one.workspace, second))) as house:
            await looking_into(house, "AA Many", "no index yet")
            await house.press("B")
            await shows(house, "Build the index of 3 documents?")
            second_batch = iter([False, True])
            hold = wire.hold(
                "request", path=BATCH, when=lambda each: b"true" in each.body and next(second_batch)
            )
            await house.press("y")
            await asyncio.to_thread(hold.wait)
            await house.press("q", "g", "w", "j", "enter")
            await house.until(lambda: house.app.settings.workspace is second and house.settled, "the second")
            hold.release()
            await house.press("g", "w", "k", "enter")
            await house.until(lambda: "Indexed: 1 of 3 documents; not “Quokka 1”" in house.notices, "told")
            assert "the workspace was left before it was begun), and 1 other" in house.notices


async def test_an_index_is_followed_by_itself_where_the_service_refuses_to_tell_of_many(
    slow: Demo, tmp_path: Path
) -> None:
    with Service(slow) as service, Wire(slow.url) as wire:
        id = service.add("Quokka", LONG)
        wire.answer(422, {"detail": "No such model."}, method="POST", path=BATCH, times=None)
        async with opened(settings_for(wire.url, slow.key, tmp_path)) as house:
            await house.online()
            service.call("POST", f"/knowledge-base/{id}/rag-index", json={"model": FIRST})
            looks = [
                [each.status for each in indexes]
                async for indexes in house.browse.kb.follow_indexes(id, FIRST)
            ]
            assert looks[-1] == ["succeeded"] and 1 < len(looks) <= 4, looks
