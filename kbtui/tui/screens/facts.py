"""A page of facts: what was asked of the service, or what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.errors import Failure
from kbtui.requests import Request
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age, human_size
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.hits import Row
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from rich.console import Console

    from kbtui.tui.app import KbApp

Fact = tuple[str, str, str]  # its name, what it is, and its look
LONGEST = 4_000  # characters of a fact
LABEL = 16  # cells of a name, with what stands around it
_PART = re.compile(r"(?<=\s)|(?<![:/])(?=[/?&])")


class Facts(CommandScreen[None]):
    """Facts under a heading, and what is copied of them."""

    places = ("facts", "move")

    def __init__(self, app: KbApp, heading: str, facts: list[Fact], copied: str = "") -> None:
        super().__init__(app.keymap)
        self.kbapp, self.heading, self.facts_told = app, heading, facts
        self.copied = copied or "\n".join(f"{label}: {value}" for label, value, _ in facts if value)
        self._called = "the request as curl" if copied else "what is told here"
        self._header, self._view = Line("header"), FactView("view")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._view
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(f" {self.heading}", "strong")])
        self.set_focus(self._view)
        lines: list[list[Part]] = [[("", "")]]
        for label, value, look in self.facts_told:
            shown = safe(value[:LONGEST])
            words = Address(shown) if isinstance(value, Address) else shown
            lines.append([(f"  {label:<{LABEL - 2}}", "dim"), (words, look)])
        self._view.say(lines, hang=LABEL)
        self.show_footer()

    def do_move(self, by: str) -> None:
        self._view.move(by)

    def do_facts_copy(self) -> None:
        self.kbapp.copy_to_clipboard(self.copied, self._called)

    def do_facts_leave(self) -> None:
        self.dismiss()


class LastError(Facts):
    """The one that its key tells from everywhere."""


class FactView(DocumentView):
    """Facts as lines; an address has all of the width, and goes on below where a part of it begins."""

    @property
    def _manner(self) -> tuple[int, bool, int]:
        return self.size.width, True, 0

    def _wrapped(self, line: Sequence[Part], console: Console) -> Iterable[Row]:
        words, look = line[-1]
        if not isinstance(words, Address):
            yield from super()._wrapped(line, console)
            return
        head, head_look = line[0]
        for row in words.rows(max(10, self.size.width - LABEL - 2)):
            yield [Segment(head, self.look(head_look)), Segment(row, self.look(look))]
            head = " " * LABEL


class Address(str):
    """An address, or words with one among them."""

    __slots__ = ()

    def rows(self, width: int) -> list[str]:
        """In at most `width` cells each, cut before / ? and &, and elsewhere only where that is too long."""
        rows = [""]
        for part in _PART.split(self):
            if rows[-1] and cell_len(rows[-1] + part.rstrip()) > width:
                rows.append("")
            *whole, last = chop_cells(part, width) or [""]
            rows[-1:] = [*whole, last] if whole else [rows[-1] + last]
        return [row.rstrip() for row in rows]


def of_request(request: Request, base_url: str) -> list[Fact]:
    """What is known of a request; it has no body here, for none is kept."""
    wrong = _wrong(request.error) if request.error else []
    return [*_asked(request), *wrong, _as_curl(request, base_url)]


def of_error(at: float, error: Failure, request: Request | None, base_url: str) -> list[Fact]:
    """What went wrong at a time, and, where it was one, with which request."""
    when = ("When", f"{time.strftime('%H:%M:%S', time.localtime(at))} ({_ago(at)})", "")
    if request is None:
        its = [("Request id", error.request_id, "")] if error.request_id else []
        return [*_wrong(error), when, *its]
    return [*_wrong(error), *_asked(request), _as_curl(request, base_url)]


def _asked(request: Request) -> Iterator[Fact]:
    yield "Sent", f"{time.strftime('%H:%M:%S', time.localtime(request.at))} ({_ago(request.at)})", ""
    yield "Request", Address(f"{request.method} {request.path}"), "strong"
    nobody = "called off before it came" if request.called_off else "none came"
    bad = request.status is None or request.status >= 400
    yield "Answer", str(request.status or nobody), "bad" if bad and not request.called_off else ""
    yield "Took", f"{request.ms:.0f} ms", ""
    short = f" ({human_size(request.received)})" if request.received >= 1000 else ""
    yield "Received", f"{counted(request.received, 'byte')}{short}", ""
    yield "Request id", request.request_id or (request.error and request.error.request_id) or "none", ""
    if request.sends:
        yield "Sent with it", f"a body of {request.sends}, which is kept nowhere", ""


def _wrong(error: Failure) -> Iterator[Fact]:
    yield "Went wrong", error.sentence, "bad"
    if error.fate_unknown:
        yield "Carried out?", "nobody knows: look before you try again", "warn"
    yield "In detail", error.detail, ""
    if error.code:
        yield "Code", error.code, ""
    yield "What to do", error.advice, ""


def _as_curl(request: Request, base_url: str) -> Fact:
    return "As a command", Address(request.curl(base_url)), "dim"


def _ago(at: float) -> str:
    age = human_age(int(at), time.time())
    return "just now" if age == "now" else f"{age} ago"
