"""The list of the chunks of a document, and what is told of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kbtui.chunk_facts import ChunkFacts
from kbtui.placing import Place
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.virtual_list import VirtualList

NARROW = 34  # cells below which the sizes are left out
LEAD = 8  # characters of a chunk before what is looked for


class Piece(NamedTuple):
    """A chunk as it is listed: its id, and what is told of it."""

    id: str
    text: str
    facts: ChunkFacts
    place: Place | None


class ChunkList(VirtualList):
    """A chunk a line: its number, its size, what is remarkable, and its first words."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.pieces: Sequence[Piece] = ()
        self.places: dict[int, list[tuple[int, int]]] = {}  # of what is looked for, by chunk
        self.at: tuple[int, int] | None = None  # that was gone to: the chunk, and which of its places

    @property
    def piece(self) -> Piece | None:
        """The chunk under the cursor."""
        return self.pieces[self.cursor] if self.cursor < len(self.pieces) else None

    def show(self, pieces: Sequence[Piece]) -> None:
        """Draw these, the cursor where it was."""
        self.pieces = pieces
        self.resize_to(len(pieces), self.cursor)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        _, text, facts, place = self.pieces[index]
        marks = "".join(
            (
                "=" if facts.alike is not None else " ",
                "»" if facts.navigation else " ",
                "?" if place is None else "~" if place.share < 1 or place.several else " ",
            )
        )
        narrow = width < NARROW
        return [
            (f"{index + 1:>{3 if narrow else 6}} ", ""),
            ("" if narrow else f"{count(facts.characters):>7} ", "dim"),
            (f"{marks.strip() if narrow else marks} ", "warn"),
            *self._words(index, text),
        ]

    def heads(self, width: int) -> str:
        """What stands above the columns."""
        if not self.count:
            return ""
        return "No." if width < NARROW else f"{'Chunk':>6} {'Length':>7}     Words"

    def _words(self, index: int, text: str) -> Iterator[Part]:
        """The first words of a chunk, or those around what is looked for."""
        places = self.places.get(index)
        if not places:
            yield " ".join(text[:400].split()), ""
            return
        start, end = places[self.at[1] if self.at is not None and self.at[0] == index else 0]
        lead = "…" if start > LEAD else ""
        for begin, stop, look in (
            (max(0, start - LEAD), start, ""),
            (start, end, "hit"),
            (end, end + 400, ""),
        ):
            yield lead + re.sub(r"\s+", " ", text[begin:stop]), look
            lead = ""


def about(piece: Piece, number: int, document: str, other: str) -> Iterator[Part]:
    """What is told of a chunk, in sentences; `other` is the name of the document of its twin."""
    facts, place = piece.facts, piece.place
    yield f"Chunk {count(number + 1)}", "strong"
    yield f", {counted(facts.characters, 'character')}, about {counted(facts.tokens, 'token')}.", ""
    if facts.overlap:
        yield f" Its first {count(facts.overlap)} characters end the chunk before it.", "dim"
    if facts.alike is not None:
        id, twin = facts.alike
        where = f"chunk {twin}" + (
            "" if id == document else f" of “{other}”" if other else " of a document that is gone"
        )
        yield f" = Nearly the same as {where}.", "warn"
    if facts.navigation:
        yield " » Looks like navigation.", "warn"
    if place is None:
        yield " ? Its words do not stand in the text as it is shown.", "warn"
    elif place.several:
        yield " ~ Its words stand in several places; this is one of them.", "warn"
    elif place.share < 1:
        yield f" ~ {100 * place.share:.0f} % of its words stand here in their order.", "warn"
