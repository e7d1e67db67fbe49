"""Indexes that are built because a person wished it: followed until they are ready, whatever is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from kbtui.content import safe
from kbtui.errors import Error
from kbtui.index_states import BATCH, is_pending
from kbtui.indexing import in_words
from kbtui.knowledge_base import KnowledgeBase
from kbtui.tui.background import background
from kbtui.tui.widgets.folder_tree import count, counted

if TYPE_CHECKING:
    from textual.app import App

    from kbtui.models import RagIndex
    from kbtui.rows import DocumentRow

    Base = App[int]
else:
    Base = object

PATIENCE = 600.0  # seconds without an answer until an index is given up
LOOK = 0.25  # seconds between two looks whether something is to be asked for


@dataclass
class Job:
    """Indexes under one model that were begun together.

    Attributes:
        names: of the documents, by their ids.
        waiting: those of which the end is not known.
        failed: why an index was not built, by the id of its document.
    """

    kb: KnowledgeBase
    model: str
    names: Mapping[str, str]
    waiting: dict[str, None] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def seen(self) -> dict[str, int]:
        """The first that are waited for, with their last changes; what is gone is waited for no more."""
        rows = {id: self.kb.mirror.row(id) for id in islice(self.waiting, BATCH)}
        self._fail({id: "it is gone from the service" for id, row in rows.items() if row is None})
        return {id: row.updated for id, row in rows.items() if row is not None}

    def settle(self, seen: Mapping[str, int]) -> None:
        """See which are ready, or never will be."""
        for id, updated in seen.items():
            state = self.kb.index_states.current(id, updated, self.model)
            if state is not None and state.trouble and state.heard - state.since > PATIENCE:
                self._fail({id: state.trouble})
                continue
            if state is None or state.trouble or is_pending(state.index):
                continue
            self.waiting.pop(id, None)
            if state.index is None or state.index.status != "succeeded":
                self.failed[id] = in_words(state.index)[0] if state.index else "it was deleted meanwhile"

    def _fail(self, why: Mapping[str, str]) -> None:
        self.failed.update(why)
        for id in why:
            self.waiting.pop(id, None)

    def begun(self, outcome: Mapping[str, str]) -> None:
        """These were begun, or not: with why."""
        self.waiting.update(dict.fromkeys(outcome))
        self._fail({id: why for id, why in outcome.items() if why})

    def end(self) -> tuple[str, str]:
        """What became of it, in a sentence, and its look."""
        ready, asked = len(self.names) - len(self.failed), len(self.names)
        if asked == 1:
            name = f"“{safe(next(iter(self.names.values()))[:80])}”"
            why = next(iter(self.failed.values()), "")
            return (f"No index of {name}: {why.rstrip('.')}.", "warn") if why else (f"Indexed: {name}.", "")
        if not self.failed:
            return f"Indexed: {counted(asked, 'document')}.", ""
        id, why = next(iter(self.failed.items()))
        others = f", and {counted(len(self.failed) - 1, 'other')}" if len(self.failed) > 1 else ""
        name = safe(self.names[id][:60])
        words = (
            f"Indexed: {count(ready)} of {count(asked)} documents; not “{name}” ({why.rstrip('.')}){others}."
        )
        return words, "warn"


class Building(Base):
    """What the app does with indexes, mixed into it."""

    @property
    def kb(self) -> KnowledgeBase:
        """The knowledge base that is open."""
        raise NotImplementedError

    @property
    def in_touch(self) -> bool:
        """Whether the service answers."""
        raise NotImplementedError

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._jobs: list[Job] = []

    @background("build", exclusive=False)
    async def build_index(self, id: str, model: str, then: Callable[[], object]) -> None:
        """Have an index built, whoever looks on, and tell when it is ready; `then` comes when it is begun."""
        row = self.kb.mirror.row(id)
        job = Job(self.kb, model, {id: row.name if row is not None else id})
        await self.kb.build_index(id, model)
        job.begun({id: ""})
        then()
        self._await(job)

    @background("build", exclusive=False)
    async def build_indexes(self, names: Mapping[str, str], model: str) -> None:
        """Have the indexes of many documents, with their names, built; tell when all are ready."""
        job = Job(self.kb, model, names)
        try:
            async for outcome in self.kb.build_indexes(list(names), model):
                job.begun(outcome)
        except Error as error:
            if not job.waiting:
                raise
            rest = {id: error.sentence for id in names if id not in job.waiting and id not in job.failed}
            job.begun(rest)
        self._await(job)

    @background("delete", exclusive=False)
    async def delete_index(self, row: DocumentRow, index: RagIndex, then: Callable[[], object]) -> None:
        """Delete an index, whoever looks on, and tell."""
        await self.kb.delete_index(row.id, index)
        self.tell(  # type: ignore[attr-defined]
            f"Deleted: the index of “{safe(row.name[:80])}” under {safe(index.model[:80])}."
        )
        then()

    def follow_index(self, id: str, model: str) -> None:
        """Tell when an index that is being built is ready."""
        row = self.kb.mirror.row(id)
        job = Job(self.kb, model, {id: row.name if row is not None else id})
        job.begun({id: ""})
        self._await(job)

    def _await(self, job: Job) -> None:
        follows = any(job.kb is self.kb for job in self._jobs)
        self._jobs = [*(each for each in self._jobs if each.kb is self.kb), job]
        if not follows:
            self._follow_jobs(job.kb)

    @background("follow", exclusive=False)
    async def _follow_jobs(self, kb: KnowledgeBase) -> None:
        """Ask for what is waited for, as rarely as it is due, until nothing is."""
        while jobs := [job for job in self._jobs if job.kb is kb]:
            for job in jobs:
                await self._follow_job(job)
                if not job.waiting:
                    self._jobs.remove(job)
                    self._tell_end(job)
            await asyncio.sleep(LOOK)

    async def _follow_job(self, job: Job) -> None:
        seen = job.seen()
        with suppress(Error):  # asked again later
            while self.in_touch and await job.kb.look_at_indexes(seen, (job.model,)):
                pass
        job.settle(seen)

    def _tell_end(self, job: Job) -> None:
        self.tell(*job.end())  # type: ignore[attr-defined]
