"""What runs or waits in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult

from kbtui.situation import Situation
from kbtui.tui import empty_list
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.tasks import Task
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

LOW = 12  # rows, below which the task under the cursor is not told in full
STATE = 34  # cells for how far a task is, where titles leave no more


class TaskList(CommandScreen[None]):
    """Tasks as they stand now, the cursor on the one that it was put on, and all that is told of it below."""

    places = ("tasks", "move", "around")

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self.shown: list[Task] = []
        self._drawn: list[list[Part]] = []
        self._said: list[list[Part]] = []
        self._header, self.lines, self.about = Line("header"), Lines("lines"), DocumentView("about")
        self.about.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.lines
        yield self.about
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" Tasks", "strong"), ("   what runs or waits in the background", "dim")])
        self.set_focus(self.lines)
        self.show_lines()

    def on_resize(self) -> None:
        self.set_class(self.app.size.height < LOW, "-low")
        self.show_lines()

    def show_lines(self) -> None:
        """Called again and again: draw what has changed."""
        task = self.selected
        self.shown = self.kbapp.tasks()
        drawn = self._table()
        if not drawn:
            self.lines.explain([("  Nothing runs and nothing waits.", "dim")])
        elif drawn != self._drawn:
            ids = [each.id for each in self.shown]
            here = ids.index(task.id) if task is not None and task.id in ids else self.lines.cursor
            self.lines.show(drawn, here)
        self._drawn = drawn
        about = self._about()
        if about != self._said:
            self._said = about
            self.about.say(about)
        self.show_footer()

    def here(self) -> tuple[str, ...]:
        return self.places[:2] if self.kbapp.is_asking else self.places

    def situation(self) -> Situation:
        task = self.selected
        if task is None:
            return Situation(stays="nothing runs and nothing waits")
        return Situation(stays=task.why if task.cancel is None else "")

    @property
    def selected(self) -> Task | None:
        """That under the cursor."""
        return self.shown[self.lines.cursor] if self.lines.cursor < len(self.shown) else None

    def _table(self) -> list[list[Part]]:
        """A line a task; how far it is has the room that titles leave, and some of theirs if it needs it."""
        room = self.app.size.width - 5
        titles = max((cell_len(each.title) for each in self.shown), default=0)
        states = max((cell_len(each.state) for each in self.shown), default=0)
        title = max(20, min(titles, room - min(states, STATE)))
        return [
            [
                ("  ", ""),
                (fit(each.title, title) + "  ", ""),
                (fit(each.state, max(1, room - title)).rstrip(), each.look or "dim"),
            ]
            for each in self.shown
        ]

    def _about(self) -> list[list[Part]]:
        """The task under the cursor in full, and whether it can be cancelled."""
        task = self.selected
        if task is None:
            return []
        key = empty_list.key(self.keymap, "tasks.cancel")
        can = f"{key} cancels it{f'; {task.why}' if task.why else ''}."
        return [
            [(task.title, "strong")],
            [(task.state, task.look)],
            [(can if task.cancel is not None else f"It cannot be cancelled: {task.why}.", "dim")],
        ]

    def do_move(self, by: str) -> None:
        self.lines.move(by)
        self.show_lines()

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self.show_lines()

    def do_tasks_cancel(self) -> None:
        task = self.selected
        if task is not None and task.cancel is not None:
            task.cancel()
            self.tell(f"Cancelled: {task.title}{f'; {task.why}' if task.why else ''}.")
            self.show_lines()

    def do_tasks_leave(self) -> None:
        self.dismiss()
