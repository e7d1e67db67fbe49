"""Agents: who there is, and what one of them would find in its knowledge base for a question.

The demo has no embedding model: *semantic* ranks by TF-IDF (see `ranking`), and the answer says so in
the header `x-demo-ranking`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import ranking, words
from kbtui.demo.chunks import chunks
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
    invalid,
    not_permitted,
    query,
    route,
)
from kbtui.demo.shapes import Shapes
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
_LISTED = 100  # entries that `ls` shows
_KEYWORD_DOCUMENTS = 20  # documents that a keyword search looks into

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
    "updated_at": lambda row: (row["created"], row["id"]),
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
        "tags": json.loads(row["tags"]),
        "created_at_unix_secs": row["created"],
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


# Retrieval


class _RagQuery(Body):
    strategy: Literal["semantic", "keyword", "cat", "ls"] = "semantic"
    query: Name | None = None
    documents: list[str] | None = None
    use_agent_defaults: bool = True
    max_documents_length: Annotated[Whole, Field(ge=1, lt=10_000_000)] | None = None
    max_retrieved_rag_chunks_count: Annotated[Whole, Field(ge=1, le=20)] | None = None


class _Branch(Query):
    branch_id: str | None = None


async def rag_query(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = await body(request, _RagQuery)
    agent, branch = _branch(demo.store, request.path_params["agent_id"], query(request, _Branch).branch_id)
    reading = asked.strategy in ("cat", "ls")
    if not reading and asked.query is None:
        raise Invalid([{"type": "missing", "loc": ["body", "query"], "msg": "Field required"}])
    retrieval = _Retrieval(demo, branch, _settings(agent, asked))
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
    agent: Row | None = store.db.execute("select * from agents where id = ?", (id,)).fetchone()
    if agent is None:
        raise ApiError(404, "agent_not_found", f"Agent {id} not found.", param="agent_id")
    if agent["role"] is None:
        raise not_permitted(f"You have no access to agent {id}.")
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


class _Retrieval:
    """The knowledge base of one branch of an agent, and the four ways to look into it."""

    def __init__(self, demo: Demo, branch: str, settings: dict[str, Any]) -> None:
        self._store = demo.store
        self._shapes = Shapes(demo.store, demo.url)
        self._branch = branch
        self._settings = settings

    def semantic(self, question: str, only: list[str] | None) -> list[dict[str, Any]]:
        """Chunks of finished indexes by their distance, within the settings' limits."""
        passages = self._store.db.execute(
            "select chunks.id as chunk, chunks.text as text, documents.* from rag_indexes"
            " join documents using (n) join chunks on chunks.rag_index = rag_indexes.id"
            " where rag_indexes.model = ? and started + seconds <= ?"
            " and documents.id in (select value from json_each(?)) order by documents.n, chunks.position",
            (self._settings["embedding_model"], time.time(), self._scope(only)),
        ).fetchall()
        ranked = ranking.rank(question, [(row["text"], row["format"]) for row in passages])
        far = self._settings["max_vector_distance"]
        near = [(passages[place], distance) for place, distance in ranked if distance <= far]
        return self._cut([self._chunk(row, row["chunk"], row["text"], far) for row, far in near])

    def keyword(self, question: str, only: list[str] | None) -> list[dict[str, Any]]:
        """Passages of plain text that have the words, indexed or not; no distance is known."""
        quoted = [f'"{word}"' for word in words.spaced(question.replace('"', " ")).split()]
        quoted = [each for each in quoted if any(c.isalnum() for c in each)]
        if not quoted:
            return []
        rows = self._store.db.execute(
            "select documents.* from words join documents on documents.n = words.rowid where words match ?"
            " and documents.id in (select value from json_each(?)) order by bm25(words), documents.n limit ?",
            (" OR ".join(quoted), self._scope(only), _KEYWORD_DOCUMENTS),
        ).fetchall()
        model = self._settings["embedding_model"]
        passages = [
            (row, chunk)
            for row in rows
            for chunk in chunks(
                words.plain(self._store.text(row), row["format"]), "markdown", model, f"{row['id']} plain"
            )
        ]
        ranked = ranking.rank(question, [(chunk.text, "markdown") for _, chunk in passages])
        found = [passages[place] for place, _ in ranked]
        return self._cut(
            [
                {**self._chunk(row, chunk.id, chunk.text, None), "content_format": "markdown"}
                for row, chunk in found
            ]
        )

    def cat(self, only: list[str] | None) -> dict[str, Any] | None:
        """One document as the agent would read it, cut to the settings' length; raises 400."""
        row = self._one(only, "cat reads exactly one document.")
        if row is None or row["type"] == "folder":
            return None
        text = self._store.text(row)
        most = self._settings["max_documents_length"]
        return {**self._origin(row), "content": text[:most], "truncated": len(text) > most}

    def ls(self, only: list[str] | None) -> dict[str, Any] | None:
        """The entries of one folder, or all that is attached; raises 400."""
        if only:
            folder = self._one(only, "ls lists at most one folder.")
            if folder is None or folder["type"] != "folder":
                return None
            rows = self._store.children([folder["id"]])
        else:
            rows = self._rows("id in (select document from attachments where branch = ?)", (self._branch,))
        entries = [
            {"id": row["id"], "name": row["name"], "is_folder": row["type"] == "folder"} for row in rows
        ]
        entries.sort(key=lambda each: (not each["is_folder"], each["name"].casefold(), each["id"]))
        return {"entries": entries[:_LISTED], "total_count": len(entries)}

    def _scope(self, only: list[str] | None, modes: tuple[str, ...] = ("auto",)) -> str:
        """The ids that may be looked into, as JSON: what is attached and all below it, or a part of that.

        What is attached as `prompt` is read to the agent as a whole and so is no matter of retrieval.
        """
        attached = self._store.db.execute(
            "select document from attachments where branch = ?"
            " and usage_mode in (select value from json_each(?))",
            (self._branch, json.dumps(modes)),
        )
        scope = self._below([row["document"] for row in attached])
        if only is None:
            return scope
        named = json.dumps(only)
        condition = "id in (select value from json_each(?))"
        rows = self._rows(
            f"{condition} and ({condition} or name in (select value from json_each(?)))",
            (scope, named, named),
        )
        return self._below([row["id"] for row in rows])

    def _below(self, ids: list[str]) -> str:
        rows = self._store.db.execute(
            "with recursive used (id) as (select value from json_each(?)"
            " union select documents.id from documents join used on documents.parent = used.id)"
            " select id from used",
            (json.dumps(ids),),
        )
        return json.dumps([row["id"] for row in rows])

    def _one(self, only: list[str] | None, rule: str) -> Row | None:
        if not only or len(only) != 1:
            raise invalid(rule, "documents")
        scope = self._scope(only, ("auto", "prompt"))
        rows = self._rows(
            "id in (select value from json_each(?)) and (id = ? or name = ?)", (scope, *only, *only)
        )
        return min(rows, key=lambda row: row["id"] != only[0], default=None)

    def _rows(self, condition: str, values: tuple[Any, ...]) -> list[Row]:
        sql = f"select * from documents where {condition} order by n"
        return self._store.db.execute(sql, values).fetchall()

    def _cut(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As many as the settings allow, in number and in characters together."""
        kept: list[dict[str, Any]] = []
        left = self._settings["max_documents_length"]
        for chunk in found[: self._settings["max_retrieved_rag_chunks_count"]]:
            left -= len(chunk["text"])
            if left < 0:
                break
            kept.append(chunk)
        return kept

    def _chunk(self, row: Row, id: str, text: str, distance: float | None) -> dict[str, Any]:
        return {**self._origin(row), "chunk_id": id, "text": text, "vector_distance": distance}

    def _origin(self, row: Row) -> dict[str, Any]:
        return {
            "document_id": row["id"],
            "document_name": row["name"],
            "source_url": self._shapes.address(row) if row["type"] == "url" else None,
            "content_format": row["format"],
            "document_type": row["type"],
        }


routes = [
    route("GET", "/agents", agents),
    route("POST", "/agents/{agent_id}/knowledge-base/rag-query", rag_query),
]
