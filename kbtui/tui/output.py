"""What goes to the terminal, where Textual needs help.

Part of a line goes without what stands before it; and a terminal that takes nothing any more stops nothing:
Textual's loop would wait for it, and no key that is typed meanwhile would be heard.
"""

from __future__ import annotations

import asyncio
import signal
import termios
import time
from contextlib import suppress
from queue import Queue
from types import FrameType
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.control import Control
from textual import _compositor, events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip

from kbtui.tui import widths

if TYPE_CHECKING:
    from textual.app import App

    Base = App[int]
else:
    Base = object

ROOM = 15  # writes that may wait for the terminal; Textual stops at 30, and a frame takes three
STALLED = 0.5  # seconds without room after which the terminal is not slow but stalled


_OUR_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l\x1b[?2048$p"


class Output(Base):
    """What `KbApp` does about its terminal; a part of it in a file of its own."""

    _behind = False  # frames were left out: the terminal shows something old

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if not self._behind:
            end = time.monotonic() + STALLED
            while self._waiting() >= ROOM and time.monotonic() < end:
                time.sleep(0.01)  # holding up the loop lets keys gather for one frame: right for a slow line
            self._behind = self._waiting() >= ROOM
        if not self._behind:
            super()._display(screen, renderable)

    def on_ready(self) -> None:
        """Take over what wakes the process: Textual would begin to read the keys beside its own reader."""
        driver, loop = self._driver, asyncio.get_running_loop()
        if not isinstance(driver, LinuxDriver):
            return
        modes = termios.tcgetattr(driver.fileno)

        def wake(number: int, frame: FrameType | None) -> None:
            if driver._must_signal_resume:  # Textual had given the terminal back before it slept
                driver._sigcont_application()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(self._come_back, driver, modes)

        signal.signal(signal.SIGCONT, wake)

    def _come_back(self, driver: LinuxDriver, modes: list[Any]) -> None:
        """Woken without having gone to sleep: a shell may have set other modes and drawn on the screen."""
        reader = driver._key_thread
        if reader is None or not reader.is_alive():
            return  # the terminal is lent, or was given back
        with suppress(termios.error):
            termios.tcsetattr(driver.fileno, termios.TCSANOW, modes)
        driver.write(_OUR_SCREEN)
        driver._enable_mouse_support()
        self.screen.refresh(layout=True)

    def catch_up(self) -> None:
        """Draw everything anew if frames were left out and the terminal takes them again."""
        if self._behind and not self._waiting():
            self._behind = False
            self.screen.refresh(layout=True)

    def size_was_missed(self) -> bool:
        """Whether the terminal has another size than the last one that was heard of; that one is told then.

        Textual's handlers of two signals may overtake each other when a window is resized quickly.
        """
        if not isinstance(self._driver, LinuxDriver):
            return False
        now = Size(*self._driver._get_terminal_size())
        if now == self.size:
            return False
        self.post_message(events.Resize(now, now))
        return True

    def _waiting(self) -> int:
        """How many writes wait for the terminal."""
        writer = self._driver._writer_thread if isinstance(self._driver, LinuxDriver) else None
        waiting: Queue[str | None] | None = writer._queue if writer is not None else None
        return waiting.qsize() if waiting is not None else 0


class Update(ChopsUpdate):
    """A repaint of some spans of lines. Textual's begins each at the left edge of the widget."""

    def render_segments(self, console: Console) -> str:
        sent: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                x, strip = _without(strip.crop(0, min(end, right) - x), x, left)
                sent += [Control.move_to(x, y).segment.text, widths.sent(strip, x, y, console)]
        return "".join(sent)


class Whole(LayoutUpdate):
    """A repaint of the whole screen."""

    def render_segments(self, console: Console) -> str:
        sent: list[str] = []
        for y, line in enumerate(self.strips, self.region.y):
            x = self.region.x
            sent.append(Control.move_to(x, y).segment.text)
            for strip in line:
                sent.append(widths.sent(strip, x, y, console))
                x += strip.cell_length
        return "".join(sent)


def _without(strip: Strip, x: int, left: int) -> tuple[int, Strip]:
    """The strip from the piece on that reaches column `left`, and its column; no character is split."""
    pieces = list(strip)
    while pieces and x + pieces[0].cell_length <= left:
        x += pieces.pop(0).cell_length
    return x, Strip(pieces)


def install() -> None:
    """Have Textual send repaints this way."""
    for name, ours in (("ChopsUpdate", Update), ("LayoutUpdate", Whole)):
        assert hasattr(_compositor, name), "Textual repaints in another way now"
        setattr(_compositor, name, ours)
