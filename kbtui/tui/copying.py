"""Copying: what leaves a text field by ^c and ^x, or a list by y, and what is said of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from kbtui.clipboard import copy, keep, opener, opens
from kbtui.content import safe
from kbtui.requests import Request
from kbtui.settings import Settings
from kbtui.tui.background import background
from kbtui.tui.widgets.folder_tree import counted

if TYPE_CHECKING:
    from textual.app import App

    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.rows import DocumentRow

    Base = App[int]
else:
    Base = object


SHOWN = 200  # characters of an address that is told


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

    def copy_to_clipboard(self, text: str, called: str = "") -> None:
        """Copy for ^v here and, as far as they can be reached, for other programs; never nothing.

        It is `called` so in what is told of it, or by its size.
        """
        if text:
            self._clipboard = text
            self._bring_out(text, called or counted(len(text), "character"))

    @background("copy")
    async def _bring_out(self, text: str, size: str) -> None:
        how = await copy(text, self._to_terminal)
        if how:
            self.tell(f"Copied {size} {how}.")
            return
        try:
            path = _short(keep(text, self.settings.places.cache))
        except OSError as fault:
            self.tell(
                f"No clipboard takes {size}, and no file: {fault.strerror or fault}.",
                "bad",
            )
        else:
            self.tell(f"No clipboard takes {size} here: written to {path}.", "warn")

    # What is known of a document

    def do_yank(self, what: str) -> None:
        """`what` is the end of a `yank.…` command: id, name, path, url, text, facts or request."""
        row = self.here()
        if what == "facts":
            self._yank_facts(row)
            return
        if what == "text":
            self._yank_text(row)
            return
        path = "/".join([*(folder.name for folder in self.kb.mirror.path(row.id)), row.name])
        texts = {"id": row.id, "name": row.name, "path": path, "url": row.url or ""}
        text = request(self.kb.base_url, row.id) if what == "request" else texts[what]
        if text:
            self.copy_to_clipboard(text)
        else:
            self.tell(f"The document has no {what} to copy.")

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
            self.copy_to_clipboard(body.text)
        else:
            self.tell("The document has no text.")

    @background("yank")
    async def _yank_facts(self, row: DocumentRow) -> None:
        from kbtui.tui.widgets.facts import in_text, known

        self.copy_to_clipboard(in_text(await asyncio.to_thread(known, self.kb, row)))

    async def _to_terminal(self, sequence: str) -> None:
        while self.away:  # noqa: ASYNC110 - the terminal is another program's
            await asyncio.sleep(0.05)
        if self._driver is not None:
            self._driver.write(sequence)


def request(base_url: str, id: str) -> str:
    """The request for a document as a command; the shell that runs it puts the key in."""
    path = f"{urlsplit(base_url).path.rstrip('/')}/v1/convai/knowledge-base/{quote(id, safe='')}"
    return Request(0, 0.0, "GET", path, None, 0.0, "", 0, "", None).curl(base_url)


def _short(path: Path) -> str:
    """The path as a shell takes it, from the home of the person on."""
    home = os.environ.get("HOME")
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)
