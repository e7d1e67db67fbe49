"""The chunk viewer: all chunks under a model, beside the text that they were cut from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kbtui.answers import MODELS
from kbtui.demo.server import Demo
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.editor import Editor
from tests.chunking import CHUNKS, INDEX, LONG, indexed, theirs, told, viewing
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_all_chunks_are_listed_with_their_sizes_and_stand_where_their_words_are(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = indexed(service, "Long one", LONG)
    chunks = theirs(service, id)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        screen = await viewing(house, "Long one")
        assert f"{len(chunks)} chunks" in house.line("header")
        assert [each.facts.characters for each in screen.list.pieces] == [len(each) for each in chunks]
        for content, piece in zip(chunks, screen.list.pieces, strict=True):
            assert piece.place is not None and piece.place.share == 1
            stands = screen.text.text[piece.place.start : piece.place.end]
            assert stands.split()[0] in content and stands.split()[-1] in content
        await house.press("j", "j")
        assert screen.text.chosen == 2 and "Chunk 3" in "".join(house.drawn)
        drawn = next(line for line in house.drawn if "    3 █" in line)
        place = screen.list.pieces[2].place
        assert place and screen.text.text[place.start : place.start + 12] in drawn


async def test_the_cursor_of_the_chunks_follows_that_of_the_text(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        screen = await viewing(house, "Long one")
        await house.press("tab", "j", "j")
        assert screen.text.cursor == 2 and screen.list.cursor == 0
        await house.press("G")
        assert screen.list.cursor == screen.list.count - 1
        await house.press("g", "g")
        assert screen.list.cursor == 0
        await house.press("tab", "j")
        assert screen.list.cursor == 1 and screen.text.chosen == 1


async def test_enter_fetches_one_chunk_and_shows_it_alone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = indexed(service, "Marked up", f"# Refunds\n\nPaid **within 30 days** by the shop.\n\n{LONG[:900]}")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Marked up")
        await house.press("enter")
        await house.until(lambda: "**within 30 days**" in screen.whole.text, "as it is stored")
        assert [each.path for each in wire.requests if f"{id}/chunk/" in each.path]
        await house.press("escape")
        await house.until(lambda: any("█" in line for line in house.drawn), "the text again")
        await house.press("escape")
        assert not isinstance(house.app.screen, Chunks)


async def test_without_an_index_one_can_be_built_and_its_chunks_appear(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = service.add("Bare", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Bare")
        assert "no index yet" in house.line("header")
        await house.until(lambda: "b builds the index" in told(house), "what can be done")
        await house.press("b")
        await house.until(lambda: "Indexed: " in house.notices, "told")
        await house.until(lambda: screen.list.count == len(theirs(service, id)) > 1, "its chunks")


async def test_another_model_has_its_own_chunks_and_says_where_there_are_some(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = indexed(service, "Second", LONG, MODELS[1])
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Second")
        assert screen.model == MODELS[1] and screen.list.count == len(theirs(service, id, MODELS[1]))
        await house.press("m")
        await house.until(lambda: "no index yet" in house.line("header"), "none")
        await house.until(lambda: f"m shows the chunks under {MODELS[1]}." in told(house), "said")
        await house.press("m")
        await house.until(lambda: "chunks" in house.line("header").split("·")[-1], "back")
        assert screen.list.count == len(theirs(service, id, MODELS[1]))


async def test_words_are_found_in_chunks_and_n_goes_round(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        holding = [at for at, each in enumerate(screen.list.pieces) if "aragraph 77 " in each.text]
        await house.press("/", *"PARAGRAPH 77 ", "enter")
        assert screen.list.cursor == holding[0] > 0
        await house.press("g", "g", "n")
        assert screen.list.cursor == holding[0]
        await house.press("G", "n")
        assert screen.list.cursor == holding[0]
        await house.press("/", *"no such words")
        assert f"0 of {screen.list.count} chunks with" in house.line("header")
        await house.press("escape", "n")
        assert "no words are marked here" in house.notices


async def test_words_are_found_whatever_marks_and_line_ends_stand_between_them(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await viewing(house, "Account and sign-in")
        for words in ("two-step sign-in", "works for 30 minutes and once"):  # of which some are bold
            await house.press("/", "ctrl+u", *words)
            assert "1 of 1 chunk" in house.line("header"), words
            await house.press("enter")
        assert any("30 minutes" in line for line in house.drawn)


async def test_what_looks_like_a_tag_in_markdown_is_shown(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Forms", f"Type <name> and <your email>.\n\nThen press <Enter>.\n\n{LONG[:900]}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Forms")
        assert "Type <name> and <your email>." in screen.list.pieces[0].text
        assert "press <Enter>" in screen.text.text


async def test_what_is_edited_from_here_is_shown_anew_once_it_is_indexed(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Account and sign-in")
        await house.mend("Quokka. ")
        await house.until(lambda: "changed" in house.line("header"), "said")
        await house.until(lambda: screen.list.piece and "Quokka" in screen.list.piece.text, "shown anew")
        assert "Quokka" in screen.text.text and "changed" not in house.line("header")


async def test_one_chunk_after_the_other_is_shown_alone_with_its_number(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        await house.press("enter")
        await house.until(lambda: "Chunk 1 " in house.line("header"), "the first")
        await house.press(")")
        second = screen.list.pieces[1].text.split()[:3]
        await house.until(lambda: screen.whole.text.split()[:3] == second, "the second")
        assert "Chunk 2 " in house.line("header")
        wire.answer(500, {}, path="/chunk/", times=None)
        await house.press(")")
        await house.until(lambda: house.notices, "told")
        assert "Chunk 2 " in house.line("header") and screen.whole.text.split()[:3] == second
        wire.heal()
        hold = wire.hold("answer", path="/chunk/")
        await house.press("escape", "enter", "j")
        hold.release()
        assert screen.list.cursor == 2 and not screen.whole.display  # gone on before it was here


async def test_where_another_model_cannot_be_asked_nothing_stands_under_its_name(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        refused = {"detail": {"status": "not_found", "message": "Gone."}}
        wire.answer(404, refused, path=INDEX, times=None)
        await house.press("j", "j", "m")
        await house.until(lambda: "Gone" in house.line("header"), "told")
        assert not screen.list.count
        await house.until(lambda: "R asks again" in told(house), "what can be done")
        wire.heal()
        await house.press("m", "m")
        await house.until(lambda: "no index yet" in house.line("header"), "the other model")


async def test_e_opens_the_editor_where_the_chunk_stands(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        screen = await viewing(house, "Long one")
        await house.press("j", "j", "j")
        begins = screen.list.pieces[3].text.split()[:2]
        await house.press("e")
        editor = await house.editor()
        await house.until(lambda: editor.area.cursor_location != (0, 0), "there")
        row, column = editor.area.cursor_location
        assert editor.area.document.get_line(row)[column:].split()[:2] == begins
        await house.press("escape")
        assert house.app.screen is screen


async def test_a_chunk_that_stands_nowhere_says_so(demo: Demo, service: Service, tmp_path: Path) -> None:
    id = indexed(service, "Moved on", LONG[:900])
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Moved on")
        await house.until(lambda: house.reading, "its text is here")
        body = house.browse.kb.kept_body(house.row)
        assert body is not None and body.document == id
        house.browse.kb.mirror.keep_body(body._replace(text="Quite other words."))
        await house.press("c")
        await house.until(lambda: "1 chunk" in house.line("header"), "listed")
        assert "do not stand in the text" in told(house)


async def test_a_folder_has_no_chunks_and_says_so(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "h", "g", "g", "c")
        assert "a folder has no chunks" in house.notices and house.app.screen is house.browse


@pytest.fixture
def slow() -> Iterator[Demo]:
    """A demo whose indexes take a moment."""
    with Demo(index_seconds=1) as server:
        yield server


async def test_an_index_that_is_being_built_is_followed_and_only_while_it_is_looked_at(
    slow: Demo, tmp_path: Path
) -> None:
    with Service(slow) as service, Wire(slow.url) as wire:
        id = service.add("Growing", LONG)
        async with opened(settings_for(wire.url, slow.key, tmp_path)) as house:
            await house.online()
            await house.select("Growing")
            service.call("POST", f"/knowledge-base/{id}/{INDEX}", json={"model": MODELS[0]})
            await house.press("c")
            await house.until(lambda: "being built" in house.line("header"), "progress")
            await house.until(lambda: "chunks" in house.line("header").split("·")[-1], "ready")
            asked = len(wire.requests)
            await house.press("q")
            await asyncio.sleep(0)
            assert len(wire.requests) == asked


async def test_a_service_that_does_not_answer_is_told(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Long one")
        wire.answer(
            404, {"detail": {"status": "not_found", "message": "Gone."}}, path=f"/{CHUNKS}", times=None
        )
        await house.press("c")
        await house.until(lambda: "Gone" in house.line("header"), "told")
        assert isinstance(house.app.screen, Chunks) and not isinstance(house.app.screen, Editor)
        await house.until(lambda: "R asks again" in told(house), "what can be done")
        assert "not kept here" in told(house)


async def test_without_the_service_nothing_is_said_of_indexes_that_nobody_knows(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Long one")
        wire.down()
        await house.press("c")
        await house.until(lambda: "R asks again" in told(house), "what can be done")
        await house.press("M")
        assert "No index is known" in house.notices


def hit_row(screen: Chunks, house: House) -> str:
    """The line of the text beside that has the cursor, if it is in view."""
    text = screen.text
    y = text.cursor - round(text.scroll_y)
    assert 0 <= y < text.size.height, "out of view"
    return house.drawn[text.region.y + y]


async def test_n_goes_over_the_places_with_the_words_several_of_them_in_one_chunk(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    island = "The crew keeps it dry and tells nobody where. " * 9
    indexed(
        service,
        "Islands",
        "\n\n".join(f"{island}Quokka **of** {n}. {island}Quokka of {n}." for n in range(9)),
    )
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 24)) as house:
        screen = await viewing(house, "Islands")
        await house.press("/", *"quokka of", "enter")
        places = screen._places()
        assert len(places) > len({chunk for chunk, _ in places}) > 3, "several in one chunk"
        for number, (chunk, _) in enumerate([*places, places[0]]):
            assert f"hit {number % len(places) + 1} of {len(places)} · " in house.line("header")
            assert screen.list.cursor == screen.text.chosen == chunk
            assert "Quokka" in hit_row(screen, house)
            line = house.drawn[screen.list.region.y + screen.list.cursor - round(screen.list.scroll_y)]
            assert "Quokka" in line[: screen.list.size.width], "its words in the line of the chunk"
            await house.press("n")
        await house.press("N", "N")
        assert f"hit {len(places)} of" in house.line("header") and "Quokka of 8" in hit_row(screen, house)
        await house.press("tab", "g", "g", "n")
        assert f"hit 1 of {len(places)}" in house.line("header")
        assert "Quokka **of** 0" in hit_row(screen, house)


def says(house: House, *words: str) -> bool:
    """Whether the header has all these words."""
    return all(each in house.line("header") for each in words)


async def test_words_are_gone_over_in_a_chunk_alone_and_on_in_the_next_that_has_them(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    filler = "\n".join(f"Line {n}." for n in range(60))
    indexed(
        service,
        "Islands",
        "\n\n".join([filler, "The last\nquokka.", filler, filler, filler, "A last quokka."]),
    )
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        screen = await viewing(house, "Islands")
        await house.press("/", *"last quokka", "enter", "enter")
        places = screen._places()
        for number, (chunk, _) in enumerate(places, 1):
            counted = f"Chunk {chunk + 1} ", f"hit {number} of {len(places)}"
            await house.until(partial(says, house, *counted))
            await house.until(lambda: any("last" in line for line in house.drawn[1:-1]), "in view")
            await house.press("n")
        await house.until(partial(says, house, f"hit 1 of {len(places)}"), "all around")
        await house.press("N")
        await house.until(partial(says, house, f"hit {len(places)} of"), "and back")
        await house.press("escape")
        await house.until(lambda: screen.text.size.height, "the text again")
        assert "last quokka" in hit_row(screen, house)
        assert says(house, "Islands", "e5_mistral_", "chunks with “last quokka”"), "all but its end"
        await house.pilot.resize_terminal(60, 24)
        await house.until(
            lambda: says(house, "Islands", "with “last") and not says(house, "e5_mis"), "no model"
        )
        await house.pilot.resize_terminal(120, 36)
        await house.until(lambda: "Chunk  Length " in house.drawn[1], "what the numbers are")


async def test_the_chunks_of_a_result_begin_where_its_words_stand(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", f"{LONG}\n\nThe **quokka** tells of the part.\n\n{LONG}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("S", *"quokka")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter", "c")
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        await house.until(lambda: "hit 1 of" in house.line("header"), "there")
        assert screen.list.piece is not None and "quokka" in screen.list.piece.text
        assert "quokka" in hit_row(screen, house)
        await house.press("escape", "enter")
        await house.until(lambda: "hit 1 of 1" in house.line("tabs"), "its text")
        await house.press("c")
        again = house.app.screen
        assert isinstance(again, Chunks)
        await house.until(lambda: "hit 1 of" in house.line("header"), "from the text too")
        assert again.list.cursor == screen.list.cursor and "quokka" in hit_row(again, house)


async def test_the_chunks_of_a_text_that_was_scrolled_begin_at_what_is_in_view(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Long one")
        await house.until(lambda: house.reading and house.browse.reading.view.max_scroll_y > 200, "its text")
        await house.press("3", *["pagedown"] * 9)
        view = house.browse.reading.view
        top = view.words_in_view.split()[1:5]
        await house.press("c")
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        await house.until(lambda: screen.list.cursor > 1, "there")
        assert screen.list.piece is not None and " ".join(top) in " ".join(screen.list.piece.text.split())
        await house.press("escape", "g", "g", "c")
        await house.until(lambda: house.line("header").rstrip().endswith("chunks"), "from the beginning")
        assert house.app.screen.list.cursor == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(20, 5), (40, 10)])
async def test_on_a_small_terminal_the_words_are_seen_in_the_chunks_and_in_the_text(
    demo: Demo, service: Service, tmp_path: Path, size: tuple[int, int]
) -> None:
    indexed(service, "Long one", f"{LONG}\n\nThe quokka tells.\n\n{LONG}\n\nA quokka too.")
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        await house.online()
        await house.press("S", *"quokka")
        await house.until(lambda: "1 document" in house.line("header"), "found")
        assert "Long one" in house.drawn[2]
        await house.press("enter", "c")
        await house.until(partial(says, house, "hit 1 of 2"))
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        await house.until(lambda: any("quokka" in line for line in house.drawn[1:-1]), "in the chunks")
        assert not screen.text.size.height
        await house.press("tab")
        await house.until(lambda: screen.text.size.height, "the text in their place")
        await house.until(lambda: "quokka" in hit_row(screen, house), "in the text")
        await house.press("n")
        assert says(house, "hit 2 of 2") and "quokka" in hit_row(screen, house)
        await house.press("tab")
        await house.until(lambda: screen.list.size.height and "quokka" in "".join(house.drawn[1:-1]), "back")


async def test_what_is_typed_while_the_chunks_are_read_stays_though_a_search_led_there(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", f"{LONG}\n\nThe quokka tells.\n\n{LONG}")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("S", *"quokka")
        await house.until(lambda: "document" in house.line("header"), "found")
        hold = wire.hold("request", path=INDEX)
        await house.press("enter", "c", "/", *"crew")
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        hold.release()
        await house.until(lambda: screen.list.places and "…" not in house.line("header"), "all are here")
        assert screen.field.value == "crew" and "crew" in house.line("header")


async def test_who_types_words_to_find_does_not_wait_for_a_chunk_alone_any_more(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        await house.press("/", *"crew", "enter", "n", "n", "n")
        assert screen.list.at == (0, 3)
        hold = wire.hold("answer", path=r"/chunks?/[^/]+$")
        await house.press("enter")
        await asyncio.to_thread(hold.wait)
        await house.press("/", *"paragraph 0")  # three places: there is no fourth to be shown
        await house.until(
            lambda: all(each.is_finished for each in screen.workers if each.group == "whole"), "given up"
        )
        hold.release()
        assert screen.focused is screen.field and not screen.whole.display
        assert "Reading" not in house.notices
