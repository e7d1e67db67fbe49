"""Every screen of the app, by random keys: what the stage sends ends in what plain Textual draws.

Each frame is drawn twice, as Textual sends it and as the stage does, on two terminals that have to show the
same. Lines with characters that terminals give other cells than their own are excepted, until they are drawn
from end to end without: Textual does not say where the rest of such a line goes. They have to look as if the
stage had drawn them on an empty terminal.

`KBTUI_KEYS` says how many keys are pressed in each number of colours, `KBTUI_SEED` which.
"""

from __future__ import annotations

import os
import random
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

import pytest
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Offset, Size
from textual.screen import Screen
from textual.strip import Strip

from kbtui.commands import TYPING
from kbtui.demo.server import Demo
from kbtui.settings import Workspace
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.screens.browse import Browse
from tests.emulators import Pyte
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.stage import Both

KEYS = int(os.environ.get("KBTUI_KEYS", "60"))
SEED = int(os.environ.get("KBTUI_SEED", "0")) or random.randrange(1, 2**32)

SCRIPTS = "नमस्ते दुनिया", "שלום עולם", "👩\u200d👩\u200d👧 family ❤\ufe0f", "ภาษาไทยที่รัก", "Cafe\u0301 日本語"
WORDS = [*"abc de e", "e\u0301", "日", "न", "ा", "😀", "ש"]
MOVES = "j j j j k k G g-g ctrl+d ctrl+u pagedown pageup "
BROWSE = (
    MOVES
    + "l h enter tab 1 2 3 z-R z-M g-h g-p g-a / F escape f-t f-u f-d f-f s-n s-U s-Z J K ] [ i V "
    + "I I A g-A f-a space space g-u y-i "
    + "S S c c g-q . n N e e e e r r u u g-d g-w ? : g-t g-t R ctrl+l g-x"
)
PRESSED = {
    "filter": "backspace enter escape down",
    "rename": "home left backspace enter escape",
    "search": "up down backspace enter tab escape",
    "results": MOVES + "enter l / escape e c tab o space i I",
    "chunks": MOVES + "enter v tab m b M M / n N e escape",
    "unindexed": "b m escape",
    "compared": MOVES + "tab J K enter escape",
    "index": MOVES + "b m m x B c R escape q",
    "knowledge": MOVES + "tab enter b v / R escape q",
    "knowledge_words": "enter escape down backspace",
    "whole": MOVES + "( ) n N e escape",
    "chunk_words": "backspace enter escape",
    "ask": "enter enter f3 down backspace escape",
    "answer": MOVES + "enter . / a s o x e c g-q escape",
    "agents": "down enter enter escape",
    "keys": "down up pagedown enter escape escape",
    "editor": "enter enter backspace delete ctrl+z ctrl+y ctrl+k ctrl+w ctrl+shift+k f1 f6 f7 f8 "
    "up down left right home end pageup pagedown shift+up shift+down shift+right ctrl+s ctrl+s escape escape",
    "question": "tab left enter y n escape",
    "notice": "enter",
    "conflict": MOVES + "m t b n N tab enter e w a-m a-t g-m q",
    "differs": MOVES + "t e",
    "choose": MOVES + "enter escape",
    "drafts": MOVES + "enter x escape",
    "welcome": "g-w ? g-t",
}
"""What is pressed where, by the places of `commands`; elsewhere `BROWSE`."""


class Drawn(NamedTuple):
    """An update as it was when it was drawn; as text, with how each of its lines begins."""

    kind: str
    lines: list[tuple[int, list[tuple[int, Strip | None]]]]

    @classmethod
    def of(cls, update: LayoutUpdate | ChopsUpdate, both: Both) -> Self:
        lines: list[tuple[int, list[tuple[int, Strip | None]]]]
        if isinstance(update, LayoutUpdate):
            kind = "LayoutUpdate"
            lines = [
                (y, [(x, strip) for x, strip in enumerate(line)]) for y, line in enumerate(update.strips)
            ]
        else:
            kind = f"ChopsUpdate of {update.spans}"
            lines = [(y, [*update.chops[y].items()]) for y in dict.fromkeys(y for y, _, _ in update.spans)]
        return cls(f"{kind} on {both.size}, taken: {both.stage.fast.takes}", lines)

    def __str__(self) -> str:
        told = [self.kind]
        for y, pieces in self.lines:
            starts = [(x, strip and [(s.text[:12], str(s.style)) for s in strip][:2]) for x, strip in pieces]
            told.append(f"    {y}: {starts[:3]}")
        return "\n".join(told)


class Watch:
    """Both terminals, fed with what the app draws."""

    def __init__(self, chance: random.Random, colours: str) -> None:
        self._chance, self._colours = chance, colours
        self._both: Both | None = None
        self._failed: Exception | None = None
        self._astray: set[int] = set()  # lines of plain Textual's, with cells that are not where they belong
        self._last: deque[Drawn] = deque(maxlen=6)  # for the one who looks for a mistake
        self.frames = 0

    def draw(self, app: App[object], drawn: RenderableType | None) -> None:
        """Keeps what goes wrong to itself: the app would end of it."""
        if self._failed or app._batch_count or not isinstance(drawn, LayoutUpdate | ChopsUpdate):
            return
        if self._both is None:
            fills = self._chance.random() < 0.5
            terminals = Pyte(1, 1, fills=fills), Pyte(1, 1, fills=fills), Pyte(1, 1, fills=fills)
            self._both = Both(terminals, app.size, self._colours, sides=self._chance.random() < 0.5)
        try:
            self._draw(self._both, drawn, app.cursor_position)
        except Exception as error:
            self._failed = error

    def _draw(self, both: Both, drawn: LayoutUpdate | ChopsUpdate, cursor: Offset) -> None:
        if isinstance(drawn, LayoutUpdate) and drawn.region.size != both.size:
            both.resize(drawn.region.size)
        both.stage.fast.takes = self._chance.random() < 0.9
        self._last.append(Drawn.of(drawn, both))
        cursor = both.size.clamp_offset(cursor)
        plain = to_the_ends(drawn) if isinstance(drawn, ChopsUpdate) else drawn
        both.draw_plain(plain, cursor)
        both.draw_ours(drawn, cursor)
        self._astray = (self._astray - in_whole(plain, both.size)).union(both.doubted())
        if both.stage.fast.takes:
            self._compare(both)

    def settle(self) -> None:
        """What was left out is drawn as well; what went wrong since is told."""
        if self._failed is None and self._both is not None:
            self._both.take()
            try:
                self._compare(self._both)
            except AssertionError as error:
                self._failed = error
        if self._failed is not None:
            for drawn in self._last:
                self._failed.add_note(str(drawn))
            raise self._failed

    def _compare(self, both: Both) -> None:
        self.frames += 1
        both.alike(but=self._astray)
        if self._astray:
            both.as_from_nothing()


def in_whole(update: LayoutUpdate | ChopsUpdate, size: Size) -> set[int]:
    """The lines that an update draws from end to end."""
    if isinstance(update, LayoutUpdate):
        return set(range(size.height))
    return {y for y, left, right in update.spans if left == 0 and right >= size.width}


def to_the_ends(update: ChopsUpdate) -> ChopsUpdate:
    """The update with its pieces drawn to their ends, as the stage does.

    Textual cuts them off where the change ends that it was told of: what comes behind may be newer than what
    is on the screen, and is drawn a frame later.
    """
    spans = []
    for y, left, right in update.spans:
        pieces = zip(update.chops[y], update.chop_ends[y], strict=False)
        ends = [(x, end) for x, end in pieces if x < right and end > left]
        spans.append((y, min(left, ends[0][0]), max(right, ends[-1][1])) if ends else (y, left, right))
    return ChopsUpdate(update.chops, spans, update.chop_ends)


async def step(house: House, service: Service, chance: random.Random) -> str:
    """Do something, and say what."""
    screen = house.app.screen
    place = screen.here()[0] if isinstance(screen, CommandScreen) else ""
    if chance.random() < 0.85:
        keys: str = chance.choice(PRESSED.get(place, BROWSE).split() + 2 * WORDS * (place in TYPING))
        await house.press(*keys.split("-"))
        return keys
    match chance.choice(["resize", "toast", "paste", "elsewhere"]):
        case "resize":
            width, height = chance.choice([(80, 24), (chance.randint(20, 180), chance.randint(6, 60))])
            await house.pilot.resize_terminal(width, height)
            return f"{width}x{height}"
        case "toast":
            house.app.tell(chance.choice(SCRIPTS) * chance.randint(1, 8), chance.choice(["", "warn", "bad"]))
        case "paste":
            house.app.post_message(events.Paste("\n".join(SCRIPTS * chance.randint(1, 8))))
        case "elsewhere":
            browse = next((each for each in house.app.screen_stack if isinstance(each, Browse)), None)
            row = browse.documents.row if browse is not None else None
            if row is not None and row.type == "text":
                service.patch(row.id, content=" ".join(chance.choices(WORDS, k=40)))
    await house.press()
    return "…"


@pytest.mark.parametrize("colours", ["truecolor", "256", "standard", "none"])
async def test_every_screen_ends_in_what_textual_draws(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colours: str
) -> None:
    chance = random.Random(SEED)
    watch = Watch(chance, "truecolor" if colours == "none" else colours)
    display = App._display

    def watched(app: App[object], screen: Screen[object], drawn: RenderableType | None) -> None:
        watch.draw(app, drawn)
        display(app, screen, drawn)

    monkeypatch.setattr(App, "_display", watched)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor" if colours == "none" else colours)
    if colours == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    for name in SCRIPTS:
        service.add(name, "\n\n".join(f"# {name}\n{words} {name}" for words in SCRIPTS))
    theme = "ansi-dark" if colours == "standard" else "auto"
    first = settings_for(demo.url, demo.key, tmp_path, name="first", theme=theme)
    away = Workspace("no key", "https://api.elevenlabs.io")
    last: deque[str] = deque(maxlen=40)
    size = Size(80, 24)
    try:
        async with opened(replace(first, workspaces=(first.workspace, away)), size) as house:
            await house.online()
            for _ in range(KEYS):
                last.append(await step(house, service, chance))
                size = house.app.size
                watch.settle()
    except Exception as error:
        error.add_note(f"KBTUI_SEED={SEED}, after {' '.join(last)} on {size}")
        raise
    print(f"{colours}: {watch.frames} frames")
