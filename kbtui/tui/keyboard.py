"""From a key to a command: the only place where keys are looked at outside text fields."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich.cells import cell_len
from textual import events
from textual.await_complete import AwaitComplete
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer

from kbtui.access import LOOK
from kbtui.commands import BY_ID, COMMANDS, LEAVES, OF_MARKS, PLACES, TYPED_AFTER, TYPING, Command
from kbtui.errors import Error
from kbtui.keymap import Keymap, show_key
from kbtui.placing import Spot
from kbtui.situation import Situation
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.widgets.following_keys import FollowingKeys

Answer = TypeVar("Answer")

HESITATION = 0.3  # seconds after the first key of two, from which on it is told what may follow
TYPED_ON = 0.4  # seconds between two keys of somebody who types words and does not look
HELD_DOWN = 4  # times in a row the same key: that is no word
PATIENCE = 1.0  # seconds that a key waits for those before it; what is going away never answers


def key_name(event: events.Key) -> str:
    """The key as `commands.py` writes it: the character where there is one, else Textual's name."""
    if event.is_printable and event.character and event.character != " " and not has_alt(event):
        return event.character
    return event.key


def has_alt(event: events.Key) -> bool:
    """Whether it is a character with Alt: also what a line makes of Esc and then that."""
    return event.is_printable and event.key.startswith("alt+")


class CommandScreen(Screen[Answer], inherit_bindings=False):
    """A screen whose keys are commands, with a footer that tells them and a notice line above it."""

    places: tuple[str, ...] = ("everywhere",)
    asks = False  # something waits for the answer

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap
        self.prefix = ""
        self._hesitates: Timer | None = None  # after the first key of two
        self._following: FollowingKeys | None = None  # what may follow it, once that was told
        self._typed_on = -inf  # when the last key was typed for a place to type in that was refused
        self._unheard: list[str] = []  # these keys
        self._refusal = ""  # it was
        self._ready = asyncio.Event()

    def on_mount(self) -> None:
        self._ready.set()  # Textual calls this one after that of the subclass

    def on_resize(self) -> None:
        if self._following is not None and self._following.display:
            self._rest_came()  # what is shown lies elsewhere now
        self.show_footer()

    async def ready(self) -> None:
        """Wait until everything on the screen is there."""
        if not self._ready.is_set():
            await _patiently(self._ready.wait())

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Go away with an answer; not while another screen lies above: Textual would take that one away."""
        if not self.is_uncovered:
            return AwaitComplete.nothing()  # type: ignore[no-untyped-call,no-any-return]
        self.app.clear_notifications()  # they are about what is left now
        return super().dismiss(result)

    def close(self) -> None:
        """Go away without an answer: something is to be shown below."""
        self.dismiss()

    # What a subclass may say of itself

    def here(self) -> tuple[str, ...]:
        """The places that a key is looked up in now, the narrowest first."""
        return self.places

    def situation(self) -> Situation:
        return Situation()

    def label(self, command: Command) -> str:
        """What the footer, and what tells of keys that may follow, call a command here and now."""
        of_marks = command.id in OF_MARKS and self.situation().marked
        return f"marked {command.label}s" if of_marks else command.label

    def spot(self) -> Spot | None:
        """What the person looks at in the text of the situation's document; None where that is all of it."""
        return None

    def facts(self) -> list[Part]:
        """What stands at the right end of the footer."""
        return []

    @property
    def is_uncovered(self) -> bool:
        """Whether nothing lies over the screen.

        Textual's `is_current` is also true of the screen right below the one that has the keys, though
        nothing of it shows through.
        """
        return self.app.screen_stack[-1:] == [self]

    async def uncovered(self) -> None:
        """Wait until nothing lies over the screen: for what nobody sees, the service is not asked."""
        while self.is_attached and not self.is_uncovered:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    def content_saved(self, document: str) -> None:
        """The text of a document was saved from here, whatever screen is on top."""

    def heard_of_drafts(self) -> None:
        """A save has ended: a draft that was there may be gone."""

    # Keys

    async def press(self, event: events.Key) -> bool:
        """Carry out what the key means here; False lets the focused text field have it.

        Keys typed faster than the screen can follow lose nothing and keep their order.
        """
        await self.ready()
        here = self.here()
        key = key_name(event)
        if here[0] not in TYPING and self._was_meant_as_text(event):
            return True
        sequence = f"{self.prefix} {key}" if self.prefix else key
        command = self.keymap.find(here, sequence)
        if here[0] in TYPING:
            return await self._type(event, command)
        if command is None and has_alt(event):
            for each in apart(event):
                await self.app.press(each)  # type: ignore[attr-defined]  # the first may lead elsewhere
            return True
        if self.keymap.after(here, sequence):
            self._await_rest(sequence)
            return True
        if self.prefix:
            self._rest_came()
            if command is None:
                if key != "escape":
                    self.tell(self._nothing_here(sequence))
                return True
        if command is None:
            return False
        self.run(command)
        return True

    def take_for_words(self, why: str = "") -> None:
        """A place to type in was refused: what is typed on without a pause was meant for it."""
        self._typed_on, self._unheard, self._refusal = monotonic(), [], why

    def _was_meant_as_text(self, event: events.Key) -> bool:
        """Whether the key goes on with words for a place that was refused; those are no commands."""
        typed = self._unheard
        held_down = len(typed) >= HELD_DOWN and {*typed[-HELD_DOWN:], event.key} == {event.key}
        if event.time > self._typed_on + TYPED_ON or held_down or not _is_of_words(event):
            self._typed_on = -inf
            return False
        if self._refusal and not typed:
            self.tell(f"{self._refusal} What you typed after that key did nothing.", "warn")
        typed.append(event.key)
        self._typed_on = event.time
        return True

    def _await_rest(self, sequence: str) -> None:
        """Wait for the rest of a sequence; what it may be is told to who hesitates, and to nobody else."""
        if self._hesitates is not None:
            self._hesitates.stop()
        self.prefix = sequence
        self._hesitates = self.set_timer(HESITATION, self._tell_following)

    def _rest_came(self) -> None:
        """The sequence is over, one way or the other."""
        self.prefix = ""
        if self._hesitates is not None:
            self._hesitates.stop()
            self._hesitates = None
        if self._following is not None and self._following.display:
            self.app.wait_for_more()  # type: ignore[attr-defined]
            self._following.display = False
            self._lift_notices(0)
            self.show_footer()

    async def _tell_following(self) -> None:
        from kbtui.tui.widgets.following_keys import FollowingKeys

        if not self.prefix or not self.is_uncovered:
            return
        self.app.wait_for_more()  # type: ignore[attr-defined]
        if self._following is None:
            self._following = FollowingKeys()
            self._following.display = False
            await self.mount(self._following)
        if self.prefix:
            hints = [(" ".join(keys), label) for label, keys in self._after_first()]
            self._following.tell(show_key(self.prefix), hints)
            self._lift_notices(self._following.lines)
            self.show_footer()

    def _lift_notices(self, lines: int) -> None:
        """Let them stand so many lines above the footer: they would lie over what may follow."""
        for rack in self.query("#textual-toastrack"):
            if rack.styles.margin.bottom != 1 + lines and (rack.children or not lines):
                rack.styles.margin = (0, 0, 1 + lines, 0)

    def _nothing_here(self, sequence: str) -> str:
        """What is told of keys that do nothing here."""
        elsewhere = (each for each in COMMANDS if sequence in self.keymap.keys(each))
        command = next(elsewhere, None)
        if command is None:
            return f"{show_key(sequence)} is no command."
        return f"{show_key(sequence)}, “{command.help}”, works elsewhere: {PLACES[command.places[0]]}."

    async def _type(self, event: events.Key, command: Command | None) -> bool:
        if command is None and has_alt(event):
            name, character = show_key(event.key), event.character
            self.tell(f"{name} does nothing here. For Esc and then {character}, press one after the other.")
            return True
        if command is None and event.is_printable:
            return False
        await self._settled()
        if command is None:
            return await self._edit(event.key)
        self.run(command)
        return True

    async def _edit(self, key: str) -> bool:
        """Carry out what a text field does at a key that is no character; False where it does nothing.

        Textual would let the key travel up to the app first, past the characters that were typed after it.
        """
        active = self.active_bindings.get(key)
        if active is None or active.node is not self.focused:
            return False
        await self.app.run_action(active.binding.action, active.node)
        return True

    async def _settled(self) -> None:
        """Wait until the field has taken the keys before this one, and the screen has heard of it.

        Each of them has a queue of its own, through which the news travels upwards.
        """
        field = self.focused
        if field is None or not field.is_attached:
            return
        for each in (field, *field.ancestors_with_self):
            await _patiently(caught_up(each))
            if each is self:
                return

    def run(self, command: Command) -> None:
        """Carry out a command, or say why it is off."""
        reason = command.reason(self.situation())
        if reason:
            why = f"{command.label[:1].upper()}{command.label[1:]}: {reason.rstrip('.')}."
            self.tell(why, "warn")
            if command.id in TYPED_AFTER:
                self.take_for_words(why)
            return
        method = self._method(command)
        if method is not None:
            try:
                method()
            except Error as error:
                self.failed(error)

    def await_rest(self, id: str) -> None:
        """Take the key of a command as the first of two, as if it had been pressed."""
        self._await_rest(self.keymap.keys(BY_ID[id])[0])

    def run_id(self, id: str) -> None:
        self.run(BY_ID[id])

    def can(self, command: Command) -> bool:
        """Whether this screen knows how to carry out `command` at all."""
        return self._method(command) is not None

    def _method(self, command: Command) -> Callable[[], None] | None:
        """`sort.name_down` is done by `do_sort_name_down()`, or else by `do_sort("name_down")`."""
        family, _, rest = command.id.partition(".")
        for owner in (self, self.app):
            exact = getattr(owner, f"do_{family}_{rest}", None)
            if exact is not None:
                return exact  # type: ignore[no-any-return]
            if hasattr(owner, f"do_{family}"):
                return partial(getattr(owner, f"do_{family}"), rest)
        return None

    # What it tells

    def show_lines(self) -> None:
        """Bring the lines around the screen up to date; called again and again."""
        self.show_footer()

    def show_footer(self) -> None:
        """Say the most useful keys, or which is the first of two where what may follow is told."""
        parts: list[Part] = [(" ", "")]
        if self._following is not None and self._following.display:
            parts += [(show_key(self.prefix), "strong"), (" … ", "dim"), ("Esc", "key"), (" gives up", "dim")]
        else:
            parts += self._hints()
        for footer in self.query(Line).filter("#footer"):
            footer.show(parts, self.facts())

    def _hints(self) -> list[Part]:
        """As many keys as there is room for, dim where they are off."""
        now = self.situation()
        room = self.app.size.width - sum(cell_len(text) for text, _ in self.facts()) - 2
        hints: list[Part] = []
        footer = self.keymap.footer(self.here(), now)
        named = [(key, command._replace(label=self.label(command))) for key, command in footer]
        for key, command in fitting(named, room):
            look = "key" if command.reason(now) is None else "dim"
            hints += [(key, look), (f" {command.label}  ", "dim")]
        return hints

    def _after_first(self) -> Iterable[tuple[str, list[str]]]:
        """What may follow the first key, the keys of one label together: n▲ N▼ name."""
        labels: dict[str, list[str]] = {}
        for key, command in self.keymap.after(self.here(), self.prefix):
            if self.can(command) and command.reason(self.situation()) is None:
                arrow = ""
                if command.id.startswith("sort."):
                    arrow = "▼" if command.id.endswith("_down") else "▲"
                labels.setdefault(self.label(command), []).append(show_key(key) + arrow)
        return labels.items()

    def tell(self, sentence: str, look: str = "") -> None:
        """One notice; the next replaces it."""
        self.app.tell(sentence, look)  # type: ignore[attr-defined]

    def failed(self, error: Error) -> None:
        self.app.note_error(error)  # type: ignore[attr-defined]
        self.tell(error.sentence, "bad")


def fitting(hints: Sequence[tuple[str, Command]], room: int) -> list[tuple[str, Command]]:
    """The keys that fit into `room` cells, the most useful first; the way out and the list of keys always."""
    cells = {command.id: cell_len(f"{key} {command.label}  ") for key, command in hints}
    kept = set[str]()
    for id in ("help.keys", next((id for id in cells if id in LEAVES), "")):
        if id in cells and room >= cells[id]:
            room -= cells[id]
            kept.add(id)
    shown = []
    for key, command in hints:
        if command.id not in kept:
            room -= cells[command.id]
        if command.id in kept or room >= 0:
            shown.append((key, command))
    return shown


def _is_of_words(event: events.Key) -> bool:
    return event.is_printable or event.key in ("enter", "backspace")


def apart(event: events.Key) -> tuple[events.Key, events.Key]:
    """Esc, and the character that a line joined to it: outside of words nothing is pressed with Alt."""
    return events.Key("escape", "\x1b"), events.Key(event.key.removeprefix("alt+"), event.character)


async def caught_up(pump: MessagePump) -> None:
    """Return once everything that waits in the queue of `pump` has been taken."""
    done = asyncio.Event()
    if pump.call_later(done.set):
        await done.wait()


async def _patiently(waiting: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, PATIENCE)
