"""One page of the list: filters, four orders, folders first, and a place to go on from, all in SQL.

Every order is total (ties by row number), so a page is a keyset query and costs the same at any depth.
Two plans: walk the index of the order and drop what a filter refuses, or, where a filter leaves few rows,
gather those by the filter's own index and sort them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from kbtui.demo.store import Row, Store, name_key

TYPES = ("file", "folder", "text", "url")
ORDERS = {"name": "name_key", "created_at": "created", "updated_at": "updated", "size": "size"}
_FEW = 20_000  # rows that are gathered and sorted faster than the order's index is walked
Place = list[Any]  # group, key and row number of the last row of a page


class Asked(NamedTuple):
    """What a list is asked for. `types` empty: all. `creator` a user's id."""

    search: str = ""
    types: tuple[str, ...] = ()
    parent: str | None = None
    ancestor: str | None = None
    creator: str | None = None
    folders_first: bool = False
    order: str = "created_at"
    descending: bool = True


class _Filter(NamedTuple):
    by: str
    sql: str
    values: tuple[Any, ...]


def page(store: Store, asked: Asked, size: int, place: Place | None) -> tuple[list[Row], Place | None]:
    """At most `size` documents after `place`, and the place of the last one if there are more."""
    filters = _filters(store, asked)
    driver = _driver(store, filters)
    types = list(asked.types or TYPES)
    groups = [types]
    if asked.folders_first:
        groups = [[t for t in types if t == "folder"], [t for t in types if t != "folder"]]
    rows: list[tuple[int, Row]] = []
    for number, group in enumerate(groups):
        if not group or (place and number < place[0]):
            continue
        after = place[1:] if place and number == place[0] else None
        found = _group(store, asked, group, filters, driver, after, size + 1 - len(rows))
        rows.extend((number, row) for row in found)
        if len(rows) > size:
            break
    kept = rows[:size]
    if len(rows) <= size:
        return [row for _, row in kept], None
    number, last = kept[-1]
    return [row for _, row in kept], [number, last[ORDERS[asked.order]], last["n"]]


def _filters(store: Store, asked: Asked) -> list[_Filter]:
    """The filters of a list, the most selective first."""
    found = []
    if asked.parent is not None:
        found.append(_Filter("documents_by_parent", "parent = ?", (asked.parent,)))
    if asked.ancestor is not None:
        below = json.dumps(store.subtree(asked.ancestor))
        found.append(_Filter("documents_by_parent", "parent in (select value from json_each(?))", (below,)))
    if asked.search:
        found.append(_prefix(asked.search))
    if asked.creator is not None:
        found.append(_Filter("documents_by_creator", "creator = ?", (asked.creator,)))
    return found


def _prefix(search: str) -> _Filter:
    key = name_key(search)
    types = ", ".join(f"'{t}'" for t in TYPES)  # the index begins with the type
    sql, values = f"type in ({types}) and name_key >= ?", [key]
    if (end := _successor(key)) is not None:
        sql, values = f"{sql} and name_key < ?", [*values, end]
    if search.casefold() != key:
        sql, values = f"{sql} and begins(name, ?)", [*values, search.casefold()]
    return _Filter("documents_by_name", sql, tuple(values))


def _successor(prefix: str) -> str | None:
    """The least string above everything that starts with `prefix`; None where there is none."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1])
        if code < 0x10FFFF:
            return prefix[: end - 1] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None


def _driver(store: Store, filters: list[_Filter]) -> _Filter | None:
    for each in filters:
        sql = f"select count(*) from (select 1 from documents indexed by {each.by} where {each.sql} limit ?)"
        if store.db.execute(sql, (*each.values, _FEW)).fetchone()[0] < _FEW:
            return each
    return None


def _group(
    store: Store,
    asked: Asked,
    types: list[str],
    filters: list[_Filter],
    driver: _Filter | None,
    after: Place | None,
    limit: int,
) -> list[Row]:
    key, way = ORDERS[asked.order], "desc" if asked.descending else "asc"
    order = f"order by {key} {way}, n {way}"
    where, values = [each.sql for each in filters], [v for each in filters for v in each.values]
    if after:
        where.append(f"({key}, n) {'<' if asked.descending else '>'} (?, ?)")
        values.extend(after)
    also = "".join(f" and {each}" for each in where)
    if driver:
        marks = ", ".join("?" for _ in types)
        sql = (
            f"select n from documents indexed by {driver.by}"
            f" where type in ({marks}){also} {order} limit {limit}"
        )
        parameters = [*types, *values]
    else:
        index = {"name_key": "documents_by_name"}.get(key, f"documents_by_{key}")
        one = f"select n from documents indexed by {index} where type = ?{also} {order} limit {limit}"
        sql = " union all ".join(f"select * from ({one})" for _ in types)
        parameters = [v for t in types for v in (t, *values)]
    return store.db.execute(
        f"select * from documents where n in ({sql}) {order} limit {limit}", parameters
    ).fetchall()
