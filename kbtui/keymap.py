"""Which keys run which command where, after what the configuration says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from kbtui.commands import BY_ID, COMMANDS, PLACES, TYPING, Command
from kbtui.situation import Situation

# The places that one screen asks, where there are several.
_TOGETHER = (
    ("move", "browse"),
    ("view", "move", "browse"),
    ("range", "move", "browse"),
    ("drafts", "choose", "move"),
    ("columns", "choose", "move"),
    ("views", "choose", "move"),
    ("results", "move", "around"),
    ("unindexed", "chunks", "move", "around"),
    ("whole", "move", "around"),
    ("compared", "move", "around"),
    ("hits", "answer", "move", "around"),
    ("knowledge", "move", "around"),
    ("index", "move", "around"),
    ("requests", "move", "around"),
    ("facts", "move"),
    ("tasks", "move", "around"),
    ("welcome", "move"),
    ("conflict", "move"),
    ("history", "move"),
    ("auto_sync", "move"),
    ("differs", "move"),
    ("difference", "move"),
)
_KEY = re.compile(r"((ctrl|shift|alt|super|hyper|meta)\+)*(\S|[a-z][a-z0-9_]+)")


class Keymap:
    """Which keys run which command where, after what the configuration says of them.

    Raises:
        ValueError: the configuration names a command or a key that does not exist, or one key keeps another
            from its command; the message is one sentence for the person.
    """

    def __init__(self, given: Mapping[str, tuple[str, ...]] | None = None) -> None:
        given = given or {}
        for id, sequences in given.items():
            if id not in BY_ID:
                close = get_close_matches(id, BY_ID, 1)
                hint = f" Did you mean “{close[0]}”?" if close else ""
                raise ValueError(f"[keys] names no command “{id}”.{hint} `?` lists them.")
            for sequence in sequences:
                if not all(_KEY.fullmatch(key) and key.isprintable() for key in sequence.split(" ")):
                    raise ValueError(
                        f"[keys] {id}: “{sequence}” is no key; keys look like “r”, “ctrl+r” or “g r”."
                    )
        self._keys = {command.id: given.get(command.id, command.keys) for command in COMMANDS}
        self._places: dict[str, dict[str, Command]] = {place: {} for place in PLACES}
        for command in COMMANDS:
            for place in command.places:
                for key in self._keys[command.id]:
                    _refuse_both(key, self._places[place].setdefault(key, command), command)
        if given:
            for places in (*_TOGETHER, *((place,) for place in PLACES)):
                self._check(_and_everywhere(places))

    def _check(self, places: tuple[str, ...]) -> None:
        """Refuse a key that keeps another from its command where `places` are asked together.

        As declared, a narrower place may hide a key of a wider one; by the configuration it would be a
        surprise.
        """
        here: dict[str, Command] = {}
        for place in places:
            for key, command in self._places[place].items():
                hides = here.setdefault(key, command)
                if not (key in hides.keys and key in command.keys):
                    _refuse_both(key, hides, command)
        for sequence, command in here.items():
            first = sequence if places[0] not in TYPING else ""  # there a key is never the first of two
            while first := first.rpartition(" ")[0]:
                begins = here.get(first)
                menu = begins is BY_ID["sort.menu"] and command.id.startswith("sort.")  # waits for the rest
                if begins is not None and not menu:
                    raise ValueError(
                        f"[keys] {show_key(first)} cannot press {begins.id}: it begins {show_key(sequence)} "
                        f"of {command.id}."
                    )

    def keys(self, command: Command, places: Iterable[str] | None = None) -> tuple[str, ...]:
        """The keys that press `command`, the first the one to show; with `places`, those that do so there."""
        keys = self._keys[command.id]
        if places is None:
            return keys
        here = tuple(places)
        return tuple(key for key in keys if self.find(here, key) is command)

    def find(self, places: Iterable[str], sequence: str) -> Command | None:
        """The command that `sequence` runs in the first of `places` that knows it."""
        here = _and_everywhere(places)
        if here[0] in TYPING and len(sequence.partition(" ")[0]) == 1:
            return None
        for place in here:
            if sequence in self._places[place]:
                return self._places[place][sequence]
        return None

    def after(self, places: Iterable[str], prefix: str) -> list[tuple[str, Command]]:
        """What may follow `prefix`, as (key, command), in the order of declaration; empty if nothing may."""
        found: dict[str, Command] = {}
        for place in _and_everywhere(places):
            for sequence, command in self._places[place].items():
                if sequence.startswith(prefix + " "):
                    found.setdefault(sequence[len(prefix) + 1 :], command)
        return list(found.items())

    def footer(self, places: Iterable[str], situation: Situation) -> Iterator[tuple[str, Command]]:
        """The useful commands here and now, as (key to show, command), the most useful first.

        Those that act on a document stay where they are off: the next line may bring them back.
        """
        here = _and_everywhere(places)
        ranked = sorted(
            (command for command in COMMANDS if command.footer and any(p in here for p in command.places)),
            key=lambda command: (min(here.index(p) for p in command.places if p in here), command.footer),
        )
        for command in ranked:
            keys = self.keys(command, here)
            if keys and (command.id.startswith("document.") or command.reason(situation) is None):
                yield show_key(keys[0]), command


def _refuse_both(key: str, one: Command, other: Command) -> None:
    if one is not other:
        raise ValueError(f"[keys] gives {show_key(key)} to both {one.id} and {other.id}.")


def _and_everywhere(places: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*places, "everywhere")))


_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home",
    "end": "End", "enter": "Enter", "escape": "Esc", "tab": "Tab", "space": "Space",
    "backspace": "Backspace", "delete": "Del",
}  # fmt: skip


def show_key(sequence: str) -> str:
    """A key sequence as a person reads it: `ctrl+d` is ^d, `g g` is gg."""
    return "".join(_show_one(key) for key in sequence.split(" "))


def _show_one(key: str) -> str:
    for held, shown in (("ctrl+", "^"), ("shift+", "S-"), ("alt+", "A-")):
        if key.startswith(held):
            return shown + _show_one(key.removeprefix(held))
    return _SHOWN.get(key, key.upper() if key[0] == "f" and key[1:].isdigit() else key)
