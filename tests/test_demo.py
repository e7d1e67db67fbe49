"""The demo over HTTP: keys, cursors, and the list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo.contract import Cursors
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, refused


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


@pytest.fixture
def empty() -> Iterator[Caller]:
    with Demo(index_seconds=0, sample=False) as server, Caller(server) as caller:
        yield caller


# Keys


def test_no_key_and_a_wrong_key_are_told_apart(demo: Demo) -> None:
    with httpx.Client(base_url=demo.url, trust_env=False) as nobody:
        refused(nobody.get(KB), 401, "missing_api_key")
        refused(nobody.get(KB, headers={"xi-api-key": "sk_wrong"}), 401, "invalid_api_key")
        refused(
            nobody.get(KB, headers={b"xi-api-key": "schlüssel".encode("latin-1")}), 401, "invalid_api_key"
        )


def test_the_read_only_key_reads_and_is_refused_every_write_by_the_name_of_the_scope(demo: Demo) -> None:
    with Caller(demo, demo.read_only_key) as reader:
        some = reader.get(KB).json()["documents"][0]["id"]
        for method, path in (
            ("POST", f"{KB}/text"),
            ("POST", f"{KB}/folder"),
            ("POST", f"{KB}/url"),
            ("POST", f"{KB}/file"),
            ("PATCH", f"{KB}/{some}"),
            ("PATCH", f"{KB}/{some}/update-file"),
            ("DELETE", f"{KB}/{some}"),
            ("POST", f"{KB}/{some}/move"),
            ("POST", f"{KB}/{some}/refresh"),
            ("POST", f"{KB}/bulk-move"),
            ("POST", f"{KB}/bulk-delete"),
        ):
            detail = refused(reader.request(method, path), 401, "missing_permissions")
            assert detail["code"] == "unauthorized"
            assert detail["message"] == (
                "The API key you used is missing the permission convai_write to execute this operation."
            )
        assert reader.get(f"{KB}/{some}").status_code == 200
        assert reader.post(f"{KB}/dependent-agents", json={"document_ids": [some]}).status_code == 200


# Cursors


def test_a_cursor_is_good_for_its_own_question_only(call: Caller) -> None:
    cursor = call.get(KB, params={"page_size": 1}).json()["next_cursor"]
    assert call.get(KB, params={"page_size": 2, "cursor": cursor}).status_code == 200
    for bad in ("x", "eyJwYWdlIjoxfQ==", cursor[:-2], "é", "\x00", cursor + cursor):
        refused(call.get(KB, params={"cursor": bad}), 400, "invalid_cursor")
    refused(call.get(KB, params={"sort_by": "name", "cursor": cursor}), 400, "invalid_cursor")
    refused(call.get(f"{KB}/search", params={"query": "a", "cursor": cursor}), 400, "invalid_cursor")


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists), st.text(), st.text())
def test_a_sealed_place_opens_to_itself_and_to_nobody_else(place: Any, scope: str, other: str) -> None:
    scope, other = (each.encode("utf-8", "replace").decode() for each in (scope, other))
    cursors = Cursors("secret")
    sealed = cursors.seal(place, scope)
    assert cursors.open(sealed, scope) == json.loads(json.dumps(place))
    for stranger, asked in ((Cursors("other"), scope), (cursors, other + "x" + scope)):
        with pytest.raises(Exception, match="invalid or expired"):
            stranger.open(sealed, asked)


# The list


def test_every_order_filter_and_page_size_agrees_with_the_whole_list(call: Caller) -> None:
    call.text(name="Zürich")
    call.text(name="ZÜRICH")
    every = call.everything(page_size=100)
    assert len({each["id"] for each in every}) == len(every)
    keys: dict[str, Any] = {
        "name": lambda d: d["name"].casefold(),
        "created_at": lambda d: d["metadata"]["created_at_unix_secs"],
        "updated_at": lambda d: d["metadata"]["last_updated_at_unix_secs"],
        "size": lambda d: d["metadata"]["size_bytes"],
    }
    for order, key in keys.items():
        for direction in ("asc", "desc"):
            for first in (False, True):
                for size, types in ((1, ["folder", "file", "url"]), (7, []), (100, [])):
                    query = {"sort_by": order, "sort_direction": direction, "folders_first": first}
                    found = call.everything(page_size=size, types=types, **query)
                    wanted = [d["id"] for d in every if not types or d["type"] in types]
                    assert {d["id"] for d in found} == {*wanted}
                    assert len(found) == len(wanted) > 20
                    places = [(first and d["type"] != "folder", key(d)) for d in found]
                    for (rest, one), (later, other) in pairwise(places):
                        assert rest <= later
                        if rest == later:
                            assert one <= other if direction == "asc" else one >= other


def test_filters_combine(empty: Caller) -> None:
    top = empty.folder("Top")
    inner = empty.folder("inner", top)
    here = empty.text(name="Alpha", parent_folder_id=top)
    deep = empty.text(name="alphabet", parent_folder_id=inner)
    empty.text(name="Beta", parent_folder_id=inner)
    empty.text(name="Alps")

    def ids(**query: Any) -> set[str]:
        return {d["id"] for d in empty.everything(page_size=1, **query)}

    assert ids(parent_folder_id=top) == {inner, here}
    assert ids(ancestor_folder_id=top, types="text", search="ALPHA") == {here, deep}
    assert ids(ancestor_folder_id=top, parent_folder_id=inner, search="a") == {deep}
    assert ids(types=["folder", "url"]) == {top, inner}
    assert ids(search="alphabet soup") == set()
    assert ids(parent_folder_id="nobody") == set()


@pytest.mark.parametrize(
    "name", ["a%b", "a_b", "'; --", "\U0010ffff\U0010ffff", "\ud7ff!", "a\x00b", "é", "Straße"]
)
def test_a_name_is_found_by_every_beginning_of_itself(empty: Caller, name: str) -> None:
    id = empty.text(name=name)
    empty.text(name="zzz")
    for end in range(1, len(name) + 1):
        assert [d["id"] for d in empty.everything(search=name[:end])] == [id]
    assert empty.everything(search=name + "x") == []


def test_names_longer_than_their_key_are_listed_once_and_found_exactly(empty: Caller) -> None:
    ids = {empty.text(name="n" * 10_000 + tail) for tail in ("a", "b", "c")}
    assert {d["id"] for d in empty.everything(sort_by="name", page_size=1)} == ids
    assert len(empty.everything(search="n" * 300)) == 3
    (only,) = empty.everything(search="n" * 10_000 + "b")
    assert only["name"].endswith("b")


def test_my_documents_and_those_of_others(call: Caller) -> None:
    every = call.everything(page_size=100)
    mine = call.everything(page_size=100, created_by_user_id="@me")
    assert {d["id"] for d in mine} == {d["id"] for d in every if d["access_info"]["is_creator"]}
    owned = call.everything(page_size=100, show_only_owned_documents=True)
    assert owned == mine
    assert call.everything(created_by_user_id="nobody", show_only_owned_documents=True) == []


def test_folders_count_children_and_all_documents_below(empty: Caller) -> None:
    top = empty.folder("top")
    inner = empty.folder("inner", top)
    for parent in (top, inner, inner):
        empty.text(parent_folder_id=parent)
    found = empty.document(top)
    assert (found["children_count"], found["document_count"]) == (2, 3)
    (text,) = (d for d in empty.everything(parent_folder_id=inner, page_size=1, sort_direction="asc")[:1])
    assert text["folder_path"] == [{"id": top}, {"id": inner}]
    assert empty.document(text["id"])["folder_path"] == [
        {"id": top, "name": "top"},
        {"id": inner, "name": "inner"},
    ]


def test_the_count_of_a_folder_stops_past_a_thousand() -> None:
    with Demo(index_seconds=0, sample=False, size=1500) as demo, Caller(demo) as call:
        (top,) = call.everything(types="folder", search="branch notes")
        assert (top["children_count"], top["document_count"]) == (40, 1001)
        assert (
            len(call.everything(ancestor_folder_id=top["id"], types=["text", "url", "file"], page_size=100))
            == 1500
        )


def test_documents_inserted_while_paging_do_not_repeat_or_hide_others(empty: Caller) -> None:
    ids = [empty.text(name=f"n{i:02}") for i in range(10)]
    seen: list[str] = []
    cursor = None
    while True:
        page = empty.get(
            KB, params={"page_size": 3, "sort_by": "name", "sort_direction": "asc", "cursor": cursor or ""}
        )
        page = (
            page
            if cursor
            else empty.get(KB, params={"page_size": 3, "sort_by": "name", "sort_direction": "asc"})
        )
        body = page.json()
        seen += [d["id"] for d in body["documents"]]
        empty.text(name="a before everything")
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert [id for id in seen if id in ids] == ids
