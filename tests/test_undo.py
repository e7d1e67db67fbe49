"""What `u` takes back beside renames and edits, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from kbtui.demo.server import Demo
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.question import Question
from tests.house import House, opened, settings_for
from tests.service import Service

BASE = "One.\nTwo.\n"


async def edit(house: House, name: str, words: str) -> None:
    await house.until(lambda: house.settled, "online")
    await house.select(name)
    await house.press("e")
    await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
    await house.type(words)


async def conflict(house: House) -> None:
    await house.press("ctrl+s")
    await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")


async def test_words_that_gave_way_to_theirs_come_back_as_a_draft(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await edit(house, "Shared", "Mine. ")
        service.patch(id, content="Theirs.\n")
        await conflict(house)
        await house.press("t")
        await house.until(lambda: house.app.screen is house.browse, "the editor is gone")
        kb = house.browse.kb
        assert "u brings your words back" in house.notices and kb.drafts.all() == []
        await house.press("u")
        await house.until(lambda: "a draft again" in house.notices, "told")
        assert [(draft.document, draft.base, draft.text) for draft in kb.drafts.all()] == [
            (id, BASE, "Mine. " + BASE)
        ]
        assert service.text(id) == "Theirs.\n"
        await house.press("u")
        assert "nothing to undo" in house.notices


async def test_a_page_that_was_fetched_again_can_be_put_back(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled, "online")
        await house.select("Reset the Dial (web)")
        id = house.row.id
        service.patch(id, content="Edited by hand.")
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        await house.press("right", "enter")
        await house.until(lambda: "Fetched again" in house.notices, "fetched")
        assert service.text(id) != "Edited by hand."
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == "Edited by hand."


async def test_undo_of_what_is_gone_says_so_and_the_change_before_it_is_next(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    first, second = service.add("Gone later, 1", BASE), service.add("Gone later, 2", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        for number in "12":
            await edit(house, f"Gone later, {number}", "X")
            await house.press("ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            house.app.clear_notifications()
            await house.press("escape")
        service.delete(second)
        await house.press("u")
        await house.until(lambda: "is gone from the service" in house.notices, "why not")
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "the one before")
        assert service.text(first) == BASE


async def test_an_edit_that_was_taken_back_is_no_loss_to_be_announced(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await edit(house, "Shared", "First. ")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        house.app.clear_notifications()
        await house.type("Mine. ")
        service.patch(id, content="Theirs.\n")
        await conflict(house)
        await house.press("m")
        await house.until(lambda: "Saved, verified" in house.notices, "saved over theirs")
        await house.press("escape", "u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == "Theirs.\n"
        assert await house.browse.kb.overwritten() == [] and house.browse.kb.drafts.all() == []
