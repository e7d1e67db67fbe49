"""How the list of Browse is arranged: its columns, and whole views that are kept by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kbtui.content import safe
from kbtui.rows import Chosen
from kbtui.saved_views import KeptView
from kbtui.tui.agents_watch import AgentsWatch
from kbtui.tui.filtering import Filtering
from kbtui.tui.panes import SCOPES
from kbtui.tui.widgets.folder_tree import EDGE

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Arranging(Filtering):
    """What a person arranges once and comes back to."""

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self._counting = AgentsWatch(self, app, self.documents.refresh)

    def show_lines(self) -> None:
        super().show_lines()
        self._counting.look(self.documents.counted_in_view())

    def do_columns_open(self) -> None:
        from kbtui.tui.screens.choose import ColumnList

        width = self.documents.scrollable_content_region.width
        screen = ColumnList(self.app, lambda columns: max(width, self.list_cells(columns) - EDGE))  # type: ignore[arg-type]
        self.app.push_screen(screen, lambda _: self._arranged())

    def _arranged(self) -> None:
        self.documents.columns = self.kb.columns
        self.share_room()
        self.documents.refresh()
        self.show_lines()

    # Saved views

    def do_views_open(self) -> None:
        from kbtui.tui.screens.views import ViewList

        self.app.push_screen(ViewList(self.app, self, self.shown))  # type: ignore[arg-type]

    def show_saved(self, saved: KeptView) -> None:
        """Show a view that was saved, as it is now."""
        view, scope = saved.view, saved.view.scope
        if scope not in SCOPES and self.kb.mirror.row(scope) is None:
            self.tell(f"The folder of “{safe(saved.name)}” is gone.", "warn")
            return
        self.go_pane("list")
        self.documents.wanted = None
        self.workers.cancel_group(self, "eye")
        self.filter(view)
        self.folders.select(scope)
        self.visit()
        if saved.trouble:
            self.tell(f"Left out of “{safe(saved.name)}”: {safe(saved.trouble)}.", "warn")
        if saved.agent is not None:
            self.look_as(saved.agent)

    def look_as(self, chosen: Chosen) -> object:
        """Show only what this agent can retrieve."""
        raise NotImplementedError
