"""What nobody knows the fate of: it is found out, undone or told, and no word of it is lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from kbtui import changes, knowledge_base
from kbtui.demo.server import Demo
from kbtui.drafts import Drafts
from kbtui.errors import Conflict, Error, Refused
from kbtui.journal import Journal
from kbtui.knowledge_base import Saved
from kbtui.route import CONNECT
from kbtui.transport import CHANGE, READ
from tests.house import BASE, last_change, opened, settings_for
from tests.saves import news, page, save, save_cut, typed, working
from tests.service import Service
from tests.wire import Wire


@pytest.mark.parametrize("lost", ["answer", "read back"])
async def test_words_under_a_page_of_which_nobody_knows_whether_it_was_fetched_are_not_lost(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, lost: str
) -> None:
    id = page(service)
    before = service.text(id)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Made by hand.")
        if lost == "answer":
            wire.cut("answer", method="POST", path="refresh", times=None)
        else:
            wire.cut(
                "answer", method="GET", path=f"{id}$", times=None,
                when=lambda _: any("refresh" in request.path for request in wire.requests),
            )  # fmt: skip
        with pytest.raises(Error, match="cut"):
            await kb.refetch(id)
        wire.heal()
        assert service.text(id) == before and await news(kb, service, id) == []
        assert (await kb.undo()) == "Undone: fetch of “Reset the Dial (web)”."
        assert service.text(id) == "Made by hand."
        assert (await kb.undo()) == "Undone: edit of “Reset the Dial (web)”."
        assert service.text(id) == before


async def test_words_under_a_fetched_page_outlive_an_edit_of_that_page(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = page(service)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Made by hand.")
        wire.cut("answer", method="POST", path="refresh", times=None)
        with pytest.raises(Error, match="cut"):
            await kb.refetch(id)
        wire.heal()
        await save(kb, id, "Made anew.")
        await kb.undo()
        await kb.undo()
        assert service.text(id) == "Made by hand."


async def test_an_edit_of_which_nobody_knows_is_undone_though_its_draft_is_gone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "B.")
        kb.drafts.drop(await save_cut(kb, wire, id, "C."))
        assert service.text(id) == "C."
        for text in ("B.", BASE):
            assert last_change(kb) == ("edit", "Shared")
            await kb.undo()
            assert service.text(id) == text
        assert kb.undoable() is None


async def test_what_was_sent_twice_is_one_step_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        draft = await typed(kb, id, "B.")
        wire.cut("request", method="PATCH", times=None)
        with pytest.raises(Error, match="cut"):
            await kb.save(draft, "B.")
        wire.heal()
        assert service.text(id) == BASE
        await kb.save(draft, "B.")
        await save(kb, id, "C.")
        await kb.undo()
        await kb.undo()
        assert service.text(id) == BASE
        with pytest.raises(Refused, match="nothing to undo"):
            await kb.undo()


@pytest.mark.parametrize(("held", "states"), [(BASE, []), ("Theirs.", ["superseded"])])
async def test_a_request_that_left_no_trace_is_not_asked_about_for_ever(
    demo: Demo,
    service: Service,
    wire: Wire,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    held: str,
    states: list[str],
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save_cut(kb, wire, id, "B.")
        service.patch(id, content=held)
        assert last_change(kb) == ("edit", "Shared"), "perhaps"
        for in_doubt, kept in ((changes.IN_DOUBT, ["pending"]), (0.0, states)):
            monkeypatch.setattr(changes, "IN_DOUBT", in_doubt)
            with pytest.raises(Refused, match="nothing to undo"):
                await kb.undo()
            assert [change.state for change in kb.history.changes(kb.base_url, id)] == kept


def test_a_request_that_may_still_be_answered_is_in_doubt() -> None:
    assert changes.IN_DOUBT > CONNECT + READ + CHANGE


async def test_undo_of_what_is_in_doubt_says_that_nobody_knows_yet_and_later_that_it_never_was(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        editor = await house.typing("Shared", "First. ")
        await house.press("ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        wire.cut("request", method="PATCH")
        await house.press(*"More. ", "ctrl+s")
        await house.until(lambda: "was cut" in house.notices and not editor.saving, "failed")
        await house.press("escape", "u")
        await house.until(lambda: "Nobody knows yet whether the edit" in house.notices, "the truth")
        monkeypatch.setattr(changes, "IN_DOUBT", 0.0)
        await house.press("u")
        await house.until(lambda: "was not carried out" in house.notices, "found out")
        assert service.text(id) == "First. " + BASE
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "the one before")
        assert service.text(id) == BASE


@pytest.mark.parametrize("status", [403, 404])
async def test_a_request_that_cannot_be_asked_about_does_not_stand_in_the_way(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, status: int
) -> None:
    first, second = service.add("First", BASE), service.add("Second", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, first, "B.")
        await save_cut(kb, wire, second, "C.")
        wire.answer(status, {"detail": "No."}, method="GET", path=f"{second}$", times=None)
        with pytest.raises(Refused, match="is gone" if status == 404 else "Something else"):
            await kb.undo(kb.undoable())
        assert "First" in await kb.undo()
        assert kb.undoable() is None


async def test_an_undo_pressed_twice_at_once_goes_back_two_steps(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(demo.url, demo, tmp_path) as kb:
        await save(kb, id, "B.")
        await save(kb, id, "C.")
        await asyncio.gather(kb.undo(), kb.undo())
        assert service.text(id) == BASE and kb.undoable() is None


async def test_what_is_accepted_is_the_edit_and_not_a_rename_made_meanwhile(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        draft = await typed(kb, id, "Mine.")
        hold = wire.hold("answer", method="PATCH")
        saving = asyncio.create_task(kb.save(draft, "Mine."))
        await asyncio.to_thread(hold.wait)
        service.patch(id, content="Quite another text.")
        hold.release()
        saved = await saving
        assert saved.state == "differs" and await news(kb, service, id) == [], "the person is asked already"
        row = kb.mirror.row(id)
        assert row is not None
        await kb.rename(kb.begin_rename(row), "Another")
        kb.accept(draft, "Mine.", saved)
        for kind in ("Your words", "Undone: rename", "Undone: edit"):
            assert (await kb.undo()).startswith(kind)
        assert (service.get(id)["name"], service.text(id)) == ("Shared", BASE)


# Words that were sent, and nobody heard of it


async def test_ones_own_words_whose_answer_was_lost_are_no_conflict(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        editor = await house.typing("Shared", "Mine. ")
        wire.cut("answer", method="PATCH")
        await house.press("ctrl+s")
        await house.until(lambda: "was cut" in house.notices and not editor.saving, "failed")
        await house.press(*"More. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. More. " + BASE
        await house.press("escape")
        for text in ("Mine. " + BASE, BASE):
            house.app.clear_notifications()
            await house.press("u")
            await house.until(lambda: "Undone" in house.notices, text)
            assert service.text(id) == text


async def test_ones_own_words_whose_answer_was_lost_are_no_conflict_after_a_restart(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save_cut(kb, wire, id, "Mine.")
    async with working(wire.url, demo, tmp_path) as kb:
        assert (await save(kb, id, "Mine, and more.")).state == "saved"
        assert service.text(id) == "Mine, and more."


async def test_words_of_another_kbtui_whose_answer_was_lost_are_a_conflict(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as one, working(wire.url, demo, tmp_path) as other:
        draft = await typed(other, id, "Of the other.")
        await save_cut(one, wire, id, "Of the one.")
        with pytest.raises(Conflict) as conflict:
            await other.save(draft, "Of the other.")
        assert conflict.value.theirs == service.text(id) == "Of the one."


async def test_a_text_taken_back_after_a_lost_answer_is_sent(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        draft = await save_cut(kb, wire, id, "Mine.")
        kb.drafts.typed(draft, lambda: BASE)
        assert (await kb.save(draft, BASE)).state == "saved" and service.text(id) == BASE


async def test_a_line_that_stands_still_does_not_keep_the_editor_shut_where_a_text_is_kept(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge_base, "PATIENCE", 0.1)
    kept, other = service.add("Kept", BASE), service.add("Other", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await kb.read(kept)
        wire.hold("request", path=kept, times=None)
        assert (await kb.begin_edit(kept)).base == BASE
        hold = wire.hold("request", path=other)
        opening = asyncio.create_task(kb.begin_edit(other))
        await asyncio.to_thread(hold.wait)
        assert (await kb.begin_edit(kept)).base == BASE and not opening.done()
        hold.release()
        assert (await opening).base == BASE


# Words on their way from the history to a draft


async def test_words_of_the_history_are_on_the_disk_before_it_lets_them_go(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = service.add("First", BASE), service.add("Second", BASE)
    async with working(demo.url, demo, tmp_path) as kb:
        kb.give_way(await typed(kb, first, "Mine."), "Mine.")
        await save(kb, second, "Mine too.")
        service.patch(second, content="Theirs.")

        def full(*_: object) -> Path:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr(Journal, "prepare", full)
            assert await news(kb, service, second) == []
            assert kb.drafts.all() == []
        beside = Drafts(tmp_path / "state" / "drafts", demo.url)
        assert [draft.text for draft in await news(kb, service, second)] == ["Mine too."]
        assert [draft.text for draft in beside.all()] == ["Mine too."]
        kb.drafts.drop(kb.drafts.all()[0])
        service.patch(second, content="Mine too.")
        await kb.undo()
        with monkeypatch.context() as disk:
            disk.setattr(Journal, "prepare", full)
            with pytest.raises(Refused, match="No space left on device"):
                await kb.undo()
            assert kb.drafts.all() == [] and last_change(kb) == ("draft", "First")
        await kb.undo()
        assert [draft.text for draft in beside.all()] == ["Mine."]


async def test_our_own_save_during_a_look_at_the_service_is_no_loss(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Bravo.")
        hold = wire.hold("request", method="GET", path=f"{id}/content$")
        look = asyncio.create_task(news(kb, service, id))
        await asyncio.to_thread(hold.wait)
        await save(kb, id, "Charlie.")
        hold.release()
        assert await look == [] and kb.drafts.all() == []


async def test_a_page_that_is_being_fetched_again_is_no_loss(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = page(service)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Made by hand.")
        hold = wire.hold("answer", method="POST", path="refresh")
        fetching = asyncio.create_task(kb.refetch(id))
        await asyncio.to_thread(hold.wait)
        assert await news(kb, service, id) == []
        hold.release()
        await fetching
        assert await news(kb, service, id) == []


async def test_our_own_save_of_unknown_fate_is_no_loss(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Bravo.")
        await save_cut(kb, wire, id, "Charlie.")
        assert await news(kb, service, id) == []


async def test_a_document_that_cannot_be_read_hides_no_loss_in_another(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    ids = [service.add(name, BASE) for name in ("First", "Second")]
    async with working(wire.url, demo, tmp_path) as kb:
        for id in ids:
            await save(kb, id, "Mine.")
            service.patch(id, content="Theirs.")
        wire.cut("request", method="GET", path=f"{ids[1]}$", times=None)
        assert [draft.document for draft in await news(kb, service, *ids)] == ids[:1]
        wire.heal()
        assert [draft.document for draft in await news(kb, service, *ids)] == ids[1:]


async def test_a_save_that_took_long_is_looked_at_again_after_it_was_carried_out(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, now, late = service.add("Shared", BASE), time.time(), 0.0
    monkeypatch.setattr(time, "time", lambda: now + late)
    async with working(wire.url, demo, tmp_path) as kb:
        hold = wire.hold("answer", method="PATCH")
        saving = asyncio.create_task(save(kb, id, "Mine."))
        await asyncio.to_thread(hold.wait)
        late = 10.0
        hold.release()
        await saving
        assert await kb.overwritten() == []
        service.patch(id, content="Theirs.")
        late = 13.0
        assert [draft.text for draft in await kb.overwritten()] == ["Mine."]


async def test_bytes_that_are_no_text_are_never_replaced(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = page(service)
    async with working(wire.url, demo, tmp_path) as kb:
        await save(kb, id, "Mine.")
        draft = await typed(kb, id, "Mine, again.")
        wire.forget()
        wire.answer(200, b"caf\xe9", method="GET", path="/content$", times=None)
        for change in (kb.save(draft, "Mine, again."), kb.undo(), kb.refetch(id)):
            with pytest.raises(Refused, match="no UTF-8"):
                await change
        assert {request.method for request in wire.requests} == {"GET"}


async def test_a_name_is_read_back_where_the_answer_does_not_tell_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        await kb.read(id)
        row = kb.mirror.row(id)
        assert row is not None
        wire.rewrite(lambda _: {}, method="PATCH", times=None)
        assert await kb.rename(kb.begin_rename(row), "Another") == Saved("saved", "Another")
        await kb.undo()
        assert service.get(id)["name"] == "Shared" and kb.undoable() is None


async def test_leaving_an_editor_while_it_saves_keeps_what_was_typed_back(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Shared", BASE)
    async with working(wire.url, demo, tmp_path) as kb:
        draft = await typed(kb, id, "Mine.")
        hold = wire.hold("answer", method="PATCH")
        saving = asyncio.create_task(kb.save(draft, "Mine."))
        await asyncio.to_thread(hold.wait)
        kb.drafts.typed(draft, lambda: BASE)
        kb.leave(draft, BASE)
        hold.release()
        assert (await saving).draft is not None and service.text(id) == "Mine."
        assert [(kept.base, kept.text) for kept in kb.drafts.all()] == [("Mine.", BASE)]
