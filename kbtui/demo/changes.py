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
    not_permitted,
    query,
    route,
)
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

_WRITERS = ("admin", "editor")


def writable(row: Row) -> Row:
    """The document, if the person behind the key may change it; raises 403."""
    if row["role"] not in _WRITERS:
        raise not_permitted(f"You may view {row['id']}, but not change it.")
    return row


def home(store: Store, parent: str | None, param: str = "parent_folder_id") -> str | None:
    """The folder where something is to live, None for the root; raises 404, 400 or 403."""
    if not parent:
        return None
    return str(writable(store.folder(parent, param))["id"])


def editable(row: Row, sync: auto_sync.Settings) -> None:
    """Raise 400 where the content of a document is not its users' to write."""
    if row["type"] == "folder":
        raise invalid("A folder has no content.", "content")
    if row["external_sync"] is not None:
        raise invalid("The file is synced from an external source; change it there.", "content")
    if row["frozen"]:
        raise invalid("The document is frozen.", "content")
    if row["type"] == "url" and sync is not None:
        raise invalid("The content of a URL document cannot be edited while auto-sync is on.", "content")


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
        if asked.model_dump(exclude_none=True):
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
    gone: set[str] = set()
    outcome: dict[str, Any] = {}
    for id in asked.document_ids:
        try:
            if id not in gone:
                gone.update(_remove(demo.store, demo.store.document(id), asked.force))
            outcome[id] = {"status": "success", "data": {"id": id}}
        except ApiError as error:
            outcome[id] = error.failure()
    return answer(outcome)


def _remove(store: Store, row: Row, force: bool) -> list[str]:
    """Delete a document, a folder with all it holds, and say what is gone; raises 400 or 403."""
    id = row["id"]
    with store.transaction():
        inside = store.children(store.subtree(id)) if row["type"] == "folder" else []
        for each in (row, *inside):
            writable(each)
        if inside and not force:
            raise invalid("The folder is not empty. Use force to delete it with its contents.", "force")
        used = store.db.execute("select 1 from attachments where document = ?", (id,)).fetchone()
        if used and not force:
            message = "Document has dependent agents. Use force to delete it and remove it from them."
            raise ApiError(400, "document_has_dependent_agents", message, param="force")
        ids = [each["id"] for each in (row, *inside)]
        store.remove(ids)
    return ids


routes = [
    route("POST", "/knowledge-base/bulk-move", bulk_move, WRITE),
    route("POST", "/knowledge-base/bulk-delete", bulk_delete, WRITE),
    route("POST", "/knowledge-base/{document_id}/move", move, WRITE),
    route("PATCH", "/knowledge-base/{documentation_id}", update, WRITE),
    route("DELETE", "/knowledge-base/{documentation_id}", delete, WRITE),
]
