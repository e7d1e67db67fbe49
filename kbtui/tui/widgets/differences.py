"""How two texts differ, in lines for a person."""

from __future__ import annotations

from kbtui.content import safe
from kbtui.differences import diff
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Part

MARGIN = 3  # of what goes on below: past the sign of a difference
MOST = 1_000  # lines that are shown of one comparison
LONGEST = 4_000  # characters of one


def differences(title: str, before: str, after: str) -> list[list[Part]]:
    """A title, and below it what was taken out and put in. Takes its time with long texts."""
    lines = diff(before, after, before_name="before", after_name="after")[2:]
    told: list[list[Part]] = [[("", "")], [(f"   {title}", "strong")]]
    for line in lines[:MOST]:
        look = {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")
        told.append([("  " + safe(line[:LONGEST]) + ("…" if len(line) > LONGEST else ""), look)])
    if len(lines) > MOST:
        told += [[("", "")], [(f"   and {counted(len(lines) - MOST, 'more line')}", "dim")]]
    if not lines:
        told.append([("   nothing", "dim")])
    return told
