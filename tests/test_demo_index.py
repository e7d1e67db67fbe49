"""The life of the RAG indexes, and the chunks that they hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kbtui.demo import index
from kbtui.demo.chunker import MODELS, chunks
from kbtui.demo.sample import FOLDER, id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused

E5, ML = "e5_mistral_7b_instruct", "multilingual_e5_large_instruct"
LONG = "\n\n".join(
    f"Rule {n}. Goods of kind {n} come back within {n} days, said the clerk." for n in range(60)
)


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Set the time of the indexes to so many seconds after now."""
    began = time.time()

    class Clock:
        at = 0.0

        @classmethod
        def time(cls) -> float:
            return began + cls.at

    monkeypatch.setattr(index, "time", Clock)
    yield lambda seconds: setattr(Clock, "at", seconds)


@pytest.fixture
def slow(clock: Callable[[float], None]) -> Iterator[Caller]:
    """A demo whose indexes take ten seconds of the clock."""
    with Demo(index_seconds=10) as server, Caller(server) as caller:
        yield caller


def compute(call: Caller, id: str, model: str = E5) -> dict[str, Any]:
    answer = call.post(f"{KB}/{id}/rag-index", json={"model": model})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def all_chunks(call: Caller, id: str, model: str = E5, page_size: int = 7) -> list[dict[str, Any]]:
    query: dict[str, Any] = {"embedding_model": model, "page_size": page_size}
    found: list[dict[str, Any]] = []
    while True:
        answer = call.get(f"{KB}/{id}/chunks", params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["chunks"]
        if answer.json()["next_cursor"] is None:
            return found
        query["cursor"] = answer.json()["next_cursor"]


# The life of an index


def test_an_index_is_built_before_your_eyes(slow: Caller, clock: Callable[[float], None]) -> None:
    id = slow.text(LONG)
    assert slow.get(f"{KB}/{id}/rag-index").json() == {"indexes": []}
    first = compute(slow, id)
    assert (first["status"], first["progress_percentage"], first["model"]) == ("created", 0.0, E5)
    seen = []
    for seconds in (2, 5, 9.5):
        clock(seconds)
        now = compute(slow, id)
        assert (now["id"], now["status"]) == (first["id"], "processing")
        seen.append(now["progress_percentage"])
    assert seen == [20.0, 50.0, 95.0]
    refused(slow.get(f"{KB}/{id}/chunks", params={"embedding_model": E5}), 400, "invalid_parameters")
    clock(10)
    done = slow.get(f"{KB}/{id}/rag-index").json()["indexes"]
    assert [(each["status"], each["progress_percentage"]) for each in done] == [("succeeded", 100.0)]
    assert done[0]["document_model_index_usage"]["used_bytes"] == len(LONG)
    assert all_chunks(slow, id)


def test_an_edit_and_a_refresh_index_anew_by_themselves(slow: Caller, clock: Callable[[float], None]) -> None:
    id = slow.text(LONG)
    compute(slow, id)
    compute(slow, id, ML)
    clock(20)
    slow.patch(f"{KB}/{id}", json={"name": "Only the name"})
    assert {each["status"] for each in slow.get(f"{KB}/{id}/rag-index").json()["indexes"]} == {"succeeded"}
    slow.patch(f"{KB}/{id}", json={"content": LONG.replace("clerk", "wizard")})
    assert {each["status"] for each in slow.get(f"{KB}/{id}/rag-index").json()["indexes"]} == {"created"}
    clock(30)
    for model in MODELS:
        assert "wizard" in all_chunks(slow, id, model)[0]["content"]
    page = id_of("Support/Refund policy (EU)")
    assert slow.post(f"{KB}/{page}/refresh").status_code == 200
    assert slow.get(f"{KB}/{page}/rag-index").json()["indexes"][0]["status"] == "created"


def test_a_failed_index_succeeds_after_it_was_deleted_and_computed_again(call: Caller) -> None:
    id = id_of("Support/Billing/Chargebacks")
    failed = compute(call, id)
    assert failed["status"] == "failed" and 0 < failed["progress_percentage"] < 100
    assert failed["document_model_index_usage"]["used_bytes"] == 0
    assert call.delete(f"{KB}/{id}/rag-index/{failed['id']}").json() == failed
    refused(call.delete(f"{KB}/{id}/rag-index/{failed['id']}"), 404, "document_not_found")
    again = compute(call, id)
    assert again["status"] == "succeeded" and again["id"] != failed["id"]


def test_what_cannot_be_indexed_says_why(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compute(call, call.folder("Empty"))["status"] == "cannot_index_folder"
    small = call.text("Too short.")
    assert compute(call, small)["status"] == "document_too_small"
    refused(call.get(f"{KB}/{small}/chunks", params={"embedding_model": E5}), 400, "invalid_parameters")
    call.patch(f"{KB}/{small}", json={"content": LONG})
    assert compute(call, small)["status"] == "succeeded"
    monkeypatch.setattr(index, "MAX_BYTES", 1000)
    large = compute(call, call.text(LONG))
    assert (large["status"], large["document_model_index_usage"]["used_bytes"]) == ("rag_limit_exceeded", 0)


def test_the_overview_counts_each_document_under_each_model(call: Caller) -> None:
    def used() -> dict[str, int]:
        answer = call.get(f"{KB}/rag-index").json()
        models = {each["model"]: each["used_bytes"] for each in answer["models"]}
        assert answer["total_used_bytes"] == sum(models.values()) <= answer["total_max_bytes"]
        return models

    before = used()
    assert before.keys() == MODELS.keys() and before[E5] > 300_000
    id = call.text(LONG)
    compute(call, id)
    assert used() == before | {E5: before[E5] + len(LONG)}
    compute(call, id, ML)
    call.delete(f"{KB}/{id}")
    assert used() == before


def test_a_batch_reads_and_creates_and_names_each_failure(demo: Demo, call: Caller) -> None:
    new, folder = call.text(LONG), call.folder("Folder")
    ready = id_of("Support/Refund policy")

    def batch(create: bool, by: Caller = call) -> Any:
        ids = [ready, new, folder, "nowhere"]
        items = [{"document_id": id, "create_if_missing": create, "model": E5} for id in ids]
        return by.post(f"{KB}/rag-index", json={"items": items})

    found = batch(False).json()
    assert found[ready]["data"]["status"] == "succeeded"
    assert found[new]["status"] == found["nowhere"]["status"] == "failure"
    assert (found["nowhere"]["error_code"], found[new]["error_code"]) == (404, 404)
    assert found["nowhere"]["error_status"] == "knowledge_base_documentation_not_found"
    assert found[folder]["data"]["status"] == "cannot_index_folder"
    with Caller(demo, demo.read_only_key) as reader:
        assert batch(False, reader).json() == found
        refused(batch(True, reader), 401, "missing_permissions")
        refused(reader.post(f"{KB}/{new}/rag-index", json={"model": E5}), 401, "missing_permissions")
    assert batch(True).json()[new]["data"]["status"] == "succeeded"


def test_a_batch_takes_1_to_100_complete_items(call: Caller) -> None:
    item = {"document_id": "x", "create_if_missing": False, "model": E5}
    assert call.post(f"{KB}/rag-index", json={"items": [item] * 100}).status_code == 200
    invalid(call.post(f"{KB}/rag-index", json={"items": [item] * 101}))
    invalid(call.post(f"{KB}/rag-index", json={"items": []}))
    for missing in item:
        invalid(call.post(f"{KB}/rag-index", json={"items": [{**item, missing: None}]}))


def test_whoever_may_only_view_builds_and_deletes_no_index(call: Caller) -> None:
    id = id_of("Internal/People/Pay bands in customer care")
    found = call.get(f"{KB}/{id}/rag-index").json()["indexes"]
    for each in found:
        refused(call.delete(f"{KB}/{id}/rag-index/{each['id']}"), 403, "insufficient_permissions")
    refused(call.post(f"{KB}/{id}/rag-index", json={"model": ML}), 403, "insufficient_permissions")


# Reading chunks


def test_chunks_are_paged_to_the_end_and_found_by_id(call: Caller) -> None:
    id = id_of("Products/Fault codes, complete")
    text = (FOLDER / "trouble/fault-codes.md").read_text("utf-8")
    found = all_chunks(call, id, page_size=100)
    assert [each["content"] for each in found] == [chunk.text for chunk in chunks(text, "markdown", E5)]
    assert {each["name"] for each in found} == {"Fault codes, complete"}
    assert len({each["id"] for each in found}) == len(found) > 200
    one = found[77]
    assert call.get(f"{KB}/{id}/chunk/{one['id']}").json() == one
    assert call.get(f"{KB}/{id}/chunk/{one['id']}", params={"embedding_model": E5}).json() == one
    refused(call.get(f"{KB}/{id}/chunk/nothing"), 404, "document_not_found")
    refused(
        call.get(f"{KB}/{id}/chunk/{one['id']}", params={"embedding_model": ML}), 400, "invalid_parameters"
    )


def test_chunks_keep_the_format_of_the_document(call: Caller) -> None:
    page = all_chunks(call, id_of("Support/Refund policy"))
    assert page[0]["content"].startswith("<h1>Refund policy</h1>")
    assert all_chunks(call, id_of("Support/Billing/Payment methods"))[0]["content"].startswith("# Payment")


def test_a_cursor_of_chunks_ends_with_the_index_it_was_made_for(call: Caller) -> None:
    id = call.text(LONG)
    compute(call, id)
    first = call.get(f"{KB}/{id}/chunks", params={"embedding_model": E5, "page_size": 1}).json()
    again = {"embedding_model": E5, "page_size": 1, "cursor": first["next_cursor"]}
    assert call.get(f"{KB}/{id}/chunks", params=again).status_code == 200
    call.patch(f"{KB}/{id}", json={"content": LONG + LONG})
    refused(call.get(f"{KB}/{id}/chunks", params=again), 400, "invalid_cursor")


def test_questions_for_chunks_are_validated(call: Caller) -> None:
    id = call.text(LONG)
    invalid(call.get(f"{KB}/{id}/chunks"))
    invalid(call.get(f"{KB}/{id}/chunks", params={"embedding_model": "other"}))
    invalid(call.get(f"{KB}/{id}/chunks", params={"embedding_model": E5, "page_size": 101}))
    refused(call.get(f"{KB}/{id}/chunks", params={"embedding_model": E5}), 400, "invalid_parameters")
    refused(
        call.get(f"{KB}/none/chunks", params={"embedding_model": E5}),
        404,
        "knowledge_base_documentation_not_found",
    )
    invalid(call.post(f"{KB}/{id}/rag-index", json={"model": "other"}))


def test_an_index_survives_a_restart_and_goes_on_by_the_clock(
    tmp_path: Any, clock: Callable[[float], None]
) -> None:
    with Demo(data=tmp_path, index_seconds=10) as server, Caller(server) as call:
        id = call.text(LONG)
        begun = compute(call, id)
    clock(11)
    with Demo(data=tmp_path, index_seconds=10) as server, Caller(server) as call:
        done = compute(call, id)
        assert (done["id"], done["status"]) == (begun["id"], "succeeded")
        assert all_chunks(call, id)
