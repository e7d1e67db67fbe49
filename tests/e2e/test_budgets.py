"""Bytes that a person over a slow line pays for: exact counts, in a terminal of 40 by 140 in full colour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.visit import Server, Visit

MOVE = 1_200  # bytes that a move inside the list's view may cost while the preview has not settled
IDLE = 5.0  # seconds


@pytest.fixture
def warm(server: Server, home: Path) -> Iterator[Visit]:
    """kbtui at rest on all documents, with a mirror of an earlier visit."""
    with Visit(home, url=server.url, key=server.key) as first:
        first.settle()
        first.press("Q")
        first.ended()
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a")
        kbtui.until("1 of 90")
        kbtui.until(r"text +info .*(markdown|html)")
        kbtui.quiet()
        yield kbtui


def test_a_move_inside_the_view_is_cheap_until_the_preview_settles(warm: Visit) -> None:
    place, costs = 1, []
    for key, step in (("j", 1), ("down", 1), ("j", 1), ("k", -1), ("up", -1), ("j", 1), ("j", 1)):
        place += step
        sent = len(warm.raw)
        warm.press(key)
        warm.until(rf"\b{place} of 90")
        costs.append(len(warm.raw) - sent)
    assert max(costs) <= MOVE, costs


def test_what_was_sent_in_parts_is_the_picture_of_the_whole(warm: Visit) -> None:
    warm.press("j", "j", "pagedown", "k", "r")
    warm.until("Enter save")
    warm.type("er")
    warm.press("left", "backspace")
    warm.press("escape")
    warm.until("/ filter")
    warm.quiet(1.0)
    parts = warm.text
    warm.press("ctrl+l")
    warm.quiet(1.0)
    assert warm.text == parts


def test_idle_sends_nothing(warm: Visit) -> None:
    warm.quiet(1.0)
    sent = len(warm.raw)
    warm.quiet(IDLE)
    assert len(warm.raw) == sent
