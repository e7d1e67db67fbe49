"""Words in one text: found a slice at a time, so that nobody waits for a long one, and replaced together."""

from __future__ import annotations

import re
from bisect import bisect_left

SLICE = 30_000  # characters that are looked through at once: a millisecond or two


def sought(words: str) -> re.Pattern[str] | None:
    """What matches words as they stand, in any case unless one of them has a capital; None for none."""
    return re.compile(re.escape(words), 0 if heeds_case(words) else re.IGNORECASE) if words else None


def heeds_case(words: str) -> bool:
    """Whether capital letters are meant: words in small letters are found in any case."""
    return words != words.lower()


class Hits:
    """The places in a text that match, of which none overlap.

    Attributes:
        spans: where each begins and ends, in order, as far as they are found.
        done: all of them are.
    """

    def __init__(self, text: str, pattern: re.Pattern[str], longest: int) -> None:
        self.text, self.pattern = text, pattern
        self.spans: list[tuple[int, int]] = []
        self._longest, self._at = longest, 0

    @property
    def done(self) -> bool:
        return self._at >= len(self.text)

    def look(self, characters: int = SLICE) -> None:
        """Look through the next so many characters."""
        end = self._at + characters
        for match in self.pattern.finditer(self.text, self._at, end + self._longest):
            if match.start() >= end:
                break
            self.spans.append(match.span())
        self._at = max(end, self.spans[-1][1] if self.spans else 0)

    def look_to_the_end(self) -> None:
        while not self.done:
            self.look()

    def number(self, start: int, end: int) -> int | None:
        """Which of the hits stands exactly there, from 0 on."""
        at = bisect_left(self.spans, (start, end))
        return at if self.spans[at : at + 1] == [(start, end)] else None

    def next(self, at: int) -> tuple[int, int] | None:
        """The first hit that begins at a place or behind it, else the first of all."""
        self.look_to_the_end()
        if not self.spans:
            return None
        return self.spans[bisect_left(self.spans, (at, 0)) % len(self.spans)]

    def previous(self, at: int) -> tuple[int, int] | None:
        """The last hit that begins before a place, else the last of all."""
        self.look_to_the_end()
        return self.spans[bisect_left(self.spans, (at, 0)) - 1] if self.spans else None

    def replaced(self, words: str) -> str:
        """What stands from the first hit to the end of the last, with words in the place of each."""
        self.look_to_the_end()
        if not self.spans:
            return ""
        first, last = self.spans[0][0], self.spans[-1][1]
        return self.pattern.sub(lambda _: words, self.text[first:last])

    def moved(self, at: int, by: int) -> int:
        """Where a place is once each hit is longer by so many characters; of one in a hit, its beginning."""
        before = bisect_left(self.spans, (at, 0))
        if before and self.spans[before - 1][1] > at:
            before -= 1
            at = self.spans[before][0]
        return at + before * by
