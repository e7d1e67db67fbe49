"""Markdown as Rich lays it out, in the calm looks of kbtui."""

from __future__ import annotations

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.padding import Padding
from rich.text import Text

from kbtui.content import safe


class LeftHeading(Heading):
    """A heading on the left, with its rank to be seen without colour."""

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
        yield Padding(Text(str(self.text).rstrip(), style="markdown.code_block"), (0, 0, 0, 2))


class Page(Markdown):
    """A parsed document; it yields its lines as they are asked for."""

    elements = {
        **Markdown.elements,
        "heading_open": LeftHeading,
        "fence": PlainCode,
        "code_block": PlainCode,
        "html_block": PlainCode,
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
