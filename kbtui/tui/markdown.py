"""Markdown as Rich lays it out, in the calm looks of kbtui; or its words alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.containers import Lines
from rich.markdown import (
    CodeBlock,
    Heading,
    HorizontalRule,
    Markdown,
    MarkdownContext,
    Paragraph,
    TableDataElement,
)
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from kbtui.content import safe

WIDE = 110  # cells of the widest row that wraps


GOES_ON = Style(meta={"goes on": True})  # of a row with which no line begins


class Wrapping(Text):
    """Words whose rows tell whether a line begins with them: all but the first of a line bear `GOES_ON`."""

    def wrap(self, console: Console, width: int, **how: Any) -> Lines:
        rows = Lines()
        for line in self.split(allow_blank=True):
            first, *rest = Text.wrap(line, console, width, **how)
            for row in rest:
                row.stylize(GOES_ON)
            rows.extend([first, *rest])
        return rows

    def copy(self) -> Wrapping:
        return Wrapping(self.plain, self.style, justify=self.justify, end=self.end, spans=[*self.spans])


def goes_on(row: Iterable[Segment]) -> bool:
    """Whether a row goes on with the line of the one above."""
    return any(segment.style is not None and segment.style.meta for segment in row)


class WrappingParagraph(Paragraph):
    """A paragraph; its breaks are ends of lines."""

    def on_enter(self, context: MarkdownContext) -> None:
        super().on_enter(context)
        self.text = Wrapping()


class WrappingCell(TableDataElement):
    """A cell of a table."""

    def __init__(self, justify: JustifyMethod) -> None:
        super().__init__(justify)
        self.content = Wrapping(justify=justify)


class LeftHeading(Heading):
    """A heading on the left, with its rank to be seen without colour."""

    def on_enter(self, context: MarkdownContext) -> None:
        super().on_enter(context)
        self.text = Wrapping()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        if self.tag in ("h1", "h2"):
            yield self.text
            yield Text(("━" if self.tag == "h1" else "─") * min(options.max_width, self.text.cell_len), "dim")
        else:
            yield self.text


class PlainCode(CodeBlock):
    """A block of code without highlighting or a background of its own."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Padding(Wrapping(str(self.text).rstrip(), "markdown.code_block"), (0, 0, 0, 2))


class ShortRule(HorizontalRule):
    """A line across the text, however far its longest row goes."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("─" * min(options.max_width, WIDE), "markdown.hr")


class Page(Markdown):
    """A parsed document; it yields its lines as they are asked for."""

    elements = {
        **Markdown.elements,
        "heading_open": LeftHeading,
        "paragraph_open": WrappingParagraph,
        "td_open": WrappingCell,
        "th_open": WrappingCell,
        "fence": PlainCode,
        "code_block": PlainCode,
        "html_block": PlainCode,
        "hr": ShortRule,
    }

    def __init__(self, text: str) -> None:
        super().__init__(text, hyperlinks=False)
        for token in self.parsed:
            _make_safe(token)


def _make_safe(token: Token) -> None:
    """Entities and escaped addresses are characters only now: `&#27;` is an escape."""
    token.content = safe(token.content, newlines=True)
    token.attrs = {name: safe(str(value)) for name, value in token.attrs.items()}
    for child in token.children or ():
        _make_safe(child)


# Words without mark-up


def plain_words(text: str) -> str:
    """The words of a Markdown text as a person reads them, display-safe.

    A paragraph, an item or a line of code is a line; the cells of a table have tabs between them. Numbers of
    items stay, for words may refer to them; where links lead is left out.
    """
    lines = "\n".join(_lines(MarkdownIt().enable(["strikethrough", "table"]).parse(text)))
    return safe(re.sub(r"\n{3,}", "\n\n", lines).strip("\n"), newlines=True)


def _lines(tokens: Iterable[Token]) -> Iterator[str]:
    """The lines of some tokens; an empty one stands behind what has a space below it."""
    number, cells = "", list[str]()
    for token in tokens:
        kind = token.type
        if kind == "list_item_open" and token.info:
            number = f"{token.info}{token.markup} "
        elif kind in ("th_open", "td_open"):
            cells.append("")
        elif kind == "inline" and cells:
            cells[-1] = _spoken(token)
        elif kind == "inline":
            yield number + _spoken(token)
            number = ""
        elif kind == "tr_close":
            yield "\t".join(cells)
            cells.clear()
        elif kind in ("fence", "code_block", "html_block"):
            content = token.content if kind != "html_block" else re.sub(r"<[^<>]*>", "", token.content)
            yield content.strip("\n") + "\n"
        elif (kind in _APART and not token.hidden) or (kind.endswith("_list_close") and not token.level):
            yield ""


_APART = ("paragraph_close", "heading_close", "table_close")


def _spoken(token: Token) -> str:
    """The words of a line."""
    said = ""
    for child in token.children or ():
        if child.type in ("text", "code_inline", "image"):
            said += child.content
        elif child.type in ("softbreak", "hardbreak") or child.content.lower().startswith("<br"):
            said += " "
    return " ".join(said.split())
