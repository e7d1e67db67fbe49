"""The two fields of Browse: for the words of a filter, and for a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Input
from textual.widgets.input import Selection

from kbtui.content import in_place
from kbtui.rows import DocumentRow

if TYPE_CHECKING:
    from rich.style import Style

    from kbtui.drafts import Draft
    from kbtui.knowledge_base import KnowledgeBase


class Field(Input):
    """A line to type in, without a frame or a blinking cursor; tells `heard` its words as they are typed.

    Told by a message, they would be drawn a frame before what they change.
    """

    virtual_size = Reactive(Size(0, 0))  # Textual's asks for a layout at every character

    def __init__(
        self,
        id: str,
        placeholder: str = "",
        heard: Callable[[str], object] = lambda words: None,
        label: str = "",
    ) -> None:
        """A `label` stands before what is typed, and says what for."""
        self._heard = heard
        super().__init__(id=id, placeholder=placeholder, select_on_focus=False, compact=True)
        self.cursor_blink = False
        self._label = f" {label}" if label else ""
        if label:
            self.styles.padding = (0, 1, 0, len(self._label))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the label where else nothing is: in the padding."""
        strips = super().render_lines(crop)
        if not self._label or not strips:
            return strips
        dim: Style = self.app.looks["dim"]  # type: ignore[attr-defined]
        label = Strip([Segment(self._label, self.rich_style + dim)]).crop(crop.x, crop.right)
        return [Strip.join([label, strips[0].crop(label.cell_length)]), *strips[1:]]

    def watch_value(self, value: str) -> None:
        if self.is_mounted and self.display:
            self._heard(value)

    @property
    def _value(self) -> Text:
        """What is drawn for the value: nothing in it that a terminal obeys."""
        return Text(in_place(self.value), no_wrap=True, overflow="ignore", end="")

    def on_paste(self, event: events.Paste) -> None:
        """Take all lines as one, and a line alone as it is; Textual would take the first, be it empty."""
        lines = event.text.splitlines()
        event.text = lines[0] if len(lines) == 1 else " ".join(filter(None, map(str.strip, lines)))


class FilterField(Field):
    """What the list is filtered by."""

    def __init__(self, id: str, heard: Callable[[str], object]) -> None:
        super().__init__(id, "words in the name", heard)
        self.display = False

    def begin(self, parts: str, words: str) -> None:
        """Appear with the filter of now, whose words the next ones take the place of; take the keys."""
        self.display = True
        before = f"{parts} " if parts else ""
        self.value = before + words
        self.selection = Selection(len(before), len(self.value))
        self.screen.set_focus(self)


class NameField(Field):
    """Lies over the line of a document; what is typed is journalled like every other word."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.display = False
        self.draft: Draft | None = None
        self.in_tree = False  # the name belongs to a line of the tree
        self._kb: KnowledgeBase | None = None

    def open(self, kb: KnowledgeBase, row: DocumentRow, *, in_tree: bool) -> None:
        """Appear with the document's name, or with what was typed before."""
        self._kb, self.in_tree = kb, in_tree
        self.draft = kb.begin_rename(row)
        self.value = self.draft.text
        self.cursor_position = len(self.value)
        self.display = True
        self.screen.set_focus(self)

    def lie(self, x: int, y: int, width: int) -> None:
        """Lie over this place of the screen."""
        self.styles.offset = (x, y)
        self.styles.width = width

    def watch_value(self, value: str) -> None:
        if self._kb is not None and self.draft is not None and value != self.draft.text:
            self._kb.drafts.typed(self.draft, lambda: self.value)

    def submit(self) -> bool:
        """Send the name off and go away; False where it is empty."""
        if self.draft is None:
            return True
        if not self.value.strip():
            self.screen.tell("A document needs a name of at least one character.", "warn")  # type: ignore[attr-defined]
            return False
        self.app.send_name(self.draft, self.value)  # type: ignore[attr-defined]
        self.close()
        return True

    def leave(self) -> None:
        """Go away without a change; the person said so, so the typed name goes too."""
        if self._kb is not None and self.draft is not None:
            self._kb.drafts.drop(self.draft)
        self.close()

    def close(self) -> None:
        """Go away; what was typed stays a draft."""
        if self._kb is not None and self.draft is not None:
            name = self.value  # the next name that is typed here is another's
            self._kb.drafts.typed(self.draft, lambda: name)
        self.draft = None
        self.display = False
