"""Two calm themes: one accent, three greys, colour only for state."""

from textual.theme import Theme

DARK, LIGHT = "kbtui-dark", "kbtui-light"

ANSI_VARIABLES = {"muted": "ansi_bright_black", "rule": "ansi_bright_black"}
"""What the themes of sixteen colours lack."""

THEMES = (
    Theme(
        name=DARK,
        primary="#2d4f67",
        accent="#7fb4ca",
        foreground="#d6d9dc",
        background="#14171a",
        surface="#1c2024",
        panel="#22272c",
        success="#8fb573",
        warning="#d9a94f",
        error="#e07a6f",
        dark=True,
        variables={"muted": "#8d959c", "rule": "#343b41"},
    ),
    Theme(
        name=LIGHT,
        primary="#bcd6e6",
        accent="#1f6587",
        foreground="#23282c",
        background="#fbfaf7",
        surface="#f1efe9",
        panel="#e6e3db",
        success="#3f6f2a",
        warning="#8a5a00",
        error="#a8322a",
        dark=False,
        variables={"muted": "#6b7075", "rule": "#d3cfc4"},
    ),
)
