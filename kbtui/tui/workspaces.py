"""How a workspace is opened and left: what must finish first, and what need not."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.worker import Worker, active_worker

from kbtui.commands import BY_ID
from kbtui.content import safe
from kbtui.errors import Error
from kbtui.rows import Found, Start
from kbtui.settings import BadSettings, Settings, Workspace
from kbtui.situation import Situation
from kbtui.tui.background import background
from kbtui.tui.holding import Holding
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.folder_tree import counted

if TYPE_CHECKING:
    from textual.screen import Screen

    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.tui.building import Job
    from kbtui.tui.following import Follower
    from kbtui.tui.screens.browse import Browse

OpenWorkspace = Callable[[Settings, Workspace], "KnowledgeBase | None"]
StartDemo = Callable[[], Settings]
Say = Callable[[str, str], None]

UNTOLD = 0.7  # seconds that finding a document may take before a person is told that it is looked for


class Workspaces(Holding):
    """What `KbApp` does to change its workspace, and to end; a part of it in a file of its own."""

    settings: Settings
    leaving: bool  # saves are waited for before something is left
    _kb: KnowledgeBase | None
    _follower: Follower | None
    _open_workspace: OpenWorkspace
    _start_demo: StartDemo
    edit_at: Callable[[str, str], None]
    show_found: Callable[..., None]
    left_behind: Callable[[], str]
    jobs: Callable[[], tuple[Job, ...]]

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._numbers = itertools.count(1)  # of workspaces opened in this run

    def get_default_screen(self) -> Screen[None]:
        raise NotImplementedError

    def _browse(self) -> Browse | None:
        raise NotImplementedError

    @property
    def kb(self) -> KnowledgeBase:
        raise NotImplementedError

    def read_only(self) -> str:
        raise NotImplementedError

    def _begin_workspace(self) -> None:
        raise NotImplementedError

    # Open

    @background("start")
    async def begin_with(self, start: Start) -> None:
        """Show the document that the command line names, one of its chunks, or the editor on it."""
        late = self.set_timer(UNTOLD, lambda: self.tell(f"Looking for “{start.document}” …"))
        try:
            row = await self.kb.row_of(start.document)
        finally:
            late.stop()
        if self._is_busy(row.name):
            return
        self.show_found(Found(row.id, row.name, row.type))
        reason = BY_ID["document.edit"].reason(Situation(row=row, read_only=self.read_only()))
        if start.edit and reason:
            self.tell(f"Edit: {reason.rstrip('.')}.", "warn")
        elif start.edit:
            passage = (await self.kb.chunk(row.id, start.chunk)).content if start.chunk else ""
            if not self._is_busy(row.name):
                self.edit_at(row.id, passage)
        elif start.chunk:
            from kbtui.tui.screens.chunks import Chunks

            await self.push_screen(Chunks(self, row, (start.chunk, "")))  # type: ignore[arg-type]

    def _is_busy(self, name: str) -> bool:
        """Whether the person is at something else: what is typed there would go to what opens over it."""
        busy = self.is_typing() or self.screen is not self._browse()
        if busy:
            self.tell(f"“{safe(name[:80])}” was found, and is not opened over what you are doing.")
        return busy

    @background("open")
    async def change_workspace(self, workspace: Workspace) -> None:
        """Open another workspace of the configuration; the first-run screen where it has no key."""
        if await self._may_leave():
            await self._open(replace(self.settings, workspace=workspace))

    @background("open")
    async def open_demo(self, say: Say) -> None:
        """Open the embedded demo knowledge base, or say why not."""
        try:
            settings = await asyncio.to_thread(self._start_demo)
        except BadSettings as error:
            say(str(error), "bad")
            return
        await self._open(settings)

    @background("open")
    async def try_key(self, say: Say) -> None:
        """Look for a key again, and open the workspace if the service takes it, or say why not."""
        try:
            kb = self._open_workspace(self.settings, self.settings.workspace)
        except BadSettings as error:
            say(str(error), "bad")
            return
        if kb is None:
            say("Still no key: not in the environment, not in the configuration, not in the keyring.", "warn")
            return
        try:
            await kb.check()
        except BaseException as error:
            await kb.close()
            if not isinstance(error, Error):
                raise
            say(error.sentence, "bad")
            return
        await self._enter(self.settings, kb)

    async def _open(self, settings: Settings) -> None:
        await self._finish_work()
        try:
            kb = self._open_workspace(settings, settings.workspace)
        except BadSettings as error:
            self.tell(str(error), "bad")
            return
        await self._enter(settings, kb)

    async def _enter(self, settings: Settings, kb: KnowledgeBase | None) -> None:
        self.held = []  # what is typed from now on is meant for the next workspace
        browse = self._browse()
        if browse is not None:
            browse.rest()
        await self._cancel_work()
        left_behind = self.left_behind()
        old, self.settings, self._kb, self._follower = self._kb, settings, kb, None
        # A mode of its own: the first screen of an app cannot be switched for another.
        left, mode = self.current_mode, f"workspace-{next(self._numbers)}"
        self.add_mode(mode, self.get_default_screen)
        await self.switch_mode(mode)
        if isinstance(self.screen, CommandScreen):
            await self.screen.ready()
        if left != "_default":
            await self.remove_mode(left)
        if old is not None:
            await old.close()
        if left_behind:
            self.tell(left_behind)
        if kb is not None:
            self._begin_workspace()
        await self.release()

    # Leave

    def do_app_leave(self) -> None:
        self.do_app_quit()

    def do_app_quit(self) -> None:
        self.quit(self.leaving)

    @background("quit")
    async def quit(self, at_once: bool) -> None:
        """Wait for what must finish, then end; asked again, end at once. Drafts stay."""
        if at_once or (await self._may_leave() and await self._may_cut_off()):
            if not at_once:
                await self._finish_work()
            await self._cancel_work()
            self.exit(0)

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        self.away = True  # what is typed from now on is meant for the shell
        super().exit(result, return_code, message)

    async def _may_leave(self) -> bool:
        """Whether every word is safe, or the person leaves nevertheless."""
        from kbtui.tui.screens.question import Question

        if self._kb is None or self.settings.demo:
            return True
        drafts = self._kb.drafts
        drafts.flush()
        if not drafts.trouble or not drafts.all():
            return True
        loss = f"They cannot be written to the disk: {drafts.trouble}. What is not saved is lost for good."
        return await self.push_screen_wait(Question(self, "Leave and lose your drafts?", loss, "Leave"))  # type: ignore[arg-type]

    async def _may_cut_off(self) -> bool:
        """Whether nothing is under way that would be cut off, or the person leaves nevertheless."""
        from kbtui.tui.screens.question import Question

        left = sum(len(job.names) - job.known for job in self.jobs() if job.worker is not None)
        loss = f"Not begun yet, and never to be: the indexes of {counted(left, 'document')}."
        if not left:
            if all(worker.group != "bulk" for worker in self._under_way()):
                return True
            loss = "What is done to many documents is not done to all of them yet; the rest stays as it is."
        return await self.push_screen_wait(Question(self, "Leave, and cut that off?", loss, "Leave"))  # type: ignore[arg-type]

    # Reading only

    def do_app_read_only(self) -> None:
        self._set_read_only(True, "From now on nothing is changed; :set rw allows it again.")

    def do_app_write(self) -> None:
        if self._kb is not None and self._kb.read_only and self.settings.workspace.read_only:
            self.tell("It was opened for reading only: by the configuration, or by --read-only.", "warn")
        else:
            self._set_read_only(False, "Changes are sent.")

    def _set_read_only(self, read_only: bool, sentence: str) -> None:
        if self._kb is None:
            self.tell("No workspace is open yet.")
            return
        self._kb.read_only = read_only
        self.tell(sentence)
        if isinstance(self.screen, CommandScreen):
            self.screen.show_lines()

    async def _finish_work(self) -> None:
        """Wait for every save, also for those that are begun meanwhile."""
        self.leaving = True
        try:
            while saving := [worker for worker in self._under_way() if worker.group == "save"]:
                self.tell("Finishing the save … Q leaves at once; the draft is kept.")
                await asyncio.shield(_ended(saving))  # asked again to leave, this waiting ends, not the save
        finally:
            self.leaving = False

    def stay(self) -> None:
        """Call leaving off, where it waits for a save."""
        if self.leaving:
            for leaving in ("open", "quit"):
                self.workers.cancel_group(self, leaving)
            self.tell("Not left: this has to be answered first.")

    async def on_unmount(self) -> None:
        """The last step: no screen is left that could ask for anything, no work that could write."""
        await self._cancel_work()
        if self._kb is not None:
            await self._kb.close()

    async def _cancel_work(self) -> None:
        """Stop what need not finish."""
        running = self._under_way()
        for worker in running:
            if not worker.is_cancelled:  # a second time would cut off how it ends
                worker.cancel()
        await _ended(running)

    def _under_way(self) -> list[Worker[Any]]:
        """All work but that which asks."""
        asking = active_worker.get(None)
        return [each for each in self.workers if each is not asking and not each.is_finished]


async def _ended(workers: list[Worker[Any]]) -> None:
    await asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)
