from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from kbtui.__main__ import open_workspace, start_demo
from kbtui.demo.server import Demo
from kbtui.keymap import Keymap
from kbtui.settings import KEY_VARIABLE, Places, Settings, Workspace
from kbtui.tui.app import KbApp
from kbtui.tui.screens.welcome import Welcome
from tests.house import House, opened
from tests.service import Service
from tests.wire import Wire


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring of whoever runs the tests holds no key for us."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def without_key(url: str, home: Path, key_file: Path | None = None) -> Settings:
    workspace = Workspace("acme", url, key_file=key_file)
    return Settings(Places(home / "config", home / "state", home / "cache"), (workspace,), workspace)


def page(house: House) -> str:
    """The words on the screen, however they are wrapped."""
    return " ".join(" ".join(house.drawn).split())


async def welcomed(house: House) -> None:
    await house.until(lambda: isinstance(house.app.screen, Welcome) and "looks for a key" in page(house))


async def test_without_a_key_the_first_page_says_how_to_set_one(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(without_key(wire.url, tmp_path)) as house:
        await welcomed(house)
        words = page(house)
        for way in (wire.url, "ELEVENLABS_API_KEY", "--api-key-file", "keyring set", "config.toml", "eu"):
            assert way in words
        assert "convai_read" in words and "convai_write" in words
        await house.press("enter")
        await house.until(lambda: "Still no key" in page(house), "looked in vain")
        assert not wire.requests
        for size in ((80, 24), (20, 5), (120, 36)):
            await house.pilot.resize_terminal(*size)
            await house.press("j", "k", "G", "g", "g", "?", "escape")
        await house.press("q")
        await house.until(lambda: not house.app.is_running, "q quits")
        assert house.app.return_code == 0


async def test_a_key_that_was_set_meanwhile_is_tried_and_opens_the_workspace(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(without_key(wire.url, tmp_path)) as house:
        await welcomed(house)
        monkeypatch.setenv(KEY_VARIABLE, demo.key)
        await house.press("enter")
        await house.until(lambda: house.app.screen.query("#list"), "browse")
        await house.until(lambda: house.settled and "Support" in house.names, "online")
        first = wire.requests[0]
        assert first.path.endswith("/knowledge-base") and dict(first.query)["page_size"] == "1"
        await house.press("r", *"!", "enter")
        await house.until(lambda: "Renamed" in house.notices, "it works")
        assert service.id("Agent scripts!")


async def test_a_key_that_is_refused_stays_on_the_first_page_with_the_reason(
    demo: Demo, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(without_key(wire.url, tmp_path)) as house:
        await welcomed(house)
        monkeypatch.setenv(KEY_VARIABLE, "sk_wrong")
        await house.press("enter")
        await house.until(lambda: re.search("not accept|nvalid|refuse", page(house)), "why")
        assert "sk_wrong" not in page(house)
        monkeypatch.setenv(KEY_VARIABLE, demo.key)
        await house.press("enter")
        await house.until(lambda: house.app.screen.query("#list") and house.settled, "the right one")


async def test_a_host_that_cannot_be_reached_is_named_and_may_be_tried_again(
    demo: Demo, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, demo.key)
    settings = without_key(wire.url, tmp_path)
    async with opened(settings) as house:
        await house.until(lambda: house.settled, "a key in the environment needs no first page")
    monkeypatch.delenv(KEY_VARIABLE)
    wire.down()
    async with opened(settings) as house:
        await welcomed(house)
        monkeypatch.setenv(KEY_VARIABLE, demo.key)
        await house.press("enter")
        await house.until(lambda: "refuses the connection" in page(house), "why")
        wire.up()
        await house.press("enter")
        await house.until(lambda: house.app.screen.query("#list") and house.settled, "there it is")


async def test_a_key_file_that_others_can_read_is_told(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(demo.key)
    path.chmod(0o600)
    settings = without_key("https://api.elevenlabs.io", tmp_path)
    async with opened(settings) as house:
        await welcomed(house)
        path.chmod(0o644)
        house.app.settings = without_key(demo.url, tmp_path, key_file=path)
        await house.press("enter")
        await house.until(lambda: "chmod 600" in page(house), "what to do")
        path.chmod(0o600)
        await house.press("enter")
        await house.until(lambda: house.app.screen.query("#list") and house.settled, "opened")


async def test_d_opens_the_demo_and_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = without_key("https://api.elevenlabs.io", tmp_path)
    with ExitStack() as leaving:
        app = KbApp(settings, None, Keymap(), open_workspace, lambda: start_demo(settings, leaving))
        app.settle = 0.01
        async with app.run_test(size=(120, 36)) as pilot:
            house = House(app, pilot)
            await welcomed(house)
            await house.press("d")
            await house.until(lambda: house.app.screen.query("#list") and house.settled, "the demo")
            assert " demo" in house.line("header") and "Support" in house.names
            home = app.settings.places.state.parent
            assert home.exists() and app.settings.demo
    await asyncio.sleep(0)
    assert not home.exists() and not (tmp_path / "state").exists() and not (tmp_path / "cache").exists()
