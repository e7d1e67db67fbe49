"""The terminal before, beside and after Textual: what it is, how it may end, and that no word is lost then.

The handlers are plain `signal.signal` handlers and one plain thread: a loop that waits for a stalled terminal
runs nothing of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from types import FrameType
from typing import NoReturn

LINK_VARIABLES = ("SSH_CONNECTION", "SSH_TTY", "MOSH_CONNECTION")
ROOM = 0.03  # seconds in which a terminal must have room for what restores it
GRACE = 0.15  # seconds an orderly end may take after SIGTERM before the process is ended

QUIET = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l"
"""Say nothing of a mouse or of the focus any more."""
RESET = (
    f"\x1b]8;;\x1b\\\x1b[?2026l\x1b[?69l\x1b[r{QUIET}\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l"
    "\x1b[?25h\x1b[0m\r\n"
)
"""Be as a shell expects it."""


def over_a_link(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what is drawn travels over SSH or mosh."""
    return any(environ.get(name) for name in LINK_VARIABLES)


def in_screen(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether GNU screen lies between."""
    return environ.get("TERM", "").startswith("screen") and bool(environ.get("STY"))


def why_not(environ: MutableMapping[str, str] = os.environ) -> str | None:
    """The reason why no screen can be shown here, as one sentence; None where it can."""
    if not sys.__stdin__ or not os.isatty(sys.__stdin__.fileno()):
        return "kbtui needs a terminal, but its input is a file or a pipe; over ssh, ssh -t gives it one."
    if not sys.__stderr__ or not os.isatty(sys.__stderr__.fileno()):
        return "kbtui draws on a terminal through its error output, which is redirected; run it without 2>."
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        name = environ.get("TERM", "")
        return f"TERM is “{name}”: this terminal cannot draw. Set TERM, for instance to xterm-256color."
    return None


FILLING = ("tmux", "xterm-kitty")
"""Terminals that fill what is erased in a line, but not rows that come in: so they do not call it "bce"."""


def powers() -> tuple[bool, bool]:
    """What the terminal can, by what the system knows of it: move rows within margins, and fill.

    One that fills gives what it erases within a line the ground in which it draws. GNU screen never does,
    whatever it is called. Unknown ones only move rows.
    """
    try:
        import curses

        curses.setupterm(fd=2)
    except (ImportError, curses.error):
        return True, False
    moves = all(curses.tigetstr(capability) for capability in ("csr", "il", "dl"))
    name = os.environ.get("TERM", "")
    fills = bool(curses.tigetflag("bce") > 0 and curses.tigetstr("ech")) or name.startswith(FILLING)
    return moves, fills and not name.startswith("screen") and "STY" not in os.environ


def prepare(environ: MutableMapping[str, str] = os.environ) -> None:
    """Settle what Textual reads: no animation, and nothing of a terminal that is another one."""
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if over_a_link(environ):
        environ.setdefault("TEXTUAL_FPS", "30")
    for name in ("COLUMNS", "LINES"):  # of a terminal that once was; they would win over the one there is
        environ.pop(name, None)
    if in_screen(environ):
        environ.pop("COLORTERM", None)  # of the terminal outside; screen 4 takes each number for an attribute
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8", errors="replace")


def has_shell() -> bool:
    """Whether a shell waits that takes over where this process stops; `ssh host kbtui` has none."""
    return os.getpgrp() != os.getsid(0)


def never_stop_alone() -> None:
    """Where no shell waits that could wake this process, ^Z puts it not to sleep; Textual's handler would."""
    if not has_shell():
        signal.signal(signal.SIGTSTP, _not_ours)


def give_to_shell() -> None:
    """Stop this job, whatever started it included; returns when it has the terminal again."""
    woken: list[int] = []
    # The handler of before takes the terminal again for the app, which does not have it meanwhile.
    before = signal.signal(signal.SIGCONT, lambda number, frame: woken.append(number))
    os.killpg(0, signal.SIGTSTP)
    while not (woken and _in_foreground()):
        time.sleep(0.02)  # for the handlers of all signals that came together with the one that wakes
        if woken and not _in_foreground():
            woken.clear()
            os.kill(os.getpid(), signal.SIGSTOP)
    signal.signal(signal.SIGCONT, before)


class Guard:
    """Keeps the words safe and the terminal whole however the process ends.

    Args:
        keep: brings every typed word to the disk; called from signal handlers and from a thread.
        leave: asks the app to end in order with an exit code; called from signal handlers.
        clear: removes what must not stay behind, where the process is ended by hand.
    """

    def __init__(
        self, keep: Callable[[], None], leave: Callable[[int], None], clear: Callable[[], None]
    ) -> None:
        self._keep = keep
        self._leave = leave
        self._clear = clear
        self._modes = termios.tcgetattr(0)
        self._wake, self._waker = os.pipe()

    def watch(self) -> None:
        """Begin: install the handlers and watch for a terminal that goes away without a signal."""
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGTERM, self._terminate)
        # ^C and ^\ are plain keys, and signals only while $EDITOR has the terminal: then they are its own.
        # A handler and not SIG_IGN, which $EDITOR would inherit.
        signal.signal(signal.SIGINT, _not_ours)
        signal.signal(signal.SIGQUIT, _not_ours)
        threading.Thread(target=self._watch_line, name="line", daemon=True).start()

    def give_back(self) -> None:
        """Leave the modes of the terminal as they were found, whatever Textual believes they were."""
        if _in_foreground():
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(0, termios.TCSANOW, self._modes)

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._keep()
        if _in_foreground():
            self._restore()  # mostly the terminal is gone; but anybody may send a signal
        self._end(signal.SIGHUP)  # finalizers would write to a dead line

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        if not _in_foreground():
            # It was stopped, and would be again by Textual's handler, which takes the terminal at once.
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            self._end(signal.SIGTERM)
        self._keep()
        os.write(self._waker, b".")
        self._leave(128 + signal.SIGTERM)

    def _watch_line(self) -> None:
        line = select.poll()
        line.register(0, 0)  # hang-ups and faults are reported unasked
        line.register(self._wake, select.POLLIN)
        while True:
            events = dict(line.poll())
            if events.get(0, 0) & (select.POLLHUP | select.POLLERR):
                self._end(signal.SIGHUP)
            if 0 in events:
                line.unregister(0)  # a system that cannot poll terminals
            if self._wake in events:
                line.unregister(self._wake)
                line.poll(GRACE * 1000)
                self._restore()  # the loop did not end in time: a stalled terminal or a slow line holds it
                self._end(signal.SIGTERM)

    def _restore(self) -> None:
        """Put the terminal back by hand, as far as it takes anything."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
            # Opened anew, since whoever shares the old one must not find it non-blocking.
            own = os.open("/dev/tty", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            # The frames that wait go nowhere, nor does the rest of the one that is being written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            for thread in filter(None, (each.ident for each in threading.enumerate())):
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    signal.pthread_kill(thread, signal.SIGINT)
            end = time.monotonic() + ROOM
            while time.monotonic() < end:
                termios.tcflush(0, termios.TCOFLUSH)  # what it did not take leaves no room
                with contextlib.suppress(BlockingIOError):  # the rest of a frame goes first
                    os.write(own, RESET.encode())
                    return
                time.sleep(0.001)

    def _end(self, number: int) -> NoReturn:
        self._keep()
        with contextlib.suppress(Exception):
            self._clear()
        os._exit(128 + number)


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return True


def _not_ours(number: int, frame: FrameType | None) -> None:
    pass
