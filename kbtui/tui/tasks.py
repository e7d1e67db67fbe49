"""What runs or waits in the background: told to who asks, and called off where that harms nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from kbtui.content import safe
from kbtui.requests import BELOW
from kbtui.tui.widgets.folder_tree import counted

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.settings import Settings
    from kbtui.tui.building import Job
    from kbtui.tui.following import Follower

    Base = App[int]
else:
    Base = object

WORDS = {
    "save": "Change of a document",
    "build": "Begin to build indexes",
    "delete": "Delete an index",
    "edit": "Open an editor",
    "open": "Read a document",
    "eye": "Ask what an agent knows",
    "knowledge": "Ask what an agent knows",
    "agents": "List the agents",
    "branches": "List the branches of an agent",
    "branch": "Ask what a branch of an agent knows",
    "visit": "Read the first page of the folder",
    "rank": "Put the list in order",
    "find": "Look through all names",
    "search": "Search the contents",
    "lexical": "Search the contents beside an answer",
    "ask": "Ask an agent",
    "chunks": "Read the chunks of a document",
    "whole": "Read a chunk",
    "compared": "Read the chunks under two models",
    "compare": "Compare the chunks with others",
    "all": "Read how all indexes stand",
    "difference": "Compare two texts",
    "hits": "Find words in the text",
    "marking": "Mark documents",
    "weighing": "Add up what is marked",
    "auto-sync": "Read the settings of auto-sync",
    "apply": "Change the settings of auto-sync",
    "indexes": "Ask how indexes stand",
    "counting": "Ask how many agents use documents",
    "pipe": "Give a text to a command",
}
"""Workers by their groups, in words."""

QUIET = frozenset({
    "sweep", "follow", "tidy", "copy", "yank", "quit", "discard", "start", "index", "usage", "there",
    "address", "forget", "passage", "lay", "break",
})  # fmt: skip
"""Groups that are told in other words, are over in a moment, or only look now and then."""

WATCHING = frozenset({"indexes", "counting"})
"""Groups that ask again as long as what they tell is shown."""

READING = frozenset(WORDS) - WATCHING - {"save", "build", "delete", "apply"}
"""Groups that change nothing: to call them off harms nothing."""

DONE = "what is done stays done"
FINISHED = "a change that was begun is finished"
SHOWN = "it ends when what it tells is not shown any more"
LOOKS = "R in Browse looks at the service again"
IDLE = "it waits for its next look"
GOES_ON = "what was begun, the service goes on with"


class Task(NamedTuple):
    """Something in the background.

    Attributes:
        id: by which it is known again.
        state: how far it is, in a few words, and its look.
        cancel: calls it off; None where that cannot be.
        why: it cannot be called off, or what goes on all the same.
    """

    id: str
    title: str
    state: str
    look: str = ""
    cancel: Callable[[], object] | None = None
    why: str = ""


class Tasks(Base):
    """What `KbApp` tells of its work; a part of it in a file of its own."""

    settings: Settings
    _follower: Follower | None

    @property
    def kb(self) -> KnowledgeBase:
        raise NotImplementedError

    def jobs(self) -> tuple[Job, ...]:
        """The indexes that are being built, as they were begun."""
        raise NotImplementedError

    def call_off(self, job: Job) -> None:
        """Begin no more of its indexes, and follow them no longer."""
        raise NotImplementedError

    def sending(self) -> Sequence[tuple[str, str]]:
        """What is being saved: documents, and what of them."""
        raise NotImplementedError

    def tasks(self) -> list[Task]:
        """All that runs or waits now: the look at the service, what is tried again, then the rest."""
        return [*self._service_tasks(), *self._changes(), *self._builds(), *self._others()]

    def _service_tasks(self) -> Iterator[Task]:
        follower, waiting = self._follower, self.kb.waiting
        if follower is not None:
            state, look = follower.doing()
            cancel, why = (follower.halt, LOOKS) if follower.busy else (None, IDLE)
            yield Task("service", "Bring the list up to date", state, look, cancel, why)
        for wait in waiting.waits if waiting is not None else ():
            reason = safe(wait.reason).partition(". ")[0].rstrip(".")
            state = f"try {wait.attempt + 1} in {ceil(max(0.0, wait.until - monotonic()))} s: {reason}"
            title = f"Try again: {safe(wait.asks.replace(BELOW, '', 1))}"
            yield Task(f"wait {id(wait)}", title, state, "warn", wait.cancel)

    def _changes(self) -> Iterator[Task]:
        waiting = self.kb.waiting
        asks = [wait.asks.split("/") for wait in waiting.waits] if waiting is not None else []
        for document, field in self.sending():
            row = self.kb.mirror.row(document)
            what, name = "name" if field == "name" else "text", safe((row.name if row else document)[:80])
            state = "waits to be tried again" if any(document in path for path in asks) else "on its way"
            yield Task(f"{field} {document}", f"Save the {what} of “{name}”", state, why=FINISHED)

    def _builds(self) -> Iterator[Task]:
        for job in self.jobs():
            names = [safe(name[:80]) for name in job.names.values()]
            many = f"Indexes of {counted(len(names), 'document')}"
            title = f"Index of “{names[0]}”" if len(names) == 1 else many
            state = f"{job.done} of {len(names)} done" if len(names) > 1 else "being built"
            yield Task(f"job {id(job)}", title, state, "", partial(self.call_off, job), GOES_ON)

    def _others(self) -> Iterator[Task]:
        changes = len(self.sending())
        for worker in self.workers:
            if worker.is_finished or worker.is_cancelled or worker.group in QUIET or self._is_told(worker):
                continue
            if worker.group == "save" and changes:
                changes -= 1  # told by the name of its document
                continue
            title = WORDS.get(worker.group, worker.group)
            kept = SHOWN if worker.group in WATCHING else FINISHED
            cancel, why = (worker.cancel, "") if worker.group in READING else (None, kept)
            if worker.group in ("build", "bulk"):
                cancel, why = worker.cancel, DONE
            yield Task(f"worker {id(worker)}", title, "under way", "", cancel, why)

    def _is_told(self, worker: Worker[object]) -> bool:
        """Whether it only waits to be asked for more, or is told as a job."""
        resting = bool(getattr(worker.node, "pausing", False)) and worker.group == "search"
        return resting or any(job.worker is worker for job in self.jobs())
