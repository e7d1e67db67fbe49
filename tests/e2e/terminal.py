"""A real pseudo-terminal with a person at it: keys in, the screen as it is seen out."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.warm import Copy
from tests.emulators import ByteStream, Screen

PATIENCE = 20.0  # seconds that anything may take on a busy machine

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C",
    "left": "\x1b[D", "end": "\x1b[F", "home": "\x1b[H", "backspace": "\x7f", "f2": "\x1bOQ", "f4": "\x1bOS",
    "f8": "\x1b[19~", "space": " ", "pagedown": "\x1b[6~", "pageup": "\x1b[5~",
}  # fmt: skip

# Takes the pseudo-terminal as its own, as a login shell does, and becomes the program.
_LAUNCH = """
import fcntl, os, signal, sys, termios
how = sys.argv[1].split()
if "borrowed" not in how:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if "nohup" in how:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execvp(sys.argv[2], sys.argv[2:])
"""

# Sequences that pyte 0.8 does not know and would print, and the beginning of one that is not all there.
_UNKNOWN = re.compile(
    rb"\x1b\[[<>=?][0-9;:]*u|\x1b\[\?[0-9;]*\$p|\x1b\[>[0-9;]*[a-zA-Z]|\x1bP.*?\x1b\\", re.S
)
_BEGUN = re.compile(rb"\x1b(\[[0-9;:<=>?$]{0,30})?\Z")
_OTHER_SCREEN = re.compile(rb"\x1b\[\?1049[hl]")  # pyte has one screen; what was on it is gone
SIDES, KIND, GROUND = b"\x1b[?69$p", b"\x1b[>c", b"\x1b]11;?\x1b\\"
_ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[6n": b"\x1b[1;1R",
    SIDES: b"\x1b[?69;2$y",
    KIND: b"\x1b[>41;390;0c",
    GROUND: b"",
}
"""What xterm says when asked for its powers, and for its cursor and its background."""
_ASKED = re.compile(b"|".join(map(re.escape, _ANSWERS)))


class Terminal:
    """Runs a command in a pseudo-terminal of its own; reads it all the time unless told to `stall`.

    Args:
        how: "nohup": the command inherits that hang-ups are ignored; "borrowed": the terminal is not the
            command's own, so that no signal tells of its end.
        stderr: other than the terminal.
        sides: it can move parts of rows, as xterm can.
        kind: what it answers when it is asked what it is; 41 is xterm.
        ground: what it answers when it is asked for its background.

    Attributes:
        raw: every byte that came.
        mute: questions are not answered, but when it is not any more.
        pid: of the process.
    """

    def __init__(
        self,
        *command: str,
        env: Mapping[str, str],
        size: tuple[int, int] = (40, 140),
        cwd: Path | None = None,
        how: str = "",
        stderr: int | None = None,
        sides: bool = True,
        kind: bytes = b"41",
        ground: bytes = b"rgb:1414/1717/1a1a",
        mute: bool = False,
    ) -> None:
        self.mute = mute
        self._answers = _ANSWERS | {GROUND: b"\x1b]11;%s\x1b\\" % ground, KIND: b"\x1b[>%s;390;0c" % kind}
        if not sides:
            self._answers[SIDES] = b"\x1b[?69;0$y"
        self.raw = bytearray()
        self._tail = b""
        self._answered = 0  # bytes of `raw` in which every question was answered
        self._screen = Screen(size[1], size[0])
        self._stream = ByteStream(self._screen)
        self._fed = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._master, slave = os.openpty()
        _set_size(slave, size)
        self.modes = termios.tcgetattr(slave)
        self._slave = slave  # held open, so that its modes can be asked for when the program has ended
        handles = (slave, slave, slave if stderr is None else stderr)
        self._process = self._begin(command, handles, env=env, cwd=cwd, how=how)
        self.pid = self._process.pid
        self._wake, self._waker = os.pipe()
        self.thaw()

    def _begin(
        self,
        command: Sequence[str],
        handles: Sequence[int],
        *,
        env: Mapping[str, str],
        cwd: Path | None,
        how: str,
    ) -> subprocess.Popen[bytes] | Copy:
        """Start the command on three handles."""
        stdin, stdout, stderr = handles
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCH, how, *command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stall()
        if kind is not None:
            print("the last that the terminal was sent:", bytes(self.raw[-4_000:]).decode(errors="replace"))
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for handle in (self._master, self._slave, self._wake, self._waker):
            if handle >= 0:
                os.close(handle)

    # What is seen

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wake in ready:
                os.read(self._wake, 1)
                return
            with self._lock:
                try:
                    data = os.read(self._master, 65536)
                except OSError as fault:
                    assert fault.errno == errno.EIO, fault
                    return
                self.raw += data
                self._last = time.monotonic()
            self.answer()

    def answer(self) -> None:
        """Answer what was asked, unless it is mute."""
        with self._lock:
            since = bytes(self.raw[self._answered :]) if not self.mute else b""
            questions = list(_ASKED.finditer(since))
            self._answered += questions[-1].end() if questions else 0
            if questions:
                os.write(self._master, b"".join(self._answers[asked.group()] for asked in questions))

    @property
    def text(self) -> str:
        """What is on the screen now."""
        with self._lock:
            data, self._fed = bytes(self.raw[self._fed :]), len(self.raw)
        data = self._tail + data
        begun = _BEGUN.search(data)
        self._tail = begun.group() if begun else b""
        data = _OTHER_SCREEN.sub(b"\x1b[2J\x1b[H", data[: len(data) - len(self._tail)])
        self._stream.feed(_UNKNOWN.sub(b"", data))
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until the screen holds `pattern`."""
        found: re.Match[str] = self.when(
            lambda: re.search(pattern, self.text), f"on the screen: {pattern}", seconds
        )
        return found

    def when(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait for a condition; its value."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"never {what}\n{self.text}"
            time.sleep(0.02)
        return value

    def quiet(self, seconds: float = 0.4, patience: float = PATIENCE) -> None:
        """Wait until nothing has been sent for `seconds`, counted from now on."""
        now = time.monotonic()
        end = now + patience
        while time.monotonic() - max(self._last, now) < seconds:
            assert time.monotonic() < end, "it never became quiet"
            time.sleep(0.02)

    # What is done

    def press(self, *keys: str) -> None:
        """Press keys: names of `KEYS`, `ctrl+x`, or characters."""
        for key in keys:
            self.type(chr(ord(key[-1].upper()) & 31) if key.startswith("ctrl+") else KEYS.get(key, key))

    def type(self, text: str) -> None:
        """Type characters, all at once."""
        os.write(self._master, text.encode())

    def send(self, data: bytes) -> None:
        """Let these bytes come from the keyboard."""
        os.write(self._master, data)

    def repeat(self, text: str) -> None:
        """Type as a keyboard repeats a key that is held: thirty characters a second."""
        for character in text:
            self.press(character)
            time.sleep(1 / 30)

    def resize(self, rows: int, columns: int) -> None:
        """Make the window another size; what was on it is gone, so that all of it must be drawn again."""
        with self._lock:
            _set_size(self._master, (rows, columns))
            self._tail, self._fed = b"", len(self.raw)
        self._screen = Screen(columns, rows)
        self._stream = ByteStream(self._screen)

    def stall(self) -> None:
        """The line freezes: nothing is read any more."""
        if self._thread.is_alive():
            os.write(self._waker, b".")
            self._thread.join()

    def thaw(self) -> None:
        """The line is read, from the beginning or again."""
        self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """The line is cut: the terminal is closed under the program."""
        self.stall()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def take(self, text: str) -> None:
        """Do as a shell does whose job was stopped: set its own modes and write on the screen."""
        self.when(lambda: _state(self.pid) == "T", "stopped")
        termios.tcsetattr(self._slave, termios.TCSANOW, self.modes)
        os.write(self._slave, text.encode())

    # How it ends

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for the process to end; its exit code, or minus the signal. Nothing of it may be left."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process goes on\n{self.text}") from None
        self.when(lambda: not self._group(), "without a process left behind")
        self.when(self._all_read, "read to the end")
        return code

    def left(self) -> bytes:
        """What was typed or answered, and read by nobody: the next program would."""
        modes = termios.tcgetattr(self._slave)
        modes[3] &= ~termios.ICANON
        modes[6][termios.VMIN] = 0
        termios.tcsetattr(self._slave, termios.TCSANOW, modes)
        try:
            return os.read(self._slave, 4096)
        finally:
            termios.tcsetattr(self._slave, termios.TCSANOW, self.modes)

    def _all_read(self) -> bool:
        """Whether nothing is on its way from the terminal to `raw`."""
        poll = select.poll()
        with self._lock:
            if not self._thread.is_alive() or self._master < 0:
                return True
            poll.register(self._master, select.POLLIN)
            return not poll.poll(0)

    def _group(self) -> list[int]:
        """The processes that live in the group of the command; those that died and wait for burial do not."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    @property
    def unread(self) -> int:
        """How many bytes of what was typed the program has not read yet."""
        waiting = array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, waiting)
        return waiting[0]

    def line_modes(self) -> list[object]:
        """How the terminal treats what is typed, now."""
        return termios.tcgetattr(self._slave)

    def restored(self) -> None:
        """Fail unless the terminal is as it was found: its modes, its screen, its cursor, its keyboard."""
        with self._lock:
            raw = bytes(self.raw)
        assert self.line_modes() == self.modes
        for on, off in _SWITCHES.items():
            assert raw.rfind(off) > raw.rfind(on) or on not in raw, f"{on!r} was not undone"


_SWITCHES = {
    **{
        b"\x1b[?%dh" % mode: b"\x1b[?%dl" % mode
        for mode in (69, 1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048)
    },
    b"\x1b[?25l": b"\x1b[?25h",
    b"\x1b[?7l": b"\x1b[?7h",
    b"\x1b[>": b"\x1b[<u",
}
"""What switches something on that a shell does not want, and what switches it off again."""


def _state(pid: int) -> str:
    """The letter that /proc has for what a process does."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _set_size(handle: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
