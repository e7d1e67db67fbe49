"""The editor: the text of one document, in its own format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import TextArea

from kbtui.commands import Situation
from kbtui.content import safe
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.words import Words

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.knowledge_base import Saved
    from kbtui.tui.app import KbApp


class Editor(CommandScreen[None]):
    """Edits a draft. Every key is journalled; leaving keeps the draft; saving is the app's work."""

    places = ("editor",)

    @dataclass
    class Save(Message):
        """The person wants the text in the service."""

        editor: Editor

    def __init__(self, app: KbApp, draft: Draft) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self.kb = app.kb
        self.draft = draft
        self._header = Line("header")
        self.area = Words(draft.text, "words")
        self.saving = False

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.area
        yield Line("footer")

    @property
    def text(self) -> str:
        """The text as it would be sent, byte for byte what was read where nothing was typed."""
        return self.area.document.text

    @property
    def dirty(self) -> bool:
        return self.text != self.draft.base

    def situation(self) -> Situation:
        return Situation(dirty=self.dirty)

    def on_mount(self) -> None:
        self.set_focus(self.area)
        self.show_lines()

    def show_lines(self) -> None:
        mark: Part = ("● ", "warn") if self.dirty else ("  ", "")
        state = "saving … " if self.saving else "not saved yet " if self.dirty else "as in the service "
        self._header.show(
            [(" ", ""), mark, (safe(self.draft.name[:300]), "strong")],
            [(state, "warn" if self.dirty else "dim"), (f"{safe(self.draft.format)} ", "dim")],
        )
        self.show_footer()

    def facts(self) -> list[Part]:
        row, column = self.area.cursor_location
        return [(f"line {count(row + 1)} of {count(self.area.document.line_count)}, {column + 1} ", "dim")]

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._journal()
        self.show_lines()

    def _journal(self) -> None:
        # The writer thread takes the lines itself: a copy of the list is one step, whatever the loop does.
        document = self.area.document
        self.kb.drafts.typed(self.draft, lambda: document.newline.join(list(document.lines)))

    @on(TextArea.SelectionChanged)
    def _moved(self) -> None:
        self.show_footer()

    def do_edit_save(self) -> None:
        if not self.saving:
            self.post_message(self.Save(self))

    def do_edit_leave(self) -> None:
        self.kb.leave(self.draft, self.text)
        self.dismiss()

    def do_edit_outside(self) -> None:
        self.kb.drafts.flush()
        self.dismiss()
        self.kbapp.resume(self.draft, True)

    def do_edit_discard(self) -> None:
        self._discard()

    @background("discard")
    async def _discard(self) -> None:
        from kbtui.tui.screens.question import Question

        loss = f"What you changed in “{safe(self.draft.name[:80])}” since the last save is lost for good."
        if await self.kbapp.push_screen_wait(Question(self.kbapp, "Discard the draft?", loss, "Discard")):
            self.kb.drafts.drop(self.draft)
            self.dismiss()

    def saved(self, saved: Saved, text: str) -> None:
        """The service holds `text` now; what is typed from here on is a draft on top of it."""
        if not self.is_attached:
            return
        self.draft = saved.draft or self.kb.drafts.begin(
            document=self.draft.document,
            name=self.draft.name,
            field="content",
            format=self.draft.format,
            base=text,
            base_updated=self.draft.base_updated,
        )
        self._journal()
        self.show_lines()
