"""Chunks: the pieces of a document that agents retrieve, beside the text that they were cut from."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from kbtui.answers import MODELS
from kbtui.chunk_facts import Telling, as_read, chunk_as_read
from kbtui.commands import Situation
from kbtui.content import safe
from kbtui.errors import Error, Offline
from kbtui.indexing import PENDING, in_words
from kbtui.placing import Passages
from kbtui.rows import DocumentRow
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.chunk_list import ChunkList, Piece, about
from kbtui.tui.widgets.chunked_text import Border, ChunkedText
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import RagIndex
    from kbtui.tui.app import KbApp

BESIDE = 100  # columns from which the text stands beside the chunks, not below
EMPTY = {
    "no index yet": "Agents that use this document have no chunks of it under this model. b builds one.",
    "building it failed": "b builds it again.",
}


class Chunks(CommandScreen[None]):
    """All chunks under one model; what is told of the one under the cursor, and where it stands."""

    def __init__(self, app: KbApp, row: DocumentRow, wanted: tuple[str, str] = ("", "")) -> None:
        """`wanted` is the chunk to begin with, by its id and by what it holds."""
        super().__init__(app.keymap)
        self._wanted = wanted
        self.kb, self.kbapp, self._row = app.kb, app, row
        self.model = ""
        self.list = ChunkList("chunks")
        self.text = ChunkedText("text")
        self._header, self._about, self._whole = Line("header"), DocumentView("about"), DocumentView("whole")
        self._field = Field("words", "words to find in the chunks", self._sought)
        self._indexes: dict[str, RagIndex] = {}
        self._state: Part = ("asking …", "dim")
        self._passages: Passages | None = None
        self._words = ""

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        with Horizontal(id="body"):
            yield self.list
            with Vertical(id="beside"):
                yield self._about
                yield self.text
        yield self._whole
        yield Line("footer")

    def on_mount(self) -> None:
        self._about.can_focus = False
        self._field.display = self._whole.display = False
        self.set_focus(self.list)
        self.show_lines()
        self._load()

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < BESIDE, "-narrow")

    def here(self) -> tuple[str, ...]:
        return ("chunk_words",) if self.focused is self._field else ("chunks", "move")

    def situation(self) -> Situation:
        return Situation(row=self._row, read_only=self.kbapp.read_only())

    def facts(self) -> list[Part]:
        if not self.list.count:
            return []
        return [(f"{count(self.list.cursor + 1)} of {count(self.list.count)} ", "dim")]

    def show_lines(self) -> None:
        place = " / ".join(folder.name for folder in self.kb.mirror.path(self._row.id)) or "Root"
        self._header.show(
            [(" Chunks  ", "strong"), (safe(self._row.name[:200]), "strong"), (f"  {safe(place)}", "dim")],
            [(f"{safe(self.model)} · " if self.model else "", "dim"), self._state, (" ", "")],
        )
        self.show_footer()

    # What the service says

    @background("chunks")
    async def _load(self) -> None:
        """Find the index to show, and show it."""
        try:
            self._indexes = {index.model: index for index in await self.kb.indexes(self._row.id)}
            if not self.model:
                ready = [each.model for each in self._indexes.values() if each.status == "succeeded"]
                self.model = min(ready, key=lambda model: (model not in MODELS[:1], model), default=MODELS[0])
            known = self._indexes.get(self.model)
            if known is not None and known.status in PENDING:
                await self._follow()
            await self._read()
        except Error:
            self._say("the service did not answer", "bad")
            raise

    async def _follow(self) -> None:
        """Wait until the index is built, or cannot be."""
        async with aclosing(self.kb.follow_index(self._row.id, self.model)) as states:
            async for known in states:
                self._indexes[self.model] = known
                self._say(*in_words(known))

    async def _read(self) -> None:
        known = self._indexes.get(self.model)
        ready = known is not None and known.status == "succeeded"
        sentence, look = in_words(known)
        self._say(*(("reading …", "dim") if ready else (sentence, look)))
        self.list.show([])
        self.remove_class("-empty")
        if not ready:
            await self.text.show("")
            self._explain((f"{sentence[:1].upper()}{sentence[1:]}.", look), (self._offer(sentence), "dim"))
            return
        await self._show_text()
        telling, pieces = Telling(self._row.id, self._passages, self.kb.likenesses), list[Piece]()
        async with aclosing(self.kb.chunks(self._row.id, self.model)) as pages:
            async for page in pages:
                told = await asyncio.to_thread(telling.of, [chunk.content for chunk in page])
                places = enumerate((each.place for each in told), len(pieces))
                borders = [Border(place.start, place.end, at) for at, place in places if place is not None]
                pieces += [Piece(chunk.id, *each) for chunk, each in zip(page, told, strict=True)]
                self.list.show(pieces)
                self.text.add(borders)
                self._say(f"{counted(len(pieces), 'chunk')} …", "")
                self._go_to_wanted()
                self._choose()
        if any(self._wanted):
            self._wanted = ("", "")
            self.tell("The chunk you came for is not among these; m shows those of the other model.", "warn")
        self._say(counted(len(pieces), "chunk"), "good" if pieces else "warn")
        if not pieces:
            self._explain(("The index is ready, but the service names no chunks of it.", "warn"))

    def _go_to_wanted(self) -> None:
        id, content = self._wanted
        text = chunk_as_read(content)
        pieces = enumerate(self.list.pieces)
        at = next((at for at, each in pieces if id and (each.id == id or each.text == text)), None)
        if at is not None:
            self._wanted = ("", "")
            self.list.go(at)

    async def _show_text(self) -> None:
        """The document's text, that the chunks stand in; without it, they stand nowhere."""
        try:
            body = self.kb.kept_body(self._row) or await self.kb.read(self._row.id)
        except Offline:
            kept = self.kb.mirror.body(self._row.id)
            if kept is None:
                self._passages = None
                return
            body = kept
        shown = await asyncio.to_thread(as_read, body.text, body.format)
        self._passages = await asyncio.to_thread(Passages, shown)
        await self.text.show(shown)

    def _offer(self, sentence: str) -> str:
        others = [model for model, each in self._indexes.items() if each.status == "succeeded"]
        other = f" There are chunks under {safe(', '.join(others))}: m." if others else ""
        return EMPTY.get(sentence, "") + other

    def _explain(self, *lines: Part) -> None:
        """Say why there are no chunks, where they would be."""
        self.add_class("-empty")
        self._about.say([[("", "")], *([line] for line in lines)])

    def _say(self, sentence: str, look: str) -> None:
        self._state = (sentence, look)
        self.show_lines()

    def do_chunks_model(self) -> None:
        models = list(dict.fromkeys([*MODELS, *self._indexes]))
        self.model = (
            models[(models.index(self.model) + 1) % len(models)] if self.model in models else models[0]
        )
        self._say("asking …", "dim")
        self._load()

    def do_chunks_build(self) -> None:
        known = self._indexes.get(self.model)
        if known is not None and known.status == "succeeded":
            self.tell("The index under this model is ready.")
        elif self.model:
            self._build()

    @background("chunks")
    async def _build(self) -> None:
        await self.kb.build_index(self._row.id, self.model)
        await self._follow()
        await self._read()
        sentence, look = in_words(self._indexes.get(self.model))
        self.tell(f"The index of “{safe(self._row.name[:80])}”: {sentence}.", "" if look == "good" else look)

    # Moving

    def do_move(self, by: str) -> None:
        if self._whole.display:
            self._whole.move(by)
        elif self.focused is self.text:
            self.text.move(by)
            self._follow_text()
        else:
            self.list.move(by)
            self._choose()

    @on(VirtualList.Moved, "#chunks")
    def _choose(self) -> None:
        """Show what is told of the chunk under the cursor, and where it stands."""
        if self.list.piece is not None:
            if self.focused is not self.text:
                self.text.choose(self.list.cursor)
            self._show()

    @on(VirtualList.Moved, "#text")
    def _follow_text(self) -> None:
        """The cursor of the chunks goes with that of the text."""
        chunk = self.text.chunk_here()
        if chunk >= 0 and chunk != self.text.chosen:
            self.text.chosen = chunk
            self.text.refresh()
            self.list.go(chunk)
            self._show()

    def do_chunks_pane(self) -> None:
        if not self._whole.display:
            self._lead(self.text if self.focused is self.list else self.list)

    def _lead(self, widget: Widget) -> None:
        """Give a part of the screen the keys."""
        self.set_focus(widget)
        self.list.show_led()
        self.text.show_led()
        self.show_footer()

    def _show(self) -> None:
        piece = self.list.piece
        if piece is not None:
            self._about.say([list(about(piece, self.list.cursor, self._row.id))])
        self.show_footer()

    # One chunk alone

    @on(VirtualList.Opened, "#chunks")
    def do_chunks_whole(self) -> None:
        piece = self.list.piece
        if self._whole.display or piece is None:
            self._alone(False)
        else:
            self._fetch(piece)

    @background("whole")
    async def _fetch(self, piece: Piece) -> None:
        """The chunk as the service has it now."""
        chunk = await self.kb.chunk(self._row.id, piece.id, self.model)
        self._whole.mark(self._words.split())
        self._alone(True)
        await self._whole.show_source(safe(chunk.content, newlines=True))

    def _alone(self, alone: bool) -> None:
        self.query_one("#body").display = not alone
        self._whole.display = alone
        self._lead(self._whole if alone else self.list)

    def do_document_edit(self) -> None:
        piece = self.list.piece
        self.kbapp.edit_at(self._row.id, piece.text if piece is not None else "")

    # Words

    def do_chunks_find(self) -> None:
        self._alone(False)
        self._field.display = True
        self._field.value = self._words
        self._field.action_select_all()
        self._lead(self._field)

    def _sought(self, words: str) -> None:
        self._words = words.strip()
        self.text.marks = re.compile(re.escape(self._words), re.IGNORECASE) if self._words else None
        self.text.refresh()
        found = len(self._with_words())
        self._say(
            f"{counted(found, 'chunk')} with these words" if self._words else "", "" if found else "warn"
        )

    def _with_words(self) -> list[int]:
        wanted = self._words.casefold()
        return [at for at, each in enumerate(self.list.pieces) if wanted and wanted in each.text.casefold()]

    def do_chunks_next_hit(self, by: int = 1) -> None:
        found = self._with_words()
        if not found:
            self.tell(
                "No chunk has the words; / finds others."
                if self._words
                else "Nothing is searched for; / does."
            )
            return
        here = self.list.cursor
        after = [at for at in found if (at > here if by > 0 else at < here)]
        self.list.go((after or found)[0 if by > 0 else -1])
        self._choose()

    def do_chunks_previous_hit(self) -> None:
        self.do_chunks_next_hit(-1)

    def do_chunk_words_find(self) -> None:
        self._end_finding()
        found = self._with_words()
        if found and self.list.cursor not in found:
            self.do_chunks_next_hit()

    def do_chunk_words_drop(self) -> None:
        self._field.value = ""
        self._end_finding()

    def _end_finding(self) -> None:
        self._field.display = False
        self._lead(self.list)
        self._say(counted(self.list.count, "chunk"), "good")

    def do_chunks_leave(self) -> None:
        if self._whole.display:
            self._alone(False)
        else:
            self.dismiss()
