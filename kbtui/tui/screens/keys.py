"""Every key with what it does: type to filter, Enter runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.commands import COMMANDS, PLACES, Command
from kbtui.filters import KEYS as PARTS
from kbtui.keymap import show_key
from kbtui.tui.below import KEYS, Below
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

FILTER_PARTS = {
    **{f"{key}:": what for key, what in PARTS.items()},
    "!": "before a part: all but what it lets through",
    '"two words"': "both, as they stand in the name",
}


class Keys(CommandScreen[None]):
    """What works here and now, what does not work now, and what works elsewhere."""

    places = ("keys",)

    def __init__(self, app: KbApp, below: CommandScreen[object]) -> None:
        super().__init__(app.keymap)
        self.below = Below(below)
        self.shown: list[Command | None] = []
        self._header, self._found = Line("header"), Found("lines")
        self._field = Field("words", "type to filter", lambda words: self._fill())

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        yield self._found
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" Keys and commands", "strong")])
        self.set_focus(self._field)
        self._fill()
        self.show_footer()

    def _fill(self) -> None:
        """Draw what matches the words, the cursor on the first command."""
        words = self._field.value.casefold().split()
        lines: list[list[Part]] = []
        self.shown = []
        for title, look, found in self._sections([c for c in COMMANDS if self._matches(c, words)]):
            if found:
                lines.append([(f"  {title}", look)])
                self.shown.append(None)
            for command in found:
                lines.append(self.below.line(command))
                self.shown.append(command)
        parts = [(key, what) for key, what in FILTER_PARTS.items() if _holds(f"filter {key} {what}", words)]
        if parts and not {"browse", "filter"}.isdisjoint(self.below.here):
            lines.append([("  Parts of a filter, in any order", "strong")])
            lines += [[(f"    {fit(key, KEYS)} ", "key"), (what, "")] for key, what in parts]
            self.shown += [None] * (len(parts) + 1)
        if lines:
            self._found.show(lines, 1)
        else:
            self._found.explain([("  No command says that.", "dim")])

    def _sections(self, found: list[Command]) -> Iterator[tuple[str, str, list[Command]]]:
        """Groups of commands, as (title, its look, commands)."""
        below = self.below
        now = [command for command in found if below.works(command) and not below.reason(command)]
        for place in below.here:
            yield PLACES[place], "strong", [c for c in now if below.place(c) == place]
        off = [command for command in found if below.reason(command)]
        yield "Not now", "strong", off
        elsewhere = [command for command in found if command not in now and command not in off]
        for place, title in (PLACES | {"everywhere": "Outside text fields"}).items():
            yield title, "dim", [c for c in elsewhere if c.places[0] == place]

    def _matches(self, command: Command, words: list[str]) -> bool:
        keys = " ".join(map(show_key, self.keymap.keys(command)))
        return _holds(f"{command.label} {command.help} {command.id} {keys} :{command.typed}", words)

    def do_keys(self, by: str) -> None:
        """Move in the list while the field has the focus."""
        self._found.move(by)

    def do_keys_leave(self) -> None:
        self.dismiss()

    @on(VirtualList.Opened)
    def do_keys_run(self) -> None:
        command = self.shown[self._found.cursor] if self.shown else None
        if command is None:
            return
        if not self.below.knows(command):
            self.tell(f"“{command.help}” works elsewhere: {PLACES[command.places[0]]}.", "warn")
            return
        self.dismiss()
        self.below.run(command)


class Found(Lines):
    """Moved from the field, which keeps the focus."""

    led = True


def _holds(text: str, words: Iterable[str]) -> bool:
    return all(word in text.casefold() for word in words)
