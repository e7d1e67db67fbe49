"""Questions that are kept, their answers, and what became of each chunk between two of them.

Nothing here asks or stores: `answers.py` does the one, `history.py` the other.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from kbtui.rows import Chosen

if TYPE_CHECKING:
    from kbtui.models import Retrieval

SAME_CHUNK = 0.6  # from 0 to 1, as difflib has it: from here on, other words are an edit of the same chunk
LONGEST = 1_000  # words of a chunk that are compared: difflib takes the square of them

KINDS = ("came", "went", "rose", "fell", "stayed")

# A word; from Thai on, where words are written without spaces between them, a letter.
_WORD = re.compile(r"[^\W\u0e00-\U0010ffff]+|\w")


class Question(NamedTuple):
    """What is asked of an agent, the same way every time.

    `strategy` is semantic or keyword; `as_set`: with the settings of the agent, else with neutral ones.
    """

    agent: str  # its id
    agent_name: str  # as it was when the question was kept; no name tells questions apart
    words: str
    branch: str | None = None  # its id; None: the main one
    strategy: str = "semantic"
    as_set: bool = True
    branch_name: str = ""

    @property
    def chosen(self) -> Chosen:
        """The agent that is asked, on its branch."""
        return Chosen(self.agent, self.agent_name, self.branch, self.branch_name)

    def dumped(self) -> str:
        """The question in ASCII, without the names: the same for the same question."""
        return json.dumps([self.agent, self.branch, self.words, self.strategy, self.as_set])

    def names(self) -> str:
        """The names in ASCII, of the agent and of its branch."""
        return json.dumps([self.agent_name, self.branch_name] if self.branch_name else self.agent_name)

    @classmethod
    def loaded(cls, text: str, names: str) -> Question | None:
        """What `dumped` and `names` gave, or None where they gave something else."""
        told = _json(names)
        match _json(text), [told, ""] if isinstance(told, str) else told:
            case (
                [str(agent), (str() | None) as branch, str(words), str(strategy), bool(as_set)],
                [str(name), str(branch_name)],
            ):
                return cls(agent, name, words, branch, strategy, as_set, branch_name)
        return None


class Ranked(NamedTuple):
    """A chunk as an answer ranks it."""

    rank: int  # from 1, the nearest first
    id: str  # of the chunk under its model; another one after its index was rebuilt
    document: str  # its id
    name: str  # of the document
    distance: float | None  # of the vectors, smaller is nearer; None by keyword, or where it is not told
    content: str
    format: str = ""  # html, markdown, or a newer word


class Answer(NamedTuple):
    """What an agent would have retrieved once: the chunks, nearest first, at a time in Unix seconds."""

    at: float
    chunks: tuple[Ranked, ...]


class Difference(NamedTuple):
    """What became of one chunk from one answer to a later one; in one of the two it may be missing."""

    before: Ranked | None
    after: Ranked | None

    @property
    def kind(self) -> str:
        """One of `KINDS`; a chunk rises towards rank 1."""
        if self.before is None or self.after is None:
            return "came" if self.before is None else "went"
        if self.before.rank == self.after.rank:
            return "stayed"
        return "rose" if self.after.rank < self.before.rank else "fell"

    @property
    def reworded(self) -> bool:
        """Whether the chunk is in both answers, in other words."""
        return bool(self.before and self.after and self.before.content != self.after.content)


def answered(found: Retrieval, at: float) -> Answer:
    """An answer of the service, as it is kept."""
    chunks = (
        Ranked(
            rank,
            each.chunk_id,
            each.document_id,
            each.document_name,
            _told(each.vector_distance),
            each.text,
            each.content_format,
        )
        for rank, each in enumerate(found.chunks, 1)
    )
    return Answer(float(at), tuple(chunks))


def dump_answers(answers: Sequence[Answer]) -> str:
    """The answers in ASCII; the place of a chunk is its rank."""
    return json.dumps([(each.at, [chunk[1:] for chunk in each.chunks]) for each in answers])


def load_answers(text: str | None) -> list[Answer]:
    """What was dumped; without what was not dumped here, and nothing of None."""
    kept = _json(text)
    loaded = map(_answer, kept if isinstance(kept, list) else [])
    return [answer for answer in loaded if answer is not None]


def _answer(kept: Any) -> Answer | None:
    match kept:
        case [float(at), [*chunks]] if math.isfinite(at):
            ranked = [_ranked(rank, chunk) for rank, chunk in enumerate(chunks, 1)]
            whole = [chunk for chunk in ranked if chunk is not None]
            return Answer(at, tuple(whole)) if whole == ranked else None
    return None


def _ranked(rank: int, kept: Any) -> Ranked | None:
    match kept:
        case [str(id), str(document), str(name), (float() | None) as distance, str(content), str(format)]:
            return Ranked(rank, id, document, name, distance, content, format)
    return None


def compare(before: Answer, after: Answer) -> tuple[Difference, ...]:
    """What became of every chunk: those of `after` in their order, then those that went, in theirs.

    A chunk is known by its id; else, since a rebuilt index gives new ids, by its words; else by the words
    closest to them, of `SAME_CHUNK` at least. Always in the same document, and each is one other at most.
    """
    old, new, was = list(before.chunks), list(after.chunks), dict[int, Ranked]()
    for pairs in (_same_id, _same_words, _closest):
        for earlier, later in pairs(old, new):
            was[later.rank] = earlier
            old.remove(earlier)
            new.remove(later)
    return (
        *(Difference(was.get(chunk.rank), chunk) for chunk in after.chunks),
        *(Difference(chunk, None) for chunk in old),
    )


def gone(differences: Sequence[Difference]) -> dict[str, str]:
    """The documents all of whose chunks went: their names, by their ids."""
    left = {after.document for _, after in differences if after}
    return {
        before.document: before.name
        for before, after in differences
        if before and not after and before.document not in left
    }


def summary(differences: Sequence[Difference]) -> str:
    """How many chunks came, went, rose, fell and stayed, in a few words; and how many are reworded."""
    if not differences:
        return "no chunks, as before"
    found = Counter(each.kind for each in differences)
    parts = [f"{found[kind]} {kind}" for kind in KINDS if found[kind]]
    reworded = sum(each.reworded for each in differences)
    return ", ".join(parts) + (f"; {reworded} in other words" if reworded else "")


_Pairs = list[tuple[Ranked, Ranked]]


def _same_id(old: list[Ranked], new: list[Ranked]) -> _Pairs:
    # What has no id is like nothing else.
    return _alike(old, new, lambda chunk: (chunk.document, chunk.id or object()))


def _same_words(old: list[Ranked], new: list[Ranked]) -> _Pairs:
    return _alike(old, new, lambda chunk: (chunk.document, chunk.content))


def _alike(old: list[Ranked], new: list[Ranked], key: Callable[[Ranked], Hashable]) -> _Pairs:
    waiting: dict[Hashable, list[Ranked]] = {}
    for chunk in reversed(old):
        waiting.setdefault(key(chunk), []).append(chunk)
    return [(waiting[key(chunk)].pop(), chunk) for chunk in new if waiting.get(key(chunk))]


def _closest(old: list[Ranked], new: list[Ranked]) -> _Pairs:
    """The closest pair first, then the closest of the rest."""
    earlier = [(chunk, _words(chunk)) for chunk in old]
    found = list[tuple[float, Ranked, Ranked]]()
    for later in new:
        matcher = SequenceMatcher(None, (), _words(later))
        for chunk, words in earlier:
            if chunk.document == later.document:
                matcher.set_seq1(words)
                # The first two are quick, and never less than the third.
                ratios = matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio
                if all(ratio() >= SAME_CHUNK for ratio in ratios):
                    found.append((matcher.ratio(), chunk, later))
    pairs = dict[Ranked, Ranked]()
    for _, chunk, later in sorted(found, key=lambda each: -each[0]):
        if later not in pairs and chunk not in pairs.values():
            pairs[later] = chunk
    return [(chunk, later) for later, chunk in pairs.items()]


def _words(chunk: Ranked) -> list[str]:
    return [match[0] for match in islice(_WORD.finditer(chunk.content), LONGEST)]


def _told(distance: float | None) -> float | None:
    return float(distance) if distance is not None and math.isfinite(distance) else None


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
