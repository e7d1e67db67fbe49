"""What the service last said, kept in SQLite so that a list of a million paints before any answer comes.

A mirror may be deleted, damaged or left behind at any time: the next sweep fills it again. Its own clock
gives out tickets, and every row remembers the latest ticket under which the service told of it. Whoever
*reads* from the service takes the ticket before the request; whoever *writes* takes it after the answer.
So a page that was asked for before a save, and arrives after it, is older than the save and cannot undo it.

`row`, `window`, `rank`, `folders`, `path`, `count`, `version`, `summary` and `body` take well
under a millisecond for what fits on a screen and wait for no writer: they may be called on the event loop.
Everything that writes, and `listing` of more than a few thousand rows, belongs in `asyncio.to_thread`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kbtui.clock import changes, next_ticket
from kbtui.database import Database, checked, number
from kbtui.documents import COLUMNS, LOCKS, SAID, columns, said, told
from kbtui.documents import lock_reason as lock_reason
from kbtui.names import beginning_with, like
from kbtui.rows import ALL, UNPLACED, Beside, DocumentRow, Eye, FolderRow, Sight, View
from kbtui.schema import BY_NAME, MIGRATIONS
from kbtui.shelf import Shelf
from kbtui.views import Listing, count_unplaced, ranked, sight

SMALL = 3000  # rows that are ranked in a few milliseconds
STALE = 6 * 3600.0  # seconds after which a sweep that was cut is begun anew
NOTHING = Beside()
GRACE = 3600.0  # seconds for which a page that is on its way cannot bring back what was removed


class Place(NamedTuple):
    """How far a sweep has read one part of the list, which is enough to go on from there.

    `first` and `edge` are the times by which the part is sorted, of its first and its latest row; None
    before the first page, or where the service does not keep to the order.
    """

    name: str
    cursor: str | None = None
    first: int | None = None
    edge: int | None = None
    done: bool = False


class SweepState(NamedTuple):
    """A sweep that begins, or goes on where an earlier one was cut."""

    ticket: int  # rows seen under an older ticket have not been seen by this sweep
    seen: int  # rows it has seen so far
    total: int | None  # rows after the last complete sweep
    newest: int | None  # whatever was updated before this second is known, of every type
    places: dict[str, Place]
    losses: int  # how often the mirror had lost what was stored
    kept: bool  # whether it will be remembered; another living kbtui may be sweeping too


class Taking(NamedTuple):
    """A page on its way into the mirror, and the place that the sweep has then reached."""

    documents: list[dict[str, Any]]
    ticket: int
    since: int  # the ticket of the sweep
    place: Place | None = None


class Taken(NamedTuple):
    """What a page did: rows changed, rows not seen by the sweep before, and a ticket for the next request."""

    changed: int
    fresh: int
    ticket: int


class Mirror(Shelf):
    """The local copy of one workspace; any number of threads and processes may use one file."""

    def __init__(self, path: Path | None) -> None:
        """Opens the mirror at `path`, or one in memory where it is None. No fault of the file is an error."""
        super().__init__()
        self._ticket = 0  # the latest that is known here
        self._changes = 0
        self._unplaced = (-1, 0)  # the version at which the unplaced were counted, and how many they were
        self.losses = 0  # how often, in this run, a damaged file took what was stored with it
        self._database = Database(path, MIGRATIONS, heir=self._inherit)

    @property
    def notice(self) -> str:
        """What became of the file, in a sentence; empty where nothing did. It may come in mid-run."""
        return self._database.notice

    @property
    def version(self) -> int:
        """Grows whenever what readers see has changed, by this process or another."""
        self._changes = self._database.read(changes)
        return self._changes

    def close(self) -> None:
        """Closes the file. A sweep that is cut by it stays resumable. Harmless when repeated."""
        self._database.close()

    # What the service said

    def ticket(self) -> int:
        """The next tick of the mirror's clock, which all processes share. Not for the event loop's thread."""
        self._ticket = self._database.write(next_ticket)
        return self._ticket

    def store(self, documents: Iterable[Mapping[str, Any]], ticket: int) -> int:
        """Takes in documents, summaries or full, that the service told of under `ticket`.

        A row is overwritten if it was last told of under an older ticket, or if `documents` shows it as
        updated later; either way it counts as seen under this ticket. A document removed under a later
        ticket stays away. Gives the number of rows that changed.
        """
        rows = [row for document in documents if (row := columns(document))]
        return self._database.write(lambda database: _stored(database, rows, ticket, ticket))

    def take(self, pages: Iterable[Taking]) -> list[Taken]:
        """Takes in several pages of a sweep, and the places they led to, in one transaction.

        A row that this sweep has seen before is passed over unless it was updated since.
        """
        met: set[str] = set()
        prepared = [(page, *self._prepared(page, met)) for page in pages]

        def work(database: sqlite3.Connection) -> list[Taken]:
            taken = []
            for page, rows, fresh in prepared:
                changed = _stored(database, rows, page.ticket, page.since)
                if page.place:
                    database.execute("REPLACE INTO place VALUES (?, ?, ?, ?, ?)", page.place)
                taken.append(Taken(changed, fresh, next_ticket(database)))
            return taken

        results = self._database.write(work)
        self._ticket = max([self._ticket, *(page.ticket for page in results)])
        return results

    def _prepared(self, page: Taking, met: set[str]) -> tuple[list[tuple[Any, ...]], int]:
        """The rows of a page that may be news, and how many the sweep has not seen, nor are among `met`."""
        query = "SELECT id, updated FROM document WHERE id IN (SELECT value FROM json_each(?)) AND seen >= ?"
        ids = {known[0] for document in page.documents if (known := told(document))}
        values = (json.dumps([*ids]), page.since)
        seen = set(self._database.scan(lambda database: database.execute(query, values).fetchall()))
        news = (document for document in page.documents if told(document) not in seen)
        rows = [row for document in news if (row := columns(document))]
        fresh = ids - met - {id for id, _ in seen}
        met |= ids
        return rows, len(fresh)

    def unseen(self, ticket: int) -> list[str]:
        """The ids that were not seen under this ticket or a later one."""
        query = "SELECT id FROM document WHERE seen < ? ORDER BY pk"
        return self._database.scan(lambda database: _ids(database, query, ticket))

    def remove(self, ids: Iterable[str]) -> int:
        """Forgets documents of which the service has said that they do not exist; gives how many were known.

        A page that was asked for before this call does not bring them back.
        """
        gone = list(ids)

        def work(database: sqlite3.Connection) -> int:
            now, ticket = time.time(), next_ticket(database)
            removed = database.executemany(
                "DELETE FROM document WHERE id = ?", ((id,) for id in gone)
            ).rowcount
            database.executemany("DELETE FROM body WHERE document = ?", ((id,) for id in gone))
            database.execute("DELETE FROM gone WHERE at NOT BETWEEN ? AND ?", (now - GRACE, now))
            database.executemany("REPLACE INTO gone VALUES (?, ?, ?)", ((id, ticket, now) for id in gone))
            return _noted(database, max(removed, 0))

        return self._database.write(work)

    # What a list shows

    def row(self, id: str) -> DocumentRow | None:
        """One document as a line of a list, or None where the mirror does not know it."""

        def work(database: sqlite3.Connection) -> DocumentRow | None:
            found = database.execute(_ROW + "id = ?", (id,)).fetchone()
            return _row(found) if found else None

        return self._database.read(work)

    def knew(self, id: str) -> bool:
        """Whether the document is here, or was removed not too long ago."""
        query = "SELECT 1 FROM document WHERE id = ?1 UNION ALL SELECT 1 FROM gone WHERE id = ?1"
        return self._database.read(lambda database: database.execute(query, (id,)).fetchone()) is not None

    def sizes(self, ids: Iterable[str]) -> dict[str, int]:
        """The bytes of those of these documents that are here; a folder has none itself."""
        query = "SELECT id, size * leaf FROM document WHERE id IN (SELECT value FROM json_each(?))"
        values = (json.dumps(list(ids)),)
        return self._database.read(lambda database: dict(database.execute(query, values)))

    def summary(self, id: str) -> dict[str, Any] | None:
        """Everything the service last said of a document but its body, in the service's own shape."""
        query = f"SELECT {SAID} FROM document WHERE id = ?"

        def work(database: sqlite3.Connection) -> dict[str, Any] | None:
            found = database.execute(query, (id,)).fetchone()
            return said(*checked(found, _SAID)) if found else None

        return self._database.read(work)

    def folders(self) -> list[FolderRow]:
        """All folders by name. A parent may be unknown, and folders may form a cycle: see `UNPLACED`."""
        query = f"{_FOLDER} leaf = 0 ORDER BY name_key, id"
        return self._database.read(lambda database: [_folder(row) for row in database.execute(query)])

    def labels(self, most: int) -> list[tuple[str, str]]:
        """The names of documents, of so many at most, each with that of its folder, "" where it has none."""
        query = """SELECT document.name, ifnull(folder.name, '') FROM document
                   LEFT JOIN document AS folder ON folder.id = document.parent WHERE document.leaf LIMIT ?"""
        return self._database.read(
            lambda database: [checked(row, (str, str)) for row in database.execute(query, (most,))]
        )

    def path(self, id: str) -> list[FolderRow]:
        """The folders from the root, or from where the trail is lost, down to the parent of a document."""

        def work(database: sqlite3.Connection) -> list[FolderRow]:
            trail: dict[str, FolderRow] = {}
            (parent,) = database.execute("SELECT parent FROM document WHERE id = ?", (id,)).fetchone() or (
                None,
            )
            while parent is not None and parent not in trail and parent != id:
                found = database.execute(_FOLDER + "id = ? AND leaf = 0", (parent,)).fetchone()
                if not found:
                    break
                trail[parent] = _folder(found)
                parent = trail[parent].parent
            return [*trail.values()][::-1]

        return self._database.read(work)

    def count(self, scope: str) -> int:
        """How many rows the listing of a scope has without a filter."""
        if scope == UNPLACED:
            version = self.version
            if self._unplaced[0] != version:
                self._unplaced = (version, self._database.read(count_unplaced))
            return self._unplaced[1]
        query = "SELECT count FROM tally WHERE scope = ?"
        return self._database.read(lambda database: number(database, query, scope)) or 0

    def sight(self, eye: Eye) -> Sight:
        """What an agent sees of the folders, and how many rows the listing of each scope has for it."""
        unplaced = self.count(UNPLACED) > 0
        return self._database.read(lambda database: sight(database, eye, unplaced))

    def listing(self, view: View, beside: Beside = NOTHING) -> Listing:
        """The rows of a view, folders first, in a total order: what sorts equal is sorted by id.

        A few milliseconds for up to `SMALL` rows; a second for a million, in which no other reader waits.
        """
        version = self.version
        small = view.scope not in (ALL, UNPLACED) and self.count(view.scope) <= SMALL
        carry_out = self._database.read if small else self._database.scan
        rows, unknown = carry_out(lambda database: ranked(database, view, beside))
        return Listing(view, rows, version, unknown)

    def window(self, listing: Listing, start: int, stop: int) -> list[DocumentRow]:
        """The rows from `start` to `stop`, as they are now. Rows removed since are left out."""
        wanted = listing.rows[max(start, 0) : max(stop, 0)]
        return self._database.read(lambda database: _rows(database, wanted))

    def listed(self, listing: Listing, start: int, stop: int) -> dict[str, int]:
        """The ids of the rows from `start` to `stop`, in their order, with their bytes as of `sizes`.

        A few milliseconds for up to `SMALL` rows.
        """
        query = """SELECT document.id, document.size * leaf FROM json_each(?) AS place
                   CROSS JOIN document ON pk = place.value"""
        rows = listing.rows[max(start, 0) : max(stop, 0)]
        carry_out = self._database.read if len(rows) <= SMALL else self._database.scan
        return carry_out(lambda database: dict(database.execute(query, (json.dumps(rows.tolist()),))))

    def rank(self, listing: Listing, id: str) -> int | None:
        """Where a document stands in a listing, counted from 0; None where it does not."""
        query = "SELECT pk FROM document WHERE id = ?"
        found = self._database.read(lambda database: database.execute(query, (id,)).fetchone())
        try:
            return listing.rows.index(found[0]) if found else None
        except ValueError:
            return None

    def beginning_with(self, typed: str) -> list[DocumentRow]:
        """The first folders, then documents, whose names begin with what is typed."""
        return self._database.read(lambda database: _rows(database, beginning_with(database, typed)))

    def like(self, typed: str) -> list[DocumentRow]:
        """The folders, then documents, that what is typed may name, or a path; see `names.like`.

        A few milliseconds for up to `SMALL` rows; for more, not on the event loop.
        """
        folders = self.folders() if "/" in typed else []
        carry_out = self._database.read if self.count(ALL) <= SMALL else self._database.scan
        return carry_out(lambda database: _rows(database, like(database, folders, typed)))

    # Sweeps

    def claim(self) -> bool:
        """Takes the claim to the sweep that this mirror remembers, which only one in the world can hold.

        It ends with `release`, `close`, or the process, however that ends.
        """
        return self._database.claim()

    def release(self) -> None:
        """Gives the claim back. A sweep that is not ended is left for the next to go on with."""
        self._database.release()

    def begin_sweep(self, kept: bool) -> SweepState:
        """Begins a sweep. One that is `kept`, which takes the claim, goes on where the last was cut."""

        def work(database: sqlite3.Connection) -> SweepState:
            ticket, places = _cut_sweep(database) if kept else (None, {})
            if ticket is None:
                ticket = next_ticket(database)
                if kept:
                    database.execute("DELETE FROM sweep")
                    database.execute("DELETE FROM place")
                    database.execute("INSERT INTO sweep VALUES (?, ?)", (ticket, time.time()))
            (seen,) = database.execute("SELECT count(*) FROM document WHERE seen >= ?", (ticket,)).fetchone()
            facts = dict(checked(row, (str, int)) for row in database.execute("SELECT * FROM fact"))
            return SweepState(
                ticket, seen, facts.get("total"), facts.get("newest"), places, self.losses, kept
            )

        return self._database.write(work)

    def miscounted(self, ticket: int) -> list[str]:
        """Folders that, by the service's own count, have other children than this sweep has seen."""
        query = """SELECT id FROM document AS folder WHERE leaf = 0 AND children IS NOT NULL AND children <>
            (SELECT count(*) FROM document AS child WHERE child.parent = folder.id AND child.seen >= ?)"""
        return self._database.scan(lambda database: _ids(database, query, ticket))

    def end_sweep(self, state: SweepState, *, complete: bool = False, newest: int | None = None) -> None:
        """Ends a sweep, so that no other goes on with it.

        Where it was complete, the number of rows and `newest` (see `SweepState`) are remembered.
        """

        def work(database: sqlite3.Connection) -> None:
            if state.kept:
                database.execute("DELETE FROM sweep")
                database.execute("DELETE FROM place")
            if complete:
                rows = "SELECT count(*) FROM document"
                database.execute(
                    f"REPLACE INTO fact VALUES ('total', ({rows})), ('swept', ?)", (int(time.time()),)
                )
                database.execute(BY_NAME)
            if complete and newest is not None:
                database.execute("REPLACE INTO fact VALUES ('newest', ?)", (newest,))

        self._database.write(work)

    def caught_up(self, newest: int) -> None:
        """Remembers that whatever was updated before this second is known."""
        self._database.write(
            lambda database: database.execute("REPLACE INTO fact VALUES ('newest', ?)", (newest,))
        )

    def newest(self) -> int | None:
        """Whatever was updated before this second is known; None before the first complete sweep."""
        return self._fact("newest")

    def swept(self) -> int | None:
        """When the last complete sweep ended, in Unix seconds; None before the first."""
        return self._fact("swept")

    def _fact(self, name: str) -> int | None:
        query = "SELECT value FROM fact WHERE name = ?"
        return self._database.read(lambda database: number(database, query, name))

    def _inherit(self, memory: sqlite3.Connection) -> None:
        """Lets a database that takes over in mid-run never count backwards, nor use a row's place twice."""
        ((ticket,),) = memory.execute("SELECT ticket FROM clock")
        self.losses += ticket == 0
        clock = "UPDATE clock SET ticket = max(ticket, ?), changes = max(changes, ?) + 1"
        memory.execute(clock, (self._ticket, self._changes))
        if not memory.execute("SELECT 1 FROM sqlite_sequence").fetchone():
            memory.execute("INSERT INTO sqlite_sequence VALUES ('document', ?)", (1 << 40,))


_ROW = """SELECT id, name, type, size, created, updated, parent, children, documents, role, url, lock
          FROM document WHERE """
_FOLDER = "SELECT id, name, parent, ifnull(children, 0), ifnull(documents, 0) FROM document WHERE "

_TEXT, _COUNT = str | None, int | None
_DOCUMENT = (str, str, str, int, int, int, _TEXT, _COUNT, _COUNT, str, _TEXT, _TEXT)
_FOLDERS = (str, str, _TEXT, int, int)
_SAID = (str, str, str, int, int, int, _TEXT, _COUNT, _COUNT, _TEXT, str)
_PLACE = (str, _TEXT, _COUNT, _COUNT, int)

_VALUES = COLUMNS.replace("id, ", "", 1)
_THEIRS = ", ".join(f"excluded.{column}" for column in _VALUES.split(", "))
_STORE = f"""
    INSERT INTO document ({COLUMNS}, seen) SELECT {", ".join("?" * (COLUMNS.count(",") + 2))}
    WHERE NOT EXISTS (SELECT 1 FROM gone WHERE id = ?1 AND ticket > ?16)
    ON CONFLICT (id) DO UPDATE SET ({_VALUES}, seen) = ({_THEIRS}, max(seen, excluded.seen))
    WHERE (excluded.seen > seen OR excluded.updated > updated) AND ({_VALUES}) IS NOT ({_THEIRS})"""
_STAMP = "UPDATE document SET seen = ? WHERE id = ? AND seen < ?"


def _stored(database: sqlite3.Connection, rows: list[tuple[Any, ...]], ticket: int, since: int) -> int:
    """Stores rows and stamps those not seen under `since` or later; gives how many changed."""
    changed = database.executemany(_STORE, [(*row, ticket) for row in rows]).rowcount
    database.executemany(_STAMP, [(ticket, row[0], since) for row in rows])
    return _noted(database, max(changed, 0))


def _noted(database: sqlite3.Connection, changed: int) -> int:
    """Lets the version grow where something changed."""
    if changed:
        database.execute("UPDATE clock SET changes = changes + 1")
    return changed


def _ids(database: sqlite3.Connection, query: str, ticket: int) -> list[str]:
    return [checked(row, (str,))[0] for row in database.execute(query, (ticket,))]


def _row(found: tuple[Any, ...]) -> DocumentRow:
    *values, lock = checked(found, _DOCUMENT)
    return DocumentRow._make((*values, LOCKS.get(lock)))


def _rows(database: sqlite3.Connection, places: Iterable[int]) -> list[DocumentRow]:
    found = (database.execute(_ROW + "pk = ?", (pk,)).fetchone() for pk in places)
    return [_row(row) for row in found if row]


def _folder(found: tuple[Any, ...]) -> FolderRow:
    return FolderRow(*checked(found, _FOLDERS))


def _cut_sweep(database: sqlite3.Connection) -> tuple[int | None, dict[str, Place]]:
    """The sweep that was cut not too long ago, and its places; None where there is none."""
    now = time.time()
    query = "SELECT ticket FROM sweep WHERE began BETWEEN ? AND ?"
    (ticket,) = database.execute(query, (now - STALE, now)).fetchone() or (None,)
    places = [Place(*checked(row, _PLACE)) for row in database.execute("SELECT * FROM place")]
    return ticket, {place.name: place._replace(done=bool(place.done)) for place in places} if ticket else {}
