"""What was done to one document from here, newest first; each change with its difference, and put back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.history import Change
from kbtui.rows import DocumentRow
from kbtui.situation import Situation
from kbtui.sources import in_words, settings_of
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.differences import MARGIN, differences
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Line, Part, pane_head
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.table import table
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

KINDS = {
    "rename": "renamed",
    "edit": "text edited",
    "fetch": "page fetched again",
    "draft": "your words gave way to theirs",
    "auto-sync": "auto-sync set",
}
STATES = {
    "pending": "no answer came: unknown",
    "undone": "taken back",
    "superseded": "changed again since",
}
EMPTY = "Nothing was changed here from this machine; what others change is not told."


class DocumentHistory(CommandScreen[None]):
    """Changes of a document that kbtui made on this machine, and below what the selected one changed."""

    places = ("history", "move")

    def __init__(self, app: KbApp, row: DocumentRow) -> None:
        super().__init__(app.keymap)
        self.kbapp, self.row = app, row
        self.changes: list[Change] = []
        self._rows: list[list[Part]] = []  # their columns
        self._header, self.lines = Line("header"), Lines("lines")
        self._below, self.view = Line("below"), DocumentView("differences")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.lines
        yield self._below
        yield self.view
        yield Line("footer")

    async def on_mount(self) -> None:  # type: ignore[override]  # Textual awaits it
        kb, now = self.kbapp.kb, time.time()
        self.changes = await asyncio.to_thread(kb.history.changes, kb.base_url, self.row.id)
        name = safe(self.row.name[:300])
        place = safe(self.kbapp.kb.place(self.row.id))
        self._header.show(
            [(" ↶ ", "key"), (name, "strong"), (f"  {place}", "dim")], [("what was changed ", "dim")]
        )
        if self.changes:
            self._rows = [self._line(each, now) for each in self.changes]
            self._lay()
        else:
            self.lines.explain([(f"  {EMPTY}", "dim")])
        self.set_focus(self.lines)
        self.show_footer()
        self._show_change()

    def _lay(self) -> None:
        lines = table(self._rows, self.app.size.width - 1, least={1: 12, 2: 10}, right=(0, 3))
        self.lines.show(lines, self.lines.cursor)

    def on_resize(self) -> None:
        if self._rows:
            self._lay()

    def situation(self) -> Situation:
        return Situation(row=self.row, read_only=self.kbapp.read_only(), changed=bool(self.changes))

    def facts(self) -> list[Part]:
        total = len(self.changes)
        return [(f"{self.lines.cursor + 1} of {total} ", "")] if total else []

    @property
    def change(self) -> Change | None:
        """The one under the cursor."""
        return self.changes[self.lines.cursor] if self.changes else None

    def _line(self, change: Change, now: float) -> list[Part]:
        before, after = (len(each.get("content", "").encode()) for each in (change.before, change.after))
        sizes = (
            f"{count(before)} → {count(after)} bytes" if change.kind in ("edit", "fetch") and after else ""
        )
        state = STATES.get(change.state, "")
        kind = KINDS.get(change.kind, safe(change.kind))
        return [
            (human_age(int(change.at), now), "dim"),
            (kind, ""),
            (state, "warn"),
            (sizes, "dim"),
        ]

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self.show_footer()
        self._show_change()

    @background("difference")
    async def _show_change(self) -> None:
        change = self.change
        if change is None:
            self._below.show([])
            self.view.say([])
            return
        self._show_head()
        self.view.say(await asyncio.to_thread(self._difference, change), hang=MARGIN)

    def _show_head(self) -> None:
        """Say what is below, and whether the keys are there."""
        if self.change is not None:
            exact = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.change.at))
            head = pane_head("What it changed ", self.focused is self.view)
            self._below.show([head, (f" {exact}", "dim")])

    def _difference(self, change: Change) -> list[list[Part]]:
        if change.kind == "auto-sync":
            settings = [("before", settings_of(change.before)), ("after", settings_of(change.after))]
            return [[(f"   {word:<8}", "dim"), (in_words(each), "")] for word, each in settings]
        if change.kind == "rename":
            names = [("before", change.before.get("name", "")), ("after", change.after.get("name", ""))]
            return [[(f"   {word:<8}", "dim"), (safe(str(name)[:300]), "")] for word, name in names]
        if "content" not in change.after:
            unknown = (
                "What came of it is not known."
                if change.kind in KINDS
                else "A newer kbtui knows what this was."
            )
            return [[(f"   {unknown}", "dim")]]
        before, after = change.before.get("content", ""), change.after["content"]
        lines = differences("", before, after)[2:]
        body = self.kbapp.kb.mirror.body(self.row.id)
        if body is not None and body.text not in (before, after):
            lines += differences("From the text before it to the present one", before, body.text)
        return lines

    # Keys

    def do_move(self, by: str) -> None:
        (self.view if self.focused is self.view else self.lines).move(by)

    def do_history_pane(self) -> None:
        self.set_focus(self.lines if self.focused is self.view else self.view)
        self.lines.show_led()
        self._show_head()

    def do_view(self, way: str) -> None:
        self.view.move(f"half_{way}")

    def do_history_restore(self) -> None:
        change = self.change
        if change is not None and change.kind not in KINDS:
            self.tell("A newer kbtui made this change, and knows how it is put back.", "warn")
        elif change is not None:
            self.dismiss()
            self.kbapp.restore(self.row, change)

    def do_history_leave(self) -> None:
        self.dismiss()
