"""Drawing runs of cells with as few characters as a terminal needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, compress, count, pairwise
from operator import ne
from typing import NamedTuple
from unicodedata import east_asian_width

from kbtui.tui.cells import OFF, PLAIN, Look, Row, is_doubted

GAP = 4  # cells that are cheaper drawn again than jumped over

STRETCH = 35  # cells of a line that are compared at once

_TO_THE_END = " " * 4  # of a line: that is erased with fewer characters than it has
_ERASED, _JUMPED = 5, 10  # blanks that take as many where nothing stands behind them, or something does
_STRETCH = re.compile(f"{_TO_THE_END}+")
_MARKED = re.compile("([ -\u024f\u0370-\u04ff][\u0300-\u036f]+)+")


class Run(NamedTuple):
    """Neighbouring cells that are drawn in one look.

    Attributes:
        blank: of the look, only its ground matters.
        bare: no character of two cells, or of which terminals are in doubt, is or was in the line.
    """

    y: int
    x: int
    end: int
    text: str
    look: Look
    blank: bool
    bare: bool = False


def compare(y: int, old: Row, new: Row, doubted: list[Run], runs: list[Run]) -> None:
    """Add what has to be drawn of a line: first what terminals draw as they like, then the rest."""
    chars, looks, simple = new
    bare = simple and old.simple
    places = _places(old, new)
    if places and not simple:
        places = _with_neighbours(old, new, places)
    begin = end = -1  # of the run that is being made
    drawn, blank = PLAIN, True
    for x in places:
        if simple and looks[x] is drawn and not blank and 0 <= x - end <= GAP:
            if x == end or looks[end:x].count(drawn) == x - end:
                end = x + 1
                continue
        elif x < end:
            continue
        elif x == end and chars[x] == " " and looks[x].ground is drawn.ground and begin >= 0:
            end += 1
            continue
        while chars[x] == "":
            x -= 1
        is_free = not simple and is_doubted(chars[x])
        width = 2 if x + 1 < len(chars) and chars[x + 1] == "" else 1
        if begin >= 0 and not is_free and x - end <= GAP:
            joined = _joined(new, end, x, drawn, blank)
            if joined is not None:
                drawn, blank = joined
                end = x + width
                continue
        if begin >= 0:
            runs.append(Run(y, begin, end, "".join(chars[begin:end]), drawn, blank, bare))
        if is_free:
            begin, end = -1, _group(chars, looks, x)
            doubted.append(Run(y, x, end, "".join(chars[x:end]), looks[x], blank=False))
        else:
            begin, end, blank = x, x + width, chars[x] == " "
            drawn = looks[x].ground if blank else looks[x]
    if begin >= 0:
        runs.append(Run(y, begin, end, "".join(chars[begin:end]), drawn, blank, bare))


def _places(old: Row, new: Row) -> list[int]:
    """The columns in which something else is seen; stretches that stayed as they were cost little."""
    places: list[int] = []
    for begin in range(0, len(new.chars), STRETCH):
        part = slice(begin, begin + STRETCH)
        chars, old_chars, looks, old_looks = (
            new.chars[part],
            old.chars[part],
            new.looks[part],
            old.looks[part],
        )
        if looks != old_looks:
            both = zip(count(begin), chars, old_chars, looks, old_looks)
            places += [
                x
                for x, char, was, look, looked in both
                if (look is not looked or char != was)
                and (char != " " or was != " " or look.ground is not looked.ground)
            ]
        elif chars != old_chars:
            places += compress(count(begin), map(ne, chars, old_chars))
    return places


def _joined(row: Row, end: int, x: int, drawn: Look, blank: bool) -> tuple[Look, bool] | None:
    """The look of a run that ended at `end` and goes on to `x`, and whether it is blank; or None."""
    for char, look in zip(row.chars[end : x + 1], row.looks[end : x + 1], strict=True):
        if char == " ":
            if look.ground is not drawn.ground:
                return None
        elif (look.ground if blank else look) is not drawn or not (row.simple or not is_doubted(char)):
            return None
        else:
            drawn, blank = look, False
    return drawn, blank


def _group(chars: list[str], looks: list[Look], x: int) -> int:
    """The end of the doubted characters from `x` on: they are sent together, for some terminals join them."""
    end = x + 1
    while end < len(chars) and (chars[end] == "" or (is_doubted(chars[end]) and looks[end] is looks[x])):
        end += 1
    return end


def _with_neighbours(old: Row, new: Row, places: list[int]) -> list[int]:
    """`places`, and those that a terminal may spoil, or has spoiled, with doubted characters there."""
    wanted, known = set(places), 0
    stretches = [*_stretches(old.chars), *_stretches(new.chars)]
    while len(wanted) > known:
        known = len(wanted)
        for start, end, spoiled in stretches:
            if not wanted.isdisjoint(range(start, end)):
                wanted.update(spoiled)
    return sorted(wanted)


def _stretches(chars: list[str]) -> Iterable[tuple[int, int, range]]:
    """Where doubted characters begin and end, and what they may spoil.

    A terminal may give them more cells; marks, and what has no room at the end of a line, go to the left.
    """
    x = 0
    while x < len(chars):
        start = x
        while x < len(chars) and (is_doubted(chars[x]) or (chars[x] == "" and x > start)):
            x += 1
        if x > start:
            most = _most_cells("".join(chars[start:x]))
            yield start, x, range(max(0, start - 1), min(len(chars), max(x, start + most)))
        x += 1


def _most_cells(text: str) -> int:
    """The cells that a text takes on a terminal that gives every character its own."""
    return sum(2 if east_asian_width(char) in "WF" or char >= "\U0001f000" else 1 for char in text)


def by_look(runs: list[Run]) -> list[Run]:
    """Runs of one look after each other: a jump is often shorter than a change of look."""
    places: dict[Look, int] = {}
    for run in runs:
        if not run.blank:
            places.setdefault(run.look, len(places))
    for look, place in tuple(places.items()):
        places.setdefault(look.ground, place)
    return sorted(runs, key=lambda run: places.get(run.look, -1))


def can_fill(ground: Look) -> bool:
    """Whether a cell that is erased in this ground looks like a blank that is drawn in it."""
    return not ground.flags and not ground.link


@lru_cache(maxsize=8192)
def _turn(old: Look, new: Look) -> str:
    """What makes a terminal that draws in one look draw in another."""
    codes = [*new.flags, *filter(None, (new.front, new.back))]
    whole = ";".join(["0", *codes]) if codes else ""
    off = dict.fromkeys(OFF[flag] for flag in old.flags if flag not in new.flags)
    on = [flag for flag in new.flags if flag not in old.flags or OFF[flag] in off]
    front = [new.front or "39"] if new.front != old.front else []
    back = [new.back or "49"] if new.back != old.back else []
    part = ";".join([*off, *on, *front, *back])
    turned = f"\x1b[{min(part, whole, key=len)}m" if part else ""
    if new.link == old.link:
        return turned
    return f"{turned}\x1b]8;{new.link or ';'}\x1b\\"


class Pen:
    """Draws runs; knows where the terminal's cursor is, and in which look it draws.

    Args:
        width: of the terminal, in cells.
        fills: what it erases gets the ground in which it draws.
    """

    def __init__(self, width: int, *, fills: bool = False) -> None:
        self._width, self._fills = width, fills
        self._sent: list[str] = []
        self._look = PLAIN
        self._x = self._y = -1

    def copy(self) -> Pen:
        other = Pen(self._width, fills=self._fills)
        other._sent, other._look, other._x, other._y = self._sent.copy(), self._look, self._x, self._y
        return other

    def draw(self, runs: Iterable[Run]) -> None:
        """Draw these runs."""
        for run, following in pairwise(chain(runs, [None])):
            assert run is not None
            self._go(run.y, run.x)
            self._turn(run)
            self._write(run, following is not None and following[:2] == (run.y, run.end))

    def finish(self, runs: Iterable[Run]) -> str:
        """All that was sent, these runs the last of it; plain again at the end."""
        self.draw(runs)
        if self._look is not PLAIN:
            self._sent.append(_turn(self._look, PLAIN))
        return "".join(self._sent)

    def draw_doubted(self, run: Run) -> None:
        """Draw what may take fewer or more cells than it has room: the room is emptied first."""
        self._go(run.y, run.x)
        self._turn(run)
        self._sent.append(" " * (run.end - run.x))
        self._x = run.end
        self._go(run.y, run.x)
        text = run.text.rstrip("\u200d")  # tmux would join what is drawn next, wherever it is
        if run.end == self._width and _MARKED.fullmatch(text):
            # Without wrapping, a mark behind the last column would go to the character before.
            self._sent += ["\x1b[?7h", text, "\x1b[?7l"]
        else:
            self._sent.append(text)
        self._x = -1

    def _write(self, run: Run, goes_on: bool) -> None:
        """Write what stands there; long stretches of blanks are erased instead, and jumped over.

        With `goes_on`, what is drawn next stands behind it.
        Some terminals leave half of a character of two cells when the other one is erased.
        """
        text, done = run.text, 0
        if self._fills and run.bare and _TO_THE_END in text and can_fill(self._look.ground):
            for stretch in _STRETCH.finditer(text):
                begin, end = stretch.span()
                erased = "\x1b[K" if run.x + end == self._width else f"\x1b[{end - begin}X"
                if erased != "\x1b[K" and end - begin <= (_JUMPED if goes_on or end < len(text) else _ERASED):
                    continue
                self._sent += [text[done:begin], erased]
                self._x, done = run.x + begin, end
                if end < len(text):
                    self._go(run.y, run.x + end)
        if done < len(text):
            self._sent.append(text[done:])
            self._x = run.end

    def _turn(self, run: Run) -> None:
        if run.look is not self._look and not (run.blank and run.look is self._look.ground):
            self._sent.append(_turn(self._look, run.look))
            self._look = run.look

    def _go(self, y: int, x: int) -> None:
        if self._y == y and 0 <= self._x < self._width:
            far = x - self._x
            if far:
                step = "" if abs(far) == 1 else str(abs(far))
                self._sent.append("\r" if x == 0 else f"\x1b[{step}{'C' if far > 0 else 'D'}")
        else:
            self._sent.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
        self._x, self._y = x, y
