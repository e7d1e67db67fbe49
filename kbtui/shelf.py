"""The contents of the documents opened last, as they were read; a part of the mirror in a file of its own."""

from __future__ import annotations

import sqlite3
from itertools import islice

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
        query = "SELECT document, format, text, updated, lossy FROM body WHERE document = ?"

        def work(database: sqlite3.Connection) -> Body | None:
            found = database.execute(query, (id,)).fetchone()
            return Body(*checked(found, _BODY)) if found else None

        body = self._database.read(work)
        if body is not None:
            self._opened.pop(id, None)
            self._opened[id] = None
            body = body._replace(lossy=bool(body.lossy))
        return body

    def opened(self, words: str, most: int) -> list[Body]:
        """Kept contents that hold each of these words, in any case; those opened last first."""
        wanted = words.casefold().split()
        query = "SELECT document, format, text, updated, lossy FROM body ORDER BY used DESC"

        def work(database: sqlite3.Connection) -> list[Body]:
            bodies = (Body(*checked(row, _BODY)) for row in database.execute(query))
            having = (each for each in bodies if all(map(each.text.casefold().__contains__, wanted)))
            return list(islice(having, most))

        return self._database.scan(work)

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
