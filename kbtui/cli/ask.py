"""`kbtui ask`: what an agent would retrieve for a question."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kbtui.cli import Item, words
from kbtui.content import safe

if TYPE_CHECKING:
    from kbtui.answers import Answers


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("agent", metavar="AGENT", help="its id or name")
    parser.add_argument(
        "question", nargs="+", type=words, metavar="WORD", help="the question, as a caller asks it"
    )
    parser.add_argument("-b", "--branch", metavar="ID", help="a branch of the agent; else the main one")
    parser.add_argument("--keyword", action="store_true", help="by words instead of by meaning")
    parser.add_argument("--neutral", action="store_true", help="without the agent's own settings")


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """The chunks, nearest first. No conversation comes of it."""
    agent = await answers.find_agent(flags.agent)
    found = await answers.ask(
        agent.agent_id,
        " ".join(flags.question),
        branch=flags.branch,
        strategy="keyword" if flags.keyword else "semantic",
        as_set=not flags.neutral,
    )
    for number, chunk in enumerate(found.chunks, 1):
        far = "" if chunk.vector_distance is None else f"  distance {chunk.vector_distance:.3f}"
        head = (
            f"# {number}{far}  {safe(chunk.document_name)}  {safe(chunk.document_id)}/{safe(chunk.chunk_id)}"
        )
        yield Item(chunk.raw(), f"{head}\n{safe(chunk.text, newlines=True)}\n")
