"""From a key to a command: the only place where keys are looked at outside text fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar, TypeVar

from textual import events
from textual.notifications import SeverityLevel
from textual.screen import Screen

from kbtui.commands import BY_ID, Command, Keymap, Situation, show_key
from kbtui.errors import Error
from kbtui.tui.widgets.line import Line, Part

Answer = TypeVar("Answer")

TYPING = {"filter", "rename", "editor", "keys"}
"""Places where a text field has the focus: there a key that is no command is a character."""


def key_name(event: events.Key) -> str:
    """The key as `commands.py` writes it: the character where there is one, else Textual's name."""
    if event.is_printable and event.character and event.character != " ":
        return event.character
    return event.key


class CommandScreen(Screen[Answer], inherit_bindings=False):
    """A screen whose keys are commands, with a footer that tells them and a notice line above it."""

    places: ClassVar[tuple[str, ...]] = ("everywhere",)

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap
        self.prefix = ""

    # What a subclass may say of itself

    def here(self) -> tuple[str, ...]:
        """The places that a key is looked up in now, the narrowest first."""
        return self.places

    def situation(self) -> Situation:
        return Situation()

    def facts(self) -> list[Part]:
        """What stands at the right end of the footer."""
        return []

    # Keys

    def press(self, event: events.Key) -> bool:
        """Carry out what the key means here; False lets the focused text field have it."""
        here = self.here()
        key = key_name(event)
        sequence = f"{self.prefix} {key}" if self.prefix else key
        typing = here[0] in TYPING
        command = self.keymap.find(here, sequence)
        if not typing and self.keymap.after(here, sequence):
            self.prefix = sequence
            self.show_footer()
            return True
        if self.prefix:
            self.prefix = ""
            self.show_footer()
            if command is None:
                return True
        if command is None:
            return False
        self.run(command)
        return True

    def run(self, command: Command) -> None:
        """Carry out a command, or say why it is off."""
        reason = command.reason(self.situation())
        if reason:
            self.tell(f"{command.label.capitalize()}: {reason.rstrip('.')}.", "warn")
            return
        method = self._method(command)
        if method is not None:
            method()

    def await_rest(self, id: str) -> None:
        """Take the key of a command as the first of two, as if it had been pressed."""
        self.prefix = self.keymap.keys(BY_ID[id])[0]
        self.show_footer()

    def run_id(self, id: str) -> None:
        self.run(BY_ID[id])

    def can(self, command: Command) -> bool:
        """Whether this screen knows how to carry out `command` at all."""
        return self._method(command) is not None

    def _method(self, command: Command) -> Callable[[], None] | None:
        """`sort.name_down` is done by `do_sort_name_down()`, or else by `do_sort("name_down")`."""
        family, _, rest = command.id.partition(".")
        for owner in (self, self.app):
            exact = getattr(owner, f"do_{family}_{rest}", None)
            if exact is not None:
                return exact  # type: ignore[no-any-return]
            if hasattr(owner, f"do_{family}"):
                return partial(getattr(owner, f"do_{family}"), rest)
        return None

    # What it tells

    def show_footer(self) -> None:
        """Say the most useful keys, or what may follow the one just pressed."""
        parts: list[Part] = [(" ", "")]
        if self.prefix:
            parts += [(show_key(self.prefix), "strong"), (" … ", "dim")]
            for label, keys in self._following():
                parts += [(" ".join(keys), "key"), (f" {label}  ", "dim")]
        else:
            for key, command in self.keymap.footer(self.here(), self.situation()):
                parts += [(key, "key"), (f" {command.label}  ", "dim")]
        for footer in self.query(Line).filter("#footer"):
            footer.show(parts, [] if self.prefix else self.facts())

    def _following(self) -> Iterable[tuple[str, list[str]]]:
        """What may follow the first key, keys of one label together: n N name."""
        labels: dict[str, list[str]] = {}
        for key, command in self.keymap.after(self.here(), self.prefix):
            if self.can(command) and command.reason(self.situation()) is None:
                labels.setdefault(command.label, []).append(show_key(key))
        return labels.items()

    def tell(self, sentence: str, look: str = "") -> None:
        """One notice; the next replaces it."""
        severity: SeverityLevel = {"bad": "error", "warn": "warning"}.get(look, "information")  # type: ignore[assignment]
        self.app.clear_notifications()
        self.app.notify(sentence, severity=severity, markup=False, timeout=8 if look else 4)

    def failed(self, error: Error) -> None:
        self.tell(error.sentence, "bad")
