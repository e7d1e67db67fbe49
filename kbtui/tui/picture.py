"""What a terminal shows, cell by cell, and the shortest way from one picture to the next.

Knows nothing of an application: cells go in, the characters that a terminal has to be sent come out. Only
what every terminal since the VT102 obeys is used, and nothing depends on the ground that a terminal gives to
rows it empties: they are emptied in its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from operator import ne
from typing import NamedTuple
from unicodedata import east_asian_width

from rich.cells import split_graphemes

GAP = 4  # cells that are cheaper drawn again than jumped over
ALIKE = 3  # rows that must have moved together before a scroll is thought of

_OFF = {
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
        if code in _OFF:
            flags.append(code)
        elif code.startswith(("3", "9")):
            front = "" if code == "39" else code
        else:
            back = "" if code == "49" else code
    return _look(tuple(flags), front, back, link)


def _look(flags: tuple[str, ...], front: str, back: str, link: str) -> Look:
    made = _looks.get((flags, front, back, link))
    if made is None:
        made = _looks[flags, front, back, link] = Look()
        made.flags, made.front, made.back, made.link = flags, front, back, link
        seen = tuple(flag for flag in flags if flag in _ON_BLANKS)
        if seen == flags and (seen or not front):
            made.ground = made
        else:
            made.ground = _look(seen, front if seen else "", back, link)
    return made


PLAIN = look()


@lru_cache(maxsize=8192)
def _turn(old: Look, new: Look) -> str:
    """What makes a terminal that draws in one look draw in another."""
    codes = [*new.flags, *filter(None, (new.front, new.back))]
    whole = ";".join(["0", *codes]) if codes else ""
    off = dict.fromkeys(_OFF[flag] for flag in old.flags if flag not in new.flags)
    on = [flag for flag in new.flags if flag not in old.flags or _OFF[flag] in off]
    front = [new.front or "39"] if new.front != old.front else []
    back = [new.back or "49"] if new.back != old.back else []
    part = ";".join([*off, *on, *front, *back])
    turned = f"\x1b[{min(part, whole, key=len)}m" if part else ""
    if new.link == old.link:
        return turned
    return f"{turned}\x1b]8;{new.link or ';'}\x1b\\"


Row = tuple[list[str], list[Look]]
"""The cells of a line: characters, "" behind one of two cells, and looks. Never changed once it is made."""


# One cell each, whatever stands beside them, on every terminal.
_SIMPLE = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u037b-\u037f\u0384-\u0482\u2010-\u2027\u2030-\u205e\u2190-\u2211"
    "\u2500-\u25fc\u2800-\u28ff]*"
)
# Scripts with marks and syllables, and pictures: terminals disagree about the cells that they take.
_DOUBTED = re.compile("[\u0590-\u10ff\u1700-\u1cff\ua800-\uabff\U00010a00-\U00011fff\U0001f000-\U0001faff]")
_MARKED = re.compile("([ -\u024f\u0370-\u04ff][\u0300-\u036f]+)+")
_NO_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@lru_cache(maxsize=8192)
def _split(text: str) -> tuple[str, list[str]]:
    """The marks at the beginning of a text, and its cells; control characters are left out."""
    text = _NO_CHARACTER.sub(lambda found: "\ufffd" if found.group() >= "\ud800" else "", text)
    marks, cells = "", list[str]()
    for start, end, width in split_graphemes(text)[0]:
        if width:
            cells += [text[start:end], *[""] * (width - 1)]
        elif not cells:
            marks += text[start:end]
    return marks, cells


def cells(segments: Iterable[tuple[str, Look]], width: int) -> Row:
    """The `width` cells of a line that consists of texts with looks."""
    chars: list[str] = []
    looks: list[Look] = []
    for text, drawn in segments:
        if _SIMPLE.fullmatch(text):
            chars += text
            looks += [drawn] * len(text)
            continue
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
    return chars, looks


def over(row: Row, x: int, piece: Row) -> Row:
    """A line with a piece of another laid over it; of a character of two cells, no half is left."""
    chars, looks = row[0].copy(), row[1].copy()
    end = min(x + len(piece[0]), len(chars))
    if chars[x] == "" and x:
        chars[x - 1] = " "
    if end < len(chars) and chars[end] == "":
        chars[end] = " "
    chars[x:end], looks[x:end] = piece[0][: end - x], piece[1][: end - x]
    if end - x < len(piece[0]) and piece[0][end - x] == "":
        chars[end - 1] = " "
    return chars, looks


class Run(NamedTuple):
    """Neighbouring cells that are drawn in one look; `blank`: of the look, only its ground matters."""

    y: int
    x: int
    end: int
    text: str
    look: Look
    blank: bool


class Move(NamedTuple):
    """Rows from `top` to `bottom`, in the columns from `left` to before `right`, that go up by `by`."""

    top: int
    bottom: int
    by: int
    left: int
    right: int

    def sent(self, width: int) -> str:
        """What a terminal of `width` columns is told."""
        count = "" if abs(self.by) == 1 else str(abs(self.by))
        lines = f"{count}{'M' if self.by > 0 else 'L'}"
        rows = f"\x1b[{self.top + 1};{self.bottom + 1}r"
        if self.right - self.left == width:
            return f"{rows}\x1b[{self.top + 1}H\x1b[{lines}\x1b[r"
        sides = f"\x1b[?69h\x1b[{self.left + 1};{self.right}s"
        return f"{sides}{rows}\x1b[{self.top + 1};{self.left + 1}H\x1b[{lines}\x1b[r\x1b[?69l"

    def cuts_clean(self, row: Row) -> bool:
        """Whether the sides go through no character, and all of them take the cells that they should."""
        chars = row[0]
        ends = (self.left, self.right) if self.right < len(chars) else (self.left,)
        return all(chars[x] != "" for x in ends) and not any(map(is_doubted, chars))


class Picture:
    """What a terminal of `width` by `height` cells shows, and what it is wanted to show.

    Attributes:
        sides: whether the terminal can move parts of rows, between margins at the sides.
    """

    def __init__(self, width: int, height: int, sides: bool = False) -> None:
        self.width, self.height, self.sides = width, height, sides
        self._blank: Row = ([" "] * width, [PLAIN] * width)
        self.wanted: list[Row] = [self._blank] * height
        self._shown = self.wanted
        self._known = False

    def forget(self) -> None:
        """Somebody else may have drawn on the terminal: nothing is known of it any more."""
        self._known = False

    def put(self, y: int, x: int, piece: Row) -> None:
        """Want these cells at this place; rows and columns outside of the picture are left out."""
        if 0 <= y < self.height and 0 <= x < self.width:
            old = self.wanted[y]
            row = piece if x == 0 and len(piece[0]) == self.width else over(old, x, piece)
            if row != old:
                self.wanted[y] = row

    def changes(self) -> str:
        """What the terminal has to be sent, or ""; from then on it counts as shown."""
        begin = ""
        if not self._known:
            begin = "\x1b[r\x1b[m\x1b[2J"
            self._known, self._shown = True, [self._blank] * self.height
        drawn = self._drawn(self._shown)
        for move in self._moves() if drawn else ():
            drawn = min(drawn, move.sent(self.width) + self._drawn(self._after(move)), key=len)
        self._shown = self.wanted.copy()
        return begin + drawn

    def _after(self, move: Move) -> list[Row]:
        """What is shown when rows have moved; the room that they left has the terminal's own ground."""
        rows = self._shown[move.top : move.bottom + 1]
        emptied = [self._blank] * min(abs(move.by), len(rows))
        rows = rows[move.by :] + emptied if move.by > 0 else emptied + rows[: move.by]
        if move.right - move.left < self.width:
            part = slice(move.left, move.right)
            rows = [
                over(self._shown[y], move.left, (row[0][part], row[1][part]))
                for y, row in enumerate(rows, move.top)
            ]
        return [*self._shown[: move.top], *rows, *self._shown[move.bottom + 1 :]]

    def _moves(self) -> Iterable[Move]:
        """The moves of rows that may be worth it: whole ones, and the part of them that changed."""
        moved = self._moved()
        if moved is not None:
            yield moved._replace(left=0, right=self.width)
            if self.sides and all(map(moved.cuts_clean, self._shown[moved.top : moved.bottom + 1])):
                yield moved

    def _moved(self) -> Move | None:
        """The rows that moved together, or None.

        They are looked for between the columns that changed: what stands beside a list need not move with it.
        """
        changed = [y for y in range(self.height) if self.wanted[y] is not self._shown[y]]
        if len(changed) <= ALIKE:
            return None
        spans = [_span(self._shown[y][0], self.wanted[y][0]) for y in changed]
        left, right = min(span[0] for span in spans), max(span[1] for span in spans)
        if left >= right:
            return None
        places: dict[str, list[int]] = {}
        for y in changed:
            places.setdefault("".join(self._shown[y][0][left:right]), []).append(y)
        votes: dict[int, int] = {}
        moves: list[tuple[int, int]] = []
        for y in changed:
            key = "".join(self.wanted[y][0][left:right])
            for old in places.get(key, ())[:4] if not key.isspace() else ():
                votes[old - y] = votes.get(old - y, 0) + 1
                moves.append((y, old - y))
        votes.pop(0, None)
        by = max(votes, key=votes.__getitem__, default=0)
        if not by or votes[by] < ALIKE:
            return None
        rows = [y for y, far in moves if far == by]
        top, bottom = rows[0], rows[-1]

        def came(y: int) -> bool:
            """Whether most of a line came from where the others came from."""
            if not (0 <= y < self.height and 0 <= y + by < self.height):
                return False
            rows = (self.wanted[y], self._shown[y + by], self._shown[y])
            new, source, old = (row[0][left:right] for row in rows)
            nearer: bool = sum(map(ne, new, source)) < sum(map(ne, new, old))
            return nearer

        while came(top - 1):
            top -= 1
        while came(bottom + 1):
            bottom += 1
        return Move(min(top, top + by), max(bottom, bottom + by), by, left, right)

    def _drawn(self, shown: list[Row]) -> str:
        """What turns `shown` into what is wanted, without moving rows."""
        doubted: list[Run] = []
        runs: list[Run] = []
        for y, row in enumerate(self.wanted):
            if row is not shown[y]:
                _compare(y, shown[y], row, doubted, runs)
        if not runs and not doubted:
            return ""
        first = Pen(self.width)
        for run in doubted:
            first.draw_doubted(run)
        orders = (runs, _by_look(runs)) if len(runs) > 2 else (runs,)
        return min((first.copy().draw(order) for order in orders), key=len)


def _by_look(runs: list[Run]) -> list[Run]:
    """Runs of one look after each other: a jump is often shorter than a change of look."""
    places: dict[Look, int] = {}
    for run in runs:
        if not run.blank:
            places.setdefault(run.look, len(places))
    for look, place in tuple(places.items()):
        places.setdefault(look.ground, place)
    return sorted(runs, key=lambda run: places.get(run.look, -1))


def _span(old: list[str], new: list[str]) -> tuple[int, int]:
    """From the first column that differs to the one behind the last."""
    places = [x for x, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    return (places[0], places[-1] + 1) if places else (len(old), 0)


def _compare(y: int, old: Row, new: Row, doubted: list[Run], runs: list[Run]) -> None:
    """Add what has to be drawn of a line, in the order of columns."""
    chars, looks = new
    places: Iterable[int] = [
        x
        for x, (a, b, c, d) in enumerate(zip(old[0], chars, old[1], looks, strict=True))
        if a != b or (c is not d and (b != " " or c.ground is not d.ground))
    ]
    if not places:
        return
    if not _SIMPLE.fullmatch("".join(chars)):
        places = _with_overflow(chars, looks, places)
    begin = end = -1  # of the run that is being made
    drawn, blank = PLAIN, True

    def finish() -> None:
        if begin >= 0:
            runs.append(Run(y, begin, end, "".join(chars[begin:end]), drawn, blank))

    for x in places:
        if x < end:
            continue
        while chars[x] == "":
            x -= 1
        if is_doubted(chars[x]):
            finish()
            begin, end = -1, _group(chars, looks, x)
            doubted.append(Run(y, x, end, "".join(chars[x:end]), looks[x], False))
            continue
        width = 2 if x + 1 < len(chars) and chars[x + 1] == "" else 1
        if begin >= 0 and x - end <= GAP:
            for at in range(end, x + 1):
                if chars[at] == " ":
                    if looks[at].ground is not drawn.ground:
                        break
                elif blank and looks[at].ground is drawn and not is_doubted(chars[at]):
                    drawn, blank = looks[at], False
                elif looks[at] is not drawn or blank or is_doubted(chars[at]):
                    break
            else:
                end = x + width
                continue
        finish()
        begin, end, blank = x, x + width, chars[x] == " "
        drawn = looks[x].ground if blank else looks[x]
    finish()


def is_doubted(char: str) -> bool:
    """Whether terminals may give a character other cells than its own."""
    return len(char) > 1 or (char > "\u02ff" and _DOUBTED.match(char) is not None)


def _group(chars: list[str], looks: list[Look], x: int) -> int:
    """The end of the doubted characters from `x` on: they are sent together, for some terminals join them."""
    end = x + 1
    while end < len(chars) and (chars[end] == "" or (is_doubted(chars[end]) and looks[end] is looks[x])):
        end += 1
    return end


def _with_overflow(chars: list[str], looks: list[Look], places: Iterable[int]) -> list[int]:
    """`places`, and those that doubted characters drawn there may cover on some terminal."""
    wanted = set(places)
    x = 0
    while x < len(chars):
        if not is_doubted(chars[x]):
            x += 1
            continue
        end = _group(chars, looks, x)
        if not wanted.isdisjoint(range(x, end)):
            wanted.update(range(x, min(len(chars), x + _most_cells("".join(chars[x:end])))))
        x = end
    return sorted(wanted)


def _most_cells(text: str) -> int:
    """The cells that a text takes on a terminal that gives every character its own."""
    return sum(2 if east_asian_width(char) in "WF" or char >= "\U0001f000" else 1 for char in text)


class Pen:
    """Draws runs; knows where the terminal's cursor is, and in which look it draws."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._sent: list[str] = []
        self._look = PLAIN
        self._x = self._y = -1

    def copy(self) -> Pen:
        other = Pen(self._width)
        other._sent, other._look, other._x, other._y = self._sent.copy(), self._look, self._x, self._y
        return other

    def draw(self, runs: Iterable[Run]) -> str:
        """All that was sent, these runs the last of it; plain again at the end."""
        for run in runs:
            self._go(run.y, run.x)
            self._turn(run)
            self._sent.append(run.text)
            self._x = run.end
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
        if run.end == self._width and _MARKED.fullmatch(run.text):
            # Without wrapping, a mark behind the last column would go to the character before.
            self._sent += ["\x1b[?7h", run.text, "\x1b[?7l"]
        else:
            self._sent.append(run.text)
        self._x = -1

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
