from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style
from textual.widgets import Input

from kbtui.demo.server import Demo
from kbtui.tui.screens.keys import Keys
from kbtui.tui.themes import ANSI_DARK, ANSI_LIGHT, DARK, LIGHT, theme_for
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
    async with opened(settings_for(demo.url, demo.key, tmp_path, theme=theme), (80, 24)) as house:
        await house.online()
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
