"""Every screen in every size and look, to be looked at: `python -m tests.pictures FOLDER [WORDS…]`.

One SVG each, named after the screen, the size and the look; `WORDS` pick those whose names hold one of them.
The looks are dark, light, the terminal's own sixteen colours, and none.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from kbtui.answers import MODELS
from kbtui.demo.server import Demo
from kbtui.settings import Places, Settings, Workspace
from kbtui.tui.screens.compared import Compared
from kbtui.tui.screens.conflict import ConflictScreen
from tests.chunking import LONG
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

SIZES = (80, 24), (120, 36), (200, 50)
COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
LOOKS = {
    "dark": ("dark", COLOURS),
    "light": ("light", COLOURS),
    "16": ("dark", {"TERM": "xterm", "COLORTERM": ""}),
    "none": ("dark", COLOURS | {"NO_COLOR": "1"}),
}
TEXT = "Refunds are paid within 14 days. We pay to the card that was used.\n\nGift cards are final.\n"
MINE = TEXT.replace("14", "30").replace("final", "final, and never refunded")
THEIRS = TEXT.replace("14 days", "10 working days").replace("Gift", "Old gift")
Shot = Callable[[str], Awaitable[None]]


async def back(house: House) -> None:
    """To Browse, with no filter, whatever is open."""
    while house.app.screen is not house.browse:
        before = house.app.screen
        await house.press("escape")
        if house.app.screen is before:
            await house.press("q")
    for _ in range(4):
        await house.press("escape")
    house.app.clear_notifications()


async def browsing(house: House, service: Service, shot: Shot) -> None:
    await house.enter("Support")
    await house.press("z", "R", "j", "j")
    await house.until(lambda: house.reading and house.indexes_known)
    await shot("browse")
    await house.press("space", "j", "space", "j", "v", "j", "j")
    await shot("browse-marked")
    await house.press("v", "g", "u", "f")
    await house.until(lambda: "gives up" in house.line("footer"), "what may follow")
    await shot("browse-prefix")
    await house.press("u", "/", *"re")
    await shot("browse-filter")
    await house.press("enter", "i")
    await house.until(lambda: not house.browse.reading.busy)
    await shot("info")
    await house.press("A")
    await house.until(lambda: not house.browse.reading.busy)
    await shot("agents-of")
    await house.press("[", "[", "g", "u", "F", "r", *" of")
    await shot("rename")
    await house.press("escape", "?")
    await shot("keys")
    await house.press("escape", ":", *"sort")
    await shot("palette")
    await back(house)
    await house.press("/", *"nothing has this")
    await shot("browse-empty")
    await back(house)
    await house.select("Reset the Dial (web)")
    await house.press("g", "R")
    await shot("question")
    await back(house)
    await house.press("g", "S", "space")
    await shot("auto-sync")
    await back(house)


async def arranging(house: House, service: Service, shot: Shot) -> None:
    await house.press("g", "a", "/", *"re !draft type:text size:big")
    await shot("filter-wrong")
    await house.press(*["backspace"] * 3, *">400 index:ready,failed", "enter")
    await house.until(lambda: "known" not in house.line("chips"), "all asked for")
    await shot("filter-parts")
    await house.press("j", "v", "j", "j")
    await shot("range")
    await house.press("v", "g", "c", *"jjjj", "space")
    await shot("columns")
    await house.press("escape")
    counts, documents = house.browse.kb.agent_counts, house.browse.documents
    await house.until(lambda: all(map(counts.words, documents.counted_in_view())), "agents")
    await shot("browse-columns")
    await house.press("g", "v")
    await shot("views-none")
    await house.press("a", *"Long texts", "enter", "a", *"Short")
    await shot("views")
    await house.press("escape", "escape", "F", "g", "u", "g", "c", "=", "escape", "g", "h")


async def finding(house: House, service: Service, shot: Shot) -> None:
    await house.press("S", *"within 30 days")
    await house.until(lambda: "document" in house.line("header"), "found")
    await shot("search")
    await house.press("enter", "j")
    await shot("results")
    await back(house)
    await house.select("Fault codes, complete")
    await house.press("c")
    await house.until(lambda: house.line("header").rstrip().endswith("chunks"), "all of them")
    await house.press("/", *"firmware", "enter")
    await shot("chunks")
    await house.press("enter")
    await house.pilot.pause(0.5)
    await shot("chunk-alone")
    await back(house)
    id = service.add("Long", LONG)
    for model in MODELS:
        service.call("POST", f"/knowledge-base/{id}/rag-index", json={"model": model})
    await house.press("R")
    await house.online()
    await house.select("Long")
    await house.press("c")
    await house.until(lambda: house.line("header").rstrip().endswith("chunks"), "all of them")
    await house.press("M")
    await house.until(
        lambda: isinstance(house.app.screen, Compared) and house.app.screen.sides[1].list.count, "both models"
    )
    await house.press("j", "j")
    await shot("compared")
    await back(house)
    await house.enter("Support")
    await house.press("I")
    await house.until(lambda: "Room" in house.line("room"), "known")
    await shot("index")
    await back(house)


async def asking(house: House, service: Service, shot: Shot) -> None:
    await house.press("g", "q", *"How long may I send things back?", "enter")
    await house.until(lambda: "agents" in house.line("header"), "the agents")
    await shot("agents-choose")
    await house.press("enter")
    await house.until(lambda: "chunks" in house.line("header"), "answered")
    await house.pilot.pause(0.5)
    await shot("answer")
    await house.press("g", "q")
    await shot("questions")
    await back(house)
    await house.press("g", "A")
    await house.pilot.pause(1.0)
    await shot("agents")
    await house.press("enter")
    await house.pilot.pause(1.0)
    await shot("knowledge")
    await back(house)


async def changing(house: House, service: Service, shot: Shot) -> None:
    id = service.add("Refund policy of the shop", TEXT)
    await house.press("R")
    await house.online()
    await house.select("Refund policy of the shop")
    await house.mend("Please read. ")
    house.app.clear_notifications()
    await house.press("u")
    await house.until(lambda: "Undone" in house.notices, "undone")
    house.app.clear_notifications()
    await house.press("g", "l")
    await house.pilot.pause(0.3)
    await shot("history")
    await house.press("escape")
    editor = await house.editing("Refund policy of the shop")
    await house.press(*"More. ")
    await shot("editor")
    await house.press("ctrl+f", *"refund", "tab", *"return")
    await shot("replace")
    await house.press("escape", "ctrl+o")
    await shot("changes")
    await house.press("escape")
    editor.area.text = TEXT.replace("final", "final, always")
    service.patch(id, content=TEXT.replace("14", "10"))
    await house.press("ctrl+s")
    await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "merged")
    await shot("merged")
    await house.press("escape")
    editor = await house.editor()
    editor.area.text = MINE
    service.patch(id, content=THEIRS)
    await house.press("ctrl+s")
    await house.until(lambda: house.line("place"), "both sides")
    await house.press("m")
    await shot("conflict")
    await house.press("escape")
    await house.editor()
    await house.press("escape", "g", "d")
    await shot("drafts")
    await back(house)
    await house.press("g", "w")
    await shot("workspaces")
    await back(house)
    await house.select("Refund policy of the shop")
    await house.press("g", "l", "tab", "j")
    await shot("history-change")
    await back(house)
    await house.press("3", "y", "n")
    await house.until(lambda: house.notices, "told")
    await shot("copied")
    await back(house)


async def moving(house: House, service: Service, shot: Shot) -> None:
    await house.select("Chargebacks")
    await house.until(lambda: house.reading and house.indexes_known)
    await house.press("+")
    await shot("zoom-larger")
    await house.press("3", "+")
    await shot("zoom-alone")
    await house.press("_", "_", "2")
    await house.press(":", *"bill")
    await shot("palette-names")
    await house.press("escape", "T")
    await shot("tasks")
    await house.press("q", "@")
    await shot("requests")
    await house.press("j", "enter")
    await shot("request")
    await back(house)


async def reading(house: House, service: Service, shot: Shot) -> None:
    await house.select("Returns, step by step")
    await house.until(lambda: house.reading, "its text")
    await house.press("3", "/", *"the")
    await shot("find")
    await house.press("enter", "n", "l", "#")
    await shot("text-full")
    await house.press("V", "w", ">")
    await shot("text-unwrapped")
    await house.press("<", "w", "#", "|", *"wc -w")
    await shot("pipe")
    await house.press("escape", "V", "V")
    await back(house)


async def alone(house: House, service: Service, shot: Shot, wire: Wire) -> None:
    """What is there while the service is not."""
    wire.cut("request", times=None)
    await house.select("How to reach us")
    await house.press("R")
    await house.until(lambda: "online" not in house.line("header"), "told")
    await shot("offline")
    await house.press("!")
    await shot("error")
    await back(house)
    await house.press("T")
    await shot("tasks-offline")
    await back(house)


TOUR = browsing, arranging, finding, asking, changing, moving, reading


async def tour(folder: Path, size: tuple[int, int], look: str, words: list[str]) -> None:
    async def shot(name: str) -> None:
        name = f"{name}-{size[0]}x{size[1]}-{look}"
        await house.pilot.pause(0.3)
        if not words or any(word in name for word in words):
            path = folder / f"{name}.svg"
            path.write_text(house.app.export_screenshot(title=name, simplify=True), encoding="utf-8")

    theme = LOOKS[look][0]
    with (
        Demo(index_seconds=0) as demo,
        Service(demo) as service,
        Wire(demo.url) as wire,
        tempfile.TemporaryDirectory() as home,
    ):
        settings = settings_for(wire.url, demo.key, Path(home), name="demo", demo=True, theme=theme)
        async with opened(settings, size, toasts=True) as house:
            await house.online()
            for part in TOUR:
                await part(house, service, shot)
            await alone(house, service, shot, wire)
        workspace = Workspace("acme", wire.url)
        places = Places(Path(home, "new"), Path(home, "new", "state"), Path(home, "new", "cache"))
        async with opened(Settings(places, (workspace,), workspace, theme=theme), size) as house:
            await shot("welcome")


def main() -> None:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    for look, (_, environ) in LOOKS.items():
        os.environ.update(environ)
        for size in SIZES:
            asyncio.run(tour(folder, size, look, words))
            print(f"{size[0]}x{size[1]} {look}", flush=True)


if __name__ == "__main__":
    main()
