"""What is told of chunks by their words alone, and how a text is broken into rows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kbtui.chunk_facts import Likenesses, Telling, looks_like_navigation, tokens
from kbtui.placing import Passages, words
from kbtui.tui.widgets.chunked_text import broken

SENTENCE = "The crew brings a new crate and takes the old one along on the same day, whatever the weather is."
MENU = "- [Home](/)\n- [Products](/products)\n- [Help](/help)\n- [Stores](/stores)\n- [News](/news)"
FOOTER = "© 2026 Solvane. All rights reserved. Privacy policy · Cookies · Sitemap"
SHORT = "Home\nProducts\nHelp\nFlex prices\nStatus\nStores\nNews"
PRICES = "Cell S\n4 900 €\nCell M\n6 100 €\nCell L\n7 400 €\nCrate\n30 €"
LETTERS = st.sampled_from(["a", "b", "refund", "世", "界", "30"])


def numbered(count: int, word: str = "word") -> str:
    return " ".join(f"{word}{number}" for number in range(count))


@given(before=st.lists(LETTERS, max_size=12), chunk=st.lists(LETTERS, max_size=12))
def test_the_overlap_is_the_longest_beginning_that_ends_the_chunk_before(
    before: list[str], chunk: list[str]
) -> None:
    one, other = " ".join(before), " ".join(chunk)
    _, told = Telling("d", "html", None, Likenesses()).of([one, other])
    ended, begun = words(one), words(other)
    longest = max(
        (
            size
            for size in range(1, min(len(ended), len(begun)) + 1)
            if [each.word for each in ended[-size:]] == [each.word for each in begun[:size]]
        ),
        default=0,
    )
    assert told.facts.overlap == (begun[longest - 1].end if longest else 0)


@given(size=st.integers(20, 80), changed=st.integers(0, 79))
def test_a_chunk_with_one_other_word_is_nearly_the_same_only_where_enough_stays(
    size: int, changed: int
) -> None:
    plain = numbered(size).split()
    other = [*plain]
    other[changed % size] = "elsewhere"
    likenesses = Likenesses()
    likenesses.begin("one")
    likenesses.begin("two")
    assert likenesses.add(("one", 1), plain) is None
    alike = likenesses.add(("two", 1), other)
    runs = size - 2
    lost = len({at for at in range(runs) if at <= changed % size <= at + 2})
    assert (alike == ("one", 1)) == ((runs - lost) >= 0.8 * (runs + lost))


def test_a_chunk_is_not_told_to_be_like_itself_when_its_document_is_opened_again() -> None:
    likenesses = Likenesses()
    for _ in range(2):
        (told,) = Telling("d", "html", None, likenesses).of([numbered(30)])
        assert told.facts.alike is None
    (told,) = Telling("other", "html", None, likenesses).of([numbered(30)])
    assert told.facts.alike == ("d", 1)


def test_chunks_without_words_are_like_nothing() -> None:
    told = Telling("d", "html", None, Likenesses()).of(["", "***", "…"])
    assert [each.facts.alike for each in told] == [None] * 3


@pytest.mark.parametrize("text", [MENU, FOOTER, SHORT])
def test_menus_and_footers_look_like_navigation(text: str) -> None:
    assert looks_like_navigation(text)


@pytest.mark.parametrize(
    "text", [SENTENCE, PRICES, f"See [our help](/help). {SENTENCE}", "", "Refunds take ten days."]
)
def test_sentences_and_tables_do_not(text: str) -> None:
    assert not looks_like_navigation(text)


def test_tokens_are_about_a_quarter_of_the_letters_and_all_characters_without_spaces() -> None:
    assert tokens("abcd" * 25) == 25
    assert tokens("返金は三十日以内") == 8
    assert tokens("") == 0


def test_html_is_told_of_as_it_is_read_and_placed_where_it_stands() -> None:
    text = "# Refunds\n\nPaid within **30 days** of [delivery](/d).\n\nNo other words."
    (told,) = Telling("d", "html", Passages(text), Likenesses()).of(
        ['<h1>Refunds</h1><p>Paid within <b>30 days</b> of <a href="/d">delivery</a>.</p>']
    )
    assert "<" not in told.text and told.place is not None and told.place.share == 1
    assert text[told.place.start : told.place.end].startswith("Refunds")


def test_places_go_on_behind_the_last_of_the_page_before() -> None:
    text = "Call us at noon. Between. Call us at noon."
    telling = Telling("d", "html", Passages(text), Likenesses())
    (first,) = telling.of(["Call us at noon."])
    (lost,) = telling.of(["Nothing like it in there."])
    (second,) = telling.of(["Call us at noon."])
    assert first.place and second.place and lost.place is None
    assert first.place.start == 0 and second.place.start == text.rindex("Call")


@given(
    text=st.lists(
        st.sampled_from(["word", " ", "\n", "世界", "é", "\t", "long" * 8, "e\u0301"]), max_size=40
    ),
    width=st.integers(2, 20),
)
def test_rows_hold_every_character_but_the_blanks_they_are_broken_at_and_none_is_too_wide(
    text: list[str], width: int
) -> None:
    whole = "".join(text)
    rows = list(broken(whole, width))
    for begin, end in rows:
        assert (
            cell_len(whole[begin:end].replace("\t", "    ")) <= max(width, 4) and "\n" not in whole[begin:end]
        )
    assert rows[0][0] == 0 and rows[-1][1] == len(whole)
    for (_, end), (begin, _) in pairwise(rows):
        assert whole[end:begin] in ("", " ", "\n")
