"""Back and forward through what was looked at in Browse."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kbtui.rows import ALL, ROOT, UNPLACED
from kbtui.trail import Alive, Stop, Trail
from kbtui.tui.panes import SCOPES, Panes

if TYPE_CHECKING:
    from kbtui.rows import DocumentRow
    from kbtui.tui.app import KbApp


class BackAndForth(Panes):
    """What Browse does to lead a person to where they were; a part of it in a file of its own."""

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self.trail = Trail()
        self._noting = False

    def leave_eye(self, id: str) -> None:
        """Show everything again where the agent through whose eye all is shown does not see a document."""
        raise NotImplementedError

    def show_footer(self) -> None:
        """Whatever was moved, the footer tells it: so then it is noted where the person is."""
        super().show_footer()
        if not self._noting:
            self._noting = self.call_later(self._note)  # one key may lead through several panes

    def _note(self) -> None:
        self._noting = False
        if self.documents.listing is not None and self.documents.view.scope == self.shown.scope:
            row = self.documents.row
            self.trail.come(Stop(self.shown.scope, row.id if row else None, self.pane), time.monotonic())

    def home(self, row: DocumentRow) -> str:
        """The scope that a document or a folder lies in."""
        path = self.kb.mirror.path(row.id)
        unknown = UNPLACED if self.kb.mirror.swept() else ALL  # its folder may be on the way
        return path[-1].id if path else unknown if row.parent else ROOT

    def do_go_back(self) -> None:
        self._go(self.trail.back, "There is nothing to go back to.")

    def do_go_forward(self) -> None:
        self._go(self.trail.forward, "There is nothing ahead.")

    def do_go_last(self) -> None:
        self._go(self.trail.swap, "There is no place before this one.")

    def _is_there(self, stop: Stop) -> bool:
        if stop.document is not None:
            return self.kb.mirror.row(stop.document) is not None
        return stop.scope in SCOPES or self.kb.mirror.row(stop.scope) is not None

    def _go(self, way: Callable[[Alive, float], Stop | None], nowhere: str) -> None:
        """Stand where one stood: on the same document, wherever it lies now, and in the same pane."""
        self._note()
        stop = way(self._is_there, time.monotonic())
        if stop is None:
            self.tell(nowhere)
            return
        row = self.kb.mirror.row(stop.document) if stop.document is not None else None
        scope = stop.scope if row is None or stop.scope == ALL else self.home(row)
        if row is not None:
            self.leave_eye(row.id)
        listing = self.documents.listing
        same = row is not None and listing is not None and scope == self.shown.scope == listing.view.scope
        rank = self.kb.mirror.rank(listing, row.id) if same and row and listing else None
        if rank is None:
            self.show_scope(scope, keep=stop.document)
        else:
            self.documents.go(rank)
        self.folders.select(scope)
        self.go_pane(stop.pane)
        self.preview()
