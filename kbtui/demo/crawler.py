"""The crawler behind a crawl job: fetches a site page by page and makes url documents of it.

A pattern is a part of the address, or, with `*` for any run of characters, the whole of it: the service does
not document its syntax.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from kbtui.demo import auto_sync, disk, webpage
from kbtui.demo.aside import aside
from kbtui.demo.contract import ApiError
from kbtui.demo.extract import decoded
from kbtui.demo.fetch import AGENT, fetch
from kbtui.demo.store import Row, Store
from kbtui.demo.webpage import WebPage

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

_COUNTERS = ("pages_identified", "pages_scraped", "pages_skipped", "pages_failed")
_ROBOTS_LIMIT = 500_000  # bytes of robots.txt that count, as everywhere
_STEPS = 20  # pages fetched in the time that an index takes


def note(store: Store, id: str, **columns: Any) -> None:
    """Set columns of a job, which shows that it moved."""
    columns["updated_at"] = int(time.time())
    pairs = ", ".join(f"{column} = :{column}" for column in columns)
    store.db.execute(f"update crawl_jobs set {pairs} where id = :_id", {**columns, "_id": id})


class Crawl:
    """The work of one job. Addresses wait in `_waiting`; whatever was looked at is in `_known`."""

    def __init__(self, demo: Demo, job: Row, sitemaps: list[str]) -> None:
        self._demo = demo
        self._store = demo.store
        self._job = job
        self._excluded = json.loads(job["exclude_patterns"])
        self._counts = dict.fromkeys(_COUNTERS, 0)
        self._known: set[str] = set()
        self._waiting: list[str] = []
        self._listed = bool(sitemaps)  # then links in pages count for nothing
        self._maps = sitemaps
        self._robots = RobotFileParser()

    async def run(self) -> None:
        """Crawl to the end, or to a fault of the disk, which leaves the job cut off."""
        try:
            await self._crawl()
        except sqlite3.Error as error:
            disk.report(error)

    async def _crawl(self) -> None:
        await self._read_robots()
        note(self._store, self._job["id"], status="processing")
        for address in self._maps or [self._job["seed_url"]]:
            self._consider(address, given=True)
        while self._waiting:
            await self._visit(self._waiting.pop(0))
            if self._store.find(self._job["root_folder_id"]) is None:
                break  # somebody deleted the folder
            note(self._store, self._job["id"], **self._counts)
            await asyncio.sleep(self._demo.index_seconds / _STEPS)
        status = "succeeded" if self._counts["pages_scraped"] else "failed"
        note(self._store, self._job["id"], status=status, **self._counts)

    async def _read_robots(self) -> None:
        try:
            address = urljoin(self._job["seed_url"], "/robots.txt")
            found = await aside(fetch, address, self._demo.fetch_any_host)
            self._robots.parse(decoded(found.data[:_ROBOTS_LIMIT], found.charset).splitlines())
        except ApiError:
            self._robots.parse([])

    def _consider(self, address: str, *, given: bool = False) -> None:
        """Let an address wait for its turn, unless it is known, elsewhere, or not wanted.

        Those that the job was given are judged when they are read: one may only lead to others.
        """
        address = urldefrag(address)[0]
        key = address.rstrip("/")
        if key in self._known or not (given or self._listed or self._here(address)):
            return
        self._known.add(key)
        if not (self._allowed(address) and (given or self._wanted(address))):
            self._counts["pages_skipped"] += 1
        elif self._counts["pages_identified"] < self._job["max_pages"]:
            self._counts["pages_identified"] += 1
            self._waiting.append(address)

    def _here(self, address: str) -> bool:
        return origin(address) == origin(self._job["seed_url"]) != ""

    def _allowed(self, address: str) -> bool:
        return not self._here(address) or self._robots.can_fetch(AGENT, address)

    def _wanted(self, address: str) -> bool:
        pattern = self._job["pattern"]
        fits = not pattern or matches(pattern, address)
        return fits and not any(matches(each, address) for each in self._excluded)

    async def _visit(self, address: str) -> None:
        try:
            page = await aside(webpage.read, address, self._demo.fetch_any_host)
        except ApiError:
            self._counts["pages_failed"] += 1
            return
        if page.is_sitemap:
            self._counts["pages_identified"] -= 1
        elif self._wanted(address):
            self._keep(address, page)
        else:
            self._counts["pages_identified"] -= 1
            self._counts["pages_skipped"] += 1
        if page.is_sitemap or not self._listed:
            for link in page.links:
                self._consider(link)

    def _keep(self, address: str, page: WebPage) -> None:
        folder = self._store.find(self._job["root_folder_id"])
        if folder is None:
            return
        name = page.title or address
        with self._store.transaction():
            id = self._store.add(
                "url",
                name,
                parent=folder["id"],
                text=page.text,
                format=page.format,
                url=address,
                auto_sync=auto_sync.of(folder),
            )
            values = (self._store.document(id)["n"], self._job["id"])
            self._store.db.execute("insert into crawl_documents values (?, ?)", values)
        self._counts["pages_scraped"] += 1


# Addresses


def origin(address: str) -> str:
    """Scheme, host and port of an http address; "" for anything else."""
    try:
        parts = urlsplit(address)
        return (
            f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.hostname else ""
        )
    except ValueError:
        return ""


def matches(pattern: str, address: str) -> bool:
    """Whether a pattern fits an address; each part of it is found once, so the work is linear."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern in address
    last = middle.pop()
    if not address.startswith(first) or len(address) < len(first) + len(last) or not address.endswith(last):
        return False
    at, end = len(first), len(address) - len(last)
    for part in middle:
        at = address.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
