"""Marks: documents chosen by id, and what is done with them; a search in a folder, or in what is marked."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo.server import Demo
from kbtui.marks import Marks
from kbtui.searching import passage
from kbtui.tui.screens.search import Search
from tests.house import opened, settings_for
from tests.searching import asked, searching, shown
from tests.service import Service
from tests.wire import Wire

ids = st.sampled_from("abcde")


@given(st.lists(st.tuples(st.sampled_from(["turn", "drop", "add", "invert", "weigh"]), ids, ids)))
def test_marks_are_the_ids_turned_on_in_their_order_and_weigh_what_they_are(
    steps: list[tuple[str, str, str]],
) -> None:
    marks, model = Marks(), dict[str, int]()
    for weight, (verb, id, other) in enumerate(steps):
        pair = {id: weight, other: weight}
        if verb == "turn" and id not in model:
            model[id] = weight
        elif verb in ("turn", "drop"):
            model.pop(id, None)
        elif verb == "add":
            model |= pair
        elif verb == "invert":
            model = {each: size for each, size in model.items() if each not in pair} | {
                each: weight for each in pair if each not in model
            }
        else:
            model |= {each: weight for each in pair if each in model}
        if verb == "turn":
            marks.turn(id, weight)
        elif verb == "drop":
            marks.drop([id])
        else:
            {"add": marks.add, "invert": marks.invert, "weigh": marks.weigh}[verb](pair)
        assert marks.ids == tuple(model) and len(marks) == len(model) and (id in marks) is (id in model)
        assert marks.bytes == sum(model.values())
    marks.drop()
    assert not marks and marks.ids == () and marks.bytes == 0


@given(
    st.lists(st.sampled_from(["Refund", "refunds", "İ", "ß", "a", "b", "\n"])),
    st.sampled_from(["refund", "a b"]),
)
def test_a_passage_is_a_piece_of_the_text_with_its_words_marked(texts: list[str], words: str) -> None:
    text = " ".join(texts)
    pieces = passage(text, words)
    assert bool(pieces) is all(word in text.casefold() for word in words.split())
    assert "".join(piece for piece, _ in pieces) in text
    assert all(piece.casefold() in words.split() for piece, is_hit in pieces if is_hit)


async def test_marks_stay_whatever_is_shown_and_are_taken_back_together(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "space", "space", "j", "space")
        names = [house.names[0], house.names[1], house.names[3]]
        assert [house.browse.kb.mirror.row(id).name for id in house.browse.kb.marks.ids] == names  # type: ignore[union-attr]
        assert sum(line.split("│")[-1].startswith("✓") for line in house.drawn) == 3
        assert "5 of 90 · 3 marked" in house.line("footer")
        await house.press("k", "space")  # again takes it back
        assert "2 marked" in house.line("footer") and house.names[3] not in house.drawn[5].split("✓")[-1:]
        await house.press("s", "Z", "g", "h")
        await house.press("g", "a", "slash", *"(web)", "enter", "space", "F", "g", "g")
        ids, marks = house.browse.kb.marks.ids, house.browse.kb.marks
        marks.turn("gone")
        await house.press("y", "i")
        await house.until(lambda: "Copied 3 ids to" in house.notices, "told")
        assert house.app.clipboard == "\n".join(ids) and "1 no longer in the list" in house.notices
        marks.turn("gone")
        await house.press("y", "u")
        page = house.browse.kb.mirror.row(ids[2])
        await house.until(lambda: page and house.app.clipboard == page.url, "the address")
        await house.until(lambda: "2 without one" in house.notices, "told")
        await house.press("y")
        await house.until(lambda: any("marked URLs" in line for line in house.drawn), "the menu")
        await house.press("n")
        await house.until(lambda: house.app.clipboard.splitlines()[:2] == [names[0], names[1]], "names")
        marks.turn(ids[2])
        await house.press("g", "h", "slash", *"zzz", "enter", "F")
        service.patch(house.browse.kb.marks.ids[0], name="Another name")
        await house.press("R")
        await house.until(lambda: house.settled, "read again")
        assert "2 marked" in house.line("footer")
        service.delete(house.browse.kb.marks.ids[0])
        await house.press("R")
        await house.until(lambda: "1 marked" in house.line("footer"), "what is gone is not marked")
        await house.press("g", "u")
        assert "marked" not in house.line("footer") and not house.browse.kb.marks
        await house.press("g", "u")
        assert "nothing is marked" in house.notices


async def test_a_search_is_cut_down_to_the_open_folder_or_to_what_is_marked(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    inside = [service.add(f"Quokka {n}", "A quokka walks.", service.id("Billing")) for n in range(3)]
    outside = [service.add(f"Far {n}", "A quokka sleeps.") for n in range(3)]
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        house.browse.show_scope(service.id("Support"))  # Billing is a folder in it
        screen = await searching(house, "quokka")
        assert {*shown(screen)} >= {*inside, *outside}
        await house.press("f4")
        await house.until(lambda: "3 of 6 documents" in house.line("header"), "cut down")
        assert {*shown(screen)} == {*inside} and "in Support, picked out here" in house.line("header")
        await house.press("enter", "space", "space", "o")  # nothing else is narrower yet but the marks
        await house.until(lambda: "2 of 6 documents" in house.line("header"), "of what is marked")
        assert shown(screen) == list(house.browse.kb.marks.ids) and "2 marked" in house.line("footer")
        await house.press("o")
        await house.until(lambda: "6 documents" in house.line("header"), "everything")
        assert asked(wire) == ["quokka"] * 4


async def test_a_scope_that_finds_little_looks_through_three_pages_and_on_when_it_is_wished(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    for number in range(130):
        service.add(f"Far {number:03}", "The quokka sleeps. Quokka, quokka.")
    home = service.folder("Home")
    for number in range(2):
        service.add(f"Near {number}", "One " + "word and then another " * 200 + "quokka.", home)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        house.browse.show_scope(home)
        await house.press("S", "f4", *"quokka")
        await house.until(
            lambda: "of the first 90 documents; Enter looks on" in house.line("header"), "three pages"
        )
        assert len(asked(wire)) == 3
        await house.press("enter")
        await house.until(lambda: "of 132 documents" in house.line("header"), "the rest")
        screen = house.app.screen
        assert isinstance(screen, Search)
        assert {found.name for found in screen.results._found} == {"Near 0", "Near 1"}
        assert len(asked(wire)) == 5


async def test_without_the_service_what_was_opened_is_searched_and_labelled(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Aardvark", "<p>An aardvark and a quokka met &amp; didn&#39;t part.</p>")
    service.add("Abalone", "A quokka that nobody opened.")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Aardvark")
        await house.until(lambda: house.browse.kb.mirror.body(house.row.id) is not None, "kept")
        wire.down()
        await house.press("S", *"QUOKKA didn't")
        await house.until(lambda: "offline: 1 document of those you opened" in house.line("header"), "found")
        assert "a quokka met" in "".join(house.drawn).casefold()
        await house.press("enter", "enter")
        await house.until(lambda: "hit 2 of 2" in house.line("tabs"), "opened where the words stand")
        assert house.row.name == "Aardvark"
        wire.up()


async def test_info_of_a_result_is_shown_in_its_place(demo: Demo, service: Service, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        screen = await searching(house, "chargeback")
        first = screen.results._found[0]
        await house.press("enter", "i")
        await house.until(lambda: any(first.id in line for line in house.drawn), "its id")
        assert house.row.id == first.id


async def test_where_nothing_is_marked_and_no_folder_open_there_is_no_narrower_search(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "h", "S", "f4")
        assert "nothing narrower: mark documents (space), or search from a folder" in house.notices
