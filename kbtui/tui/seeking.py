"""The line over the footer of the editor: for words to find, for others to put there, for a line to go to."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from textual.containers import Horizontal

from kbtui.seeking import Hits, heeds_case, sought
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import count, counted
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.widgets.words import Words

LONGEST = 200  # characters of what was selected that are looked for
AT_ONCE = 0.01  # seconds for which a typed character waits, so that the number of hits comes in its frame


class Seeking(CommandScreen[None]):
    """The commands of the places "find", "replace" and "line", and those of the editor that lead there.

    The hit that was gone to is what is selected in the text.
    """

    area: Words

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._words = ""  # that were looked for last
        self._from = (0, 0)  # where the cursor stood when the search began
        self._replaced = ("", 0)  # a text in which that many hits have just been replaced
        self._hits: Hits | None = None  # of the words, in the text as it was when they were counted
        self._label, self._then, self._found = Line("label"), Line("then"), Line("found")
        self._field = Field("sought", heard=self._heard)
        self._instead = Field("instead", "nothing: each hit is taken out")
        self._bar = Horizontal(self._label, self._field, self._then, self._instead, self._found, id="bar")
        self._bar.display = False
        self._asks_for = ""  # the place that the line is open for

    @property
    def text(self) -> str:
        return self.area.document.text

    def here(self) -> tuple[str, ...]:
        focused = self.focused
        return (self._asks_for,) if focused in (self._field, self._instead) else self.places

    # The line

    def _open(self, place: str, label: str, value: str) -> None:
        if not self._bar.display:
            self._from = min(self.area.selection)
        self._asks_for = ""  # what is put into the field was not typed there
        self._field.value = value
        self._field.action_select_all()
        self._asks_for = place
        self._label.show([(f" {label} ", "dim")])
        self._then.show([(" with ", "dim")])
        self._then.display = self._instead.display = place == "replace"
        self.app.clear_notifications()  # none lies over what is typed
        self._bar.display = True
        self.set_focus(self._instead if place == "replace" else self._field)
        self.show_found()
        self.show_footer()

    def close_line(self) -> bool:
        """Give the keys back to the text; False where they were there."""
        if not self._bar.display:
            return False
        self._bar.display = False
        self._asks_for = ""
        self.area.mark(None, 0)
        self.set_focus(self.area)
        self.show_footer()
        return True

    def show_found(self) -> None:
        """Say how many hits there are, and which of them is selected."""
        if not self._bar.display:
            return
        parts: list[Part] = []
        if self._asks_for == "line":
            parts = [(f"of {count(self.area.document.line_count)} ", "dim")]
        elif (hits := self._count()) is not None:
            case = "this case" if heeds_case(self._words) else "any case"
            number = hits.number(*self._selected())
            if self._replaced[0] is self.text:
                parts = [(f"{count(self._replaced[1])} replaced", "good")]
            elif not hits.done:
                parts = [("… hits", "dim")]
            elif number is not None:
                parts = [(f"{count(number + 1)} of {count(len(hits.spans))}", "strong")]
            else:
                parts = [(counted(len(hits.spans), "hit"), "" if hits.spans else "warn")]
            parts.append((f", {case} ", "dim"))
        self._found.show([], parts)

    def _count(self) -> Hits | None:
        """The hits in the text as it is now; what takes longer than a moment is found in the background."""
        pattern = sought(self._words)
        if pattern is None:
            self._hits = None
        elif self._hits is None or self._hits.text is not self.text or self._hits.pattern != pattern:
            hits = self._hits = Hits(self.text, pattern, len(self._words))
            deadline = time.monotonic() + AT_ONCE
            while not hits.done and time.monotonic() < deadline:
                hits.look()
            if not hits.done:
                self._look_on(hits)
        return self._hits

    @background("hits")
    async def _look_on(self, hits: Hits) -> None:
        while not hits.done:
            await asyncio.sleep(0)
            hits.look()
        self.show_found()

    # Finding

    def do_edit_find(self) -> None:
        chosen = self.area.selected_text
        fits = 0 < len(chosen) <= LONGEST and self.area.document.newline not in chosen
        self._open("find", "find", chosen if fits else self._words)
        self._heard(self._field.value)

    def do_find_words(self) -> None:
        self._open("find", "find", self._words)

    def do_find_replace(self) -> None:
        self._open("replace", "replace", self._words)

    do_replace_find = do_find_words

    def _heard(self, words: str) -> None:
        """The words are others: go to the first hit from where the search began, or back there."""
        if self._asks_for not in ("find", "replace"):
            return
        self._words, pattern = words, sought(words)
        self.area.mark(pattern, len(words))
        begin = self.area.document.index_of(self._from)
        match = None if pattern is None else pattern.search(self.text, begin) or pattern.search(self.text)
        if match is not None:
            self._select(match.span())
        else:
            self.area.move_cursor(self._from)
        self.show_found()

    def _hits_now(self) -> Hits | None:
        """All hits in the text as it is now."""
        hits = self._count()
        if hits is not None:
            hits.look_to_the_end()
        return hits

    def _selected(self) -> tuple[int, int]:
        """Where the selection begins and ends, counted from the beginning of the text."""
        start, end = sorted(self.area.selection)
        return self.area.document.index_of(start), self.area.document.index_of(end)

    def _select(self, span: tuple[int, int]) -> None:
        start, end = map(self.area.document.location_of, span)
        self.area.choose(start, end)

    def do_edit_next_hit(self) -> None:
        if self._words:
            self._go(1)
        else:
            self.do_edit_find()

    def do_find_next(self) -> None:
        self._go(1)

    def do_find_previous(self) -> None:
        self._go(-1)

    do_replace_next = do_find_next

    def _go(self, by: int) -> None:
        """To the next hit or the one before, all around."""
        hits = self._hits_now()
        start, end = self._selected()
        span = None if hits is None else hits.next(end) if by > 0 else hits.previous(start)
        if span is not None:
            self._select(span)
            self._from = self.area.selection.start
        elif not self._bar.display:
            self.tell(f"“{self._words[:40]}” stands nowhere in the text.")
        self.show_found()

    def do_find_leave(self) -> None:
        self.close_line()

    # Replacing

    def do_replace_one(self) -> None:
        """Replace the hit that is selected and go to the next; where none is, only go there."""
        hits = self._hits_now()
        if hits is not None and hits.number(*self._selected()) is not None:
            start, end = sorted(self.area.selection)
            self.area.put(self._instead.value, start, end)
        self._go(1)

    def do_replace_all(self) -> None:
        hits, words = self._hits_now(), self._instead.value
        if hits is None or not hits.spans:
            self.tell("There is nothing to replace.")
            return
        body = self.area.document
        at = hits.moved(body.index_of(self.area.cursor_location), len(words) - len(self._words))
        first, last = body.location_of(hits.spans[0][0]), body.location_of(hits.spans[-1][1])
        self.area.put(hits.replaced(words), first, last)
        self.area.move_cursor(self.area.document.location_of(at))
        self._from = self.area.cursor_location
        self._replaced = (self.text, len(hits.spans))
        self.show_found()

    # A line

    def do_edit_line(self) -> None:
        self._open("line", "line", "")

    def do_line_go(self) -> None:
        asked = re.fullmatch(r"\s*([0-9]{1,9})(?::([0-9]{1,9}))?\s*", self._field.value)
        if asked is None:
            self.tell("A line is a number, or two with a colon: 12, or 12:5 for a place in it.", "warn")
            return
        self.close_line()
        row = max(1, min(int(asked[1]), self.area.document.line_count)) - 1
        column = max(1, int(asked[2] or 1)) - 1
        self.area.move_cursor((row, min(column, len(self.area.document[row]))), center=True)
