"""The RAG indexes of documents: how they stand, and how one is built and followed until it is ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from kbtui.access import LOOK
from kbtui.answers import MODELS
from kbtui.changes import Changes
from kbtui.content import safe
from kbtui.errors import Error, NotFound
from kbtui.index_states import BATCH, FRESH, IndexStates, is_pending

if TYPE_CHECKING:
    from kbtui.models import RagIndex, RagOverview

_STATES = {
    "succeeded": ("ready", "good"),
    "failed": ("building it failed", "bad"),
    "rag_limit_exceeded": ("no room left in the workspace's limit for indexes", "bad"),
    "document_too_small": ("too small for an index: agents are given all of it", "warn"),
    "cannot_index_folder": ("a folder has no index", "warn"),
}
_SHORT = {
    "succeeded": ("● ready", "dim"),
    "failed": ("✕ failed", "bad"),
    "rag_limit_exceeded": ("✕ full", "bad"),
    "document_too_small": ("– small", "dim"),
    "cannot_index_folder": ("–", "dim"),
}


def in_per_cent(index: RagIndex, before: str = " ") -> str:
    """How far an index is that is being built, or "" where the service does not tell."""
    progress = index.progress_percentage
    return "" if progress is None else f"{before}{progress:.0f} %"


def in_words(index: RagIndex | None) -> tuple[str, str]:
    """How an index stands, in a few words, and their look; None is one that nobody has asked for."""
    if index is None:
        return "no index yet", "warn"
    if is_pending(index):
        return f"being built{in_per_cent(index, ', ')}", "warn"
    return _STATES.get(index.status, (safe(index.status[:40]) or "in a state without a name", "warn"))


def in_short(index: RagIndex | None) -> tuple[str, str]:
    """How an index stands, in at most eight cells, and their look; that of what is well is no colour."""
    if index is None:
        return "– none", "dim"
    if is_pending(index):
        return f"◐{in_per_cent(index) or ' …'}", "warn"
    return _SHORT.get(index.status, ("? " + safe(index.status[:6]), "warn"))


def slowest(indexes: Iterable[RagIndex]) -> RagIndex | None:
    """Of those that are being built, the one that is least far; None where nothing is being built."""
    pending = (index for index in indexes if is_pending(index))
    return min(pending, key=lambda index: index.progress_percentage or 0.0, default=None)


class Indexing(Changes):
    """What changes indexes, and follows them."""

    _usage_asked: float | None = None  # when, by the clock

    @cached_property
    def index_states(self) -> IndexStates:
        """What was heard of the indexes of the workspace."""
        return IndexStates()

    # How they stand

    async def indexes(self, id: str) -> list[RagIndex]:
        found = await super().indexes(id)
        known = {each.model: each for each in found}
        for model in dict.fromkeys([*self.index_states.models, *known]):
            self._heard(id, model, known.get(model))
        return found

    def _heard(self, id: str, model: str, index: RagIndex | None) -> None:
        row = self.mirror.row(id)
        if row is not None:
            self.index_states.tell(id, row.updated, model, index)

    async def look_at_indexes(self, documents: Mapping[str, int], models: Sequence[str] = ()) -> bool:
        """Ask what is due of these documents (`IndexStates.due`), in one batch; False where nothing is.

        Raises:
            errors.Error: nobody knows; what was asked for is not due again at once.
        """
        if self.index_states.due(documents, models) is None:
            return False
        if self._usage_asked is None or time.monotonic() - self._usage_asked > FRESH:
            with suppress(Error):  # an older workspace may not tell which models are in use
                await self.index_usage()
        wanted = self.index_states.due(documents, models)
        if wanted is None:
            return False
        with self.index_states.asking(wanted) as hear:
            answers = await (await self.api()).rag_batch(wanted.documents, wanted.model)
            hear({id: _answer(each) for id, each in answers.items()})
        return True

    async def index_usage(self) -> RagOverview:
        """How much of the workspace's room is used, by all indexes and under each model."""
        self._usage_asked = time.monotonic()
        usage = await (await self.api()).rag_overview()
        in_use = sorted((each for each in usage.models if each.used_bytes), key=lambda each: -each.used_bytes)
        self.index_states.used = [each.model for each in in_use] or MODELS[:1]
        return usage

    async def gone(self, ids: Iterable[str]) -> set[str]:
        """Those of these documents that the service has no more; the mirror forgets them."""
        known = await (await self.api()).summary_dicts(ids, urgent=True)
        gone = {id for id, summary in known.items() if summary is None}
        if gone:
            await asyncio.to_thread(self.mirror.remove, gone)
        return gone

    # Changing them

    async def build_index(self, id: str, model: str) -> RagIndex:
        """Have an index built; one that failed is built anew. How it stands then.

        Raises:
            Refused: nothing may be changed here, or the service does not want to.
        """
        self._may_write()
        known = next((each for each in await self.indexes(id) if each.model == model), None)
        api = await self.api()
        if known is not None and not is_pending(known) and known.status != "succeeded":
            await api.delete_rag_index(id, known.id)
        index = await api.compute_rag_index(id, model)
        self._heard(id, model, index)
        return index

    async def build_indexes(self, ids: Sequence[str], model: str) -> AsyncGenerator[dict[str, str], None]:
        """Have the indexes of many documents built, batch by batch; of each, "" or why it is not built.

        Those of which it is known that they failed are built anew.

        Raises:
            errors.Error: as for `build_index`; those of the batches before are being built.
        """
        self._may_write()
        api = await self.api()
        for start in range(0, len(ids), BATCH):
            for id in ids[start : start + BATCH]:
                known = self.index_states.state(id, model)
                if known is not None and known.index is not None and known.index.status == "failed":
                    with suppress(NotFound):
                        await api.delete_rag_index(id, known.index.id)
            answers = await api.rag_batch(ids[start : start + BATCH], model, create_if_missing=True)
            for id, each in answers.items():
                if not isinstance(each, Error):
                    self._heard(id, model, each)
            yield {id: each.sentence if isinstance(each, Error) else "" for id, each in answers.items()}

    async def delete_index(self, id: str, index: RagIndex) -> None:
        """Delete an index; agents no longer find the document by it. One that is gone already is deleted.

        Raises:
            Refused: nothing may be changed here, or the service does not want to.
        """
        self._may_write()
        with suppress(NotFound):
            await (await self.api()).delete_rag_index(id, index.id)
        self._heard(id, index.model, None)

    # Following them

    async def follow_indexes(self, id: str, model: str = "") -> AsyncGenerator[list[RagIndex], None]:
        """How the indexes of a document stand, as often as it is heard, until they are settled.

        With `model`, that one; else all, of a document that was changed a moment ago. `IndexStates` says
        when to ask.
        """
        states = self.index_states
        if not model:
            states.doubt(id)
        known = await self.indexes(id)
        models = [model] if model else [each.model for each in known] or states.models
        yield [each for each in known if each.model in models]
        with states.following([id], models):
            while row := self.mirror.row(id):
                here = {id: row.updated}
                if not (moving := states.moving(id, row.updated, models)):
                    return
                before = [states.state(id, each) for each in models]
                await asyncio.sleep(LOOK)
                with suppress(Error):
                    await self.look_at_indexes(here, moving)
                now = [states.state(id, each) for each in models]
                if any(state and state.trouble for state in now):  # of one document the service may tell more
                    yield [each for each in await self.indexes(id) if each.model in models]
                elif now != before:
                    yield [state.index for state in now if state and state.index]


def _answer(answer: RagIndex | Error) -> RagIndex | str | None:
    """One answer of a batch: where no index is found, there is none; any other error tells nothing."""
    if isinstance(answer, NotFound):
        return None
    return answer.sentence if isinstance(answer, Error) else answer
