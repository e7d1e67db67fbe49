"""Faults of the disk below the database, which are no bugs: it is full, read-only, or lost something."""

from __future__ import annotations

import logging
import sqlite3

_HTTP = {
    sqlite3.SQLITE_FULL: 507,
    sqlite3.SQLITE_IOERR: 507,
    sqlite3.SQLITE_READONLY: 507,
    sqlite3.SQLITE_CANTOPEN: 507,
    sqlite3.SQLITE_BUSY: 503,
    sqlite3.SQLITE_CORRUPT: 500,
    sqlite3.SQLITE_NOTADB: 500,
}


def status(error: sqlite3.Error) -> int:
    """The HTTP status for a fault of the disk; 0 where the error is none."""
    return _HTTP.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, 0)


def report(error: sqlite3.Error) -> int:
    """Say a fault of the disk in one line on the terminal and return its status; raise any other error."""
    if not status(error):
        raise error
    logging.getLogger(__name__).error("The demo cannot use its database: %s.", error)
    return status(error)
