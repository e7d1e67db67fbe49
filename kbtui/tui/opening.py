"""The screens that a key opens from anywhere, and the ways back into Browse."""

from __future__ import annotations

import time
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from kbtui.errors import failure_of
from kbtui.rows import ALL, Found
from kbtui.tui.keyboard import CommandScreen

if TYPE_CHECKING:
    from textual.app import App

    from kbtui.errors import Error, Failure
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.rows import Chosen, DocumentRow
    from kbtui.tui.app import KbApp
    from kbtui.tui.finding import Left
    from kbtui.tui.screens.browse import Browse

    Base = App[int]
else:
    Base = object


class Opening(Base):
    """What `KbApp` does to show something else; a part of it in a file of its own."""

    agent: Chosen | None = None  # that was looked at last
    told_error: tuple[float, Failure] | None = None  # of which a person was told last, and when

    @property
    def look_failed(self) -> tuple[float, Failure] | None:
        """The last look at the service that failed, and when."""
        raise NotImplementedError

    def note_error(self, error: Error) -> None:
        """A person was told of this one."""
        self.told_error = (time.time(), failure_of(error))

    _left: tuple[KnowledgeBase | None, Left | None] = (None, None)
    _opened = ""  # the document that a search was left for, till one has gone back

    @property
    def kb(self) -> KnowledgeBase:
        raise NotImplementedError

    @property
    def _it(self) -> KbApp:
        return cast("KbApp", self)

    def here(self) -> DocumentRow:
        raise NotImplementedError

    def _browse(self) -> Browse | None:
        raise NotImplementedError

    def do_go_drafts(self) -> None:
        from kbtui.tui.screens.choose import DraftList

        self.push_screen(DraftList(self._it))

    def do_document_history(self) -> None:
        from kbtui.tui.screens.history import DocumentHistory

        self.push_screen(DocumentHistory(self._it, self._it.here()))

    def do_document_auto_sync(self) -> None:
        from kbtui.tui.screens.auto_sync import AutoSyncScreen

        self.push_screen(AutoSyncScreen(self._it, self._it.here()))

    def do_go_workspaces(self) -> None:
        from kbtui.tui.screens.choose import WorkspaceList

        self.push_screen(WorkspaceList(self._it))

    def do_search_open(self) -> None:
        from kbtui.tui.screens.search import Search

        self.push_screen(Search(self._it))

    @property
    def is_asking(self) -> bool:
        """Whether a question waits for its answer, whatever lies over it: then nothing leads elsewhere."""
        return any(isinstance(each, CommandScreen) and each.asks for each in self.screen_stack)

    def uncover(self) -> None:
        """Close what lies over Browse: something is to be shown there."""
        browse = self._browse()
        while browse is not None and isinstance(self.screen, CommandScreen) and self.screen is not browse:
            self.screen.close()

    def leave_search(self, left: Left) -> None:
        """Remember a search that was left for one of its results."""
        self._left, self._opened = (self.kb, left), left.id

    def forget_results(self) -> None:
        """One has gone on from the document that was opened there: it leads to its list, as others do."""
        self._opened = ""

    def back_to_results(self, row: DocumentRow | None) -> bool:
        """From a document that was opened there, once; False where it was not."""
        there = row is not None and self._opened == row.id and self._left[0] is self.kb
        if there:
            self.do_search_again()
        return there

    def do_search_again(self) -> None:
        """Back to what was found, where it was left."""
        from kbtui.tui.screens.search import Search

        kb, left = self._left
        self._opened = ""
        if left is not None and kb is self.kb:
            self.push_screen(Search(self._it, left=left))
        else:
            self._it.tell("No result of a search was opened yet; S searches.")

    def do_chunks_open(self) -> None:
        from kbtui.tui.screens.chunks import Chunks

        spot = self._it.screen.spot() if isinstance(self._it.screen, CommandScreen) else None
        self.push_screen(Chunks(self._it, self.here(), spot=spot))

    def do_index_open(self) -> None:
        from kbtui.tui.screens.index import Index

        row = self._it.screen.situation().row if isinstance(self._it.screen, CommandScreen) else None
        self.push_screen(Index(self._it, self.kb.marks.ids or [row.id if row is not None else ALL]))

    def do_ask_open(self) -> None:
        from kbtui.tui.screens.ask import Ask

        self.push_screen(Ask(self._it))

    def do_ask_last(self) -> None:
        from kbtui.tui.screens.ask import Ask

        self.push_screen(Ask(self._it, again=True))

    def show_found(self, found: Found, typed: str = "") -> None:
        """Show a document that was searched for, where the words stand, best as they were typed."""
        browse = self._browse()
        if browse is not None:
            browse.show_found(found, typed)

    def show_info(self) -> None:
        """Show all that is known of the document that was shown last."""
        browse = self._browse()
        if browse is not None:
            browse.do_view_info()

    def do_go_agents(self) -> None:
        from kbtui.tui.screens.knowledge import Known

        self.push_screen(Known(self._it))

    def looked_at(self) -> Chosen | None:
        """The agent through whose eye all is shown, else the one that was looked at last."""
        browse = self._browse()
        eye = browse.shown.eye if browse is not None else None
        return eye.chosen if eye is not None else self.agent

    def go_to(self, id: str, name: str) -> None:
        """Put the cursor of Browse on a document, or into a folder."""
        browse = self._browse()
        if browse is not None:
            browse.go_to(id, name)

    def look_as(self, agent: Chosen) -> None:
        """Show in Browse only what an agent can retrieve."""
        browse = self._browse()
        if browse is not None:
            browse.look_as(agent)

    def do_go_tasks(self) -> None:
        from kbtui.tui.screens.tasks import TaskList

        if self._has_service() and not self._went_back(TaskList):
            self.push_screen(TaskList(self._it))

    def do_go_requests(self) -> None:
        from kbtui.tui.screens.requests import RequestLog

        if self._has_service() and not self._went_back(RequestLog):
            self.push_screen(RequestLog(self._it))

    def _went_back(self, wanted: type[CommandScreen[None]]) -> bool:
        """Close what tells of the work behind the screen, one in the place of another; is `wanted` there?"""
        from kbtui.tui.screens.facts import Facts
        from kbtui.tui.screens.requests import RequestLog
        from kbtui.tui.screens.tasks import TaskList

        while isinstance(screen := self.screen, TaskList | RequestLog | Facts):
            if isinstance(screen, wanted):
                return True
            self._it.wait_for_more()  # one frame shows what goes and what comes
            screen.close()
        return False

    def do_go_error(self) -> None:
        """The last error: of which a person was told, of a request, or of a look at the service."""
        from kbtui.tui.screens.facts import LastError, of_error

        if not self._has_service() or isinstance(self.screen, LastError):
            return
        failed = self.kb.requests.failed()
        request = (failed.at, failed.error) if failed is not None and failed.error is not None else None
        told = max(
            filter(None, (request, self.told_error, self.look_failed)), default=None, key=itemgetter(0)
        )
        if told is None:
            self._it.tell("Nothing has gone wrong in this visit.")
            return
        at, error = told
        last = self.kb.requests.last()
        its = next((each for each in last if each.error and _same(each.error, error)), None)
        facts = of_error(at, error, its, self.kb.base_url)
        if not self._went_back(LastError):
            self.push_screen(LastError(self._it, "The last error", facts))

    def _has_service(self) -> bool:
        if not self._it.has_knowledge:
            self._it.tell("No workspace is open yet: nothing was asked.")
        return self._it.has_knowledge

    def do_help_keys(self) -> None:
        from kbtui.tui.screens.keys import Keys

        if isinstance(self.screen, CommandScreen):
            self.push_screen(Keys(self._it, self.screen))

    def do_help_palette(self) -> None:
        from kbtui.tui.screens.palette import Palette

        if isinstance(self.screen, CommandScreen):
            self.push_screen(Palette(self._it, self.screen))

    def go_straight(self, row: DocumentRow) -> None:
        """Show a folder or a document from wherever one is; what is typed in an editor stays a draft."""
        self.uncover()
        self.show_found(Found(row.id, row.name, row.type))


def _same(one: Failure, other: Failure) -> bool:
    """Whether both are told of one try of a request."""
    return (one.detail, one.request_id) == (other.detail, other.request_id)
