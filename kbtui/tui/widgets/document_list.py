"""The list of documents: windows of the mirror, drawn in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from time import time as clock
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kbtui.columns import BY_KEY, GAP, RIGHT, SIGNS, USUAL, Cells, fitting, name_cells
from kbtui.content import safe
from kbtui.indexing import in_short
from kbtui.rows import ALL, FOLDER, DocumentRow, View
from kbtui.tui.widgets.folder_tree import SHOWN, count, counted
from kbtui.tui.widgets.line import Painter, Part, cut, fit
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.views import Listing

WINDOW = 64  # rows read from the mirror at a time
SORTS = {"name": "name", "size": "size", "updated": "updated_at", "created": "created_at"}  # by columns
BETWEEN, LETTERS = 2, 4  # cells before the folder of a document, and letters of it worth showing
STATE = 8  # cells of the state of an index, which stand at the right of what is wider


def human_size(size: int) -> str:
    """Bytes in three digits and a unit: 940 B, 3.1 k, 12 M."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("k", "M", "G", "T"):
        value /= 1000
        if value < 999.5 or unit == "T":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    raise AssertionError


def human_age(moment: int, now: float) -> str:
    """How long ago, in one unit: now, 4 min, 2 h, 3 d, 5 w, 7 mo, 2 y; "" where the time is unknown."""
    if moment <= 0:
        return ""
    seconds = max(0, int(now - moment))
    for limit, unit, name in (
        (60, 1, ""), (3600, 60, "min"), (86400, 3600, "h"), (14 * 86400, 86400, "d"),
        (61 * 86400, 7 * 86400, "w"), (730 * 86400, 30 * 86400, "mo"),
    ):  # fmt: skip
        if seconds < limit:
            return f"{seconds // unit} {name}" if name else "now"
    return f"{seconds // (365 * 86400)} y"


def labelled(name: str, folder: str) -> int:
    """The cells of a document's name with its folder behind it."""
    return cell_len(safe(name[:SHOWN])) + (BETWEEN + cell_len(safe(folder[:SHOWN])) if folder else 0)


def _items(number: int) -> str:
    """What a folder holds itself, in words where they fit: the tree counts all below it."""
    words = counted(number, "item")
    return words if len(words) <= BY_KEY["size"].cells - GAP else count(number)


def _aligned(text: str, key: str, cells: int) -> str:
    """The text of a column in its place, off what stands before it."""
    gap = max(min(GAP, cells // 3), cells - STATE if key == "index" else 0)
    return " " * gap + fit(text, cells - gap, right=key in RIGHT)


class DocumentList(VirtualList):
    """The documents of a view. The cursor belongs to a document, not to a place in the list."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.kb: KnowledgeBase | None = None
        self.listing: Listing | None = None
        self.view = View()
        self.columns = USUAL
        self.edited: frozenset[str] = frozenset()  # documents with a draft
        self.wanted: str | None = None  # the document that the cursor belongs to, a filter may hide it
        self.folders: dict[str, str] = {}  # names of folders by id, told where documents are listed flat
        self.seen: Mapping[str, int] = {}  # rows of folders, where they are not those of the service
        self.begun: str | None = None  # the document that a range of marks begins with
        self._begun_at = 0  # where it stands
        self._windows: dict[int, list[DocumentRow]] = {}
        self._said: Sequence[Part] = ()

    @property
    def row(self) -> DocumentRow | None:
        """The document under the cursor."""
        return self.at(self.cursor)

    def at(self, index: int) -> DocumentRow | None:
        """The document at `index`, or None where there is none (any more)."""
        if self.kb is None or self.listing is None or not 0 <= index < self.count:
            return None
        number, offset = divmod(index, WINDOW)
        window = self._windows.get(number)
        if window is None:
            if len(self._windows) > 16:
                self._windows.clear()
            window = self.kb.mirror.window(self.listing, number * WINDOW, (number + 1) * WINDOW)
            self._windows[number] = window
        return window[offset] if offset < len(window) else None

    def in_view(self) -> dict[str, int]:
        """The documents that are in view and may have an index that is shown, with their last changes."""
        return {row.id: row.updated for row in self._shown_in("index") if row.type != FOLDER}

    def counted_in_view(self) -> list[str]:
        """The documents and folders in view of which it is shown how many agents use them."""
        return [row.id for row in self._shown_in("agents")]

    def _shown_in(self, column: str) -> Iterator[DocumentRow]:
        """What is in view, where this column is."""
        if self.region.height and column in dict(fitting(self.scrollable_content_region.width, self.columns)):
            top = round(self.scroll_y)
            yield from filter(None, map(self.at, range(top, top + self.size.height)))

    def show(self, kb: KnowledgeBase, view: View, listing: Listing) -> None:
        """Draw `listing`, the cursor on its document, else on the one it stood on, else in its place."""
        same = view.scope == self.view.scope and self.listing is not None
        here = self.row if same else None
        ranks = (kb.mirror.rank(listing, id) for id in (self.wanted, here.id if here else None) if id)
        at = next((rank for rank in ranks if rank is not None), self.cursor if same else 0)
        self.kb, self.view, self.listing = kb, view, listing
        self._windows.clear()
        if self.begun is not None:
            rank = kb.mirror.rank(listing, self.begun) if same else None
            self.begun, self._begun_at = (None, 0) if rank is None else (self.begun, rank)
        self.resize_to(len(listing), at)
        if not view.searched and not view.eye:
            self.wanted = self.row.id if self.row else None

    def say(self, sentences: Sequence[Part]) -> None:
        """Show sentences in the middle while there is no line to show."""
        if sentences != self._said:
            self._said = sentences
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self.count:
            return super().render_line(y)
        width = self.scrollable_content_region.width
        lines = [(line, look) for text, look in self._said for line in wrap(text, max(10, width - 4))]
        at = y - max(0, (self.size.height - len(lines)) // 2)
        text, look = lines[at] if 0 <= at < len(lines) else ("", "")
        return self.paint([(" " * ((width - cell_len(text)) // 2), ""), (text, look)], width)

    def go(self, index: int) -> None:
        before = self.cursor
        super().go(index)
        if self.begun is not None and abs(self.cursor - before) > 1:
            self.refresh()
        self.keep()

    # A range of marks

    def begin_range(self, id: str) -> None:
        """From the document under the cursor to wherever it goes."""
        self.begun, self._begun_at = id, self.cursor
        self.refresh_line(self.cursor)

    def end_range(self) -> None:
        self.begun = None
        self.refresh()

    @property
    def range(self) -> range:
        """The lines from where the range began to the cursor; none where there is no range."""
        if self.begun is None:
            return range(0)
        return range(min(self._begun_at, self.cursor), max(self._begun_at, self.cursor) + 1)

    def _chosen(self, index: int, id: str) -> str:
        """Whether it is marked, or would be (`+`), or would not be any more (`-`), with the range of now."""
        marks = self.kb.marks if self.kb is not None else ()
        if index in self.range:
            return "-" if self.begun in marks else "+"
        return "✓" if id in marks else " "

    def keep(self) -> None:
        """The cursor stays with the document that it stands on now, whatever the next filter hides."""
        if self.row is not None:
            self.wanted = self.row.id

    def parts(self, index: int, width: int) -> Sequence[Part]:
        row = self.at(index)
        if row is None:
            return []
        chosen = self._chosen(index, row.id)
        mark = "●" if row.id in self.edited else "▸" if row.type == FOLDER else " "
        columns = fitting(width, self.columns)
        name = name_cells(width, columns)
        shown = safe(row.name[:SHOWN]) or "(no name)"
        folder = self.folders.get(row.parent or "") if self.view.scope == ALL else None
        place = safe(folder[:SHOWN]) if folder else ""
        room = name - cell_len(shown) - BETWEEN
        place = " " * BETWEEN + place if room >= min(cell_len(place), LETTERS + 1) else ""
        left = cut([(shown, "" if row.name else "dim"), (place, "dim")], name)
        gap = name - sum(cell_len(text) for text, _ in left)
        cells = [(f"{chosen}{mark} ", "warn" if mark == "●" else "key"), *left, (" " * gap, "")]
        for key, wide in columns:
            text, look = self._value(row, key)
            cells.append((_aligned(text, key, wide), look))
        return cells

    def _value(self, row: DocumentRow, key: str) -> Part:
        """What a column says of a document."""
        if key == "size":
            if row.type == FOLDER:
                return _items(self.seen.get(row.id, row.children or 0)), "dim"
            return human_size(row.size), ""
        if key in ("updated", "created"):
            created = key == "created" or self.view.sort == "created_at"
            return human_age(row.created if created else row.updated, clock()), "dim"
        if key == "index":
            return self._index(row)
        if key == "agents":
            return ("" if self.kb is None else self.kb.agent_counts.words(row.id)), ""
        return safe({"type": row.type, "role": row.role, "id": row.id}[key][:SHOWN]), "dim"

    def _index(self, row: DocumentRow) -> Part:
        """How its index stands, where that is known."""
        state = None if self.kb is None else self.kb.index_states.first(row.id, row.updated)
        if state is None or row.type == FOLDER:
            return "", "dim"
        return ("?", "dim") if state.trouble and state.index is None else in_short(state.index)


class Heads(Painter, Widget):
    """The column heads over a document list."""

    @dataclass
    class Clicked(Message):
        """The order by this column is wanted, or the other way round."""

        sort: str

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._view, self._columns = View(), USUAL

    def show(self, view: View, columns: Cells) -> None:
        """Show the order of a view, with the direction on the column it is sorted by."""
        if (view, columns) != (self._view, self._columns):
            self._view, self._columns = view, columns
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        key, x = "name", event.x
        columns = fitting(self.size.width, self._columns)
        x -= SIGNS + name_cells(self.size.width, columns)
        for key_of_next, cells in columns:
            if x < 0:
                break
            key, x = key_of_next, x - cells
        if sort := self._sort(key):
            self.post_message(self.Clicked(sort))

    def _sort(self, key: str) -> str | None:
        """The order by a column; the one of changes tells of creation where that is the order."""
        dated = key == "updated" and self._view.sort == "created_at"
        return "created_at" if dated else SORTS.get(key)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        columns = fitting(width, self._columns)
        text = "   " + fit(self._head("name"), name_cells(width, columns))
        for key, cells in columns:
            text += _aligned(self._head(key), key, cells)
        return self.paint([(text, "dim")], width)

    def _head(self, key: str) -> str:
        """The name of a column, with the direction where the list is sorted by it."""
        arrow = "▼" if self._view.descending else "▲"
        sort = self._sort(key)
        head = "Name" if key == "name" else BY_KEY["created" if sort == "created_at" else key].head
        return f"{head} {arrow}" if sort == self._view.sort else head
