"""The document view: the text of a document, rendered or as its source, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kbtui.tui.widgets.line import Painter, Part

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SLICE = 4_000  # characters rendered before the keys get a turn
Row = list[Segment]


class DocumentView(Painter, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of text that scroll. What they say is worked out by `lay_…`, a slice at a time."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []

    def say(self, lines: Iterable[Sequence[Part]]) -> None:
        """Replace everything by lines of our own words."""
        self._rows = [[Segment(text, self.look(look)) for text, look in line] for line in lines]
        self._changed(top=True)

    async def show_source(self, text: str, *, keep_place: bool = False) -> None:
        """Replace everything by `text` as it is, wrapped; `text` is display-safe."""
        await self._fill(self._source(text), keep_place)

    async def show_markdown(self, text: str, *, keep_place: bool = False) -> None:
        """Replace everything by `text` rendered as Markdown; `text` is display-safe."""
        await self._fill(self._markdown(text), keep_place)

    def move(self, by: str) -> None:
        """Scroll as a `move.…` command says."""
        page = max(1, self.size.height - 1)
        half = max(1, self.size.height // 2)
        steps = {
            "down": 1, "up": -1, "half_down": half, "half_up": -half, "page_down": page, "page_up": -page,
            "top": -len(self._rows), "bottom": len(self._rows),
        }  # fmt: skip
        self.scroll_to(y=self.scroll_y + steps[by], animate=False)

    @property
    def text(self) -> str:
        """Everything it shows, as plain text."""
        return "\n".join("".join(segment.text for segment in row).rstrip() for row in self._rows)

    def render_line(self, y: int) -> Strip:
        index = round(self.scroll_y) + y
        width, base = self.size.width, self.rich_style
        if index >= len(self._rows):
            return Strip.blank(width, base)
        segments = [Segment(text, base + style if style else base) for text, style, _ in self._rows[index]]
        return Strip(segments).adjust_cell_length(width, base)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows))

    async def _fill(self, slices: AsyncIterator[list[Row]], keep_place: bool) -> None:
        """Show the first slice at once and the rest as it comes; with `keep_place`, all of it at the end."""
        rows: list[Row] = []
        first = True
        async for more in slices:
            rows += more
            if first and not keep_place:
                self._rows = list(rows)
                self._changed(top=True)
            first = False
        self._rows = rows
        self._changed(top=first and not keep_place)

    def _changed(self, *, top: bool) -> None:
        if top:
            self.scroll_to(y=0, animate=False)
        size = Size(self.size.width, len(self._rows))
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    async def _source(self, text: str) -> AsyncIterator[list[Row]]:
        from rich.text import Text

        console = self._typesetter()
        width = self._width
        for slice_ in _slices(text.splitlines()):
            rows: list[Row] = []
            for line in slice_:
                wrapped = Text(line).wrap(console, width, no_wrap=False, tab_size=4)
                rows += [[Segment(" " + part.plain.rstrip())] for part in wrapped] or [[]]
            yield rows
            await asyncio.sleep(0)

    async def _markdown(self, text: str) -> AsyncIterator[list[Row]]:
        from kbtui.tui.markdown import blocks

        console = self._typesetter()
        options = console.options.update(width=self._width)
        for block in await asyncio.to_thread(lambda: list(blocks(text, SLICE))):
            yield [[Segment(" "), *line] for line in self._lay(console, block, options)]
            await asyncio.sleep(0)

    @staticmethod
    def _lay(console: Console, block: RenderableType, options: object) -> list[Row]:
        lines = console.render_lines(block, options, pad=False)  # type: ignore[arg-type]
        return [[segment for segment in line if not segment.control] for line in lines]

    @property
    def _width(self) -> int:
        return max(10, min(self.size.width, 110) - 2)

    def _typesetter(self) -> Console:
        """A console that only measures and lays out, in the looks of the style sheet."""
        from rich.console import Console
        from rich.theme import Theme

        heading = self.look("heading")
        code = self.look("code")
        looks = {
            **{f"markdown.h{level}": heading for level in range(1, 8)},
            "markdown.code": code,
            "markdown.code_block": code,
            "markdown.link": self.look("link"),
            "markdown.link_url": self.look("dim"),
            "markdown.block_quote": self.look("dim"),
            "markdown.hr": self.look("dim"),
            "markdown.item.bullet": self.look("key"),
            "markdown.item.number": self.look("key"),
            "markdown.table.border": self.look("dim"),
            "markdown.table.header": self.look("strong"),
            "markdown.strong": Style(bold=True),
            "markdown.em": Style(italic=True),
        }
        return Console(
            file=StringIO(),
            width=self._width,
            color_system="truecolor",
            theme=Theme(looks),
            legacy_windows=False,
        )


def _slices(lines: list[str]) -> Iterable[list[str]]:
    """`lines` in groups of about SLICE characters."""
    group: list[str] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line) + 1
        if size >= SLICE:
            yield group
            group, size = [], 0
    if group:
        yield group
