"""Reading a document: words that are found in its text, the modes in which it is shown, and its lines."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from kbtui.demo.server import Demo
from kbtui.tui.markdown import plain_words
from kbtui.tui.widgets import hits
from kbtui.tui.widgets.folder_tree import count
from kbtui.tui.widgets.hits import Hits, Page, as_typed, places
from kbtui.tui.widgets.laying import as_markdown, as_source, typesetter
from tests.house import House, opened, settings_for
from tests.service import Service


def rows(*lines: str) -> Page:
    return Page([Segment(line)] for line in lines)


def found(words: str, *lines: str) -> list[str]:
    """What is found of some words in rows."""
    page = rows(*lines)
    return [page.text[start:end] for start, end in places(as_typed(words), page.text)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "lines", "number"),
    [
        ("refund policy", ["Our REFUND", " Policy"], 1),
        ("refund policy", ["Our refund", "    policy", "refund ▌ policy and refund, policy"], 3),
        ("返品について", ["これは返品", " について"], 1),
        ("a-very-long-word", ["a-very-lo", "ng-word"], 1),
        ("14", ["14 days, 14"], 2),
        ("fund", ["refunded"], 1),
        ("<b>x", ["<B>X</B>"], 1),
        (".*", ["a.*b", "abc"], 1),
        ("ab", ["a b"], 0),
        ("days. 1", ["14 days. 1"], 1),
    ],
)
def test_words_are_found_as_they_are_typed_wherever_a_row_ends(
    words: str, lines: list[str], number: int
) -> None:
    assert len(found(words, *lines)) == number


@given(st.text("ab \n", max_size=60), st.sampled_from(["a", "ab", "a b", "bb"]))
def test_a_text_that_is_looked_through_in_pieces_has_the_same_places(text: str, words: str) -> None:
    pattern = as_typed(words)
    assert pattern is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hits, "WINDOW", 5)
        patch.setattr(hits, "LONGEST", 60)
        assert [*places(pattern, text)] == [found.span() for found in pattern.finditer(text)]


def test_a_place_is_found_again_in_other_rows_the_nearest_of_several() -> None:
    page = rows("# Head", "", "One **two** three.", "", "filler " * 9, "One **two** three.", "four")
    words = [("One", 1), ("two", 1), ("three", 1)]
    assert page.find_again(words, 0.1) == 1 and page.find_again(words, 0.9) == 4
    others = "none of these words are here One two three four".split()  # noqa: SIM905
    assert page.find_again([(word, 0) for word in others], 0.9) == 5
    assert page.find_again([(word, at // 6) for at, word in enumerate(others)], 0.9) == 4
    assert page.find_again([(word, 0) for word in others[:8]], 0.9) is None
    assert page.find_again([], 0.5) is None


def test_hits_that_nobody_wants_any_more_are_not_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "WINDOW", 10)
    left = iter([True, True, False])
    assert len(Hits(rows("ab " * 1000), as_typed("ab"), partial(next, left))) < 10


# The words alone

MARKED_UP = """# Returns *and* more

Words that are **bold**
and [linked](https://x.example/y), `code` &amp; ~~gone~~.

| Part | Price |
|------|-------|
| Cell | 10 € |

3. third
4. fourth
   - inside

- loose

  and on

> quoted

```
two  spaces
  kept
```
<div>raw <b>words</b></div>

![picture](x.png) &#27;[31m
"""


def test_plain_words_are_those_of_the_text_without_mark_up_and_without_harm() -> None:
    assert plain_words(MARKED_UP).split("\n") == [
        "Returns and more", "",
        "Words that are bold and linked, code & gone.", "",
        "Part\tPrice", "Cell\t10 €", "",
        "3. third", "4. fourth", "inside", "",
        "loose", "", "and on", "",
        "quoted", "",
        "two  spaces", "  kept", "",
        "raw words", "",
        "picture \N{REPLACEMENT CHARACTER}[31m",
    ]  # fmt: skip


# Lines


def laid(text: str, width: int, *, markdown: bool = False) -> list[tuple[str, int]]:
    """The rows of a text, and the numbers of the lines that begin with them."""
    words = as_markdown(text) if markdown else as_source(text)
    rows = words.lay(words.text, typesetter(width, lambda name: Style.null()))
    return [("".join(segment.text for segment in row), line) for row, line in rows]


def test_a_line_has_its_number_where_it_begins() -> None:
    assert laid("one two three\n\nx\ty  \n", 8) == [
        (" one two", 1), (" three", 0), (" ", 2), (" x    y", 3),
    ]  # fmt: skip
    assert laid("\n\na", 8) == [(" ", 1), (" ", 2), (" a", 3)]
    rendered = """# A heading that is long

Words that are *longer* than a row,\\
broken once.

- an item that goes on as well
  - one in it, which does so, too

> quoted words, and more than fit

    code that does not fit, either

| A head that is long | b |
|---|--:|
| some words in a cell | others, more than these are |

The end.
"""
    lines = [(row, number) for row, number in laid(rendered, 400, markdown=True) if number]
    assert [number for _, number in lines] == [*range(1, len(lines) + 1)], "each is one row"
    for width in (18, 24, 40):
        begins = [(row.split()[:2], number) for row, number in laid(rendered, width, markdown=True) if number]
        assert [number for _, number in begins] == [number for _, number in lines], width
        assert begins[3][0] == ["Words", "that"] and begins[4][0] == ["broken", "once."]
        assert begins[-1] == (["The", "end."], len(lines))


@given(st.lists(st.text("ab 世\t", max_size=30), max_size=6), st.integers(4, 12))
def test_no_word_is_lost_and_no_line_uncounted_at_any_width(lines: list[str], width: int) -> None:
    text = "\n".join([*lines, "end"])
    shown = laid(text, width)
    assert "".join("".join(row for row, _ in shown).split()) == "".join(text.split())
    assert [number for _, number in shown if number] == [*range(1, len(lines) + 2)]


# In the app


def at_hit(house: House, which: str) -> bool:
    return f" {which} " in house.line("tabs")


async def test_words_are_found_in_a_text_counted_and_taken_back_in_every_mode(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    filler = "\n\n".join(f"Paragraph {number} about *nothing*." for number in range(40))
    service.add(
        "Islands", f"# Islands\n\n{filler}\n\nA **Quokka** and a QUOKKA.\n\n{filler}\n\nThe quokka.\n"
    )
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.select("Islands")
        await house.until(lambda: house.reading, "its text")
        view = house.browse.reading.view
        await house.press("3")
        await house.until(lambda: view.max_scroll_y, "laid out, where there is room for one pane")
        await house.press("j", "/")
        await house.until(lambda: house.drawn[2].startswith(" find words in this text"), "what is typed")
        await house.press(*"quokka")
        await house.until(lambda: house.drawn[2].rstrip() == " find quokka", "what was typed")
        assert at_hit(house, "hit 1 of 3") and "Quokka" in "".join(house.drawn)
        drawn = [segment for strip in house.app.screen._compositor.render_strips() for segment in strip]
        assert [text for text, style, _ in drawn if style and style.reverse and style.underline] == ["Quokka"]
        await house.press("!")
        assert at_hit(house, "no hit") and view.scroll_y == 1
        await house.press("backspace", "enter", "n")
        assert at_hit(house, "hit 2 of 3") and house.browse.pane == "view"
        for mode, word in (("source", "**Quokka**"), ("plain", "A Quokka"), ("rendered", "A Quokka")):
            await house.press("V")
            await house.until(lambda mode=mode: f"markdown {mode}" in house.line("tabs") and house.reading)  # type: ignore[misc]
            assert at_hit(house, "hit 2 of 3") and any(word in line for line in house.drawn), mode
            assert "*" not in view.text or mode == "source"
        await house.press("n", "n")
        assert at_hit(house, "hit 1 of 3")
        await house.press("N")
        assert at_hit(house, "hit 3 of 3")
        place = view.scroll_y
        await house.press("/", *"island")
        assert at_hit(house, "hit 1 of 1") and view.scroll_y == 0
        await house.press("escape")
        assert view.scroll_y == place and "hit" not in house.line("tabs"), "as it was"
        await house.press("n")
        assert "no words are marked" in house.notices
        await house.press("/", *"quokka", "enter", "escape")
        assert house.browse.pane == "view" and "hit" not in house.line("tabs")
        await house.press("/", *"x", "enter", "n", "escape", "escape")
        assert "no words are marked" in house.notices and house.browse.pane == "list"
        await house.press("/")
        assert house.app.screen.focused is house.browse.filter_field


async def test_three_megabytes_are_looked_through_while_keys_are_heard(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    line = "Words about refunds and other things that agents are asked for.\n"
    service.add("Huge", line * 48_000 + "The quokka.\n")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        house.browse.reading.mode = "source"
        await house.select("Huge")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and len(view.text) > 3_000_000, "all of it")
        await house.press("3", "/", *"quokka")
        assert not at_hit(house, "hit 1 of 1"), "the keys are carried out, and it is still looked for"
        await house.until(lambda: at_hit(house, "hit 1 of 1"), "found")
        assert "The quokka." in "".join(house.drawn)
        await house.press("ctrl+u", *"refund")
        await house.until(lambda: at_hit(house, f"hit 1 of {count(48_000)}"), "all of them")


async def test_a_text_fills_the_screen_and_the_next_is_shown_in_the_same_way(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    folder = service.folder("Reading")
    service.folder("Aside", folder)
    wide = "| first | " + "x" * 150 + " | last |\n|---|---|---|\n| 1 | 2 | 3 |\n"
    for name, text in (("A", "**One** quokka."), ("B", f"Two.\n\n{wide}\nThe quokka.\n"), ("C", "Three.")):
        service.add(name, text, parent=folder)
    service.add("Long", "\n\n".join(f"Line {number}." for number in range(60)))
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.online()
        await house.enter("Reading")
        await house.press("j")
        await house.until(lambda: house.reading and house.row.name == "A", "the first text")
        view = house.browse.reading.view
        small = view.size
        await house.press("3", "l", "V", "V", "/", *"quokka", "enter")
        await house.until(lambda: view.size == (140, 37), "the whole screen")
        await house.press("enter")
        assert "h leads back" in house.notices and "whole screen" not in house.line("footer")
        assert "A  2 of 4  Reading" in house.line("header") and " A " not in house.line("tabs")
        await house.press(")")
        await house.until(lambda: house.reading and at_hit(house, "hit 1 of 1"), "its words")
        assert "B  3 of 4" in house.line("header") and "markdown plain" in house.line("tabs")
        assert "The quokka." in view.text and view.has_focus and view.size.height == 37
        await house.press(")", "(", "(", "(")
        await house.until(lambda: house.reading and house.row.name == "A", "back at the first")
        assert "no document before it" in house.notices
        await house.press("h")
        await house.until(lambda: view.size == small, "all panes")
        assert house.browse.pane == "view" and " A " in house.line("tabs")
        await house.press("enter", "escape", "escape", "escape")  # what is found, the whole screen, the view
        await house.until(lambda: view.size == small, "all panes")
        assert house.browse.pane == "list"
        await house.press("3", "enter", "1")
        await house.until(lambda: view.size == small, "all panes")
        assert house.browse.pane == "tree"

        # Lines that are left whole, and their numbers
        await house.press("2", "G", "k")
        await house.until(lambda: house.reading and house.row.name == "B" and "Two." in view.text)
        await house.press("3", "V", "w", "#")
        await house.until(lambda: house.reading and "not wrapped" in house.line("tabs"), "whole lines")
        await house.until(lambda: any("first" in line and "›" in line for line in house.drawn), "cut")
        assert not any(" last" in line for line in house.drawn)
        await house.press(">", ">", ">")
        await house.until(lambda: any("‹" in line and " last" in line for line in house.drawn), "no farther")
        await house.press("<", "<", "<")
        await house.until(lambda: any("first" in line for line in house.drawn))
        await house.press("V")
        await house.until(lambda: house.reading and any("  7  The quokka." in line for line in house.drawn))
    async with opened(settings_for(demo.url, demo.key, tmp_path), (140, 40)) as house:
        await house.select("B")
        await house.press("V")
        await house.until(lambda: any("  7  The quokka." in line for line in house.drawn), "still")
        await house.press("w", "#", ">")
        await house.until(lambda: any("│ The quokka." in line for line in house.drawn), "no number")
        assert "wrapped" not in house.line("tabs") and "w leaves them whole" in house.notices

        # The end of one tab is not that of another
        await house.select("Long")
        await house.press("3", "i")
        await house.until(lambda: house.reading and "Your role" in house.browse.reading.view.text, "info")
        await house.press("G", "i")
        await house.until(lambda: house.reading and "Line 59." in house.browse.reading.view.text, "all of it")
        assert any("Line 0." in line for line in house.drawn)


async def test_a_text_that_takes_long_to_be_laid_out_anew_is_told_to_be_on_its_way(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.tui.widgets.reading.SLOW", 0.01)
    service.add("Long", "\n\n".join(f"Paragraph {number} has some words. " * 5 for number in range(400)))
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Long")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and "Paragraph 399" in view.text, "all of it")
        await house.press("3", "pagedown", "pagedown", "j")
        words = view.words_in_view.split()[:5]
        house.burst("w")
        await house.until(lambda: "not wrapped · …" in house.line("tabs"), "on its way")
        await house.until(lambda: "…" not in house.line("tabs") and view.beyond, "here")
        assert view.words_in_view.split()[:2] == words[:2], "the place is kept"
