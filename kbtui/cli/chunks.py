"""`kbtui chunks`: the pieces of a document that agents retrieve."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kbtui.answers import MODELS
from kbtui.cli import Item
from kbtui.content import safe
from kbtui.errors import NotFound

if TYPE_CHECKING:
    from kbtui.answers import Answers


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("document", metavar="DOC", help="its id, name or path")
    parser.add_argument(
        "-m", "--model", default="", metavar="MODEL", help="of the index; else the one that there is"
    )


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """The chunks of one index, in their order."""
    document = await answers.find(flags.document)
    model = flags.model or await _model(answers, document.id, document.name)
    number = 0
    async for page in answers.chunks(document.id, model):
        for chunk in page:
            number += 1
            head = f"# {number}  {safe(chunk.id)}  {len(chunk.content)} characters"
            yield Item(chunk.raw(), f"{head}\n{safe(chunk.content, newlines=True)}\n")


async def _model(answers: Answers, id: str, name: str) -> str:
    """The model of a finished index, that of most agents before others."""
    ready = [index.model for index in await answers.indexes(id) if index.status == "succeeded"]
    if not ready:
        raise NotFound(f"“{name}” has no index that is ready, so it has no chunks yet.")
    return min(ready, key=lambda model: (model not in MODELS[:1], model))
