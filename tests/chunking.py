"""Documents with chunks, and the screen that shows them."""

from __future__ import annotations

from kbtui.answers import MODELS
from kbtui.tui.screens.chunks import Chunks
from tests.house import House
from tests.service import Service

LONG = "\n\n".join(
    f"Paragraph {number} tells of the part {number * 7} and where the crew keeps it. " * 3
    for number in range(150)
)
INDEX, CHUNKS = "rag-index", "chunks"


def indexed(service: Service, name: str, text: str, model: str = MODELS[0]) -> str:
    """A new document with an index that is ready; its id."""
    id = service.add(name, text)
    service.call("POST", f"/knowledge-base/{id}/{INDEX}", json={"model": model})
    return id


def indexed_twice(service: Service) -> str:
    """A document of many chunks, under both models."""
    id = indexed(service, "Long", LONG)
    service.call("POST", f"/knowledge-base/{id}/{INDEX}", json={"model": MODELS[1]})
    return id


def theirs(service: Service, id: str, model: str = MODELS[0]) -> list[str]:
    """The contents of all chunks, as the service has them."""
    found, cursor = [], None
    while True:
        query = {"embedding_model": model, "page_size": 100} | ({"cursor": cursor} if cursor else {})
        page = service.call("GET", f"/knowledge-base/{id}/chunks", params=query)
        found += [chunk["content"] for chunk in page["chunks"]]
        if not (cursor := page.get("next_cursor")):
            return found


def told(house: House) -> str:
    """What is said of the chunk under the cursor, or of why there is none."""
    screen = house.app.screen
    assert isinstance(screen, Chunks)
    return " ".join(screen.about.text.split())


async def viewing(house: House, name: str) -> Chunks:
    """The screen, once it has said what there is."""
    await house.online()
    await house.select(name)
    await house.press("c")
    screen = house.app.screen
    assert isinstance(screen, Chunks)
    await house.until(lambda: not house.line("header").rstrip().endswith("…"), "loaded")
    return screen
