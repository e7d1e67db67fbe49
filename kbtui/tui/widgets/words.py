"""The text buffer: words that are edited, drawn without harm."""

from __future__ import annotations

from contextlib import suppress

from rich.text import Text
from textual.widgets import TextArea

from kbtui.content import in_place


class Words(TextArea):
    """A text area for texts that `content.survives` lets in; it draws nothing that a terminal obeys."""

    def __init__(self, text: str, id: str) -> None:
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="indent",
            max_checkpoints=1000,
        )
        self.cursor_blink = False

    def get_line(self, line_index: int) -> Text:
        return Text(in_place(self.document.get_line(line_index), tabs=True), end="", no_wrap=True)

    def _recompute_cursor_offset(self) -> None:
        # Textual undoes a change first and moves the cursor then: in between it may stand below the text.
        with suppress(ValueError):
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]
