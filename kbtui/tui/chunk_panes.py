"""The chunks of a document and its text, side by side: what the chunk viewer shows, and how it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from kbtui.answers import MODELS, PENDING
from kbtui.chunk_facts import Telling, as_read, chunk_as_read
from kbtui.content import safe
from kbtui.errors import Error, Offline, first_sentence
from kbtui.indexing import in_words, slowest
from kbtui.placing import Passages, Spot
from kbtui.rows import Body, DocumentRow
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.chunk_list import ChunkList, Piece, about
from kbtui.tui.widgets.chunked_text import Border, ChunkedText
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part, cells, fit, prose
from kbtui.tui.widgets.table import GAP, ColumnHeads

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.models import RagIndex
    from kbtui.tui.app import KbApp

LOW = 14  # lines below which there is room for the chunks or the text, not for both
LEAST_MODEL = 8  # cells of a model that would tell which it is
ROOMY = 24  # and from which there is a line for the heads of columns
BESIDE = 100  # columns from which the text stands beside the chunks, not below
ASKING: Part = ("asking …", "dim")


class ChunkPanes(CommandScreen[None]):
    """All chunks under one model; what is told of the one under the cursor, and where it stands."""

    AUTO_FOCUS = ""  # else where the list is hidden, the field that is hidden too gets the keys

    def __init__(
        self,
        app: KbApp,
        row: DocumentRow,
        wanted: tuple[str, str] = ("", ""),
        spot: Spot | None = None,
    ) -> None:
        """`wanted` is the chunk to begin with, by its id and by what it holds; or a `spot` in the text."""
        super().__init__(app.keymap)
        self._wanted, self._wanted_spot = wanted, spot
        self._tried = set[str]()  # models under which it is not
        self._near = -1  # the place in the text whose chunk is wanted
        self.kb, self.kbapp, self._row = app.kb, app, row
        self.model = ""
        self.list, self.text = ChunkList("chunks"), ChunkedText("text")
        self.heads = ColumnHeads("heads", self.list.heads)
        self.about, self.whole = DocumentView("about"), DocumentView("whole")
        self.body = Horizontal(id="body")
        self.field = Field("words", "words in the chunks", self.sought, "find ")
        self._header = Line("header")
        self._indexes: dict[str, RagIndex] = {}
        self._state = ASKING
        self._format = "html"

    def sought(self, words: str) -> None:
        """Words are typed that are to be found."""
        raise NotImplementedError

    def look_for(self, words: str) -> None:
        """Find these words."""
        raise NotImplementedError

    def gone_to(self, place: int) -> None:
        """The cursor stands at a place in the text, where the words may be that are looked for."""
        raise NotImplementedError

    def found(self, room: int) -> Part:
        """What is told of these words, in so many cells if it can be."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.field
        with self.body:
            with Vertical(id="left"):
                yield self.heads
                yield self.list
            with Vertical(id="beside"):
                yield self.about
                yield self.text
        yield self.whole
        yield Line("footer")

    def on_mount(self) -> None:
        self.about.can_focus = False
        self.field.display = self.whole.display = False
        self.set_focus(self.list)
        self.show_lines()
        self.load()

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < BESIDE, "-narrow")
        self.set_class(self.app.size.height < LOW, "-low")
        self.set_class(self.app.size.height >= ROOMY, "-roomy")
        self.show_lines()

    def on_screen_resume(self) -> None:
        self.show_lines()

    def situation(self) -> Situation:
        return Situation(row=self._row, read_only=self.kbapp.read_only())

    def facts(self) -> list[Part]:
        if not self.list.count:
            return []
        return [(f"{count(self.list.cursor + 1)} of {count(self.list.count)} ", "dim")]

    def show_lines(self) -> None:
        row = self.kb.mirror.row(self._row.id)
        if row is not None and row.updated != self._row.updated:
            self._row = row
            self.load(changed=True)
        place = self.kb.place(self._row.id) or "Root"
        number = f" Chunk {count(self.list.cursor + 1)}  " if self.whole.display else " Chunks  "
        name = f"{number}{safe(self._row.name[:200])}"
        width = self.app.size.width
        room = width - min(cell_len(name), width // 2) - GAP - 1
        found = self.found(room)
        state = found if found[0] and self.list.count else self._state
        right: list[Part] = [(self._named(room - cell_len(state[0])), "dim"), state, (" ", "")]
        where: Part = (f"  {safe(place)}", "dim")
        whole = cells([(name, ""), where, *right]) + GAP <= width
        self._header.show([(name, "strong"), *([where] if whole else [])], right)
        self.heads.follow()
        self.show_footer()

    def _named(self, room: int) -> str:
        """The model as far as there is room for it beside what is told."""
        model = safe(self.model)
        room = min(cell_len(model), room - len(" · "))
        return f"{fit(model, room)} · " if model and room >= LEAST_MODEL else ""

    def say(self, sentence: str, look: str) -> None:
        """Tell how it stands with the chunks."""
        self._state = (sentence, look)
        self.show_lines()

    def explain(self, *lines: list[Part]) -> None:
        """Say why there are no chunks, where they would be."""
        self.add_class("-empty")
        self.about.say([*lines])

    def lead(self, widget: Widget) -> None:
        """Give a part of the screen the keys."""
        self.set_focus(widget)
        if self.has_class("-low"):
            self.set_class(widget is self.text, "-in-text")
        self.list.show_led()
        self.text.show_led()
        self.show_footer()

    def choose(self) -> None:
        """Show what is told of the chunk under the cursor, and where it stands."""
        if self.list.piece is not None:
            if self.focused is self.text:
                self.text.chosen = self.list.cursor
            else:
                self.text.choose(self.list.cursor)
            self.tell_of_chunk()

    def tell_of_chunk(self) -> None:
        piece = self.list.piece
        if piece is not None:
            twin = self.kb.mirror.row(piece.facts.alike[0]) if piece.facts.alike else None
            other = "" if twin is None or twin.id == self._row.id else safe(twin.name[:80])
            self.about.say([list(about(piece, self.list.cursor, self._row.id, other))])
        self.show_footer()

    # What the service says

    @background("chunks")
    async def load(self, changed: bool = False) -> None:
        """Find the index to show, and show it; with `changed`, once it is built anew."""
        try:
            if changed:
                await self._until_indexed()
            self._indexes = {index.model: index for index in await self.kb.indexes(self._row.id)}
            if not self.model:
                ready = [each.model for each in self._indexes.values() if each.status == "succeeded"]
                self.model = min(ready, key=lambda model: (model not in MODELS[:1], model), default=MODELS[0])
            known = self._indexes.get(self.model)
            if known is not None and known.status in PENDING:
                await self.follow()
            await self.read()
        except Error as error:
            self.say(first_sentence(safe(error.sentence)), "bad")
            if not self.list.count:
                self.explain(
                    [(safe(error.sentence), "bad")],
                    [("Chunks are read from the service whenever you look, and not kept here.", "dim")],
                    prose("`R` asks again."),
                )
            raise

    async def _until_indexed(self) -> None:
        """Wait until the indexes of what was changed are built anew; what is shown till then is old."""
        async with aclosing(self.kb.follow_indexes(self._row.id)) as looks:
            async for indexes in looks:
                await self.uncovered()
                building = slowest(indexes)
                state = in_words(building)[0] if building else "looked at"
                self.say(f"changed: its index is {state}", "warn")

    async def follow(self) -> None:
        """Wait until the index is built, or cannot be."""
        async with aclosing(self.kb.follow_indexes(self._row.id, self.model)) as looks:
            async for indexes in looks:
                await self.uncovered()
                self._indexes.pop(self.model, None)
                self._indexes.update({each.model: each for each in indexes})
                sentence, look = in_words(self._indexes.get(self.model))
                self.say(sentence, look)
                if slowest(indexes) and not self.list.count:
                    self.explain([(f"The index is {sentence}.", look)], [("Its chunks appear here.", "dim")])

    async def read(self) -> None:
        """Show the chunks of the index, page by page; or why there are none."""
        known = self._indexes.get(self.model)
        if known is None or known.status != "succeeded":
            self.list.show([])
            self.text.clear()
            sentence, look = in_words(known)
            self.say(sentence, look)
            self.explain([(f"{sentence[:1].upper()}{sentence[1:]}.", look)], prose(self._offer(known)))
            return
        self.say("reading …", "dim")
        passages = await self._show_text()
        if passages is not None:
            await self._find_spot(passages)
        self.list.show([])
        self.remove_class("-empty")
        telling, pieces = Telling(self._row.id, self._format, passages, self.kb.likenesses), list[Piece]()
        async with aclosing(told(self.kb, self._row.id, self.model, telling)) as looks:
            async for so_far in looks:
                places = enumerate((each.place for each in so_far[len(pieces) :]), len(pieces))
                borders = [Border(place.start, place.end, at) for at, place in places if place is not None]
                pieces = so_far
                self.list.show(pieces)
                self.text.add(borders)
                if not self._go_to_wanted() and self.text.chosen != self.list.cursor:
                    self.choose()
                self.say(f"{counted(len(pieces), 'chunk')} …", "")
        self._go_to_wanted(nearly=True)
        if any(self._wanted) and not self._go_to_wanted(by_words=True):
            self._tried.add(self.model)
            if model := self._untried():  # it may be one of theirs
                self.model = model
                await self.read()
                return
            self._wanted = ("", "")
            self.tell("No model has the chunk that you came for.", "warn")
        self.say(counted(len(pieces), "chunk"), "good" if pieces else "warn")
        if not pieces:
            self.explain([("The index is ready, but the service names no chunks of it.", "warn")])

    def _untried(self) -> str:
        """A model whose chunks are ready and were not looked through for the one that is wanted, or ""."""
        ready = (model for model, each in self._indexes.items() if each.status == "succeeded")
        return next((model for model in ready if model not in self._tried), "")

    async def _find_spot(self, passages: Passages) -> None:
        """Find the spot to begin at in the text, if there is one, and look for its words."""
        spot, self._wanted_spot = self._wanted_spot, None
        if spot is not None:
            self._near, words = await asyncio.to_thread(spot.find, self.text.text, passages)
            if not (self.field.display or self.field.value):  # words that were typed meanwhile are newer
                self.look_for(words)

    def _go_to_wanted(self, *, by_words: bool = False, nearly: bool = False) -> bool:
        """Go to the chunk that is wanted, if it is here: by its id or place; when all are, by its words.

        Or `nearly`: to the last chunk that begins before the place, where none has it.
        """
        id, content = self._wanted
        pieces = enumerate(self.list.pieces)
        if by_words:
            text = chunk_as_read(content, self._format)
            hits = (at for at, each in pieces if each.text == text)
        elif id:
            hits = (at for at, each in pieces if each.id == id)
        else:
            places = ((at, each.place) for at, each in pieces)
            near = self._near
            begun = ((at, place) for at, place in places if place and place.start <= near)
            hits = (at for at, place in reversed([*begun]) if nearly or near < place.end)
        at = next(hits, None)
        if at is not None:
            near = self._near
            self._wanted, self._near = ("", ""), -1
            self.list.go(at)
            self.choose()
            if near >= 0:
                self.text.go_to(near)
                self.gone_to(near)
        elif nearly:
            self._near = -1
        return at is not None

    async def _show_text(self) -> Passages | None:
        """Show the document's text; where there is one, its passages, in which the chunks stand."""
        body = await body_of(self.kb, self._row)
        if body is None:
            return None
        self._format = body.format
        shown = await asyncio.to_thread(as_read, body.text, body.format)
        await self.text.show(shown)
        return await asyncio.to_thread(Passages, shown)

    def _offer(self, known: RagIndex | None) -> str:
        """What can be done where there are no chunks."""
        others = [model for model, each in self._indexes.items() if each.status == "succeeded"]
        other = f" `m` shows the chunks under {safe(', '.join(others))}." if others else ""
        if known is None:
            return "Agents have no chunks of this document under this model. `b` builds the index." + other
        return ("`b` builds it again." if known.status == "failed" else "") + other


async def body_of(kb: KnowledgeBase, row: DocumentRow) -> Body | None:
    """The text of a document as it is now, or without the service as it was; None where nobody knows it."""
    try:
        return kb.kept_body(row) or await kb.read(row.id)
    except Offline:
        return kb.mirror.body(row.id)


async def told(
    kb: KnowledgeBase, document: str, model: str, telling: Telling
) -> AsyncGenerator[list[Piece], None]:
    """The chunks of a document under a model, with what is told of each: all so far, page by page."""
    pieces = list[Piece]()
    async with aclosing(kb.chunks(document, model)) as pages:
        async for page in pages:
            facts = await asyncio.to_thread(telling.of, [chunk.content for chunk in page])
            pieces = [*pieces, *(Piece(chunk.id, *each) for chunk, each in zip(page, facts, strict=True))]
            yield pieces
