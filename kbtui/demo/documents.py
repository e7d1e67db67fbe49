"""The endpoints that list documents, read them, and make text documents and folders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kbtui.demo import auto_sync, listing
from kbtui.demo.contract import (
    WRITE,
    Body,
    Days,
    Name,
    PageSize,
    Query,
    answer,
    body,
    document_not_found,
    invalid,
    query,
    route,
)
from kbtui.demo.rights import home
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import ME, Row

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

DocumentType = Literal["file", "url", "text", "folder"]
_PIECE = 64 * 1024  # bytes of content in one piece of the stream


class _List(Query):
    page_size: PageSize = 30
    search: str | None = None
    show_only_owned_documents: bool = False
    created_by_user_id: str | None = None
    types: list[DocumentType] | None = None
    parent_folder_id: str | None = None
    ancestor_folder_id: str | None = None
    folders_first: bool = False
    sort_direction: Literal["asc", "desc"] = "desc"
    sort_by: Literal["name", "created_at", "updated_at", "size"] | None = None
    cursor: str | None = None


async def list_documents(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = query(request, _List)
    creator = asked.created_by_user_id or ("@me" if asked.show_only_owned_documents else None)
    wanted = listing.Asked(
        search=asked.search or "",
        types=tuple(sorted(set(asked.types or ()))),
        parent=asked.parent_folder_id,
        ancestor=asked.ancestor_folder_id,
        creator=ME if creator == "@me" else creator,
        folders_first=asked.folders_first,
        order=asked.sort_by or "created_at",
        descending=asked.sort_direction == "desc",
    )
    scope = f"list {wanted!r}"
    place = demo.cursors.open(asked.cursor, scope) if asked.cursor else None
    rows, rest = listing.page(demo.store, wanted, asked.page_size, place)
    shapes = Shapes(demo.store, demo.url)
    return answer(
        {
            "documents": [shapes.summary(row) for row in rows],
            "next_cursor": demo.cursors.seal(rest, scope) if rest else None,
            "has_more": rest is not None,
        }
    )


class _Summaries(Query):
    document_ids: Annotated[list[str], Field(min_length=1, max_length=100)]


async def summaries(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    shapes = Shapes(demo.store, demo.url)
    found = {}
    for id in query(request, _Summaries).document_ids:
        row = demo.store.find(id)
        if row is None:
            found[id] = document_not_found(id).failure()
        else:
            found[id] = {"status": "success", "data": shapes.summary(row)}
    return answer(found)


class _Get(Query):
    agent_id: str = ""


async def get_document(request: Request) -> Response:
    query(request, _Get)
    demo: Demo = request.app.state.demo
    return answer(Shapes(demo.store, demo.url).full(_named(request)))


async def content(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    row = _named(request)
    if row["type"] == "folder":
        raise invalid("A folder has no content.", "documentation_id")
    data = demo.store.text(row).encode()
    headers = {"content-length": str(len(data))}
    return StreamingResponse(_pieces(data), media_type="text/html", headers=headers)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


class _CreateText(Body):
    text: str
    name: Name | None = None
    parent_folder_id: str | None = None


async def create_text(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _CreateText)
    parent = home(demo.store, asked.parent_folder_id)
    format = "html" if asked.text.lstrip().startswith("<") else "markdown"
    id = demo.store.add(
        "text", asked.name or first_words(asked.text), parent=parent, text=asked.text, format=format
    )
    return created(demo, id)


class _CreateFolder(Body):
    name: Name
    parent_folder_id: str | None = None
    enable_auto_sync: bool = False
    auto_remove: bool = False
    minimum_frequency_days: Days | None = None


async def create_folder(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _CreateFolder)
    parent = home(demo.store, asked.parent_folder_id)
    sync = auto_sync.settings(
        None,
        enable=asked.enable_auto_sync,
        auto_remove=asked.auto_remove,
        days=asked.minimum_frequency_days,
        limit=auto_sync.of_folder(demo.store, parent),
    )
    return created(demo, demo.store.add("folder", asked.name, parent=parent, auto_sync=sync))


def _named(request: Request) -> Row:
    demo: Demo = request.app.state.demo
    return demo.store.document(request.path_params["documentation_id"])


def created(demo: Demo, id: str) -> Response:
    row = demo.store.document(id)
    path = [{"id": folder["id"]} for folder in demo.store.ancestors(row["parent"])]
    return answer({"id": id, "name": row["name"], "folder_path": path})


def first_words(text: str) -> str:
    """A name for a document that came without one: its first line, without marks."""
    for line in text.splitlines():
        if words := line.strip(" #*<>\t"):
            return words[:60]
    return "Untitled"


routes = [
    route("GET", "/knowledge-base", list_documents),
    route("GET", "/knowledge-base/summaries", summaries),
    route("POST", "/knowledge-base/text", create_text, WRITE),
    route("POST", "/knowledge-base/folder", create_folder, WRITE),
    route("GET", "/knowledge-base/{documentation_id}", get_document),
    route("GET", "/knowledge-base/{documentation_id}/content", content),
]
