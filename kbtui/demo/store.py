"""The demo's documents in SQLite: one connection, used by one thread at a time (the server's loop).

`documents` holds what every list shows; bodies and files are kept apart from it, so that a walk over a
million rows touches nothing else. A generated document has a `seed` in place of a body.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kbtui.demo import generated, words
from kbtui.demo.contract import document_not_found, invalid
from kbtui.demo.tables import INDEXES, SCHEMA

ME = "user_demo"  # whose keys the two keys are: "@me"
SITE = "http://demo.invalid"  # stands for the server's own address wherever the sample names it
NAME_KEY = 200  # characters of a name that count for its place in the order

_LETTERS = string.ascii_letters + string.digits
Row = sqlite3.Row


def new_id() -> str:
    """Twenty letters and digits, as the service's ids."""
    return "".join(secrets.choice(_LETTERS) for _ in range(20))


def name_key(name: str) -> str:
    """What names are ordered and found by: case folded, the first 200 characters."""
    return name.casefold()[:NAME_KEY]


def loads(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def dumps(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _begins(name: str, key: str) -> bool:
    return name.casefold().startswith(key)


class Store:
    """The tables and the rules that hold whoever asks. Times are Unix seconds."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.row_factory = sqlite3.Row
        db.isolation_level = None
        db.create_function("begins", 2, _begins, deterministic=True)

    @classmethod
    def open(cls, path: Path | None) -> Store:
        """The store in a file; None: a private one that vanishes with the process, however it ends."""
        db = sqlite3.connect("" if path is None else path, check_same_thread=False, cached_statements=256)
        store = cls(db)
        if path is not None:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
        else:
            db.execute("pragma journal_mode = memory")
            db.execute("pragma synchronous = off")
        db.execute("pragma foreign_keys = on")
        return store

    def is_empty(self) -> bool:
        """Whether the tables are still to be made."""
        return self.db.execute("select 1 from sqlite_master where name = 'meta'").fetchone() is None

    def create(self, *schemas: str) -> None:
        """Make the tables, those of the other rooms included."""
        scripts = (SCHEMA, words.SCHEMA, *schemas, ";".join(INDEXES.values()))
        self.db.executescript(f"begin; {' '.join(scripts)}; commit")

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Never await inside it; one within another is one."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("begin immediate")
        try:
            yield
            self.db.execute("commit")
        except BaseException:
            if self.db.in_transaction:  # a full disk may have ended it already
                self.db.execute("rollback")
            raise

    def meta(self, key: str) -> str | None:
        row = self.db.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row["value"])

    def set_meta(self, key: str, value: str) -> None:
        self.db.execute("insert or replace into meta values (?, ?)", (key, value))

    # Documents

    def add(
        self,
        type: str,
        name: str,
        *,
        id: str | None = None,
        parent: str | None = None,
        text: str = "",
        file: bytes | None = None,
        format: str = "markdown",
        created: int | None = None,
        updated: int | None = None,
        **columns: Any,
    ) -> str:
        """Insert a document and return its id: `text` is its content, `file` the bytes it came from.

        `columns` are further ones of the table: creator (me), role (admin), url, filename, frozen, and
        auto_sync, external_sync, refresh_status, sync_job as the contract's objects.
        """
        created = int(time.time()) if created is None else created
        id = id or new_id()
        with self.transaction():
            n = self.insert(
                "documents",
                **{"creator": ME, "role": "admin", **columns},
                id=id,
                type=type,
                name=name,
                name_key=name_key(name),
                parent=parent,
                size=len(text.encode() if file is None else file),
                created=created,
                updated=created if updated is None else updated,
                format=None if type == "folder" else format,
            )
            if file is not None:
                self.set_file(n, file)
            if type != "folder":
                self._write_body(n, text, format)
        return id

    def insert(self, table: str, **columns: Any) -> int:
        """Add a row, dicts as JSON, and return its number."""
        values = {key: dumps(value) if isinstance(value, dict) else value for key, value in columns.items()}
        marks = ", ".join(f":{column}" for column in values)
        added = self.db.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", values)
        return added.lastrowid or 0

    def find(self, id: str) -> Row | None:
        row: Row | None = self.db.execute("select * from documents where id = ?", (id,)).fetchone()
        return row

    def document(self, id: str) -> Row:
        """The document; raises 404 in the service's words."""
        row = self.find(id)
        if row is None:
            raise document_not_found(id)
        return row

    def folder(self, id: str, param: str) -> Row:
        """The folder that a request names in `param`; raises 404, or 400 where it is no folder."""
        row = self.find(id)
        if row is None:
            raise document_not_found(id, param)
        if row["type"] != "folder":
            raise invalid(f"{id} is not a folder.", param)
        return row

    def update(self, id: str, **columns: Any) -> None:
        """Set columns of a document; dicts become JSON, a name brings its key along."""
        if "name" in columns:
            columns["name_key"] = name_key(columns["name"])
        values = {key: dumps(value) if isinstance(value, dict) else value for key, value in columns.items()}
        pairs = ", ".join(f"{column} = :{column}" for column in values)
        self.db.execute(f"update documents set {pairs} where id = :_id", {**values, "_id": id})

    def text(self, row: Row) -> str:
        """The content of a document, as it is stored or as it is generated."""
        found = self.db.execute("select text from bodies where n = ?", (row["n"],)).fetchone()
        if found is not None:
            return str(found["text"])
        return "" if row["seed"] is None else generated.text(row["seed"])

    def set_text(self, row: Row, text: str, *, format: str | None = None, size: int | None = None) -> None:
        """Replace the content; the content search follows, the RAG indexes are the caller's concern."""
        form = format or row["format"]
        with self.transaction():
            if row["seed"] is not None:
                self._settle(row)
            self._write_body(row["n"], text, form)
            size = len(text.encode()) if size is None else size
            self.update(row["id"], size=size, format=form, updated=int(time.time()))

    def _settle(self, row: Row) -> None:
        """Write down what followed from the seed of a generated document, and take the seed away."""
        seed = row["seed"]
        if row["type"] == "url":
            self.update(row["id"], url=generated.url(seed, self.meta("base") or SITE))
        if row["type"] == "file":
            self.set_file(row["n"], generated.text(seed).encode())
            self.update(row["id"], filename=generated.filename(seed))
        self.update(row["id"], seed=None)

    def _write_body(self, n: int, text: str, format: str | None) -> None:
        self.db.execute("insert or replace into bodies values (?, ?)", (n, text))
        words.put(self.db, n, words.plain(text, format))

    def file(self, row: Row) -> bytes:
        """The bytes a file document came from."""
        found = self.db.execute("select data from files where n = ?", (row["n"],)).fetchone()
        return self.text(row).encode() if found is None else bytes(found["data"])

    def set_file(self, n: int, data: bytes) -> None:
        self.db.execute("insert or replace into files values (?, ?)", (n, data))

    # The tree

    def ancestors(self, parent: str | None, known: dict[str, Row] | None = None) -> list[Row]:
        """The folders from the root down to `parent`, itself included. `known` spares repeated look-ups."""
        known = {} if known is None else known
        path: list[Row] = []
        while parent is not None:
            row = known.get(parent) or self.find(parent)
            if row is None:
                break
            known[parent] = row
            path.append(row)
            parent = row["parent"]
        return path[::-1]

    def subtree(self, id: str) -> list[str]:
        """The ids of a folder and of every folder below it."""
        rows = self.db.execute(
            "with recursive below (id) as (values (?) union all select documents.id from documents"
            " join below on documents.parent = below.id and documents.type = 'folder') select id from below",
            (id,),
        )
        return [row["id"] for row in rows]

    def children(self, folders: Iterable[str]) -> list[Row]:
        """Everything whose parent is one of these folders."""
        marks = json.dumps(list(folders))
        return self.db.execute(
            "select * from documents where parent in (select value from json_each(?))", (marks,)
        ).fetchall()

    def remove(self, ids: Iterable[str]) -> None:
        """Delete documents, folders with all they hold, and the agents' references to any of them."""
        with self.transaction():
            self.db.execute("create temp table gone (n integer primary key, id text not null)")
            self.db.execute(
                "with recursive below (n, id, type) as (select n, id, type from documents"
                " where id in (select value from json_each(?)) union select documents.n, documents.id,"
                " documents.type from documents join below on documents.parent = below.id"
                " where below.type = 'folder') insert into gone select n, id from below",
                (json.dumps(list(ids)),),
            )
            words.drop(self.db, "select n from gone")
            self.db.execute("delete from attachments where document in (select id from gone)")
            self.db.execute("delete from documents where n in (select n from gone)")
            self.db.execute("drop table gone")

    def rebase(self, base: str) -> None:
        """Let every address of the site follow the server to `base`, which is new at each start."""
        old = self.meta("base") or SITE
        for table, column in (("documents", "url"), ("crawl_jobs", "seed_url")):
            if self.db.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone():
                self.db.execute(
                    f"update {table} set {column} = ? || substr({column}, ?)"
                    f" where {column} >= ? || '/' and {column} < ? || '0'",  # '0' comes after '/'
                    (base, len(old) + 1, old, old),
                )
        self.set_meta("base", base)
