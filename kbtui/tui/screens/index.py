"""Index: how the RAG indexes of some documents stand, and what room they take; they are built and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on

from kbtui.content import safe
from kbtui.errors import Refused
from kbtui.index_states import BATCH, is_pending
from kbtui.tui.background import background
from kbtui.tui.index_panes import IndexPanes
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import RagIndex
    from kbtui.rows import DocumentRow

LOOKS, PAUSE = 100, 0.05  # how often, with as many seconds between, what another asked for is waited for


class Index(IndexPanes):
    """The commands of the place "index", each in a method by its name."""

    places = ("index", "move", "around")

    def do_move(self, by: str) -> None:
        self.lines.move(by)
        self.show_lines()

    @on(VirtualList.Moved, "#lines")
    def _moved(self) -> None:
        self.show_lines()

    def do_index_next_problem(self, by: int = 1) -> None:
        """Problems are told apart where they are known: B looks at all."""
        at = self.table.next_problem(self.lines.cursor, by) if self.lines.count else None
        if at is None:
            self.tell("No problem is known among these; B looks at all that are listed.")
        else:
            self.lines.go(at)
            self.show_lines()

    def do_index_previous_problem(self) -> None:
        self.do_index_next_problem(-1)

    # One

    def do_index_build(self) -> None:
        line, row, index = self.lines.line, self.row, self.index
        if line is None or row is None:
            return
        if is_pending(index):
            self.tell("The index is being built; you are told when it is ready.")
        elif index is not None and index.status == "succeeded":
            self.tell("The index is ready; a change of the text has it built anew.")
        elif self.kb.mirror.row(row.id) is None:
            self.tell("The document is gone from the service.", "warn")
        else:
            self.kbapp.build_index(row.id, line.model or self.target, self.show_lines)

    def do_index_delete(self) -> None:
        index, row = self.index, self.row
        if index is None or row is None:
            self.tell("There is no index here to be deleted.")
        else:
            self._delete(row, index)

    @background("delete", exclusive=False)
    async def _delete(self, row: DocumentRow, index: RagIndex) -> None:
        from kbtui.tui.screens.question import Question

        used = index.document_model_index_usage.used_bytes
        size = f" ({human_size(used)})" if used else ""
        loss = (
            f"“{safe(row.name[:80])}” under {safe(index.model[:80])}{size}. "
            "Agents stop finding it in retrieval until it is built again."
        )
        if await self.app.push_screen_wait(Question(self.kbapp, "Delete this index?", loss, "Delete")):
            self.kbapp.delete_index(row, index, self._deleted)

    def _deleted(self) -> None:
        if self.is_attached:
            self.ask_usage()

    @on(VirtualList.Opened, "#lines")
    def do_index_chunks(self) -> None:
        line, row = self.lines.line, self.row
        if line is None or row is None:
            return
        if self.kb.mirror.row(row.id) is None:
            self.tell("The document is gone from the service.", "warn")
            return
        from kbtui.tui.screens.chunks import Chunks

        screen = Chunks(self.kbapp, row)
        screen.model = line.model or self.model
        self.app.push_screen(screen)

    # All

    def do_index_model(self) -> None:
        choice = ["", *self.states.models]
        at = choice.index(self.model) + 1 if self.model in choice else 0
        self.model = choice[at % len(choice)]
        self.relist()

    def do_index_reload(self) -> None:
        self.states.expire(self.rows)
        self.forget_doubts()
        self.load()

    def do_index_build_all(self) -> None:
        self._build_all(self.target)

    @background("all")
    async def _build_all(self, model: str) -> None:
        """Look at all that is listed, and have built what is missing, if the person agrees."""
        from kbtui.tui.screens.question import Question

        rows = [row for id in self.rows if (row := self.kb.mirror.row(id)) is not None]
        await self._look_at_all(rows, model)
        untold = self.untold({row.id: row.updated for row in rows})
        if model in untold:
            raise Refused(untold[model])
        models = [each for each in self.models() if each not in untold]
        missing = {row.id: row for row in rows if self._lacks(row.id, models, model)}
        if not missing:
            self.tell("None is missing, and none has failed.")
            return
        size = sum(row.size for row in missing.values())
        about = f", about {human_size(size)} of text" if size else ""
        title = f"Build the index of {counted(len(missing), 'document')}?"
        left = f"; {human_size(self.left)} of room is left" if self.left is not None else ""
        loss = f"Under {safe(model[:80])}{about}{left}. You are told when all are ready."
        if untold:
            loss += f" How they stand under {safe(', '.join(untold)[:160])} is not known."
        await self.uncovered()  # a question over an editor would be answered by what is typed there
        if await self.app.push_screen_wait(Question(self.kbapp, title, loss, "Build")):
            self.kbapp.build_indexes({id: row.name for id, row in missing.items()}, model)

    def _lacks(self, id: str, models: Sequence[str], model: str) -> bool:
        return self.table.is_missing(id, models) or self.has_failed(id, model)

    async def _look_at_all(self, rows: Sequence[DocumentRow], model: str) -> None:
        """Ask for what nobody knows; a model that is refused is asked for no more, unless it is this one."""
        models = list(self.models())
        try:
            for start in range(0, len(rows), BATCH):
                self.say(f"looked at {count(start)} of {count(len(rows))} …", "dim")
                for each in models.copy():
                    await self.uncovered()
                    try:
                        await self._look_at(rows[start : start + BATCH], each)
                    except Refused:
                        if each == model:
                            raise
                        models.remove(each)
        finally:
            self.say("")
        self.relist()

    async def _look_at(self, rows: Sequence[DocumentRow], model: str) -> None:
        """Ask, once, for what nobody knows yet; what is asked for already is waited for."""
        known = self.states.current
        for _ in range(LOOKS):
            unknown = {row.id: row.updated for row in rows if known(row.id, row.updated, model) is None}
            if not unknown:
                return
            if not await self.kb.look_at_indexes(unknown, (model,)):
                await asyncio.sleep(PAUSE)

    def do_index_leave(self) -> None:
        self.dismiss()
