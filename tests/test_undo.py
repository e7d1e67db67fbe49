"""What `u` takes back beside renames and edits, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.errors import Refused
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.question import Question
from tests.house import BASE, House, last_change, opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def conflict(house: House) -> None:
    await house.press("ctrl+s")
    await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")


async def test_words_that_gave_way_to_theirs_come_back_as_a_draft(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Shared", "Mine. ")
        service.patch(id, content="Theirs.\n")
        await conflict(house)
        await house.press("a", "t")
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
        await house.online()
        await house.select("Reset the Dial (web)")
        id = house.row.id
        service.patch(id, content="Edited by hand.")
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        await house.press("right", "enter")
        await house.until(lambda: "Fetched again" in house.notices, "fetched")
        assert service.text(id) != "Edited by hand."
        assert " now; gl shows what changed." in house.notices and " bytes before, " in house.notices
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        await house.press("y")
        await house.until(lambda: "the text of the page is as it was" in house.notices, "nothing new")
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == "Edited by hand."


async def test_undo_of_what_is_gone_says_so_and_the_change_before_it_is_next(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    first, second = service.add("Gone later, 1", BASE), service.add("Gone later, 2", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        for number in "12":
            await house.typing(f"Gone later, {number}", "X")
            await house.press("ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            house.app.clear_notifications()
            await house.press("escape")
        service.delete(second)
        await house.press("u")
        await house.until(lambda: "is gone from the service" in house.notices, "why not")
        await house.press("u")
        await house.until(lambda: isinstance(house.app.screen, Question), "it is another document")
        assert "Undo the edit of “Gone later, 1”?" in " ".join(house.drawn)
        await house.press("y")
        await house.until(lambda: "Undone" in house.notices, "the one before")
        assert service.text(first) == BASE


async def test_an_edit_that_was_taken_back_is_no_loss_to_be_announced(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Shared", "First. ")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        house.app.clear_notifications()
        await house.type("Mine. ")
        service.patch(id, content="Theirs.\n")
        await conflict(house)
        await house.press("a", "m")
        await house.until(lambda: "Saved, verified" in house.notices, "saved over theirs")
        await house.press("escape", "u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == "Theirs.\n"
        assert await house.browse.kb.overwritten() == [] and house.browse.kb.drafts.all() == []


async def test_a_page_that_the_service_renews_is_not_promised_back_and_blocks_no_undo(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Chargebacks", "X")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "back")
        id = service.id("Reset the Dial (web)")
        service.patch(id, content="Edited by hand.")
        service.patch(id, enable_auto_sync=True)
        await house.press("R")
        await house.until(
            lambda: (row := house.browse.kb.mirror.row(id)) is not None and row.lock, "heard of"
        )
        await house.select("Reset the Dial (web)")
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        assert "u cannot put it back" in " ".join(" ".join(house.drawn).split())
        await house.press("y")
        await house.until(lambda: "Fetched again" in house.notices, "fetched")
        await house.press("u")
        await house.until(lambda: "cannot be put back" in house.notices, "why not")
        assert last_change(house.browse.kb) == ("edit", "Chargebacks")


async def test_undo_goes_back_step_by_step_and_not_over_somebody_elses_change(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        for word in ("A. ", "B. "):
            await house.editing("Shared")
            await house.press(*word, "ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, word)
            house.app.clear_notifications()
            await house.press("escape")
        await house.press("r", *"!", "enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        for name, text in (("Shared", "B. A. " + BASE), ("Shared", "A. " + BASE), ("Shared", BASE)):
            house.app.clear_notifications()
            await house.press("u")
            await house.until(lambda: "Undone" in house.notices, name)
            assert (service.get(id)["name"], service.text(id)) == (name, text)
        await house.press("u")
        assert "nothing to undo" in house.notices
        await house.editing("Shared")
        await house.press(*"C. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        service.patch(id, content="Somebody else's.")
        await house.press("escape", "u")
        await house.until(lambda: "changed again since" in house.notices, "refused")
        assert service.text(id) == "Somebody else's."


async def test_an_undo_of_unknown_fate_is_found_out(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.editing("Shared")
        await house.press(*"A. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        house.app.clear_notifications()
        wire.cut("answer", method="PATCH")
        await house.press("u")
        await house.until(lambda: house.notices, "told")
        assert "Undone" not in house.notices and service.text(id) == BASE
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "found out")
        assert len(wire.patches) == 2


async def test_undo_takes_back_what_was_asked_for_and_nothing_else(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Crossed", BASE)
    other = service.add("Alpha, later", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "First. ")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "back")
        kb = house.browse.kb
        asked = kb.undoable()
        await kb.save(draft := await kb.begin_edit(other), "Second. " + draft.text)
        with pytest.raises(Refused, match="Something else was changed"):
            await kb.undo(asked)
        assert service.text(other) == "Second. " + BASE


async def test_undo_leaves_alone_what_another_account_of_the_same_host_changed(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Of the first account", BASE)
    settings = settings_for(wire.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await house.typing("Of the first account", "Edited. ")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
    with Demo(index_seconds=0) as other:
        wire.turn_to(other.url)
        async with opened(settings_for(wire.url, other.key, tmp_path)) as house:
            await house.online()
            await house.press("u")
            await house.until(lambda: "nothing to undo" in house.notices, "nothing of this account")
            with pytest.raises(Refused, match="nothing to undo"):
                await house.browse.kb.undo()
    wire.turn_to(demo.url)
    async with opened(settings) as house:
        await house.online()
        await house.select("Of the first account")
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == BASE
