"""The pictures of README, drawn by the real app on the demo and compared with what is kept.

`pytest --write` draws them anew: look at them before you commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.rows import ALL, View
from tests.house import House, opened, settings_for

PICTURES = Path(__file__).resolve().parent.parent / "screenshots"
Scene = Callable[[House], Awaitable[None]]


async def browse(house: House) -> None:
    await house.enter("Support")
    await house.until(lambda: "Refund policy" in house.names)
    await house.press("z", "R", *["j"] * house.names.index("Refund policy"))
    await house.until(lambda: house.reading)
    await house.until(lambda: house.indexes_known, "how the indexes stand")


async def narrow(house: House) -> None:
    await browse(house)


async def info(house: House) -> None:
    await browse(house)
    await house.press("?")
    await house.until(lambda: house.app.screen.query("Lines"))


async def search(house: House) -> None:
    await house.press("S", *"battery returned")
    await house.until(lambda: "document" in house.line("header"), "found")
    await house.press("enter", "j")


async def chunks(house: House) -> None:
    await house.select("Fault codes, complete")
    await house.press("c")
    await house.until(lambda: house.line("header").rstrip().endswith("chunks"), "all of them")
    await house.press("j", "j", "/", *"firmware", "enter")


async def ask(house: House) -> None:
    """Asked, mended and asked again."""
    await house.press("g", "q", *"How long may I send things back?", "enter")
    await house.until(lambda: "agents" in house.line("header"), "the agents")
    await house.press("enter")
    await house.until(lambda: "4 chunks" in house.line("header"), "answered")
    await house.press("j")
    await house.mend("Things may be sent back for 30 days. ")
    await house.until(lambda: "indexed anew" in house.line("header"), "indexed")
    await house.press(".")
    await house.until(lambda: "1 rose" in house.line("header"), "asked again")
    await house.until(lambda: house.app.screen.hits, "what the search finds")  # type: ignore[attr-defined]


async def index(house: House) -> None:
    await house.press("g", "h", *["j"] * house.names.index("Support"), "I")
    await house.until(lambda: house.app.screen.query("#room"))
    await house.until(lambda: "Room" in house.line("room") and "1 of 25" in house.line("footer"), "known")
    await house.press(*["j"] * 6)


async def edit(house: House) -> None:
    await browse(house)
    await house.press("e")
    await house.until(lambda: house.app.screen.query("TextArea"))
    await house.press("down", "down", "end")
    await house.type(" Ask if unsure.")
    await house.until(lambda: "not saved yet" in house.line("header"))


def stand_still(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ages are those of a quarter of an hour after the youngest document, whenever the test runs."""
    listing = house.browse.kb.mirror.listing(View(ALL, "updated_at", True))
    youngest = house.browse.kb.mirror.window(listing, 0, 1)[0].updated
    monkeypatch.setattr("kbtui.tui.widgets.document_list.clock", lambda: youngest + 900)
    house.browse.documents.refresh()


async def at_rest(house: House) -> str:
    """The picture, once nothing on it moves any more: a scrollbar comes a frame after its text."""
    before, picture = "", house.app.export_screenshot(title="kbtui", simplify=True)
    while picture != before:
        await house.pilot.pause(0.2)
        before, picture = picture, house.app.export_screenshot(title="kbtui", simplify=True)
    return picture


SCENES: list[tuple[str, Scene, tuple[int, int], str]] = [
    ("browse-dark", browse, (120, 36), "dark"),
    ("browse-light", browse, (120, 36), "light"),
    ("browse-narrow", narrow, (80, 24), "dark"),
    ("browse-broad", browse, (200, 50), "dark"),
    ("search-dark", search, (120, 36), "dark"),
    ("chunks-dark", chunks, (120, 36), "dark"),
    ("ask-dark", ask, (120, 36), "dark"),
    ("index-dark", index, (120, 36), "dark"),
    ("keys-dark", info, (120, 36), "dark"),
    ("editor-dark", edit, (120, 36), "dark"),
    ("editor-light", edit, (120, 36), "light"),
]


@pytest.mark.parametrize(("name", "scene", "size", "theme"), SCENES, ids=[scene[0] for scene in SCENES])
async def test_a_picture_shows_what_a_person_sees(
    demo: Demo,
    tmp_path: Path,
    write: bool,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    scene: Scene,
    size: tuple[int, int],
    theme: str,
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path, name="demo", demo=True, theme=theme)
    async with opened(settings, size) as house:
        await house.until(lambda: house.settled and "· online" not in house.line("header"), "all is here")
        await scene(house)
        stand_still(house, monkeypatch)
        house.app.clear_notifications()
        picture = await at_rest(house)
    path = PICTURES / f"{name}.svg"
    if write:
        path.write_text(picture, encoding="utf-8")
    elif picture != path.read_text(encoding="utf-8"):
        pytest.fail(
            f"{name} looks different: pytest --write, and look at screenshots/{name}.svg", pytrace=False
        )
