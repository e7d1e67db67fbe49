"""What a view of the mirror holds, and in which order."""

from __future__ import annotations

import json
import time
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kbtui.documents import folded
from kbtui.filters import moments, sizes
from kbtui.rows import ALL, ROOT, UNPLACED, Beside, Eye, FolderRow, Sight, Term, View

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


def _says(what: str) -> str:
    """SQL for what the service says of a document beyond the columns; NULL where it does not."""
    return f"CASE WHEN json_valid(rest) THEN {what} END"


def _has(key: str) -> str:
    return _says(f"ifnull(json_type(rest, {key!r}), '') = 'object'")


_MINE = _says("json_extract(rest, '$.access_info.is_creator')")
_OWNER = _says(
    "nullif(trim(ifnull(json_extract(rest, '$.access_info.creator_name'), '')"
    " || ' ' || ifnull(json_extract(rest, '$.access_info.creator_email'), '')), '')"
)
_AUTO, _DRIVE = _has("$.auto_sync_info"), _has("$.external_sync_info")
_SYNCS = {
    "on": f"{_AUTO} OR {_DRIVE}",
    "off": f"NOT ({_AUTO} OR {_DRIVE})",
    "failing": _says("ifnull(json_extract(rest, '$.auto_sync_info.consec_failures'), 0) > 0"),
    "drive": _DRIVE,
}

MANY = 200  # words, each of which is a condition; SQLite joins less than a thousand
_BESIDE_NAMES = ("size", "updated", "created", "owner", "sync")

Condition = tuple[str, tuple[Any, ...]]  # SQL and its values


class Listing:
    """The rows of a view in its order, as their places in the mirror: eight bytes a document."""

    __slots__ = ("rows", "unknown", "version", "view")

    def __init__(self, view: View, rows: array[int], version: int, unknown: int = 0) -> None:
        self.view = view
        self.rows = rows
        self.version = version  # of the mirror, before it was read
        self.unknown = unknown  # rows left out only because the service does not say enough of them

    def __len__(self) -> int:
        return len(self.rows)


def ranked(database: sqlite3.Connection, view: View, beside: Beside) -> tuple[array[int], int]:
    """The rows of a view in its order, and how many might belong to it, for all that is known."""
    doubtful = [_about(term, beside) for term in view.terms if term.key in ("owner", "sync")]
    if doubtful:
        database.create_function("folded", 1, _folded, deterministic=True)
    seeing = (json.dumps(view.eye.attached),) if view.eye is not None else ()
    rows, unknown = array("q"), 0
    for leaf in (1,) if view.scope == ALL else (0, 1):
        here = [("leaf = ?", (leaf,)), *_within(database, view), *_typed(view)]
        here += [_about(term, beside) for term in view.terms if term.key not in ("owner", "sync")]
        rows.extend(pk for (pk,) in database.execute(*_query(view, [*here, *doubtful], seeing, leaf)))
        if doubtful:
            together = " AND ".join(
                f"({sql})" for sql, _ in doubtful
            )  # what is known may be enough to say no
            not_said = (f"({together}) IS NULL", _values(doubtful))
            unknown += sum(1 for _ in database.execute(*_query(view, [*here, not_said], seeing, leaf)))
    return rows, unknown


def _query(view: View, here: list[Condition], seeing: tuple[str, ...], leaf: int) -> Condition:
    column = _ORDER[view.sort]
    if column == "size" and not leaf:
        column = "ifnull(children, 0)"  # the size that is shown of a folder
    direction = "DESC" if view.descending else "ASC"
    where = " AND ".join(f"({sql})" for sql, _ in here)
    # The index by name holds none of this: of all documents, each would be looked up where it lies.
    walked = view.scope == ALL and any(term.key in _BESIDE_NAMES for term in view.terms)
    query = f"""SELECT pk FROM document {"NOT INDEXED" if walked else ""} WHERE {where}
                ORDER BY {column} {direction}, id {direction}"""
    return f"{_SEEING} {query}" if seeing else query, (*seeing, *_values(here))


def _values(conditions: list[Condition]) -> tuple[Any, ...]:
    return tuple(value for _, values in conditions for value in values)


def _within(database: sqlite3.Connection, view: View) -> list[Condition]:
    """The scope, and what the agent sees of it."""
    scope: dict[str, Condition] = {ALL: ("1", ()), ROOT: ("parent IS NULL", ())}
    if view.scope == UNPLACED:
        lost, cyclic = _unplaced(database)
        scope[UNPLACED] = (_UNPLACED, (json.dumps(lost), json.dumps(cyclic)))
    where = [scope.get(view.scope, ("parent = ?", (view.scope,)))]
    if view.eye is not None:
        where.append((_SEEN_OF_ALL if view.scope == ALL else _SEEN, ()))
    return where


def _typed(view: View) -> list[Condition]:
    """Words and types."""
    where: list[Condition] = []
    if view.types:
        where.append((f"type IN ({', '.join('?' * len(view.types))})", view.types))
    words = list(dict.fromkeys(folded(view.text).split()))
    if len(words) > MANY:
        lacks = "SELECT 1 FROM json_each(?) WHERE NOT instr(name_key, value)"
        where.append((f"NOT EXISTS ({lacks})", (json.dumps(words),)))
    elif words:
        where.append((" AND ".join(["instr(name_key, ?)"] * len(words)), tuple(words)))
    return where


def _about(term: Term, beside: Beside) -> Condition:
    """What a part of a filter asks for; NULL where the mirror does not know."""
    sql, values = _asked(term, beside)
    if term.inverted and term.key != "index":  # whether that holds was asked beside
        sql = f"NOT ({sql})"
    return (f"leaf = 1 AND {sql}" if term.key in ("size", "index") else sql), values  # folders have neither


def _asked(term: Term, beside: Beside) -> Condition:
    key, value = term.key, term.value
    if key == "word":
        return "instr(name_key, ?)", (folded(value),)
    if key == "type":
        return "type IN (SELECT value FROM json_each(?))", (json.dumps(value.split(",")),)
    if key == "id":
        return "instr(lower(id), lower(?))", (value,)
    if key == "owner":
        return (_MINE, ()) if value == "me" else (f"instr(folded({_OWNER}), ?)", (folded(value),))
    if key == "sync":
        return _SYNCS[value], ()
    if key == "marked":
        among = "pk IN (SELECT pk FROM document WHERE id IN (SELECT value FROM json_each(?)))"
        return among if value == "yes" else f"NOT ({among})", (json.dumps(list(beside.marked)),)
    if key == "index":
        among = "SELECT pk FROM json_each(?) JOIN document ON document.id = key AND updated = value"
        return f"pk IN ({among})", (json.dumps(dict(beside.indexed)),)
    least, most = (sizes(value) if key == "size" else moments(value, time.time())) or (0, -1)
    return f"{key} BETWEEN ? AND ?", (least, most)


def _folded(text: object) -> str | None:
    return folded(text) if isinstance(text, str) else None


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
    counts[UNPLACED] = len(ranked(database, View(UNPLACED, eye=eye), Beside())[0]) if unplaced else 0
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
