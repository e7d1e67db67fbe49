"""First run: no key is set. How to set one, a check that it works, and a demo that needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.settings import KEY_VARIABLE, REGIONS
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Welcome(CommandScreen[None]):
    """Says how to give kbtui a key."""

    places = ("welcome", "move")

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self._header, self._words = Line("header"), DocumentView("words")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._words
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" kbtui", "key"), ("   first run", "dim")])
        self.set_focus(self._words)
        self.say("")
        self.show_footer()

    def say(self, answer: str, look: str = "warn") -> None:
        """The page, with the answer to the last check."""
        config = self.kbapp.settings.places.config / "config.toml"
        workspace = self.kbapp.settings.workspace
        lines: list[list[Part]] = [
            [],
            [("  No API key is set for ", ""), (safe(workspace.base_url), "strong")],
            [],
            [("  kbtui needs a key with the permissions ", ""), ("convai_read", "key"), (" and ", ""),
             ("convai_write", "key"), (".", "")],
            [("  Any one of these gives it one:", "")],
            [],
            [(f"    {KEY_VARIABLE}=… kbtui", "strong")],
            [("    kbtui --api-key-file FILE", "strong"), ("     a file that only you can read", "dim")],
            [(f"    keyring set kbtui {safe(workspace.base_url)}", "strong")],
            [("    a workspace in ", "strong"), (safe(str(config)), "strong")],
            [],
            [("  Other regions have keys of their own: ", "dim"),
             (f"kbtui --region {'|'.join(name for name in REGIONS if name != 'global')}", "dim")],
            [],
            [("  Enter", "key"), ("  looks for a key again and tries it", "")],
            [("  d    ", "key"), ("  opens the demo: a knowledge base of its own, no key, no network", "")],
            [("  q    ", "key"), ("  quits", "")],
            [],
            [(f"  {safe(answer)}", look)],
        ]  # fmt: skip
        self._words.say(lines)

    def do_move(self, by: str) -> None:
        self._words.move(by)

    def do_welcome_check(self) -> None:
        self.say("Looking for a key …", "dim")
        self.kbapp.try_key(self.say)

    def do_welcome_demo(self) -> None:
        self.say("Starting the demo …", "dim")
        self.kbapp.open_demo(self.say)
