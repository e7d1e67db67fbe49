"""A question before something is lost: what will be lost, Cancel first, and the verb on the button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp


class Question(ModalScreen[bool]):
    """Asks; True if the person pressed the verb.

    `calm`: nothing is lost, and there is nothing to cancel.
    """

    BINDINGS = [("escape", "cancel"), ("left,right,h,l,tab", "app.focus_next")]

    def __init__(self, app: KbApp, title: str, loss: str, verb: str, *, calm: bool = False) -> None:
        super().__init__()
        self._title, self._loss, self._verb, self._calm = title, loss, verb, calm

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(self._title, id="title", markup=False)
            yield Static(self._loss, id="loss", markup=False)
            with Horizontal(id="buttons"):
                if not self._calm:
                    yield Button("Cancel", id="cancel", compact=True)
                yield Button(
                    self._verb, id="verb", compact=True, variant="default" if self._calm else "error"
                )

    def on_mount(self) -> None:
        self.set_focus(self.query(Button).first())

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "verb")

    def action_cancel(self) -> None:
        self.dismiss(False)
