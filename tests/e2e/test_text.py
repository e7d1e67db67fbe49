"""The text of a document, drawn in a real terminal."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.visit import Server, Visit

BREAKS = "<pre><li>&nbsp;<a href><p>"  # the converter of HTML


def test_what_a_broken_converter_writes_into_the_terminal_is_drawn_over(server: Server, home: Path) -> None:
    for name in ("Broken one", "Broken two"):
        server.create(name, BREAKS)
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a", "/")
        kbtui.type("broken")
        kbtui.until("1 of 2 ")
        kbtui.press("enter")
        for key, name in (("home", "one"), ("j", "two"), ("k", "one"), ("j", "two")):
            kbtui.press(key)
            kbtui.until(f"(?s)agents  Broken {name}.*is not understood")
            kbtui.quiet()
        assert b"panicked" in kbtui.raw
        shown = kbtui.text.splitlines()
        kbtui.press("ctrl+l")
        kbtui.quiet()
        assert shown == kbtui.text.splitlines()
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
