"""The editor: the text of one document, in its own format."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.widgets import TextArea

from kbtui.content import safe
from kbtui.differences import differing, moved
from kbtui.placing import Passages
from kbtui.tui.background import background
from kbtui.tui.seeking import Seeking
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Line, Part, cells, joined
from kbtui.tui.widgets.words import Words

if TYPE_CHECKING:
    from kbtui.drafts import Draft
    from kbtui.knowledge_base import Saved
    from kbtui.tui.app import KbApp

NAME = 24  # cells of the name that are left to it, whatever is told beside it
AROUND = len(" ●  ")


class Editor(Seeking):
    """Edits a draft. Every key is journalled; leaving keeps the draft; saving is the app's work."""

    places = ("editor",)

    def __init__(self, app: KbApp, draft: Draft, passage: str = "") -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self.kb = app.kb
        self.draft = draft
        self._header = Line("header")
        html = draft.format == "html"
        self.area = Words(draft.text, "words", self.show_lines, self.show_footer, tags=html)
        self.saving = False
        self._obstacle = ""  # why the text cannot be saved any more, in a few words
        self._changed = False  # others saved another text since
        self._looked: tuple[int, Draft] | None = None  # for whom which version of the mirror was asked
        self._passage = passage
        self._place = safe(self.kb.place(draft.document))

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.area
        yield self._bar
        yield Line("footer")

    @property
    def dirty(self) -> bool:
        return self.text != self.draft.base

    def on_mount(self) -> None:
        self.set_focus(self.area)
        self.show_lines()
        if self._passage:
            self._go_to(self._passage)
        elif self.dirty:  # where one was typing last, or nearly
            _, _, end = differing(self.draft.base, self.text)
            self.area.move_cursor(self.area.document.location_of(end), center=True)

    def on_screen_resume(self) -> None:
        self._looked = None  # what lay over it may have asked for the text of now
        self.show_lines()

    @background("passage")
    async def _go_to(self, passage: str) -> None:
        """Put the cursor where a passage stands, if it stands anywhere and nothing was done meanwhile."""
        text, here = self.text, self.area.cursor_location
        (place,) = await asyncio.to_thread(lambda: Passages(text).place([passage]))
        if place is not None and self.area.cursor_location == here and self.text == text:
            self.area.move_cursor(self.area.document.location_of(place.start), center=True)

    def show_lines(self) -> None:
        dirty = self.dirty
        mark: Part = ("● ", "warn") if dirty else ("  ", "")
        name = safe(self.draft.name[:300])
        room = self.app.size.width - min(cell_len(name), NAME) - AROUND
        self._header.show(
            [(" ", ""), mark, (name, "strong"), (f"  {self._place}", "dim")], joined(self._told(dirty, room))
        )
        self.show_found()
        self.show_footer()

    def _told(self, dirty: bool, room: int) -> list[Part]:
        """How the words stand, and the line; of these, what so many cells have room for, the first surely."""
        unsafe = self.kb.drafts.trouble
        facts: list[Part] = [(f"drafts are not safe: {unsafe}", "bad")] if unsafe else []
        facts += self._state(dirty)
        facts += self.kbapp.amiss(room - cells(joined([*facts, ("", "")])))
        facts.append((safe(self.draft.format), "dim"))
        while len(facts) > 1 and cells(joined(facts)) > room:
            facts.pop()
        return facts

    def _state(self, dirty: bool) -> list[Part]:
        """How the words stand to those of the service."""
        if self.saving:
            return [("saving …", "warn")]
        self._look_at_the_mirror()
        if self._obstacle:
            return [(f"✕ cannot be saved: {self._obstacle}", "bad")]
        changed: list[Part] = [("changed by others", "warn")] if self._changed else []
        if dirty:
            return [("not saved yet", "warn"), *changed]
        return changed or [("as seen last" if self.kbapp.trouble else "as in the service", "dim")]

    def _look_at_the_mirror(self) -> None:
        """Find out whether the text is still the one of now, and could be saved; tell what has changed."""
        version = self.kb.mirror.version
        if self._looked is not None and self._looked[0] == version and self._looked[1] is self.draft:
            return
        self._looked, before = (version, self.draft), self._obstacle
        self._changed = self.kb.changed_since(self.draft)
        row = self.kb.mirror.row(self.draft.document)
        if row is None:
            self._obstacle = "it is gone from the service" if self.kb.mirror.swept() else ""
        elif row.role in ("viewer", "commenter"):
            self._obstacle = f"your role is {row.role}"
        else:
            reason = re.split("[:.,]", row.lock or "")[0]
            self._obstacle = reason[:1].lower() + reason[1:]
        if self._obstacle and not before:
            words = f"It cannot be saved any more: {self._obstacle}. Your words stay here."
            if row is None and self.dirty:
                words = self.kbapp.told_of_gone(self.draft)
            self.tell(words, "warn")

    def facts(self) -> list[Part]:
        row, column = self.area.cursor_location
        return [(f"line {count(row + 1)}/{count(self.area.document.line_count)} col {column + 1} ", "dim")]

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._journal()

    def _journal(self) -> None:
        # The writer thread takes the lines itself: a copy of the list is one step, whatever the loop does.
        document = self.area.document
        self.kb.drafts.typed(self.draft, lambda: document.newline.join(list(document.lines)))

    def do_text(self, by: str) -> None:
        """What the text area does at a key; `by` is the end of a `text.…` command."""
        act = getattr(self.area, f"action_{by}", None)
        with suppress(SkipAction):  # nothing is selected
            if act is not None:
                act()
            else:
                getattr(self.area, f"action_cursor_{by.removeprefix('select_')}")(True)

    def do_text_document_start(self) -> None:
        self.area.move_cursor((0, 0))

    def do_text_document_end(self) -> None:
        self.area.move_cursor(self.area.document.end)

    def do_text_delete_to_line_end(self) -> None:
        if self.area.selection.is_empty and self.area.cursor_at_end_of_line:
            self.area.action_delete_right()
        else:
            self.area.action_delete_to_end_of_line()

    def do_edit_changes(self) -> None:
        from kbtui.tui.screens.difference import Difference

        self.kbapp.push_screen(Difference(self.kbapp, self.draft, self.text))

    def do_edit_save(self) -> None:
        if not self.saving:
            self.kbapp.save(self)

    def do_edit_leave(self) -> None:
        if self.close_line():  # the keys were in the text, by a click
            return
        self.kb.leave(self.draft, self.text, saving=self.saving)
        self.dismiss()

    def close(self) -> None:
        self.do_edit_leave()

    def do_edit_outside(self) -> None:
        if self.saving:
            self.tell("One thing after the other: the text is being saved.", "warn")
        else:
            self.kbapp.away = True  # from this key on
            self._go_outside()

    @background("edit")
    async def _go_outside(self) -> None:
        from kbtui.tui.outside import edit_outside

        try:
            await edit_outside(self.kbapp, self.draft, back=True)
        finally:
            self.kbapp.away = False
        self._hold(self.kb.drafts.adopt(self.draft).text)

    def take(self, draft: Draft) -> None:
        """Go on with what became of the draft beside its own words."""
        self.draft = draft
        self._hold(draft.text)

    def _hold(self, text: str) -> None:
        """Go on with what was made of the text elsewhere; undo takes all of it back in one step."""
        if text == self.text:
            return
        area, body = self.area, self.area.document
        begin, gone, came = differing(self.text, text)
        here = moved(self.text, text, body.index_of(area.cursor_location))
        if body.holds(text):
            area.put(text[begin:came], body.location_of(begin), body.location_of(gone))
        else:  # line ends of more than one kind, where there was one
            area.load_text(text)
        area.move_cursor(area.document.location_of(here), center=True)
        self._typed()
        self.show_lines()

    def do_edit_discard(self) -> None:
        if self.saving:
            self.tell("One thing after the other: the text is being saved.", "warn")
        else:
            self._discard()

    @background("discard")
    async def _discard(self) -> None:
        from kbtui.tui.screens.question import Question

        loss = f"What you changed in “{safe(self.draft.name[:80])}” since the last save is lost for good."
        if await self.kbapp.push_screen_wait(Question(self.kbapp, "Discard the draft?", loss, "Discard")):
            self.kb.drafts.drop(self.draft)
            self.dismiss()
            self.tell("Draft discarded.")

    def saved(self, saved: Saved, text: str) -> None:
        """The service holds `text` now; what is typed from here on is a draft on top of it."""
        if not self.is_attached:
            return
        self.draft = saved.draft or self.kb.drafts.begin(
            document=self.draft.document,
            name=self.draft.name,
            field="content",
            format=self.draft.format,
            base=text,
            base_updated=saved.updated,
        )
        self._journal()
        self.show_lines()
