"""Moving about in Browse: back and forward, zoom, and what may follow a first key."""

from __future__ import annotations

from pathlib import Path

from kbtui.demo.server import Demo
from tests.house import House, opened, settings_for
from tests.service import Service


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
