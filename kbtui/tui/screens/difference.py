"""What a person changed: against what the edit began with, or against what the service has now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.commands import Command
from kbtui.content import safe
from kbtui.errors import Error
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.differences import MARGIN, differences
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.line import Line

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.tui.app import KbApp

BEGAN = "What you changed since the edit began"
NOW = "From what the service has now to your words"


class Difference(CommandScreen[None]):
    """Shows, and changes nothing; the editor below keeps its words and its cursor."""

    places = ("difference", "move")

    def __init__(self, app: KbApp, draft: Draft, text: str) -> None:
        super().__init__(app.keymap)
        self.kbapp, self._draft, self._text = app, draft, text
        self._from_service = False
        self._header, self._view = Line("header"), DocumentView("differences")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._view
        yield Line("footer")

    def on_mount(self) -> None:
        self.set_focus(self._view)
        self._show()

    def label(self, command: Command) -> str:
        other = "against what you opened" if self._from_service else "against the service"
        return other if command.id == "difference.other" else super().label(command)

    def show_lines(self) -> None:
        against = "against the service" if self._from_service else "since the edit began"
        self._header.show(
            [
                (" Δ ", "key"),
                (safe(self._draft.name[:300]), "strong"),
                (f"  {safe(self.kbapp.kb.place(self._draft.document))}", "dim"),
            ],
            [(f"{against} ", "dim")],
        )
        self.show_footer()

    @background("difference")
    async def _show(self) -> None:
        self.show_lines()
        title, before = BEGAN, self._draft.base
        if self._from_service:
            self._view.say([[("   asking the service …", "dim")]])
            try:
                before = (await self.kbapp.kb.read(self._draft.document)).text
            except Error as error:
                self._view.say([[(f"   {safe(error.sentence)}", "bad")]], hang=MARGIN)
                return
            same = " (where the edit began)" if before == self._draft.base else ""
            title = f"{NOW}{same}"
        self._view.say(await asyncio.to_thread(differences, title, before, self._text), hang=MARGIN)

    def do_move(self, by: str) -> None:
        self._view.move(by)

    def do_difference_other(self) -> None:
        self._from_service = not self._from_service
        self._show()

    def do_difference_leave(self) -> None:
        self.dismiss()
