"""A list of any length that draws only what is on the screen: never a widget, never an object, a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kbtui.tui.widgets.line import Painter, Part
from kbtui.tui.widgets.scrolling import Scrolling


class VirtualList(Painter, Scrolling, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of equal height with a cursor. A subclass gives `parts`; keys come from the screen."""

    @dataclass
    class Moved(Message):
        """The cursor stands on another line."""

        list: VirtualList
        index: int

        @property
        def control(self) -> VirtualList:
            return self.list

    @dataclass
    class Opened(Message):
        """A line was clicked twice."""

        list: VirtualList
        index: int

        @property
        def control(self) -> VirtualList:
            return self.list

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.count = 0
        self.cursor = 0
        self._why: Sequence[Sequence[Part]] = ()

    @property
    def led(self) -> bool:
        """Whether the keys move the cursor now."""
        return self.is_attached and self.screen.focused is self  # `has_focus` hears of it later

    def parts(self, index: int, width: int) -> Sequence[Part]:
        """The line at `index` in at most `width` cells."""
        raise NotImplementedError

    def resize_to(self, count: int, cursor: int) -> None:
        """The list has changed: draw all of it, `cursor` in view."""
        self.count = count
        self.cursor = max(0, min(cursor, count - 1))
        self.hold(count)
        self._follow()
        self.refresh()

    def explain(self, *lines: Sequence[Part]) -> None:
        """The list holds nothing: show these lines, which no cursor goes to."""
        self._why = lines
        self.resize_to(0, 0)

    def go(self, index: int) -> None:
        """Put the cursor on `index`, or as near as there is a line."""
        index = max(0, min(index, self.count - 1))
        if index == self.cursor:
            return
        old, self.cursor = self.cursor, index
        if self._follow():
            self.refresh()
        else:
            self.refresh_line(old)
            self.refresh_line(index)
        self.post_message(self.Moved(self, index))

    def move(self, by: str) -> None:
        """Move as a `move.…` command says: down, up, half_down, half_up, page_down, page_up, top, bottom."""
        page = max(1, self.size.height - 1)
        half = max(1, self.size.height // 2)
        steps = {
            "down": 1, "up": -1, "half_down": half, "half_up": -half, "page_down": page, "page_up": -page,
            "top": -self.count, "bottom": self.count,
        }  # fmt: skip
        self.go(self.cursor + steps[by])

    def _follow(self) -> bool:
        """Scroll so that the cursor is in view; whether anything scrolled."""
        top, height = round(self.scroll_y), self.size.height
        y = min(max(top, self.cursor - height + 1), self.cursor)
        y = max(0, min(y, self.count - height))
        if height <= 0 or y == top:
            return False
        self.scroll_to(y=y, animate=False)
        return True

    def render_line(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        width = self.scrollable_content_region.width
        if index >= self.count:
            why = self._why[index] if not self.count and index < len(self._why) else ()
            return self.paint(why, width)
        parts, base = self.parts(index, width), self.rich_style
        if index != self.cursor:
            return self.paint(parts, width, base)
        if not self.led:
            return self.paint(parts, width, base + self.look("resting"))
        # Grey is hard to read on the ground of the cursor.
        parts = [(text, "" if look == "dim" else look) for text, look in parts]
        return self.paint(parts, width, base + self.look("cursor"))

    def on_resize(self) -> None:
        self.hold(self.count)
        self._follow()

    def on_click(self, event: events.Click) -> None:
        index = round(self.scroll_y) + event.y
        if 0 <= index < self.count:
            self.go(index)
            if event.chain == 2:
                self.post_message(self.Opened(self, index))

    def show_led(self) -> None:
        """Draw the cursor as one that the keys move now, or do not move any more."""
        self.refresh_line(self.cursor)
