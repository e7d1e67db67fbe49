"""What a view of the mirror holds, and in which order."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kbtui.documents import folded
from kbtui.rows import ALL, ROOT, UNPLACED, Eye, FolderRow, Sight, View

if TYPE_CHECKING:
    import sqlite3

_ORDER = {"name": "name_key", "created_at": "created", "updated_at": "updated", "size": "size"}
_UNPLACED = """
    pk IN (SELECT pk FROM document WHERE parent IN (SELECT value FROM json_each(?))
    UNION SELECT pk FROM document WHERE id IN (SELECT value FROM json_each(?)))"""

# What an agent sees: what is attached to it, all below attached folders, and the folders on the way there.
_SEEING = """WITH RECURSIVE
    attached (id) AS (SELECT value FROM json_each(?)),
    below (id) AS (
        SELECT id FROM attached JOIN document USING (id) WHERE leaf = 0
        UNION SELECT document.id FROM below JOIN document ON parent = below.id AND leaf = 0),
    above (id) AS (
        SELECT parent FROM attached JOIN document USING (id) WHERE parent IS NOT NULL
        UNION SELECT parent FROM above JOIN document USING (id) WHERE parent IS NOT NULL AND leaf = 0)"""
_SEEN = """(id IN (SELECT id FROM attached) OR parent IN (SELECT id FROM below)
    OR leaf = 0 AND id IN (SELECT id FROM above))"""
# The documents among them, where everything would have to be looked at: a list of a million has few of them.
_SEEN_OF_ALL = """pk IN (SELECT pk FROM document WHERE id IN (SELECT id FROM attached)
    UNION ALL SELECT pk FROM document WHERE parent IN (SELECT id FROM below))"""


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
    seeing: tuple[str, ...] = ()
    if view.eye is not None:
        seeing = (json.dumps(view.eye.attached),)
        where += f" AND {_SEEN_OF_ALL if view.scope == ALL else _SEEN}"
    direction = "DESC" if view.descending else "ASC"
    rows = array("q")
    for leaf in (1,) if view.scope == ALL else (0, 1):
        column = _ORDER[view.sort]
        if column == "size" and not leaf:
            column = "ifnull(children, 0)"  # the size that is shown of a folder
        order = f"{column} {direction}, id {direction}"
        query = f"SELECT pk FROM document WHERE leaf = ? AND {where} ORDER BY {order}"
        query = f"{_SEEING} {query}" if seeing else query
        rows.extend(pk for (pk,) in database.execute(query, (*seeing, leaf, *values, *types, *words)))
    return rows


def sight(database: sqlite3.Connection, eye: Eye, unplaced: bool) -> Sight:
    """What an agent sees; `unplaced` tells whether there is anything that has no place.

    No document is looked at that is not attached itself: folders have their tally.
    """
    attached = (json.dumps(eye.attached),)
    query = f"""{_SEEING}
        SELECT id, CAST(name AS TEXT), parent, id IN (SELECT id FROM below), CAST(ifnull(count, 0) AS INTEGER)
        FROM document LEFT JOIN tally ON scope = id WHERE leaf = 0 AND {_SEEN} ORDER BY name_key, id"""
    folders = database.execute(query, attached).fetchall()
    whole = {id for id, _, _, all_of_it, _ in folders if all_of_it}
    inside = Counter(parent or ROOT for _, _, parent, _, _ in folders)
    documents = Counter({id: rows - inside[id] for id, _, _, _, rows in folders if id in whole})
    # Without the +, all documents would be walked through by their place.
    query = "SELECT parent FROM document WHERE id IN (SELECT value FROM json_each(?)) AND +leaf = 1"
    alone = (parent for (parent,) in database.execute(query, attached) if parent not in whole)
    documents.update(parent or ROOT for parent in alone)
    below = _sums(documents, {id: parent for id, _, parent, _, _ in folders})
    counts = {id: documents[id] + inside[id] for id in (ROOT, *(id for id, *_ in folders))}
    counts[ALL] = documents.total()
    counts[UNPLACED] = len(ranked(database, View(UNPLACED, eye=eye))) if unplaced else 0
    rows = [FolderRow(id, name, parent, counts[id], below[id]) for id, name, parent, *_ in folders]
    return Sight(rows, counts)


def _sums(documents: Mapping[str, int], parents: Mapping[str, str | None]) -> Counter[str]:
    """What is in each folder and in all below it; in a circle of folders each counts once."""
    sums = Counter[str]()
    for folder in parents:
        here: str | None = folder
        passed = set[str]()
        while here in parents and here is not None and here not in passed:
            passed.add(here)
            sums[here] += documents[folder]
            here = parents[here]
    return sums


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
