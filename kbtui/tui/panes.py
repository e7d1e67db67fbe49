"""The three panes of Browse, folders, documents and text: what they show, and where the keys go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.css.scalar import Scalar
from textual.timer import Timer
from textual.widget import Widget

from kbtui.columns import Cells, around
from kbtui.content import safe
from kbtui.filters import is_about
from kbtui.rows import ALL, ROOT, UNPLACED, DocumentRow, Sight, View
from kbtui.situation import Situation
from kbtui.tui import empty_list
from kbtui.tui.background import background
from kbtui.tui.index_watch import IndexWatch
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import DocumentList, Heads, labelled
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import EDGE, FolderTree, count, counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.reading import Reading
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.widgets.fields import FilterField, NameField
    from kbtui.views import Listing

RANKED_AT_ONCE = 3_000  # documents that are ranked in well under a frame; more go to a thread
FIELDS = ("filter", "rename", "view_find", "pipe")
NARROW = 120  # columns, below which there is room for one pane
TREE, LIST, TEXT = 34, 82, 70  # cells that the three have at least where they stand side by side
MEASURED, LONGEST = 1_000, 72  # documents of which the list knows how long their names are; cells of one
SCOPES = {ROOT: "Root", ALL: "All documents", UNPLACED: "Unplaced"}


class Panes(CommandScreen[None]):
    """Tree, list and view over one knowledge base."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide"), (180, "-broad")]

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.set_class(True, "-in-list")
        self.kb = app.kb
        self.status: Callable[[int], list[Part]] = app.status
        self.title_parts: Callable[[], list[Part]] = app.title_parts
        self._trouble: Callable[[], str] = lambda: app.trouble
        self._read_only: Callable[[], str] = app.read_only
        self._marked: Callable[[], list[Part]] = app.marked
        self.settle = app.settle
        self.typed_in = "list"  # the pane that words are typed for
        self.shown = View()
        self.sight: Sight | None = None  # what the agent sees through whose eye all is shown
        self.folders = FolderTree("tree")
        self.documents = DocumentList("list")
        self.reading = Reading("reading")
        self._list = Vertical(id="documents")  # with what stands above it
        self.documents.columns = self.kb.columns
        self.reading.refresh_key = empty_list.key(self.keymap, "sync.refresh")
        self._header, self._chips, self._heads = Line("header"), Line("chips"), Heads("heads")
        self._indexes = IndexWatch(self, app, self.heard_of_indexes)
        self._led: Widget | None = None  # that was last shown to have the keys
        self._preview: Timer | None = None
        self._follow: Timer | None = None
        self._ranking: View | None = None  # what is being ranked in a thread
        self._again = False  # what that ranks has changed meanwhile
        self._named = -1, 0  # a version of the mirror, and how long the names of documents are in it
        self._needed = 0  # cells that the whole tree needs, whatever of it an agent sees
        self._elsewhere: int | None = None  # how many match in all documents, where none does here

    def compose(self) -> ComposeResult:
        yield self._header
        with Horizontal(id="body"):
            yield self.folders
            with Container(id="right"):
                with self._list:
                    yield self._chips
                    yield self._heads
                    yield self.documents
                yield self.reading
        yield Line("footer")

    def add_fields(self) -> None:
        """What is typed in; the first frame does not show it, and who leaves before has no need of it."""
        from kbtui.tui.widgets.fields import FilterField, NameField

        if self.is_attached and not self.query("#filter"):
            self.mount(FilterField("filter", self.filter_typed), before=self._chips)
            self.mount(NameField("rename"))

    @property
    def filter_field(self) -> FilterField:
        self.add_fields()
        return cast("FilterField", self.query_one("#filter"))

    @property
    def name_field(self) -> NameField:
        self.add_fields()
        return cast("NameField", self.query_one("#rename"))

    def filter_typed(self, words: str) -> None:
        """Show only what has these words in its name."""
        raise NotImplementedError

    # Where the keys go

    def here(self) -> tuple[str, ...]:
        if self.focused is not None and self.focused.id in FIELDS:
            return (self.focused.id,)
        narrower = "view" if self.pane == "view" else "range" if self.documents.begun is not None else ""
        return (*filter(None, [narrower]), "move", "browse", "everywhere")

    def situation(self) -> Situation:
        return Situation(
            row=self.row,
            read_only=self._read_only(),
            filtered=bool(self.shown.searched or self.shown.eye),
            undoable=self.kb.undoable() is not None,
            marked=bool(self.kb.marks),
            found=self.reading.view.hits > 0,
            full=self.full,
        )

    @property
    def full(self) -> bool:
        """Whether the text has the whole screen."""
        return self.has_class("-full")

    @property
    def row(self) -> DocumentRow | None:
        """What a key acts on: the folder under the cursor in the tree, else the document in the list."""
        if self.pane != "tree":
            return self.documents.row
        scope = self.folders.scope
        return None if scope in SCOPES else self.kb.mirror.row(scope)

    @property
    def pane(self) -> str:
        """The pane that has the keys: "tree", "list" or "view"."""
        if isinstance(self.focused, FolderTree):
            return "tree"
        if self.focused is not None and self.focused.id in ("view_find", "pipe"):
            return self.typed_in
        return "view" if isinstance(self.focused, DocumentView) else "list"

    def go_pane(self, name: str) -> None:
        """Give the keys to a pane, and show it where there is room for one only."""
        self._show_pane(name)
        self.set_focus({"tree": self.folders, "list": self.documents, "view": self.reading.view}[name])

    def _show_pane(self, shown: str) -> None:
        """Where there is room for one pane only, that one; and on the whole screen none but the view."""
        if shown != "view":
            self.remove_class("-full")
        if self.app.size.width < NARROW:  # else a change of classes would lay out everything for nothing
            for name in ("tree", "list", "view"):
                self.set_class(name == shown, f"-in-{name}")

    def _show_led(self) -> None:
        """Show at once which pane has the keys."""
        if self.focused is not self._led:
            self._led = self.focused
            self.folders.show_led()
            self.documents.show_led()
            self.reading.show_tabs()
            self.show_lines()

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """Lead the keys to a pane or a field, and show it in one frame; a field that they leave goes."""
        before = self.here()
        super().set_focus(widget, scroll_visible, from_app_focus)
        if not self.app.has_open(self.kb):  # type: ignore[attr-defined]
            return  # it is left: nobody sees who has the keys
        if self.here() != before:
            self.app.wait_for_more()  # type: ignore[attr-defined]
        if self.here() != ("rename",):
            self._show_pane(self.pane)
            for field in self.query("#rename"):
                if field.display:
                    cast("NameField", field).close()
        for field in self.query("#filter, #view_find, #pipe"):
            if field is not self.focused:
                field.display = False
        self._show_led()

    # What is shown

    def on_mount(self) -> None:
        self.screen_layout_refresh_signal.subscribe(self, self.place_name_field, immediate=True)
        self.set_focus(self.documents)
        self._show_scope(ROOT, None)
        self.show_tree()
        self.share_room()

    def on_screen_resume(self) -> None:
        """Another screen is gone: there may be drafts now, or none any more."""
        if self.documents.listing is not None:
            self.relist()
        self.reading.look()

    def mirror_moved(self) -> None:
        """The mirror holds something else than what is drawn."""
        self.show_tree()
        self.share_room()
        self.relist()

    def share_room(self) -> None:
        """Let the tree be as wide as its names need, up to a quarter, and the list as its columns do.

        Where that changes, all is laid out anew: moving with keys must not bring it about.
        """
        tree, list = self._tree_cells(), self.list_cells(self.documents.columns)
        for pane, cells in ((self.folders, tree), (self._list, list)):
            if pane.styles.min_width != Scalar.from_number(cells):
                pane.styles.min_width = cells
                if pane.size:
                    self.app.wait_for_more()  # type: ignore[attr-defined]

    def _tree_cells(self) -> int:
        return min(self._needed, self.app.size.width // 4)

    def list_cells(self, columns: Cells) -> int:
        """What the list has at least where it shows these columns, beside a text that has enough."""
        room = self.app.size.width - max(TREE, self._tree_cells()) - TEXT
        return max(0, min(room, max(LIST, EDGE + around(columns) + self._names()) if room > LIST else room))

    def _names(self) -> int:
        """Cells in which the name of no document would be cut, nor that of its folder behind it."""
        if self._named[0] != (version := self.kb.mirror.version):
            labels = self.kb.mirror.labels(MEASURED)
            longest = max((labelled(*each) for each in labels), default=0)
            self._named = version, min(longest, LONGEST)
        return self._named[1]

    def show_tree(self) -> None:
        mirror, eye = self.kb.mirror, self.shown.eye
        self.sight = mirror.sight(eye) if eye else None
        folders = self.sight.folders if self.sight else mirror.folders()
        self.folders.show(folders, {scope: self.whole(scope) for scope in (ALL, ROOT, UNPLACED)})
        if self.sight is None:
            self._needed = self.folders.needed
        self.documents.folders = {folder.id: folder.name for folder in folders}
        self.documents.seen = self.sight.counts if self.sight else {}

    def whole(self, scope: str) -> int:
        """How many rows a scope has where no words and no types filter it."""
        return self.sight.counts.get(scope, 0) if self.sight else self.kb.mirror.count(scope)

    def show_scope(self, scope: str, keep: str | None = None, *, filtered: bool = False) -> None:
        """Show a folder, the root, everything, or what is unplaced, in the order last used there.

        The cursor goes to the document `keep`, or to the first. What is typed to filter by goes along where
        it is to be `filtered`, the eye of an agent always.
        """
        self._show_scope(scope, keep, filtered)
        self.visit()

    def _show_scope(self, scope: str, keep: str | None, filtered: bool = False) -> None:
        sort, descending = self.kb.order(scope)
        view = self.shown if filtered else View(eye=self.shown.eye)
        self.shown = view._replace(scope=scope, sort=sort, descending=descending)
        self.documents.wanted = keep
        self.relist()

    def relist(self) -> None:
        """Rank the view anew and draw it, the cursor on its document."""
        if self.kb.mirror.count(self.shown.scope) <= RANKED_AT_ONCE:
            self._draw(self.shown, self.kb.mirror.listing(self.shown, self.kb.beside(self.shown)))
        elif self._ranking == self.shown:
            self._again = True  # begun anew each time, it would never be through
        else:
            self._rank(self.shown)

    @background("rank")
    async def _rank(self, view: View) -> None:
        self._ranking, self._again = view, True
        try:
            while self._again:
                self._again = False
                listing = await asyncio.to_thread(self.kb.mirror.listing, view, self.kb.beside(view))
                if view == self.shown:
                    self._draw(view, listing)
        finally:
            if self._ranking == view:
                self._ranking = None

    def _draw(self, view: View, listing: Listing) -> None:
        before = self.documents.row
        self._elsewhere = None if len(listing) else self._matching(view)
        self._mark_drafts()
        self.documents.show(self.kb, view, listing)
        self.reading.show_tabs()
        self.show_lines()
        self.place_name_field()
        after = self.documents.row
        if before is not None and self.pane == "view" and self.kb.mirror.row(before.id) is None:
            self.go_pane("list")  # the keys were in its text; what comes up now is another one
            draft = before.id in self.documents.edited
            on = f"; {empty_list.key(self.keymap, 'go.drafts')} shows your draft of it" if draft else ""
            self.tell(f"“{safe(before.name[:80])}” is gone from the service{on}.", "warn")
        if after != before or (after is None) != (self.reading.row is None):
            shown = self.reading.row
            self.preview(again=shown is not None and after is not None and shown.id == after.id)

    def _mark_drafts(self) -> None:
        self.documents.edited = self.reading.edited = self.kb.edited()

    def heard_of_drafts(self) -> None:
        before = self.documents.edited
        self._mark_drafts()
        if self.documents.edited != before:
            self.documents.refresh()
            self.reading.show_tabs()

    def heard_of_indexes(self) -> None:
        """Something is known of indexes that was not."""
        self.documents.refresh()

    def _matching(self, view: View) -> int | None:
        """How many of all documents match.

        None where that is not known, or they are too many to look at all within a frame.
        """
        mirror = self.kb.mirror
        if mirror.count(ALL) > RANKED_AT_ONCE:
            return None
        everywhere = mirror.listing(view._replace(scope=ALL), self.kb.beside(view))
        known = not everywhere.unknown and not is_about(view, "index")  # of others nobody has asked
        return len(everywhere) or (0 if known else None)

    @background("visit")
    async def visit(self) -> None:
        """Ask the service first for what is being looked at."""
        await self.kb.visit(self.shown)

    # The lines around it

    def show_lines(self) -> None:
        """Header, chips, column heads, footer, and what an empty list says."""
        where = self.where()
        unseen = self.here() == ("filter",) or (self.app.size.width < NARROW and self.pane != "list")
        if self.shown.eye is not None and unseen:  # the chips are
            where += [("  as ", "dim"), (safe(self.shown.eye.name[:80]), "key")]
        left = [*self.title_parts(), *where]
        room = self.app.size.width - sum(cell_len(text) for text, _ in left) - 2
        self._header.show(left, [*self.status(room), (" ", "")])
        self._heads.show(self.shown, self.documents.columns)
        self._show_chips()
        if not self.documents.count:
            self.documents.say(self._why_empty())
        self._indexes.look(self.documents.in_view())
        self.show_footer()

    def where(self) -> list[Part]:
        """What the header says of the place that is shown."""
        return [(safe(self.crumb(self.shown.scope)), "strong")]

    def _is_partly_known(self) -> bool:
        """Whether some rows are left out only since it is not known whether they match."""
        return self.documents.listing is not None and self.documents.listing.unknown > 0

    def _why_empty(self) -> list[Part]:
        view = self.shown
        if view.searched:
            typing = self.here() == ("filter",)
            here, whole = self.whole(view.scope), counted(self.whole(ALL), "document")
            so_far, found = self._is_partly_known(), self._elsewhere
            return empty_list.unmatched(
                self.keymap, self.kb, view, here, whole, found, so_far=so_far, typing=typing
            )
        if view.eye:
            return empty_list.unseen(self.keymap, safe(view.eye.name[:80]))
        return empty_list.empty(self.kb, view.scope, safe(self._trouble()))

    def crumb(self, scope: str) -> str:
        """A scope as a path of names."""
        if scope in SCOPES:
            return SCOPES[scope]
        trail = []
        while scope not in SCOPES:
            row = self.kb.mirror.row(scope)
            trail.append(row.name if row else "a folder that is gone")
            scope = self.folders.above(scope)
        if scope == UNPLACED:
            trail.append(SCOPES[UNPLACED])
        return " / ".join(reversed(trail))

    def facts(self) -> list[Part]:
        total = self.documents.count
        whole = self.whole(self.shown.scope)
        at = self.documents.cursor + 1 if total else 0
        more = "" if self.kb.mirror.swept() else "+"  # may be on the way
        of, hidden = f"{count(at)} of {count(total)}{more}", f" ({count(whole)})" if total != whole else ""
        if whole and not total:
            of, hidden = f"none of {count(whole)}{more}", "" if self.shown.scope == ALL else " here"
        chosen, marked = len(self.documents.range), self._marked()
        range_ = f" · {count(chosen)} in range" if chosen else ""
        return [(of, ""), (hidden, "dim"), (range_, "key"), (" · " if marked else " ", "dim"), *marked]

    def _show_chips(self) -> None:
        """The parts of the filter, or what is said of it while it is typed."""
        raise NotImplementedError

    def place_name_field(self, _: object = None) -> None:
        """Let the field for a name lie over the line of what is renamed, wherever the panes are now."""
        if self.here() != ("rename",):
            return
        field = self.name_field
        inside = self.folders if field.in_tree else self.documents
        region = inside.region
        y = region.y + inside.cursor - round(inside.scroll_y)
        field.lie(region.x + 2, y, max(4, region.width - 3))

    def on_resize(self) -> None:
        self._show_pane(self.pane)
        self.share_room()

    def rest(self) -> None:
        """Begin nothing more: another workspace is about to be opened."""
        for timer in (self._preview, self._follow):
            if timer is not None:
                timer.stop()
        self.workers.cancel_node(self)

    # The document under the cursor

    def preview(self, *, again: bool = False) -> None:
        """Show the document under the cursor once the cursor rests."""
        row = self.documents.row
        if self._preview is not None:
            self._preview.stop()
        if not again:
            self.reading.view.to_end = False
        at_once = again or self.full  # there nothing but the text is shown
        self._preview = self.set_timer(0.01 if at_once else self.settle, lambda: self.open(row, again))

    @background("open")
    async def open(self, row: DocumentRow | None, again: bool = False) -> None:
        """Show a document in the reading pane."""
        await self.reading.show(self.kb, row, again=again)

    def on_reading_seen(self) -> None:
        self.open(self.reading.row)

    @on(VirtualList.Moved, "#list")
    def _moved(self) -> None:
        self.show_footer()
        self.preview()

    @on(VirtualList.Moved, "#tree")
    def _tree_moved(self) -> None:
        if self._follow is not None:
            self._follow.stop()
        scope = self.folders.scope
        self._follow = self.set_timer(self.settle / 2, lambda: self.follow_tree(scope))
        self.show_footer()

    def follow_tree(self, scope: str) -> None:
        """Show what stands under the cursor of the tree."""
        if scope != self.shown.scope:
            self.show_scope(scope)
