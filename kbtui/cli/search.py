"""`kbtui search`: words in the contents of documents."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from itertools import islice
from typing import TYPE_CHECKING

from kbtui.cli import Item, positive, words
from kbtui.content import safe
from kbtui.rows import TYPES

if TYPE_CHECKING:
    from kbtui.answers import Answers
    from kbtui.models import Hit


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", type=words, metavar="WORD", help="what to look for")
    parser.add_argument(
        "-t", "--type", action="append", default=[], choices=TYPES, help="only these; may be repeated"
    )
    parser.add_argument("-n", "--most", type=positive, default=30, metavar="N", help="results; 30 by default")


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """A result a document, best first."""
    left = flags.most
    async for page, _ in answers.search(" ".join(flags.words), flags.type):
        for hit in islice(page, left):
            yield Item(hit.raw(), _text(hit))
        left -= len(page)
        if left <= 0:
            return


def _text(hit: Hit) -> str:
    """Score, type, id and name in a line, below it what was found, the words marked »so«."""
    document = hit.document
    line = "\t".join((f"{hit.score:.3f}", safe(document.type), safe(document.id), safe(document.name)))
    snippet = "".join(f"»{each.value}«" if each.is_hit else each.value for each in hit.search_snippet)
    return f"{line}\n    {safe(' '.join(snippet.split()))}" if snippet else line
