"""Marking documents in the list of Browse: one, a range, all that are shown, or the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from kbtui.filters import is_about
from kbtui.marks import MOST
from kbtui.rows import FOLDER
from kbtui.tui.background import background
from kbtui.tui.panes import RANKED_AT_ONCE, Panes
from kbtui.tui.widgets.folder_tree import count, counted

if TYPE_CHECKING:
    from kbtui.views import Listing

Done = Callable[[Mapping[str, int]], None]


class Marking(Panes):
    """What is marked, by id: it stays whatever is shown."""

    def do_list_mark(self) -> None:
        row = self.documents.row
        if row is None or self.pane == "tree":
            self.tell("Documents and folders are marked in the list: 2 goes there.")
        elif self.documents.begun is not None and self.pane == "list":
            self.do_range_mark()
        else:
            self.kb.marks.turn(row.id, 0 if row.type == FOLDER else row.size)
            self.documents.refresh_line(self.documents.cursor)
            if self.pane == "list":
                self.documents.move("down")
            self._marked_otherwise()

    def do_list_unmark(self) -> None:
        self.kb.marks.drop()
        self.documents.refresh()
        self._marked_otherwise()

    def do_list_range(self) -> None:
        """Begin a range where the cursor stands; or end and mark it."""
        documents, row = self.documents, self.documents.row
        if self.pane != "list" or row is None:
            self.tell("A range of marks begins in the list: 2 goes there.")
        elif documents.begun is None:
            documents.begin_range(row.id)
            self.show_footer()
        else:
            self.do_range_mark()

    def do_range_mark(self) -> None:
        """Mark what the range holds, or unmark it if it began on a mark."""
        if self.pane == "list":
            self._mark_range()
        else:
            self.tell("A range of marks is in the list: 2 goes there.")

    def settle_range(self) -> None:
        """Mark the range that was begun before other documents come to stand in it."""
        if self.documents.begun is not None:
            done = "unmarked" if self.documents.begun in self.kb.marks else "marked"
            self.tell(f"The range ends here: {counted(len(self.documents.range), 'document')} {done}.")
            self._mark_range()

    def _mark_range(self) -> None:
        documents, marks = self.documents, self.kb.marks
        chosen = documents.range
        done = marks.drop if documents.begun in marks else marks.add
        documents.end_range()
        self._mark(chosen.start, chosen.stop, done)

    def leave_range(self) -> bool:
        """Give the range up that was begun; False where there is none."""
        if self.documents.begun is None:
            return False
        self.documents.end_range()
        self.show_footer()
        return True

    def do_range_drop(self) -> None:
        self.leave_range()

    def do_list_mark_all(self) -> None:
        self._mark(0, self.documents.count, self.kb.marks.add)
        self._tell_if_reading("marked")

    def do_list_mark_others(self) -> None:
        self._mark(0, self.documents.count, self.kb.marks.invert)
        self._tell_if_reading("looked at")

    def _tell_if_reading(self, done: str) -> None:
        """That there may be more than what is shown, where not all has been read yet."""
        if not self.kb.mirror.swept():
            here = counted(self.documents.count, "document")
            self.tell(f"{here} {done}, and the list is still being read: more may come.", "warn")

    def _mark(self, start: int, stop: int, done: Done) -> None:
        """Have something done with the marks of these lines; many take a moment."""
        if stop - start > MOST:
            here = counted(stop - start, "document")
            self.tell(f"{here} are too many to mark: at most {count(MOST)}. / filters them first.", "warn")
        elif self.documents.listing is None:
            return
        elif stop - start > RANKED_AT_ONCE:
            self._mark_many(self.documents.listing, start, stop, done)
        else:
            self._done(done, self.kb.mirror.listed(self.documents.listing, start, stop))

    @background("marking")
    async def _mark_many(self, listing: Listing, start: int, stop: int, done: Done) -> None:
        self._done(done, await asyncio.to_thread(self.kb.mirror.listed, listing, start, stop))

    def _done(self, done: Done, sizes: Mapping[str, int]) -> None:
        done(sizes)
        self.documents.refresh()
        self._marked_otherwise()

    def _marked_otherwise(self) -> None:
        """What is shown may be about the marks."""
        if is_about(self.shown, "marked"):
            self.relist()
        self.show_footer()

    # As the mirror moves

    def weigh_marks(self) -> None:
        """Let go of what is gone from the service, and tell the size of the rest."""
        if len(self.kb.marks) > RANKED_AT_ONCE:
            self._weigh_many()
        elif self.kb.marks:
            ids = self.kb.marks.ids
            self._weighed(ids, self.kb.mirror.sizes(ids))

    @background("weighing")
    async def _weigh_many(self) -> None:
        ids = self.kb.marks.ids
        self._weighed(ids, await asyncio.to_thread(self.kb.mirror.sizes, ids))

    def _weighed(self, ids: Iterable[str], sizes: Mapping[str, int]) -> None:
        if self.kb.mirror.swept():  # else what is marked may be on the way
            self.kb.marks.drop([id for id in ids if id not in sizes])
        self.kb.marks.weigh(sizes)
