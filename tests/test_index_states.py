"""What is known of indexes: never asked for twice while it is fresh, and never lost."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kbtui.answers import MODELS
from kbtui.errors import Offline, Refused
from kbtui.index_states import AGAIN, BATCH, FRESH, RETRY, IndexStates, Wanted, would_add
from kbtui.models import RagIndex
from kbtui.tui.building import PATIENCE, Job

FIRST, SECOND = MODELS
IDS = [f"document{number}" for number in range(6)]


class Clock:
    """Time, moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def index(model: str = FIRST, status: str = "succeeded") -> RagIndex:
    return RagIndex(id="i", model=model, status=status)


def ask(states: IndexStates, documents: dict[str, int], answers: dict[str, Any], *models: str) -> Wanted:
    wanted = states.due(documents, models)
    assert wanted is not None
    with states.asking(wanted) as hear:
        hear({id: answers.get(id) for id in wanted.documents})
    return wanted


def test_the_next_model_is_asked_only_for_what_has_no_index_under_the_one_before() -> None:
    states = IndexStates(Clock())
    documents = dict.fromkeys(IDS, 1)
    assert set(ask(states, documents, {IDS[0]: index()}).documents) == set(IDS)
    wanted = ask(states, documents, {IDS[1]: index(SECOND)})
    assert (wanted.model, set(wanted.documents)) == (SECOND, set(IDS[1:]))
    assert states.due(documents) is None
    found = [states.first(id, 1) for id in IDS[:3]]
    assert [each and each.index and each.index.model for each in found] == [FIRST, SECOND, None]


def test_what_is_being_built_is_asked_for_again_the_seldomer_the_longer_it_takes() -> None:
    clock = Clock()
    states, pauses = IndexStates(clock), []
    building = index(status="processing")
    for _ in range(30):
        ask(states, {"a": 1}, {"a": building}, FIRST)
        before = clock.now
        while states.due({"a": 1}, [FIRST]) is None:
            clock.now += 0.25
        pauses.append(clock.now - before)
    assert pauses == sorted(pauses) and (pauses[0], pauses[-1]) == (1.0, 10.0)
    ask(states, {"a": 1}, {"a": index()}, FIRST)
    clock.now += FRESH - 1
    assert states.due({"a": 1}, [FIRST]) is None


def test_a_document_that_was_changed_is_looked_at_twice() -> None:
    clock = Clock()
    states = IndexStates(clock)
    ask(states, {"a": 1}, {"a": index()}, FIRST)
    assert states.current("a", 2, FIRST) is None, "what was heard is older than the change"
    ask(states, {"a": 2}, {"a": index()}, FIRST)
    clock.now += 5
    ask(states, {"a": 2}, {"a": index()}, FIRST)
    clock.now += 5
    assert states.due({"a": 2}, [FIRST]) is None


def test_what_failed_is_empty_and_is_not_asked_for_again_at_once() -> None:
    clock = Clock()
    states = IndexStates(clock)
    states.used = [FIRST]
    wanted = states.due({"a": 1})
    assert wanted
    with pytest.raises(Offline), states.asking(wanted):
        raise Offline("Nobody there.")
    state = states.first("a", 1)
    assert state is not None and state.trouble == "Nobody there." and state.index is None
    assert states.due({"a": 1}) is None
    clock.now += RETRY
    assert states.due({"a": 1}) is not None


@pytest.mark.parametrize("refused", MODELS)
def test_a_model_that_is_refused_hides_nothing_that_others_say(refused: str) -> None:
    states, told = IndexStates(Clock()), next(model for model in MODELS if model != refused)
    states.used = MODELS
    documents = dict.fromkeys(IDS, 1)
    asked = list[str]()
    while wanted := states.due(documents):
        asked.append(wanted.model)
        with suppress(Refused), states.asking(wanted) as hear:
            if wanted.model == refused:
                raise Refused("Not this model.")
            hear({id: index(told) if id == IDS[0] else None for id in wanted.documents})
    assert sorted(asked) == sorted(MODELS)
    found = states.first(IDS[0], 1)
    assert found and found.index and found.index.model == told
    other = states.first(IDS[1], 1)
    assert other and other.trouble == "Not this model.", "it may have one there"


def test_an_answer_does_not_overwrite_what_was_heard_while_it_was_under_way() -> None:
    states = IndexStates(Clock())
    wanted = states.due({"a": 1})
    assert wanted
    with states.asking(wanted) as hear:
        states.tell("a", 1, FIRST, index(status="created"))
        hear({"a": None})
    state = states.state("a", FIRST)
    assert state and state.index and state.index.status == "created"


def test_what_is_followed_is_asked_for_along_with_what_is_looked_at_if_it_is_due_soon() -> None:
    clock = Clock()
    states, waiting = IndexStates(clock), {"b": None, "c": None}
    for id in waiting:
        states.tell(id, 7, FIRST, index(status="processing"))
    with states.following(waiting, [FIRST]):
        assert set(ask(states, {"a": 1}, {}, FIRST).documents) == {"a"}, "too soon"
        clock.now += 0.5
        assert ask(states, {"d": 1}, {}, FIRST).documents == {"d": 1, "b": 7, "c": 7}
        clock.now += FRESH
        del waiting["b"]
        assert set(ask(states, {"a": 1}, {}, FIRST).documents) == {"a", "c"}
        clock.now += FRESH
        assert set(ask(states, {"a": 1}, {}, SECOND).documents) == {"a"}, "under another model"
    assert set(ask(states, {"a": 1}, {}, FIRST).documents) == {"a"}, "nobody waits any more"


def test_what_is_followed_and_was_changed_meanwhile_is_heard_as_it_is_now() -> None:
    clock = Clock()
    states = IndexStates(clock)
    with states.following(["a"], MODELS[:1]):
        ask(states, {"a": 1}, {"a": index()}, FIRST)
        clock.now += FRESH
        assert ask(states, {"a": 2}, {"a": index()}, FIRST).documents == {"a": 2}
        assert states.due({"a": 2}, (FIRST,)) is None


def test_an_index_that_takes_long_is_given_up_only_after_long_silence() -> None:
    clock = Clock()
    states, kb = IndexStates(clock), Mock()
    kb.index_states = states
    job = Job(FIRST, {"a": "A"})
    job.begun({"a": ""})
    for _ in range(100):
        clock.now += PATIENCE / 50
        ask(states, {"a": 1}, {"a": index(status="processing")}, FIRST)
    for answer in ("busy", index(status="processing"), "busy", "busy"):
        clock.now += PATIENCE - 1
        ask(states, {"a": 1}, {"a": answer}, FIRST)
        job.settle(kb, {"a": 1})
    assert job.waiting and not job.failed
    clock.now += PATIENCE
    ask(states, {"a": 1}, {"a": "busy"}, FIRST)
    job.settle(kb, {"a": 1})
    assert job.failed == {"a": "busy"}


def test_what_was_changed_a_moment_ago_is_settled_when_it_was_heard_twice_or_seen_being_built() -> None:
    clock = Clock()
    states = IndexStates(clock)
    states.doubt("a")
    assert states.moving("a", 1, [FIRST]) == [FIRST]
    states.tell("a", 1, FIRST, index())
    assert states.moving("a", 1, [FIRST]) == [FIRST], "it may not have begun"
    clock.now += AGAIN
    ask(states, {"a": 1}, {"a": index()}, FIRST)
    assert states.moving("a", 1, [FIRST]) == []
    states.expire(["a"])
    assert states.moving("a", 1, [FIRST]) == [FIRST], "it is to be heard anew"
    states.doubt("a")
    states.tell("a", 1, FIRST, index(status="created"))
    states.tell("a", 1, FIRST, index())
    assert states.moving("a", 1, [FIRST]) == []


@given(st.integers(0, 350))
def test_every_document_is_asked_for_once_in_batches_that_the_service_takes(number: int) -> None:
    states, documents = IndexStates(Clock()), {str(at): 1 for at in range(number)}
    asked = list[str]()
    while wanted := states.due(documents, [FIRST]):
        assert 0 < len(wanted.documents) <= BATCH
        with states.asking(wanted) as hear:
            hear(dict.fromkeys(wanted.documents, index()))
        asked += wanted.documents
    assert sorted(asked) == sorted(documents)


@given(st.lists(st.integers(0, 10**6)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_estimate_follows_the_indexes_that_are_there(sizes: list[int], indexed: int, used: int) -> None:
    estimate = would_add(len(sizes), sum(sizes), indexed, used)
    assert estimate.documents == len(sizes)
    if indexed and used:
        assert estimate.share == used / indexed
        assert estimate.bytes == pytest.approx(sum(sizes) * used / indexed, abs=1)
    else:
        assert (estimate.share, estimate.bytes) == (None, sum(sizes))


class Asking(RuleBasedStateMachine):
    """Two screens ask at any time, answers come in any order, and documents change."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.states = IndexStates(self.clock)
        self.updated = dict.fromkeys(IDS, 1)
        self.open: list[tuple[Wanted, ExitStack, Any]] = []
        self.settled: dict[tuple[str, str, int], float] = {}  # what was heard, and until when it is fresh

    @rule(ids=st.sets(st.sampled_from(IDS)), models=st.sampled_from([(), (FIRST,), (SECOND,), MODELS]))
    def begin(self, ids: set[str], models: tuple[str, ...]) -> None:
        documents = {id: self.updated[id] for id in ids}
        wanted = self.states.due(documents, models)
        if wanted is None:
            return
        for id, updated in wanted.documents.items():
            assert self.settled.get((id, wanted.model, updated), 0) <= self.clock.now, "asked while fresh"
            under_way = [(each.model, id) for each, _, _ in self.open if id in each.documents]
            assert (wanted.model, id) not in under_way, "asked while it was under way"
        stack = ExitStack()
        self.open.append((wanted, stack, stack.enter_context(self.states.asking(wanted))))

    @rule(at=st.integers(0, 5), answer=st.sampled_from(["index", "none", "cut", "partly"]))
    def end(self, at: int, answer: str) -> None:
        if not self.open:
            return
        wanted, stack, hear = self.open.pop(at % len(self.open))
        if answer != "cut":
            heard = list(wanted.documents)[: 1 if answer == "partly" else None]
            hear({id: None if answer == "none" else index(wanted.model) for id in heard})
            for id, updated in wanted.documents.items():
                fresh = AGAIN if id in heard else RETRY  # at the least
                self.settled[id, wanted.model, updated] = self.clock.now + fresh
        stack.close()

    @rule(id=st.sampled_from(IDS))
    def change(self, id: str) -> None:
        self.updated[id] += 1

    @rule(seconds=st.sampled_from([1.0, AGAIN, RETRY, FRESH]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def nothing_is_lost(self) -> None:
        """Each is known as of its last change, under way, or due."""
        for id, updated in self.updated.items():
            for model in MODELS:
                known = self.states.current(id, updated, model) is not None
                under_way = any(id in each.documents and each.model == model for each, _, _ in self.open)
                assert known or under_way or self.states.due({id: updated}, [model]) is not None


TestAsking = Asking.TestCase
TestAsking.settings = settings(max_examples=50, stateful_step_count=40)


def test_a_filter_is_told_what_is_known_now_of_documents_as_they_are_now() -> None:
    states = IndexStates(Clock())
    states.used = MODELS
    for id, status in (("a", "succeeded"), ("b", "failed"), ("c", "processing"), ("d", "of the future")):
        states.tell(id, 7, FIRST, index(status=status))
    states.tell("e", 7, FIRST, None)
    assert states.having(lambda word: word in ("ready", "failed")) == {"a": 7, "b": 7}
    assert states.having(lambda word: True) == {"a": 7, "b": 7, "c": 7}, "e may have one under another model"
    states.tell("e", 7, MODELS[1], None)
    states.tell("a", 8, FIRST, index(status="rag_limit_exceeded"))
    assert states.having(lambda word: word in ("none", "full")) == {"a": 8, "e": 7}
    states.used = MODELS[1:]
    assert states.having(lambda word: True) == {"e": 7}
