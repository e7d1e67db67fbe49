"""A real pseudo-terminal with a person at it: keys in, the screen as it is seen out."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C",
    "left": "\x1b[D", "end": "\x1b[F", "home": "\x1b[H", "backspace": "\x7f", "f2": "\x1bOQ", "f4": "\x1bOS",
    "space": " ", "pagedown": "\x1b[6~",
}  # fmt: skip

# Sequences that pyte 0.8 does not know and would print.
_UNKNOWN = re.compile(
    rb"\x1b\[[<>=?][0-9;:]*[u]|\x1b\[\?[0-9;]*\$p|\x1b\[>[0-9;]*[a-zA-Z]|\x1bP.*?\x1b\\", re.S
)
_QUERY = b"\x1b[?2026$p"


class Terminal:
    """Runs a command in a pseudo-terminal of its own; reads it all the time unless `stall`ed."""

    def __init__(
        self, *command: str, env: dict[str, str], size: tuple[int, int] = (40, 140), cwd: Path | None = None
    ) -> None:
        self.bytes = 0
        self.raw = bytearray()
        self._reading = threading.Event()
        self._reading.set()
        self._lock = threading.Lock()
        self._screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.ByteStream(self._screen)
        self._last = time.monotonic()
        self.child = pexpect.spawn(
            command[0], list(command[1:]), env={**env, "TERM": "xterm-256color"}, dimensions=size, cwd=cwd,
            timeout=None, echo=False,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.set()
        self.child.close(force=True)
        self._thread.join(5)

    def _read(self) -> None:
        while True:
            self._reading.wait()
            try:
                data = self.child.read_nonblocking(65536, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except (pexpect.EOF, OSError, ValueError):
                return
            with self._lock:
                self.bytes += len(data)
                self.raw += data
                self._last = time.monotonic()
                self._stream.feed(_UNKNOWN.sub(b"", data))

    @property
    def text(self) -> str:
        """What is on the screen now."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, *keys: str) -> None:
        """Press keys: names of `KEYS`, `ctrl+x`, or characters."""
        for key in keys:
            if key.startswith("ctrl+"):
                self.child.send(chr(ord(key[-1].upper()) & 31))
            else:
                self.child.send(KEYS.get(key, key))

    def type(self, text: str) -> None:
        self.child.send(text)

    def until(self, pattern: str, seconds: float = 20.0) -> re.Match[str]:
        """Wait until the screen holds `pattern`."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text)
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"never on the screen: {pattern}\n{self.text}")
            time.sleep(0.02)

    def quiet(self, seconds: float = 0.4, patience: float = 20.0) -> None:
        """Wait until nothing has been sent for `seconds`."""
        end = time.monotonic() + patience
        while time.monotonic() - self._last < seconds:
            assert time.monotonic() < end, "it never became quiet"
            time.sleep(0.02)

    def stall(self) -> None:
        """The line freezes: nothing is read any more."""
        self._reading.clear()

    def hang_up(self) -> None:
        """The line is cut: the terminal is closed under the program."""
        self._reading.set()
        os.close(self.child.child_fd)
        self.child.fileobj = None

    def kill(self, number: signal.Signals) -> None:
        self.child.kill(number)

    def ended(self, seconds: float = 10.0) -> int | None:
        """Wait for the process to end; its exit code, or minus the signal."""
        end = time.monotonic() + seconds
        while self.child.isalive():
            assert time.monotonic() < end, f"the process goes on\n{self.text}"
            time.sleep(0.01)
        status = self.child.signalstatus
        return -status if status else self.child.exitstatus
