"""Conflict: both sides changed the text; a person decides, with the differences before their eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.commands import Command
from kbtui.content import diff, safe
from kbtui.errors import Conflict
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class ConflictScreen(CommandScreen[str]):
    """Answers "mine", "theirs", "merge" or "editor".

    `normalised` asks the other question: the service keeps what was sent in a form of its own.
    """

    places = ("conflict", "move")

    def __init__(self, app: KbApp, name: str, conflict: Conflict, *, normalised: bool = False) -> None:
        super().__init__(app.keymap)
        self.named = name
        self.conflict = conflict
        self.normalised = normalised

    def compose(self) -> ComposeResult:
        yield Line("header")
        yield DocumentView("differences")
        yield Line("footer")

    def on_mount(self) -> None:
        self.query_one("#header", Line).show(
            [(" ✕ ", "warn"), (self.named, "strong"), (f"   {safe(self.conflict.sentence)}", "warn")]
        )
        view = self.query_one(DocumentView)
        view.say(self._lines())
        view.focus()
        self.show_footer()

    def can(self, command: Command) -> bool:
        return super().can(command) and not (self.normalised and command.id == "conflict.merge")

    def _lines(self) -> list[list[Part]]:
        conflict = self.conflict
        if self.normalised:
            parts = [("From what you sent to what the service keeps", conflict.mine, conflict.theirs)]
        else:
            parts = [
                ("What they changed", conflict.base, conflict.theirs),
                ("What you changed", conflict.base, conflict.mine),
            ]
        lines: list[list[Part]] = []
        for title, before, after in parts:
            lines += [[("", "")], [(f"  {title}", "strong")]]
            for line in diff(before, after, before_name="before", after_name="after")[2:]:
                look = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")
                lines.append([("  " + safe(line), look)])
        return lines

    def do_move(self, by: str) -> None:
        self.query_one(DocumentView).move(by)

    def do_conflict_mine(self) -> None:
        self.dismiss("mine")

    def do_conflict_theirs(self) -> None:
        self.dismiss("theirs")

    def do_conflict_editor(self) -> None:
        self.dismiss("editor")

    def do_conflict_merge(self) -> None:
        self.dismiss("merge")
