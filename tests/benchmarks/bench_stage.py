"""What the output stage costs a key: python -m tests.benchmarks.bench_stage [rounds, 20 unless told]

One kbtui in a pseudo-terminal of 40 by 140 that answers at once, with 5,000 documents; every few keys the
stage is turned off and on, in an order that the dice decide, so that a machine that changes its clock changes
both. Prints the medians from a key to the last byte that it makes, in milliseconds, their ratio and the
bytes, and compares nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import defaultdict
from pathlib import Path

from tests.e2e.visit import environment

SCRIPT = """
import signal, sys
from kbtui.__main__ import main
from kbtui.tui.app import KbApp

class Switched(KbApp):
    def on_mount(self):
        for number, stage in ((signal.SIGUSR1, True), (signal.SIGUSR2, False)):
            signal.signal(number, lambda *_, stage=stage: self.switch(stage))

    def switch(self, stage):
        self.only_changes = stage
        self.redraw()

import kbtui.tui.app
kbtui.tui.app.KbApp = Switched
raise SystemExit(main(["--base-url", sys.argv[1]]))
"""
KEYS = {"down": b"\x1b[B", "up": b"\x1b[A", "page": b"\x1b[6~", "home": b"\x1b[H", "g": b"g", "a": b"a"}
QUIET = 0.04  # seconds without a byte after which a key has had all its effect
TURNS = {
    "a move in view": ["down", "down", "down", "up", "up", "up"],
    "a scrolled row": ["down"] * 5,
    "a page": ["page"] * 5,
}


class Line:
    """A terminal that draws nothing, and answers at once."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))

    def quiet(self, patience: float = 1.0, until: bytes = b"") -> tuple[float, bytes]:
        """When the last byte came, and all that came until nothing did any more."""
        last, seen = 0.0, b""
        while select.select([self._file], [], [], QUIET if seen and until in seen else patience)[0]:
            seen += (read := os.read(self._file, 65536))
            last = time.perf_counter()
            os.write(self._file, b"\x1b[1;1R" * read.count(b"\x1b[6n"))
        return last, seen

    def key(self, name: str) -> tuple[float, int]:
        """The milliseconds until all its effect was there, and its bytes."""
        began = time.perf_counter()
        os.write(self._file, KEYS[name])
        last, seen = self.quiet()
        return (last - began) * 1000, len(seen)

    def turn(self, stage: bool, keys: list[str]) -> list[tuple[float, int]]:
        """What these keys took with the stage, or without; the first one is not counted."""
        os.kill(self.pid, signal.SIGUSR1 if stage else signal.SIGUSR2)
        self.quiet()
        return [self.key(key) for key in keys][1:]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    dice = random.Random(7)
    took: dict[tuple[str, bool], list[tuple[float, int]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as home:
        env = environment(Path(home))
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        serve = [sys.executable, "-m", "kbtui", "serve", "--json", "--size", "5000"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=env) as server:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            env["ELEVENLABS_API_KEY"] = told["key"]
            line = Line([sys.executable, "-c", SCRIPT, told["url"]], env)
            assert b"5 090" in line.quiet(patience=30, until=b"5 090")[1]
            line.key("g"), line.key("a")
            for _ in range(rounds):
                for key in ["home", *["down"] * 6]:
                    line.key(key)
                for name, keys in TURNS.items():
                    if name == "a scrolled row":
                        for _ in range(20):
                            line.key("down")
                    for stage in dice.choice([[True, False, False, True], [False, True, True, False]]):
                        took[name, stage] += line.turn(stage, keys)
            os.kill(line.pid, signal.SIGTERM)
            line.quiet()
            os.waitpid(line.pid, 0)
            server.terminate()
    for name in TURNS:
        (ours, our_bytes), (plain, plain_bytes) = (
            [statistics.median(each) for each in zip(*took[name, stage], strict=True)]
            for stage in (True, False)
        )
        print(
            f"{name}: with the stage {ours:.2f} ms ({our_bytes:.0f} bytes), without {plain:.2f} ms "
            f"({plain_bytes:.0f} bytes): {ours / plain:.2f} times"
        )


if __name__ == "__main__":
    main()
