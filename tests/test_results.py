"""Results that are opened: where the words stand, edited there, and back to the results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.widgets import TextArea

from kbtui.demo.server import Demo
from kbtui.rows import Found
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.search import Search
from kbtui.tui.widgets.hits import Hits, Page, any_of, marked
from tests.house import opened, settings_for
from tests.searching import searching
from tests.service import Service


async def test_enter_opens_the_text_at_the_first_place_and_n_goes_on(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    filler = "\n\n".join(f"Paragraph {number} about nothing." for number in range(60))
    service.add("Long one", f"{filler}\n\nThe quokka.\n\n{filler}\n\nAnother quokka.", service.id("Support"))
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await searching(house, "quokka")
        await house.press("enter", "enter")
        await house.until(lambda: "hit 1 of 2" in house.line("tabs"), "marked and counted")
        assert house.row.name == "Long one" and house.browse.pane == "view"
        assert "Support" in house.line("header")
        await house.until(lambda: any("The quokka." in line for line in house.drawn), "in view")
        await house.until(lambda: "n next hit" in house.line("footer"), "offered")
        await house.press("n")
        await house.until(lambda: any("Another quokka." in line for line in house.drawn), "the next")
        assert "hit 2 of 2" in house.line("tabs")
        for key, place in (("N", 1), ("N", 2), ("n", 1)):
            await house.press(key)
            assert f"hit {place} of 2" in house.line("tabs")
        await house.until(lambda: any("The quokka." in line for line in house.drawn), "the one before")
        await house.press("h", "j")
        await house.until(lambda: house.reading and "hit" not in house.line("tabs"), "only in that text")
        await house.until(lambda: "next hit" not in house.line("footer"), "offered only there")


async def test_enter_opens_where_the_words_stand_together_as_they_were_typed(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    filler = "\n\n".join(f"Paragraph {number} about nothing." for number in range(300))
    service.add("Long one", f"A numbat.\n\n{filler}\n\nA quokka.\n\n{filler}\n\nThe **quokka numbat** lives.")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await searching(house, "quokka numbat")
        await house.press("enter", "enter")
        await house.until(lambda: any("The quokka numbat lives." in line for line in house.drawn), "in view")
        assert "hit 2 of 2" in house.line("tabs")
        assert house.browse.reading.view.hit_words.startswith("quokka numbat lives.")
        await house.press("n")
        assert "hit 1 of 2" in house.line("tabs")


async def test_enter_opens_the_passage_that_the_service_shows(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    places = "\n\n".join(f"The quokka of island {number}, and the numbat." for number in range(99))
    id = service.add("Islands", places)
    snippet = (("…The ", False), ("quokka", True), (" of island 77, and the ", False), ("numbat", True))
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        house.app.show_found(Found(id, "Islands", "text", 1.0, snippet), "quokka and numbat")
        await house.until(lambda: "hit 155 of 198" in house.line("tabs"), "there")


@given(
    rows=st.lists(st.text("ab c世", max_size=8), max_size=6),
    words=st.sampled_from(["a b", "ab", "世", "b c a"]),
)
def test_words_are_found_over_the_ends_of_rows(rows: list[str], words: str) -> None:
    hits = Hits(Page([Segment(row)] for row in rows), any_of([words]))
    spans = [(row, *span) for row in range(len(rows)) for span in hits.spans(row)]
    assert all(0 <= start <= end <= len(rows[row]) for row, start, end, _ in spans)
    plain = "".join(rows[row][start:end] for row, start, end, _ in spans)
    assert plain.replace(" ", "") == words.replace(" ", "") * len(hits)
    for at in range(len(hits)):
        hits.at = at
        assert hits.first_in(hits.row) <= at and rows[hits.row][hits.column] == words[0]


@given(
    pieces=st.lists(st.tuples(st.text("abB. é世", max_size=6), st.sampled_from([None, Style(bold=True)]))),
    words=st.text("ab世", min_size=1, max_size=3),
)
def test_words_are_marked_wherever_looks_begin_and_end(
    pieces: list[tuple[str, Style | None]], words: str
) -> None:
    row, marks, look = [Segment(*piece) for piece in pieces], re.compile(words, re.I), Style(underline=True)
    before = [(char, style) for text, style, _ in row for char in text]
    spans = [(*match.span(), look) for match in marks.finditer("".join(char for char, _ in before))]
    after = [(char, style) for text, style, _ in marked(row, spans) for char in text]
    hits = {place for start, end, _ in spans for place in range(start, end)}
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        assert new == ((old[0], (old[1] or Style.null()) + look) if place in hits else old)


async def test_a_document_that_is_gone_is_told_of_and_no_other_gets_the_keys(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    for name in ("Kiwi", "Numbat"):
        service.add(name, f"The quokka and the {name}.")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await searching(house, "kiwi")
        await house.press("enter")
        service.delete(service.id("Kiwi"))
        await house.press("enter")
        await house.until(lambda: "“Kiwi” is gone" in house.notices, "told")
        assert house.browse.pane == "list"


@pytest.mark.parametrize(
    ("words", "text", "hits"), [("at", "okapi at the data battery", 1), ("世界", "新世界地図", 1)]
)
async def test_a_word_is_not_marked_inside_another(
    demo: Demo, service: Service, tmp_path: Path, words: str, text: str, hits: int
) -> None:
    id = service.add("Quokka", text)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        house.app.show_found(Found(id, "Quokka", "text", 1.0, ((words, True),)))
        await house.until(lambda: f"hit 1 of {hits} " in house.line("tabs"), "marked")


async def test_a_result_is_edited_where_it_was_found(demo: Demo, service: Service, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        screen = await searching(house, "chargeback")
        at = [found.name for found in screen.results._found].index("Chargebacks")
        await house.press("enter", *["j"] * at, "e")
        editor = await house.editor()
        assert isinstance(editor, Editor)
        await house.press(*"Mine. ", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(service.id("Chargebacks")).startswith("# Mine. Chargebacks")
        await house.press("escape")
        assert house.app.screen is screen
        await house.press("u")
        await house.until(
            lambda: not service.text(service.id("Chargebacks")).startswith("Mine"), "taken back"
        )


async def test_the_editor_opens_where_the_words_of_a_search_stand(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    filler = "\n".join(f"<p>Paragraph {number} about nothing.</p>" for number in range(40))
    service.add("Long one", f"{filler}\n<p>Here <b>lives</b> a quokka &amp; its child.</p>\n{filler}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await searching(house, "quokka")
        await house.press("enter", "enter")
        await house.until(lambda: "hit 1 of 1" in house.line("tabs"), "marked and counted")
        await house.press("e")
        area = (await house.editor()).query_one(TextArea)
        await house.until(lambda: area.cursor_location[0] == 40, "at the line")
        row, column = area.cursor_location
        assert area.document.get_line(row)[column:].startswith("quokka")


async def test_one_comes_back_to_the_results_where_one_was_opened(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "s")
        assert "No result of a search was opened yet" in house.notices
        screen = await searching(house, "refund")
        await house.press("enter", "f", "t", "j", "j", "j")
        await house.until(lambda: "document" in house.line("header"), "found anew")
        assert screen.results.found is not None
        left = screen.results.found.id
        await house.press("enter")
        assert house.row.id == left
        await house.press("g", "s")
        again = house.app.screen
        assert isinstance(again, Search) and again is not screen
        await house.until(lambda: again.results.found and again.results.found.id == left, "there")
        assert (
            again.here()[0] == "results" and "text" in house.line("header") and again.field.value == "refund"
        )
        await house.press("enter", "enter", "escape")
        assert (
            house.app.screen is house.browse and house.browse.pane == "view"
        )  # from the whole screen to all panes
        await house.press("/", *"refund", "enter", "escape")
        assert house.app.screen is house.browse and house.row.id == left
        await house.press("h", "l", "escape")
        assert house.app.screen is house.browse and house.browse.pane == "list"  # one has gone on from it
        await house.press("g", "s")
        await house.until(lambda: house.app.screen.results.found, "found")  # type: ignore[attr-defined]
        await house.press("enter", "escape")
        await house.until(lambda: isinstance(house.app.screen, Search), "the results, by Esc")
        await house.until(lambda: house.app.screen.results.found, "found")  # type: ignore[attr-defined]
        await house.press("escape", "escape", "escape")
        assert house.app.screen is house.browse and house.browse.pane == "list"  # once: not round and round
        await house.press("g", "s")
        await house.until(lambda: house.app.screen.results.found, "found again")  # type: ignore[attr-defined]
        assert house.app.screen.here()[0] == "results"
        await house.press("q")
        assert house.app.screen is house.browse, "q leaves the search and never types"
