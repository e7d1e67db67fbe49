"""$EDITOR: the same draft in another program, while everything else goes on."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kbtui.content import suffix

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.tui.app import KbApp


def editor_command(chosen: str | None, environ: Mapping[str, str] = os.environ) -> list[str] | None:
    """The editor to run, as arguments: the configured one, $VISUAL, $EDITOR, or what is installed."""
    for command in (chosen, environ.get("VISUAL"), environ.get("EDITOR")):
        if command and command.strip():
            return shlex.split(command)
    for name in ("sensible-editor", "nano", "vi"):
        if shutil.which(name):
            return [name]
    return None


async def edit_outside(app: KbApp, draft: Draft) -> str | None:
    """Run the editor on a draft; the text to save, or None where there is nothing to save."""
    command = editor_command(app.settings.editor)
    if command is None:
        app.tell("No editor is set: set $EDITOR, or use e to edit here.", "warn")
        return None
    path = app.kb.drafts.lend(draft, suffix(draft.format))
    app.kb.drafts.flush()
    try:
        code = await _run(app, [*command, str(path)])
    except OSError as error:
        app.tell(f"{command[0]} cannot be run: {error.strerror}. The draft is kept.", "bad")
        return None
    text = app.kb.drafts.take_back(draft)
    if text is None:
        app.tell("The editor left no file; your draft is as it was before.", "warn")
    elif code:
        app.tell(f"{command[0]} ended with {code}: nothing is saved, the draft is kept (gd).", "warn")
    elif text == draft.base:
        app.kb.drafts.drop(draft)
        app.tell("Unchanged: nothing to save.")
    else:
        return text
    return None


async def _run(app: KbApp, command: list[str]) -> int:
    # Frames are held back while the terminal belongs to the editor: thirty of them would block the loop.
    with app.batch_update(), app.suspend():
        try:
            process = await asyncio.create_subprocess_exec(*command)
            return await process.wait()
        except OSError as error:
            failure = error
    raise failure
