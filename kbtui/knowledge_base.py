"""The knowledge base as a person works with it: all that a screen or a command ever talks to.

A change is kept in the history before it is sent, sent, read back, and only then is its draft dropped. What
is only read is in `access.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kbtui import content
from kbtui.access import Access
from kbtui.drafts import Draft, Drafts
from kbtui.errors import Conflict, Error, NotFound, Offline, Refused
from kbtui.history import Change, History
from kbtui.mirror import Mirror, lock_reason
from kbtui.rows import SORTS, Body, DocumentRow, View

if TYPE_CHECKING:
    from kbtui.api import Api
    from kbtui.models import Document
    from kbtui.transport import Wait

IN_DOUBT = 60.0  # seconds after which a request that was never answered is not carried out any more


@dataclass(frozen=True)
class Saved:
    """What became of a save.

    `state` is "saved" (read back, equal), "unchanged" (nothing was sent), or "differs" (the service keeps
    another text than was sent; it is in `service_text` and the draft stays until that is accepted).
    `draft` holds what was typed while the save was under way, on top of what was saved, if anything was.
    `change` is what the history has of it.
    """

    state: str
    service_text: str = ""
    draft: Draft | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Undone:
    """What an undo took back, in words, and the document it belongs to."""

    sentence: str
    document: str


class KnowledgeBase(Access):
    """One workspace: its mirror, its history, its drafts, and the service behind them.

    Args:
        base_url: names the drafts and the history, so that they outlive a key.
        connect: builds the client; called once, in a thread, when the network is first needed. It is given
            what to do when a countdown begins.
        read_only: nothing is ever sent that changes the knowledge base.
    """

    def __init__(
        self,
        base_url: str,
        mirror: Mirror,
        history: History,
        drafts: Drafts,
        connect: Callable[[Callable[[Wait], None]], Api],
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(mirror, connect)
        self.base_url = base_url
        self.history = history
        self.drafts = drafts
        self.read_only = read_only
        self._seen_again: set[int] = set()
        self._one = asyncio.Lock()  # one change at a time: each sees what the one before it did
        self._writing: list[str] = []  # documents that we change right now, or as soon as it is their turn

    # Reading what is here

    def order(self, scope: str) -> tuple[str, bool]:
        """The order last chosen for a scope, as (sort, descending)."""
        kept = self.history.recall(self.base_url, "order", scope)
        if isinstance(kept, dict) and kept.get("sort") in SORTS:
            return kept["sort"], kept.get("descending") is True
        return "name", False

    def remember_order(self, view: View) -> None:
        """Keep the order of a view for its scope."""
        order = {"sort": view.sort, "descending": view.descending}
        self.history.remember(self.base_url, "order", view.scope, order)

    def edited(self) -> frozenset[str]:
        """The documents that have a draft."""
        return frozenset(draft.document for draft in self.drafts.all())

    def undoable(self) -> str | None:
        """What `undo` would take back, in words."""
        change = self.history.latest_undoable(self.base_url, images=False, pending=True)
        return f"{change.kind} of “{change.name}”" if change else None

    # Editing

    async def begin_edit(self, id: str) -> Draft:
        """Begin to edit a document's text, or go on with the newest draft of it that nobody else types in.

        Offline, the mirror's copy is the base; the check before the save tells if it was stale.

        Raises:
            Refused: it cannot be edited, with the reason.
            errors.Error: there is no text to begin with.
        """
        kept = self._kept_draft(id, "content")
        if kept is not None:
            return kept
        try:
            document, body = await self._fetch(id)
            self._may_edit(document.raw(), body)
            name = document.name
        except Offline:
            here, row = self.mirror.body(id), self.mirror.row(id)
            if here is None or row is None:
                raise
            self._may_edit(self.mirror.summary(id) or {}, here)
            body, name = here, row.name
        return self.drafts.begin(
            document=id,
            name=name,
            field="content",
            format=body.format,
            base=body.text,
            base_updated=body.updated,
        )

    def _kept_draft(self, id: str, field: str) -> Draft | None:
        """The newest draft of a document that nobody else types in, taken over."""
        for draft in self.drafts.all():
            if (draft.document, draft.field) == (id, field) and not draft.elsewhere:
                return self.drafts.adopt(draft)
        return None

    def _may_edit(self, document: dict[str, Any], body: Body) -> None:
        reason = lock_reason(document)
        if reason:
            raise Refused(reason)
        self._may_replace(body)

    def _may_replace(self, body: Body) -> None:
        if body.lossy:
            raise Refused("Some bytes of the text on the service are no UTF-8; kbtui would lose them.")

    def leave(self, draft: Draft, text: str) -> None:
        """Stop editing: a draft that says nothing new goes, every other one stays on disk."""
        if text == draft.base and draft.document not in self._writing:
            self.drafts.drop(draft)
        else:
            self.drafts.flush()

    async def save(self, draft: Draft, text: str) -> Saved:
        """Send a text, after a look at what the service has now; read it back.

        Raises:
            Conflict: the document's text is no longer what the edit began with.
            Refused: it cannot be edited (any more), with the reason. The draft stays.
            errors.Error: nothing was sent, or nobody knows whether it arrived. The draft stays.
        """
        self._may_write()
        self.drafts.flush()
        async with self._changing(draft.document):
            if text == draft.base:
                return self._saved(draft, text, draft.base_updated, "unchanged")
            document, now = await self._fetch(draft.document)
            self._resolve(document, now.text)
            if now.text == text and not now.lossy:
                return self._saved(draft, text, now.updated, "saved")
            self._may_edit(document.raw(), now)
            if now.text != draft.base:
                raise Conflict(
                    f"“{draft.name}” was changed on the service while you edited it.",
                    base=draft.base,
                    mine=text,
                    theirs=now.text,
                )
            change, back = await self._write(document, now, text)
            if back.text != text:
                self.history.settle(change)  # the person hears of it now
                return Saved("differs", back.text, change=change)
            return self._saved(draft, text, back.updated, "saved")

    def _saved(self, draft: Draft, text: str, updated: int, state: str) -> Saved:
        return Saved(state, draft=self.drafts.saved(draft, text, updated=updated))

    async def _write(self, document: Document, before: Body, text: str) -> tuple[Change, Body]:
        """Keep the before-image, send, read back; the text that the service holds now."""
        api = await self.api()
        with self._sending(document, "edit", _image(before), {"content": text}) as change:
            await self._store(await api.update(document.id, content=text))
        now, back = await self._fetch(document.id)
        return self.history.finish_change(change, updated=now.metadata.last_updated_at_unix_secs), back

    @asynccontextmanager
    async def _changing(self, document: str) -> AsyncIterator[None]:
        self._writing.append(document)
        try:
            async with self._one:
                yield
        finally:
            self._writing.remove(document)

    @contextmanager
    def _sending(
        self, document: Document, kind: str, before: dict[str, Any], after: dict[str, Any]
    ) -> Iterator[Change]:
        """Keep what was while a request is sent; one that was certainly not carried out leaves no trace."""
        change = self.history.begin_change(
            self.base_url, document.id, document.name, kind, before=before, after=after
        )
        try:
            yield change
        except Error as error:
            if not error.fate_unknown:
                self.history.abandon(change)
            raise

    def _resolve(self, document: Document, text: str | None = None) -> None:
        """Tell by what the service holds now what became of the requests that were never answered.

        A young one that left no trace may still be under way, here or in another kbtui: it stays pending.
        """
        held = {"name": document.name, "content": text}
        for change in self.history.pending(self.base_url):
            key = "name" if change.kind == "rename" else "content"
            now = held[key]
            if change.document != document.id or now is None:
                continue
            carried_out = now != change.before[key] if change.kind == "fetch" else now == change.after[key]
            if carried_out:
                self._finish(change, document, {key: now})
            elif time.time() - change.at > IN_DOUBT:
                if now == change.before[key]:
                    self.history.abandon(change)
                else:
                    self.history.supersede(change)

    def _finish(self, change: Change, document: Document, after: dict[str, Any]) -> None:
        self.history.finish_change(change, updated=document.metadata.last_updated_at_unix_secs, after=after)
        if change.kind == "fetch":
            for edit in self.history.written(self.base_url):
                if edit.document == change.document:
                    self.history.settle(edit)  # the person was asked

    def accept(self, draft: Draft, sent: str, saved: Saved) -> None:
        """Another text than was sent is on the service, and the person agrees; what was sent is kept here."""
        change = self.history.whole(saved.change) if saved.change else None
        if change is not None and change.state == "done":
            after = {"content": saved.service_text}
            self.history.finish_change(change, updated=change.updated, after=after)
        self.give_way(draft, sent)

    def rebase(self, draft: Draft, theirs: str, text: str | None = None) -> Draft:
        """The same words, or `text`, on another base: what was theirs has been seen and may be replaced."""
        self.history.keep_words(self.base_url, draft.document, draft.name, theirs)
        return self.drafts.rebase(draft, base=theirs, text=text)

    def give_way(self, draft: Draft, text: str) -> None:
        """Keep theirs: the draft goes, its words to the history, from where undo brings them back."""
        self.history.keep_draft(self.base_url, draft.document, draft.name, draft.base, draft.format, text)
        self.drafts.drop(draft)

    # Names

    def begin_rename(self, row: DocumentRow) -> Draft:
        """Begin to type another name, or go on with one that was typed and never sent."""
        kept = self._kept_draft(row.id, "name")
        if kept is not None:
            return kept
        return self.drafts.begin(
            document=row.id, name=row.name, field="name", format="", base=row.name, base_updated=row.updated
        )

    async def rename(self, draft: Draft, name: str) -> Saved:
        """Give a document another name.

        Raises:
            Conflict: somebody else renamed it meanwhile.
            errors.Error: as for `save`.
        """
        self._may_write()
        async with self._changing(draft.document):
            if name == draft.base:
                self.drafts.drop(draft)
                return Saved("unchanged")
            api = await self.api()
            document = await api.get(draft.document)
            self._resolve(document)
            if document.name not in (name, draft.base):
                raise Conflict(
                    f"“{draft.base}” was renamed to “{document.name}” meanwhile.",
                    base=draft.base,
                    mine=name,
                    theirs=document.name,
                )
            kept = await self._rename(api, document, name)
        if kept != name:
            return Saved("differs", kept, self.drafts.rebase(draft, base=kept, text=name))
        self.drafts.drop(draft)
        return Saved("saved", name)

    async def _rename(self, api: Api, document: Document, name: str) -> str:
        """Send a name where it is another; the one that the service keeps."""
        if document.name == name:
            await self._store(document)
            return name
        with self._sending(document, "rename", {"name": document.name}, {"name": name}) as change:
            answer = await api.update(document.id, name=name)
        renamed = await self._named(api, document.id, answer, name)
        if renamed.name == document.name:
            self.history.abandon(change)
        else:
            self._finish(change, renamed, {"name": renamed.name})
        return renamed.name

    async def _named(self, api: Api, id: str, answer: Document, name: str) -> Document:
        """The document as it is after a name was sent; an answer that says otherwise is not believed."""
        document = answer if answer.name == name else await api.get(id)
        await self._store(document)
        return document

    # Taking back

    async def undo(self) -> Undone:
        """Take back the latest rename, edit or fetch by the reverse call; words given up are a draft again.

        Raises:
            Refused: there is nothing to undo, or the document was changed again since.
            errors.Error: as for `save`.
        """
        self._may_write()
        async with self._one:
            change = await self._latest()
            if change is None:
                raise Refused("There is nothing to undo.")
            if change.kind == "draft":
                self._as_draft(change)
                self.history.mark_undone(change)
                return Undone(
                    f"Your words for “{change.name}” are a draft again; gd shows it.", change.document
                )
            self._writing.append(change.document)
            try:
                await (self._undo_rename if change.kind == "rename" else self._undo_edit)(change)
                self.history.mark_undone(change)
            except NotFound as gone:
                self.history.supersede(change)
                raise Refused(f"“{change.name}” is gone from the service; nothing was undone.") from gone
            finally:
                self._writing.remove(change.document)
        return Undone(f"Undone: {change.kind} of “{change.name}”.", change.document)

    async def _latest(self) -> Change | None:
        """The newest change that can be taken back, after a look at those of which nobody knows."""
        known = self.history.latest_undoable(self.base_url, images=False)
        for change in self.history.pending(self.base_url):
            if known is not None and change.id < known.id:
                continue
            try:
                if change.kind == "rename":
                    self._resolve(await (await self.api()).get(change.document))
                else:
                    document, body = await self._fetch(change.document)
                    self._resolve(document, body.text)
            except NotFound:
                self.history.supersede(change)
        return self.history.latest_undoable(self.base_url)

    async def _undo_rename(self, change: Change) -> None:
        api, name = await self.api(), change.before["name"]
        document = await api.get(change.document)
        if document.name == name:
            return  # an earlier try was carried out, and nobody heard of it
        if document.name != change.after["name"]:
            self.history.supersede(change)
            raise Refused(f"“{change.name}” was renamed again since; nothing was undone.")
        answer = await api.update(change.document, name=name)
        if (await self._named(api, change.document, answer, name)).name != name:
            raise Refused(f"The service does not name “{change.name}” as it was before; look at it.")

    async def _undo_edit(self, change: Change) -> None:
        document, now = await self._fetch(change.document)
        if now.text == change.before["content"]:
            return
        self._may_edit(document.raw(), now)
        if now.text != change.after["content"]:
            self.history.supersede(change)
            raise Refused(f"“{change.name}” was changed again since; nothing was undone.")
        api = await self.api()
        await self._store(await api.update(change.document, content=change.before["content"]))
        if (await self._fetch(change.document))[1].text != change.before["content"]:
            raise Refused(f"The service does not keep “{change.name}” as it was before; look at it.")

    # The source of a URL document

    async def refetch(self, id: str) -> tuple[int, int]:
        """Have the service fetch the page of a URL document again; its size before and after, in bytes."""
        self._may_write()
        async with self._changing(id):
            api = await self.api()
            document, before = await self._fetch(id)
            self._resolve(document, before.text)
            self._may_replace(before)
            with self._sending(document, "fetch", _image(before), {}) as change:
                await self._store(await api.refresh(id))
            now, after = await self._fetch(id)
            if after.text == before.text:
                self.history.abandon(change)
            else:
                self._finish(change, now, {"content": after.text})
        return len(before.text.encode()), len(after.text.encode())

    # Words that another's save replaced in the one moment nobody can guard

    async def overwritten(self) -> list[Draft]:
        """Find texts this kbtui wrote that crossed with another's save; each is a draft again.

        The service's clock counts whole seconds: a text that was last changed in the second of our own save
        is looked at once more, when that second is over.
        """
        found: list[Draft] = []
        for change in self.history.written(self.base_url):
            row = self.mirror.row(change.document)
            again = change.id not in self._seen_again and time.time() > change.at + 2
            if row is not None and (row.updated > change.updated or again):
                with suppress(Error):  # the next look at the service tries again
                    found += await self._lost(change)
        return found

    async def _lost(self, change: Change) -> list[Draft]:
        """The draft of what another's save replaced in one document, if it did."""
        if change.document in self._writing:
            return []
        document, body = await self._fetch(change.document)
        if change.document in self._writing:  # what was read may be older than what is sent
            return []
        self._resolve(document, body.text)
        if all(change.id != kept.id for kept in self.history.written(self.base_url)):
            return []
        change = self.history.whole(change)
        kept = content.keeps(change.before["content"], change.after["content"], body.text)
        found = [] if kept else [self._as_draft(change)]
        self._seen_again.add(change.id)
        if found or body.updated > change.updated:
            self.history.settle(change)
        return found

    def _as_draft(self, change: Change) -> Draft:
        """Words of the history as a draft that is on the disk.

        Raises:
            Refused: the disk does not take it; the words are nowhere but in the history.
        """
        base = change.before["content"]
        draft = self.drafts.begin(
            document=change.document, name=change.name, field="content", format=change.before["format"],
            base=base, base_updated=change.updated,
        )  # fmt: skip
        draft = self.drafts.rebase(draft, base=base, text=change.after["content"])
        self.drafts.flush()
        if self.drafts.trouble:
            self.drafts.drop(draft)
            raise Refused(f"No draft can be written ({self.drafts.trouble}); the history keeps your words.")
        return draft

    def _may_write(self) -> None:
        if self.read_only:
            raise Refused("This workspace is open for reading only.")

    def tidy(self, drafts: tuple[float, int], history: tuple[float, int]) -> None:
        """Let go of what is older (seconds) or larger (bytes) than the person wants to keep."""
        self.drafts.trim(*drafts)
        self.history.trim(*history)

    async def close(self) -> None:
        """Finish: every word on disk, every connection closed."""
        self.drafts.close()
        await self._disconnect()
        self.history.close()
        self.mirror.close()


def _image(body: Body) -> dict[str, Any]:
    return {"content": body.text, "format": body.format}
