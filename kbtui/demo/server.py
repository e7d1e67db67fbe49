"""The demo knowledge base as a server on loopback, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import socket
import sqlite3
import threading
import time
from pathlib import Path
from types import ModuleType, TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from kbtui.demo.contract import HANDLERS, Cursors, Traced
from kbtui.demo.fill import fill
from kbtui.demo.store import Row, Store

_ROOMS = (
    "documents",
    "changes",
    "urls",
    "files",
    "dependents",
    "search",
    "agents",
    "chunks",
    "index",
    "crawl",
    "pages",
)
_STOP_SECONDS = 2.0  # how long a request in flight may take to end when the server stops


class Demo:
    """A knowledge base that answers as the service does, at `url`, for `key` and `read_only_key`.

    data: a directory in which it is kept and found again; None: it vanishes at `stop`.
    size: how many generated documents join the sample.
    index_seconds: how long an index takes to build.
    fetch_any_host: whether addresses beyond this machine may be fetched.
    Raises OSError from `start` where the port is taken or the directory cannot be written.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        size: int = 0,
        port: int = 0,
        host: str = "127.0.0.1",
        index_seconds: float = 6.0,
        sample: bool = True,
        fetch_any_host: bool = False,
    ) -> None:
        self.index_seconds = index_seconds
        self.fetch_any_host = fetch_any_host
        self.url = self.key = self.read_only_key = ""
        self._data, self._size, self._sample = data, size, sample
        self._address = (host, port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Demo:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return once it answers."""
        listener = socket.create_server(self._address, backlog=128)
        try:
            host, port = listener.getsockname()[:2]
            self.url = f"http://{host}:{port}"
            self.store = self._open_store()
        except BaseException:
            listener.close()
            raise
        ready = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(listener, ready),), name="kbtui-demo", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End the thread and close the store; nothing stays behind but the data directory, if any."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        self.store.close()

    def content_changed(self, row: Row) -> None:
        """Let the RAG indexes of a document follow its new content."""
        for room in _rooms():
            if hasattr(room, "content_changed"):
                room.content_changed(self, row)

    def _open_store(self) -> Store:
        path = None
        if self._data is not None:
            self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._data / "demo.db"
        store = Store.open(path)
        if store.is_empty():
            (_template() if self._sample else _blank()).backup(store.db)
        for name in ("key", "read_only_key", "secret"):
            if store.meta(name) is None:
                store.set_meta(name, f"sk_demo_{secrets.token_hex(24)}")
        self.key, self.read_only_key = store.meta("key") or "", store.meta("read_only_key") or ""
        self.secret = store.meta("secret") or ""
        self.cursors = Cursors(self.secret)
        store.rebase(self.url)
        fill(store, self._size, int(time.time()))
        return store

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            application(self),
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            h11_max_incomplete_event_size=1 << 20,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        clock = asyncio.create_task(server.main_loop())  # keeps the Date header right
        ready.set()
        await self._stopping.wait()
        clock.cancel()
        for door in server.servers:
            door.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=_STOP_SECONDS)
        listener.close()


_lock = threading.Lock()
_made: sqlite3.Connection | None = None


def _template() -> sqlite3.Connection:
    """The sample's database, built once a process; every new store starts as a copy of it."""
    global _made
    with _lock:
        if _made is None:
            _made = _blank()
            store = Store(_made)
            with store.transaction():
                try:
                    importlib.import_module("kbtui.demo.sample").load(store, int(time.time()))
                except (ImportError, AttributeError):
                    _seed(store)
        return _made


def _seed(store: Store) -> None:
    store.db.execute("insert into users values ('user_demo', 'Mira Okafor', 'mira@solvane.example')")
    support = store.add("folder", "Support")
    billing = store.add("folder", "Billing", parent=support)
    store.add("text", "Refund policy", parent=billing, text="# Refunds\n\nWithin 14 days.", format="markdown")
    store.add("text", "Greeting", parent=support, text="<p>Good <b>day</b></p>", format="html")
    store.add(
        "url", "Opening hours", text="<p>Monday</p>", format="html", url="http://demo.invalid/site/hours"
    )
    store.add("file", "Terms", text="Terms.", file=b"Terms.", filename="terms.txt", mime="text/plain")


def _blank() -> sqlite3.Connection:
    store = Store.open(None)
    store.create(*(getattr(room, "SCHEMA", "") for room in _rooms()))
    return store.db


def _rooms() -> list[ModuleType]:
    rooms = []
    for name in _ROOMS:
        try:
            rooms.append(importlib.import_module(f"kbtui.demo.{name}"))
        except ImportError:
            continue
    return rooms


def application(demo: Demo) -> Starlette:
    """The routes of every room; fixed paths before those with a document's id in them."""
    routes: list[Route] = [each for room in _rooms() for each in getattr(room, "routes", ())]
    routes.sort(key=lambda each: "{" in each.path)
    app = Starlette(routes=routes, middleware=[Middleware(Traced)], exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    app.state.demo = demo
    return app
