"""Where in the text of a document its chunks stand, and what a search found in it.

A service does not tell. Chunks overlap, and mark-up and white space may be others than in the document, so
words are compared: first all of them in one run, else the longest runs that both have. What cannot be placed
is said to be nowhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from html import unescape
from typing import NamedTuple
from unicodedata import normalize

RUN = 3  # words that are looked up together
ENOUGH = 0.75  # of the words of a chunk that have to stand in one place
LOOKED_AT = 1000  # places with the rarest run of a chunk; more would be a text that repeats itself
SLACK = 32  # words by which the runs of a chunk may be farther apart in the document
AROUND = ((8, 8), (3, 3), (0, 3), (3, 0), (0, 0))  # words of a snippet before and behind what is marked in it

# Of scripts that put no space between words.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style)\b.*?(?:</(?P=raw)|\Z)|</?(?P<tag>[a-z!?][\w-]*)[^<>]*>"
    rf"|(?P<entity>&(?:#\d+|#x[\da-f]+|\w+);)|(?P<unspaced>[{UNSPACED}])|(?P<word>[^\W_{UNSPACED}]+)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = re.compile(r"[^\W_]+")
_BETWEEN = r"(?:[^\w<]|_|<[^<>]{0,200}>|<(?![^<>]{0,200}>)){1,40}"  # two words: no other, but perhaps tags
_SPACE = r"\s{1,40}"
_INLINE = re.compile(
    "a|abbr|b|big|code|del|em|font|i|ins|kbd|mark|q|s|small|span|strong|sub|sup|tt|u|wbr", re.IGNORECASE
)


Snippet = Sequence[tuple[str, bool]]
"""Pieces of a text, each with whether what was searched for was found there."""


class Word(NamedTuple):
    """A word without its case, and where it stands: `text[start:end]`, with the mark-up in its midst."""

    word: str
    start: int
    end: int


class Place(NamedTuple):
    """Where a chunk stands: `text[start:end]`.

    Attributes:
        share: of the chunk's words that stand there in their order; 1 means that the passage has just these.
        several: it could as well stand somewhere else.
    """

    start: int
    end: int
    share: float
    several: bool


def words(text: str) -> list[Word]:
    """The words of a text, in Markdown or HTML; in scripts without spaces, each character is one."""
    found: list[Word] = []
    end = -1  # of what a next word goes on with, if it begins right there
    for token in _TOKEN.finditer(text):
        if token["tag"]:
            if token.start() == end and _INLINE.fullmatch(token["tag"]):
                end = token.end()
            continue
        word = token["word"] or token["unspaced"] or unescape(token["entity"] or "")
        if not word.isalnum():
            continue
        word = normalize("NFKC", word).casefold()
        if token.start() == end:
            found[-1] = Word(found[-1].word + word, found[-1].start, token.end())
        else:
            found.append(Word(word, token.start(), token.end()))
        end = -1 if token["unspaced"] else token.end()
    return found


class Passages:
    """The passages of a document's text, by their words."""

    def __init__(self, text: str) -> None:
        self._words = words(text)
        self._plain = [each.word for each in self._words]
        self._runs: dict[tuple[str, ...], list[int]] = {}
        for at in range(len(self._plain) - RUN + 1):
            self._runs.setdefault(tuple(self._plain[at : at + RUN]), []).append(at)

    def place(self, chunks: Iterable[str], behind: Place | None = None) -> list[Place | None]:
        """Where each chunk stands, or None; of several places it is the next after the chunk before it.

        Args:
            behind: where the chunk before the first of these stands.
        """
        places: list[Place | None] = []
        after = bisect_left(self._words, behind.start, key=lambda word: word.start) if behind else -1
        for chunk in chunks:
            wanted = [each.word for each in words(chunk)]
            found = self._whole(wanted, after) or self._parts(wanted, after)
            if found is None:
                places.append(None)
                continue
            first, last, share, several = found
            after = first
            places.append(Place(self._words[first].start, self._words[last].end, share, several))
        return places

    def between(self, start: int, end: int) -> int:
        """How many words begin in `text[start:end]`."""
        first, behind = (bisect_left(self._words, edge, key=lambda word: word.start) for edge in (start, end))
        return max(0, behind - first)

    def _whole(self, wanted: list[str], after: int) -> tuple[int, int, float, bool] | None:
        """The first and last word of the run that is the chunk, behind the word `after` if there is one."""
        size = len(wanted)
        if not size:
            return None
        found = [at for at in self._begins(wanted) if self._plain[at : at + size] == wanted]
        if not found:
            return None
        first = next((at for at in found if at > after), found[0])
        return first, first + size - 1, 1.0, len(found) > 1

    def _begins(self, wanted: list[str]) -> list[int]:
        """Where the chunk would begin, by the run of it that the document has least often."""
        if len(wanted) < RUN:
            return [at for at, word in enumerate(self._plain) if word == wanted[0]][:LOOKED_AT]
        runs = ((tuple(wanted[at : at + RUN]), at) for at in range(len(wanted) - RUN + 1))
        places, offset = min(
            ((self._runs.get(run, []), at) for run, at in runs), key=lambda each: len(each[0])
        )
        return [at - offset for at in places[:LOOKED_AT] if at >= offset]

    def _parts(self, wanted: list[str], after: int) -> tuple[int, int, float, bool] | None:
        """The same for a chunk of which something is missing in the document, or something stands between."""
        best: list[tuple[float, int, int]] = []
        for begin in self._likely(wanted):
            low = max(0, begin - SLACK)
            window = self._plain[low : begin + len(wanted) + len(wanted) // 2 + SLACK]
            common = SequenceMatcher(None, wanted, window, autojunk=False).get_matching_blocks()
            blocks = [block for block in common if block.size > 1]
            share = sum(block.size for block in blocks) / len(wanted)
            if share >= ENOUGH:
                end = blocks[-1].b + blocks[-1].size
                best.append((share, low + blocks[0].b, low + end - 1))
        if not best:
            return None
        most = max(share for share, _, _ in best)
        alike = sorted({(first, last) for share, first, last in best if share == most})
        first, last = next((place for place in alike if place[0] > after), alike[0])
        whole = most == 1 and last - first + 1 == len(wanted)
        return first, last, most if whole else min(most, 0.99), len(alike) > 1

    def _likely(self, wanted: list[str]) -> list[int]:
        """Where the chunk would begin by most of its runs: the best few of such places."""
        votes: Counter[int] = Counter()
        for at in range(len(wanted) - RUN + 1):
            places = self._runs.get(tuple(wanted[at : at + RUN]), [])
            if len(places) <= SLACK:  # what stands everywhere tells nothing
                votes.update({(place - at) // SLACK for place in places})
        return [max(0, bucket * SLACK) for bucket, _ in votes.most_common(4)]


def begins_in(wanted: Place, places: Sequence[Place | None]) -> int | None:
    """Which of these places has the beginning of another; of several, the one that begins last.

    Where none has it, the first with something of the rest; None where none has anything of it.
    """
    begin, end = wanted.start, wanted.end
    there = [(each.start, -at) for at, each in enumerate(places) if each and each.start <= begin < each.end]
    rest = [(each.start, at) for at, each in enumerate(places) if each and begin < each.start < end]
    return -max(there)[1] if there else min(rest)[1] if rest else None


def one_after_the_other(words: Iterable[str], within: str = "") -> re.Pattern[str] | None:
    """What matches words in their order, whatever stands between them; None for no words.

    Before one that begins with a sign only white space may stand: it could be any of the signs between.
    `within` matches what may stand between two characters of a word.
    """
    first, *others = [*words] or [""]
    rest = (f"{_BETWEEN if _PLAIN.match(word) else _SPACE}{_spelt(word, within)}" for word in others)
    return re.compile(_spelt(first, within) + "".join(rest), re.IGNORECASE) if first else None


def _spelt(word: str, within: str) -> str:
    return within.join(map(re.escape, word))


def together(snippet: Snippet) -> str:
    """The marked words of a snippet that stand together: the first of the longest such runs."""
    plain, first, last = _marked(snippet)
    return " ".join(plain[first:last])


def found_at(text: str, snippet: Snippet, typed: str = "") -> int | None:
    """Where in a text that stands which a search found, or None.

    That is where the words stand together as they were `typed`; else where those of the snippet do that are
    marked and stand together, of several such places that with the most of the words around them.
    """
    words = _PLAIN.findall(typed)
    plain, first, last = _marked(snippet)
    patterns = [_among([], words, [])] if len(words) > 1 else []
    if first < last:
        patterns += [
            _among(plain[max(0, first - before) : first], plain[first:last], plain[last : last + behind])
            for before, behind in AROUND
        ]
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
    return next((place.start("these") for place in found if place), None)


class Spot(NamedTuple):
    """A place in the text of a document, by what stands there.

    Attributes:
        snippet: what a search found, for the words that were `typed`.
        passage: instead of these, what a person reads there, from the place on.
        words: those in the passage that were looked for.
    """

    snippet: Snippet = ()
    typed: str = ""
    passage: str = ""
    words: str = ""

    def find(self, text: str, passages: Passages) -> tuple[int, str]:
        """Where it is in a text, -1 for nowhere, and the words that were looked for."""
        if self.passage:
            (place,) = passages.place([self.passage])
            return place.start if place else -1, self.words
        at = found_at(text, self.snippet, self.typed)
        if at is None:
            return -1, together(self.snippet)
        typed = one_after_the_other(_PLAIN.findall(self.typed))
        return at, self.typed if typed and typed.match(text, at) else together(self.snippet)


def _among(before: Iterable[str], these: Sequence[str], behind: Iterable[str]) -> str:
    """A pattern for words one after the other, of which `these` begin no farther back than a word does."""
    begin = "" if these[0] >= "\u0e00" else r"(?<![^\W_])"  # scripts without spaces have no such edges
    lead = "".join(re.escape(word) + _BETWEEN for word in before)
    rest = "".join(_BETWEEN + re.escape(word) for word in behind)
    return f"{lead}{begin}(?P<these>{_BETWEEN.join(map(re.escape, these))}){rest}"


def _marked(snippet: Snippet) -> tuple[list[str], int, int]:
    """The words of a snippet, and where the longest run of those begins and ends that are marked."""
    text, marked = "".join(piece for piece, _ in snippet), set[int]()
    at = 0
    for piece, is_hit in snippet:
        marked.update(range(at, at + len(piece)) if is_hit else ())
        at += len(piece)
    found = list(_PLAIN.finditer(text))
    first = last = begin = 0
    for place, word in enumerate(found):
        if marked.isdisjoint(range(*word.span())):
            begin = place + 1
        elif place + 1 - begin > last - first:
            first, last = begin, place + 1
    return [word[0] for word in found], first, last
