"""How many agents use documents, as far as was heard, and what to ask next. It asks nobody itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

FRESH = 300.0  # seconds for which a number is not asked for again
RETRY = 60.0  # and one of which no answer came
MANY = 20  # documents that the service tells of at once
KEPT = 20_000  # that are remembered, those heard of last


class AgentCounts:
    """The numbers of one workspace.

    Attributes:
        changes: grows with everything that is heard.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.changes = 0
        self._clock = clock
        self._known: dict[str, tuple[int | None, float]] = {}  # with when it was heard

    def words(self, id: str) -> str:
        """What was heard last: a number, `?` where the service did not tell, "" where it was not asked."""
        if id not in self._known:
            return ""
        number, _ = self._known[id]
        return "?" if number is None else str(number)

    def due(self, ids: Iterable[str]) -> list[str]:
        """Those to ask about next, at most `MANY`."""
        return list(islice(filter(self._is_due, ids), MANY))

    def _is_due(self, id: str) -> bool:
        number, heard = self._known.get(id, (None, -RETRY))
        return self._clock() - heard >= (RETRY if number is None else FRESH)

    def tell(self, numbers: Mapping[str, int | None]) -> None:
        """So many agents use them; None where the service does not tell."""
        for id, number in numbers.items():
            self._known.pop(id, None)
            self._known[id] = number, self._clock()
        self.changes += 1
        for old in list(self._known)[: max(0, len(self._known) - KEPT)]:
            del self._known[old]

    def forget(self) -> None:
        """All are due again."""
        self._known = {id: (number, -FRESH) for id, (number, _) in self._known.items()}
