"""`kbtui serve`: the demo knowledge base by itself, for tests, scripts and other clients."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from kbtui.demo.server import Demo, Unavailable

TICK = 1.0  # seconds after which a signal is heard that came at the wrong moment
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message[:1].upper()}{message[1:]}. See {self.prog} --help.\n")


def main(argv: list[str]) -> int:
    """Serve until a signal comes. Prints address and keys once it answers; 2 where it cannot start."""
    options = _parser().parse_args(argv)
    demo = Demo(
        data=options.data, size=options.size, port=options.port, fetch_any_host=options.fetch_any_host
    )
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        demo.start()
        _announce(demo, as_json=options.json)
        waits = threading.Event()
        while not waits.wait(TICK):  # a signal that comes just as it begins would be slept through
            pass
    except Unavailable as error:
        print(f"kbtui serve: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    finally:
        demo.stop()
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # the end has begun; let it finish
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kbtui serve", description="A demo knowledge base that answers as the service does, on loopback."
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="port on 127.0.0.1; 0, the default: any free one"
    )
    parser.add_argument("--size", type=_size, default=0, help="add this many generated documents")
    parser.add_argument("--data", type=Path, help="directory to keep it in; without it, nothing is kept")
    parser.add_argument("--json", action="store_true", help="print one line: url, key, read_only_key")
    parser.add_argument(
        "--fetch-any-host", action="store_true", help="fetch URL documents from beyond this machine too"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text} is no port, which is a number up to 65535")
    return int(text)


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        raise argparse.ArgumentTypeError(f"{text} is no number of documents up to 99999999")
    return int(text)


def _announce(demo: Demo, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": demo.url, "key": demo.key, "read_only_key": demo.read_only_key}), flush=True)
        return
    print(f"The demo knowledge base answers at {demo.url}")
    print(f"  key            {demo.key}")
    print(f"  read-only key  {demo.read_only_key}", flush=True)
