"""The list as it is filtered and marked by a person: what is typed, told, asked for and taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kbtui.demo.server import Demo
from kbtui.rows import ALL, View
from kbtui.tui import index_filling
from tests.house import House, opened, settings_for
from tests.indexing import batches
from tests.service import Service
from tests.wire import Wire


def left(house: House) -> list[str]:
    """The signs before the names, as far as they are drawn."""
    documents = house.browse.documents
    return [documents.render_line(y).text[:1] for y in range(min(documents.count, documents.size.height))]


async def test_a_filter_of_several_parts_is_typed_mended_and_taken_back_part_by_part(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Zebra, striped", "words " * 300)
    service.add("Zebra, plain", "words")
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.press("g", "a", "/")
        assert "type: owner: index:" in house.line("chips") and "“" not in house.line("chips")
        await house.press("f1", *"piece of an id")
        assert any("id:" in line and "takes a piece of an id" in line for line in house.drawn)
        await house.press("escape")
        await house.type("zebra size:big")
        chips = house.line("chips")
        assert chips.index("▲ size: takes >1mb, <500, 10kb..2mb") == len(" zebra ")
        assert len(house.names) == 2, "what is right holds"
        await house.press("enter")
        assert "size: takes" in house.notices and house.browse.here() == ("filter",)
        await house.press("backspace", "backspace", "backspace", *">1kb updated:<7d !owner:zz")
        assert house.names == ["Zebra, striped"] and "type: owner:" in house.line("chips")
        await house.press("home", *["right"] * 12, "backspace")
        assert house.browse.filter_field.value.startswith("zebra size:1kb") and "▲ size" in house.line(
            "chips"
        )
        assert house.names == ["Zebra, striped"], "what it was before"
        await house.press(">", "enter")
        chips = house.line("chips")
        assert chips.strip() == "name holds zebra  size >1kb  updated <7d  owner not zz"
        await house.press("f", "t", "escape")
        assert house.line("chips") == chips, "the type was the newest"
        await house.press("escape", "escape", "escape")
        assert house.line("chips").strip() == "name holds zebra" and len(house.names) == 2
        await house.press("/", *"type:text zeb", "enter", "/")
        assert house.browse.filter_field.value == "type:text zeb"
        await house.press("p", "enter")
        assert house.browse.shown.text == "p" and house.browse.shown.types == ("text",)
        await house.press("/", *"nothing id:x", "escape")
        assert house.browse.shown.text == "" and house.browse.shown.types == ("text",)
        await house.press("F", "/", *"quite a few more words size:>1b created:<9y sync:off", "enter")
        chips = house.line("chips")
        assert chips.startswith(" name holds quite and a and few") and chips.rstrip().endswith("+2 more")
        assert "created" not in chips and "…" not in chips, "whole parts"
        await house.press("F", "/", *"re !draft type:text size:>400 id:", *"x" * 18, "enter")
        end = "size >400b  id " + "x" * 18
        assert len(house.line("chips").rstrip()) == 80
        await house.until(lambda: house.drawn[1].endswith(end), "all of it, to the last cell")
        await house.press("f", "o")
        assert house.line("chips").rstrip().endswith("size >400b  +2 more")


async def test_what_the_service_does_not_tell_of_owners_is_told(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    def unsaid(page: dict[str, Any]) -> dict[str, Any]:
        for document in page["documents"]:
            if document["name"].startswith("Refund"):
                del document["access_info"]
        return page

    wire.rewrite(unsaid, path="knowledge-base$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "/", *"refund", "enter")
        hidden = house.browse.documents.count
        await house.press("f", "o")
        hidden -= house.browse.documents.count
        assert hidden and f"owner me not told of {hidden}" in house.line("chips")


async def test_a_filter_by_indexes_asks_for_all_that_it_is_about_and_stops_when_it_is_dropped(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_filling, "BATCH", 10)
    async with opened(settings_for(wire.url, demo.key, tmp_path), (120, 20)) as house:
        await house.online()
        await house.press("/", *"index:failed")
        assert any("Nothing here matches so far." in line for line in house.drawn)
        await house.press("enter")
        await house.until(lambda: "known of" not in house.line("chips"), "all that is here")
        await house.until(lambda: " items here matches. " in " ".join(house.drawn), "the rest is unknown")
        assert not any("None of all" in line or "nor any of all" in line for line in house.drawn)
        await house.press("F", "g", "a")
        whole = house.browse.documents.count
        held = wire.hold("request", path="rag-index$", method="POST")
        await house.press("/", *"index:none", "enter")
        await asyncio.to_thread(held.wait)
        await house.press("F")
        held.release()
        await house.until(lambda: house.indexes_known, "of what is in view")
        asked = {id for _, ids in batches(wire) for id in ids}
        assert len(asked - house.browse.documents.in_view().keys()) <= 10, "what was under way, and no more"
        wire.forget()
        await house.press("/", *"index:none", "enter")
        await house.until(lambda: "known of" in house.line("chips"), "how far it is")
        await house.until(lambda: "known of" not in house.line("chips"), "all of it")
        asked = {id for _, ids in batches(wire) for id in ids}
        assert len(asked) > whole / 2 and all(len(ids) <= 100 for _, ids in batches(wire))
        states, mirror = house.browse.kb.index_states, house.browse.kb.mirror
        rows = mirror.window(mirror.listing(View(ALL)), 0, whole)
        none = {row.name for row in rows if states.word(row.id, row.updated) == "none"}
        assert set(house.names) == none != set()


async def test_marks_are_set_by_range_all_at_once_and_inverted_and_listed(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = service.folder("AA Marked")
    for number in range(6):
        service.add(f"Paper {number}", "x" * 700_000, home)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.enter("AA Marked")
        await house.until(lambda: len(house.names) == 6, "inside")
        await house.press("j", "v", "j", "G", "k")
        assert left(house) == [" ", "+", "+", "+", "+", " "] and "· 4 in range" in house.line("footer")
        assert house.line("footer").startswith(" v mark them  Esc drop range  ")
        await house.press("1", "v", "2")
        assert "in the list: 2 goes there" in house.notices and "· 4 in range" in house.line("footer")
        await house.press("escape")
        assert left(house) == [" "] * 6 and " 5 of 6 " in house.line("footer")
        assert "drop range" not in house.line("footer")
        with monkeypatch.context() as unswept:
            unswept.setattr(house.browse.kb.mirror, "swept", lambda: None)
            house.browse.show_footer()
            assert " 5 of 6+ " in house.line("footer"), "more may be on the way"
            await house.press("*", "g", "u")
            assert "6 documents marked, and the list is still being read" in house.notices
        await house.press("v", "k", "k", "s", "N")
        assert left(house) == [" ", "✓", "✓", "✓", " ", " "], "a range is of documents, not of lines"
        assert "The range ends here: 3 documents marked." in house.notices
        assert house.line("footer").startswith(" / filter")
        assert "· 3 marked · 2.1 MB" in house.line("footer")
        await house.press("g", "g", "~")
        assert left(house) == ["✓", " ", " ", " ", "✓", "✓"]
        await house.press("/", *"paper !3", "enter", "*", "F")
        assert left(house) == ["✓", "✓", " ", "✓", "✓", "✓"]
        await house.press("g", "g", "v", "j")
        assert left(house)[:3] == ["-", "-", " "], "begun on a mark it takes marks back"
        await house.press("space", "g", "h", "f", "m")
        assert house.names == [] and "marked yes" in house.line("chips")
        await house.press("g", "a")
        assert house.names == ["Paper 0", "Paper 1", "Paper 2"]
        await house.press("space")
        assert house.names == ["Paper 1", "Paper 2"]
        await house.press("F")
        monkeypatch.setattr("kbtui.tui.marking.MOST", 5)
        await house.press("*")
        assert "too many to mark: at most 5" in house.notices and len(house.browse.kb.marks) == 2
        monkeypatch.undo()
        monkeypatch.setattr("kbtui.tui.marking.RANKED_AT_ONCE", 3)
        await house.press("*")
        await house.until(lambda: len(house.browse.kb.marks) == house.browse.documents.count, "in a thread")
        service.delete(service.id("Paper 1"))
        await house.press("R")
        await house.until(lambda: len(house.browse.kb.marks) == house.browse.documents.count, "one is gone")
