"""Which passages answer a question: TF-IDF, where the service has an embedding model.

A word counts by its beginning, so that "refunds" finds "refund", and the more the fewer passages have it;
scripts without spaces count by pairs of characters. No meaning is known, only words: a question in other
words than the passage stays far from it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from kbtui.demo import words

_STEM = 5  # letters of a word that count
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
# Words, bare, that say nothing about the answer; where a question has no others, they count after all.
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are as at be by can could did do does for from had has have how i if in is it its many may me
        more much must my not of on or our should so some something than that the their them then there they
        this to us was we what when where which who why will with would you your der die das den dem des ein
        eine einen ist sind wie was wer wo wann ich sie und oder nicht mit zu auf fur von im le la les un une
        des du de et ou est sont que qui quoi comment je vous nous il elle pour dans el los las una y o es son
        como por para en
    """,
    )
)
_UNHEARD = math.log(5)  # at most so much weighs a word that no passage has


def rank(question: str, passages: Sequence[tuple[str, str]]) -> list[tuple[int, float]]:
    """The places of the passages (text, format) that share a word with the question, the nearest first,

    each with its distance, 0 to 1: the share of the question's weight that the passage leaves open.
    """
    asked = _asked(question)
    counted = [_terms(text, format) for text, format in passages]
    having = Counter(term for terms in counted for term in asked & terms.keys())
    unheard = min(_UNHEARD, math.log(1 + len(passages)) / 2)
    weights = {term: math.log(1 + len(passages) / n) if (n := having[term]) else unheard for term in asked}
    total = sum(weights.values())
    lengths = [terms.total() for terms in counted]
    usual = sum(lengths) / len(lengths) if lengths else 1.0
    found: list[tuple[int, float]] = []
    for place, (terms, length) in enumerate(zip(counted, lengths, strict=True)):
        slow = 0.4 * (0.4 + 0.6 * length / (usual or 1.0))
        closeness = sum(weights[term] * terms[term] / (terms[term] + slow) for term in asked if term in terms)
        if closeness:
            found.append((place, round(1 - closeness / total, 6)))
    return sorted(found, key=lambda each: (each[1], each[0]))


def _asked(question: str) -> set[str]:
    telling = " ".join(word for word in _WORD.findall(_bare(question)) if word not in _EMPTY)
    return set(_terms(telling, "markdown") or _terms(question, "markdown"))


@lru_cache(maxsize=4096)
def _terms(text: str, format: str) -> Counter[str]:
    """How often each term occurs."""
    found = _WORD.findall(_bare(words.plain(text, format)))
    return Counter(term for word in found for term in _cut(word))


def _bare(text: str) -> str:
    """In lower case, without accents and vowel signs."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c)[0] != "M"))


def _cut(word: str) -> list[str]:
    if len(word) > 1 and re.match(f"[{_UNSPACED}]", word):
        return [word[i : i + 2] for i in range(len(word) - 1)]
    return [word[:_STEM]]
