"""Saves below the screen, where faults are put at one place exactly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kbtui.__main__ import open_workspace
from kbtui.demo.server import Demo
from kbtui.drafts import Draft
from kbtui.errors import Error
from kbtui.knowledge_base import KnowledgeBase, Saved
from tests.house import settings_for
from tests.service import Service
from tests.wire import Wire


@asynccontextmanager
async def working(url: str, demo: Demo, home: Path) -> AsyncIterator[KnowledgeBase]:
    """The knowledge base on a wire."""
    settings = settings_for(url, demo.key, home)
    kb = open_workspace(settings, settings.workspace)
    assert kb is not None
    yield kb
    await kb.close()


async def typed(kb: KnowledgeBase, id: str, text: str) -> Draft:
    draft = await kb.begin_edit(id)
    kb.drafts.typed(draft, lambda: text)
    return draft


async def save(kb: KnowledgeBase, id: str, text: str) -> Saved:
    return await kb.save(await typed(kb, id, text), text)


async def save_cut(kb: KnowledgeBase, wire: Wire, id: str, text: str) -> Draft:
    """Save, while nobody hears whether the service carried it out."""
    draft = await typed(kb, id, text)
    wire.cut("answer", method="PATCH", times=None)
    with pytest.raises(Error, match="cut"):
        await kb.save(draft, text)
    wire.heal()
    return draft


def page(service: Service) -> str:
    """A document whose page can be fetched again."""
    return service.id("Reset the Dial (web)")


async def news(kb: KnowledgeBase, service: Service, *ids: str) -> list[Draft]:
    """What is announced when a look at the service shows these as changed."""
    for id in ids:
        raw = service.get(id)
        raw["metadata"]["last_updated_at_unix_secs"] += 10
        kb.mirror.store([raw], kb.mirror.ticket())
    return await kb.overwritten()
