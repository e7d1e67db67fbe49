"""Bytes that a person over a slow line pays for: exact counts, in a terminal of 40 by 140 in full colour."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.visit import Server, Visit

FIRST_FRAME = 4_000
MOVE = 400  # inside the list's view, while the preview has not settled
ROW = 500  # that comes in where the list scrolls
ROW_ANYWHERE = 750  # without margins at the sides: folders beside the list move along, and are drawn again
PAGE = 3_600
CHARACTER = 600  # typed in the editor
FOCUS = 1_500
PALETTE = 6_000
SCREEN = 5_000  # another screen, there and back
IDLE = 60.0  # seconds in which nothing may be sent

ASK = b"\x1b[6n"  # the end of a frame
ALONE = """
from kbtui.tui.panes import Panes
from kbtui.tui.widgets.document_list import DocumentList
Panes.preview = lambda self, again=False: None
rows = lambda self: (self.at(index) for index in range(self.count))
DocumentList.in_view = lambda self: {row.id: row.updated for row in rows(self) if row.type != "folder"}
"""
"""No text follows the cursor, and the indexes of all rows are known: the frame of a key comes alone."""


@pytest.fixture(scope="module")
def visited(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a person who was here before."""
    home = tmp_path_factory.mktemp("visited") / "person"
    with Visit(home, url=server.url, key=server.key) as first:
        first.settle()
        first.press("Q")
        first.ended()
    return home


@pytest.fixture
def warm(server: Server, home: Path, visited: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """kbtui at rest on all documents, with a mirror of an earlier visit; on another terminal if asked."""
    shutil.copytree(visited, home)
    terminal = getattr(request, "param", {})
    with Visit(home, url=server.url, key=server.key, script=ALONE, **terminal) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a")
        kbtui.until("1 of 90")
        kbtui.until("● ready(?s:.*)– none")
        kbtui.quiet(0.5)
        yield kbtui


def cost(kbtui: Visit, key: str, seen: str) -> int:
    """The bytes of all that a key draws, which is one frame."""
    kbtui.quiet()
    sent = len(kbtui.raw)
    kbtui.press(key)
    kbtui.until(seen)
    kbtui.quiet()
    assert kbtui.raw.count(ASK, sent) == 1
    return len(kbtui.raw) - sent


# The minute passes while other processes have something to do: it is the first test of all.


def test_idle_sends_nothing_for_a_minute(warm: Visit) -> None:
    warm.quiet(1.0)
    sent = len(warm.raw)
    warm.quiet(IDLE, patience=2 * IDLE)
    assert len(warm.raw) == sent


def test_the_first_frame_is_small(warm: Visit) -> None:
    questions, frame = bytes(warm.raw).split(ASK, 2)[:2]
    assert len(questions + frame) + 2 * len(ASK) <= FIRST_FRAME


def test_a_move_inside_the_view_is_cheap_until_the_preview_settles(warm: Visit) -> None:
    place, costs = 1, []
    for key, step in (("j", 1), ("down", 1), ("j", 1), ("k", -1), ("up", -1), ("j", 1), ("j", 1)):
        place += step
        costs.append(cost(warm, key, rf"\b{place} of 90"))
    assert max(costs) <= MOVE, costs


@pytest.mark.parametrize(
    ("warm", "most"),
    [({}, ROW), ({"sides": False, "size": (40, 119)}, ROW), ({"sides": False}, ROW_ANYWHERE)],
    ids=["margins at the sides", "none, one pane", "none, folders beside it"],
    indirect=["warm"],
)
def test_a_list_that_scrolls_costs_the_row_that_comes_in(warm: Visit, most: int) -> None:
    warm.press("G")
    warm.until("90 of 90")
    warm.press("g", "g")
    warm.until(r"\b1 of 90")
    height = len(re.findall(r"(?m)^.*(text|url|file|folder) +[\d.]+ ", warm.text))
    for _ in range(height):
        warm.press("j")
    warm.until(rf"\b{height + 1} of 90")
    costs = [cost(warm, "j", rf"\b{place} of 90") for place in range(height + 2, height + 6)]
    assert max(costs) <= most, costs


def test_a_page_costs_less_than_its_cells(warm: Visit) -> None:
    costs = [cost(warm, "pagedown", rf"\b{place} of 90") for place in (18, 35, 52)]
    assert max(costs) <= PAGE, costs


def test_the_keys_go_to_another_pane_for_little(warm: Visit) -> None:
    costs = [cost(warm, "3", "▸ text"), cost(warm, "1", r" {2}text +info"), cost(warm, "2", "1 of 90")]
    assert max(costs) <= FOCUS, costs


def test_the_list_of_commands_opens_for_less_than_a_screen(warm: Visit) -> None:
    warm.quiet()
    sent = len(warm.raw)
    warm.press(":")
    warm.until("Commands, folders")
    warm.quiet()
    assert len(warm.raw) - sent <= PALETTE


def test_a_mark_costs_no_more_than_the_move_that_goes_with_it(warm: Visit) -> None:
    costs = [cost(warm, "space", rf"\b{place} of 90") for place in range(2, 6)]
    assert max(costs) <= MOVE + 100, costs


def test_another_screen_comes_and_goes_for_less_than_its_cells(warm: Visit) -> None:
    screens = {"?": "Keys", "@": "Requests", "I": "Room", "g c": "Columns"}
    costs = {}
    for keys, seen in screens.items():
        warm.quiet()
        sent = len(warm.raw)
        warm.press(*keys.split())
        warm.until(seen)
        warm.quiet()
        opened = len(warm.raw)
        warm.press("q" if keys != "?" else "escape")
        warm.until("90 of 90|1 of 90")
        warm.quiet()
        costs[keys] = (opened - sent, len(warm.raw) - opened)
    assert max(map(max, costs.values())) <= SCREEN, costs


def test_a_character_in_the_editor_costs_its_cells_and_the_place_of_the_cursor(warm: Visit) -> None:
    warm.edit("Account and sign-in")
    costs = [cost(warm, key, rf"\bcol {place}\b") for place, key in enumerate("some words", 2)]
    assert max(costs) <= CHARACTER, costs


def test_what_was_sent_in_parts_is_the_picture_of_the_whole(warm: Visit) -> None:
    warm.press("j", "j", "pagedown", "k", "r")
    warm.until("Enter save")
    warm.type("er")
    warm.press("left", "backspace")
    warm.press("escape")
    warm.until("/ filter")
    warm.nothing_is_left_over()
