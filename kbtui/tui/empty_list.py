"""What stands in the middle of a list that shows nothing: why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kbtui.commands import BY_ID
from kbtui.keymap import Keymap, show_key
from kbtui.rows import ALL, ROOT, UNPLACED, View
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Part

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase

READING: Part = ("Reading the knowledge base …", "dim")
EMPTY = {
    ALL: "There are folders here, and no document in them.",
    ROOT: "The root is empty.",
    UNPLACED: "Everything has its place.",
}


def key(keymap: Keymap, id: str) -> str:
    """The key of a command as a person reads it."""
    return show_key(keymap.keys(BY_ID[id])[0])


def unmatched(
    keymap: Keymap,
    kb: KnowledgeBase,
    view: View,
    here: int,
    whole: str,
    found: int | None,
    *,
    so_far: bool,
    typing: bool,
) -> list[Part]:
    """No document of the view matches its filter; `so_far`: of some it is not known.

    So many there are `here`. `found` match in the whole; None: nobody counted, or it is not known.
    """
    none = f"None of {counted(here, 'item')} here matches" if here > 1 else "Nothing here matches"
    clear = f"{key(keymap, 'filter.drop' if typing else 'list.unfilter')} shows everything here again."
    look = (f"{key(keymap, 'filter.keep')}, then " if typing else "") + key(keymap, "go.all")
    if so_far:
        lines: list[Part] = [("Nothing here matches so far.", "warn"), (clear, "dim")]
    elif view.scope == ALL:
        lines = [(f"None of all {whole} matches.", "warn"), (clear, "dim")]
    elif found == 0:
        lines = [(f"{none}, nor any of all {whole}.", "warn"), (clear, "dim")]
    elif found is None:
        lines = [(f"{none}.", "warn"), (f"{look} looks in all {whole}. {clear}", "dim")]
    else:
        elsewhere = f"{none}; of all {whole} {found} {'does' if found == 1 else 'do'}."
        lines = [(elsewhere, "warn"), (f"{look} shows {'it' if found == 1 else 'them'}. {clear}", "dim")]
    return lines if kb.mirror.swept() else [*lines, READING]


def unseen(keymap: Keymap, agent: str) -> list[Part]:
    """The scope holds nothing for an agent."""
    clear = f"{key(keymap, 'list.unfilter')} shows everything again."
    return [(f"{agent} sees nothing here.", "warn"), (clear, "dim")]


def empty(kb: KnowledgeBase, scope: str, trouble: str) -> list[Part]:
    """The scope holds nothing, as far as is known."""
    known = kb.mirror.count(ALL) or kb.mirror.count(ROOT)
    if trouble and not (known and kb.mirror.swept()):
        return [(trouble, "bad")]
    if not kb.mirror.swept():
        return [READING]
    if not known:
        return [("This knowledge base is empty.", "strong"), ("What is added to it appears here.", "dim")]
    return [(EMPTY.get(scope, "This folder is empty."), "dim")]
