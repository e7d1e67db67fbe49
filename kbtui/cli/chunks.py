"""`kbtui chunks`: the pieces of a document that agents retrieve."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kbtui.answers import MODELS
from kbtui.cli import Item
from kbtui.content import safe
from kbtui.errors import NotFound
from kbtui.placing import Passages, Place

if TYPE_CHECKING:
    from kbtui.answers import Answers
    from kbtui.models import Chunk


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("document", metavar="DOC", help="its id, name or path")
    parser.add_argument(
        "-m", "--model", default="", metavar="MODEL", help="of the index; else the one that there is"
    )
    parser.add_argument(
        "-p", "--places", action="store_true", help="tell where in the content each stands (not with --json)"
    )


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """The chunks of one index, in their order."""
    document = await answers.find(flags.document)
    model = flags.model or await _model(answers, document.id, document.name)
    if flags.places and not flags.json:
        chunks = [chunk async for page in answers.chunks(document.id, model) for chunk in page]
        places = await _places(answers, document.id, [chunk.content for chunk in chunks])
        for number, (chunk, place) in enumerate(zip(chunks, places, strict=True), 1):
            yield _item(number, chunk, f"  {place}")
        return
    number = 0
    async for page in answers.chunks(document.id, model):
        for chunk in page:
            number += 1
            yield _item(number, chunk)


def _item(number: int, chunk: Chunk, place: str = "") -> Item:
    head = f"# {number}  {safe(chunk.id)}  {len(chunk.content)} characters{place}"
    return Item(chunk.raw(), f"{head}\n{safe(chunk.content, newlines=True)}\n")


async def _places(answers: Answers, id: str, chunks: list[str]) -> list[str]:
    """In words, where each chunk stands in the content; characters and lines count from 1."""
    text = b"".join([piece.data async for piece in answers.content(id)]).decode("utf-8", "replace")
    return [_in_words(text, place) for place in Passages(text).place(chunks)]


def _in_words(text: str, place: Place | None) -> str:
    if place is None:
        return "not found in the content"
    first, last = text.count("\n", 0, place.start) + 1, text.count("\n", 0, place.end) + 1
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    part = f", {100 * place.share:.0f} % of its words" if place.share < 1 else ""
    doubt = ", or another place with the same words" if place.several else ""
    return f"at {place.start + 1} to {place.end}, {lines}{part}{doubt}"


async def _model(answers: Answers, id: str, name: str) -> str:
    """The model of a finished index, that of most agents before others."""
    ready = [index.model for index in await answers.indexes(id) if index.status == "succeeded"]
    if not ready:
        raise NotFound(f"“{name}” has no index that is ready, so it has no chunks yet.")
    return min(ready, key=lambda model: (model not in MODELS[:1], model))
