"""How a document becomes chunks: slices of its content, overlapping a little, for one embedding model.

A chunk is a slice of the stored content, so HTML stays HTML and Markdown stays Markdown. Budgets are
in UTF-8 bytes: they stand in for tokens and need no spaces between words, so every script fares alike.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from hashlib import blake2b
from typing import NamedTuple


class Budget(NamedTuple):
    """Sizes of one embedding model's chunks, in UTF-8 bytes."""

    most: int  # no chunk is larger
    overlap: int  # at most as much is repeated at the beginning of the next


# The first model reads long passages, the second at most 512 tokens.
MODELS = {
    "e5_mistral_7b_instruct": Budget(2_000, 300),
    "multilingual_e5_large_instruct": Budget(1_000, 150),
}


class Chunk(NamedTuple):
    """`content[start:end]` of a document; the id is opaque and lasts as long as these words do."""

    id: str
    start: int
    end: int
    text: str


_BLOCKS = (
    "p|div|section|article|header|footer|nav|main|aside|table|tr|ul|ol|li|dl|dd|blockquote|pre|h[1-6]|figure"
)
# What ends a unit: in every script the end of a sentence; then lines; in HTML the end of a block.
_SENTENCE = r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_]*+(?=\s)|[。！？｡؟।॥]+[」』”’）]*"
_MARKDOWN = re.compile(rf"(?:{_SENTENCE})[ \t]*|\n+")
_HTML = re.compile(rf"</(?:{_BLOCKS})\s*>\s*|<(?:br|hr)\b[^<>]*>\s*|(?:{_SENTENCE})[ \t]*|\n+", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!][^<>]*>|&#?\w+;")
_HEADING = {"markdown": re.compile(r"#{1,6} "), "html": re.compile(r"<h[1-6]\b", re.IGNORECASE)}


def chunks(content: str, format: str, model: str, salt: str = "") -> list[Chunk]:
    """Cut `content` (html or markdown) for `model`, in reading order; `salt` tells equal texts apart.

    Every character but white space lies in some chunk; no chunk is empty or above the model's budget;
    neighbours overlap only by whole units (sentences, lines, blocks). Raises KeyError for an unknown model.
    """
    budget = MODELS[model]
    ends = _unit_ends(content, format, budget.most)
    heading = _HEADING["html" if format == "html" else "markdown"]
    spans = _pack(content, ends, budget, heading)
    seen: Counter[str] = Counter()
    made: list[Chunk] = []
    for start, end in spans:
        text = content[start:end]
        id = blake2b(f"{salt}\0{model}\0{seen[text]}\0{text}".encode(errors="surrogatepass"), digest_size=10)
        seen[text] += 1
        made.append(Chunk(id.hexdigest(), start, end, text))
    return made


def _unit_ends(content: str, format: str, most: int) -> list[int]:
    """Where the units end. Together they are the whole content; none is larger than `most` bytes."""
    pattern = _HTML if format == "html" else _MARKDOWN
    ends: list[int] = []
    start = 0
    for end in (*(match.end() for match in pattern.finditer(content)), len(content)):
        if end == start:
            continue
        if _size(content[start:end]) > most:
            ends.extend(_forced(content, start, end, most, html=format == "html"))
        ends.append(end)
        start = end
    return ends


def _forced(content: str, start: int, end: int, most: int, *, html: bool) -> list[int]:
    """Cuts within a unit that is too large: at white space if there is any near, and never inside a tag,
    an entity or a combined character, unless that is too large itself."""
    tags = [match.span() for match in _TAG.finditer(content, start, end)] if html else []
    cuts: list[int] = []
    while (reach := _reach(content, start, end, most)) < end:
        start = _gentle(content, start, reach, tags)
        cuts.append(start)
    return cuts


def _gentle(content: str, start: int, reach: int, tags: list[tuple[int, int]]) -> int:
    """The best place to cut in `start < place <= reach`."""
    for at in range(reach, max(start, reach - 200), -1):
        if content[at - 1].isspace() and _outside(tags, at) == at:
            return at
    at = _outside(tags, reach)
    while at > start and _joined(content, at):
        at -= 1
    return at if at > start else reach


def _joined(content: str, at: int) -> bool:
    """Whether what stands at `at` belongs to the character before it."""
    return unicodedata.category(content[at])[0] == "M" or "\u200d" in content[at - 1 : at + 1]


def _outside(tags: list[tuple[int, int]], at: int) -> int:
    """`at`, or the beginning of the tag that it would cut."""
    last = bisect_left(tags, (at,)) - 1
    return tags[last][0] if last >= 0 and at < tags[last][1] else at


def _reach(content: str, start: int, end: int, most: int) -> int:
    """The furthest end of a slice from `start` within `most` bytes."""
    high = min(end, start + most)
    return (
        start
        + bisect_right(range(high - start + 1), most, key=lambda n: _size(content[start : start + n]))
        - 1
    )


def _pack(content: str, ends: list[int], budget: Budget, heading: re.Pattern[str]) -> list[tuple[int, int]]:
    """Join units to spans within the budget, trimmed of white space; a heading prefers to begin one."""
    starts = [0, *ends][:-1]
    sizes = [_size(content[start:end]) for start, end in zip(starts, ends, strict=True)]
    spans: list[tuple[int, int]] = []
    first, total = 0, 0
    for unit, size in enumerate(sizes):
        titled = total > budget.most // 2 and heading.match(content, starts[unit]) is not None
        if total and (titled or total + size > budget.most):
            spans.append((starts[first], ends[unit - 1]))
            room = 0 if titled else min(budget.overlap, budget.most - size)
            before, first, total = first, unit, 0
            while first - 1 > before and sizes[first - 1] <= room - total:
                first -= 1
                total += sizes[first]
        total += size
    if ends:
        spans.append((starts[first], ends[-1]))
    return [trimmed for start, end in spans if (trimmed := _trim(content, start, end)) is not None]


def _trim(content: str, start: int, end: int) -> tuple[int, int] | None:
    text = content[start:end]
    left = len(text) - len(text.lstrip())
    return None if left == len(text) else (start + left, start + len(text.rstrip()))


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
