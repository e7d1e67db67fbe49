"""The terminal: what can be shown where, what may never reach it, and how it is left and found again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.visit import HOUSE, KBTUI, Server, Visit, environment

NOTHING_SHOWN = 2


def said(home: Path, *flags: str, **env: str) -> tuple[int, str, str]:
    """kbtui without a terminal: its exit code, and what it said on both outputs."""
    done = subprocess.run(
        [*KBTUI, *flags],
        env=environment(home, **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# Where nothing can be shown


@pytest.mark.parametrize(
    ("flags", "cause", "step"),
    [
        (["--nonsense"], "--nonsense", "--help"),
        (["documents"], "documents", "--help"),
        (["--demo-size", "many", "--demo"], "many", "--help"),
        (["--demo-size", "5"], "--demo-size", "--demo"),
        (["--demo", "--region", "eu"], "--demo", "leave out"),
        (["--region", "mars"], "mars", "global, us, eu"),
        (["--base-url", "ftp://x"], "ftp://x", "https://"),
        (["--workspace", "acme"], "acme", "README"),
        (["--workspace", "\x1b[5m\n"], "␛[5m␊", "README"),
        (["--region", "\x1b[5m"], "␛[5m", "global, us, eu"),
        (["--theme", "\x1b[5m", "\x1b[5m"], "--theme", "--help"),
        (["--\x1b[5m"], "--␛[5m", "--help"),
        (["--config", "/nowhere/config.toml"], "/nowhere/config.toml", "configuration"),
        ([], "a file or a pipe", "ssh -t"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence_with_cause_and_next_step(
    flags: list[str], cause: str, step: str, home: Path
) -> None:
    code, out, err = said(home, *flags)
    assert (code, out) == (NOTHING_SHOWN, "")
    assert err.startswith("kbtui: ") and err.endswith((".\n", "?\n")) and err.count("\n") == 1
    assert cause in err and step in err and "\x1b" not in err


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("theme = ", "not TOML"),
        ('colour = "red"', "no setting “colour”"),
        ('theme = "mauve"', "one of auto, dark"),
        ("[keys]\n'document.renam' = 'x'", "config.toml: [keys] names no command “document.renam”. Did"),
        ("[keys]\n'sync.refresh' = 'j'", "config.toml: [keys] gives j to both move.down and sync.refresh."),
        ("[keys]\n'document.rename' = ['ctrl+']", "“ctrl+” is no key"),
        ("[keys]\n'\x1b[5m' = 'x'", "not TOML"),
        ('"\\u001b[5m" = 1', "no setting “␛[5m”"),
        ("[workspaces.a]\nregion = 'eu'\nbase_url = 'https://x.io'", "keep one of them"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_where_and_why(text: str, cause: str, home: Path) -> None:
    home.mkdir()
    config = home / "config.toml"
    config.write_text(text)
    with Visit(home, "--config", str(config), cold=True) as kbtui:
        assert kbtui.ended() == NOTHING_SHOWN
        assert kbtui.raw.startswith(b"kbtui: ") and kbtui.raw.count(b"\n") == 1
        assert cause in kbtui.raw.decode()
        assert b"\x1b" not in kbtui.raw


def test_a_redirected_error_output_is_told_where_somebody_sees_it(home: Path) -> None:
    with Path(os.devnull).open("w") as nowhere, Visit(home, "--demo", stderr=nowhere.fileno()) as kbtui:
        assert kbtui.ended() == NOTHING_SHOWN
        assert "run it without 2>" in kbtui.text


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_a_terminal_that_cannot_draw_is_told_so(term: str, home: Path) -> None:
    with Visit(home, "--demo", env={"TERM": term}, cold=True) as kbtui:
        assert kbtui.ended() == NOTHING_SHOWN
        assert "Set TERM" in kbtui.text
        assert b"\x1b" not in kbtui.raw


def test_version_and_help_need_no_terminal_and_no_encoding(home: Path) -> None:
    code, out, err = said(home, "--version")
    assert (code, err) == (0, "") and re.fullmatch(r"kbtui \d+\.\d+\.\d+\n", out)
    code, out, err = said(home, "--help", PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "") and "--api-key-file" in out


# Where something can


def test_what_is_loaded_before_its_start_is_the_program_that_a_shell_starts(
    server: Server, tmp_path: Path
) -> None:
    """All visits rest on it that are not cold: the same picture, the same place, the same end."""
    seen = []
    for cold in (True, False):
        with Visit(tmp_path / str(cold), url=server.url, key=server.key, cold=cold) as kbtui:
            kbtui.browse_all()
            kbtui.until("Forgotten password")
            kbtui.quiet(1.0)
            seen.append((kbtui.text, kbtui.line_modes(), traits(kbtui.pid)))
            kbtui.press("Q")
            assert kbtui.ended() == 0
            kbtui.restored()
            assert not kbtui.left()
    assert seen[0] == seen[1]


def traits(pid: int) -> tuple[list[str], ...]:
    """What the system knows of a process that is not its own: how it takes signals, and where it stands."""
    process = Path(f"/proc/{pid}")
    signals = re.findall(r"Sig(?:Blk|Ign|Cgt):.*", (process / "status").read_text())
    group, session, terminal, foreground = (
        process.joinpath("stat").read_text().rpartition(")")[2].split()[2:6]
    )
    place = [str(int(each) == pid) for each in (group, session, foreground)] + [str(terminal != "0")]
    handles = {str(each.readlink()) for each in process.glob("fd/[0-2]")}
    return signals, place, [str(len(handles)), str((process / "cwd").readlink())]


@pytest.mark.parametrize("columns", ["60", "99999999"])
def test_the_size_of_the_terminal_wins_over_the_environment(columns: str, home: Path) -> None:
    with Visit(home, "--demo", env={"COLUMNS": columns, "LINES": "20"}) as kbtui:
        kbtui.settle()
        kbtui.until("Q quit|q quit")
        assert kbtui.text.splitlines()[39].strip() and len(kbtui.text.splitlines()[39]) > 60
        kbtui.press("Q")
        assert kbtui.ended() == 0


def test_a_refused_key_is_told_with_the_next_step(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key="sk_of_somebody_else") as kbtui:
        kbtui.until("does not accept the API key")
        kbtui.until("key refused.*R tries again")
        kbtui.press("q")
        assert kbtui.ended() == 0
        assert b"sk_of_somebody_else" not in kbtui.raw


def test_an_unreachable_host_is_told_with_the_next_step(home: Path) -> None:
    with Visit(home, url="http://127.0.0.1:9", key="sk") as kbtui:
        kbtui.until("refuses the connection. Check that it runs")
        kbtui.until(r"offline.*again at \d\d:\d\d:\d\d")
        kbtui.press("q")
        assert kbtui.ended() == 0


def test_without_a_key_the_first_run_is_explained_and_the_demo_is_a_key_away(home: Path) -> None:
    with Visit(home) as kbtui:
        kbtui.until("No API key is set")
        kbtui.until("ELEVENLABS_API_KEY")
        kbtui.press("enter")
        kbtui.until("Still no key")
        kbtui.press("d")
        kbtui.until("Support")
        kbtui.settle()
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
    assert not list(home.parent.glob("kbtui-demo-*"))


def test_a_locale_of_one_byte_still_draws_and_takes_any_byte(home: Path) -> None:
    one_byte = {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with Visit(home, "--demo", env={**one_byte, "PYTHONIOENCODING": "latin-1"}) as kbtui:
        kbtui.settle()
        kbtui.until("│ ▸ Agent scripts")
        kbtui.send(b"/caf\xe9 au lait")
        kbtui.until("caf� au lait")
        kbtui.until("Esc drop")
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0


def test_a_character_may_come_byte_by_byte_and_half_of_one_is_no_end(home: Path) -> None:
    with Visit(home, "--demo") as kbtui:
        kbtui.settle()
        kbtui.press("/")
        kbtui.until("Esc drop")
        for shown, data in (("caf", b"caf"), ("café", "é".encode()), ("café世", "世".encode())):
            for byte in data:
                kbtui.send(bytes([byte]))
                kbtui.quiet(0.2)
            kbtui.until(shown)
        kbtui.send(b"\xe9")  # as a keyboard of one byte sends é
        kbtui.quiet()
        kbtui.send(b"x")
        kbtui.until("café世�x")
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0


def test_who_is_ended_while_an_editor_is_open_takes_the_terminal_not_again(
    server: Server, home: Path, tmp_path: Path
) -> None:
    server.create("Open elsewhere", "words")
    begun = tmp_path / "begun"
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 60\n")
    editor.chmod(0o755)
    with Visit(home, url=server.url, key=server.key, env={"EDITOR": str(editor)}) as kbtui:
        kbtui.until("/ filter")
        kbtui.select("Open elsewhere")
        kbtui.press("E")
        kbtui.when(begun.exists, "opened")
        kbtui.quiet()
        before = len(kbtui.raw)
        kbtui.kill(signal.SIGTERM)
        assert kbtui.ended() == 128 + signal.SIGTERM
        kbtui.restored()
        assert b"\x1b[?1049h" not in kbtui.raw[before:] and kbtui.left() == b""


def test_screen_hears_nothing_of_a_mouse_for_which_it_would_hold_escapes_back(home: Path) -> None:
    screen = {"TERM": "screen", "STY": "1.pts-0.host", "COLORTERM": "truecolor"}
    with Visit(home, "--demo", env=screen) as kbtui:
        kbtui.settle()
        kbtui.quiet()
        assert b"\x1b[?1000h" not in kbtui.raw and b"38;2;" not in kbtui.raw


# What may never reach it

HOSTILE = [
    "[/foo]",
    "[@click=app.quit]x[/]",
    "\x1b]0;a title\x07 \x1b]52;c;aGk=\x07",
    "\x1b[8;1;1t\x1b[5;95m\x1b[2J\x1bc",
    "c1 \x9b5;95m \x9d0;a title\x9c \x90q\x9c",
    "line\nfeed\r\ttab\x00\x08\x7f",
    "\u202eright to left\u2066 \u200f\u2028",
    "👩‍👩‍👧‍👦 🇳🇱 e\u0301\u0301\u0301 ﷽",
    "long " + "n" * 9_995,
]

_OURS = re.compile(
    rb"\x0f\x1b\(B\x1b\[4l|\x1b\[[0-9;]*[ABCDHJKLMXmrs]|\x1b\[6n|\r|\x1b\[\?[\d;]+[hl]|\x1b\[\?(2026|2048|69)\$p|\x1b\]11;\?\x1b\\|\x1b\[>c|\x1b\[>\d+u|\x1b\[<u|\x1b\]22;[a-z-]+\x07"
)
"""All that kbtui itself says to a terminal besides characters."""

_LIVE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def test_nothing_in_a_name_or_a_text_is_obeyed_by_the_terminal(server: Server, home: Path) -> None:
    for number, name in enumerate(HOSTILE):
        words = re.sub("[\r\u2028]", "", name)  # with those only $EDITOR edits it
        server.create(f"hostile-{number}- {name}", f"{words}\n{words}")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        for number in range(len(HOSTILE)):
            kbtui.press("g", "a", "/", "ctrl+u")
            kbtui.type(f"hostile-{number}-")
            kbtui.until("1 of 1 ")
            kbtui.press("enter")
            kbtui.until(rf"agents +hostile-{number}-")
            kbtui.press("i")
            kbtui.until(r"Put in|Size +\d|Id ")
            kbtui.press("i", "r")
            kbtui.until("Enter save")
            kbtui.type(" renamed")
            kbtui.press("enter")
            kbtui.until("Renamed")
            kbtui.press("e")
            kbtui.until("as in the service|cannot|editor is set")
            kbtui.press("escape")
            kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
        left = _OURS.sub(b"", bytes(kbtui.raw)).decode()
        assert not _LIVE.search(left), repr(left[_LIVE.search(left).start() - 40 :][:120])  # type: ignore[union-attr]
        assert b"\x1b[5;95m" not in kbtui.raw
    names = [document.name for document in server.sdk().list(search="hostile", page_size=100).documents]
    assert sorted(names) == sorted(f"hostile-{n}- {name} renamed" for n, name in enumerate(HOSTILE))


def test_a_paste_with_escapes_presses_no_key_and_arrives_whole(server: Server, home: Path) -> None:
    id = server.create("Takes a paste", "")
    pasted = "log \x1b[1mbold\x1b[0m Q q x\nand its end"
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.type(f"\x1b[200~{pasted}\x1b[201~")
        kbtui.edit("Takes a paste")
        kbtui.type(f"\x1b[200~{pasted}\x1b[20")
        kbtui.type("1~!")
        kbtui.until("and its end!")
        kbtui.press("ctrl+s")
        kbtui.until("Saved, verified")
        assert server.text(id) == pasted + "!"


# Left and found again


def told(shell: Terminal, word: str) -> bool:
    """Whether the shell has told of its job in this word; it does so before its next prompt."""
    shell.press("enter")
    return word in shell.text


def test_the_shell_gets_the_terminal_and_gives_it_back(home: Path) -> None:
    env = environment(home, PS1="ready> ", ENV="")
    with Terminal("/bin/sh", "-i", env=env, cwd=HOUSE) as shell:
        shell.until("ready>")
        shell.type(" ".join(KBTUI) + " --demo\n")
        shell.until("Agent scripts")
        shell.until("(?m)(?<!· )online$")
        shell.press("ctrl+z")
        shell.until(r"ready>\s*\Z")
        shell.type("echo $((6 * 7))\n")
        shell.until("(?m)^42$")
        shell.type("fg\n")
        shell.until("Agent scripts")
        shell.press("/")
        shell.until("Esc drop")
        shell.press("escape")
        shell.until("/ filter")
        shell.press("ctrl+z")
        shell.until(r"ready>\s*\Z")
        shell.type("kill %1; kill -CONT %1\n")
        shell.when(lambda: not list(home.parent.glob("kbtui-demo-*")), "without the demo's files")

        shell.when(lambda: told(shell, "(143)"), "told of its end")
        shell.type("exit\n")
        shell.ended()


OUR_SCREEN = b"\x1b[?1049h"
WORDS = "The quick brown fox jumps over the lazy dog. "


@pytest.mark.parametrize("stopped", [False, True], ids=["only-woken", "stopped-and-woken"])
def test_who_is_woken_without_having_gone_to_sleep_reads_every_key_once(
    stopped: bool, server: Server, home: Path
) -> None:
    name = f"Woken {stopped}"
    server.create(name, "as it was")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.edit(name)
        kbtui.quiet()
        before = kbtui.text

        def taken() -> bool:
            return kbtui.raw.count(OUR_SCREEN) == times

        for times in range(2, 5):
            if stopped:
                kbtui.kill(signal.SIGSTOP)
                kbtui.take(f"\x1b[?25h\x1b[?1000l\x1b[?2004l\x1b[?7h\r\n[{times}]+ Stopped\r\n")
            kbtui.kill(signal.SIGCONT)
            kbtui.when(taken, "taken again")
        kbtui.when(lambda: ageless(kbtui.text) == ageless(before), f"as before\n{before}\n")
        for word in (WORDS * 4).split(" "):
            kbtui.type(word)
            kbtui.type(" ")
        kbtui.when(lambda: (WORDS * 4).strip() in kbtui.words(), "typed in this order")
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()


def test_a_job_that_is_begun_in_the_background_reads_every_key_once(home: Path) -> None:
    env = environment(home, PS1="ready> ", ENV="")
    with Terminal("/bin/sh", "-i", env=env, cwd=HOUSE) as shell:
        shell.until("ready>")
        shell.type(" ".join(KBTUI) + " --demo &\n")
        shell.when(lambda: told(shell, "Stopped"), "stopped")
        shell.type("fg\n")
        shell.until("(?m)(?<!· )online$")
        shell.press("/")
        shell.until("Esc drop")
        for word in WORDS.split(" "):
            shell.type(word)
            shell.type(" ")
        shell.until(WORDS.strip())
        shell.press("escape")
        shell.until("/ filter")
        shell.press("Q")
        shell.until(r"ready>\s*\Z")
        shell.type("exit\n")
        shell.ended()


def test_without_a_shell_there_is_nothing_to_go_back_to(home: Path) -> None:
    with Visit(home, "--demo") as kbtui:
        kbtui.settle()
        kbtui.press("ctrl+z")
        kbtui.until("no shell here")
        kbtui.press("Q")
        assert kbtui.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_ended_by_a_signal_leaves_nothing_and_the_terminal_as_it_was(
    number: signal.Signals, home: Path
) -> None:
    with Visit(home, "--demo") as kbtui:
        kbtui.settle()
        assert list(home.parent.glob("kbtui-demo-*"))
        kbtui.kill(number)
        assert kbtui.ended() == 128 + number
        kbtui.restored()
    assert [path.name for path in home.parent.iterdir()] == [home.name]
    assert not list(home.rglob("*"))


def test_what_a_killed_demo_left_is_removed_by_the_next_one(home: Path) -> None:
    with Visit(home, "--demo") as killed:
        killed.until("/ filter")
        (left,) = home.parent.glob("kbtui-demo-*")
        killed.kill(signal.SIGKILL)
        killed.ended()
    assert left.is_dir()
    with Visit(home, "--demo") as one, Visit(home, "--demo") as another:
        one.until("/ filter")
        another.until("/ filter")
        assert not left.exists() and len(list(home.parent.glob("kbtui-demo-*"))) == 2


def ageless(text: str) -> str:
    """What is on the screen, however much time passes."""
    return re.sub(r" +(\d+ (min|h|d|w|mo|y)|now)\b", " some time", text)


SIZES = [(5, 20), (24, 80), (1, 1), (50, 200), (12, 41), (36, 120), (40, 140)]


def test_a_storm_of_sizes_ends_in_the_picture_of_the_last_one(home: Path) -> None:
    with Visit(home, "--demo") as kbtui:
        kbtui.settle()
        kbtui.until("Your role")
        kbtui.quiet()
        before = ageless(kbtui.text)
        for keys, pause in (("", 0.0), ("?", 0.05), ("r", 0.0)):
            kbtui.type(keys)
            for size in SIZES:
                kbtui.resize(*size)
                kbtui.quiet(pause)
            if keys:
                kbtui.press("escape")
            kbtui.when(lambda: ageless(kbtui.text) == before, f"as before\n{before}\n")


def test_the_modes_of_the_terminal_come_back_though_textual_took_others_for_them(
    home: Path, server: Server
) -> None:
    forget = (
        "from textual.drivers.linux_driver import LinuxDriver as Driver\n"
        "stop = Driver.stop_application_mode\n"
        "Driver.stop_application_mode = lambda self: (setattr(self, 'attrs_before', None), stop(self))\n"
    )
    with Visit(home, url=server.url, key=server.key, script=forget) as kbtui:
        kbtui.settle()
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
