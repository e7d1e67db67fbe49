"""Markdown as Rich lays it out, in the calm looks of kbtui, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator

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


class Block(Markdown):
    """Some top-level blocks of a parsed document."""

    elements = {
        **Markdown.elements,
        "heading_open": LeftHeading,
        "fence": PlainCode,
        "code_block": PlainCode,
    }

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = tokens


def blocks(text: str, size: int) -> Iterator[Block]:
    """`text` parsed once and cut between top-level blocks into pieces of about `size` characters."""
    tokens: list[Token] = []
    weight = depth = 0
    for token in Markdown(text, hyperlinks=False).parsed:
        tokens.append(token)
        depth += token.nesting
        _make_safe(token)
        weight += len(token.content)
        if depth == 0 and weight >= size:
            yield Block(tokens)
            tokens, weight = [], 0
    if tokens:
        yield Block(tokens)


def _make_safe(token: Token) -> None:
    """Entities and escaped addresses are characters only now: `&#27;` is an escape."""
    token.content = safe(token.content, newlines=True)
    token.attrs = {name: safe(str(value)) for name, value in token.attrs.items()}
    for child in token.children or ():
        _make_safe(child)
