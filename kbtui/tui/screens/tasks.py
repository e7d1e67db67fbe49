"""What runs or waits in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult

from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.tasks import Task
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

STATE = 34  # cells for how far a task is


class TaskList(CommandScreen[None]):
    """Tasks as they stand now, the cursor on the one that it was put on."""

    places = ("tasks", "move", "around")

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self.shown: list[Task] = []
        self._drawn: list[list[Part]] = []
        self._header, self.lines = Line("header"), Lines("lines")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.lines
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" Tasks", "strong"), ("   what runs or waits in the background", "dim")])
        self.set_focus(self.lines)
        self.show_lines()

    def on_resize(self) -> None:
        self.show_lines()

    def show_lines(self) -> None:
        """Called again and again: draw what has changed."""
        task = self.selected
        self.shown = self.kbapp.tasks()
        drawn = [self._line(each) for each in self.shown] or [[("  Nothing runs and nothing waits.", "dim")]]
        if drawn != self._drawn:
            self._drawn = drawn
            ids = [each.id for each in self.shown]
            here = ids.index(task.id) if task is not None and task.id in ids else self.lines.cursor
            self.lines.show(drawn, here)
        self.show_footer()

    def here(self) -> tuple[str, ...]:
        return self.places[:2] if self.kbapp.is_asking else self.places

    @property
    def selected(self) -> Task | None:
        """That under the cursor."""
        return self.shown[self.lines.cursor] if self.lines.cursor < len(self.shown) else None

    def _line(self, task: Task) -> list[Part]:
        room = max(20, self.app.size.width - STATE - 4)
        mark = "x " if task.cancel is not None else "  "
        state = fit(task.state, STATE) if cell_len(task.state) > STATE else task.state
        return [(f" {mark}", "key"), (fit(task.title, room - 1) + " ", ""), (state, task.look or "dim")]

    def do_move(self, by: str) -> None:
        self.lines.move(by)

    def do_tasks_cancel(self) -> None:
        task = self.selected
        if task is None:
            self.tell("There is nothing to cancel.")
        elif task.cancel is None:
            self.tell(f"This is not cancelled: {task.why}.", "warn")
        else:
            task.cancel()
            self.tell(f"Cancelled: {task.title}{f'; {task.why}' if task.why else ''}.")
            self.show_lines()

    def do_tasks_leave(self) -> None:
        self.dismiss()
