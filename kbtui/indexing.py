"""The RAG indexes of documents: how they stand, and how one is built and followed until it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING

from kbtui.answers import PENDING
from kbtui.changes import Changes
from kbtui.content import safe

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


def slowest(indexes: Iterable[RagIndex]) -> RagIndex | None:
    """Of those that are being built, the one that is least far; None where nothing is being built."""
    pending = (index for index in indexes if index.status in PENDING)
    return min(pending, key=lambda index: index.progress_percentage, default=None)


class Indexing(Changes):
    """What changes indexes, and follows them."""

    async def build_index(self, id: str, model: str) -> None:
        """Have an index built; one that failed is built anew.

        Raises:
            Refused: nothing may be changed here, or the service does not want to.
        """
        self._may_write()
        known = next((each for each in await self.indexes(id) if each.model == model), None)
        api = await self.api()
        if known is not None and known.status not in PENDING and known.status != "succeeded":
            await api.delete_rag_index(id, known.id)
        await api.compute_rag_index(id, model)

    async def follow_indexes(self, id: str, model: str = "") -> AsyncGenerator[list[RagIndex], None]:
        """How the indexes of a document stand, now and then, until they are settled; with `model`, that one.

        They are settled when they were being built before, or when several looks say so: at the first, the
        service may not have begun. The longer it takes, the seldomer they are looked at.
        """
        pause, calm = SOONEST, LOOKS
        while True:
            known = [each for each in await self.indexes(id) if model in ("", each.model)]
            yield known
            pending = slowest(known) is not None
            calm = 0 if pending else max(0, calm - 1)
            if not pending and not calm:
                return
            await asyncio.sleep(pause)
            pause = min(LATEST, pause * 1.2)
