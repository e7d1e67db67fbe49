"""Content search of the demo: ranking, snippets, typos, scripts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo.search import one_slip
from kbtui.demo.server import Demo
from kbtui.demo.words import plain
from tests.caller import KB, Caller, hits


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


@pytest.fixture
def empty() -> Iterator[Caller]:
    with Demo(index_seconds=0, sample=False) as server, Caller(server) as caller:
        yield caller


# Content search


def test_search_finds_words_and_marks_them(empty: Caller) -> None:
    id = empty.text("# Refunds\n\nMoney returns within fourteen days.\x02\x03", name="a")
    empty.text("<p>Nothing <b>here</b></p>", name="b")
    (hit,) = hits(empty, "money fourteen")
    assert hit["document"]["id"] == id
    assert [piece["value"] for piece in hit["search_snippet"] if piece["is_hit"]] == ["Money", "fourteen"]
    assert 0 < hit["score"] <= 1
    assert not any(piece["is_hit"] for piece in hit["search_snippet"] if "\x02" in piece["value"])
    assert hits(empty, "b") == []  # a tag is not a word
    assert hits(empty, "money", types="url") == []


@pytest.mark.parametrize("typed", ["refnud", "refun", "rfund", "refundd", "retund", "REFUND", "ref"])
def test_one_typo_is_forgiven(empty: Caller, typed: str) -> None:
    id = empty.text("The refund is paid.")
    assert [hit["document"]["id"] for hit in hits(empty, typed)] == [id]


@pytest.mark.parametrize(
    "typed", ["rxfxnd", "rfnud!", "fun", "", " ", "\x00", '"', "NEAR(", "*", "a AND", "\u200b"]
)
def test_what_does_not_occur_is_not_found_and_breaks_nothing(empty: Caller, typed: str) -> None:
    empty.text("The refund is paid.")
    assert hits(empty, typed) == []


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("返金は十四日以内に行われます。", "十四日"),
        ("การคืนเงินภายในสิบสี่วัน", "คืนเงิน"),
        ("Το ποσό επιστρέφεται.", "ποσο"),
        ("Der Erlös für Ärzte", "arzte"),
        ("המוצר מגיע מחר", "מגיע"),
    ],
)
def test_search_knows_scripts_with_and_without_spaces(empty: Caller, text: str, typed: str) -> None:
    empty.text("something else")
    id = empty.text(text)
    (hit,) = hits(empty, typed)
    assert hit["document"]["id"] == id
    assert "".join(piece["value"] for piece in hit["search_snippet"]) == text


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>one<br>two</p><p>three", "one two three"),
        ("a <!-- <b>not this</b> --> b", "a b"),
        ("<script>if (a < b) alert('x')</SCRIPT >seen", "seen"),
        ("<style>p > b {}</style>seen", "seen"),
        ("3 < 4 &amp; 5 &lt; 6", "3 < 4 & 5 < 6"),
        ("cut <b", "cut"),
        ("<!doctype html><?x?><scripted>yes", "yes"),
    ],
)
def test_only_the_words_of_a_page_are_indexed(html: str, words: str) -> None:
    assert plain(html, "html").split() == words.split()
    assert plain(html, "markdown") == html


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<![", "</script", "<script>", "&#", '<a b="', "<b></b>"]
)
def test_a_page_made_to_choke_a_parser_is_read_in_a_moment(piece: str) -> None:
    begun = time.perf_counter()
    plain("<script>" * (piece == "</script") + piece * 200_000, "html")
    assert time.perf_counter() - begun < 5  # a parser that looks back needs minutes


def test_search_follows_what_is_written_and_deleted(empty: Caller) -> None:
    id = empty.text("alpha")
    assert hits(empty, "alpha")
    empty.patch(f"{KB}/{id}", json={"content": "omega"})
    assert not hits(empty, "alpha") and hits(empty, "omega")
    empty.delete(f"{KB}/{id}")
    assert not hits(empty, "omega")


def test_search_pages_through_stored_and_generated_hits_once_each() -> None:
    with Demo(index_seconds=0, sample=False, size=400) as demo, Caller(demo) as call:
        mine = {call.text(f"installer {i}") for i in range(5)}
        seen: list[tuple[str, float]] = []
        query: dict[str, Any] = {"query": "installer", "page_size": 3}
        while True:
            page = call.get(f"{KB}/search", params=query).json()
            seen += [(hit["document"]["id"], hit["score"]) for hit in page["results"]]
            if not page["next_cursor"]:
                break
            query["cursor"] = page["next_cursor"]
        expected = {
            d["id"]
            for d in call.everything(page_size=100, types=["text", "url", "file"])
            if d["id"] not in mine
        }
        expected = {id for id in expected if "installer" in call.get(f"{KB}/{id}/content").text.lower()}
        assert {id for id, _ in seen[:5]} == mine
        assert len(seen) == len({id for id, _ in seen})
        assert {id for id, _ in seen[5:]} == expected
        scores = [score for _, score in seen]
        assert scores == sorted(scores, reverse=True)


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_slip_is_what_one_finger_does(a: str, b: str) -> None:
    slips = {a}
    for i in range(len(a) + 1):
        slips.update(a[:i] + c + a[i:] for c in "ab")
        slips.update((a[:i] + a[i + 1 :], *(a[:i] + c + a[i + 1 :] for c in "ab")) if i < len(a) else ())
        if i + 1 < len(a):
            slips.add(a[:i] + a[i + 1] + a[i] + a[i + 2 :])
    assert one_slip(a, b) == (b in slips)


def test_a_question_of_common_words_is_answered_while_one_waits(call: Caller) -> None:
    id = call.text("a b " * 5_000 + "zebra crossing", name="Common")
    for question in ("a " * 32, "a b the of", "\u3042a" * 5_000, '"a' * 10_000):
        assert call.get(f"{KB}/search", params={"query": question}, timeout=60).status_code == 200
    (hit,) = hits(call, "zebra a b")
    assert hit["document"]["id"] == id


def test_a_snippet_shows_the_first_hit_between_whole_words(call: Caller) -> None:
    call.text("before " * 50 + "quokka " + "after " * 50)
    (hit,) = hits(call, "quokka")
    left, found, right = (piece["value"] for piece in hit["search_snippet"])
    assert (found, set(left.split()), set(right.split())) == (
        "quokka",
        {"…before", "before"},
        {"after", "after…"},
    )
