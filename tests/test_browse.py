from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import TextArea

from kbtui.__main__ import open_workspace
from kbtui.commands import Keymap
from kbtui.demo.server import Demo
from kbtui.rows import DocumentRow
from kbtui.settings import Workspace
from kbtui.tui.app import KbApp
from kbtui.tui.screens.question import Question
from kbtui.tui.screens.welcome import Welcome
from kbtui.tui.widgets.document_list import Heads
from kbtui.tui.widgets.reading import info
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Request, Wire

WIDE, NARROW, BROAD = (120, 36), (80, 24), (200, 50)


async def online(house: House) -> None:
    await house.until(lambda: house.settled, "online, and drawn")


def tree(house: House) -> list[str]:
    """The lines of the folder tree."""
    folders = house.browse.folders
    return ["".join(text for text, _ in folders.parts(line, 40)).rstrip() for line in range(folders.count)]


def said(house: House, words: str) -> bool:
    """Whether the list says this instead of showing documents."""
    lines = house.browse.documents
    drawn = " ".join(lines.render_line(y).text.strip() for y in range(lines.size.height))
    return lines.count == 0 and words in drawn


def listed(request: Request) -> dict[str, str]:
    """The query of a request for a page of the list; empty for every other request."""
    return dict(request.query) if request.path.endswith("/knowledge-base") else {}


def asks_for(wanted: dict[str, str], request: Request) -> bool:
    return wanted.items() <= listed(request).items()


# The tree


async def test_the_tree_counts_what_folders_hold_and_unfolds_them(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        whole = service.get(service.id("Support"))["document_count"]
        assert "   ▸ Support" in "\n".join(tree(house)) and not any("Billing" in line for line in tree(house))
        assert next(line for line in tree(house) if "Support" in line).split()[-1] == str(whole)
        flat = house.browse.kb.mirror.count("*")
        assert tree(house)[0].split() == ["All", "documents", str(flat)]
        assert tree(house)[1].split() == ["Root", str(flat)]
        await house.press("1")
        while house.browse.folders.scope != service.id("Support"):
            await house.press("j")
        await house.until(lambda: "Refund policy" in house.names, "the list follows the tree")
        await house.press("l")
        assert any("▸ Billing" in line for line in tree(house))
        await house.press("j", "h")
        assert house.browse.folders.scope == service.id("Support")
        await house.press("h")
        assert not any("Billing" in line for line in tree(house))
        await house.press("z", "R")
        assert any("Invoices" in line for line in tree(house))
        await house.press("z", "M")
        assert not any("Invoices" in line or "Billing" in line for line in tree(house))
        await house.press("l", "l")
        assert house.browse.pane == "list" and "Refund policy" in house.names


async def test_what_has_no_known_parent_or_is_its_own_ancestor_is_under_unplaced(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    cell = service.id("Cell")
    moved = {
        service.id("Chargebacks"): "a-folder-nobody-sees",
        service.id("Deutsch"): "another",
        cell: service.id("Manuals"),
    }

    def elsewhere(page: dict[str, Any]) -> dict[str, Any]:
        for document in page["documents"]:
            document["folder_parent_id"] = moved.get(document["id"], document["folder_parent_id"])
        return page

    wire.rewrite(elsewhere, path="knowledge-base$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("1", "G")
        unplaced = tree(house)[-1].split()
        assert unplaced[:2] == ["▸", "Unplaced"]
        await house.until(lambda: "Chargebacks" in house.names, "the list follows the tree")
        assert house.names[:3] == ["Cell", "Deutsch", "Manuals"]
        await house.press("l")
        below = tree(house)[-3:]
        assert [line.split()[-2] for line in below] == ["Cell", "Deutsch", "Manuals"]
        assert int(unplaced[2]) == 1 + sum(int(line.split()[-1]) for line in below)
        await house.press("z", "R")
        assert any("Troubleshooting" in line for line in tree(house)[-6:])
        await house.press("2", "g", "g", "enter")
        assert "Unplaced / Cell" in house.line("header") and "Troubleshooting" in house.names
        await house.press("h")
        assert "Unplaced " in house.line("header") and house.row.id == cell
        await house.press("h")
        assert house.browse.pane == "tree"


async def test_all_documents_are_one_flat_list_with_the_folder_beside_the_name(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "a")
        page = service.call("GET", "/knowledge-base", params={"page_size": 100})
        everything = page["documents"]
        while page["has_more"]:
            page = service.call(
                "GET", "/knowledge-base", params={"page_size": 100, "cursor": page["next_cursor"]}
            )
            everything += page["documents"]
        here = {each["name"] for each in everything if each["type"] != "folder"}
        assert set(house.names) == here and house.browse.documents.count > 60
        assert any("Chargebacks  Billing" in line for line in house.drawn)
        assert f"1 of {house.browse.documents.count}" in house.line("footer")


# The list


async def test_a_warm_start_paints_the_list_with_the_network_down(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        before = house.names
    wire.down()
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        assert house.names == before
        assert any("Support" in line for line in house.drawn)
        await house.until(lambda: "offline" in house.status, "offline")
        await house.until(lambda: "as seen last" in house.line("header"), "marked")
        await house.press("g", "a")
        assert house.browse.documents.count > 60
        wire.up()
        await house.press("R")
        await online(house)


@pytest.mark.parametrize(
    ("key", "field", "head"),
    [("n", "name", "Name"), ("u", "updated", "Updated"), ("c", "created", "Created"), ("z", "size", "Size")],
)
async def test_the_list_is_sorted_both_ways_and_the_cursor_stays_on_its_document(
    demo: Demo, wire: Wire, tmp_path: Path, key: str, field: str, head: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "a", "j", "j", "j")
        mine = house.row.id
        for pressed, arrow in ((key, "▲"), (key.upper(), "▼")):
            await house.press("s", pressed)
            assert house.row.id == mine
            assert any(f"{head} {arrow}" in line for line in house.drawn)
            rows = [house.browse.documents.at(at) for at in range(house.browse.documents.count)]
            values = [getattr(row, field) for row in rows]
            values = [value.casefold() for value in values] if field == "name" else values
            assert values == sorted(values, reverse=arrow == "▼")
            wanted = {"sort_by": {"updated": "updated_at", "created": "created_at"}.get(field, field)}
            wanted["sort_direction"] = "desc" if arrow == "▼" else "asc"
            await wire.seen(partial(asks_for, wanted))


@pytest.mark.parametrize("size", [WIDE, NARROW, BROAD])
async def test_heads_stand_over_their_values_and_names_keep_off_the_next_column(
    demo: Demo, service: Service, tmp_path: Path, size: tuple[int, int]
) -> None:
    service.add("0 " + "long " * 40, "words")
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        await online(house)
        documents, heads_line = house.browse.documents, house.browse.query_one("#heads", Heads)
        for keys in (("g", "h"), ("g", "a")):
            await house.press(*keys)
            lines = [documents.render_line(y).text for y in range(documents.size.height)]
            row = next(line for line in lines if "0 long" in line)
            heads = heads_line.render_line(0).text
            assert heads.index("Type") == row.index("text") and "… text" in row
            assert heads.index("Size") + 4 == row.index(" B") + 2
            assert heads.index("Updated") + 7 == row.index(" now") + 4


async def test_every_folder_remembers_its_order_over_restarts(demo: Demo, tmp_path: Path) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await online(house)
        await house.enter("Support")
        await house.press("s", "Z")
        order = house.names
    async with opened(settings) as house:
        assert any("Name ▲" in line for line in house.drawn)
        await house.enter("Support")
        assert any("Size ▼" in line for line in house.drawn) and house.names == order
        await house.press("h")
        assert any("Name ▲" in line for line in house.drawn)


async def test_the_menu_of_orders_is_told_in_the_footer(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("s")
        assert "n▲ N▼ name" in house.line("footer") and "z▲ Z▼ size" in house.line("footer")
        await house.press("escape")
        assert "filter" in house.line("footer")


async def test_the_filter_narrows_with_every_key_and_esc_undoes_the_newest_first(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
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
        assert house.browse.documents.count == 0 and said(house, "Nothing matches in all")
        assert "0 of 0" in house.line("footer")
        await house.press("/", "escape")
        assert house.browse.documents.count == whole
        await house.press("F")
        assert "no filter is set" in house.notices


async def test_a_filter_that_finds_nothing_here_says_how_many_match_elsewhere_and_goes_along(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        whole = house.browse.kb.mirror.count("*")
        await house.press("g", "a", "/", *"chargeback", "enter")
        found = house.browse.documents.count
        await house.press("escape", "g", "h", "/", *"chargeback")
        told = f"Nothing here matches; of all {whole} documents {found} do"
        assert said(house, told) and said(house, "Enter, then ga shows")
        await house.press("enter")
        assert said(house, told) and said(house, "ga shows") and not said(house, "Enter, then")
        assert house.line("chips").endswith(f"ga looks in all {whole} ")
        await house.press("g", "a")
        assert house.names and all("chargeback" in name.casefold() for name in house.names)
        assert "All documents" in house.line("header") and "looks in all" not in house.line("chips")
        await house.press("f", "f", "/", *"qxq", "enter")
        assert said(house, f"Nothing matches in all {whole} documents") and said(house, "F shows everything")
        await house.press("F")
        assert house.browse.documents.count == whole


async def test_a_new_filter_takes_the_place_of_the_old_or_goes_on_from_it(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "a", "/", *"refund", "enter", "/", *"cell", "enter")
        assert house.browse.shown.text == "cell"
        await house.press("/", "end", *" dial", "enter")
        assert house.browse.shown.text == "cell dial"


@pytest.mark.parametrize("pasted", ["\nrefund\r\n  eu \n", "refund eu", "refund\reu"])
async def test_a_paste_of_several_lines_is_taken_as_one(demo: Demo, tmp_path: Path, pasted: str) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "a", "/")
        house.app.post_message(events.Paste(pasted))
        await house.until(lambda: house.browse.shown.text == "refund eu", "the filter")
        await house.press("enter", "r", "end")
        house.app.post_message(events.Paste(f" {pasted}"))
        await house.until(lambda: house.browse.name_field.value.endswith("refund eu"), "the name")


async def test_an_empty_list_says_why_and_what_to_do(tmp_path: Path) -> None:
    with Demo(index_seconds=0, sample=False) as bare, Wire(bare.url) as wire, Service(bare) as service:
        wire.down()
        async with opened(settings_for(wire.url, bare.key, tmp_path), NARROW) as house:
            assert said(house, "Reading the knowledge base …")
            await house.until(lambda: "offline" in house.status, "offline")
            await house.until(lambda: said(house, house.app.trouble), "why, and when it tries again")
            wire.up()
            await house.press("R")
            await house.until(lambda: said(house, "This knowledge base is empty"), "empty")
            folder = service.folder("Hollow")
            await house.press("R")
            await house.until(lambda: house.names == ["Hollow"], "a folder")
            assert not said(house, "empty")
            await house.press("enter")
            assert house.browse.shown.scope == folder and said(house, "This folder is empty")
            await house.press("g", "a")
            assert said(house, "no document in them")


async def test_a_key_that_is_refused_is_told_in_the_empty_list(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    wire.answer(401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}, times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: "key refused" in house.status, "refused")
        await house.until(lambda: said(house, house.app.trouble) and said(house, "R tries again"), "why")


async def test_a_filter_that_hides_the_document_of_the_cursor_gives_it_back(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
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


async def test_the_cursor_stays_on_its_document_while_the_list_changes_under_it(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("g", "a")
        await house.press(*"jjjjjj")
        mine, at = house.row.id, house.browse.documents.cursor
        added = [service.add(f"0 before all others {number}", "words") for number in range(3)]
        service.delete(service.id("App: release notes"))
        await house.press("R")
        await house.until(lambda: house.browse.documents.cursor == at + 2, "two lines further down")
        assert house.row.id == mine
        await house.press("G", "g", "g")
        await house.until(lambda: "words" in house.browse.reading.view.text, "the text of the first")
        for id in added:
            service.delete(id)
        service.add("0 before all others 9", "Other text")
        await house.press("R")
        await house.until(lambda: house.row.name.endswith("9"), "what stands in its place now")
        await house.until(lambda: "Other text" in house.browse.reading.view.text, "its text")


async def test_folders_are_opened_and_left_and_the_cursor_is_where_one_came_from(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        for name in ("Support", "Billing", "Invoices"):
            while house.row.name != name:
                await house.press("j")
            await house.press("enter" if name == "Billing" else "l")
        assert "Support / Billing / Invoices" in house.line("header")
        assert house.names[0] == "How to read your invoice"
        await house.press("h")
        assert "Support / Billing " in house.line("header") and house.row.name == "Invoices"
        await house.press("g", "p")
        assert house.row.name == "Billing"
        await house.press("escape")
        assert house.row.name == "Support" and " Root" in house.line("header")
        await house.press("g", "a")
        assert "All documents" in house.line("header")
        await house.press("g", "h", "l")
        assert "Agent scripts" in house.line("header")
        await house.press("q", "q")
        await house.until(lambda: not house.app.is_running, "q at the root quits")
        assert house.app.return_code == 0


# Panes


async def test_at_80_columns_one_pane_is_shown_at_a_time(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), NARROW) as house:
        await online(house)

        def shows(pane: str) -> bool:
            panes = (house.browse.folders, house.browse.documents, house.browse.reading)
            return [each.id for each in panes if each.size.area] == [pane]

        assert shows("list") and "Root" in house.line("header") and "1 of 10" in house.line("footer")
        keys = {"1": "tree", "2": "list", "3": "reading", "tab": "tree", "shift+tab": "reading"}
        for key, pane in keys.items():
            await house.press(key)
            await house.until(partial(shows, pane), key)
        await house.press("h")
        await house.until(lambda: shows("list"), "h")
        await house.press("G", "l")
        await house.until(lambda: shows("reading") and "Welcome" in house.line("tabs"), "l")
        await house.until(lambda: house.reading and house.browse.reading.view.text, "the text")
        widths = [len(line) for line in house.browse.reading.view.text.splitlines()]
        assert 50 < max(widths) <= 80
        await house.press("escape", "i")
        await house.until(lambda: shows("reading"), "i")
        await house.until(lambda: "Your role" in house.browse.reading.view.text, "the info page")


async def test_every_size_has_its_panes_and_no_size_breaks_them(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), WIDE) as house:
        await online(house)
        await house.select("Words we avoid")
        reading, documents = house.browse.reading, house.browse.documents
        await house.until(lambda: house.reading and "<" not in reading.view.text, "the text")
        assert reading.region.y > documents.region.y and house.browse.folders.size.width > 20
        for size in (BROAD, NARROW, (20, 5), (1, 1), (300, 8), WIDE):
            await house.pilot.resize_terminal(*size)
            await house.pilot.pause()
            drawn = house.drawn
            assert len(drawn) == size[1] and house.row.name == "Words we avoid"
            if size == BROAD:
                assert reading.region.x > documents.region.x
            if size == NARROW:
                assert not reading.size.area and documents.size.width == 80
                await house.press("3")
                await house.until(lambda: house.browse.reading.view.text, "laid out for 80 columns")
                assert max(map(len, reading.view.text.splitlines())) <= 80
            if size == (20, 5):
                await house.press("1", "z", "R", "2", "J", "s", "escape", "?", "escape", "r", "escape")
                await house.press("3", "i", "i")
        await house.until(lambda: house.reading, "the text again")
        width = house.browse.reading.view.size.width
        await house.until(lambda: max(map(len, reading.view.text.splitlines())) > 70, "wrapped anew")
        assert max(map(len, reading.view.text.splitlines())) <= width
        assert reading.region.y > documents.region.y


# The text


async def test_the_text_follows_the_cursor_rendered_or_as_its_source(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.enter("Agent scripts")
        view = house.browse.reading.view
        for key in ("j", "j", "k"):
            await house.press(key)
            name = house.row.name
            await house.until(lambda: house.reading, name)
            assert name in house.line("tabs")
            first = service.text(house.row.id).splitlines()[0].lstrip("# ").strip()
            assert first in view.text
        await house.select("Words we avoid")
        await house.until(lambda: house.reading, "html")
        assert "html" in house.line("tabs") and "<" not in view.text
        await house.press("V")
        await house.until(lambda: house.reading and "<" in view.text, "the source")
        assert "html source" in house.line("tabs")
        together = "".join(view.text.split())
        assert together == "".join(service.text(house.row.id).split())
        await house.press("V")
        await house.until(lambda: house.reading and "<" not in view.text, "rendered again")
        await house.press("]")
        await house.until(lambda: "Your role" in view.text, "info")
        for fact in (house.row.id, "Agent scripts", "Théo Lambert", f"{house.row.size:,}".replace(",", " ")):
            assert fact in view.text
        await house.press("[")
        await house.until(lambda: house.reading and "Your role" not in view.text, "text")
        await house.select("Delivery of batteries (web)")
        await house.press("i")
        await house.until(lambda: "Auto-sync" in view.text, "info of a URL")
        assert "/help/delivery" in view.text and "Auto-sync is on" in view.text
        assert "read-only" in house.line("tabs")


async def test_a_document_without_words_says_so(demo: Demo, service: Service, tmp_path: Path) -> None:
    id = service.add("Emptied", "words")
    service.patch(id, content="")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Emptied")
        await house.until(lambda: "No words." in house.browse.reading.view.text, "no words")


async def test_another_theme_draws_the_text_in_its_own_colours(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and view.text, "the text")

        def colours() -> set[str]:
            styles = [
                style for strip in house.app.screen._compositor.render_strips() for _, style, _ in strip
            ]
            return {style.color.name for style in styles if style is not None and style.color is not None}

        dark = colours()
        await house.press("g", "t")
        await house.until(lambda: not colours() & dark, "no colour of the dark theme is left")


async def test_three_hundred_kilobytes_are_shown_whole_and_scroll(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Fault codes, complete")
        view = house.browse.reading.view
        await house.until(lambda: "Fault codes" in view.text, "the beginning of it")
        assert len(view.text) < 250_000
        house.browse.open(house.row, True)  # as when the mirror moves in the middle of it
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        top = house.drawn
        await house.press("J")
        assert house.drawn != top and house.browse.pane == "list"
        await house.press("3", "G")
        last = view.text.splitlines()[-1].strip()
        await house.until(lambda: any(last in line for line in house.drawn), "the last line")
        await house.press("g", "g")
        await house.until(lambda: house.drawn[-12:] == top[-12:] or view.scroll_y == 0, "the top")


async def test_the_bottom_is_the_end_of_the_text_also_of_what_is_not_yet_laid_out(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Fault codes, complete")
        await house.press("l", "G")
        view = house.browse.reading.view
        assert len(view.text) < 250_000
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        last = view.text.splitlines()[-1].strip()
        await house.until(lambda: any(last in line for line in house.drawn), "the last line")
        await house.pilot.resize_terminal(100, 30)
        await house.until(lambda: house.drawn[-2].strip(), "the end at another width")
        await house.press("k", "g", "g")
        await house.until(lambda: view.scroll_y == 0, "the top")
        await house.press("G", "2", "F", "k")
        await house.until(lambda: house.reading and house.row.name != "Fault codes, complete", "another")
        await house.until(lambda: view.scroll_y == 0, "its top")


async def test_a_text_that_cannot_be_fetched_is_told_in_the_services_words(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        detail = {"status": "no", "message": "This text is \x1b[31mnot for you.", "code": "forbidden"}
        wire.answer(403, {"detail": detail}, path="/content$", times=None)
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: "not for you" in view.text, "the service's words")
        assert "✕" in view.text and "\x1b" not in view.text


async def test_offline_the_texts_that_were_read_are_there_and_marked(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and "chargeback" in view.text, "read once")
        await house.press("escape", "g", "g")
        service.patch(house.browse.kb.mirror.row(service.id("Chargebacks")).id, content="Newer words.")  # type: ignore[union-attr]
        service.patch(service.id("Payment methods"), name="Payment methods, renamed")
        wire.cut("request", path="/content$|/knowledge-base/[^/]+$", times=None)
        await house.press("R")
        await house.until(lambda: "Payment methods, renamed" in house.names, "the sweep saw it")
        await house.select("Chargebacks")
        await house.until(lambda: house.reading, "shown")
        assert "A chargeback means" in view.text
        wire.down()
        await house.press("R")
        await house.until(lambda: "offline" in house.status, "offline")
        await house.select("Osaka, Horie 大阪")
        await house.until(lambda: "✕" in view.text, "never read")
        wire.up()
        wire.heal()
        await house.press("R")
        await online(house)
        await house.select("Chargebacks")
        await house.until(lambda: "Newer words." in view.text, "the new text")


# The service


async def test_refresh_asks_for_everything_again_beginning_with_what_is_shown(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.enter("Support")
        await house.until(lambda: wire.in_flight == 0)
        wire.forget()
        service.add("Brand new", "words", service.id("Support"))
        await house.press("R")
        await house.until(lambda: "Brand new" in house.names, "the new document")
        await online(house)
        pages = [listed(request) for request in wire.requests if listed(request)]
        assert pages[0]["parent_folder_id"] == service.id("Support")
        assert {page["types"] for page in pages if "types" in page} >= {"folder", "text", "url", "file"}


async def test_fetching_a_page_again_asks_first_and_cancel_is_first(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Reset the Dial (web)")
        id = house.row.id
        service.patch(id, content="Edited by hand.")
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        words = "\n".join(house.drawn)
        assert "Reset the Dial (web)" in words and "Fetch again" in words and "overwritten" in words
        await house.press("enter")
        await house.until(lambda: house.app.screen is house.browse, "cancelled")
        assert service.text(id) == "Edited by hand."
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        await house.press("right", "enter")
        await house.until(lambda: "Fetched again" in house.notices, "fetched")
        assert service.text(id) != "Edited by hand."
        kept = house.browse.kb.history.changes(wire.url, id)
        assert (kept[0].kind, kept[0].before["content"]) == ("fetch", "Edited by hand.")
        await house.select("Chargebacks")
        await house.press("g", "R")
        assert "only URL documents" in house.notices
        refreshes = [request for request in wire.requests if request.path.endswith("/refresh")]
        assert len(refreshes) == 1


# Workspaces


async def test_each_workspace_has_a_mirror_of_its_own_and_one_without_a_key_the_first_page(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Only in the first", "words")
    with Demo(index_seconds=0, sample=False) as other, Service(other) as there:
        there.add("Only in the second", "words")
        one = settings_for(demo.url, demo.key, tmp_path, name="acme")
        second = Workspace("second", other.url, key=other.key, read_only=True)
        third = Workspace("third", "https://api.elevenlabs.io")
        settings = replace(one, workspaces=(one.workspace, second, third))
        async with opened(settings) as house:
            await online(house)
            assert "Only in the first" in house.names
            await house.press("g", "w")
            assert any("● acme" in line for line in house.drawn)
            assert any("second" in line and "read-only" in line for line in house.drawn)
            await house.press("j", "enter")
            await house.until(lambda: house.line("header").startswith(" kbtui  second"), "the second")
            await online(house)
            assert house.names == ["Only in the second"] and "read-only" in house.line("header")
            await house.press("r")
            assert "reading only" in house.notices
            await house.press("e")
            assert "reading only" in house.notices and house.app.screen is house.browse
            await house.press("g", "w", "k", "enter")
            await house.until(lambda: house.line("header").startswith(" kbtui  acme"), "back in the first")
            assert "Only in the first" in house.names
            await house.press("g", "w", "G", "enter")
            await house.until(lambda: isinstance(house.app.screen, Welcome), "the first-run page")
            await house.until(lambda: any("https://api.elevenlabs.io" in line for line in house.drawn))
            await house.press("g", "w", "g", "g", "enter")
            await house.until(lambda: house.app.screen.query("#list"), "and out of it again")
            await online(house)
            assert "Only in the first" in house.names
        assert len(list((tmp_path / "cache").glob("*.mirror"))) == 2


# Keys


async def test_the_list_of_keys_filters_and_runs(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("?")
        assert any("show only names that hold" in line for line in house.drawn)
        await house.type("size largest")
        assert sum("sort by size" in line for line in house.drawn) == 1
        await house.press("enter")
        await house.until(lambda: any("Size ▼" in line for line in house.drawn), "it ran")
        await house.press(":")
        await house.type("no such thing")
        assert any("No command says that" in line for line in house.drawn)
        await house.press("enter", "escape")
        assert house.app.screen is house.browse
        await house.press("f1")
        await house.type("save to the service")
        await house.press("enter")
        assert "works elsewhere: Editor" in house.notices
        await house.press("escape")


async def test_a_command_that_is_off_says_why(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.press("e")
        assert "A folder has no content" in house.notices
        await house.press("?")
        await house.type("edit the text here")
        assert any("A folder has no content" in line for line in house.drawn)
        await house.press("enter")
        await house.until(lambda: house.app.screen is house.browse and "no content" in house.notices)
        await house.press("u")
        assert "nothing to undo" in house.notices


async def test_keys_that_arrive_all_at_once_lose_nothing_and_keep_their_order(
    demo: Demo, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await online(house)
    async with opened(settings) as house:
        house.burst(*"ga/refund pol", "enter", *"jk")
        await house.until(lambda: house.browse.shown.text == "refund pol", "the filter")
        await house.until(lambda: house.browse.pane == "list", "kept")
        assert all("refund pol" in name.casefold() for name in house.names)
        house.burst("/", "ctrl+u", *"cell", "escape", *"sZ")
        await house.until(lambda: house.browse.shown.sort == "size", "sorted after all")
        await house.pilot.pause()
        assert house.browse.shown.text == "" and house.browse.shown.descending
        house.burst(*"?sort by name, backwards", "enter")
        await house.until(lambda: house.browse.shown[1:3] == ("name", True), "run from the list of keys")


async def test_keys_typed_before_the_first_frame_are_not_lost(demo: Demo, tmp_path: Path) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await online(house)
    app = KbApp(
        settings, open_workspace(settings, settings.workspace), Keymap(), open_workspace, lambda: settings
    )
    house = House(app, None)  # type: ignore[arg-type]
    running = asyncio.create_task(app.run_async(headless=True, size=WIDE))
    await asyncio.sleep(0)
    house.burst(*"ga/refund")
    try:
        await house.until(lambda: app.screen_stack and house.browse.shown.text == "refund", "the filter")
        assert all("refund" in name.casefold() for name in house.names) and house.names
    finally:
        app.exit()
        await running


async def test_the_mouse_moves_the_cursor_and_a_double_click_opens(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        at = house.names.index("Support")
        await house.pilot.click("#list", offset=(10, at))
        assert house.row.name == "Support" and " Root" in house.line("header")
        await house.pilot.click("#list", offset=(10, at), times=2)
        await house.until(lambda: "Support" in house.line("header"), "opened")
        at = house.names.index("Refund policy")
        await house.pilot.click("#list", offset=(10, at), times=2)
        assert house.row.name == "Refund policy" and house.browse.pane == "view"
        line = next(i for i, text in enumerate(tree(house)) if "Products" in text)
        await house.pilot.click("#tree", offset=(8, line), times=2)
        await house.until(lambda: any("Cell" in text for text in tree(house)), "unfolded")
        await house.until(lambda: "Products" in house.line("header"), "and shown")
        await house.press("2", "/", "d")
        await house.pilot.pause()
        await house.pilot.click("#list", offset=(10, 0))
        assert house.browse.pane == "list" and house.browse.here()[0] == "move"
        assert "name holds d" in house.line("chips")


async def test_a_click_on_a_head_sorts_and_one_on_a_tab_shows_it(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)

        async def click(line: str, word: str) -> None:
            y, text = next((y, text) for y, text in enumerate(house.drawn) if line in text)
            await house.pilot.click(offset=(text.rindex(word), y))

        await house.press("g", "a")
        for word, head in (
            ("Size", "Size ▲"),
            ("Size", "Size ▼"),
            ("Updated", "Updated ▲"),
            ("Name", "Name ▲"),
        ):
            await click("Updated", word)
            assert any(head in line for line in house.drawn)
        await click("Updated", "Type")
        assert any("Name ▲" in line for line in house.drawn)
        await house.until(lambda: house.reading, "the text")
        await click(" text   info ", "info")
        await house.until(lambda: "Your role" in house.browse.reading.view.text, "info")
        await click(" text   info ", "text ")
        await house.until(lambda: house.reading and "Your role" not in house.browse.reading.view.text, "text")


async def test_the_wheel_scrolls_what_is_under_the_mouse(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Fault codes, complete")
        view, documents = house.browse.reading.view, house.browse.documents
        await house.until(lambda: house.reading and view.text, "the text")
        await house.press("F", "g", "g")
        for widget in (view, documents):
            await house.pilot._post_mouse_events([events.MouseScrollDown], widget, (5, 2))
        await house.until(lambda: view.scroll_y > 0, "the text")
        await house.until(lambda: documents.scroll_y > 0, "the list")


# The info page


def facts(summary: dict[str, Any], **row: Any) -> str:
    known = DocumentRow("id", "name", "url", 1, 0, 0, None, None, None, "admin", None, None)._replace(**row)
    lines = info(known, summary, "")
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_the_info_page_words_numbers_as_a_person_does() -> None:
    assert "1 byte\n" in facts({}) and "920 bytes\n" in facts({}, size=920)
    assert "1 234 bytes (1.2 k)" in facts({}, size=1234)
    assert "1 here, 1 document below" in facts({}, type="folder", children=1, documents=1)
    assert "0 here, 2 documents below" in facts({}, type="folder", children=0, documents=2)


def test_the_info_page_says_how_far_off_a_moment_is() -> None:
    now = int(time.time())
    assert "(just now)" in facts({}, created=now) and "(2 h ago)" in facts({}, created=now - 7300)

    def sync(days: int, failures: int, next: int) -> str:
        told = {"minimum_frequency_days": days, "consec_failures": failures, "next_refresh_by": next}
        return facts({"auto_sync_info": told})

    assert "every day at the latest" in sync(1, 1, now + 3 * 86400 + 60)
    assert "once" in sync(1, 1, 0) and "2 times in a row" in sync(7, 2, 0)
    assert "(in 3 d)" in sync(1, 1, now + 3 * 86400 + 60) and "(due)" in sync(7, 0, now - 9000)
    assert "every 7 days" in sync(7, 0, 0)


async def test_the_tab_line_tells_where_a_document_is_that_it_has_a_draft_and_has_the_keys(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await online(house)
        await house.select("Chargebacks")
        await house.until(lambda: house.reading, "its text")
        assert "Support / Billing" in house.line("tabs") and "draft" not in house.line("tabs")
        assert not house.line("tabs").startswith("▸")
        await house.press("3")
        assert house.line("tabs").startswith("▸")
        await house.press("e")
        await house.until(lambda: house.app.screen.query("TextArea"), "the editor")
        await house.type("Typed. ")
        assert "Support / Billing" in house.line("header")
        await house.press("ctrl+end", *" End.")
        assert house.app.screen.query_one(TextArea).text.endswith(" End.")
        await house.press("ctrl+home", *"Start. ")
        assert house.app.screen.query_one(TextArea).text.startswith("Start. Typed. ")
        await house.press("escape")
        await house.until(lambda: "● draft" in house.line("tabs"), "there is a draft")
