"""Where a demo is kept: a directory that outlives it, or nowhere; and how it is filled at first."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from typing import IO

from kbtui.demo import crawl, disk, index
from kbtui.demo import sample as company
from kbtui.demo.store import Store

_VERSION = "2"  # of the tables; a directory of another version is refused, not guessed at
_lock = threading.Lock()
_made: sqlite3.Connection | None = None


class Unavailable(Exception):
    """Why the demo cannot start, as one sentence."""


def unusable(path: Path, why: str) -> Unavailable:
    """The sentence for a directory that the system does not let one use."""
    return Unavailable(f"The directory {path} cannot be used: {why}.")


def unavailable(path: Path | None, error: Exception) -> Unavailable:
    """What stopped a start, said in a sentence; bytes of a damaged file are not repeated in it."""
    if isinstance(error, OSError):
        return Unavailable(f"The demo cannot start: {error.strerror or error}.")
    if path is None:
        return Unavailable(f"The demo cannot start: {error}.")
    if isinstance(error, sqlite3.Error) and disk.status(error) > 500:
        return unusable(path, str(error))
    file = path / "demo.db"
    return Unavailable(f"The file {file} is damaged or not of this demo; move it away and start again.")


class Data:
    """A data directory, held by one demo at a time; `path` None stands for a demo that keeps nothing.

    Raises Unavailable where the directory cannot be written, is in use, or is of another version; else
    whatever SQLite says of a file that it did not write.
    """

    def __init__(self, path: Path | None, *, sample: bool) -> None:
        self._held: IO[str] | None = None
        if path is None:
            self.store = Store.open(None)
            _copy(self.store, sample)
            _keep_keys(self.store)
            return
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held = _hold(path)
            file = path / "demo.db"
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            self.store = Store.open(file)
            self._prepare(path, sample)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise unusable(path, error.strerror or str(error)) from error
            raise

    def _prepare(self, path: Path, sample: bool) -> None:
        if self.store.is_empty():
            _copy(self.store, sample)
        elif self.store.meta("version") not in (None, _VERSION):
            raise Unavailable(f"The directory {path} was written by another version of kbtui.")
        _keep_keys(self.store)

    def close(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        if self._held is not None:
            self._held.close()
            self._held = None


def _hold(path: Path) -> IO[str]:
    held = os.fdopen(os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise Unavailable(f"The directory {path} is in use by another demo server.") from None
    return held


def _copy(store: Store, sample: bool) -> None:
    """Fill an empty store with the tables, and the sample."""
    with _lock:
        if sample:
            _template().backup(store.db)
        else:
            store.create(index.SCHEMA, crawl.SCHEMA)


def _template() -> sqlite3.Connection:
    """The sample's database, built once a process."""
    global _made
    if _made is None:
        store = Store.open(None)
        store.create(index.SCHEMA, crawl.SCHEMA)
        with store.transaction():
            company.load(store, int(time.time()))
        _made = store.db
    return _made


def _keep_keys(store: Store) -> None:
    """Give the store keys of its own, once; all or none, so that a start that was cut can be repeated."""
    if store.meta("version") is not None:
        return
    with store.transaction():
        for name in ("key", "read_only_key", "secret"):
            store.set_meta(name, f"sk_demo_{secrets.token_hex(24)}")
        store.set_meta("version", _VERSION)
