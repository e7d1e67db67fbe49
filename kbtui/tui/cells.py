"""The cells of a line on a terminal: what is in them, and how they are drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes

OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27", "8": "28",
    "9": "29", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
_ON_BLANKS = {"4", "21", "7", "9", "51", "52", "53"}  # what is seen where there is no character


class Look:
    """How a cell is drawn: attributes and colours as parameters of SGR, and an address it leads to.

    There is one object of each look, so that looks are compared by identity. Its `ground` is all that is
    seen of it under a space.
    """

    __slots__ = ("back", "flags", "front", "ground", "link")

    flags: tuple[str, ...]
    front: str
    back: str
    link: str
    ground: Look


LOOKS = 16_384  # kept

_looks: dict[tuple[tuple[str, ...], str, str, str], Look] = {}


def look(parameters: str = "", link: str = "") -> Look:
    """The look of SGR parameters such as 1;38;2;255;0;0 and of a link as OSC 8 takes it (id=…;address)."""
    flags, front, back = [], "", ""
    rest = parameters.split(";") if parameters else []
    while rest:
        code = rest.pop(0)
        if code in ("38", "48"):
            taken = 4 if rest[0] == "2" else 2
            code, rest = ";".join([code, *rest[:taken]]), rest[taken:]
        if code in OFF:
            flags.append(code)
        elif code.startswith(("3", "9")):
            front = "" if code == "39" else code
        else:
            back = "" if code == "49" else code
    return _look(tuple(flags), front, back, link)


def _look(flags: tuple[str, ...], front: str, back: str, link: str) -> Look:
    made = _looks.get((flags, front, back, link))
    if made is None:
        if len(_looks) > LOOKS:
            _looks.clear()  # their likes are made anew; drawing takes them for different, which is right
            _looks[(), "", "", ""] = PLAIN
        made = _looks[flags, front, back, link] = Look()
        made.flags, made.front, made.back, made.link = flags, front, back, link
        seen = tuple(flag for flag in flags if flag in _ON_BLANKS)
        if seen == flags and (seen or not front):
            made.ground = made
        else:
            made.ground = _look(seen, front if seen else "", back, link)
    return made


PLAIN = look()


class Row(NamedTuple):
    """The cells of a line, never changed once it is made.

    Attributes:
        chars: what is in each, "" behind a character of two cells.
        looks: how each is drawn.
        simple: every character has one cell, whatever stands beside it, on any terminal.
    """

    chars: list[str]
    looks: list[Look]
    simple: bool


# One cell each, whatever stands beside them, on every terminal.
_ONE = (
    " -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u037b-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0482"
    "\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bd\u2190-\u2211\u2400-\u2426\u2500-\u25fc\u2713-\u2718"
    "\u2800-\u28ff"
)
_SIMPLE = re.compile(f"[{_ONE}]*")
# The same, or two cells each. Terminals disagree about the rest: scripts with marks and syllables, pictures,
# characters that are younger than some terminals or became wide lately.
_SURE = re.compile(
    f"[{_ONE}\u3001-\u3029\u3041-\u3096\u309b-\u30ff\u3400-\u4db5\u4e00-\u9fcc\uac00-\ud7a3\uff01-\uff9d]"
)
_JOINED = re.compile("(?:\u200d.?)*", re.S)  # Rich gives them no cells
_NO_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@lru_cache(maxsize=1024)
def _split(text: str) -> tuple[str, list[str]]:
    """What goes to the character before a text, and its cells; control characters are left out."""
    begin = _JOINED.match(text)
    assert begin is not None
    marks, cells = _clean(begin.group()), list[str]()
    text = text[begin.end() :]
    for start, end, width in split_graphemes(text)[0]:
        char = _clean(text[start:end])
        if width:
            cells += [char, *[""] * (width - 1)]
        elif not cells:
            marks += char
    return marks, cells


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub(lambda found: "\ufffd" if found.group() >= "\ud800" else "", text)


def cells(segments: Iterable[tuple[str, Look]], width: int) -> Row:
    """The `width` cells of a line that consists of texts with looks."""
    chars: list[str] = []
    looks: list[Look] = []
    simple = True
    for text, drawn in segments:
        if (text.isascii() and text.isprintable()) or _SIMPLE.fullmatch(text):  # the first is faster
            chars += text
            looks += [drawn] * len(text)
            continue
        simple = False
        marks, taken = _split(text)
        if marks and chars:  # a cut went through a character
            last = len(chars) - 1 - (chars[-1] == "")
            chars[last] += marks
        chars += taken
        looks += [drawn] * len(taken)
    missing = width - len(chars)
    if missing > 0:
        chars += [" "] * missing
        looks += [looks[-1] if looks else PLAIN] * missing
    elif missing:
        if chars[width] == "":
            chars[width - 1] = " "
        del chars[width:], looks[width:]
    return Row(chars, looks, simple)


def over(row: Row, x: int, piece: Row) -> Row:
    """A line with a piece of another laid over it; of a character of two cells, no half is left."""
    chars, looks = row.chars.copy(), row.looks.copy()
    end = min(x + len(piece.chars), len(chars))
    if chars[x] == "" and x:
        chars[x - 1] = " "
    if end < len(chars) and chars[end] == "":
        chars[end] = " "
    chars[x:end], looks[x:end] = piece.chars[: end - x], piece.looks[: end - x]
    if end - x < len(piece.chars) and piece.chars[end - x] == "":
        chars[end - 1] = " "
    return Row(chars, looks, piece.simple and (row.simple or _are_simple(chars)))


def _are_simple(chars: list[str]) -> bool:
    text = "".join(chars)
    return len(text) == len(chars) and _SIMPLE.fullmatch(text) is not None


def is_doubted(char: str) -> bool:
    """Whether terminals may give a character other cells than its own."""
    return len(char) > 1 or (char > "~" and _SURE.match(char) is None)
