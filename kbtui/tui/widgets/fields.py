"""The two fields of Browse: for the words of a filter, and for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

from kbtui.rows import DocumentRow

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.knowledge_base import KnowledgeBase


class Field(Input):
    """A line to type in, without a frame or a blinking cursor, hidden until it is needed."""

    def __init__(self, id: str, placeholder: str = "") -> None:
        super().__init__(id=id, placeholder=placeholder, select_on_focus=False, compact=True)
        self.cursor_blink = False
        self.display = False


class FilterField(Field):
    """The words that names must hold."""

    @dataclass
    class Typed(Message):
        """The words are others now."""

        words: str

    def __init__(self, id: str) -> None:
        super().__init__(id, "words in the name")

    def begin(self, words: str) -> None:
        """Appear with the words of now and take the keys."""
        self.display = True
        self.value = words
        self.cursor_position = len(words)
        self.screen.set_focus(self)

    def watch_value(self, value: str) -> None:
        if self.display:
            self.post_message(self.Typed(value))


class NameField(Field):
    """Lies over the line of a document; what is typed is journalled like every other word."""

    @dataclass
    class Submitted(Message):
        """The person wants this name."""

        draft: Draft
        name: str

    @dataclass
    class Closed(Message):
        """The field is gone."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
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
        self.display = True
        self.screen.set_focus(self)

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
        self.display = False
        self.post_message(self.Closed())
