"""The folders of the workspace as a tree, with what is in them counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import islice
from typing import NamedTuple

from rich.cells import cell_len

from kbtui.content import safe
from kbtui.rows import ALL, ROOT, UNPLACED, FolderRow
from kbtui.tui.widgets.line import Part, fit
from kbtui.tui.widgets.virtual_list import VirtualList
from kbtui.views import cyclic

MEASURED = 1_000  # folders
EDGE = 2  # cells of the scroll bar and of the line to the right
SHOWN = 400  # characters of a name that any screen could show


def count(number: int) -> str:
    """A count with its thousands apart: 12 480."""
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str) -> str:
    """A count of something: 1 document, 12 480 documents."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


class Node(NamedTuple):
    """One line of the tree: a scope, and how it hangs there."""

    scope: str
    name: str
    depth: int
    documents: int | None  # all below it
    folded: bool | None  # None: nothing to unfold


class FolderTree(VirtualList):
    """All documents, the root with its folders, and what has no place."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.open: set[str] = set()
        self._shown: list[Node] = []
        self._folders: list[FolderRow] = []
        self._totals: dict[str, int] = {}
        self._inside: dict[str, list[FolderRow]] = {}
        self._parents: dict[str, str] = {}
        self._awaited = ("", "")  # a scope that is not here yet, and where the cursor is instead
        self.needed = 0  # cells in which no name would be cut, were all unfolded

    @property
    def scope(self) -> str:
        """The scope under the cursor."""
        return self._shown[self.cursor].scope if self._shown else ROOT

    def show(self, folders: list[FolderRow], totals: dict[str, int]) -> None:
        """Draw these folders; `totals` counts ALL, ROOT and UNPLACED. The cursor stays on its folder."""
        if (folders, totals) == (self._folders, self._totals) and self._shown:
            return
        self._folders, self._totals = folders, totals
        self._inside = _children(folders)
        self._parents = {folder.id: parent for parent, inside in self._inside.items() for folder in inside}
        self._measure()
        self._lay(self.scope)
        awaited, instead = self._awaited
        if awaited in self._parents and self.scope == instead:
            self.select(awaited)

    def select(self, scope: str) -> None:
        """Put the cursor on `scope`, unfolding what hides it; if it is on the way, when it comes."""
        here = self._parents.get(scope)
        while here:
            self.open.add(here)
            here = self._parents.get(here)
        self._lay(scope)
        self._awaited = (scope, self.scope) if self.scope != scope else ("", "")

    def above(self, scope: str) -> str:
        """The scope that a folder hangs in: a folder, ROOT or UNPLACED."""
        return self._parents.get(scope, ROOT)

    def go_to(self, scope: str) -> None:
        """Move the cursor to a line that is shown."""
        self.go(next((i for i, node in enumerate(self._shown) if node.scope == scope), self.cursor))

    def fold(self, scope: str, folded: bool) -> None:
        """Fold or unfold one folder."""
        (self.open.discard if folded else self.open.add)(scope)
        self._lay(scope)

    def fold_all(self, folded: bool) -> None:
        """Fold or unfold every folder."""
        self.open = set() if folded else set(self._inside)
        self._lay(self.scope)

    @property
    def node(self) -> Node | None:
        return self._shown[self.cursor] if self._shown else None

    def _lay(self, scope: str) -> None:
        self._shown = list(self._walk(self.open))
        at = next((i for i, node in enumerate(self._shown) if node.scope == scope), min(1, len(self._shown)))
        self.resize_to(len(self._shown), at)

    def _measure(self) -> None:
        """For the first folders: of ten thousand nobody looks at all, and all would hold up a frame."""
        nodes = islice(self._walk({*self._inside}), MEASURED)
        self.needed = EDGE + max((sum(map(cell_len, _words(node))) for node in nodes), default=0)

    def _walk(self, open: Set[str]) -> Iterator[Node]:
        whole = self._totals.get(ALL)
        unplaced = self._documents(UNPLACED)
        yield Node(ALL, "All documents", 0, whole, None)
        yield Node(ROOT, "Root", 0, None if whole is None else max(0, whole - unplaced), None)
        yield from self._below(ROOT, open)
        if self._totals.get(UNPLACED):
            folded = UNPLACED not in open if UNPLACED in self._inside else None
            yield Node(UNPLACED, "Unplaced", 0, unplaced, folded)
            if folded is False:
                yield from self._below(UNPLACED, open)

    def _documents(self, scope: str) -> int:
        """All documents below a scope that is no folder; its total counts the folders in it, too."""
        inside = self._inside.get(scope, [])
        return self._totals.get(scope, 0) - len(inside) + sum(folder.documents for folder in inside)

    def _below(self, scope: str, open: Set[str]) -> Iterator[Node]:
        stack = [(folder, 1) for folder in reversed(self._inside.get(scope, []))]
        while stack:
            folder, depth = stack.pop()
            inside = self._inside.get(folder.id, [])
            folded = None if not inside else folder.id not in open
            yield Node(folder.id, folder.name, depth, folder.documents, folded)
            if folded is False:
                stack += [(child, depth + 1) for child in reversed(inside)]

    def parts(self, index: int, width: int) -> Sequence[Part]:
        name, number = _words(self._shown[index])
        return [(fit(name, max(1, width - len(number))), ""), (number, "dim")]


def _words(node: Node) -> tuple[str, str]:
    """How a line begins and how it ends."""
    number = "" if node.documents is None else count(node.documents)
    glyph = {None: "  ", True: "▸ ", False: "▾ "}[node.folded]
    return " " + "  " * min(node.depth, 12) + glyph + safe(node.name[:SHOWN]), f" {number} "


def _children(folders: Sequence[FolderRow]) -> dict[str, list[FolderRow]]:
    """The folders by the scope they hang in: a tree, whatever the service says of parents.

    What names a parent that is not here, or is its own ancestor, hangs in UNPLACED.
    """
    parents = {folder.id: folder.parent for folder in folders}
    looped = set(cyclic(parents))
    inside: dict[str, list[FolderRow]] = {}
    for folder in folders:
        lost = folder.id in looped or (folder.parent is not None and folder.parent not in parents)
        inside.setdefault(UNPLACED if lost else folder.parent or ROOT, []).append(folder)
    return inside
