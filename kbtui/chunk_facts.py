"""What the words of a chunk tell of it: how large it is, what it repeats, and whether it is navigation.

Nothing of this comes from the service. Sizes in tokens are rough: every model counts its own way.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from html import unescape
from typing import NamedTuple
from zlib import crc32

from kbtui.content import safe, to_markdown
from kbtui.placing import Passages, Place, Word, words

CHARACTERS_A_TOKEN = 4  # of Latin letters; of other letters half as many, and one without spaces between
OVERLAP = 300  # words of two neighbours that are compared
SHINGLE = 3  # words that are compared together
ALIKE = 0.8  # of the shingles of two chunks that both have, to be called nearly the same
DOCUMENTS = 50  # whose chunks are remembered, those looked at last
SAMPLE = 6  # shingles by which likely twins are looked for
TWINS = 8  # of the likely ones, looked at

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_OTHERS = re.compile("[\u0370-\u0dff\u10a0-\u177f]")  # Greek to Sinhala, Georgian to Ethiopic
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_TELLTALE = re.compile(
    r"skip to (?:main )?content|(?:sign|log) ?in\b|privacy policy|cookies?\b|terms (?:of|and)"
    r"|all rights reserved|newsletter|follow us|site ?map|toggle navigation|\bmenu\b|read more|back to top|©",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r"[.!?。！？:](?:\s|$)")


Key = tuple[str, int]
"""The id of a document, and the number of a chunk of it, counted from 1."""


class ChunkFacts(NamedTuple):
    """What is told of one chunk.

    Attributes:
        tokens: a rough number.
        overlap: characters of its beginning, as it is read, with which the chunk before it ends.
        alike: an earlier chunk that is nearly the same, or None.
        navigation: it looks like a menu or a footer of a web page.
    """

    characters: int
    tokens: int
    overlap: int
    alike: Key | None
    navigation: bool


class Likenesses:
    """Chunks that were seen, of any number of documents, to find those that are nearly the same."""

    def __init__(self) -> None:
        self._shingles: dict[Key, array[int]] = {}
        self._by_sample: dict[int, list[Key]] = {}
        self._documents: dict[str, list[Key]] = {}

    def begin(self, document: str) -> None:
        """Forget what was taken in of a document: all of it comes now, perhaps in other words."""
        for key in self._documents.pop(document, ()):
            for each in self._shingles.pop(key)[:SAMPLE]:
                self._by_sample[each].remove(key)
        if len(self._documents) >= DOCUMENTS:
            self.begin(next(iter(self._documents)))
        self._documents[document] = []

    def add(self, key: Key, chunk: list[str]) -> Key | None:
        """Take in the next chunk of what was begun; the key of an earlier one that is nearly the same."""
        shingles = _shingles(chunk)
        sample = shingles[:SAMPLE]
        likely = dict.fromkeys(twin for each in sample for twin in self._by_sample.get(each, ())[:TWINS])
        alike = next((twin for twin in likely if _share(shingles, self._shingles[twin])), None)
        for each in sample:
            self._by_sample.setdefault(each, []).append(key)
        self._shingles[key] = shingles
        self._documents[key[0]].append(key)
        return alike


def _shingles(chunk: list[str]) -> array[int]:
    """The runs of a few words, as numbers, each once, in their order; four bytes a word."""
    runs = range(max(1, len(chunk) - SHINGLE + 1)) if chunk else range(0)
    return array("I", sorted({crc32(" ".join(chunk[at : at + SHINGLE]).encode()) for at in runs}))


def _share(one: array[int], other: array[int]) -> bool:
    these, those = set(one), set(other)
    return len(these & those) >= ALIKE * len(these | those)


class Told(NamedTuple):
    """A chunk, as it is read: of HTML as Markdown, safe to be drawn; with its facts, and where it stands."""

    text: str
    facts: ChunkFacts
    place: Place | None


class Telling:
    """Tells of the chunks of one document, one page after the other.

    Args:
        document: its id.
        format: of its content.
        passages: those of its text as it is read, or None where nobody knows it.
    """

    def __init__(self, document: str, format: str, passages: Passages | None, likenesses: Likenesses) -> None:
        self._document, self._format = document, format
        self._passages, self._likenesses = passages, likenesses
        likenesses.begin(document)
        self._before: list[str] = []
        self._behind: Place | None = None
        self._number = 0

    def of(self, contents: Sequence[str]) -> list[Told]:
        """What is told of the next chunks, by what they hold."""
        texts = [chunk_as_read(content, self._format) for content in contents]
        places: list[Place | None] = [None] * len(texts)
        if self._passages is not None:
            places = self._passages.place(texts, self._behind)
        self._behind = next((place for place in reversed(places) if place is not None), self._behind)
        return [
            Told(text, self._facts(content, text), place)
            for content, text, place in zip(contents, texts, places, strict=True)
        ]

    def _facts(self, content: str, text: str) -> ChunkFacts:
        found = words(text)
        plain = [each.word for each in found]
        self._number += 1
        facts = ChunkFacts(
            len(content),
            tokens(content),
            _overlap(self._before, found),
            self._likenesses.add((self._document, self._number), plain),
            looks_like_navigation(text),
        )
        self._before = plain
        return facts


def as_read(content: str, format: str) -> str:
    """A content or a part of one as a person reads it, safe to be drawn: of HTML as Markdown, unescaped."""
    text = to_markdown(content, format)
    return safe(_ESCAPED.sub(r"\1", text) if format == "html" else text, newlines=True)


def chunk_as_read(content: str, format: str) -> str:
    """A chunk as a person reads it, safe to be drawn; a service may give Markdown of what is HTML."""
    if format == "html" and not _TAG.search(content):
        return safe(unescape(content), newlines=True)
    return as_read(content, format)


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    unspaced = len(_UNSPACED.findall(text))
    others = len(_OTHERS.findall(text))
    return unspaced + -(-(len(text) - unspaced + others) // CHARACTERS_A_TOKEN)


def _overlap(before: list[str], chunk: list[Word]) -> int:
    """The end, in characters, of the longest beginning of a chunk with which the words before it end."""
    begin = [each.word for each in chunk[:OVERLAP]]
    joined: list[str | None] = [*begin, None, *before[-OVERLAP:]]
    borders = [0] * len(joined)  # of each beginning: its longest beginning that is its end too
    for at in range(1, len(joined)):
        length = borders[at - 1]
        while length and joined[at] != joined[length]:
            length = borders[length - 1]
        borders[at] = length + (joined[at] == joined[length])
    shared = borders[-1] if before and begin else 0
    return chunk[shared - 1].end if shared else 0


def looks_like_navigation(text: str) -> bool:
    """Whether a chunk, in Markdown, is mostly links, short lines, or phrases of headers and footers."""
    said = len(re.findall(r"\w+", text))
    if said < 6:
        return False
    linked = sum(len(re.findall(r"\w+", shown)) for shown in _LINK.findall(text))
    addresses = sum(len(re.findall(r"\w+", link.group())) for link in _LINK.finditer(text)) - linked
    if linked >= 4 and linked >= 0.6 * (said - addresses):
        return True
    if said < 120 and len({found.lower() for found in _TELLTALE.findall(text)}) >= 3:
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    short = [
        line
        for line in lines
        if len(line.split()) <= 5 and not _SENTENCE.search(line) and not re.search(r"\d", line)
    ]
    return len(lines) >= 6 and len(short) >= 0.8 * len(lines)
