"""How a text becomes rows: rendered as Markdown, or as it is; as wide as the view, or as its lines are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style

from kbtui.tui.widgets.chunked_text import TAB, broken
from kbtui.tui.widgets.hits import Row

if TYPE_CHECKING:
    from rich.console import Console

UNBROKEN = 4_000  # cells of a row where lines are not wrapped; a body of HTML may be one line of a megabyte
DIGITS = 5  # of the number of a rendered line: how many there will be is not known


class Laid(NamedTuple):
    """A row, and the number of the line that begins with it, counted from 1; 0 where one goes on."""

    row: Row
    line: int


class Words(NamedTuple):
    """A text, and what lays it out; the numbers of its lines have so many digits."""

    text: str
    lay: Callable[[str, Console], Iterator[Laid]]
    digits: int


def as_source(text: str) -> Words:
    """A text to be laid out as it is."""
    text = text.removesuffix("\n")
    return Words(text, _source, max(3, len(str(text.count("\n") + 1))))


def as_markdown(text: str) -> Words:
    """A text to be rendered."""
    return Words(text, _markdown, DIGITS)


def _source(text: str, console: Console) -> Iterator[Laid]:
    line, fresh = 0, 0  # where the next line begins
    for begin, end in broken(text, console.width):
        begins = begin == fresh
        if begins:
            line += 1
            stop = text.find("\n", begin)
            fresh = len(text) + 1 if stop < 0 else stop + 1
        shown = text[begin:end].rstrip().replace("\t", " " * TAB)
        yield Laid([Segment(" "), Segment(shown)], line if begins else 0)


def _markdown(text: str, console: Console) -> Iterator[Laid]:
    from kbtui.tui.markdown import Page, goes_on

    number = 0
    segments = console.render(Page(text))
    lines = Segment.split_and_crop_lines(segments, console.width, include_new_lines=False, pad=False)
    for line in lines:
        row = [segment for segment in line if not segment.control]
        if row:  # paragraphs are filled up with spaces
            row[-1] = row[-1]._replace(text=row[-1].text.rstrip())
        begins = not goes_on(row)
        number += begins
        yield Laid([Segment(" "), *row], number if begins else 0)


def typesetter(width: int, look: Callable[[str], Style]) -> Console:
    """A console that only measures and lays out, in the looks of the style sheet."""
    from rich.console import Console
    from rich.theme import Theme

    heading = look("heading")
    code = look("code")
    looks = {
        **{f"markdown.h{level}": heading for level in range(1, 8)},
        "markdown.code": code,
        "markdown.code_block": code,
        "markdown.link": look("link"),
        "markdown.link_url": look("dim"),
        "markdown.block_quote": look("dim"),
        "markdown.hr": look("dim"),
        "markdown.item.bullet": look("key"),
        "markdown.item.number": look("key"),
        "markdown.table.border": look("dim"),
        "markdown.table.header": look("strong"),
        "markdown.strong": Style(bold=True),
        "markdown.em": Style(italic=True),
    }
    return Console(
        file=StringIO(),
        width=width,
        color_system="truecolor",
        theme=Theme(looks),
        legacy_windows=False,
    )
