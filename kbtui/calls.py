"""What every endpoint of the service needs: sending, walking through pages, splitting into batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, cast

from kbtui.errors import Error, Unexpected
from kbtui.models import Model
from kbtui.pacing import Pacing
from kbtui.refusals import failure
from kbtui.transport import CHANGE, Answer, Ask, Effect, Exchange, Transport
from kbtui.waiting import Wait

KB = "knowledge-base"
MANY = 20  # ids that delete, move and dependents take at once
MOST = 100  # ids that summaries and RAG indexes take at once


class Paged(Protocol):
    """A page of anything: the place of the next. Some endpoints also say whether there is one."""

    next_cursor: str | None


M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Paged)


class Calls:
    """The line to one workspace, and the few ways in which endpoints use it."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        pacing: Pacing | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._line = Transport(
            base_url, key, pacing=pacing, on_wait=on_wait, on_exchange=on_exchange, environ=environ
        )

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing has come of a request under way, by `time.monotonic`, or None."""
        return self._line.waiting_since

    async def aclose(self) -> None:
        """Close every connection, for good."""
        await self._line.aclose()

    async def _get(
        self, *path: str, query: Mapping[str, Any] | None = None, urgent: bool = True
    ) -> dict[str, Any]:
        return (await self._line.json(Ask("GET", path, query=query or {}, urgent=urgent))).data

    async def _post(
        self,
        *path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        effect: Effect = "read",
        mute: bool = False,
    ) -> Answer:
        ask = Ask("POST", path, query=query or {}, body=body, effect=effect, patience=CHANGE, mute=mute)
        return await self._line.json(ask)

    def _walk(
        self,
        model: type[M],
        *path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[M]:
        """The pages of an endpoint, to the end; with a body it is a POST that only asks."""

        async def read(cursor: str | None) -> Any:
            asked = {**query, "cursor": cursor}
            if body is None:
                return model.read(await self._get(*path, query=asked))
            return model.read((await self._post(*path, query=asked, body=body)).data)

        return cast(AsyncIterator[M], pages(read))


async def pages(read: Callable[[str | None], Awaitable[P]]) -> AsyncIterator[P]:
    """Every page that `read` gives for the cursor of the one before.

    The end is where no cursor comes, where the page says so, or where a cursor comes for the second time.
    """
    cursor: str | None = None
    seen = set[str]()
    while True:
        page = await read(cursor)
        yield page
        cursor = page.next_cursor
        if not cursor or cursor in seen or getattr(page, "has_more", None) is False:
            return
        seen.add(cursor)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are given: None means that the service keeps, or chooses, what it has."""
    return {name: value for name, value in fields.items() if value is not None}


def batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids, each once, in their order."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), size):
        yield unique[start : start + size]


def success(model: type[M], entry: object, request: str) -> M | Error:
    """One entry of a batch answer."""
    if not isinstance(entry, Mapping):
        return Unexpected(
            "The service did not answer for this document.", detail=f"{request}: an id is missing"
        )
    if entry.get("status") == "failure":
        return failure(entry, request=request)
    return model.read(entry.get("data"))


async def one_by_one(
    ids: Iterable[str], change: Callable[[list[str]], Awaitable[dict[str, Error | None]]]
) -> dict[str, Error | None]:
    """Put `change` to batch after batch, until one fails as a whole: the ids after it are not tried."""
    done: dict[str, Error | None] = {}
    failed: Error | None = None
    for batch in batches(ids, MANY):
        if failed is not None:
            untried = Error(f"It was not tried, since others failed before it: {failed.sentence}")
            done |= dict.fromkeys(batch, untried)
            continue
        try:
            done |= await change(batch)
        except Error as error:
            failed = error
            done |= dict.fromkeys(batch, error)
    return done
