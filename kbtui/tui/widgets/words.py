"""The text buffer: words that are edited, drawn without harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.text import Text
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.widgets import TextArea

from kbtui.content import in_place
from kbtui.tui.widgets.scrolling import Scrolling


class Words(Scrolling, TextArea):
    """A text area for texts that `content.survives` lets in; it draws nothing that a terminal obeys.

    It says at once, and not by a message, when it was edited and when its cursor moved: what stands around it
    is drawn with the same frame.
    """

    def __init__(self, text: str, id: str, edited: Callable[[], object], moved: Callable[[], object]) -> None:
        self._edited, self._moved = edited, moved
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="indent",
            max_checkpoints=1000,
        )
        self.cursor_blink = False

    def on_resize(self) -> None:
        self.call_after_refresh(self.scroll_cursor_visible)

    def watch_selection(self) -> None:
        if self.is_mounted:
            self._moved()

    def edit(self, edit: Edit) -> EditResult:
        result = super().edit(edit)
        self._edited()
        return result

    def undo(self) -> None:
        super().undo()
        self.history.checkpoint()  # or what is typed next would be undone with what was typed before
        self._edited()

    def redo(self) -> None:
        super().redo()
        self._edited()

    # Textual lays out the lines of edits that are undone together by the lowest of their ends, though each is
    # a place in a text of its own time: lines that are no more would be drawn, which ends the app.

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in reversed(edits):
            super()._undo_batch([edit])

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            super()._redo_batch([edit])

    def get_line(self, line_index: int) -> Text:
        return Text(in_place(self.document.get_line(line_index), tabs=True), end="", no_wrap=True)

    def _recompute_cursor_offset(self) -> None:
        # Textual undoes a change first and moves the cursor then: in between it may stand below the text.
        with suppress(ValueError):
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]
