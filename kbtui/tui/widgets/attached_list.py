"""The knowledge base of an agent: what is attached to it, as the mirror knows it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from kbtui.agents import Attached
from kbtui.content import safe
from kbtui.rows import FOLDER
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import SHOWN, counted
from kbtui.tui.widgets.line import Part, cut, fit
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase

TYPE, SIZE, MODE = 8, 18, 8


class AttachedList(VirtualList):
    """Documents and folders, with the way in which the agent is given each: in its prompt, or as it asks."""

    def __init__(self, id: str, kb: KnowledgeBase) -> None:
        super().__init__(id)
        self._kb = kb
        self._attached: Sequence[Attached] = ()

    def show(self, attached: Sequence[Attached]) -> None:
        """Draw these; the cursor stays where it is if they are the same."""
        same = attached == self._attached
        self._attached = attached
        self.resize_to(len(attached), self.cursor if same else 0)

    @property
    def selected(self) -> Attached | None:
        """What is under the cursor."""
        return self._attached[self.cursor] if self.cursor < len(self._attached) else None

    def parts(self, index: int, width: int) -> Sequence[Part]:
        each = self._attached[index]
        row = self._kb.mirror.row(each.id)
        room = max(1, width - TYPE - MODE - SIZE - 4)
        size = ""
        if row is not None:
            below = counted(row.documents or 0, "document")
            size = below if row.type == FOLDER else human_size(row.size)
        name = safe((row.name if row else each.name)[:SHOWN]) or "(no name)"
        place = f"  {safe(self._kb.place(each.id)[:SHOWN])}" if row else "  not in the list"
        left = cut([(name, ""), (place, "dim" if row else "warn")], room - 1)
        gap = room - sum(cell_len(text) for text, _ in left)
        return [
            (" ▸ " if each.type == FOLDER else "   ", "key"),
            *left,
            (" " * gap, ""),
            (fit(safe(each.type[:TYPE]), TYPE), "dim"),
            (fit(size, SIZE, right=True), ""),
            (fit(safe(each.mode[:MODE]), MODE, right=True) + " ", "key" if each.mode == "prompt" else "dim"),
        ]
