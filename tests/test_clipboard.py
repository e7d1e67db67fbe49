"""The clipboard: which way is taken where, what is sent on it, and what is said of it."""

from __future__ import annotations

import base64
import re
import shlex
import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.clipboard import LIMIT, PIECE, copy, for_screen, keep, opener, osc52, programs
from kbtui.demo.server import Demo
from kbtui.settings import Workspace
from kbtui.tui.copying import in_words, request
from kbtui.tui.screens.search import Search
from tests.house import BASE, House, opened, settings_for
from tests.service import Service

TERMINAL, SCREEN = {"TERM": "xterm-256color"}, {"TERM": "screen.xterm-256color", "STY": "1.pts-0.host"}
LONG = "long " * 20_000


class Line:
    """What was sent to the terminal."""

    def __init__(self) -> None:
        self.sent = ""

    async def send(self, sequence: str) -> None:
        self.sent += sequence


def given_to_terminal(sequence: str) -> str:
    """The text that a terminal takes from a sequence."""
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\a", sequence)
    assert match is not None, sequence[:80]
    return base64.b64decode(match[1], validate=True).decode()


@pytest.fixture
def programs_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of commands that goes before all others; they may write beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


# Which way


@pytest.mark.parametrize(
    ("environ", "hows"),
    [
        (TERMINAL, []),
        (SCREEN, []),
        (TERMINAL | {"TMUX": "/tmp/tmux,1,0"}, ["through tmux"]),
        (TERMINAL | {"DISPLAY": ":0"}, ["to the clipboard of this desktop"]),
        (TERMINAL | {"WAYLAND_DISPLAY": "wayland-0"}, ["to the clipboard of this desktop"]),
        (TERMINAL | {"DISPLAY": ":0", "TMUX": "x"}, ["through tmux", "to the clipboard of this desktop"]),
        (TERMINAL | {"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, []),
        (TERMINAL | {"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, []),
        (SCREEN | {"DISPLAY": ":0"}, []),
    ],
)
def test_a_way_that_tells_whether_it_worked_goes_before_the_terminal(
    environ: dict[str, str], hows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert [program.how for program in programs(environ)] == hows


def test_a_mac_is_a_desktop_unless_it_is_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert [program.how for program in programs(TERMINAL)] == ["to the clipboard of this desktop"]
    assert not list(programs(TERMINAL | {"SSH_CONNECTION": "1 2 3 4"}))


async def test_a_bare_terminal_is_given_the_text() -> None:
    line = Line()
    assert await copy("naïve ☃ 🎉\n", line.send, TERMINAL) == "to the terminal's clipboard"
    assert given_to_terminal(line.sent) == "naïve ☃ 🎉\n"


@pytest.mark.parametrize("environ", [{"TERM": "screen-256color"}, {"TERM": "xterm", "STY": "1"}])
async def test_only_a_terminal_that_is_screen_is_told_in_the_manner_of_screen(
    environ: dict[str, str],
) -> None:
    line = Line()
    assert await copy("words", line.send, environ) == "to the terminal's clipboard"
    assert given_to_terminal(line.sent) == "words"


async def test_screen_is_told_in_its_own_manner() -> None:
    line = Line()
    assert await copy("words", line.send, SCREEN) == "through screen"
    assert line.sent == for_screen(osc52(b"words"))


async def test_tmux_takes_any_text_on_its_input(programs_of: Path) -> None:
    program(programs_of / "tmux", f'echo "$@" > {programs_of}/said; cat > {programs_of}/taken')
    line = Line()
    assert await copy(LONG, line.send, TERMINAL | {"TMUX": "x"}) == "through tmux"
    assert (programs_of / "said").read_text() == "load-buffer -w -\n"
    assert (programs_of / "taken").read_text() == LONG
    assert line.sent == ""


@pytest.mark.parametrize("does", ["exit 1", "cat > /dev/null; exec sleep 60", None])
async def test_where_tmux_fails_the_next_way_is_taken(
    does: str | None, programs_of: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if does is None:
        monkeypatch.setenv("PATH", str(programs_of))
    else:
        program(programs_of / "tmux", does)
    line = Line()
    assert await copy("words", line.send, SCREEN | {"TMUX": "x"}) == "through screen"


DESKTOP = TERMINAL | {"DISPLAY": ":9"}


async def test_a_desktop_takes_the_text_and_is_asked_whether_it_did(
    programs_of: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    held = programs_of / "held"
    program(programs_of / "xclip", f'case "$*" in *-o) cat {held};; *) cat > {held};; esac')
    line = Line()
    assert await copy("naïve\n", line.send, DESKTOP) == "to the clipboard of this desktop"
    assert held.read_text() == "naïve\n" and line.sent == ""


async def test_a_desktop_that_does_not_answer_leaves_it_to_the_terminal(
    programs_of: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":9")
    program(programs_of / "xclip", "echo no display >&2; exit 1")
    line = Line()
    assert await copy("words", line.send, DESKTOP) == "to the terminal's clipboard"
    assert given_to_terminal(line.sent) == "words"
    assert capfd.readouterr() == ("", ""), "on the screen it would stand across the picture"


# What is sent


@given(st.text())
def test_a_terminal_reads_what_was_copied(text: str) -> None:
    assert given_to_terminal(osc52(text.encode())) == text


@given(st.text(), st.integers(0, 3))
def test_what_screen_hands_on_is_what_was_copied(text: str, times: int) -> None:
    words = text * 10**times
    sequence = osc52(words.encode())
    if not sequence:
        return
    sent = for_screen(sequence)
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.S)
    assert all(len(piece.encode()) <= PIECE for piece in pieces)
    assert "".join(f"\x1bP{piece}\x1b\\" for piece in pieces) == sent
    assert not re.search(r"[^!-~]", "".join(pieces).removeprefix("\x1b").removesuffix("\a"))
    assert given_to_terminal("".join(pieces)) == words


async def test_half_a_character_is_copied_as_none() -> None:
    line = Line()
    await copy("a\ud800b", line.send, TERMINAL)
    assert given_to_terminal(line.sent) == "a?b"


# What is too long


@pytest.mark.parametrize("environ", [TERMINAL, SCREEN])
async def test_a_text_that_terminals_cut_is_not_sent_at_all(environ: dict[str, str]) -> None:
    line = Line()
    most = "x" * (LIMIT // 4 * 3)
    assert await copy(most, line.send, environ)
    assert line.sent
    line.sent = ""
    assert await copy(most + "x" * 3, line.send, environ) == ""
    assert line.sent == ""


def test_a_kept_text_is_for_the_person_alone_and_replaces_the_one_before(tmp_path: Path) -> None:
    folder, other = tmp_path / "new" / "cache", tmp_path / "other"
    other.write_text("of somebody")
    path = keep("first", folder)
    path.unlink()
    path.symlink_to(other)
    assert keep("naïve\r\n", folder) == path == folder / "clip"
    assert path.read_bytes() == "naïve\r\n".encode() and other.read_text() == "of somebody"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, path)] == [0o700, 0o600]
    assert list(folder.iterdir()) == [path]


# In the app


def sent_by(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the app writes to its terminal from now on."""
    sent: list[str] = []
    monkeypatch.setattr(house.app._driver, "write", sent.append)
    return sent


async def test_what_is_copied_is_here_and_there_and_said(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add("Shared", BASE)
    monkeypatch.setenv("TERM", "xterm-256color")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        editor = await house.editing("Shared")
        sent = sent_by(house, monkeypatch)
        await house.press("shift+right", "shift+right", "shift+right", "ctrl+c")
        await house.until(lambda: "Copied 3 characters to the terminal's clipboard." in house.notices)
        assert list(map(given_to_terminal, sent)) == ["One"]
        await house.press("right", "ctrl+v")
        assert editor.text == "OneOne.\nTwo.\nThree.\n"
        await house.press("ctrl+x")
        await house.until(lambda: len(sent) == 2, "cut")
        assert given_to_terminal(sent[1]) == "OneOne.\n"


async def test_a_field_copies_too_and_keeps_what_was_copied_where_nothing_is_selected(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        sent = sent_by(house, monkeypatch)
        await house.press("slash", *"words", "shift+home", "ctrl+c", "end", "ctrl+x", "ctrl+v")
        await house.until(lambda: sent, "copied")
        assert house.app.clipboard == "words"
        assert list(map(given_to_terminal, sent)) == ["words"]
        assert house.browse.filter_field.value == "wordswords"


async def test_nothing_is_sent_while_another_program_has_the_terminal(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        sent = sent_by(house, monkeypatch)
        house.app.away = True
        house.app.copy_to_clipboard("words")
        await house.until(
            lambda: any(worker.group == "copy" and worker.is_running for worker in house.app.workers)
        )
        assert not sent and not house.notices
        house.app.away = False
        await house.until(lambda: "Copied 5 characters" in house.notices)
        assert sent


async def test_a_text_that_is_too_long_says_where_it_is(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        house.app.copy_to_clipboard(LONG)
        await house.until(lambda: "100 000 characters here: written to ~/cache/clip." in house.notices)
        assert (tmp_path / "cache" / "clip").read_text() == LONG
        (tmp_path / "cache" / "clip").unlink()
        (tmp_path / "cache" / "clip").mkdir()
        house.app.copy_to_clipboard(LONG)
        await house.until(lambda: "and no file: Is a directory." in house.notices)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "--help", "javascript:1", "", "data:,x"])
def test_nothing_but_a_page_is_opened(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xdg-open").write_text("")
    (tmp_path / "xdg-open").chmod(0o700)
    monkeypatch.setattr("sys.platform", "linux")
    desk = {"DISPLAY": ":0", "PATH": str(tmp_path)}
    assert opener(address, desk) is None
    assert opener("https://x.example/", desk) is not None
    assert opener("https://x.example/", desk | {"SSH_TTY": "/dev/pts/1"}) is None
    assert opener("https://x.example/", {"PATH": str(tmp_path)}) is None
    assert opener("https://x.example/", {"DISPLAY": ":0", "PATH": "/none"}) is None


@pytest.mark.parametrize("id", ["plain", "a'b; touch x", "../x?y#z", "$(id)"])
def test_a_request_is_one_command_whatever_the_id(id: str) -> None:
    words = shlex.split(request("https://api.example/", id))
    assert words[:3] == ["curl", "-sS", "-H"] and len(words) == 5
    assert words[4] == f"https://api.example/v1/convai/knowledge-base/{quote(id, safe='')}"


@pytest.mark.parametrize(
    ("what", "called", "found", "wanted", "words", "besides"),
    [
        ("id", ["“A”"], 1, 1, "the id of “A”", ""),
        ("path", ["“A”", "“B”"], 2, 2, "2 paths", ""),
        ("url", ["“A”", "“B”"], 5, 6, "2 addresses", " Left out: 3 without one, 1 no longer in the list."),
        ("name", [], 0, 4, "0 names", " Left out: 4 no longer in the list."),
        ("url", ["“A”"], 2, 2, "the address of “A”", " Left out: 1 without one."),
        ("name", [], 1, 1, "0 names", ""),
        ("id", [], 0, 1, "0 ids", " Left out: 1 no longer in the list."),
    ],
)
def test_it_is_told_how_many_were_copied_and_what_was_left_out(
    what: str, called: list[str], found: int, wanted: int, words: str, besides: str
) -> None:
    assert in_words(what, called, found, wanted) == (words, besides)


async def test_what_is_known_of_a_document_is_copied(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, billing = service.id("Chargebacks"), service.id("Billing")
    page = service.add("Not a page", "Words\nin lines.", billing)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        for key, copied in (("i", id), ("n", "Chargebacks"), ("p", "Support/Billing/Chargebacks")):
            await house.press("y", key)
            assert house.app.clipboard == copied
        await house.until(lambda: "Copied the path of “Chargebacks” to the" in house.notices, "told")
        await house.press("y", "u")
        assert "only URL documents have an address" in house.notices
        await house.select("Not a page")
        await house.press("y", "c")
        await house.until(lambda: house.app.clipboard == "Words\nin lines.", f"the text of {page}")
        await house.until(
            lambda: "Copied the text of “Not a page” (15 characters) to" in house.notices, "told"
        )
        with monkeypatch.context() as nameless:
            nameless.setattr(house.app, "here", lambda: house.row._replace(name=""))
            await house.press("y", "n")
            await house.until(lambda: "There is no name to copy." in house.notices, "told")
        assert house.app.clipboard == "Words\nin lines."
        await house.select("Delivery of batteries (web)")
        await house.press("y", "u")
        assert house.app.clipboard == house.row.url
        address, key = house.row.url or "", "$ELEVENLABS_API_KEY"
        await house.press("y", "r")
        where = f"{demo.url}/v1/convai/knowledge-base/{house.row.id}"
        assert house.app.clipboard == f'curl -sS -H "xi-api-key: {key}" {where}' and demo.key not in where
        await house.until(lambda: "the request for “Delivery of batteries (web)”" in house.notices, "told")
        await house.press("y", "l")
        assert "127.0.0.1" in house.notices and "has no dashboard that kbtui knows of" in house.notices
        with monkeypatch.context() as abroad:
            abroad.setattr(Workspace, "dashboard", "https://eu.example/app")
            await house.press("y", "l")
            assert house.app.clipboard == "https://eu.example/app"
        await house.press("o")
        await house.until(lambda: f"Copied {address} to the terminal's clipboard." in house.notices, "shown")
        assert house.app.clipboard == address
        opened_, program = tmp_path / "opened", tmp_path / "xdg-open"
        program.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened_}\n')
        program.chmod(0o700)
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setattr("sys.platform", "linux")
        await house.press("o")
        await house.until(lambda: f"{address} is opened in the browser" in house.notices, "opened")
        assert opened_.read_text() == address
        monkeypatch.delenv("DISPLAY")
        await house.press("S", *"chargeback")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter", "y", "i")
        screen = house.app.screen
        assert isinstance(screen, Search) and screen.results.found is not None
        assert house.app.clipboard == screen.results.found.id
