"""How lists and panes share the width of the screen."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kbtui.demo.server import Demo
from kbtui.marks import Marks
from kbtui.rows import Found
from kbtui.tui.screens.agents import Agents
from kbtui.tui.widgets.line import Part
from kbtui.tui.widgets.line import cells as cells_taken
from kbtui.tui.widgets.results import Results
from kbtui.tui.widgets.table import EDGE, table
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.test_frames import REST, Count, each_draws_one_frame
from tests.test_frames import count as count

words = st.text("ab カ漢", max_size=12)
lines = st.lists(st.tuples(words, words, words), min_size=1, max_size=5)


def parts(rows: list[tuple[str, str, str]]) -> list[list[Part]]:
    return [[(text, "") for text in row] for row in rows]


def text(line: list[Part]) -> str:
    return "".join(text for text, _ in line)


@given(lines, st.integers(20, 60))
def test_columns_are_as_wide_as_what_is_in_them_and_never_touch(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    there = [column for column in range(3) if any(row[column] for row in rows)]
    laid = table(parts(rows), 200, heads=("A", "B", "C"), right=(1,))
    assert [cell_len(text(line)[:EDGE].strip()) for line in laid] == [0] * (len(rows) + 1)
    for line, row in zip(laid[1:], rows, strict=True):
        assert [each[0].strip() for each in line[1::2]] == [row[column].strip() for column in there]
        assert [each[0] for each in line[2::2]] == ["  "] * max(0, len(there) - 1)
    widths = [max(cell_len(row[column]) for row in rows) for column in range(3)]
    fewest = EDGE + min(4, widths[0]) + min(4, widths[1]) + widths[2] + 2 * (len(there) - 1)
    if widths[2] and fewest <= width:  # what stands last is cut where it is drawn
        assert all(cells_taken(line) <= width for line in table(parts(rows), width, least={0: 4, 1: 4}))


def test_a_hit_tells_its_score_below_its_head_wherever_there_is_room_for_it() -> None:
    results = Results("hits", Marks(), lambda id: "Support / Billing")
    results._found, results.count = [Found("a", "Chargebacks", "text", 0.94, (("refund", True),))], 1
    for width in range(12, 220):
        line, head = text([*results.parts(0, width)]), results.heads(width)
        assert cell_len(line) <= width and cell_len(head) <= width
        assert line.find("0.94") + 3 == head.find("Score") + 4 or (width < 34 and "Score" not in head)
        assert ("refund" in line) == (width >= 70)


async def test_the_tree_and_the_list_are_as_wide_as_they_need_and_no_key_that_moves_lays_them_out(
    demo: Demo, service: Service, tmp_path: Path, count: Count
) -> None:
    def cells(house: House) -> tuple[int, int, int]:
        panes = house.browse.folders, house.browse.query_one("#documents"), house.browse.reading
        tree, list, text = (pane.region.width for pane in panes)
        return tree, list, text

    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 36)) as house:
        await house.online()
        house.app.settle = house.browse.settle = REST
        await house.press("z", "R")
        await house.until(lambda: any("Troubleshooting" in line for line in house.drawn), "whole names")
        assert not any("…" in line[: cells(house)[0]] for line in house.drawn)
        assert await each_draws_one_frame(house, count, "1", "G", "z", "M", "z", "R", "k", "2") > 5
        await house.pilot.resize_terminal(200, 50)
        await house.until(lambda: cells(house) == (34, 96, 70), "no more than leaves the text enough")
        await house.press("3", "+")
        await house.until(lambda: cells(house)[1] < 50, "the text is larger")
        await house.press("2", "_")
        await house.pilot.resize_terminal(240, 50)
        await house.until(lambda: cells(house)[1] == 101, "as wide as what is in it")
        await house.press("g", "a")
        assert not any("…" in line[34:135] for line in house.drawn)
        await house.press("g", "c", *"jjjj", "space", "escape")
        await house.until(lambda: cells(house)[1] == 110, "more columns")
        await house.pilot.resize_terminal(200, 50)
        service.folder("A folder that nobody has attached")
        await house.press("R")
        await house.until(lambda: cells(house)[0] > 34, "a longer name")
        wide = cells(house)[0]
        await house.press("f", "a")
        await house.until(lambda: isinstance(house.app.screen, Agents) and "agents" in house.line("header"))
        await house.press(*"ava", "enter")
        await house.until(lambda: house.browse.sight is not None, "as an agent sees it")
        await house.press("+", "_")
        await house.until(lambda: cells(house)[0] == wide, "as wide for an agent")
        await house.press("F")
        service.folder("An endless name of a folder, too long for any tree")
        await house.press("R")
        await house.until(lambda: cells(house) == (50, 82, 68), "no more than a quarter")
