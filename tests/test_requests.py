"""No request is made for what nobody looks at: what a visit asks of the service, step by step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import monotonic

import pytest

from kbtui.answers import MODELS
from kbtui.chunk_facts import ChunkFacts
from kbtui.demo.server import Demo
from kbtui.index_states import State
from kbtui.models import RagIndex
from kbtui.rows import Found
from kbtui.tui.screens.ask import Ask
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.index import Index
from kbtui.tui.screens.search import Search
from kbtui.tui.widgets.chunk_list import Piece
from kbtui.tui.widgets.virtual_list import VirtualList
from tests.house import House, opened, settings_for
from tests.wire import Request, Wire

MANY = 10_000
SILENT = 60.0  # seconds: longer than the test


def what(request: Request) -> str:
    """An endpoint, by the last word of its path that is no id."""
    words = [word for word in request.path.split("/") if word.islower() and not any(map(str.isdigit, word))]
    return words[-1]


def asked(wire: Wire) -> Counter[str]:
    """What was asked since the last look."""
    found = Counter(what(each) for each in wire.requests)
    wire.forget()
    return found


async def test_a_visit_asks_for_what_is_looked_at_and_for_nothing_else(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        await house.until(lambda: house.reading and house.indexes_known, "its text, and its index")
        asked(wire)
        house.app.settle = house.browse.settle = SILENT

        await house.press("j", "k", "J", "K", "i", "i", "tab", "tab", "tab")
        assert not asked(wire), "moving about"

        await house.press("S", *"battery")
        await house.until(lambda: "document" in house.line("header"), "found")
        assert asked(wire) == {"search": 1}, "typing seven letters"
        await house.press("enter", "j", "j", "k")
        assert not asked(wire), "looking at results on the screen"
        await house.press("escape", "escape")

        await house.press("c")
        viewer = house.app.screen
        assert isinstance(viewer, Chunks)
        await house.until(lambda: house.line("header").rstrip().endswith("222 chunks"), "all chunks")
        assert asked(wire) == {"rag-index": 1, "chunks": 3}, "222 chunks in pages of a hundred"
        await house.press("j", "G", "tab", "j", "g", "g", "tab", "/", *"meter", "enter", "n", "n")
        assert not asked(wire), "looking at chunks"
        await house.press("enter")
        await house.until(lambda: viewer.whole.display, "one chunk")
        assert asked(wire) == {"chunk": 1}
        await house.press("escape", "escape")

        await house.press("g", "q", *"How long may I send things back?")
        assert not asked(wire), "typing a question"
        await house.press("enter")
        await house.until(lambda: "agents" in house.line("header"), "the agents")
        await house.press("enter")
        ask = house.app.screen
        assert isinstance(ask, Ask)
        await house.until(lambda: ask.answer is not None and ask.hits and ask.model, "answered")
        assert asked(wire) == {"agents": 2, "rag-query": 1, "search": 1}, "all agents, and the model of one"
        await house.press("j", "j", "G", "g", "q", "escape", "escape")
        assert not asked(wire), "looking at the answer"

        await house.press("g", "A")
        await house.until(lambda: "4 agents" in house.line("header"), "all agents")
        await house.press("j", "j", "k", "G")
        assert asked(wire) == {"agents": 1}, "the list, and not what each of them knows"
        await house.press("tab")
        await house.until(lambda: "pages" in house.line("heads"), "what the last one knows")
        assert asked(wire) == {"agents": 1, "size": 1}
        await house.press("j", "G", "h", "tab", "escape", "escape")
        assert not asked(wire), "looking at what is attached to it"
        await house.press("escape", "I")
        await house.until(lambda: "Room" in house.line("room"), "the room")
        house.app.settle = 0.02
        screen = house.app.screen
        assert isinstance(screen, Index)
        await house.until(lambda: any("● ready" in line for line in house.drawn), "its indexes")
        assert asked(wire) == {"rag-index": 1}, "the room; its indexes were heard of with its chunks"
        for _ in range(3):
            await house.press("m")
            await house.until(lambda: monotonic() - house.app.last_key > 2 * house.app.settle, "at rest")
            screen.show_lines()
            await house.pilot.pause()
        assert not asked(wire), "what is settled, not again"
        house.app.settle = (
            SILENT  # the list behind has lines now that were never asked for: its filter is gone
        )
        await house.press("j", "k", "G", "q")
        assert not asked(wire), "looking at indexes"


class Looked:
    """How many lines of a list are drawn."""

    def __init__(self, lines: VirtualList) -> None:
        self.lines, self.drawn, parts = lines, 0, lines.parts

        def counted(index: int, width: int) -> object:
            self.drawn += 1
            return parts(index, width)

        lines.parts = counted  # type: ignore[assignment,method-assign]


async def only_what_is_seen_is_drawn(house: House, lines: VirtualList) -> None:
    looked = Looked(lines)
    for key in ("j", "pagedown", "G", "k", "pageup", "g", "g"):
        looked.drawn = 0
        await house.press(key)
        assert looked.drawn <= 2 * lines.size.height + 4, key


async def test_ten_thousand_chunks_draw_no_more_lines_a_key_than_a_screen_has(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Account and sign-in")
        await house.press("c")
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        await house.until(lambda: house.line("header").rstrip().endswith("1 chunk"), "read")
        facts = ChunkFacts(900, 225, 0, None, False)
        screen.list.show([Piece(str(at), f"Chunk of number {at}.", facts, None) for at in range(MANY)])
        await house.until(lambda: "10 000" in house.line("footer") or screen.list.count == MANY, "many")
        await only_what_is_seen_is_drawn(house, screen.list)


async def test_ten_thousand_results_draw_no_more_lines_a_key_than_a_screen_has(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("S", *"battery")
        screen = house.app.screen
        assert isinstance(screen, Search)
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter")
        snippet = (("the ", False), ("battery", True))
        screen.results.show(
            [Found(str(at), f"Result {at}", "text", 1 - at / MANY, snippet) for at in range(MANY)]
        )
        await only_what_is_seen_is_drawn(house, screen.results)


async def test_ten_thousand_indexes_draw_no_more_lines_a_key_than_a_screen_has_and_are_not_counted_anew(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Account and sign-in")
        await house.press("I")
        screen = house.app.screen
        assert isinstance(screen, Index)
        await house.until(lambda: screen.table.sums.looked == 1, "known under both models")
        house.app.settle = SILENT
        (row,) = screen.rows.values()
        screen.rows |= {str(at): row._replace(id=str(at)) for at in range(MANY)}
        screen.relist()
        await only_what_is_seen_is_drawn(house, screen.lines)
        looked = Counter[str]()
        state = screen.states.state

        def counted(id: str, model: str) -> State | None:
            looked[id] += 1
            return state(id, model)

        monkeypatch.setattr(screen.states, "state", counted)
        drawn = Looked(screen.lines)
        for at in range(20):
            screen.states.tell(str(at), row.updated, MODELS[0], RagIndex(status="failed"))
        screen.show_lines()
        await house.pilot.pause()
        assert screen.table.sums.looked == 1 and screen.table.next_problem(0, 1) is not None
        assert {str(at) for at in range(20)} <= looked.keys()
        assert len(looked) <= 21 + 2 * screen.lines.size.height, "what was heard of, and what is in view"
        assert drawn.drawn <= 2 * screen.lines.size.height
