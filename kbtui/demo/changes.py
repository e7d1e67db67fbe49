"""The endpoints that change what is there: update, move, delete, and the last two for many at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import auto_sync
from kbtui.demo.contract import (
    WRITE,
    ApiError,
    Body,
    Days,
    Ids,
    Name,
    Query,
    answer,
    body,
    document_not_found,
    invalid,
    query,
    route,
)
from kbtui.demo.rights import all_writable, editable, home, writable
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo


class _Update(Body):
    name: Name | None = None
    content: str | None = None
    enable_auto_sync: bool | None = None
    auto_remove: bool | None = None
    minimum_frequency_days: Days | None = None
    tighten_only: bool | None = None


async def update(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    store = demo.store
    row = store.document(request.path_params["documentation_id"])
    asked = await body(request, _Update)
    row = writable(store.document(row["id"]))
    with store.transaction():
        sync = auto_sync.change(
            store,
            row,
            enable=asked.enable_auto_sync,
            auto_remove=asked.auto_remove,
            days=asked.minimum_frequency_days,
            tighten_only=asked.tighten_only,
        )
        if asked.content is not None:
            editable(row, sync)
            store.set_text(row, asked.content)
            demo.content_changed(row)
        if asked.name is not None:
            store.update(row["id"], name=asked.name)
        if asked.name is not None or sync != auto_sync.of(row):
            store.update(row["id"], updated=int(time.time()))
    return answer(Shapes(store, demo.url).full(store.document(row["id"])))


# Moving


class _Move(Body):
    move_to: str | None = None


class _BulkMove(_Move):
    document_ids: Ids


async def move(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    demo.store.document(request.path_params["document_id"])
    asked = await body(request, _Move)
    _move(demo.store, [request.path_params["document_id"]], asked.move_to, "document_id")
    return Response()


async def bulk_move(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _BulkMove)
    _move(demo.store, asked.document_ids, asked.move_to, "document_ids")
    return Response()


def _move(store: Store, ids: list[str], to: str | None, param: str) -> None:
    """All of them or none."""
    with store.transaction():
        parent = home(store, to, "move_to")
        above = {folder["id"] for folder in store.ancestors(parent)}
        for id in ids:
            row = store.find(id)
            if row is None:
                raise document_not_found(id, param)
            writable(row)
            if id in above:
                raise invalid("A folder cannot be moved into itself or a folder within it.", "move_to")
            store.update(id, parent=parent)


# Deleting


class _Delete(Query):
    force: bool = False


class _BulkDelete(Body):
    document_ids: Ids
    force: bool = False


async def delete(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = query(request, _Delete)
    _remove(demo.store, demo.store.document(request.path_params["documentation_id"]), asked.force)
    return answer(None)


async def bulk_delete(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _BulkDelete)
    known = {id for id in asked.document_ids if demo.store.find(id) is not None}
    outcome: dict[str, Any] = {}
    for id in asked.document_ids:
        try:
            if id not in known or demo.store.find(id) is not None:  # else it went with its folder
                _remove(demo.store, demo.store.document(id), asked.force)
            outcome[id] = {"status": "success", "data": {"id": id}}
        except ApiError as error:
            outcome[id] = error.failure()
    return answer(outcome)


def _remove(store: Store, row: Row, force: bool) -> None:
    """Delete a document, a folder with all it holds; raises 400 or 403."""
    id = row["id"]
    with store.transaction():
        writable(row)
        all_writable(store, store.subtree(id))
        if not force and store.db.execute("select 1 from documents where parent = ?", (id,)).fetchone():
            raise invalid("The folder is not empty. Use force to delete it with its contents.", "force")
        if not force and store.db.execute("select 1 from attachments where document = ?", (id,)).fetchone():
            message = "Document has dependent agents. Use force to delete it and remove it from them."
            raise ApiError(400, "document_has_dependent_agents", message, param="force")
        store.remove([id])


routes = [
    route("POST", "/knowledge-base/bulk-move", bulk_move, WRITE),
    route("POST", "/knowledge-base/bulk-delete", bulk_delete, WRITE),
    route("POST", "/knowledge-base/{document_id}/move", move, WRITE),
    route("PATCH", "/knowledge-base/{documentation_id}", update, WRITE),
    route("DELETE", "/knowledge-base/{documentation_id}", delete, WRITE),
]
