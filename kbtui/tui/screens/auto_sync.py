"""Auto-sync of one document or folder: on or off, how often, and what becomes of what is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.documents import auto_sync, number, part
from kbtui.rows import FOLDER, AutoSync, DocumentRow
from kbtui.situation import Situation
from kbtui.sources import CHILDREN
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part, prose
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

MOST = 180  # days, says the service
OFTEN = 1  # the line that says how often it is renewed
SPREAD = {
    "": "stay as they are",
    "tighten": "are renewed at least so often",
    "force": "get exactly these settings",
}


class AutoSyncScreen(CommandScreen[None]):
    """Settings that are changed line by line, and sent all at once."""

    places = ("auto_sync", "move")

    def __init__(self, app: KbApp, row: DocumentRow) -> None:
        super().__init__(app.keymap)
        self.kbapp, self.row = app, row
        self._said = app.kb.mirror.summary(row.id) or {}
        self._take(auto_sync(self._said))
        self.spread = ""
        self.edited = app.kb.edited_by_hand(row.id)
        self._touched = False  # what the service says comes too late to be shown in its place
        self._header, self.lines, self._about = Line("header"), Lines("lines"), DocumentView("about")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.lines
        yield self._about
        yield Line("footer")

    def on_mount(self) -> None:
        self._about.can_focus = False
        self.set_focus(self.lines)
        self._show()
        self._read()

    def situation(self) -> Situation:
        return Situation(row=self.row, read_only=self.kbapp.read_only(), days=self.lines.cursor == OFTEN)

    @property
    def wanted(self) -> AutoSync | None:
        return AutoSync(self.days, self.removes) if self.renews else None

    @background("auto-sync")
    async def _read(self) -> None:
        held = await self.kbapp.kb.read_auto_sync(self.row.id)
        self._said = self.kbapp.kb.mirror.summary(self.row.id) or self._said
        if not self._touched:
            self._take(held)
            self._show()

    def _take(self, held: AutoSync | None) -> None:
        self.renews = held is not None
        self.days, self.removes = held or AutoSync()

    # What is shown

    def _show(self) -> None:
        self._header.show([(" ↻ ", "key"), (safe(self.row.name[:300]), "strong")], [("auto-sync ", "dim")])
        often = "every day" if self.days == 1 else f"at least every {self.days} days"
        gone = "remove the document" if self.removes else "keep the document"
        settings = [
            ("Auto-sync", "on" if self.renews else "off", True),
            ("Renewed", often, self.renews),
            ("When a page is gone", gone, self.renews),
        ]
        if self.row.type == FOLDER:
            settings.append(("Documents in it", SPREAD[self.spread], True))
        self.lines.show([self._line(*each) for each in settings], self.lines.cursor)
        self._about.say(self._facts())
        self.show_footer()

    def _line(self, name: str, value: str, counts: bool) -> list[Part]:
        return [(f"  {name:<22}", "dim"), (f"◂ {value} ▸", "strong" if counts else "dim")]

    def _facts(self) -> list[list[Part]]:
        """What is to be known before the settings are sent."""
        info = part(self._said, "auto_sync_info")
        due, failures = number(info, "next_refresh_by"), number(info, "consec_failures")
        facts: list[list[Part]] = [[]]
        if due and self.renews:
            facts.append([(f"  Renewed next by {_when(due)}.", "dim")])
        if failures:
            facts.append([(f"  ✕ Failed {failures} times in a row.", "bad")])
        if self.renews and self.row.type != FOLDER:
            facts.append([("  While it is on, the service renews the text, and nobody can edit it.", "dim")])
        if self.renews and self.edited is not None:
            facts.append(
                prose(f"  ! Your edit of {_when(self.edited.at)} will be replaced; `gl` keeps it.", "warn")
            )
        if self.spread:
            below = counted(self.row.documents or 0, "document")
            facts.append(
                prose(f"  ! {below} in it {SPREAD[self.spread]}; `u` cannot take that back.", "warn")
            )
        return facts

    # Keys

    def do_move(self, by: str) -> None:
        self.lines.move(by)
        self.show_footer()

    @on(VirtualList.Opened)
    def _opened(self) -> None:
        self.do_auto_sync_more()

    def do_auto_sync_more(self) -> None:
        self._turn(1)

    def do_auto_sync_less(self) -> None:
        self._turn(-1)

    def do_auto_sync_week_more(self) -> None:
        self._turn(7)

    def do_auto_sync_week_less(self) -> None:
        self._turn(-7)

    def _turn(self, by: int) -> None:
        self._touched = True
        at = self.lines.cursor
        if at == 0:
            self.renews = not self.renews
        elif at == OFTEN:
            self.days = min(MOST, max(1, self.days + by))
        elif at == 2:
            self.removes = not self.removes
        else:
            step = 1 if by > 0 else -1
            self.spread = CHILDREN[(CHILDREN.index(self.spread) + step) % len(CHILDREN)]
        self._show()

    def do_auto_sync_apply(self) -> None:
        self._apply()

    @background("apply")
    async def _apply(self) -> None:
        from kbtui.tui.screens.question import Question

        if self.spread == "force":
            below = counted(self.row.documents or 0, "document")
            title = f"Give {below} exactly these settings?"
            loss = (
                f"What is set for each in “{safe(self.row.name[:80])}” is lost, and u does not bring it back."
            )
            if not await self.app.push_screen_wait(Question(self.kbapp, title, loss, "Force them")):
                return
        self.dismiss()
        self.kbapp.set_auto_sync(self.row, self.wanted, self.spread)

    def do_auto_sync_leave(self) -> None:
        self.dismiss()


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
