"""What becomes of what is sent: one change at a time, kept until its fate is known, and taken back.

The before-image of a change is in the history before its request is sent. Where the answer is lost, what the
service holds later tells whether the change was carried out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kbtui.answers import Answers
from kbtui.differences import keeps
from kbtui.documents import auto_sync
from kbtui.drafts import Draft, Drafts
from kbtui.errors import Error, NotFound, Refused
from kbtui.history import Change, History
from kbtui.mirror import Mirror, lock_reason
from kbtui.rows import AutoSync, Body

if TYPE_CHECKING:
    from kbtui.access import Connect
    from kbtui.api import Api
    from kbtui.models import Document

IN_DOUBT = 200.0  # seconds after which a request without an answer is over: the transport's limits, summed up


class Changes(Answers):
    """What changes a workspace, and its history.

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
        connect: Connect,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(mirror, connect)
        self.base_url = base_url
        self.history = history
        self.drafts = drafts
        self.read_only = read_only
        self._seen_again: set[int] = set()
        self._gone: set[str] = set()  # documents of which the person was told that they are gone
        self._one = asyncio.Lock()  # one change at a time: each sees what the one before it did
        self._writing: list[str] = []  # documents that we change right now, or as soon as it is their turn

    # What may be changed

    def _may_write(self) -> None:
        if self.read_only:
            raise Refused("This workspace is open for reading only.")

    def _may_edit(self, document: dict[str, Any], body: Body) -> None:
        reason = lock_reason(document)
        if reason:
            raise Refused(reason)
        self._may_replace(body)

    def _may_replace(self, body: Body) -> None:
        if body.lossy:
            raise Refused("Some bytes of the text on the service are no UTF-8; kbtui would lose them.")

    # What is sent

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
        held = {"rename": document.name, "edit": text, "fetch": text, "auto-sync": sync_image(document)}
        for change in self.history.pending(self.base_url):
            key = {"rename": "name", "auto-sync": "sync"}.get(change.kind, "content")
            now = held.get(change.kind)
            if change.document != document.id or (now is None and change.kind != "auto-sync"):
                continue
            carried_out = now != change.before[key] if change.kind == "fetch" else now == change.after[key]
            if carried_out:
                self._finish(change, document, {key: now})
            elif time.time() - change.at > IN_DOUBT:
                if now == change.before[key]:
                    self.history.abandon(change)
                else:
                    self.history.supersede(change)

    def _finish(self, change: Change, document: Document, after: dict[str, Any] | None = None) -> Change:
        """A change was carried out."""
        if change.kind in ("edit", "fetch"):
            self._seen(change.document, None if change.kind == "fetch" else change.before["content"], change)
        updated = document.metadata.last_updated_at_unix_secs
        return self.history.finish_change(change, updated=updated, after=after)

    def _seen(self, document: str, text: str | None, but: Change | None = None) -> None:
        """The person had this text before their eyes: edits of which it holds every word are watched no more.

        Those that are not in it were replaced unseen: another kbtui may have sent them a moment before. None:
        the person was asked, and let all of them go.
        """
        for edit in self.history.written(self.base_url):
            if edit.document != document or (but is not None and edit.id == but.id):
                continue
            whole = self.history.whole(edit)
            if whole and (text is None or keeps(whole.before["content"], whole.after["content"], text)):
                self.history.settle(edit)

    async def _named(self, api: Api, id: str, answer: Document, name: str) -> Document:
        """The document as it is after a name was sent; an answer that says otherwise is not believed."""
        document = answer if answer.name == name else await api.get(id)
        await self._store(document)
        return document

    # Taking back

    def undoable(self) -> Change | None:
        """What `undo` would take back, without images."""
        return self.history.latest_undoable(self.base_url, self._is_here, pending=True)

    def _is_here(self, document: str) -> bool:
        """Whether a document is one of this account's, as far as the mirror knows."""
        return document not in self._gone and self.mirror.knew(document)

    async def undo(self, asked: Change | None = None) -> str:
        """Take back the latest rename, edit or fetch by the reverse call; words given up are a draft again.

        Returns what was taken back, in a sentence.

        Args:
            asked: the change that the person means.

        Raises:
            Refused: there is nothing to undo, another change than `asked` is the latest by now, or the
                document was changed again since.
            errors.Error: as for `save`.
        """
        self._may_write()
        async with self._one:
            change = await self._latest()
            if asked is not None and (change is None or change.id != asked.id):
                raise Refused(self._why_not(asked))
            if change is None:
                raise Refused("There is nothing to undo.")
            if change.kind == "draft":
                self._as_draft(change)
                self.history.mark_undone(change)
                return f"Your words for “{change.name}” are a draft again; gd shows it."
            self._writing.append(change.document)
            try:
                ways = {"rename": self._undo_rename, "auto-sync": self._undo_sync}
                await ways.get(change.kind, self._undo_edit)(change)
                self.history.mark_undone(change)
            except NotFound as gone:
                self._gone.add(change.document)
                raise Refused(self._why_not(change)) from gone
            finally:
                self._writing.remove(change.document)
        return f"Undone: {change.kind} of “{change.name}”."

    def _why_not(self, asked: Change) -> str:
        """Why this change, of which the person thinks, is not the one to take back."""
        if asked.document in self._gone:
            return f"“{asked.name}” is gone from the service; nothing was undone."
        now = self.history.whole(asked)
        if asked.state == "pending" and now is None:
            return (
                f"The {asked.kind} of “{asked.name}” was not carried out; nothing was undone. u asks again."
            )
        if now is not None and now.state == "pending":
            return (
                f"Nobody knows yet whether the {asked.kind} of “{asked.name}” was carried out: no answer "
                "came. Nothing was undone. Look at the document, and press u again in a few minutes."
            )
        return "Something else was changed meanwhile; nothing was undone. u asks again."

    async def _latest(self) -> Change | None:
        """The newest change that can be taken back, after a look at those of which nobody knows."""
        known = self.history.latest_undoable(self.base_url, self._is_here)
        for change in self.history.pending(self.base_url):
            if (known is not None and change.id < known.id) or not self._is_here(change.document):
                continue
            try:
                if change.kind in ("rename", "auto-sync"):  # of a folder, perhaps: it has no text
                    document, text = await (await self.api()).get(change.document), None
                else:
                    document, body = await self._fetch(change.document)
                    text = body.text
            except NotFound:
                self._gone.add(change.document)
            except Refused:
                self.history.supersede(change)  # it cannot be told, and keeps nothing else from being undone
            else:
                self._resolve(document, text)
        latest = self.history.latest_undoable(self.base_url, self._is_here)
        return latest and self.history.whole(latest)

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

    async def _undo_sync(self, change: Change) -> None:
        raise NotImplementedError

    async def _undo_edit(self, change: Change) -> None:
        document, now = await self._fetch(change.document)
        if now.text == change.before["content"]:
            return
        try:
            self._may_edit(document.raw(), now)
        except Refused as closed:
            self.history.supersede(change)  # it stands in the way of none before it
            raise Refused(f"“{change.name}” cannot be put back. {closed.sentence}") from closed
        if now.text != change.after["content"]:
            self.history.supersede(change)
            raise Refused(f"“{change.name}” was changed again since; nothing was undone.")
        api = await self.api()
        await self._store(await api.update(change.document, content=change.before["content"]))
        if (await self._fetch(change.document))[1].text != change.before["content"]:
            raise Refused(f"The service does not keep “{change.name}” as it was before; look at it.")

    # Words that another's save replaced in the one moment nobody can guard

    async def overwritten(self) -> list[Draft]:
        """Find texts this kbtui wrote that crossed with another's save; each is a draft again.

        The service's clock counts whole seconds: a text that was last changed in the second of our own save
        is looked at once more, when that second is over.
        """
        found: list[Draft] = []
        for change in [each for each in self.history.written(self.base_url) if self._is_due(each)]:
            with suppress(Error):  # the next look at the service tries again
                found += await self._lost(change)
        return found

    def _is_due(self, change: Change) -> bool:
        """Whether the service may hold another text than this edit wrote."""
        row = self.mirror.row(change.document)
        again = change.id not in self._seen_again and time.time() > change.at + 2
        return row is not None and (row.updated > change.updated or again)

    async def _lost(self, change: Change) -> list[Draft]:
        """The draft of what another's save replaced in one document, if it did."""
        if change.document in self._writing:
            return []
        document, body = await self._fetch(change.document)
        if change.document in self._writing:  # what was read may be older than what is sent
            return []
        self._resolve(document, body.text)
        whole = self.history.whole(change)
        if whole is None or all(change.id != kept.id for kept in self.history.written(self.base_url)):
            return []
        change = whole
        kept = keeps(change.before["content"], change.after["content"], body.text)
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


def sync_image(of: Document | AutoSync | None) -> dict[str, Any] | None:
    """Settings of auto-sync, or those of a document, as the history keeps them; None where it is off."""
    settings = of if isinstance(of, AutoSync | None) else auto_sync(of.raw())
    return None if settings is None else settings._asdict()


def image(body: Body) -> dict[str, Any]:
    """A text as the history keeps it."""
    return {"content": body.text, "format": body.format}
