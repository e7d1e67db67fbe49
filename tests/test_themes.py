from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Input

from kbtui.demo.server import Demo
from kbtui.tui.screens.keys import Keys
from kbtui.tui.themes import (
    ANSI_DARK,
    ANSI_LIGHT,
    DARK,
    LIGHT,
    LOOKS,
    THEMES,
    WORKSPACE_COLOURS,
    looks,
    theme_for,
)
from kbtui.tui.widgets.line import prose
from kbtui.tui.widgets.virtual_list import VirtualList
from tests.house import House, opened, settings_for


@pytest.mark.parametrize(
    ("setting", "environ", "theme"),
    [
        ("auto", {"TERM": "xterm-256color"}, DARK),
        ("auto", {"TERM": "xterm-256color", "COLORFGBG": "0;15"}, LIGHT),
        ("auto", {"TERM": "linux"}, ANSI_DARK),
        ("auto", {"TERM": "xterm", "COLORFGBG": "0;15"}, ANSI_LIGHT),
        ("light", {"TERM": "screen"}, ANSI_LIGHT),
        ("light", {"TERM": "xterm", "COLORTERM": "truecolor"}, LIGHT),
        ("ansi-light", {"TERM": "xterm-256color"}, ANSI_LIGHT),
        ("light", {"TERM": "xterm-256color", "NO_COLOR": "1"}, ANSI_DARK),
    ],
)
def test_where_there_are_sixteen_colours_they_are_the_terminals_own(
    setting: str, environ: dict[str, str], theme: str
) -> None:
    assert theme_for(setting, environ) == theme


READABLE = 4.5  # to 1, for words; the Web Content Accessibility Guidelines, 1.4.3
SEEN = 1.25  # to 1, for a row or a field that is told from the page by its ground alone


def contrast(one: Color, other: Color) -> float:
    """How many times as light the lighter of the two is, by the formula of the guidelines."""

    def light(colour: Color) -> float:
        parts = [
            each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour.normalized
        ]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: str(theme.name))
def test_every_look_can_be_read_on_every_ground_that_it_is_drawn_on(theme: Theme) -> None:
    variables = theme.to_color_system().generate() | theme.variables
    named = {name: Color.parse(variables[name]) for name in ("background", "surface", "panel", "field")}
    styles, text = looks(variables), Color.parse(variables["foreground"])
    named |= {name: Color.from_rich_color(styles[name].bgcolor) for name in ("cursor", "resting")}
    unread = []
    for look in LOOKS | WORKSPACE_COLOURS:
        colour = styles[look].color
        drawn = Color.from_rich_color(colour) if colour else text
        for name, ground in named.items():
            if name == "cursor" and styles[look].color == styles["dim"].color:
                continue  # the list draws it in the colour of the text there
            if contrast(drawn, ground) < READABLE:
                unread.append((look, name, round(contrast(drawn, ground), 2)))
    assert not unread
    page = named["background"]
    told = {name: round(contrast(named[name], page), 2) for name in ("cursor", "resting")}
    assert min(told.values()) >= SEEN, told
    assert len({named[name].hex for name in ("field", "panel", "surface", "resting", "background")}) == 5


async def test_what_a_field_is_for_can_be_read_in_it_and_the_field_is_seen(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path, theme="light")) as house:
        await house.press("?")
        for _ in range(2):
            field = house.app.screen.query_one(Input)
            ground, hint = field.styles.background, field.get_component_styles("input--placeholder").color
            assert field.has_focus and field.background_colors[1] == ground, "no tint is laid over it"
            assert contrast(hint, ground) >= READABLE
            house.app.theme = DARK
            await house.press("down")
        assert house.app.theme == DARK


def grounds(house: House, at: int) -> list[Style]:
    """The styles in which line `at` of the screen is drawn, but for the scroll bar."""
    strip = list(house.app.screen._compositor.render_strips())[at]
    return [style for _, style, _ in strip if style is not None and not style.meta]


def line_of_cursor(house: House) -> int:
    widget = next(each for each in house.app.screen.query(VirtualList) if each.led)
    return widget.region.y + widget.cursor - round(widget.scroll_y)


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_in_sixteen_colours_the_selected_line_is_in_reverse_and_of_one_colour(
    demo: Demo, tmp_path: Path, theme: str
) -> None:
    async with opened(
        settings_for(demo.url, demo.key, tmp_path, theme=theme), (80, 24), toasts=True
    ) as house:
        await house.online()
        house.app.tell("Words.", "warn")
        await house.until(lambda: any("▌ ! Words. ▐" in line for line in house.drawn), "a notice, closed")
        for key in ("j", "?"):
            await house.press(key)
            await house.until(lambda: house.drawn[line_of_cursor(house)].strip(), "drawn")
            styles = [style for style in grounds(house, line_of_cursor(house)) if style.reverse]
            assert styles and len({(style.color, style.bgcolor) for style in styles}) == 1
        assert isinstance(house.app.screen, Keys)
        await house.press("escape")
        await house.press("1")
        documents = house.browse.documents
        line = documents.render_line(documents.cursor)
        assert all(style and style.underline for _, style, _ in line), "where the cursor rests"


def test_a_key_in_a_sentence_looks_like_a_key() -> None:
    told = [("b", "key"), (" builds it, ", "dim"), ("R", "key"), (" asks.", "dim")]
    assert prose("`b` builds it, `R` asks.") == told and prose("") == []
    assert prose("It is gone.", "warn") == [("It is gone.", "warn")]


async def test_dark_and_light_change_within_their_pair(demo: Demo, tmp_path: Path) -> None:
    for theme, other in (("ansi-dark", "ansi-light"), ("light", "kbtui-dark"), ("auto", "kbtui-light")):
        async with opened(settings_for(demo.url, demo.key, tmp_path, theme=theme)) as house:
            await house.press("g", "t")
            assert house.app.theme == other
            await house.press("g", "t", "g", "t")
            assert house.app.theme == other


async def test_without_colours_the_selected_line_is_in_reverse(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        assert any(style.reverse for style in grounds(house, line_of_cursor(house)))
        await house.press("?")
        assert house.app.screen.query_one(Input).get_component_rich_style("input--cursor").reverse
        await house.press("escape", "S", *"days")
        await house.until(lambda: "document" in house.line("header"), "found")
        lines = [house.app.screen.query_one("#lines", VirtualList).render_line(at) for at in (0, 1)]
        resting, other = (
            [(text, style.reverse) for text, style, _ in line if style and style.bold and style.underline]
            for line in lines
        )
        assert ("days", True) in resting and ("days", None) in other, "its underline would not be seen"
        assert not any("…" in text for text, _ in [*resting, *other])


async def test_a_notice_of_trouble_is_marked_without_colour(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        for look, mark in (("bad", "✕ Words."), ("warn", "! Words."), ("", "Words.")):
            house.app.tell("Words.", look)
            await house.until(lambda mark=mark: house.notices == mark, mark)  # type: ignore[misc]
