"""The clipboard of the person, who may sit behind SSH, tmux or screen: the ways there, and which to take.

Nobody answers OSC 52, the sequence by which a terminal is given a text, so a way that tells whether it worked
goes before it; and what lies between swallows it unless it is told in its own manner.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from kbtui.database import make_folder
from kbtui.terminal import in_screen, over_a_link

LIMIT = 74_994  # base64 characters that every terminal with a limit takes
PIECE = 700  # bytes of a string that screen passes on; at 768 it gives up

_WITHOUT = re.compile(r"linux|vt\d")  # terminals that have no clipboard

# In a process of its own: what a broken desktop says must not get on the screen, nor hold it up. Reading back
# tells whether anything took it, since pyperclip does not look at how its helpers ended.
_DESKTOP = """
import sys, pyperclip
text = sys.stdin.buffer.read().decode()
pyperclip.copy(text)
sys.exit(pyperclip.paste() != text)
"""


class Program(NamedTuple):
    """A command that takes the text on its input."""

    command: tuple[str, ...]
    patience: float  # seconds it may take
    how: str


async def copy(
    text: str, send: Callable[[str], Awaitable[None]], environ: Mapping[str, str] = os.environ
) -> str:
    """Bring a text to the clipboard; the way it went, in words, or "" where none is left that can take it.

    `send` writes to the terminal.
    """
    data = text.encode("utf-8", "replace")
    for program in programs(environ):
        if await _takes(program, data):
            return program.how
    sequence = osc52(data)
    if not sequence or _WITHOUT.match(environ.get("TERM", "")):
        return ""
    if in_screen(environ):
        await send(for_screen(sequence))
        return "through screen"
    await send(sequence)
    return "to the terminal's clipboard"


def programs(environ: Mapping[str, str]) -> Iterator[Program]:
    """The commands to try before the terminal itself, in this order."""
    if environ.get("TMUX"):
        yield Program(("tmux", "load-buffer", "-w", "-"), 1.0, "through tmux")
    if _at_a_desktop(environ) and not in_screen(environ):
        yield Program((sys.executable, "-P", "-c", _DESKTOP), 3.0, "to the clipboard of this desktop")


def opener(address: str, environ: Mapping[str, str] = os.environ) -> Program | None:
    """What opens an address on the desktop where the person sits; None where there is none to be seen.

    Only pages are opened: what an address of another kind does, nobody knows.
    """
    name = "open" if sys.platform == "darwin" else "xdg-open"
    page = address.lower().startswith(("http://", "https://"))
    if not page or not _at_a_desktop(environ) or shutil.which(name, path=environ.get("PATH")) is None:
        return None
    return Program((name, address), 5.0, "in the browser of this desktop")


async def opens(program: Program) -> bool:
    """Whether the program is there, and does not fail in its time; some stay as long as the browser."""
    nothing = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except OSError:
        return False
    try:
        return await asyncio.wait_for(process.wait(), program.patience) == 0
    except TimeoutError:
        return True


def _at_a_desktop(environ: Mapping[str, str]) -> bool:
    desktop = sys.platform == "darwin" or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(desktop) and not over_a_link(environ)


def osc52(data: bytes) -> str:
    """What gives a terminal these bytes for its clipboard; "" where they are more than it would take."""
    encoded = base64.b64encode(data).decode()
    return f"\x1b]52;c;{encoded}\a" if len(encoded) <= LIMIT else ""


def for_screen(sequence: str) -> str:
    """The sequence in pieces, each of which screen hands on unread."""
    pieces = (sequence[at : at + PIECE] for at in range(0, len(sequence), PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def keep(text: str, folder: Path) -> Path:
    """Write a text that no clipboard takes to the file `clip` in a folder; both are for the person alone.

    Raises:
        OSError: the disk does not take it.
    """
    make_folder(folder)
    handle, name = tempfile.mkstemp(prefix="clip-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
        return Path(name).replace(folder / "clip")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


async def _takes(program: Program, data: bytes) -> bool:
    """Whether the program is there, and ends well in its time."""
    nothing = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,  # a helper that holds the clipboard must not sleep when ^z stops kbtui
        )
    except OSError:
        return False
    try:
        await asyncio.wait_for(process.communicate(data), program.patience)
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode == 0
