"""Agents: who there is, what one knows and how much, and what it would find there for a question.

The published contract of the knowledge base ends before one agent and its branches: those two are as the
official SDK 2.78.0 has them, cut down to what bears on knowledge.

The demo has no embedding model: *semantic* ranks by TF-IDF (see `ranking`), and the answer says so in
the header `x-demo-ranking`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo.contract import (
    ApiError,
    Body,
    Invalid,
    Name,
    PageSize,
    Query,
    Whole,
    answer,
    body,
    not_permitted,
    query,
    route,
)
from kbtui.demo.retrieval import Retrieval
from kbtui.demo.store import ME, Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

# What the service takes where an agent's `rag` says nothing.
DEFAULTS: dict[str, Any] = {
    "embedding_model": "e5_mistral_7b_instruct",
    "max_vector_distance": 0.6,
    "max_documents_length": 50_000,
    "max_retrieved_rag_chunks_count": 20,
}

_PAGE_BYTES = 3000  # what counts as a page of print

# The list


class _Agents(Query):
    page_size: PageSize = 30
    search: str | None = None
    archived: bool | None = False
    show_only_owned_agents: bool = False
    created_by_user_id: str | None = None
    tags: list[str] | None = None
    sort_direction: Literal["asc", "desc"] = "desc"
    sort_by: Literal["name", "created_at", "updated_at", "call_count_7d"] | None = None
    cursor: str | None = None


_KEYS: dict[str, Callable[[Row], tuple[Any, str]]] = {
    "name": lambda row: (row["name"].casefold(), row["id"]),
    "created_at": lambda row: (row["created"], row["id"]),
    "updated_at": lambda row: (row["updated"], row["id"]),
    "call_count_7d": lambda row: (row["last_call"] or 0, row["id"]),
}


async def agents(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = query(request, _Agents)
    scope = f"agents {asked.model_dump_json(exclude={'cursor', 'page_size'})}"
    first = demo.cursors.open(asked.cursor, scope) if asked.cursor else 0
    rows = [row for row in _seen(demo.store) if _wanted(row, asked)]
    rows.sort(key=_KEYS[asked.sort_by or "created_at"], reverse=asked.sort_direction == "desc")
    shown = rows[first : first + asked.page_size]
    more = len(rows) > first + len(shown)
    return answer(
        {
            "agents": [_summary(row) for row in shown],
            "next_cursor": demo.cursors.seal(first + len(shown), scope) if more else None,
            "has_more": more,
        }
    )


def _seen(store: Store) -> list[Row]:
    """The agents that the person behind the key may see."""
    return store.db.execute(
        "select agents.*, users.name as creator_name, users.email as creator_email"
        " from agents join users on users.id = agents.creator where agents.role is not null"
    ).fetchall()


def _wanted(row: Row, asked: _Agents) -> bool:
    creator = asked.created_by_user_id or ("@me" if asked.show_only_owned_agents else "")
    return (
        (asked.search or "").casefold() in row["name"].casefold()
        and (asked.archived is None or bool(row["archived"]) == asked.archived)
        and (not creator or row["creator"] == (ME if creator == "@me" else creator))
        and (not asked.tags or not set(asked.tags).isdisjoint(json.loads(row["tags"])))
    )


def _summary(row: Row) -> dict[str, Any]:
    mine = row["creator"] == ME
    return {
        "agent_id": row["id"],
        "name": row["name"],
        "voice_id": row["voice"],
        "tags": json.loads(row["tags"]),
        "created_at_unix_secs": row["created"],
        "updated_at_unix_secs": row["updated"],
        "access_info": {
            "is_creator": mine,
            "creator_name": row["creator_name"],
            "creator_email": row["creator_email"],
            "role": row["role"],
            "anonymous_access_level_override": None,
            "access_source": "creator" if mine else "explicit",
        },
        "last_call_time_unix_secs": row["last_call"],
        "archived": bool(row["archived"]),
    }


def _agent(store: Store, id: str) -> Row:
    """The agent; raises 404, or 403 where the person behind the key may not see it."""
    agent: Row | None = store.db.execute("select * from agents where id = ?", (id,)).fetchone()
    if agent is None:
        raise ApiError(404, "agent_not_found", f"Agent {id} not found.", param="agent_id")
    if agent["role"] is None:
        raise not_permitted(f"You have no access to agent {id}.")
    return agent


# One agent


class _Branch(Query):
    branch_id: str | None = None


async def one(request: Request) -> Response:
    """The agent as one of its branches has it."""
    store: Store = request.app.state.demo.store
    agent, branch = _branch(store, request.path_params["agent_id"], query(request, _Branch).branch_id)
    attached = store.db.execute(
        "select documents.type, documents.name, documents.id, usage_mode from attachments"
        " join documents on documents.id = attachments.document where branch = ? order by documents.n",
        (branch,),
    )
    prompt = {
        "knowledge_base": [dict(row) for row in attached],
        "rag": {**DEFAULTS, "enabled": False, **json.loads(agent["rag"])},
    }
    return answer(
        {
            "agent_id": agent["id"],
            "name": agent["name"],
            "conversation_config": {"agent": {"prompt": prompt}},
            "metadata": {
                "created_at_unix_secs": agent["created"],
                "updated_at_unix_secs": agent["updated"],
            },
            "tags": json.loads(agent["tags"]),
            "branch_id": branch,
            "main_branch_id": _branch(store, agent["id"], None)[1],
        }
    )


async def branches(request: Request) -> Response:
    store: Store = request.app.state.demo.store
    agent = _agent(store, request.path_params["agent_id"])
    rows = store.db.execute(
        "select id, name, main from branches where agent = ? order by main desc, name", (agent["id"],)
    ).fetchall()
    (main,) = [row["id"] for row in rows if row["main"]]
    results = [
        {
            "id": row["id"],
            "name": row["name"],
            "agent_id": agent["id"],
            "description": "",
            "created_at": agent["created"],
            "last_committed_at": agent["updated"],
            "is_archived": False,
            "parent_branch_id": None if row["main"] else main,
        }
        for row in rows
    ]
    return answer({"meta": {"total": len(rows), "page": 1, "page_size": len(rows)}, "results": results})


async def size(request: Request) -> Response:
    """How many pages of print the agent's main branch refers to."""
    store: Store = request.app.state.demo.store
    agent = _agent(store, request.path_params["agent_id"])
    found = store.db.execute(
        "with recursive used (id) as (select document from attachments join branches"
        " on branches.id = attachments.branch where branches.agent = ? and branches.main"
        " union select documents.id from documents join used on documents.parent = used.id)"
        " select coalesce(sum(size), 0) from documents where id in (select id from used)",
        (agent["id"],),
    ).fetchone()
    return answer({"number_of_pages": round(found[0] / _PAGE_BYTES, 1)})


# Retrieval


class _RagQuery(Body):
    strategy: Literal["semantic", "keyword", "cat", "ls"] = "semantic"
    query: Name | None = None
    documents: list[str] | None = None
    use_agent_defaults: bool = True
    max_documents_length: Annotated[Whole, Field(ge=1, lt=10_000_000)] | None = None
    max_retrieved_rag_chunks_count: Annotated[Whole, Field(ge=1, le=20)] | None = None


async def rag_query(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _RagQuery)
    agent, branch = _branch(demo.store, request.path_params["agent_id"], query(request, _Branch).branch_id)
    reading = asked.strategy in ("cat", "ls")
    if not reading and asked.query is None:
        raise Invalid([{"type": "missing", "loc": ["body", "query"], "msg": "Field required"}])
    retrieval = Retrieval(demo, branch, _settings(agent, asked))
    reply: dict[str, Any] = {
        "strategy": asked.strategy,
        "retrieval_query": None if reading else asked.query,
        "chunks": [],
        "document": None,
        "listing": None,
    }
    if asked.strategy == "semantic":
        reply["chunks"] = retrieval.semantic(asked.query or "", asked.documents)
    elif asked.strategy == "keyword":
        reply["chunks"] = retrieval.keyword(asked.query or "", asked.documents)
    elif asked.strategy == "cat":
        reply["document"] = retrieval.cat(asked.documents)
    else:
        reply["listing"] = retrieval.ls(asked.documents)
    response = answer(reply)
    response.headers["x-demo-ranking"] = "tf-idf"
    return response


def _branch(store: Store, id: str, branch: str | None) -> tuple[Row, str]:
    """The agent and the id of the branch asked for, or its main one; raises 404 or 403."""
    agent = _agent(store, id)
    found = store.db.execute(
        "select id from branches where agent = ? and (id = ? or (? is null and main))", (id, branch, branch)
    ).fetchone()
    if found is None:
        raise ApiError(404, "agent_not_found", f"Agent {id} has no branch {branch}.", param="branch_id")
    return agent, str(found["id"])


def _settings(agent: Row, asked: _RagQuery) -> dict[str, Any]:
    """The agent's own settings or neutral ones, always with its model, then what the question overrides."""
    own = json.loads(agent["rag"])
    model = own.get("embedding_model", DEFAULTS["embedding_model"])
    chosen = {**DEFAULTS, **(own if asked.use_agent_defaults else {}), "embedding_model": model}
    for name in ("max_documents_length", "max_retrieved_rag_chunks_count"):
        if (limit := getattr(asked, name)) is not None:
            chosen[name] = limit
    return chosen


routes = [
    route("GET", "/agents", agents),
    route("GET", "/agents/{agent_id}", one),
    route("GET", "/agents/{agent_id}/branches", branches),
    route("GET", "/agent/{agent_id}/knowledge-base/size", size),
    route("POST", "/agents/{agent_id}/knowledge-base/rag-query", rag_query),
]
