"""The documents that a person has marked, for what is to be done with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MOST = 100_000  # that are marked at once: more than anybody looks through, and little to keep


class Marks:
    """Ids of documents, in the order in which they were marked; whatever is shown, they stay.

    Attributes:
        bytes: what they are in size together, as far as that was told.
    """

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self.bytes = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __contains__(self, id: object) -> bool:
        return id in self._sizes

    def turn(self, id: str, size: int = 0) -> None:
        """Mark a document, or do not mark it any more."""
        if id in self._sizes:
            self.drop([id])
        else:
            self.add({id: size})

    def add(self, sizes: Mapping[str, int]) -> None:
        """Mark these too, each with its size; what is marked already keeps its place."""
        self._sizes.update(sizes)
        self.bytes = sum(self._sizes.values())

    def invert(self, sizes: Mapping[str, int]) -> None:
        """Of these, mark those that are not, and those that are no more."""
        marked = [id for id in sizes if id in self._sizes]
        self.add(sizes)
        self.drop(marked)

    def drop(self, ids: Iterable[str] | None = None) -> None:
        """Mark these no more; without `ids`, none."""
        for id in [*self._sizes] if ids is None else ids:
            self._sizes.pop(id, None)
        self.bytes = sum(self._sizes.values())

    def weigh(self, sizes: Mapping[str, int]) -> None:
        """What they are in size now, as far as that is known."""
        self._sizes.update((id, size) for id, size in sizes.items() if id in self._sizes)
        self.bytes = sum(self._sizes.values())
