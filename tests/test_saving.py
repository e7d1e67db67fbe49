"""What becomes of a save: both sides, a line that is cut, and what a person does meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.drafts import Drafts
from kbtui.tui import following
from kbtui.tui.screens.conflict import ConflictScreen, Differs
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.fields import NameField
from tests.house import BASE, opened, settings_for
from tests.service import Service
from tests.wire import Request, Wire


async def test_what_is_typed_while_a_save_is_under_way_survives_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"1", "ctrl+s")
        await wire.seen(lambda request: request.method == "PATCH")
        assert "saving … · markdown" in house.line("header")
        with monkeypatch.context() as patch:
            patch.setattr(following, "SILENT", 0.0)
            await house.until(lambda: "saving … · no answer for " in house.line("header"), "it is told")
        await house.press(*"2")
        hold.release()
        await house.until(lambda: "Saved, verified" in house.notices, "the first")
        assert service.text(id) == "1" + BASE and editor.text == "12" + BASE
        assert "not saved yet" in house.line("header")
        (draft,) = house.drafts
        assert (draft.base, draft.text) == ("1" + BASE, "12" + BASE)
        await house.press("ctrl+s")
        await house.until(lambda: service.text(id) == "12" + BASE, "the second")
        await house.until(lambda: house.drafts == [], "no draft is left")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"3", "ctrl+s")
        await wire.seen(lambda request: request.body.startswith(b'{"content":"123'))
        await house.press("escape")
        assert house.app.screen is house.browse and len(house.drafts) == 1
        hold.release()
        await house.until(lambda: house.drafts == [], "saved after the editor was left")
        assert service.text(id) == "123" + BASE


@pytest.mark.parametrize("choice", ["accept", "editor"])
async def test_a_service_that_holds_another_text_than_was_sent_is_not_believed_silently(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Shared", BASE)

    def after_the_save(request: Request) -> bool:
        return bool(wire.patches)

    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        fault = wire.answer(
            200, b"<p>Normal form</p>", method="GET", path=f"{id}/content$", when=after_the_save, times=None
        )
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, Differs), "the question")
        await house.until(lambda: any("+<p>Normal form</p>" in line for line in house.drawn), "shown")
        assert any("-Mine. One." in line for line in house.drawn) and len(house.drafts) == 1
        assert "save mine" not in house.line("footer")
        if choice == "accept":
            await house.press("t")
            await house.until(lambda: house.app.screen is house.browse, "accepted")
            assert house.drafts == []
            kept = [change.after["content"] for change in house.browse.kb.history.changes(wire.url, id)]
            assert kept == ["Mine. " + BASE, "<p>Normal form</p>"]
        else:
            await house.press("m", "e")
            await house.until(lambda: house.app.screen is editor, "back in the editor")
            (draft,) = house.drafts
            assert (draft.base, draft.text) == ("<p>Normal form</p>", "Mine. " + BASE)
            fault.drop()
            service.patch(id, content="<p>Normal form</p>")
            await house.press("ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, "saved after all")
            assert service.text(id) == "Mine. " + BASE


@pytest.mark.parametrize("point", ["request", "answer"])
async def test_a_line_cut_while_saving_loses_nothing_and_the_next_save_tells_the_truth(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, point: str
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        wire.cut(point, method="PATCH", times=None)  # type: ignore[arg-type]
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: house.notices, "told")
        assert "Saved" not in house.notices and len(wire.patches) == 1
        await house.until(lambda: not editor.saving, "over")
        assert house.drafts[0].text == "Mine. " + BASE and "not saved yet" in house.line("header")
        asked = replace(editor.draft, base="", base_updated=0)
        assert not house.browse.kb.changed_since(asked), "while nobody knows, it may be these very words"
        carried_out = point == "answer"
        assert (service.text(id) == "Mine. " + BASE) is carried_out
        wire.heal()
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE and house.drafts == []
        assert len(wire.patches) == (1 if carried_out else 2)
        await house.press("escape", "u")
        await house.until(lambda: "Undone" in house.notices, "and it can be undone")
        assert service.text(id) == BASE


async def test_edits_made_offline_are_drafts_until_the_service_is_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    settings = settings_for(wire.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as house:
        await house.online()
        await house.select("Shared")
        await house.until(lambda: house.reading and "Two." in house.browse.reading.view.text, "read once")
        wire.down()
        await house.press("e")
        await house.editor()
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "refuses the connection" in house.notices, "told")
        await house.press("escape")
        assert any("●" in line and "Shared" in line for line in house.drawn)
    wire.up()
    async with opened(settings) as house:
        await house.until(lambda: "1 draft from" in house.notices, "offered at the next start")
        await house.online()
        await house.press("g", "d")
        await house.until(lambda: any("Shared" in line for line in house.drawn), "the list of drafts")
        await house.press("enter")
        await house.editor()
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE and house.drafts == []


# What a person does while a save is under way


async def test_an_editor_that_is_opened_again_waits_for_the_save_before_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "First. ")
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


async def test_a_draft_that_is_being_saved_is_gone_on_with_after_the_save(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "First. ")
        held = wire.hold("answer", method="PATCH")
        await house.press("ctrl+s")
        await wire.seen(lambda request: request.method == "PATCH")
        await house.press("escape", "g", "d", "enter", *"Second. ")
        held.release()
        editor = await house.editor()
        await house.until(lambda: editor.text == "Second. First. " + BASE, "all words")
        await house.press("escape")
        await house.until(lambda: house.drafts, "a draft")
        assert [draft.base for draft in house.drafts] == ["First. " + BASE] and service.text(
            id
        ) == "First. " + BASE


async def test_a_name_that_is_being_sent_is_not_typed_again(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Crossed")
        held = wire.hold("answer", method="PATCH")
        await house.press("r", *" B", "enter", "r", *"x")
        assert "on its way" in house.notices and not house.app.screen.query_one(NameField).display
        held.release()
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.get(id)["name"] == "Crossed B"


async def test_a_question_is_answered_though_an_editor_is_about_to_open_and_there_is_one_editor(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        service.patch(id, content="Theirs.\n")
        held = wire.hold("answer", path="/content$")
        await house.press("ctrl+s")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.press("escape", "e")
        held.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both sides")
        await house.press("q")
        await house.until(lambda: isinstance(house.app.screen, Editor), "back in an editor")
        await house.press(*"New. ")
        await house.until(lambda: house.app.held is None, "nothing opens any more")
        assert sum(isinstance(screen, Editor) for screen in house.app.screen_stack) == 1
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        (draft,) = house.browse.kb.drafts.all()
        assert draft.text == "Mine. New. " + BASE, "one goes on where the words of the draft end"


# Words that cannot be sent, or kept


async def test_a_save_that_fails_says_that_the_words_are_safe_and_what_goes_on(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
        await house.type("Typed. ")
        wire.down()
        await house.press("ctrl+s")
        await house.until(lambda: "words are safe" in house.notices, "told")
        assert "^s goes on" in house.notices
        await house.until(lambda: house.app.trouble, "the next look fails, too")
        assert "words are safe" in house.notices, "and says nothing that is known"
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "back")
        house.app.clear_notifications()
        await house.press("r", *"!", "enter")
        await house.until(lambda: "words are safe" in house.notices, "told of the name too")
        assert "r goes on" in house.notices
        fields = {draft.field: draft.text for draft in house.browse.kb.drafts.all()}
        assert fields["content"].startswith("Typed. ") and fields["name"] == "Chargebacks!"


async def test_drafts_that_cannot_reach_the_disk_are_told_and_not_left_without_a_question(
    demo: Demo, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "drafts").write_text("in the way")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
        await house.type("Typed. ")
        await house.until(lambda: "drafts are not safe" in house.line("header"), "told while typing")
        await house.press("escape", "Q")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question")
        assert "lost for good" in " ".join(house.drawn)
        await house.press("enter")
        await house.until(lambda: house.app.screen is house.browse, "stayed")
        (tmp_path / "state" / "drafts").unlink()
        await house.press("Q")
        await house.until(lambda: not house.app.is_running, "nothing is lost now")
    assert [draft.text[:7] for draft in Drafts(tmp_path / "state" / "drafts", demo.url).all()] == ["Typed. "]


async def test_keys_after_an_edit_that_could_not_begin_are_commands_again(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Crossed")
        await house.until(lambda: house.reading, "its text")
        held = wire.hold("request", path="/content$")
        wire.answer(403, {"detail": "Not yours."}, path="/content$")
        house.burst("e", *"words")
        await asyncio.to_thread(held.wait)
        held.release()
        await house.until(lambda: "Not yours" in house.notices, "told")
        assert house.app.screen is house.browse and house.app.held is None
        house.wait_a_moment()
        await house.press("F", "i")
        await house.until(lambda: "Your role" in house.browse.reading.view.text, "commands")


async def test_a_save_counts_down_in_the_editor_too_and_is_stopped_there(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        wire.answer(429, {"detail": "Slow down."}, headers={"retry-after": "60"}, method="PATCH")
        await house.press("ctrl+s")
        await house.until(lambda: "Slow down · again in" in house.line("header"), "a countdown")
        assert "(F9 stops)" in house.line("header")
        await house.press("f9")
        await house.until(lambda: "safe here as a draft" in house.notices, "stopped")
        assert "not saved yet" in house.line("header") and service.text(id) == BASE


async def test_asking_for_everything_again_leaves_a_save_that_waits_alone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        wire.answer(429, {"detail": "Slow down."}, headers={"retry-after": "1"}, method="PATCH")
        await house.press("ctrl+s", "escape")
        await house.until(lambda: "X stops" in house.status, "a countdown")
        wire.forget()
        await house.press("R")
        await wire.seen(lambda request: request.method == "GET")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE


async def test_who_asks_again_while_the_list_waits_has_it_tried_now(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        wire.answer(429, {"detail": "Slow down."}, headers={"retry-after": "60"}, path="knowledge-base$")
        await house.press("R")
        await house.until(lambda: "Slow down · again in" in house.status, "a countdown")
        service.add("Brand new", BASE)
        await house.press("R", "g", "a")
        await house.until(lambda: "Brand new" in house.names and house.status == "online", "tried now")


async def test_a_save_that_arrives_shows_that_the_service_is_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "FIRST_RETRY", 60.0)
    service.add("Crossed", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        wire.down()
        await house.press("escape", "R")
        await house.until(lambda: "again at" in house.status, "offline")
        wire.up()
        await house.press("e")
        await house.editor()
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.until(lambda: house.status == "online", "seen to be back")


async def test_a_text_that_lost_all_its_words_is_asked_about(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Crossed", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Crossed")
        await house.press("f7", "delete", "ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        assert any("without a word" in line for line in house.drawn) and service.text(id) == BASE
        await house.press("escape")
        await house.until(lambda: house.app.screen is editor and not editor.saving, "cancelled")
        assert service.text(id) == BASE
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked again")
        await house.press("y")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == ""


async def test_a_new_document_that_may_have_been_made_already_is_told_of(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.typing("Shared", "Mine. ")
        await house.press("escape")
        wire.cut("answer", method="POST", path="/text$")
        await house.press("g", "d", "w")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        await house.press("y")
        await house.until(lambda: "Nobody knows whether “Shared (mine)” was made" in house.notices, "told")
        wire.answer(500, {"detail": "no"}, method="GET", path="/content$", times=None)
        house.app.clear_notifications()
        await house.press("g", "d", "w")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        await house.press("y")
        await house.until(lambda: "was made, but it could not be read back" in house.notices, "told")
        assert [draft.text for draft in house.drafts] == ["Mine. " + BASE]
        wire.heal()
