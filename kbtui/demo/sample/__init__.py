"""Solvane, a company that does not exist: the documents, people and agents that the demo begins with.

`manifest.json` names them, in the tree where they lie; the texts are files beside it. Ids are a function of
the place in the tree, so they are the same at every start. Times are ages, so it never looks abandoned.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from kbtui.demo import auto_sync, index, pages
from kbtui.demo.agents import DEFAULTS
from kbtui.demo.extract import cleaned
from kbtui.demo.store import ME, SITE, Row, Store

FOLDER = Path(__file__).parent
_DAY = 86_400
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def load(store: Store, now: int) -> None:
    """Fill an empty store; `now` in Unix seconds is when the demo begins."""
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    for id, (name, email) in manifest["people"].items():
        store.db.execute("insert into users (id, name, email) values (?, ?, ?)", (id, name, email))
    failing = _grow(store, manifest["tree"], "", None, now)
    for agent in manifest["agents"]:
        _hire(store, agent, now)
        _index(store, agent, failing, now)


def id_of(path: str) -> str:
    """The id of what lies at a path of names ("Support/Billing/Payment methods"), or of an agent's name."""
    number = int.from_bytes(blake2b(path.encode(), digest_size=16).digest())
    letters = []
    for _ in range(20):
        number, place = divmod(number, 62)
        letters.append(_LETTERS[place])
    return "".join(letters)


def _grow(store: Store, entries: list[dict[str, Any]], above: str, parent: str | None, now: int) -> set[str]:
    """Add entries and what is in them; returns the ids of the documents whose index is to fail."""
    failing: set[str] = set()
    for entry in entries:
        path = f"{above}{entry['name']}"
        id = id_of(path)
        created, updated = (int(now - age * _DAY - len(path) * 97) for age in entry["days"])
        common: dict[str, Any] = {
            "id": id,
            "parent": parent,
            "created": created,
            "updated": max(created, min(updated, now)),
            "creator": entry.get("by", ME),
            "role": entry.get("role", "admin"),
            "frozen": entry.get("frozen", False),
            "auto_sync": _auto_sync(entry, updated, now),
        }
        if "in" in entry:
            store.add("folder", entry["name"], **common, **_shared_folder(entry, now))
            failing |= _grow(store, entry["in"], f"{path}/", id, now)
        else:
            kind, rest = _document(entry, updated, common["auto_sync"])
            store.add(kind, entry["name"], **common, **rest)
        if entry.get("index") == "failed":
            failing.add(id)
    return failing


def _document(entry: dict[str, Any], updated: int, sync: auto_sync.Settings) -> tuple[str, dict[str, Any]]:
    """The type of an entry, and what its type has of its own. A page is what the site said at `updated`."""
    if "upload" in entry:
        return "file", _upload(FOLDER / entry["upload"])
    text = (FOLDER / entry["text"]).read_text("utf-8") if "text" in entry else ""
    format = "html" if entry.get("text", "").endswith(".html") else "markdown"
    if "page" in entry:
        path = pages.ROOT + entry["page"]
        text = text or cleaned(pages.page(path, updated).body)
        return "url", {"url": SITE + path, "text": text, "format": "html"}
    if "drive" in entry:
        return "file", {**_shared_file(entry, updated, sync), "text": text, "format": format}
    return "text", {"text": text, "format": format}


def _upload(file: Path) -> dict[str, Any]:
    """A file with its text. What takes a library to read has been read already, into a file beside it."""
    data = file.read_bytes()
    read = file.with_name(file.name + ".content")
    text = read.read_text("utf-8") if read.exists() else data.decode()
    if file.suffix == ".html":
        text = cleaned(text)
    return {
        "file": data,
        "filename": file.name,
        "text": text,
        "format": "markdown" if file.suffix in (".txt", ".md") else "html",
    }


def _auto_sync(entry: dict[str, Any], updated: int, now: int) -> auto_sync.Settings:
    if "sync" not in entry:
        return None
    days, remove, failures = entry["sync"]
    settings = {
        "minimum_frequency_days": days,
        "auto_remove": remove,
        "consec_failures": failures,
        "next_refresh_by": None if "in" in entry else updated + (failures + 1) * days * _DAY,
    }
    return auto_sync.at(settings, now)


# Google Drive

_CONNECTION = "conn_solvane_workspace"


def _shared_file(entry: dict[str, Any], updated: int, sync: auto_sync.Settings) -> dict[str, Any]:
    """What a file synced from Google Drive knows of its source."""
    assert sync is not None
    failed = sync["consec_failures"] > 0
    tried = sync["next_refresh_by"] - sync["minimum_frequency_days"] * _DAY
    return {
        "filename": f"{entry['name']}.html",
        "external_sync": {
            "type": "google_drive",
            "source_entity_id": entry["drive"],
            "integration_connection_id": _CONNECTION,
            "source_parent_entity_id": "0AHrotterdamCare",
            "source_mime_type": "application/vnd.google-apps.document",
            "source_modified_time": datetime.fromtimestamp(updated - 600, UTC).isoformat(),
            "root_folder_id": id_of("Care team drive"),
        },
        "refresh_status": {
            "status": "failed" if failed else "succeeded",
            "enqueued_at": tried,
            "started_at": tried + 2,
            "completed_at": tried + 9,
            "last_synced_at": updated if failed else tried + 9,
            "error_message": "The file is no longer shared with the connection." if failed else None,
        },
    }


def _shared_folder(entry: dict[str, Any], now: int) -> dict[str, Any]:
    if "drive" not in entry:
        return {}
    source = {
        "type": "google_drive",
        "source_entity_id": entry["drive"],
        "integration_connection_id": _CONNECTION,
        "root_folder_id": None,
        "sync_cursor": "4711",
        "last_sync_at": now - _DAY // 2,
    }
    return {"external_sync": source}


# Agents


def _hire(store: Store, agent: dict[str, Any], now: int) -> None:
    """Add an agent, its branches and what is attached to them."""
    id = f"agent_{id_of(agent['name'])}"
    called = agent["last_call"]
    created, updated = (int(now - age * _DAY) for age in agent["days"])
    store.insert(
        "agents",
        id=id,
        name=agent["name"],
        voice=id_of(f"the voice of {agent['name']}"),
        created=created,
        updated=updated,
        creator=agent["by"],
        role=agent["role"],
        archived=int(agent.get("archived", False)),
        tags=json.dumps(agent["tags"]),
        last_call=None if called is None else int(now - called * _DAY),
        rag=agent["rag"],
    )
    for name, attached in agent["branches"].items():
        branch = f"agtbranch_{id_of(agent['name'] + name)}"
        row = (branch, id, name, int(name == "Main"))
        store.db.execute("insert into branches (id, agent, name, main) values (?, ?, ?, ?)", row)
        for mode, paths in attached.items():
            rows = ((id_of(path), branch, mode) for path in paths)
            sql = "insert into attachments (document, branch, usage_mode) values (?, ?, ?)"
            store.db.executemany(sql, rows)


def _index(store: Store, agent: dict[str, Any], failing: set[str], now: int) -> None:
    """Index all that an agent depends on, as attaching it does."""
    if not agent["rag"]["enabled"]:
        return
    model = agent["rag"].get("embedding_model", DEFAULTS["embedding_model"])
    paths = {path for attached in agent["branches"].values() for path in attached["auto"]}
    for path in sorted(paths):
        for row in _documents_in(store, store.document(id_of(path))):
            if index.find(store, row, model) is None:
                index.start(store, row, model, 0, now=row["updated"], fail=row["id"] in failing)


def _documents_in(store: Store, row: Row) -> list[Row]:
    if row["type"] != "folder":
        return [row]
    return [each for each in store.children(store.subtree(row["id"])) if each["type"] != "folder"]
