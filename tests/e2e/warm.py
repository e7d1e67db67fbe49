"""Programs that are loaded before they are started: a start copies a process instead of filling a new one.

To load an interpreter, Textual and kbtui costs the better part of a second of a processor, at every start the
same. `python -m tests.e2e.warm PROGRAM HANDLE` loads them once, waits at a socket, and forks. The copy has a
session, a terminal, an environment, a directory and flags of its own, and is from then on the program: what
its `main` does and how it ends is nobody else's affair.

It is no start for a test that is about the start: what is read of the environment while modules are loaded
was read before, from `environment` alone, and no other interpreter begins. `Visit` knows the difference.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

LONGEST = 1 << 17  # bytes of what is said in one go
LOADED_LATE = ("anyio._backends._asyncio", "concurrent.futures.thread", "curses", "httpcore", "socksio")
"""What kbtui and its demo load when they are under way."""


class Copy:
    """A started program: as much of `subprocess.Popen` as is needed to see its end."""

    def __init__(self, pid: int, code: Callable[[], int]) -> None:
        self.pid = pid
        self._code = code
        self._handle = os.pidfd_open(pid)
        self._ended: int | None = None

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or minus the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it goes on after so many seconds.
        """
        code = self._look(None if timeout is None else timeout * 1000)
        if code is None:
            raise subprocess.TimeoutExpired("a copy", timeout or 0)
        return code

    def kill(self) -> None:
        if self._ended is None:
            os.kill(self.pid, signal.SIGKILL)

    def _look(self, milliseconds: float | None) -> int | None:
        if self._ended is None:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            if not poll.poll(milliseconds):
                return None
            os.close(self._handle)
            self._ended = self._code()
        return self._ended


class Warm:
    """A process that has loaded a program, begun when it is first asked to start one."""

    begun: ClassVar[list[Warm]] = []

    def __init__(self, program: str, environment: Callable[[], Mapping[str, str]]) -> None:
        self._program = program
        self._environment = environment
        self._line: socket.socket | None = None

    def start(
        self,
        *flags: str,
        env: Mapping[str, str],
        handles: Sequence[int],
        cwd: Path | None = None,
        how: str = "",
        script: str = "",
    ) -> Copy:
        """Start the program on three handles, and `how` as a `Terminal` does; "detached" has none.

        Args:
            script: Python that is run before it.
        """
        told = {"flags": flags, "env": dict(env), "cwd": str(cwd or Path.cwd()), "how": how, "script": script}
        pid = self._ask(told, handles)
        return Copy(pid, lambda: self._ask({"ended": pid}))

    def end(self) -> None:
        """Let it go."""
        if self._line is not None:
            self._line.close()
            self._process.wait()
            os.close(self._master)
            self._line = None

    def _ask(self, told: Mapping[str, object], handles: Sequence[int] = ()) -> int:
        if self._line is None:
            self._line = self._load()
        socket.send_fds(self._line, [json.dumps(told).encode()], handles)
        answer = self._line.recv(LONGEST)
        assert answer, f"what loads {self._program} has ended: {os.read(self._master, LONGEST).decode()}"
        return int(answer)

    def _load(self) -> socket.socket:
        """Begin it at a terminal, so that what is there to be printed on is made for one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._master, slave = os.openpty()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.warm", self._program, str(theirs.fileno())],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                pass_fds=[theirs.fileno()],
                env=dict(self._environment()),
                start_new_session=True,
            )
        os.close(slave)
        self.begun.append(self)
        return ours


def serve(line: socket.socket) -> dict[str, Any]:
    """Start copies until nobody asks any more; returns in a copy only, with what it was told."""
    while True:
        data, handles, _, _ = socket.recv_fds(line, LONGEST, 3)
        if not data:
            os._exit(0)
        told: dict[str, Any] = json.loads(data)
        if "ended" in told:
            _, status = os.waitpid(told["ended"], 0)
            line.send(b"%d" % os.waitstatus_to_exitcode(status))
            continue
        assert threading.active_count() == 1 and tempfile.tempdir is None, "nothing may have begun"
        pid = os.fork()
        if not pid:
            become(told, handles)
            return told
        for handle in handles:
            os.close(handle)
        line.send(b"%d" % pid)


def become(told: Mapping[str, Any], handles: Sequence[int]) -> None:
    """Have what a process of its own has that a login shell starts."""
    os.setsid()
    for number, handle in enumerate(handles):
        os.dup2(handle, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if told["how"] not in ("borrowed", "detached"):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if "nohup" in told["how"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(told["env"])
    os.chdir(told["cwd"])
    sys.argv[1:] = told["flags"]


def load(program: str) -> Callable[[], int]:
    """Load all that a program ever needs; its `main`."""
    if program == "kbtui":
        import kbtui
        from kbtui.terminal import prepare

        prepare()  # before anything of Textual is there, as kbtui does it
        names = [module.name for module in pkgutil.walk_packages(kbtui.__path__, "kbtui.")]
        for name in (*names, *LOADED_LATE):
            importlib.import_module(name)
        program = "kbtui.__main__"
    main: Callable[[], int] = importlib.import_module(program).main
    return main


if __name__ == "__main__":
    main = load(sys.argv[1])
    told = serve(socket.socket(fileno=int(sys.argv[2])))
    exec(told["script"], {"__name__": "script"})
    sys.exit(main())
