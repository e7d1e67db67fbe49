"""The demo knowledge base over HTTP: the documents, their rules, and what it refuses."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo import generated
from kbtui.demo.contract import Cursors
from kbtui.demo.search import one_slip
from kbtui.demo.server import Demo
from kbtui.demo.words import plain

KB = "/v1/convai/knowledge-base"


class Caller(httpx.Client):
    """An HTTP client with the demo's key."""

    def __init__(self, demo: Demo, key: str | None = None) -> None:
        super().__init__(base_url=demo.url, headers={"xi-api-key": key or demo.key}, trust_env=False)

    def text(self, text: str = "Words.", **more: Any) -> str:
        return self.made(self.post(f"{KB}/text", json={"text": text, **more}))

    def folder(self, name: str, parent: str | None = None, **more: Any) -> str:
        return self.made(self.post(f"{KB}/folder", json={"name": name, "parent_folder_id": parent, **more}))

    def url(self, address: str, **more: Any) -> str:
        return self.made(self.post(f"{KB}/url", json={"url": address, **more}))

    @staticmethod
    def made(answer: httpx.Response) -> str:
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def document(self, id: str) -> dict[str, Any]:
        answer = self.get(f"{KB}/{id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def everything(self, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list, one after the other."""
        documents: list[dict[str, Any]] = []
        while True:
            answer = self.get(KB, params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            documents += page["documents"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if not page["has_more"]:
                return documents
            query["cursor"] = page["next_cursor"]


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


@pytest.fixture
def empty() -> Iterator[Caller]:
    with Demo(index_seconds=0, sample=False) as server, Caller(server) as caller:
        yield caller


def refused(answer: httpx.Response, http: int, status: str) -> dict[str, Any]:
    """The detail of a refusal in the service's object shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (http, "application/json"), answer.text
    detail: dict[str, Any] = answer.json()["detail"]
    assert set(detail) == {"type", "code", "message", "status", "request_id", "param"}
    assert detail["status"] == status, detail
    assert detail["request_id"] == answer.headers["request-id"]
    return detail


def invalid(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.text
    detail: list[dict[str, Any]] = answer.json()["detail"]
    assert detail and all(set(each) == {"type", "loc", "msg"} for each in detail)
    return detail


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


# Errors


def test_unknown_paths_and_methods_are_answered_in_json(call: Caller) -> None:
    assert call.get("/nowhere").json() == {"detail": "Not Found"}
    assert call.get(f"{KB}/").json() == {"detail": "Not Found"}
    answer = call.request("BREW", KB)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


def test_an_unknown_document_is_not_found_by_every_endpoint_that_names_one(call: Caller) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/content", None),
        ("POST", "/move", {}),
        ("POST", "/refresh", None),
        ("GET", "/source-file-url", None),
        ("GET", "/dependent-agents", None),
        ("PATCH", "/update-file", None),
    ):
        answer = call.request(method, f"{KB}/nobody{path}", json=body)
        assert refused(answer, 404, "knowledge_base_documentation_not_found")["code"] == "document_not_found"
    bulk = call.post(f"{KB}/dependent-agents", json={"document_ids": ["nobody"]})
    refused(bulk, 404, "knowledge_base_documentation_not_found")
    into = call.post(f"{KB}/text", json={"text": "a", "parent_folder_id": "nobody"})
    assert refused(into, 404, "knowledge_base_documentation_not_found")["param"] == "parent_folder_id"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe{",
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
        b"\x00",
        b"{'text': 'a'}",
    ],
)
def test_a_body_that_is_no_json_is_refused_as_such(call: Caller, raw: bytes) -> None:
    answer = call.post(f"{KB}/text", content=raw, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "There was an error parsing the body"})


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"", "application/json"),
        (b"null", "application/json"),
        (b'{"text": "a"}', "text/plain"),
        (b'{"text": "\\ud800"}', "application/json"),
        (b'{"text": 7}', "application/json"),
        (b'{"text": "a", "name": ""}', "application/json"),
        (b'{"text": NaN}', "application/json"),
    ],
)
def test_a_body_outside_the_contract_is_named_in_the_list_form(call: Caller, raw: bytes, kind: str) -> None:
    errors = invalid(call.post(f"{KB}/text", content=raw, headers={"content-type": kind}))
    assert errors[0]["loc"][0] == "body"


def test_values_of_the_query_are_checked(call: Caller) -> None:
    for query in (
        "page_size=0",
        "page_size=101",
        "page_size=x",
        "types=pdf",
        "sort_by=colour",
        "folders_first=2",
    ):
        errors = invalid(call.get(f"{KB}?{query}"))
        assert errors[0]["loc"][:2] == ["query", query.split("=")[0]]
    invalid(call.get(f"{KB}/summaries"))
    invalid(call.get(f"{KB}/summaries", params={"document_ids": ["x"] * 101}))
    invalid(call.get(f"{KB}/search"))
    invalid(call.post(f"{KB}/bulk-delete", json={"document_ids": [str(i) for i in range(21)]}))
    invalid(call.post(f"{KB}/bulk-delete", json={"document_ids": ["a", "a"]}))
    invalid(call.post(f"{KB}/bulk-move", json={"document_ids": []}))


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
                for size in (1, 7, 100):
                    query = {"sort_by": order, "sort_direction": direction, "folders_first": first}
                    found = call.everything(page_size=size, **query)
                    assert {d["id"] for d in found} == {d["id"] for d in every}
                    assert len(found) == len(every)
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


# Reading and writing


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "# A\n\n<b>&amp;\r\n\t é 漢字 🎈",
        "\x00\x01\x1b[31m\u2028\x85\ufeff",
        "<p>one</p>\r<p>two</p>",
        "x" * 300_000,
    ],
)
def test_content_comes_back_byte_for_byte(call: Caller, text: str) -> None:
    id = call.text("before")
    changed = call.patch(f"{KB}/{id}", json={"content": text})
    assert changed.status_code == 200
    assert changed.json()["extracted_inner_html"] == text
    content = call.get(f"{KB}/{id}/content")
    assert content.content == text.encode()
    assert content.headers["content-type"].startswith("text/html")
    assert call.document(id)["metadata"]["size_bytes"] == len(text.encode())
    again = call.text(text)
    assert call.get(f"{KB}/{again}/content").content == text.encode()


def test_an_update_changes_what_it_names_and_nothing_else(call: Caller) -> None:
    id = call.text("body", name="old")
    before = call.document(id)
    assert call.patch(f"{KB}/{id}", json={}).json() == before
    assert call.patch(f"{KB}/{id}", json={"name": None, "content": None}).json() == before
    renamed = call.patch(f"{KB}/{id}", json={"name": "new"}).json()
    assert (renamed["name"], renamed["extracted_inner_html"]) == ("new", "body")
    invalid(call.patch(f"{KB}/{id}", json={"name": ""}))
    assert call.document(id) == renamed


def test_the_content_of_a_folder_can_be_neither_read_nor_written(empty: Caller) -> None:
    folder = empty.folder("f")
    refused(empty.get(f"{KB}/{folder}/content"), 400, "invalid_parameters")
    refused(empty.patch(f"{KB}/{folder}", json={"name": "g", "content": "x"}), 400, "invalid_parameters")
    assert empty.document(folder)["name"] == "f"  # all or nothing
    assert empty.patch(f"{KB}/{folder}", json={"name": "g"}).json()["name"] == "g"


def test_a_document_one_may_only_view_is_not_changed(call: Caller) -> None:
    seen = next(d for d in call.everything(page_size=100) if d["access_info"]["role"] == "viewer")
    path = f"{KB}/{seen['id']}"
    refused(call.patch(path, json={"name": "mine"}), 403, "insufficient_permissions")
    refused(call.delete(path, params={"force": True}), 403, "insufficient_permissions")
    refused(call.post(f"{path}/move", json={}), 403, "insufficient_permissions")
    outcome = call.post(f"{KB}/bulk-delete", json={"document_ids": [seen["id"]]}).json()[seen["id"]]
    assert (outcome["status"], outcome["error_code"]) == ("failure", 403)
    assert call.document(seen["id"])["name"] == seen["name"]


def test_frozen_and_externally_synced_files_refuse_new_content(call: Caller) -> None:
    files = call.everything(types="file", page_size=100)
    frozen = next(d for d in files if d["is_frozen"] and not d["external_sync_info"])
    synced = next(d for d in files if d["external_sync_info"])
    for each in (frozen, synced):
        refused(call.patch(f"{KB}/{each['id']}", json={"content": "x"}), 400, "invalid_parameters")
        upload = call.patch(f"{KB}/{each['id']}/update-file", files={"file": ("a.txt", b"x")})
        refused(upload, 400, "invalid_parameters")


def test_summaries_say_of_each_id_what_became_of_it(call: Caller) -> None:
    id = call.text(name="here")
    found = call.get(f"{KB}/summaries", params={"document_ids": [id, "nobody"]}).json()
    listed = next(d for d in call.everything(page_size=100) if d["id"] == id)
    assert found[id] == {"status": "success", "data": listed}
    assert found["nobody"]["error_status"] == "knowledge_base_documentation_not_found"
    assert (found["nobody"]["status"], found["nobody"]["error_code"]) == ("failure", 404)


# Moving and deleting


def test_a_folder_is_never_moved_into_itself_or_below(empty: Caller) -> None:
    top = empty.folder("top")
    inner = empty.folder("inner", top)
    text = empty.text(parent_folder_id=inner)
    for to in (top, inner):
        refused(empty.post(f"{KB}/{top}/move", json={"move_to": to}), 400, "invalid_parameters")
    refused(empty.post(f"{KB}/{inner}/move", json={"move_to": text}), 400, "invalid_parameters")
    moved = empty.post(f"{KB}/{inner}/move", json={"move_to": None})
    assert (moved.status_code, moved.content) == (200, b"")
    assert empty.document(inner)["folder_parent_id"] is None
    empty.post(f"{KB}/{top}/move", json={"move_to": inner})
    assert [f["id"] for f in empty.document(top)["folder_path"]] == [inner]


def test_a_bulk_move_moves_all_or_none(empty: Caller) -> None:
    folder = empty.folder("f")
    ids = [empty.text(name=str(i)) for i in range(3)]
    bad = empty.post(f"{KB}/bulk-move", json={"document_ids": [*ids, "nobody"], "move_to": folder})
    refused(bad, 404, "knowledge_base_documentation_not_found")
    assert empty.everything(parent_folder_id=folder) == []
    assert empty.post(f"{KB}/bulk-move", json={"document_ids": ids, "move_to": folder}).content == b""
    assert {d["id"] for d in empty.everything(parent_folder_id=folder)} == set(ids)


def test_a_folder_that_holds_something_is_deleted_by_force_alone(empty: Caller) -> None:
    top = empty.folder("top")
    inner = empty.folder("inner", top)
    text = empty.text("findable words", parent_folder_id=inner)
    refused(empty.delete(f"{KB}/{top}"), 400, "invalid_parameters")
    gone = empty.delete(f"{KB}/{top}", params={"force": "true"})
    assert (gone.status_code, gone.json()) == (200, None)
    assert empty.everything() == []
    refused(empty.get(f"{KB}/{text}"), 404, "knowledge_base_documentation_not_found")
    assert empty.get(f"{KB}/search", params={"query": "findable"}).json()["results"] == []


def test_a_bulk_delete_answers_for_each(empty: Caller) -> None:
    top = empty.folder("top")
    inside = empty.text(parent_folder_id=top)
    other = empty.text()
    asked = [top, inside, other, "nobody"]
    outcome = empty.post(f"{KB}/bulk-delete", json={"document_ids": asked}).json()
    assert [outcome[id]["status"] for id in asked] == ["failure", "success", "success", "failure"]
    assert outcome[other] == {"status": "success", "data": {"id": other}}
    again = empty.folder("again")
    child = empty.text(parent_folder_id=again)
    outcome = empty.post(f"{KB}/bulk-delete", json={"document_ids": [again, child], "force": True}).json()
    assert [outcome[id]["status"] for id in (again, child)] == ["success", "success"]


def test_a_document_that_agents_use_is_deleted_by_force_alone_and_leaves_them(call: Caller) -> None:
    used = next(d for d in call.everything(page_size=100) if direct(call, d["id"]) and changeable(call, d))
    path = f"{KB}/{used['id']}"
    detail = refused(call.delete(path, params={"force": "false"}), 400, "document_has_dependent_agents")
    assert detail["message"]
    outcome = call.post(f"{KB}/bulk-delete", json={"document_ids": [used["id"]]}).json()
    assert outcome[used["id"]]["error_status"] == "document_has_dependent_agents"
    assert call.delete(path, params={"force": "true"}).status_code == 200
    refused(call.get(f"{path}/dependent-agents"), 404, "knowledge_base_documentation_not_found")


def direct(call: Caller, id: str) -> list[dict[str, Any]]:
    query = {"dependent_type": "direct"}
    agents: list[dict[str, Any]] = call.get(f"{KB}/{id}/dependent-agents", params=query).json()["agents"]
    return agents


def changeable(call: Caller, document: dict[str, Any]) -> bool:
    return document["type"] != "folder" and document["access_info"]["role"] in ("admin", "editor")


# Dependents


def test_dependents_are_direct_through_a_folder_or_both(call: Caller) -> None:
    every = call.everything(page_size=100)
    kinds: set[str] = set()
    for document in every:
        found = {
            kind: call.get(
                f"{KB}/{document['id']}/dependent-agents", params={"dependent_type": kind, "page_size": 100}
            ).json()
            for kind in ("direct", "transitive", "all")
        }
        ids = {kind: {agent["id"] for agent in page["agents"]} for kind, page in found.items()}
        assert ids["all"] == ids["direct"] | ids["transitive"]
        assert document["dependent_agents"] == found["all"]["agents"]
        above = {folder["id"] for folder in document["folder_path"]}
        for agent in found["all"]["agents"]:
            kinds.add(agent["type"])
            assert set(agent["referenced_resource_ids"]) <= {document["id"], *above}
        for branch in found["all"]["branches"]:
            assert branch["agent_id"] in ids["all"]
        kinds.update(kind for kind, some in ids.items() if some)
    assert kinds >= {"direct", "transitive", "available"}


def test_dependents_of_many_are_paged_without_loss(call: Caller) -> None:
    ids = [d["id"] for d in call.everything(page_size=100) if d["dependent_agents"]][:20]
    whole = call.post(f"{KB}/dependent-agents", json={"document_ids": ids}, params={"page_size": 100}).json()
    assert len(whole["agents"]) > 1
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        query: dict[str, Any] = {"page_size": 1, **cursor}
        page = call.post(f"{KB}/dependent-agents", json={"document_ids": ids}, params=query).json()
        paged += page["agents"]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole["agents"]


def test_the_size_of_an_agents_knowledge_counts_folders_with_their_contents(call: Caller) -> None:
    agent = next(a for d in call.everything(page_size=100) for a in d["dependent_agents"])
    path = f"/v1/convai/agent/{agent['id']}/knowledge-base/size"
    before = call.get(path).json()["number_of_pages"]
    assert before > 0
    refused(call.get("/v1/convai/agent/nobody/knowledge-base/size"), 404, "agent_not_found")


# Content search


def hits(call: Caller, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = call.get(f"{KB}/search", params={"query": query, **more})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_search_finds_words_and_marks_them(empty: Caller) -> None:
    id = empty.text("# Refunds\n\nMoney returns within fourteen days.\x02\x03", name="a")
    empty.text("<p>Nothing <b>here</b></p>", name="b")
    (hit,) = hits(empty, "money fourteen")
    assert hit["document"]["id"] == id
    assert [piece["value"] for piece in hit["search_snippet"] if piece["is_hit"]] == ["Money", "fourteen"]
    assert 0 < hit["score"] <= 1
    assert not any(piece["is_hit"] for piece in hit["search_snippet"] if "\x02" in piece["value"])
    assert hits(empty, "b") == []  # a tag is not a word
    assert hits(empty, "money", types="url") == []


@pytest.mark.parametrize("typed", ["refnud", "refun", "rfund", "refundd", "retund", "REFUND", "ref"])
def test_one_typo_is_forgiven(empty: Caller, typed: str) -> None:
    id = empty.text("The refund is paid.")
    assert [hit["document"]["id"] for hit in hits(empty, typed)] == [id]


@pytest.mark.parametrize(
    "typed", ["rxfxnd", "rfnud!", "fun", "", " ", "\x00", '"', "NEAR(", "*", "a AND", "\u200b"]
)
def test_what_does_not_occur_is_not_found_and_breaks_nothing(empty: Caller, typed: str) -> None:
    empty.text("The refund is paid.")
    assert hits(empty, typed) == []


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("返金は十四日以内に行われます。", "十四日"),
        ("การคืนเงินภายในสิบสี่วัน", "คืนเงิน"),
        ("Το ποσό επιστρέφεται.", "ποσο"),
        ("Der Erlös für Ärzte", "arzte"),
        ("המוצר מגיע מחר", "מגיע"),
    ],
)
def test_search_knows_scripts_with_and_without_spaces(empty: Caller, text: str, typed: str) -> None:
    empty.text("something else")
    id = empty.text(text)
    (hit,) = hits(empty, typed)
    assert hit["document"]["id"] == id
    assert "".join(piece["value"] for piece in hit["search_snippet"]) == text


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>one<br>two</p><p>three", "one two three"),
        ("a <!-- <b>not this</b> --> b", "a b"),
        ("<script>if (a < b) alert('x')</SCRIPT >seen", "seen"),
        ("<style>p > b {}</style>seen", "seen"),
        ("3 < 4 &amp; 5 &lt; 6", "3 < 4 & 5 < 6"),
        ("cut <b", "cut"),
        ("<!doctype html><?x?><scripted>yes", "yes"),
    ],
)
def test_only_the_words_of_a_page_are_indexed(html: str, words: str) -> None:
    assert plain(html, "html").split() == words.split()
    assert plain(html, "markdown") == html


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<![", "</script", "<script>", "&#", '<a b="', "<b></b>"]
)
def test_a_page_made_to_choke_a_parser_is_read_in_a_moment(piece: str) -> None:
    begun = time.perf_counter()
    plain("<script>" * (piece == "</script") + piece * 200_000, "html")
    assert time.perf_counter() - begun < 5  # a parser that looks back needs minutes


def test_search_follows_what_is_written_and_deleted(empty: Caller) -> None:
    id = empty.text("alpha")
    assert hits(empty, "alpha")
    empty.patch(f"{KB}/{id}", json={"content": "omega"})
    assert not hits(empty, "alpha") and hits(empty, "omega")
    empty.delete(f"{KB}/{id}")
    assert not hits(empty, "omega")


def test_search_pages_through_stored_and_generated_hits_once_each() -> None:
    with Demo(index_seconds=0, sample=False, size=400) as demo, Caller(demo) as call:
        mine = {call.text(f"installer {i}") for i in range(5)}
        seen: list[tuple[str, float]] = []
        query: dict[str, Any] = {"query": "installer", "page_size": 3}
        while True:
            page = call.get(f"{KB}/search", params=query).json()
            seen += [(hit["document"]["id"], hit["score"]) for hit in page["results"]]
            if not page["next_cursor"]:
                break
            query["cursor"] = page["next_cursor"]
        expected = {
            d["id"]
            for d in call.everything(page_size=100, types=["text", "url", "file"])
            if d["id"] not in mine
        }
        expected = {id for id in expected if "installer" in call.get(f"{KB}/{id}/content").text.lower()}
        assert {id for id, _ in seen[:5]} == mine
        assert len(seen) == len({id for id, _ in seen})
        assert {id for id, _ in seen[5:]} == expected
        scores = [score for _, score in seen]
        assert scores == sorted(scores, reverse=True)


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_slip_is_what_one_finger_does(a: str, b: str) -> None:
    slips = {a}
    for i in range(len(a) + 1):
        slips.update(a[:i] + c + a[i:] for c in "ab")
        slips.update((a[:i] + a[i + 1 :], *(a[:i] + c + a[i + 1 :] for c in "ab")) if i < len(a) else ())
        if i + 1 < len(a):
            slips.add(a[:i] + a[i + 1] + a[i] + a[i + 2 :])
    assert one_slip(a, b) == (b in slips)


# Auto-sync, refresh, files


def test_auto_sync_is_for_addresses_and_folders(call: Caller, demo: Demo) -> None:
    text = call.text()
    refused(call.patch(f"{KB}/{text}", json={"enable_auto_sync": True}), 400, "invalid_parameters")
    assert call.patch(f"{KB}/{text}", json={"enable_auto_sync": False}).status_code == 200
    page = call.url(page_address(call), enable_auto_sync=True, minimum_frequency_days=30)
    sync = call.document(page)["auto_sync_info"]
    assert (sync["minimum_frequency_days"], sync["auto_remove"], sync["consec_failures"]) == (30, False, 0)
    refused(call.patch(f"{KB}/{page}", json={"content": "mine"}), 400, "invalid_parameters")
    off = call.patch(f"{KB}/{page}", json={"content": "mine", "enable_auto_sync": False}).json()
    assert (off["auto_sync_info"], off["extracted_inner_html"]) == (None, "mine")
    invalid(call.patch(f"{KB}/{page}", json={"minimum_frequency_days": 181}))


def page_address(call: Caller) -> str:
    """The address of a page of the demo's own site, of a document whose sync works."""
    for each in call.everything(types="url", page_size=100):
        sync = each["auto_sync_info"]
        if each["url"].startswith(str(call.base_url)) and not (sync and sync["consec_failures"]):
            return str(each["url"])
    raise AssertionError("the sample has no page of its own")


def test_a_new_document_is_synced_at_least_as_often_as_its_folder(call: Caller) -> None:
    folder = call.folder("synced", enable_auto_sync=True, minimum_frequency_days=3, auto_remove=True)
    page = call.url(
        page_address(call), parent_folder_id=folder, enable_auto_sync=True, minimum_frequency_days=9
    )
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 3
    call.patch(f"{KB}/{folder}", json={"minimum_frequency_days": 2, "tighten_only": True})
    tight = call.document(page)["auto_sync_info"]
    assert (tight["minimum_frequency_days"], tight["auto_remove"]) == (2, True)
    call.patch(f"{KB}/{folder}", json={"minimum_frequency_days": 60, "tighten_only": True})
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 2
    call.patch(f"{KB}/{folder}", json={"tighten_only": False})
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 60
    call.patch(f"{KB}/{folder}", json={"enable_auto_sync": False, "tighten_only": False})
    assert call.document(page)["auto_sync_info"] is None


def test_refresh_fetches_the_page_again(call: Caller) -> None:
    page = call.url(page_address(call))
    call.patch(f"{KB}/{page}", json={"content": "by hand"})
    fresh = call.post(f"{KB}/{page}/refresh").json()
    assert fresh["id"] == page and fresh["extracted_inner_html"] != "by hand"
    assert fresh["metadata"]["size_bytes"] == len(call.get(f"{KB}/{page}/content").content) > 0
    refused(call.post(f"{KB}/{call.text()}/refresh"), 400, "invalid_parameters")


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.216.34/",
        "http://[2606:2800:220:1::1]/",
        "http://10.0.0.1:80/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0:1/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "no address",
        "http://",
        "http://[::1",
        "http://localhost:99999/",
        "http://localhost/\r\nX: y",
        "http://\x00/",
        "http://" + "a" * 300 + "/",
        "http://xn--/",
        "http://127.0.0.1:1/",
    ],
)
def test_what_is_not_on_this_machine_or_does_not_answer_is_not_fetched(call: Caller, address: str) -> None:
    detail = refused(call.post(f"{KB}/url", json={"url": address}), 400, "invalid_parameters")
    assert detail["param"] == "url" and detail["message"].startswith("The URL could not be fetched")


def test_a_redirect_off_this_machine_is_not_followed(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        import threading

        def answer() -> None:
            there, _ = door.accept()
            with there:
                there.recv(65536)
                there.sendall(
                    b"HTTP/1.1 302 Found\r\nLocation: http://93.184.216.34/\r\nContent-Length: 0\r\n\r\n"
                )

        thread = threading.Thread(target=answer)
        thread.start()
        detail = refused(
            call.post(f"{KB}/url", json={"url": f"http://127.0.0.1:{port}/"}), 400, "invalid_parameters"
        )
        thread.join()
    assert "93.184.216.34 is not on this machine" in detail["message"]


def test_a_file_is_uploaded_read_replaced_and_given_out_again(call: Caller) -> None:
    folder = call.folder("files")
    made = call.post(
        f"{KB}/file",
        files={"file": ("C:\\docs\\notes.md", b"# Notes\n\nfirst", "text/markdown")},
        data={"name": "My notes", "parent_folder_id": folder},
    )
    id = call.made(made)
    document = call.document(id)
    assert (document["name"], document["filename"], document["content_format"]) == (
        "My notes",
        "notes.md",
        "markdown",
    )
    assert made.json()["folder_path"] == [{"id": folder}]
    signed = call.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
    with httpx.Client(trust_env=False) as nobody:
        given = nobody.get(signed)
        assert given.content == b"# Notes\n\nfirst"
        assert given.headers["content-disposition"] == "attachment; filename*=UTF-8''notes.md"
        refused(
            nobody.get(signed[:-1] + ("0" if signed[-1] != "0" else "1")), 403, "insufficient_permissions"
        )
        late = signed.replace("expires=", "expires=1")
        refused(nobody.get(late), 403, "insufficient_permissions")
        refused(nobody.get(urlsplit(signed)._replace(query="").geturl()), 403, "insufficient_permissions")
    changed = call.patch(f"{KB}/{id}/update-file", files={"file": ("new.txt", b"zweite")}).json()
    assert (changed["id"], changed["name"], changed["filename"]) == (id, "new.txt", "new.txt")
    assert call.get(f"{KB}/{id}/content").text == "zweite"
    refused(call.get(f"{KB}/{call.text()}/source-file-url"), 404, "file_not_found")


def test_a_signed_address_expires(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    id = call.made(call.post(f"{KB}/file", files={"file": ("a.txt", b"x")}))
    signed = call.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
    assert call.get(signed).status_code == 200
    later = time.time() + 3600
    monkeypatch.setattr("kbtui.demo.files.time.time", lambda: later)
    assert "expired" in refused(call.get(signed), 403, "insufficient_permissions")["message"]


def test_uploads_that_cannot_be_taken_are_refused(call: Caller) -> None:
    path = f"{KB}/file"
    invalid(call.post(path))
    invalid(call.post(path, files={"name": (None, "x")}))
    invalid(call.post(path, data={"file": "words"}))
    invalid(call.post(path, files={"file": ("a.txt", b"x")}, data={"name": ""}))
    refused(call.post(path, files={"file": ("a.exe", b"MZ")}), 400, "invalid_file_type")
    refused(
        call.post(path, files={"file": ("a.txt", b"x" * (20 * 1024 * 1024 + 1))}), 400, "request_too_large"
    )
    for kind, raw in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"nonsense"),
        ("multipart/form-data; boundary=a; charset=klingon", b"--a\r\nnope\r\n"),
    ):
        broken = call.post(path, content=raw, headers={"content-type": kind})
        assert (broken.status_code, broken.json()) == (400, {"detail": "There was an error parsing the body"})


# Generated documents


@given(st.integers(0, 10**9))
def test_a_generated_document_follows_from_its_number(seed: int) -> None:
    assert generated.size(seed) == len(generated.text(seed).encode())
    assert f"{seed:07}" in generated.text(seed) and f"{seed:07}" in generated.name(seed)
    created, updated = generated.times(seed, 2_000_000_000)
    assert created <= updated <= 2_000_000_000


def test_a_generated_document_can_be_read_edited_and_deleted() -> None:
    with Demo(index_seconds=0, sample=False, size=50) as demo, Caller(demo) as call:
        for document in call.everything(page_size=100, types=["text", "file", "url"]):
            text = call.get(f"{KB}/{document['id']}/content").content
            assert len(text) == document["metadata"]["size_bytes"]
        mine = call.everything(types="text", created_by_user_id="@me")[0]
        assert call.patch(f"{KB}/{mine['id']}", json={"content": "quokka"}).status_code == 200
        assert [hit["document"]["id"] for hit in hits(call, "quokka")] == [mine["id"]]
        assert call.delete(f"{KB}/{mine['id']}").status_code == 200
