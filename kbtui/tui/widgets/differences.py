"""How two texts differ, in lines for a person."""

from __future__ import annotations

from kbtui.content import safe
from kbtui.differences import diff
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Part

MARGIN = 3  # of what goes on below: past the sign of a difference
MOST = 100_000  # characters that are shown of one comparison, which are laid out at once
LONGEST = 1_000  # of one line, and the least that one counts for is LEAST
LEAST = 40


def differences(title: str, before: str, after: str) -> list[list[Part]]:
    """A title, and below it what was taken out and put in. Takes its time with long texts."""
    lines = diff(before, after, before_name="before", after_name="after")[2:]
    told: list[list[Part]] = [[("", "")], [(f"   {title}", "strong")]]
    room = MOST
    for number, line in enumerate(lines):
        room -= max(LEAST, min(len(line), LONGEST))
        if room < 0:
            told += [[("", "")], [(f"   and {counted(len(lines) - number, 'more line')}", "dim")]]
            break
        look = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")
        told.append([("  " + safe(line[:LONGEST]) + ("…" if len(line) > LONGEST else ""), look)])
    if not lines:
        told.append([("   nothing", "dim")])
    return told
