"""What a person does while a save is under way: no word is lost, and no letter answers a question."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.errors import Refused
from kbtui.settings import Workspace
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.keys import Keys
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.fields import NameField
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

BASE = "One.\nTwo.\n"


async def edit(house: House, words: str) -> None:
    await house.until(lambda: house.settled, "online")
    await house.select("Crossed")
    await house.press("e")
    await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
    await house.type(words)


async def test_an_editor_that_is_opened_again_waits_for_the_save_before_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await edit(house, "First. ")
        held = wire.hold("answer", method="PATCH")
        await house.press("ctrl+s")
        await wire.seen(lambda request: request.method == "PATCH")
        await house.press("escape", "e", *"Second. ")
        held.release()
        await house.until(lambda: isinstance(house.app.screen, Editor), "the editor again")
        editor = house.app.screen
        assert isinstance(editor, Editor)
        await house.until(lambda: editor.text == "Second. First. " + BASE, "all words")
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        (draft,) = house.browse.kb.drafts.all()
        assert (draft.base, draft.text) == ("First. " + BASE, "Second. First. " + BASE)
        assert service.text(id) == "First. " + BASE


@pytest.mark.parametrize("choice", ["t", "gm"])
async def test_a_conflict_waits_until_nothing_covers_the_editor_and_knows_every_word(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await edit(house, "Mine. ")
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
        if choice == "t":
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


async def test_letters_that_are_being_typed_answer_no_conflict(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await edit(house, "Mine. ")
        house.app.calm = 0.4
        service.patch(id, content="Theirs.\n")
        await house.press("ctrl+s")
        words, end = "", time.monotonic() + 1.2
        while time.monotonic() < end:
            words += "met "[len(words) % 4]
            await house.press(words[-1])
            assert isinstance(house.app.screen, Editor)
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "in a pause")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "back")
        assert isinstance(house.app.screen, Editor)
        assert house.app.screen.text == f"Mine. {words}{BASE}" and service.text(id) == "Theirs.\n"


async def test_a_name_that_is_being_sent_is_not_typed_again(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled, "online")
        await house.select("Crossed")
        held = wire.hold("answer", method="PATCH")
        await house.press("r", *" B", "enter", "r", *"x")
        assert "on its way" in house.notices and not house.app.screen.query_one(NameField).display
        held.release()
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.get(id)["name"] == "Crossed B"


async def test_a_screen_below_another_does_not_take_that_one_away(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled, "online")
        await house.press("?")
        await house.until(lambda: isinstance(house.app.screen, Keys), "the keys")
        below = house.app.screen
        assert isinstance(below, Keys)
        house.app.push_screen(above := Question(house.app, "Well?", "Nothing.", "Do"))
        await house.until(lambda: house.app.screen is above and above.focused, "a question")
        below.do_keys_leave()
        assert house.app.screen is above
        above.set_focus(None)
        await house.press("enter")
        assert house.app.screen is above and above.focused
        await house.press("enter")
        await house.until(lambda: house.app.screen is below, "answered")


async def test_a_question_is_answered_though_an_editor_is_about_to_open_and_there_is_one_editor(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await edit(house, "Mine. ")
        service.patch(id, content="Theirs.\n")
        held = wire.hold("answer", path="/content$")
        await house.press("ctrl+s")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.press("escape", "e")
        held.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "back in an editor")
        await house.press(*"New. ")
        await house.until(lambda: house.app.held is None, "nothing opens any more")
        assert sum(isinstance(screen, Editor) for screen in house.app.screen_stack) == 1
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        (draft,) = house.browse.kb.drafts.all()
        assert draft.text == "New. Mine. " + BASE


async def test_undo_takes_back_what_was_asked_for_and_nothing_else(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Crossed", BASE)
    other = service.add("Alpha, later", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await edit(house, "First. ")
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


async def test_a_workspace_is_left_with_a_preview_under_way_and_all_goes_on(
    demo: Demo, tmp_path: Path
) -> None:
    with Demo(index_seconds=0, sample=False) as other, Service(other) as there:
        there.add("Only there", "words")
        one = settings_for(demo.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key)
        async with opened(replace(one, workspaces=(one.workspace, second))) as house:
            await house.until(lambda: house.settled, "online")
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
        await edit(house, "First. ")
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
