"""Copying: what leaves a text field by ^c and ^x, or a list by y, and what is said of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kbtui.clipboard import copy, keep, opener, opens
from kbtui.commands import OF_MARKS
from kbtui.content import safe
from kbtui.requests import Request
from kbtui.settings import Settings
from kbtui.tui.background import background
from kbtui.tui.widgets.folder_tree import count, counted

if TYPE_CHECKING:
    from textual.app import App

    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.rows import DocumentRow

    Base = App[int]
else:
    Base = object


SHOWN = 200  # characters of an address that is told
NOUNS = {
    "id": ("id", "ids"),
    "name": ("name", "names"),
    "path": ("path", "paths"),
    "url": ("address", "addresses"),
}


class Copying(Base):
    """What `KbApp` does for the clipboard; a part of it in a file of its own."""

    settings: Settings
    away: bool

    @property
    def kb(self) -> KnowledgeBase:
        raise NotImplementedError

    def here(self) -> DocumentRow:
        raise NotImplementedError

    def tell(self, sentence: str, look: str = "") -> None:
        raise NotImplementedError

    def copy_to_clipboard(self, text: str, called: str = "", besides: str = "") -> None:
        """Copy for ^v here and, as far as they can be reached, for other programs; never nothing.

        It is `called` so in what is told of it, or by its size; what is to be said `besides` comes after.
        """
        if text:
            self._clipboard = text
            self._bring_out(text, called or counted(len(text), "character"), besides)

    @background("copy")
    async def _bring_out(self, text: str, called: str, besides: str) -> None:
        how = await copy(text, self._to_terminal)
        if how:
            self.tell(f"Copied {called} {how}.{besides}")
            return
        try:
            path = _short(keep(text, self.settings.places.cache))
        except OSError as fault:
            self.tell(
                f"No clipboard takes {called}, and no file: {fault.strerror or fault}.",
                "bad",
            )
        else:
            self.tell(f"No clipboard takes {called} here: written to {path}.{besides}", "warn")

    # What is known of a document

    def do_yank(self, what: str) -> None:
        """`what` is the end of a `yank.…` command: id, name, path, url, text, facts, link or request.

        The first four are those of all that is marked, where something is, in the order of marking.
        """
        marked = self.kb.marks.ids if f"yank.{what}" in OF_MARKS else ()
        if marked:
            self._yank_marked(what, marked)
        elif what == "facts":
            self._yank_facts(self.here())
        elif what == "text":
            self._yank_text(self.here())
        elif what == "link":
            self._yank_link()
        elif what == "request":
            row = self.here()
            self.copy_to_clipboard(request(self.kb.base_url, row.id), f"the request for {_called(row)}")
        else:
            self._copy_lines(what, self._lines(what, [self.here()]), 1)

    def _yank_link(self) -> None:
        workspace = self.settings.workspace
        if workspace.dashboard:
            self.copy_to_clipboard(workspace.dashboard, "the link to the knowledge base in the dashboard")
        else:
            self.tell(f"{safe(workspace.region)} has no dashboard that kbtui knows of.", "warn")

    @background("yank")
    async def _yank_marked(self, what: str, ids: Sequence[str]) -> None:
        rows = map(self.kb.mirror.row, ids)  # one by one, in the thread
        self._copy_lines(what, await asyncio.to_thread(self._lines, what, rows), len(ids))

    def _lines(self, what: str, rows: Iterable[DocumentRow | None]) -> list[tuple[str, str]]:
        """What documents are called, and what they have of this, or ""."""
        return [(_called(row), self._of(what, row)) for row in rows if row is not None]

    def _of(self, what: str, row: DocumentRow) -> str:
        if what == "path":
            return "/".join([*(folder.name for folder in self.kb.mirror.path(row.id)), row.name])
        return {"id": row.id, "name": row.name, "url": row.url or ""}[what]

    def _copy_lines(self, what: str, found: Sequence[tuple[str, str]], wanted: int) -> None:
        """Copy what was found of so many documents, one a line."""
        there = [(called, text) for called, text in found if text]
        words, besides = in_words(what, [called for called, _ in there], len(found), wanted)
        if there:
            self.copy_to_clipboard("\n".join(text for _, text in there), words, besides)
        else:
            self.tell(f"There is no {NOUNS[what][0]} to copy.{besides}", "warn")

    def do_address_open(self) -> None:
        self._open_address(self.here().url or "")

    @background("address")
    async def _open_address(self, address: str) -> None:
        """Open a page where the person sits at this machine; else show its address and copy it."""
        shown, program = safe(address[:SHOWN]), opener(address)
        if program is not None and await opens(program):
            self.tell(f"{shown} is opened {program.how}.")
        else:
            self.copy_to_clipboard(address, shown)

    @background("yank")
    async def _yank_text(self, row: DocumentRow) -> None:
        body = self.kb.kept_body(row) or await self.kb.read(row.id)
        if body.text:
            size = counted(len(body.text), "character")
            self.copy_to_clipboard(body.text, f"the text of {_called(row)} ({size})")
        else:
            self.tell("The document has no text.")

    @background("yank")
    async def _yank_facts(self, row: DocumentRow) -> None:
        from kbtui.tui.widgets.facts import in_text, known

        text = in_text(await asyncio.to_thread(known, self.kb, row))
        self.copy_to_clipboard(text, f"all that is known of {_called(row)}")

    async def _to_terminal(self, sequence: str) -> None:
        while self.away:  # noqa: ASYNC110 - the terminal is another program's
            await asyncio.sleep(0.05)
        if self._driver is not None:
            self._driver.write(sequence)


def request(base_url: str, id: str) -> str:
    """The request for a document as a command; the shell that runs it puts the key in."""
    path = f"{urlsplit(base_url).path.rstrip('/')}/v1/convai/knowledge-base/{quote(id, safe='')}"
    return Request(0, 0.0, "GET", path, None, 0.0, "", 0, "", None).curl(base_url)


def in_words(what: str, called: Sequence[str], found: int, wanted: int) -> tuple[str, str]:
    """What was copied of documents that are called so, and what is said of those that were left out.

    Of so many that were wanted, so many were found; not all of those have what was to be copied.
    """
    one, several = NOUNS[what]
    left = [
        f"{count(number)} {why}"
        for number, why in (
            (found - len(called), "without one"),
            (wanted - found, "no longer in the list"),
        )
        if number
    ]
    words = f"the {one} of {called[0]}" if len(called) == 1 else f"{count(len(called))} {several}"
    return words, f" Left out: {', '.join(left)}." if left and (found, wanted) != (1, 1) else ""


def _called(row: DocumentRow) -> str:
    return f"“{row.name[:80] or '(no name)'}”"


def _short(path: Path) -> str:
    """The path as a shell takes it, from the home of the person on."""
    home = os.environ.get("HOME")
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)
