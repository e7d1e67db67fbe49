"""What goes to the terminal: only the cells that changed, and no more frames than it can draw.

Textual repaints whole widgets. Here every repaint goes into a picture of what is wanted; what differs from
the picture that the terminal shows is sent as soon as the terminal is ready for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Input, TextArea

from kbtui.terminal import powers
from kbtui.tui.cells import PLAIN, Look, Row, cells, look
from kbtui.tui.driver import PacedDriver
from kbtui.tui.picture import Picture

if TYPE_CHECKING:
    from textual.app import App

    Base = App[int]
else:
    Base = object

AGAIN = 0.05  # seconds until a terminal that was not ready is looked at again, whatever it answers
SOON = 0.03  # seconds in which widgets draw what the layout of another one has changed
APART = 0.01  # seconds after which what follows a line does not travel in one packet with it
AT_ONCE = 1000  # characters of a frame that travel and are drawn together without being told so
STYLES = 4096  # looks remembered; styles that differ by what they do when clicked are many
ROWS = 512  # lines and pieces of lines remembered; when a list scrolls, most come again
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"


class Output(Base):
    """What an app does about its terminal; mixed into one whose driver is a `PacedDriver`.

    Attributes:
        only_changes: off, everything is sent as Textual does it.
        frames: how many were sent.
    """

    only_changes = True
    powers = staticmethod(powers)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.frames = 0
        self._picture = Picture(0, 0)
        self._strips: list[tuple[Strip, ...]] = []  # that each line was made of, as far as it is known
        self._looks_of: dict[Style | None, Look] = {}
        self._rows: dict[tuple[int, tuple[tuple[str, Look], ...]], Row] = {}
        self._cursor_shown = Offset(-1, -1)
        self._screens = 0  # of the driver's, that were drawn on
        self._synchronized = self._sides = self._never_fills = False
        self._behind = False
        self._wait_until = 0.0
        self._again: Timer | None = None
        self._waited: Timer | None = None

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if not self.only_changes or not isinstance(self._driver, PacedDriver):
            super()._display(screen, renderable)
            return
        try:
            if isinstance(renderable, LayoutUpdate):
                self._want_all(renderable)
            elif isinstance(renderable, ChopsUpdate):
                self._want_parts(renderable)
            self.send_changes()
        finally:
            self.post_display_hook()

    def send_changes(self) -> None:
        """Send what is different on the terminal, now or as soon as it can take it."""
        driver = self._driver
        if not isinstance(driver, PacedDriver) or not self._running or self._closed:
            return
        more = bool(self._batch_count) or monotonic() < self._wait_until
        self._behind = more or not driver.ready()
        if self._behind:
            self._again = self._again or self.set_timer(AGAIN, self._try_again)
            return
        if driver.screens != self._screens:
            self._screens = driver.screens
            self._picture.forget()
        cursor = Size(self._picture.width, self._picture.height).clamp_offset(self._typed_at())
        if ahead := self._picture.ahead(cursor.y) if self._types_at(cursor) else "":
            driver.write(ahead)
            self._cursor_shown, self._behind = Offset(-1, -1), True
            self._wait(APART)
            return
        changes = self._picture.changes()
        if changes or cursor != self._cursor_shown:
            self._cursor_shown = cursor
            changes += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
            if self._synchronized and len(changes) > AT_ONCE:
                changes = f"{_BEGIN}{changes}{_END}"
            driver.frame(changes)
            self.frames += 1

    def _typed_at(self) -> Offset:
        """Where the next character goes: Textual is told before a field that opens has its place."""
        focused = self.focused
        if isinstance(focused, Input | TextArea) and focused.region.area:
            return focused.cursor_screen_offset
        return self.cursor_position

    def _types_at(self, cursor: Offset) -> bool:
        """Whether characters go there, into one line that was seen before; once a frame."""
        if self.focused is None or cursor.y != self._cursor_shown.y:
            return False
        region = self.focused.content_region
        return region.height == 1 and region.contains_point(cursor)

    def wait_for_more(self) -> None:
        """What is drawn from now on goes in one frame with what a change of the layout makes others draw."""
        self._wait(SOON)

    def _wait(self, seconds: float) -> None:
        if self._waited is not None:
            self._waited.stop()
        self._wait_until = monotonic() + seconds
        self._waited = self.set_timer(seconds, self._wait_no_more)

    def _wait_no_more(self) -> None:
        self._wait_until = 0.0
        self._try_again()

    def _try_again(self) -> None:
        self._again = None
        if self._behind:
            self.send_changes()

    @property
    def frame(self) -> int:
        """The number of the frame that shows what is wanted now."""
        return self.frames + self._behind

    def has_seen(self, frame: int) -> bool:
        """Whether a frame, by its number, is known to be drawn; on a terminal that tells nothing, all are."""
        driver = self._driver
        if not self.only_changes or not isinstance(driver, PacedDriver):
            return True
        flying = driver.in_flight
        return frame <= self.frames - flying or not (flying or self._behind)

    def redraw(self) -> None:
        """Draw everything anew: something else may have drawn on the screen."""
        self._picture.forget()
        for screen in self.screen_stack[-1:]:  # there is none at the very end
            screen.refresh(layout=True)

    def on_cursor_position(self) -> None:
        if self._behind:
            self.send_changes()

    def on_terminal_supports_synchronized_output(self) -> None:
        self._synchronized = True

    def on_gnu_screen(self) -> None:
        """It is called another terminal, one that fills what it erases; nothing is where it should be."""
        self._never_fills = True
        if self._picture.fills:
            self._picture.fills = False
            self.redraw()

    def on_side_margins(self) -> None:
        self._sides = self._picture.sides = True

    def size_was_missed(self) -> bool:
        """Whether the terminal has another size than the last one that was heard of; that one is told then.

        Textual's handlers of two signals may overtake each other when a window is resized quickly.
        """
        if not isinstance(self._driver, PacedDriver):
            return False
        now = Size(*self._driver._get_terminal_size())
        if now == self.size:
            return False
        self.post_message(events.Resize(now, now))
        return True

    # What is wanted

    def _want_all(self, update: LayoutUpdate) -> None:
        size = update.region.size
        if (self._picture.width, self._picture.height) != size:
            moves, fills = self.powers()
            fills = fills and not self._never_fills
            self._picture = Picture(*size, moves=moves, fills=fills, sides=self._sides)
            self._strips = [()] * size.height
        for y, line in enumerate(update.strips):
            strips = tuple(line)
            if len(strips) != len(self._strips[y]) or not all(map(is_, strips, self._strips[y])):
                self._strips[y] = strips
                self._picture.put(y, 0, self._cells(strips, size.width))

    def _want_parts(self, update: ChopsUpdate) -> None:
        for y, left, right in update.spans:
            if y >= self._picture.height:
                continue
            self._strips[y] = ()
            begin = stop = -1
            strips: list[Strip] = []
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                if x != stop and strips:
                    self._picture.put(y, begin, self._cells(strips, stop - begin))
                    strips = []
                begin, stop = (begin, end) if strips else (x, end)
                strips.append(strip)
            if strips:
                self._picture.put(y, begin, self._cells(strips, stop - begin))

    def _cells(self, strips: Iterable[Strip], width: int) -> Row:
        looks = self._looks_of
        drawn = tuple(
            (text, looks.get(style) or self._look_of(style))
            for strip in strips
            for text, style, control in strip
            if not control
        )
        row = self._rows.get((width, drawn))
        if row is None:
            if len(self._rows) >= ROWS:
                self._rows.clear()
            row = self._rows[width, drawn] = cells(drawn, width)
        return row

    def _look_of(self, style: Style | None) -> Look:
        if style is None:
            return PLAIN
        if len(self._looks_of) >= STYLES:
            self._looks_of.clear()
        system = COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR)
        # Without the id that Rich makes up anew each time; terminals join what leads to one address.
        link = f";{style.link}" if style.link and style.link.isprintable() else ""
        made = self._looks_of[style] = look(Strip.render_ansi(style, system), link)
        return made
