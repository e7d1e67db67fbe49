"""The Index screen: how indexes stand and what room they take; they are built, followed and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from kbtui.answers import MODELS
from kbtui.demo import index as demo_index
from kbtui.demo.server import Demo
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.question import Question
from tests.chunking import LONG, indexed
from tests.house import House, opened, settings_for
from tests.indexing import (
    BATCH,
    FIRST,
    SECOND,
    batches,
    is_batch,
    lines,
    looking_at,
    looking_into,
    room,
    said,
    screen_of,
    shows,
)
from tests.service import Service
from tests.wire import Request, Wire


async def test_each_index_has_a_line_and_a_document_without_one_or_gone_meanwhile_says_so(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    outer = service.folder("AA Outer")
    inner = service.folder("AB Inner", outer)
    both = service.add("Both", LONG, outer)
    for model in MODELS:
        service.call("POST", f"/knowledge-base/{both}/rag-index", json={"model": model})
    service.add("Neither", LONG, inner)
    small = service.add("Tiny", "word", inner)
    service.call("POST", f"/knowledge-base/{small}/rag-index", json={"model": FIRST})
    leaves = service.add("Went", LONG, inner)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        service.delete(leaves)
        await looking_into(house, "AA Outer", "too small", "no index yet", "gone from the service")
        size = service.get(both)["metadata"]["size_bytes"] / 1000
        assert lines(house) == [
            f"Both {FIRST} {size:.0f} k ● ready",
            f"Both {SECOND} {size:.0f} k ● ready",
            "Neither AB Inner – no index yet",
            f"Tiny AB Inner {FIRST} – too small for an index",
            "Went AB Inner ✕ gone from the service",
        ]
        assert "AA Outer, 4 documents  all models" in house.line("header")
        await shows(house, "Room for indexes")
        told = len(house.line("room"))
        await house.pilot.resize_terminal(told, 24)
        await house.until(lambda: len(house.line("room")) < told, "no line touches the edge")
        await house.pilot.resize_terminal(120, 24)
        await shows(house, "Room for indexes")
        used = room(service)
        assert f"of {used['total_max_bytes'] / 1e6:.0f} M used" in said(house)
        assert (
            f"1 without an index: about {size:.0f} k more (an index here takes its document's size)"
            in said(house)
        )
        await house.press("m")
        assert [line.split().count(FIRST) for line in lines(house)] == [1] * 4
        await house.press("m")
        assert "no index yet" in lines(house)[2] and SECOND in house.line("header")
        await house.press("m", "G", "b")
        assert "gone from the service" in house.notices
        await house.press("k")
        await shows(house, "agents are given all of it")
        wire.forget()
        await house.press("k", "g", "g", "j", "j")
        assert "b builds it under" in said(house)
        assert not wire.requests, "looking at lines"


async def test_one_that_failed_is_deleted_and_built_again(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await looking_at(house, "Chargebacks", "✕ building it failed", "b builds it again")
        wire.forget()
        await house.press("b")
        await house.until(lambda: "Indexed: “Chargebacks”." in house.notices, "told")
        ways = [
            each.method for each in wire.requests if "/rag-index" in each.path and not is_batch(each.path)
        ]
        assert ways == ["GET", "DELETE", "POST"]
        await shows(house, "● ready")
        await house.press("b")
        assert "is ready" in house.notices


async def test_all_that_have_none_are_built_after_a_question_and_told_together(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    folder = service.folder("AA Many")
    for number in range(60):
        service.add(f"Page {number:02}", "word" if number == 50 else LONG[:900], folder)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await looking_into(house, "AA Many", "no index yet", "looked at")
        looked = {id for _, ids in batches(wire) for id in ids}
        assert len(looked & set(screen.rows)) == screen.lines.size.height, "only what is on the screen"
        await house.press("B")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        await shows(house, "Build the index of 60 documents?")
        await house.press("y")
        await house.until(lambda: "Indexed: 59 of 60 documents; not “Page 50”" in house.notices, "told")
        assert "too small" in house.notices
        await shows(house, "● ready")
        await house.press("B")
        await house.until(lambda: "None is missing" in house.notices, "nothing to build")
        stands = [service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"] for id in screen.rows]
        assert all(len(each) == 1 for each in stands)


async def test_an_index_is_deleted_after_a_question_that_names_what_is_lost(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = indexed(service, "Spare", LONG)
    before = room(service)["total_used_bytes"]
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await looking_at(house, "Spare", "● ready", "Room for indexes")
        await house.press("x")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked")
        await shows(house, "“Spare”", FIRST, "(", "Agents", "it is built again")
        await house.press("n")
        assert len(service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"]) == 1
        await house.press("x")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked again")
        await house.press("y")
        await shows(house, "no index yet")
        assert not service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"]
        assert room(service)["total_used_bytes"] < before
        await shows(house, f"{room(service)['total_used_bytes'] / 1000:.0f} k of")
        await house.press("x")
        assert "no index here" in house.notices


async def test_the_limit_of_the_workspace_and_what_would_not_fit_are_told(
    demo: Demo, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_index, "MAX_BYTES", room(service)["total_used_bytes"] + 1000)
    service.add("Too much", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await looking_at(house, "Too much", "no index yet", "more than the 1.0 k left")
        await house.press("b")
        await shows(house, "✕ no room left in the workspace's limit")
        await house.until(lambda: "No index of “Too much”: no room left" in house.notices, "told")


def of_model(model: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "POST" and model in request.body.decode()


@pytest.mark.parametrize("refused", MODELS)
async def test_a_model_that_is_refused_hides_nothing_and_says_so(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, refused: str
) -> None:
    told = next(model for model in MODELS if model != refused)
    folder = service.folder("AA Two")
    for name in ("Ready", "Without"):
        service.add(name, LONG, folder)
    ready = service.id("Ready")
    service.call("POST", f"/knowledge-base/{ready}/rag-index", json={"model": told})
    wire.answer(422, {"detail": "No such model."}, path=BATCH, when=of_model(refused), times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.enter("AA Two")
        await house.until(
            lambda: any("Ready" in line and "● ready" in line for line in house.drawn), "column"
        )
        await house.until(lambda: any("Without" in line and line.split()[-1] == "?" for line in house.drawn))
        await house.press("h", "I")
        await shows(house, "● ready", f"all models but {refused}", f"{refused}: ", "No such model.")
        await house.until(lambda: "? " in lines(house)[1] and "No such model." in lines(house)[1], "no index")
        assert "did not answer" not in house.line("header")
        screen = screen_of(house)
        await house.press(*"m" * (1 + screen.states.models.index(told)))
        await shows(house, "no index yet")
        assert "but" not in house.line("header")
        await house.press("B")
        await shows(house, "Build the index of 1 document?")
        await house.press("n")
        while screen.model != refused:
            await house.press("m")
        await house.until(lambda: "R asks again" in house.line("header"), "told")
        assert "No such model" in house.line("header") and "did not answer" not in house.line("header")
        await house.press("B")
        await house.until(lambda: "No such model." in house.notices, "refused in its words")


async def test_all_are_built_under_a_model_though_another_is_refused(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    folder = service.folder("AA Two")
    for name in ("First", "Second"):
        service.add(name, LONG, folder)
    wire.answer(422, {"detail": "No such model."}, path=BATCH, when=of_model(SECOND), times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await looking_into(house, "AA Two", "No such model.")
        await house.press("B")
        await shows(house, "Build the index of 2 documents?", "How they stand", f"{SECOND} is not known.")
        await house.press("y")
        await house.until(lambda: "Indexed: 2 documents." in house.notices, "built")


async def test_a_service_that_refuses_is_told_here_and_leaves_the_column_without_a_claim_and_quiet(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Spare", LONG)
    refused = {"detail": {"status": "not_here", "message": "No indexes here."}}
    wire.answer(403, refused, path=BATCH, times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Spare")
        await house.until(lambda: any("Spare" in line for line in house.drawn) and batches(wire), "asked")
        for _ in range(3):
            house.browse.show_lines()
            await house.pilot.pause()
        id = service.id("Spare")
        models = [model for model, ids in batches(wire) if id in ids]
        assert len(set(models)) == len(models), "each once"
        assert not house.notices
        assert not any("●" in line for line in house.drawn)
        await house.press("I")
        await shows(house, "No indexes here; R asks again")
        wire.heal()
        await house.press("R")
        await shows(house, "● ready", "Room for indexes")
        await house.press("c")
        await house.until(lambda: isinstance(house.app.screen, Chunks), "the chunks")
        await house.press("q", "q")
        assert house.app.screen is house.browse


# The column of the list


async def column(house: House) -> list[str]:
    """What the column says of the lines on the screen, once it says something of all."""
    documents = house.browse.documents

    def stand() -> list[str]:
        parts = [documents.parts(at, 80) for at in range(documents.count)]
        top = round(documents.scroll_y)
        told = [each[-1][0].strip() for each in parts]
        return told[top : top + documents.size.height]

    await house.until(lambda: all(stand()), "filled")
    return stand()


async def test_the_column_asks_once_for_what_is_seen_and_not_while_a_key_is_held(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        root = set(house.browse.documents.in_view())  # may have been asked for, where the cursor rested
        await house.press("g", "a")
        first = await column(house)
        assert {"● ready", "✕ failed", "– none", "– small"} == set(first)
        seen = set(house.browse.documents.in_view())
        for model, ids in batches(wire):
            assert set(ids) <= seen | root and len(set(ids)) == len(ids), model
        assert {id for model, ids in batches(wire) for id in ids if model == FIRST} >= seen - root
        wire.forget()
        await house.press("j", "k", "j")
        for _ in range(3):  # each looks at what is due
            house.browse.show_lines()
        assert not batches(wire), "nothing else is seen"
        house.browse.settle = house.app.settle = 60.0
        await house.press("pagedown", "pagedown")
        for _ in range(3):
            house.browse.show_lines()
        await asyncio.sleep(0)
        assert not batches(wire), "before it rests"
        house.browse.settle = house.app.settle = 0.02
        await column(house)
        assert len([ids for model, ids in batches(wire) if model == FIRST]) == 1
        wire.forget()
        await house.press("g", "g")
        assert await column(house) == first and not batches(wire), "still fresh"
        hold = wire.hold("answer", path=BATCH)
        await house.press("G")
        await asyncio.to_thread(hold.wait)
        await house.press("pageup")
        for _ in range(3):
            house.browse.show_lines()
        assert len(batches(wire)) == 1, "one at a time"
        hold.release()
        await column(house)


async def test_all_that_is_marked_is_listed_and_built_together(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    ids = [service.add(f"Quokka {number}", LONG) for number in range(3)]
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Quokka 1")
        await house.press("space")
        await house.select("Quokka 2")
        await house.press("space", "I")
        await shows(house, "Quokka 1", "Quokka 2", "no index yet")
        assert "Quokka 0" not in said(house) and len(lines(house)) == 2
        await house.press("B")
        await shows(house, "Build the index of 2 documents?")
        await house.press("y")
        await house.until(lambda: sum("ready" in line for line in lines(house)) == 2, "built")
        known = [service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"] for id in ids]
        assert [len(each) for each in known] == [0, 1, 1]


async def test_the_question_waits_until_nothing_lies_over_the_indexes(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    for number in range(2):
        service.add(f"Quokka {number}", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        hold = wire.hold("answer", path=BATCH, times=None)  # nothing may be known before B asks
        for number in range(2):
            await house.select(f"Quokka {number}")
            await house.press("space")
        await house.press("I", "B")
        await shows(house, "looked at 0 of 2")
        screen = screen_of(house)
        await asyncio.to_thread(hold.wait)
        await house.press("?", *"cop")
        hold.release()
        asked = [
            (row.id, row.updated, screen.target)
            for id in screen.rows
            if (row := house.browse.kb.mirror.row(id))
        ]
        await house.until(lambda: all(screen.states.current(*each) for each in asked), "they are known")
        await house.press(*"yyyyyyyy")
        assert not any(isinstance(screen, Question) for screen in house.app.screen_stack)
        await house.press("escape")
        await shows(house, "Build the index of 2 documents?")


async def test_an_index_that_is_being_deleted_is_told_of_who_leaves(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = indexed(service, "Quokka", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await looking_at(house, "Quokka", "ready")
        hold = wire.hold("answer", method="DELETE")
        await house.press("x")
        await shows(house, "Delete this index?")
        await house.press("y")
        await house.until(lambda: hold.arrived.is_set(), "on its way")
        await house.press("q")
        hold.release()
        await house.until(lambda: "Deleted: the index of “Quokka”" in house.notices, "told")
        assert not service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"]


async def test_what_failed_is_built_again_with_what_is_missing(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await looking_at(house, "Chargebacks", "failed")
        await house.press("B")
        await shows(house, "Build the index of 1 document?")
        await house.press("y")
        await house.until(lambda: "Indexed: “Chargebacks”." in house.notices, "told")


async def test_all_documents_are_listed_and_one_goes_from_problem_to_problem(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 120)) as house:
        await house.online()
        await house.press("1", "g", "g", "I")
        await shows(house, "Index 90 documents", "✕ building it failed")
        assert all(f"Refund policy {folder}" in said(house) for folder in ("Archive", "Support"))
        screen = screen_of(house)
        met = set()
        for _ in range(40):
            await house.press("n")
            assert screen.lines.line is not None and screen.table.is_problem(screen.lines.line)
            met.add(screen.lines.line)
        assert service.id("Chargebacks") in {line.document for line in met} and len(met) > 5
        here = screen.lines.line
        await house.press("N", "n")
        assert screen.lines.line == here


async def test_a_question_over_which_something_was_opened_before_it_was_seen_can_be_answered(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = indexed(service, "Here", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await looking_at(house, "Here", "ready")
        house.burst("x", "?", "escape")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        await house.press("y")
        await house.until(
            lambda: house.app.screen is screen and "Deleted: the index" in house.notices, "told"
        )
        assert not service.call("GET", f"/knowledge-base/{id}/rag-index")["indexes"]
