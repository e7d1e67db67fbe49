"""What the person behind the key may change: by the role in a document, by its kind, in a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kbtui.demo.contract import invalid, not_permitted
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.auto_sync import Settings

_WRITERS = ("admin", "editor")


def writable(row: Row) -> Row:
    """The document, if the person behind the key may change it; raises 403."""
    if row["role"] not in _WRITERS:
        raise not_permitted(f"You may view {row['id']}, but not change it.")
    return row


def all_writable(store: Store, folders: list[str]) -> None:
    """Raise 403 where something in these folders may not be changed."""
    held = store.db.execute(
        "select * from documents where parent in (select value from json_each(?))"
        " and role not in (select value from json_each(?)) limit 1",
        (json.dumps(folders), json.dumps(_WRITERS)),
    ).fetchone()
    if held is not None:
        writable(held)


def home(store: Store, parent: str | None, param: str = "parent_folder_id") -> str | None:
    """The folder where something is to live, None for the root; raises 404, 400 or 403."""
    if not parent:
        return None
    return str(writable(store.folder(parent, param))["id"])


def editable(row: Row, sync: Settings) -> None:
    """Raise 400 where the content of a document is not its users' to write."""
    if row["type"] == "folder":
        raise invalid("A folder has no content.", "content")
    if row["external_sync"] is not None:
        raise invalid("The file is synced from an external source; change it there.", "content")
    if row["frozen"]:
        raise invalid("The document is frozen.", "content")
    if row["type"] == "url" and sync is not None:
        raise invalid("The content of a URL document cannot be edited while auto-sync is on.", "content")
