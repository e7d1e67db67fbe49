"""Scrolling without laying out the screen anew: what all that scrolls here has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.geometry import Size
from textual.reactive import Reactive
from textual.scrollbar import ScrollBarRender

if TYPE_CHECKING:
    from textual.scroll_view import ScrollView as Base
else:
    Base = object

BLACK, WHITE = Color.parse("black"), Color.parse("white")


class Bar(ScrollBarRender):
    """A scroll bar in whole cells, and none where everything is in view: it changes seldom.

    Its look is that of a line between two panes; Textual's reverse video would be one more.
    """

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = BLACK,
        bar_color: Color = WHITE,
    ) -> Segments:
        beyond = virtual_size - window_size if window_size else 0  # it is 0 where everything is in view
        length = max(1, round(size * window_size / virtual_size)) if beyond > 0 else 0
        start = round((size - length) * position / beyond) if beyond > 0 else size
        above, thumb, below = (
            Segment(glyph * thickness, Style(color=bar_color, bgcolor=back_color, meta={"@mouse.down": does}))
            for glyph, does in ((" ", "scroll_up"), ("█", "grab"), (" ", "scroll_down"))
        )
        return Segments(
            [above] * start + [thumb] * length + [below] * (size - start - length), new_lines=vertical
        )


class Scrolling(Base):
    """Lines whose number may change with every key; mixed into a scroll view."""

    virtual_size = Reactive(Size(0, 0))  # Textual's asks for a layout

    def on_mount(self) -> None:
        self.vertical_scrollbar.renderer = Bar  # type: ignore[misc]

    def watch_virtual_size(self, size: Size) -> None:
        self.vertical_scrollbar.window_virtual_size = size.height
        self.vertical_scrollbar.window_size = self.size.height
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def hold(self, lines: int) -> None:
        """There are so many lines now."""
        self.virtual_size = Size(self.size.width, lines)
