from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.drivers.headless_driver import HeadlessDriver

from kbtui.content import survives
from kbtui.demo.server import Demo
from kbtui.drafts import Draft, Drafts
from kbtui.tui.screens.choose import DraftList
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.keys import Keys
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.fields import NameField
from tests.house import House, last_change, opened, settings_for
from tests.service import Service
from tests.wire import Request, Wire

BASE = "One.\nTwo.\nThree.\n"


async def online(house: House) -> None:
    await house.until(lambda: house.settled, "online, and drawn")


async def editing(house: House, name: str) -> Editor:
    """Open the editor on a document."""
    await house.select(name)
    await house.press("e")
    return await opened_editor(house)


async def opened_editor(house: House) -> Editor:
    """Wait until an editor has the keys."""
    await house.until(lambda: isinstance(house.app.screen, Editor) and house.app.screen.area.has_focus)
    await house.until(lambda: house.line("header"), "its header")
    assert isinstance(house.app.screen, Editor)
    return house.app.screen


def drafts(house: House) -> list[Draft]:
    return house.browse.kb.drafts.all()


def patches(wire: Wire) -> list[Request]:
    return [request for request in wire.requests if request.method == "PATCH"]


# Opening


async def test_what_is_typed_while_an_editor_opens_is_text_and_no_command(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        await house.press("e")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.type("us RQ")
        assert house.browse.is_current
        held.release()
        editor = await opened_editor(house)
        await house.until(lambda: editor.text.startswith("us RQ"), "the keys as words")
        assert patches(wire) == []


async def test_what_is_typed_before_and_after_an_editor_opened_keeps_its_order(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Typed fast", "")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Typed fast")
        house.burst("e")
        words = ""
        while len(words) < 200 or not house.app.screen.query("TextArea"):
            words += "abcdefghijklmnopqrstuvwxyz"[len(words) % 26]
            house.burst(words[-1])
            await asyncio.sleep(0.001)
        editor = await opened_editor(house)
        await house.until(lambda: len(editor.text) == len(words), "all of it")
        assert editor.text == words


async def test_an_editor_that_takes_too_long_is_given_up_with_escape(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        await house.until(lambda: house.reading)
        held = wire.hold("answer", path="/content$")
        await house.press("e")
        await wire.seen(lambda request: request.path.endswith("/content") and not request.finished)
        await house.press("u", "escape", "s", "U")
        held.release()
        assert house.browse.is_current
        await house.until(lambda: house.browse.shown.sort == "updated_at", "the keys are commands again")


# Names


async def test_a_name_is_changed_in_its_line_and_the_service_has_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        id = house.row.id
        await house.press("r")
        field = house.app.screen.query_one(NameField)
        documents = house.browse.documents
        await house.until(lambda: field.region.y == documents.region.y + documents.cursor, "over its line")
        assert field.value == "Chargebacks"
        await house.type(", revised")
        (draft,) = drafts(house)
        assert (draft.field, draft.base, draft.text) == ("name", "Chargebacks", "Chargebacks, revised")
        beside = Drafts(tmp_path / "state" / "drafts", wire.url)
        await house.until(lambda: [each.text for each in beside.all()] == [draft.text], "on the disk")
        service.add("Above: chargebacks", "words")
        house.app.do_sync_refresh()
        await house.until(lambda: house.browse.documents.cursor == 1, "a line further down")
        await house.until(lambda: field.region.y == documents.region.y + 1, "still over its line")
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "the answer")
        assert service.get(id)["name"] == "Chargebacks, revised"
        (patch,) = patches(wire)
        assert patch.json() == {"name": "Chargebacks, revised"} and drafts(house) == []
        await house.until(lambda: "Chargebacks, revised" in house.names, "in the list")
        assert house.row.id == id and not field.display
        await house.press("r", "ctrl+u", "space", "enter")
        assert "at least one character" in house.notices and field.display
        await house.press("escape")
        assert not field.display and drafts(house) == [] and len(patches(wire)) == 1
        await house.press("r", "enter")
        await house.pilot.pause()
        assert len(patches(wire)) == 1


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_field_for_a_name_lies_over_its_line_at_every_size(
    demo: Demo, service: Service, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        await online(house)
        await house.press("G", "3", "r")
        field = house.app.screen.query_one(NameField)
        documents = house.browse.documents
        await house.until(lambda: field.region.y == documents.region.y + documents.cursor, "over its line")
        assert field.region.width > 40 and field.value == "Welcome to the knowledge base"
        await house.pilot.resize_terminal(100, 30)
        await house.until(lambda: field.region.right <= 100 and field.region.width > 40, "after a resize")
        await house.press("escape", "1", "j", "r")
        folders = house.browse.folders
        await house.until(lambda: field.region.y == folders.region.y + folders.cursor, "over the tree")
        assert field.value == "Agent scripts"
        await house.press("ctrl+u", *"Scripts", "enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.id("Scripts") and house.browse.pane == "tree"
        house.burst("2", "G", "r", "ctrl+u", *"Typed at once", "enter", "k")
        await house.until(lambda: "Typed at once" in house.names, "renamed in one go")
        assert house.row.name != "Typed at once"


async def test_a_name_that_somebody_else_changed_is_not_replaced_unasked(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        id = house.row.id
        await house.press("r", "ctrl+u", *"Mine")
        service.patch(id, name="Theirs")
        await house.press("enter")
        await house.until(lambda: "renamed to “Theirs” meanwhile" in house.notices, "the conflict")
        assert service.get(id)["name"] == "Theirs" and drafts(house)[0].text == "Mine"
        await house.press("r")
        assert house.app.screen.query_one(NameField).value == "Mine"
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.get(id)["name"] == "Mine"
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.get(id)["name"] == "Theirs"


async def test_two_names_under_way_are_kept_apart(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        first = house.row.id
        hold = wire.hold("request", method="PATCH")
        wire.cut("request", method="PATCH", times=None)
        await house.press("r", *" A", "enter")
        await house.select("Payment methods")
        await house.press("r", *" B")
        texts = {draft.document: draft.text for draft in drafts(house)}
        assert texts == {first: "Chargebacks A", house.row.id: "Payment methods B"}
        hold.release()
        await house.until(lambda: "X stops" in house.status, "a countdown")
        await house.press("escape", "X")
        await house.until(lambda: house.notices, "told that the line was cut")
        assert [draft.text for draft in drafts(house)] == ["Chargebacks A"]
        wire.heal()
        await house.press("r", *" C", "enter")
        await house.until(lambda: "Renamed" in house.notices, "the second")
        assert service.get(first)["name"] == "Chargebacks"
        assert [draft.text for draft in drafts(house)] == ["Chargebacks A"]


async def test_a_rename_of_unknown_fate_is_found_out_and_can_be_undone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        id = house.row.id
        wire.cut("answer", method="PATCH", times=None)
        await house.press("r", *" A", "enter")
        await house.until(lambda: "X stops" in house.status, "a countdown")
        await house.press("X")
        await house.until(lambda: house.notices, "told")
        wire.heal()
        wire.forget()
        assert service.get(id)["name"] == "Chargebacks A" and len(drafts(house)) == 1
        await house.press("r", "enter")
        await house.until(lambda: "Renamed" in house.notices, "found out")
        assert not patches(wire) and drafts(house) == []
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.get(id)["name"] == "Chargebacks"


async def test_a_name_that_the_service_keeps_otherwise_stays_a_draft(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Zebra", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Zebra")
        wire.rewrite(
            lambda answer: {**answer, "name": "zebra!"}, path=f"{house.row.id}$",
            when=lambda _: bool(patches(wire)), times=None,
        )  # fmt: skip
        await house.press("r", *"!", "enter")
        await house.until(lambda: "keeps the name “zebra!”" in house.notices, "told")
        assert [(draft.base, draft.text) for draft in drafts(house)] == [("zebra!", "Zebra!")]
        assert "u takes" not in house.notices and last_change(house.browse.kb) == ("rename", "Zebra")


# Text


@pytest.mark.parametrize(("name", "key"), [("Chargebacks", "ctrl+s"), ("Words we avoid", "f2")])
async def test_a_text_is_edited_saved_and_read_back_in_its_own_format(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, name: str, key: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, name)
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
        (patch,) = patches(wire)
        assert patch.json() == {"content": "\n".join(lines)}
        assert "as in the service" in house.line("header") and drafts(house) == []
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
        await online(house)
        await editing(house, "Chargebacks")
        await house.until(lambda: wire.in_flight == 0)
        wire.forget()
        await house.press("ctrl+s")
        await house.until(lambda: "Nothing to save" in house.notices, "told")
        await house.press("x", "backspace", "ctrl+s", "escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        assert not patches(wire) and drafts(house) == []


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
        await online(house)
        await house.select(name)
        for key in ("e", "E"):
            house.app.clear_notifications()
            await house.press(key)
            assert reason in house.notices and house.app.screen is house.browse
        assert not patches(wire)


async def test_a_key_that_may_only_read_is_told_so_by_the_service_and_the_words_stay(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.read_only_key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, "Chargebacks")
        before = service.text(editor.draft.document)
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "convai_write" in house.notices, "the scope that is missing")
        assert service.text(editor.draft.document) == before
        assert [draft.text for draft in drafts(house)] == ["Mine. " + before]
        await house.press("escape", "u")
        assert "nothing to undo" in house.notices
        await house.press("r", *"x", "enter")
        await house.until(lambda: "convai_write" in house.notices, "for names too")


async def test_a_document_that_is_closed_to_edits_meanwhile_keeps_the_words_as_a_draft(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, "Reset the Dial (web)")
        service.patch(editor.draft.document, enable_auto_sync=True)
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "Auto-sync is on" in house.notices, "the reason")
        assert drafts(house)[0].text.startswith("Mine. ") and house.app.screen is editor


# Both sides


@pytest.mark.parametrize("choice", ["mine", "theirs", "editor", "merge", "overlap"])
async def test_a_text_that_both_sides_changed_is_decided_by_the_person(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, "Shared")
        await house.press(*"Mine. ")
        theirs = "Theirs. One.\nTwo.\nThree.\n" if choice == "overlap" else "One.\nTwo.\nThree.\nTheirs.\n"
        service.patch(id, content=theirs)
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.until(lambda: any("+Mine. One." in line for line in house.drawn), "both differences")
        assert any("+Theirs." in line for line in house.drawn) and not patches(wire)
        if choice == "mine":
            await house.press("m")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            assert service.text(id) == "Mine. " + BASE and drafts(house) == []
            kept = house.browse.kb.history.changes(wire.url, id)
            assert theirs in [change.after.get("content") for change in kept if change.kind == "words"]
            await house.press("escape", "u")
            await house.until(lambda: "Undone" in house.notices, "undone")
            assert service.text(id) == theirs
        elif choice == "theirs":
            await house.press("t")
            await house.until(lambda: house.app.screen is house.browse, "the editor is gone")
            assert service.text(id) == theirs and drafts(house) == [] and not patches(wire)
            kept = house.browse.kb.history.changes(wire.url, id)
            assert kept[0].after["content"] == "Mine. " + BASE
            await house.until(lambda: "Theirs." in house.browse.reading.view.text, "theirs is shown")
        elif choice == "editor":
            await house.press("e")
            await house.until(lambda: house.app.screen is editor, "back in the editor")
            assert editor.text == "Mine. " + BASE and len(drafts(house)) == 1
            await house.press("ctrl+s")
            await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "asked again")
            await house.press("escape")
        else:
            await house.press("g", "m")
            await house.until(lambda: not isinstance(house.app.screen, ConflictScreen))
            merged = await opened_editor(house)
            assert merged is not editor
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
            assert service.text(id) == merged.text and drafts(house) == []


async def test_what_is_typed_while_a_save_is_under_way_survives_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, "Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"1", "ctrl+s")
        await wire.seen(lambda request: request.method == "PATCH")
        assert "saving" in house.line("header")
        await house.press(*"2")
        hold.release()
        await house.until(lambda: "Saved, verified" in house.notices, "the first")
        assert service.text(id) == "1" + BASE and editor.text == "12" + BASE
        assert "not saved yet" in house.line("header")
        (draft,) = drafts(house)
        assert (draft.base, draft.text) == ("1" + BASE, "12" + BASE)
        await house.press("ctrl+s")
        await house.until(lambda: service.text(id) == "12" + BASE, "the second")
        await house.until(lambda: drafts(house) == [], "no draft is left")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"3", "ctrl+s")
        await wire.seen(lambda request: request.body.startswith(b'{"content":"123'))
        await house.press("escape")
        assert house.app.screen is house.browse and len(drafts(house)) == 1
        hold.release()
        await house.until(lambda: drafts(house) == [], "saved after the editor was left")
        assert service.text(id) == "123" + BASE


@pytest.mark.parametrize("left", [False, True], ids=["in the editor", "the editor left"])
async def test_a_conflict_may_come_up_after_the_editor_was_left(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, left: bool
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await editing(house, "Shared")
        hold = wire.hold("answer", path=f"{id}/content$")
        await house.press(*"Mine. ")
        service.patch(id, content="Theirs.")
        await house.press("ctrl+s")
        await asyncio.to_thread(hold.wait)
        if left:
            await house.press("escape")
        hold.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.press("t")
        await house.until(lambda: house.app.screen is house.browse, "browse")
        assert service.text(id) == "Theirs." and drafts(house) == []


@pytest.mark.parametrize("choice", ["accept", "editor"])
async def test_a_service_that_holds_another_text_than_was_sent_is_not_believed_silently(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, choice: str
) -> None:
    id = service.add("Shared", BASE)

    def after_the_save(request: Request) -> bool:
        return bool(patches(wire))

    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        editor = await editing(house, "Shared")
        fault = wire.answer(
            200, b"<p>Normal form</p>", method="GET", path=f"{id}/content$", when=after_the_save, times=None
        )
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.until(lambda: any("+<p>Normal form</p>" in line for line in house.drawn), "shown")
        assert any("-Mine. One." in line for line in house.drawn) and len(drafts(house)) == 1
        assert "save mine" not in house.line("footer")
        if choice == "accept":
            await house.press("t")
            await house.until(lambda: house.app.screen is house.browse, "accepted")
            assert drafts(house) == []
            kept = [change.after["content"] for change in house.browse.kb.history.changes(wire.url, id)]
            assert kept == ["Mine. " + BASE, "<p>Normal form</p>"]
        else:
            await house.press("m", "e")
            await house.until(lambda: house.app.screen is editor, "back in the editor")
            (draft,) = drafts(house)
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
        await online(house)
        editor = await editing(house, "Shared")
        wire.cut(point, method="PATCH", times=None)  # type: ignore[arg-type]
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: house.notices, "told")
        assert "Saved" not in house.notices and len(patches(wire)) == 1
        await house.until(lambda: not editor.saving, "over")
        assert drafts(house)[0].text == "Mine. " + BASE and "not saved yet" in house.line("header")
        carried_out = point == "answer"
        assert (service.text(id) == "Mine. " + BASE) is carried_out
        wire.heal()
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE and drafts(house) == []
        assert len(patches(wire)) == (1 if carried_out else 2)
        await house.press("escape", "u")
        await house.until(lambda: "Undone" in house.notices, "and it can be undone")
        assert service.text(id) == BASE


async def test_edits_made_offline_are_drafts_until_the_service_is_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    settings = settings_for(wire.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as house:
        await online(house)
        await house.select("Shared")
        await house.until(lambda: house.reading and "Two." in house.browse.reading.view.text, "read once")
        wire.down()
        await house.press("e")
        await opened_editor(house)
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "refuses the connection" in house.notices, "told")
        await house.press("escape")
        assert any("●" in line and "Shared" in line for line in house.drawn)
    wire.up()
    async with opened(settings) as house:
        await house.until(lambda: "1 draft from" in house.notices, "offered at the next start")
        await online(house)
        await house.press("g", "d")
        await house.until(lambda: any("Shared" in line for line in house.drawn), "the list of drafts")
        await house.press("enter")
        await opened_editor(house)
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE and drafts(house) == []


# Undo


async def test_undo_goes_back_step_by_step_and_not_over_somebody_elses_change(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        for word in ("A. ", "B. "):
            await editing(house, "Shared")
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
        await editing(house, "Shared")
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
        await online(house)
        await editing(house, "Shared")
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
        assert len(patches(wire)) == 2


# Drafts


async def test_drafts_are_listed_resumed_and_discarded_after_a_question(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as house:
        await online(house)
        await house.press("g", "d")
        await house.until(lambda: any("No drafts" in line for line in house.drawn), "none yet")
        await house.press("escape")
        await editing(house, "Shared")
        await house.press(*"Mine. ", "escape")
        await house.until(lambda: any("● Shared" in line for line in house.drawn), "marked in the list")
        await house.press("e")
        await opened_editor(house)
        assert house.app.screen.query_one("#words").text == "Mine. " + BASE  # type: ignore[attr-defined]
        await house.press("f8")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question first")
        await house.press("enter")
        await opened_editor(house)
        await house.press("escape")
        await house.select("Chargebacks")
        await house.press("r", *" too")
    async with opened(settings) as house:
        await house.until(lambda: "2 drafts from" in house.notices, "offered")
        await online(house)
        await house.press("g", "d")
        await house.until(lambda: isinstance(house.app.screen, DraftList), "the list")
        await house.until(lambda: sum("characters" in line for line in house.drawn) == 2, "both")
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "the name was sent")
        assert service.id("Chargebacks too")
        await house.press("g", "d", "x")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question first")
        await house.press("right", "enter")
        await house.until(lambda: any("No drafts" in line for line in house.drawn), "gone")
        await house.press("escape")
        assert drafts(house) == [] and service.text(id) == BASE
        assert not any("● Shared" in line for line in house.drawn)


async def test_two_drafts_of_one_document_in_two_kbtui_do_not_mix(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    id = service.add("Shared", BASE)
    async with opened(settings) as one, opened(settings) as two:
        await online(one)
        await online(two)
        await editing(one, "Shared")
        await one.press(*"First. ")
        await one.until(lambda: drafts(two) and drafts(two)[0].elsewhere, "seen by the other")
        editor = await editing(two, "Shared")
        assert editor.text == BASE
        await two.press("down", "down", "down", *"Second. ", "ctrl+s")
        await two.until(lambda: "Saved, verified" in two.notices, "saved")
        await two.press("escape", "g", "d")
        await two.until(lambda: isinstance(two.app.screen, DraftList), "the list of drafts")
        await two.press("enter")
        assert "Another kbtui is typing" in two.notices
        await one.press("ctrl+s")
        await one.until(lambda: isinstance(one.app.screen, ConflictScreen), "the other has to decide")
        await one.press("g", "m")
        await one.until(lambda: not isinstance(one.app.screen, ConflictScreen))
        await opened_editor(one)
        await one.press("ctrl+s")
        await one.until(lambda: "Saved, verified" in one.notices, "saved")
        assert "First. " in service.text(id) and "Second. " in service.text(id)


# $EDITOR


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes $EDITOR of some lines of Python, in which `path` is the file to edit."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)

    def make(lines: str) -> None:
        script = tmp_path / "an editor"
        start = f"#!{sys.executable}\nimport sys, pathlib\npath = pathlib.Path(sys.argv[-1])\n"
        script.write_text(f"{start}{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", f"'{script}' --flag")

    return make


APPEND = "path.write_bytes(path.read_bytes() + b'Four.\\n')"


async def test_a_text_is_edited_in_the_editor_of_the_person(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(f"assert path.suffix == '.md' and path.stat().st_mode & 0o77 == 0\n{APPEND}")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == BASE + "Four.\n" and drafts(house) == []
        await house.press("e")
        await opened_editor(house)
        ours = await opened_editor(house)
        wire.forget()
        await house.press(*"Zero. ", "f4")
        outside = "Zero. " + BASE + "Four.\nFour.\n"
        await house.until(lambda: ours.text == outside, "back in our editor")
        assert house.app.screen is ours and not patches(wire) and "not saved yet" in house.line("header")
        assert [draft.text for draft in drafts(house)] == [outside]
        assert [path.name for path in (tmp_path / "state" / "drafts").rglob("text*")] == []
        await house.press("ctrl+z")
        await house.until(lambda: ours.text == "Zero. " + BASE + "Four.\n", "undone in one step")
        await house.press("ctrl+y", "ctrl+s")
        await house.until(lambda: service.text(id) == outside, "saved when the person says so")


async def test_words_typed_after_an_editor_came_back_with_the_old_text_are_kept_too(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    service.add("Shared", BASE)
    editor("pathlib.Path(path).touch(); sys.exit(0)")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        ours = await editing(house, "Shared")
        await house.press("f4")
        await house.until(lambda: "Unchanged" in house.notices, "back")
        await house.until(lambda: house.app.screen is ours)
        await house.press(*"After. ", "escape")
        assert [draft.text for draft in drafts(house)] == ["After. " + BASE]


async def test_a_text_that_is_being_saved_is_not_lent_to_another_editor(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(APPEND)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        ours = await editing(house, "Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"Mine. ", "ctrl+s")
        await asyncio.to_thread(hold.wait)
        await house.press("f4")
        assert "being saved" in house.notices and ours.text == "Mine. " + BASE
        hold.release()
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE


async def test_line_ends_that_our_editor_cannot_hold_stay_a_draft_for_the_other(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    service.add("Shared", BASE)
    editor("path.write_bytes(path.read_bytes() + b'a\\r\\nb\\n')")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await editing(house, "Shared")
        wire.forget()
        await house.press("f4")
        await house.until(lambda: house.app.screen is house.browse and "gd goes on" in house.notices, "told")
        assert [draft.text for draft in drafts(house)] == [BASE + "a\r\nb\n"] and not patches(wire)


# Help, questions


async def test_f1_in_the_editor_lists_its_keys_and_runs_them(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        ours = await editing(house, "Shared")
        assert "F1 keys" in house.line("footer")
        await house.press(*"What? ")
        assert ours.text == "What? " + BASE
        await house.press("f1")
        await house.until(lambda: any("  Editor" in line for line in house.drawn), "the list")
        assert any("^z" in line and "take back what was typed last" in line for line in house.drawn)
        assert not any("^z" in line and "shell" in line for line in house.drawn)
        await house.type("typed last")
        await house.press("enter")
        await house.until(lambda: house.app.screen is ours and ours.text == BASE, "run from the list")
        await house.press("ctrl+y", "end", "ctrl+u", "ctrl+k", "shift+down", "ctrl+c", "ctrl+x", "ctrl+v")
        assert ours.text == BASE.removeprefix("One.\n")
        await house.press("ctrl+c", "escape")
        await house.until(lambda: house.app.screen is house.browse, "left")


async def test_help_tells_what_works_here_before_all_else(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 140)) as house:
        await online(house)

        def at(words: str) -> int:
            return next((i for i, line in enumerate(house.drawn) if words in line), -1)

        for keys, first, elsewhere in (
            ((), "Browse", "Editor"),
            (("/",), "While typing a filter", "Browse"),
            (("r",), "While typing a name", "Browse"),
            (("g", "d"), "Drafts", "Browse"),
            (("g", "w"), "Drafts and workspaces", "Browse"),
        ):
            await house.press(*keys)
            await house.press("f1")
            await house.until(lambda: at("Keys and commands") == 0 and at("  Editor") > 0, "the list")
            assert at(f"  {first}") == 3, (keys, house.drawn[:5])
            assert at(f"  {elsewhere}") > at("  Everywhere") > 3
            if not keys:
                assert at("  Editor") > at("  Not now") > at("  Everywhere")
                assert at("nothing to undo") > at("  Not now")
            await house.press("escape")
            await house.until(lambda: not isinstance(house.app.screen, Keys), "back")
            await house.press("escape")


async def test_a_question_shows_what_is_below_and_is_answered_by_keys(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await online(house)
        await editing(house, "Shared")
        await house.press(*"Mine. ")

        async def asked() -> None:
            await house.press("f8")
            await house.until(lambda: isinstance(house.app.screen, Question), "the question")
            await house.until(lambda: "Cancel" in house.app.export_screenshot(), "drawn")

        for answer in (
            ("n",),
            ("escape",),
            ("q",),
            ("enter",),
            ("tab", "left", "space"),
            ("?", "escape", "n"),
        ):
            await asked()
            await house.press(*answer)
            await opened_editor(house)
            assert len(drafts(house)) == 1
        await asked()
        assert "Three." in house.app.export_screenshot(), "what is below"
        assert any("▸ Cancel" in line for line in house.drawn)
        assert any("y yes" in line and "n cancel" in line for line in house.drawn)
        await house.press("right")
        assert any("▸ Discard" in line and "▸ Cancel" not in line for line in house.drawn)
        await house.press("y")
        await house.until(lambda: house.app.screen is house.browse and not drafts(house), "discarded")


async def test_a_key_typed_before_a_question_was_asked_is_no_answer(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        early = [events.Key("y", "y"), events.Key("enter", "\r")]
        question = Question(house.app, "Really?", "Everything is lost.", "Lose it")
        answers: list[bool | None] = []
        await house.app.push_screen(question, answers.append)
        for key in early:
            house.app.post_message(key)
        await house.press("right")
        await house.until(lambda: any("▸ Lose it" in line for line in house.drawn), "still asking")
        assert answers == []
        await house.press("enter")
        await house.until(lambda: answers == [True], "answered")


async def test_a_first_key_that_leads_nowhere_says_so(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "escape")
        assert not house.notices
        await house.press("g", "x")
        assert "gx is no command" in house.notices


async def test_a_text_of_the_mirror_is_called_as_seen_last(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Shared")
        await house.until(lambda: house.reading and "Two." in house.browse.reading.view.text, "read once")
        wire.down()
        await house.press("R")
        await house.until(lambda: "offline" in house.status, "offline")
        await house.press("e")
        await opened_editor(house)
        assert "as seen last" in house.line("header")


async def test_a_command_that_is_off_is_called_by_its_name_as_it_is_written(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("E")
        assert "$EDITOR: " in house.notices


async def test_a_conflict_wraps_long_lines_and_its_keys_fit_a_small_terminal(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await online(house)
        await editing(house, "Shared")
        await house.press(*"Mine. ")
        service.patch(id, content=BASE + "words " * 30 + "the end\n")
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the question")
        await house.until(lambda: any("the end" in line for line in house.drawn), "all of the line")
        assert sum("Shared" in line for line in house.drawn) == 1
        footer = house.drawn[-1]
        for words in ("m save mine", "t keep theirs", "e edit mine", "gm merge", "? keys"):
            assert words in footer
        await house.press("?")
        await house.until(lambda: any("When both sides changed" in line for line in house.drawn), "help")
        await house.press("escape", "q")
        await opened_editor(house)


@pytest.mark.parametrize(
    ("lines", "words", "kept"),
    [
        ("import time; time.sleep(1.05)", "Unchanged", False),
        (f"{APPEND}; sys.exit(3)", "ended with 3: nothing is saved. The draft is kept", True),
        ("sys.exit(1)", "ended with 1: nothing is saved.", False),
        ("path.unlink()", "left no file", False),
        (f"{APPEND}; path.write_bytes(b'\\xff')", "no UTF-8", False),
    ],
    ids=["unchanged", "failed", "given up", "deleted", "not text"],
)
async def test_an_editor_that_ends_otherwise_saves_nothing(
    demo: Demo,
    service: Service,
    wire: Wire,
    tmp_path: Path,
    editor: Callable[[str], None],
    lines: str,
    words: str,
    kept: bool,
) -> None:
    id = service.add("Shared", BASE)
    editor(lines)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: words in house.notices, words)
        assert not patches(wire) and service.text(id) == BASE
        assert [draft.text for draft in drafts(house)] == ([BASE + "Four.\n"] if kept else [])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-editor", "no-such-editor cannot be run (No such file"),
        ("vi 'unclosed", "No closing quotation"),
    ],
)
async def test_an_editor_that_cannot_be_run_is_named(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path, editor=command)) as house:
        await online(house)
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: words in house.notices, words)
        assert drafts(house) == []
        await house.press("j")


async def test_an_editor_with_a_window_of_its_own_is_waited_for(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(path))")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked whether it is done")
        Path((tmp_path / "where").read_text()).write_text(BASE + "From a window.\n")
        await house.press("enter")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == BASE + "From a window.\n"


@pytest.mark.parametrize(
    "text",
    ["a\r\nb\nc\r\n", "a\u2028b\n", "a\x85b", "a\x0bb\x0cc\n", "no line end", "a\rb\nc", "\ufeffbom\r\n"],
)
async def test_a_text_that_a_list_of_lines_would_change_survives_byte_for_byte(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None], text: str
) -> None:
    id = service.add("Bytes", "-")
    service.patch(id, content=text)
    editor("path.write_bytes(b'X' + path.read_bytes())")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Bytes")
        await house.press("e")
        if survives(text):
            await opened_editor(house)
            await house.press("X", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "X" + text


# Words that another's save replaced


async def test_words_that_were_saved_over_are_announced_and_a_draft_again(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await editing(house, "Shared")
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.press("escape")
        service.patch(id, content=BASE + "Theirs.\n")  # read before our save, sent after it
        await house.until(lambda: house.browse.kb.mirror.row(id) is not None)
        house.app.clear_notifications()

        async def announced() -> bool:
            await house.press("R")
            await online(house)
            return "saved over it" in house.notices

        while not await announced():
            await house.pilot.pause(0.2)
        assert [draft.text for draft in drafts(house)] == ["Mine. " + BASE]
        await house.press("g", "d", "enter")
        await opened_editor(house)
        await house.press("ctrl+s")
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both are shown")
        await house.press("g", "m")
        await house.until(lambda: not isinstance(house.app.screen, ConflictScreen))
        await opened_editor(house)
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE + "Theirs.\n" and drafts(house) == []


async def test_a_save_that_crosses_ours_between_sending_and_reading_back_is_shown(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await editing(house, "Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"Mine. ", "ctrl+s")
        await asyncio.to_thread(hold.wait)
        service.patch(id, content="Theirs alone.")
        hold.release()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "shown at once")
        await house.until(lambda: any("+Theirs alone." in line for line in house.drawn))
        assert [draft.text for draft in drafts(house)] == ["Mine. " + BASE]
        assert service.text(id) == "Theirs alone."


async def test_what_an_editor_left_that_is_no_file_is_told_and_the_words_are_kept(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    service.add("Shared", BASE)
    editor("path.unlink(); path.mkdir()")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        ours = await editing(house, "Shared")
        await house.press(*"Mine. ", "f4")
        await house.until(lambda: "cannot be read" in house.notices, "told")
        assert house.app.screen is ours and ours.text == "Mine. " + BASE
    left = Drafts(tmp_path / "state" / "drafts", demo.url).all()
    assert [draft.text for draft in left] == ["Mine. " + BASE]
