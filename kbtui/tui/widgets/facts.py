"""Everything that is known of a document, as a table: what the service told, and what its text tells."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kbtui.chunk_facts import as_read, tokens
from kbtui.content import safe
from kbtui.documents import number, part, word
from kbtui.indexing import in_words
from kbtui.placing import UNSPACED
from kbtui.rows import FOLDER, Body, DocumentRow, FolderRow
from kbtui.tui.widgets.document_list import human_age, human_size
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Part

if TYPE_CHECKING:
    from kbtui.index_states import State
    from kbtui.knowledge_base import KnowledgeBase

ACCESS = {
    "creator": "as its creator",
    "explicit": "it was shared with you",
    "workspace_admin": "as an admin of the workspace",
    "workspace_default": "as everybody in the workspace",
}
SOURCES = {"google_drive": "Google Drive"}
LONGEST = 400  # characters of a fact that is shown; a longer one would hide those below it
MOST = 60  # characters of a label
WIDEST = 24  # cells of a label; what is told under a longer one begins behind it


class Fact(NamedTuple):
    """One line of the table; where it is empty, it parts the lines above from those below."""

    label: str
    value: str
    look: str = ""


GAP = Fact("", "")

# What the service tells that has a line of its own, or is told elsewhere; everything else is listed as it is.
_TOLD = {
    "type", "id", "name", "url", "filename", "content_format", "supported_usages", "is_frozen",
    "folder_parent_id", "folder_path", "children_count", "document_count", "dependent_agents",
    "extracted_inner_html", "metadata.created_at_unix_secs", "metadata.last_updated_at_unix_secs",
    "metadata.size_bytes", "access_info.is_creator", "access_info.creator_name", "access_info.creator_email",
    "access_info.role", "access_info.access_source", "auto_sync_info.minimum_frequency_days",
    "auto_sync_info.consec_failures",
    "auto_sync_info.next_refresh_by", "auto_sync_info.auto_remove", "external_sync_info.type",
    "external_sync_info.last_sync_at", "refresh_status.status", "refresh_status.error_message",
    "refresh_status.last_synced_at",
}  # fmt: skip


def known(kb: KnowledgeBase, row: DocumentRow, agents: str = "") -> list[Fact]:
    """The table of a document, from what is kept here. For a thread: the words of its text are counted."""
    models = kb.index_states.models if row.type != FOLDER else []
    indexes = {model: kb.index_states.current(row.id, row.updated, model) for model in models}
    summary = kb.mirror.summary(row.id) or {}
    body = kb.mirror.body(row.id) if row.type != FOLDER else None
    return [*facts(row, summary, kb.mirror.path(row.id), body, indexes, agents)]


def shown(table: Sequence[Fact]) -> list[list[Part]]:
    """The table in lines to be drawn, each value in its column and none too long."""
    width, lines = column(table), list[list[Part]]()
    for label, value, look in [GAP, *table]:
        if len(value) > LONGEST:
            value = f"{value[:LONGEST]}… ({count(len(value))} characters)"
        lines.append([(f"  {_cell(label, width)}", "dim"), (safe(value), look)] if label else [("", "")])
    return lines


def in_text(table: Sequence[Fact]) -> str:
    """The table as text to be copied."""
    width = column(table)
    return "".join(f"{_cell(label, width)}{safe(value)}".rstrip() + "\n" for label, value, _ in table)


def _cell(label: str, width: int) -> str:
    return f"{safe(label[:MOST]):<{width - 2}}  "


def column(table: Iterable[Fact]) -> int:
    """Where the values begin."""
    return 2 + max((len(label) for label, _, _ in table if len(label) <= WIDEST), default=0)


def facts(
    row: DocumentRow,
    summary: Mapping[str, Any],
    path: Sequence[FolderRow] = (),
    body: Body | None = None,
    indexes: Mapping[str, State | None] | None = None,
    agents: str = "",
) -> Iterator[Fact]:
    """The lines of the table.

    Args:
        summary: the document as the service told of it last.
        path: the folders that it lies in.
        body: its text, where that is kept.
        indexes: how they stand by their models, as far as was heard.
        agents: what is known of those that use it.
    """
    yield Fact("Name", row.name, "strong")
    yield Fact("Type", row.type)
    yield Fact("Id", row.id)
    yield Fact("Folder", " / ".join(folder.name for folder in path) or (row.parent and "unknown") or "Root")
    if ids := [folder.id for folder in path] or ([row.parent] if row.parent else []):
        yield Fact("Folder id" if len(ids) == 1 else "Folder ids", " / ".join(ids))
    yield GAP
    yield from _sizes(row, summary, body)
    yield GAP
    yield Fact("Created", _moment(row.created))
    yield Fact("Updated", _moment(row.updated))
    yield from _access(row, summary)
    yield from _apart(_source(row, summary))
    if agents or indexes:
        yield GAP
    if agents:
        yield Fact("Agents", agents)
    for model, state in (indexes or {}).items():
        heard, look = in_words(state.index) if state and not state.trouble else ("not asked", "dim")
        yield Fact("Index", f"{model}: {heard}", look)
    yield from _apart(Fact(label, value) for label, value in rest(summary))


def _apart(lines: Iterable[Fact]) -> list[Fact]:
    found = [*lines]
    return [GAP, *found] if found else []


def _sizes(row: DocumentRow, summary: Mapping[str, Any], body: Body | None) -> Iterator[Fact]:
    if row.type == FOLDER:
        inside = f"{count(row.children or 0)} here, {counted(row.documents or 0, 'document')} below"
        yield Fact("Holds", inside)
        return
    short = f" ({human_size(row.size)})" if row.size >= 1000 else ""
    yield Fact("Size", f"{counted(row.size, 'byte')}{short}, as the service counts")
    yield Fact("Format", body.format if body else word(summary, "content_format") or "unknown")
    if body is None:
        yield Fact("Text", "not fetched yet: looking at it does", "dim")
        return
    characters, size = counted(len(body.text), "character"), counted(len(_bytes(body.text)), "byte")
    old = ", as it was before it was changed" if body.updated < row.updated else ""
    yield Fact("Text", f"{characters}, {size}{old}", "warn" if old else "")
    read = as_read(body.text, body.format)
    yield Fact("Words", count(words(read)))
    yield Fact("Tokens", f"about {count(tokens(read))}; every model counts its own way")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def words(text: str) -> int:
    """How many words a text has; in scripts without spaces each character is one."""
    apart = re.sub(f"[{UNSPACED}]", " a ", text)
    return sum(re.search(r"\w", piece) is not None for piece in apart.split())


def _access(row: DocumentRow, summary: Mapping[str, Any]) -> Iterator[Fact]:
    access = part(summary, "access_info")
    email = word(access, "creator_email")
    you = " (you)" if access.get("is_creator") is True else ""
    owner = word(access, "creator_name") or ("" if email else "unknown")
    yield Fact("Owner", f"{owner} {f'<{email}>' if email else ''}".strip() + you)
    yield Fact("Your role", row.role or "unknown")
    if source := word(access, "access_source"):
        yield Fact("Your access", ACCESS.get(source, source))
    if row.lock and row.type != FOLDER:
        yield Fact("Editing", row.lock, "warn")
    used = summary.get("supported_usages")
    if isinstance(used, list):
        yield Fact("Usage", ", ".join(usage for usage in used if isinstance(usage, str)))


def _source(row: DocumentRow, summary: Mapping[str, Any]) -> Iterator[Fact]:
    """Where its content comes from, and how it is kept up to date."""
    if row.url:
        yield Fact("URL", row.url)
    if filename := word(summary, "filename"):
        yield Fact("File", filename)
    sync = summary.get("auto_sync_info")
    if isinstance(sync, dict):
        days = number(sync, "minimum_frequency_days") or 7
        yield Fact("Auto-sync", f"every {'day' if days == 1 else f'{days} days'} at the latest")
        failures = number(sync, "consec_failures") or 0
        if failures:
            often = "once" if failures == 1 else f"{failures} times in a row"
            yield Fact("Sync failing", often, "bad")
        if due := number(sync, "next_refresh_by"):
            yield Fact("Next refresh", _moment(due, past="due"))
        if sync.get("auto_remove") is True:
            yield Fact("If it is gone", "the service removes the document, too")
    refresh = part(summary, "refresh_status")
    if status := word(refresh, "status"):
        why = word(refresh, "error_message")
        look = "bad" if status == "failed" else ""
        yield Fact("Last refresh", f"{status}: {why}" if why else status, look)
    if synced := number(refresh, "last_synced_at"):
        yield Fact("Last synced", _moment(synced))
    outside = summary.get("external_sync_info")
    if isinstance(outside, dict):
        source = word(outside, "type")
        yield Fact("Synced from", SOURCES.get(source, source) or "an external source")
        if synced := number(outside, "last_sync_at"):
            yield Fact("Last synced", _moment(synced))
    if summary.get("is_frozen"):
        yield Fact("Frozen", "yes", "warn")


def rest(said: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """What else the service tells, under the names that it gives; what is null or empty means nothing."""
    for key, value in said.items():
        name = f"{above}{key}"
        if name in _TOLD or value is None or value in ("", [], {}):
            continue
        if isinstance(value, Mapping):
            yield from rest(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(stamp: int, past: str = "") -> str:
    """A time and how far off it is; `past` is said of one that is over instead."""
    if stamp <= 0:
        return "unknown"
    try:
        exact = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(stamp))
    except (OverflowError, ValueError, OSError):
        return str(stamp)
    now = int(time.time())
    if stamp > now:
        return f"{exact} (in {human_age(now, stamp).replace('now', 'a moment')})"
    age = human_age(stamp, now)
    return f"{exact} ({past or ('just now' if age == 'now' else f'{age} ago')})"
