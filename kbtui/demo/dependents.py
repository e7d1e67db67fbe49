"""Which agents use a document, directly or through a folder above it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo.contract import Body, Ids, PageSize, Query, answer, body, query, route
from kbtui.demo.shapes import dependents
from kbtui.demo.store import Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo


class _Paging(Query):
    dependent_type: Literal["direct", "transitive", "all"] = "all"
    page_size: PageSize = 30
    cursor: str | None = None


class _Documents(Body):
    document_ids: Ids


async def of_document(request: Request) -> Response:
    return _page(request, [request.path_params["documentation_id"]], query(request, _Paging))


async def of_documents(request: Request) -> Response:
    asked = await body(request, _Documents)
    return _page(request, asked.document_ids, query(request, _Paging))


def _page(request: Request, ids: list[str], asked: _Paging) -> Response:
    demo: Demo = request.app.state.demo
    scope = f"dependents {asked.dependent_type} {sorted(ids)}"
    after = demo.cursors.open(asked.cursor, scope) if asked.cursor else ""
    used = _resources(demo.store, ids, asked.dependent_type)
    agents = [each for each in dependents(demo.store, used) if each["id"] > after]
    shown = agents[: asked.page_size]
    more = len(agents) > len(shown)
    return answer(
        {
            "agents": shown,
            "branches": _branches(demo.store, used, [each["id"] for each in shown]),
            "next_cursor": demo.cursors.seal(shown[-1]["id"], scope) if more else None,
            "has_more": more,
        }
    )


def _resources(store: Store, ids: list[str], kind: str) -> list[str]:
    """The documents themselves, the folders above them, or both; raises 404."""
    used: set[str] = set()
    for id in ids:
        row = store.document(id)
        if kind != "transitive":
            used.add(id)
        if kind != "direct":
            used.update(folder["id"] for folder in store.ancestors(row["parent"]))
    return sorted(used)


def _branches(store: Store, used: list[str], agents: list[str]) -> list[dict[str, Any]]:
    """The branches, of agents that may be seen, on which one of the resources is attached."""
    rows = store.db.execute(
        "select distinct agents.id as agent_id, agents.name as agent_name, branches.id as branch_id,"
        " branches.name as branch_name, branches.main as is_main"
        " from attachments join branches on branches.id = attachments.branch"
        " join agents on agents.id = branches.agent where agents.role is not null"
        " and attachments.document in (select value from json_each(?))"
        " and agents.id in (select value from json_each(?)) "
        " order by agents.id, branches.main desc, branches.id",
        (json.dumps(used), json.dumps(agents)),
    )
    return [{**dict(row), "is_main": bool(row["is_main"])} for row in rows]


routes = [
    route("POST", "/knowledge-base/dependent-agents", of_documents),
    route("GET", "/knowledge-base/{documentation_id}/dependent-agents", of_document),
]
