"""Documents of the demo: read, written, moved, deleted, and the agents that hold them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from kbtui.demo.sample import id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


@pytest.fixture
def empty() -> Iterator[Caller]:
    with Demo(index_seconds=0, sample=False) as server, Caller(server) as caller:
        yield caller


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


def test_settings_that_a_document_cannot_have_leave_its_time_alone(call: Caller) -> None:
    text = id_of("Support/How to reach us")
    before = call.document(text)
    for change in ({"enable_auto_sync": False}, {"auto_remove": True, "minimum_frequency_days": 3}):
        assert call.patch(f"{KB}/{text}", json=change).json() == before
    page = f"{KB}/{id_of('Support/Refund policy (EU)')}"
    at = call.get(page).json()["metadata"]
    assert call.patch(page, json={"enable_auto_sync": True}).json()["metadata"] == at
    later = call.patch(page, json={"auto_remove": True}).json()["metadata"]
    assert later["last_updated_at_unix_secs"] > at["last_updated_at_unix_secs"]


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


@pytest.mark.parametrize("others", [True, False])
def test_a_folder_of_a_thousand_is_refused_or_deleted_without_reading_them(
    others: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Demo(index_seconds=0, sample=others, size=1000) as demo, Caller(demo) as call:
        (top,) = call.everything(types="folder", search="branch notes")
        read: list[sqlite3.Row] = []

        def noted(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
            read.append(sqlite3.Row(cursor, values))
            return read[-1]

        monkeypatch.setattr(demo.store.db, "row_factory", noted)
        answer = call.delete(f"{KB}/{top['id']}", params={"force": True})
        assert sum("seed" in row.keys() for row in read) < 10  # noqa: SIM118
        if others:  # some of what colleagues made is for viewing only
            refused(answer, 403, "insufficient_permissions")
            assert call.everything(types="folder", search="branch notes") == [top]
        else:
            assert answer.status_code == 200
            assert call.everything() == []


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
