"""The knowledge base as a person works with it: all that a screen or a command ever talks to.

A change is kept in the history before it is sent, sent, read back, and only then is its draft dropped. What
is only read is in `access.py`, what becomes of what is sent in `changes.py`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from kbtui.changes import image
from kbtui.drafts import Draft, is_another
from kbtui.errors import Conflict, Error, NotFound, Offline, Refused
from kbtui.history import Change
from kbtui.lists import Lists
from kbtui.questions import Answer, Difference, Question, answered, compare, gone
from kbtui.rows import Body, DocumentRow

if TYPE_CHECKING:
    from kbtui.api import Api
    from kbtui.chunk_facts import Likenesses
    from kbtui.models import Document

COMMANDS = 50  # that are kept, of those that texts were given to
PATIENCE = 5.0  # seconds that a person who wants to type waits for the text of now, where one is kept here


@dataclass(frozen=True)
class Saved:
    """What became of a save.

    `state` is "saved" (read back, equal), "unchanged" (nothing was sent), or "differs" (the service keeps
    another text than was sent; it is in `service_text` and the draft stays until that is accepted).
    `draft` holds what was typed while the save was under way, on top of what was saved, if anything was.
    `change` is what the history has of it, `updated` when the service last changed it (Unix seconds).
    """

    state: str
    service_text: str = ""
    draft: Draft | None = None
    change: Change | None = None
    updated: int = 0


class AskedAgain(NamedTuple):
    """The answer to a kept question.

    `differences` tell what became of each chunk since the last one; None where there is none before it.
    `waiting` are the documents that are not in it only because they are being indexed: their names, by id.
    """

    answer: Answer
    differences: tuple[Difference, ...] | None
    waiting: dict[str, str]
    trouble: str = ""  # why it is not kept, as a sentence


class KnowledgeBase(Lists):
    """One workspace: its mirror, its history, its drafts, and the service behind them."""

    # Reading what is here

    def lines(self) -> tuple[bool, bool]:
        """Whether the lines of a text are wrapped, and whether they are numbered, as chosen last."""
        kept = self.history.recall(self.base_url, "view", "lines")
        kept = kept if isinstance(kept, dict) else {}
        return kept.get("wrap") is not False, kept.get("numbers") is True

    def remember_lines(self, *, wrap: bool, numbers: bool) -> None:
        """Keep how the lines of texts are shown."""
        self.history.remember(self.base_url, "view", "lines", {"wrap": wrap, "numbers": numbers})

    def piped(self) -> list[str]:
        """The commands that texts were given to, the newest first."""
        return self.typed_before("pipe", "commands")

    def remember_pipe(self, command: str) -> None:
        """Keep a command for another time."""
        self.remember_typed("pipe", "commands", command, COMMANDS)

    async def row_of(self, named: str) -> DocumentRow:
        """The document of an id, a name, or a path of names, by way of the mirror.

        Raises:
            NotFound: there is none.
            Refused: there are several; their ids are told.
        """
        row = self.mirror.row(named)
        if row is None:
            document = await self.find(named)
            await self._store(document)
            row = self.mirror.row(document.id)
        if row is None:
            raise NotFound("It was deleted a moment ago.")
        return row

    def edited(self) -> frozenset[str]:
        """The documents that have a draft."""
        return frozenset(draft.document for draft in self.drafts.all())

    # Chunks

    @cached_property
    def likenesses(self) -> Likenesses:
        """The chunks of all documents whose chunks were looked at."""
        from kbtui.chunk_facts import Likenesses

        return Likenesses()

    # Kept questions

    def questions(self) -> list[Question]:
        """The questions that are kept, the newest in use first."""
        return self.history.questions(self.base_url)

    def keep_question(self, question: Question) -> None:
        """Keep a question, or only name it as the newest in use."""
        self.history.keep_question(self.base_url, question)

    def forget_question(self, question: Question) -> None:
        """Forget a question and its answers."""
        self.history.forget_question(self.base_url, question)

    def last_answers(self, question: Question) -> list[Answer]:
        """The answers that are kept of a question, newest first."""
        return self.history.last_answers(self.base_url, question)

    async def ask_kept(self, question: Question) -> AskedAgain:
        """Ask a kept question again, and keep the answer, unless it lacks what is only being indexed."""
        found = await self.ask(
            question.agent,
            question.words,
            branch=question.branch,
            strategy=question.strategy,
            as_set=question.as_set,
        )
        answer = answered(found, time.time())
        before = next(iter(await asyncio.to_thread(self.last_answers, question)), None)
        differences = await asyncio.to_thread(compare, before, answer) if before else None
        went, waiting = gone(differences or ()), dict[str, str]()
        try:
            waiting = {id: went[id] for id in await self.being_indexed(went)}
            if not waiting:
                await asyncio.to_thread(self.history.remember_answer, self.base_url, question, answer)
        except Error as error:  # an answer that is here is shown
            return AskedAgain(answer, differences, waiting, error.sentence)
        return AskedAgain(answer, differences, waiting)

    # Editing

    async def begin_edit(self, id: str) -> Draft:
        """Begin to edit a document's text, or go on with the newest draft of it that nobody else types in.

        Where no answer comes, the mirror's copy is the base; the check before the save tells if it was stale.

        Raises:
            Refused: it cannot be edited, with the reason.
            errors.Error: there is no text to begin with.
        """
        kept = self._kept_draft(id, "content")
        if kept is not None:
            return kept
        here, row = self.mirror.body(id), self.mirror.row(id)
        try:
            async with asyncio.timeout(PATIENCE if here and row else None):
                document, body = await self._fetch(id)
            self._may_edit(document.raw(), body)
            name = document.name
        except (Offline, TimeoutError):
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

    def leave(self, draft: Draft, text: str, *, saving: bool = False) -> None:
        """Stop editing: a draft that says nothing new goes, every other one stays on disk."""
        writing = saving or draft.document in self._writing
        if text == draft.base and not writing:
            self.drafts.drop(draft)
            return
        if not writing and self.drafts.words(draft, draft.base) != text:
            self.drafts.rebase(draft, base=draft.base, text=text)  # it went while its editor was open
        self.drafts.flush()

    def changed_since(self, draft: Draft) -> bool:
        """Whether the service may hold another text or name than a draft began with, as far as is known here.

        What was sent from here and had no answer yet is not called a change.
        """
        row = self.mirror.row(draft.document)
        if row is None or row.updated <= draft.base_updated or self._in_doubt(draft.document):
            return False
        return is_another(row, self.kept_body(row), draft)

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
            if text == draft.base and not self._in_doubt(draft.document):
                return self._saved(draft, text, draft.base_updated, "unchanged")
            document, now = await self._fetch(draft.document)
            self._resolve(document, now.text)
            if now.text == text and not now.lossy:
                return self._saved(draft, text, now.updated, "saved")
            self._may_edit(document.raw(), now)
            if now.text != draft.base and now.text != self._sent_last(draft):
                self._seen(draft.document, draft.base)  # what became of it is shown
                raise Conflict(
                    f"“{draft.name}” was changed on the service while you edited it.",
                    base=draft.base,
                    mine=text,
                    theirs=now.text,
                )
            change, back = await self._write(document, {**image(now), "started": draft.started}, text)
            if back.text != text:
                self.history.settle(change)  # the person hears of it now
                return Saved("differs", back.text, change=change)
            return self._saved(draft, text, back.updated, "saved")

    def _saved(self, draft: Draft, text: str, updated: int, state: str) -> Saved:
        return Saved(state, draft=self.drafts.saved(draft, text, updated=updated), updated=updated)

    def _in_doubt(self, document: str) -> bool:
        return any(change.document == document for change in self.history.pending(self.base_url))

    def _sent_last(self, draft: Draft) -> str | None:
        """What the last edit of the document brought to the service, if it was one of this very draft.

        Its answer may have been lost, and somebody's own words are no conflict.
        """
        changes = self.history.changes(self.base_url, draft.document, limit=10)
        edit = next((change for change in changes if change.kind == "edit"), None)
        if edit is None or edit.state != "done" or edit.before.get("started") != draft.started:
            return None
        return str(edit.after["content"])

    async def _write(self, document: Document, before: dict[str, Any], text: str) -> tuple[Change, Body]:
        """Keep the before-image, send, read back; the text that the service holds now."""
        api = await self.api()
        with self._sending(document, "edit", before, {"content": text}) as change:
            await self._store(await api.update(document.id, content=text))
        now, back = await self._fetch(document.id)
        return self._finish(change, now), back

    async def save_as_new(self, draft: Draft, text: str) -> str:
        """Write words as a new text document, beside the one that they were typed for; its name.

        Raises:
            Refused: the service keeps another text. The draft stays.
            errors.Error: nothing was sent, or nobody knows whether it arrived. The draft stays.
        """
        self._may_write()
        self.drafts.flush()
        row = self.mirror.row(draft.document)
        name = f"{draft.name} (mine)"
        async with self._changing(draft.document):
            api = await self.api()
            try:
                created = await api.create_text(name, text, row.parent if row is not None else None)
            except Error as error:
                if error.fate_unknown:
                    sentence = f"Nobody knows whether “{name}” was made: no answer came. R shows it."
                    raise Refused(sentence) from error
                raise
            try:
                document, body = await self._fetch(created.id)
            except Error as error:
                raise Refused(
                    f"“{name}” was made, but it could not be read back: {error.sentence}"
                ) from error
        if body.text != text:
            raise Refused(f"“{document.name}” was made, but the service holds another text than was sent.")
        self.drafts.drop(draft)
        return document.name

    def accept(self, draft: Draft, sent: str, saved: Saved) -> None:
        """Another text than was sent is on the service, and the person agrees; what was sent is kept here."""
        change = self.history.whole(saved.change) if saved.change else None
        if change is not None and change.state == "done":
            after = {"content": saved.service_text}
            self.history.finish_change(change, updated=change.updated, after=after)
        self.give_way(draft, sent)

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
