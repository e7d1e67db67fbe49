"""Taking back: the last change, and what was before any that the history of a document keeps."""

from __future__ import annotations

import time

from kbtui.content import safe
from kbtui.drafts import Draft
from kbtui.history import Change
from kbtui.rows import DocumentRow
from kbtui.sources import settings_of
from kbtui.tui.background import background
from kbtui.tui.sourcing import Sourcing


class TakingBack(Sourcing):
    """What `KbApp` does to undo and to put back; a part of it in a file of its own."""

    def do_change_undo(self) -> None:
        self.undo(self.beneath())

    @background("save", exclusive=False)
    async def undo(self, here: str) -> None:
        """Take back the latest change, after a question if it is not of the document `here`."""
        from kbtui.tui.screens.question import Question

        change = self.kb.undoable()
        if change is not None and change.document != here:
            title = f"Undo the {change.kind} of “{safe(change.name[:80])}”?"
            if not await self._ask(
                Question(
                    self,  # type: ignore[arg-type]
                    title,
                    f"That is the last change, of {_when(change)}, and not the document under the cursor.",
                    "Undo",
                )
            ):
                return
        self.tell(await self.kb.undo(change))
        self.relist()
        if change is not None and change.kind != "rename":
            self.content_saved(change.document)

    def restore(self, row: DocumentRow, change: Change) -> None:
        """Put back what was before a change, or words that gave way: a name at once, a text in the editor."""
        if change.kind == "auto-sync":
            self.set_auto_sync(row, settings_of(change.before), "")
        elif change.kind == "rename":
            draft, was = self.kb.begin_rename(row), change.before["name"]
            if self._is_free(draft, was):
                self.send_name(draft, was)
        else:
            self.begin_holding()  # as for any text that is about to be edited
            self._restore(row.id, change)

    @background("edit")
    async def _restore(self, id: str, change: Change) -> None:
        was = (change.after if change.kind == "draft" else change.before)["content"]

        async def begin() -> Draft | None:
            draft = await self._begin_edit(id)
            free = self._is_free(draft, was)
            return self.kb.drafts.rebase(draft, base=draft.base, text=was) if free else None

        when, saves = _when(change), self._key("edit.save")
        words = f"The text as it was before the change of {when}; {saves} saves it."
        if change.kind == "draft":
            words = f"Your words that gave way at {when}; {saves} saves them."
        await self._open_editor(begin, words=words)

    def _is_free(self, draft: Draft, was: str) -> bool:
        """Whether `was` can be put back in a draft: it has no words of its own, and says something else."""
        if draft.text != draft.base:
            self.tell("There is a draft of this document: save or discard it first (gd lists it).", "warn")
            return False
        if was == draft.base:
            self.kb.leave(draft, was)
            self.tell("That is how it is now.")
            return False
        return True


def _when(change: Change) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(change.at))
