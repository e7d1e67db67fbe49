"""The ranking that stands where the service has an embedding model."""

from __future__ import annotations

from kbtui.demo.ranking import rank

PASSAGES = [
    ("Refunds are paid within thirty days.", "markdown"),
    ("<p>The wallbox charges at night.</p>", "html"),
    ("Money back within thirty days of the refund request, refunds included.", "markdown"),
    ("返品は三十日以内に返金します。", "markdown"),
    ("", "markdown"),
]


def test_ranking_knows_inflections_and_prefers_the_rare_word() -> None:
    assert [place for place, _ in rank("how was it refunded?", PASSAGES)] == [2, 0]
    assert [place for place, _ in rank("WALLBOX", PASSAGES)] == [1]
    assert rank("返金", PASSAGES)[0][0] == 3
    assert rank("p", PASSAGES) == []  # tags are no words
    near = dict(rank("thirty days at night", PASSAGES))
    assert min(near.values()) >= 0 and max(near.values()) < 1


def test_ranking_answers_the_empty_and_the_unheard_of_with_nothing() -> None:
    assert rank("", PASSAGES) == rank("xyzzy", PASSAGES) == rank("refund", []) == []
    assert rank("what is it", [("it is what it is", "markdown")])
