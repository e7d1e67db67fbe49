"""Sweeps for tests: to the end, in another process, and what went over the wire meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kbtui.api import Api
from kbtui.mirror import Mirror
from kbtui.rows import Progress
from kbtui.sync import Sync
from tests.wire import Request, Wire

LIST = r"/knowledge-base$"
SUMMARIES = r"/summaries$"
EXPIRED = {"detail": {"type": "validation_error", "code": "invalid_cursor", "message": "It expired."}}

SWEEPING = """
import asyncio, sys
from pathlib import Path
from kbtui.api import Api
from kbtui.mirror import Mirror
from kbtui.sync import Sync

async def main(path, url, key):
    mirror = Mirror(Path(path))
    async with Api(url, key) as api:
        async for progress in Sync(api, mirror).sweep():
            print(progress, flush=True)
    mirror.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def swept(api: Api, mirror: Mirror, **how: Any) -> Progress:
    """Sweeps to the end and gives the last progress."""
    told = [progress async for progress in Sync(api, mirror).sweep(**how)]
    assert told[-1].step == "done"
    return told[-1]


async def service(api: Api) -> dict[str, dict[str, Any]]:
    """What the service says at this moment, by one cursor."""
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    while True:
        page = await api.list_page(sort_by="created_at", sort_direction="asc", cursor=cursor)
        found |= {each["id"]: each for each in page.documents}
        if not page.has_more:
            return found
        cursor = page.cursor


def held(mirror: Mirror) -> dict[str, dict[str, Any] | None]:
    """All that the mirror holds."""
    return {id: mirror.summary(id) for id in mirror.unseen(2**62)}


def queries(wire: Wire) -> list[dict[str, str]]:
    return [dict(request.query) for request in wire.requests if request.path.endswith("/knowledge-base")]


def typed(*types: str) -> Callable[[Request], bool]:
    """Requests that list these types, or any type where none is named."""
    return lambda request: any(("types", type) in request.query for type in types)


def later(request: Request) -> bool:
    return any(name == "cursor" for name, _ in request.query)


def later_texts(request: Request) -> bool:
    return later(request) and typed("text")(request)


def early_texts(request: Request) -> bool:
    return typed("text")(request) and ("sort_direction", "asc") in request.query


def typeless(request: Request) -> bool:
    return all(name != "types" for name, _ in request.query)


def sweeping(path: Path, url: str, key: str) -> subprocess.Popen[str]:
    """Another process that sweeps into the same mirror."""
    return subprocess.Popen(
        [sys.executable, "-c", SWEEPING, str(path), url, key], stdout=subprocess.PIPE, text=True
    )


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, at most 20 seconds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def watch(mirror: Mirror, id: str) -> list[str]:
    """Every name that a document has from now on, after each page that is stored."""
    names = [(mirror.summary(id) or {})["name"]]
    take = mirror.take

    def taken(pages: Any) -> Any:
        results = take(pages)
        names.append((mirror.summary(id) or {})["name"])
        return results

    mirror.take = taken  # type: ignore[method-assign]
    return names
