"""The knowledge base of an agent: what is attached to it, as the mirror knows it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kbtui.agents import Attached
from kbtui.content import safe
from kbtui.rows import FOLDER
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import SHOWN, counted
from kbtui.tui.widgets.line import Part, cells, cut, fit, widest
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase

HEADS = "Name", "Type", "Holds", "Usage"
MOST = 80, 8, 18, 8  # cells of each
AIR = 2  # cells between two
MEASURED = 60  # of a long list, those that tell how wide its columns are


class AttachedList(VirtualList):
    """Documents and folders, with the way in which the agent is given each: in its prompt, or as it asks."""

    def __init__(self, id: str, kb: KnowledgeBase) -> None:
        super().__init__(id)
        self._kb = kb
        self._attached: Sequence[Attached] = ()
        self._cells = self._measured()

    def show(self, attached: Sequence[Attached]) -> None:
        """Draw these; the cursor stays where it is if they are the same."""
        same = attached == self._attached
        self._attached = attached
        if not same:
            self._cells = self._measured()
        self.resize_to(len(attached), self.cursor if same else 0)

    def _measured(self) -> list[int]:
        """The cells that the columns need: of names, types, sizes and ways of use."""
        lines = (self._columns(each) for each in self._attached[:MEASURED])
        rows = [HEADS, *(("".join(text for text, _ in named), *rest) for named, *rest in lines)]
        return [min(widest(column), most) for column, most in zip(zip(*rows, strict=True), MOST, strict=True)]

    @property
    def selected(self) -> Attached | None:
        """What is under the cursor."""
        return self._attached[self.cursor] if self.cursor < len(self._attached) else None

    def parts(self, index: int, width: int) -> Sequence[Part]:
        each = self._attached[index]
        named, kind, size, usage = self._columns(each)
        name, *rest = self._fitting(width)
        left = cut(named, name - 1)
        return [
            (" ▸ " if each.type == FOLDER else "   ", "key"),
            *left,
            (" " * (name - cells(left)), ""),
            (fit(kind, rest[0]), "dim"),
            (fit(size, rest[1], right=True), ""),
            (" " * AIR + fit(usage, rest[2] - AIR), "key" if usage == "prompt" else "dim"),
        ]

    def heads(self, width: int) -> str:
        """What stands above the columns."""
        if not self.count:
            return ""
        name, kind, holds, usage = HEADS
        wide = self._fitting(width)
        left = f"   {fit(name, wide[0])}{fit(kind, wide[1])}"
        return f"{left}{fit(holds, wide[2], right=True)}{' ' * AIR}{usage}"

    def _fitting(self, width: int) -> tuple[int, ...]:
        """The cells of the columns in so many, with the blanks between them; the name has what is left."""
        name, kind, *rest = self._cells
        others = kind, *(each + AIR for each in rest)
        return max(1, min(name + AIR, width - len(" ▸ ") - sum(others) - 1)), *others

    def _columns(self, each: Attached) -> tuple[list[Part], str, str, str]:
        """Name and place, type, what it holds, and the way of use."""
        row = self._kb.mirror.row(each.id)
        size = ""
        if row is not None:
            below = counted(row.documents or 0, "document")
            size = below if row.type == FOLDER else human_size(row.size)
        name = safe((row.name if row else each.name)[:SHOWN]) or "(no name)"
        place = f"  {safe(self._kb.place(each.id)[:SHOWN])}" if row else "  not in the list"
        named = [(name, ""), (place, "dim" if row else "warn")]
        return named, safe(each.type), size, safe(each.mode)
