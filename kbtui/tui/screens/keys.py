"""Every key with what it does: type to filter, Enter runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from kbtui.commands import COMMANDS, PLACES, Command, show_key
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Keys(CommandScreen[None]):
    """The commands of the screen below first, then those of other places."""

    places = ("keys",)

    def __init__(self, app: KbApp, below: CommandScreen[object]) -> None:
        super().__init__(app.keymap)
        self.below = below
        self.shown: list[Command | None] = []

    def compose(self) -> ComposeResult:
        yield Line("header")
        yield Input(id="words", placeholder="type to filter", select_on_focus=False, compact=True)
        yield Lines("lines")
        yield Line("footer")

    def on_mount(self) -> None:
        self.query_one("#header", Line).show([(" Keys and commands", "strong")])
        field = self.query_one(Input)
        field.cursor_blink = False
        self.set_focus(field)
        self._fill()
        self.show_footer()

    @on(Input.Changed)
    def _fill(self) -> None:
        """Draw what matches the words, the cursor on the first command."""
        words = self.query_one(Input).value.casefold().split()
        here = [place for place in self.below.here() if place != "move"]
        lines: list[list[Part]] = []
        self.shown = []
        for place in [*here, *(place for place in PLACES if place not in here)]:
            found = [c for c in COMMANDS if c.places[0] == place and self._matches(c, words)]
            if found:
                lines.append([(f"  {PLACES[place]}", "strong")])
                self.shown.append(None)
            for command in found:
                lines.append(self._line(command))
                self.shown.append(command)
        self.query_one(Lines).show(lines or [[("  No command says that.", "dim")]], 1)

    def _matches(self, command: Command, words: list[str]) -> bool:
        keys = " ".join(show_key(key) for key in self.keymap.keys(command))
        text = f"{command.label} {command.help} {command.id} {keys}".casefold()
        return all(word in text for word in words)

    def _line(self, command: Command) -> list[Part]:
        keys = "  ".join(show_key(key) for key in self.keymap.keys(command))
        reason = command.reason(self.below.situation()) if self._works(command) else None
        look = "dim" if reason else ""
        return [
            (f"    {fit(keys, 14)}", look or "key"),
            (command.help, look),
            (f"   {reason}" if reason else "", "warn"),
        ]

    def _works(self, command: Command) -> bool:
        """Whether the screen below knows this command here."""
        return any(place in self.below.here() for place in command.places) and self.below.can(command)

    def do_keys(self, by: str) -> None:
        """Move in the list while the field has the focus."""
        self.query_one(Lines).move(by)

    def do_keys_leave(self) -> None:
        self.dismiss()

    @on(VirtualList.Opened)
    def do_keys_run(self) -> None:
        command = self.shown[self.query_one(Lines).cursor] if self.shown else None
        if command is None:
            return
        if not self._works(command):
            self.tell(f"“{command.help}” works elsewhere: {PLACES[command.places[0]]}.", "warn")
            return
        self.dismiss()
        self.app.call_later(self.below.run, command)
