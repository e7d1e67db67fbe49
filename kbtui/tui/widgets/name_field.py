"""A field for a name, laid over the line it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

from kbtui.rows import DocumentRow

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.knowledge_base import KnowledgeBase


class NameField(Input):
    """Renames one document; what is typed is journalled like every other word."""

    @dataclass
    class Submitted(Message):
        """The person wants this name."""

        draft: Draft
        name: str

    @dataclass
    class Closed(Message):
        """The field is gone."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, select_on_focus=False, compact=True)
        self.cursor_blink = False
        self.draft: Draft | None = None
        self._kb: KnowledgeBase | None = None

    def open(self, kb: KnowledgeBase, row: DocumentRow, at: tuple[int, int], width: int) -> None:
        """Appear at a place of the screen with the document's name, or with what was typed before."""
        self._kb = kb
        self.draft = kb.begin_rename(row)
        self.value = self.draft.text
        self.cursor_position = len(self.value)
        self.styles.offset = at
        self.styles.width = width
        self.screen.add_class("-renaming")
        self.focus()

    def watch_value(self, value: str) -> None:
        if self._kb is not None and self.draft is not None and value != self.draft.text:
            self._kb.drafts.typed(self.draft, lambda: self.value)

    def submit(self) -> None:
        """Send the name off, unless it is empty."""
        if self.draft is None:
            return
        if not self.value.strip():
            self.screen.tell("A document needs a name of at least one character.", "warn")  # type: ignore[attr-defined]
            return
        self.post_message(self.Submitted(self.draft, self.value))
        self.draft = None
        self._close()

    def leave(self) -> None:
        """Go away without a change; the person said so, so the typed name goes too."""
        if self._kb is not None and self.draft is not None:
            self._kb.drafts.drop(self.draft)
        self.draft = None
        self._close()

    def _close(self) -> None:
        self.screen.remove_class("-renaming")
        self.post_message(self.Closed())
