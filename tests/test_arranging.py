"""Columns and saved views: how a person arranges the list, and comes back to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.agent_counts import AgentCounts
from kbtui.columns import (
    COLUMNS,
    NARROWEST,
    RIGHT,
    SHORTEST,
    SIGNS,
    USUAL,
    WIDEST,
    Cells,
    fitting,
    name_cells,
    recalled,
    turned,
    widened,
)
from kbtui.demo.server import Demo
from kbtui.filters import parse
from kbtui.rows import ALL, Chosen, Eye, View
from kbtui.saved_views import dump, kept_view, load
from kbtui.tui.screens.choose import ColumnList
from kbtui.tui.screens.views import ViewList
from kbtui.tui.widgets.virtual_list import VirtualList
from tests.house import House, opened, settings_for
from tests.wire import Wire

KEYS = [column.key for column in COLUMNS]
chosen = st.dictionaries(st.sampled_from(KEYS), st.integers(-5, 99)).map(recalled)
names = st.sampled_from([*KEYS, "name", "scope", "sort", "filter", "agent"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=10,
)


def heads(house: House) -> str:
    return next(line for line in house.drawn if "   Name" in line and "Type" in line)


# Columns


@given(chosen, st.integers(1, 300))
def test_columns_share_the_room_and_give_way_to_the_name(wanted: Cells, width: int) -> None:
    shown = fitting(width, wanted)
    assert [key for key, _ in shown] == [key for key in KEYS if key in dict(shown)]
    assert {key for key, _ in shown} <= {key for key, _ in wanted}
    name = name_cells(width, shown)
    assert name >= SHORTEST or not shown
    room = width - name - SIGNS - sum(cells for _, cells in shown)
    assert name == 1 or room == (not shown or shown[-1][0] in RIGHT)


@pytest.mark.parametrize(
    ("width", "keys"),
    [(79, "type size updated index"), (72, "type size updated"), (40, "type size"), (20, "")],
)
def test_what_is_usual_leaves_room_for_names_first(width: int, keys: str) -> None:
    assert [key for key, _ in fitting(width, USUAL)] == keys.split()


@given(chosen, st.sampled_from(KEYS), st.integers(-3, 3))
def test_a_column_comes_goes_and_changes_its_width(wanted: Cells, key: str, by: int) -> None:
    assert (key in dict(turned(wanted, key))) is (key not in dict(wanted))
    before, after = dict(wanted), dict(widened(wanted, key, by))
    if key in before:
        before[key] = max(NARROWEST, min(before[key] + by, WIDEST))
    assert after == before
    assert recalled(json.loads(json.dumps(dict(wanted)))) == wanted


@given(anything)
def test_whatever_was_kept_columns_and_views_come_of_it(kept: object) -> None:
    assert set(dict(recalled(kept))) <= set(KEYS)
    assert all(each.view.sort and each.name is not None for each in load(kept))


def test_a_view_whose_filter_is_not_understood_is_kept_as_it_is() -> None:
    kept = {"name": "Mine", "scope": ALL, "sort": "name", "descending": False, "agent": None}
    later = [kept | {"filter": "refund future:x size:>5 kb"}]
    (view,) = load(later)
    assert view.trouble and view.view.text == "refund" and dump([view]) == later


def test_a_number_of_agents_is_asked_for_again_after_a_while_and_sooner_where_none_came() -> None:
    now = [0.0]
    counts = AgentCounts(lambda: now[0])
    ids = [f"id{number}" for number in range(50)]
    assert counts.due(ids) == ids[:20] and counts.words("id0") == ""
    counts.tell({"id0": 3, "id1": None})
    assert (counts.words("id0"), counts.words("id1")) == ("3", "?") and counts.due(ids[:3]) == ["id2"]
    now[0] = 61.0
    assert counts.due(ids[:3]) == ["id1", "id2"]
    counts.forget()
    assert counts.due(ids[:3]) == ids[:3] and counts.words("id0") == "3"


async def test_agents_are_counted_of_what_is_in_view_where_the_column_is_shown(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    def asked() -> list[str]:
        return [each.path for each in wire.requests if each.path.endswith("dependent-agents")]

    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.enter("Support")
        await house.until(lambda: house.indexes_known, "a rest")
        assert not asked(), "nobody sees it"
        await house.press("g", "c", *"jjjj", "space", "escape")
        assert "Agents" in heads(house)
        counts, kb = house.browse.kb.agent_counts, house.browse.kb
        seen = house.browse.documents.counted_in_view()
        await house.until(lambda: all(map(counts.words, seen)), "all in view")
        for id in seen:
            assert counts.words(id) == str(len(await kb.agents_of(id)))
        wire.forget()
        await house.press("j", "k")
        house.browse.show_lines()
        assert len({counts.words(id) for id in seen}) > 1 and not asked()
        wire.answer(500, path="dependent-agents", times=None)
        await house.press("R")
        await house.until(lambda: counts.words(seen[0]) == "?", "not told")


# Views


@given(st.text(max_size=30), st.sampled_from([None, Chosen("a", "Ann", "b", "Winter")]))
def test_a_view_is_kept_as_it_is(typed: str, agent: Chosen | None) -> None:
    parts = parse(typed)
    eye = Eye(agent, ("x",)) if agent else None
    view = kept_view("Mine", View(ALL, "size", True, parts.text, parts.types, eye, parts.terms))
    assert load(json.loads(json.dumps(dump([view])))) == [view] and view.view.eye is None


async def test_columns_and_views_are_chosen_kept_and_taken_back(demo: Demo, tmp_path: Path) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings, (80, 24)) as house:
        await house.online()
        await house.press("g", "c")
        assert isinstance(house.app.screen, ColumnList)
        await house.press("j", "space", "j", "j", "j", "j", "enter", "G", "space", "k", "space")
        assert any("✓  Id" in line and "no room now" in line for line in house.drawn)
        await house.press("space", "j", "space", "escape")
        assert heads(house).split() == ["Name", "▲", "Type", "Updated", "Index", "Created"]
        await house.press("g", "c", "g", "g", ">", ">", "escape")
        row = next(line for line in house.drawn if "Agent scripts" in line)
        assert row.index("folder") == heads(house).index("Type")
        assert heads(house).index("Updated") - heads(house).index("Type") == 6 + 2 + 4
        await house.press("g", "a", "s", "Z", "/", *"refund type:text", "enter", "g", "v")
        assert isinstance(house.app.screen, ViewList)
        said = " ".join(" ".join(house.drawn).split())
        assert "None yet. a saves what the list shows now: All documents · size ▼ · type:text refund" in said
        assert not house.app.screen.query_one(VirtualList).count, "no line to choose"
        await house.press("x")
        assert "Delete: there is nothing in this list." in house.notices
        await house.press("a", "enter")
        assert "needs a name" in house.notices
        await house.type("My refunds")
        await house.until(lambda: house.drawn[1].rstrip() == " name: My refunds", "what is typed")
        await house.press("enter", "escape")
        found = house.names
    async with opened(settings, (80, 24)) as house:
        await house.online()
        assert "Created" in heads(house) and "Size" not in heads(house)
        await house.press("g", "v")
        assert any("My refunds" in line and "type:text refund" in line for line in house.drawn)
        await house.press("enter")
        assert house.names == found and "All documents" in house.line("header")
        assert house.line("chips").strip() == "name holds refund  type text"
        await house.press("g", "v", "x")
        await house.until(lambda: any("Delete the view" in line for line in house.drawn), "asked")
        await house.press("y")
        await house.until(lambda: any("None yet" in line for line in house.drawn), "deleted")
        await house.press("escape", "g", "c", "=", "escape", "F", "g", "h")
        assert heads(house).split() == ["Name", "▲", "Type", "Size", "Updated", "Index"]
