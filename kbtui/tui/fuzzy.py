"""How well what is typed fits a name, and which letters it meets: Textual's fuzzy matcher, on a leash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from textual.fuzzy import FuzzySearch

from kbtui.documents import folded

LONGEST = 200  # characters of a name that are looked at
WAYS = 60  # in which letters may be met; the matcher tries each of them, and "aaaa…" has millions

_matcher = FuzzySearch(case_sensitive=True)  # names are folded before


class Fit(NamedTuple):
    """How well words fit, 0 for not at all, and where their letters stand."""

    score: float
    letters: frozenset[int]


MISS = Fit(0, frozenset())


def fit(words: Sequence[str], name: str) -> Fit:
    """How well folded words fit a name: each has to, letter by letter in its order."""
    text, total, letters = folded(name[:LONGEST]), 0.0, set[int]()
    for word in words:
        score, met = _meet(word, text)
        if not score:
            return MISS
        total += score * (2 if text.startswith(word) else 1)
        letters.update(met)
    same = len(text) == len(name[:LONGEST])  # else they stand elsewhere
    return Fit(total, frozenset(letters if same else ()))


def begins(words: Sequence[str], name: str) -> bool:
    """Whether each of these folded words is the beginning of one of a name: nobody means another by it."""
    text = folded(name[:LONGEST])
    return all(re.search(rf"(?<![^\W_]){re.escape(word)}", text) for word in words)


def _meet(word: str, text: str) -> tuple[float, Sequence[int]]:
    if word in text or _ways(word, text) <= WAYS:
        return _matcher.match(word, text)
    met, at = [], -1
    for letter in word:
        at = text.find(letter, at + 1)
        met.append(at)
    return _matcher.score(text, met), met


def _ways(word: str, text: str) -> int:
    """In how many ways the letters of `word` are met in their order in `text`."""
    ways = [1] + [0] * len(word)
    for letter in text:
        for at in range(len(word), 0, -1):
            if word[at - 1] == letter:
                ways[at] += ways[at - 1]
    return ways[-1]
