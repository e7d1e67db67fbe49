"""Crawl jobs: made, listed, looked at and cancelled. A job that a stop of the server cut off has failed."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import auto_sync
from kbtui.demo.contract import (
    WRITE,
    ApiError,
    Body,
    Days,
    PageSize,
    Query,
    Whole,
    answer,
    body,
    invalid,
    query,
    route,
)
from kbtui.demo.crawler import Crawl, note, origin
from kbtui.demo.rights import home
from kbtui.demo.store import Row, Store, loads

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

SCHEMA = """
create table crawl_jobs (
    n integer primary key,
    id text not null unique,
    type text not null,
    seed_url text not null,
    pattern text,
    exclude_patterns text not null,
    max_depth integer not null,
    max_pages integer not null,
    auto_discover integer not null,
    status text not null default 'queued',
    pages_identified integer not null default 0,
    pages_scraped integer not null default 0,
    pages_skipped integer not null default 0,
    pages_failed integer not null default 0,
    root_folder_id text not null,
    created_at integer not null,
    updated_at integer not null
);
create table crawl_documents (
    document integer primary key references documents (n) on delete cascade,
    job text not null references crawl_jobs (id)
);
"""
_RECENT = 7 * 86_400  # seconds for which a job that has ended is listed unasked
_ACTIVE = ("queued", "processing")


class _Create(Body):
    url: str
    max_depth: Annotated[Whole, Field(ge=1, le=5)] = 3
    max_pages: Annotated[Whole, Field(ge=1, le=10_000)] = 1000
    pattern: Annotated[str, Field(max_length=2048)] | None = None
    exclude_patterns: list[str] | None = None
    sitemap_urls: list[str] | None = None
    parent_folder_id: str | None = None
    enable_auto_sync: bool = False
    auto_remove: bool = False
    auto_discover: bool = False
    minimum_frequency_days: Days | None = None


async def create(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _Create)
    if not origin(asked.url):
        raise invalid("The URL is no http address.", "url")
    if asked.auto_discover and not asked.enable_auto_sync:
        raise invalid("auto_discover needs enable_auto_sync.", "auto_discover")
    parent = home(demo.store, asked.parent_folder_id)
    with demo.store.transaction():
        made = _new_job(demo.store, asked, parent)
    running = _running(request)
    running[made["id"]] = asyncio.create_task(Crawl(demo, made, asked.sitemap_urls or []).run())
    running[made["id"]].add_done_callback(lambda _: running.pop(made["id"], None))
    shape = {key: made[key] for key in ("id", "type", "root_folder_id", "status", "created_at")}
    path = [{"id": above["id"]} for above in demo.store.ancestors(parent)]
    return answer({**shape, "folder_path": path})


def _new_job(store: Store, asked: _Create, parent: str | None) -> Row:
    """Note a job, and make the folder for its documents."""
    sync = auto_sync.settings(
        None,
        enable=asked.enable_auto_sync,
        auto_remove=asked.auto_remove,
        days=asked.minimum_frequency_days,
        limit=auto_sync.of_folder(store, parent),
    )
    name = asked.url.partition("://")[2].rstrip("/")
    now = int(time.time())
    values = {
        "id": f"crawl_{secrets.token_hex(10)}",
        "type": "sitemap" if asked.sitemap_urls else "discovery",
        "seed_url": asked.url,
        "pattern": asked.pattern,
        "exclude_patterns": json.dumps(asked.exclude_patterns or []),
        "max_depth": asked.max_depth,
        "max_pages": asked.max_pages,
        "auto_discover": int(asked.auto_discover),
        "root_folder_id": store.add("folder", name, parent=parent, auto_sync=sync),
        "created_at": now,
        "updated_at": now,
    }
    store.insert("crawl_jobs", **values)
    return _job(store, str(values["id"]))


def _running(request: Request) -> dict[str, asyncio.Task[None]]:
    """The tasks of this server by the id of their job."""
    state = request.app.state
    if not hasattr(state, "crawls"):
        state.crawls = {}
    found: dict[str, asyncio.Task[None]] = state.crawls
    return found


class _List(Query):
    include_job_ids: list[str] | None = None
    page_size: PageSize = 30
    cursor: str | None = None


async def jobs(request: Request) -> Response:
    """Jobs that run or ended within a week, and those asked for by id; the newest first."""
    demo: Demo = request.app.state.demo
    asked = query(request, _List)
    ids = json.dumps(sorted(set(asked.include_job_ids or ())))
    scope = f"crawls {ids}"
    before = demo.cursors.open(asked.cursor, scope) if asked.cursor else None
    rows = demo.store.db.execute(
        "select * from crawl_jobs where (updated_at > ? or status in ('queued', 'processing')"
        " or id in (select value from json_each(?))) and (? is null or n < ?) order by n desc limit ?",
        (time.time() - _RECENT, ids, before, before, asked.page_size + 1),
    ).fetchall()
    shown = rows[: asked.page_size]
    following = demo.cursors.seal(shown[-1]["n"], scope) if len(rows) > len(shown) else None
    return answer({"crawl_jobs": [_shape(request, row) for row in shown], "next_cursor": following})


async def job(request: Request) -> Response:
    found = _job(request.app.state.demo.store, request.path_params["crawl_job_id"])
    return answer(_shape(request, found))


async def cancel(request: Request) -> Response:
    """End the job, and delete the folder and the documents it made, wherever they were moved to."""
    store: Store = request.app.state.demo.store
    found = _job(store, request.path_params["crawl_job_id"])
    task = _running(request).get(found["id"])
    if task is not None:
        task.cancel()
    made = store.db.execute(
        "select documents.id from crawl_documents join documents on n = document where job = ?",
        (found["id"],),
    ).fetchall()
    with store.transaction():
        store.remove([found["root_folder_id"], *(row["id"] for row in made)])
        note(store, found["id"], status="cancelled")
    return answer({})


def _job(store: Store, id: str) -> Row:
    row: Row | None = store.db.execute("select * from crawl_jobs where id = ?", (id,)).fetchone()
    if row is None:
        raise ApiError(404, "document_not_found", f"Crawl job {id} not found.", param="crawl_job_id")
    return row


def _shape(request: Request, row: Row) -> dict[str, Any]:
    cut_off = row["status"] in _ACTIVE and row["id"] not in _running(request)
    shape = {key: row[key] for key in row.keys() if key != "n"}  # noqa: SIM118
    return {
        **shape,
        "exclude_patterns": loads(row["exclude_patterns"]),
        "auto_discover": bool(row["auto_discover"]),
        "status": "failed" if cut_off else row["status"],
    }


_JOB = "/knowledge-base/crawl/{crawl_job_id}"
routes = [
    route("POST", "/knowledge-base/crawl", create, WRITE),
    route("GET", "/knowledge-base/crawl", jobs),
    route("GET", _JOB, job),
    route("POST", _JOB + "/cancel", cancel, WRITE),
]
