"""What a command may depend on at the moment a key is pressed, and why it cannot be done then."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kbtui.documents import LOCKS
from kbtui.rows import FOLDER, DocumentRow


class Situation(NamedTuple):
    """What a command may depend on, at the moment a key is pressed."""

    row: DocumentRow | None = None  # the document under the cursor
    read_only: str = ""  # why nothing can be changed here
    filtered: bool = False
    undoable: bool = False  # there is something to take back
    marked: bool = False  # at least one document is
    hits: bool = False  # those of a search stand beside an answer
    found: bool = False  # words that are looked for stand in what is shown
    kept: bool = False  # questions that are kept are shown
    full: bool = False  # the text has the whole screen
    listed: bool = False  # the list that is open has a line to choose
    days: bool = False  # what is chosen counts days
    changed: bool = False  # kbtui has changed the document
    overlaps: int = 0  # places that both sides changed
    undecided: int = 0  # of these, those where nobody has said yet what is to stand there
    stays: str = ""  # why the task under the cursor cannot be cancelled


Off = Callable[[Situation], str | None]


def needs_document(now: Situation) -> str | None:
    return None if now.row else "nothing is selected"


def needs_chunks(now: Situation) -> str | None:
    if now.row is not None and now.row.type == FOLDER:
        return "a folder has no chunks, the documents in it have"
    return needs_document(now)


def needs_writing(now: Situation) -> str | None:
    if now.row is None:
        return "nothing is selected"
    if now.read_only:
        return now.read_only
    if now.row.role in ("viewer", "commenter"):
        return f"your role on this document is {now.row.role}"
    return None


def needs_service_to_write(now: Situation) -> str | None:
    return now.read_only or None


def needs_content(now: Situation) -> str | None:
    return needs_writing(now) or (now.row.lock if now.row else None)


def needs_url(now: Situation) -> str | None:
    if now.row is not None and now.row.type != "url":
        return "only URL documents have a page to fetch again"
    return needs_writing(now)


def needs_source(now: Situation) -> str | None:
    elsewhere = (LOCKS["google_drive"], LOCKS["external"])
    if now.row is not None and now.row.type not in ("url", FOLDER) and now.row.lock not in elsewhere:
        return "only URL documents, folders and what is synced from elsewhere renew themselves"
    return needs_writing(now)


def needs_address(now: Situation) -> str | None:
    if now.row is not None and not now.row.url:
        return "only URL documents have an address"
    return needs_document(now)


def needs_marks_or_document(now: Situation) -> str | None:
    return None if now.marked else needs_document(now)


def needs_marks_or_address(now: Situation) -> str | None:
    return None if now.marked else needs_address(now)


def needs_text(now: Situation) -> str | None:
    return "a folder has no text" if now.row is not None and now.row.type == FOLDER else needs_document(now)


def needs_undo(now: Situation) -> str | None:
    if now.read_only:
        return now.read_only
    return None if now.undoable else "nothing to undo"


def needs_overlaps(now: Situation) -> str | None:
    return None if now.overlaps else "both sides go together: nothing is to be decided"


def needs_decisions(now: Situation) -> str | None:
    if now.undecided:
        return f"{now.undecided} {'place is' if now.undecided == 1 else 'places are'} still to be decided"
    return None


def needs_cancelling(now: Situation) -> str | None:
    return now.stays or None


def needs_changes(now: Situation) -> str | None:
    return needs_writing(now) if now.changed else "nothing was changed here"


def _needs(what: str, reason: str) -> Off:
    """Off, with the reason, where this is not so in the situation."""
    return lambda now: None if getattr(now, what) else reason


needs_marks = _needs("marked", "nothing is marked")
needs_hits = _needs("hits", "the search shows none here")
needs_found = _needs("found", "no words are marked here; / in a text finds some, S in all texts")
needs_kept = _needs("kept", "gq lists the questions, to be forgotten there")
needs_days = _needs("days", "for the line “Renewed” alone, which counts days")
needs_line = _needs("listed", "there is nothing in this list")
needs_filter = _needs("filtered", "no filter is set")
