"""The demo knowledge base as a server on loopback, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sqlite3
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import uvicorn

from kbtui.demo import index
from kbtui.demo.contract import Cursors
from kbtui.demo.data import Data, Unavailable, unavailable
from kbtui.demo.fill import fill
from kbtui.demo.protocol import Protocol
from kbtui.demo.routes import application
from kbtui.demo.store import Row, Store

__all__ = ["Demo", "Unavailable"]
_STOP_SECONDS = 2.0  # how long a request in flight may take to end when the server stops
_TICK = 0.001  # seconds in which the loop gets round to what it has begun
_FILES = 8  # that must be left to open at the start
_HEAD_LIMIT = 1 << 20  # bytes of request line and headers


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether a remark of uvicorn's is about more than a request that a stop cut off."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


logging.getLogger("uvicorn.error").addFilter(_is_fault)


class Demo:
    """A knowledge base that answers as the service does, at `url`, for `key` and `read_only_key`.

    data: a directory in which it is kept and found again, keys included; None: it vanishes at `stop`.
    size: how many generated documents join the sample.
    index_seconds: how long an index takes to build.
    fetch_any_host: whether addresses beyond this machine may be fetched.
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
        self.url = self.key = self.read_only_key = self.secret = ""
        self._path, self._size, self._sample = data, size, sample
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._data: Data | None = None
        self._thread: threading.Thread | None = None

    @property
    def store(self) -> Store:
        """The documents; used on the server's loop only."""
        assert self._data is not None, "the demo is not running"
        return self._data.store

    def __enter__(self) -> Demo:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return once it answers; raises Unavailable, in a sentence, where it cannot."""
        try:
            self._listen()
            self._open()
            self._run()
        except (OSError, sqlite3.Error, ValueError) as error:
            self.stop()
            raise unavailable(self._path, error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the thread and close the store; nothing stays behind but the data directory, if any."""
        if self._thread is not None:
            with suppress(Exception):  # why it never ran is told at the start
                self._ready.result()
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._thread = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._data is not None:
            self._data.close()
            self._data = None

    def content_changed(self, row: Row) -> None:
        """Let the RAG indexes of a document follow its new content."""
        index.content_changed(self, row)

    def _open(self) -> None:
        self._data = Data(self._path, sample=self._sample)
        self.key, self.read_only_key, self.secret = (
            self.store.meta(name) or "" for name in ("key", "read_only_key", "secret")
        )
        self.cursors = Cursors(self.secret)
        self.store.rebase(self.url)
        fill(self.store, self._size, int(time.time()))

    def _listen(self) -> None:
        host, port = self._address
        # The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only where it is.
        try:
            self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(self._address)
            self._listener.listen(128)
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise Unavailable(f"Port {port} {why}; choose another, or 0 for any free one.") from error
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"

    def _run(self) -> None:
        with ExitStack() as held:  # a loop that is short of files complains by itself, and serves nobody
            for _ in range(_FILES):
                held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, name="kbtui-demo", daemon=True)
        self._thread.start()
        self._ready.result()

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            application(self),
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            http=Protocol,
            h11_max_incomplete_event_size=_HEAD_LIMIT,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        assert self._listener is not None
        await server.startup(sockets=[self._listener])
        clock = asyncio.create_task(server.main_loop())  # keeps the Date header right
        self._ready.set_result(None)
        await self._stopping.wait()
        clock.cancel()
        self._loop.remove_reader(self._listener)
        await _shut(server)


async def _shut(server: uvicorn.Server) -> None:
    """Close the door, and every connection as soon as its answer is out, or after two seconds."""
    await asyncio.sleep(_TICK)  # asyncio forgets who is on the threshold while the door closes
    for door in server.servers:
        door.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    if server.server_state.tasks:
        await asyncio.wait(server.server_state.tasks, timeout=_STOP_SECONDS)
    await asyncio.sleep(_TICK)
