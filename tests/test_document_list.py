"""The columns of the list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kbtui.columns import COLUMNS, GAP, NARROWEST, WIDEST, Column
from kbtui.demo.server import Demo
from kbtui.tui.widgets.document_list import SORTS, _aligned
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire


@given(st.text("12 kカ漢●", max_size=20), st.sampled_from(COLUMNS), st.integers(NARROWEST, WIDEST))
def test_nothing_in_a_column_touches_what_stands_before_it(text: str, column: Column, cells: int) -> None:
    laid = _aligned(text, column.key, cells)
    assert cell_len(laid) == cells
    assert laid.startswith(" " * GAP) or (cells < column.cells and laid.startswith(" "))


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_a_column_has_room_for_its_head_and_the_sign_of_the_order(column: Column) -> None:
    sorts = " ▲" if column.key in SORTS or column.key == "created" else ""
    assert column.cells >= GAP + len(column.head + sorts)


def line(house: House, name: str) -> str:
    return next(line for line in house.drawn if f"▸ {name}" in line and "folder" in line)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]} wide")
async def test_what_a_folder_holds_itself_is_told_in_words_apart_from_all_that_the_tree_counts_below_it(
    demo: Demo, service: Service, tmp_path: Path, size: tuple[int, int]
) -> None:
    outer = service.folder("AA Outer")
    inner = service.folder("AB Inner", outer)
    service.add("One", "words", inner)
    service.add("Two", "words", inner)
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        await house.online()
        assert " 1 item " in line(house, "AA Outer")
        await house.enter("AA Outer")
        await house.until(lambda: house.names == ["AB Inner"], "inside")
        assert " 2 items " in line(house, "AB Inner")


async def test_a_number_of_items_too_long_for_words_stands_alone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    def full(page: dict[str, Any]) -> dict[str, Any]:
        for document, children in zip(page["documents"], (999, 12_480), strict=False):
            document["children_count"] = children
        return page

    wire.rewrite(full, path="knowledge-base$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        assert any("folder  999 items" in line for line in house.drawn)
        assert any("folder     12 480" in line for line in house.drawn)
