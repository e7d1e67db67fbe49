"""`kbtui cat`: the content of documents."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from kbtui.errors import Refused

if TYPE_CHECKING:
    from kbtui.answers import Answers


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("document", nargs="+", metavar="DOC", help="its id, name or path")


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[bytes]:
    """The bytes of each document as the service keeps them, one after the other."""
    for named in flags.document:
        document = await answers.find(named)
        if document.type == "folder":
            raise Refused(f"“{document.name}” is a folder: kbtui ls shows what is in it.")
        async with aclosing(answers.content(document.id)) as pieces:
            async for piece in pieces:
                yield piece.data
