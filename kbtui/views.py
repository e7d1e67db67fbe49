"""What a view of the mirror holds, and in which order."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kbtui.documents import folded
from kbtui.rows import ALL, ROOT, UNPLACED, View

if TYPE_CHECKING:
    import sqlite3

_ORDER = {"name": "name_key", "created_at": "created", "updated_at": "updated", "size": "size"}
_UNPLACED = """
    pk IN (SELECT pk FROM document WHERE parent IN (SELECT value FROM json_each(?))
    UNION SELECT pk FROM document WHERE id IN (SELECT value FROM json_each(?)))"""


class Listing:
    """The rows of a view in its order, as their places in the mirror: eight bytes a document."""

    __slots__ = ("rows", "version", "view")

    def __init__(self, view: View, rows: array[int], version: int) -> None:
        self.view = view
        self.rows = rows
        self.version = version  # of the mirror, before it was read

    def __len__(self) -> int:
        return len(self.rows)


def ranked(database: sqlite3.Connection, view: View) -> array[int]:
    scope: dict[str, tuple[str, tuple[str, ...]]] = {ALL: ("1", ()), ROOT: ("parent IS NULL", ())}
    if view.scope == UNPLACED:
        lost, cyclic = _unplaced(database)
        scope[UNPLACED] = (_UNPLACED, (json.dumps(lost), json.dumps(cyclic)))
    where, values = scope.get(view.scope, ("parent = ?", (view.scope,)))
    words, types = folded(view.text).split(), view.types
    if types:
        where += f" AND type IN ({', '.join('?' * len(types))})"
    where += " AND instr(name_key, ?)" * len(words)
    direction = "DESC" if view.descending else "ASC"
    rows = array("q")
    for leaf in (1,) if view.scope == ALL else (0, 1):
        column = _ORDER[view.sort]
        if column == "size" and not leaf:
            column = "ifnull(children, 0)"  # the size that is shown of a folder
        order = f"{column} {direction}, id {direction}"
        query = f"SELECT pk FROM document WHERE leaf = ? AND {where} ORDER BY {order}"
        rows.extend(pk for (pk,) in database.execute(query, (leaf, *values, *types, *words)))
    return rows


def _unplaced(database: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """The parents that are no folder the mirror knows, and the folders that are their own ancestors."""
    lost = """SELECT scope FROM tally WHERE count > 0 AND scope NOT IN (?, ?)
              AND NOT EXISTS (SELECT 1 FROM document WHERE id = scope AND leaf = 0)"""
    parents = dict(database.execute("SELECT id, parent FROM document WHERE leaf = 0 AND parent IS NOT NULL"))
    return [scope for (scope,) in database.execute(lost, (ROOT, ALL))], cyclic(parents)


def cyclic(parents: Mapping[str, str | None]) -> list[str]:
    """The folders that are their own ancestors."""
    passed: set[str] = set()
    found: list[str] = []
    for id in parents:
        trail: list[str] = []
        here: str | None = id
        while here is not None and here in parents and here not in passed:
            passed.add(here)
            trail.append(here)
            here = parents[here]
        if here in trail:
            found += trail[trail.index(here) :]
    return found


def count_unplaced(database: sqlite3.Connection) -> int:
    lost, cyclic = _unplaced(database)
    query = f"SELECT count(*) FROM document WHERE {_UNPLACED}"
    return int(database.execute(query, (json.dumps(lost), json.dumps(cyclic))).fetchone()[0])
