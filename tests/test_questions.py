"""What became of each chunk between two answers: every one is told once, and an edited one is one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.__main__ import open_workspace
from kbtui.demo.server import Demo
from kbtui.errors import NotFound
from kbtui.models import Retrieval
from kbtui.questions import (
    KINDS,
    Answer,
    Difference,
    Question,
    Ranked,
    answered,
    compare,
    dump_answers,
    load_answers,
    summary,
)
from tests.house import settings_for
from tests.service import Service

REFUNDS = "Refunds are paid within 14 days of the day on which the parcel came back to us."
EDITED = "Refunds are paid within 30 days of the day on which the parcel came back to us."
LAMPS = "The lamp blinks red while the charger looks for a new version of its programme."


def answer(*chunks: tuple[str, str, str], distance: float | None = None) -> Answer:
    """An answer of chunks, each an id, a document and its words, nearest first."""
    return Answer(
        1.0,
        tuple(
            Ranked(rank, id, document, document.title(), distance, content)
            for rank, (id, document, content) in enumerate(chunks, 1)
        ),
    )


def told(differences: tuple[Difference, ...]) -> list[tuple[str, int | None, int | None, bool]]:
    return [
        (each.kind, each.before and each.before.rank, each.after and each.after.rank, each.reworded)
        for each in differences
    ]


sentences = st.lists(st.sampled_from(["refunds", "are", "paid", "in", "days", "by", "bank"]), max_size=12)
answers = st.lists(
    st.tuples(
        st.sampled_from(["", "c1", "c2", "c3"]),
        st.sampled_from(["d1", "d2"]),
        sentences.map(" ".join) | st.text(max_size=20),
    ),
    max_size=8,
).map(lambda chunks: answer(*chunks))


@given(before=answers, after=answers)
def test_every_chunk_of_both_answers_is_told_exactly_once(before: Answer, after: Answer) -> None:
    differences = compare(before, after)
    was = [each.before for each in differences if each.before]
    assert sorted(was, key=lambda chunk: chunk.rank) == list(before.chunks)
    assert [each.after for each in differences if each.after] == list(after.chunks)


@given(before=answers, after=answers)
def test_the_chunks_that_are_there_come_in_their_order_and_then_those_that_went(
    before: Answer, after: Answer
) -> None:
    ranks = [(each.after is None, (each.after or each.before).rank) for each in compare(before, after)]  # type: ignore[union-attr]
    assert ranks == sorted(ranks)


@given(before=answers, after=answers)
def test_the_counts_add_up_to_both_answers(before: Answer, after: Answer) -> None:
    kinds = [each.kind for each in compare(before, after)]
    count = {kind: kinds.count(kind) for kind in KINDS}
    both = count["rose"] + count["fell"] + count["stayed"]
    assert sum(count.values()) == len(kinds)
    assert count["came"] + both == len(after.chunks) and count["went"] + both == len(before.chunks)


@given(before=answers, after=answers)
def test_a_chunk_is_never_taken_for_one_of_another_document(before: Answer, after: Answer) -> None:
    for was, now in compare(before, after):
        assert was is None or now is None or was.document == now.document


@given(same=answers)
def test_an_answer_compared_with_itself_stayed_as_it_was(same: Answer) -> None:
    assert all(each.kind == "stayed" and not each.reworded for each in compare(same, same))


@given(before=answers, after=answers)
def test_into_nothing_everything_went_and_from_nothing_everything_came(before: Answer, after: Answer) -> None:
    kinds = [each.kind for each in compare(Answer(1.0, before.chunks), Answer(2.0, ()))]
    assert kinds == ["went"] * len(before.chunks)
    assert [each.kind for each in compare(Answer(1.0, ()), after)] == ["came"] * len(after.chunks)


def test_chunks_rise_and_fall_by_their_ids() -> None:
    before = answer(("a", "d1", REFUNDS), ("b", "d1", LAMPS), ("c", "d2", "Gone."))
    after = answer(("b", "d1", LAMPS), ("a", "d1", EDITED), ("d", "d2", "Entirely new things."))
    assert told(compare(before, after)) == [
        ("rose", 2, 1, False),
        ("fell", 1, 2, True),
        ("came", None, 3, False),
        ("went", 3, None, False),
    ]
    assert summary(compare(before, after)) == "1 came, 1 went, 1 rose, 1 fell; 1 in other words"
    assert summary(()) == "no chunks, as before"


def test_a_rebuilt_index_gives_new_ids_to_the_same_chunks() -> None:
    before = answer(("a", "d1", REFUNDS), ("b", "d1", LAMPS), ("c", "d2", LAMPS))
    after = answer(("x", "d2", LAMPS), ("y", "d1", LAMPS), ("z", "d1", EDITED))
    assert told(compare(before, after)) == [
        ("rose", 3, 1, False),
        ("stayed", 2, 2, False),
        ("fell", 1, 3, True),
    ]


def test_of_several_edited_chunks_each_is_the_closest() -> None:
    third = "Refunds are paid within 90 days of the day on which the letter came back to them."
    before = answer(("a", "d1", third), ("b", "d1", REFUNDS))
    after = answer(("x", "d1", EDITED), ("y", "d1", third + " Always."))
    assert told(compare(before, after)) == [("rose", 2, 1, True), ("fell", 1, 2, True)]


def test_other_words_in_the_same_document_are_another_chunk() -> None:
    differences = compare(answer(("a", "d1", REFUNDS)), answer(("x", "d1", LAMPS)))
    assert told(differences) == [("came", None, 1, False), ("went", 1, None, False)]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("返金は十四日以内に行われます。電池は除きます。", "返金は三十日以内に行われます。電池は除きます。"),
        ("คืนเงินภายในสิบสี่วัน ยกเว้นแบตเตอรี่", "คืนเงินภายในสามสิบวัน ยกเว้นแบตเตอรี่"),
        ("Деньги вернут через 14 дней", "Деньги вернут через 30 дней"),
    ],
)
def test_an_edit_is_seen_in_every_script(was: str, now: str) -> None:
    assert told(compare(answer(("a", "d", was)), answer(("b", "d", now)))) == [("stayed", 1, 1, True)]


def test_long_and_monotonous_chunks_are_compared_at_once() -> None:
    texts = ["a b " * 20_000 + "c " * n for n in range(20)]
    before = answer(*((f"a{n}", "d1", text) for n, text in enumerate(texts)))
    after = answer(*((f"b{n}", "d1", "b a a " + text) for n, text in enumerate(texts)))
    start = time.perf_counter()
    compare(before, after)
    assert time.perf_counter() - start < 5


def test_an_answer_of_the_service_may_lack_anything() -> None:
    chunks = [
        {"chunk_id": "c1", "document_id": "d1", "document_name": "One", "text": "x", "vector_distance": 0.25},
        {"chunk_id": "c2", "document_id": "d1", "document_name": "One", "text": "y", "vector_distance": None},
        {"vector_distance": float("nan")},
    ]
    assert answered(Retrieval.read({"chunks": chunks}), 7) == Answer(
        7.0,
        (
            Ranked(1, "c1", "d1", "One", 0.25, "x", "html"),
            Ranked(2, "c2", "d1", "One", None, "y", "html"),
            Ranked(3, "", "", "", None, "", "html"),
        ),
    )
    assert answered(Retrieval.read({}), 7).chunks == ()


any_text = st.text(st.characters(), max_size=20)  # lone surrogates as well


@given(
    question=st.builds(
        Question,
        any_text,
        any_text,
        any_text,
        st.none() | any_text,
        st.just("keyword"),
        st.booleans(),
        any_text,
    )
)
def test_a_question_comes_back_as_it_was_kept(question: Question) -> None:
    assert question.dumped().isascii()
    assert Question.loaded(question.dumped(), question.names()) == question
    renamed = question._replace(agent_name="another", branch_name="yet another")
    assert renamed.dumped() == question.dumped()
    assert Question.loaded(question.dumped(), json.dumps("as once")) is not None  # without the branch's name


@given(kept=st.lists(answers, max_size=3), distance=st.none() | st.floats(allow_nan=False))
def test_answers_come_back_as_they_were_kept(kept: list[Answer], distance: float | None) -> None:
    kept = [Answer(each.at, tuple(c._replace(distance=distance) for c in each.chunks)) for each in kept]
    assert load_answers(dump_answers(kept)) == kept


json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5),
)


@given(text=json_values.map(json.dumps) | st.text(max_size=20))
def test_what_was_never_kept_is_left_out_and_no_error(text: str) -> None:
    assert all(isinstance(each, Answer) for each in load_answers(text))
    assert Question.loaded(text, text) is None or '"' in text
    assert load_answers(None) == []


async def test_a_kept_question_tells_at_every_answer_what_the_fix_did(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    kb = open_workspace(settings, settings.workspace)
    assert kb is not None
    agent = await kb.find_agent("Night desk")
    question = Question(agent.agent_id, agent.name, "How long may I send things back?")
    other = question._replace(words="refund", strategy="keyword")
    for each in (question, other):
        kb.keep_question(each)
    first, nothing, *_ = await kb.ask_kept(question)
    assert nothing is None and first.chunks and first.chunks[0].distance is not None
    assert kb.questions() == [question, other]
    id = first.chunks[0].document
    service.patch(id, content="You may send things back for thirty days. " + service.text(id))
    second, differences, *_ = await kb.ask_kept(question)
    assert differences == compare(first, second) and any(each.reworded for each in differences)
    assert kb.last_answers(question) == [second, first]
    by_words, *_ = await kb.ask_kept(other)
    assert by_words.chunks and all(chunk.distance is None for chunk in by_words.chunks)
    with pytest.raises(NotFound):
        await kb.ask_kept(question._replace(agent="agent_that_is_gone"))
    kb.forget_question(question)
    assert kb.questions() == [other] and kb.last_answers(question) == []
    assert (await kb.ask_kept(question))[1] is None and kb.questions() == [other]
    await kb.close()
