"""Search: words in the contents of all documents, as they are typed."""

from __future__ import annotations

from textual import on

from kbtui.commands import Command
from kbtui.rows import TYPES
from kbtui.tui.finding import EVERYTHING, Left, Scope
from kbtui.tui.found_panes import AHEAD, SEARCHING, FoundPanes
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.virtual_list import VirtualList


class Search(FoundPanes):
    """The commands of the places "search" and "results", each in a method by its name."""

    def here(self) -> tuple[str, ...]:
        return ("search",) if self.focused is self.field else ("results", "move", "around")

    def came(self) -> None:
        """Carry out what was pressed for the results that have come; without any, type other words."""
        waiting, self.waiting = self.waiting, []
        led = self.here()[0] == "results"
        seen = led and self.is_uncovered  # what was pressed was for that
        if led and self.wanted:
            self.results.go_to(self.wanted)
            self.wanted = ""
            self.show_snippet()
        if seen and self.results.found is not None:
            for command in waiting:
                self._carry_out(command)
            return
        if any(command.id == "document.edit" for command in waiting):
            self.kbapp.give_up_holding()
        if seen:
            self.do_results_words()

    def _carry_out(self, command: Command) -> None:
        """Carry out what waited; an editor gets what was typed since, unless Esc gave it up."""
        if command.id != "document.edit":
            super().run(command)
            return
        held = self.kbapp.held
        if held is None:
            return
        self.kbapp.held = None
        super().run(command)
        if self.kbapp.held is not None:
            self.kbapp.held[:0] = held

    def run(self, command: Command) -> None:
        """Carry out a command; one for results waits for those of the words that were typed."""
        for_results = command.id.partition(".")[0] in ("move", "document") or command.id == "results.open"
        if for_results and self.state == SEARCHING and self.here()[0] == "results":
            self.waiting.append(command)
            if command.id == "document.edit":
                self.kbapp.begin_holding()
        else:
            super().run(command)

    def do_search_older(self, by: int = 1) -> None:
        self.place = max(-1, min(self.place + by, len(self.kept) - 1))
        self.field.value = self.kept[self.place] if self.place >= 0 else self.words
        self.field.cursor_position = len(self.field.value)

    def do_search_newer(self) -> None:
        if self.place >= 0:
            self.do_search_older(-1)
        else:
            self.do_search_results()

    def do_search_scope(self) -> None:
        """Search in the next scope that there is: everything, the folder that is open, what is marked."""
        scopes = [EVERYTHING, *self._narrower()]
        at = scopes.index(self.where) + 1 if self.where in scopes else 0
        self.where = scopes[at % len(scopes)]
        if len(scopes) == 1:
            self.tell("There is nothing narrower: mark documents (space), or search from a folder.")
        self.typed(self.field.value)

    do_results_scope = do_search_scope

    def _narrower(self) -> list[Scope]:
        scopes, here, marked = [], self.kbapp.folder(), self.kb.marks.ids
        if here:
            row = self.kb.mirror.row(here)
            scopes.append(Scope(row.name if row else "a folder that is gone", (here,)))
        if marked:
            scopes.append(Scope(f"{counted(len(marked), 'marked item')}", marked))
        return scopes

    def do_search_results(self) -> None:
        if self.pausing and self.where.ids and self.results.cursor + AHEAD >= self.results.count:
            self.more.set()
        if self.results.found is not None or self.state == SEARCHING:
            self.kb.remember_search(self.field.value.strip())
            self.set_focus(self.results)
            self.results.show_led()
            self.show_footer()

    def do_search_leave(self) -> None:
        self.dismiss()

    do_results_close = do_search_leave

    # Results

    def do_move(self, by: str) -> None:
        before = self.results.cursor
        self.results.move(by)
        self.show_snippet()
        if before == self.results.cursor == self.results.count - 1:
            self.more.set()  # no news of a move will come
        self.show_footer()  # with the same frame

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self.show_snippet()
        if self.results.cursor + AHEAD >= self.results.count:
            self.more.set()

    def left(self) -> Left:
        return Left(self.field.value.strip(), self.types, self.where)

    def do_results_words(self) -> None:
        self.waiting.clear()
        self.set_focus(self.field)
        self.results.show_led()
        self.show_footer()

    def do_filter(self, type_: str) -> None:
        """Look only for documents of this type, or for it too, or not for it any more."""
        types = set(self.types) ^ {type_}
        self.types = tuple(each for each in TYPES if each in types)
        self.typed(self.field.value)

    def do_results_ask(self) -> None:
        from kbtui.tui.screens.ask import Ask

        self.app.switch_screen(Ask(self.kbapp, words=self.field.value))

    def do_search_again(self) -> None:
        """One is there."""
        self.tell("These are the results.")

    def do_results_leave(self) -> None:
        self.do_results_words()
