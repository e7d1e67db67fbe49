"""URL documents: made from a page, and made again when the page is fetched anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import auto_sync, webpage
from kbtui.demo.aside import aside
from kbtui.demo.contract import WRITE, ApiError, Body, Days, Name, answer, body, invalid, route
from kbtui.demo.documents import created
from kbtui.demo.rights import home, writable
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import Store
from kbtui.demo.webpage import WebPage

if TYPE_CHECKING:
    from kbtui.demo.server import Demo


class _CreateUrl(Body):
    url: str
    name: Name | None = None
    parent_folder_id: str | None = None
    enable_auto_sync: bool = False
    auto_remove: bool = False
    minimum_frequency_days: Days | None = None


async def create_url(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _CreateUrl)
    home(demo.store, asked.parent_folder_id)
    page = await _page(demo, asked.url)
    parent = home(demo.store, asked.parent_folder_id)  # once more: the folder may be gone by now
    sync = auto_sync.settings(
        None,
        enable=asked.enable_auto_sync,
        auto_remove=asked.auto_remove,
        days=asked.minimum_frequency_days,
        limit=auto_sync.of_folder(demo.store, parent),
    )
    id = demo.store.add(
        "url",
        asked.name or page.title or asked.url,
        parent=parent,
        url=asked.url,
        text=page.text,
        format=page.format,
        auto_sync=sync,
    )
    return created(demo, id)


async def refresh(request: Request) -> Response:
    """Fetch the page again. The name stays; what was edited by hand is overwritten."""
    demo: Demo = request.app.state.demo
    id = request.path_params["documentation_id"]
    row = writable(demo.store.document(id))
    if row["type"] != "url":
        raise invalid("Only URL documents can be refreshed.", "documentation_id")
    shapes = Shapes(demo.store, demo.url)
    try:
        page = await _page(demo, shapes.address(row))
    except ApiError:
        _note_failure(demo.store, id)
        raise
    row = demo.store.document(id)
    with demo.store.transaction():
        demo.store.set_text(row, page.text, format=page.format)
        demo.store.update(id, auto_sync=auto_sync.refreshed(auto_sync.of(row)))
        demo.content_changed(row)
    return answer(Shapes(demo.store, demo.url).full(demo.store.document(id)))


def _note_failure(store: Store, id: str) -> None:
    row = store.find(id)
    if row is not None:
        store.update(id, auto_sync=auto_sync.failed(auto_sync.of(row)))


async def _page(demo: Demo, url: str) -> WebPage:
    """Read a page in a thread, since it may be this server's own."""
    return await aside(webpage.read, url, demo.fetch_any_host)


routes = [
    route("POST", "/knowledge-base/url", create_url, WRITE),
    route("POST", "/knowledge-base/{documentation_id}/refresh", refresh, WRITE),
]
