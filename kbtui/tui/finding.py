"""What a person does with a hit of a search, wherever its hits are listed: open it, look into it, mark it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import on

from kbtui.placing import Spot
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.results import Results
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.tui.app import KbApp


class Scope(NamedTuple):
    """Where is searched: in these documents and what lies in them, or everywhere where there are none."""

    words: str
    ids: tuple[str, ...] = ()


EVERYTHING = Scope("everything")


class Left(NamedTuple):
    """A search that was left for one of its results."""

    words: str
    types: tuple[str, ...] = ()
    where: Scope = EVERYTHING
    id: str = ""  # of the document of the result


class Finding(CommandScreen[None]):
    """A screen with a list of hits; the commands `results.…` and `list.…` of it, each by its name."""

    kb: KnowledgeBase
    kbapp: KbApp
    results: Results

    def left(self) -> Left:
        """The search that is left when a hit is opened."""
        raise NotImplementedError

    def do_move(self, by: str) -> None:
        raise NotImplementedError

    @on(VirtualList.Opened)
    def _opened(self, message: VirtualList.Opened) -> None:
        if message.list is self.results:
            self.do_results_open()

    def spot(self) -> Spot | None:
        """Where the words of the hit stand in its document."""
        found = self.results.found
        return Spot(found.snippet, self.left().words) if found is not None and found.snippet else None

    def do_results_open(self) -> None:
        """The document, where the words stand."""
        found = self.results.found
        if found is not None:
            left = self.left()
            self.kb.remember_search(left.words)
            self.kbapp.leave_search(left._replace(id=found.id))
            self.kbapp.uncover()
            self.kbapp.show_found(found, left.words)

    def do_results_info(self) -> None:
        """Everything known of the document, in its place."""
        if self.results.found is not None:
            self.do_results_open()
            self.kbapp.show_info()

    def do_document_edit(self) -> None:
        """The editor, where the words stand."""
        found = self.results.found
        if found is not None:
            self.kbapp.edit_at(found.id, "".join(words for words, _ in found.snippet))

    def do_list_mark(self) -> None:
        found = self.results.found
        if found is not None:
            self.kb.marks.turn(found.id, self.kb.mirror.sizes([found.id]).get(found.id, 0))
            self.results.refresh_line(self.results.cursor)
            self.do_move("down")

    def do_list_unmark(self) -> None:
        self.kb.marks.drop()
        self.results.refresh()
        self.show_footer()
