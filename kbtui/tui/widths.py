"""How many cells characters take.

Rich gives none to the vowel signs of Indic scripts that stand beside their letter (category Mc). Terminals
that count as the C library does, xterm, VTE and tmux among them, give each a cell of its own; others count
whole syllables. What stands behind such words must not depend on it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich import cells

_measured = cells.get_character_cell_size


@lru_cache(maxsize=4096)
def cell_size(character: str, unicode_version: str = "auto") -> int:
    """The cells of one character, at the most."""
    return _measured(character, unicode_version) or int(unicodedata.category(character) == "Mc")


def install() -> None:
    """Have Rich, and Textual with it, measure this way."""
    cells.get_character_cell_size = cell_size
    cells.cached_cell_len.cache_clear()
