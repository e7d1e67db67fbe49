"""Indexes that are built because a person wished it: followed until they are ready, whatever is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from textual.worker import Worker, get_current_worker

from kbtui.access import LOOK
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
    from kbtui.settings import Settings, Workspace

    Base = App[int]
else:
    Base = object

PATIENCE = 600.0  # seconds without an answer until an index is given up
LEFT = "the workspace was left before it was begun"
CALLED_OFF = "it was called off before it was begun"


@dataclass
class Job:
    """Indexes under one model that were begun together; what is known of them outlives a closed workspace.

    Attributes:
        names: of the documents, by their ids.
        waiting: those of which the end is not known.
        failed: why an index was not built, by the id of its document.
        known: of how many it is known whether they were begun.
        called_off: the person wants to hear no more of it.
        worker: that begins them, until all are.
    """

    model: str
    names: Mapping[str, str]
    waiting: dict[str, None] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    known: int = 0
    called_off: bool = False
    worker: Worker[None] | None = field(default=None, repr=False)

    @property
    def done(self) -> int:
        """Of how many the end is known."""
        return self.known - len(self.waiting)

    def seen(self, kb: KnowledgeBase) -> dict[str, int]:
        """The first that are waited for, with their last changes; what is gone is waited for no more."""
        rows = {id: kb.mirror.row(id) for id in islice(self.waiting, BATCH)}
        if kb.mirror.swept():  # else they may be on the way
            self._fail({id: "it is gone from the service" for id, row in rows.items() if row is None})
        return {id: row.updated for id, row in rows.items() if row is not None}

    def settle(self, kb: KnowledgeBase, seen: Mapping[str, int]) -> None:
        """See which are ready, or never will be."""
        for id, updated in seen.items():
            state = kb.index_states.current(id, updated, self.model)
            if state is not None and state.trouble and state.heard - state.silent > PATIENCE:
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
        self.known += len(outcome)
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

    settings: Settings

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._jobs: dict[Workspace, list[Job]] = {}

    @background("build", exclusive=False)
    async def build_index(self, id: str, model: str, then: Callable[[], object]) -> None:
        """Have an index built, whoever looks on, and tell when it is ready; `then` comes when it is begun."""
        await self.kb.build_index(id, model)
        then()
        self.follow_index(id, model)

    @background("build", exclusive=False)
    async def build_indexes(self, names: Mapping[str, str], model: str) -> None:
        """Have the indexes of many documents, with their names, built; tell when all are ready."""
        job, why = self._kept(Job(model, names)), LEFT
        job.worker = get_current_worker()
        try:
            async for outcome in self.kb.build_indexes(list(names), model):
                job.begun(outcome)
        except Error as error:
            if not job.waiting:
                self._forget(job)
                raise
            why = error.sentence
        finally:
            why = CALLED_OFF if job.called_off else why
            job.begun({id: why for id in names if id not in job.waiting and id not in job.failed})
            job.worker = None
        self._follow_job(job)

    def jobs(self) -> tuple[Job, ...]:
        """What is being built in this workspace, as it was begun."""
        return tuple(self._jobs.get(self.settings.workspace, ()))

    def call_off(self, job: Job) -> None:
        """Begin no more of its indexes, and follow them no longer; the service goes on with those begun."""
        job.called_off = True
        if job.worker is not None:
            job.worker.cancel()
            self._forget(job)
        job.waiting.clear()

    def _forget(self, job: Job) -> None:
        """A job has ended, which its failure and the person may say at once."""
        with suppress(ValueError):
            self._jobs[self.settings.workspace].remove(job)

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
        job = Job(model, {id: row.name if row is not None else id})
        job.begun({id: ""})
        self._follow_job(self._kept(job))

    def _kept(self, job: Job) -> Job:
        self._jobs.setdefault(self.settings.workspace, []).append(job)
        return job

    def left_behind(self) -> str:
        """What is told of indexes that are being built in the workspace that is left, or ""."""
        if not self._jobs.get(self.settings.workspace):
            return ""
        name = self.settings.workspace.name
        return f"Indexes are being built in {name}: you are told of them when you are back."

    def take_up(self) -> None:
        """Go on to follow what was begun in this workspace before it was left."""
        for job in self._jobs.get(self.settings.workspace, ()):
            self._follow_job(job)

    @background("follow", exclusive=False)
    async def _follow_job(self, job: Job) -> None:
        """Ask for what is waited for until nothing is, and tell; `IndexStates` says when."""
        kb, states, models = self.kb, self.kb.index_states, (job.model,)
        with states.following(job.waiting, models):
            while job.waiting:
                seen = job.seen(kb)
                with suppress(Error):  # asked again later
                    while self.in_touch and await kb.look_at_indexes(seen, models):
                        pass
                job.settle(kb, seen)
                if job.waiting:
                    await asyncio.sleep(LOOK)
        self._forget(job)
        if not job.called_off:
            self.tell(*job.end())  # type: ignore[attr-defined]
