"""The sweep against the real demo, over a wire that misbehaves when told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kbtui.api import Api
from kbtui.demo.server import Demo
from kbtui.errors import MissingPermission, NotFound, Offline, Refused, Unauthorized
from kbtui.mirror import Mirror
from kbtui.pacing import Pacing
from kbtui.rows import ALL, ROOT, UNPLACED, View
from kbtui.sync import Sync
from tests.shelf import shown
from tests.sweeping import (
    LIST,
    SUMMARIES,
    early_texts,
    held,
    later,
    later_texts,
    queries,
    service,
    sweeping,
    swept,
    typed,
    typeless,
    until,
    watch,
)
from tests.wire import Request, Wire


@pytest.fixture
def demo() -> Iterator[Demo]:
    """Enough documents for several pages of each type."""
    with Demo(size=300, index_seconds=0) as server:
        yield server


@pytest.fixture
async def api(demo: Demo, wire: Wire) -> AsyncIterator[Api]:
    """A client behind the wire, which does not dawdle before it tries again."""
    async with Api(wire.url, demo.key, pacing=Pacing(draw=lambda: 0)) as client:
        yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.db"


@pytest.fixture
def mirror(path: Path) -> Iterator[Mirror]:
    opened = Mirror(path)
    yield opened
    opened.close()


# The whole of it


async def test_after_a_sweep_the_mirror_is_like_the_service(api: Api, mirror: Mirror) -> None:
    last = await swept(api, mirror)
    said = await service(api)
    assert last == ("done", len(said), None, len(said), 0, True)
    assert held(mirror) == said
    again = await swept(api, mirror)
    assert again == ("done", len(said), len(said), 0, 0, True)
    assert mirror.swept() is not None


async def test_what_is_on_the_screen_is_asked_for_first_then_the_folders_then_every_type_from_both_ends(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    await swept(api, mirror, focus=View(ROOT, "updated_at", descending=True))
    asked = queries(wire)
    assert asked[0] == {
        "page_size": "100",
        "sort_by": "updated_at",
        "sort_direction": "desc",
        "folders_first": "true",
    }
    assert asked[1]["types"] == "folder"
    first = [query for query in asked if "cursor" not in query]
    ends = {(query["types"], query["sort_by"], query["sort_direction"]) for query in first[2:8]}
    assert ends == {(t, "created_at", way) for t in ("text", "url", "file") for way in ("asc", "desc")}
    assert [(query["sort_by"], query.get("types")) for query in first[8:]] == [("updated_at", None)]


async def test_two_ends_meet_without_reading_every_page_twice(api: Api, mirror: Mirror, wire: Wire) -> None:
    await swept(api, mirror)
    for type in ("text", "url", "file"):
        pages = [query for query in queries(wire) if query.get("types") == type]
        rows = len(shown(mirror, ALL, types=(type,)))
        assert len(pages) <= -(-rows // 100) + 2


async def test_a_visit_stores_the_first_page_of_a_folder_in_the_order_of_the_screen(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    said = await service(api)
    folder = max((e for e in said.values() if e["type"] == "folder"), key=lambda e: e["children_count"])
    wire.forget()
    changed = await Sync(api, mirror).visit(View(folder["id"], "size", True, types=("text", "hologram")))
    assert changed == len(shown(mirror, folder["id"])) > 0
    (query,) = queries(wire)
    assert (query["parent_folder_id"], query["sort_by"], query["sort_direction"]) == (
        folder["id"],
        "size",
        "desc",
    )
    assert "types" not in query  # the service refuses a type that it does not know


async def test_first_paint_with_the_network_down(api: Api, mirror: Mirror, path: Path, wire: Wire) -> None:
    await swept(api, mirror)
    rows = shown(mirror)
    mirror.close()
    wire.down()
    warm = Mirror(path)
    assert shown(warm) == rows != []
    with pytest.raises(Offline):
        await swept(api, warm, focus=View())
    assert shown(warm) == rows
    warm.close()
    wire.up()


# What is cut


async def test_a_sweep_cut_in_the_middle_keeps_what_it_stored_and_is_resumed(
    api: Api, mirror: Mirror, path: Path, wire: Wire
) -> None:
    fault = wire.cut("answer", path=LIST, when=later_texts, times=None)
    with pytest.raises(Offline):
        await swept(api, mirror)
    stored = held(mirror)
    assert len(mirror.folders()) < len(stored) < len(await service(api))
    mirror.close()
    fault.drop()
    wire.forget()
    again = Mirror(path)
    last = await swept(api, again)
    assert last.complete and last.seen == len(held(again)) and held(again) == await service(api)
    asked = [query for query in queries(wire) if query.get("types")]
    assert all(query["types"] != "folder" for query in asked)
    assert all("cursor" in query for query in asked)
    again.close()


async def test_a_sweep_that_is_closed_or_cancelled_leaves_nothing_running_and_is_resumed(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    before = asyncio.all_tasks()
    sweep = Sync(api, mirror).sweep()
    async for progress in sweep:
        if progress.step == "documents":
            break
    await sweep.aclose()
    assert asyncio.all_tasks() == before

    hold = wire.hold("answer", path=LIST, times=None)
    task = asyncio.create_task(swept(api, mirror))
    await asyncio.to_thread(hold.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hold.release()
    assert asyncio.all_tasks() == before
    assert mirror.claim()  # nobody holds it
    mirror.release()
    assert (await swept(api, mirror)).complete and held(mirror) == await service(api)


async def test_closing_at_every_step_leaves_no_task_behind(api: Api, mirror: Mirror) -> None:
    before = asyncio.all_tasks()
    for number in range(12):
        async with contextlib.aclosing(Sync(api, mirror).sweep(focus=View())) as sweep:
            for _ in range(number):
                await anext(sweep, None)
        assert asyncio.all_tasks() == before
    assert (await swept(api, mirror)).complete and held(mirror) == await service(api)


async def test_a_sweep_of_a_killed_process_is_resumed_by_one(
    api: Api, mirror: Mirror, path: Path, demo: Demo, wire: Wire
) -> None:
    hold = wire.hold("answer", path=LIST, when=later_texts, times=None)
    other = sweeping(path, wire.url, demo.key)
    await asyncio.to_thread(hold.wait)
    await until(lambda: len(held(mirror)) > 100)
    other.kill()
    other.wait()
    assert other.stdout
    other.stdout.close()
    hold.release()
    wire.forget()
    last = await swept(api, mirror)
    assert last.complete and held(mirror) == await service(api)
    assert all(query.get("types") != "folder" for query in queries(wire))  # they had been read


async def test_a_cursor_that_expired_restarts_its_own_part_and_no_other(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    body = {
        "detail": {"type": "validation_error", "code": "invalid_cursor", "message": "The cursor is invalid."}
    }
    wire.answer(400, body, path=LIST, when=later_texts)
    assert (await swept(api, mirror)).complete and held(mirror) == await service(api)
    starts = [(q["types"], q["sort_direction"]) for q in queries(wire) if "types" in q and "cursor" not in q]
    assert len(starts) == 8 and len(set(starts)) == 7


async def test_a_cursor_that_always_expires_is_an_error_in_the_end(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    body = {
        "detail": {"type": "validation_error", "code": "invalid_cursor", "message": "The cursor is invalid."}
    }
    wire.answer(400, body, path=LIST, when=later, times=None)
    with pytest.raises(Refused):
        await swept(api, mirror)
    wire.heal()
    assert (await swept(api, mirror)).complete and held(mirror) == await service(api)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": {"code": "invalid_api_key", "message": "No."}}, Unauthorized),
        (401, {"detail": {"status": "missing_permissions", "message": "convai_read"}}, MissingPermission),
        (403, {"detail": {"code": "insufficient_permissions", "message": "No."}}, Refused),
    ],
)
async def test_an_error_comes_to_the_caller_alone_and_what_was_stored_stays(
    api: Api, mirror: Mirror, wire: Wire, status: int, body: Any, error: type[Exception]
) -> None:
    wire.answer(status, body, path=LIST, when=typed("text", "url", "file"), times=None)
    with pytest.raises(error):
        await swept(api, mirror)
    assert [each.id for each in mirror.folders()] != [] and mirror.swept() is None
    wire.heal()
    assert (await swept(api, mirror)).complete and held(mirror) == await service(api)


async def test_a_focus_that_is_gone_does_not_stop_the_sweep(api: Api, mirror: Mirror, wire: Wire) -> None:
    with pytest.raises(NotFound):
        body = {"detail": {"status": "knowledge_base_documentation_not_found", "message": "No such folder."}}
        wire.answer(404, body, path=LIST, times=2)
        await Sync(api, mirror).visit(View("gone"))
    assert (await swept(api, mirror, focus=View("gone"))).complete


# What moves while it is read


async def test_a_page_that_arrives_late_does_not_undo_a_save(api: Api, mirror: Mirror, wire: Wire) -> None:
    said = await service(api)
    text = next(each for each in said.values() if each["type"] == "text" and not each.get("auto_sync_info"))
    hold = wire.hold("answer", path=LIST, when=typed("text"), times=None)
    task = asyncio.create_task(swept(api, mirror))
    await asyncio.to_thread(hold.wait)
    saved = (await api.update(text["id"], name="Saved meanwhile")).raw()
    await asyncio.to_thread(mirror.store, [saved], await asyncio.to_thread(mirror.ticket))
    names = watch(mirror, text["id"])
    hold.release()
    await task
    assert set(names) == {"Saved meanwhile"}
    assert (mirror.summary(text["id"]) or {})["name"] == "Saved meanwhile"


async def test_a_page_that_arrives_late_does_not_bring_back_what_was_deleted(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    id = (await api.create_text("Short-lived", "words")).id
    hold = wire.hold("answer", path=LIST, when=typed("text"), times=None)
    task = asyncio.create_task(swept(api, mirror))
    await asyncio.to_thread(hold.wait)
    await api.delete(id)
    await asyncio.to_thread(mirror.remove, [id])
    hold.release()
    await task
    assert mirror.row(id) is None and held(mirror) == await service(api)


async def test_a_document_deleted_on_the_service_disappears_only_after_it_is_confirmed(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    id = (await api.create_text("Short-lived", "words")).id
    await swept(api, mirror)
    await api.delete(id)
    hold = wire.hold("request", path=SUMMARIES)
    task = asyncio.create_task(swept(api, mirror))
    await asyncio.to_thread(hold.wait)
    assert mirror.row(id) is not None
    hold.release()
    last = await task
    assert mirror.row(id) is None and (last.removed, last.complete) == (1, True)


async def test_nothing_is_removed_where_the_confirmation_fails(api: Api, mirror: Mirror, wire: Wire) -> None:
    id = (await api.create_text("Short-lived", "words")).id
    await swept(api, mirror)
    await api.delete(id)
    wire.answer(403, {"detail": {"code": "no", "message": "No."}}, path=SUMMARIES)
    with pytest.raises(Refused):
        await swept(api, mirror)
    assert mirror.row(id) is not None


async def test_a_document_that_every_page_leaves_out_stays_if_the_service_confirms_it(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    await swept(api, mirror)
    said = await service(api)
    hidden = [id for id, each in said.items() if each["type"] == "text"][:150]

    def without(page: Any) -> Any:
        page["documents"] = [each for each in page["documents"] if each["id"] not in hidden]
        return page

    wire.rewrite(without, path=LIST, times=None)
    last = await swept(api, mirror)
    wire.heal()
    assert last.complete and last.removed == 0 and held(mirror) == said


async def test_a_cursor_that_repeats_ends_the_pass_and_nothing_is_removed(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    id = (await api.create_text("Short-lived", "words")).id
    await swept(api, mirror)
    await api.delete(id)
    first: dict[str, str] = {}

    def round_and_round(page: Any) -> Any:
        if page["next_cursor"]:
            page |= {"next_cursor": first.setdefault("cursor", page["next_cursor"]), "has_more": True}
        return page

    wire.rewrite(round_and_round, path=LIST, when=early_texts, times=None)
    last = await swept(api, mirror)
    assert not last.complete and last.removed == 0 and mirror.row(id) is not None
    wire.heal()
    wire.forget()
    last = await swept(api, mirror)
    assert last.complete and last.removed == 1 and held(mirror) == await service(api)
    assert queries(wire)[0]["types"] == "folder"  # begun anew, not resumed in the circle


async def test_an_unknown_type_is_found_though_no_partition_asks_for_it(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    said = await service(api)
    roots = [each for each in said.values() if each["type"] == "text" and not each["folder_parent_id"]]
    nested = [each for each in said.values() if each["type"] == "text" and each["folder_parent_id"]]
    strange = {roots[0]["id"], nested[0]["id"]}

    def without(page: Any) -> Any:
        page["documents"] = [each for each in page["documents"] if each["id"] not in strange]
        return page

    def renamed(page: Any) -> Any:
        for each in page["documents"]:
            if each["id"] in strange:
                each |= {"type": "hologram", "depth": 3}
        return page

    wire.rewrite(without, path=LIST, when=lambda request: not typeless(request), times=None)
    wire.rewrite(
        renamed,
        path=LIST,
        when=typeless,
        times=None,
    )
    last = await swept(api, mirror)
    assert last.complete and last.seen == len(said)
    for id in strange:
        row = mirror.row(id)
        assert row is not None and row.type == "hologram" and row.lock
        assert (mirror.summary(id) or {})["depth"] == 3


async def test_a_folder_whose_children_were_missed_is_listed_by_itself(
    api: Api, mirror: Mirror, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await service(api)
    child = next(each for each in said.values() if each["type"] == "text" and each["folder_parent_id"])

    def without(page: Any) -> Any:
        page["documents"] = [each for each in page["documents"] if each["id"] != child["id"]]
        return page

    def elsewhere(request: Request) -> bool:
        return ("parent_folder_id", child["folder_parent_id"]) not in request.query

    wire.rewrite(without, path=LIST, when=elsewhere, times=None)
    wire.forget()
    assert (await swept(api, mirror)).complete
    assert (mirror.summary(child["id"]) or {}) == child
    assert len([query for query in queries(wire) if "parent_folder_id" in query]) == 1


async def test_a_cycle_of_folders_is_swept_and_stays_reachable(api: Api, mirror: Mirror, wire: Wire) -> None:
    one = (await api.create_folder("One")).id
    two = (await api.create_folder("Two", one)).id
    leaf = (await api.create_text("Leaf", "words", two)).id

    def circle(page: Any) -> Any:
        for each in page["documents"]:
            if each["id"] == one:
                each["folder_parent_id"] = two
        return page

    wire.rewrite(circle, path=LIST, times=None)
    assert (await swept(api, mirror)).complete
    assert sorted(shown(mirror, UNPLACED)) == sorted([one, two])
    assert shown(mirror, two) == [one, leaf] and [each.id for each in mirror.path(leaf)] == [one, two]


# Between sweeps


async def test_a_poll_finds_what_changed_and_asks_for_no_more_than_it_must(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    await swept(api, mirror)
    new = (await api.create_text("New", "words")).id
    text = next(id for id in shown(mirror, ALL, types=("text",)))
    await api.update(text, name="Renamed")
    wire.forget()
    progress = [each async for each in Sync(api, mirror).poll()]
    assert progress[-1].step == "done" and progress[-1].changed >= 2 and progress[-1].complete
    assert [(query["sort_by"], query["sort_direction"]) for query in queries(wire)] == [
        ("updated_at", "desc")
    ] * 2
    assert mirror.row(new) is not None and (mirror.summary(text) or {})["name"] == "Renamed"
    wire.forget()
    assert [each async for each in Sync(api, mirror).poll()][-1].changed == 0
    assert len(queries(wire)) == 1


async def test_two_kbtui_that_sweep_one_mirror_at_once_remove_only_what_is_gone(
    api: Api, mirror: Mirror, path: Path, demo: Demo, wire: Wire
) -> None:
    gone = (await api.create_text("Short-lived", "words")).id
    await swept(api, mirror)
    await api.delete(gone)
    said = await service(api)
    other = sweeping(path, wire.url, demo.key)
    ours = await asyncio.gather(swept(api, mirror), swept(api, mirror))
    theirs, _ = await asyncio.to_thread(other.communicate)
    assert other.returncode == 0 and "complete=True" in theirs and all(each.complete for each in ours)
    assert held(mirror) == said and mirror.notice == ""


async def test_what_is_read_in_many_pages_is_listed_and_filtered(tmp_path: Path) -> None:
    with Demo(size=3_000, index_seconds=0) as demo:
        mirror = Mirror(tmp_path / "mirror.db")
        async with Api(demo.url, demo.key) as api:
            last = await swept(api, mirror, focus=View())
    assert last.complete and last.seen > 3_000 and mirror.count(ALL) >= 3_000
    listing = mirror.listing(View(ALL))
    assert len(listing) == mirror.count(ALL) and len(mirror.window(listing, 1_500, 1_540)) == 40
    assert 0 < len(mirror.listing(View(ALL, text=mirror.window(listing, 2_000, 2_001)[0].name))) < 3_000
    mirror.close()


# What may not be read


async def test_an_id_that_may_not_be_read_stops_no_sweep_and_stays(
    api: Api, mirror: Mirror, wire: Wire
) -> None:
    hidden, gone = [(await api.create_text(name, "words")).id for name in ("Hidden", "Gone")]
    await swept(api, mirror)
    await api.delete(gone)

    def without(page: Any) -> Any:
        page["documents"] = [each for each in page["documents"] if each["id"] != hidden]
        return page

    def closed(answers: Any) -> Any:
        denied = {"status": "failure", "error_code": 403, "error_status": "no", "error_message": "No."}
        return answers | ({hidden: denied} if hidden in answers else {})

    wire.rewrite(without, path=LIST, times=None)
    wire.rewrite(closed, path=SUMMARIES, times=None)
    last = await swept(api, mirror)
    assert last.complete and last.removed == 1
    assert mirror.row(hidden) is not None and mirror.row(gone) is None
