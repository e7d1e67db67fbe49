"""The RAG indexes of documents: how they stand, and how one is built and followed until it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from kbtui.answers import PENDING
from kbtui.changes import Changes
from kbtui.content import safe
from kbtui.errors import NotFound

if TYPE_CHECKING:
    from kbtui.models import RagIndex

LOOKS = 2  # at indexes that are not being built, until it is believed that nothing is to come
SOONEST, LATEST = 1.0, 10.0  # seconds until an index that is being built is looked at again

_STATES = {
    "succeeded": ("ready", "good"),
    "failed": ("building it failed", "bad"),
    "rag_limit_exceeded": ("no room left in the workspace's limit for indexes", "bad"),
    "document_too_small": ("too small for an index: agents are given all of it", "warn"),
    "cannot_index_folder": ("a folder has no index", "warn"),
}


def in_words(index: RagIndex | None) -> tuple[str, str]:
    """How an index stands, in a few words, and their look; None is one that nobody has asked for."""
    if index is None:
        return "no index yet", "warn"
    if index.status in PENDING:
        return f"being built, {index.progress_percentage:.0f} %", "warn"
    return _STATES.get(index.status, (safe(index.status[:40]) or "in a state without a name", "warn"))


class Indexing(Changes):
    """What changes indexes, and follows them."""

    async def index(self, id: str, model: str) -> RagIndex | None:
        """The index of a document under a model, or None where there is none."""
        return next((each for each in await self.indexes(id) if each.model == model), None)

    async def build_index(self, id: str, model: str) -> None:
        """Have an index built; one that failed is built anew.

        Raises:
            Refused: nothing may be changed here, or the service does not want to.
        """
        self._may_write()
        known = await self.index(id, model)
        api = await self.api()
        if known is not None and known.status not in PENDING and known.status != "succeeded":
            await api.delete_rag_index(id, known.id)
        await api.compute_rag_index(id, model)

    async def follow_index(self, id: str, model: str) -> AsyncGenerator[RagIndex, None]:
        """How an index stands, now and then, until it is settled; the longer it takes, the seldomer.

        Raises:
            NotFound: there is none any more.
        """
        pause = SOONEST
        while True:
            known = await self.index(id, model)
            if known is None:
                raise NotFound("The index is gone; somebody deleted it, or the document.")
            yield known
            if known.status not in PENDING:
                return
            await asyncio.sleep(pause)
            pause = min(LATEST, pause * 1.2)

    async def follow_indexes(self, id: str) -> AsyncGenerator[list[RagIndex], None]:
        """How all indexes of a document stand after a change of it, now and then, until they are settled.

        They are settled when they were being built before, or when several looks say so: at the first, the
        service may not have begun.
        """
        pause, calm = SOONEST, LOOKS
        while True:
            known = await self.indexes(id)
            yield known
            if any(each.status in PENDING for each in known):
                calm = 0
            elif calm > 0:
                calm -= 1
            if calm == 0 and not any(each.status in PENDING for each in known):
                return
            await asyncio.sleep(pause)
            pause = min(LATEST, pause * 1.2)
