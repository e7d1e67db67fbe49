"""How many cells characters take, and what is sent where terminals disagree about it.

Rich gives none to the vowel signs of Indic scripts that stand beside their letter (category Mc). Terminals
that count as the C library does, xterm, VTE and tmux among them, give each a cell of its own; others count
whole syllables. What stands behind such words must not depend on it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich import cells
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from textual.strip import Strip

# Scripts with marks, what joins, and emoji.
_DOUBTED = re.compile(
    "[\u0300-\u036f\u0590-\u10ff\u1700-\u1cff\u200c\u200d\ufe0f\ua800-\uabff"
    "\U00010a00-\U00011fff\U0001f000-\U0001faff]"
)

_measured = cells.get_character_cell_size


@lru_cache(maxsize=4096)
def cell_size(character: str, unicode_version: str = "auto") -> int:
    """The cells of one character, at the most."""
    return _measured(character, unicode_version) or int(unicodedata.category(character) == "Mc")


def install() -> None:
    """Have Rich, and Textual with it, measure this way."""
    cells.get_character_cell_size = cell_size
    cells.cached_cell_len.cache_clear()


def sent(strip: Strip, x: int, y: int, console: Console) -> str:
    """What draws a strip that begins at `x`, `y`: behind doubted words the cursor is told where it is."""
    if _DOUBTED.search(strip.text) is None:
        return strip.render(console)
    parts = []
    for segment in strip:
        drawn, end = Strip([segment]).render(console), x + segment.cell_length
        if _DOUBTED.search(segment.text):
            # Their room is emptied first, for they may take less of it.
            room = Strip([Segment(" " * segment.cell_length, segment.style)]).render(console)
            parts += [room, Control.move_to(x, y).segment.text, drawn, Control.move_to(end, y).segment.text]
        else:
            parts.append(drawn)
        x = end
    return "".join(parts)
