"""The screen of indexes, and what is asked of the service for it."""

from __future__ import annotations

from typing import Any

from kbtui.answers import MODELS
from kbtui.tui.screens.index import Index
from tests.house import House
from tests.service import Service
from tests.wire import Wire

FIRST, SECOND = MODELS
BATCH = r"knowledge-base/rag-index$"


def batches(wire: Wire) -> list[tuple[str, list[str]]]:
    """What the service was asked for in batches: the model, and the documents."""
    items = [each.json()["items"] for each in wire.requests if each.method == "POST" and is_batch(each.path)]
    assert all(item["create_if_missing"] in (True, False) for each in items for item in each)
    return [(each[0]["model"], [item["document_id"] for item in each]) for each in items]


def is_batch(path: str) -> bool:
    return path.endswith("knowledge-base/rag-index")


def screen_of(house: House) -> Index:
    screen = house.app.screen
    assert isinstance(screen, Index)
    return screen


def lines(house: House) -> list[str]:
    """The lines of the list as they are drawn, without what is drawn below them."""
    return [" ".join(line.split()) for line in house.drawn[2 : 2 + len(screen_of(house).lines.lines)]]


def said(house: House) -> str:
    """All that the screen says, as one text."""
    return " ".join(" ".join(house.drawn).split())


async def looking_at(house: House, name: str, *words: str) -> Index:
    """The screen on one document, once it says these words."""
    await house.online()
    await house.select(name)
    await house.press("I")
    await shows(house, *words)
    return screen_of(house)


async def looking_into(house: House, folder: str, *words: str) -> Index:
    """The screen on all documents in a folder."""
    await house.online()
    await house.press("g", "h")
    await house.until(lambda: folder in house.names, folder)
    await house.press(*["j"] * house.names.index(folder), "I")
    await shows(house, *words)
    return screen_of(house)


async def shows(house: House, *words: str) -> None:
    await house.until(lambda: all(each in said(house) for each in words), " and ".join(words))


def room(service: Service) -> Any:
    return service.call("GET", "/knowledge-base/rag-index")
