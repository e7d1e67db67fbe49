"""The drafts: what a person typed is on the disk a moment later, whatever happens then.

A plain thread with a timer writes them, so that neither a busy nor a blocked event loop matters. The timer
runs from the first key that is not on the disk, and fires while typing goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kbtui.errors import Refused
from kbtui.journal import UNREADABLE, Draft, Journal, returned
from kbtui.rows import Body, DocumentRow

__all__ = ["Draft", "Drafts"]

DELAY = 0.6  # seconds from the first key that is not on the disk; what is left of one second is for the disk
_ODD = "The editor saved bytes that are no UTF-8; they are kept in"
PATIENCE = 2.0  # seconds that a flush waits for the last step of a write, which takes microseconds


class _Entry:
    """A draft of this session: how to get its text, and what the disk has of it."""

    def __init__(self, draft: Draft, *, written: bool = False) -> None:
        self.held = draft, _constant(draft.text)  # one attribute: another thread sees both, or neither
        self.written = written
        self.on_disk = None if written else (draft.base, draft.base)  # base and text; None: to be written
        self.newest = 0  # the serial of the newest write that was, or is being, completed
        self.dropped = False

    def now(self) -> Draft:
        draft, snapshot = self.held
        return replace(draft, text=snapshot(), saved_at=time.time())

    def hold(self, snapshot: Callable[[], str], draft: Draft | None = None) -> None:
        self.held = draft or self.held[0], snapshot


class Drafts:
    """The drafts of one base URL: those of this session, and those that others left or are typing in.

    Nothing here fails because of the disk while somebody types.

    Args:
        folder: where the journals of all base URLs are.
        base_url: whose drafts these are; they outlive a key.
        delay: seconds from the first unwritten key to the write.

    Attributes:
        session: unique to this object.
        trouble: what keeps words from the disk, in a few words, until they are there; else empty.
        damaged: after `all`, a sentence for each draft that could not be read, and for texts no UTF-8.
    """

    def __init__(self, folder: Path, base_url: str, *, delay: float = DELAY) -> None:
        self._journal = Journal(folder, base_url)
        self.session = self._journal.session
        self.trouble = ""
        self.damaged: list[str] = []
        self._delay = delay
        self._entries: dict[str, _Entry] = {}
        self._serials = itertools.count(1)
        # Held for the last step of a write alone. Reentrant: a signal handler may find its own thread in it.
        self._last_step = threading.RLock()
        self._wake: queue.SimpleQueue[bool] = (
            queue.SimpleQueue()
        )  # the queue whose `put` may interrupt itself
        self._due = False
        self._writer: threading.Thread | None = None

    # Typing

    def begin(
        self, *, document: str, name: str, field: str, format: str, base: str, base_updated: int
    ) -> Draft:
        """A new draft that says what its base says; the disk hears of it with the first key."""
        now = time.time()
        text = base
        return self._enter(
            Draft(_new_id(), document, name, field, format, base, base_updated, text, self.session, now, now)
        )

    def typed(self, draft: Draft, snapshot: Callable[[], str]) -> None:
        """A key was pressed: `snapshot` gives the text from now on. Costs nothing; call it for every key.

        `snapshot` is called by another thread, or by a signal handler between two steps of any code.
        A draft that was dropped stays dropped.
        """
        entry = self._entries.get(draft.id)
        if entry is not None:
            entry.hold(snapshot)
            self._arm()

    def flush(self) -> None:
        """Bring everything typed so far to the disk before returning.

        Safe in a signal handler, whatever the interrupted code and the other threads are doing: it waits
        for nothing but the disk and the last step of a write under way, for that at most `PATIENCE` seconds.
        """
        self._write_all()

    def rebase(
        self, draft: Draft, *, base: str, text: str | None = None, updated: int | None = None
    ) -> Draft:
        """The same draft on another base; the disk has the old pair or the new one.

        Args:
            text: another text; None keeps what is being typed, words typed since the last look included.
            updated: when the service last changed the new base.

        A draft that was dropped begins anew.
        """
        entry = self._entries.get(draft.id)
        if entry is None:
            draft = replace(draft, id=_new_id(), session=self.session, started=time.time())
            self._enter(draft)
            entry = self._entries[draft.id]
        self._put_on(entry, base, updated, entry.held[1] if text is None else _constant(text))
        return entry.now()

    def saved(self, draft: Draft, text: str, *, updated: int) -> Draft | None:
        """The service has `text` now: what was typed since is the draft, on that base; else it goes.

        Unlike `drop` and `rebase` in turn, this leaves no moment in which those words are nowhere.
        """
        entry = self._entries.get(draft.id)
        if entry is None or entry.now().text == text:
            self.drop(draft)
            return None
        self._put_on(entry, text, updated, entry.held[1])
        return entry.now()

    def _put_on(self, entry: _Entry, base: str, updated: int | None, snapshot: Callable[[], str]) -> None:
        draft = entry.held[0]
        entry.hold(
            snapshot,
            replace(draft, base=base, base_updated=draft.base_updated if updated is None else updated),
        )
        if not entry.written:
            entry.on_disk = base, base
        self._arm()

    def words(self, draft: Draft, text: str) -> str:
        """What the draft says now, typed words included; `text` where it is gone."""
        entry = self._entries.get(draft.id)
        return text if entry is None else entry.now().text

    def drop(self, draft: Draft) -> None:
        """Forget a draft for good, here and on the disk.

        Raises:
            Refused: another kbtui that is alive is typing in it.
        """
        entry = self._entries.pop(draft.id, None)
        if entry is None and self._journal.alive(draft.session):
            raise Refused("Another kbtui is typing in this draft.")
        with self._last_step:
            if entry is not None:
                entry.dropped = True
            self._journal.remove(draft.id)

    # Other visits

    def all(self) -> list[Draft]:
        """Every draft that says something new, of this session and of others, newest first.

        Also one whose editor saved what is no UTF-8. What cannot be read stays where it is and is named in
        `damaged`.
        """
        damaged: list[str] = []
        found = [entry.now() for entry in list(self._entries.values())]
        for id in self._journal.ids():
            if id in self._entries or not self._journal.exists(id):
                continue
            try:
                draft = self._journal.read(id)
            except UNREADABLE as fault:
                if self._journal.exists(id):
                    damaged.append(
                        f"A draft cannot be read ({fault}); it is kept in {self._journal.place(id)}."
                    )
                continue
            elsewhere = self._journal.alive(draft.session)
            if not elsewhere:
                with contextlib.suppress(OSError):
                    self._journal.keep_odd(id)
            found.append(replace(draft, elsewhere=elsewhere))
        odd = self._journal.odd()
        if odd:
            damaged.append(f"{_ODD} {odd[0] if len(odd) == 1 else odd[0].parent}.")
        self.damaged = damaged
        shown = (draft for draft in found if draft.text != draft.base or self._journal.odd(draft.id))
        return sorted(shown, key=lambda draft: draft.saved_at, reverse=True)

    def adopt(self, draft: Draft) -> Draft:
        """Go on with a draft, of this session or of one that is dead; what it says now.

        Raises:
            Refused: another kbtui that is alive has it, or it is gone, or damaged.
        """
        entry = self._entries.get(draft.id)
        if entry is not None:
            return entry.now()
        if self._journal.alive(draft.session):
            raise Refused("Another kbtui is typing in this draft.")
        self._come_alive()
        try:
            taken = self._journal.take(draft.id)
        except FileNotFoundError as fault:
            raise Refused("This draft is gone: another kbtui took it over or dropped it.") from fault
        except UNREADABLE as fault:
            raise Refused(f"This draft cannot be read ({fault}).") from fault
        adopted = self._enter(taken, written=True)
        if self._write(self._entries[taken.id]):
            self._journal.end_lending(taken.id)
        return adopted

    def lend(self, draft: Draft, suffix: str) -> Path:
        """A file with the draft's text for another program to edit, until `take_back`.

        Should this kbtui die meanwhile, what that program saved is the text of the draft.

        Args:
            suffix: ".html", ".md" or ".txt".

        Raises:
            Refused: the file cannot be written.
        """
        if draft.id not in self._entries:
            self._enter(draft)
        entry = self._entries[draft.id]
        entry.on_disk = None  # even where nothing was typed: the file needs its draft beside it
        if not self._write(entry):
            raise Refused(f"The file for the editor cannot be written: {self.trouble}.")
        try:
            self._journal.end_lending(draft.id)
            return self._journal.lend(draft.id, entry.now().text, suffix)
        except OSError as fault:
            raise Refused(f"The file for the editor cannot be written: {fault.strerror}.") from fault

    def take_back(self, draft: Draft) -> str | None:
        """What the other program made of the draft, now its text; None where its file is gone.

        A line end that the program added to a last line that had none is taken off again.

        Raises:
            Refused: the file is no UTF-8, or cannot be read; it is kept, and the draft stays as it was.
        """
        entry, path = self._entries.get(draft.id), self._journal.lent(draft.id)
        if entry is None or path is None:
            return None
        try:
            kept = self._journal.keep_odd(draft.id)
            if kept is not None:
                raise Refused(f"{_ODD} {kept}.")
            text = returned(path, entry.now().text)
        except OSError as fault:
            raise Refused(f"What the editor left cannot be read: {fault.strerror}. It is {path}.") from fault
        entry.hold(_constant(text))
        if self._write(entry):
            self._journal.end_lending(draft.id)
        return text

    # The end

    def trim(self, max_age: float, max_bytes: int) -> int:
        """Remove what the limits of the configuration do not allow any more; how many drafts went.

        Only drafts of dead sessions: those last written more than `max_age` seconds ago, those that say
        nothing new, and the oldest while all take more than `max_bytes`. What cannot be read is kept.
        """
        return self._journal.trim(set(self._entries), max_age, max_bytes)

    def close(self) -> None:
        """Bring everything to the disk, forget what says nothing new, and stop being alive."""
        self.flush()
        for entry in list(self._entries.values()):
            try:
                self.take_back(entry.now())  # an editor that is ended with us has saved what it saved
            except Refused:
                continue
            draft = entry.now()
            if draft.text == draft.base and not self._journal.odd(draft.id):
                self.drop(draft)
        self._wake.put(False)
        if self._writer is not None:
            self._writer.join(PATIENCE)
        self._journal.leave()

    # How it comes to the disk

    def _enter(self, draft: Draft, *, written: bool = False) -> Draft:
        entry = _Entry(draft, written=written)
        self._entries[draft.id] = entry
        self._come_alive()
        return entry.now()

    def _come_alive(self) -> None:
        if self._writer is None:
            self._live()
            self._writer = threading.Thread(target=self._keep_writing, name="drafts", daemon=True)
            self._writer.start()

    def _live(self) -> None:
        with contextlib.suppress(OSError):  # the next write meets the same fault and tells it
            self._journal.live()

    def _arm(self) -> None:
        if not self._due:
            self._due = True
            self._wake.put(True)

    def _keep_writing(self) -> None:
        while self._wake.get():
            written = False
            while not written:
                try:
                    if not self._wake.get(timeout=self._delay):
                        return
                except queue.Empty:
                    pass
                self._due = False
                self._live()
                written = self._write_all()

    def _write_all(self) -> bool:
        results = [self._write(entry) for entry in list(self._entries.values())]
        if all(results):
            self.trouble = ""
        return all(results)

    def _write(self, entry: _Entry) -> bool:
        """Bring one draft to the disk; False where that failed, and `trouble` says why."""
        serial = next(self._serials)
        try:
            draft = entry.now()
            if (draft.base, draft.text) == entry.on_disk and self._is_there(entry):
                return True
            prepared = self._journal.prepare(draft)
            if not self._complete(entry, serial, draft, prepared):
                return self._write(entry)
            if not entry.dropped:
                self._journal.sync(draft.id)
        except Exception as fault:  # a snapshot may fail in any way, and typing goes on all the same
            if not entry.dropped:
                self.trouble = (fault.strerror if isinstance(fault, OSError) else None) or str(fault)
                return False
        if entry.dropped:
            self._journal.remove(entry.held[0].id)
        elif ((now := entry.now()).base, now.text) != entry.on_disk:
            self._arm()
        return True

    def _is_there(self, entry: _Entry) -> bool:
        """Whether the disk has what it was given: the folder may have been removed from outside."""
        return not entry.written or self._journal.exists(entry.held[0].id)

    def _complete(self, entry: _Entry, serial: int, draft: Draft, prepared: Path) -> bool:
        """The last step of a write; False where another came between, and this one is to be made again."""
        held = self._last_step.acquire(timeout=PATIENCE)
        try:
            if entry.dropped or serial < entry.newest:
                prepared.unlink(missing_ok=True)
                return entry.dropped
            entry.newest = serial
            if not self._journal.complete(draft, prepared):
                return False
            # A handler that ran in between has written something newer, which must be written once more.
            entry.on_disk = (draft.base, draft.text) if entry.newest == serial else None
            entry.written = True
            return True
        finally:
            if held:
                self._last_step.release()


def _constant(text: str) -> Callable[[], str]:
    return lambda: text


def _new_id() -> str:
    return secrets.token_hex(8)


def is_another(row: DocumentRow, body: Body | None, draft: Draft) -> bool:
    """Whether a document that was changed since a draft began may say another thing than it began with.

    Args:
        body: its text, where that is known as it is now. Where it is not, a change that gave it a new name
            left the text alone, unless its size is another, too.
    """
    if draft.field == "name":
        return row.name != draft.base
    if body is not None:
        return body.text != draft.base
    return row.name == draft.name or row.size != len(draft.base.encode("utf-8", "surrogatepass"))
