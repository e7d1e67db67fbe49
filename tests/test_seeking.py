"""Words are found in the text that is edited, replaced there, and lines gone to; what differs is shown."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo.server import Demo
from kbtui.seeking import Hits, heeds_case, sought
from kbtui.tui.screens.difference import Difference
from kbtui.tui.widgets.fields import Field
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

letters = st.text(st.sampled_from("abA \n"), max_size=60)
words = st.text(st.sampled_from("abA "), min_size=1, max_size=3)


def hits_in(text: str, found: str) -> Hits:
    pattern = sought(found)
    assert pattern is not None
    return Hits(text, pattern, len(found))


# Found


@given(letters, words, st.integers(1, 9))
def test_hits_are_the_same_however_long_the_slices_are(text: str, found: str, slice: int) -> None:
    hits, pattern = hits_in(text, found), sought(found)
    while not hits.done:
        hits.look(slice)
    assert pattern is not None
    assert hits.spans == [match.span() for match in pattern.finditer(text)]


@given(letters, words, words)
def test_what_is_replaced_together_is_what_is_replaced_one_by_one(text: str, found: str, by: str) -> None:
    hits = hits_in(text, found)
    new = hits.replaced(by)
    if not hits.spans:
        assert new == ""
        return
    one_by_one = text
    for start, end in reversed(hits.spans):
        one_by_one = one_by_one[:start] + by + one_by_one[end:]
    assert text[: hits.spans[0][0]] + new + text[hits.spans[-1][1] :] == one_by_one
    outside = [at for at in range(len(text)) if all(not start <= at < end for start, end in hits.spans)]
    moved = "".join(one_by_one[hits.moved(at, len(by) - len(found))] for at in outside)
    assert moved == "".join(text[at] for at in outside)


def test_small_letters_find_any_case_and_a_capital_only_capitals() -> None:
    assert not heeds_case("über 5 €") and heeds_case("Über")
    assert len(hits_in("Über über ÜBER", "über").replaced("x")) == len("x x x")
    assert hits_in("Über über ÜBER", "Über").next(0) == (0, 4)
    assert hits_in("Über über ÜBER", "Über").next(1) == (0, 4)
    assert hits_in("a.b axb", "a.b").previous(0) == (0, 3)
    assert sought("") is None


def test_the_next_and_the_one_before_go_all_around() -> None:
    hits = hits_in("ab ab ab", "ab")
    assert [hits.next(at) for at in (0, 1, 3, 7)] == [(0, 2), (3, 5), (3, 5), (0, 2)]
    assert [hits.previous(at) for at in (0, 1, 3, 8)] == [(6, 8), (0, 2), (0, 2), (6, 8)]
    assert hits.number(3, 5) == 1 and hits.number(3, 4) is None
    assert hits_in("", "ab").next(0) is None and hits_in("x", "ab").previous(0) is None


# In the editor

TEXT = "One fee.\r\nA Fee is a fee.\r\n\r\nNo charge, no feel.\r\n" + "Below.\r\n" * 60


def told(house: House) -> str:
    return house.line("found").strip()


async def test_words_are_found_and_replaced_one_by_one_or_all_and_undone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Fees", "-")
    service.patch(id, content=TEXT)
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        editor = await house.editing("Fees")
        area = editor.area
        await house.press("f3")
        field = house.app.screen.query_one("#sought", Field)
        assert field.has_focus and told(house) == ""
        await house.press(*"fe")
        assert told(house) == "1 of 4, any case" and area.selected_text == "fe"
        await house.press("e", "down", "down")
        assert told(house) == "3 of 4, any case" and area.cursor_location == (1, 14)
        await house.press("enter", "enter", "up")
        assert told(house) == "4 of 4, any case" and area.cursor_location == (3, 17)
        assert any("no feel." in line for line in house.drawn)
        await house.press("ctrl+u", *"Fee")
        assert told(house) == "1 of 1, this case" and area.selection == ((1, 2), (1, 5))
        await house.press("x")
        assert told(house) == "0 hits, this case" and area.cursor_location == (3, 14)
        await house.press("ctrl+u", *"fee", "tab", *"cost", "down", "down", "enter")
        assert editor.text == TEXT.replace("A Fee", "A cost") and told(house) == "2 of 3, any case"
        await house.press("f6")
        replaced = re.sub("fee", "cost", TEXT, flags=re.IGNORECASE)
        assert editor.text == replaced and told(house) == "3 replaced, any case"
        await house.press("ctrl+z")
        assert editor.text == TEXT.replace("A Fee", "A cost") and told(house) == "2 of 3, any case"
        await house.press("ctrl+z", "ctrl+y", "ctrl+y", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == replaced and len(wire.patches) == 1
        await house.press("tab")
        assert field.has_focus and field.value == "fee"
        await house.press("tab", "ctrl+g", *"2", "ctrl+f", *"ha")
        assert field.value == "ha" and told(house) == "1 of 1, any case", (
            "typed over the words that were found"
        )
        await house.press("ctrl+f", *"fee")
        assert field.value == "fee" and editor.text == replaced
        await house.press("escape")
        assert area.has_focus and not house.app.screen.query_one("#bar").display
        await house.press("f3")
        assert "“fee” stands nowhere" in house.notices and area.has_focus
        await house.press("ctrl+g", *"4:5", "enter")
        assert area.cursor_location == (3, 4) and area.has_focus
        house.app.tell("Something that would lie over the field.")
        await house.press("shift+right", "shift+right", "ctrl+f")
        assert not house.notices
        assert field.value == "ha" and area.selected_text == "ha" and told(house) == "1 of 1, any case"
        await house.press("escape", "f10", *"999", "enter")
        assert area.cursor_location == (64, 0)
        await house.press("ctrl+g", "x", "enter")
        assert "A line is a number" in house.notices and area.cursor_location == (64, 0)
        await house.press("escape", "escape")
        assert house.app.screen is house.browse and house.drafts == []


async def test_what_was_changed_is_shown_against_where_it_began_and_against_the_service(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    id = service.add("Fees", "One fee.\nTwo.\n")
    async with opened(settings_for(wire.url, demo.key, tmp_path), (200, 50)) as house:
        await house.online()
        editor = await house.editing("Fees")
        await house.press("down", *"Mine. ", "ctrl+o")
        screen = house.app.screen
        assert isinstance(screen, Difference)
        view = screen.query_one("#differences")
        await house.until(lambda: "+Mine. Two." in view.text, "my change")  # type: ignore[attr-defined]
        service.patch(id, content="One fee.\nTheirs.\n")
        wire.forget()
        assert "Tab against the service" in house.line("footer")
        await house.press("ctrl+o")
        assert "Tab against what you opened" in house.line("footer")
        await house.until(lambda: "-Theirs." in view.text and "+Mine. Two." in view.text, "theirs")  # type: ignore[attr-defined]
        assert "against the service" in house.line("header") and len(wire.requests) <= 2 and not wire.patches
        wire.down()
        await house.press("tab", "tab")
        await house.until(lambda: "refuses the connection" in view.text, "no answer")  # type: ignore[attr-defined]
        await house.press("escape")
        assert house.app.screen is editor and editor.text == "One fee.\nMine. Two.\n"
        assert editor.area.cursor_location == (1, 6) and [each.text for each in house.drafts] == [editor.text]
