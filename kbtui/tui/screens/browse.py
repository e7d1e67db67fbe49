"""Browse, the screen a person lives in: what its keys do."""

from __future__ import annotations

from textual import on

from kbtui.content import safe
from kbtui.placing import Spot
from kbtui.rows import ALL, FOLDER, ROOT, Chosen, DocumentRow, Found
from kbtui.tui.arranging import Arranging
from kbtui.tui.back_and_forth import BackAndForth
from kbtui.tui.background import background
from kbtui.tui.marking import Marking
from kbtui.tui.panes import NARROW, SCOPES
from kbtui.tui.piping import Piping
from kbtui.tui.widgets.document_list import Heads
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.reading import Reading
from kbtui.tui.widgets.virtual_list import VirtualList
from kbtui.tui.zooming import Zooming


class Browse(BackAndForth, Zooming, Piping, Arranging, Marking):
    """The commands of the place "browse", each in a method by its name."""

    # Panes

    def do_pane_tree(self) -> None:
        self.go_pane("tree")

    def do_pane_list(self) -> None:
        self.go_pane("list")

    def do_pane_view(self) -> None:
        self.go_pane("view")

    def do_pane_next(self, by: int = 1) -> None:
        panes = ("tree", "list", "view")
        self.go_pane(panes[(panes.index(self.pane) + by) % 3])

    def do_pane_previous(self) -> None:
        self.do_pane_next(-1)

    # Moving

    def do_move(self, by: str) -> None:
        widget = self.focused
        if isinstance(widget, VirtualList | DocumentView):
            widget.move(by)
            self.show_footer()  # with the same frame: news of the move come later

    @on(VirtualList.Opened)
    def do_move_in(self) -> None:
        if self.pane == "tree":
            node = self.folders.node
            if node is not None and node.folded:
                self.folders.fold(node.scope, False)
            else:
                self.follow_tree(self.folders.scope)
                self.go_pane("list")
            return
        row = self.documents.row
        if row is None or self.pane == "view":
            return
        if row.type == FOLDER:
            self.show_scope(row.id)
            self.folders.select(row.id)
        else:
            self.go_pane("view")

    def do_move_out(self) -> None:
        if self.pane == "view":
            self.leave_view()
        elif self.pane == "tree":
            node = self.folders.node
            if node is not None and node.folded is False:
                self.folders.fold(node.scope, True)
            elif node is not None and node.scope not in SCOPES:
                self.folders.go_to(self.folders.above(node.scope))
        elif self.shown.scope in SCOPES:
            self.go_pane("tree")
        else:
            self.do_go_parent()

    def do_go_parent(self) -> None:
        scope = self.shown.scope
        if scope not in SCOPES:
            above = self.folders.above(scope)
            self.show_scope(above, keep=scope)
            self.folders.select(above)

    def do_go_root(self) -> None:
        if self.pane == "view":
            self.go_pane("list")
        self.show_scope(ROOT)
        self.folders.select(ROOT)

    def do_go_all(self) -> None:
        """A filter goes along: what was not found here may be elsewhere."""
        if self.pane == "view" or self.app.size.width < NARROW:  # the list, where only one pane is shown
            self.go_pane("list")
        self.show_scope(ALL, filtered=True)
        self.folders.select(ALL)

    def do_tree_unfold(self) -> None:
        self.folders.fold_all(False)

    def do_tree_fold(self) -> None:
        self.folders.fold_all(True)

    def content_saved(self, document: str) -> None:
        row, shown = self.documents.row, self.reading.row
        if row is not None and shown is not None and row.id == shown.id == document:
            self.preview(again=True)  # it may have been shown between the change and its being read back

    def show_found(self, found: Found, typed: str = "") -> None:
        """Show a document that was searched for, in its folder, and in its text where the words stand."""
        row = self._find(found.id, found.name)
        if row is not None:
            self.reading.tab = "text"
            self.reading.seek(found, typed)
            self.go_pane("list" if row.type == FOLDER else "view")
            self.preview()

    def go_to(self, id: str, name: str) -> None:
        """Put the cursor of the list on a document, or on the first of a folder."""
        row = self._find(id, name)
        if row is not None:
            self.go_pane("list")
            self.preview()

    def _find(self, id: str, name: str) -> DocumentRow | None:
        """Show a folder, or a document in its folder; where the filters of now hide it, without them."""
        row = self.kb.mirror.row(id)
        if row is None:
            self.tell(f"“{safe(name[:80])}” is not in the list yet; R brings it up to date.", "warn")
            return None
        self.leave_eye(id)
        inside = row.type == FOLDER
        scope = id if inside else self.home(row)
        self.show_scope(scope, keep=None if inside else id)
        self.folders.select(scope)
        return row

    def leave_eye(self, id: str) -> None:
        """Show everything again where the agent through whose eye all is shown does not see a document."""
        eye = self.shown.eye
        places = {id, *(folder.id for folder in self.kb.mirror.path(id))}
        if eye and places.isdisjoint(eye.attached) and (self.sight is None or id not in self.sight.counts):
            self.look_through(None)
            self.tell(f"{safe(eye.name[:80])} does not see it: everything is shown again.")

    # What an agent sees

    def do_filter_agent(self) -> None:
        from kbtui.tui.screens.agents import Agents

        self.app.push_screen(Agents(self.app, "Which agent's eyes?"), self._chosen)  # type: ignore[arg-type]

    def _chosen(self, chosen: Chosen | None) -> None:
        if chosen is not None:
            self.look_as(chosen)

    @background("eye")
    async def look_as(self, chosen: Chosen) -> None:
        """Show only what an agent can retrieve, and the folders that lead there."""
        slow = self.set_timer(0.4, lambda: self.tell(f"Asking what {safe(chosen.name[:80])} knows …"))
        try:
            eye = await self.kb.eye(chosen)
        finally:
            slow.stop()
        self.documents.keep()
        self.look_through(eye)
        if self.shown.scope not in (ROOT, ALL) and not self.whole(self.shown.scope):
            self.do_go_root()

    def do_sync_refresh(self) -> None:
        """What was asked about agents is asked again, too."""
        self.reading.forget()
        self.kb.agent_counts.forget()
        if self.reading.tab == "agents":
            self.open(self.reading.row)
        if self.shown.eye is not None:
            self.look_as(self.shown.eye.chosen)
        self.app.do_sync_refresh()  # type: ignore[attr-defined]

    def do_document_edit(self) -> None:
        """Edit the text; from words of a search that are marked in it, where they stand."""
        row, hit = self.row, self.reading.view.hit_words if self.pane == "view" else ""
        if row is not None and hit and self.reading.row == row:
            self.app.edit_at(row.id, hit)  # type: ignore[attr-defined]
        else:
            self.app.do_document_edit()  # type: ignore[attr-defined]

    def spot(self) -> Spot | None:
        row = self.row
        return self.reading.spot(row) if row is not None else None

    # Names

    def do_document_rename(self) -> None:
        row = self.row
        if row is not None and self.app.is_sending(row.id, "name"):  # type: ignore[attr-defined]
            self.tell("Its name is on its way to the service; try again in a moment.", "warn")
        elif row is not None:
            if self.pane == "view":
                self.go_pane("list")
            self.name_field.open(self.kb, row, in_tree=self.pane == "tree")
            self.place_name_field()  # with the same frame, and again should the panes move
            self.show_footer()

    def do_rename_save(self) -> None:
        field = self.name_field
        if field.submit():
            self.set_focus(self.folders if field.in_tree else self.documents)

    def do_rename_leave(self) -> None:
        field = self.name_field
        field.leave()
        self.set_focus(self.folders if field.in_tree else self.documents)

    # Order

    def do_sort_menu(self) -> None:
        self.await_rest("sort.menu")

    def do_sort(self, order: str) -> None:
        """`order` is the end of a `sort.…` command: name, updated_down …"""
        name = order.removesuffix("_down")
        sort = {"created": "created_at", "updated": "updated_at"}.get(name, name)
        shown = self.shown._replace(sort=sort, descending=order.endswith("_down"))
        if shown != self.shown:
            self.settle_range()
        self.shown = shown
        self.kb.remember_order(self.shown)
        self.relist()
        self.visit()

    def on_heads_clicked(self, message: Heads.Clicked) -> None:
        """A column sorts upwards first; clicked again, the other way round."""
        down = message.sort == self.shown.sort and not self.shown.descending
        self.do_sort(message.sort.removesuffix("_at") + ("_down" if down else ""))

    def on_reading_tab_clicked(self, message: Reading.TabClicked) -> None:
        tabs, open_tab = self.reading.tabs, self.reading.open_tab
        if message.tab in tabs and message.tab != open_tab:
            self.do_view_next_tab(tabs.index(message.tab) - tabs.index(open_tab))

    # Back

    def do_app_back(self) -> None:
        if not self.find_nothing():
            self._back()

    def do_view_leave(self) -> None:
        self.do_app_back()

    def do_app_leave(self) -> None:
        if not self._back():
            self.app.do_app_quit()  # type: ignore[attr-defined]

    def go_pane(self, name: str) -> None:
        super().go_pane(name)
        if name != "view":
            self.app.forget_results()  # type: ignore[attr-defined]

    def _back(self) -> bool:
        """To results or list, undo the newest filter, go one step out; False where nothing is left."""
        if self.pane == "view":
            if self.has_class("-full") or not self.app.back_to_results(self.documents.row):  # type: ignore[attr-defined]
                self.leave_view()
            return True
        self.documents.keep()
        if self.leave_range() or self.drop_newest():
            return True
        if self.pane != "list":
            self.go_pane("list")
        elif self.shown.scope not in SCOPES:
            self.do_go_parent()
        else:
            return False
        return True
