"""`kbtui ls`: the documents of a folder, one a line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kbtui.cli import Item
from kbtui.content import safe
from kbtui.errors import Refused
from kbtui.rows import TYPES

if TYPE_CHECKING:
    from kbtui.answers import Answers
    from kbtui.models import Document

SORTS = {"name": "name", "created": "created_at", "updated": "updated_at", "size": "size"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="its id, name or path; else the root")
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="all folders below it, too, with paths"
    )
    parser.add_argument(
        "-t", "--type", action="append", default=[], choices=TYPES, help="only these; may be repeated"
    )
    parser.add_argument("-s", "--sort", choices=tuple(SORTS), default="name", help="name by default")
    parser.add_argument("--reverse", action="store_true", help="the last first")


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """A document a line: id, type, size in bytes, time of the last change, and its name or path."""
    folder = await answers.find(flags.folder) if flags.folder and flags.folder.strip("/") else None
    if folder is not None and folder.type != "folder":
        raise Refused(f"“{folder.name}” is no folder.")
    pages = answers.documents(
        folder.id if folder else None,
        below=flags.recursive,
        types=flags.type,
        sort=SORTS[flags.sort],
        descending=flags.reverse,
    )
    async for page in pages:
        paths = await answers.paths(page) if flags.recursive and not flags.json else {}
        for document in page:
            yield Item(document.raw(), _line(document, paths.get(document.id, [])))


def _line(document: Document, folders: list[str]) -> str:
    size, updated = document.metadata.size_bytes, moment(document.metadata.last_updated_at_unix_secs)
    name = "/".join(map(safe, [*folders, document.name]))
    return "\t".join((safe(document.id), safe(document.type), str(size), updated, name))


def moment(seconds: int) -> str:
    """A time as 2026-11-21T19:03:00Z; - where it is not known."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds > 0 else "-"
    except (ValueError, OverflowError):
        return "-"
