"""`kbtui info`: everything that is known of a document."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from kbtui.cli import Item
from kbtui.cli.ls import moment
from kbtui.content import safe
from kbtui.index_states import is_pending
from kbtui.indexing import in_per_cent

if TYPE_CHECKING:
    from kbtui.agents import User
    from kbtui.answers import Answers
    from kbtui.models import Document, RagIndex


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("document", nargs="+", metavar="DOC", help="its id, name or path")


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """Facts, one a line; with --json the document alone, as the list has it."""
    for named in flags.document:
        document = await answers.find(named)
        if flags.json:
            yield Item(document.raw(), "")
            continue
        path = [*(await answers.paths([document]))[document.id], document.name]
        indexes = [] if document.type == "folder" else await answers.indexes(document.id)
        facts = [*_facts(document, "/".join(path)), *map(_index, indexes)]
        facts += map(_agent, await answers.agents_of(document.id))
        width = max(len(label) for label, _ in facts) + 2
        yield Item({}, "\n".join(f"{label:{width}}{safe(fact)}" for label, fact in facts if fact))


def _facts(document: Document, path: str) -> list[tuple[str, str]]:
    access, metadata = document.access_info, document.metadata
    inside = "" if document.children_count is None else str(document.children_count)
    return [
        ("name", document.name),
        ("path", path),
        ("id", document.id),
        ("type", document.type),
        ("url", document.url or ""),
        ("file", document.filename or ""),
        ("items inside", inside),
        ("size", "" if document.type == "folder" else f"{metadata.size_bytes} bytes"),
        ("created", moment(metadata.created_at_unix_secs)),
        ("updated", moment(metadata.last_updated_at_unix_secs)),
        ("owner", access.creator_name),
        ("your role", access.role),
        ("used as", ", ".join(document.supported_usages)),
    ]


def _index(index: RagIndex) -> tuple[str, str]:
    progress = in_per_cent(index) if is_pending(index) else ""
    return (
        "index",
        f"{index.model}: {index.status}{progress}, {index.document_model_index_usage.used_bytes} bytes",
    )


def _agent(agent: User) -> tuple[str, str]:
    through = "" if agent.direct else " through a folder"
    on = f", on {', '.join(agent.branches)}" if agent.branches else ""
    return "agent", f"{agent.name or 'one that you may not see'} ({agent.id}){through}{on}"
