"""The files behind the drafts of one base URL. Nothing here is torn, whatever stops in the middle.

A folder for each draft, by its id:

    draft        one line of JSON about the draft, then its text; replaced atomically
    base-DIGEST  the text that the edit began with; there before the `draft` that names it
    text.SUFFIX  only while $EDITOR has the draft: what it saved last is the text of the draft

Beside them `kept`, for what an editor saved that is no UTF-8, and `sessions/ID`, a file that a living kbtui
holds locked: the lock ends with the process, however that ends, and with the boot of the machine. What is in
`kept`, and what else an editor left in the folder of a draft, is never removed. Folders are 0700, files 0600.
Texts are kept byte for byte.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from kbtui.content import digest
from kbtui.database import make_folder

STALE = 86_400.0  # seconds after which what a dead session left half done is nobody's
SETTLED = 2.0  # seconds after which a file that changes again cannot look as it did: times have steps
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError)  # `Journal.read`: a damaged draft
_LENT = ("text.html", "text.md", "text.txt")
_BASE = re.compile("base-[0-9a-f]{32}")
_SESSION = re.compile("[0-9a-f]{16}")
_OURS = re.compile(rf"draft|{_BASE.pattern}|\.[0-9a-f]{{16}}|text\.(html|md|txt)~?")  # ~: what it was before
_KINDS = {"str": str, "int": int, "float": int | float, "bool": bool}  # of the fields of a draft
_LATEST = 253_402_300_799  # Unix seconds; the last that a calendar knows


@dataclass(frozen=True)
class Draft:
    """Words that the service does not have yet.

    `field` is "content" or "name", `name` the document's; `base` is the text that the edit began with and
    `base_updated` when the service had last changed it (Unix seconds). `saved_at` is when `text` was last
    written to the disk, or is that of now. `elsewhere`: another kbtui that is alive is typing in it.
    """

    id: str
    document: str
    name: str
    field: str
    format: str
    base: str
    base_updated: int
    text: str
    session: str
    started: float
    saved_at: float
    elsewhere: bool = False


class Journal:
    """The folder of one base URL.

    Attributes:
        session: the name of this one, unique among all that ever were.
    """

    def __init__(self, folder: Path, base_url: str) -> None:
        self.session = secrets.token_hex(8)
        self._folder = folder / digest(base_url)[:32]
        self._sessions = self._folder / "sessions"
        self._kept = self._folder / "kept"
        self._base_url = base_url
        self._lock: int | None = None
        self._seen: dict[str, tuple[object, Draft]] = {}

    # Who is alive

    def live(self) -> None:
        """From now until `leave`, or the end of the process, other sessions see this one alive.

        Harmless when repeated, and to be repeated: a folder may be removed from outside.
        """
        if self._lock is not None and (self._sessions / self.session).exists():
            return
        self.leave()
        make_folder(self._sessions)
        lock = os.open(self._sessions / self.session, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._lock = lock

    def leave(self) -> None:
        """Stops being alive. Harmless when repeated."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                (self._sessions / self.session).unlink()
            os.close(self._lock)
            self._lock = None

    def alive(self, session: str) -> bool:
        """Does another kbtui, or another journal in this one, hold the lock of this session?"""
        if session == self.session:
            return False
        try:
            lock = os.open(self._sessions / session, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that ask do not see each other
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(lock)
        return False

    # Reading

    def ids(self) -> list[str]:
        """The drafts that are there, those included that cannot be read."""
        try:
            names = [place.name for place in self._folder.iterdir()]
        except OSError:
            return []
        others = (self._sessions.name, self._kept.name)
        return [name for name in names if name[0] != "." and name not in others]

    def place(self, id: str) -> Path:
        """The folder of a draft."""
        return self._folder / id

    def exists(self, id: str) -> bool:
        """Was the draft ever completely written?"""
        return (self.place(id) / "draft").exists()

    def read(self, id: str) -> Draft:
        """The draft as the disk has it, with what $EDITOR made of it where a file was lent and not returned.

        Raises:
            UNREADABLE: it is not there, or damaged.
        """
        stamps = [_stamp(self.place(id) / name) for name in ("draft", *_LENT)]
        seen = self._seen.get(id)
        if seen is not None and seen[0] == stamps:
            return seen[1]
        draft = self._read(id)
        if time.time() - draft.saved_at > SETTLED:
            self._seen[id] = stamps, draft
        return draft

    def _read(self, id: str) -> Draft:
        place = self.place(id)
        before = None
        while True:
            file = (place / "draft").read_bytes()
            header, _, data = file.partition(b"\n")
            about = json.loads(header)
            if not _BASE.fullmatch(about["base"]):
                raise ValueError("its base has no name of ours")
            try:
                base = (place / about["base"]).read_bytes().decode("utf-8", "surrogatepass")
                break
            except FileNotFoundError:
                if file == before:
                    raise
                before = file  # its session may have put it on another base between two looks
        text = data.decode("utf-8", "surrogatepass")
        lent = self.lent(id)
        if lent is not None:
            with contextlib.suppress(UnicodeDecodeError, OSError):
                text = returned(lent, text) or text  # an editor that dies may leave an empty file
        known = {field.name: about[field.name] for field in fields(Draft) if field.name in about}
        return _sound(Draft(**{**known, "id": id, "base": base, "text": text}))

    # Writing

    def prepare(self, draft: Draft) -> Path:
        """Brings the draft to the disk under a name of its own, for `complete` to put in place."""
        place = self.place(draft.id)
        make_folder(place)
        base = place / _base_name(draft)
        if not base.exists():
            _create(temporary := _temporary(place), _encode(draft.base))
            temporary.replace(base)
            _sync(place)
            _sync(self._folder)
        about = {**asdict(draft), "base": base.name, "base_url": self._base_url}
        for name in ("id", "text", "elsewhere"):
            del about[name]
        temporary = _temporary(place)
        _create(temporary, json.dumps(about).encode() + b"\n" + _encode(draft.text))
        return temporary

    def complete(self, draft: Draft, prepared: Path) -> bool:
        """Puts what was prepared in the place of what the disk had: the old, or the new, never between.

        False, and nothing done, where another write has removed the base meanwhile: prepare it again.
        """
        place = self.place(draft.id)
        if not (place / _base_name(draft)).exists():
            prepared.unlink()
            return False
        prepared.replace(place / "draft")
        for old in place.glob("base-*"):
            if old.name != _base_name(draft):
                old.unlink(missing_ok=True)
        return True

    def sync(self, id: str) -> None:
        """What was completed survives a power cut."""
        _sync(self.place(id))

    def take(self, id: str) -> Draft:
        """Make a draft this session's, under a new id; of two that try at once, one finds it gone.

        Raises:
            FileNotFoundError: it is not there (any more).
            UNREADABLE: it is damaged; it stays as it is.
        """
        self.read(id)
        mine = secrets.token_hex(8)
        self.place(id).rename(self.place(mine))
        return replace(self.read(mine), session=self.session)

    def remove(self, id: str) -> None:
        """Removes a draft; it is there or it is not, even if the power fails in between.

        Files that an editor left beside it, a copy under another name perhaps, stay in their folder.
        """
        self.end_lending(id)
        with contextlib.suppress(OSError):
            files = [*self.place(id).iterdir()]
            ours = [file for file in files if _OURS.fullmatch(file.name) and not file.is_dir()]
            if ours == files:
                gone = self._folder / f".gone-{secrets.token_hex(8)}"
                self.place(id).rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
            else:
                for file in sorted(ours, key=lambda file: file.name != "draft"):
                    file.unlink()
        self._seen.pop(id, None)

    # Lending to $EDITOR

    def lend(self, id: str, text: str, suffix: str) -> Path:
        """A file beside the draft, with its text, for another program."""
        path = self.place(id) / f"text{suffix}"
        _create(temporary := _temporary(path.parent), _encode(text))
        if path.is_dir():  # that another program left: it keeps what is in it, and gives the name back
            path.rename(path.with_name(f"{path.name}.{secrets.token_hex(4)}"))
        temporary.replace(path)
        return path

    def lent(self, id: str) -> Path | None:
        """The file that was lent and not yet returned, if it is there."""
        return next((path for name in _LENT if (path := self.place(id) / name).exists()), None)

    def end_lending(self, id: str) -> None:
        """Removes the file that was lent, after `keep_odd`."""
        with contextlib.suppress(OSError):
            self.keep_odd(id)
            for name in _LENT:
                (self.place(id) / name).unlink(missing_ok=True)

    def keep_odd(self, id: str) -> Path | None:
        """Brings what an editor saved that is no UTF-8 to where it is kept; the place, if it did.

        Raises:
            OSError: it stays where it is.
        """
        path = self.lent(id)
        if path is None:
            return None
        try:
            _left(path).decode("utf-8")
        except UnicodeDecodeError:
            make_folder(self._kept)
            kept = self._kept / f"{id}-{secrets.token_hex(4)}{path.suffix}.not-utf-8"
            return path.rename(kept)
        return None

    def odd(self, id: str = "") -> list[Path]:
        """What was kept so, of one draft or of all."""
        return sorted(self._kept.glob(f"{id}*"))

    # Limits

    def trim(self, mine: set[str], max_age: float, max_bytes: int) -> int:
        """Removes drafts of dead sessions, as `Drafts.trim` says; how many went that said something."""
        now, gone, kept = time.time(), 0, []
        for id in self.ids():
            if id in mine:
                continue
            try:
                draft = self.read(id)
            except UNREADABLE:
                if not self.exists(id) and _age(self.place(id), now) > STALE:
                    self.remove(id)
                continue
            if self.alive(draft.session):
                continue
            with contextlib.suppress(OSError):
                self.keep_odd(id)
            if draft.text == draft.base and self.odd(id):
                continue
            if draft.text == draft.base or now - draft.saved_at > max_age:
                self.remove(id)
                gone += draft.text != draft.base
            else:
                kept.append((draft.saved_at, id, _size(self.place(id))))
        size = sum(bytes_ for _, _, bytes_ in kept)
        for _, id, bytes_ in sorted(kept):
            if size > max_bytes:
                self.remove(id)
                size, gone = size - bytes_, gone + 1
        self._sweep(now)
        return gone

    def _sweep(self, now: float) -> None:
        for place in self._folder.glob(".gone-*"):
            shutil.rmtree(place, ignore_errors=True)
        for session in self._sessions.glob("*"):
            if _age(session, now) > STALE and not self.alive(session.name) and session.name != self.session:
                with contextlib.suppress(OSError):
                    session.unlink()


def returned(path: Path, before: str) -> str:
    """What an editor left, less the line end that most of them add to a last line that had none.

    Raises:
        OSError: it is no file, or cannot be read.
        UnicodeDecodeError: it is no UTF-8.
    """
    text = _left(path).decode("utf-8")
    if not before.endswith(("\n", "\r")):
        text = text.removesuffix("\n").removesuffix("\r")
    return text


def _left(path: Path) -> bytes:
    """What is in a file that another program left; a pipe in its place would be waited for without end."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")
    return path.read_bytes()


def _sound(draft: Draft) -> Draft:
    """The draft, where everything in it is what it should be.

    Raises:
        ValueError: somebody else wrote it, or it is damaged.
    """
    for field in fields(Draft):
        if not isinstance(getattr(draft, field.name), _KINDS[str(field.type)]):
            raise ValueError(f"its {field.name} is none")
    if draft.field not in ("content", "name") or not _SESSION.fullmatch(draft.session):
        raise ValueError("its field or its session is none")
    if not 0 <= draft.saved_at <= _LATEST:
        raise ValueError("its time is none")
    draft.document.encode()  # half a character is in no id
    return draft


def _base_name(draft: Draft) -> str:
    return f"base-{digest(draft.base)[:32]}"


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _temporary(place: Path) -> Path:
    return place / f".{secrets.token_hex(8)}"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        at = path.stat()
    except OSError:
        return None
    return at.st_mtime_ns, at.st_size, at.st_ino


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    """The bytes of a draft; none where another kbtui has just removed it."""
    try:
        return sum(stamp[1] for file in place.iterdir() if (stamp := _stamp(file)))
    except OSError:
        return 0


def _create(path: Path, data: bytes) -> None:
    """A new file, on the disk when this returns; none where that fails."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
