"""One document, between the service's JSON and the mirror's columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from kbtui.rows import FOLDER, TYPES, AutoSync

COLUMNS = (
    "id, leaf, type, name, name_key, size, created, updated, "
    "parent, children, documents, role, url, lock, rest"
)
SAID = "id, type, name, size, created, updated, parent, children, documents, url, rest"  # what `said` takes

LOCKS = {
    "type": "kbtui does not know this type of document, so it leaves the content alone.",
    "folder": "A folder has no content.",
    "google_drive": "It is synced from Google Drive: edit it there.",
    "external": "It is synced from an external source: edit it there.",
    "auto_sync": "Auto-sync is on: the service renews the content. Turn that off (gS) to edit it here.",
    "frozen": "The service has frozen it.",
    "role": "You may read it, but your role does not let you change it.",
}

_LARGEST = 2**63 - 1
_json = json.JSONEncoder(separators=(",", ":")).encode


def part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under a key; an empty one where there is none."""
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def word(document: Mapping[str, Any], key: str) -> str:
    """The text under a key; "" where there is none."""
    found = document.get(key)
    return found if isinstance(found, str) else ""


def number(document: Mapping[str, Any], key: str) -> int | None:
    """The number under a key as a whole one that SQLite takes; None where there is none."""
    value = document.get(key)
    if type(value) is int and -_LARGEST <= value <= _LARGEST:
        return value
    if not isinstance(value, int | float) or value != value:
        return None
    return int(max(-_LARGEST, min(value, _LARGEST)))


def lock_reason(document: Mapping[str, Any]) -> str | None:
    """Why the content of a document, summary or full, cannot be edited, as a sentence; None where it can."""
    return LOCKS.get(lock(document) or "")


def lock(document: Mapping[str, Any]) -> str | None:
    """The same as a word, a key of `LOCKS`."""
    if document.get("type") == FOLDER:
        return "folder"
    if document.get("type") not in TYPES:
        return "type"
    if document.get("external_sync_info") is not None:
        return (
            "google_drive"
            if part(document, "external_sync_info").get("type") == "google_drive"
            else "external"
        )
    if document.get("auto_sync_info") is not None:
        return "auto_sync"
    if document.get("is_frozen"):
        return "frozen"
    return "role" if part(document, "access_info").get("role") in ("viewer", "commenter") else None


def auto_sync(document: Mapping[str, Any]) -> AutoSync | None:
    """How the service renews a document by itself; None: it does not."""
    if document.get("auto_sync_info") is None:
        return None
    settings = part(document, "auto_sync_info")
    days = number(settings, "minimum_frequency_days") or AutoSync().days
    return AutoSync(days, bool(settings.get("auto_remove")))


def folded(name: str) -> str:
    """The form in which names are sorted and filtered: no case, and one form for compatible characters."""
    return name.lower() if name.isascii() else normalize("NFKC", normalize("NFKC", name).casefold())


def told(document: Any) -> tuple[str, int] | None:
    """The id of a document and when it was updated; None for what has no id."""
    id = document.get("id") if isinstance(document, Mapping) else None
    if not isinstance(id, str) or not id or _text(id) != id:
        return None
    return id, number(part(document, "metadata"), "last_updated_at_unix_secs") or 0


def columns(document: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values of `COLUMNS`; None for what has no id.

    `rest` is JSON of all that the other columns do not give back, unknown fields included. The body, which
    a full document carries, is left out.
    """
    known = told(document)
    if not known:
        return None
    id, updated = known
    metadata = part(document, "metadata")
    type, name = _text(document.get("type")), _text(document.get("name"))
    size = number(metadata, "size_bytes") or 0
    created = number(metadata, "created_at_unix_secs") or 0
    parent, url = _text(document.get("folder_parent_id")) or None, _text(document.get("url")) or None
    children, documents = number(document, "children_count"), number(document, "document_count")
    role = _text(part(document, "access_info").get("role"))
    given = _given(id, type, name, size, created, updated, parent, children, documents, url)
    rest = {
        key: value
        for key, value in document.items()
        if (key not in given or given[key] != value) and key != "extracted_inner_html"
    }
    return (
        *(id, int(type != FOLDER), type, name, folded(name), size, created, updated),
        *(parent, children, documents, role, url, lock(document), _json(rest)),
    )


def said(*values: Any) -> dict[str, Any]:
    """The document as the service told of it, from the values of the columns `SAID`."""
    return {**_given(*values[:-1]), **json.loads(values[-1])}


def _given(
    id: str,
    type: str,
    name: str,
    size: int,
    created: int,
    updated: int,
    parent: str | None,
    children: int | None,
    documents: int | None,
    url: str | None,
) -> dict[str, Any]:
    """The part of a document that the columns give back."""
    given: dict[str, Any] = {
        "type": type,
        "id": id,
        "name": name,
        "metadata": {
            "created_at_unix_secs": created,
            "last_updated_at_unix_secs": updated,
            "size_bytes": size,
        },
        "folder_parent_id": parent,
    }
    if children is not None:
        given["children_count"] = children
    if documents is not None:
        given["document_count"] = documents
    if url is not None:
        given["url"] = url
    return given


def _text(value: object) -> str:
    """Text that SQLite takes: JSON may carry half a surrogate pair, which no encoding has."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
