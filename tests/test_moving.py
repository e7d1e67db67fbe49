"""Moving about in Browse: back and forward, zoom, and what may follow a first key."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.tui.widgets.following_keys import laid_out
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.test_frames import REST, Count, each_draws_one_frame
from tests.test_frames import count as count
from tests.wire import Wire


def stands(house: House, folder: str, document: str, pane: str) -> bool:
    """Whether this is what is looked at."""
    row = house.browse.documents.row
    where = folder in house.line("header") and house.browse.pane == pane
    return where and row is not None and row.name == document


async def test_h_and_l_go_back_and_forward_and_a_dash_to_the_last_place(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    gone = service.add("Soon gone", "Words.")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("H")
        assert "nothing to go back to" in house.notices
        await house.enter("Support")
        await house.press("F", "/", *"Refund policy", "enter", "enter")
        assert stands(house, "Support", "Refund policy", "view")
        await house.select("Soon gone")
        await house.enter("Support", "Billing")
        await house.press("-")
        assert stands(house, "Support", house.row.name, "list") and "Billing" not in house.line("header")
        await house.press("-")
        assert "Billing" in house.line("header")
        service.delete(gone)
        await house.press("R")
        await house.until(lambda: house.browse.kb.mirror.row(gone) is None, "gone here, too")
        trail = house.browse.trail
        while not stands(house, "Support", "Refund policy", "view"):
            before = trail.at
            await house.press("H")
            assert trail.at < before and house.row.name != "Soon gone"
        assert house.browse.folders.scope == house.browse.shown.scope
        await house.press("L", "L", "L", "L", "L")
        assert "Billing" in house.line("header") and trail.at == len(trail.stops) - 1


def sizes(house: House) -> list[tuple[int, int]]:
    """Width and height of tree, list and text as they are shown; (0, 0) for what is not."""
    browse = house.browse
    shown = (browse.folders, browse.documents, browse.reading)
    return [(each.region.width, each.region.height) if each.is_on_screen else (0, 0) for each in shown]


async def test_plus_gives_the_pane_with_the_keys_more_room_then_all_and_the_size_goes_along(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (200, 50)) as house:
        await house.online()
        tree, documents, text = sizes(house)
        await house.press("+")
        await house.until(lambda: 4 * sizes(house)[1][0] >= 5 * documents[0], "more room, and some is left")
        assert sizes(house)[2][0] < text[0] and sizes(house)[0] == tree
        await house.press("3")
        await house.until(lambda: 2 * sizes(house)[2][0] >= 3 * text[0] - 4, "and so the text")
        await house.press("+")
        await house.until(lambda: sizes(house) == [(0, 0), (0, 0), (200, 48)], "alone")
        await house.press("1")
        await house.until(lambda: sizes(house) == [(200, 48), (0, 0), (0, 0)], "and so the tree")
        assert house.browse.alone and house.browse.folders.has_focus
        await house.press("3")
        assert "whole screen" not in house.line("footer"), "it has it"
        await house.press("1", "+")
        assert "alone already" in house.notices
        await house.pilot.resize_terminal(80, 24)
        await house.press("3", "enter")
        assert "the text has it already; h leads back" in house.notices and "whole screen" not in house.line(
            "footer"
        )
        await house.press("2", "_")
        await house.until(lambda: sizes(house)[1] == (80, 21), "one pane")
        assert "whole screen" in house.notices
        await house.pilot.resize_terminal(130, 40)
        await house.until(lambda: sizes(house)[1][0] == 130, "alone, as before")
        await house.press("_")
        await house.until(lambda: sizes(house)[1][1] > 2 * sizes(house)[2][1] > 0, "higher, the text below")
        await house.press("_", "_")
        await house.until(lambda: abs(sizes(house)[1][1] + 1 - sizes(house)[2][1]) <= 1, "as ever")
        assert "normal size" in house.notices


def told(house: House) -> bool:
    """Whether what may follow is on the screen."""
    return any(line.startswith("── ") for line in house.drawn)


async def test_who_hesitates_after_a_first_key_is_told_what_may_follow_and_who_does_not_is_not(
    demo: Demo, wire: Wire, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        monkeypatch.setattr("kbtui.tui.keyboard.HESITATION", REST)
        assert await each_draws_one_frame(house, count, "s", "escape", "g", "z", "z", "R") <= 2
        monkeypatch.setattr("kbtui.tui.keyboard.HESITATION", 0.05)
        wire.forget()
        await house.press("s")
        await house.until(lambda: told(house), "what may follow")
        shown = "\n".join(house.drawn)
        assert "n▲ N▼ name" in shown and "z▲ Z▼ size" in shown and "created" in shown
        assert house.drawn[-1].startswith(" s … Esc gives up") and "Name ▲" in shown
        await house.press("escape")
        await house.until(lambda: not told(house), "gone")
        assert "filter" in house.line("footer")
        await house.press("g")
        await house.until(lambda: told(house), "again")
        assert "drafts" in "\n".join(house.drawn)
        assert not wire.requests
        await house.press("a")
        await house.until(lambda: not told(house), "gone")
        assert "All documents" in house.line("header")


@pytest.mark.parametrize("width", [20, 80, 200])
def test_hints_stand_in_columns_from_top_to_bottom(width: int) -> None:
    hints = [(chr(ord("a") + at), f"does {at}") for at in range(20)]
    lines = laid_out(hints, width, 30)
    text = ["".join(part for part, _ in line).rstrip() for line in lines]
    assert all(len(line) <= width for line in text) and text[0].startswith(" a does 0")
    assert sorted(
        word for line in text for word in line.split("does ")[1:] for word in word.split()[:1]
    ) == sorted(str(at) for at in range(20))
    assert len(laid_out(hints, width, 2)) <= 2
