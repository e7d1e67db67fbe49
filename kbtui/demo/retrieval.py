"""The knowledge base as one branch of an agent sees it, and the four ways to look into it."""

from __future__ import annotations

import json
import time
from html import escape
from typing import TYPE_CHECKING, Any

from kbtui.demo import ranking, words
from kbtui.demo.chunker import chunks
from kbtui.demo.contract import invalid
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import Row

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

_LISTED = 100  # entries that `ls` shows
_KEYWORDS = 32  # words of a question that a keyword search looks for
_KEYWORD_DOCUMENTS = 20  # documents that a keyword search looks into


class Retrieval:
    """Answers for one branch, under the settings of an agent's `rag`, which must be complete."""

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
        ranked = ranking.rank(question, [(_titled(row), row["format"]) for row in passages])
        most = self._settings["max_vector_distance"]
        near = [(passages[place], distance) for place, distance in ranked if distance <= most]
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
            (" OR ".join(quoted[:_KEYWORDS]), self._scope(only), _KEYWORD_DOCUMENTS),
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

    def _scope(self, only: list[str] | None) -> str:
        """The ids that retrieval may look into, as JSON: what is attached and all below it, or a part of it.

        What is attached as `prompt` is read to the agent as a whole, and so is no matter of retrieval.
        """
        whole = set(self._attached("prompt"))
        scope = json.dumps([id for id in self._below(self._attached("auto")) if id not in whole])
        if only is None:
            return scope
        named = json.dumps(only)
        condition = "id in (select value from json_each(?))"
        rows = self._rows(f"{condition} or name in (select value from json_each(?))", (named, named))
        wanted = json.dumps(self._below([row["id"] for row in rows]))
        return json.dumps([row["id"] for row in self._rows(f"{condition} and {condition}", (scope, wanted))])

    def _attached(self, *modes: str) -> list[str]:
        rows = self._store.db.execute(
            "select document from attachments where branch = ?"
            " and usage_mode in (select value from json_each(?))",
            (self._branch, json.dumps(modes)),
        )
        return [row["document"] for row in rows]

    def _below(self, ids: list[str]) -> list[str]:
        rows = self._store.db.execute(
            "with recursive used (id) as (select value from json_each(?)"
            " union select documents.id from documents join used on documents.parent = used.id)"
            " select id from used",
            (json.dumps(ids),),
        )
        return [row["id"] for row in rows]

    def _one(self, only: list[str] | None, rule: str) -> Row | None:
        if not only or len(only) != 1:
            raise invalid(rule, "documents")
        scope = json.dumps(self._below(self._attached("auto", "prompt")))
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


def _titled(row: Row) -> str:
    """The text of a chunk with the name of its document, whose words count too."""
    name = escape(row["name"]) if row["format"] == "html" else row["name"]
    return f"{name}\n{row['text']}"
