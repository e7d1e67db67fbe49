"""The mouse: rows, heads, tabs and the wheel."""

from __future__ import annotations

from pathlib import Path

from textual import events

from kbtui.demo.server import Demo
from tests.house import opened, settings_for


async def test_the_mouse_moves_the_cursor_and_a_double_click_opens(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        at = house.names.index("Support")
        await house.pilot.click("#list", offset=(10, at))
        assert house.row.name == "Support" and " Root" in house.line("header")
        await house.pilot.click("#list", offset=(10, at), times=2)
        await house.until(lambda: "Support" in house.line("header"), "opened")
        at = house.names.index("Refund policy")
        await house.pilot.click("#list", offset=(10, at), times=2)
        assert house.row.name == "Refund policy" and house.browse.pane == "view"
        line = next(i for i, text in enumerate(house.tree) if "Products" in text)
        await house.pilot.click("#tree", offset=(8, line), times=2)
        await house.until(lambda: any("Cell" in text for text in house.tree), "unfolded")
        await house.until(lambda: "Products" in house.line("header"), "and shown")
        await house.press("2", "/", "d")
        await house.pilot.pause()
        await house.pilot.click("#list", offset=(10, 0))
        assert house.browse.pane == "list" and house.browse.here()[0] == "move"
        assert "name holds d" in house.line("chips")


async def test_a_click_on_a_head_sorts_and_one_on_a_tab_shows_it(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()

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
        await house.online()
        await house.select("Fault codes, complete")
        view, documents = house.browse.reading.view, house.browse.documents
        await house.until(lambda: house.reading and view.max_scroll_y, "a text that scrolls")
        await house.pilot._post_mouse_events([events.MouseScrollDown], view, (5, 2))
        await house.until(lambda: view.scroll_y > 0, "the text")
        await house.press("F", "g", "g")
        await house.until(lambda: documents.max_scroll_y and documents.scroll_y == 0, "a list that scrolls")
        seen: list[float] = []  # news from the service brings the list back to its cursor

        def scrolled(y: float) -> None:
            seen.append(y)

        house.browse.watch(documents, "scroll_y", scrolled, init=False)
        await house.pilot._post_mouse_events([events.MouseScrollDown], documents, (5, 2))
        await house.until(lambda: max(seen, default=0) > 0, "the list")
