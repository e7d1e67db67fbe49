"""Words that are searched for, and what the screen shows of the results."""

from __future__ import annotations

from kbtui.tui.screens.search import Search
from tests.house import House
from tests.wire import Wire

SEARCH = "knowledge-base/search"


async def searching(house: House, words: str) -> Search:
    """The screen, with what the service found for these words."""
    await house.press("S", *words)
    screen = house.app.screen
    assert isinstance(screen, Search)
    await house.until(lambda: "document" in house.line("header"), "found")
    return screen


def shown(screen: Search) -> list[str]:
    return [found.id for found in screen.results._found]


def asked(wire: Wire) -> list[str]:
    """The words that the service was asked for."""
    return [dict(each.query)["query"] for each in wire.requests if each.path.endswith(SEARCH)]
