"""What was done to a document, told and put back."""

from __future__ import annotations

from pathlib import Path

from kbtui.demo.server import Demo
from kbtui.tui.screens.history import DocumentHistory
from tests.house import BASE, House, opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def looked_back(house: House) -> DocumentHistory:
    """The history of the document under the cursor, read."""
    await house.press("g", "l")
    screen = house.app.screen
    assert isinstance(screen, DocumentHistory)
    await house.until(lambda: house.drawn[1].strip(), "read")
    return screen


async def test_what_was_changed_is_listed_shown_and_put_back(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.select("Shared")
        screen = await looked_back(house)
        assert "Nothing was changed here" in house.drawn[1] and "is not told." in house.drawn[1]
        await house.press("p")
        assert "nothing was changed here" in house.notices
        await house.press("escape", "r", *" B", "enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        await house.mend("First. ")
        house.app.clear_notifications()
        await house.mend("Second. ")
        screen = await looked_back(house)
        kinds = [line for line in house.drawn[1:8] if line.strip()]
        assert ["text edited" in line for line in kinds[:3]] == [True, True, False] and "renamed" in kinds[2]
        await house.until(lambda: "+Second. First. One." in "\n".join(house.drawn), "what it changed")
        await house.press("j")
        await house.until(lambda: "+First. One." in "\n".join(house.drawn), "what it changed")
        assert "Second. " in screen.view.text
        await house.press("p")
        editor = await house.editor()
        assert editor.text == BASE and editor.draft.base == "Second. First. " + BASE
        assert "as it was before the change of 2" in house.notices and "your draft" not in house.notices
        await house.press("ctrl+s")
        await house.until(lambda: service.text(id) == BASE, "saved")
        await house.until(lambda: not house.drafts, "nothing is left over")
        await house.press("escape", "g", "l", "G")
        await house.until(lambda: "before  Shared" in "\n".join(house.drawn), "both names")
        await house.press("p")
        await house.until(lambda: service.get(id)["name"] == "Shared", "renamed back")


async def test_words_of_a_draft_are_not_lost_to_what_is_put_back(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.mend("First. ")
        await house.editing("Shared")
        await house.press(*"Typed. ", "escape")
        await looked_back(house)
        await house.press("p")
        await house.until(lambda: "There is a draft of this document" in house.notices, "refused")
        assert [draft.text for draft in house.drafts] == ["Typed. First. " + BASE]


async def test_a_change_of_a_newer_kbtui_and_one_of_unknown_fate_are_told_as_such(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        history = house.browse.kb.history
        image = {"content": BASE, "format": "html"}
        history.begin_change(demo.url, id, "Shared", "fetch", before=image, after={})
        history.begin_change(demo.url, id, "Shared", "moved", before={"parent": "a"}, after={"parent": "b"})
        screen = await looked_back(house)
        await house.until(lambda: "A newer kbtui knows" in screen.view.text, "of an unknown kind")
        await house.press("p")
        assert "A newer kbtui made this change" in house.notices and house.app.screen is screen
        await house.press("j")
        await house.until(lambda: "not known" in screen.view.text, "of unknown fate")
        assert "-One" not in screen.view.text


async def test_what_is_typed_while_a_text_is_put_back_goes_into_the_editor(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.mend("First. ")
        await looked_back(house)
        held = wire.hold("answer", method="GET", path=id)
        house.burst("p", *"us ")  # in Browse, u would take the edit back
        await house.until(held.arrived.is_set, "on its way")
        held.release()
        editor = await house.editor()
        await house.until(lambda: editor.text == "us " + BASE, "typed")
        assert len(wire.patches) == 1 and service.text(id) == "First. " + BASE
        await house.press("escape")
        house.burst("g", "d", "enter", *"u ")
        editor = await house.editor()
        await house.until(lambda: editor.text == "usu  " + BASE, "a draft is gone on with in the same way")
        assert service.text(id) == "First. " + BASE
