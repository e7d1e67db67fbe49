"""What was asked of the service lately: every try of a request, as it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.requests import BELOW, KEPT, Request, in_short
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.screens.facts import Facts, of_request
from kbtui.tui.widgets.document_list import human_size
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.table import GAP, ColumnHeads
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

LOW = 12  # rows, below which there are no headings
SENT, ANSWER, METHOD, TOOK, RECEIVED = 10, 6, 7, 8, 8  # cells
OTHERS = SENT + ANSWER + METHOD + TOOK + RECEIVED + 3 * GAP  # than the path
HEAD = f"Request, below {BELOW}"


class RequestLog(CommandScreen[None]):
    """The last requests, the newest first."""

    places = ("requests", "move", "around")

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kbapp, self.kb = app, app.kb
        self.shown = -1  # how many there were when they were drawn last
        self._header, self.lines = Line("header"), RequestLines("lines")
        self._heads = ColumnHeads("heads", self.lines.heads)

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._heads
        yield self.lines
        yield Line("footer")

    def on_mount(self) -> None:
        self.set_focus(self.lines)
        self.show_lines()

    def on_resize(self) -> None:
        self.set_class(self.app.size.height < LOW, "-low")

    def show_lines(self) -> None:
        """Called again and again: draw those that came since, the cursor on its request."""
        requests = self.kb.requests
        if requests.count != self.shown:
            self.shown = requests.count
            self.lines.show(requests.last())
            self._heads.follow()
            of = (
                f"the last {KEPT} of {count(requests.count)}"
                if requests.count > KEPT
                else count(requests.count)
            )
            self._header.show([(" Requests to the service", "strong"), (f"   {of}", "dim")])
        self.show_footer()

    def here(self) -> tuple[str, ...]:
        return self.places[:2] if self.kbapp.is_asking else self.places

    @property
    def request(self) -> Request | None:
        return self.lines.request

    def do_move(self, by: str) -> None:
        self.lines.move(by)

    @on(VirtualList.Opened)
    def do_requests_open(self) -> None:
        if self.request is not None:
            base = self.kb.base_url
            facts = of_request(self.request, base)
            self.app.push_screen(Facts(self.kbapp, "One request", facts, self.request.curl(base)))

    def do_requests_copy(self) -> None:
        if self.request is not None:
            self.kbapp.copy_to_clipboard(self.request.curl(self.kb.base_url), "the request as curl")

    def do_requests_leave(self) -> None:
        self.dismiss()


class RequestLines(VirtualList):
    """A line a request; at the newest the cursor stays there, else on its request."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._requests: Sequence[Request] = ()
        self._longest = 0  # path of them

    @property
    def request(self) -> Request | None:
        """That under the cursor."""
        return self._requests[self.cursor] if self.cursor < len(self._requests) else None

    def show(self, requests: Sequence[Request]) -> None:
        """Draw these, newest first."""
        here = self.request.number if self.request is not None and self.cursor else None
        self._requests = requests
        self._longest = max((len(each.path) - len(BELOW) for each in requests), default=0)
        cursor = requests[0].number - here if here and requests else 0
        self.resize_to(len(requests), cursor)

    def heads(self, width: int) -> str:
        """What stands above the columns."""
        answer, request = f"{' Sent':<{SENT}}{'Answer':<{ANSWER}}", fit(HEAD, METHOD + self._path(width))
        return (" " * GAP).join([answer, request, f"{'Took':>{TOOK}}", f"{'Received':>{RECEIVED}}"])

    def _path(self, width: int) -> int:
        """The cells of a path in a line of so many: what the longest needs, as far as there is room."""
        return max(10, min(max(self._longest, len(HEAD) - METHOD), width - OTHERS))

    def parts(self, index: int, width: int) -> Sequence[Part]:
        each = self._requests[index]
        bad = each.error is not None
        status = str(each.status) if each.status else "off" if each.called_off else "none"
        answer = fit(f"{'✕' if bad else ' '} {status}", ANSWER)
        path, gap = self._path(width), (" " * GAP, "")
        return [
            (time.strftime(" %H:%M:%S ", time.localtime(each.at)), "dim"),
            (answer, "bad" if bad else "good" if each.status else "dim"),
            gap,
            (fit(each.method, METHOD), "" if each.method == "GET" else "key"),
            (fit(safe(in_short(each.path, path)), path), ""),
            gap,
            (fit(f"{each.ms:.0f} ms", TOOK, right=True), "warn" if each.ms >= 1000 else ""),
            gap,
            (fit(human_size(each.received), RECEIVED, right=True), "dim"),
        ]
