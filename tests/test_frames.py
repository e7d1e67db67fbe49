"""A key draws one frame and lays out nothing anew: another would come a tick later, and cost a round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from kbtui.demo.server import Demo
from kbtui.tui.app import KbApp
from kbtui.tui.tasks import Task
from tests.house import House, opened, settings_for
from tests.stage import Stage

REST = 60.0  # seconds that a cursor must rest before a text follows: longer than the test
TICKS = 0.1  # seconds in which a second frame would have come

MOVES = ("j", "k", "down", "up", "ctrl+d", "ctrl+u", "pagedown", "pageup", "G", "home", "end")


@dataclass
class Count:
    """What was sent and laid out since the last look."""

    frames: int = 0
    layouts: int = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """What any app of this test sends, were it in a terminal."""
    count, stage = Count(), Stage("truecolor", fills=False)
    display, lay_out = KbApp._display, Screen._refresh_layout

    def displayed(self: KbApp, screen: Any, renderable: Any) -> None:
        if renderable is not None:
            before = stage.frames
            stage._display(screen, renderable)
            count.frames += stage.frames - before
            stage.fast.sent.clear()
        display(self, screen, renderable)

    def laid_out(self: Screen[Any], size: Any = None, scroll: bool = False) -> None:
        count.layouts += not scroll
        lay_out(self, size, scroll)

    monkeypatch.setattr(KbApp, "_display", displayed)
    monkeypatch.setattr(Screen, "_refresh_layout", laid_out)
    yield count


@contextmanager
def at_most_one_frame(count: Count, key: str) -> Iterator[None]:
    count.frames = count.layouts = 0
    yield
    assert count.frames <= 1 and not count.layouts, f"{key}: {count}"


async def each_draws_one_frame(house: House, count: Count, *keys: str) -> int:
    """Press keys one after the other; how many drew something."""
    drew, before = 0, Count(-1)
    while before != count:  # what was before the keys has to end
        before = replace(count)
        await asyncio.sleep(3 * TICKS)
    for key in keys:
        with at_most_one_frame(count, key):
            await house.press(key)
            await asyncio.sleep(TICKS)
        drew += count.frames
    return drew


async def test_every_key_in_every_pane_draws_one_frame(demo: Demo, tmp_path: Path, count: Count) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        await house.press("F")
        await house.until(lambda: house.reading and house.browse.reading.view.max_scroll_y, "its text")
        house.app.settle = house.browse.settle = REST
        assert await each_draws_one_frame(house, count, *MOVES, "s", "escape", "J", "K") > 10
        assert (
            await each_draws_one_frame(house, count, "1", *MOVES, "2", "tab", "tab", "tab", "shift+tab") > 10
        )
        assert await each_draws_one_frame(house, count, "3", *MOVES, "h") > 8
        marks = ("v", "j", "j", "k", "G", "v", "*", "~", "space", "v", "home", "escape")
        assert await each_draws_one_frame(house, count, *marks) > 8
        await house.press("3", "/")
        assert await each_draws_one_frame(house, count, "c", "o", "left", "backspace") > 3
        await house.press("enter")
        assert await each_draws_one_frame(house, count, "n", "n", "N", "escape") == 4


async def test_every_character_in_a_field_draws_one_frame(demo: Demo, tmp_path: Path, count: Count) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        await house.press("g", "a", "slash")
        assert await each_draws_one_frame(house, count, "r", "e", "f", "left", "x", "backspace") > 5
        await house.press("escape", "r")
        assert await each_draws_one_frame(house, count, "x", "left", "y", "backspace", "home") == 5
        await house.press("escape", "?")
        assert (
            await each_draws_one_frame(house, count, "t", "e", "x", "down", "up", "pagedown", "backspace") > 5
        )
        await house.press("escape", ":")
        assert await each_draws_one_frame(house, count, "r", "e", "f", "down", "up", "backspace") > 4


async def test_every_key_in_the_search_draws_one_frame(
    demo: Demo, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        await house.press("S", *"battery")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter")
        assert await each_draws_one_frame(house, count, *MOVES, "/") > 8
        monkeypatch.setattr("kbtui.tui.found_panes.PAUSE", REST)
        assert await each_draws_one_frame(house, count, "s", "left", "x", "backspace", "up", "down") > 4


async def test_every_key_among_the_chunks_draws_one_frame(demo: Demo, tmp_path: Path, count: Count) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        await house.select("Fault codes, complete")
        await house.press("c")
        await house.until(lambda: house.line("header").rstrip().endswith("chunks"), "all of them")
        assert await each_draws_one_frame(house, count, *MOVES) > 8
        await house.press("tab")
        assert await each_draws_one_frame(house, count, "j", "pagedown", "pageup", "G", "home") > 3
        await house.press("1", "/", *"plug", "enter")
        assert await each_draws_one_frame(house, count, "n", "n", "N", "n", "j") > 3


async def test_every_key_in_an_answer_draws_one_frame(demo: Demo, tmp_path: Path, count: Count) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        await house.press("g", "q", *"How long may I send things back?", "enter")
        await house.until(lambda: "agents" in house.line("header"), "the agents")
        await house.press("enter")
        await house.until(lambda: house.line("beside") and "chunks" in house.line("header"), "answered")
        assert await each_draws_one_frame(house, count, "j", "j", "k", "G", "home") > 3
        await house.until(lambda: "hit" in house.line("beside"), "what the search finds")
        assert (
            await each_draws_one_frame(house, count, "tab", "j", "k", "G", "home", "tab", "tab", "escape")
            == 8
        )
        await house.press("/")
        assert await each_draws_one_frame(house, count, "t", "e", "left", "backspace") > 3


async def test_every_key_in_the_editor_draws_one_frame(
    demo: Demo, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.tui.seeking.AT_ONCE", REST)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        editor = await house.editing("Fault codes, complete")
        await house.until(lambda: "as in the service" in house.line("header"), "its state")
        keys = (
            "x",
            "left",
            "right",
            "down",
            "up",
            "end",
            "enter",
            "backspace",
            "pagedown",
            "pageup",
            "delete",
        )
        assert (
            await each_draws_one_frame(house, count, *keys, "ctrl+z", "ctrl+y", "shift+down", "ctrl+k") > 10
        )
        assert editor.dirty
        await house.press("ctrl+f")
        assert await each_draws_one_frame(house, count, "t", "h", "down", "up", "f3", "backspace") == 6
        await house.press("tab")
        assert await each_draws_one_frame(house, count, "x", "enter", "down", "ctrl+z") == 4


async def test_every_key_in_a_list_over_the_screen_draws_one_frame(
    demo: Demo, tmp_path: Path, count: Count
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        for name in ("Account and sign-in", "Chargebacks"):
            await house.editing(name)
            await house.type("word ")
            await house.press("escape")
        house.app.settle = house.browse.settle = REST
        await house.press("g", "d")
        assert await each_draws_one_frame(house, count, "j", "k", "G", "home") > 2
        await house.press("x")
        assert await each_draws_one_frame(house, count, "tab", "tab") == 2


async def test_every_key_in_the_list_of_tasks_draws_one_frame(
    demo: Demo, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [Task("a", "Ask", "under way"), Task("b", "Bring", "waits", cancel=lambda: None)]
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        monkeypatch.setattr(house.app, "tasks", lambda: tasks)
        await house.press("T")
        assert await each_draws_one_frame(house, count, "j", "k", "G", "g", "g") == 4
