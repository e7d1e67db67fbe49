"""Reading in Browse: what its keys do in the document view, and to it from the other panes."""

from __future__ import annotations

from typing import cast

from kbtui.content import safe
from kbtui.rows import FOLDER
from kbtui.tui.panes import Panes
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.reading import MODES


class Viewing(Panes):
    """The commands `view.…` and `view_find.…`, each in a method by its name."""

    _origin = 0  # the row that was in view when words were to be typed

    def on_mount(self) -> None:
        view = self.reading.view
        view.wrap, view.numbers = self.kb.lines()

    def do_view_down(self) -> None:
        self.reading.view.move("half_down")

    def do_view_up(self) -> None:
        self.reading.view.move("half_up")

    # Tabs and modes

    def do_view_next_tab(self, by: int = 1) -> None:
        tabs = self.reading.tabs
        self._turn_to(tabs[(tabs.index(self.reading.open_tab) + by) % len(tabs)])
        self.open(self.reading.row)

    def _turn_to(self, tab: str) -> None:
        self.reading.tab = tab
        self.reading.view.to_end = False  # it was the end of another tab

    def do_view_previous_tab(self) -> None:
        self.do_view_next_tab(-1)

    def do_view_info(self) -> None:
        self._go_tab("info")

    def do_view_agents(self) -> None:
        self._go_tab("agents")

    def _go_tab(self, tab: str) -> None:
        """Show a tab of the document that a key acts on; once more, its text again."""
        self._turn_to("text" if self.reading.tab == tab and self.row == self.reading.row else tab)
        self.open(self.row)
        if self.has_class("-narrow"):
            self.go_pane("view")

    def do_view_mode(self) -> None:
        """The next mode; of the text that is shown, the place stays."""
        stays = self.reading.tab == "text" and self.row == self.reading.row
        self.reading.mode = MODES[(MODES.index(self.reading.mode) + 1) % len(MODES)]
        if not stays:
            self._turn_to("text")
        self.open(self.row, again=stays)

    # Lines

    def do_view_wrap(self) -> None:
        self._show_text_lines(wrap=not self.reading.view.wrap, numbers=self.reading.view.numbers)

    def do_view_numbers(self) -> None:
        self._show_text_lines(wrap=self.reading.view.wrap, numbers=not self.reading.view.numbers)

    def _show_text_lines(self, *, wrap: bool, numbers: bool) -> None:
        self.reading.view.show_lines(wrap=wrap, numbers=numbers)
        self.reading.show_tabs()
        self.reading.say_if_slow()
        self.kb.remember_lines(wrap=wrap, numbers=numbers)

    def do_view_right(self, by: int = 1) -> None:
        if self.reading.view.wrap:
            self.tell("Lines are broken at the width of the view; w leaves them whole.")
        else:
            self.reading.view.move_sideways(by)

    def do_view_left(self) -> None:
        self.do_view_right(-1)

    # The whole screen

    def do_view_full(self) -> None:
        self._show_full(True)

    def _show_full(self, full: bool) -> None:
        self.set_class(full, "-full")
        self.show_lines()

    def show_lines(self) -> None:
        super().show_lines()
        self.reading.name_shown = not self.has_class("-full")  # else the header names it
        self.reading.show_tabs()

    def leave_view(self) -> None:
        """From the whole screen back to all panes, from there to the list."""
        if self.has_class("-full"):
            self._show_full(False)
        else:
            self.go_pane("list")

    def where(self) -> list[Part]:
        row = self.documents.row
        if row is None or not self.has_class("-full"):
            return super().where()
        at, of = count(self.documents.cursor + 1), count(self.documents.count)
        place = safe(self.kb.place(row.id)) or "Root"
        return [(safe(row.name[:200]), "strong"), (f"  {at} of {of}", "key"), (f"  {place}", "dim")]

    def do_view_next_document(self, by: int = 1) -> None:
        """The next document in the order of the list; what is looked for in it, and the mode, stay."""
        at = self.documents.cursor + by
        while (row := self.documents.at(at)) is not None and row.type == FOLDER:
            at += by
        if row is None:
            self.tell(f"There is no document {'after' if by > 0 else 'before'} it in the list.")
        else:
            self.documents.go(at)
            self.show_lines()

    def do_view_previous_document(self) -> None:
        self.do_view_next_document(-1)

    # Finding

    def add_fields(self) -> None:
        super().add_fields()
        if self.is_attached and not self.query("#view_find"):
            field = Field("view_find", "words in this text", self._look_for, "find ")
            field.display = False
            self.reading.mount(field, before=self.reading.view)

    @property
    def _find_field(self) -> Field:
        self.add_fields()
        return cast(Field, self.query_one("#view_find"))

    def _look_for(self, words: str) -> None:
        self.reading.find(words, self._origin)

    def do_view_find_open(self) -> None:
        """Words to be found in the text from what is in view on; the next typed take the place of the old."""
        field = self._find_field
        self._origin = round(self.reading.view.scroll_y)
        field.value, self.typed_in = self.reading.finding, "view"
        field.display = True
        field.action_select_all()
        self.set_focus(field)

    def do_view_find_keep(self) -> None:
        self.set_focus(self.reading.view)

    def do_view_find_drop(self) -> None:
        self.reading.view.scroll_to(y=self._origin, animate=False)
        self.find_nothing()
        self.set_focus(self.reading.view)

    def find_nothing(self) -> bool:
        """Take back what is looked for in the text; False where nothing is."""
        finding = bool(self.reading.finding)
        if finding:
            self.reading.find("")
            self.show_footer()  # with the same frame: n and N are not offered any more
        return finding

    def do_view_next_hit(self, by: int = 1) -> None:
        if self.reading.view.go_to_hit(by):
            self.reading.show_tabs()
            if self.has_class("-narrow"):
                self.go_pane("view")

    def do_view_previous_hit(self) -> None:
        self.do_view_next_hit(-1)
