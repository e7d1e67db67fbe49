"""The stage beside plain Textual: the same updates through both, each on a terminal of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Offset, Size

from kbtui.tui.cells import Row, is_doubted
from kbtui.tui.driver import PacedDriver
from kbtui.tui.output import Output
from kbtui.tui.picture import Picture

HOME = Offset(0, 0)
JUNK = "\x1b[31mwall: going down\r\n\x1b[7m世\x1b[m"
"""What another program may draw."""
MODES = "\x1b(0\x0e\x1b[4h\x1b[2;3r\x1b[?6h\x1b[?7h"
"""What it may leave: line-drawing characters, inserting, margins, wrapping."""


class Terminal(Protocol):
    """What `emulators` has."""

    def begin(self, columns: int, lines: int) -> None: ...
    def feed(self, data: str) -> None: ...
    def mark_ends(self, lines: int, columns: int) -> None: ...
    def raw(self) -> object: ...
    def cells(self) -> Sequence[Sequence[tuple[str, *tuple[object, ...]]]]: ...
    def cursor(self) -> tuple[int, int]: ...


class Fast(PacedDriver):
    """A driver that keeps what it sends, as long as it `takes` something."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.screens = 1
        self.takes = True

    def ready(self) -> bool:
        return self.takes

    def frame(self, sent: str) -> None:
        self.sent.append(sent)

    def write(self, data: str) -> None:
        self.sent.append(data)


class Host:
    """As much of an app as the stage asks for."""

    _running, _closed, _batch_count = True, False, 0
    focused = None

    def __init__(self, colours: str) -> None:
        self._driver = self.fast = Fast()
        self.console = Console(color_system=colours or None, force_terminal=True, legacy_windows=False)  # type: ignore[arg-type]
        self.cursor_position = HOME

    def set_timer(self, *args: Any) -> None:
        pass

    def post_display_hook(self) -> None:
        pass


class Stage(Output, Host):  # type: ignore[misc]
    """The stage without an app around it, on a terminal that moves rows, and may fill what it erases."""

    def __init__(self, colours: str, fills: bool) -> None:
        super().__init__(colours)
        self._fills = fills

    def powers(self) -> tuple[bool, bool]:
        return True, self._fills

    def _wait(self, seconds: float) -> None:
        """What follows comes at once."""
        self.send_changes()

    def _types_at(self, cursor: Offset) -> bool:
        return True

    @property
    def wanted(self) -> list[Row]:
        return self._picture.wanted

    def from_nothing(self) -> str:
        """What draws all that is wanted on a terminal of which nothing is known."""
        picture = Picture(self._picture.width, self._picture.height)
        picture.wanted = self.wanted.copy()
        return picture.changes()


class Both:
    """Plain Textual and the stage.

    Args:
        terminals: for Textual, for the stage, and for a stage that draws its picture from nothing.
        colours: the colour system; "" where Rich found none.
        sides: the terminals have margins at the sides.
        fills: they fill what they erase.
    """

    def __init__(
        self,
        terminals: tuple[Terminal, Terminal, Terminal],
        size: Size,
        colours: str,
        *,
        sides: bool = False,
        fills: bool = False,
    ) -> None:
        self._plain, self._ours, self._fresh = terminals
        self.frames = 0  # that were compared
        self.stage = Stage(colours, fills)
        if sides:
            self.stage.on_side_margins()
        self.resize(size)

    def resize(self, size: Size) -> None:
        """The terminals are of another size, and what they show is not known."""
        self.size = size
        for terminal in (self._plain, self._ours):
            terminal.begin(*size)
            terminal.feed(f"\x1b[?7l{JUNK}")
        self._fresh.begin(*size)
        self._fresh.feed("\x1b[?7l")

    def draw(self, update: CompositorUpdate, cursor: Offset = HOME) -> None:
        self.draw_plain(update, cursor)
        self.draw_ours(update, cursor)

    def draw_plain(self, update: CompositorUpdate, cursor: Offset = HOME) -> None:
        forget_colours(update)
        plain = update.render_segments(self.stage.console).replace("\n", "\r\n")
        self._plain.feed(plain + Control.move_to(*cursor).segment.text)

    def draw_ours(self, update: CompositorUpdate, cursor: Offset = HOME) -> None:
        self.stage.cursor_position = cursor
        self.stage._display(None, update)  # type: ignore[arg-type]
        self._settle()

    def take(self) -> None:
        """The terminal of the stage is ready again, and gets what it had no room for."""
        self.stage.fast.takes = True
        self.stage.send_changes()
        self._settle()

    def disturb(self) -> None:
        """Another program draws on the terminal of the stage, which hears of it."""
        self._ours.feed(JUNK + MODES)
        self.stage.fast.screens += 1

    def _settle(self) -> None:
        self._ours.feed("".join(self.stage.fast.sent))
        self.stage.fast.sent.clear()

    def alike(self, but: Collection[int] = ()) -> None:
        """Both show the same cells and the same cursor, `but` for some lines."""
        self.frames += 1
        assert self._ours.cursor() == self._plain.cursor()
        if self._ours.raw() == self._plain.raw():
            return
        pairs = zip(self._ours.cells(), self._plain.cells(), strict=True)
        for y, (ours, plain) in enumerate(pairs):
            assert y in but or ours == plain, f"line {y}, {others(ours, plain)}"

    def end_alike(self, sure: bool) -> None:
        """After the last comparison: the same, with the ground of the ends of lines, wherever it is told."""
        other = self._plain if sure else self._fresh
        for terminal in (self._ours, other):
            terminal.mark_ends(self.size.height, self.size.width)
        for y, (ours, wanted) in enumerate(zip(self._ours.cells(), other.cells(), strict=True)):
            assert ours == wanted, f"the end of line {y}, {others(ours, wanted)}"

    def ours(self) -> list[str]:
        """What the stage shows, line by line."""
        return ["".join(cell[0] for cell in line) for line in self._ours.cells()]

    def doubted(self) -> list[int]:
        """The lines with characters that terminals may give other cells than their own."""
        return [y for y, row in enumerate(self.stage.wanted) if any(map(is_doubted, row.chars))]

    def as_from_nothing(self) -> None:
        """The stage shows what it shows when it draws everything, what is not doubted where it belongs.

        That is so if it may be drawn again, cell by cell, and nothing changes.
        """
        self.frames += 1
        self._fresh.feed(self.stage.from_nothing())
        shown = self._ours.cells()
        for y, (ours, fresh) in enumerate(zip(shown, self._fresh.cells(), strict=True)):
            assert ours == fresh, f"line {y}, {others(ours, fresh)}"
        x, y = self._ours.cursor()
        lines = {y: self.stage.wanted[y] for y in self.doubted()}
        self._ours.feed(again(lines) + f"\x1b[{y + 1};{x + 1}H")
        for y, (before, after) in enumerate(zip(shown, self._ours.cells(), strict=True)):
            assert before == after, f"a cell of line {y} that is not doubted"


def others(ours: Sequence[object], wanted: Sequence[object]) -> str:
    """The first cells that are not as they should be."""
    cells = [(x, a, b) for x, (a, b) in enumerate(zip(ours, wanted, strict=False)) if a != b]
    return "; ".join(f"column {x}: {a} for {b}" for x, a, b in cells[:3])


def again(lines: dict[int, Row]) -> str:
    """Every cell that is not doubted, by itself."""
    drawn = []
    for y, row in lines.items():
        for x, (char, look) in enumerate(zip(row.chars, row.looks, strict=True)):
            if char and not is_doubted(char):
                codes = ";".join(filter(None, ("0", *look.flags, look.front, look.back)))
                drawn.append(f"\x1b[{y + 1};{x + 1}H\x1b[{codes}m{char}")
    return "".join([*drawn, "\x1b[m"])


def forget_colours(update: CompositorUpdate) -> None:
    """Styles and strips remember how they are sent, in the colours of the terminal that was there first."""
    if isinstance(update, LayoutUpdate):
        update.strips = [list(line) for line in update.strips]
        strips = [strip for line in update.strips for strip in line]
    else:
        assert isinstance(update, ChopsUpdate)
        strips = [strip for chops in update.chops for strip in chops.values() if strip is not None]
    for strip in strips:
        strip._render_cache = None
        for _, style, _ in strip:
            if style is not None:
                style._ansi = None
