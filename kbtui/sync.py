"""Bringing the mirror up to date: pages in, progress out.

A sweep is one complete pass over the whole list. It tells its own story in `_Sweep.run`, in five steps. The
list moves while it is read, so nothing here trusts a page further than it must: what a page shows is stored
under a ticket that was taken before it was asked for, and what no page showed is asked for by name before
it is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from kbtui.errors import Busy, Error, NotFound, Offline, Refused
from kbtui.mirror import Mirror, Place, SweepState, Taken, Taking
from kbtui.rows import ALL, FOLDER, ROOT, TYPES, UNPLACED, Page, Progress, View

if TYPE_CHECKING:
    from kbtui.api import Api

T = TypeVar("T")

CONFIRMED = 100  # ids that the service looks up in one request
HELPERS = 8  # tasks for what is many small requests; how many of them run is up to the pacing
RESTARTS = 3  # times that one part is begun anew because its cursor expired
WHOLE = 2000  # rows up to which each sweep reads the unfiltered list to its end, since that is a few pages

_CREATED, _UPDATED = "created_at", "updated_at"
_FIELDS = {_CREATED: "created_at_unix_secs", _UPDATED: "last_updated_at_unix_secs"}


class Sync:
    """Keeps a mirror like the service. Errors of `kbtui.errors` come to the caller; what was stored stays.

    Every iterator may be closed, and its task cancelled, at any point: nothing is left running.
    """

    def __init__(self, api: Api, mirror: Mirror) -> None:
        self._api = api
        self._mirror = mirror

    def sweep(self, *, focus: View | None = None) -> AsyncGenerator[Progress, None]:
        """One complete pass, or the rest of one that was cut, beginning with what is on the screen."""
        return _told(lambda tell: _Sweep(self._api, self._mirror, tell).run(focus))

    def poll(self) -> AsyncGenerator[Progress, None]:
        """What was changed since the last look: by `updated_at`, until a page holds nothing new."""
        return _told(lambda tell: _Poll(self._api, self._mirror, tell).run())

    async def visit(self, view: View) -> int:
        """The first page of a view, ahead of all that is less urgent; the number of rows that changed."""
        ticket = await _in_thread(self._mirror.ticket)
        page = await self._api.list_page(
            types=view.types if set(view.types) <= set(TYPES) else (),
            parent_folder_id=None if view.scope in (ROOT, ALL, UNPLACED) else view.scope,
            folders_first=view.scope != ALL,
            sort_by=view.sort,
            sort_direction="desc" if view.descending else "asc",
            urgent=True,
        )
        return await _in_thread(self._mirror.store, page.documents, ticket)


class _Part:
    """One part of the list, read in one direction of one order.

    `done` once there is nothing left to read; `sound` unless the service led in a circle. `first` and
    `edge`, the times of the first and the latest row, are None where the service does not keep the order.
    """

    def __init__(
        self, name: str, sort: str, direction: str, place: Place | None = None, **filters: Any
    ) -> None:
        self.name = name
        self.sound = True
        self.twin: _Part | None = None
        self.cursor, self.first, self.edge, self.done = (place or Place(name))[1:]
        self._request = {"sort_by": sort, "sort_direction": direction, **filters}
        self._field = _FIELDS[sort]
        self._descending = direction == "desc"
        self._ordered = self.cursor is None or self.edge is not None
        self._used = {self.cursor}
        self._restarts = 0

    @property
    def place(self) -> Place:
        return Place(self.name, self.cursor, self.first, self.edge, self.done and self.sound)

    @property
    def request(self) -> dict[str, Any]:
        return {**self._request, "cursor": self.cursor}

    def advance(self, page: Page) -> None:
        """Goes past a page, to its cursor or to the end. Where two ends have met, both are done."""
        self._measure([_time(document, self._field) for document in page.documents])
        ended = page.cursor is None or not page.has_more
        if ended or page.cursor in self._used:
            self.done = True
            self.sound = self.sound and not page.has_more
        else:
            self.cursor = page.cursor
            self._used.add(page.cursor)
        if self.twin and ((self.done and self.sound) or self._met(self.twin)):
            self.done = self.twin.done = True

    def restart(self, refused: Refused) -> None:
        """Begins anew where the service does not know the cursor any more; raises any other refusal."""
        if refused.code != "invalid_cursor" or self.cursor is None or self._restarts == RESTARTS:
            raise refused
        self._restarts += 1
        self.cursor = self.first = self.edge = None
        self._ordered = True
        self._used = {None}

    def reaches(self, second: int | None) -> bool:
        """Whether the reading, from the last to the first, has come to a second or past it."""
        return second is not None and self.edge is not None and self.edge <= second

    def _measure(self, times: list[int | None]) -> None:
        sign = -1 if self._descending else 1
        line = [sign * time for time in times if time is not None]
        if (
            len(line) < len(times)
            or line != sorted(line)
            or (self.edge and line and line[-1] < sign * self.edge)
        ):
            self._ordered = False
        if not self._ordered:
            self.first = self.edge = None
        elif times:
            self.first = times[0] if self.first is None else self.first
            self.edge = times[-1]

    def _met(self, twin: _Part) -> bool:
        """Whether the overlap of the two ends holds a whole second, so that no tie can lie between them."""
        early, late = (twin, self) if self._descending else (self, twin)
        return early.edge is not None and late.edge is not None and early.edge > late.edge


class _Pages:
    """What a sweep and a poll have in common: pages are read, stored and counted."""

    def __init__(self, api: Api, mirror: Mirror, tell: Callable[[Progress], None]) -> None:
        self.api = api
        self.mirror = mirror
        self.since = 0  # the ticket of the sweep; a poll has none
        self.kept = False  # whether the places are remembered
        self.sound = True  # whether no part led in a circle
        self.progress = Progress("focus", 0, None, 0, 0, False)
        self._tell = tell
        self._writer = _Writer(mirror)

    def tell(self, step: str, **news: Any) -> None:
        self.progress = self.progress._replace(step=step, **news)
        self._tell(self.progress)

    async def read(
        self, part: _Part, step: str, enough: Callable[[Taken], bool] = lambda taken: False
    ) -> None:
        """Reads a part to its end, or until a page is enough; stores each page and the place it led to."""
        ticket = 0 if part.done else await _in_thread(self.mirror.ticket)
        while not part.done:
            try:
                page = await self.api.list_page(**part.request)
            except Refused as refused:
                part.restart(refused)
                continue
            part.advance(page)
            place = part.place if self.kept and part.name else None
            taken = await self.keep(Taking(page.documents, ticket, self.since or ticket, place), step)
            ticket = taken.ticket
            if enough(taken):
                break
        self.sound = self.sound and part.sound

    async def keep(self, page: Taking, step: str) -> Taken:
        """Stores a page, and tells of it."""
        taken = await self._writer.take(page)
        seen, changed = self.progress.seen + taken.fresh, self.progress.changed + taken.changed
        self.tell(step, seen=seen, changed=changed)
        return taken


class _Sweep(_Pages):
    """One complete pass over the list."""

    async def run(self, focus: View | None) -> None:
        """Sweeps, and leaves what a fault or a cancellation cuts to the next sweep."""
        self.kept = self.mirror.claim()
        try:
            # 1. What is on the screen, before anything else is asked for.
            self.tell("focus")
            await self._look_at(focus)
            state = await _in_thread(self.mirror.begin_sweep, self.kept)
            self.since = state.ticket
            self.tell("folders", seen=state.seen, total=state.total)
            try:
                await self._sweep(state)
            except Exception as fault:
                if not isinstance(_cause(fault), Offline | Busy):  # it would stop the next sweep as well
                    await _in_thread(self.mirror.end_sweep, state)
                raise
        finally:
            if self.kept:
                self.mirror.release()

    async def _sweep(self, state: SweepState) -> None:
        folders, ends, newest = _parts(state.places)

        # 2. The folders: the tree stands after a page or two.
        await self.read(folders, "folders")

        # 3. Everything, by several cursors at once: each type from both ends of `created_at`, which never
        #    changes, so that an edit shifts nothing, until the ends meet.
        async with asyncio.TaskGroup() as group:
            for part in ends:
                group.create_task(self.read(part, "documents"))

        # 4. Compare. A folder that counts other children than were seen is listed by itself. What was
        #    updated since the last sweep is listed once more without a filter, on the first sweep all of
        #    it: only so does a type show up that no partition asks for.
        self.tell("compare")
        await _each(self._list, await _in_thread(self.mirror.miscounted, state.ticket))
        horizon = state.newest if (state.total or 0) > WHOLE else None
        await self.read(newest, "compare", lambda taken: not taken.changed and newest.reaches(horizon))

        # 5. Only a complete pass may remove, and only what the service says does not exist.
        complete = self.sound and self.mirror.losses == state.losses
        if complete:
            unseen = await _in_thread(self.mirror.unseen, state.ticket)
            await _each(
                self._confirm, [unseen[at : at + CONFIRMED] for at in range(0, len(unseen), CONFIRMED)]
            )
        await _in_thread(self.mirror.end_sweep, state, complete=complete, newest=newest.first)
        self.tell("done", complete=complete)

    async def _look_at(self, focus: View | None) -> None:
        if focus is not None:
            with contextlib.suppress(NotFound, Refused):  # a folder that is gone is for the sweep to find out
                self.tell("focus", changed=await Sync(self.api, self.mirror).visit(focus))

    async def _list(self, folder: str) -> None:
        """Lists the children of a folder, of whatever type."""
        with contextlib.suppress(NotFound):
            await self.read(_Part("", _CREATED, "asc", parent_folder_id=folder), "compare")

    async def _confirm(self, ids: list[str]) -> None:
        """Removes documents that the service says do not exist, and stores those that do after all."""
        ticket = await _in_thread(self.mirror.ticket)
        found = await self.api.summary_dicts(ids)
        await self.keep(
            Taking([document for document in found.values() if document], ticket, self.since), "confirm"
        )
        gone = [id for id in ids if id in found and found[id] is None]
        removed = await _in_thread(self.mirror.remove, gone)
        self.tell("confirm", removed=self.progress.removed + removed)


class _Poll(_Pages):
    """What was changed since the last look."""

    async def run(self) -> None:
        horizon = self.mirror.newest()
        changes = _Part("", _UPDATED, "desc")

        def enough(taken: Taken) -> bool:
            return not taken.changed and (None in (horizon, changes.edge) or changes.reaches(horizon))

        await self.read(changes, "documents", enough)
        if self.sound and horizon is not None and changes.first is not None:
            await _in_thread(self.mirror.caught_up, changes.first)
        self.tell("done", complete=self.sound)


class _Writer:
    """Pages on their way into the mirror: what arrives while a transaction is written makes up the next."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._waiting: list[tuple[Taking, asyncio.Future[Taken]]] = []
        self._turn = asyncio.Lock()

    async def take(self, page: Taking) -> Taken:
        taken: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((page, taken))
        async with self._turn:
            if not taken.done():
                batch, self._waiting = self._waiting, []
                try:
                    results = await _in_thread(self._mirror.take, [page for page, _ in batch])
                except BaseException:
                    for _, future in batch:
                        future.cancel()
                    raise
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)
        return await taken


def _parts(places: dict[str, Place]) -> tuple[_Part, list[_Part], _Part]:
    """The parts of a sweep, where they were left: the folders, the ends of each type, the whole list."""

    def part(name: str, sort: str, direction: str, **filters: Any) -> _Part:
        return _Part(name, sort, direction, places.get(name), **filters)

    ends = []
    for type in TYPES:
        if type != FOLDER:
            early = part(f"{type} from the first", _CREATED, "asc", types=(type,))
            late = part(f"{type} from the last", _CREATED, "desc", types=(type,))
            early.twin, late.twin = late, early
            early.done = late.done = early.done or late.done
            ends += [early, late]
    return part("folders", _CREATED, "asc", types=(FOLDER,)), ends, part("newest", _UPDATED, "desc")


async def _each(work: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    """Does the same with every item, several at a time."""
    waiting = iter(items)

    async def helper() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(HELPERS):
            group.create_task(helper())


async def _told(
    story: Callable[[Callable[[Progress], None]], Awaitable[None]],
) -> AsyncGenerator[Progress, None]:
    """Lets a story unfold in a task of its own and yields how far it is, leaving out what is out of date.

    A slow reader holds nothing up, and the task has ended before the generator has.
    """
    latest: list[Progress] = []
    moved = asyncio.Event()

    def tell(progress: Progress) -> None:
        latest[:] = [progress]
        moved.set()

    task = asyncio.ensure_future(story(tell))
    task.add_done_callback(lambda _: moved.set())
    try:
        while not task.done() or latest:
            await moved.wait()
            moved.clear()
            if latest:
                yield latest.pop()
        task.result()
    except Exception as fault:
        raise _cause(fault) from None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _in_thread(work: Callable[..., T], *values: Any, **named: Any) -> T:
    """Runs `work` in a thread, to its end even when cancelled: no transaction outlives its task."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *values, **named))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        with contextlib.suppress(Exception):
            running.result()
        raise


def _cause(fault: BaseException) -> BaseException:
    """The one fault of a group that is worth telling: a bug before a failure."""
    if not isinstance(fault, BaseExceptionGroup):
        return fault
    causes = [_cause(part) for part in fault.exceptions]
    return next((cause for cause in causes if not isinstance(cause, Error)), causes[0])


def _time(document: Any, field: str) -> int | None:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    time = metadata.get(field) if isinstance(metadata, dict) else None
    return time if isinstance(time, int) else None
