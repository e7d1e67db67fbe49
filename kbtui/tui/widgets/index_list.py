"""Lines of the Index screen: a document under one embedding model, and how its index stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kbtui.content import safe
from kbtui.index_states import Estimate, State, is_pending
from kbtui.indexing import in_words
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import SHOWN, count
from kbtui.tui.widgets.line import Part, fit
from kbtui.tui.widgets.virtual_list import VirtualList

SIZE = 9
MARKS = {"good": "●", "warn": "–", "bad": "✕"}
GONE: Part = ("gone from the service", "bad")


class IndexLine(NamedTuple):
    """What a line tells of; `model` is "" where the document has no index under any."""

    document: str
    model: str


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
        self._tell = tell

    @property
    def line(self) -> IndexLine | None:
        """The line under the cursor."""
        return self.lines[self.cursor] if self.cursor < len(self.lines) else None

    def show(self, lines: Sequence[IndexLine]) -> None:
        """Draw these; the cursor stays with its line, else with its document."""
        here = self.line
        if lines == self.lines:
            self.refresh()
            return
        self.lines = lines
        at = self.cursor
        if here is not None:
            same = (number for number, line in enumerate(lines) if line == here)
            near = (number for number, line in enumerate(lines) if line.document == here.document)
            at = next(same, next(near, at))
        self.resize_to(len(lines), at)

    def in_view(self) -> Sequence[IndexLine]:
        """The lines that are in view."""
        top = round(self.scroll_y)
        return self.lines[top : top + self.size.height]

    def parts(self, index: int, width: int) -> Sequence[Part]:
        line = self.lines[index]
        name, state, gone = self._tell(line)
        mark, (words, look) = standing(state, gone)
        used = state.index.document_model_index_usage.used_bytes if state and state.index else 0
        named, model = columns(width)
        return [
            ("   ", ""),
            (fit(safe(name[:SHOWN]) or "(no name)", named - 1) + " ", "" if name else "dim"),
            (fit(safe(line.model[:80]), model - 1) + " ", "dim"),
            (fit(human_size(used) if used else "", SIZE, right=True) + "  ", ""),
            (f"{mark:<2}", look),
            (words.partition(": ")[0], look),
        ]


def columns(width: int) -> tuple[int, int]:
    """The cells of the name and of the model in a line of this width."""
    model = 31 if width >= 110 else 23 if width >= 96 else 15
    return max(8, (width - model - SIZE - 7) * 55 // 100), model


def heads(width: int) -> str:
    """The heads of the columns."""
    named, model = columns(width)
    return "   " + fit("Name", named) + fit("Model", model) + fit("Size", SIZE, right=True) + "  Index"


def room_words(used: int, most: int, models: Sequence[tuple[str, int]]) -> str:
    """The room for indexes in the workspace: used of all, and under which models."""
    each = "".join(f" · {safe(model[:80])} {human_size(size)}" for model, size in models if size)
    if not most:
        return f" Indexes of the workspace: {human_size(used)}{each}"
    return f" Room for indexes: {human_size(used)} of {human_size(most)} used ({used * 100 // most} %){each}"


def more_words(estimate: Estimate, left: int | None, looked: str) -> Part:
    """What the listed documents without an index would add; `left` is the room, where it is known."""
    if not estimate.documents:
        return ("", "")
    without = f" {count(estimate.documents)}{looked} without an index"
    if not estimate.bytes:
        return (without, "")
    share = estimate.share
    times = "" if share is None or 0.95 <= share < 1.05 else f"{share:.2g} × "
    how = f"{'if an index' if share is None else 'an index here'} takes {times}its document's size"
    full = left is not None and estimate.bytes > left
    over = f", more than the {human_size(left or 0)} left" if full else ""
    return (f"{without}: about {human_size(estimate.bytes)} more{over} ({how})", "warn" if full else "")
