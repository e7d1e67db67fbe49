"""The chunks of a finished RAG index, page by page or one by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import index
from kbtui.demo.contract import ApiError, PageSize, Query, answer, invalid, query, route
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo


class _Chunks(Query):
    embedding_model: index.Model
    page_size: PageSize = 30
    cursor: str | None = None


class _Chunk(Query):
    embedding_model: index.Model | None = None


def _ready(store: Store, row: Row, model: str) -> Row:
    """The index whose chunks can be read; raises 400 where there is none, or none yet."""
    found = index.find(store, row, model)
    status = index.status(found) if found else "missing"
    if found is None or status != "succeeded":
        message = f"Document {row['id']} has no finished RAG index for {model} (status: {status})."
        raise invalid(message, "embedding_model")
    return found


async def chunks(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    row = demo.store.document(request.path_params["documentation_id"])
    asked = query(request, _Chunks)
    ready = _ready(demo.store, row, asked.embedding_model)
    scope = f"chunks {ready['id']} {ready['started']}"
    first = demo.cursors.open(asked.cursor, scope) if asked.cursor else 0
    found = demo.store.db.execute(
        "select * from chunks where rag_index = ? and position >= ? order by position limit ?",
        (ready["id"], first, asked.page_size + 1),
    ).fetchall()
    shown = found[: asked.page_size]
    following = demo.cursors.seal(first + len(shown), scope) if len(found) > len(shown) else None
    return answer({"chunks": [_chunk_shape(row, each) for each in shown], "next_cursor": following})


async def chunk(request: Request) -> Response:
    """One chunk, under the model that is named or under any."""
    store: Store = request.app.state.demo.store
    row = store.document(request.path_params["documentation_id"])
    asked = query(request, _Chunk)
    if asked.embedding_model:
        ready = [_ready(store, row, asked.embedding_model)]
    else:
        ready = [each for each in index.indexes(store, row) if index.status(each) == "succeeded"]
    for each in ready:
        found = store.db.execute(
            "select * from chunks where id = ? and rag_index = ?",
            (request.path_params["chunk_id"], each["id"]),
        ).fetchone()
        if found:
            return answer(_chunk_shape(row, found))
    message = f"Chunk {request.path_params['chunk_id']} not found."
    raise ApiError(404, "document_not_found", message, param="chunk_id")


def _chunk_shape(row: Row, chunk: Row) -> dict[str, str]:
    return {"id": chunk["id"], "name": row["name"], "content": chunk["text"]}


_ONE = "/knowledge-base/{documentation_id}"
routes = [
    route("GET", _ONE + "/chunks", chunks),
    route("GET", _ONE + "/chunk/{chunk_id}", chunk),
]
