"""How the indexes of documents stand, as far as was heard: what is known, for how long, and what to ask next.

A pure room: it asks nobody, and is told what to ask for (`due`), that it is asked (`asking`) and what was
answered. What is fresh, or under way, is never due; what was never answered is due again. How often what is
being built is looked at, and when no more, is said here for all that follow it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kbtui.answers import MODELS, PENDING

if TYPE_CHECKING:
    from kbtui.models import RagIndex

FRESH = 300.0  # seconds for which an index that is settled is not asked for again
RETRY = 60.0  # and one of which no answer came
SOONEST, LATEST = 1.0, 10.0  # and one that is being built: the longer, the seldomer
AGAIN = 2.0  # and one heard of right after a change: the service may not have begun to build it anew
KEPT = 50_000  # that are remembered, those heard of last
BATCH = 100  # documents that the service tells of at once


@dataclass(frozen=True, slots=True)
class State:
    """What was heard of one index.

    Attributes:
        updated: when its document had been changed last, by what was known then.
        heard: by the clock; asked for again `fresh` seconds later.
        index: None where there is none.
        trouble: why nothing is known, or "".
        since: by the clock, since when it is seen being built.
        silent: by the clock, since when there is trouble instead of an answer.
    """

    updated: int
    heard: float
    fresh: float
    index: RagIndex | None = None
    trouble: str = ""
    since: float = 0.0
    silent: float = 0.0


class Wanted(NamedTuple):
    """A question for the service: how the indexes of these documents stand under one model.

    `documents` tells of each when it was changed last.
    """

    model: str
    documents: Mapping[str, int]


class Estimate(NamedTuple):
    """What indexes that are not built yet would count for, in bytes.

    `share` is what one counts for by the size of its document, as far as others tell; None where none does.
    """

    documents: int
    bytes: int
    share: float | None


Key = tuple[str, str]  # document and model
WORDS = {  # of a filter, for the states of an index that is not being built
    "succeeded": "ready",
    "failed": "failed",
    "rag_limit_exceeded": "full",
    "document_too_small": "small",
}


def is_pending(index: RagIndex | None) -> bool:
    """Whether an index is being built."""
    return index is not None and index.status in PENDING


class IndexStates:
    """The indexes of one workspace.

    Attributes:
        used: the models under which documents are indexed here, the most used first.
        changes: grows with everything that is heard.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.used: Sequence[str] = MODELS
        self.changes = 0
        self._clock = clock
        self._known: dict[Key, State] = {}
        self._asked: dict[Key, object] = {}  # under way, each with the question that asks for it
        self._doubted: set[Key] = set()
        self._words: tuple[object, list[tuple[str, int, str]]] = (None, [])  # as of which changes, and models
        self._followed: list[tuple[Collection[str], Collection[str]]] = []  # documents, under which models

    @property
    def models(self) -> list[str]:
        """The models in use, and those that could be."""
        return list(dict.fromkeys([*self.used, *MODELS]))

    # What is known

    def state(self, id: str, model: str) -> State | None:
        """What was heard last, however long ago."""
        return self._known.get((id, model))

    def current(self, id: str, updated: int, model: str) -> State | None:
        """What was heard since the document was changed last."""
        state = self._known.get((id, model))
        return state if state is not None and state.updated == updated else None

    def first(self, id: str, updated: int) -> State | None:
        """The index of a document under the most used model that it has one of, as far as models are in use.

        None while that is not known. Where it has none at all, the state says so; where a model tells nothing
        and no other has one, it says why.
        """
        found: State | None = None
        for model in self.used:
            state = self.current(id, updated, model)
            if state is None or state.index is not None:
                return state
            if found is None or not found.trouble:
                found = state
        return found

    def indexed(self, id: str) -> list[str]:
        """The models under which a document has an index, as far as was heard."""
        known = ((model, self._known.get((id, model))) for model in self.models)
        return [model for model, state in known if state is not None and state.index is not None]

    def word(self, id: str, updated: int) -> str:
        """How the index of a document stands, as a filter by it calls that; "" while it is not known."""
        state = self.first(id, updated)
        if state is None or (state.index is None and state.trouble):
            return ""
        if state.index is None:
            return "none"
        return "building" if is_pending(state.index) else WORDS.get(state.index.status, "")

    def having(self, wanted: Callable[[str], bool]) -> dict[str, int]:
        """The documents whose `word` is known and wanted, with the last change that it is known of."""
        as_of = self.changes, tuple(self.used)
        if self._words[0] != as_of:
            known = [
                (id, state.updated) for (id, model), state in self._known.items() if model == self.used[0]
            ]
            words = [(id, updated, self.word(id, updated)) for id, updated in known]
            self._words = as_of, [each for each in words if each[2]]
        return {id: updated for id, updated, word in self._words[1] if wanted(word)}

    def heard_since(self, changes: int) -> set[str]:
        """The documents of which something was heard since `changes` was this; others may be among them."""
        return {id for id, _ in islice(reversed(self._known), self.changes - changes)}

    # What to ask

    def due(self, documents: Mapping[str, int], models: Sequence[str] = ()) -> Wanted | None:
        """What to ask next of these documents, at most a batch; None where nothing is to be asked.

        With `models`, under each of them; else under the next one in use, for those that have no index under
        the ones before, as far as these tell. What is followed is asked for along, if it is due soon.
        """
        for model in models or self.used:
            due = [id for id, updated in documents.items() if self._is_due(id, updated, model, not models)]
            if due:
                here = {id: documents[id] for id in due}  # their changes are newer than what was heard
                return Wanted(model, dict(islice((here | self._soon_due(model) | here).items(), BATCH)))
        return None

    def _soon_due(self, model: str) -> dict[str, int]:
        """What is followed under a model and due in no longer than it was left alone already."""
        together = (ids for ids, models in self._followed if model in models)
        known = {id: self._known.get((id, model)) for ids in together for id in islice(ids, BATCH)}
        now, asked = self._clock(), self._asked
        return {
            id: state.updated
            for id, state in known.items()
            if state is not None and (id, model) not in asked and now - state.heard >= state.fresh / 2
        }

    def _is_due(self, id: str, updated: int, model: str, first: bool) -> bool:
        if first and self._found_before(id, updated, model):
            return False
        if (id, model) in self._asked:
            return False
        state = self.current(id, updated, model)
        return state is None or self._clock() - state.heard >= state.fresh

    def _found_before(self, id: str, updated: int, model: str) -> bool:
        """Whether an index under a model before this one answers for the document, or is still asked for."""
        for before in self.used[: self.used.index(model)]:
            state = self.current(id, updated, before)
            if state is None or state.index is not None:
                return True
        return False

    # Following

    @contextmanager
    def following(self, ids: Collection[str], models: Collection[str]) -> Iterator[None]:
        """These are waited for: whoever asks under one of the models asks for them along.

        What is taken from `ids` meanwhile is not waited for any more.
        """
        followed = (ids, models)
        self._followed.append(followed)
        try:
            yield
        finally:
            self._followed = [each for each in self._followed if each is not followed]

    def doubt(self, id: str) -> None:
        """The document was changed a moment ago: what is heard first may be of what it was before."""
        self._doubted.update((id, model) for model in self.models)

    def moving(self, id: str, updated: int, models: Iterable[str]) -> list[str]:
        """Those of the models under which more is to come: it is being built, in doubt, or not known."""
        known = ((model, self.current(id, updated, model)) for model in models)
        return [
            model
            for model, state in known
            if state is None
            or state.trouble
            or is_pending(state.index)
            or state.fresh <= AGAIN
            or (id, model) in self._doubted
        ]

    # Asking

    @contextmanager
    def asking(self, wanted: Wanted) -> Iterator[Callable[[Mapping[str, RagIndex | str | None]], None]]:
        """Ask: what is yielded takes the answers, an index each, None for none, or why nothing is known.

        What was heard meanwhile (`tell`), or is to be heard anew (`expire`), is not overwritten by an older
        answer. Where an error comes instead, the same is not asked again at once.
        """
        question = object()
        keys = [(id, wanted.model) for id in wanted.documents]
        self._asked.update(dict.fromkeys(keys, question))

        def hear(answers: Mapping[str, RagIndex | str | None]) -> None:
            for id, updated in wanted.documents.items():
                if self._asked.get((id, wanted.model)) is question:
                    self._hear((id, wanted.model), updated, answers.get(id, "no answer"))

        try:
            yield hear
        except Exception as error:
            hear(dict.fromkeys(wanted.documents, str(error) or "no answer"))
            raise
        finally:
            for key in keys:
                if self._asked.get(key) is question:
                    del self._asked[key]

    # What is heard

    def tell(self, id: str, updated: int, model: str, index: RagIndex | None) -> None:
        """An answer for this index came on its own; one that is under way is older."""
        self._asked.pop((id, model), None)
        self._hear((id, model), updated, index)

    def expire(self, ids: Iterable[str], models: Sequence[str] = ()) -> None:
        """These documents are due again, whatever was heard."""
        for id in ids:
            for model in models or self.models:
                state = self._known.get((id, model))
                if state is not None:
                    self._known[id, model] = replace(state, fresh=0.0)
                self._asked.pop((id, model), None)

    def _hear(self, key: Key, updated: int, answer: RagIndex | str | None) -> None:
        now, before = self._clock(), self._known.pop(key, None)
        since, fresh = now, FRESH
        if isinstance(answer, str):
            building = before.index if before is not None and is_pending(before.index) else None
            since = before.since if before is not None else now
            silent = before.silent if before is not None and before.trouble else now
            state = State(updated, now, LATEST if building else RETRY, building, answer, since, silent)
        else:
            if is_pending(answer):
                since = before.since if before is not None and is_pending(before.index) else now
                fresh = max(SOONEST, min(LATEST, (now - since) / 4))
            elif key in self._doubted or (before is not None and before.updated != updated):
                fresh = AGAIN
            self._doubted.discard(key)
            state = State(updated, now, fresh, answer, "", since)
        self._known[key] = state
        self.changes += 1
        if len(self._known) > KEPT:
            for old in list(self._known)[: KEPT // 4]:
                del self._known[old]


def would_add(documents: int, size: int, indexed: int, used: int) -> Estimate:
    """What documents of `size` together would count for, where others of the size `indexed` count `used`."""
    share = used / indexed if indexed and used else None
    return Estimate(documents, round(size * (1.0 if share is None else share)), share)
