"""What kbtui changed, and what was there before: undo, and the trash that the service does not have.

One SQLite file for all base URLs, in WAL mode, every commit on the disk before it returns: a before-image is
safe before its request is sent. It is never rebuilt and never thrown away but within the limits of `trim`.
Where it cannot be used, the session goes on in memory and `notice` says so; the file stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from kbtui.database import Damaged, alone, error_code, is_damage, make_folder, reason, set_aside, transacted
from kbtui.errors import Refused
from kbtui.questions import Answer, Question, dump_answers, load_answers

T = TypeVar("T")

UNDOABLE = ("rename", "edit", "fetch", "draft", "auto-sync")
DAYS_WATCHED = 7.0  # for how long an edit of ours is compared with what the service holds
PATIENCE = 1.0  # seconds to wait for another kbtui that is writing; the keys wait, too
QUESTIONS = 200  # that are kept of a base URL; the one that was not used for longest gives way
ANSWERS = 10  # that are kept of a question, the last ones

_MIGRATIONS = (
    (
        """CREATE TABLE changes (
            id INTEGER PRIMARY KEY, base_url TEXT NOT NULL, document TEXT NOT NULL, kind TEXT NOT NULL,
            state TEXT NOT NULL, settled INTEGER NOT NULL, at REAL NOT NULL, updated INTEGER NOT NULL,
            name TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, size INTEGER NOT NULL)""",
        "CREATE INDEX changes_by_document ON changes (base_url, document, id)",
        "CREATE INDEX changes_by_state ON changes (base_url, state, kind, id)",
        """CREATE TABLE remembered (
            base_url TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (base_url, kind, key)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE questions (
            base_url TEXT NOT NULL, question TEXT NOT NULL, agent_name TEXT NOT NULL, used INTEGER NOT NULL,
            answers TEXT NOT NULL, PRIMARY KEY (base_url, question))""",
    ),
    (  # only the newest edit of a document was watched
        "UPDATE changes SET settled = 1 WHERE kind = 'edit' AND id NOT IN "
        "(SELECT max(id) FROM changes WHERE kind = 'edit' GROUP BY base_url, document)",
    ),
    ("UPDATE changes SET kind = 'auto-sync' WHERE kind = 'sync'",),
)
_NEWEST = "(SELECT ifnull(max(used), 0) + 1 FROM questions)"
_ANSWERS_OF = "SELECT (SELECT answers FROM questions WHERE base_url = ? AND question = ?)"
BUSY = "Another program holds the history of kbtui, without which nothing is changed: try again in a moment."
_OURS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE)  # faults of the program
_COLUMNS = "id, base_url, document, kind, state, settled, at, updated, name"  # and the images
_TYPES = (int, str, str, str, str, int, int | float, int, str, str, str)
_HELD = {  # what the images of a change hold, by its kind; a newer kbtui may hold more, and know more kinds
    "rename": (("name",), ("name",)),
    "edit": (("content", "format"), ("content",)),
    "draft": (("content", "format"), ("content",)),
    "fetch": (("content", "format"), ()),
}
_LATEST = 253_402_300_799  # Unix seconds; the last that a calendar knows


@dataclass(frozen=True)
class Change:
    """One change of one document.

    `kind` is one of `UNDOABLE` ("fetch": the service fetched a page again; "draft": words of the person that
    gave way to somebody else's; "auto-sync": its settings). `state` goes from "pending" (the request may be
    under way, or its fate unknown) to "done" (seen on the service) to "undone"; "superseded" is done, and
    not to be undone any more.
    `before` and `after` hold what was and what is: "name", "sync", or "content" and "format"; that of an edit
    also when its draft was "started", which stays the same whoever goes on with it.
    `at` is when it began and, once it is done, when that was seen; `updated` what the service then named as
    its last change; Unix seconds.
    `settled`: nobody needs to compare it with the service any more.
    """

    id: int
    base_url: str
    document: str
    kind: str
    state: str
    settled: bool
    at: float
    updated: int
    name: str
    before: dict[str, Any]
    after: dict[str, Any]


class _Newer(Exception):
    """The file was written by a newer kbtui."""


class History:
    """The changes of all base URLs, and the small things remembered between visits. For any thread.

    Every method that keeps a change raises `errors.Refused` where another program holds the file.

    Attributes:
        notice: what became of the file, in a sentence; empty where nothing did.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, notice: str = "") -> None:
        self.notice = notice
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path | None) -> History:
        """The history kept in `path`, begun where there is none; in memory where `path` is None.

        Never an error: a damaged file is set aside under another name, beside which a new one is begun;
        a file of a newer kbtui, or one that cannot be opened, is left alone and the session is in memory.
        """
        if path is None:
            return cls(_in_memory(), None)
        try:
            connection, notice = _open(path)
            return cls(connection, path, notice)
        except _Newer:
            why = "was written by a newer kbtui"
        except (sqlite3.Error, OSError) as fault:
            why = f"is not usable: {reason(fault)}"
        return cls(_in_memory(), None, f"The history {why}. It is kept; undo reaches back to now only.")

    @property
    def lasting(self) -> bool:
        """Whether what is kept outlives this session; else `notice` says why not."""
        return self._path is not None

    def close(self) -> None:
        """Closes the file. Harmless when repeated."""
        with self._lock:
            self._connection.close()

    # Changes

    def begin_change(
        self,
        base_url: str,
        document: str,
        name: str,
        kind: str,
        *,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> Change:
        """Keep what a document was, before the request that changes it is sent."""
        now = time.time()
        change = Change(
            time.time_ns(), base_url, document, kind, "pending", False, now, 0, name, before, after
        )
        return self._keep(change, new=True)

    def finish_change(self, change: Change, *, updated: int, after: dict[str, Any] | None = None) -> Change:
        """The change was seen on the service, which names `updated` as its time; it can be undone now.

        What was pending before it was not carried out by then: it will not be asked about any more.
        """
        after = change.after if after is None else after
        kept = self._keep(replace(change, state="done", at=time.time(), updated=updated, after=after))
        sql = (
            "UPDATE changes SET state = 'superseded' WHERE base_url = ? AND document = ? "
            "AND iif(kind IN ('rename', 'auto-sync'), kind, '') = ? AND state = 'pending' AND id < ?"
        )
        of = kept.kind if kept.kind in ("rename", "auto-sync") else ""
        self._write(lambda db: db.execute(sql, (kept.base_url, kept.document, of, kept.id)))
        return kept

    def abandon(self, change: Change) -> None:
        """The service did not carry the change out, for certain: what was before is what is."""
        self._write(lambda db: db.execute("DELETE FROM changes WHERE id = ?", (change.id,)))

    def mark_undone(self, change: Change) -> Change:
        """The reverse of the change was seen on the service."""
        return self._keep(replace(change, state="undone"))

    def supersede(self, change: Change) -> Change:
        """The document was changed again since: `latest_undoable` goes past this one. Its images stay."""
        return self._keep(replace(change, state="superseded"))

    def keep_draft(
        self, base_url: str, document: str, name: str, base: str, format: str, text: str
    ) -> Change:
        """Keep words of the person that gave way to somebody else's; undo makes them a draft again."""
        now = time.time()
        before, after = {"content": base, "format": format}, {"content": text}
        return self._keep(
            Change(time.time_ns(), base_url, document, "draft", "done", True, now, 0, name, before, after),
            new=True,
        )

    def latest_undoable(
        self, base_url: str, here: Callable[[str], bool] = lambda document: True, *, pending: bool = False
    ) -> Change | None:
        """The newest change that was carried out, not undone, and that a call can reverse; without images.

        Args:
            here: whether a document is to be thought of; a base URL may have many accounts.
            pending: also one of which nobody knows whether it was carried out.
        """
        kinds = ",".join("?" * len(UNDOABLE))
        states = "('done', 'pending')" if pending else "('done')"
        where = f"base_url = ? AND state IN {states} AND kind IN ({kinds}) ORDER BY id DESC"
        sql = f"SELECT {_COLUMNS}, '{{}}', '{{}}' FROM changes WHERE {where}"
        once = cache(here)

        def work(db: sqlite3.Connection) -> Change | None:
            rows = db.execute(sql, (base_url, *UNDOABLE))
            return next((_change(row, False) for row in rows if once(row[2])), None)

        return self._carry_out(work)

    def pending(self, base_url: str) -> list[Change]:
        """Changes of which nobody knows whether they were carried out, oldest first.

        Those of this moment too, of this kbtui and of others: look at `at`.
        """
        return self._select("base_url = ? AND state = 'pending' ORDER BY id", base_url)

    def changes(self, base_url: str, document: str, limit: int = 100, *, images: bool = True) -> list[Change]:
        """What was done to a document, newest first."""
        where = "base_url = ? AND document = ? ORDER BY id DESC LIMIT ?"
        return self._select(where, base_url, document, limit, images=images)

    # Words that another's save may have replaced

    def written(self, base_url: str, since: float | None = None) -> list[Change]:
        """Edits that are not settled, oldest first, without images.

        Not before `since`, else of the last seven days. `updated` is what the service named as the time of
        the edit; `whole` brings the text that it began with, `before["content"]`, and the one that kbtui
        wrote, `after["content"]`.
        """
        since = time.time() - DAYS_WATCHED * 86_400 if since is None else since
        where = "base_url = ? AND kind = 'edit' AND state = 'done' AND NOT settled AND at >= ? ORDER BY id"
        return self._select(where, base_url, since, images=False)

    def whole(self, change: Change) -> Change | None:
        """The change with its images, as it stands in the file now; None where it is gone."""
        found = self._select("id = ?", change.id)
        return found[0] if found else None

    def settle(self, change: Change) -> None:
        """The words of this edit were found on the service, or their loss was announced."""
        self._write(lambda db: db.execute("UPDATE changes SET settled = 1 WHERE id = ?", (change.id,)))

    # Small things remembered

    def remember(self, base_url: str, kind: str, key: str, value: Any) -> None:
        """Keep something small between visits: whatever JSON can hold. None forgets it.

        Not kept while another program holds the file: it is not worth a word.
        """
        if value is None:
            sql = "DELETE FROM remembered WHERE base_url = ? AND kind = ? AND key = ?"
            row: tuple[str, ...] = (base_url, kind, key)
        else:
            sql, row = "REPLACE INTO remembered VALUES (?, ?, ?, ?)", (base_url, kind, key, json.dumps(value))
        with contextlib.suppress(Refused):
            self._write(lambda db: db.execute(sql, row))

    def recall(self, base_url: str, kind: str, key: str) -> Any:
        """What was remembered, or None; also where that is damaged."""
        sql = "SELECT value FROM remembered WHERE base_url = ? AND kind = ? AND key = ?"
        row = self._carry_out(lambda db: db.execute(sql, (base_url, kind, key)).fetchone())
        try:
            return None if row is None else json.loads(row[0])
        except (ValueError, TypeError, RecursionError):
            return None

    # Kept questions

    def keep_question(self, base_url: str, question: Question) -> None:
        """Keep a question, or only name it as the newest in use where it is kept already."""
        keep = (
            f"INSERT INTO questions VALUES (?, ?, ?, {_NEWEST}, '[]') ON CONFLICT (base_url, question) "
            "DO UPDATE SET agent_name = excluded.agent_name, used = excluded.used"
        )
        trim = (
            "DELETE FROM questions WHERE base_url = ? AND used <= "
            "(SELECT used FROM questions WHERE base_url = ? ORDER BY used DESC LIMIT 1 OFFSET ?)"
        )
        row = (base_url, question.dumped(), question.names())
        self._write(lambda db: (db.execute(keep, row), db.execute(trim, (base_url, base_url, QUESTIONS))))

    def questions(self, base_url: str) -> list[Question]:
        """The questions that are kept, the newest in use first; without what is damaged."""
        sql = "SELECT question, agent_name FROM questions WHERE base_url = ? ORDER BY used DESC, question"
        rows = self._carry_out(lambda db: db.execute(sql, (base_url,)).fetchall())
        return [question for row in rows if (question := Question.loaded(*row))]

    def forget_question(self, base_url: str, question: Question) -> None:
        """Forget a question, and its answers with it."""
        sql = "DELETE FROM questions WHERE base_url = ? AND question = ?"
        self._write(lambda db: db.execute(sql, (base_url, question.dumped())))

    def remember_answer(self, base_url: str, question: Question, answer: Answer) -> Answer | None:
        """Keep an answer; the one before it, or None. Nothing of a question that is not kept any more."""
        sql = f"UPDATE questions SET used = {_NEWEST}, answers = ? WHERE base_url = ? AND question = ?"
        of = (base_url, question.dumped())

        def work(db: sqlite3.Connection) -> Answer | None:
            kept = load_answers(db.execute(_ANSWERS_OF, of).fetchone()[0])
            db.execute(sql, (dump_answers([answer, *kept][:ANSWERS]), *of))
            return kept[0] if kept else None

        return self._write(work)

    def last_answers(self, base_url: str, question: Question) -> list[Answer]:
        """The last answers of a question, newest first, `ANSWERS` at most; without what is damaged."""
        of = (base_url, question.dumped())
        return load_answers(self._carry_out(lambda db: db.execute(_ANSWERS_OF, of).fetchone()[0]))

    # Limits

    def trim(self, max_age: float, max_bytes: int) -> int:
        """Remove changes older than `max_age` seconds, then the oldest while all hold more than `max_bytes`.

        The newest stays in any case. Returns how many went.
        """
        newest = "(SELECT max(id) FROM changes)"

        def work(db: sqlite3.Connection) -> int:
            old = db.execute(f"DELETE FROM changes WHERE at < ? AND id < {newest}", (time.time() - max_age,))
            large = db.execute(
                "DELETE FROM changes WHERE id IN (SELECT id FROM (SELECT id, sum(size) OVER "
                f"(ORDER BY id DESC) AS total FROM changes) WHERE total > ?) AND id < {newest}",
                (max_bytes,),
            )
            return old.rowcount + large.rowcount

        gone = self._write(work)
        if gone:
            # As a script: `execute` takes the first step of this statement only, which frees one page.
            self._carry_out(lambda db: db.executescript("PRAGMA incremental_vacuum"))
        return gone

    # The file

    def _keep(self, change: Change, *, new: bool = False) -> Change:
        name, before, after = (json.dumps(part) for part in (change.name, change.before, change.after))

        def work(db: sqlite3.Connection) -> Change:
            kept = change
            if new:
                # Ids are times, so that they order the changes of every process; two at once differ by one.
                taken = db.execute("SELECT max(id) FROM changes").fetchone()[0] or 0
                kept = replace(change, id=max(change.id, taken + 1))
            db.execute(
                "REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kept.id, kept.base_url, kept.document, kept.kind, kept.state, kept.settled, kept.at,
                    kept.updated, name, before, after, len(before) + len(after),
                ),
            )  # fmt: skip
            return kept

        return self._write(work)

    def _select(self, where: str, *values: object, images: bool = True) -> list[Change]:
        texts = "before, after" if images else "'{}', '{}'"
        sql = f"SELECT {_COLUMNS}, {texts} FROM changes WHERE {where}"
        return self._carry_out(lambda db: [_change(row, images) for row in db.execute(sql, values)])

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(db: sqlite3.Connection) -> T:
            with transacted(db):
                return work(db)

        return self._carry_out(transaction)

    def _carry_out(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return work(self._connection)
            except (sqlite3.DatabaseError, UnicodeDecodeError, Damaged) as fault:
                if self._path is None or error_code(fault) in _OURS:
                    raise
                if error_code(fault) == sqlite3.SQLITE_BUSY:
                    raise Refused(BUSY) from fault
                self._leave_file(fault)
                return work(self._connection)

    def _leave_file(self, fault: sqlite3.DatabaseError | ValueError) -> None:
        """The file failed in the middle of a run: a new one where it is damaged, else memory."""
        assert self._path is not None
        small: dict[str, list[tuple[object, ...]]] = {}
        for table in ("remembered", "questions"):
            with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                small[table] = self._connection.execute(f"SELECT * FROM {table}").fetchall()
        self._connection.close()
        try:
            if not is_damage(fault):
                raise fault
            with alone(self._path):
                kept = _kept(self._path)
                self._connection = _connect(self._path)
            self.notice = (
                f"The history is damaged. It was set aside as {kept}; undo reaches back to now only."
            )
        except (sqlite3.Error, OSError) as why:
            self.notice = (
                f"The history cannot be used now: {reason(why)}. What is changed from now on "
                "can be undone in this session only."
            )
            self._path, self._connection = None, _in_memory()
        with transacted(self._connection):
            for table, row in ((table, row) for table, rows in small.items() for row in rows):
                self._connection.execute(f"REPLACE INTO {table} VALUES ({','.join('?' * len(row))})", row)


def _open(path: Path) -> tuple[sqlite3.Connection, str]:
    make_folder(path.parent)
    with alone(path):
        try:
            return _connect(path), ""
        except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
            if not is_damage(fault):
                raise
        kept = _kept(path)
        return _connect(path), f"The history was damaged. It was set aside as {kept} and begun anew."


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _migrate(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"SELECT {_COLUMNS}, before, after FROM changes LIMIT 1").fetchone()
        connection.execute("SELECT base_url, kind, key, value FROM remembered LIMIT 1").fetchone()
        connection.execute(f"SELECT agent_name, used, ({_ANSWERS_OF}) FROM questions LIMIT 1", ("", ""))
        connection.execute("SELECT max(id), max(size) FROM changes").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _migrate(connection)
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(_MIGRATIONS):
        raise _Newer
    if version == len(_MIGRATIONS):
        return
    if version == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    with transacted(connection):
        for number, statements in enumerate(_MIGRATIONS[version:], version + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")


def _kept(path: Path) -> str:
    """Sets the file aside under a name that nothing has, and gives it."""
    number = 1
    while path.with_name(f"{path.name}.damaged-{number}").exists():
        number += 1
    return set_aside(path, f"damaged-{number}")


def _change(row: tuple[Any, ...], images: bool) -> Change:
    if not all(map(isinstance, row, _TYPES)):
        raise Damaged("a column is of another kind")
    id, url, document, kind, state, settled, at, updated, *texts = row
    try:
        name, before, after = map(json.loads, texts)
    except (ValueError, RecursionError) as fault:
        raise Damaged("an image is none") from fault
    held = _HELD.get(kind, ((), ())) if images else ((), ())
    if not (0 <= at <= _LATEST and isinstance(name, str) and all(map(_holds, (before, after), held))):
        raise Damaged("a change is none")
    return Change(id, url, document, kind, state, bool(settled), at, updated, name, before, after)


def _holds(image: object, names: tuple[str, ...]) -> bool:
    return isinstance(image, dict) and all(isinstance(image.get(name), str) for name in names)
