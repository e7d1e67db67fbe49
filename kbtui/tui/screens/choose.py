"""Lists to choose from: drafts, workspaces, and every key with what it does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input

from kbtui.commands import COMMANDS, PLACES, Command, show_key
from kbtui.content import safe
from kbtui.drafts import Draft
from kbtui.settings import Workspace
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Lines(VirtualList):
    """A list of lines handed in."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.lines: Sequence[Sequence[Part]] = ()

    def show(self, lines: Sequence[Sequence[Part]], cursor: int = 0) -> None:
        self.lines = lines
        self.resize_to(len(lines), cursor)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        return self.lines[index]


class Choice(CommandScreen[None]):
    """A title, a list, and Enter."""

    places: ClassVar[tuple[str, ...]] = ("choose", "move")
    heading = ""
    empty = ""

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp = app

    def compose(self) -> ComposeResult:
        yield Line("header")
        yield Lines("lines")
        yield Line("footer")

    def on_mount(self) -> None:
        self.query_one("#header", Line).show([(f" {self.heading}", "strong")])
        self.query_one(Lines).focus()
        self.fill()
        self.show_footer()

    def fill(self, cursor: int = 0) -> None:
        """Draw the lines anew."""
        lines = self.choices() or [[(f"  {self.empty}", "dim")]]
        self.query_one(Lines).show(lines, cursor)

    def choices(self) -> list[list[Part]]:
        raise NotImplementedError

    @property
    def cursor(self) -> int:
        return self.query_one(Lines).cursor

    def do_move(self, by: str) -> None:
        self.query_one(Lines).move(by)

    def do_choose_leave(self) -> None:
        self.dismiss()

    @on(VirtualList.Opened)
    def _opened(self) -> None:
        self.run_id("choose.open")


class DraftList(Choice):
    """Words typed and not yet saved."""

    places = ("drafts", "choose", "move")
    heading = "Drafts: typed, and not in the service"
    empty = "No drafts. What you type in the editor is kept here until the service has it."

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self.drafts: list[Draft] = []

    def choices(self) -> list[list[Part]]:
        self.drafts = self.kbapp.kb.drafts.all()
        return [self._line(draft) for draft in self.drafts]

    def _line(self, draft: Draft) -> list[Part]:
        gone = self.kbapp.kb.mirror.row(draft.document) is None
        state = "being typed elsewhere" if draft.elsewhere else "document is gone" if gone else ""
        return [
            (f"  {fit(human_age(int(draft.saved_at), time.time()), 8, right=True)}  ", "dim"),
            (fit("text" if draft.field == "content" else "name", 6), "key"),
            (fit(safe(draft.name[:200]), 44), ""),
            (fit(f"{len(draft.text):,} characters", 20, right=True), "dim"),
            (f"  {state}", "warn"),
        ]

    def do_choose_open(self) -> None:
        if not self.drafts:
            return
        draft = self.drafts[self.cursor]
        if draft.elsewhere:
            self.tell("Another kbtui is typing in this draft.", "warn")
            return
        self.dismiss()
        self.kbapp.resume(draft)

    def do_choose_discard(self) -> None:
        if self.drafts:
            self._discard(self.drafts[self.cursor])

    @background("discard")
    async def _discard(self, draft: Draft) -> None:
        from kbtui.tui.screens.question import Question

        loss = f"{len(draft.text):,} characters typed for “{safe(draft.name[:80])}” are lost for good."
        if await self.app.push_screen_wait(Question(self.kbapp, "Discard this draft?", loss, "Discard")):
            self.kbapp.kb.drafts.drop(draft)
            self.fill(self.cursor)


class WorkspaceList(Choice):
    """The workspaces of the configuration."""

    heading = "Workspaces"

    def choices(self) -> list[list[Part]]:
        settings = self.kbapp.settings
        return [self._line(each, each.name == settings.workspace.name) for each in settings.workspaces]

    def _line(self, workspace: Workspace, here: bool) -> list[Part]:
        return [
            ("  ● " if here else "    ", "key"),
            (fit(safe(workspace.name), 24), "strong"),
            (fit(safe(workspace.region), 30), "dim"),
            ("read-only" if workspace.read_only else "", "warn"),
        ]

    def do_choose_open(self) -> None:
        self.kbapp.change_workspace(self.kbapp.settings.workspaces[self.cursor])


class KeyList(Choice):
    """Every command with its keys; typing filters, Enter runs what works on the screen below."""

    places = ("choose",)

    def __init__(self, app: KbApp, below: Screen[object]) -> None:
        super().__init__(app)
        self.below = below
        self.shown: list[Command | None] = []

    @property
    def heading(self) -> str:  # type: ignore[override]
        return "Keys and commands"

    def compose(self) -> ComposeResult:
        yield Line("header")
        yield Input(id="words", placeholder="type to filter", select_on_focus=False, compact=True)
        yield Lines("lines")
        yield Line("footer")

    def on_mount(self) -> None:
        super().on_mount()
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.fill()

    def choices(self) -> list[list[Part]]:
        words = self.query_one(Input).value.casefold().split()
        lines: list[list[Part]] = []
        self.shown = []
        for place, title in PLACES.items():
            found = [c for c in COMMANDS if place in c.places and self._matches(c, words)]
            if found:
                lines.append([(f"  {title}", "strong")])
                self.shown.append(None)
            for command in found:
                lines.append(self._line(command))
                self.shown.append(command)
        return lines

    def _matches(self, command: Command, words: list[str]) -> bool:
        keys = " ".join(show_key(key) for key in self.keymap.keys(command))
        text = f"{command.label} {command.help} {command.id} {keys}".casefold()
        return all(word in text for word in words)

    def _line(self, command: Command) -> list[Part]:
        keys = "  ".join(show_key(key) for key in self.keymap.keys(command))
        reason = None
        if isinstance(self.below, CommandScreen) and self._works_below(command):
            reason = command.reason(self.below.situation())
        look = "dim" if reason else ""
        return [
            (fit("", 4), ""),
            (fit(keys, 14), look or "key"),
            (fit(command.help, 62), look),
            (f"  {reason}" if reason else "", "warn"),
        ]

    def _works_below(self, command: Command) -> bool:
        below = self.below
        return (
            isinstance(below, CommandScreen)
            and any(place in below.here() for place in command.places)
            and below.can(command)
        )

    def here(self) -> tuple[str, ...]:
        return ("choose",)

    def press(self, event: object) -> bool:
        key = getattr(event, "key", "")
        if key in ("up", "down", "pageup", "pagedown"):
            self.do_move({"up": "up", "down": "down", "pageup": "page_up", "pagedown": "page_down"}[key])
            return True
        return super().press(event)  # type: ignore[arg-type]

    def do_choose_open(self) -> None:
        command = self.shown[self.cursor] if self.shown else None
        if command is None:
            return
        if not self._works_below(command):
            self.tell(f"“{command.label}” works elsewhere: {PLACES[command.places[0]]}.", "warn")
            return
        below = self.below
        self.dismiss()
        assert isinstance(below, CommandScreen)
        self.app.call_later(below.run, command)
