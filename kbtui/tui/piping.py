"""A text that is given to a command of the shell: `|` in Browse."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from kbtui.content import safe
from kbtui.rows import DocumentRow
from kbtui.tui.background import background
from kbtui.tui.viewing import Viewing
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Piping(Viewing):
    """The commands of the place "pipe", and those that lead there."""

    _piped: DocumentRow | None = None  # the document that `|` was pressed on, wherever the cursor goes
    _commands: Sequence[str] = ()  # of before, the newest first
    _at = -1  # in these; -1: the one that was typed here
    _typed = ""  # that

    def add_fields(self) -> None:
        super().add_fields()
        if self.is_attached and not self.query("#pipe"):
            field = Field("pipe", label="| ")
            field.display = False
            self.mount(field, before=self.query_one("#footer"))

    @property
    def _pipe_field(self) -> Field:
        self.add_fields()
        return cast(Field, self.query_one("#pipe"))

    @property
    def _part(self) -> str:
        """What of a text is given to a command: that which the mode shows, rendered text by its words."""
        return "source" if self.reading.mode == "source" else "plain"

    def do_view_pipe(self) -> None:
        from kbtui.tui.outside import pager

        field, none = self._pipe_field, pager()
        self._piped, self.typed_in = self.row, self.pane
        self._commands, self._at, self._typed = self.kb.piped(), -1, ""
        words = "source of the text" if self._part == "source" else "plain words of the text"
        field.placeholder = f"a command that is given the {words}" + (f"; none: {none}" if none else "")
        field.value = ""
        self.app.clear_notifications()  # none lies over what is typed
        field.display = True
        self.set_focus(field)

    def do_pipe_older(self, by: int = 1) -> None:
        field = self._pipe_field
        if self._at < 0:
            self._typed = field.value
        self._at = max(-1, min(self._at + by, len(self._commands) - 1))
        field.value = self._commands[self._at] if self._at >= 0 else self._typed
        field.cursor_position = len(field.value)

    def do_pipe_newer(self) -> None:
        self.do_pipe_older(-1)

    def do_pipe_leave(self) -> None:
        self.go_pane(self.typed_in)

    def do_pipe_run(self) -> None:
        command, row = self._pipe_field.value.strip(), self._piped
        self.do_pipe_leave()
        if row is not None:
            self._pipe(row, command)

    def do_view_pager(self) -> None:
        if self.row is not None:
            self._pipe(self.row, "")

    @background("pipe")
    async def _pipe(self, row: DocumentRow, command: str) -> None:
        """Give the text of a document to a command; to the pager nothing that a terminal would obey."""
        from kbtui.tui.outside import ending, pager, pipe

        part, to_pager = self._part, not command
        command = command or pager()
        body = self.kb.kept_body(row) or await self.kb.read(row.id)
        if not body.text or not command:
            self.tell("The document has no text." if command else "No pager is set: set $PAGER.", "warn")
            return
        exact = part == "source" and not to_pager
        text = body.text if exact else await asyncio.to_thread(self.reading.shown_of, body, part)
        data = text.encode("utf-8", "replace")
        if not to_pager:
            self.kb.remember_pipe(command)
        try:
            code = await pipe(cast("KbApp", self.app), command, data, linger=not to_pager)
        except (OSError, ValueError) as fault:  # the latter of a byte that no command can hold
            self.tell(f"The shell cannot be run: {getattr(fault, 'strerror', None) or fault}.", "bad")
            return
        what = f"{'source' if part == 'source' else 'plain words'}, {counted(len(data), 'byte')}"
        self.tell(f"“{safe(command[:80])}” {ending(code)}; it was given the {what}.", "warn" if code else "")
