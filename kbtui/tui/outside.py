"""Other programs in the terminal, while everything else goes on: $EDITOR on a draft, a command on a text."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kbtui.content import safe, suffix

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.tui.app import KbApp

AT_ONCE = 1.0  # seconds in which nobody has read and closed a text: such an editor has a window of its own
WINDOWED = frozenset(
    "atom bbedit code code-insiders codium cursor gedit gvim kate kwrite mate mousepad pluma subl vscodium "  # noqa: SIM905
    "windsurf xed zed zeditor".split()
)
"""Editors that end at once, or a while after, unless they are told to wait."""
_WAITS = re.compile("-w|--wait|-f|--nofork|--foreground|-b|--block|-s|--standalone")


def editor_command(chosen: str | None, environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """The editor to run, as arguments: the configured one, $VISUAL, $EDITOR, or what is installed.

    Raises:
        ValueError: its quotes are not closed.
    """
    for command in (chosen, environ.get("VISUAL"), environ.get("EDITOR")):
        if command and command.strip():
            return shlex.split(command)
    for name in ("sensible-editor", "nano", "vi"):
        if shutil.which(name):
            return [name]
    return None


async def edit_outside(app: KbApp, draft: Draft, *, back: bool = False) -> str | None:
    """Run the editor on a draft; the text to save, or None where there is nothing to save.

    `back`: the draft is open in our own editor, which goes on with it whatever it says.
    """
    try:
        command = editor_command(app.settings.editor)
    except ValueError as error:
        app.tell(f"The editor cannot be run: {error} in its setting.", "bad")
        return None
    if command is None:
        app.tell("No editor is set: set $EDITOR, or use e to edit here.", "warn")
        return None
    path = app.kb.drafts.lend(draft, suffix(draft.format))
    app.kb.drafts.flush()
    trouble = await _edit(app, command, path)
    text = app.kb.drafts.take_back(draft)
    here = draft.text if text is None else text
    if here == draft.base and not back:
        app.kb.drafts.drop(draft)
    if text is None:
        app.tell("The editor left no file; your draft is as it was before.", "warn")
    elif trouble:
        kept = "" if here == draft.base else " The draft is kept (gd)."
        app.tell(f"{trouble}: nothing is saved.{kept}", "bad")
    elif text == draft.base:
        app.tell("Unchanged: nothing to save.")
    else:
        return text
    return None


async def _edit(app: KbApp, command: list[str], path: Path) -> str:
    """Let the person edit a file; what went wrong, or ""."""
    untouched, began = path.stat(), time.monotonic()
    try:
        code = await _run(app, [*command, str(path)])
    except (OSError, ValueError) as error:  # a byte that no command may hold
        why = error.strerror if isinstance(error, OSError) else error
        return f"{safe(command[0])} cannot be run ({why})"
    if code < 0:
        return f"{command[0]} was ended by signal {-code}"
    if code:
        return f"{command[0]} ended with {code}"
    quick = time.monotonic() - began < AT_ONCE or leaves_its_window(command)
    if quick and path.exists() and path.stat().st_mtime_ns == untouched.st_mtime_ns:
        await _wait_for_window(app, command[0])
    return ""


def leaves_its_window(command: Sequence[str]) -> bool:
    """Whether this is known as an editor that ends before its window is closed."""
    return Path(command[0]).name in WINDOWED and not any(map(_WAITS.fullmatch, command[1:]))


async def _wait_for_window(app: KbApp, name: str) -> None:
    from kbtui.tui.screens.question import Question

    await app.push_screen_wait(
        Question(
            app,
            f"{name} ended at once",
            "If it has a window of its own: save there and close it, then go on here. "
            "Its option to wait, such as code --wait, spares you this question.",
            "Go on",
            calm=True,
        )
    )


async def _run(app: KbApp, command: list[str]) -> int:
    return await _lend(app, partial(_ended, command))


async def _lend(app: KbApp, use: Callable[[], Awaitable[int]]) -> int:
    """Give the terminal to another program, and take it back when it has ended."""
    outcome: int | BaseException
    while app.lent:  # noqa: ASYNC110 - one program at a time
        await asyncio.sleep(0.05)
    app.away = app.lent = True
    try:
        # Frames are held back while the terminal belongs to the editor: thirty of them would block the loop.
        # Textual takes the terminal back only where nothing is raised before.
        with app.batch_update(), app.suspend():
            try:
                outcome = await use()
            except (OSError, asyncio.CancelledError) as fault:
                outcome = fault
    finally:
        app.away = app.lent = False
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


async def _ended(command: Sequence[str], data: bytes | None = None) -> int:
    """Run a command, with some bytes on its input if there are any; the code with which it ended."""
    stdin = None if data is None else asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=stdin)
    try:
        await process.communicate(data)
    except asyncio.CancelledError:
        process.terminate()  # kbtui ends; an editor would fight the shell for the terminal
        await process.wait()
        raise
    return process.returncode or 0


# A command that is given a text

ENTER = ("sh", "-c", 'printf "\\n%s " "$1" >&2; read -r _', "sh")  # waits for the key


def pager(environ: Mapping[str, str] = os.environ) -> str:
    """$PAGER, or what is installed; "" where nothing is."""
    installed = (name for name in ("less", "more") if shutil.which(name))
    return environ.get("PAGER", "").strip() or next(installed, "")


async def pipe(app: KbApp, command: str, data: bytes, *, linger: bool) -> int:
    """Have the shell run a command that is given some bytes on its input; the code with which it ended.

    The text is nowhere else: not in an argument, not in the environment. With `linger`, or where it ended at
    once, the person sees what it wrote until Enter is pressed.
    """

    async def use() -> int:
        began = time.monotonic()
        code = await _ended((os.environ.get("SHELL") or "sh", "-c", command), data)
        if linger or time.monotonic() - began < AT_ONCE:
            await _ended((*ENTER, f"[{safe(command[:200])}: {ending(code)} - Enter goes back to kbtui]"))
        return code

    return await _lend(app, use)


def ending(code: int) -> str:
    """How a command ended, in words."""
    return f"ended with {code}" if code >= 0 else f"was ended by signal {-code}"
