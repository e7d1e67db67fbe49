"""The documents that a person has marked, for what is to be done with all of them."""

from __future__ import annotations

from collections.abc import Iterable


class Marks:
    """Ids of documents, in the order in which they were marked; whatever is shown, they stay."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        return id in self._ids

    def turn(self, id: str) -> None:
        """Mark a document, or do not mark it any more."""
        if id in self._ids:
            del self._ids[id]
        else:
            self._ids[id] = None

    def drop(self, ids: Iterable[str] | None = None) -> None:
        """Mark these no more; without `ids`, none."""
        for id in [*self._ids] if ids is None else ids:
            self._ids.pop(id, None)
