"""Commands, folders and documents by name: type a little of it, Enter runs or goes there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult

from kbtui.commands import COMMANDS, Command
from kbtui.content import safe
from kbtui.documents import folded
from kbtui.rows import ALL, FOLDER, ROOT, DocumentRow
from kbtui.tui.background import background
from kbtui.tui.below import KEYS, Below
from kbtui.tui.fuzzy import MISS, Fit, begins, fit
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.panes import RANKED_AT_ONCE, SCOPES
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.line import Line, Part, cut
from kbtui.tui.widgets.line import fit as fill
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.tui.app import KbApp

FIRST = 6  # commands that are shown above names; one more letter finds the others
SHOWN = 200  # characters of a name
SURE = 1_000.0  # how well a command fits that is typed in full
HINT = "a command, or the name of a folder or a document, or a path to it"
SOUGHT = 400  # characters of a name or a path; a paste may have any number
OPEN = "open "  # typed before a name, it is surely none of a command


class Named(NamedTuple):
    """A folder or a document, and how what is typed fits its name."""

    row: DocumentRow
    fit: Fit


Entry = Named | Command | list[Part]
"""What a line stands for; the last is for nothing but words."""


class Palette(CommandScreen[None]):
    """What can be done on the screen below, and where one can go."""

    places = ("palette",)

    def __init__(self, app: KbApp, below: CommandScreen[object]) -> None:
        super().__init__(app.keymap)
        self.kbapp = app
        self.below = Below(below)
        self.finding = False  # in a thread
        self._kb = app.kb if app.has_knowledge and not app.is_asking else None  # an answer comes first
        self._rows: list[DocumentRow] = []
        self._hasty = False  # Enter was pressed before anything was found that was surely meant
        self._chosen = False  # what the cursor is on, by a key that moved it
        self._header, self._found = Line("header"), Entries("lines", self.below, self._kb)
        self._field = Field("words", HINT, lambda words: self._typed())

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        yield self._found
        yield Line("footer")

    def on_mount(self) -> None:
        self._header.show([(" Commands", "strong"), (", folders and documents", "strong")])
        self.set_focus(self._field)
        self._fill()
        self.show_footer()

    # What is typed

    @property
    def words(self) -> str:
        """What is typed, without the colon that a hand may have typed once more."""
        return self._field.value.strip().removeprefix(":").lstrip()

    @property
    def sought(self) -> str:
        """What is typed of a name or a path."""
        return self.words.removeprefix(OPEN).strip()[:SOUGHT]

    def _typed(self) -> None:
        self._hasty = self._chosen = False
        self._find()
        self._fill()

    def _find(self) -> None:
        """Look for names: in a small mirror at once; in a large one for their beginnings, the rest later."""
        kb, name, before = self._kb, self.sought, self._rows
        self._rows = []
        if kb is None or not name:
            return
        named = kb.mirror.row(name) if name.isascii() else None  # an id is
        self._rows = [named] if named else []
        if kb.mirror.count(ALL) <= RANKED_AT_ONCE:
            self._rows += kb.mirror.like(name)
            return
        words = folded(name).split()
        still = [row for row in before if fit(words, row.name).score]  # else they would go, and come again
        self._rows += [*kb.mirror.beginning_with(name), *still]
        if not self.finding:
            self.finding = True
            self._find_on()

    @background("find")
    async def _find_on(self) -> None:
        """One look through all names after the other: a thread that has begun cannot be called off."""
        assert self._kb is not None
        name, found = "", list[DocumentRow]()
        try:
            while name != self.sought:
                name = self.sought
                found = await asyncio.to_thread(self._kb.mirror.like, name) if name else []
        finally:
            self.finding = False
        self._rows = [*self._rows, *found]
        self._fill(keep=self._chosen)
        if self._hasty:
            self.do_palette_run()

    # What is shown

    def _fill(self, keep: bool = False) -> None:
        """Draw what matches; the cursor goes to the first, or stays where it was with `keep`.

        First come commands, unless only folders or documents have words that begin with what is typed.
        """
        words = folded(self.words).split()
        commands = [] if self.words.startswith(OPEN) else self._commands(words)
        names = self._named(self._named_by())
        entries: list[Entry] = []
        groups = [("Commands", commands), *names]
        lines = sum(1 + len(found) for _, found in groups if found)
        few = words and any(found for _, found in names) and lines > self._found.size.height
        for title, found in sorted(groups, key=lambda group: not any(map(self._is_meant, group[1][:1]))):
            late = keep and self._found.entry in found[FIRST:]  # the chosen one is not taken away
            most = FIRST if few and title == "Commands" and not late else len(found)
            if found:
                more = f"  {most} of {len(found)}: type on for the others" if most < len(found) else ""
                entries += [[(f"  {title}", "strong"), (more, "dim")], *found[:most]]
        self._found.show(entries, keep, words)
        if not entries:
            looking = "Looking through all names …" if self.finding else "Nothing is called that."
            self._found.explain([(f"  {looking}", "dim")])

    def _named_by(self) -> list[str]:
        """The words that are typed of a name, which is the last of a path."""
        return folded(self.sought).rpartition("/")[2].split()

    def _is_meant(self, entry: Entry | None) -> bool:
        """Whether what is typed begins the words of this one, which can be done or gone to."""
        if isinstance(entry, Command):
            return _calls(entry, folded(self.words).split()) and self.below.reason(entry) is None
        return isinstance(entry, Named) and begins(self._named_by(), entry.row.name)

    def _commands(self, words: Sequence[str]) -> list[Entry]:
        """The commands of the screen below, the likeliest first; those that are off come last."""
        below = self.below
        here = {place: at for at, place in enumerate(below.here)}
        ranked = list[tuple[bool, bool, float, int, int, Command]]()
        for command in filter(below.works, COMMANDS):
            score = _likeness(command, words)
            if score or not words:
                off, other = below.reason(command) is not None, not _calls(command, words)
                place = here[below.place(command) or "everywhere"]
                ranked.append((off, other, -score, place, len(ranked), command))
        return [command for *_, command in sorted(ranked)]

    def _named(self, words: Sequence[str]) -> list[tuple[str, list[Entry]]]:
        """Folders and documents, the likeliest first; as found where a path ends with a stroke."""
        groups: list[tuple[str, list[Entry]]] = []
        rows = {row.id: row for row in self._rows}.values()
        fits = {row.id: fit(words, row.name) if words else MISS for row in rows}
        ranked = [*rows]
        if "/" not in self.sought:
            ranked.sort(key=lambda row: (not begins(words, row.name), -fits[row.id].score))
        for title, folder in (("Folders", True), ("Documents", False)):
            found: list[Entry] = [
                Named(row, fits[row.id]) for row in ranked if (row.type == FOLDER) is folder
            ]
            groups.append((title, found))
        return groups

    def show_lines(self) -> None:
        """Nothing here moves by itself but what is looked for."""

    # Keys

    def do_palette(self, by: str) -> None:
        """Move in the list while the field has the focus."""
        self._hasty, self._chosen = False, self._found.entry is not None
        self._found.move(by)

    def do_palette_leave(self) -> None:
        self.dismiss()

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self._hasty, self._chosen = False, True

    @on(VirtualList.Opened)
    def _opened(self) -> None:
        self._chosen = True
        self.do_palette_run()

    def do_palette_run(self) -> None:
        entry = self._found.entry
        if self.finding and not self._chosen and not self._is_meant(entry):
            self._hasty = True  # what is meant may be a name that is not found yet
        elif isinstance(entry, Command):
            self.dismiss()
            self.below.run(entry)
        elif isinstance(entry, Named):
            self.kbapp.go_straight(entry.row)


class Entries(VirtualList):
    """Commands and names, moved from the field, which keeps the focus."""

    led = True

    def __init__(self, id: str, below: Below, kb: KnowledgeBase | None) -> None:
        super().__init__(id)
        self._below, self._kb = below, kb
        self._entries: Sequence[Entry] = ()
        self._words: Sequence[str] = ()  # that were typed, folded

    @property
    def entry(self) -> Entry | None:
        """What the cursor stands on; None where nothing was found."""
        return self._entries[self.cursor] if self._entries else None

    def show(self, entries: Sequence[Entry], keep: bool, words: Sequence[str]) -> None:
        """Draw these, the words marked; the cursor goes to the first that is one, or with `keep` stays."""
        held = _identity(self.entry) if keep else None
        self._entries, self._words = entries, words
        places = {each: at for at, entry in enumerate(entries) if (each := _identity(entry)) is not None}
        first = next(iter(places.values()), 0)
        self.resize_to(len(entries), places.get(held, first) if held else first)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        entry = self._entries[index]
        if isinstance(entry, Command):
            keys, help, reason = self._below.line(entry)
            return [keys, *_marked(help, self._words), reason]
        return self._line(entry.row, entry.fit, width) if isinstance(entry, Named) else entry

    def _line(self, row: DocumentRow, fits: Fit, width: int) -> list[Part]:
        """A folder or a document: its type, its name with the letters that were typed, and where it lies."""
        place = self._kb.place(row.id) if self._kb is not None and row.parent else SCOPES[ROOT]
        name = [
            (safe(letter), "hit" if at in fits.letters else "") for at, letter in enumerate(row.name[:SHOWN])
        ]
        before = f"    {fill(safe(row.type), KEYS)} "
        room = max(10, width - len(before) - min(cell_len(place) + 3, width // 5))
        shown = name if row.name else [("(no name)", "dim")]
        if sum(cell_len(letter) for letter, _ in name) > room:
            shown = cut(name, room - 1)
            if shown[-1][0] != "…":  # a wide letter that does not fit becomes one
                shown.append(("…", ""))
        return [(before, "dim"), *shown, (f"   {safe(place)}", "dim")]


def _identity(entry: Entry | None) -> str | None:
    """By which an entry is known again; None for what is only read."""
    if isinstance(entry, Command):
        return entry.id
    return entry.row.id if isinstance(entry, Named) else None


def _marked(part: Part, words: Sequence[str]) -> list[Part]:
    """What a command does, with the words in it that were typed, at the start of one of its own if any is."""
    text, look = part
    told, met = folded(text), set[int]()
    for word in words:
        start = f" {told}".find(f" {word}")
        start = told.find(word) if start < 0 else start
        met.update(range(start, start + len(word)) if start >= 0 else ())
    return [(letter, "hit" if at in met else look) for at, letter in enumerate(text)]


def _calls(command: Command, words: Sequence[str]) -> bool:
    """Whether each of these words begins one of a command's name or id, or they are what it is typed as."""
    return " ".join(words) == command.typed or begins(words, f"{command.label} {command.id}")


def _likeness(command: Command, words: Sequence[str]) -> float:
    """How well words fit a command, 0 for not at all: its name and id by their letters, its help by words."""
    if " ".join(words) == command.typed:
        return SURE
    help, total = f" {folded(command.help)}", 0.0
    for word in words:
        told = 1.5 if f" {word}" in help else 0.5 if word in help else 0.0
        name, id = fit([word], command.label), fit([word], command.id)
        best = max(told * len(word), 2 * name.score, id.score)
        if not best:
            return 0.0
        total += best
    return total
