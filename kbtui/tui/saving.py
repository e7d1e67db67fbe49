"""The work that must finish: edits, saves and renames belong to the app, whatever screen is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kbtui.commands import BY_ID
from kbtui.content import safe
from kbtui.differences import Hunk, hunks, unresolved
from kbtui.drafts import Draft
from kbtui.errors import Conflict, Error, MissingPermission, NotFound
from kbtui.keymap import Keymap, show_key
from kbtui.rows import DocumentRow
from kbtui.tui.background import background
from kbtui.tui.holding import Holding
from kbtui.tui.keyboard import CommandScreen

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase, Saved
    from kbtui.tui.keyboard import Answer
    from kbtui.tui.screens.conflict import Decision
    from kbtui.tui.screens.editor import Editor
    from kbtui.tui.screens.question import Asking


GOING_ON = "Going on with your draft of this document."
SAFE = "Your words are safe here as a draft"


class Saving(Holding):
    """What `KbApp` does with words; a part of it in a file of its own."""

    calm = 0.6  # seconds without a key before a question appears that nobody asked for
    kb: KnowledgeBase
    keymap: Keymap
    lent = False  # another program has the terminal
    may_only_read = False  # the service said so of the key when something was to be changed
    leaving = False  # what is under way is waited for, and nothing else

    def here(self) -> DocumentRow:
        """The document under the cursor at the moment a key was pressed."""
        raise NotImplementedError

    def failed(self, error: Error, sentence: str = "") -> None:
        raise NotImplementedError

    def beneath(self) -> str:
        """Its id, or "" where there is none."""
        raise NotImplementedError

    def relist(self) -> None:
        """Draw the list anew: there may be drafts now, or none any more."""
        raise NotImplementedError

    def content_saved(self, document: str) -> None:
        """Tell all screens that a text was saved."""
        raise NotImplementedError

    def reached(self) -> None:
        """The service has answered: if it was thought to be away, look at it."""
        raise NotImplementedError

    def look_again(self, told: str = "") -> None:
        """Find out at once how it stands with the service."""
        raise NotImplementedError

    def stay(self) -> None:
        """Call leaving off, where it waits for a save."""
        raise NotImplementedError

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._sent = asyncio.Condition()
        self._sending: list[tuple[str, str]] = []  # documents and what of them is being saved

    def is_sending(self, document: str, field: str) -> bool:
        """Whether a name or a content is on its way to the service."""
        return (document, field) in self._sending

    def sending(self) -> Sequence[tuple[str, str]]:
        """What is being saved: documents, and what of them."""
        return tuple(self._sending)

    async def _sent_off(self, draft: Draft) -> None:
        """A save of this draft has ended, one way or the other."""
        self._sending.remove((draft.document, draft.field))
        for screen in self.screen_stack:
            if isinstance(screen, CommandScreen):
                screen.heard_of_drafts()
        async with self._sent:
            self._sent.notify_all()

    async def _all_sent(self, document: str) -> None:
        """Wait until no save of the text is under way: an editor would go on with a draft that goes."""
        async with self._sent:
            await self._sent.wait_for(lambda: not self.is_sending(document, "content"))

    async def _quiet(self) -> None:
        """Wait until the person neither types nor looks at something that a question would cover."""
        while self._is_occupied():  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(0.05)

    def _is_occupied(self) -> bool:
        from kbtui.tui.screens.browse import Browse
        from kbtui.tui.screens.editor import Editor

        typing = time.monotonic() - self.last_key < self.calm
        looking = not self.leaving and not isinstance(self.screen, Browse | Editor)
        return typing or self.away or looking

    async def _ask(self, question: Asking[Answer]) -> Answer:
        """Ask in the middle of the work; a person who was leaving stays to answer."""
        self.clear_notifications()  # none lies over what is asked about
        self.stay()
        return await self.push_screen_wait(question)

    # Edit

    def do_document_edit(self, outside: bool = False) -> None:
        self.begin_holding()  # from this key on, not only when the worker begins
        self.edit(self.here().id, outside)

    def edit_at(self, id: str, passage: str) -> None:
        """Open the editor on a document, the cursor where a passage stands."""
        self.begin_holding()
        self.edit(id, outside=False, passage=passage)

    def do_document_edit_outside(self) -> None:
        self.do_document_edit(outside=True)

    @background("edit")
    async def edit(self, id: str, outside: bool, passage: str = "") -> None:
        """Open the editor on a document, or $EDITOR where that is wished."""
        await self._open_editor(partial(self._begin_edit, id), outside, passage)

    async def _begin_edit(self, id: str) -> Draft:
        await self._all_sent(id)
        asked = time.time()
        draft = await self.kb.begin_edit(id)
        failed = self.kb.requests.failed()
        if failed is not None and failed.at >= asked:  # it begins with what was here
            self.look_again()
        return draft

    async def _open_editor(
        self,
        begin: Callable[[], Awaitable[Draft | None]],
        outside: bool = False,
        passage: str = "",
        words: str = GOING_ON,
    ) -> None:
        """Open an editor on a draft that is about to begin; None: there is nothing to be edited after all."""
        held, draft = self.held, None
        told = asyncio.Event()
        slow = self.set_timer(0.4, lambda: self._tell_opening(told))
        try:
            draft = await begin()
            slow.stop()
            if told.is_set():
                self.clear_notifications()  # Esc means something else now
            if draft is not None:
                await self.go_on(draft, outside, passage, words)
        finally:
            slow.stop()
            if draft is None and self.held is held:
                self.give_up_holding()
            elif outside and self.held is held:
                self.held = None  # $EDITOR had keys of its own
        await self.release()

    def _tell_opening(self, told: asyncio.Event) -> None:
        self.tell("Opening the text … Esc gives up.")
        told.set()

    async def go_on(
        self, draft: Draft, outside: bool = False, passage: str = "", words: str = GOING_ON
    ) -> None:
        """Open the editor on a draft; `words` say what it is where it does not say what its base says."""
        if draft.text != draft.base:
            self.tell(words)
        if outside:
            from kbtui.tui.outside import edit_outside

            text = await edit_outside(self, draft)  # type: ignore[arg-type]
            if text is not None:
                self.send(draft, text)
        else:
            from kbtui.tui.screens.editor import Editor

            editors = (screen for screen in self.screen_stack if isinstance(screen, Editor))
            if all(editor.draft.id != draft.id for editor in editors):
                await self.push_screen(Editor(self, draft, passage))  # type: ignore[arg-type]

    def resume(self, draft: Draft) -> None:
        """Go on with a draft: in the editor, or by sending the name it holds."""
        sending = self.is_sending(draft.document, draft.field)
        if draft.field == "name":
            self._resume_name(draft, sending)
            return
        self.begin_holding()
        if sending:  # the words that come after those are another draft
            self.edit(draft.document, outside=False)
        else:
            self._resume(draft)

    def _resume_name(self, draft: Draft, sending: bool) -> None:
        if sending:
            self.tell("This name is on its way to the service.")
        else:
            draft = self.kb.drafts.adopt(draft)
            self.send_name(draft, draft.text)

    @background("edit")
    async def _resume(self, draft: Draft) -> None:
        async def begin() -> Draft:
            return self.kb.drafts.adopt(draft)

        await self._open_editor(begin)

    # Save

    def save(self, editor: Editor) -> None:
        """Save what the editor holds; the editor stays open, on the text that was saved."""
        editor.saving = True
        editor.show_lines()
        self.send(editor.draft, editor.text, editor)

    def send(self, draft: Draft, text: str, editor: Editor | None = None) -> None:
        """Save a text, of one of our editors or of none."""
        self._sending.append((draft.document, draft.field))  # from this key on
        self._save(draft, text, editor)

    @background("save", exclusive=False)
    async def _save(self, draft: Draft, text: str, editor: Editor | None) -> None:
        try:
            await self._send(draft, text, editor)
        except Error as error:
            open_ = editor is not None and editor.is_attached  # a decision of a conflict may close it
            self._not_saved(error, draft, "edit.save" if open_ else "go.drafts")
        finally:
            await self._sent_off(draft)
            if editor is not None:
                editor.saving = False
                if editor.is_attached:
                    editor.show_lines()

    def _not_saved(self, error: Error, draft: Draft, next_: str) -> None:
        """Say what went wrong, that the words are safe, and what goes on with them."""
        words = f"{error.sentence} {SAFE}; {self._key(next_)} goes on with them."
        if isinstance(error, NotFound):
            words = self.told_of_gone(draft, f"{self._key(next_)} goes on with them")
        self.may_only_read |= isinstance(error, MissingPermission)
        self.failed(error, words)

    def told_of_gone(self, draft: Draft, on: str = "") -> str:
        """That the document of a draft is not there any more, and what becomes of the words."""
        if draft.field == "content":
            drafts, new = self._key("go.drafts"), self._key("choose.new")
            on = f"{drafts} shows it, {new} there makes a new document"
        return f"“{_name(draft)}” is not on the service any more. {SAFE}; {on}."

    def _key(self, id: str) -> str:
        return show_key(self.keymap.keys(BY_ID[id])[0])

    async def _send(self, draft: Draft, text: str, editor: Editor | None) -> None:
        """Save a text, asking as often as the service holds something that has not been seen."""
        if not await self._is_meant(draft, text):
            return
        while True:
            try:
                saved = await self.kb.save(draft, text)
            except Conflict as conflict:
                settled = await self._settle(draft, text, conflict, editor)
                if settled is None:
                    return
                draft, text, editor = settled
                continue
            if saved.state == "differs":
                await self._accept(draft, text, saved, editor)
                return
            if editor is not None:
                editor.saved(saved, text)
            if saved.state == "saved":
                self.content_saved(draft.document)
            self.reached()
            self.tell(
                "Nothing to save." if saved.state == "unchanged" else f"Saved, verified: {_name(draft)}."
            )
            return

    async def _is_meant(self, draft: Draft, text: str) -> bool:
        """Ask about a text that hardly anybody wants an agent to have."""
        from kbtui.tui.screens.question import Question

        name = _name(draft)
        if unresolved(text):
            title, verb = f"Save “{name}” with conflict marks?", "Save with the marks"
            loss = (
                "The text still holds lines that begin with <<<<<<< mine or >>>>>>> theirs. "
                "Agents would read them as words."
            )
        elif draft.base.strip() and not text.strip():
            title, verb = f"Save “{name}” without a word in it?", "Save it empty"
            loss = "Agents will find nothing here. u would bring the present text back."
        else:
            return True
        await self._quiet()
        return await self._ask(Question(self, title, loss, verb))  # type: ignore[arg-type]

    async def _settle(
        self, draft: Draft, text: str, conflict: Conflict, editor: Editor | None
    ) -> tuple[Draft, str, Editor | None] | None:
        """Ask what to do with two texts; what is to be saved now, and of which editor, or None."""
        from kbtui.tui.screens.conflict import ConflictScreen

        base, theirs, mine = conflict.base, conflict.theirs, ""
        found: list[Hunk] | None = None
        # Again where something was typed, or opened over the editor, while they were compared.
        while found is None or self._is_occupied() or mine != self.kb.drafts.words(draft, text):
            await self._quiet()
            mine = self.kb.drafts.words(draft, text)
            found = await asyncio.to_thread(hunks, base, mine, theirs)
        both = Conflict(conflict.sentence, base=base, mine=mine, theirs=theirs)
        decision = await self._ask(ConflictScreen(self, _name(draft), both, found))  # type: ignore[arg-type]
        here = editor is not None and editor in self.screen_stack
        if decision.what == "mine":
            draft = self.kb.drafts.rebase(draft, base=theirs)
            if editor is not None:
                editor.draft = draft
            return draft, text, editor
        if decision.what == "back":
            if not here:
                await self.go_on(self.kb.drafts.adopt(draft))
            return None
        gives_way = decision.what == "theirs" or (decision.what == "save" and decision.text == theirs)
        while (gives_way or decision.what == "new") and editor in self.screen_stack:
            self.pop_screen()  # the draft is gone: what would be typed in its editor now is kept nowhere
        if decision.what == "new":
            await self._save_as_new(draft, mine)
        elif gives_way:
            self.kb.give_way(draft, mine)
            self.tell("Kept theirs; u brings your words back as a draft.")
        else:
            return await self._go_on_with(draft, decision, theirs, editor if here else None)
        return None

    async def _go_on_with(
        self, draft: Draft, decision: Decision, theirs: str, editor: Editor | None
    ) -> tuple[Draft, str, Editor | None] | None:
        """Take what both sides make, in the editor if it is open; what is to be saved now, if anything is."""
        draft = self.kb.drafts.rebase(draft, base=theirs, text=decision.text)
        if editor is not None:
            editor.take(draft)
        if decision.what == "save":
            return draft, decision.text, editor
        if editor is None:
            await self.go_on(draft)
        return None

    async def _save_as_new(self, draft: Draft, text: str) -> None:
        """Write words as a document of their own; the one they were typed for stays as it is."""
        name = await self.kb.save_as_new(draft, text)
        self.reached()
        self.relist()
        self.tell(f"Saved, verified, as a new document: {safe(name[:80])}. No agent uses it yet.")

    def save_as_new(self, draft: Draft) -> None:
        """Write a draft as a document of its own, where its document is gone or not to be changed."""
        self._sending.append((draft.document, draft.field))  # from this key on
        self._write_new(draft)

    @background("save", exclusive=False)
    async def _write_new(self, draft: Draft) -> None:
        from kbtui.tui.screens.question import Question

        title = "Write this draft as a new document?"
        loss = f"“{_name(draft)} (mine)” is made, which no agent uses yet, and the draft goes."
        try:
            if await self._ask(Question(self, title, loss, "Write it")):  # type: ignore[arg-type]
                draft = self.kb.drafts.adopt(draft)
                await self._save_as_new(draft, draft.text)
        except Error as error:
            self._not_saved(error, draft, "go.drafts")
        finally:
            await self._sent_off(draft)

    async def _accept(self, draft: Draft, text: str, saved: Saved, editor: Editor | None) -> None:
        """The service holds another text than was sent: show both, the person decides."""
        from kbtui.tui.screens.conflict import Differs

        theirs = saved.service_text
        await self._quiet()
        accepted = await self._ask(Differs(self, _name(draft), text, theirs))  # type: ignore[arg-type]
        here = editor is not None and self.screen is editor
        if accepted and self.kb.drafts.words(draft, text) == text:
            self.kb.accept(draft, text, saved)
            while editor in self.screen_stack:
                self.pop_screen()
            self.tell(f"Accepted as the service holds it: {_name(draft)}.")
            return
        draft = self.kb.drafts.rebase(draft, base=theirs)
        if editor is not None and here:
            editor.draft = draft
            editor.show_lines()
        else:
            await self.go_on(draft)

    # Rename

    def send_name(self, draft: Draft, name: str) -> None:
        """Send a name; what was typed stays a draft until the service has it."""
        self._sending.append((draft.document, draft.field))
        self._rename(draft, name)

    @background("save", exclusive=False)
    async def _rename(self, draft: Draft, name: str) -> None:
        try:
            await self._send_name(draft, name)
        except Error as error:
            self._not_saved(error, draft, "document.rename")
        finally:
            await self._sent_off(draft)

    async def _send_name(self, draft: Draft, name: str) -> None:
        try:
            saved = await self.kb.rename(draft, name)
        except Conflict as conflict:
            self.kb.drafts.rebase(draft, base=conflict.theirs, text=name)
            self.tell(f"{conflict.sentence} r and Enter use your name all the same.", "warn")
            return
        self.reached()
        if saved.state == "saved":
            self.tell("Renamed; u takes it back.")
        elif saved.state == "differs":
            self.tell(
                f"The service keeps the name “{saved.service_text[:80]}”. Yours is safe here as a draft; "
                "r and Enter send it again.",
                "warn",
            )


def _name(draft: Draft) -> str:
    return safe(draft.name[:80])
