"""Conflict: both sides changed the text; a person decides, with the differences before their eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.differences import diff
from kbtui.errors import Conflict
from kbtui.tui.screens.question import Asking
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


MARGIN = 3  # of what goes on below: past the sign of a difference


class ConflictScreen(Asking[str]):
    """Answers "mine", "theirs", "merge" or "editor".

    `differs` asks the other question: the service holds another text than was just sent.
    """

    def __init__(self, app: KbApp, name: str, conflict: Conflict, *, differs: bool = False) -> None:
        super().__init__(app)
        self.places = ("differs" if differs else "conflict", "move")
        self.named = name
        self.conflict = conflict
        self.differs = differs
        self._header, self._view = Line("header"), DocumentView("differences")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._view
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show(
            [(" ✕ ", "warn"), (self.named, "strong")],
            [("not what was sent " if self.differs else "both sides changed it ", "warn")],
        )
        self._view.say(self._lines(), hang=MARGIN)
        self.set_focus(self._view)
        self.show_footer()

    def _lines(self) -> list[list[Part]]:
        conflict = self.conflict
        if self.differs:
            parts = [("From what you sent to what the service holds", conflict.mine, conflict.theirs)]
        else:
            parts = [
                ("What they changed", conflict.base, conflict.theirs),
                ("What you changed", conflict.base, conflict.mine),
            ]
        lines: list[list[Part]] = [[("   ", ""), (safe(conflict.sentence), "warn")]] if self.differs else []
        for title, before, after in parts:
            lines += [[("", "")], [(f"   {title}", "strong")]]
            for line in diff(before, after, before_name="before", after_name="after")[2:]:
                look = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")
                lines.append([("  " + safe(line), look)])
        return lines

    def do_move(self, by: str) -> None:
        self._view.move(by)

    def do_conflict_mine(self) -> None:
        self.dismiss("mine")

    def do_conflict_theirs(self) -> None:
        self.dismiss("theirs")

    def do_conflict_accept(self) -> None:
        self.dismiss("theirs")

    def do_conflict_editor(self) -> None:
        self.dismiss("editor")

    def do_conflict_merge(self) -> None:
        self.dismiss("merge")
