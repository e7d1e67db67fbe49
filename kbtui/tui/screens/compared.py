"""Two models side by side: the chunks of one document under each, and where they stand to each other."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from contextlib import aclosing
from itertools import accumulate
from statistics import median
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kbtui.chunk_facts import Likenesses, Telling, as_read
from kbtui.content import safe
from kbtui.errors import Error, first_sentence
from kbtui.indexing import in_words
from kbtui.placing import Passages, Place, begins_in, words
from kbtui.rows import DocumentRow
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.chunk_panes import LEAST_MODEL, body_of, told
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.chunk_list import ChunkList, Piece
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part, cut
from kbtui.tui.widgets.table import ColumnHeads
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Side(Vertical):
    """The chunks under one model, and the words of the one under the cursor."""

    def __init__(self, id: str, model: str) -> None:
        super().__init__(id=id)
        self.model = model
        self.head, self.list = Line(f"{id}-head"), ChunkList(f"{id}-chunks")
        self.heads = ColumnHeads(f"{id}-heads", self.list.heads)
        self.words = DocumentView(f"{id}-words")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.heads
        yield self.list
        yield self.words

    def on_mount(self) -> None:
        self.words.can_focus = False

    def say(self, *sentences: str, look: str = "") -> None:
        """Tell beside the name of the model how it stands with its chunks, in the first that has room.

        For the last of them the name gives way.
        """
        side = (self.app.size.width - 1) // 2
        room = side - cell_len(self.model) - 4
        told = next((each for each in sentences if cell_len(each) <= room), sentences[-1])
        right = cut([(told, look)], max(room, side - LEAST_MODEL - 4))
        self.head.show([(f" {safe(self.model)} ", "strong")], [*right, (" ", "")])

    def show(self, pieces: list[Piece], id: str = "") -> None:
        """Draw these chunks, the cursor on the one that has this id if it is among them."""
        self.list.show(pieces)
        self.heads.follow()
        at = next((at for at, each in enumerate(pieces) if id and each.id == id), None)
        if at is not None:
            self.list.go(at)
        self.show_words()

    def show_words(self, first: int = 0, last: int | None = None) -> None:
        """Show the chunk under the cursor from its `first` word on; dim are all but `first:last`."""
        piece = self.list.piece
        text = piece.text if piece is not None else ""
        found = words(text)[first:last]
        begin, end = (found[0].start, found[-1].end) if found else (0, len(text))
        begin, end = begin if first else 0, len(text) if last is None else end
        lines: list[list[Part]] = [[]]
        shared = "" if begin == 0 and end == len(text) else "strong"  # seen without colours, too
        for part, look in ((text[:begin], "dim"), (text[begin:end], shared), (text[end:], "dim")):
            line, *others = part.split("\n")
            lines[-1].append((line, look))
            lines += [[(each, look)] for each in others]
        self.words.say(lines)
        self.words.scroll_to(y=self._row_of(text[:begin]), animate=False)

    def _row_of(self, above: str) -> int:
        """The row behind these words of the chunk; blanks are others where it is broken into rows."""
        signs = accumulate(len("".join(row.split())) for row in self.words.text.split("\n"))
        return bisect_right([*signs], len("".join(above.split())))

    def go_to(self, place: Place, passages: Passages) -> None:
        """Put the cursor on the chunk that has the beginning of a place in the text, and show where."""
        at = begins_in(place, [each.place for each in self.list.pieces])
        here = self.list.pieces[at].place if at is not None else None
        if at is not None and here is not None:
            self.list.go(at)
            self.show_words(*(passages.between(here.start, edge) for edge in (place.start, place.end)))


class Compared(CommandScreen[tuple[str, str] | None]):
    """Ends with the model and the id of the chunk that is to be looked at, or None."""

    def __init__(self, app: KbApp, row: DocumentRow, models: tuple[str, str], near: Place | None) -> None:
        """`near` is the place in the text to begin at."""
        super().__init__(app.keymap)
        self.kb, self._row, self._near = app.kb, row, near
        self._passages: Passages | None = None  # of the document's text, where anybody knows it
        self._header = Line("header")
        self.sides = Side("left", models[0]), Side("right", models[1])

    def compose(self) -> ComposeResult:
        yield self._header
        with Horizontal(id="body"):
            yield from self.sides
        yield Line("footer")

    def on_mount(self) -> None:
        self.set_focus(self.side.list)
        self.show_footer()
        self._load()

    def on_resize(self) -> None:
        name, hint = (
            f" Two models  {safe(self._row.name[:200])}",
            "the other side goes to where these words begin ",
        )
        there = cell_len(name) + len(hint) < self.app.size.width
        self._header.show([(name, "strong")], [(hint, "dim")] if there else [])
        self.call_after_refresh(self._follow)  # once the words are broken into other rows

    def here(self) -> tuple[str, ...]:
        return ("compared", "move", "around")

    def situation(self) -> Situation:
        return Situation(row=self._row)

    def facts(self) -> list[Part]:
        places = (f"{count(each.list.cursor + 1)} of {count(each.list.count)}" for each in self.sides)
        return [(" | ".join(places) + " ", "dim")]

    @property
    def side(self) -> Side:
        """The side that has the keys."""
        return self.sides[1] if self.focused is self.sides[1].list else self.sides[0]

    @property
    def other(self) -> Side:
        return self.sides[0] if self.side is self.sides[1] else self.sides[1]

    @background("compared")
    async def _load(self, id: str = "") -> None:
        """Ask for the chunks; with the `id` of one, the cursor goes to it, where it is still there."""
        unheard = [*self.sides]
        for side in unheard:
            side.say("asking …", look="dim")
        try:
            indexes = {index.model: index for index in await self.kb.indexes(self._row.id)}
            body = await body_of(self.kb, self._row)
            shown = await asyncio.to_thread(as_read, body.text, body.format) if body else ""
            self._passages = passages = await asyncio.to_thread(Passages, shown) if body else None
            for side in self.sides:
                known = indexes.get(side.model)
                if known is None or known.status != "succeeded":
                    side.show([])
                    sentence, look = in_words(known)
                    side.say(sentence, look=look)
                    unheard.remove(side)
                    continue
                telling = Telling(self._row.id, body.format if body else "html", passages, Likenesses())
                async with aclosing(told(self.kb, self._row.id, side.model, telling)) as looks:
                    async for pieces in looks:
                        side.show(pieces, id if side is self.side else "")
                        id = "" if any(each.id == id for each in pieces) else id
                        side.say(*_in_short(pieces))
                        self.show_footer()
                unheard.remove(side)
            self._begin()
        except Error as error:
            for side in unheard:
                side.say(first_sentence(safe(error.sentence)), look="bad")
                if not side.list.count:
                    side.words.say([[(safe(error.sentence), "bad")]])
            raise

    def _begin(self) -> None:
        """Both sides at the place that was looked at before, unless the person moved meanwhile."""
        if self._near and self._passages and not any(side.list.cursor for side in self.sides):
            for side in self.sides:
                side.go_to(self._near, self._passages)
        else:
            self._follow()
        self.show_footer()

    # Moving

    def do_move(self, by: str) -> None:
        self.side.list.move(by)
        self._follow()

    @on(VirtualList.Moved)
    def _moved(self, message: VirtualList.Moved) -> None:
        if message.list is self.side.list:
            self._follow()

    def _follow(self) -> None:
        piece = self.side.list.piece
        if piece is None:
            return  # what is said in its place stays
        self.side.show_words()
        if piece.place is not None and self._passages is not None:
            self.other.go_to(piece.place, self._passages)
        self.show_footer()

    def do_compared_pane(self) -> None:
        self.set_focus(self.other.list)
        for side in self.sides:
            side.list.show_led()
        self.show_footer()

    def do_view(self, by: str) -> None:
        """Scroll the words of the chunks: down or up."""
        for side in self.sides:
            side.words.move(f"half_{by}")

    @on(VirtualList.Opened)
    def do_compared_open(self) -> None:
        piece = self.side.list.piece
        self.dismiss((self.side.model, piece.id if piece is not None else ""))

    def do_compared_reload(self) -> None:
        piece, self._near = self.side.list.piece, None
        self._load(piece.id if piece is not None else "")

    def do_compared_leave(self) -> None:
        self.dismiss(None)


def _in_short(pieces: list[Piece]) -> list[str]:
    """How many there are and how large, and in ever fewer words."""
    if not pieces:
        return ["no chunks"]
    sizes = median(each.facts.tokens for each in pieces)
    overlaps = median(each.facts.overlap for each in pieces)
    shared = f", {count(int(overlaps))} characters shared" if overlaps else ""
    number = counted(len(pieces), "chunk")
    sized = f"{number} of about {counted(int(sizes), 'token')}"
    return [f"{sized}{shared}", sized, number]
