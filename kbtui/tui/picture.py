"""What a terminal shows, cell by cell, and the shortest way from one picture to the next.

Knows nothing of an application: cells go in, the characters that a terminal has to be sent come out. Only
what every terminal since the VT102 obeys is used, as long as nobody says that this one can do more. Nothing
depends on the ground that a terminal gives to rows that come in: they come in its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import compress
from operator import ne
from typing import NamedTuple

from kbtui.tui.cells import PLAIN, Look, Row, is_doubted, over
from kbtui.tui.pen import Pen, Run, by_look, can_fill, compare

AS_ASSUMED = "\x0f\x1b(B\x1b[4l\x1b[?6;69;7;117l\x1b[r\x1b[m\x1b[2J"
"""An empty screen, and nothing that somebody else began: character sets, inserting, margins, wrapping, and
erasing without a ground."""

WORTH = 24  # blanks of one ground in a line, fewer of which are drawn as they come

MANY = 16  # runs that are hardly ever drawn with less in the order of the text than look by look

ALIKE = 3  # rows that must have moved together before a scroll is thought of

MUCH = 1000  # characters that change; a slow line takes as long over them as a person notices


class Room(NamedTuple):
    """Rows from `top` to before `end`, in the columns from `left` to before `right`."""

    top: int
    end: int
    left: int
    right: int


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
        if row.simple:
            return True
        chars = row.chars
        ends = (self.left, self.right) if self.right < len(chars) else (self.left,)
        return all(chars[x] != "" for x in ends) and not any(map(is_doubted, chars))

    @property
    def room(self) -> Room:
        """What they leave empty."""
        count = min(abs(self.by), self.bottom + 1 - self.top)
        top = self.bottom + 1 - count if self.by > 0 else self.top
        return Room(top, top + count, self.left, self.right)


class Picture:
    """What a terminal of `width` by `height` cells shows, and what it is wanted to show.

    Args:
        moves: the terminal can move rows, between margins above and below.
        sides: it can move parts of them, between margins at the sides.
        fills: what it erases gets the ground in which it draws then ("back color erase").
    """

    def __init__(
        self, width: int, height: int, *, moves: bool = True, sides: bool = False, fills: bool = False
    ) -> None:
        self.width, self.height = width, height
        self.moves, self.sides, self.fills = moves, sides, fills
        self._blank = Row([" "] * width, [PLAIN] * width, simple=True)
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
            row = piece if x == 0 and len(piece.chars) == self.width else over(old, x, piece)
            if row != old:
                self.wanted[y] = row

    def ahead(self, y: int) -> str:
        """What draws a line alone, which counts as shown then; "" where little else changes, or moves it."""
        if not (self._known and 0 <= y < self.height) or self.wanted[y] is self._shown[y]:
            return ""
        move, others = self._moved()
        if others <= MUCH or (move is not None and move.top <= y <= move.bottom):
            return ""
        drawn = self._drawn([*self.wanted[:y], self._shown[y], *self.wanted[y + 1 :]])
        self._shown = [*self._shown[:y], self.wanted[y], *self._shown[y + 1 :]]
        return drawn

    def changes(self) -> str:
        """What the terminal has to be sent, or ""; from then on it counts as shown."""
        if not self._known:
            nothing = [self._blank] * self.height
            drawn = AS_ASSUMED + self._drawn(nothing, Room(0, self.height, 0, self.width))
        else:
            move, others = self._moved()
            drawn = ""
            if move is not None:
                drawn = move.sent(self.width) + self._drawn(self._after(move), move.room)
            if move is None or 2 * len(drawn) > 3 * others:  # else, with looks and jumps, it is longer
                drawn = min(filter(None, (drawn, self._drawn(self._shown))), key=len, default="")
        self._known, self._shown = True, self.wanted.copy()
        return drawn

    def _after(self, move: Move) -> list[Row]:
        """What is shown when rows have moved; the room that they left has the terminal's own ground."""
        rows = self._shown[move.top : move.bottom + 1]
        emptied = [self._blank] * min(abs(move.by), len(rows))
        rows = rows[move.by :] + emptied if move.by > 0 else emptied + rows[: move.by]
        if move.right - move.left < self.width:
            part = slice(move.left, move.right)
            rows = [
                over(self._shown[y], move.left, row._replace(chars=row.chars[part], looks=row.looks[part]))
                for y, row in enumerate(rows, move.top)
            ]
        return [*self._shown[: move.top], *rows, *self._shown[move.bottom + 1 :]]

    def _fill(self, shown: list[Row], room: Room) -> list[Run]:
        """What fills lines of an empty room with the ground of their blanks; in `shown`, that is done."""
        width = room.right - room.left
        runs: list[Run] = []
        for y in range(room.top, room.end):
            row = self.wanted[y]
            ground, blanks = _ground(row.chars[room.left : room.right], row.looks[room.left : room.right])
            if ground is not PLAIN and blanks > WORTH:
                shown[y] = over(shown[y], room.left, Row([" "] * width, [ground] * width, simple=True))
                runs.append(Run(y, room.left, room.right, " " * width, ground, blank=True, bare=True))
        return runs

    def _moved(self) -> tuple[Move | None, int]:
        """The rows that moved together, or None, and how many characters are others than before.

        They are looked for between the columns that changed: what stands beside a list need not move with it.
        """
        changed = [y for y in range(self.height) if self.wanted[y] is not self._shown[y]]
        if len(changed) <= ALIKE:
            return None, 0
        spans = {y: _span(self._shown[y], self.wanted[y]) for y in changed}
        others = sum(span[2] for span in spans.values())
        if not self.moves:
            return None, others
        few = len(changed) // 8  # lines that have nothing to do with the rest, such as the last of the screen
        left = sorted(span[0] for span in spans.values())[few]
        right = sorted(span[1] for span in spans.values())[-1 - few]
        if left >= right:
            return None, others
        by, top, bottom = self._came_together(changed, left, right)
        if not by:
            return None, others
        inside = [spans[y] for y in range(top, bottom + 1) if y in spans and spans[y][2]]
        if not inside:  # only looks have changed there
            return None, others
        left, right = min(span[0] for span in inside), max(span[1] for span in inside)
        move = Move(top, bottom, by, left, right)
        if self.sides and all(map(move.cuts_clean, self._shown[move.top : move.bottom + 1])):
            return move, others
        return move._replace(left=0, right=self.width), others

    def _came_together(self, changed: list[int], left: int, right: int) -> tuple[int, int, int]:
        """How far most of the changed lines went up, and the first and last row of the room they went in.

        Only what is between the columns counts; the way is 0 where too few went together.
        """
        places: dict[str, list[int]] = {}
        for y in changed:
            places.setdefault("".join(self._shown[y].chars[left:right]), []).append(y)
        votes: dict[int, int] = {}
        moves: list[tuple[int, int]] = []
        for y in changed:
            key = "".join(self.wanted[y].chars[left:right])
            for old in places.get(key, ())[:4] if not key.isspace() else ():
                votes[old - y] = votes.get(old - y, 0) + 1
                moves.append((y, old - y))
        votes.pop(0, None)
        by = max(votes, key=votes.__getitem__, default=0)
        if not by or votes[by] < ALIKE:
            return 0, 0, 0

        def came(y: int) -> bool:
            """Whether most of a line came from where the others came from."""
            if not (0 <= y < self.height and 0 <= y + by < self.height):
                return False
            rows = (self.wanted[y], self._shown[y + by], self._shown[y])
            new, source, old = (row.chars[left:right] for row in rows)
            nearly: bool = 4 * sum(map(ne, new, source)) < sum(map(ne, new, old))
            return nearly

        rows = [y for y, far in moves if far == by]
        top, bottom = rows[0], rows[-1]
        while came(top - 1):
            top -= 1
        while came(bottom + 1):
            bottom += 1
        return by, min(top, top + by), max(bottom, bottom + by)

    def _drawn(self, shown: list[Row], room: Room | None = None) -> str:
        """What turns `shown`, in which some room may be empty, into what is wanted, without moving rows."""
        fills = self._fill(shown, room) if room is not None and self.fills else []
        doubted: list[Run] = []
        runs: list[Run] = []
        for y, row in enumerate(self.wanted):
            if row is not shown[y]:
                compare(y, shown[y], row, doubted, runs)
        if not (fills or runs or doubted):
            return ""
        first = Pen(self.width, fills=self.fills)
        first.draw(sorted(fills, key=lambda run: run.look.back))  # few changes of look
        for run in doubted:
            first.draw_doubted(run)
        if len(runs) <= 2:
            return first.finish(runs)
        drawn = first.copy().finish(by_look(runs))
        return drawn if len(runs) > MANY else min(drawn, first.finish(runs), key=len)


def _ground(chars: Iterable[str], looks: Iterable[Look]) -> tuple[Look, int]:
    """The ground that most blanks of these cells have, of those that a terminal can fill with; how many."""
    grounds = Counter(look.ground for char, look in zip(chars, looks, strict=True) if char == " ")
    return next((each for each in grounds.most_common() if can_fill(each[0])), (PLAIN, 0))


def _span(old: Row, new: Row) -> tuple[int, int, int]:
    """The first column that differs, the one behind the last, and how many characters do."""
    places = list(compress(range(len(new.chars)), map(ne, old.chars, new.chars)))
    if not places:
        return len(new.chars), 0, 0
    halves = 0 if new.simple else sum(new.chars[x] == "" for x in places)
    return places[0], places[-1] + 1, len(places) - halves
