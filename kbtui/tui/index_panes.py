"""The indexes of some documents, and the room that all take: what the Index screen shows, and learns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.errors import Error, first_sentence
from kbtui.index_states import State
from kbtui.index_table import IndexLine, IndexTable
from kbtui.rows import ALL, FOLDER, DocumentRow, View
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.index_watch import IndexWatch
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.index_list import (
    IndexList,
    folders_of,
    heads,
    longest_of,
    more_words,
    room_words,
    standing,
)
from kbtui.tui.widgets.line import Line, Part, prose, widest

if TYPE_CHECKING:
    from kbtui.models import RagIndex, RagOverview
    from kbtui.tui.app import KbApp

MOST = 10_000  # documents that are listed
PATIENCE = 5.0  # seconds that a key waits at most for what is to be listed
LOW, LOWEST = 16, 9  # rows below which the lines and the room are shown, or the lines alone


class IndexPanes(CommandScreen[None]):
    """A line for each index; `documents` are ids; a folder, or `ALL`, stands for all documents below it."""

    def __init__(self, app: KbApp, documents: Sequence[str]) -> None:
        super().__init__(app.keymap)
        self.kb, self.kbapp = app.kb, app
        self.states = self.kb.index_states
        self.model = ""  # of which the indexes are shown; "" for all
        self.rows: dict[str, DocumentRow] = {}  # all that is listed, as it was when the screen was opened
        self.lines, self.table = IndexList("lines", self._of), IndexTable(self.states, {})
        self.about = DocumentView("about")
        self._header, self._heads, self._room, self._more = map(Line, ("header", "heads", "room", "more"))
        self._asked = documents
        self._longest = 0, 0  # cells of a name, and of one with its folder
        self._cut = False  # there are more documents than are listed
        self._usage: RagOverview | None = None
        self._state: Part = ("", "")
        self._said: list[list[Part]] = []  # of the line under the cursor
        self._watch = IndexWatch(self, app, self.heard)
        self._changes = self.states.changes  # that are drawn
        self._found = asyncio.Event()  # what is to be listed
        self._doubted: set[str] = set()  # of which it was asked whether they are gone, having no index
        self._gone: set[str] = set()
        self._untold: dict[str, str] = {}  # models that tell nothing of what is in view, each with why

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._heads
        yield self.lines
        yield self.about
        yield self._room
        yield self._more
        yield Line("footer")

    async def ready(self) -> None:
        """Keys wait for what they are about, which comes from the mirror in a moment."""
        await super().ready()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._found.wait(), PATIENCE)

    def on_mount(self) -> None:
        self.about.can_focus = False
        self.set_focus(self.lines)
        self.show_lines()
        self.load()

    def on_resize(self) -> None:
        self.set_class(self.app.size.height < LOW, "-low")
        self.set_class(self.app.size.height < LOWEST, "-lowest")
        self._show_room()

    def on_screen_resume(self) -> None:
        self.show_lines()

    # What the lines stand for

    @property
    def row(self) -> DocumentRow | None:
        """The document under the cursor, as it is now, or as it was before it was gone."""
        line = self.lines.line
        return (self.kb.mirror.row(line.document) or self.rows[line.document]) if line is not None else None

    @property
    def index(self) -> RagIndex | None:
        """The index under the cursor."""
        line = self.lines.line
        return self._index(line) if line is not None else None

    def _index(self, line: IndexLine) -> RagIndex | None:
        state = self.states.state(line.document, line.model)
        return state.index if state is not None else None

    def situation(self) -> Situation:
        return Situation(row=self.row, read_only=self.kbapp.read_only())

    def models(self) -> tuple[str, ...]:
        """The models under which indexes are shown."""
        return (self.model,) if self.model else tuple(self.states.models)

    @property
    def target(self) -> str:
        """The model under which an index is built that is not there."""
        return self.model or self.states.models[0]

    @property
    def left(self) -> int | None:
        """The bytes that indexes may still take in the workspace; None where that is not known."""
        usage = self._usage
        if usage is None or not usage.total_max_bytes:
            return None
        return max(0, usage.total_max_bytes - usage.total_used_bytes)

    def has_failed(self, id: str, model: str) -> bool:
        """Whether the index of a document could not be built."""
        index = self._index(IndexLine(id, model))
        return index is not None and index.status == "failed"

    def _of(self, line: IndexLine) -> tuple[str, State | None, bool]:
        row = self.kb.mirror.row(line.document)
        if row is None:
            return self.rows[line.document].name, None, True
        if line.model:
            return row.name, self.states.current(row.id, row.updated, line.model), False
        states = [self.states.current(row.id, row.updated, model) for model in self.models()]
        trouble = next((state for state in states if state is not None and state.trouble), None)
        return row.name, trouble or (states[0] if all(states) else None), False

    # How it is learnt

    @background("index")
    async def load(self) -> None:
        """Find the documents in the mirror, and what room there is on the service."""
        self.rows, self._cut = await asyncio.to_thread(self._documents)
        self._tell_folders()
        self._found.set()
        self.relist()
        await self._ask_usage()

    def _tell_folders(self) -> None:
        """Behind the name of a document its folder is told, but for the one that all of this is about."""
        names = {folder.id: folder.name for folder in self.kb.mirror.folders()}
        rows, here = self.rows.values(), self._asked[0] if len(self._asked) == 1 else ""
        self.lines.folders = folders = folders_of(rows, names, here)
        self._longest = longest_of(rows, folders)

    def _documents(self) -> tuple[dict[str, DocumentRow], bool]:
        found, cut = dict[str, DocumentRow](), False
        for id in self._asked:
            if id == ALL:
                everything = self.kb.mirror.listing(View(ALL))
                found.update((row.id, row) for row in self.kb.mirror.window(everything, 0, MOST + 1))
                continue
            row = self.kb.mirror.row(id)
            folder = row is not None and row.type == FOLDER
            inside, more = self.kb.below(id, MOST) if folder else ([id], False)
            rows = (self.kb.mirror.row(each) for each in inside)
            found.update((each.id, each) for each in rows if each is not None)
            cut |= more
        return dict(list(found.items())[:MOST]), cut or len(found) > MOST

    @background("usage")
    async def ask_usage(self) -> None:
        """Ask what room there is, as something has changed it."""
        await self._ask_usage()

    async def _ask_usage(self) -> None:
        try:
            self._usage = await self.kb.index_usage()
        except Error as error:
            self._usage = None
            self._room.show([(f" The room for indexes is not known: {safe(error.sentence)}", "warn")])
        self.heard()

    @background("there", exclusive=False)
    async def _ask_whether_gone(self, ids: Iterable[str]) -> None:
        """Without an index, a document answers as one that is gone."""
        with suppress(Error):
            await self.kb.gone(ids)
            self.show_lines()

    def _look(self) -> None:
        """Learn what is not known of the lines in view."""
        ids = dict.fromkeys(line.document for line in self.lines.in_view())
        rows = (self.kb.mirror.row(id) for id in ids)
        here = {row.id: row.updated for row in rows if row is not None}
        if gone := ids.keys() - here.keys() - self._gone:
            self._gone.update(gone)
            self.table.update(gone)
            self.lines.show(self.table)
            self._show_room()
        self._watch.look(here, self.models())
        self._untold = self.untold(here)
        doubted = [
            id
            for id in here.keys() - self._doubted
            if self.table.is_missing(id) and not self.states.indexed(id)
        ]
        if doubted:
            self._doubted.update(doubted)
            self._ask_whether_gone(doubted)

    def untold(self, documents: Mapping[str, int]) -> dict[str, str]:
        """The models shown that tell nothing of these documents, each with why, as the service says it."""
        found = dict[str, str]()
        for model in self.models():
            known = [self.states.current(id, updated, model) for id, updated in documents.items()]
            why = {state.trouble for state in known if state is not None}
            if why and "" not in why:
                found[model] = min(why)
        return found

    def forget_doubts(self) -> None:
        """Whether documents are gone is asked again."""
        self._doubted.clear()
        self._gone.clear()

    # What is shown

    def heard(self) -> None:
        """Something was heard of some documents: draw what it changes."""
        if self.table.models != list(self.models()):
            self.relist()
            return
        ids, self._changes = self.states.heard_since(self._changes), self.states.changes
        settled = self.table.update(ids)
        self._show_table()
        if settled:
            self.ask_usage()

    def relist(self) -> None:
        """Draw everything anew by what was heard."""
        self._changes = self.states.changes
        sizes = {row.id: row.size for row in self.rows.values()}
        self.table = IndexTable(self.states, sizes, self.model, self._gone)
        name, whole = self._longest
        self.lines.longest = name, widest(safe(model[:80]) for model in self.models()), whole
        self._show_table()

    def _show_table(self) -> None:
        self.lines.show(self.table)
        self.show_lines()
        self._show_room()

    def show_lines(self) -> None:
        if self.is_uncovered:
            self._look()
        under = safe(self.model[:80]) or "all models"
        but = "" if self._is_unanswered() else ", ".join(safe(model[:80]) for model in self._untold)
        self._header.show(
            [
                (" Index  ", "strong"),
                (self._title(), "strong"),
                (f"  {under}", "key"),
                (f" but {but}" if but else "", "warn"),
            ],
            [self._told(), (" ", "")],
        )
        self._heads.show([(heads(self.app.size.width - 1, *self.lines.longest), "dim")])
        self.tell_of_line()
        self.show_footer()

    def _title(self) -> str:
        first = self.kb.mirror.row(self._asked[0]) if len(self._asked) == 1 else None
        documents = f"{'the first ' if self._cut else ''}{counted(len(self.rows), 'document')}"
        if first is None or (first.type != FOLDER and len(self.rows) == 1):
            return safe(first.name[:200]) if first is not None else documents
        return f"{safe(first.name[:200])}, {documents}"

    def _is_unanswered(self) -> bool:
        """Whether no model tells anything of what is in view."""
        return bool(self._untold) and len(self._untold) == len(self.models())

    def _told(self) -> Part:
        if self._state[0]:
            return self._state
        if self.kbapp.trouble:
            return ("the service cannot be asked now", "bad")
        if self._is_unanswered():
            return (f"{first_sentence(safe(next(iter(self._untold.values()))))}; R asks again", "bad")
        building = self.table.building
        return (f"{count(building)} being built", "warn") if building else ("", "")

    def say(self, sentence: str, look: str = "") -> None:
        """Tell how it stands with what was begun; "" for no more."""
        self._state = (sentence, look)
        self.show_lines()

    def facts(self) -> list[Part]:
        if not self.lines.count:
            return []
        return [(f"{count(self.lines.cursor + 1)} of {count(self.lines.count)} ", "dim")]

    def _show_room(self) -> None:
        """Tell of the room of the workspace, and of what the listed documents without an index would take."""
        usage, width = self._usage, self.app.size.width - 1  # a line does not touch the edge
        if usage is not None:
            models = [(each.model, each.used_bytes) for each in usage.models]
            words = room_words(usage.total_used_bytes, usage.total_max_bytes, models, width)
            self._room.show([(words, "dim")])
        looked = self.table.sums.looked
        of = f" of the {count(looked)} looked at" if looked < len(self.rows) else ""
        self._more.show([more_words(self.table.estimate, self.left, of, width)])

    def tell_of_line(self) -> None:
        """Say in full what is under the cursor, and what can be done."""
        line, row = self.lines.line, self.row
        if line is None or row is None:
            empty = "There is no document in it that could have an index." if self._found.is_set() else ""
            self._say_about([[(empty, "warn")]])
            return
        _, state, gone = self._of(line)
        mark, (words, look) = standing(state, gone)
        used = state.index.document_model_index_usage.used_bytes if state and state.index else 0
        size = f", {human_size(used)}" if used else ""
        model = f"  {safe(line.model[:80])}{size}" if line.model else ""
        others = self._untold.items() if not (state and state.trouble) else ()
        untold = "; ".join(f"{safe(model[:80])}: {safe(why)}" for model, why in others)
        place = safe(self.kb.place(row.id)) or "Root"
        unknown = "not known" if self.kbapp.trouble else "asking …"
        self._say_about(
            [
                [(safe(row.name[:300]), "strong"), (f"  {place}", "dim")],
                [(f"{mark} {words}".strip() or unknown, look), (model, "dim")],
                [*prose(self._offer(state, gone)), (f"  {untold}" if untold else "", "warn")],
            ]
        )

    def _say_about(self, words: list[list[Part]]) -> None:
        if words != self._said:
            self._said = words
            self.about.say(words)

    def _offer(self, state: State | None, gone: bool) -> str:
        if gone or state is None:
            return ""
        if state.index is None:
            return (
                ""
                if state.trouble
                else f"`b` builds it under {safe(self.target[:80])}; `m` chooses the model."
            )
        if state.index.status == "failed":
            return "`b` builds it again."
        if state.index.status == "rag_limit_exceeded":
            return "`b` tries again; deleting another makes room."
        return "`c` shows its chunks." if state.index.status == "succeeded" else ""
