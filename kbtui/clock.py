"""The mirror's own clock, which all processes share: it gives out tickets, and counts changes."""

from __future__ import annotations

import sqlite3

from kbtui.database import Damaged, number


def next_ticket(database: sqlite3.Connection) -> int:
    """The next tick, in the transaction that is under way."""
    database.execute("UPDATE clock SET ticket = ticket + 1")
    return _clock(database, "ticket")


def changes(database: sqlite3.Connection) -> int:
    """How often what readers see has changed."""
    return _clock(database, "changes")


def _clock(database: sqlite3.Connection, hand: str) -> int:
    time = number(database, f"SELECT {hand} FROM clock")
    if time is None:
        raise Damaged("the clock is gone")
    return time
