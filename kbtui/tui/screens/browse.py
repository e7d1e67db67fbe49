"""Browse: the folder tree, the document list and the document view; the screen a person lives in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.timer import Timer

from kbtui.commands import Situation
from kbtui.content import safe
from kbtui.rows import ALL, FOLDER, ROOT, TYPES, UNPLACED, DocumentRow, View
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import DocumentList, Heads
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import FolderTree, count
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.reading import TABS, Reading
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.widgets.fields import FilterField, NameField

RANKED_AT_ONCE = 3_000  # documents that are ranked in well under a frame; more go to a thread
SCOPES = {ROOT: "Root", ALL: "All documents", UNPLACED: "Unplaced"}


class Browse(CommandScreen[None]):
    """Tree, list and view over one knowledge base."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide"), (180, "-broad")]

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.set_class(True, "-in-list")
        self.kb = app.kb
        self.status: Callable[[], list[Part]] = app.status
        self.title_parts: Callable[[], list[Part]] = app.title_parts
        self.settle = app.settle
        self.shown = View()
        self._preview: Timer | None = None
        self._follow: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Line("header")
        with Horizontal(id="body"):
            yield FolderTree("tree")
            with Container(id="right"):
                with Vertical(id="documents"):
                    yield Line("chips")
                    yield Heads("heads")
                    yield DocumentList("list")
                yield Reading("reading")
        yield Line("footer")

    def add_fields(self) -> None:
        """What is typed in; the first frame does not show it."""
        from kbtui.tui.widgets.fields import FilterField, NameField

        if not self.query("#filter"):
            self.mount(FilterField("filter"), before=self.query_one("#chips"))
            self.mount(NameField("rename"))

    # The parts, by name

    @property
    def folders(self) -> FolderTree:
        return self.query_one(FolderTree)

    @property
    def documents(self) -> DocumentList:
        return self.query_one(DocumentList)

    @property
    def reading(self) -> Reading:
        return self.query_one(Reading)

    @property
    def _filter_field(self) -> FilterField:
        self.add_fields()
        return cast("FilterField", self.query_one("#filter"))

    @property
    def _name_field(self) -> NameField:
        self.add_fields()
        return cast("NameField", self.query_one("#rename"))

    # Keys

    def here(self) -> tuple[str, ...]:
        if self.focused is not None and self.focused.id in ("filter", "rename"):
            return (self.focused.id,)
        return ("move", "browse", "everywhere")

    def situation(self) -> Situation:
        return Situation(
            row=self.documents.row,
            read_only=self.kb.read_only,
            filtered=bool(self.shown.text or self.shown.types),
            undoable=self.kb.undoable(),
        )

    def facts(self) -> list[Part]:
        return [*self._position(), (" ", "")]

    # What is shown

    def on_mount(self) -> None:
        self.set_focus(self.documents)
        self.show_scope(ROOT)
        self.show_tree()

    def mirror_moved(self) -> None:
        """The mirror holds something else than what is drawn."""
        self.show_tree()
        self.relist(self.documents.row.id if self.documents.row else None)

    def show_tree(self) -> None:
        mirror = self.kb.mirror
        totals = {scope: mirror.count(scope) for scope in (ALL, ROOT, UNPLACED)}
        folders = mirror.folders()
        self.folders.show(folders, totals)
        self.documents.folders = {folder.id: folder.name for folder in folders}

    def show_scope(self, scope: str, keep: str | None = None) -> None:
        """Show a folder, the root, everything, or what is unplaced, in the order last used there."""
        sort, descending = self.kb.order(scope)
        self.shown = View(scope, sort, descending)
        self._show_field(False)
        self.relist(keep)
        self.visit()

    def relist(self, keep: str | None = None) -> None:
        """Rank the view anew and draw it, the cursor on document `keep`."""
        if self.kb.mirror.count(self.shown.scope) <= RANKED_AT_ONCE:
            self._draw(self.shown, self.kb.mirror.listing(self.shown), keep)
        else:
            self._rank(self.shown, keep)

    @background("rank")
    async def _rank(self, view: View, keep: str | None) -> None:
        listing = await asyncio.to_thread(self.kb.mirror.listing, view)
        if view == self.shown:
            row = self.documents.row if view.scope == self.documents.view.scope else None
            self._draw(view, listing, row.id if row else keep)

    def _draw(self, view: View, listing: object, keep: str | None) -> None:
        before = self.documents.row
        self.documents.edited = self.kb.edited()
        self.documents.show(self.kb, view, listing, keep)  # type: ignore[arg-type]
        self.show_lines()
        after = self.documents.row
        if after != before or (after is None) != (self.reading.row is None):
            self.preview(again=before is not None and after is not None and before.id == after.id)

    def show_lines(self) -> None:
        """Header, chips, column heads and footer."""
        self.query_one("#header", Line).show([*self.title_parts(), *self._breadcrumb()], self._state())
        self.query_one(Heads).show(self.shown)
        self._show_chips()
        self.show_footer()

    def _state(self) -> list[Part]:
        return [*self.status(), (" ", "")]

    def _breadcrumb(self) -> list[Part]:
        return [(safe(self.crumb(self.shown.scope)), "strong")]

    def crumb(self, scope: str) -> str:
        """A scope as a path of names."""
        if scope in SCOPES:
            return SCOPES[scope]
        row = self.kb.mirror.row(scope)
        names = [folder.name for folder in self.kb.mirror.path(scope)]
        return " / ".join([*names, row.name if row else "a folder that is gone"])

    def _position(self) -> list[Part]:
        total = self.documents.count
        whole = self.kb.mirror.count(self.shown.scope)
        at = self.documents.cursor + 1 if total else 0
        of = f"{count(at)} of {count(total)}"
        return [(of, ""), (f" ({count(whole)})" if total != whole else "", "dim")]

    def _show_chips(self) -> None:
        chips: list[Part] = []
        if self.shown.text:
            chips += [(" name holds ", "dim"), (safe(self.shown.text), "key"), (" ", "")]
        if self.shown.types:
            chips += [(" type ", "dim"), (" or ".join(self.shown.types), "key"), (" ", "")]
        if chips and not self.documents.count:
            chips += [(" nothing here matches; F shows everything again", "warn")]
        self.set_class(bool(chips) and self.here() != ("filter",), "-chips")
        self.query_one("#chips", Line).show(chips)

    # The document under the cursor

    def preview(self, *, again: bool = False) -> None:
        """Show the document under the cursor once the cursor rests."""
        row = self.documents.row
        if self._preview is not None:
            self._preview.stop()
        self._preview = self.set_timer(0.01 if again else self.settle, lambda: self._open(row, again))

    @background("open")
    async def _open(self, row: DocumentRow | None, again: bool) -> None:
        await self.reading.show(self.kb, row, again=again)

    # Changing it

    def do_document_rename(self) -> None:
        row = self.documents.row
        if row is not None:
            self._go_pane("list")
            region = self.documents.region
            y = region.y + self.documents.cursor - round(self.documents.scroll_y)
            self._name_field.open(self.kb, row, (region.x + 2, y), region.width - 3)
            self.show_footer()

    def do_rename_save(self) -> None:
        self._name_field.submit()

    def do_rename_leave(self) -> None:
        self._name_field.leave()

    def on_name_field_closed(self) -> None:
        self.set_focus(self.documents)

    @on(VirtualList.Moved, "#list")
    def _moved(self) -> None:
        self.show_footer()
        self.preview()

    @on(VirtualList.Opened, "#list")
    def _opened(self) -> None:
        self.do_move_in()

    @on(VirtualList.Moved, "#tree")
    def _tree_moved(self) -> None:
        if self._follow is not None:
            self._follow.stop()
        scope = self.folders.scope
        self._follow = self.set_timer(self.settle / 2, lambda: self._follow_tree(scope))

    def _follow_tree(self, scope: str) -> None:
        if scope != self.shown.scope:
            self.show_scope(scope)

    @background("visit")
    async def visit(self) -> None:
        """Ask the service first for what is being looked at."""
        await self.kb.visit(self.shown)

    # Panes

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        pane = self._pane()
        for name in ("tree", "list", "view"):
            self.set_class(name == pane, f"-in-{name}")
        self.show_footer()

    def _pane(self) -> str:
        focused = self.focused
        if isinstance(focused, FolderTree):
            return "tree"
        return "view" if isinstance(focused, DocumentView) else "list"

    def _go_pane(self, name: str) -> None:
        self.set_class(name == "tree", "-in-tree")
        self.set_class(name == "list", "-in-list")
        self.set_class(name == "view", "-in-view")
        self.set_focus({"tree": self.folders, "list": self.documents, "view": self.reading.view}[name])

    def do_pane_tree(self) -> None:
        self._go_pane("tree")

    def do_pane_list(self) -> None:
        self._go_pane("list")

    def do_pane_view(self) -> None:
        self._go_pane("view")

    def do_pane_next(self, by: int = 1) -> None:
        panes = ("tree", "list", "view")
        self._go_pane(panes[(panes.index(self._pane()) + by) % 3])

    def do_pane_previous(self) -> None:
        self.do_pane_next(-1)

    # Moving

    def do_move(self, by: str) -> None:
        widget = self.focused
        if isinstance(widget, VirtualList | DocumentView):
            widget.move(by)

    def do_move_in(self) -> None:
        if self._pane() == "tree":
            node = self.folders.node
            if node is not None and node.folded:
                self.folders.fold(node.scope, False)
            else:
                self._follow_tree(self.folders.scope)
                self._go_pane("list")
            return
        row = self.documents.row
        if row is None or self._pane() == "view":
            return
        if row.type == FOLDER:
            self.show_scope(row.id)
            self.folders.select(row.id)
        else:
            self._go_pane("view")

    def do_move_out(self) -> None:
        if self._pane() == "view":
            self._go_pane("list")
        elif self._pane() == "tree":
            node = self.folders.node
            if node is not None and node.folded is False:
                self.folders.fold(node.scope, True)
        elif self.shown.scope in SCOPES:
            self._go_pane("tree")
        else:
            self.do_go_parent()

    def do_go_parent(self) -> None:
        scope = self.shown.scope
        if scope in SCOPES:
            return
        path = self.kb.mirror.path(scope)
        parent = path[-1].id if path else ROOT
        self.show_scope(parent, keep=scope)
        self.folders.select(parent)

    def do_go_root(self) -> None:
        self.show_scope(ROOT)
        self.folders.select(ROOT)

    def do_go_all(self) -> None:
        self.show_scope(ALL)
        self.folders.select(ALL)

    def do_tree_unfold(self) -> None:
        self.folders.fold_all(False)

    def do_tree_fold(self) -> None:
        self.folders.fold_all(True)

    def do_view_down(self) -> None:
        self.reading.view.move("half_down")

    def do_view_up(self) -> None:
        self.reading.view.move("half_up")

    def do_view_next_tab(self, by: int = 1) -> None:
        self.reading.tab = TABS[(TABS.index(self.reading.tab) + by) % len(TABS)]
        self._open(self.documents.row, False)

    def do_view_previous_tab(self) -> None:
        self.do_view_next_tab(-1)

    def do_view_info(self) -> None:
        self.reading.tab = "text" if self.reading.tab == "info" else "info"
        self._open(self.documents.row, False)
        if self.has_class("-narrow"):
            self._go_pane("view")

    def do_view_source(self) -> None:
        self.reading.source = not self.reading.source
        self.reading.tab = "text"
        self._open(self.documents.row, False)

    # Order and filter

    def do_sort_menu(self) -> None:
        self.await_rest("sort.menu")

    def do_sort(self, order: str) -> None:
        """`order` is the end of a `sort.…` command: name, updated_down …"""
        name = order.removesuffix("_down")
        sort = {"created": "created_at", "updated": "updated_at"}.get(name, name)
        self.shown = self.shown._replace(sort=sort, descending=order.endswith("_down"))
        self.kb.remember_order(self.shown)
        self.relist(self.documents.row.id if self.documents.row else None)
        self.visit()

    def do_filter(self, type_: str) -> None:
        """Show only documents of this type, or of it too, or not of it any more."""
        types = set(self.shown.types) ^ {type_}
        self._filter(self.shown.text, tuple(each for each in TYPES if each in types))

    def do_list_filter(self) -> None:
        self._go_pane("list")
        self._show_field(True)

    def _show_field(self, shown: bool) -> None:
        """Show the field for the filter and give it the keys at once, or hide it."""
        if shown:
            self._filter_field.begin(self.shown.text)
        elif self.here() == ("filter",):
            self._filter_field.display = False
            self.set_focus(self.documents)

    def on_filter_field_typed(self, message: FilterField.Typed) -> None:
        if message.words != self.shown.text:
            self._filter(message.words, self.shown.types)

    def _filter(self, text: str, types: tuple[str, ...]) -> None:
        self.shown = self.shown._replace(text=text, types=types)
        self.relist(self.documents.row.id if self.documents.row else None)

    def do_filter_keep(self) -> None:
        self._show_field(False)
        self.show_lines()

    def do_filter_drop(self) -> None:
        self._filter("", self.shown.types)
        self.do_filter_keep()

    def do_list_unfilter(self) -> None:
        self._filter("", ())
        self._show_field(False)

    def do_app_back(self) -> None:
        self._back()

    def do_app_leave(self) -> None:
        if not self._back():
            self.app.do_app_quit()  # type: ignore[attr-defined]

    def _back(self) -> bool:
        """Undo the newest filter, or go one step out; False where there is nothing left to go back from."""
        if self.shown.types:
            self._filter(self.shown.text, ())
        elif self.shown.text:
            self.do_filter_drop()
        elif self._pane() != "list":
            self._go_pane("list")
        elif self.shown.scope not in SCOPES:
            self.do_go_parent()
        else:
            return False
        return True
