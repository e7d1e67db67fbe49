"""The columns of the list beside the name: which there are, and how they share the room."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

NAME = 32  # cells of a name, below which its index has no room where nobody asked for it
SHORTEST = 12  # and below which no column has
GAP = 2  # cells before a column
NARROWEST, WIDEST = 3, 40
RIGHT = ("size", "updated", "created", "agents")  # what stands at the right of its column
SIGNS = 3  # cells before the name


class Column(NamedTuple):
    """One column; `cells` and `shown` are what it is before anybody changes it."""

    key: str
    head: str
    cells: int
    shown: bool
    help: str
    goes: int = 0  # where there is too little room, the highest goes first; 0 never


COLUMNS = (
    Column("type", "Type", 8, True, "text, url, file or folder", 1),
    Column("size", "Size", 11, True, "bytes, or what a folder holds itself", 2),
    Column("updated", "Updated", 11, True, "how long ago it was changed", 3),
    Column("index", "Index", 10, True, "how its RAG index stands", 4),
    Column("agents", "Agents", 8, False, "how many agents use it; asked for what is shown", 5),
    Column("created", "Created", 11, False, "how long ago it was created", 6),
    Column("role", "Role", 12, False, "what you may do with it: admin, editor, commenter, viewer", 7),
    Column("id", "Id", 24, False, "its id", 8),
)
BY_KEY = {column.key: column for column in COLUMNS}

Cells = tuple[tuple[str, int], ...]  # columns that are wanted, with the cells of each
USUAL: Cells = tuple((column.key, column.cells) for column in COLUMNS if column.shown)


def recalled(kept: object) -> Cells:
    """What is wanted, from what was kept of it; what is usual where that is nothing one can use."""
    if not isinstance(kept, Mapping):
        return USUAL
    cells = {key: value for key, value in kept.items() if key in BY_KEY and type(value) is int}
    return tuple(
        (column.key, max(NARROWEST, min(cells[column.key], WIDEST)))
        for column in COLUMNS
        if column.key in cells
    )


def turned(wanted: Cells, key: str) -> Cells:
    """A column comes, as wide as usual, or goes."""
    cells = dict(wanted)
    if cells.pop(key, None) is None:
        cells[key] = BY_KEY[key].cells
    return recalled(cells)


def widened(wanted: Cells, key: str, by: int) -> Cells:
    """A column that is shown gets wider, or narrower."""
    cells = dict(wanted)
    if key in cells:
        cells[key] += by
    return recalled(cells)


@lru_cache(maxsize=64)
def fitting(width: int, wanted: Cells) -> Cells:
    """The columns that have room in a line of this width, and the cells that each gets.

    What is usual gives way early to long names, what was asked for late.
    """
    left = list(wanted)
    while left:
        going = max(left, key=lambda each: BY_KEY[each[0]].goes)
        early = wanted == USUAL and going[0] == "index"
        if name_cells(width, tuple(left)) >= (NAME if early else SHORTEST):
            break
        left.remove(going)
    return tuple(left)


def name_cells(width: int, columns: Cells) -> int:
    """The cells that are left for names."""
    return max(1, width - around(columns))


def around(columns: Cells) -> int:
    """The cells of a line that are not the name's."""
    edge = not columns or columns[-1][0] in RIGHT  # a name and numbers keep off what is beside the list
    return SIGNS + edge + sum(cells for _, cells in columns)
