"""The chunks under two models, side by side."""

from __future__ import annotations

from pathlib import Path

from kbtui.answers import MODELS
from kbtui.demo.server import Demo
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.compared import Compared
from tests.chunking import CHUNKS, INDEX, LONG, indexed, indexed_twice, theirs, viewing
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_the_chunks_under_two_models_follow_each_other_to_the_same_words(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = indexed_twice(service)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await viewing(house, "Long")
        await house.press("j", "j", "j")
        await house.press("M")
        screen = house.app.screen
        assert isinstance(screen, Compared)
        await house.until(lambda: screen.sides[0].list.cursor == 3, "where it was")
        for side, model in zip(screen.sides, MODELS, strict=True):
            assert len(side.list.pieces) == len(theirs(service, id, model)) > 5
            assert f"{len(side.list.pieces)} chunks" in house.line(f"{side.id}-head")
            assert model in house.line(f"{side.id}-head")
        for keys in (["j"] * 5, ["tab"], ["j"] * 4, ["k"], ["tab"], ["G"], ["g", "g"]):
            await house.press(*keys)
            here, there = screen.side.list.piece, screen.other.list.piece
            assert (
                here is not None and here.place is not None and there is not None and there.place is not None
            )
            assert here.place.start < there.place.end and there.place.start < here.place.end
            begin = " ".join(here.text.split()[:8])
            assert begin in " ".join(screen.side.words.text.split())
            if keys != ["tab"]:
                assert there.place.start <= here.place.start < there.place.end
                assert begin in " ".join(screen.other.words.words_in_view.split()), (
                    "where they begin is shown"
                )
        await house.press("j", "j", "j", "j", "j")
        await house.pilot.resize_terminal(80, 24)
        piece = screen.side.list.piece
        begin = " ".join(piece.text.split()[:3]) if piece is not None else "no chunk"
        there_too = screen.other.words
        await house.until(lambda: " ".join(there_too.words_in_view.split()).startswith(begin), "broken anew")
        await house.pilot.resize_terminal(140, 40)
        await house.press("g", "g")
        left, right = (side.words.vertical_scrollbar.region.right for side in screen.sides)
        lists = [side.list.vertical_scrollbar.region.right for side in screen.sides]
        assert lists == [left, right] and any(line.count("Length") == 2 for line in house.drawn)
        await house.press("tab", "j", "j", "enter")
        wanted = screen.sides[1].list.pieces[2].id
        chunks = house.app.screen
        assert isinstance(chunks, Chunks)
        await house.until(
            lambda: chunks.model == MODELS[1] and chunks.list.piece is not None, "under that model"
        )
        await house.until(lambda: chunks.list.piece and chunks.list.piece.id == wanted, "at that chunk")


async def test_what_is_compared_is_asked_for_again_and_the_cursor_stays_on_its_chunk(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = indexed_twice(service)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await viewing(house, "Long")
        wire.answer(404, {"detail": {"status": "no", "message": "Gone."}}, path=f"/{CHUNKS}$", times=None)
        await house.press("M")
        screen = house.app.screen
        assert isinstance(screen, Compared)
        await house.until(lambda: "Gone" in house.line("right-head"), "told")
        wire.heal()
        await house.press("R")
        await house.until(lambda: "chunks" in house.line("right-head"), "both")
        assert house.line("right-head").split()[0] == MODELS[1], "whole, for fewer words beside it"
        assert house.line("right-head").endswith(" chunks ")
        await house.press("tab", "j", "j", "j")
        chosen = screen.side.list.piece
        hold = wire.hold("answer", path=f"/{CHUNKS}$")
        await house.press("R")
        assert "asking" in house.line("left-head") and "asking" in house.line("right-head")
        hold.release()
        await house.until(lambda: "asking" not in house.line("right-head"), "again")
        assert screen.side is screen.sides[1] and screen.side.list.piece == chosen
        indexes = service.call("GET", f"/knowledge-base/{id}/{INDEX}")["indexes"]
        gone = next(each["id"] for each in indexes if each["model"] == MODELS[0])
        service.call("DELETE", f"/knowledge-base/{id}/{INDEX}/{gone}")
        await house.press("R")
        await house.until(lambda: "no index yet" in house.line("left-head"), "one is gone")
        assert not screen.sides[0].list.count and not screen.sides[0].words.text.strip()


async def test_a_comparison_that_is_refused_says_so_beside_the_names_of_the_models(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed_twice(service)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await viewing(house, "Long")
        wire.answer(403, {"detail": {"status": "no", "message": "Not for you."}}, path=INDEX, times=None)
        await house.press("M")
        await house.until(lambda: isinstance(house.app.screen, Compared), "side by side")
        await house.until(lambda: "Not for you" in house.line("left-head"), "told")
        assert MODELS[0] in house.line("left-head") and MODELS[1] in house.line("right-head")
        await house.pilot.pause()
        assert "".join(house.drawn[2:]).count("Not for you.") == 2, "on either side"


async def test_one_model_is_compared_with_none(demo: Demo, service: Service, tmp_path: Path) -> None:
    indexed(service, "Long", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long")
        await house.press("M")
        assert house.app.screen is screen and "an index under one model only" in house.notices


async def test_a_ready_index_without_chunks_is_compared_too(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed_twice(service)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await viewing(house, "Long")
        wire.rewrite(lambda answer: {**answer, "chunks": [], "next_cursor": None}, path=f"/{CHUNKS}$")
        await house.press("M")
        await house.until(lambda: "no chunks" in house.line("left-head"), "said")
        await house.until(lambda: "chunks" in house.line("right-head"), "the other side")


async def test_a_comparison_that_cannot_be_asked_for_again_says_so_and_keeps_what_came(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed_twice(service)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await viewing(house, "Long")
        await house.press("M")
        screen = house.app.screen
        assert isinstance(screen, Compared)
        await house.until(lambda: "chunks" in house.line("right-head"), "both")
        refused = {"detail": {"status": "no", "message": "Not for you."}}
        second = wire.answer(403, refused, path=f"/{CHUNKS}$", when=lambda each: MODELS[1] in str(each.query))
        await house.press("R")
        await house.until(lambda: "Not for you" in house.line("right-head"), "told")
        assert "chunks of about" in house.line("left-head") and screen.sides[1].list.count
        second.drop()
        wire.answer(403, refused, path=INDEX, times=None)
        await house.press("R")
        await house.until(lambda: "Not for you" in house.line("left-head"), "told of both")
        assert "Not for you" in house.line("right-head")
