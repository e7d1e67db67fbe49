"""Chunks: the pieces of a document that agents retrieve, beside the text that they were cut from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial

from textual import on

from kbtui.answers import MODELS
from kbtui.content import safe
from kbtui.tui.background import background
from kbtui.tui.chunk_panes import ASKING
from kbtui.tui.chunk_words import ChunkWords
from kbtui.tui.widgets.virtual_list import VirtualList

AROUND = 200  # characters by which a place in the text is found again in the editor


class Chunks(ChunkWords):
    """The commands of the place "chunks", each in a method by its name."""

    _target = 0  # the chunk that is being fetched to be shown alone

    def here(self) -> tuple[str, ...]:
        if self.focused is self.field:
            return ("chunk_words",)
        if self.whole.display:
            return ("whole", "move", "around")
        places = ("chunks", "move", "around")
        return places if self.list.count else ("unindexed", *places)

    def content_saved(self, document: str) -> None:
        if document == self._row.id:
            self._row = self.kb.mirror.row(document) or self._row
            self.load(changed=True)

    # The index

    def do_chunks_model(self) -> None:
        models = list(dict.fromkeys([*MODELS, *self._indexes]))
        at = models.index(self.model) + 1 if self.model in models else 0
        self.model = models[at % len(models)]
        piece = self.list.piece
        if piece is not None and piece.place is not None:
            self._near = piece.place.start
        self.list.show([])  # what another model has would stand under its name
        self.text.clear()
        self.say(*ASKING)
        self.load()

    do_unindexed_model = do_chunks_model

    def do_chunks_reload(self) -> None:
        self.say(*ASKING)
        self.load()

    def do_chunks_build(self) -> None:
        known = self._indexes.get(self.model)
        if known is not None and known.status == "succeeded":
            self.tell("The index under this model is ready.")
        elif self.model:
            self.kbapp.build_index(self._row.id, self.model, self._built)

    do_unindexed_build = do_chunks_build

    def _built(self) -> None:
        if self.is_attached:
            self.load()

    def do_chunks_compare(self) -> None:
        """The chunks under this model beside those under another that has some."""
        ready = [model for model, each in self._indexes.items() if each.status == "succeeded"]
        others = [model for model in ready if model != self.model]
        if self.model in ready and others:
            self._compare(others[0])
        elif self._indexes:
            self.tell("There is an index under one model only: m shows the other, b builds its index.")
        else:
            self.tell("No index is known that could be compared: R asks the service again.")

    @background("compare")
    async def _compare(self, other: str) -> None:
        from kbtui.tui.screens.compared import Compared

        piece = self.list.piece
        screen = Compared(self.kbapp, self._row, (self.model, other), piece.place if piece else None)
        chosen = await self.app.push_screen_wait(screen)
        if chosen is None:
            return
        model, id = chosen
        at = next((at for at, each in enumerate(self.list.pieces) if each.id == id), None)
        if model == self.model and at is not None:
            self.list.go(at)
            self.choose()
        else:
            self.model, self._wanted = model, (id, "")
            self.load()

    # Moving

    def do_move(self, by: str) -> None:
        if self.whole.display:
            self.whole.move(by)
        elif self.focused is self.text:
            self.text.move(by)
            self._follow_text()
        else:
            self.list.move(by)
            self.choose()

    @on(VirtualList.Moved, "#chunks")
    def _moved(self) -> None:
        if self.text.chosen != self.list.cursor:  # else it is shown, perhaps at the words that are looked for
            self.choose()

    @on(VirtualList.Moved, "#text")
    def _follow_text(self) -> None:
        """The cursor of the chunks goes with that of the text."""
        chunk = self.text.chunk_here()
        if chunk >= 0 and chunk != self.text.chosen:
            self.text.chosen = chunk
            self.text.refresh()
            self.list.go(chunk)
            self.tell_of_chunk()

    def do_chunks_pane(self) -> None:
        self.lead(self.text if self.focused is self.list else self.list)

    def do_chunks_list(self) -> None:
        self.lead(self.list)

    def do_chunks_text(self) -> None:
        self.lead(self.text)

    # One chunk alone

    @on(VirtualList.Opened, "#chunks")
    def do_chunks_whole(self) -> None:
        if self.list.count:
            self.tell("Reading the chunk … Esc gives up.")
            chosen = self.list.at
            self._fetch(self.list.cursor, chosen[1] if chosen and chosen[0] == self.list.cursor else 0)

    def do_chunks_find(self) -> None:
        self._give_up()  # it would take the keys away
        super().do_chunks_find()

    @property
    def _fetching(self) -> bool:
        return any(worker.group == "whole" and not worker.is_finished for worker in self.workers)

    def _give_up(self) -> bool:
        """Fetch no chunk to be shown alone; False where none was being fetched."""
        fetching = self._fetching
        if fetching:
            self.workers.cancel_group(self, "whole")
            self.app.clear_notifications()
        return fetching

    @background("whole")
    async def _fetch(self, at: int, nth: int = 0) -> None:
        """Show a chunk as the service has it now; unless the person went on in the list meanwhile.

        It begins at the nth place of the words that are looked for, if it has them.
        """
        if at >= self.list.count:
            return  # another model was chosen since the key
        here, piece, self._target = self.list.cursor, self.list.pieces[at], at
        chunk = await self.kb.chunk(self._row.id, piece.id, self.model)
        if here != self.list.cursor or self.list.pieces[at : at + 1] != [piece]:
            return
        self.app.clear_notifications()
        self.list.go(at)
        self.whole.mark(self._sought, partial(self._nth, nth))
        self.list.at = (at, nth)
        self._alone(True)
        await self.whole.show_source(safe(chunk.content, newlines=True))
        self.show_lines()

    def _nth(self, nth: int, text: str) -> int | None:
        """The nth place in a text of the words that are looked for, or the last."""
        places = [place.start() for place in self._sought.finditer(text)] if self._sought else []
        return places[min(nth, len(places) - 1)] if places else None

    def _alone(self, alone: bool) -> None:
        self.body.display = not alone
        self.whole.display = alone
        self.lead(self.whole if alone else self.list)
        self._moved()
        self.show_lines()

    def do_whole_back(self) -> None:
        self._alone(False)
        if self.list.at is not None and self.list.at[0] == self.list.cursor:
            self.text.go_to_mark(*self.list.at)

    def do_whole_next(self, by: int = 1) -> None:
        at = (self._target if self._fetching else self.list.cursor) + by
        if 0 <= at < self.list.count:
            self._fetch(at)

    def do_whole_previous(self) -> None:
        self.do_whole_next(-1)

    def do_whole_next_hit(self, by: int = 1) -> None:
        """To the next place of the words, here or in the next chunk that has them; or to the next chunk."""
        if not self._places():
            self.do_whole_next(by)
        elif self.whole.go_to_hit(by, around=False):
            here = self.list.cursor
            self.list.at = (here, min(self.whole.hits_above, len(self.list.places.get(here, (0,))) - 1))
            self.show_lines()
        else:
            chunks = list(self.list.places)
            behind = (bisect_right if by > 0 else bisect_left)(chunks, self.list.cursor)
            chunk = chunks[(behind if by > 0 else behind - 1) % len(chunks)]
            self._fetch(chunk, 0 if by > 0 else len(self.list.places[chunk]) - 1)

    def do_whole_previous_hit(self) -> None:
        self.do_whole_next_hit(-1)

    def do_document_edit(self) -> None:
        piece = self.list.piece
        passage = piece.text if piece is not None else ""
        if self.focused is self.text:
            passage = self.text.words_here(AROUND)
        self.kbapp.edit_at(self._row.id, passage)

    def do_chunks_leave(self) -> None:
        if not self._give_up():
            self.dismiss()
