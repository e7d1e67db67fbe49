"""Copying through what people sit behind: a bare terminal, tmux and GNU screen, each of them real."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.visit import HOUSE, KBTUI, Server, environment

TEXT = "The words of a document – naïve ☃ 🎉.\n" * 40  # more than screen takes in one piece
SELECT_ALL = "\x1b[18~"

# What Textual does by itself.
PLAIN = """
from textual.app import App
from textual.widgets import Static

class Plain(App):
    def compose(self):
        yield Static("press a key")

    def on_key(self):
        self.copy_to_clipboard("plain words")
        self.query_one(Static).update("sent off")

Plain().run()
"""

Inside = Callable[..., Terminal]


def copied(terminal: Terminal) -> list[str]:
    """What the terminal was given for its clipboard, oldest first."""
    given = re.findall(rb"\x1b\]52;c?;([A-Za-z0-9+/=]*)(?:\a|\x1b\\)", bytes(terminal.raw))
    return [base64.b64decode(each).decode() for each in given]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: that of a socket may not be long."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def bare(home: Path) -> Inside:
    return lambda *command, **env: Terminal(*command, env=environment(home, **env), cwd=HOUSE)


@pytest.fixture
def tmux(home: Path, folder: Path) -> Iterator[Inside]:
    """Runs a command in a tmux of its own, as nobody has configured it."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    server = ("tmux", "-S", str(folder / "socket"), "-f", "/dev/null")
    yield lambda *command, **env: Terminal(
        *server, "new-session", *command, env=environment(home, **env), cwd=HOUSE
    )
    subprocess.run([*server, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def screen(home: Path, folder: Path) -> Iterator[Inside]:
    """Runs a command in a GNU screen of its own, as nobody has configured it."""
    if shutil.which("screen") is None:
        pytest.skip("GNU screen is not installed")
    settings = folder / "settings"
    settings.write_text("startup_message off\n")
    own = {"SCREENDIR": str(folder / "sockets")}
    (folder / "sockets").mkdir(mode=0o700)
    yield lambda *command, **env: Terminal(
        *("screen", "-U", "-S", "own", "-c", str(settings), *command),
        env=environment(home, **own, **env),
        cwd=HOUSE,
    )
    end = ["screen", "-S", "own", "-X", "quit"]
    subprocess.run(end, env=environment(home, **own), check=False, capture_output=True)


def open_all_selected(kbtui: Terminal, name: str) -> None:
    """Open the editor on a document and select all of its text."""
    kbtui.until("/ filter")
    kbtui.type(f"ga/{name}")
    kbtui.until("1 of 1 ")
    kbtui.press("enter", "e")
    kbtui.until("as in the service")
    kbtui.type(SELECT_ALL)


@pytest.mark.parametrize(
    ("where", "how"),
    [("bare", "to the terminal's clipboard"), ("tmux", "through tmux"), ("screen", "through screen")],
)
def test_what_is_copied_reaches_the_terminal_of_the_person(
    where: str, how: str, server: Server, request: pytest.FixtureRequest
) -> None:
    inside: Inside = request.getfixturevalue(where)
    name = f"Copied, {where}"
    server.create(name, TEXT)
    with inside(*KBTUI, "--base-url", server.url, ELEVENLABS_API_KEY=server.key) as kbtui:
        open_all_selected(kbtui, name)
        kbtui.press("ctrl+c")
        kbtui.until(f"Copied 1 480 characters\\s+{how}")
        kbtui.when(lambda: copied(kbtui), "given to the terminal")
        assert copied(kbtui) == [TEXT]


@pytest.mark.parametrize("where", ["tmux", "screen"])
def test_what_textual_sends_by_itself_is_swallowed_on_the_way(
    where: str, request: pytest.FixtureRequest
) -> None:
    inside: Inside = request.getfixturevalue(where)
    with inside(sys.executable, "-c", PLAIN) as plain:
        plain.until("press a key")
        plain.press("x")
        plain.until("sent off")
        plain.press("ctrl+q")
        plain.ended()
        assert copied(plain) == []


def test_what_textual_sends_by_itself_reaches_a_bare_terminal(bare: Inside) -> None:
    with bare(sys.executable, "-c", PLAIN) as plain:
        plain.until("press a key")
        plain.press("x")
        plain.until("sent off")
        assert copied(plain) == ["plain words"]


def test_a_text_that_is_too_long_for_terminals_is_in_a_file(server: Server, home: Path, bare: Inside) -> None:
    words = "word " * 12_000
    server.create("Too long", words)
    with bare(*KBTUI, "--base-url", server.url, ELEVENLABS_API_KEY=server.key) as kbtui:
        open_all_selected(kbtui, "Too long")
        kbtui.press("ctrl+c")
        kbtui.until(r"60 000 characters[\s\S]*~/.cache/kbtui/clip\.")
        assert copied(kbtui) == []
    kept = home / ".cache/kbtui/clip"
    assert kept.read_text() == words and stat.S_IMODE(kept.stat().st_mode) == 0o600
