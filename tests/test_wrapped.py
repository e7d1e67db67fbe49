"""The lines of the text buffer and the rows they are drawn in: every byte is kept, every row fits."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets.text_area import EditResult

from kbtui.tui import widths
from kbtui.tui.widgets.body import Body, newline_of
from kbtui.tui.widgets.wrapped import TAB, Wrapped, column_at, cuts, shown, spread

widths.install()  # as the app does before anything is drawn

ODD = "\r\n\r\n\r\n\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\t \x1b\ufeffab"
texts = st.text(st.sampled_from(ODD), max_size=30)
DRAWN = [
    *"abc de  f\t",
    "日",
    "e\u0301",
    "न",
    "ा",
    "👩\u200d🚀",
    "☺\ufe0f",
    "😀",
    "\u2028",
    "\x00",
    "-",
    "\u200b",
    "\u200d",
    "\ufe0f",
    "\u200c",
]
lines = st.lists(st.sampled_from(DRAWN), max_size=80).map("".join)
MANY = "Refunds are paid within 14 days. " * 60


def place(body: Body, at: int) -> tuple[int, int]:
    """Where the character stands that has this number in the text; between two of a line end, before them."""
    starts = [0, *accumulate(len(line) + len(body.newline) for line in body.lines)]
    row = max(row for row, start in enumerate(starts[:-1]) if start <= at)
    return row, min(at - starts[row], len(body.lines[row]))


def number(body: Body, row: int, column: int) -> int:
    return sum(len(line) + len(body.newline) for line in body.lines[:row]) + column


# Bytes


@given(texts)
@example("")
@example("a\r\nb\n")
@example("\r\n\r\r\n")
def test_a_text_that_was_loaded_is_the_text_that_is_saved(text: str) -> None:
    assert Body(text).text == text


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("a\r\nb", "\r\n"),
        ("a\rb", "\r"),
        ("a\nb", "\n"),
        ("ab", "\n"),
        ("a\r\nb\n", "\n"),
        ("a\rb\r\n", "\n"),
    ],
)
def test_a_text_is_cut_at_the_one_line_end_that_it_has(text: str, newline: str) -> None:
    assert newline_of(text) == newline
    assert Body(text).typed("x\ny\r\nz\r") == f"x{newline}y{newline}z{newline}"


@given(texts, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), texts), max_size=5))
def test_an_edit_changes_what_was_typed_and_no_other_byte_and_is_taken_back_whole(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    body = Body(text)
    done: list[tuple[str, tuple[int, int], EditResult]] = []
    for first, last, words in edits:
        before, typed = body.text, body.typed(words)
        start, end = sorted(place(body, min(at, len(before))) for at in (first, last))
        kept = before[: number(body, *start)], before[number(body, *end) :]
        result = body.replace_range(start, end, typed)
        assert body.text == typed.join(kept)
        done.append((before, start, result))
    for before, start, result in reversed(done):
        body.replace_range(start, result.end_location, result.replaced_text)
        assert body.text == before


# Rows


@given(lines, st.integers(4, 30))
def test_rows_are_all_of_the_line_and_fit(line: str, width: int) -> None:
    drawn = shown(line)
    assert len(drawn) == len(line)
    places = [0, *cuts(drawn, width), len(line)]
    rows = [drawn[start:end] for start, end in pairwise(places)]
    assert "".join(rows) == drawn and all(rows[:-1])
    for row in rows:
        assert cell_len(spread(row)) <= width + row.endswith(" "), rows


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("one two three", ["one two ", "three"]),
        ("one twoo three", ["one twoo ", "three"]),
        ("one two  ", ["one two  ", ""]),
        ("unbroken words", ["unbroken ", "words"]),
        ("日本語日本語", ["日本語日", "本語"]),
        ("a\tb cde", ["a\tb ", "cde"]),
        ("aaaaaaae\u0301", ["aaaaaaae\u0301"]),
        ("aaaaaaaae\u0301", ["aaaaaaaa", "e\u0301"]),
    ],
)
def test_a_line_is_cut_behind_a_blank(line: str, rows: list[str]) -> None:
    assert [line[start:end] for start, end in pairwise([0, *cuts(line, 8), len(line)])] == rows


@given(
    lines.filter(bool),
    st.integers(4, 20),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9), lines), min_size=1, max_size=4),
)
@example(MANY, 20, [(900, 3, "abc")])
@example(MANY, 20, [(0, 1999, "")])
@example(MANY, 20, [(0, 40, ""), (0, 40, "")])
@example("ab " * 40, 20, [(61, 4, "longer words"), (70, 0, "a" * 30)])
def test_what_is_cut_anew_after_edits_fits_and_once_tidy_is_what_would_be_cut_from_nothing(
    line: str, width: int, edits: list[tuple[int, int, str]]
) -> None:
    body = Body(line)
    wrapped = Wrapped(body, width)
    for at, gone, typed in edits:
        length = len(body.lines[0])
        start, end = min(at, length), min(at + gone, length)
        result = body.replace_range((0, start), (0, end), typed)
        wrapped.wrap_range((0, start), (0, end), result.end_location)
        (rows,) = wrapped.lines
        assert "".join(rows) == shown(body.text) and all(rows[:-1])
        assert all(cell_len(spread(row)) <= width + row.endswith(" ") for row in rows)
        assert wrapped.height == len(rows)
    anew = Wrapped(body, width)
    assert wrapped.loose or wrapped.lines == anew.lines
    wrapped.tidy()
    assert wrapped.lines == anew.lines and wrapped.height == anew.height and not wrapped.loose


def test_a_key_in_a_long_line_leaves_the_rows_far_below_where_they_are() -> None:
    body = Body("日本語の文章" * 200)
    wrapped = Wrapped(body, 40)
    before = wrapped.lines[0]
    for column in range(6):
        end = body.replace_range((0, column), (0, column), "x").end_location
        wrapped.wrap_range((0, column), (0, column), end)
    after = wrapped.lines[0]
    assert after[2:] == before[1:] and wrapped.loose


@given(lines)
def test_a_cell_leads_to_the_character_that_is_drawn_there(line: str) -> None:
    drawn, x = shown(line), 0
    for at, character in enumerate(drawn):
        if (width := cell_len(spread(character, x))) and "\u200d" not in drawn:
            assert column_at(drawn, x) == at
        x += width
    assert column_at(drawn, 10_000) == len(drawn)


def test_a_sign_that_is_drawn_with_another_changes_nothing_far_away() -> None:
    line = "☺\ufe0f" + "Words. " * 1_000 + "👩\u200d🚀"
    drawn = shown(line)
    assert len(drawn) == len(line) and drawn[0] == "☺" and drawn[1] != "\ufe0f" and drawn[2:] == line[2:]


def test_a_tab_goes_to_the_next_of_its_places() -> None:
    assert [len(spread("a" * n + "\t")) for n in range(TAB)] == [TAB] * TAB
    assert spread("\tb\tc", 1) == "   b   c"
