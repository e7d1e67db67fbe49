"""Names and texts are changed: in place, in the editor, and as drafts."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual import events

from kbtui.demo.server import Demo
from kbtui.tui.screens.choose import DraftList
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.lines import Lines
from tests.house import BASE, opened, settings_for
from tests.service import Service
from tests.wire import Wire

# Opening


async def test_what_is_typed_while_an_editor_opens_is_text_and_no_command(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        await house.press("e")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.type("us RQ")
        assert house.app.screen is house.browse
        held.release()
        editor = await house.editor()
        await house.until(lambda: editor.text.startswith("us RQ"), "the keys as words")
        assert wire.patches == []


async def test_what_is_typed_before_and_after_an_editor_opened_keeps_its_order(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Typed fast", "")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Typed fast")
        house.burst("e")
        words = ""
        while len(words) < 200 or not house.app.screen.query("TextArea"):
            words += "abcdefghijklmnopqrstuvwxyz"[len(words) % 26]
            house.burst(words[-1])
            await asyncio.sleep(0.001)
        editor = await house.editor()
        await house.until(lambda: len(editor.text) == len(words), "all of it")
        assert editor.text == words


async def test_an_escape_after_words_for_an_editor_that_opens_comes_after_them(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Typed fast", "one")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Typed fast")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        house.burst("e", *"abc ", "ctrl+s", "escape")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        held.release()
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "abc one"
        await house.until(lambda: house.app.screen is house.browse, "and left")
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        house.burst("e", *"abc ", "escape", "e", *"*Quite ")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        held.release()
        await house.until(
            lambda: any("abc *Quite " in draft.text for draft in house.drafts),
            "in the second, and no commands",
        )
        assert (await house.editor()).text.startswith("abc *Quite ")


async def test_an_editor_that_takes_too_long_is_given_up_with_escape(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        await house.press("e")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.press("u", "escape")
        assert "Esc comes after what you typed" in house.notices
        await house.press("escape", "s", "U")
        held.release()
        assert house.app.screen is house.browse and "Given up, with what you typed" in house.notices
        await house.until(lambda: house.browse.shown.sort == "updated_at", "the keys are commands again")
        held = wire.hold("answer", path="/content$")
        await house.press("e", "escape")
        await house.press("s", "n")
        held.release()
        await house.until(lambda: house.browse.shown.sort == "name", "nothing was typed, one Esc is enough")
        held = wire.hold("answer", path="/content$")
        await house.press("e")
        house.app.post_message(events.Key("alt+s", "s"))
        await house.press("U")
        held.release()
        await house.until(lambda: house.browse.shown.sort == "updated_at", "nor two that a line joined")


@pytest.mark.parametrize("key", ["e", "E"])
async def test_what_is_typed_for_an_editor_that_cannot_open_is_no_command(
    demo: Demo, wire: Wire, tmp_path: Path, key: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        wire.answer(403, {"detail": {"status": "no", "message": "Not for you."}}, path="/content$")
        held = wire.hold("answer", path="/content$")
        house.burst(key, *"~*")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        held.release()
        await house.until(lambda: "Not for you." in house.notices, "told")
        house.burst(*"~*", "escape", "s", "U")
        await house.until(lambda: house.browse.shown.sort == "updated_at", "a key that is no letter ends it")
        assert not house.browse.kb.marks and house.app.screen is house.browse


# Text


@pytest.mark.parametrize(("name", "key"), [("Chargebacks", "ctrl+s"), ("Words we avoid", "f2")])
async def test_a_text_is_edited_saved_and_read_back_in_its_own_format(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, name: str, key: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing(name)
        id = editor.draft.document
        before = service.text(id)
        assert editor.text == before and "as in the service" in house.line("header")
        await house.press("down", "end", *" More.")
        assert "not saved yet" in house.line("header") and "●" in house.line("header")
        wire.forget()
        await house.press(key)
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        lines = before.split("\n")
        lines[1] += " More."
        assert service.text(id) == "\n".join(lines)
        path = f"/v1/convai/knowledge-base/{id}"
        asked = [(each.method, each.path) for each in wire.requests if id in each.path]
        read = [("GET", path), ("GET", f"{path}/content")]
        assert asked == [*read, ("PATCH", path), *read]
        (patch,) = wire.patches
        assert patch.json() == {"content": "\n".join(lines)}
        assert "as in the service" in house.line("header") and house.drafts == []
        await house.press("escape")
        body = house.browse.kb.mirror.body(id)
        assert body is not None and body.text == "\n".join(lines)
        await house.until(lambda: house.reading and "More." in house.browse.reading.view.text, "shown")
        await house.press("u")
        await house.until(lambda: "Undone: edit" in house.notices, "undone")
        assert service.text(id) == before
        await house.until(lambda: house.reading and "More." not in house.browse.reading.view.text, "shown")


async def test_an_unchanged_text_sends_nothing_and_leaves_no_draft(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.editing("Chargebacks")
        await house.until(lambda: wire.in_flight == 0)
        wire.forget()
        await house.press("ctrl+s")
        await house.until(lambda: "Nothing to save" in house.notices, "told")
        await house.press("x", "backspace", "ctrl+s", "escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        assert not wire.patches and house.drafts == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Refund policy (EU)", "Auto-sync"),
        ("Holiday roster", "Google Drive"),
        ("Frequent questions, exported.html", "frozen"),
        ("Pay bands in customer care", "viewer"),
    ],
)
async def test_what_cannot_be_edited_says_why(
    demo: Demo, wire: Wire, tmp_path: Path, name: str, reason: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select(name)
        for key in ("e", "E"):
            house.app.clear_notifications()
            house.wait_a_moment()
            await house.press(key)
            assert reason in house.notices and house.app.screen is house.browse
        assert not wire.patches


async def test_a_key_that_may_only_read_is_told_so_by_the_service_and_the_words_stay(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.read_only_key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Chargebacks")
        before = service.text(editor.draft.document)
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "convai_write" in house.notices, "the scope that is missing")
        assert service.text(editor.draft.document) == before
        assert [draft.text for draft in house.drafts] == ["Mine. " + before]
        await house.press("escape")
        await house.until(lambda: "read-only" in house.line("header"), "told from now on")
        for key in ("e", "r", "u"):
            house.app.clear_notifications()
            house.wait_a_moment()
            await house.press(key)
            assert "the key may only read" in house.notices and house.app.screen is house.browse
        house.wait_a_moment()
        await house.press("R")
        await house.until(lambda: "read-only" not in house.line("header"), "asked again")
        await house.press("u")
        assert "nothing to undo" in house.notices
        await house.press("r", *"x", "enter")
        await house.until(lambda: "convai_write" in house.notices, "for names too")


async def test_a_document_that_is_closed_to_edits_meanwhile_says_so_at_once_and_keeps_the_words(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.select("Reset the Dial (web)")
        await house.press("3", "e")  # from its text, where Browse would tell, too
        editor = await house.editor()
        before = editor.text
        await house.press(*"Mine. ")
        assert "●" in house.line("header") and "not saved yet" in house.line("header")
        service.patch(editor.draft.document, enable_auto_sync=True)
        house.app.do_sync_refresh()
        await house.until(lambda: "cannot be saved: auto-sync is on" in house.line("header"), "told at once")
        await house.until(lambda: "Your words stay here" in house.notices, "that they are kept")
        assert "● Reset" in house.line("header")
        await house.press("ctrl+s")
        await house.until(lambda: "Turn that off (gS)" in house.notices, "the reason")
        assert [draft.text for draft in house.drafts] == ["Mine. " + before] and not wire.patches
        service.patch(editor.draft.document, enable_auto_sync=False)
        house.app.do_sync_refresh()
        await house.until(lambda: "not saved yet" in house.line("header"), "it may be saved again")
        await house.press(*["ctrl+z"] * 2)
        assert editor.text == before and "●" not in house.line("header"), "nothing is changed"
        await house.press(*"Kept. ")
        told = list[str]()
        monkeypatch.setattr(house.app, "tell", lambda sentence, look="": told.append(sentence))
        service.delete(editor.draft.document)
        house.app.do_sync_refresh()
        await house.until(lambda: "it is gone from the service" in house.line("header"), "told at once")
        assert house.app.screen is editor and editor.text == "Kept. " + before
        assert len(told) == 1 and "gd shows it, w there makes a new document" in told[0]
        await house.press("escape")
        assert len(told) == 2 and "is gone from the service; gd shows your draft of it" in told[1]


async def test_a_text_of_the_mirror_is_called_as_seen_last(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.until(lambda: house.reading and "Two." in house.browse.reading.view.text, "read once")
        wire.down()
        await house.press("e")
        await house.editor()
        await house.until(lambda: "as seen last · offline · " in house.line("header"), "told at once")
        await house.press(*"Mine. ")
        assert "not saved yet · offline · " in house.line("header") and "Shared" in house.line("header")
        await house.pilot.resize_terminal(50, 24)
        await house.until(lambda: "again" not in house.drawn[0], "what there is room for")
        assert "Shared" in house.drawn[0] and "not saved yet · offline " in house.drawn[0]
        wire.up()
        house.app.look_again()
        await house.until(lambda: "offline" not in house.drawn[0] and "· markdown" in house.drawn[0], "back")


# Drafts


async def test_drafts_are_listed_resumed_and_discarded_after_a_question(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as house:
        await house.online()
        await house.press("g", "d")
        await house.until(lambda: any("No drafts" in line for line in house.drawn), "none yet")
        await house.press("w")
        assert "New document: there is nothing in this list." in house.notices
        await house.press("escape")
        await house.editing("Shared")
        await house.press(*"Mine. ", "escape")
        await house.until(lambda: any("● Shared" in line for line in house.drawn), "marked in the list")
        await house.press("e")
        await house.editor()
        assert house.app.screen.query_one("#words").text == "Mine. " + BASE  # type: ignore[attr-defined]
        await house.press("f8")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question first")
        await house.press("enter")
        await house.editor()
        await house.press("escape")
        await house.select("Chargebacks")
        await house.press("r", *" too")
    async with opened(settings) as house:
        await house.until(lambda: "2 drafts from" in house.notices, "offered")
        await house.online()
        await house.press("g", "d")
        await house.until(lambda: isinstance(house.app.screen, DraftList), "the list")
        names = [each.name for each in house.drafts]
        await house.until(lambda: all(any(name in line for line in house.drawn) for name in names), "both")
        assert any(re.search(r"name +Chargebacks +Support / Billing +\+4 +−0", line) for line in house.drawn)
        assert any(re.search(r"text +Shared +\+6 +−0", line) for line in house.drawn)
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "the name was sent")
        assert service.id("Chargebacks too")
        await house.press("g", "d", "x")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question first")
        await house.press("right", "enter")
        await house.until(lambda: any("No drafts" in line for line in house.drawn), "gone")
        await house.press("escape")
        assert house.drafts == [] and service.text(id) == BASE
        assert not any("● Shared" in line for line in house.drawn)


async def test_what_stands_in_an_editor_whose_draft_went_is_a_draft_again(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        editor = await house.typing("Shared", "Mine. ")
        house.browse.kb.drafts.drop(editor.draft)
        await house.type("More. ")
        await house.press("escape")
        assert [draft.text for draft in house.drafts] == ["Mine. More. " + BASE]


async def test_two_drafts_of_one_document_in_two_kbtui_do_not_mix(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as one, opened(settings) as two:
        await one.online()
        await two.online()
        await one.editing("Shared")
        await one.press(*"First. ")
        await one.until(lambda: two.drafts and two.drafts[0].elsewhere, "seen by the other")
        editor = await two.editing("Shared")
        assert editor.text == BASE
        await two.press("down", "down", "down", *"Second. ", "ctrl+s")
        await two.until(lambda: "Saved, verified" in two.notices, "saved")
        await two.press("escape", "g", "d")
        await two.until(lambda: isinstance(two.app.screen, DraftList), "the list of drafts")
        head, line = two.line("heads"), two.app.screen.query_one(Lines).render_line(0).text
        assert head.index("State") == line.index("being typed elsewhere")
        await two.press("enter")
        assert "Another kbtui is typing" in two.notices
        await one.press("ctrl+s")
        await one.until(lambda: isinstance(one.app.screen, ConflictScreen), "the other has to decide")
        await one.press("g", "m")
        await one.until(lambda: not isinstance(one.app.screen, ConflictScreen))
        await one.editor()
        await one.press("ctrl+s")
        await one.until(lambda: "Saved, verified" in one.notices, "saved")
        assert "First. " in service.text(id) and "Second. " in service.text(id)


async def test_a_text_that_fits_again_after_an_undo_is_shown_whole(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Zebra", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Zebra")
        house.app.post_message(events.Paste("line\n" * 100))
        await house.until(lambda: editor.area.max_scroll_y, "longer than the screen")
        await house.press("ctrl+z")
        await house.until(lambda: editor.text == BASE and not editor.area.max_scroll_y, "back")
        await house.press("ctrl+y")
        await house.until(lambda: editor.text == "line\n" * 100 + BASE, "again")
