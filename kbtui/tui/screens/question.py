"""A question before something is lost: what will be lost, Cancel first, and the verb on the button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events, on
from textual._time import get_time
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from kbtui.tui.keyboard import Answer, CommandScreen
from kbtui.tui.widgets.line import Line

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Asking(CommandScreen[Answer]):
    """A screen that asks. What was typed before it could be read is no answer to it.

    Attributes:
        frame: that shows it, by its number; None until it has been drawn.
    """

    asks = True

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self._asked = get_time()
        self.frame: int | None = None

    def on_mount(self) -> None:
        self.app.wait_for_more()  # type: ignore[attr-defined]

    def on_screen_resume(self) -> None:
        if self.frame is None:  # also where something was opened over it before it was drawn
            self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self.frame = self.app.frame  # type: ignore[attr-defined]

    async def press(self, event: events.Key) -> bool:
        if event.time < self._asked or self.frame is None:
            return True
        seen: bool = self.app.has_seen(self.frame)  # type: ignore[attr-defined]
        return not seen or await super().press(event)


class Question(Asking[bool]):
    """Asks; True if the person pressed the verb.

    `calm`: nothing is lost, and there is nothing to cancel.
    """

    def __init__(self, app: KbApp, title: str, loss: str, verb: str, *, calm: bool = False) -> None:
        super().__init__(app)
        self.places = ("notice",) if calm else ("question",)
        self._title, self._loss, self._verb, self._calm = title, loss, verb, calm

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(self._title, id="title", markup=False)
            yield Static(self._loss, id="loss", markup=False)
            with Horizontal(id="buttons"):
                if not self._calm:
                    yield Reply("Cancel", "cancel")
                yield Reply(self._verb, "verb")
        yield Line("footer")  # where that of the screen below stands, whose keys do nothing now

    def on_mount(self) -> None:
        if replies := self.query(Reply):  # there are none when the app is ending already
            self.set_focus(replies.first())
            self.show_footer()

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "verb")

    def do_question_cancel(self) -> None:
        self.dismiss(False)

    def do_question_verb(self) -> None:
        self.dismiss(True)

    def do_notice_go_on(self) -> None:
        self.dismiss(True)

    def do_question_other(self) -> None:
        self.focus_next(Reply)

    def do_question_press(self) -> None:
        if self.focused is None:  # a click beside the buttons
            self.set_focus(self.query(Reply).first())
        else:
            self.dismiss(self.focused.id == "verb")


class Reply(Button, inherit_bindings=False):
    """A button that shows without colour that it has the keys."""

    def __init__(self, words: str, id: str) -> None:
        super().__init__(f"  {words} ", id=id, compact=True)
        self._words = words

    def on_focus(self) -> None:
        self.label = f"▸ {self._words} "

    def on_blur(self) -> None:
        self.label = f"  {self._words} "
