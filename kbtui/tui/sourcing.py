"""Pages that are fetched again, at once or by auto-sync: what the app does about the sources of documents."""

from __future__ import annotations

import time

from kbtui.content import safe
from kbtui.rows import FOLDER, AutoSync, DocumentRow
from kbtui.sources import in_words
from kbtui.tui.background import background
from kbtui.tui.saving import Saving
from kbtui.tui.widgets.folder_tree import count


class Sourcing(Saving):
    """What `KbApp` does with sources; a part of it in a file of its own."""

    def do_sync_refresh(self) -> None:
        raise NotImplementedError

    def do_document_refetch(self) -> None:
        self.refetch(self.here())

    @background("save", exclusive=False)
    async def refetch(self, row: DocumentRow) -> None:
        """Have the service fetch a URL document's page again, after a question: words could be lost."""
        from kbtui.tui.screens.question import Question

        edit = self.kb.edited_by_hand(row.id)
        lost = "Edits made by hand are overwritten."
        if edit is not None:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(edit.at))
            lost = f"Your edit of {when} is overwritten; gl keeps its words."
        back = f"u cannot put it back. {row.lock}" if row.lock else "u brings the present text back."
        if not await self._ask(
            Question(
                self,  # type: ignore[arg-type]
                f"Fetch “{safe(row.name[:80])}” again?",
                f"The page as it is now replaces the text. {lost} {back}",
                "Fetch again",
            )
        ):
            return
        sizes = await self.kb.refetch(row.id)
        if sizes is None:
            self.tell("Fetched again: the text of the page is as it was.")
        else:
            before, after = map(count, sizes)
            self.tell(f"Fetched again: {before} bytes before, {after} now; gl shows what changed.")
        self.content_saved(row.id)

    @background("save", exclusive=False)
    async def set_auto_sync(self, row: DocumentRow, wanted: AutoSync | None, children: str) -> None:
        """Send settings of auto-sync, and say what holds then."""
        held = await self.kb.set_auto_sync(row.id, wanted, children)
        self.reached()
        self.relist()
        self.tell(f"Auto-sync of “{safe(row.name[:80])}” is {in_words(held)}.")
        if children and row.type == FOLDER:
            self.do_sync_refresh()  # what is in it has other settings now
