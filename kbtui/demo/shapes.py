"""Documents as the service shows them: the summary of lists, and the whole document."""

from __future__ import annotations

import json
from typing import Any

from kbtui.demo import auto_sync, generated
from kbtui.demo.store import ME, Row, Store, loads

COUNTED = 1001  # the service stops counting the documents of a folder past 1000
_PROMPT_CHARACTERS = 300_000  # what fits a prompt as a whole


class Shapes:
    """Draws documents for one answer, looking every folder and person up once."""

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._base = base
        self._folders: dict[str, Row] = {}
        self._people: dict[str, dict[str, str]] = {}

    def summary(self, row: Row) -> dict[str, Any]:
        """What lists, search and summaries show."""
        path = self._store.ancestors(row["parent"], self._folders)
        shape = self._common(row)
        shape["folder_path"] = [{"id": folder["id"]} for folder in path]
        shape["dependent_agents"] = dependents(self._store, [row["id"], *(folder["id"] for folder in path)])
        return shape

    def full(self, row: Row) -> dict[str, Any]:
        """What get, update and refresh answer: the body too, and names in the path."""
        path = self._store.ancestors(row["parent"], self._folders)
        shape = self._common(row)
        shape["folder_path"] = [{"id": folder["id"], "name": folder["name"]} for folder in path]
        if row["type"] == "folder":
            shape["active_sync_job"] = loads(row["sync_job"])
            return shape
        shape["extracted_inner_html"] = self._store.text(row)
        shape["content_format"] = row["format"]
        if row["type"] == "file":
            shape["filename"] = filename(row)
        return shape

    def address(self, row: Row) -> str:
        """Where the page of a url document is."""
        return str(row["url"] or generated.url(row["seed"], self._base))

    def _common(self, row: Row) -> dict[str, Any]:
        kind = row["type"]
        whole = kind != "folder" and row["size"] <= _PROMPT_CHARACTERS
        shape: dict[str, Any] = {
            "type": kind,
            "id": row["id"],
            "name": row["name"],
            "metadata": {
                "created_at_unix_secs": row["created"],
                "last_updated_at_unix_secs": row["updated"],
                "size_bytes": row["size"],
            },
            "supported_usages": ["prompt", "auto"] if whole else ["auto"],
            "access_info": self._access(row),
            "folder_parent_id": row["parent"],
        }
        if kind == "url":
            shape["url"] = self.address(row)
        if kind == "folder":
            shape["children_count"] = self._count_children(row["id"])
            shape["document_count"] = self._count_documents(row["id"])
        if kind != "text":
            shape["auto_sync_info"] = auto_sync.of(row)
        if kind in ("file", "folder"):
            shape["external_sync_info"] = loads(row["external_sync"])
            shape["is_frozen"] = bool(row["frozen"])
        if kind == "file":
            shape["refresh_status"] = loads(row["refresh_status"])
        return shape

    def _access(self, row: Row) -> dict[str, Any]:
        creator = row["creator"]
        if creator not in self._people:
            found = self._store.db.execute(
                "select name, email from users where id = ?", (creator,)
            ).fetchone()
            self._people[creator] = dict(found) if found else {"name": "", "email": ""}
        person = self._people[creator]
        mine = creator == ME
        return {
            "is_creator": mine,
            "creator_name": person["name"],
            "creator_email": person["email"],
            "role": row["role"],
            "anonymous_access_level_override": None,
            "access_source": "creator" if mine else "explicit",
        }

    def _count_children(self, folder: str) -> int:
        found = self._store.db.execute(
            "select count(*) from documents where parent = ?", (folder,)
        ).fetchone()
        return int(found[0])

    def _count_documents(self, folder: str) -> int:
        found = self._store.db.execute(
            "with recursive below (id) as (values (?) union all select documents.id from documents"
            " join below on documents.parent = below.id and documents.type = 'folder')"
            " select count(*) from (select 1 from below join documents on documents.parent = below.id"
            " where documents.type in ('file', 'text', 'url') limit ?)",
            (folder, COUNTED),
        ).fetchone()
        return int(found[0])


def filename(row: Row) -> str:
    """The name under which a file document was uploaded."""
    return str(row["filename"] or generated.filename(row["seed"]))


def dependents(store: Store, used: list[str]) -> list[dict[str, Any]]:
    """The agents to which one of these documents or folders is attached, by id."""
    rows = store.db.execute(
        "select agents.id, agents.name, agents.created, agents.role,"
        " json_group_array(distinct attachments.document) as used"
        " from attachments join branches on branches.id = attachments.branch"
        " join agents on agents.id = branches.agent"
        " where attachments.document in (select value from json_each(?))"
        " group by agents.id order by agents.id",
        (json.dumps(used),),
    )
    return [agent(row) for row in rows]


def agent(row: Row) -> dict[str, Any]:
    """One dependent agent; one that the key may not see shows its id alone."""
    used = sorted(json.loads(row["used"]))
    if row["role"] is None:
        return {"type": "unknown", "id": row["id"], "referenced_resource_ids": used}
    return {
        "type": "available",
        "id": row["id"],
        "name": row["name"],
        "created_at_unix_secs": row["created"],
        "access_level": row["role"],
        "referenced_resource_ids": used,
    }
