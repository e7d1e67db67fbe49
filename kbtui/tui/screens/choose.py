"""Lists to choose from: drafts, workspaces, and the columns of the list."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.columns import COLUMNS, USUAL, Cells, fitting, turned, widened
from kbtui.content import safe
from kbtui.differences import amount
from kbtui.drafts import Draft
from kbtui.settings import Workspace
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part, prose
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.table import table
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Choice(CommandScreen[None]):
    """A title, a list, and Enter."""

    places: tuple[str, ...] = ("choose", "move")
    heading = ""
    heads: tuple[str, ...] = ()  # of the columns
    least: Mapping[int, int] = {}  # of those that give way where there is little room
    right: tuple[int, ...] = ()  # of those whose ends stand below each other
    empty = ""
    opens = "choose.open"  # what a double click does

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self._header, self._heads, self._lines = Line("header"), Line("heads"), Lines("lines")
        self._heads.display = False
        self._laid_for = 0  # cells of a line

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._heads
        yield self._lines
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(f" {self.heading}", "strong")])
        self.set_focus(self._lines)
        self.fill()

    def on_resize(self) -> None:
        if self.app.size.width != self._laid_for:
            self.fill(self.cursor)

    def fill(self, cursor: int = 0) -> None:
        """Draw the lines anew."""
        self._laid_for = self.app.size.width
        width, rows = self._laid_for - 1, self.choices()
        lines = table(rows, width, heads=self.heads, least=self.least, right=self.right) if rows else []
        if self.heads:
            self._heads.display = bool(lines)
            self._heads.show(lines.pop(0) if lines else [])
        if lines:
            self._lines.show(lines, cursor)
        else:
            self._lines.explain(*self.nothing())
        self.show_footer()

    def choices(self) -> list[list[Part]]:
        """The columns of each line."""
        raise NotImplementedError

    def nothing(self) -> list[list[Part]]:
        """What is said where there is nothing to choose."""
        return [[(f"  {self.empty}", "dim")]]

    def situation(self) -> Situation:
        return Situation(listed=self._lines.count > 0)

    @property
    def cursor(self) -> int:
        return self._lines.cursor

    def do_move(self, by: str) -> None:
        self._lines.move(by)

    def do_choose_leave(self) -> None:
        self.dismiss()

    @on(VirtualList.Opened)
    def _opened(self) -> None:
        self.run_id(self.opens)


class DraftList(Choice):
    """Words typed and not yet saved."""

    places = ("drafts", "choose", "move")
    heading = "Drafts: typed, and not in the service"
    heads = ("Typed", "What", "Document", "Folder", "Put in", "Out", "State")
    least = {2: 12, 3: 4}
    right = (0, 4, 5)
    empty = "No drafts. What you type in the editor is kept here until the service has it."

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self.drafts: list[Draft] = []

    def choices(self) -> list[list[Part]]:
        self.drafts = self.kbapp.kb.drafts.all()
        return [self._line(draft) for draft in self.drafts]

    def _line(self, draft: Draft) -> list[Part]:
        put_in, taken_out = amount(draft.base, draft.text)
        return [
            (human_age(int(draft.saved_at), time.time()), "dim"),
            ("text" if draft.field == "content" else "name", "key"),
            (safe(draft.name[:200]), ""),
            (safe(self.kbapp.kb.place(draft.document)), "dim"),
            (f"+{count(put_in)}", "dim"),
            (f"−{count(taken_out)}", "dim"),
            *(prose(self._state(draft), "warn") or [("", "")]),
        ]

    def _state(self, draft: Draft) -> str:
        """What is to be known of a draft before one goes on with it."""
        row = self.kbapp.kb.mirror.row(draft.document)
        if draft.elsewhere:
            return "being typed elsewhere"
        if row is None:
            return "it is gone; `w` makes one"
        if draft.field == "content" and row.lock:
            return safe(row.lock)
        return "document changed since" if self.kbapp.kb.changed_since(draft) else ""

    def do_choose_open(self) -> None:
        draft = self.drafts[self.cursor]
        if draft.elsewhere:
            self.tell("Another kbtui is typing in this draft.", "warn")
            return
        self.dismiss()
        self.kbapp.resume(draft)

    def do_choose_compare(self) -> None:
        from kbtui.tui.screens.difference import Difference

        draft = self.drafts[self.cursor]
        self.app.push_screen(Difference(self.kbapp, draft, draft.text))

    def do_choose_new(self) -> None:
        draft = self.drafts[self.cursor]
        why = "another kbtui is typing in it" if draft.elsewhere else ""
        if draft.field != "content":
            why = "it is a name, and no text"
        elif self.kbapp.is_sending(draft.document, draft.field):
            why = "it is on its way to the service"
        if why:
            self.tell(f"New document: {why}.", "warn")
            return
        self.dismiss()
        self.kbapp.save_as_new(draft)

    def do_choose_discard(self) -> None:
        self._discard(self.drafts[self.cursor])

    @background("discard")
    async def _discard(self, draft: Draft) -> None:
        from kbtui.tui.screens.question import Question

        put_in, taken_out = amount(draft.base, draft.text)
        place = safe(self.kbapp.kb.place(draft.document)[:80])
        where = f"“{safe(draft.name[:80])}”{f' in {place}' if place else ''}"
        typed = f"{counted(put_in, 'character')} put in, {count(taken_out)} taken out"
        loss = f"What you typed for {where} is lost for good: {typed}."
        if await self.app.push_screen_wait(Question(self.kbapp, "Discard this draft?", loss, "Discard")):
            self.kbapp.kb.drafts.drop(draft)
            self.tell("Draft discarded.")
            self.fill(self.cursor)


class WorkspaceList(Choice):
    """The workspaces of the configuration."""

    heading = "Workspaces"
    least = {1: 16}

    def choices(self) -> list[list[Part]]:
        settings = self.kbapp.settings
        return [self._line(each, each.name == settings.workspace.name) for each in settings.workspaces]

    def _line(self, workspace: Workspace, here: bool) -> list[Part]:
        return [
            ("●" if here else "", "key"),
            (safe(workspace.name), "strong"),
            (safe(workspace.region), "dim"),
            ("read-only" if workspace.read_only else "", "warn"),
        ]

    def do_choose_open(self) -> None:
        chosen = self.kbapp.settings.workspaces[self.cursor]
        self.dismiss()
        self.kbapp.change_workspace(chosen)


class ColumnList(Choice):
    """The columns of the list of documents: which are shown, and how wide."""

    places = ("columns", "choose", "move")
    heading = "Columns beside the name"
    heads = ("", "Column", "Width", "What it tells")
    right = (2,)
    opens = "columns.turn"

    def __init__(self, app: KbApp, width: Callable[[Cells], int]) -> None:
        """`width` is that of the list where it shows some columns."""
        super().__init__(app)
        self._width = width

    def choices(self) -> list[list[Part]]:
        wanted = self.kbapp.kb.columns
        there = dict(fitting(self._width(wanted), wanted))
        lines = list[list[Part]]()
        for column in COLUMNS:
            cells = dict(wanted).get(column.key)
            room = cells is None or column.key in there
            lines.append(
                [
                    ("✓" if cells else "", "key"),
                    (column.head, "strong" if cells else ""),
                    (str(cells or ""), "dim"),
                    (column.help, "dim") if room else (f"no room now; {column.help}", "warn"),
                ]
            )
        return lines

    def do_columns_turn(self) -> None:
        self._change(turned(self.kbapp.kb.columns, COLUMNS[self.cursor].key))

    def do_columns_narrower(self) -> None:
        self._change(widened(self.kbapp.kb.columns, COLUMNS[self.cursor].key, -1))

    def do_columns_wider(self) -> None:
        self._change(widened(self.kbapp.kb.columns, COLUMNS[self.cursor].key, 1))

    def do_columns_usual(self) -> None:
        self._change(USUAL)

    def _change(self, columns: Cells) -> None:
        self.kbapp.kb.remember_columns(columns)
        self.fill(self.cursor)
