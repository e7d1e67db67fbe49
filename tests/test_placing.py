"""A chunk is placed at text that contains it, or nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo.chunker import MODELS, chunks
from kbtui.demo.server import Demo
from kbtui.placing import Passages, Place, Snippet, begins_in, found_at, one_after_the_other, words
from tests.service import Service

WORDS = st.sampled_from(["a", "the", "refund", "Battery", "30", "café", "世", "界", "x"])
MARKS = st.sampled_from([" ", "\n", "\n\n", ". ", " <b>", "</b> ", "</p><p>", "&amp; ", " **", "** ", "<br>"])
TEXTS = st.lists(WORDS | MARKS | st.text(max_size=3), max_size=60).map("".join)


def plain(text: str) -> list[str]:
    return [each.word for each in words(text)]


def in_order(wanted: Sequence[str], inside: Sequence[str]) -> int:
    """How many of the words stand in a text in their order: the longest common subsequence."""
    row = [0] * (len(inside) + 1)
    for word in wanted:
        before = 0
        for place, other in enumerate(inside, 1):
            before, row[place] = row[place], before + 1 if word == other else max(row[place], row[place - 1])
    return row[-1]


def is_true(text: str, chunk: str, place: Place) -> None:
    """What a place says of a chunk holds."""
    passage, wanted = plain(text[place.start : place.end]), plain(chunk)
    if place.share == 1:
        assert passage == wanted
    else:
        assert 0.75 <= place.share < 1
        assert in_order(wanted, passage) >= place.share * len(wanted) - 0.01 * len(wanted) - 1e-9


@given(text=TEXTS, chunks=st.lists(TEXTS, max_size=5))
def test_no_chunk_is_placed_at_text_that_does_not_contain_it(text: str, chunks: list[str]) -> None:
    for chunk, place in zip(chunks, Passages(text).place(chunks), strict=True):
        if place is not None:
            is_true(text, chunk, place)


@given(
    text=st.lists(st.integers(0, 99).map(str) | MARKS, min_size=20, max_size=90).map(" ".join), data=st.data()
)
def test_what_is_left_out_or_put_in_between_is_seen_through(text: str, data: st.DataObject) -> None:
    found = words(text)
    first = data.draw(st.integers(0, len(found)))
    kept = [each for each in found[first:] if data.draw(st.integers(0, 9))]
    chunk = " ".join(text[each.start : each.end] for each in kept)
    (place,) = Passages(text).place([chunk])
    if place is not None:
        is_true(text, chunk, place)


@given(text=TEXTS, cuts=st.lists(st.integers(0, 400), min_size=2, max_size=8))
def test_slices_of_a_text_are_placed_where_their_words_stand(text: str, cuts: list[int]) -> None:
    found = words(text)
    for one, other in pairwise(sorted(cut % (len(found) + 1) for cut in cuts)):
        if one == other:
            continue
        start, end = found[one].start, found[other - 1].end
        wanted = plain(text[start:end])
        (place,) = Passages(text).place([text[start:end]])
        if wanted == [each.word for each in found[one:other]]:  # no cut went through a tag or an entity
            assert place is not None and place.share == 1
            assert place.several or (place.start, place.end) == (start, end)


@pytest.mark.parametrize("model", list(MODELS))
def test_every_chunk_of_the_demo_is_placed_where_it_was_cut(demo: Demo, service: Service, model: str) -> None:
    listed = service.call("GET", "/knowledge-base", params={"page_size": 100})["documents"]
    placed = 0
    for document in listed:
        if document["type"] == "folder":
            continue
        text, format = service.text(document["id"]), service.get(document["id"])["content_format"]
        cut = chunks(text, format, model)
        for chunk, place in zip(cut, Passages(text).place(each.text for each in cut), strict=True):
            if not plain(chunk.text):
                assert place is None
                continue
            assert place is not None and place.share == 1, chunk.text
            assert place.several or chunk.start <= place.start < place.end <= chunk.end
            placed += 1
    assert placed > 70


HTML = "<h1>Re<b>funds</b></h1><p>We pay back &eacute;very&nbsp;parcel within 30&#32;days.</p><p>Ask.</p>"


def test_mark_up_and_white_space_do_not_matter() -> None:
    (place,) = Passages(HTML).place(["# Refunds\n\nWe **pay back**\névery parcel"])
    assert place is not None and place.share == 1
    assert HTML[place.start : place.end] == "Re<b>funds</b></h1><p>We pay back &eacute;very&nbsp;parcel"


def test_a_chunk_with_a_title_before_it_is_placed_in_part() -> None:
    body = "Goods that you bought from us can be sent back within thirty days, whatever the reason may be."
    (place,) = Passages(f"Something else. {body} The end.").place([f"Refund policy (EU)\n{body}"])
    assert place is not None and 0.75 <= place.share < 1 and place.start == len("Something else. ")


def test_equal_chunks_stand_one_after_the_other_and_are_said_to_be_doubtful() -> None:
    text = "Call us at noon. Else write. Call us at noon."
    first, second = Passages(text).place(["Call us at noon.", "Call us at noon."])
    assert first is not None and second is not None
    assert (first.start, second.start) == (0, 29) and first.several and second.several


def test_a_stranger_is_nowhere() -> None:
    assert Passages("Refunds take ten days.").place(["Batteries are heavy.", "", "***"]) == [None, None, None]


def test_a_text_that_repeats_itself_takes_no_longer_than_others() -> None:
    text = "again and " * 50_000
    (place,) = Passages(text).place(["again and " * 200])
    assert place is not None and place.several


SNIPPET = (
    ("Whoever ", False),
    ("waits", True),
    (" for a ", False),
    ("refund", True),
    (" ", False),
    ("policy", True),
)


@pytest.mark.parametrize(
    ("text", "snippet", "typed", "words"),
    [
        ("A refund. Who waits for a refund\npolicy gets one.", SNIPPET, "", "refund\npolicy"),
        ("A refund policy. Who waits for a **refund policy**", SNIPPET, "", "refund policy**"),
        ("A refund. Refund  policy!", SNIPPET, "", "Refund  policy!"),
        (
            "One battery. The battery is dead. Battery.",
            (("the ", False), ("battery", True)),
            "",
            "battery is",
        ),
        ("A recharge, a charge.", (("charge", True),), "", "charge."),
        (
            "A charge for a\nrefund, a refund-charge here",
            (("refund", True),),
            "Refund charge",
            "refund-charge",
        ),
        ("In <b>30 days</b>", (("30", True), (" ", False), ("days", True)), "", "30 days"),
        ("A < 30 <i class='x'>days</i>", (("30 days", True),), "", "30 <i class='x'>days"),
        ("新世界地図", (("世界", True),), "", "世界地図"),
    ],
)
def test_what_was_found_stands_where_its_words_stand_together(
    text: str, snippet: Snippet, typed: str, words: str
) -> None:
    place = found_at(text, snippet, typed)
    assert place is not None and text[place:].startswith(words)


@pytest.mark.parametrize("snippet", [(), (("", True),), (("…", True),), (("nowhere", True),)])
def test_what_stands_nowhere_is_found_nowhere(snippet: Snippet) -> None:
    assert found_at("Some words. They stand here.", snippet, "stand") is None


@pytest.mark.parametrize("signs", ["- - - - - - - x", "| | | | | | | | x", "_ _ _ _ _ _ _ x"])
def test_signs_among_the_words_do_not_take_for_ever(signs: str) -> None:
    sought = one_after_the_other(signs.split())
    assert sought is not None and not sought.search(signs[0] * 100)
    assert sought.search(f"So: {signs}.") and sought.search(signs.replace(" ", "\n"))


def test_what_two_models_cut_is_compared_from_where_the_words_of_one_begin() -> None:
    places = [Place(*edges, 1, False) for edges in ((0, 100), (90, 200), (220, 300))]
    known = [places[0], None, *places[1:]]
    for begin, end, at in ((0, 300, 0), (89, 300, 0), (90, 95, 2), (199, 300, 2), (205, 230, 3)):
        assert begins_in(Place(begin, end, 1, False), known) == at, (begin, end)
    assert begins_in(Place(200, 220, 1, False), known) is None, "no chunk has anything of it"
    assert begins_in(places[0], [None]) is None
    passages = Passages("One <b>two</b>, three.\n\nFour")
    assert [passages.between(0, end) for end in (0, 1, 99)] == [0, 1, 4]
    assert passages.between(8, 4) == 0
