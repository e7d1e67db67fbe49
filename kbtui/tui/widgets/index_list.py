"""Lines of the Index screen: a document under one embedding model, and how its index stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from rich.cells import cell_len

from kbtui.content import safe
from kbtui.index_states import Estimate, State, is_pending
from kbtui.index_table import IndexLine, IndexTable
from kbtui.indexing import in_short, in_words
from kbtui.rows import DocumentRow
from kbtui.tui.widgets.document_list import BETWEEN, LETTERS, human_size, labelled
from kbtui.tui.widgets.folder_tree import SHOWN, count
from kbtui.tui.widgets.line import Part, cut, fit
from kbtui.tui.widgets.line import cells as cells_of
from kbtui.tui.widgets.virtual_list import VirtualList

SIZE, LEAST_SIZE = 9, 7
NARROW = 73  # cells of a line below which sizes have no room
MOST_NAME, LEAST_NAME, LEAST_MODEL = 80, 8, 6
WORDS, MOST_WORDS, LEAST_WORDS = 22, 50, 6  # cells of how an index stands
AIR = 2  # cells more between names where there is room for all
MARKS = {"good": "●", "warn": "–", "bad": "✕"}
GONE: Part = ("gone from the service", "bad")


def standing(state: State | None, gone: bool) -> tuple[str, Part]:
    """How an index stands, as a mark and in words; nothing while it is asked for."""
    if gone:
        return "✕", GONE
    if state is None:
        return "", ("", "")
    if state.trouble and state.index is None:
        return "?", (safe(state.trouble), "bad")
    words, look = in_words(state.index)
    return ("◐" if is_pending(state.index) else MARKS[look] if state.index else "–"), (words, look)


class IndexList(VirtualList):
    """The lines; what they show is asked for as they are drawn."""

    def __init__(self, id: str, tell: Callable[[IndexLine], tuple[str, State | None, bool]]) -> None:
        """`tell` gives the name of a line's document, the state of its index, and whether it is gone."""
        super().__init__(id)
        self.lines: Sequence[IndexLine] = ()
        self.line: IndexLine | None = None  # under the cursor
        self.longest = 0, 0, 0  # cells of names, of models, and of names with any folder behind them
        self.folders: Mapping[str, Folder] = {}  # of documents, by their ids
        self._tell = tell

    def show(self, table: IndexTable) -> None:
        """Draw these; the cursor stays with its line, else with its document."""
        at = table.place(self.line)
        self.lines = table.lines
        self.resize_to(len(self.lines), self.cursor if at is None else at)
        self._take()

    def go(self, index: int) -> None:
        super().go(index)
        self._take()

    def _take(self) -> None:
        self.line = self.lines[self.cursor] if self.cursor < len(self.lines) else None

    def in_view(self) -> Sequence[IndexLine]:
        """The lines that are in view."""
        top = round(self.scroll_y)
        return self.lines[top : top + self.size.height]

    def parts(self, index: int, width: int) -> Sequence[Part]:
        line, cells = self.lines[index], columns(width, *self.longest)
        name, state, gone = self._tell(line)
        mark, (words, look) = standing(state, gone)
        if cells.words < WORDS and words:
            words = _in_short(state, gone)
        used = state.index.document_model_index_usage.used_bytes if state and state.index else 0
        return [
            ("   ", ""),
            *placed(name, self.folders.get(line.document, NOWHERE), cells.name - 1),
            (" ", ""),
            (fit(safe(line.model[:80]), cells.model - 1) + " ", "dim"),
            (fit(human_size(used) if used else "", cells.size, right=True) + "  ", ""),
            (f"{mark:<2}", look),
            (words.partition(": ")[0], look),
        ]


class Folder(NamedTuple):
    """The folder of a document as it is told behind its name; `needed`, where others have the same name."""

    name: str
    needed: bool


NOWHERE = Folder("", False)


def folders_of(rows: Collection[DocumentRow], names: Mapping[str, str], here: str = "") -> dict[str, Folder]:
    """What is told of the folders of documents, by the ids of these; `names` are those of folders.

    That of the folder `here`, and of the root, goes without saying where no other document has the name.
    """
    times = Counter(row.name for row in rows)
    found = dict[str, Folder]()
    for row in rows:
        parent, needed = row.parent or "", times[row.name] > 1
        name = names.get(parent, "") if parent else "Root"
        found[row.id] = Folder(name if needed or parent not in ("", here) else "", needed)
    return found


def longest_of(rows: Iterable[DocumentRow], folders: Mapping[str, Folder]) -> tuple[int, int]:
    """The cells of the longest name, with the folder behind it where that is needed, and wherever one is."""
    needed = whole = 0
    for row in rows:
        folder = folders[row.id]
        cells = labelled(row.name, folder.name) + bool(folder.name)
        needed, whole = max(needed, cells if folder.needed else labelled(row.name, "")), max(whole, cells)
    return needed, whole


def placed(name: str, folder: Folder, width: int) -> list[Part]:
    """A name in so many cells, behind it as much of its folder as has room, and some letters if needed.

    A folder leaves a blank more free: what comes next is as dim.
    """
    shown, place = safe(name[:SHOWN]) or "(no name)", safe(folder.name[:SHOWN])
    some = min(cell_len(place), LETTERS + 1)
    room = width - 1 - BETWEEN - (max(some, min(cell_len(place), width // 3)) if folder.needed else some)
    whole = cell_len(shown) <= room
    parts: list[Part] = [(shown, "" if name else "dim")]
    if place and (whole or folder.needed):
        parts = cut(
            [*(parts if whole else [(fit(shown, room), "")]), (" " * BETWEEN + place, "dim")], width - 1
        )
    parts = cut(parts, width)
    return [*parts, (" " * (width - cells_of(parts)), "")]


def _in_short(state: State | None, gone: bool) -> str:
    """How an index stands where there is little room; a question mark says enough of what is not known."""
    if gone:
        return "gone"
    if state is None or (state.trouble and state.index is None):
        return ""
    return in_short(state.index)[0].partition(" ")[2]


class Columns(NamedTuple):
    """The cells of a line, but for its margin and the mark before the words."""

    name: int
    model: int
    size: int
    words: int


def columns(width: int, name: int, model: int, whole: int = 0) -> Columns:
    """What there is room for, where the longest name and the longest model have so many cells.

    Where there is little, the words are short ones; then models are cut, and at last names. The `whole` of
    names, with any folder behind them, is told where nothing else gives way.
    """
    if whole > name and (cells := columns(width, whole, model)).name > whole and cells.words >= WORDS:
        return cells
    name, model = min(name, MOST_NAME) + 1, max(LEAST_MODEL, model) + 1
    rest = width - 7
    sizes = (SIZE, LEAST_SIZE) if width >= NARROW else (0,)
    for size, words in product(sizes, (WORDS, LEAST_WORDS)):
        left = rest - name - model - size - words
        if left >= 0:
            air = min(AIR, left // 2) if words == WORDS else 0
            return Columns(name + air, model + air, size, min(MOST_WORDS, words + left - 2 * air))
    rest -= sizes[-1] + LEAST_WORDS
    model = max(LEAST_MODEL + 1, rest - max(LEAST_NAME, name))
    return Columns(max(LEAST_NAME, rest - model), model, sizes[-1], LEAST_WORDS)


def heads(width: int, name: int, model: int, whole: int = 0) -> str:
    """The heads of the columns."""
    cells = columns(width, name, model, whole)
    size = fit("Size" if cells.size else "", cells.size, right=True)
    return "   " + fit("Name", cells.name) + fit("Model", cells.model) + size + "  Index"


def room_words(used: int, most: int, models: Sequence[tuple[str, int]], width: int) -> str:
    """The room for indexes in the workspace, in so many cells: used of all, and under which models."""
    if not most:
        short = f" {human_size(used)} of indexes"
        room = f" Indexes of the workspace: {human_size(used)}"
    else:
        short = f" {human_size(used)} of {human_size(most)} used ({_percent(used, most)})"
        room = f" Room for indexes:{short}"
    each = [(safe(model[:80]), human_size(size)) for model, size in models if size]
    whole = "".join(f" · {model} {size}" for model, size in each)
    less = f" Room:{short}" if most else short
    left = width - cell_len(less) - sum(len(size) + 4 for _, size in each)
    lengths = [cell_len(model) for model, _ in each]
    most_cells = range(max(lengths, default=0), LEAST_MODEL - 1, -1)
    name = next((cells for cells in most_cells if sum(min(cells, own) for own in lengths) <= left), 0)
    cut = "".join(f" · {fit(model, min(name, cell_len(model)))} {size}" for model, size in each)
    return _first_fit([room + whole, *([less + cut] if name else []), room, short], width)


def _percent(used: int, most: int) -> str:
    """Rounded; not nothing where there is something, and not all where there is room."""
    rounded = min(round(used * 100 / most), 99 if used < most else 100)
    return f"{rounded} %" if rounded or not used else "<1 %"


def more_words(estimate: Estimate, left: int | None, looked: str, width: int) -> Part:
    """What the listed documents without an index would add, in so many cells; `left` is the room."""
    if not estimate.documents:
        return ("", "")
    short = f" {count(estimate.documents)} without an index"
    without = f" {count(estimate.documents)}{looked} without an index"
    if not estimate.bytes:
        return (_first_fit([without, short], width), "")
    share = estimate.share
    times = "" if share is None or 0.95 <= share < 1.05 else f"{share:.2g} × "
    how = f" ({'if an index' if share is None else 'an index here'} takes {times}its document's size)"
    full = left is not None and estimate.bytes > left
    over = f", more than the {human_size(left or 0)} left" if full else ""
    more = f": about {human_size(estimate.bytes)} more{over}"
    return (_first_fit([without + more + how, without + more, short + more], width), "warn" if full else "")


def _first_fit(sentences: Sequence[str], width: int) -> str:
    """The first that is no longer than so many cells, else the last."""
    return next((each for each in sentences if cell_len(each) <= width), sentences[-1])
