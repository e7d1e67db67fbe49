"""What two texts have in common and where they differ; three texts made one.

Texts are compared by their tokens: tags, sentences and lines, since a body is often one line. The tokens
joined are the text, byte for byte. Everything here is a pure function of text, and takes time that grows with
the lengths alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import Match, SequenceMatcher
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from kbtui.placing import UNSPACED

LONG = 200  # characters; a line longer than this is compared and shown by its sentences
_WORK = 2_000_000  # comparisons that one pair of texts may cost where no token is unique
_LINE_ENDS = r"(?<=\n)"
# The blank between two sentences is a token of its own: who changes one of them leaves the other alone.
_TOKEN_ENDS = r"(?<=[>\n])|(?=<)|(?<=\r)(?!\n)|(?<=[.!?:;…])(?=[ \t])|(?<=[.!?:;…][ \t])|(?<=[。！？।؟])"
_SENTENCE_ENDS = (
    r"(?<=\n)|(?<=[.!?…]\s)|(?<=[。！？।؟])"
    r"|(?=<(?!/|(?i:a|abbr|b|code|em|i|img|kbd|mark|s|small|span|strong|sub|sup|u)\b))"
)
_WORDS = r"<[^<>]*>|\w+"
_WORD = rf"[{UNSPACED}]|[^\W{UNSPACED}]+|\W"  # all of a text, by what is typed or taken out together
_COUNTED = 200_000  # characters of two stretches, in which what stayed is looked for
_SPOKEN = rf"(?:[{UNSPACED}]|[^\s{UNSPACED}]+)\s*"  # a word, or a letter where words have no spaces between
_SPOKEN_MOST = 4_000  # words that are compared
_AROUND, _STRETCH, _PLACES = 5, 14, 3  # words around a change, words of one, and changes that are shown
_LETTERS = 200  # characters of one


class Merge(NamedTuple):
    """Three texts made one; where not `clean`, `text` holds conflict markers between "mine" and "theirs"."""

    text: str
    clean: bool


class _Matcher(SequenceMatcher[str]):
    """What two sequences have in common, found by their unique tokens; in bounded time, unlike difflib's.

    Between unique tokens that stand in both in the same order, difflib decides; where that would cost more
    than `_WORK` allows, a stretch counts as replaced whole.
    """

    def __init__(
        self, isjunk: None = None, a: Sequence[str] = "", b: Sequence[str] = "", autojunk: bool = False
    ) -> None:
        super().__init__(None, a, b, autojunk=False)
        self._texts = a, b

    def get_matching_blocks(self) -> list[Match]:
        a, b = self._texts
        blocks: list[Match] = []
        for i, j in sorted(_pairs(a, b)):
            if blocks and (blocks[-1].a + blocks[-1].size, blocks[-1].b + blocks[-1].size) == (i, j):
                blocks[-1] = blocks[-1]._replace(size=blocks[-1].size + 1)
            else:
                blocks.append(Match(i, j, 1))
        return [*blocks, Match(len(a), len(b), 0)]


def _pairs(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index pairs of equal tokens, ascending in both when sorted."""
    work = _WORK
    gaps = [(0, len(a), 0, len(b))]
    while gaps:
        a0, a1, b0, b1 = gaps.pop()
        while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
            yield a0, b0
            a0, b0 = a0 + 1, b0 + 1
        while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
            a1, b1 = a1 - 1, b1 - 1
            yield a1, b1
        cost = (a1 - a0) * (b1 - b0)
        work -= a1 - a0 + b1 - b0
        if cost == 0 or work < 0:
            continue
        if anchors := _anchors(a[a0:a1], b[b0:b1]):
            for i, j in [*((a0 + i, b0 + j) for i, j in anchors), (a1, b1)]:
                gaps.append((a0, i, b0, j))
                a0, b0 = i, j
        elif cost <= min(work, 10_000):
            work -= cost
            for block in SequenceMatcher(None, a[a0:a1], b[b0:b1], False).get_matching_blocks():
                yield from ((a0 + block.a + n, b0 + block.b + n) for n in range(block.size))


_Link = tuple[int, int, "_Link | None"]


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The longest ascending run of tokens that stand exactly once in both, as index pairs."""
    in_a, in_b = Counter(a), Counter(b)
    places = {token: j for j, token in enumerate(b) if in_b[token] == 1 == in_a[token]}
    ends: list[int] = []  # by length: the lowest place at which an ascending run of that length ends
    runs: list[_Link] = []  # and that run, from its end
    for i, token in enumerate(a):
        if (j := places.get(token)) is not None:
            length = bisect_left(ends, j)
            ends[length : length + 1] = [j]
            runs[length : length + 1] = [(i, j, runs[length - 1] if length else None)]
    link = runs[-1] if runs else None
    found = []
    while link is not None:
        found.append(link[:2])
        link = link[2]
    return found[::-1]


def diff(before: str, after: str, *, before_name: str, after_name: str) -> list[str]:
    """A unified diff with three lines around each change; empty where the texts are equal.

    Where a line is longer than `LONG` characters, as whole bodies of HTML are, both texts are cut into
    sentences and blocks, a line of the diff each, and "↵" stands where a line of the text really ends.
    The lines are raw: make them safe before showing them.
    """
    cut = any(len(line) > LONG for text in (before, after) for line in text.split("\n"))
    ends = _SENTENCE_ENDS if cut else _LINE_ENDS
    a, b = (_split(ends, text) for text in (before, after))
    shown: list[str] = []
    for group in _Matcher(None, a, b).get_grouped_opcodes(3):
        a0, a1, b0, b1 = group[0][1], group[-1][2], group[0][3], group[-1][4]
        shown.append(f"@@ -{_span(a0, a1)} +{_span(b0, b1)} @@")
        for kind, i0, i1, j0, j1 in group:
            if kind == "equal":
                shown += [line for piece in a[i0:i1] for line in _shown(" ", piece, cut)]
            else:
                shown += [line for piece in a[i0:i1] for line in _shown("-", piece, cut)]
                shown += [line for piece in b[j0:j1] for line in _shown("+", piece, cut)]
    return [f"--- {before_name}", f"+++ {after_name}", *shown] if shown else []


class Stretch(NamedTuple):
    """Some words of a text: taken out (`-`), put in (`+`), or in both texts ("")."""

    sign: str
    words: str


def reworded(before: str, after: str) -> list[Stretch]:
    """The words that are others now, each place with a few around it; empty where all are the same.

    No more than a few lines, whatever the texts: of many places the first, of many words the first and last.
    """
    a, b = (re.findall(_SPOKEN, text)[:_SPOKEN_MOST] for text in (before, after))
    was, now = ([word.strip() for word in words] for words in (a, b))
    places = list(_Matcher(None, was, now).get_grouped_opcodes(_AROUND))
    found = list[Stretch]()
    for group in places[:_PLACES]:
        found.append(Stretch("", "… " if group[0][1] else ""))
        for kind, i0, i1, j0, j1 in group:
            if kind == "equal":
                found.append(Stretch("", re.sub(r"\s+", " ", "".join(b[j0:j1]))[:_LETTERS]))
            else:
                found += [Stretch("-", _bounded(a[i0:i1])), Stretch("+", _bounded(b[j0:j1]))]
        found.append(Stretch("", "… " if group[-1][2] < len(a) else ""))
    rest = len(places) - _PLACES
    found.append(Stretch("", f"and in {rest} more {'place' if rest == 1 else 'places'}" if rest > 0 else ""))
    return [piece for piece in found if piece.words.strip()]


def _bounded(words: Sequence[str]) -> str:
    if len(words) > _STRETCH:
        words = [*words[: _STRETCH - 4], "… ", *words[-3:]]
    return " ".join("".join(words).split())[:_LETTERS]


def _split(ends: str, text: str) -> list[str]:
    return [piece for piece in re.split(ends, text) if piece]


def _span(start: int, stop: int) -> str:
    return f"{start + (stop > start)},{stop - start}"


def _shown(sign: str, piece: str, cut: bool) -> list[str]:
    if piece.endswith("\n"):
        return [sign + piece[:-1] + ("↵" if cut else "")]
    return [sign + piece] if cut else [sign + piece, "\\ No newline at end of file"]


class Hunk(NamedTuple):
    """A stretch of three texts.

    `whose` is who changed it: "", "mine", "theirs", "same" for both alike, or "both" where they overlap.
    """

    whose: str
    base: str
    mine: str
    theirs: str

    @property
    def settled(self) -> str | None:
        """What it says in a text made of both sides; None where somebody has to decide."""
        return None if self.whose == "both" else self.mine if self.whose == "mine" else self.theirs


def hunks(base: str, mine: str, theirs: str) -> list[Hunk]:
    """Three texts in stretches, from the first to the last; the stretches of each, joined, are that text.

    They are parted where a token of the base stands in both texts; between two such places a side that
    says what the base says gives way to the other.
    """
    was, my, their = (_split(_TOKEN_ENDS, text) for text in (base, mine, theirs))
    in_mine, in_theirs = dict(_pairs(was, my)), dict(_pairs(was, their))
    shared = [(i, in_mine[i], in_theirs[i]) for i in sorted(in_mine.keys() & in_theirs.keys())]
    found: list[tuple[str, tuple[list[str], ...]]] = []

    def add(whose: str, *sides: Sequence[str]) -> None:
        if not found or found[-1][0] != whose:
            found.append((whose, ([], [], [])))
        for pieces, side in zip(found[-1][1], sides, strict=True):
            pieces += side

    i = j = k = 0
    for at, mine_at, theirs_at in [*shared, (len(was), len(my), len(their))]:
        sides = was[i:at], my[j:mine_at], their[k:theirs_at]
        if any(sides):
            add(_whose(*sides), *sides)
        if at < len(was):
            add("", was[at : at + 1], was[at : at + 1], was[at : at + 1])
        i, j, k = at + 1, mine_at + 1, theirs_at + 1
    return [Hunk(whose, *map("".join, sides)) for whose, sides in found]


def _whose(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> str:
    if base == mine:
        return "" if base == theirs else "theirs"
    if base == theirs:
        return "mine"
    return "same" if mine == theirs else "both"


def joined(hunks: Sequence[Hunk], choices: Mapping[int, str] = MappingProxyType({})) -> str:
    """The text that hunks make.

    Args:
        choices: by the place of an overlap in `hunks`: "mine", "theirs", or "both", one after the other. An
            overlap without a choice stands between conflict markers, each on a line of its own.
    """
    mine = any("\n" in hunk.mine for hunk in hunks)  # else there is no line end of mine to go by
    newline = "\r\n" if any("\r\n" in (hunk.mine if mine else hunk.theirs) for hunk in hunks) else "\n"
    pieces: list[str] = []
    for at, hunk in enumerate(hunks):
        choice = choices.get(at)
        if hunk.settled is not None:
            pieces.append(hunk.settled)
        elif choice == "both":
            pieces += [hunk.mine, _between(hunk, newline), hunk.theirs]
        elif choice:
            pieces.append(hunk.mine if choice == "mine" else hunk.theirs)
        else:
            for marker, side in (("<<<<<<< mine", hunk.mine), ("=======", hunk.theirs)):
                pieces += [_line_end(pieces, newline), marker, newline, side]
            pieces += [_line_end(pieces, newline), ">>>>>>> theirs", newline]
    return "".join(pieces)


def _between(hunk: Hunk, newline: str) -> str:
    """What keeps two sides apart that are put one after the other."""
    if not (hunk.mine and hunk.theirs):
        return ""
    if any("\n" in side for side in hunk[1:]):
        return _line_end([hunk.mine], newline)
    return "" if re.search(r"[\s>]\Z", hunk.mine) or re.match(r"[\s<]", hunk.theirs) else " "


def _line_end(pieces: Sequence[str], newline: str) -> str:
    last = next((piece for piece in reversed(pieces) if piece), "\n")
    return "" if last.endswith(("\n", "\r")) else newline


def merge(base: str, mine: str, theirs: str) -> Merge:
    """Three-way merge by tags, sentences and lines; what neither changed is kept byte for byte.

    Where both changed the same sentence, or lines that touch, the text holds both between conflict markers,
    each on a line of its own.
    """
    if theirs == base:
        return Merge(mine, True)
    if mine in (base, theirs):
        return Merge(theirs, True)
    found = hunks(base, mine, theirs)
    return Merge(joined(found), all(hunk.whose != "both" for hunk in found))


def differing(before: str, after: str) -> tuple[int, int, int]:
    """Where all that differs begins in both texts, where it ends in `before`, and where in `after`."""
    most = min(len(before), len(after))
    begin = bisect_left(range(1, most + 1), True, key=lambda n: before[:n] != after[:n])
    rest = range(1, most - begin + 1)
    same = bisect_left(rest, True, key=lambda n: before[-n:] != after[-n:])
    return begin, len(before) - same, len(after) - same


def moved(before: str, after: str, at: int) -> int:
    """Where that stands in `after` which stands at a place of `before`; where it is gone, what follows it."""
    begin, gone, came = differing(before, after)
    if not begin <= at < gone:
        return at if at < begin else at + came - gone
    a, b = _split(_TOKEN_ENDS, before), _split(_TOKEN_ENDS, after)
    starts, places = ([0, *accumulate(map(len, tokens))] for tokens in (a, b))
    index, stayed = bisect_right(starts, at) - 1, dict(_pairs(a, b))
    if index in stayed:
        return places[stayed[index]] + at - starts[index]
    return next((places[stayed[i]] for i in range(index, len(a)) if i in stayed), came)


@lru_cache(maxsize=16)  # of a list that is drawn again; the texts may be large
def amount(before: str, after: str) -> tuple[int, int]:
    """How many characters were put in, and how many taken out; of much, all from the first to the last."""
    begin, gone, came = differing(before, after)
    old, new = before[begin:gone], after[begin:came]
    same = 0
    if len(old) + len(new) <= _COUNTED:
        a, b = re.findall(_WORD, old), re.findall(_WORD, new)
        blocks = _Matcher(None, a, b).get_matching_blocks()
        same = sum(len(word) for at, _, size in blocks for word in a[at : at + size])
    return len(new) - same, len(old) - same


def unresolved(text: str) -> bool:
    """Does the text still hold the conflict markers of `merge`?"""
    return re.search(r"^(<<<<<<< mine|>>>>>>> theirs)\r?$", text, re.MULTILINE) is not None


def keeps(base: str, mine: str, theirs: str) -> bool:
    """Does `theirs` still hold everything that `mine` changed against `base`?

    What was added next to it, or elsewhere, does not matter; a word of mine that is missing, or one that I
    removed and that is back, does. Where repeated tags leave it open what changed, the answer is no.
    """
    if mine in (base, theirs):
        return True
    for hunk in hunks(base, mine, theirs):
        if hunk.whose == "mine":
            return False
        if hunk.whose == "both":
            was, mine_now, theirs_now = (Counter(re.findall(_WORDS, side)) for side in hunk[1:])
            added, removed = mine_now - was, was - mine_now
            if not (added or removed) or added - (theirs_now - was) or removed & (theirs_now - mine_now):
                return False
    return True
