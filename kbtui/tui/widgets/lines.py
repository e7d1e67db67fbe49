"""A list of lines that were handed in."""

from __future__ import annotations

from collections.abc import Sequence

from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.virtual_list import VirtualList


class Lines(VirtualList):
    """Lines with a cursor; what they stand for is known to the screen that shows them."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._lines: Sequence[Sequence[Part]] = ()

    def show(self, lines: Sequence[Sequence[Part]], cursor: int = 0) -> None:
        """Draw these lines."""
        self._lines = lines
        self.resize_to(len(lines), cursor)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        return self._lines[index]
