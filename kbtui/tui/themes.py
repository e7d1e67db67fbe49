"""Two calm themes: one accent, three greys, colour only for state; and the looks made of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.console import Console
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

DARK, LIGHT = "kbtui-dark", "kbtui-light"

ANSI_DARK, ANSI_LIGHT = "ansi-dark", "ansi-light"  # Textual's own, in the sixteen colours of the terminal

OTHER = {DARK: LIGHT, LIGHT: DARK, ANSI_DARK: ANSI_LIGHT, ANSI_LIGHT: ANSI_DARK}
"""The other of a pair: dark to light, and back."""

ANSI_VARIABLES = {"muted": "ansi_bright_black", "rule": "ansi_bright_black", "field": "transparent"}
"""What the themes of sixteen colours lack."""

THEMES = (
    Theme(
        name=DARK,
        primary="#26455b",
        accent="#85bad0",
        foreground="#d6d9dc",
        background="#14171a",
        surface="#1c2024",
        panel="#22272c",
        success="#97bd7b",
        warning="#dbac53",
        error="#ee978d",
        dark=True,
        variables={
            "muted": "#98a0a7",
            "rule": "#343b41",
            "field": "#1a3040",
            "resting": "#2b3137",
            "workspace-blue": "#8fb8f0",
            "workspace-green": "#97bd7b",
            "workspace-yellow": "#dbac53",
            "workspace-red": "#ee978d",
            "workspace-magenta": "#d8a4e0",
            "workspace-cyan": "#7fccc8",
            "workspace-grey": "#98a0a7",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#bcd6e6",
        accent="#18597a",
        foreground="#23282c",
        background="#fbfaf7",
        surface="#f1efe9",
        panel="#e6e3db",
        success="#33621f",
        warning="#7a4e00",
        error="#9e2b24",
        dark=False,
        variables={
            "muted": "#565c61",
            "rule": "#cdc8bb",
            "field": "#dcebf4",
            "resting": "#dedad0",
            "workspace-blue": "#1d5596",
            "workspace-green": "#33621f",
            "workspace-yellow": "#7a4e00",
            "workspace-red": "#9e2b24",
            "workspace-magenta": "#86378a",
            "workspace-cyan": "#0c5d63",
            "workspace-grey": "#565c61",
        },
    ),
)
"""Whatever look on whatever ground: the contrast is 4.5 to 1 at least, which a test measures."""

LOOKS = {
    "": "",
    "dim": "$muted",
    "strong": "bold",
    "key": "bold $accent",
    "good": "$success",
    "warn": "$warning",
    "bad": "$error",
    "cursor": "bold on $primary",
    "resting": "on $resting",
    "tab": "bold underline $accent",
    "heading": "bold $accent",
    "code": "$muted",
    "link": "underline $accent",
    "hit": "bold underline $warning",
    "here": "bold underline reverse $warning",
}
"""What a piece of text can look like: attributes and variables of the theme, never a colour of its own."""


WORKSPACE_COLOURS = {
    "blue": "bright_blue",
    "green": "green",
    "yellow": "yellow",
    "red": "red",
    "magenta": "magenta",
    "cyan": "cyan",
    "grey": "bright_black",
}
"""The colours that a workspace may bear, so that nobody takes one for another; in sixteen, the terminal's."""


def theme_for(setting: str, environ: Mapping[str, str] = os.environ) -> str:
    """The theme that the setting means; with NO_COLOR or sixteen colours, one that can do without others."""
    if "NO_COLOR" in environ:
        return ANSI_DARK
    # rxvt, Konsole and others tell the numbers of their colours; the rest is asked when there is a screen.
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    auto = "light" if ground in ("7", "15") else "dark"
    names = {"dark": DARK, "light": LIGHT}
    if Console(force_terminal=True, _environ=environ).color_system == "standard":
        names = {"dark": ANSI_DARK, "light": ANSI_LIGHT}  # of our own, the grounds would all be one
    return names.get(auto if setting == "auto" else setting, setting)


def looks(variables: Mapping[str, str]) -> dict[str, Style]:
    """The looks as styles, in the colours of a theme. In sixteen colours a cursor needs none of them."""
    ansi = variables.get("background", "").startswith("ansi")
    chosen = LOOKS | ({"cursor": "reverse", "resting": "underline"} if ansi else {})
    colours = {name: variables.get(f"workspace-{name}", own) for name, own in WORKSPACE_COLOURS.items()}
    named = {name: Style(color=colour, bold=True) for name, colour in colours.items()}
    return named | {name: _style(words, variables) for name, words in chosen.items()}


def _style(words: str, variables: Mapping[str, str]) -> Style:
    ground, style = False, Style.null()
    for word in words.split():
        if word == "on":
            ground = True
        elif word.startswith("$"):
            colour = Color.parse(variables[word[1:]]).rich_color
            style += Style(bgcolor=colour) if ground else Style(color=colour)
        else:
            style += Style.parse(word)
    return style
