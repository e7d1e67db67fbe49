"""Folders and documents by what is typed of their names, or of the path to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kbtui.documents import folded

if TYPE_CHECKING:
    import sqlite3

    from kbtui.rows import FolderRow

LONGEST = 100  # characters of what is typed that are looked for
FOLDERS, DOCUMENTS = 50, 150  # that are found at most


def beginning_with(database: sqlite3.Connection, typed: str) -> list[int]:
    """Those whose names begin with what is typed, by their places: a look into the index, whatever there is.

    None while the index of names is not there, which the first complete sweep leaves behind.
    """
    start, index = _plain(typed), _index(database)
    if not start or not index:
        return []
    query = f"""SELECT pk FROM document {index}
        WHERE leaf = ? AND name_key >= ? AND name_key < ? ORDER BY name_key, id LIMIT ?"""
    found = list[int]()
    for leaf, most in enumerate((FOLDERS, DOCUMENTS)):
        found += [pk for (pk,) in database.execute(query, (leaf, start, f"{start}\U0010ffff", most))]
    return found


def like(database: sqlite3.Connection, folders: Iterable[FolderRow], typed: str) -> list[int]:
    """Those whose names hold the letters of each word in their order, by their places, the likeliest first.

    Of a path, `a/b/c`, the last part is looked for in folders that are called like those before it. Half a
    second at a million documents.
    """
    whole = _plain(typed)
    *above, last = (part.strip() for part in whole.split("/"))
    found = list[int]()
    if above := [part for part in above if part]:
        found = _matching(database, last.split(), _below(folders, above))
    return list(dict.fromkeys([*found, *_matching(database, whole.strip("/ ").split(), None)]))


def _below(folders: Iterable[FolderRow], path: Sequence[str]) -> list[str]:
    """The folders that a path, folded, may mean: its last part holds in their names, and so on upwards."""
    known = {folder.id: folder for folder in folders}

    def lies(folder: FolderRow) -> bool:
        here: FolderRow | None = folder
        for part in reversed(path):
            if here is None or part not in folded(here.name):
                return False
            here = known.get(here.parent or "")
        return True

    return [folder.id for folder in known.values() if lies(folder)]


def _matching(database: sqlite3.Connection, words: Sequence[str], parents: list[str] | None) -> list[int]:
    """What is called like these words; with `parents`, in these folders."""
    if not words and not parents:
        return []
    index = _index(database) if parents is None else ""
    where = "".join(" AND name_key LIKE ? ESCAPE '\\'" for _ in words)
    values = [*map(_pattern, words)]
    if parents is not None:
        where += " AND parent IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(parents))
    best = "".join("instr(name_key, ?) = 0, " for _ in words)
    query = f"""SELECT pk FROM document {index} WHERE leaf = ?{where}
        ORDER BY {best}length(name_key), name_key, id LIMIT ?"""
    found = list[int]()
    for leaf, most in enumerate((FOLDERS, DOCUMENTS)):
        found += [pk for (pk,) in database.execute(query, (leaf, *values, *words, most))]
    return found


def _index(database: sqlite3.Connection) -> str:
    """By which names are walked through fastest; "" before the first complete sweep."""
    there = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'document_name'").fetchone()
    return "INDEXED BY document_name" if there else ""


def _plain(typed: str) -> str:
    """What is typed as names are kept; half characters, which a paste may hold, are in none of them."""
    return folded(typed[:LONGEST].encode("utf-8", "ignore").decode()).strip()


def _pattern(word: str) -> str:
    return "%" + "%".join(f"\\{letter}" if letter in "%_\\" else letter for letter in word) + "%"
