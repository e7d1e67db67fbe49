"""Workspaces are opened and left: each with a mirror of its own, and no save cut off."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.drafts import Draft
from kbtui.knowledge_base import KnowledgeBase
from kbtui.settings import Workspace
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.welcome import Welcome
from tests.house import BASE, opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_each_workspace_has_a_mirror_of_its_own_and_one_without_a_key_the_first_page(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Only in the first", "words")
    with Demo(index_seconds=0, sample=False) as other, Service(other) as there:
        there.add("Only in the second", "words")
        one = settings_for(demo.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key, read_only=True)
        third = Workspace("third", "https://api.elevenlabs.io")
        settings = replace(one, workspaces=(one.workspace, second, third))
        async with opened(settings) as house:
            await house.online()
            assert "Only in the first" in house.names
            await house.press("g", "w")
            assert any("●  acme" in line for line in house.drawn)
            assert any("second" in line and "read-only" in line for line in house.drawn)
            await house.press("j", "enter")
            await house.until(lambda: house.line("header").startswith(" kbtui  second"), "the second")
            await house.online()
            assert house.names == ["Only in the second"] and "read-only" in house.line("header")
            await house.press("r")
            assert "reading only" in house.notices
            house.wait_a_moment()
            await house.press("e")
            assert "reading only" in house.notices and house.app.screen is house.browse
            house.wait_a_moment()
            await house.press("g", "w", "k", "enter")
            await house.until(lambda: house.line("header").startswith(" kbtui  acme"), "back in the first")
            assert "Only in the first" in house.names
            await house.press("g", "w", "G", "enter")
            await house.until(lambda: isinstance(house.app.screen, Welcome), "the first-run page")
            await house.until(lambda: any("https://api.elevenlabs.io" in line for line in house.drawn))
            await house.press("g", "w", "g", "g", "enter")
            await house.until(lambda: house.app.screen.query("#list"), "and out of it again")
            await house.online()
            assert "Only in the first" in house.names
        assert len(list((tmp_path / "cache").glob("*.mirror"))) == 2


async def test_a_workspace_is_left_with_a_preview_under_way_and_all_goes_on(
    demo: Demo, tmp_path: Path
) -> None:
    with Demo(index_seconds=0, sample=False) as other, Service(other) as there:
        there.add("Only there", "words")
        one = settings_for(demo.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key)
        async with opened(replace(one, workspaces=(one.workspace, second))) as house:
            await house.online()
            house.browse.settle = 0.3
            house.burst("j", "g", "w", "j", "enter")
            await house.until(lambda: house.app.settings.workspace is second and house.settled, "the other")
            await house.until(lambda: house.names == ["Only there"], "its documents")
            await house.pilot.pause(0.5)
            assert house.app.is_running and house.app.held is None


async def test_a_save_that_is_begun_while_another_is_waited_for_is_finished_too(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    first, second = service.add("Crossed", BASE), service.add("Alpha", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "First. ")
        held = wire.hold("answer", method="PATCH", path=first)
        await house.press("ctrl+s")
        await wire.seen(lambda request: request.method == "PATCH")
        await house.press("escape", "Q")
        await house.until(lambda: "Finishing the save" in house.notices, "waits")
        await house.select("Alpha")
        await house.press("r", *"!", "enter")
        held.release()
        await house.until(lambda: not house.app.is_running, "ended")
    assert service.text(first) == "First. " + BASE and service.get(second)["name"] == "Alpha!"


async def test_who_leaves_and_is_asked_by_the_save_stays_to_answer(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        service.patch(id, content="Theirs.\n")
        held = wire.hold("answer", path="/content$")
        await house.press("ctrl+s", "escape", "Q")
        await house.until(lambda: "Finishing the save" in house.notices, "waits")
        held.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")
        await house.until(lambda: "Not left" in house.notices, "told")
        held = wire.hold("answer", method="PATCH")
        await house.press("a", "m")
        await wire.seen(lambda request: request.method == "PATCH")
        await house.press("Q")
        await house.until(lambda: "Finishing the save" in house.notices, "waits again")
        held.release()
        await house.until(lambda: not house.app.is_running, "ended")
    assert service.text(id) == "Mine. " + BASE


async def test_another_workspace_is_opened_when_the_save_in_this_one_is_through(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    with Demo(index_seconds=0, sample=False) as other:
        one = settings_for(wire.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key)
        async with opened(replace(one, workspaces=(one.workspace, second))) as house:
            await house.typing("Crossed", "Mine. ")
            held = wire.hold("answer", method="PATCH")
            await house.press("ctrl+s", "escape", "g", "w", "j", "enter")
            await house.until(lambda: "Finishing the save" in house.notices, "waits")
            assert house.app.settings.workspace is one.workspace
            held.release()
            await house.until(lambda: house.app.settings.workspace is second and house.settled, "the other")
            assert service.text(id) == "Mine. " + BASE and house.drafts == []


async def test_what_is_under_way_at_the_end_meets_no_closed_file(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def slow(kb: KnowledgeBase) -> list[Draft]:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(time.sleep, 0.3)  # an end that takes its time, as that of a request may
            seen.append(f"{len(kb.history.pending(kb.base_url))} pending")
        return []

    async def close(kb: KnowledgeBase) -> None:
        seen.append("closed")
        await really_close(kb)

    really_close = KnowledgeBase.close
    monkeypatch.setattr(KnowledgeBase, "overwritten", slow)
    monkeypatch.setattr(KnowledgeBase, "close", close)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        house.app.exit()
    assert seen == ["0 pending", "closed"]


async def test_who_leaves_from_the_list_of_drafts_is_asked_there_too(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        service.patch(id, content="Theirs.\n")
        held = wire.hold("answer", path="/content$")
        await house.press("ctrl+s", "escape", "g", "d", "Q")
        await house.until(lambda: "Finishing the save" in house.notices, "waits")
        held.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")


async def test_a_key_that_is_tried_twice_leaves_no_file_open(
    demo: Demo, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[KnowledgeBase] = []

    async def close(kb: KnowledgeBase) -> None:
        closed.append(kb)
        await really_close(kb)

    really_close = KnowledgeBase.close
    monkeypatch.setattr(KnowledgeBase, "close", close)
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    settings = settings_for(wire.url, "", tmp_path)
    async with opened(settings) as house:
        await house.until(lambda: isinstance(house.app.screen, Welcome), "first run")
        monkeypatch.setenv("ELEVENLABS_API_KEY", demo.key)
        held = wire.hold("answer", path="knowledge-base$")
        await house.press("enter")
        await asyncio.to_thread(held.wait)
        await house.press("enter")
        held.release()
        await house.until(lambda: len(house.app.screen_stack) and house.settled, "open")
        assert len(closed) == 1


async def test_who_leaves_before_everything_is_there_leaves_in_peace(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        browse, kb = house.browse, house.browse.kb
        await house.press("Q")
        await house.until(lambda: not browse.is_attached, "left")
        house.app._begin(kb)
        browse.add_fields()
