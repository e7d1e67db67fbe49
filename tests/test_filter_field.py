"""The filter while it is typed: what the list shows, what it says where nothing is found, and Esc."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from kbtui.demo.server import Demo
from tests.house import opened, settings_for


async def test_the_filter_narrows_with_every_key_and_esc_undoes_the_newest_first(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a")
        whole = house.browse.documents.count
        await house.press("/")
        counts = []
        for word in ("RE", "f", "und", " eu"):
            await house.type(word)
            counts.append(house.browse.documents.count)
        assert whole > counts[0] > counts[1] >= counts[2] > counts[3] == 1
        assert house.names == ["Refund policy (EU)"]
        await house.press("ctrl+u")
        await house.type("refund")
        found = house.browse.documents.count
        assert all("refund" in name.casefold() for name in house.names)
        await house.press("enter")
        assert house.browse.pane == "list" and "name holds refund" in house.line("chips")
        assert f"1 of {found} ({whole})" in house.line("footer")
        await house.press("f", "u")
        assert "type url" in house.line("chips") and house.names == ["Refund policy (EU)"]
        await house.press("f", "t")
        assert "type text or url" in house.line("chips") and house.browse.documents.count == found
        await house.press("escape")
        assert "type" not in house.line("chips") and "refund" in house.line("chips")
        await house.press("escape")
        assert house.line("chips") == "" and house.browse.documents.count == whole
        await house.press("f", "u", "/", "r", "e", "enter", "escape")
        assert "type url" in house.line("chips") and "name holds" not in house.line("chips")
        await house.press("F")
        assert house.browse.documents.count == whole
        await house.press("/", "q", "x", "q", "enter")
        assert house.browse.documents.count == 0 and house.list_says(
            f"None of all {whole} documents matches."
        )
        assert f"none of {whole}" in house.line("footer")
        await house.press("/", "escape")
        assert house.browse.documents.count == whole
        await house.press("F")
        assert "no filter is set" in house.notices


async def test_a_filter_that_finds_nothing_here_says_how_many_match_elsewhere_and_goes_along(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        whole = house.browse.kb.mirror.count("*")
        await house.press("g", "a", "/", *"chargeback", "enter")
        found = house.browse.documents.count
        await house.press("escape", "g", "h", "/", *"chargeback")
        here = house.browse.kb.mirror.count("")
        told = f"None of {here} items here matches; of all {whole} documents {found} do"
        assert house.list_says(told) and house.list_says("Enter, then ga shows")
        await house.press("enter")
        assert f"none of {here} here" in house.line("footer")
        assert house.list_says(told) and house.list_says("ga shows") and not house.list_says("Enter, then")
        assert house.line("chips").endswith(f"ga looks in all {whole} ")
        await house.press("g", "a")
        assert house.names and all("chargeback" in name.casefold() for name in house.names)
        assert "All documents" in house.line("header") and "looks in all" not in house.line("chips")
        await house.press("f", "f", "/", *"qxq", "enter")
        assert house.list_says(f"None of all {whole} documents matches") and house.list_says(
            "F shows everything"
        )
        await house.press("F")
        assert house.browse.documents.count == whole


async def test_a_new_filter_takes_the_place_of_the_old_or_goes_on_from_it(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "/", *"refund", "enter", "/", *"cell", "enter")
        assert house.browse.shown.text == "cell"
        await house.press("/", "end", *" dial", "enter")
        assert house.browse.shown.text == "cell dial"


@pytest.mark.parametrize("pasted", ["\nrefund\r\n  eu \n", "refund eu", "refund\reu"])
async def test_a_paste_of_several_lines_is_taken_as_one(demo: Demo, tmp_path: Path, pasted: str) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "/")
        house.app.post_message(events.Paste(pasted))
        await house.until(lambda: house.browse.shown.text == "refund eu", "the filter")
        await house.press("enter", "r", "end")
        house.app.post_message(events.Paste(f" {pasted}"))
        await house.until(lambda: house.browse.name_field.value.endswith("refund eu"), "the name")
        kept = " refund eu" if pasted == "refund eu" else "refund eu"
        assert house.browse.name_field.value == house.row.name + kept, "a line alone keeps its blanks"


async def test_a_filter_that_hides_the_document_of_the_cursor_gives_it_back(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "j", "j", "j", "j")
        mine = house.row.id
        await house.press("/")
        await house.type("refund")
        assert house.row.id != mine
        await house.press("escape")
        assert house.row.id == mine
        await house.press("/")
        await house.type("refund")
        await house.press("enter", "j")
        chosen = house.row.id
        await house.press("escape")
        assert house.row.id == chosen


async def test_esc_in_the_text_goes_to_the_list_and_the_cursor_stays_when_its_filter_goes(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "/", *"chargeb", "enter", "l")
        assert house.browse.pane == "view" and house.row.name == "Chargebacks"
        await house.press("escape")
        assert house.browse.pane == "list" and house.names == ["Chargebacks"]
        await house.press("escape")
        assert len(house.names) > 50 and house.row.name == "Chargebacks"
        await house.press("f", "u")
        there = house.row
        await house.press("F")
        assert house.row == there
