"""The local copy against a dictionary that knows what it must say, whatever happens."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kbtui.mirror import Mirror
from kbtui.rows import ALL, ROOT, SORTS, UNPLACED, View
from tests.shelf import document, fill, shown

IDS = [f"id{number}" for number in range(8)]
NAMES = st.sampled_from(
    ["Refund", "refund policy", "Ｒefund", "straße", "STRASSE", "x", "Σίσυφος", "", "a\0b", "🙂 z"]
)
DOCUMENTS = st.builds(
    lambda id, name, type, parent, updated, size: (
        document(id, name, type=type, parent=parent, updated=updated, size=size)
        | ({"children_count": 3 - size, "document_count": 2} if type == "folder" else {})
    ),
    st.sampled_from(IDS),
    NAMES,
    st.sampled_from(["text", "url", "file", "folder", "folder", "hologram"]),
    st.sampled_from([None, None, "unknown", *IDS]),
    st.integers(0, 3),
    st.integers(0, 3),
)


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class Model(RuleBasedStateMachine):
    """Two mirrors on one file, and a dictionary that knows what they must say."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(os.environ["HOME"]) / f"model-{time.monotonic_ns()}"
        self.mirrors = [Mirror(self.folder / "m.db") for _ in range(2)]
        self.rows: dict[str, dict[str, Any]] = {}
        self.seen: dict[str, int] = {}
        self.gone: dict[str, int] = {}
        self.tickets: list[int] = []
        self.version = self.mirrors[0].version

    def teardown(self) -> None:
        for mirror in getattr(self, "mirrors", []):
            mirror.close()

    @rule(which=st.integers(0, 1))
    def take_ticket(self, which: int) -> None:
        ticket = self.mirrors[which].ticket()
        assert all(ticket > earlier for earlier in self.tickets)
        self.tickets.append(ticket)

    @precondition(lambda self: self.tickets)
    @rule(which=st.integers(0, 1), page=st.lists(DOCUMENTS, max_size=6), age=st.integers(0, 4))
    def store(self, which: int, page: list[dict[str, Any]], age: int) -> None:
        ticket = self.tickets[max(0, len(self.tickets) - 1 - age)]
        changed = 0
        for each in page:
            id, old = each["id"], self.rows.get(each["id"])
            if self.gone.get(id, 0) > ticket:
                continue
            newer = (
                old is None
                or each["metadata"]["last_updated_at_unix_secs"]
                > old["metadata"]["last_updated_at_unix_secs"]
            )
            if newer or ticket > self.seen[id]:
                changed += old != each
                self.rows[id] = each
                if old != each:
                    self.seen[id] = max(ticket, self.seen.get(id, 0))
        for each in page:
            if each["id"] in self.rows:
                self.seen[each["id"]] = max(ticket, self.seen[each["id"]])
        before = self.version
        assert self.mirrors[which].store(page, ticket) == changed
        self.version = self.mirrors[1 - which].version
        assert (self.version > before) == bool(changed)

    @rule(which=st.integers(0, 1), ids=st.lists(st.sampled_from(IDS), unique=True, max_size=3))
    def remove(self, which: int, ids: list[str]) -> None:
        known = [id for id in ids if id in self.rows]
        assert self.mirrors[which].remove(ids) == len(known)
        ticket = self.mirrors[which].ticket()
        self.tickets.append(ticket)
        for id in ids:
            self.rows.pop(id, None)
            self.gone[id] = ticket - 1
        self.version = self.mirrors[which].version

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.mirrors[which].close()
        self.mirrors[which] = Mirror(self.folder / "m.db")

    @precondition(lambda self: self.tickets)
    @rule(which=st.integers(0, 1), age=st.integers(0, 4))
    def unseen(self, which: int, age: int) -> None:
        ticket = self.tickets[max(0, len(self.tickets) - 1 - age)]
        assert sorted(self.mirrors[which].unseen(ticket)) == sorted(
            id for id in self.rows if self.seen[id] < ticket
        )

    @rule(
        which=st.integers(0, 1),
        scope=st.sampled_from([ROOT, ALL, UNPLACED, *IDS, "unknown"]),
        sort=st.sampled_from(SORTS),
        descending=st.booleans(),
        text=st.sampled_from(["", "refund", "REF pol", "strasse", "σισ", "zzz"]),
        types=st.sampled_from([(), ("text",), ("folder", "url"), ("hologram",)]),
    )
    def look(
        self, which: int, scope: str, sort: str, descending: bool, text: str, types: tuple[str, ...]
    ) -> None:
        mirror, view = self.mirrors[which], View(scope, sort, descending, text, types)
        listing = mirror.listing(view)
        rows = mirror.window(listing, 0, len(listing))
        assert [row.id for row in rows] == self.expected(view)
        assert all(mirror.rank(listing, row.id) == number for number, row in enumerate(rows))

    def expected(self, view: View) -> list[str]:
        keys: dict[str, Callable[[dict[str, Any]], Any]] = {
            "name": lambda each: folded(each["name"]),
            "created_at": lambda each: each["metadata"]["created_at_unix_secs"],
            "updated_at": lambda each: each["metadata"]["last_updated_at_unix_secs"],
            "size": lambda each: each.get("children_count", each["metadata"]["size_bytes"]),
        }
        found = [
            each
            for each in self.inside(view.scope)
            if all(word in folded(each["name"]) for word in folded(view.text).split())
            and (not view.types or each["type"] in view.types)
        ]
        found.sort(key=lambda each: (keys[view.sort](each), each["id"].encode()), reverse=view.descending)
        found.sort(key=lambda each: each["type"] != "folder")
        return [each["id"] for each in found]

    def inside(self, scope: str) -> list[dict[str, Any]]:
        rows = [*self.rows.values()]
        if scope == ALL:
            return [each for each in rows if each["type"] != "folder"]
        if scope == ROOT:
            return [each for each in rows if each["folder_parent_id"] is None]
        if scope != UNPLACED:
            return [each for each in rows if each["folder_parent_id"] == scope]
        folders = {each["id"]: each["folder_parent_id"] for each in rows if each["type"] == "folder"}
        return [
            each
            for each in rows
            if each["folder_parent_id"] is not None
            and (each["folder_parent_id"] not in folders or self.circles(each["id"], folders))
        ]

    @staticmethod
    def circles(id: str, folders: dict[str, str | None]) -> bool:
        here = folders.get(id)
        for _ in folders:
            if here == id:
                return True
            here = folders.get(here) if here else None
        return False

    @invariant()
    def agrees(self) -> None:
        for mirror in getattr(self, "mirrors", []):
            assert {id: mirror.summary(id) for id in IDS} == {id: self.rows.get(id) for id in IDS}
            for scope in (ROOT, ALL, UNPLACED, *IDS[:3]):
                assert mirror.count(scope) == len(self.inside(scope))
            assert mirror.notice == ""
            for id in IDS:
                trail = [each.id for each in mirror.path(id)]
                assert len(trail) == len(set(trail)) and id not in trail


Model.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.usefixtures("clean_home")
class TestAgainstAModel(Model.TestCase):  # type: ignore[misc, valid-type]
    pass


@given(text=st.text(max_size=30), name=st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_name_can_be_stored_and_any_text_filters(text: str, name: str) -> None:
    mirror = Mirror(None)
    fill(mirror, document("a", name or "x"))
    words = folded(text).split()
    assert shown(mirror, text=text) == (["a"] if all(word in folded(name or "x") for word in words) else [])
    assert (mirror.summary("a") or {})["name"] == (name or "x")
    mirror.close()
