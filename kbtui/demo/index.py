"""RAG indexes: one a document and model, built in visible time.

What an index looks like is a function of the clock: it is `created`, then `processing` for the seconds
that the demo was started with, then what it was bound to become. Nothing runs in the background.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import chunker
from kbtui.demo.contract import (
    WRITE,
    ApiError,
    Body,
    answer,
    authorize,
    body,
    route,
)
from kbtui.demo.rights import writable
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

MAX_BYTES = 20 * 1024 * 1024  # of all indexes together, as the service allows the plan Creator
SMALLEST = 500  # bytes of content; below, the service answers `document_too_small`

SCHEMA = """
create table rag_indexes (
    id text primary key,
    n integer not null references documents (n) on delete cascade,
    model text not null,
    started real not null,
    seconds real not null,
    outcome text not null,
    unique (n, model)
) without rowid;
create table chunks (
    rag_index text not null references rag_indexes (id) on delete cascade,
    position integer not null,
    id text not null,
    text text not null,
    primary key (rag_index, position)
) without rowid;
create index chunks_by_id on chunks (id);
"""

Model = Literal["e5_mistral_7b_instruct", "multilingual_e5_large_instruct"]
_USED = ("created", "processing", "succeeded")
_FAILED_AT = 62.0  # per cent


# The life of an index


def start(store: Store, row: Row, model: str, seconds: float, *, now: float, fail: bool = False) -> Row:
    """Begin to index a document under a model, anew if it was; returns the row of the index.

    It takes `seconds`, unless it is clear at once that there is nothing to do.
    """
    old = find(store, row, model)
    id = old["id"] if old else secrets.token_hex(10)
    with store.transaction():
        store.db.execute("delete from rag_indexes where id = ?", (id,))
        outcome = "failed" if fail else _outcome(store, row)
        if outcome not in ("failed", "succeeded"):
            seconds = 0
        values = (id, row["n"], model, now, seconds, outcome)
        store.db.execute("insert into rag_indexes values (?, ?, ?, ?, ?, ?)", values)
        if outcome == "succeeded":
            made = chunker.chunks(store.text(row), row["format"], model, row["id"])
            store.db.executemany(
                "insert into chunks values (?, ?, ?, ?)",
                ((id, position, chunk.id, chunk.text) for position, chunk in enumerate(made)),
            )
    found = find(store, row, model)
    assert found is not None
    return found


def _outcome(store: Store, row: Row) -> str:
    if len(store.text(row).strip().encode()) < SMALLEST:
        return "document_too_small"
    if sum(used_bytes(store).values()) + row["size"] > MAX_BYTES:
        return "rag_limit_exceeded"
    return "succeeded"


def content_changed(demo: Demo, row: Row) -> None:
    """Index a document anew under every model that it is indexed under; the content is new already."""
    fresh = demo.store.document(row["id"])
    for index in indexes(demo.store, row):
        start(demo.store, fresh, index["model"], demo.index_seconds, now=time.time())


def indexes(store: Store, row: Row) -> list[Row]:
    sql = "select * from rag_indexes where n = ? order by model"
    return store.db.execute(sql, (row["n"],)).fetchall()


def find(store: Store, row: Row, model: str) -> Row | None:
    return next((index for index in indexes(store, row) if index["model"] == model), None)


def used_bytes(store: Store) -> dict[str, int]:
    """What the indexes of each model count for: the sizes of the documents that they hold."""
    used = dict.fromkeys(chunker.MODELS, 0)
    rows = store.db.execute(
        "select model, sum(size) as used from rag_indexes join documents using (n)"
        " where outcome = 'succeeded' group by model"
    )
    return used | {row["model"]: row["used"] for row in rows}


def progress(index: Row, now: float) -> tuple[str, float]:
    """The status of an index at `now`, and how many per cent are done."""
    done = (now - index["started"]) / index["seconds"] if index["seconds"] else 1.0
    if done < 0.1:
        return "created", 0.0
    if index["outcome"] == "failed" and done >= _FAILED_AT / 100:
        return "failed", _FAILED_AT
    if done < 1:
        return "processing", round(done * 100, 1)
    return index["outcome"], 100.0 if index["outcome"] == "succeeded" else 0.0


def status(index: Row) -> str:
    """The status of an index now."""
    return progress(index, time.time())[0]


def shape(index: Row, size: int) -> dict[str, Any]:
    """An index in the contract's words; `size` is that of its document in bytes."""
    status, percentage = progress(index, time.time())
    return {
        "id": index["id"],
        "model": index["model"],
        "status": status,
        "progress_percentage": percentage,
        "document_model_index_usage": {"used_bytes": size if status in _USED else 0},
    }


def _of_folder(row: Row, model: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "model": model,
        "status": "cannot_index_folder",
        "progress_percentage": 0.0,
        "document_model_index_usage": {"used_bytes": 0},
    }


def _computed(demo: Demo, row: Row, model: str) -> dict[str, Any]:
    """The index of a document, begun now if there is none; raises 403."""
    if row["type"] == "folder":
        return _of_folder(row, model)
    found = find(demo.store, row, model)
    if found is None:
        found = start(demo.store, writable(row), model, demo.index_seconds, now=time.time())
    return shape(found, row["size"])


# Endpoints of one document


class _Compute(Body):
    model: Model


async def compute(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    row = demo.store.document(request.path_params["documentation_id"])
    asked = await body(request, _Compute)
    return answer(_computed(demo, demo.store.document(row["id"]), asked.model))


async def of_document(request: Request) -> Response:
    store: Store = request.app.state.demo.store
    row = store.document(request.path_params["documentation_id"])
    return answer({"indexes": [shape(index, row["size"]) for index in indexes(store, row)]})


async def delete(request: Request) -> Response:
    """Answer the index as it was."""
    store: Store = request.app.state.demo.store
    row = writable(store.document(request.path_params["documentation_id"]))
    id = request.path_params["rag_index_id"]
    index = next((each for each in indexes(store, row) if each["id"] == id), None)
    if index is None:
        raise ApiError(404, "document_not_found", f"RAG index {id} not found.", param="rag_index_id")
    store.db.execute("delete from rag_indexes where id = ?", (id,))
    return answer(shape(index, row["size"]))


# Endpoints of many


class _Wanted(Body):
    document_id: str
    create_if_missing: bool
    model: Model


class _Batch(Body):
    items: Annotated[list[_Wanted], Field(min_length=1, max_length=100)]


async def batch(request: Request) -> Response:
    """The indexes of up to 100 documents by document id; only to create needs a key that may write."""
    demo: Demo = request.app.state.demo
    asked = await body(request, _Batch)
    if any(each.create_if_missing for each in asked.items):
        authorize(request, WRITE)
    outcome: dict[str, Any] = {}
    for each in asked.items:
        try:
            outcome[each.document_id] = {"status": "success", "data": _wanted(demo, each)}
        except ApiError as error:
            outcome[each.document_id] = error.failure()
    return answer(outcome)


def _wanted(demo: Demo, asked: _Wanted) -> dict[str, Any]:
    row = demo.store.document(asked.document_id)
    if not asked.create_if_missing and row["type"] != "folder" and not find(demo.store, row, asked.model):
        message = f"Document {row['id']} has no RAG index for {asked.model}."
        raise ApiError(404, "document_not_found", message, param="model")
    return _computed(demo, row, asked.model)


async def overview(request: Request) -> Response:
    store: Store = request.app.state.demo.store
    used = used_bytes(store)
    return answer(
        {
            "total_used_bytes": sum(used.values()),
            "total_max_bytes": MAX_BYTES,
            "models": [{"model": model, "used_bytes": size} for model, size in used.items()],
        }
    )


_ONE = "/knowledge-base/{documentation_id}"
routes = [
    route("GET", "/knowledge-base/rag-index", overview),
    route("POST", "/knowledge-base/rag-index", batch),
    route("GET", _ONE + "/rag-index", of_document),
    route("POST", _ONE + "/rag-index", compute, WRITE),
    route("DELETE", _ONE + "/rag-index/{rag_index_id}", delete, WRITE),
]
