"""The rules of auto-sync: who may have it, how strict it is, what a folder does to its contents."""

from __future__ import annotations

import time
from typing import Any

from kbtui.demo.contract import invalid
from kbtui.demo.rights import writable
from kbtui.demo.store import Row, Store, loads

Settings = dict[str, Any] | None  # the contract's `auto_sync_info`; None: off
_DEFAULT_DAYS = 7
_DAY = 86_400


def settings(
    current: Settings,
    *,
    enable: bool | None,
    auto_remove: bool | None,
    days: int | None,
    limit: Settings = None,
) -> Settings:
    """What becomes of `current`; `limit` are those of the parent folder, which no new document outlasts."""
    if not (current is not None if enable is None else enable):
        return None
    old = current or _fresh(days or _DEFAULT_DAYS)
    days = days or old["minimum_frequency_days"]
    if limit is not None:
        days = min(days, limit["minimum_frequency_days"])
    due = old["next_refresh_by"]
    return {
        **old,
        "minimum_frequency_days": days,
        "auto_remove": old["auto_remove"] if auto_remove is None else auto_remove,
        # counted from the last sync, so that nothing but another interval moves it
        "next_refresh_by": due and due + (days - old["minimum_frequency_days"]) * _DAY,
    }


def _fresh(days: int) -> dict[str, Any]:
    due = int(time.time()) + days * _DAY
    return {
        "minimum_frequency_days": days,
        "auto_remove": False,
        "consec_failures": 0,
        "next_refresh_by": due,
    }


def refreshed(current: Settings) -> Settings:
    """The settings after the source was read without fault."""
    if current is None:
        return None
    fresh = _fresh(current["minimum_frequency_days"])
    return {**fresh, "auto_remove": current["auto_remove"]}


def failed(current: Settings) -> Settings:
    """The settings after the source could not be read."""
    return current and {**current, "consec_failures": current["consec_failures"] + 1}


def of(row: Row) -> Settings:
    """The settings of a document as they stand now."""
    return at(loads(row["auto_sync"]), time.time())


def at(current: Settings, now: float) -> Settings:
    """The settings as they stand at `now`: what works was synced whenever it was due, so it is never late."""
    due = current["next_refresh_by"] if current else None
    if current is None or due is None or current["consec_failures"] or due > now:
        return current
    interval = current["minimum_frequency_days"] * _DAY
    return {**current, "next_refresh_by": due + (int(now) - due) // interval * interval + interval}


def of_folder(store: Store, id: str | None) -> Settings:
    """The settings of a folder; None for the root."""
    row = store.find(id) if id else None
    return None if row is None else of(row)


def change(
    store: Store,
    row: Row,
    *,
    enable: bool | None,
    auto_remove: bool | None,
    days: int | None,
    tighten_only: bool | None,
) -> Settings:
    """Apply what an update asks for and return the settings that now hold; raises 400 or 403."""
    current = of(row)
    if enable is None and auto_remove is None and days is None and tighten_only is None:
        return current
    possible = row["type"] in ("url", "folder") or row["external_sync"] is not None
    if not possible:
        if enable:
            message = "Auto-sync is for URL documents, folders and externally synced files only."
            raise invalid(message, "enable_auto_sync")
        return None
    new = settings(current, enable=enable, auto_remove=auto_remove, days=days)
    store.update(row["id"], auto_sync=new)
    if row["type"] == "folder":
        follow = row["external_sync"] is not None
        if follow or tighten_only is not None:
            _spread(store, row["id"], new, tighten=bool(tighten_only) and not follow)
    return new


def _spread(store: Store, folder: str, wanted: Settings, *, tighten: bool) -> None:
    """Bring everything below a folder to its settings, or, to tighten, at least as strict as them."""
    for row in store.children(store.subtree(folder)):
        if row["type"] not in ("url", "folder") and row["external_sync"] is None:
            continue
        current = of(row)
        new = _below(current, wanted, tighten)
        if new != current:
            store.update(writable(row)["id"], auto_sync=new)


def _below(current: Settings, wanted: Settings, tighten: bool) -> Settings:
    """What becomes of something in a folder with the settings `wanted`."""
    if wanted is None:
        return current if tighten else None
    held = current if tighten else None  # what may stay as strict as it is
    days, remove = wanted["minimum_frequency_days"], wanted["auto_remove"]
    if held is not None:
        days, remove = min(days, held["minimum_frequency_days"]), remove or held["auto_remove"]
    return settings(current, enable=True, auto_remove=remove, days=days)
