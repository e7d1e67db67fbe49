"""A text in lines: what the text buffer edits.

Textual's own would change the text by loading it: `str.splitlines` cuts at nine characters, and the lines are
joined by one.
"""

from __future__ import annotations

import re
from typing import overload

from rich.cells import cell_len
from textual.geometry import Size
from textual.widgets.text_area import DocumentBase, EditResult, Location

_ENDS = re.compile("\r\n|\r|\n")


class Body(DocumentBase):
    """The lines of a text, which it gives back byte for byte.

    It is cut at one kind of line end: CRLF or CR where it has no other, else LF. What is left of others
    stands in the lines as characters, and so does everything else that some programs take for a line end.
    """

    def __init__(self, text: str) -> None:
        self._newline = newline_of(text)
        self._lines = text.split(self._newline)
        self._text: str | None = text

    def typed(self, text: str) -> str:
        """What a person typed or pasted, in the line ends of this text."""
        return _ENDS.sub(lambda _: self._newline, text)

    def holds(self, text: str) -> bool:
        """Whether a text can stand in this one without a line end that it is not cut at."""
        return self._newline == "\n" or not re.search("[\r\n]", text.replace(self._newline, ""))

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        (top, left), (bottom, right) = sorted((start, end))
        replaced = self.get_text_range((top, left), (bottom, right))
        lines = self._lines
        before = lines[top][:left] if top < len(lines) else ""
        after = lines[bottom][right:] if bottom < len(lines) else ""
        new = text.split(self._newline)
        new[0] = before + new[0]
        column = len(new[-1])
        new[-1] += after
        lines[top : bottom + 1] = new
        self._text = None
        return EditResult((top + len(new) - 1, column), replaced)

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = self._newline.join(self._lines)
        return self._text

    @property
    def newline(self) -> str:  # type: ignore[override]
        return self._newline

    @property
    def lines(self) -> list[str]:
        return self._lines

    def get_line(self, index: int) -> str:
        return self._lines[index]

    def get_text_range(self, start: Location, end: Location) -> str:
        (top, left), (bottom, right) = sorted((start, end))
        lines = self._lines[top : bottom + 1]
        if not lines:
            return ""
        if bottom < len(self._lines):
            lines[-1] = lines[-1][:right]
        lines[0] = lines[0][left:]
        return self._newline.join(lines)

    def get_size(self, indent_width: int) -> Size:
        return Size(max(map(cell_len, self._lines)), len(self._lines))

    def index_of(self, location: Location) -> int:
        """How many characters stand before a place in the text."""
        row, column = location
        return sum(map(len, self._lines[:row])) + row * len(self._newline) + column

    def location_of(self, index: int) -> Location:
        """The line, and the place in it, that has so many characters before it."""
        row = self.text.count(self._newline, 0, index)
        start = self.text.rfind(self._newline, 0, index) + len(self._newline) if row else 0
        return row, index - start

    @property
    def line_count(self) -> int:
        return len(self._lines)

    @property
    def start(self) -> Location:
        return (0, 0)

    @property
    def end(self) -> Location:
        return (len(self._lines) - 1, len(self._lines[-1]))

    @overload
    def __getitem__(self, line_index: int) -> str: ...

    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...

    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        return self._lines[line_index]


def newline_of(text: str) -> str:
    """The line end that a text is cut at."""
    for end in ("\r\n", "\r"):
        if end in text and not re.search("[\r\n]", text.replace(end, "")):
            return end
    return "\n"
