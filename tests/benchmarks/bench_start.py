"""How long until there is something to see: python -m tests.benchmarks.bench_start [rounds, 15 unless told]

The first frame of a warm start, its list included, in a pseudo-terminal of 40 by 140, against that of an
empty Textual app; both in turns, so that a busy machine slows both. Modules are compiled in a round that does
not count. Prints medians in milliseconds and their ratio, and compares nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from tests.e2e.visit import Visit, environment

EMPTY = [sys.executable, "-c", "from textual.app import App; App().run()"]
DRAWN = rb"\x1b\[40;1H.*\x1b\[\?2026l"  # the last line of a frame of Textual's, and its end
LISTED = rb"1 of [1-9]\d*.*\x1b\[6n"  # what a frame ends with that goes through the output stage
SWEPT = r"of 590\b"  # documents: the sample and those that are asked for
PATIENCE = 30.0


def start(command: list[str], env: dict[str, str], until: bytes, size: tuple[int, int] = (40, 140)) -> float:
    """Seconds from the start of a command until its output matches; then it is ended in order."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    seen, took = b"", 0.0
    try:
        while not took:
            ready, _, _ = select.select([terminal], [], [], PATIENCE)
            assert ready and time.perf_counter() - began < PATIENCE, seen[-400:]
            read = os.read(terminal, 65536)
            seen += read
            os.write(terminal, b"\x1b[1;1R" * read.count(b"\x1b[6n"))
            if b"\x1b[?2026$p" in seen[-4096:] and seen.count(b"\x1b[?2026h") == 0:
                os.write(terminal, b"\x1b[?2026;2$y")
            if re.search(until, seen, re.S):
                took = time.perf_counter() - began
        os.kill(pid, signal.SIGTERM)
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # how a pseudo-terminal says that the program is gone
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return took


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as home:
        env = environment(Path(home))
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        kbtui = [sys.executable, "-m", "kbtui"]
        serve = [*kbtui, "serve", "--json", "--size", "500"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=env) as server:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            env["ELEVENLABS_API_KEY"] = told["key"]
            warm = [*kbtui, "--base-url", told["url"]]
            with Visit(Path(home), url=told["url"], key=told["key"]) as first:
                first.settle()
                first.press("g", "a")
                first.until(SWEPT)
                first.press("Q")
                first.ended()
            start(EMPTY, env, DRAWN)
            times = [(start(EMPTY, env, DRAWN), start(warm, env, LISTED)) for _ in range(rounds)]
            server.terminate()
    empty, ours = (statistics.median(each) * 1000 for each in zip(*times, strict=True))
    ratio = ours / empty
    print(f"first frame, {rounds} rounds: empty app {empty:.0f} ms, kbtui {ours:.0f} ms: {ratio:.2f} times")


if __name__ == "__main__":
    main()
