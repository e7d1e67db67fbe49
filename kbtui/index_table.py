"""The indexes of many documents in lines, with what they come to: a change costs what it changes.

A pure room: what is known is that of `IndexStates`; who is told that something was heard of documents says so
(`update`). Counts and sums are kept, never made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kbtui.index_states import Estimate, IndexStates, is_pending, would_add

if TYPE_CHECKING:
    from kbtui.models import RagIndex

READY = "succeeded"
FINE = (READY, "document_too_small")  # nothing is to be done about them


class IndexLine(NamedTuple):
    """What a line tells of; `model` is "" where the document has no index under any."""

    document: str
    model: str


class Sums(NamedTuple):
    """What indexes come to: documents and bytes."""

    looked: int = 0  # of which everything is known
    missing: int = 0  # of which it is known that they have none
    missing_bytes: int = 0  # the sizes of those
    indexed_bytes: int = 0  # the sizes of those that have one that is ready, each as often as it has one
    used: int = 0  # what these count for

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        return Sums(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Entry(NamedTuple):
    """What the table has of one document."""

    lines: Sequence[IndexLine]
    building: frozenset[IndexLine]
    problem: bool  # one of its lines is one
    sums: Sums


NONE, NOTHING = frozenset[IndexLine](), Sums()


class IndexTable:
    """A line for each index of these documents, and one for each document without any.

    Args:
        sizes: of the documents, in bytes, in the order of their lines.
        model: of which the indexes are shown; "" for all.
        gone: documents that are known to be gone.

    Attributes:
        lines: all of them; read only.
        sums: of all documents.
        building: how many lines have an index that is being built.
    """

    def __init__(
        self,
        states: IndexStates,
        sizes: Mapping[str, int],
        model: str = "",
        gone: Container[str] = frozenset(),
    ) -> None:
        self.models = [model] if model else states.models
        self._looked_at = list(dict.fromkeys([*self.models, *states.models]))
        self._states, self._sizes, self._model, self._gone = states, sizes, model, gone
        self._order = {id: number for number, id in enumerate(sizes)}
        self._entries = [self._entry(id) for id in sizes]
        self.lines = [line for entry in self._entries for line in entry.lines]
        self._numbers = [number for number, entry in enumerate(self._entries) for _ in entry.lines]
        self._problems = [number for number, entry in enumerate(self._entries) if entry.problem]
        self.sums = Sums(*map(sum, zip(*(entry.sums for entry in self._entries), strict=True)))
        self.building = sum(len(entry.building) for entry in self._entries)

    @property
    def estimate(self) -> Estimate:
        """What documents without an index would count for."""
        sums = self.sums
        return would_add(sums.missing, sums.missing_bytes, sums.indexed_bytes, sums.used)

    def place(self, line: IndexLine | None) -> int | None:
        """Where a line is, else its document; None where neither is."""
        number = self._order.get(line.document) if line is not None else None
        if number is None:
            return None
        first, lines = bisect_left(self._numbers, number), self._entries[number].lines
        return first + (lines.index(line) if line in lines else 0)

    def update(self, ids: Iterable[str]) -> bool:
        """Something was heard of these; whether an index is no longer being built."""
        settled = False
        for id in ids:
            number = self._order.get(id)
            if number is None:
                continue
            old, new = self._entries[number], self._entry(id)
            self._entries[number] = new
            if new.lines != old.lines:
                first = bisect_left(self._numbers, number)
                self.lines[first : first + len(old.lines)] = new.lines
                self._numbers[first : first + len(old.lines)] = [number] * len(new.lines)
            if new.problem != old.problem:
                at = bisect_left(self._problems, number)
                self._problems[at : at + old.problem] = [number] * new.problem
            self.sums += new.sums - old.sums
            self.building += len(new.building) - len(old.building)
            settled = settled or bool(old.building - new.building)
        return settled

    # Problems

    def next_problem(self, here: int, by: int) -> int | None:
        """The line of the next problem after this one, or before it, round about; None where none is."""
        if not self._problems:
            return None
        number = self._numbers[here]
        first, last = bisect_left(self._numbers, number), bisect_left(self._numbers, number + 1)
        rest = range(here + 1, last) if by > 0 else range(here - 1, first - 1, -1)
        at = bisect_left(self._problems, number + (by > 0)) - (by < 0)
        other = self._problems[at % len(self._problems)]
        around = range(bisect_left(self._numbers, other), bisect_left(self._numbers, other + 1))
        return next((line for line in (*rest, *around[::by]) if self.is_problem(self.lines[line])), None)

    def is_problem(self, line: IndexLine) -> bool:
        """Whether it is known that a line has no index that agents find anything by."""
        state = self._states.state(line.document, line.model)
        index = state.index if state is not None else None
        return _is_bad(index) or (index is None and self.is_missing(line.document))

    def is_missing(self, id: str, models: Iterable[str] = ()) -> bool:
        """Whether a document is there, and known to have no index under these models, or those shown."""
        if id in self._gone:
            return False
        known = [self._states.state(id, model) for model in models or self.models]
        return all(state and state.index is None and not state.trouble for state in known)

    # One document

    def _entry(self, id: str) -> Entry:
        size = self._sizes[id]
        found = {model: self._states.state(id, model) for model in self._looked_at}
        if not any(found.values()):
            return Entry([IndexLine(id, self._model)], NONE, False, NOTHING)
        indexes = {model: state.index for model, state in found.items() if state and state.index}
        lines = [IndexLine(id, model) for model in ([self._model] if self._model else indexes or [""])]
        missing = not any(model in indexes for model in self.models) and self.is_missing(id)
        used = [
            each.document_model_index_usage.used_bytes for each in indexes.values() if each.status == READY
        ]
        counted = [each for each in used if each and size]
        return Entry(
            lines,
            frozenset(line for line in lines if is_pending(indexes.get(line.model))),
            missing or any(_is_bad(indexes.get(line.model)) for line in lines),
            Sums(
                all(found[model] for model in self.models),
                missing,
                missing * size,
                size * len(counted),
                sum(counted),
            ),
        )


def _is_bad(index: RagIndex | None) -> bool:
    return index is not None and index.status not in FINE and not is_pending(index)
