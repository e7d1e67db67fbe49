"""Words that are looked for in the chunks of a document, and the way from place to place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from rich.cells import cell_len

from kbtui.content import safe
from kbtui.placing import one_after_the_other
from kbtui.situation import Situation
from kbtui.tui.chunk_panes import ChunkPanes
from kbtui.tui.widgets.chunk_list import Piece
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Part


class ChunkWords(ChunkPanes):
    """The commands of the place "chunk_words", and those that go to where the words stand."""

    _sought: re.Pattern[str] | None = None  # what matches the words
    _looked_at: Sequence[Piece] = ()  # the chunks that were looked through for them
    _all: Sequence[tuple[int, int]] = ()  # the places in them, in order: the chunk, and which place in it

    def look_for(self, words: str) -> None:
        self.field.value = words  # which hears of it later
        self.sought(words)

    def sought(self, words: str) -> None:
        sought = one_after_the_other(words.split())
        if sought != self._sought:
            self._sought, self._looked_at, self._all = sought, (), ()
            self.list.at = None
            self.text.mark(sought)
        self._look()
        self.list.refresh()
        self.show_lines()

    def _look(self) -> None:
        """Find the places in the chunks that have come; each is looked through once, there may be many."""
        pieces, before = self.list.pieces, self._looked_at
        if pieces is before:
            return
        grown = before and len(pieces) >= len(before) and pieces[len(before) - 1] is before[-1]
        known = len(before) if grown else 0  # read anew they may be equal to the last, and others before it
        if not known:
            self.list.places, self.list.at = {}, None
        for chunk, piece in enumerate(pieces[known:], known):
            found = [place.span() for place in self._sought.finditer(piece.text)] if self._sought else []
            if found:
                self.list.places[chunk] = found
        self._looked_at = pieces
        self._all = [(chunk, nth) for chunk, found in self.list.places.items() for nth in range(len(found))]

    def _places(self) -> Sequence[tuple[int, int]]:
        self._look()
        return self._all

    def _number(self) -> int | None:
        """Which of all places was gone to; None where none was, or it is no more."""
        at = self.list.at
        number = bisect_left(self._all, at) if at is not None else 0
        return number if at is not None and self._all[number : number + 1] == [at] else None

    def show_lines(self) -> None:
        super().show_lines()
        self.text.point_at(self.list.at)

    def found(self, room: int) -> Part:
        words = self.field.value.strip()
        if not words:
            return ("", "")
        places = self._places()
        quoted = f" with “{safe(words[:30])}”"
        chunks = f"{count(len(self.list.places))} of {counted(self.list.count, 'chunk')}"
        if not places:
            return (chunks + quoted, "warn")
        hits = counted(len(places), "hit")
        number = self._number()
        if number is not None:
            hits = f"hit {count(number + 1)} of {count(len(places))}"
        told = f"{hits} · {chunks}"
        short = f"{hits} · {counted(len(self.list.places), 'chunk')}{quoted}"
        return (next((each for each in (told + quoted, short, told) if cell_len(each) <= room), hits), "")

    def situation(self) -> Situation:
        return super().situation()._replace(found=bool(self._places()))

    def do_chunks_find(self) -> None:
        self.field.display = True
        self.field.action_select_all()
        self.lead(self.field)

    def do_chunks_next_hit(self, by: int = 1) -> None:
        places = self._places()
        self._go_to_hit(places[self._next(places, by) % len(places)])

    def do_chunks_previous_hit(self) -> None:
        self.do_chunks_next_hit(-1)

    def _next(self, places: Sequence[tuple[int, int]], by: int) -> int:
        """The number of the next place, or of the one before: from that which was gone to, if it is here.

        Else from the line of the text that has the cursor.
        """
        here, at = self.list.cursor, self.list.at
        rows = [self.text.row_of(place) for place in self.text.marks_of(here)]
        row = self.text.cursor
        shown = at is not None and at[0] == here and (not rows or rows[min(at[1], len(rows) - 1)] == row)
        number = self._number()
        if shown and number is not None:
            return number + by
        before = bisect_right if by > 0 and self.focused is self.text else bisect_left
        behind = bisect_left(places, (here, before(rows, row)))
        return behind if by > 0 else behind - 1

    def _go_to_hit(self, at: tuple[int, int]) -> None:
        """Show a place in its chunk and in the text."""
        chunk, nth = self.list.at = at
        self.list.go(chunk)
        self.list.refresh_line(chunk)
        self.text.choose(chunk)
        self.text.go_to_mark(chunk, nth)
        self.tell_of_chunk()
        self.show_lines()

    def gone_to(self, place: int) -> None:
        chunk = self.list.cursor
        nth = bisect_left(self.text.marks_of(chunk), place)
        self._look()
        if nth < len(self.list.places.get(chunk, ())):
            self.list.at = (chunk, nth)

    def do_chunk_words_find(self) -> None:
        self.field.display = False
        self.lead(self.list)
        places = self._places()
        if places:
            self._go_to_hit(places[bisect_left(places, (self.list.cursor, 0)) % len(places)])

    def do_chunk_words_drop(self) -> None:
        self.look_for("")
        self.field.display = False
        self.lead(self.list)
