"""A text that is given to a command of the shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from kbtui.demo.server import Demo
from kbtui.tui import outside
from kbtui.tui.outside import ending, pager
from tests.house import opened, settings_for
from tests.service import Service

TEXT = "# Head\n\n**Bold** $(touch pwned) \x1b[31m`red`\n"


def test_the_pager_is_that_of_the_person_or_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pager({"PAGER": " most -s "}) == "most -s"
    monkeypatch.setattr("shutil.which", {"more": "/bin/more"}.get)
    assert pager({}) == pager({"PAGER": ""}) == "more"
    monkeypatch.setattr("shutil.which", {}.get)
    assert pager({}) == ""
    assert ending(3) == "ended with 3" and ending(-15) == "was ended by signal 15"


async def test_a_text_is_given_to_a_command_on_its_input_alone(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add("Piped; touch named", TEXT)
    taken, lingered = tmp_path / "taken", tmp_path / "lingered"
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.setattr(outside, "ENTER", ("sh", "-c", f'printf "%s" "$1" >> {lingered}', "sh"))
    monkeypatch.setattr(outside, "AT_ONCE", 0.0)
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setenv("PAGER", f"cat > {taken}; cat; exit 7")
    monkeypatch.chdir(tmp_path)
    async with opened(settings_for(demo.url, demo.key, tmp_path / "home"), (80, 24)) as house:
        await house.online()
        await house.select("Piped; touch named")

        async def piped(*keys: str) -> bytes:
            """What a command was given."""
            taken.unlink(missing_ok=True)
            house.app.clear_notifications()
            await house.press(*keys)
            await house.until(lambda: "it was given" in house.notices and not house.app.away, "back")
            return taken.read_bytes()

        plain = b"Head\n\nBold $(touch pwned) \xe2\x90\x9b[31mred"
        assert await piped("|", *f"cat > {taken}", "enter") == plain
        assert "ended with 0; it was given the plain words, 3" in house.notices
        assert lingered.read_text().startswith("[cat > ") and "Enter goes back" in lingered.read_text()
        lingered.unlink()
        await house.press("3", "l", "V")
        await house.press("|")
        assert not house.notices, "none lies over what is typed"
        await house.until(lambda: "is given the source of the text" in house.drawn[-2], "what is typed")
        assert house.browse.full
        assert await piped("up", *"; exit 3", "enter") == TEXT.encode(), "byte for byte"
        assert "ended with 3; it was given the source" in house.notices
        assert house.browse.pane == "view" and house.browse.full
        lingered.unlink()
        assert await piped("g", "|") == TEXT.replace("\x1b", "␛").encode(), "for a pager nothing to obey"
        assert "ended with 7" in house.notices and not lingered.exists()
        await house.press("|", "x")
        await house.until(lambda: house.drawn[-2].rstrip() == " | x", "what is typed")
        await house.press("up", "up", "up")
        field = house.browse.query_one("#pipe")
        assert field.value == f"cat > {taken}"  # type: ignore[attr-defined]
        await house.press("down", "down", "down")
        assert field.value == "x"  # type: ignore[attr-defined]
        await house.press("escape", "escape", "escape")
        assert house.browse.pane == "list"
        await house.press("|")
        house.paste("cat \x00")
        await house.press("enter")
        await house.until(lambda: "The shell cannot be run: embedded null byte" in house.notices, "told")
        monkeypatch.setenv("SHELL", str(tmp_path / "none"))
        await house.press("|", "x", "enter")
        await house.until(lambda: "The shell cannot be run: No such file" in house.notices, "told")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "taken"], "nothing else was run"
