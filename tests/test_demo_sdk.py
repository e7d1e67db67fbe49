"""The service's official SDK runs a whole life against the demo and meets no surprise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import httpx
import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core import ApiError
from elevenlabs.errors import UnprocessableEntityError

from kbtui.demo.server import Demo

QUIET: Any = {"max_retries": 0}


@pytest.fixture
def sdk(demo: Demo) -> Iterator[Any]:
    with httpx.Client(trust_env=False) as wire:
        yield ElevenLabs(api_key=demo.key, base_url=demo.url, httpx_client=wire)


@pytest.fixture
def kb(sdk: Any) -> Any:
    return sdk.conversational_ai.knowledge_base


def everything(kb: Any, page_size: int, **query: Any) -> list[Any]:
    """Every page of a list, and no more pages than the size calls for."""
    found: list[Any] = []
    cursors: list[str] = []
    while True:
        page = kb.list(page_size=page_size, **query)
        found += page.documents
        assert page.has_more == (page.next_cursor is not None)
        if not page.has_more:
            break
        assert len(page.documents) == page_size and page.next_cursor not in cursors
        cursors.append(page.next_cursor)
        query["cursor"] = page.next_cursor
    assert len(cursors) + 1 == max(1, math.ceil(len(found) / page_size))
    return found


def refusal(call: Any, *arguments: Any, **more: Any) -> tuple[int | None, str]:
    """HTTP status and the service's word of an error, as the SDK hands it out."""
    with pytest.raises(ApiError) as caught:
        call(*arguments, **more, request_options=QUIET)
    error: Any = caught.value
    assert type(caught.value) is ApiError
    return error.status_code, error.body["detail"]["status"]


def test_pages_of_any_size_read_the_whole_list(kb: Any) -> None:
    kinds = {"types": ["file", "url"]}  # few, since building one document costs the SDK a millisecond
    whole = [document.id for document in everything(kb, 100, **kinds)]
    assert len(whole) == len(set(whole)) > 15
    for size in (1, 2, 3, 10, len(whole) - 1, len(whole), len(whole) + 1, 99):
        assert [document.id for document in everything(kb, size, **kinds)] == whole
    assert len({document.id for document in everything(kb, 100)}) > 100


def test_every_combination_of_the_lists_parameters_is_answered(kb: Any) -> None:
    every = {document.id: document for document in everything(kb, 100)}
    folder = next(d for d in every.values() if d.type == "folder" and d.children_count)
    combinations = product(
        (None, "name", "created_at", "updated_at", "size"),
        ("asc", "desc"),
        (True, False),
        (None, ["text"], ["file", "url", "folder"]),
        ({}, {"parent_folder_id": folder.id}, {"ancestor_folder_id": folder.id}),
        ({}, {"created_by_user_id": "@me"}),
        (None, "r"),
    )
    for order, way, first, types, place, mine, search in islice(combinations, 0, None, 7):
        query: dict[str, Any] = {"sort_direction": way, "folders_first": first, **place, **mine}
        query |= {"sort_by": order} if order else {}
        query |= {"types": types} if types else {}
        query |= {"search": search} if search else {}
        found = everything(kb, 10, **query)
        wanted = {
            id
            for id, d in every.items()
            if (not types or d.type in types)
            and (not search or d.name.casefold().startswith(search))
            and (not mine or d.access_info.is_creator)
            and ("parent_folder_id" not in place or d.folder_parent_id == folder.id)
            and ("ancestor_folder_id" not in place or folder.id in [s.id for s in d.folder_path])
        }
        assert {d.id for d in found} == wanted, query
        assert len(found) == len(wanted)
        if first:
            kinds = [d.type == "folder" for d in found]
            assert kinds == sorted(kinds, reverse=True)


def test_a_document_lives_from_its_creation_to_its_end(kb: Any) -> None:
    docs = kb.documents
    folder = docs.create_folder(name="Life")
    made = docs.create_from_text(text="# Life\n\nIt begins, it is told, it ends.", parent_folder_id=folder.id)
    assert (made.name, [each.id for each in made.folder_path]) == ("Life", [folder.id])

    document = docs.get(documentation_id=made.id)
    assert (document.type, document.folder_parent_id) == ("text", folder.id)
    assert document.folder_path[0].name == "Life"
    assert docs.get_content(made.id) == document.extracted_inner_html

    changed = docs.update(made.id, name="A life", content="It <b>begins</b> & ends: 人生 🎈\r\n")
    assert (changed.name, changed.extracted_inner_html) == ("A life", "It <b>begins</b> & ends: 人生 🎈\r\n")
    assert docs.get_content(made.id) == changed.extracted_inner_html
    assert changed.metadata.last_updated_at_unix_secs >= document.metadata.last_updated_at_unix_secs

    (hit,) = kb.search(query="人生").results
    assert hit.document.id == made.id
    assert [piece.value for piece in hit.search_snippet if piece.is_hit] == ["人生"]

    other = docs.create_folder(name="Elsewhere", parent_folder_id=folder.id)
    assert docs.move(made.id, move_to=other.id) is None
    assert docs.get(made.id).folder_parent_id == other.id
    assert docs.bulk_move(document_ids=[made.id, other.id]) is None
    assert docs.get(made.id).folder_parent_id is None

    summary = docs.summaries.get(document_ids=[made.id, "nobody"])
    assert (summary[made.id].status, summary[made.id].data.name) == ("success", "A life")
    assert summary["nobody"].error_status == "knowledge_base_documentation_not_found"

    assert docs.delete(documentation_id=made.id) is None
    gone = docs.bulk_delete(document_ids=[folder.id, other.id])
    assert {each.status for each in gone.values()} == {"success"}
    assert refusal(docs.get, made.id) == (404, "knowledge_base_documentation_not_found")


def test_files_are_uploaded_replaced_and_fetched(kb: Any) -> None:
    docs = kb.documents
    made = docs.create_from_file(file=("terms.txt", b"Fair terms.", "text/plain"), name="Terms")
    assert docs.get(made.id).filename == "terms.txt"
    assert httpx.get(docs.get_source_file_url(made.id).signed_url, trust_env=False).content == b"Fair terms."
    replaced = kb.document.update_file(made.id, file=("new.md", b"# Fairer", "text/markdown"))
    assert (replaced.id, replaced.name, replaced.content_format) == (made.id, "new.md", "markdown")
    assert docs.get_content(made.id) == "# Fairer"


def test_an_address_is_fetched_and_fetched_again(kb: Any, demo: Demo) -> None:
    docs = kb.documents
    known = next(d for d in everything(kb, 100, types=["url"]) if d.url.startswith(demo.url))
    page = docs.create_from_url(url=known.url, name="A page", enable_auto_sync=True, minimum_frequency_days=5)
    found = docs.get(page.id)
    assert found.extracted_inner_html
    assert (found.url, found.auto_sync_info.minimum_frequency_days) == (known.url, 5)
    assert refusal(docs.update, page.id, content="by hand") == (400, "invalid_parameters")
    docs.update(page.id, enable_auto_sync=False)
    docs.update(page.id, content="by hand")
    fresh = kb.document.refresh(page.id)
    assert (fresh.id, fresh.name) == (page.id, "A page")
    assert fresh.extracted_inner_html != "by hand"


def test_search_is_paged_to_its_end(kb: Any) -> None:
    whole = [hit.document.id for hit in kb.search(query="the", page_size=100).results]
    assert len(whole) > 3
    for size in (1, 2, 3):
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = kb.search(query="the", page_size=size, **more)
            found += [hit.document.id for hit in page.results]
            if page.next_cursor is None:
                break
            more = {"cursor": page.next_cursor}
        assert found == whole


def test_chunks_and_the_index_follow_the_words(kb: Any, sdk: Any) -> None:
    model = "e5_mistral_7b_instruct"
    made = kb.documents.create_from_text(text="A sentence about hedgehogs. " * 200, name="Hedgehogs")
    index = kb.document.compute_rag_index(made.id, model=model)
    assert (index.model, index.status) == (model, "succeeded")
    chunks = kb.documents.chunks.list(documentation_id=made.id, embedding_model=model).chunks
    assert len(chunks) > 1 and all("hedgehogs" in chunk.content for chunk in chunks)
    one = kb.documents.chunk.get(documentation_id=made.id, chunk_id=chunks[0].id, embedding_model=model)
    assert one.content == chunks[0].content
    kb.documents.update(made.id, content="Another sentence, about badgers. " * 200)
    chunks = kb.documents.chunks.list(documentation_id=made.id, embedding_model=model).chunks
    assert all("badgers" in chunk.content for chunk in chunks)
    (kept,) = sdk.conversational_ai.get_document_rag_indexes(made.id).indexes
    assert sdk.conversational_ai.delete_document_rag_index(made.id, kept.id).id == kept.id


def test_dependents_hold_a_document_until_force(kb: Any) -> None:
    used = next(
        d
        for d in everything(kb, 100, types=["text", "file", "url"], created_by_user_id="@me")
        if kb.documents.get_agents(d.id, dependent_type="direct").agents
    )
    assert kb.documents.get_bulk_agents(document_ids=[used.id]).agents
    assert refusal(kb.documents.delete, used.id) == (400, "document_has_dependent_agents")
    kb.documents.delete(used.id, force=True)
    assert refusal(kb.documents.get, used.id) == (404, "knowledge_base_documentation_not_found")


def test_errors_reach_the_sdk_in_the_shapes_it_knows(kb: Any, demo: Demo) -> None:
    with pytest.raises(UnprocessableEntityError) as caught:
        kb.list(page_size=101, request_options=QUIET)
    body: Any = caught.value.body
    assert body["detail"][0]["loc"] == ["query", "page_size"]
    assert refusal(kb.list, cursor="garbage") == (400, "invalid_cursor")
    for key, status in ((demo.read_only_key, "missing_permissions"), ("sk_wrong", "invalid_api_key")):
        with httpx.Client(trust_env=False) as wire:
            other: Any = ElevenLabs(api_key=key, base_url=demo.url, httpx_client=wire)
            docs = other.conversational_ai.knowledge_base.documents
            assert refusal(docs.create_from_text, text="x") == (401, status)
