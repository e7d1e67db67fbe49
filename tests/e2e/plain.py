"""A program as it is written with Textual alone: `python -m tests.e2e.plain SHOWN DIRECTORY`.

It shows one of `SHOWN`, or a table whose rows have another name, and tells in the directory what happened:
the keys that were pressed and how many threads read them, the ticks of its timer, the answers to its
question, and the text that it left in order with.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Button, DataTable, Input, Label, OptionList, Static, TextArea, Tree


class Plain(App[None]):
    """Shows a table, and tells."""

    def __init__(self, shown: str, place: Path) -> None:
        super().__init__()
        self.shown, self.place = shown, place

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        for table in self.query(DataTable[str]):
            table.add_columns("name", "type")
            table.add_rows((f"{self.shown} {number}", "text") for number in range(200))

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            readers = [thread.name for thread in threading.enumerate()].count("textual-input")
            self.tell("readers", f"{readers}\n")
            self.tell("keys", f"{event.key}\n")
        await super().on_event(event)

    def tell(self, what: str, told: str) -> None:
        with (self.place / what).open("a", newline="") as file:
            file.write(told)


class Area(TextArea):
    def on_unmount(self) -> None:
        keep(self.app, self.text)


class Line(Input):
    def on_unmount(self) -> None:
        keep(self.app, self.value)


def keep(app: App[object], text: str) -> None:
    """Tell of a text that is left in order."""
    assert isinstance(app, Plain)
    app.tell("kept", text)


class Text(Plain):
    """A text: a hundred lines, or what the directory has for it."""

    def compose(self) -> ComposeResult:
        given = self.place / "given"
        lines = "\n".join(f"line {number}" for number in range(100))
        yield Area(given.read_bytes().decode() if given.exists() else lines)


class Panes(Text):
    """A table beside a text."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from Plain.compose(self)
            yield from super().compose()


class Clock(Plain):
    """Ticks, and draws every tick. The terminal is lent to another program, which cannot be run or stays."""

    BINDINGS = [("e", "lend_in_vain", ""), ("w", "lend_and_wait", "")]

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self._ticks = 0
        self.set_interval(0.02, self._tick)

    def _tick(self) -> None:
        self._ticks += 1
        self.query_one(Static).update(f"tick {self._ticks} " * 500)
        self.tell("ticks", f"{self._ticks}\n")

    def action_lend_in_vain(self) -> None:
        try:
            with self.suspend():
                raise FileNotFoundError("no such editor")
        except FileNotFoundError:
            self.notify("There is no such editor.")

    def action_lend_and_wait(self) -> None:
        self.run_worker(self._lend_and_wait())

    async def _lend_and_wait(self) -> None:
        with self.suspend():
            self.tell("lent", "lent\n")
            await asyncio.Event().wait()


class Options(Plain):
    def compose(self) -> ComposeResult:
        yield OptionList(*(f"line {number}" for number in range(200)))


class Leaves(Plain):
    """A tree with all its leaves."""

    def compose(self) -> ComposeResult:
        yield Tree("root")

    def on_mount(self) -> None:
        tree = self.query_one(Tree)
        tree.root.expand()
        for number in range(400):
            tree.root.add_leaf(f"line {number}")


class Loading(Plain):
    """What is shown is not there yet."""

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(DataTable).loading = True


class Spinner(Plain):
    """Four times in a second another character in a line that is as wide as what it says."""

    CSS = "Static { width: auto; }"

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("/")
            yield from super().compose()

    def on_mount(self) -> None:
        super().on_mount()
        self._turns = cycle("-\\|/")
        self.set_interval(0.25, self._turn)

    def _turn(self) -> None:
        turn = next(self._turns)
        self.query_one(Static).update(turn)
        self.tell("ticks", f"{turn}\n")


class Field(Plain):
    def compose(self) -> ComposeResult:
        yield Line(placeholder="line 20")


class Copier(Plain):
    """Copies on any key."""

    def on_key(self) -> None:
        self.copy_to_clipboard("word " * 30_000)


class Question(ModalScreen[None]):
    BINDINGS = [("y", "yes", "delete it")]

    def compose(self) -> ComposeResult:
        yield Label("Delete it?")
        yield Button("Cancel")
        yield Button("Delete it", id="verb")

    def action_yes(self) -> None:
        self.dismiss()


class Asker(Plain):
    """Asks before it deletes."""

    BINDINGS = [("d", "delete", "delete")]

    def action_delete(self) -> None:
        self.push_screen(Question(), lambda answer: self.tell("answers", "yes\n"))


SHOWN: Mapping[str, type[Plain]] = {
    "text": Text,
    "panes": Panes,
    "clock": Clock,
    "options": Options,
    "tree": Leaves,
    "loading": Loading,
    "spinner": Spinner,
    "field": Field,
    "copier": Copier,
    "asker": Asker,
}


def main() -> int:
    shown, place = sys.argv[1:]
    app = SHOWN.get(shown, Plain)(shown, Path(place))
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
