"""The tree, the list and the panes: keys in, requests and pictures out."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kbtui.demo.server import Demo
from kbtui.rows import Beside, View
from kbtui.tui import panes
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.document_list import Heads
from kbtui.views import Listing
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Request, Wire

WIDE, NARROW, BROAD = (120, 36), (80, 24), (200, 50)


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
        await house.online()
        whole = service.get(service.id("Support"))["document_count"]
        assert "   ▸ Support" in "\n".join(house.tree) and not any("Billing" in line for line in house.tree)
        assert next(line for line in house.tree if "Support" in line).split()[-1] == str(whole)
        flat = house.browse.kb.mirror.count("*")
        assert house.tree[0].split() == ["All", "documents", str(flat)]
        assert house.tree[1].split() == ["Root", str(flat)]
        await house.press("1")
        while house.browse.folders.scope != service.id("Support"):
            await house.press("j")
        await house.until(lambda: "Refund policy" in house.names, "the list follows the tree")
        await house.press("l")
        assert any("▸ Billing" in line for line in house.tree)
        await house.press("j", "h")
        assert house.browse.folders.scope == service.id("Support")
        await house.press("h")
        assert not any("Billing" in line for line in house.tree)
        await house.press("z", "R")
        assert any("Invoices" in line for line in house.tree)
        await house.press("z", "M")
        assert not any("Invoices" in line or "Billing" in line for line in house.tree)
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
        await house.online()
        await house.press("1", "G")
        unplaced = house.tree[-1].split()
        assert unplaced[:2] == ["▸", "Unplaced"]
        await house.until(lambda: "Chargebacks" in house.names, "the list follows the tree")
        assert house.names[:3] == ["Cell", "Deutsch", "Manuals"]
        await house.press("l")
        below = house.tree[-3:]
        assert [line.split()[-2] for line in below] == ["Cell", "Deutsch", "Manuals"]
        assert int(unplaced[2]) == 1 + sum(int(line.split()[-1]) for line in below)
        await house.press("z", "R")
        assert any("Troubleshooting" in line for line in house.tree[-6:])
        await house.press("2", "g", "g", "enter")
        assert "Unplaced / Cell" in house.line("header") and "Troubleshooting" in house.names
        await house.press("h")
        assert "Unplaced " in house.line("header") and house.row.id == cell
        await house.press("h")
        assert house.browse.pane == "tree"


async def test_all_documents_are_one_flat_list_with_the_folder_beside_the_name(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 36)) as house:
        await house.online()
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
        await house.online()
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
        await house.online()


@pytest.mark.parametrize(
    ("key", "field", "head"),
    [("n", "name", "Name"), ("u", "updated", "Updated"), ("c", "created", "Created"), ("z", "size", "Size")],
)
async def test_the_list_is_sorted_both_ways_and_the_cursor_stays_on_its_document(
    demo: Demo, wire: Wire, tmp_path: Path, key: str, field: str, head: str
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
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
        await house.online()
        documents, heads_line = house.browse.documents, house.browse.query_one("#heads", Heads)
        for keys in (("g", "h"), ("g", "a")):
            await house.press(*keys)
            lines = [documents.render_line(y).text for y in range(documents.size.height)]
            row = next(line for line in lines if "0 long" in line)
            heads = heads_line.render_line(0).text
            assert heads.index("Type") == row.index("text") and "…  text" in row
            assert heads.index("Size") + 4 == row.index(" B") + 2
            assert heads.index("Updated") + 7 == row.index(" now") + 4


async def test_every_folder_remembers_its_order_over_restarts(demo: Demo, tmp_path: Path) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await house.online()
        await house.enter("Support")
        await house.press("s", "Z")
        order = house.names
    async with opened(settings) as house:
        assert any("Name ▲" in line for line in house.drawn)
        await house.enter("Support")
        assert any("Size ▼" in line for line in house.drawn) and house.names == order
        await house.press("h")
        assert any("Name ▲" in line for line in house.drawn)


async def test_an_empty_list_says_why_and_what_to_do(tmp_path: Path) -> None:
    with Demo(index_seconds=0, sample=False) as bare, Wire(bare.url) as wire, Service(bare) as service:
        wire.down()
        async with opened(settings_for(wire.url, bare.key, tmp_path), NARROW) as house:
            assert house.list_says("Reading the knowledge base …")
            await house.until(lambda: "offline" in house.status, "offline")
            await house.until(lambda: house.list_says(house.app.trouble), "why, and when it tries again")
            wire.up()
            await house.press("R")
            await house.until(lambda: house.list_says("This knowledge base is empty"), "empty")
            folder = service.folder("Hollow")
            await house.press("R")
            await house.until(lambda: house.names == ["Hollow"], "a folder")
            assert not house.list_says("empty")
            await house.press("enter")
            assert house.browse.shown.scope == folder and house.list_says("This folder is empty")
            await house.press("g", "a")
            assert house.list_says("no document in them")


async def test_a_key_that_is_refused_is_told_in_the_empty_list(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    wire.answer(401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}, times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: "key refused" in house.status, "refused")
        await house.until(
            lambda: house.list_says(house.app.trouble) and house.list_says("R tries again"), "why"
        )


async def test_the_cursor_stays_on_its_document_while_the_list_changes_under_it(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
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
        await house.online()
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
        await house.online()

        def shows(pane: str) -> bool:
            panes = (house.browse.folders, house.browse.documents, house.browse.reading)
            return [each.id for each in panes if each.size.area] == [pane]

        assert shows("list") and "Root" in house.line("header") and "1 of 10" in house.line("footer")
        keys = {"1": "tree", "2": "list", "3": "reading", "tab": "tree", "shift+tab": "reading"}
        for key, pane in keys.items():
            await house.press(key)
            await house.until(partial(shows, pane), key)
        await house.press("1", "g", "a")
        await house.until(lambda: shows("list") and "All documents" in house.line("header"), "ga")
        await house.press("g", "h", "3", "h")
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
        await house.online()
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


# The service


async def test_refresh_asks_for_everything_again_beginning_with_what_is_shown(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.enter("Support")
        await house.until(lambda: wire.in_flight == 0)
        wire.forget()
        service.add("Brand new", "words", service.id("Support"))
        await house.press("R")
        await house.until(lambda: "Brand new" in house.names, "the new document")
        await house.online()
        pages = [listed(request) for request in wire.requests if listed(request)]
        assert pages[0]["parent_folder_id"] == service.id("Support")
        assert {page["types"] for page in pages if "types" in page} >= {"folder", "text", "url", "file"}


async def test_fetching_a_page_again_asks_first_and_cancel_is_first(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Reset the Dial (web)")
        id = house.row.id
        service.patch(id, content="Edited by hand.")
        await house.press("g", "R")
        await house.until(lambda: isinstance(house.app.screen, Question), "the question")
        words = "\n".join(house.drawn)
        assert "Reset the Dial (web)" in words and "Fetch again" in words and "overwritten" in words
        assert "n cancel" in house.drawn[-1], "over the keys of the list, which do nothing now"
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


async def test_a_ranking_that_takes_longer_than_the_mirror_stands_still_is_drawn(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        monkeypatch.setattr(panes, "RANKED_AT_ONCE", 0)
        mirror, gate = house.browse.kb.mirror, threading.Event()
        ranks: list[str] = []
        rank = mirror.listing

        def slowly(view: View, beside: Beside) -> Listing:
            ranks.append(view.sort)
            assert gate.wait(10)
            return rank(view, beside)

        monkeypatch.setattr(mirror, "listing", slowly)
        await house.press("s", "Z")
        for _ in range(5):
            house.browse.relist()
            await house.pilot.pause()
        assert ranks == ["size"]
        gate.set()
        await house.until(lambda: house.names and house.names[0] != "Agent scripts", "drawn")
        await house.until(lambda: len(ranks) == 2, "once more, for what has changed meanwhile")
