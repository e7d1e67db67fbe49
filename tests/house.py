"""The real app over a real server, without a terminal: what screen tests have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from kbtui.__main__ import open_workspace
from kbtui.drafts import Draft
from kbtui.keymap import Keymap
from kbtui.knowledge_base import KnowledgeBase
from kbtui.rows import DocumentRow, Start
from kbtui.settings import Places, Settings, Workspace
from kbtui.tui.app import KbApp
from kbtui.tui.keyboard import caught_up
from kbtui.tui.screens.browse import Browse
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.question import Asking
from kbtui.tui.widgets.line import Line

BASE = "One.\nTwo.\nThree.\n"  # a text to be edited
PATIENCE = 15.0  # seconds a condition may take on a busy machine
CHARACTERS = {"space": " ", "slash": "/", "enter": "\r", "escape": "\x1b", "tab": "\t"}


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

    @property
    def tree(self) -> list[str]:
        """The lines of the folder tree."""
        folders = self.browse.folders
        return [
            "".join(text for text, _ in folders.parts(line, 40)).rstrip() for line in range(folders.count)
        ]

    def list_says(self, words: str) -> bool:
        """Whether the list says this instead of showing documents."""
        lines = self.browse.documents
        drawn = " ".join(lines.render_line(y).text.strip() for y in range(lines.size.height))
        return lines.count == 0 and words in drawn

    def line(self, id: str) -> str:
        """What a line of the screen says: header, heads, chips, tabs or footer; "" before it is there."""
        return next((line.text for line in self.app.screen.query(f"#{id}").results(Line)), "")

    @property
    def notices(self) -> str:
        """What the app has told, newest last."""
        return "\n".join(notice.message for notice in self.app._notifications)

    @property
    def drawn(self) -> list[str]:
        """The screen as it is drawn, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def row(self) -> DocumentRow:
        """The document under the cursor of the list."""
        row = self.browse.documents.row
        assert row is not None
        return row

    @property
    def status(self) -> str:
        """The right end of the header: how it stands with the service."""
        return "".join(text for text, _ in self.app.status(1_000))

    @property
    def settled(self) -> bool:
        """Whether the last look at the service is complete and drawn."""
        return self.status == "online" and self.app._version == self.browse.kb.mirror.version

    async def press(self, *keys: str) -> None:
        """Press keys, all at once as a slow line delivers them, and wait until they are carried out.

        A question is read before it is answered.
        """
        question = self.app.screen
        if isinstance(question, Asking):
            await self.until(lambda: question.frame is not None, "the question")
        self.burst(*keys)
        async with asyncio.timeout(PATIENCE):
            for _ in range(2):  # what the keys set off has queues of its own
                await caught_up(self.app)
                await self.pilot._wait_for_screen()

    def wait_a_moment(self) -> None:
        """As if the person had read what a refused key said, before the next one."""
        self.browse._typed_on = -inf

    async def type(self, text: str) -> None:
        await self.press(*text)

    def burst(self, *keys: str) -> None:
        """Press keys, and wait for nothing."""
        for key in keys:
            if len(key) == 1:
                self.app.post_message(events.Key(_character_to_key(key), key))
            else:
                self.app.post_message(events.Key(key, CHARACTERS.get(key)))

    def paste(self, text: str) -> None:
        """Paste a text, and wait for nothing."""
        self.app.post_message(events.Paste(text))

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait for a condition; fail with the words of the screen where it does not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"never: {what or condition}; the app said: {self.notices!r}") from None

    @property
    def reading(self) -> bool:
        """Whether the text of the document under the cursor is on the screen."""
        reading, row = self.browse.reading, self.browse.documents.row
        return not reading.busy and reading.row == row

    @property
    def indexes_known(self) -> bool:
        """Whether the column of indexes is filled."""
        states, seen = self.browse.kb.index_states, self.browse.documents.in_view()
        return self.browse.documents.size.height > 0 and all(
            states.first(id, updated) for id, updated in seen.items()
        )

    @property
    def drafts(self) -> list[Draft]:
        """Words typed and not in the service."""
        return self.browse.kb.drafts.all()

    async def online(self) -> None:
        """Wait until everything that the service has is here, and drawn."""
        await self.until(lambda: self.settled, "online, and drawn")

    async def editing(self, name: str) -> Editor:
        """Open the editor on a document."""
        await self.select(name)
        await self.press("e")
        return await self.editor()

    async def editor(self) -> Editor:
        """Wait until an editor has the keys."""
        await self.until(lambda: isinstance(self.app.screen, Editor) and self.app.screen.area.has_focus)
        await self.until(lambda: self.line("header"), "its header")
        assert isinstance(self.app.screen, Editor)
        return self.app.screen

    async def mend(self, words: str) -> None:
        """Edit what is under the cursor: put words where the editor opens, save them and come back."""
        await self.press("e")
        await self.editor()
        await self.type(words)
        await self.press("ctrl+s")
        await self.until(lambda: "Saved, verified" in self.notices, "saved")
        await self.press("escape")

    async def typing(self, name: str, words: str) -> Editor:
        """Everything is here, and these words are typed in the editor of a document."""
        await self.online()
        editor = await self.editing(name)
        await self.type(words)
        return editor

    async def enter(self, *folders: str) -> None:
        """From the root, go into these folders, one inside the other."""
        await self.press("g", "h")
        for name in folders:
            await self._go_into(name)

    async def _go_into(self, name: str) -> None:
        await self.until(lambda: name in self.names, f"a folder {name}")
        self.burst("/")
        self.paste(name)
        await self.press("enter", "enter")
        await self.until(lambda: name in self.line("header"), f"in {name}")

    async def select(self, name: str) -> None:
        """Put the cursor of the list on a document, wherever it is, by filtering all documents."""
        self.burst("g", "a", "slash")
        self.paste(name)  # typed, it would be looked for and drawn once for every letter
        await self.press("enter")
        await self.until(lambda: name in self.names, name)
        if self.row.name != name:  # others hold these words, too
            await self.press("g", "g", *["j"] * self.names.index(name))
        await self.until(lambda: self.row.name == name, name)


def last_change(kb: KnowledgeBase) -> tuple[str, str] | None:
    """What undo would take back: the kind of change, and the name of its document."""
    change = kb.undoable()
    return (change.kind, change.name) if change else None


def settings_for(url: str, key: str, home: Path, **rest: Any) -> Settings:
    """Settings of one workspace whose files are under `home`."""
    workspace = Workspace(rest.pop("name", "acme"), url, key=key, read_only=rest.pop("read_only", False))
    places = Places(home / "config", home / "state", home / "cache")
    return Settings(places, (workspace,), workspace, **rest)


@asynccontextmanager
async def opened(
    settings: Settings, size: tuple[int, int] = (120, 24), start: Start | None = None, *, toasts: bool = False
) -> AsyncIterator[House]:
    """The app on these settings, until the block ends; no higher than needed, since all of it is drawn."""
    app = KbApp(
        settings,
        open_workspace(settings, settings.workspace),
        Keymap(settings.keys),
        open_workspace,
        lambda: settings,
        start,
    )
    app.settle = 0.02
    app.calm = 0.0
    async with app.run_test(size=size, notifications=toasts) as pilot:
        yield House(app, pilot)
