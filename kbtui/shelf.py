"""The contents of the documents opened last, as they were read; a part of the mirror in a file of its own."""

from __future__ import annotations

import sqlite3

from kbtui.clock import next_ticket
from kbtui.database import Database, checked
from kbtui.rows import Body

BODIES = 64 * 2**20  # bytes of content kept, of the documents opened last

_BODY = (str, str, str, int, int)


class Shelf:
    """What `Mirror` does with contents."""

    _database: Database

    def __init__(self) -> None:
        self._opened: dict[str, None] = {}  # documents whose body was read, not yet noted, the latest last

    def body(self, id: str) -> Body | None:
        """The content of a document as it was last read, where it is still kept."""
        body = self.peek(id)
        if body is not None:
            self._opened.pop(id, None)
            self._opened[id] = None
        return body

    def peek(self, id: str) -> Body | None:
        """The same, without the document counting as opened by it."""
        query = "SELECT document, format, text, updated, lossy FROM body WHERE document = ?"

        def work(database: sqlite3.Connection) -> Body | None:
            found = database.execute(query, (id,)).fetchone()
            return Body(*checked(found, _BODY)) if found else None

        body = self._database.read(work)
        return body._replace(lossy=bool(body.lossy)) if body is not None else None

    def kept(self) -> list[str]:
        """The documents whose content is kept, those opened last first."""
        query = "SELECT document FROM body ORDER BY used DESC"
        noted = self._database.read(lambda database: [id for (id,) in database.execute(query)])
        return list(dict.fromkeys([*reversed(self._opened), *noted]))

    def keep_body(self, body: Body) -> None:
        """Keeps the content of a document, and lets go of those not opened for the longest time.

        What is larger than all that may be kept, or is no Unicode text, is not kept.
        """
        try:
            size = len(body.text.encode())
        except UnicodeEncodeError:
            size = BODIES + 1

        def work(database: sqlite3.Connection) -> None:
            used = next_ticket(database)
            for id in (*self._opened, body.document):
                database.execute("UPDATE body SET used = ? WHERE document = ?", (used, id))
                used = next_ticket(database)
            database.execute("DELETE FROM body WHERE document = ?", (body.document,))
            if size <= BODIES:
                values = (body.document, used, size, body.format, body.updated, body.lossy, body.text)
                database.execute("INSERT INTO body VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                _make_room(database)

        self._database.write(work)
        self._opened.clear()


def _make_room(database: sqlite3.Connection) -> None:
    (total,) = database.execute("SELECT sum(bytes) FROM body").fetchone()
    for used, size in database.execute("SELECT used, bytes FROM body ORDER BY used").fetchall():
        if total <= BODIES:
            break
        database.execute("DELETE FROM body WHERE used = ?", (used,))
        total -= size
