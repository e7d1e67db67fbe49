"""What goes to the terminal, where Textual needs help: part of a line goes without what stands before it."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual import _compositor
from textual._compositor import ChopsUpdate
from textual.strip import Strip


class Update(ChopsUpdate):
    """A repaint of some spans of lines. Textual's begins each at the left edge of the widget."""

    def render_segments(self, console: Console) -> str:
        sent: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                x, strip = _without(strip.crop(0, min(end, right) - x), x, left)
                sent += [Control.move_to(x, y).segment.text, strip.render(console)]
        return "".join(sent)


def _without(strip: Strip, x: int, left: int) -> tuple[int, Strip]:
    """The strip from the piece on that reaches column `left`, and its column; no character is split."""
    pieces = list(strip)
    while pieces and x + pieces[0].cell_length <= left:
        x += pieces.pop(0).cell_length
    return x, Strip(pieces)


def install() -> None:
    """Have Textual send repaints this way."""
    assert hasattr(_compositor, "ChopsUpdate"), "Textual repaints in another way now"
    _compositor.ChopsUpdate = Update  # type: ignore[misc]
