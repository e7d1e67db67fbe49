"""File documents: uploaded, replaced, and given out again under an address that expires."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from kbtui.demo import auto_sync, extract
from kbtui.demo.aside import aside
from kbtui.demo.contract import (
    WRITE,
    ApiError,
    Invalid,
    answer,
    check_unicode,
    not_permitted,
    read,
    route,
    unparsable,
)
from kbtui.demo.documents import created
from kbtui.demo.rights import editable, home, writable
from kbtui.demo.shapes import Shapes, filename

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its remarks would land on the terminal
_VALID_SECONDS = 15 * 60  # how long a signed address is good for


class _Upload(NamedTuple):
    data: bytes
    filename: str
    text: str
    format: str
    name: str | None
    parent: str | None


async def create_file(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    upload = await _upload(request)
    id = demo.store.add(
        "file",
        upload.name or upload.filename,
        parent=home(demo.store, upload.parent),
        text=upload.text,
        format=upload.format,
        filename=upload.filename,
        file=upload.data,
    )
    return created(demo, id)


async def update_file(request: Request) -> Response:
    """Replace the file: name, content and metadata become those of the new one."""
    demo: Demo = request.app.state.demo
    store = demo.store
    row = store.document(request.path_params["documentation_id"])
    upload = await _upload(request)
    row = writable(store.document(row["id"]))
    if row["type"] != "file":
        raise ApiError(
            404, "file_not_found", f"{row['id']} is not a file document.", param="documentation_id"
        )
    editable(row, auto_sync.of(row))
    with store.transaction():
        store.set_text(row, upload.text, format=upload.format, size=len(upload.data))
        store.set_file(row["n"], upload.data)
        store.update(row["id"], name=upload.filename, filename=upload.filename)
        demo.content_changed(row)
    return answer(Shapes(store, demo.url).full(store.document(row["id"])))


async def _upload(request: Request) -> _Upload:
    """The multipart form of an upload; raises `Invalid`, 400 for what cannot be read or is too large."""
    raw = await read(request)

    async def replay() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    try:
        form = await Request(request.scope, replay).form(max_files=20, max_fields=20)
    except HTTPException:
        raise unparsable() from None
    try:
        file, name, parent = form.get("file"), _field(form, "name"), _field(form, "parent_folder_id")
        if name == "":
            message = "String should have at least 1 character"
            raise Invalid([{"type": "string_too_short", "loc": ["body", "name"], "msg": message}])
        if file is None:
            raise Invalid([{"type": "missing", "loc": ["body", "file"], "msg": "Field required"}])
        if not isinstance(file, UploadFile):
            message = "Value error, Expected UploadFile"
            raise Invalid([{"type": "value_error", "loc": ["body", "file"], "msg": message}])
        data = await file.read()
        called = _basename(file.filename or "")
        check_unicode(called, "body", "file")
    finally:
        await form.close()
    text, format = await aside(extract.extract, data, called)
    return _Upload(data, called, text, format, name, parent)


def _field(form: FormData, name: str) -> str | None:
    value = form.get(name)
    if isinstance(value, UploadFile):
        message = "Input should be a valid string"
        raise Invalid([{"type": "string_type", "loc": ["body", name], "msg": message}])
    check_unicode(value or "", "body", name)
    return value


def _basename(filename: str) -> str:
    """A file name without folders, as browsers of either kind may send it."""
    return PurePosixPath(PureWindowsPath(filename).name).name or "file"


# Signed addresses


async def source_file_url(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    row = demo.store.document(request.path_params["documentation_id"])
    if row["type"] != "file":
        raise ApiError(404, "file_not_found", f"{row['id']} has no source file.", param="documentation_id")
    until = int(time.time()) + _VALID_SECONDS
    signature = _signature(demo, row["id"], until)
    return answer(
        {"signed_url": f"{demo.url}/source-files/{row['id']}?expires={until}&signature={signature}"}
    )


async def source_file(request: Request) -> Response:
    """The file itself, for whoever holds the address; no key is asked for."""
    demo: Demo = request.app.state.demo
    id = request.path_params["documentation_id"]
    until = request.query_params.get("expires", "")
    given = request.query_params.get("signature", "").encode("utf-8", "replace")
    good = until.isascii() and until.isdigit() and len(until) < 12
    if not good or not hmac.compare_digest(given, _signature(demo, id, int(until)).encode()):
        raise not_permitted("The signature of the URL is wrong.")
    if int(until) < time.time():
        raise not_permitted("The signed URL has expired.")
    row = demo.store.document(id)
    disposition = f"attachment; filename*=UTF-8''{quote(filename(row), safe='')}"
    kind = "application/octet-stream"  # never shown by a browser, whatever was uploaded
    headers = {"content-disposition": disposition, "x-content-type-options": "nosniff"}
    return Response(demo.store.file(row), media_type=kind, headers=headers)


def _signature(demo: Demo, id: str, until: int) -> str:
    return hmac.new(demo.secret.encode(), f"{id} {until}".encode(), hashlib.sha256).hexdigest()


routes = [
    route("POST", "/knowledge-base/file", create_file, WRITE),
    route("PATCH", "/knowledge-base/{documentation_id}/update-file", update_file, WRITE),
    route("GET", "/knowledge-base/{documentation_id}/source-file-url", source_file_url),
    Route("/source-files/{documentation_id}", source_file, methods=["GET"]),
]
