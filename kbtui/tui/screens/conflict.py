"""Conflict: both sides changed the text; a person decides, place by place, and sees what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.differences import Hunk, joined
from kbtui.errors import Conflict
from kbtui.situation import Situation
from kbtui.tui.screens.question import Asking
from kbtui.tui.widgets.differences import MARGIN, differences
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part, pane_head

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

SIDE = 12  # past the name of a side
MOST = 10_000  # characters of a side that are shown, which are laid out at once
AROUND = 100  # characters shown before and after a place that both changed
HELD = "Against what the service holds now"
CHOSEN = {"": "to be decided", "mine": "mine", "theirs": "theirs", "both": "both, mine first"}


class Decision(NamedTuple):
    """What a person decided.

    `what` is "save" (`text`, which both sides make), "edit" (go on with `text`), "mine" (alone), "theirs"
    (alone), "new" (mine as a new document) or "back" (go on with mine as it was).
    """

    what: str
    text: str = ""


class ConflictScreen(Asking[Decision]):
    """Shows the places that both sides changed, one at a time, and below what would be saved."""

    places = ("conflict", "move")

    def __init__(self, app: KbApp, name: str, conflict: Conflict, hunks: Sequence[Hunk]) -> None:
        super().__init__(app)
        self.named = name
        self.conflict = conflict
        self.hunks = hunks  # of its three texts
        self.overlaps = [at for at, hunk in enumerate(self.hunks) if hunk.whose == "both"]
        self.choices: dict[int, str] = {}
        self.at = 0  # which of the overlaps is shown
        self._header, self._head, self._below = Line("header"), Line("place"), Line("merged-head")
        self.place, self.merged = DocumentView("place-sides"), DocumentView("merged")

    def compose(self) -> ComposeResult:
        yield self._header
        if self.overlaps:
            yield self._head
            yield self.place
        yield self._below
        yield self.merged
        yield Line("footer")

    def on_mount(self) -> None:
        both = [("both sides changed it ", "warn")]
        self._header.show([(" ✕ " if self.overlaps else " ● ", "warn"), (self.named, "strong")], both)
        self.set_focus(self.place if self.overlaps else self.merged)
        self._show()

    def situation(self) -> Situation:
        return Situation(overlaps=len(self.overlaps), undecided=len(self.overlaps) - len(self.choices))

    @property
    def text(self) -> str:
        """What both sides make; a place that is not decided holds both, between conflict markers."""
        return joined(self.hunks, self.choices)

    # What is shown

    def _show(self) -> None:
        self._show_place()
        where = self.merged.scroll_y
        self.merged.say(self._outcome(), hang=MARGIN)
        self.merged.scroll_to(y=where, animate=False)
        self.show_footer()

    def _show_place(self) -> None:
        if not self.overlaps:
            self._below.show([(" You and others changed different places. What would be saved:", "strong")])
            return
        at = self.overlaps[self.at]
        self._show_heads()
        self.place.say(self._sides(at, self.choices.get(at, "")), hang=SIDE)

    def _show_heads(self) -> None:
        """Say how it stands with the place and the whole, and which of them has the keys."""
        chosen = self.choices.get(self.overlaps[self.at], "")
        head = f"{'●' if chosen else '?'} Place {self.at + 1} of {len(self.overlaps)} "
        state = (f"· {CHOSEN[chosen]}", "good" if chosen else "warn")
        self._head.show([pane_head(head, self.focused is not self.merged), state])
        left = len(self.overlaps) - len(self.choices)
        told = f" {counted(left, 'place')} to be decided " if left else " all decided "
        whole = pane_head("What would be saved: ", self.focused is self.merged)
        self._below.show([whole], [(told, "warn" if left else "good")])

    def _sides(self, at: int, chosen: str) -> list[list[Part]]:
        hunk = self.hunks[at]
        before, after = (["", *(each.theirs for each in self.hunks), ""][index] for index in (at, at + 2))
        lines = _before(before, whole=_begins_a_line(self.hunks[: max(0, at - 1)]))
        lines += _side("  before", hunk.base, "dim")
        for name, words in (("mine", hunk.mine), ("theirs", hunk.theirs)):
            taken = chosen in (name, "both")
            lines += _side(f"{'●' if taken else ' '} {name}", words, "good" if taken else "")
        return lines + _after(after, whole=_begins_a_line(self.hunks[: at + 1]))

    def _outcome(self) -> list[list[Part]]:
        """What would be saved; where nothing is decided yet, what the service holds stands there."""
        choices = {place: self.choices.get(place, "theirs") for place in self.overlaps}
        now = differences(HELD, self.conflict.theirs, joined(self.hunks, choices))
        left = len(self.overlaps) - len(self.choices)
        told: list[list[Part]] = [[("", "")], [(f"   {_as_held(left)}", "warn")]] if left else []
        return [*told, *now, *self._each_side]

    @cached_property
    def _each_side(self) -> list[list[Part]]:
        """What each side did, which no choice changes."""
        conflict = self.conflict
        return [
            *differences("What they changed", conflict.base, conflict.theirs),
            *differences("What you changed", conflict.base, conflict.mine),
        ]

    # Keys

    def do_move(self, by: str) -> None:
        (self.merged if self.focused is self.merged else self.place).move(by)

    def do_conflict_pane(self) -> None:
        self.set_focus(self.merged if self.focused is self.place else self.place)
        self._show_heads()

    def do_conflict_next(self) -> None:
        self._go(self.at + 1)

    def do_conflict_previous(self) -> None:
        self._go(self.at - 1)

    def _go(self, at: int) -> None:
        self.at = at % len(self.overlaps)
        self._show_place()
        self.show_footer()

    def do_conflict_here(self, side: str) -> None:
        """Decide the place that is shown, and go to the next one that is not decided."""
        self.choices[self.overlaps[self.at]] = side
        open_ = [at for at, place in enumerate(self.overlaps) if place not in self.choices]
        self.at = next((at for at in open_ if at > self.at), open_[0] if open_ else self.at)
        self._show()

    def do_conflict_here_mine(self) -> None:
        self.do_conflict_here("mine")

    def do_conflict_here_theirs(self) -> None:
        self.do_conflict_here("theirs")

    def do_conflict_here_both(self) -> None:
        self.do_conflict_here("both")

    def do_conflict_save(self) -> None:
        self.dismiss(Decision("save", self.text))

    def do_conflict_merge(self) -> None:
        self.dismiss(Decision("edit", self.text))

    def do_conflict_mine(self) -> None:
        self.dismiss(Decision("mine"))

    def do_conflict_theirs(self) -> None:
        self.dismiss(Decision("theirs"))

    def do_conflict_new(self) -> None:
        self.dismiss(Decision("new"))

    def do_conflict_back(self) -> None:
        self.dismiss(Decision("back"))


class Differs(Asking[bool]):
    """The service holds another text than was just sent; True if the person accepts that."""

    places = ("differs", "move")

    def __init__(self, app: KbApp, name: str, sent: str, held: str) -> None:
        super().__init__(app)
        self.named, self._sent, self._held = name, sent, held
        self._header, self._view = Line("header"), DocumentView("differences")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._view
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" ✕ ", "warn"), (self.named, "strong")], [("not what was sent ", "warn")])
        sentence = "The service holds another text than you sent: a form of its own, or somebody's save."
        lines = differences("From what you sent to what the service holds", self._sent, self._held)
        self._view.say([[("   ", ""), (sentence, "warn")], *lines], hang=MARGIN)
        self.set_focus(self._view)
        self.show_footer()

    def do_move(self, by: str) -> None:
        self._view.move(by)

    def do_differs_accept(self) -> None:
        self.dismiss(True)

    def do_differs_edit(self) -> None:
        self.dismiss(False)


def _as_held(left: int) -> str:
    """That so many places are not decided yet, and what stands there meanwhile."""
    which = "The place that is to be decided stands" if left == 1 else f"{left} places to be decided stand"
    return f"{which} here as the service holds {'it' if left == 1 else 'them'}."


def _begins_a_line(behind: Sequence[Hunk]) -> bool:
    """Whether what comes after these begins a line of theirs."""
    last = next((each.theirs for each in reversed(behind) if each.theirs), "\n")
    return last.endswith("\n")


def _before(words: str, *, whole: bool) -> list[list[Part]]:
    """The last lines before a place; `whole`: the words begin a line. One that is cut begins with dots."""
    near = words[-AROUND:]
    if words and (len(words) > AROUND or not whole):
        near = f"…{near.lstrip(' ')}"
    return _side("", near, "dim")[-2:]


def _after(words: str, *, whole: bool) -> list[list[Part]]:
    """The first lines after a place; `whole`: it ends with its line."""
    near = words[:AROUND].lstrip(" ") if not whole else words[:AROUND]
    if near[:1] not in ("", "\r", "\n") and not whole:
        near = f"…{near}"
    if len(words) > AROUND:
        near += "…"
    return _side("", near, "dim")[:2]


def _side(name: str, words: str, look: str) -> list[list[Part]]:
    """What one side says, its name beside the first line."""
    if not words:
        return [[(f"  {name:<10}", "dim"), ("nothing", "dim")]] if name else []
    found: list[list[Part]] = []
    for number, line in enumerate(words[:MOST].splitlines()):
        found.append([(f"  {'' if number else name:<10}", "strong"), (safe(line), look)])
    if len(words) > MOST:
        more = counted(len(words) - MOST, "more character")
        found.append([(f"  {'':<10}", ""), (f"… and {more}", "dim")])
    return found
