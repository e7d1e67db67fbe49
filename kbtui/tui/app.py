"""KbApp: puts the screens together and tells them when the mirror has moved."""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from pathlib import Path

from rich.style import Style
from rich.text import Text
from textual.app import App
from textual.geometry import Size
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import WorkerFailed

import kbtui
from kbtui.access import LOOK
from kbtui.commands import BY_ID
from kbtui.content import safe
from kbtui.errors import Error, Failure, Offline
from kbtui.keymap import Keymap, show_key
from kbtui.knowledge_base import KnowledgeBase
from kbtui.rows import DocumentRow, Start, View
from kbtui.settings import Settings
from kbtui.terminal import give_to_shell, has_shell, never_stop_alone, over_a_link
from kbtui.tui import output, paste, widths
from kbtui.tui.background import background
from kbtui.tui.building import Building
from kbtui.tui.copying import Copying
from kbtui.tui.driver import PacedDriver
from kbtui.tui.following import Follower
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.opening import Opening
from kbtui.tui.panes import SCOPES
from kbtui.tui.screens.browse import Browse
from kbtui.tui.taking_back import TakingBack
from kbtui.tui.tasks import Tasks
from kbtui.tui.themes import ANSI_VARIABLES, OTHER, THEMES, looks, theme_for
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Part
from kbtui.tui.workspaces import OpenWorkspace, StartDemo, Workspaces

_PACKAGE = Path(kbtui.__file__).resolve().parent
STYLES = next(folder for folder in (_PACKAGE / "styles", _PACKAGE.parent / "styles") if folder.is_dir())
SHEETS = (
    "app",
    "browse",
    "editor",
    "conflict",
    "difference",
    "history",
    "auto_sync",
    "question",
    "choose",
    "views",
    "keys",
    "palette",
    "search",
    "chunks",
    "compared",
    "ask",
    "agents",
    "knowledge",
    "index",
    "tasks",
    "requests",
    "facts",
    "welcome",
)


class KbApp(
    Workspaces,
    Opening,
    TakingBack,
    Building,
    Tasks,
    Copying,
    output.Output,
    App[int],
    inherit_bindings=False,
):
    """The application over one workspace at a time.

    Args:
        settings: what was decided before the first frame.
        kb: the workspace's knowledge base, or None where no key is set: then the first-run screen is shown.
        keymap: the keys, after the configuration.
        open_workspace: opens another one; None where it has no key.
        start_demo: starts the demo and says how to open it.
        start: what is shown first.

    Both raise `settings.BadSettings`, with a sentence.
    """

    TITLE = "kbtui"
    CSS_PATH = [STYLES / f"{name}.tcss" for name in SHEETS]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = (
        False  # by the mouse: nothing here copies it, and a window made smaller meanwhile is a crash
    )

    def __init__(
        self,
        settings: Settings,
        kb: KnowledgeBase | None,
        keymap: Keymap,
        open_workspace: OpenWorkspace,
        start_demo: StartDemo,
        start: Start | None = None,
    ) -> None:
        widths.install()
        chosen = theme_for(settings.theme)
        super().__init__(driver_class=PacedDriver, ansi_color=chosen.startswith("ansi"))
        self.settings = settings
        self.only_changes = settings.drawing == "changes"
        self.keymap = keymap
        self._open_workspace, self._start_demo, self._start = open_workspace, start_demo, start
        self.settle = 0.3 if over_a_link() else 0.15  # seconds a cursor rests before the text follows
        self._kb = kb
        self._version = -1
        self._follower: Follower | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._resizes = 0  # that were not looked at yet
        self._painted = Size(0, 0)
        for theme in THEMES:
            self.register_theme(theme)
        # Not by assignment: that would read every style sheet a second time before the first frame.
        self.set_reactive(App.theme, chosen)
        self.stylesheet.set_variables(self.get_css_variables())
        self._theme_chosen = False
        self._looks: tuple[str, dict[str, Style]] = ("", {})

    @property
    def kb(self) -> KnowledgeBase:  # type: ignore[override]
        """The knowledge base that is open; only the first-run screen is shown without one."""
        assert self._kb is not None
        return self._kb

    @property
    def has_knowledge(self) -> bool:
        """Whether any is open: there is none on the first-run screen."""
        return self._kb is not None

    def has_open(self, kb: KnowledgeBase) -> bool:
        return kb is self._kb

    def on_ground(self, ground: paste.Ground) -> None:
        """The terminal has told its background; what the person chose goes before."""
        if self.settings.theme == "auto" and not self._theme_chosen:
            light = 0.299 * ground.red + 0.587 * ground.green + 0.114 * ground.blue > 0.5
            if light == self.current_theme.dark:
                self.theme = OTHER[self.theme]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return ANSI_VARIABLES

    @property
    def looks(self) -> dict[str, Style]:
        """The looks of the theme of now."""
        if self._looks[0] != self.theme:
            self._looks = (self.theme, looks(self.theme_variables))
        return self._looks[1]

    def get_default_screen(self) -> Screen[None]:
        if self._kb is not None:
            return Browse(self)
        from kbtui.tui.screens.welcome import Welcome

        return Welcome(self)

    def on_ready(self) -> None:
        never_stop_alone()
        self._loop = asyncio.get_running_loop()
        self.call_after_refresh(self._begin, self._kb)
        self.set_interval(LOOK, self._look)

    def _begin(self, first: KnowledgeBase | None) -> None:
        """Everything that the first frame does not need; by then another workspace may have been opened."""
        if first is not None and first is self._kb:
            self._begin_workspace()
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)

    def _begin_workspace(self) -> None:
        browse = self._browse()
        if browse is not None:
            browse.add_fields()
        self._version = self.kb.mirror.version
        self._follower = Follower(self.kb, self._focus, self.tell)
        news = [self.kb.mirror.notice, self.kb.history.notice, self._left_drafts(), *self.kb.drafts.damaged]
        if any(news):
            self.tell(" ".join(filter(None, news)), "warn")
        self._follow()
        self.take_up()
        self._tidy()
        start, self._start = self._start, None
        if start is not None:
            self.begin_with(start)

    @background("sweep")
    async def _follow(self) -> None:
        if self._follower is not None:
            await self._follower.run()

    @background("tidy")
    async def _tidy(self) -> None:
        drafts, history = (
            (limits.days * 86_400.0, limits.megabytes * 1_000_000)
            for limits in (self.settings.drafts, self.settings.history)
        )
        await asyncio.to_thread(self.kb.tidy, drafts, history)

    # The end

    def keep_words(self) -> None:
        """Bring every typed word to the disk; may be called from a signal handler or another thread."""
        if self._kb is not None:
            self._kb.drafts.flush()

    def leave(self, code: int) -> None:
        """End in order with an exit code; may be called from a signal handler."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.exit, None, code)

    def _handle_exception(self, error: Exception) -> None:
        self.keep_words()
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Tell of a bug; unlike Textual without the values of variables, which may be a key or a text."""
        bug = self._exception
        story = "".join(traceback.format_exception(bug.error if isinstance(bug, WorkerFailed) else bug))
        kept = "" if self.settings.demo else " What you typed is kept: start kbtui again and press gd."
        self.panic(Text(f"{safe(story, newlines=True)}\nkbtui met a bug and had to end.{kept}"))

    def on_resize(self) -> None:
        self._resizes += 1
        if self._resizes == 1:
            self.set_timer(0.05, self._resized)

    def _resized(self) -> None:
        """A terminal that was made another size and back has lost its picture; Textual saw no difference."""
        resizes, self._resizes = self._resizes, 0
        if self.size_was_missed():
            return
        if resizes > 1 or self.size == self._painted:
            self.redraw()
        self._painted = self.size

    def here(self) -> DocumentRow:
        assert isinstance(self.screen, CommandScreen)
        row = self.screen.situation().row
        assert row is not None
        return row

    def beneath(self) -> str:
        row = self.screen.situation().row if isinstance(self.screen, CommandScreen) else None
        return row.id if row is not None else ""

    def relist(self) -> None:
        browse = self._browse()
        if browse is not None:
            browse.relist()

    # The signal

    def _look(self) -> None:
        """Has the mirror moved, has the state changed?"""
        screen = self.screen_stack[-1] if self.screen_stack else None  # there is none at the very end
        if not isinstance(screen, Browse):
            if isinstance(screen, CommandScreen):
                screen.show_lines()
            return
        version = self.kb.mirror.version
        if version != self._version:
            self._version = version
            screen.weigh_marks()
            screen.mirror_moved()
        else:
            screen.show_lines()

    def _browse(self) -> Browse | None:
        return next((screen for screen in self.screen_stack if isinstance(screen, Browse)), None)

    def _focus(self) -> View:
        browse = self._browse()
        return browse.shown if browse is not None else View()

    # What it says

    def read_only(self) -> str:
        """Why nothing can be changed in this workspace, or ""."""
        if self.kb.read_only:
            ends = "" if self.settings.workspace.read_only else "; :set rw ends that"
            return f"this workspace is open for reading only{ends}"
        return "the key may only read; R after you gave it more" if self.may_only_read else ""

    def title_parts(self) -> list[Part]:
        """Name of the app, workspace and region."""
        here = self.settings.workspace
        return [
            (" kbtui ", "key"),
            (f" {safe(here.name)}", here.colour),
            ("" if self.settings.demo else f" · {safe(here.region)}", "dim"),
            (" · read-only" if self.read_only() else "", "warn"),
            ("   ", ""),
        ]

    @property
    def in_touch(self) -> bool:
        """Whether the service answers."""
        return self._follower is not None and self._follower.in_touch

    @property
    def look_failed(self) -> tuple[float, Failure] | None:
        return self._follower.failed if self._follower is not None else None

    @property
    def trouble(self) -> str:
        """Why the service cannot be read now, with what to do, or "" where all is well."""
        return self._follower.trouble if self._follower is not None else ""

    def status(self, room: int) -> list[Part]:
        """How it stands with the service, in at most so many cells if it can be said in so few."""
        return self._follower.status(self._stop_key("browse"), room) if self._follower is not None else []

    def amiss(self, room: int) -> list[Part]:
        """What is the matter with the line, likewise, where the keys are for words; nothing if it is well."""
        key = self._stop_key("editor")
        return self._follower.amiss(key, room, retry="") if self._follower is not None else []

    def _stop_key(self, place: str) -> str:
        return " ".join(map(show_key, self.keymap.keys(BY_ID["sync.stop"], (place,))[:1]))

    def tell(self, sentence: str, look: str = "") -> None:
        """One notice; the next replaces it. What it says may come from anybody."""
        severity: SeverityLevel = {"bad": "error", "warn": "warning"}.get(look, "information")  # type: ignore[assignment]
        mark = {"bad": "✕ ", "warn": "! "}.get(look, "")
        seconds = max(8 if look == "bad" else 4, len(sentence) / 12)  # time to read it
        self.clear_notifications()
        self.notify(mark + safe(sentence), severity=severity, markup=False, timeout=seconds)

    def marked(self) -> list[Part]:
        """How many documents are marked and what they are in size, where any are."""
        marks = self.kb.marks
        size = f" · {human_size(marks.bytes).removesuffix('B')}B" if marks.bytes else ""
        return [(f"{count(len(marks))} marked{size} ", "key")] if marks else []

    def folder(self) -> str:
        """The folder that is open behind whatever lies over it, or "" where it is none."""
        scope = self._focus().scope
        return "" if scope in SCOPES else scope

    def look_again(self, told: str = "") -> None:
        """The service did not answer, of which the person may be told: find out at once how it stands."""
        if self._follower is not None:
            self._follower.look(told)

    def failed(self, error: Error, sentence: str = "") -> None:
        """Say what went wrong; and where the line is down, find out at once."""
        self.note_error(error)
        self.tell(sentence or error.sentence, "bad")
        if isinstance(error, Offline):
            self.look_again(error.sentence)

    def on_returned(self) -> None:
        """The terminal has the focus again."""
        if self._follower is not None:
            self._follower.come_back()

    def reached(self) -> None:
        self.may_only_read = False
        if self._follower is not None and self._follower.trouble:
            self._follower.look()

    def _left_drafts(self) -> str:
        """What an earlier visit left, as a sentence, or ""."""
        left = [draft for draft in self.kb.drafts.all() if not draft.elsewhere]
        if not left:
            return ""
        when = time.strftime("%H:%M", time.localtime(max(draft.saved_at for draft in left)))
        words = "1 draft" if len(left) == 1 else f"{len(left)} drafts"
        return f"{words} from {when}, typed and not saved: gd shows {'it' if len(left) == 1 else 'them'}."

    # Commands of every screen

    def do_sync_refresh(self) -> None:
        self.may_only_read = False
        if self._follower is not None:
            self._follower.refresh()

    def do_sync_stop(self) -> None:
        if self._follower is not None:
            self._follower.stop()

    def content_saved(self, document: str) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, CommandScreen):
                screen.content_saved(document)

    def do_screen_theme(self) -> None:
        self._theme_chosen = True
        self.theme = OTHER[self.theme]

    def do_screen_redraw(self) -> None:
        self.redraw()

    def do_app_suspend(self) -> None:
        if has_shell():
            with self.suspend():
                give_to_shell()
        else:
            self.tell("There is no shell here to go back to.", "warn")
