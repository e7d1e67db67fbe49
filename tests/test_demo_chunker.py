"""How a text is cut into chunks."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbtui.demo.chunker import MODELS, chunks

E5, ML = "e5_mistral_7b_instruct", "multilingual_e5_large_instruct"
LONG = "\n\n".join(
    f"Rule {n}. Goods of kind {n} come back within {n} days, said the clerk." for n in range(60)
)
PIECES = [
    "Refunds take time. ",
    "返品は三十日以内です。",
    "الاسترداد خلال 30 يومًا. ",
    "वापसी तीस दिनों में।",
    "👩\u200d👩\u200d👧",
    *("<p>", "</p>\n", "<a href='u v'>", "&nbsp;", "## Head\n", "\n\n"),
    *("x" * 900, "字" * 900),
]
scripts = st.one_of(
    st.text(max_size=400),
    st.text(st.sampled_from("ab .\n<p></b>&amp;\"'"), max_size=3000),
    st.lists(
        st.sampled_from(PIECES),
        max_size=120,
    ).map("".join),
)


@settings(deadline=None, max_examples=200)
@given(scripts, st.sampled_from(["html", "markdown"]), st.sampled_from(sorted(MODELS)))
def test_chunks_cover_the_text_within_the_budget_of_the_model(text: str, format: str, model: str) -> None:
    made = chunks(text, format, model)
    budget = MODELS[model]
    covered = 0
    for chunk in made:
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip() != ""
        assert len(chunk.text.encode()) <= budget.most
        assert text[covered : chunk.start].strip() == ""  # only white space lies between chunks
        assert chunk.end > covered
        covered = chunk.end
    assert text[covered:].strip() == ""
    for one, next in pairwise(made):
        assert next.start > one.start
        assert len(text[next.start : one.end].encode()) <= budget.overlap
    assert len({chunk.id for chunk in made}) == len(made)
    assert made == chunks(text, format, model)


def test_neighbours_overlap_by_whole_sentences() -> None:
    made = chunks(LONG, "markdown", ML)
    assert len(made) > 3
    for one, next in pairwise(made):
        assert one.end > next.start and next.text.startswith("Rule ")


def test_an_edit_leaves_the_ids_of_distant_chunks_alone() -> None:
    before = {chunk.id for chunk in chunks(LONG, "markdown", E5)}
    after = {chunk.id for chunk in chunks(LONG.replace("Rule 59.", "Rule fifty-nine."), "markdown", E5)}
    assert len(before & after) >= len(before) - 2 and before != after
    assert not before & {chunk.id for chunk in chunks(LONG, "markdown", ML)}
    assert not before & {chunk.id for chunk in chunks(LONG, "markdown", E5, "another document")}


def test_no_tag_is_cut_in_two() -> None:
    page = "<p>" + "word <a href='/a/long/address' title='x y z'>link</a> " * 300 + "</p>"
    for model in MODELS:
        for chunk in chunks(page, "html", model):
            assert chunk.text.count("<") == chunk.text.count(">")


@pytest.mark.parametrize("unit", ["x", "<p>", ".", "</p ", "\u0301", ".)", "&a", "字", " "])
def test_cutting_takes_time_in_proportion(unit: str) -> None:
    began = time.perf_counter()
    chunks(unit * 200_000, "html", ML)
    assert time.perf_counter() - began < 3
