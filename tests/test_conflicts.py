"""A text that both sides changed: what is asked, what is shown of it, and what becomes of both."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import cast

import pytest

from kbtui.demo.server import Demo
from kbtui.differences import Hunk, hunks
from kbtui.errors import Conflict
from kbtui.tui import saving
from kbtui.tui.screens.conflict import ConflictScreen, Differs
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.keys import Keys
from kbtui.tui.screens.question import Question
from kbtui.tui.screens.requests import RequestLog
from kbtui.tui.screens.tasks import TaskList
from tests.house import BASE, PATIENCE, opened, settings_for
from tests.service import Service
from tests.wire import Wire

Comparing = tuple[threading.Event, threading.Event]


@pytest.fixture
def comparing(monkeypatch: pytest.MonkeyPatch) -> Comparing:
    """The texts of a conflict begin to be compared (the first), and are once they may be (the second)."""
    compares, goes_on = threading.Event(), threading.Event()

    def slowly(*texts: str) -> list[Hunk]:
        compares.set()
        assert goes_on.wait(PATIENCE)
        return hunks(*texts)

    monkeypatch.setattr(saving, "hunks", slowly)
    return compares, goes_on


@pytest.mark.parametrize("choice", ["mine", "theirs", "back", "merge", "overlap", "save", "new"])
async def test_a_text_that_both_sides_changed_is_decided_by_the_person(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        await house.press(*"Mine. ")
        theirs = "Theirs. One.\nTwo.\nThree.\n" if choice == "overlap" else "One.\nTwo.\nThree.\nTheirs.\n"
        service.patch(id, content=theirs)
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        mine = "mine    Mine. " if choice == "overlap" else "+Mine. One."
        await house.until(lambda: any(mine in line for line in house.drawn), "both differences")
        assert any("Theirs." in line for line in house.drawn) and not wire.patches
        kb = house.browse.kb
        if choice == "mine":
            await house.press("a", "m")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            assert service.text(id) == "Mine. " + BASE and house.drafts == []
            assert [change.before["content"] for change in kb.history.changes(wire.url, id)] == [theirs]
            await house.press("escape", "u")
            await house.until(lambda: "Undone" in house.notices, "undone")
            assert service.text(id) == theirs
        elif choice == "theirs":
            await house.press("a", "t")
            await house.until(lambda: house.app.screen is house.browse, "the editor is gone")
            assert service.text(id) == theirs and house.drafts == [] and not wire.patches
            assert kb.history.changes(wire.url, id)[0].after["content"] == "Mine. " + BASE
            await house.until(lambda: "Theirs." in house.browse.reading.view.text, "theirs is shown")
        elif choice == "back":
            await house.press("escape")
            await house.until(lambda: house.app.screen is editor, "back in the editor")
            assert editor.text == "Mine. " + BASE and len(house.drafts) == 1
            await house.press("ctrl+s")
            await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "asked again")
            await house.press("q")
        elif choice == "save":
            await house.press("m")
            assert "both sides go together" in house.notices
            await house.press("enter")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            assert service.text(id) == "Mine. One.\nTwo.\nThree.\nTheirs.\n" and house.drafts == []
            assert house.app.screen is editor and editor.text == service.text(id), "as after a plain save"
            assert not editor.dirty and editor.area.cursor_location == (0, len("Mine. "))
            await house.press("escape")
            assert not house.browse.documents.edited and "draft" not in house.line("tabs")
        elif choice == "new":
            await house.press("w")
            await house.until(lambda: "as a new document: Shared (mine)." in house.notices, "written")
            assert service.text(id) == theirs and house.drafts == [] and not wire.patches
            await house.select("Shared (mine)")
            assert service.text(house.row.id) == "Mine. " + BASE
        else:
            await house.press("e")
            await house.until(lambda: not isinstance(house.app.screen, ConflictScreen))
            merged = await house.editor()
            assert merged is editor, "what was typed can be undone"
            if choice == "merge":
                assert merged.text == "Mine. One.\nTwo.\nThree.\nTheirs.\n"
            else:
                assert "<<<<<<< mine" in merged.text and ">>>>>>> theirs" in merged.text
                await house.press("ctrl+s")
                await house.until(lambda: isinstance(house.app.screen, Question), "with the marks?")
                await house.press("enter")
                await house.until(lambda: house.app.screen is merged and not merged.saving, "no")
                assert service.text(id) == theirs
            merged.area.text = merged.text.replace("<<<<<<< mine\n", "").replace(">>>>>>> theirs\n", "")
            await house.press("ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            assert service.text(id) == merged.text and house.drafts == []


async def test_who_goes_on_with_a_merged_text_is_where_the_words_are(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        await house.press("down", "down", *"Mine. ")
        service.patch(id, content=f"Theirs.\n{BASE}Last.\n")
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.press("enter")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert editor.text == "Theirs.\nOne.\nTwo.\nMine. Three.\nLast.\n" == service.text(id)
        assert editor.area.cursor_location == (3, len("Mine. "))
        await house.press("ctrl+z")
        assert editor.text == "One.\nTwo.\nMine. Three.\n"


async def test_words_undone_while_their_conflict_waits_are_asked_about_no_more(
    demo: Demo, service: Service, tmp_path: Path, comparing: Comparing
) -> None:
    id = service.add("Shared", BASE)
    compares, goes_on = comparing
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        editor = await house.typing("Shared", "Mine. ")
        service.patch(id, content=f"Theirs. {BASE}")
        await house.press("ctrl+s")
        await house.until(compares.is_set, "compared")
        await house.press(*["backspace"] * len("Mine. "))
        assert editor.text == BASE
        await house.press("escape")
        goes_on.set()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        assert cast("ConflictScreen", house.app.screen).conflict.mine == BASE
        await house.press("escape")
        await house.editor()
        assert "another kbtui" not in house.notices


async def test_places_that_both_sides_changed_are_decided_one_by_one(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", "In 14 days.\n\nBy mail.\n\nOnce. Then never.\nEnd.\n")
    mine = "In 30 days.\n\nBy mail.\n\nTwice. Then never.\nEnd.\nMine.\n"
    theirs = "In 7 days.\n\nBy letter.\n\nThrice. Then never.\nEnd.\n"
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        editor = await house.editing("Shared")
        editor.area.text = mine
        service.patch(id, content=theirs)
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.until(lambda: "Place" in house.line("place"), "the first place")
        assert "Place 1 of 2 · to be decided" in house.line("place")
        sides = [line.split() for line in house.drawn[2:8]]
        assert ["mine", "In", "30", "days."] in sides and ["theirs", "In", "7", "days."] in sides
        merged = cast(ConflictScreen, house.app.screen).merged
        assert "2 places to be decided stand here as the service holds them" in merged.text
        assert "+Mine." in merged.text and "<<<<<<<" not in merged.text and "30 days" not in merged.text[:300]
        await house.press("enter")
        assert "2 places are still to be decided" in house.notices and service.text(id) == theirs
        await house.press("m")
        assert "+In 30 days." in merged.text and "The place that is to be decided stands" in merged.text
        assert "Place 2 of 2" in house.line("place") and "1 place to be decided" in house.line("merged-head")
        columns = {max(line.find("Thrice."), line.find("…Then never.")) for line in house.drawn[2:9]}
        assert len(columns - {-1}) == 1, "what goes on there is told to, in the same column"
        await house.press("b", "N")
        assert "Place 1 of 2 · mine" in house.line("place") and "all decided" in house.line("merged-head")
        wire.answer(403, {"detail": "not now"}, method="PATCH")
        await house.press("n", "tab", "j", "enter")
        await house.until(lambda: "^s goes on with them" in house.notices, "the editor has both")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        both = "In 30 days.\n\nBy letter.\n\nTwice. Thrice. Then never.\nEnd.\nMine.\n"
        assert service.text(id) == both and house.drafts == []
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.text(id) == theirs


async def test_a_draft_of_a_document_that_is_gone_or_changed_says_so_and_can_be_a_document_of_its_own(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Shared", "Mine. ")
        await house.press("escape")
        (draft,) = house.drafts
        mirror = house.browse.kb.mirror
        while (row := mirror.row(id)) and row.updated <= draft.base_updated:  # in whole seconds
            service.patch(id, content="Theirs.")
            await house.press("R")
            await house.online()
        await house.press("g", "d")
        await house.until(lambda: any("document changed since" in line for line in house.drawn), "told")
        await house.press("enter")
        editor = await house.editor()
        assert "not saved yet · changed by others · markdown" in house.line("header")
        assert editor.area.cursor_location == (0, len("Mine. ")), "where its last words were typed"
        service.patch(id, content=BASE)
        await house.press("ctrl+o", "tab")
        await house.until(lambda: "where the edit began" in "\n".join(house.drawn), "asked")
        await house.press("escape")
        assert "not saved yet · markdown" in house.line("header"), "it says again what it said"
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices and not editor.saving, "saved")
        assert editor.draft.base_updated > draft.base_updated, "a save of one's own is no change by others"
        await house.type("Too. ")
        service.delete(id)
        await house.press("ctrl+s")
        await house.until(
            lambda: "gd shows it, w there makes a new document" in house.notices, "what goes on"
        )
        await house.press("escape", "R")
        await house.until(lambda: mirror.row(id) is None, "gone")
        await house.press("g", "d")
        await house.until(
            lambda: any("it is gone; w makes one " in f"{line} " for line in house.drawn), "told"
        )
        await house.press("d")
        await house.until(lambda: "+Mine. Too. One." in "\n".join(house.drawn), "what it changes")
        await house.press("tab")
        await house.until(lambda: "not found." in "\n".join(house.drawn), "against the service")
        await house.press("escape")
        await house.press("w")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        await house.press("y")
        await house.until(lambda: "as a new document: Shared (mine)." in house.notices, "written")
        assert house.drafts == []
        await house.select("Shared (mine)")
        assert service.text(house.row.id) == "Mine. Too. " + BASE


@pytest.mark.parametrize("left", [False, True], ids=["in the editor", "the editor left"])
async def test_a_conflict_may_come_up_after_the_editor_was_left(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, left: bool
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.editing("Shared")
        hold = wire.hold("answer", path=f"{id}/content$")
        await house.press(*"Mine. ")
        service.patch(id, content="Theirs.")
        await house.press("ctrl+s")
        await asyncio.to_thread(hold.wait)
        if left:
            await house.press("escape")
        hold.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        for key in ("T", "@"):
            await house.press(key, "S", "Q")
            assert isinstance(house.app.screen, TaskList | RequestLog), "nothing leads past the question"
            await house.press("escape")
        await house.press("a", "t")
        await house.until(lambda: house.app.screen is house.browse, "browse")
        assert service.text(id) == "Theirs." and house.drafts == []


async def test_of_a_place_that_is_long_the_beginning_is_shown_and_all_of_it_is_decided(
    demo: Demo, tmp_path: Path
) -> None:
    base, mine, theirs = (f"{word} line\n" * 20_000 for word in ("a", "my", "their"))
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        conflict = Conflict("Changed.", base=base, mine=mine, theirs=theirs)
        screen = ConflictScreen(house.app, "Long", conflict, hunks(base, mine, theirs))
        house.app.push_screen(screen)
        await house.until(lambda: "more characters" in screen.place.text, "shown")
        assert len(screen.place.text) < 100_000
        await house.press("m")
        assert screen.text == mine


async def test_a_conflict_wraps_long_lines_and_its_keys_fit_a_small_terminal(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.editing("Shared")
        await house.press(*"Mine. ")
        service.patch(id, content=BASE + "words " * 30 + "the end\n")
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.until(lambda: any("the end" in line for line in house.drawn), "all of the line")
        assert sum("Shared" in line for line in house.drawn) == 1
        footer = house.drawn[-1]
        for words in (
            "Enter save",
            "e edit",
            "w as new",
            "am all mine",
            "at all theirs",
            "Esc back",
            "? keys",
        ):
            assert words in footer
        await house.press("?")
        await house.until(lambda: any("When both sides changed" in line for line in house.drawn), "help")
        await house.press("escape", "q")
        await house.editor()


# Words that another's save replaced


async def test_words_that_were_saved_over_are_announced_and_a_draft_again(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.editing("Shared")
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        service.patch(id, content=BASE + "Theirs.\n")  # read before our save, sent after it
        await house.until(lambda: house.browse.kb.mirror.row(id) is not None)
        house.app.clear_notifications()

        async def announced() -> bool:
            await house.press("R")
            await house.online()
            return "saved over it" in house.notices

        while not await announced():
            await house.pilot.pause(0.2)
        assert [draft.text for draft in house.drafts] == ["Mine. " + BASE]
        await house.press("g", "d", "enter")
        await house.editor()
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both are shown")
        await house.press("g", "m")
        await house.until(lambda: not isinstance(house.app.screen, ConflictScreen))
        await house.editor()
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE + "Theirs.\n" and house.drafts == []


async def test_a_save_that_crosses_ours_between_sending_and_reading_back_is_shown(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.editing("Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"Mine. ", "ctrl+s")
        await asyncio.to_thread(hold.wait)
        service.patch(id, content="Theirs alone.")
        hold.release()
        await house.until(lambda: isinstance(house.app.screen, Differs), "shown at once")
        await house.until(lambda: any("+Theirs alone." in line for line in house.drawn))
        assert [draft.text for draft in house.drafts] == ["Mine. " + BASE]
        assert service.text(id) == "Theirs alone."


@pytest.mark.parametrize("choice", ["at", "gm"])
async def test_a_conflict_waits_until_nothing_covers_the_editor_and_knows_every_word(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        service.patch(id, content=BASE + "Theirs.\n")
        held = wire.hold("answer", path="/content$")
        await house.press("ctrl+s", *"More. ", "f1")
        await house.until(lambda: isinstance(house.app.screen, Keys), "the keys")
        held.release()
        await house.pilot.pause(0.3)
        assert isinstance(house.app.screen, Keys)
        await house.press("escape")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")
        await house.press(*choice)
        kb = house.browse.kb
        if choice == "at":
            await house.until(lambda: house.app.screen is house.browse, "the editor is gone")
            await house.press("u")
            await house.until(lambda: kb.drafts.all(), "a draft again")
            assert kb.drafts.all()[0].text == "Mine. More. " + BASE
        else:
            await house.until(
                lambda: isinstance(screen := house.app.screen, Editor) and "Theirs" in screen.text, "joined"
            )
            assert sum(isinstance(screen, Editor) for screen in house.app.screen_stack) == 1
            assert isinstance(house.app.screen, Editor)
            assert house.app.screen.text == "Mine. More. " + BASE + "Theirs.\n"


@pytest.mark.parametrize("over", ["f1", "ctrl+o"])
async def test_a_conflict_waits_for_what_was_opened_while_the_texts_were_compared(
    over: str,
    demo: Demo,
    service: Service,
    tmp_path: Path,
    comparing: Comparing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    id = service.add("Shared", BASE)
    compares, goes_on = comparing
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        editor = await house.typing("Shared", "Mine. ")
        service.patch(id, content=f"Theirs. {BASE}")
        await house.press("ctrl+s")
        await house.until(compares.is_set, "compared")
        await house.press(over)
        await house.until(lambda: house.app.screen is not editor, "something over it")
        looks, occupied = list[bool](), house.app._is_occupied
        monkeypatch.setattr(house.app, "_is_occupied", lambda: bool(looks.append(True)) or occupied())  # type: ignore[func-returns-value]
        compares.clear()
        goes_on.set()
        await house.until(lambda: looks, "compared, and it is seen that somebody looks at something")
        assert not isinstance(house.app.screen, ConflictScreen)
        await house.press("escape")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        assert house.app.screen_stack[-2] is editor and compares.is_set()
        await house.press("a", "t")
        await house.until(lambda: house.app.screen is house.browse, "the editor is gone")


async def test_letters_that_are_being_typed_answer_no_conflict(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        house.app.calm = 1.5  # longer than a busy machine takes for a key
        service.patch(id, content="Theirs.\n")
        await house.press("ctrl+s")
        words, end = "", time.monotonic() + 2.0
        while time.monotonic() < end:
            words += "met "[len(words) % 4]
            await house.press(words[-1])
            assert isinstance(house.app.screen, Editor)
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "in a pause")
        await house.press("q")
        await house.until(lambda: isinstance(house.app.screen, Editor), "back")
        assert isinstance(house.app.screen, Editor)
        assert house.app.screen.text == f"Mine. {words}{BASE}" and service.text(id) == "Theirs.\n"
