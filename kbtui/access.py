"""What the service says, by way of the mirror: everything of a workspace that is only read.

Reading goes to the mirror and never waits for the network. What the network answers is written to the mirror,
and the mirror's `version` tells that it moved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kbtui.errors import NotFound, Refused
from kbtui.mirror import Mirror
from kbtui.requests import Requests
from kbtui.rows import FOLDER, Body, DocumentRow, Progress, View
from kbtui.sync import Sync

if TYPE_CHECKING:
    from kbtui.api import Api
    from kbtui.models import Document
    from kbtui.transport import Exchange
    from kbtui.waiting import Wait

    Connect = Callable[[Callable[[Wait], None], Callable[[Exchange], None]], Api]

LOOK = 0.25  # seconds between two looks at what moves by itself: at most four repaints a second from it
LARGEST_TEXT = 20_000_000  # bytes: the service takes no larger file


@dataclass(frozen=True)
class Waiting:
    """The countdowns under way, as one: the next to end is told, and all are cancelled together."""

    waits: tuple[Wait, ...]

    @property
    def next(self) -> Wait:
        return min(self.waits, key=lambda wait: wait.until)

    def cancel(self) -> None:
        """Wait no longer: every request that waits fails now."""
        for wait in self.waits:
            wait.cancel()


class Access:
    """The mirror of a workspace and the service behind it.

    Args:
        connect: builds the client; called once, in a thread, when the network is first needed. It is given
            what to do when a countdown begins, and when a try of a request has ended.
    """

    def __init__(self, mirror: Mirror, connect: Connect) -> None:
        self.mirror = mirror
        self.requests = Requests()
        self._waits: list[Wait] = []
        self._connect = connect
        self._connecting: asyncio.Task[Api] | None = None

    def place(self, id: str) -> str:
        """The folders that a document lies in, as a path of their names; "" in the root."""
        return " / ".join(folder.name for folder in self.mirror.path(id))

    def below(self, folder: str, most: int) -> tuple[list[str], bool]:
        """The documents in a folder and in the folders under it, and whether there are more than `most`."""
        inside: dict[str | None, list[str]] = {}
        for each in self.mirror.folders():
            inside.setdefault(each.parent, []).append(each.id)
        found, waiting, seen = list[str](), [folder], set[str]()
        while waiting and len(found) <= most:
            here = waiting.pop()
            if here not in seen:  # folders may form a cycle
                seen.add(here)
                folders = inside.get(here, [])
                start = len(folders)  # they come first
                rows = self.mirror.window(self.mirror.listing(View(here)), start, start + most + 1)
                found += [row.id for row in rows if row.type != FOLDER]
                waiting += reversed(folders)
        return found[:most], len(found) > most

    async def api(self) -> Api:
        """The client, built at the first call; the import of what it needs holds up no frame."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(
                asyncio.to_thread(self._connect, self._begin_wait, self.requests.add)
            )
        try:
            return await asyncio.shield(self._connecting)
        except Exception:
            self._connecting = None
            raise

    def _begin_wait(self, wait: Wait) -> None:
        self._waits = [*(each for each in self._waits if not each.tried), wait]

    def _under_way(self) -> list[Wait]:
        return [wait for wait in self._waits if not wait.over]

    @property
    def waiting(self) -> Waiting | None:
        """What is waited for before it is tried again, or None where nothing is."""
        waits = self._under_way()
        return Waiting(tuple(waits)) if waits else None

    @property
    def trying(self) -> Wait | None:
        """What was waited for is tried again now: how that ends is not known yet."""
        return next((wait for wait in self._waits if wait.trying), None)

    @property
    def silent(self) -> float:
        """Seconds for which nothing has come of a request under way; 0 where none is waited for."""
        api = self._connected
        since = api.waiting_since if api is not None else None
        return time.monotonic() - since if since is not None else 0.0

    @property
    def _connected(self) -> Api | None:
        """The client, if it was built."""
        built = self._connecting
        if built is None or not built.done() or built.cancelled() or built.exception():
            return None
        return built.result()

    async def check(self) -> None:
        """Try the key with a list call, the smallest that needs nothing but `convai_read`.

        Raises:
            errors.Error: the service does not take the key, or cannot be reached.
        """
        await (await self.api()).list_page(page_size=1, urgent=True)

    async def sweep(self, focus: View) -> AsyncGenerator[Progress, None]:
        """One complete pass over the knowledge base, beginning with what is looked at."""
        async with aclosing(Sync(await self.api(), self.mirror).sweep(focus=focus)) as pass_:
            async for progress in pass_:
                yield progress

    async def poll(self) -> AsyncGenerator[Progress, None]:
        """What changed on the service since the last look."""
        async with aclosing(Sync(await self.api(), self.mirror).poll()) as pass_:
            async for progress in pass_:
                yield progress

    async def visit(self, view: View) -> int:
        """Ask for the first page of a view, ahead of everything else; how many rows moved."""
        return await Sync(await self.api(), self.mirror).visit(view)

    async def read(self, id: str) -> Body:
        """The text of a document as the service has it now; the mirror keeps it.

        Raises:
            errors.Error: the service cannot be asked, or refuses, or the document is gone.
        """
        return (await self._fetch(id))[1]

    async def _fetch(self, id: str) -> tuple[Document, Body]:
        api = await self.api()
        ticket = await asyncio.to_thread(self.mirror.ticket)
        try:
            document = await api.get(id)
        except NotFound:
            await asyncio.to_thread(self.mirror.remove, [id])
            raise
        data, lossy = await self._content(api, id)
        body = Body(id, document.content_format, data, document.metadata.last_updated_at_unix_secs, lossy)
        await self._store(document, ticket)
        await asyncio.to_thread(self.mirror.keep_body, body)
        return document, body

    async def _content(self, api: Api, id: str) -> tuple[str, bool]:
        data = bytearray()
        async with aclosing(api.content(id)) as pieces:
            async for piece in pieces:
                data += piece.data
                if len(data) > LARGEST_TEXT:
                    raise Refused("The text is larger than 20 MB; kbtui does not open it.")
        try:
            return data.decode("utf-8"), False
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace"), True

    async def _store(self, document: Document, ticket: int | None = None) -> None:
        raw = [document.raw()]
        if ticket is None:
            ticket = await asyncio.to_thread(self.mirror.ticket)
        await asyncio.to_thread(self.mirror.store, raw, ticket)

    def kept_body(self, row: DocumentRow) -> Body | None:
        """The text of a document if the mirror has it as new as the row."""
        body = self.mirror.body(row.id)
        return body if body is not None and body.updated >= row.updated else None

    async def close(self) -> None:
        """Close every connection."""
        await self._disconnect()
        self.mirror.close()

    async def _disconnect(self) -> None:
        if (api := self._connected) is not None:
            await api.aclose()
