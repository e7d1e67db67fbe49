"""Pages that are fetched again, and auto-sync: what is told before, what holds then, what is taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kbtui.demo.server import Demo
from kbtui.tui.screens.auto_sync import AutoSyncScreen
from kbtui.tui.screens.question import Question
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

PAGE = "Reset the Dial (web)"


def sync(service: Service, id: str) -> Any:
    return service.get(id).get("auto_sync_info")


async def settings(house: House) -> None:
    await house.press("g", "S")
    await house.until(lambda: isinstance(house.app.screen, AutoSyncScreen), "the settings")


async def test_auto_sync_is_turned_on_changed_and_taken_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.select(PAGE)
        id = house.row.id
        await house.mend("Mine. ")
        await settings(house)
        assert "◂ off ▸" in house.drawn[2] and sync(service, id) is None
        assert "week" not in house.line("footer")
        await house.press("]")
        assert "A week more: for the line “Renewed” alone, which counts days." in house.notices
        await house.press("j")
        assert "a week more" in house.line("footer")
        await house.press("escape")
        assert len(wire.patches) == 1
        await settings(house)
        await house.press("space", "j", "l", "l", "h", "]", "j", "space")
        words = "\n".join(house.drawn)
        assert "◂ on ▸" in words and "at least every 15 days" in words and "remove the document" in words
        assert "Your edit of" in words and "will be replaced" in words
        await house.press("s")
        await house.until(lambda: "is on, at least every 15 days" in house.notices, "told")
        found = sync(service, id)
        assert (found["minimum_frequency_days"], found["auto_remove"]) == (15, True)
        await settings(house)
        await house.until(lambda: "Renewed next by" in "\n".join(house.drawn), "when it is renewed")
        await house.press("space")
        assert "Renewed next" not in "\n".join(house.drawn), "it would not be"
        await house.press("escape")
        await house.press("e")
        assert "Auto-sync is on" in house.notices and "gS" in house.notices
        house.wait_a_moment()
        await house.press("g", "l")
        await house.until(lambda: "after   on, at least every 15 days" in "\n".join(house.drawn), "told")
        await house.press("p")
        await house.until(lambda: "is off." in house.notices, "put back")
        assert sync(service, id) is None
        await house.press("u")
        await house.until(lambda: "Undone: auto-sync" in house.notices, "taken back")
        assert sync(service, id)["minimum_frequency_days"] == 15
        house.app.clear_notifications()
        await house.press("u")
        await house.until(lambda: "Undone: auto-sync" in house.notices, "and what came before")
        assert sync(service, id) is None and "Mine. " in service.text(id)
        await house.press("u")
        await house.until(lambda: "Undone: edit" in house.notices, "what came before")


async def test_what_is_in_a_folder_is_forced_only_after_a_question_that_names_how_many(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        page = service.id(PAGE)
        folder = service.get(page)["folder_path"][-1]["id"]
        path = [each["id"] for each in service.get(folder)["folder_path"]]
        await house.enter(*(service.get(id)["name"] for id in path))
        await house.press("/", *service.get(folder)["name"], "enter")
        assert house.row.id == folder
        await settings(house)
        await house.press("space", "G", "l", "l", "s")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        documents = service.get(folder)["document_count"]
        assert f"Give {documents} document" in "\n".join(house.drawn) and sync(service, page) is None
        await house.press("enter")
        await house.until(lambda: isinstance(house.app.screen, AutoSyncScreen), "cancelled")
        assert sync(service, folder) is None
        await house.press("h", "s")
        await house.until(lambda: "is on" in house.notices, "sent")
        assert (
            sync(service, folder)["minimum_frequency_days"] == sync(service, page)["minimum_frequency_days"]
        )
        mirror = house.browse.kb.mirror
        await house.until(lambda: (row := mirror.row(page)) and row.lock, "seen to be locked")


async def test_a_text_has_no_source_and_says_so_and_a_refused_setting_is_told(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.press("g", "S")
        assert "renew themselves" in house.notices
        await house.select(PAGE)
        await settings(house)
        wire.answer(400, {"detail": {"status": "no", "message": "Not on this plan."}}, method="PATCH")
        await house.press("space", "s")
        await house.until(lambda: "Not on this plan." in house.notices, "told")
        assert sync(service, house.row.id) is None and house.browse.kb.undoable() is None
