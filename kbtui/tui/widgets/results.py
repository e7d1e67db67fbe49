"""What a search found, a document a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size

from kbtui.content import safe
from kbtui.marks import Marks
from kbtui.rows import Found
from kbtui.tui.widgets.line import Part, cells, cut, fit
from kbtui.tui.widgets.virtual_list import VirtualList

NARROW = 70  # cells below which there is room for the name and the score
NARROWEST = 34  # and for the name alone
NAME = 60  # cells at most of a name and its folder, where more stands beside them
TYPE, SCORE = 6, 5  # cells
LEAD = 24  # characters of a snippet before the first word that was found, at most
BOTH = "●"  # before what is in an answer and found by a search


class Results(VirtualList):
    """Its mark, its name, what stands around the words, its type and score."""

    def __init__(self, id: str, marks: Marks, place: Callable[[str], str]) -> None:
        """`place` tells the folders that a document lies in, as a path."""
        super().__init__(id)
        self._marks, self._place = marks, place
        self._found: Sequence[Found] = ()

    @property
    def found(self) -> Found | None:
        """The result under the cursor."""
        return self._found[self.cursor] if self.cursor < len(self._found) else None

    def show(self, found: Sequence[Found]) -> None:
        """Draw these, the cursor on the first, or where the keys are here, on its document."""
        here = self.found if self.led else None
        self._found = found
        at = next((place for place, each in enumerate(found) if here and each.id == here.id), 0)
        self.resize_to(len(found), at)

    def go_to(self, id: str) -> None:
        """Put the cursor on the result of a document, if it is here."""
        at = next((place for place, each in enumerate(self._found) if each.id == id), None)
        if at is not None:
            self.go(at)

    def parts(self, index: int, width: int) -> Sequence[Part]:
        found = self._found[index]
        name, room = self._cells(width)
        title = self._title(found, name)
        parts = [self._mark(found), *title]
        if width >= NARROWEST:
            score = f"{found.score:.2f}" if found.score is not None else "" if found.snippet else "name"
            parts.append((" " * (name - cells(title)), ""))
            if room:
                snippet = _in_room(_around_the_first(found.snippet, room), room)
                parts += [("  ", ""), *snippet, (" " * (room - cells(snippet)), "")]
                parts.append((f"  {fit(safe(found.type), TYPE)}", "dim"))
            parts.append((f" {fit(score, SCORE, right=True)} ", "dim"))
        return parts

    @staticmethod
    def _cells(width: int) -> tuple[int, int]:
        """Of the name, and of what stands around the words; 0 where there is no room for that."""
        scored = width - 2 - (1 + SCORE + 1)
        if width < NARROW:
            return scored if width >= NARROWEST else width - 2, 0
        name = min(NAME, width // 3)
        return name, scored - (name + 2) - (2 + TYPE)

    def heads(self, width: int) -> str:
        """What stands above the columns."""
        if not self.count:
            return ""
        if width < NARROWEST:
            return "  Name"
        name, room = self._cells(width)
        words = f"  {fit('Words', room)}  {fit('Type', TYPE)}" if room else ""
        return f"  {fit('Name', name)}{words} {fit('Score', SCORE)}"

    def _title(self, found: Found, width: int) -> list[Part]:
        """The name, and the folder it lies in if there is room for all of that."""
        name: Part = (safe(found.name[:400]) or "(no name)", "")
        folder: Part = ("  " + safe(self._place(found.id).rpartition(" / ")[2][:400]), "dim")
        return [name, folder] if cells([name, folder]) <= width else cut([name], width)

    def _mark(self, found: Found) -> Part:
        return ("✓ " if found.id in self._marks else "  ", "key")


class Beside(Results):
    """What a search finds beside an answer, with whether the answer has it too."""

    both: frozenset[str] = frozenset()  # the documents that are in the answer

    def parts(self, index: int, width: int) -> Sequence[Part]:
        in_both: Part = (f" {BOTH}" if self._found[index].id in self.both else "  ", "key")
        return [in_both, *super().parts(index, width - 2)]


def passage(found: Found, path: str) -> list[list[Part]]:
    """The result in full: its name and place, and what stands around the words."""
    text: list[Part] = [(_in_a_line(words), "hit" if is_hit else "") for words, is_hit in found.snippet]
    if not found.snippet:
        text = [("found by its name" if found.score is None else "the service shows no passage", "dim")]
    return [[(safe(found.name), "strong"), (f"  {safe(path)}", "dim")], text]


def _in_room(parts: Sequence[Part], room: int) -> list[Part]:
    """All of a text, or its beginning and an ellipsis."""
    if cells(parts) <= room:
        return [*parts]
    begin: list[Part] = []
    for text, look in parts:
        left = room - 1 - cells(begin)
        begin.append((set_cell_size(text, max(0, min(left, cell_len(text)))), look))
    return [*begin, ("…", "dim")]


def _in_a_line(words: str) -> str:
    return safe(words, newlines=True).replace("\n", " ").replace("\t", " ")


def _around_the_first(snippet: Sequence[tuple[str, bool]], room: int) -> list[Part]:
    """Pieces of a snippet in a line of so many cells, from a little before the first word that was found."""
    parts = [(_in_a_line(words), "hit" if is_hit else "dim") for words, is_hit in snippet]
    lead = min(LEAD, max(room // 4, room - cells(parts[1:]) - 1))
    if parts and not snippet[0][1] and len(parts[0][0]) > lead:
        parts[0] = ("…" + parts[0][0][-lead:], "dim")
    return [*parts]
