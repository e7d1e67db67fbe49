"""The real app over a real server, without a terminal: what screen tests have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kbtui.__main__ import open_workspace
from kbtui.commands import Keymap
from kbtui.settings import Places, Settings, Workspace
from kbtui.tui.app import KbApp
from kbtui.tui.screens.browse import Browse
from kbtui.tui.widgets.line import Line

PATIENCE = 15.0  # seconds a condition may take on a busy machine


class House:
    """A running app, and the questions that tests ask of it."""

    def __init__(self, app: KbApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def browse(self) -> Browse:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, Browse))

    @property
    def names(self) -> list[str]:
        """The names the list shows, from its first line to its last."""
        rows = (self.browse.documents.at(index) for index in range(self.browse.documents.count))
        return [row.name for row in rows if row is not None]

    def line(self, id: str) -> str:
        """What a line of the screen says: header, heads, chips, tabs or footer."""
        return self.app.screen.query_one(f"#{id}", Line).text

    @property
    def notices(self) -> str:
        """What the app has told, newest last."""
        return "\n".join(notice.message for notice in self.app._notifications)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if character == " " else character for character in text))

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait for a condition; fail with the words of the screen where it does not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            raise AssertionError(f"never: {what or condition}; the app said: {self.notices!r}") from None

    @property
    def reading(self) -> bool:
        """Whether the text of the document under the cursor is on the screen."""
        reading, row = self.browse.reading, self.browse.documents.row
        return not reading.busy and reading.row == row

    async def enter(self, *folders: str) -> None:
        """From the root, go into these folders, one inside the other."""
        await self.press("g", "h")
        for name in folders:
            await self.until(lambda name=name: name in self.names, f"no folder {name}")
            await self.press("slash")
            await self.type(name)
            await self.press("enter", "enter")
            await self.until(lambda name=name: self.line("header").count(name), f"not in {name}")

    async def select(self, name: str) -> None:
        """Put the cursor of the list on a document, wherever it is, by filtering all documents."""
        await self.press("g", "a", "slash")
        await self.type(name)
        await self.press("enter")
        await self.until(lambda: self.browse.documents.row and self.browse.documents.row.name == name, name)


def settings_for(url: str, key: str, home: Path, **rest: Any) -> Settings:
    """Settings of one workspace whose files are under `home`."""
    workspace = Workspace(rest.pop("name", "acme"), url, key=key, read_only=rest.pop("read_only", False))
    places = Places(home / "config", home / "state", home / "cache")
    return Settings(places, (workspace,), workspace, **rest)


@asynccontextmanager
async def opened(settings: Settings, size: tuple[int, int] = (120, 36)) -> AsyncIterator[House]:
    """The app on these settings, until the block ends."""
    app = KbApp(
        settings,
        open_workspace(settings, settings.workspace),
        Keymap(settings.keys),
        open_workspace,
        lambda: settings,
    )
    app.settle = 0.02
    async with app.run_test(size=size) as pilot:
        yield House(app, pilot)
