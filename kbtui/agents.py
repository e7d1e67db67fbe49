"""Agents: which of them use a document, what each of them knows, and on which of its branches.

Nothing here asks: `answers.py` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kbtui.models import AgentBranch, Dependent, WholeAgent
    from kbtui.models import Branch as BranchOfDependent

MAIN = "Main"  # what the main branch is called where nobody says


class User(NamedTuple):
    """An agent that uses a document. Of one that may not be seen, the id is all that is told."""

    id: str
    name: str
    may_be_seen: bool
    direct: bool
    folders: tuple[str, ...]  # through these, by their ids
    branches: tuple[str, ...]  # the names of those on which it does, the main one first


class Branch(NamedTuple):
    """One branch of an agent."""

    id: str
    name: str
    main: bool


class Attached(NamedTuple):
    """A document or folder in the knowledge base of an agent."""

    id: str
    name: str  # as it was when it was attached
    type: str
    mode: str  # prompt (all of it, always), auto (what is retrieved of it), or a newer word


class Knowledge(NamedTuple):
    """The knowledge base of an agent, as its configuration has it; None is what that does not tell."""

    attached: tuple[Attached, ...] | None
    rag: bool | None
    model: str = ""  # under which its chunks are found; "" where it does not tell
    chunks: int | None = None  # that it is given for a question, at most
    distance: float | None = None  # of the vectors, from which on it is given none


def users(document: str, agents: Iterable[Dependent], branches: Iterable[BranchOfDependent]) -> list[User]:
    """The agents that use a document, each once, in the order of the service."""
    on: dict[str, dict[str, str]] = {}
    for each in sorted(branches, key=lambda branch: not branch.is_main):
        on.setdefault(each.agent_id, {})[each.branch_id] = each.branch_name or each.branch_id
    found: dict[str, User] = {}
    for agent in agents:
        referred = agent.referenced_resource_ids
        found[agent.id] = User(
            agent.id,
            agent.name,
            agent.type != "unknown",
            document in referred or not referred,
            tuple(id for id in referred if id != document),
            tuple(on.get(agent.id, {}).values()),
        )
    return list(found.values())


def branches(told: Sequence[AgentBranch]) -> list[Branch]:
    """The branches of an agent, the main one first; the contract names it by having no branch above it."""
    living = [each for each in told if each.id and not each.is_archived]
    first = [each for each in living if not each.parent_branch_id]
    main = first if len(first) == 1 else [each for each in living if each.name.casefold() == MAIN.casefold()]
    known = [Branch(each.id, each.name, each in main[:1]) for each in living]
    return sorted(known, key=lambda branch: not branch.main)


def knowledge(agent: WholeAgent) -> Knowledge:
    """What the configuration of an agent tells of its knowledge."""
    prompt = agent.conversation_config.agent.prompt
    told = prompt.knowledge_base
    attached = None if told is None else tuple(Attached(e.id, e.name, e.type, e.usage_mode) for e in told)
    rag = prompt.rag
    return Knowledge(
        attached,
        rag.enabled,
        rag.embedding_model,
        rag.max_retrieved_rag_chunks_count,
        rag.max_vector_distance,
    )
