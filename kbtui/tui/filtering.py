"""Filtering the list of Browse: what is typed for it, its parts one by one, and taking them back."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len

from kbtui.content import safe
from kbtui.filters import HINT, Filter, aged, is_about, parse, show, unfiltered, without
from kbtui.rows import ALL, TYPES, Eye, Term, View
from kbtui.tui import empty_list
from kbtui.tui.index_filling import MOST, IndexFilling
from kbtui.tui.panes import Panes
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.line import Part, cells, cut

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

LONGEST = 500  # characters of a filter; SQLite joins less than a thousand conditions
BY_KEY = {  # parts of a filter that have a key of their own, by the end of its command
    "marked": Term("marked", "yes"),
    "mine": Term("owner", "me"),
    "synced": Term("sync", "on"),
    "failed": Term("index", "failed"),
}


class Filtering(Panes):
    """What Browse filters by."""

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self._parts: list[Term] = []  # of the filter, the newest last
        self._filling = IndexFilling(self, app, self.heard_of_indexes)
        self._before = Filter()  # what the filter was without words when the field opened

    # Typing

    def do_list_filter(self) -> None:
        self._before = Filter("", self.shown.types, self.shown.terms)
        self.go_pane("list")
        self.filter_field.begin(*show(self.shown))

    def filter_typed(self, words: str) -> None:
        """The list follows what is right. What is not says what would be, and leaves what was as it was."""
        found, before = parse(words[:LONGEST]), self.shown
        types, terms = found.types, found.terms
        if found.wrong is not None:
            types = types or (before.types if found.wrong.key == "type" else ())
            left = (term for term in before.terms if term.key == found.wrong.key and term not in terms)
            terms = (*terms, *left)
        typed = before._replace(text=found.text, types=types, terms=terms)
        if typed != before:
            self.filter(typed)
        self._show_chips()

    def do_filter_keep(self) -> None:
        wrong = parse(self.filter_field.value[:LONGEST]).wrong
        if wrong is not None:
            self.tell(f"{safe(wrong.why)}.", "warn")
            return
        self.documents.keep()
        self.set_focus(self.documents)

    def do_filter_drop(self) -> None:
        """What was there before the field opened stays, but for its words."""
        self.filter(self.shown._replace(text="", types=self._before.types, terms=self._before.terms))
        self.set_focus(self.documents)

    # By keys

    def do_filter(self, what: str) -> None:
        """Show only documents of this type, or of it too, or not of it any more; other parts likewise."""
        if part := BY_KEY.get(what):
            terms = self.shown.terms
            left = tuple(term for term in terms if term != part)
            self.filter(self.shown._replace(terms=left if left != terms else (*terms, part)))
            return
        types = set(self.shown.types) ^ {what}
        self.filter(self.shown._replace(types=tuple(each for each in TYPES if each in types)))

    def do_list_unfilter(self) -> None:
        self.documents.keep()
        self.workers.cancel_group(self, "eye")
        self.filter(unfiltered(self.shown))

    def filter(self, view: View) -> None:
        """Show a view that differs in its filter."""
        before, self.shown = self.shown, view
        self._parts = aged(self._parts, view)
        if view.eye != before.eye:
            self.show_tree()
        self.relist()

    def look_through(self, eye: Eye | None) -> None:
        """Show only what this agent sees; None: everything again."""
        if eye is None:
            self.workers.cancel_group(self, "eye")  # one that is asked about is not wanted any more
        self.filter(self.shown._replace(eye=eye))

    def drop_newest(self) -> bool:
        """Take back the newest part of the filter; False where there is none."""
        self._parts = aged(self._parts, self.shown)
        if not self._parts:
            return False
        self.documents.keep()
        self.filter(without(self.shown, self._parts[-1]))
        return True

    # How indexes stand

    def heard_of_indexes(self) -> None:
        if is_about(self.shown, "index"):
            self.relist()
        else:
            super().heard_of_indexes()

    def show_lines(self) -> None:
        super().show_lines()
        self._filling.look(self.shown if is_about(self.shown, "index") else None)

    def _unknown(self) -> str:
        """Of how many documents it is known how their indexes stand, where not of all; else ""."""
        filling = self._filling
        if not is_about(self.shown, "index") or filling.known == filling.of:
            return ""
        if filling.of is None:
            return "not known yet"
        first = f", asked of the first {count(MOST)}" if filling.of > MOST else ""
        return f"known of {count(filling.known)} of {count(filling.of)}{first}"

    # What is told of it

    def _is_partly_known(self) -> bool:
        return bool(self._unknown()) or super()._is_partly_known()

    def _why_empty(self) -> list[Part]:
        unknown = self._unknown()
        return [*super()._why_empty(), *([(f"How indexes stand is {unknown}.", "dim")] if unknown else [])]

    def _show_chips(self) -> None:
        typing = self.here() == ("filter",)
        if typing:
            self._chips.show(self._hint())
        else:
            self._parts = aged(self._parts, self.shown)
            farther = self._farther()
            room = self.documents.size.width - (cells(farther) + 1 if farther else 0)
            self._chips.show(self._fitting(room), farther)
        self.set_class(typing or bool(self._parts), "-chips")

    def _hint(self) -> list[Part]:
        """Below the part that is wrong, what would be right; else what there is."""
        typed = self.filter_field.value[:LONGEST]
        wrong = parse(typed).wrong
        if wrong is None:
            return [(f" {HINT}", "dim")]
        why, room = safe(wrong.why), self.documents.size.width
        field = self.filter_field
        hidden = round(field.scroll_offset.x) if cell_len(safe(typed)) + 2 > room else 0
        under = 1 + cell_len(safe(typed[: wrong.start])) - hidden
        left = max(0, min(under, room - cell_len(why) - 2))
        return [(" " * left, ""), (f"▲ {why}", "warn")]

    def _farther(self) -> list[Part]:
        """The key that leads out of it."""
        if self.shown.searched and self.shown.scope != ALL:
            key = empty_list.key(self.keymap, "go.all")
            return [(key, "key"), (f" looks in all {count(self.whole(ALL))} ", "dim")]
        if self.shown.eye is not None:
            return [
                (empty_list.key(self.keymap, "list.unfilter"), "key"),
                (" shows everything again ", "dim"),
            ]
        return []

    def _fitting(self, room: int) -> list[Part]:
        """The parts of the filter; where they are too many for the room, the oldest, and how many more."""
        chips = [
            self._chip(part, before) for part, before in zip(self._parts, [None, *self._parts], strict=False)
        ]
        for shown in range(len(chips), 0, -1):
            more = f" +{len(chips) - shown} more" if shown < len(chips) else ""
            parts = [*chain(*chips[:shown])]
            if cells(parts) - 1 + len(more) <= room or shown == 1:  # it ends in a blank
                return [*cut(parts, room - len(more)), (more, "dim")] if more else parts
        return []

    def _chip(self, part: Term, before: Term | None) -> list[Part]:
        """One part of the filter, after another."""
        value = safe(part.value)
        if part.key == "text":
            again = before is not None and before.key == "text"
            return [("and " if again else " name holds ", "dim"), (value, "key"), (" ", "")]
        if part.key == "word":
            return [
                (" name lacks " if part.inverted else " name holds ", "dim"),
                (f"“{value}”", "key"),
                (" ", ""),
            ]
        if part.key == "types":
            return [(" type ", "dim"), (value.replace(",", " or "), "key"), (" ", "")]
        if part.key == "eye":
            return [(" as ", "dim"), (value[:80], "key"), (" sees it ", "dim")]
        name = f" {part.key} not " if part.inverted else f" {part.key} "
        return [(name, "dim"), (value.replace(",", " or "), "key"), (" ", ""), *self._known(part)]

    def _known(self, part: Term) -> list[Part]:
        """What is not known of a part, where that leaves documents out."""
        listing = self.documents.listing
        if part.key == "index":
            unknown = self._unknown()
            return [(f"{unknown} ", "dim")] if unknown else []
        if part.key in ("owner", "sync") and listing is not None and listing.unknown:
            return [(f"not told of {count(listing.unknown)} ", "warn")]
        return []
