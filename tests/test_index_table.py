"""The lines of many indexes: what was changed step by step is what would be made anew, and fits in a line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kbtui.answers import MODELS
from kbtui.index_states import Estimate, IndexStates
from kbtui.index_table import IndexLine, IndexTable
from kbtui.models import IndexUsage, RagIndex
from kbtui.rows import DocumentRow
from kbtui.tui.widgets.index_list import (
    Folder,
    columns,
    folders_of,
    heads,
    longest_of,
    more_words,
    placed,
    room_words,
)

FIRST, SECOND = MODELS
SIZES = {f"document{number}": 1000 * number for number in range(5)}

HEARD = st.tuples(
    st.sampled_from([*SIZES, "elsewhere"]),
    st.sampled_from([*MODELS]),
    st.sampled_from(["succeeded", "failed", "processing", "document_too_small", "none", "trouble"]),
)


def hear(states: IndexStates, id: str, model: str, status: str) -> None:
    """One answer, whatever it is."""
    states.expire([id], [model])
    wanted = states.due({id: 1}, [model])
    assert wanted is not None
    index = RagIndex(model=model, status=status, document_model_index_usage=IndexUsage(used_bytes=70))
    with states.asking(wanted) as answered:
        answered({id: {"none": None, "trouble": "Not now."}.get(status, index)})


def everything(table: IndexTable) -> dict[str, Any]:
    here = range(len(table.lines))
    return {
        "lines": table.lines,
        "sums": table.sums,
        "building": table.building,
        "places": [table.place(line) for line in table.lines],
        "problems": [(table.next_problem(at, 1), table.next_problem(at, -1)) for at in here],
    }


@given(st.lists(st.lists(HEARD, max_size=4), max_size=8), st.sampled_from(["", *MODELS]))
def test_what_is_changed_step_by_step_is_what_would_be_made_anew(
    steps: list[list[tuple[str, str, str]]], model: str
) -> None:
    states = IndexStates()
    table = IndexTable(states, SIZES, model)
    for step in steps:
        changes = states.changes
        for each in step:
            hear(states, *each)
        heard = states.heard_since(changes)
        assert heard >= {id for id, _, _ in step}
        building = table.building
        settled = table.update(heard)
        assert settled or table.building >= building
        assert everything(table) == everything(IndexTable(states, SIZES, model))


@given(st.lists(HEARD, max_size=12), st.sampled_from(["", *MODELS]), st.sampled_from([1, -1]))
def test_one_goes_to_the_next_problem_round_about(
    steps: list[tuple[str, str, str]], model: str, by: int
) -> None:
    states = IndexStates()
    for each in steps:
        hear(states, *each)
    table = IndexTable(states, SIZES, model)
    lines = table.lines
    for here in range(len(lines)):
        around = [(here + by * step) % len(lines) for step in range(1, len(lines) + 1)]
        assert table.next_problem(here, by) == next(
            (at for at in around if table.is_problem(lines[at])), None
        )


def test_what_is_being_built_no_more_is_told_and_what_is_gone_is_missing_no_more() -> None:
    states, gone = IndexStates(), set[str]()
    table = IndexTable(states, SIZES, "", gone)
    hear(states, "document1", FIRST, "processing")
    assert not table.update(["document1"]) and table.building == 1
    hear(states, "document1", FIRST, "succeeded")
    assert table.update(["document1"]) and table.building == 0
    for model in MODELS:
        hear(states, "document2", model, "none")
    table.update(["document2"])
    assert table.estimate == Estimate(1, 140, 0.07)
    gone.add("document2")
    table.update(["document2"])
    assert table.estimate.documents == 0
    assert table.place(IndexLine("document1", SECOND)) == table.place(IndexLine("document1", FIRST)) == 1
    assert table.place(IndexLine("elsewhere", FIRST)) is None


@pytest.mark.parametrize("width", range(30, 220))
def test_lines_and_what_is_said_below_them_use_the_width_there_is(width: int) -> None:
    for longest in (5, 20, 27, 400):
        cells = columns(width, longest, 30)
        assert 3 + cells.name + cells.model + cells.size + 4 + cells.words <= max(width, 34)
        assert cells.name >= min(longest, 20 if width >= 40 else 8)
        assert cell_len(heads(width, longest, 30)) <= width
    models = [(FIRST, 3_500_000), (SECOND, 4_500), ("unused", 0)]
    room = room_words(3_504_500, 20_971_520, models, width)
    assert "3.5 M of 21 M used (17 %)" in room and cell_len(room) <= width
    assert cell_len(room_words(3_504_500, 0, models, width)) <= width
    more, _ = more_words(Estimate(12, 3_200_000, 0.5), 1_000_000, " of the 1 340 looked at", width)
    assert more.startswith(" 12") and (width < 75 or "more than the 1.0 M left" in more)


@given(st.text(max_size=30), st.text(max_size=30), st.booleans(), st.integers(1, 60))
def test_a_name_and_its_folder_have_exactly_their_room(
    name: str, folder: str, needed: bool, width: int
) -> None:
    assert cell_len("".join(text for text, _ in placed(name, Folder(folder, needed), width))) == width


def test_a_folder_is_told_where_it_has_room_or_where_several_documents_have_one_name() -> None:
    def words(name: str, folder: Folder, width: int) -> str:
        return "".join(text for text, _ in placed(name, folder, width))

    assert words("Refund policy", Folder("Archive", False), 30) == "Refund policy  Archive        "
    assert words("Refund policy", Folder("Archive", False), 21) == "Refund policy  Arch… "
    assert words("Refund policy", Folder("Archive", False), 18) == "Refund policy     "
    assert words("Refund policy", Folder("Archive", True), 18) == "Refund p…  Archi… "
    assert words("Refund policy", Folder("", True), 10) == "Refund po…"
    rows = [
        DocumentRow(id, name, "text", 1, 0, 0, parent, None, None, "admin", None, None)
        for id, name, parent in (
            ("1", "A", "x"),
            ("2", "A", None),
            ("3", "B", None),
            ("4", "C", "x"),
            ("5", "D", "y"),
        )
    ]
    found = folders_of(rows, {"x": "Here", "y": "There"}, "x")
    assert [each.name for each in found.values()] == ["Here", "Root", "", "", "There"]
    assert longest_of(rows, found) == (len("A  Here "), len("D  There "))
    cells = columns(119, 20, 22)
    assert columns(119, 20, 22, 35) == columns(119, 35, 22) != cells, "there is room for all folders"
    assert columns(79, 20, 22, 35) == columns(79, 20, 22), "no word is shortened for what is not needed"


def test_names_have_the_room_of_a_broad_screen_and_models_are_named_as_far_as_they_fit() -> None:
    assert columns(199, 27, 22) == (27 + 3, 22 + 3, 9, 50), "no wider than they need"
    assert columns(199, 400, 30).name > 80 and columns(119, 400, 22).name > 70
    assert columns(79, 27, 30) == (27 + 1, 30 + 1, 7, 6), "all whole, by short words"
    assert columns(79, 40, 30).name == 41, "models are cut first"
    models = [(FIRST, 3_500_000), (SECOND, 4_500)]
    shares = [room_words(used, 1_000, [], 200) for used in (0, 4, 995, 1_000)]
    assert [share.split("(")[1] for share in shares] == ["0 %)", "<1 %)", "99 %)", "100 %)"]
    assert room_words(1, 2, models, 200).endswith(f" · {FIRST} 3.5 M · {SECOND} 4.5 k")
    assert room_words(1, 20_000_000, models, 111).endswith(f" · {FIRST} 3.5 M · {SECOND} 4.5 k")
    assert room_words(1, 20_000_000, models, 80).endswith(
        " · e5_mistral_7b_i… 3.5 M · multilingual_e5… 4.5 k"
    )
