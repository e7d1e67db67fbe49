"""The hits of the search beside an answer: how they are reached, and what is done with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.tui.screens.ask import Ask
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.search import Search
from tests.asking import OTHER, asking, here, told
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

SIZES = ((120, 36), (80, 24), (80, 14))
SEARCH = "/search$"


async def among_hits(house: House) -> Ask:
    """A question is asked, and the keys are for what the search finds for its words."""
    screen = await asking(house)
    await house.until(lambda: screen.results.count, "what the search finds")
    await house.press("tab")
    assert screen.within
    return screen


@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow", "low"])
async def test_tab_goes_to_the_hits_and_back_and_enter_opens_one_where_the_words_stand(
    demo: Demo, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        screen = await among_hits(house)
        assert "Esc back" in house.line("footer") and "Enter open" in house.line("footer")
        await house.press("j")
        found = screen.results.found
        assert found is not None and found is screen.hits[1]
        shown = f"{found.name[:12]}.*{found.score:.2f}"
        await house.until(lambda: any(re.search(shown, line) for line in house.drawn), "in view, however low")
        assert screen.row is not None and screen.row.id == found.id
        await house.press("tab")
        assert not screen.within and screen.focused is screen.lines
        footer = house.line("footer")
        assert "Tab hits" in footer and "Esc question" in footer and ("[ search" in footer or size[0] < 120)
        await house.press("tab", "escape")
        assert screen.focused is screen.lines  # the answer, not the question
        await house.press("tab", "enter")
        assert house.app.screen is house.browse and house.row.id == found.id
        await house.until(lambda: house.reading and house.browse.reading.view.hits, "the words, marked")


async def test_the_hit_under_the_cursor_is_told_in_full_with_its_words_marked(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await among_hits(house)
        await house.press("j")
        found = screen.results.found
        assert found is not None
        words = "".join(words for words, _ in found.snippet).split()
        assert found.name in screen.about.text and " ".join(words[:4]) in " ".join(screen.about.text.split())
        await house.press("tab")
        assert screen.chunk is not None and " ".join(words[:4]) not in " ".join(screen.about.text.split())


async def test_a_hit_is_marked_copied_and_its_chunks_and_facts_are_shown(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await among_hits(house)
        first = screen.hits[0]
        await house.press("space")
        assert house.browse.kb.marks.ids == (first.id,) and screen.results.cursor == 1
        assert "1 marked" in house.line("footer")
        await house.press("k", "g", "u")
        assert not house.browse.kb.marks.ids
        await house.press("y", "i")
        assert house.app.clipboard == first.id
        await house.press("c")
        chunks = house.app.screen
        row = chunks.situation().row if isinstance(chunks, Chunks) else None
        assert row is not None and row.id == first.id
        await house.press("escape")
        assert house.app.screen is screen and screen.within
        await house.press("i")
        assert house.app.screen is house.browse and house.row.id == first.id
        assert house.browse.reading.tab == "info"


async def test_what_only_the_search_finds_is_edited_and_followed_until_it_is_indexed(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await among_hits(house)
        at = next(at for at, hit in enumerate(screen.hits) if hit.id not in screen.results.both)
        await house.press(*["j"] * at)
        await house.mend("Mine. ")
        assert "Mine. " in service.text(screen.hits[at].id)
        await house.until(lambda: "indexed anew: . asks again" in screen.index[0], "followed")


async def test_gs_goes_back_to_the_hits_and_a_dot_asks_again(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await among_hits(house)
        await house.press("j")
        found = screen.results.found
        await house.press("enter", "g", "s")
        search = house.app.screen
        assert isinstance(search, Search) and found is not None
        await house.until(
            lambda: search.results.found and search.results.found.id == found.id, "the same hit"
        )
        await house.press("escape", "escape", ".")
        await house.until(lambda: isinstance(house.app.screen, Ask) and "since" in told(house), "asked again")


async def test_where_there_is_nothing_beside_an_answer_tab_says_why(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        wire.answer(403, {"detail": {"status": "no", "message": "No search for you."}}, path=SEARCH)
        screen = await asking(house)
        await house.until(lambda: "No search for you" in house.line("beside"), "in its place")
        await house.press("tab")
        await house.until(lambda: "Hits: the search shows none here." in house.notices, "told")
        assert screen.focused is screen.lines
        assert "Tab" not in house.line("footer")
        await house.press("x")
        await house.until(lambda: "gq lists the questions" in house.notices, "where they are forgotten")


async def test_another_question_takes_the_hits_of_the_one_before_away(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await among_hits(house)
        before = list(screen.hits)
        hold = wire.hold("request", path=SEARCH)
        await house.press("/", "ctrl+u", *OTHER, "enter")
        await house.until(lambda: "searching" in house.line("beside"), "told")
        assert not screen.results.count
        hold.release()
        await house.until(lambda: screen.hits and screen.hits != before, "its own")
        assert here(house).results.cursor == 0
