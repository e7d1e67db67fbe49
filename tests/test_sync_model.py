"""The sweep against a service that changes with every page, and pages by position: the worst there may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kbtui.sync
from kbtui.errors import Offline, Refused
from kbtui.mirror import Mirror
from kbtui.rows import Page, View
from kbtui.sync import Sync
from tests.shelf import document

if TYPE_CHECKING:
    from kbtui.api import Api

TYPES = ("text", "text", "url", "folder", "hologram")
KINDS = ("add", "delete", "update", "move", "touch", "save", "discard", "wait")
Step = tuple[str, int, int]  # what happens, to which document, and one number more


class Service:
    """A knowledge base in memory. Its cursors are positions, so whatever changes shifts the pages.

    Before and after each page is cut, a step of `story` happens: what a page shows may be out of date
    when it arrives.
    """

    def __init__(self, mirror: Mirror, story: list[Step], cut: int | None = None, size: int = 2) -> None:
        self.mirror = mirror
        self.story = story
        self.cut = cut  # requests until the line is cut, once
        self.size = size
        self.now = 100
        self.made = 0
        self.documents: dict[str, dict[str, Any]] = {}
        self.discarded: set[str] = set()  # removed by this kbtui
        self.listed: set[str] = set()  # shown by lists of one type
        self.saved: dict[str, int] = {}  # the revision that a save of ours stored
        self.lock = asyncio.Lock()

    # What the client asks

    async def list_page(
        self,
        *,
        types: tuple[str, ...] = (),
        parent_folder_id: str | None = None,
        sort_by: str = "created_at",
        sort_direction: str = "desc",
        cursor: str | None = None,
        **_: Any,
    ) -> Page:
        await self.happen()
        if self.cut is not None:
            self.cut -= 1
            if self.cut < 0:
                self.cut = None
                raise Offline("The line was cut.")
        rows = [
            each
            for each in self.documents.values()
            if (not types or each["type"] in types)
            and (parent_folder_id is None or each["folder_parent_id"] == parent_folder_id)
        ]
        field = {"created_at": "created_at_unix_secs", "updated_at": "last_updated_at_unix_secs"}.get(sort_by)
        rows.sort(key=lambda each: (each["metadata"][field] if field else each["name"], each["id"]))
        if sort_direction == "desc":
            rows.reverse()
        at = int(cursor or 0)
        page = [dict(each) for each in rows[at : at + self.size]]
        more = at + self.size < len(rows)
        await self.happen()
        self.listed |= {each["id"] for each in page if types}
        return Page(page, str(at + self.size) if more else None, more)

    async def summary_dicts(self, ids: list[str], **_: Any) -> dict[str, dict[str, Any] | None]:
        await self.happen()
        answer = {id: dict(self.documents[id]) if id in self.documents else None for id in ids}
        await self.happen()
        return answer

    # What others do meanwhile

    async def happen(self) -> None:
        """The next step of the story; a save or a removal of ours goes on while pages are under way."""
        await asyncio.sleep(0)
        if self.story:
            what, which, number = self.story.pop(0)
            async with self.lock:
                await self.do(what, which, number)
        self.check()

    async def do(self, what: str, which: int, number: int) -> None:
        self.now += number % 2  # many changes fall into one second
        ids = list(self.documents)
        if what == "add" or not ids:
            self.add(TYPES[which % len(TYPES)], number)
            return
        id = ids[which % len(ids)]
        each = self.documents[id]
        if what in ("delete", "discard"):
            del self.documents[id]
            if what == "discard":  # by this kbtui, which takes it from the mirror at once
                await asyncio.to_thread(self.mirror.remove, [id])
                self.discarded.add(id)
        elif what == "move":  # the service may not count it as an update
            folders = [None, *(i for i in ids if self.documents[i]["type"] == "folder")]
            each["folder_parent_id"] = folders[number % len(folders)]
        elif what in ("update", "touch", "save"):
            each["revision"] += 1
            if what != "touch":
                each["name"] = f"{number} {each['revision']}"
                each["metadata"] = each["metadata"] | {"last_updated_at_unix_secs": self.now}
            if what == "save":
                answer = dict(each)
                await asyncio.to_thread(
                    lambda: self.mirror.store([answer], self.mirror.ticket())  # the ticket after the answer
                )
                self.saved[id] = answer["revision"]
        self.count()

    def add(self, type: str, number: int) -> None:
        self.made += 1
        new = document(f"d{self.made:03}", type=type, created=self.now, updated=self.now) | {"revision": 1}
        folders = [None, *(i for i, each in self.documents.items() if each["type"] == "folder")]
        new["folder_parent_id"] = folders[number % len(folders)]
        self.documents[new["id"]] = new
        self.count()

    def count(self) -> None:
        for id, each in self.documents.items():
            if each["type"] == "folder":
                inside = [child for child in self.documents.values() if child["folder_parent_id"] == id]
                each["children_count"] = len(inside)

    # What must hold at every moment

    def check(self) -> None:
        for id, revision in self.saved.items():
            if id in self.documents:
                held = self.mirror.summary(id)
                assert held is not None, f"{id} was removed though it exists"
                assert held["revision"] >= revision, f"a page undid the save of {id}"
        for id in self.discarded:
            assert self.mirror.row(id) is None, f"a page brought back {id}"


def held(mirror: Mirror) -> dict[str, Any]:
    return {id: mirror.summary(id) for id in mirror.unseen(2**62)}


class Guarded:
    """Watches every removal: what exists may never be removed."""

    def __init__(self, mirror: Mirror, service: Callable[[], Service]) -> None:
        remove = mirror.remove

        def checked(ids: Any) -> int:
            ids = list(ids)
            assert not set(ids) & set(service().documents)
            return remove(ids)

        mirror.remove = checked  # type: ignore[method-assign]


async def to_the_end(service: Service, mirror: Mirror, focus: View | None = None) -> bool:
    """Sweeps until no line is cut; whether the last pass was complete."""
    while True:
        try:
            told = [each async for each in Sync(cast("Api", service), mirror).sweep(focus=focus)]
            return told[-1].complete
        except Offline:
            continue


STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 40), st.integers(0, 5)), min_size=0, max_size=60
)


@given(
    before=st.integers(0, 25),
    old=STEPS,
    story=STEPS,
    cut=st.none() | st.integers(0, 25),
    size=st.integers(1, 4),
    whole=st.booleans(),
)
@example(before=12, old=[], story=[("delete", 0, 0)] * 6, cut=None, size=2, whole=True)
@example(before=12, old=[], story=[("save", n, 0) for n in range(12)], cut=3, size=2, whole=True)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_moves_while_it_is_read_a_quiet_sweep_makes_mirror_and_service_alike(
    before: int, old: list[Step], story: list[Step], cut: int | None, size: int, whole: bool
) -> None:
    async def run() -> None:
        mirror = Mirror(None)
        service = Service(mirror, [], size=size)
        Guarded(mirror, lambda: service)
        kinds = TYPES if whole else TYPES[:-1]
        for number in range(before):
            service.add(kinds[number % len(kinds)], number)
            service.now += number % 3 == 0
        await to_the_end(service, mirror)  # an earlier sweep, then changes while kbtui was away
        for step in old:
            if step[0] not in ("save", "discard") and (whole or step[0] != "add"):
                await service.do(*step)
        service.story = [step for step in story if whole or step[0] != "add"]
        service.cut = cut
        await to_the_end(service, mirror, View())
        service.story, service.cut = [], None
        assert await to_the_end(service, mirror)
        assert held(mirror) == service.documents
        assert [each async for each in Sync(cast("Api", service), mirror).poll()][-1].changed == 0
        mirror.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kbtui.sync, "WHOLE", 2000 if whole else 0)
        asyncio.run(run())


@pytest.mark.parametrize("size", [1, 2, 3])
def test_rows_that_shift_and_repeat_across_pages_are_neither_lost_nor_doubled(size: int) -> None:
    """Every page is followed by a deletion at the front, which moves all rows behind it one place up."""

    async def run() -> None:
        mirror = Mirror(None)
        service = Service(mirror, [], size=size)
        Guarded(mirror, lambda: service)
        for number in range(30):
            service.now += 1
            service.add("text", 0 if number < 5 else 1)
        service.story = [
            step for n in range(10) for step in (("wait", 0, 0), ("delete", 0, 0), ("add", 0, 1))
        ]
        assert await to_the_end(service, mirror)
        missing = set(service.documents) - set(held(mirror))
        assert len(missing) <= 10  # shifted out of sight, or made behind a cursor
        assert await to_the_end(service, mirror)
        assert held(mirror) == service.documents and mirror.count("*") == len(service.documents)
        mirror.close()

    asyncio.run(run())


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_ends_that_meet_among_rows_of_one_second_leave_none_of_them_out(size: int) -> None:
    async def run() -> None:
        mirror = Mirror(None)
        service = Service(mirror, [], size=size)
        for number in range(20):
            service.now += number in (3, 15, 16)
            service.add("text", 0)
        assert await to_the_end(service, mirror)
        assert service.listed == set(service.documents)
        mirror.close()

    asyncio.run(run())


def test_a_service_that_keeps_no_order_is_read_to_its_end() -> None:
    class Shuffled(Service):
        async def list_page(self, **asked: Any) -> Page:
            return await super().list_page(**{**asked, "sort_by": "name"})

    async def run() -> None:
        mirror = Mirror(None)
        service = Shuffled(mirror, [], size=3)
        for number in range(40):
            service.add("text", 0)
            newest = service.documents[f"d{number + 1:03}"]
            newest["name"] = f"{number * 7 % 40:02}"
            newest["metadata"] = newest["metadata"] | {
                "created_at_unix_secs": number,
                "last_updated_at_unix_secs": number,
            }
        assert await to_the_end(service, mirror)
        assert held(mirror) == service.documents and mirror.newest() is None
        mirror.close()

    asyncio.run(run())


def test_a_refusal_that_names_no_cursor_is_not_taken_for_an_expired_one() -> None:
    class Refusing(Service):
        async def list_page(self, **asked: Any) -> Page:
            if asked.get("cursor"):
                raise Refused("No.", code="invalid_parameters")
            return await super().list_page(**asked)

    async def run() -> None:
        mirror = Mirror(None)
        service = Refusing(mirror, [])
        for _ in range(9):
            service.add("text", 0)
        with pytest.raises(Refused):
            await to_the_end(service, mirror)
        mirror.close()

    asyncio.run(run())
