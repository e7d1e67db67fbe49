"""The stops of a visit, as a browser keeps them: back, forward, and the last one. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

DEEP = 100  # stops that are kept
REST = 2.0  # seconds after which a document under the cursor counts as looked at

Alive = Callable[["Stop"], bool]


class Stop(NamedTuple):
    """What is looked at, by ids: a folder or another scope, the document there, the pane with the keys."""

    scope: str
    document: str | None
    pane: str  # "tree", "list" or "view"

    def is_a_step_from(self, other: Stop) -> bool:
        """Whether the cursor only moved: in one list, or through the tree."""
        return self.pane == other.pane and (self.scope == other.scope or self.pane == "tree")


class Trail:
    """Stops in the order in which they were gone to.

    What the cursor only passes leaves no trace. A stop is kept once it is left by more than a step, once its
    text had the keys, or once somebody rested there for `REST` seconds.
    """

    def __init__(self) -> None:
        self.stops: list[Stop] = []
        self.at = -1  # which of them the person is at, or was before passing through
        self.last: Stop | None = None  # the one before this, by whatever way
        self._passing: Stop | None = None  # where the person is, not kept yet
        self._since = 0.0  # when that was come to
        self._read = False  # its text had the keys
        self._new = False  # it is in a scope that was gone to, and not a step from a stop that is kept

    @property
    def here(self) -> Stop | None:
        """Where the person is; None before they are anywhere."""
        return self._passing or (self.stops[self.at] if self.stops else None)

    def come(self, stop: Stop, now: float) -> None:
        """The person is here at `now` (seconds); told as often as anything moves, also where nothing did."""
        here = self.here
        if here is not None and here[:2] == stop[:2]:
            self._turn(stop)
            return
        step = here is not None and stop.is_a_step_from(here)
        kept = self._passing is None
        if not step or self._looked(now):
            self._keep()
            kept = True
        if kept:
            self.last = here
        self._new = not step or (self._new and not kept)
        if self.stops and stop == self.stops[self.at]:
            self._passing = None  # back where it began
        else:
            self._passing, self._since, self._read = stop, now, stop.pane == "view"

    def _turn(self, stop: Stop) -> None:
        """Another pane on the same document."""
        if self._passing is not None:
            self._passing, self._read = stop, self._read or stop.pane == "view"
        else:
            self.stops[self.at] = stop

    def _looked(self, now: float) -> bool:
        return self._passing is not None and (self._read or now - self._since >= REST)

    def _keep(self) -> None:
        """Keep where the person is: what was ahead is dropped."""
        if self._passing is not None:
            self.stops[self.at + 1 :] = [self._passing]
            del self.stops[:-DEEP]
            self.at, self._passing = len(self.stops) - 1, None

    def back(self, alive: Alive, now: float) -> Stop | None:
        """Go to the nearest stop before that is still there; None where there is none."""
        passed = self._leave(now)
        return self._go(range(self.at - (not passed), -1, -1), alive)

    def forward(self, alive: Alive, now: float) -> Stop | None:
        """Go to the nearest stop ahead that is still there; None where there is none."""
        self._leave(now)
        return self._go(range(self.at + 1, len(self.stops)), alive)

    def swap(self, alive: Alive, now: float) -> Stop | None:
        """Go to the stop before this one, by whatever way it was left; again, back here. None: it is gone.

        What is ahead stays where it is a neighbour; else this is going somewhere new.
        """
        last, here = self.last, self.here
        if last is None or last == here or not alive(last):
            return None
        self._leave(now)
        near = (at for at in (self.at, self.at - 1, self.at + 1) if 0 <= at < len(self.stops))
        at = next((at for at in near if self.stops[at] == last), None)
        if at is None:
            self._passing = last
            self._keep()
        else:
            self.at, self._passing = at, None
        self.last = here
        return last

    def _leave(self, now: float) -> bool:
        """Keep where the person is, if it was more than passed through; whether it was not."""
        if self._passing is None:
            return False
        if self._new or self._looked(now):
            self._keep()
            return False
        return True

    def _go(self, steps: Iterable[int], alive: Alive) -> Stop | None:
        here = self.here
        for at in steps:
            if self.stops[at] != here and alive(self.stops[at]):
                self.at, self.last, self._passing = at, here, None
                return self.stops[at]
        return None
