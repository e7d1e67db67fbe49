"""One SQLite file that may be lost at any time, and never at the cost of what is on the screen.

The file is a copy of something that can be read again, so no fault of it is an error to anybody. A file
that is damaged, foreign or from a newer kbtui is set aside and begun anew. Where the file cannot be
written (a full disk, a read-only folder, another program that holds it), now or in the middle of a run,
the session goes on in memory with all that could be read. Either way `notice` says so in a sentence.

What goes wrong in the file for no reason of its surroundings is taken for damage, and is tried once more in
memory: damage is gone there, and a bug is raised.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

T = TypeVar("T")
Migrations = Sequence[Sequence[str]]  # each is a list of statements, carried out in one transaction

MARK = 0x6B627475  # application_id, "kbtu": tells a file of ours from anybody else's
PATIENCE = 10.0  # seconds to wait for another process that is writing

_SURROUNDINGS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not take {it}",
    sqlite3.SQLITE_READONLY: "{it} cannot be written",
    sqlite3.SQLITE_PERM: "{it} cannot be written",
    sqlite3.SQLITE_CANTOPEN: "{it} cannot be opened",
    sqlite3.SQLITE_BUSY: "another program holds {it}",
    sqlite3.SQLITE_LOCKED: "another program holds {it}",
    sqlite3.SQLITE_PROTOCOL: "another program holds {it}",
}
_OS_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EACCES: "{it} cannot be written",
    errno.EROFS: "{it} cannot be written",
    errno.EAGAIN: "another program holds {it}",
}


class Damaged(ValueError):
    """A file holds what kbtui never wrote there."""


class _Unusable(Exception):
    """A sound file that is not for this kbtui: why, and the ending of the name that it is kept under."""

    def __init__(self, reason: str, ending: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ending = ending


class _Seat(NamedTuple):
    """A connection, and the lock held by whoever uses it."""

    connection: sqlite3.Connection
    lock: threading.Lock


class Database:
    """Three connections to one file: short reads, long reads, writes. None of them waits for another.

    In memory the three are one, and a read may have to wait for the page that is being written.

    Attributes:
        notice: what became of the file, in a sentence; empty where nothing did.
    """

    def __init__(
        self, path: Path | None, migrations: Migrations, *, heir: Callable[[sqlite3.Connection], None]
    ) -> None:
        """Opens `path`, or a database in memory where it is None, and brings its schema up to date.

        `heir` is called, in a transaction, on a database that takes another's place in the middle of
        the run; it sees to it that nothing goes backwards that must not.
        """
        self.notice = ""
        self._path = path
        self._migrations = migrations
        self._heir = heir
        self._inode = 0
        self._claim: int | None = None
        try:
            self._seats = self._in_memory() if path is None else self._in_file(path)
        except (OSError, sqlite3.Error) as fault:
            self.notice = f"{_told(fault)}; this session keeps it in memory."
            self._seats = self._rescued()

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A read of a few milliseconds, which waits for no writer."""
        return self._carry_out(0, work)

    def scan(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A long read, for which neither short reads nor writers wait. Not for the event loop's thread."""
        return self._carry_out(1, work)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carries out `work` in one transaction; once more, in memory, where the file fails.

        Not for the event loop's thread.
        """

        def whole(connection: sqlite3.Connection) -> T:
            with transacted(connection):
                return work(connection)

        return self._carry_out(2, whole)

    def claim(self) -> bool:
        """Takes the claim to the file that only one can hold, in this process or any other.

        It ends with `release`, with `close`, or with the process, however that ends.
        """
        if self._claim is not None:
            return False
        path = os.devnull if self._path is None else f"{self._path}.sweep"
        try:
            claim = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            if self._path is not None:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(claim)
            return False
        self._claim = claim
        return True

    def release(self) -> None:
        """Gives the claim back, where it is held."""
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def close(self) -> None:
        """Closes the file, after the transaction that is being written. Harmless when repeated."""
        self.release()
        with contextlib.ExitStack() as held:
            seats = list(dict.fromkeys(self._seats))
            for seat in seats:
                held.enter_context(seat.lock)
            for seat in seats:
                with contextlib.suppress(sqlite3.Error):
                    seat.connection.close()

    def _carry_out(self, which: int, work: Callable[[sqlite3.Connection], T]) -> T:
        seats = self._seats
        try:
            with seats[which].lock:
                if seats is self._seats:
                    return work(seats[which].connection)
        except sqlite3.ProgrammingError:
            raise  # it is closed
        except (sqlite3.DatabaseError, ValueError, TypeError) as fault:
            self._retreat(fault, seats)
        return self._carry_out(which, work)

    def _retreat(self, fault: Exception, seats: tuple[_Seat, ...]) -> None:
        """Goes on in memory, once, with all that can still be read of the file."""
        if seats[0] is seats[2]:
            raise fault  # in memory, too
        with contextlib.ExitStack() as held:
            for seat in seats:
                held.enter_context(seat.lock)
            if seats is not self._seats:
                return
            self.notice = f"{_told(fault)}; this session goes on in memory."
            self._seats = self._in_memory(None if is_damage(fault) else seats[0].connection)
            with transacted(self._seats[0].connection):
                self._heir(self._seats[0].connection)
            for seat in seats:
                with contextlib.suppress(sqlite3.Error):
                    seat.connection.close()
            if is_damage(fault) and self._path and _inode(self._path) == self._inode:
                with contextlib.suppress(OSError):
                    kept = set_aside(self._path, "damaged")
                    self.notice = (
                        f"{_told(fault)} and was set aside as {kept}; this session goes on in memory."
                    )

    def _in_file(self, path: Path) -> tuple[_Seat, ...]:
        make_folder(path.parent)
        with alone(path):
            try:
                return self._connected(path)
            except _Unusable as unusable:
                reason, ending = unusable.reason, unusable.ending
            except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
                if not is_damage(fault):
                    raise
                reason, ending = _told(fault), "damaged"
            self.notice = f"{reason}; it was set aside as {set_aside(path, ending)} and is built anew."
            return self._connected(path)

    def _connected(self, path: Path) -> tuple[_Seat, ...]:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        elif path.stat().st_mode & 0o077:
            path.chmod(0o600)
        with contextlib.ExitStack() as opened:
            connections = [opened.enter_context(contextlib.closing(_connect(str(path)))) for _ in range(3)]
            self._prepare(connections[2])
            if not self._is_whole(connections[2]):
                raise _Unusable("The local copy is damaged", "damaged")
            opened.pop_all()
        self._inode = _inode(path)
        return tuple(_Seat(connection, threading.Lock()) for connection in connections)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Checks that the file is ours and of our time, and carries out the migrations it lacks."""
        version = _pragma(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and _pragma(connection, "application_id") != MARK:
            raise _Unusable("The place of the local copy is taken by a file that is not kbtui's", "foreign")
        if version > len(self._migrations):
            raise _Unusable("The local copy was written by a newer kbtui", "newer")
        connection.execute("PRAGMA journal_mode=WAL")
        while (version := _pragma(connection, "user_version")) < len(self._migrations):
            with transacted(connection):
                if version == _pragma(connection, "user_version"):  # no other process was faster
                    for statement in self._migrations[version]:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id={MARK}")
                    connection.execute(f"PRAGMA user_version={version + 1}")

    def _in_memory(self, source: sqlite3.Connection | None = None) -> tuple[_Seat, ...]:
        """A database in memory: a copy of `source` where that can be read and is sound, else an empty one."""
        memory = _connect(":memory:")
        if source is None or not self._copied(source, memory):
            memory.close()
            memory = _connect(":memory:")
            self._prepare(memory)
        return (_Seat(memory, threading.Lock()),) * 3

    def _copied(self, source: sqlite3.Connection, memory: sqlite3.Connection) -> bool:
        try:
            source.backup(memory)
            sound = memory.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            memory.execute(f"PRAGMA application_id={MARK}")  # fails where the header forbids to write
            return sound and self._is_whole(memory)
        except (sqlite3.Error, UnicodeDecodeError):
            return False

    def _is_whole(self, connection: sqlite3.Connection) -> bool:
        """Whether every table, index and trigger of the migrations is there, as they made it."""
        with contextlib.closing(_connect(":memory:")) as model:
            self._prepare(model)
            return _schema(model) <= _schema(connection)

    def _rescued(self) -> tuple[_Seat, ...]:
        """A database in memory with what a file that cannot be written still says."""
        written = Path(f"{self._path}-wal").exists()
        mode = "mode=ro" if written else "immutable=1"  # without a log nothing is written beside the file
        try:
            source = sqlite3.connect(f"file:{quote(str(self._path))}?{mode}", uri=True)
        except sqlite3.Error:
            return self._in_memory()
        with contextlib.closing(source):
            return self._in_memory(source)


def _connect(target: str) -> sqlite3.Connection:
    connection = sqlite3.connect(target, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA temp_store=MEMORY")  # sorting must not need a disk that may be full
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(connection.execute("SELECT type, name, sql FROM sqlite_master"))


@contextlib.contextmanager
def transacted(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is done in it is done, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Lets one process at a time judge the file, so that none sets aside what another has just built."""
    gate = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        yield
    finally:
        os.close(gate)


def checked(values: tuple[Any, ...], kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """`values`, which are of these kinds: SQLite itself would let a damaged column be of any."""
    if not all(map(isinstance, values, kinds)):
        raise Damaged("a column is of another kind")
    return values


def number(database: sqlite3.Connection, query: str, *values: str) -> int | None:
    """The number that a query finds, or None where it finds nothing."""
    found = database.execute(query, values).fetchone()
    return int(checked(found, (int,))[0]) if found else None


def make_folder(folder: Path) -> None:
    """Makes the folder and its parents, each for the person alone."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def set_aside(path: Path, ending: str) -> str:
    """Renames the file and its log, over what was set aside before, and gives the new name."""
    kept = path.with_name(f"{path.name}.{ending}")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{kept}{suffix}").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{kept}{suffix}")
    return kept.name


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def error_code(fault: BaseException) -> int:
    """SQLite's own number of what went wrong, without its finer parts; 0 where it named none."""
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF


def is_damage(fault: BaseException) -> bool:
    """Whether what went wrong is in the file, and not in its surroundings."""
    return not isinstance(fault, OSError) and error_code(fault) not in _SURROUNDINGS


def reason(fault: BaseException, it: str = "it") -> str:
    """What is wrong with `it`, a file, in a few words."""
    if isinstance(fault, OSError):
        return _OS_REASONS.get(fault.errno or 0, "{it} cannot be opened").format(it=it)
    return _SURROUNDINGS.get(error_code(fault), "{it} is damaged").format(it=it)


def _told(fault: BaseException) -> str:
    why = reason(fault, "the local copy")
    return why[0].upper() + why[1:]
