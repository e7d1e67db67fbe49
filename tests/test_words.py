"""The text buffer: whatever is done to a text, its lines are laid out as if it had just been opened.

`KBTUI_KEYS` says how many random things are done to it, `KBTUI_SEED` which.
"""

from __future__ import annotations

import asyncio
import os
import random
import re

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Offset

from kbtui.tui.widgets.words import LONGEST_TAG, TAG, Words
from kbtui.tui.widgets.wrapped import Wrapped

STEPS = int(os.environ.get("KBTUI_KEYS", "1500"))
SEED = int(os.environ.get("KBTUI_SEED", "0")) or random.randrange(1, 2**32)
TYPED = [*"abc de e", "e\u0301", "日", "न", "ा", "😀", "\u200d", "☺\ufe0f", "ש", "\t", "\x00", "\n", "\n"]
ENDS = "\n", "\r\n", "\r"
MOVES = [f"cursor_{where}" for where in ("up", "down", "left", "right", "line_start", "line_end", "page_up")]
DELETES = "left", "right", "line", "word_left", "word_right", "to_end_of_line", "to_start_of_line"
DOES = [*MOVES, *(f"delete_{what}" for what in DELETES), "undo", "undo", "undo", "redo", "redo"]


class Buffer(App[None]):
    def compose(self) -> ComposeResult:
        yield Words("One line of words.\n" * 9, "area", lambda: None, lambda: None)


def change(area: Words, chance: random.Random) -> None:
    """Something that a person does, or that a program does to the whole text."""
    lines = [chance.choice(TYPED) * chance.randint(0, 30) for _ in range(chance.randint(1, 8))]
    match chance.choice(["all", "load", "paste"] + ["type"] * 12 + ["do"] * 20):
        case "all":
            area.replace("\n".join(lines), area.document.start, area.document.end)
        case "load":
            area.load_text(chance.choice(ENDS).join(lines))
        case "paste":
            area.replace(chance.choice(ENDS).join(lines), *area.selection, maintain_selection_offset=False)
        case "type":
            for typed in [chance.choice(TYPED)] * chance.choice([1, 1, 2, 5]):
                area.replace(typed, *area.selection, maintain_selection_offset=False)
        case _:
            does = chance.choice(DOES)
            act = getattr(area, f"action_{does}")
            select = (True,) if does in MOVES[:-1] and chance.random() < 0.3 else ()
            for _ in range(chance.choice([1, 1, 1, 2, 5])):
                act(*select)


def laid_out(wrapped: Wrapped) -> list[object]:
    """Where each drawn line begins in the text, and what each line of the text was cut into."""
    starts = [wrapped.offset_to_location(Offset(0, y)) for y in range(wrapped.height)]
    return [*starts, *(wrapped.row(y) for y in range(wrapped.height)), *wrapped.lines]


async def test_undo_takes_back_what_was_typed_last_and_nothing_more() -> None:
    async with Buffer().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        area.load_text("x")
        await pilot.press("end", "enter", "a", "ctrl+z", "b", "ctrl+z")
        assert area.text == "x\n"
        await pilot.press("ctrl+z", "ctrl+y", "c")
        assert area.text == "x\nc"


async def test_the_end_of_a_row_is_a_stop_on_the_way_to_that_of_its_line_and_deletions_take_the_line() -> (
    None
):
    async with Buffer().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        area.load_text("word " * 20 + "\nbelow")
        await pilot.press("end")
        row_end = area.cursor_location
        assert row_end < (0, 40)
        await pilot.press("end", "end")
        assert area.cursor_location == (0, 100)
        await pilot.press("home")
        row_start = area.cursor_location
        assert row_end < row_start < (0, 100)
        await pilot.press("home")
        assert area.cursor_location == (0, 0)
        area.move_cursor(row_start)
        area.action_delete_to_end_of_line()
        assert area.text == ("word " * 20)[: row_start[1]] + "\nbelow"
        area.action_delete_to_start_of_line()
        assert area.text == "\nbelow" and area.cursor_location == (0, 0)
        area.action_delete_to_start_of_line()
        assert area.text == "\nbelow"


@pytest.mark.parametrize(
    ("html", "tags"),
    [
        ("<p>a < b and c > d</p>", ["<p>", "</p>"]),
        ('<a href="x>1"><br/>', ['<a href="x>', "<br/>"]),
        ("<!-- note --><H2\nid=x>", ["<!-- note -->", "<H2\nid=x>"]),
        ("< p> <5 days> <" + "p" * 600 + ">", []),
    ],
)
def test_tags_are_told_from_what_only_looks_like_them(html: str, tags: list[str]) -> None:
    assert TAG.findall(html) == tags and all(len(tag) <= LONGEST_TAG for tag in tags)


async def test_a_long_line_of_tags_is_drawn_in_time_also_before_it_is_broken_into_rows() -> None:
    class Html(Buffer):
        looks = {"dim": Style(dim=True), "hit": Style(underline=True)}

        def compose(self) -> ComposeResult:
            yield Words("<p>word</p> " * 20_000, "area", lambda: None, lambda: None, tags=True)

    async with Html().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        area.mark(re.compile("or"), 2)
        styles = {segment.text: segment.style or Style() for segment in area.render_line(0)}
        assert styles["<p>"].dim and not styles["w"].dim and styles["or"].underline
        area.wrapped_document.wrap(0)
        assert area.render_line(0).cell_length == area.scrollable_content_region.width


async def test_undo_goes_back_to_where_the_visit_began() -> None:
    async with Buffer().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        area.load_text("x")
        for _ in range(1_100):
            area.replace("\n", (0, 0), (0, 0))
        for _ in range(1_100):
            area.undo()
        assert area.text == "x"
        area.undo()
        assert area.text == "x"


async def test_the_rows_below_a_change_in_a_long_line_follow_when_nobody_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kbtui.tui.widgets.words.PAUSE", 0.05)
    async with Buffer().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        area.load_text("日本語の文章" * 300)
        area.move_cursor((0, 900))
        await pilot.pause()
        row = area.wrapped_document.location_to_offset(area.cursor_location).y - area.scroll_offset.y
        area.replace("words ", (0, 3), (0, 3))
        assert area.wrapped_document.loose
        async with asyncio.timeout(5):
            while area.wrapped_document.loose:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert laid_out(area.wrapped_document) == laid_out(Wrapped(area.document, area.wrap_width))
        y = area.wrapped_document.location_to_offset(area.cursor_location).y
        assert abs(y - area.scroll_offset.y - row) <= 1


async def test_however_it_is_edited_and_undone_its_lines_are_where_they_are() -> None:
    chance = random.Random(SEED)
    async with Buffer().run_test(size=(40, 12)) as pilot:
        area = pilot.app.query_one(Words)
        for step in range(STEPS):
            change(area, chance)
            anew = Wrapped(area.document, area.wrap_width)
            if area.wrapped_document.loose and chance.random() < 0.5:
                continue
            area.wrapped_document.tidy()
            assert laid_out(area.wrapped_document) == laid_out(anew), f"KBTUI_SEED={SEED}, step {step}"
