"""Documents as the service tells of them, and a look at what a mirror shows."""

from __future__ import annotations

from typing import Any

from kbtui.mirror import Mirror
from kbtui.rows import ROOT, View


def document(
    id: str, name: str = "", *, type: str = "text", updated: int = 1, **fields: Any
) -> dict[str, Any]:
    """A summary as the service sends it."""
    return {
        "type": type,
        "id": id,
        "name": name or id,
        "metadata": {
            "created_at_unix_secs": fields.pop("created", 1),
            "last_updated_at_unix_secs": updated,
            "size_bytes": fields.pop("size", 10),
        },
        "supported_usages": ["prompt", "auto"],
        "access_info": {
            "is_creator": True,
            "creator_name": "A",
            "creator_email": "a@example.com",
            "role": "admin",
        },
        "folder_parent_id": fields.pop("parent", None),
        "dependent_agents": [],
        **fields,
    }


def folder(id: str, name: str = "", *, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    return document(
        id, name, type="folder", parent=parent, **{"children_count": 0, "document_count": 0, **fields}
    )


def fill(mirror: Mirror, *documents: dict[str, Any]) -> int:
    """Stores documents under a ticket of their own, and gives it."""
    ticket = mirror.ticket()
    mirror.store(documents, ticket)
    return ticket


def shown(mirror: Mirror, scope: str = ROOT, **view: Any) -> list[str]:
    listing = mirror.listing(View(scope, **view))
    return [row.id for row in mirror.window(listing, 0, len(listing))]
