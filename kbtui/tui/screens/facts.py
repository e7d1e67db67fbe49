"""A page of facts: what was asked of the service, or what went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.errors import Failure
from kbtui.requests import Request
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age, human_size
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

Fact = tuple[str, str, str]  # its name, what it is, and its look
LONGEST = 4_000  # characters of a fact


class Facts(CommandScreen[None]):
    """Facts under a heading, and what is copied of them."""

    places = ("facts", "move")

    def __init__(self, app: KbApp, heading: str, facts: list[Fact], copied: str = "") -> None:
        super().__init__(app.keymap)
        self.heading, self.facts_told = heading, facts
        self.copied = copied or "\n".join(f"{label}: {value}" for label, value, _ in facts if value)
        self._header, self._view = Line("header"), DocumentView("view")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._view
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(f" {self.heading}", "strong")])
        self.set_focus(self._view)
        lines: list[list[Part]] = [[("", "")]]
        for label, value, look in self.facts_told:
            lines.append([(f"  {label:<14}", "dim"), (safe(value[:LONGEST]), look)])
        self._view.say(lines, hang=16)
        self.show_footer()

    def do_move(self, by: str) -> None:
        self._view.move(by)

    def do_facts_copy(self) -> None:
        self.app.copy_to_clipboard(self.copied)

    def do_facts_leave(self) -> None:
        self.dismiss()


def of_request(request: Request, base_url: str) -> list[Fact]:
    """What is known of a request; it has no body here, for none is kept."""
    return [*_asked(request), *(_wrong(request.error) if request.error else []), _as_curl(request, base_url)]


def of_error(at: float, error: Failure, request: Request | None, base_url: str) -> list[Fact]:
    """What went wrong at a time, and, where it was one, with which request."""
    when = ("When", f"{time.strftime('%H:%M:%S', time.localtime(at))} ({_ago(at)})", "")
    if request is None:
        return [*_wrong(error), when]
    return [*_wrong(error), *_asked(request), _as_curl(request, base_url)]


def _asked(request: Request) -> Iterator[Fact]:
    yield "Sent", f"{time.strftime('%H:%M:%S', time.localtime(request.at))} ({_ago(request.at)})", ""
    yield "Request", f"{request.method} {request.path}", "strong"
    nobody = "called off before it came" if request.called_off else "none came"
    bad = request.status is None or request.status >= 400
    yield "Answer", str(request.status or nobody), "bad" if bad and not request.called_off else ""
    yield "Took", f"{request.ms:.0f} ms", ""
    short = f" ({human_size(request.received)})" if request.received >= 1000 else ""
    yield "Received", f"{counted(request.received, 'byte')}{short}", ""
    yield "Request id", request.request_id or "none", ""
    if request.sends:
        yield "Sent with it", f"a body of {request.sends}, which is kept nowhere", ""


def _wrong(error: Failure) -> Iterator[Fact]:
    yield "Went wrong", error.sentence, "bad"
    if error.fate_unknown:
        yield "Carried out?", "nobody knows: look before you try again", "warn"
    yield "In detail", error.detail, ""
    if error.code:
        yield "Code", error.code, ""
    if error.request_id:
        yield "Request id", error.request_id, ""
    yield "What to do", error.advice, ""


def _as_curl(request: Request, base_url: str) -> Fact:
    return "As a command", request.curl(base_url), "dim"


def _ago(at: float) -> str:
    age = human_age(int(at), time.time())
    return "just now" if age == "now" else f"{age} ago"
