"""The terminal before, beside and after Textual: what it is, how it may end, and that no word is lost then.

The handlers are plain `signal.signal` handlers and one plain thread: a loop that waits for a stalled terminal
runs nothing of its own.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any

LINK_VARIABLES = ("SSH_CONNECTION", "SSH_TTY", "MOSH_CONNECTION")
GRACE = 1.0  # seconds an orderly end may take after SIGTERM before the process is ended

_RESET = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m\r\n"
)


def over_a_link(environ: MutableMapping[str, str] = os.environ) -> bool:
    """Whether what is drawn travels over SSH or mosh."""
    return any(environ.get(name) for name in LINK_VARIABLES)


def why_not(environ: MutableMapping[str, str] = os.environ) -> str | None:
    """The reason why no screen can be shown here, as one sentence; None where it can."""
    if not sys.__stdin__ or not os.isatty(sys.__stdin__.fileno()):
        return "kbtui reads keys from a terminal, but its input is a file or a pipe."
    if not sys.__stderr__ or not os.isatty(sys.__stderr__.fileno()):
        return "kbtui draws on a terminal through its error output, which is redirected; run it without 2>."
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        name = environ.get("TERM", "")
        return f"TERM is “{name}”: this terminal cannot draw. Set TERM, for instance to xterm-256color."
    return None


def prepare(environ: MutableMapping[str, str] = os.environ) -> None:
    """Settle what Textual reads when it is imported: no animation, and text that arrives as UTF-8."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if over_a_link(environ):
        environ.setdefault("TEXTUAL_FPS", "30")
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8", errors="replace")


class Guard:
    """Keeps the words safe and the terminal whole however the process ends.

    Args:
        keep: brings every typed word to the disk; called from signal handlers and from a thread.
        leave: asks the app to end in order with an exit code; may never be carried out.
    """

    def __init__(self, keep: Callable[[], None], leave: Callable[[int], None]) -> None:
        self._keep = keep
        self._leave = leave
        self._modes: list[Any] | None
        try:
            self._modes = termios.tcgetattr(0)
        except termios.error:
            self._modes = None

    def watch(self) -> None:
        """Begin: install the handlers and watch for a terminal that goes away without a signal."""
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGTERM, self._terminate)
        threading.Thread(target=self._watch_line, name="line", daemon=True).start()

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._keep()
        os._exit(128 + signal.SIGHUP)  # nobody is left to draw for; finalizers would write to a dead line

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._keep()
        late = threading.Timer(GRACE, self._end)
        late.daemon = True
        late.start()
        self._leave(128 + signal.SIGTERM)

    def _end(self) -> None:
        """The loop did not end in time (a stalled terminal holds it): put the terminal back by hand."""
        self._keep()
        if self._modes is not None:
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
        try:
            os.set_blocking(2, False)
            os.write(2, _RESET.encode())
        except OSError:
            pass
        os._exit(128 + signal.SIGTERM)

    def _watch_line(self) -> None:
        poll = select.poll()
        poll.register(0, 0)  # POLLHUP and POLLERR are reported unasked
        while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            continue
        self._keep()
        os._exit(128 + signal.SIGHUP)
