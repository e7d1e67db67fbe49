"""What the screen below a list of commands can do: which of them it knows, by which keys, why not now."""

from __future__ import annotations

from rich.cells import cell_len

from kbtui.commands import Command
from kbtui.keymap import show_key
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.line import Part, fit

KEYS = 15  # cells for the keys of a command; where it has more, its words stand farther right


class Below:
    """What a list of commands asks of the screen that it lies over."""

    def __init__(self, screen: CommandScreen[object]) -> None:
        self.screen = screen

    @property
    def here(self) -> list[str]:
        """Its places, what is special to it first."""
        here = [*self.screen.here(), "everywhere"]
        return sorted(dict.fromkeys(here), key=("move", "everywhere").__contains__)

    def place(self, command: Command) -> str | None:
        """The first of its places in which a command works."""
        return next((place for place in self.here if place in command.places), None)

    def knows(self, command: Command) -> bool:
        """Whether it knows this command here, by whatever key."""
        return self.place(command) is not None and self.screen.can(command)

    def keys(self, command: Command) -> tuple[str, ...]:
        """The keys that press it there."""
        return self.screen.keymap.keys(command, self.screen.here()) if self.knows(command) else ()

    def ways(self, command: Command) -> list[str]:
        """Its keys there, or else anywhere, and what is typed after `:`, as a person reads them."""
        keys = self.keys(command) or self.screen.keymap.keys(command)
        return [*map(show_key, keys), *([f":{command.typed}"] if command.typed else [])]

    def works(self, command: Command) -> bool:
        """Whether it can be run from there, were it not off."""
        return bool(self.keys(command)) or (bool(command.typed) and self.knows(command))

    def line(self, command: Command) -> list[Part]:
        """The line of a command in a list of them: how it is run, what it does, and why not now."""
        ways, reason = "  ".join(self.ways(command)), self.reason(command)
        look = "" if self.works(command) and not reason else "dim"
        return [
            (f"    {fit(ways, max(KEYS, cell_len(ways)))} ", look or "key"),
            (command.help, look),
            (f"   {reason}" if reason else "", "warn"),
        ]

    def reason(self, command: Command) -> str | None:
        """Why it cannot be done there now."""
        return command.reason(self.screen.situation()) if self.knows(command) else None

    def run(self, command: Command) -> None:
        """Carry it out there, now that what lay above is gone, and before any key that was typed after it."""
        self.screen.run(command)
