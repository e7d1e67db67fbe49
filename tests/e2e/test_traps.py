"""What a program made with Textual alone does on a real line, and kbtui does not.

Each trap is shown to be there still: a test that fails here says which mend can go. Where kbtui's half is
proven elsewhere, the test names the place. What is sent to the terminal has a file of its own,
test_traps_drawn.py.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kbtui.tui.paste import END, START
from tests.e2e.terminal import KEYS, Terminal
from tests.e2e.visit import HOUSE, NOWHERE, Server, Visit, environment
from tests.e2e.warm import Copy, Warm
from tests.wire import Wire

PAUSE = 0.3  # seconds that a slow line lets pass in the middle of a sequence
BLINK = 0.15  # the same after an Escape, which may be all that was pressed: nobody waits longer for more
LINK = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
READY = r"[a-z] 20\b"
LISTENS = b"\x1b[?2004h"  # what a program says last of all that takes the terminal


PLAIN = Warm("tests.e2e.plain", lambda: environment(HOUSE) | NOWHERE)


class Plain(Terminal):
    """`plain.py` in a terminal; loaded before, where neither the shell nor the environment is in question.

    Args:
        redirected: as the shell is told.
        given: the text that it shows.
    """

    def __init__(
        self,
        shown: str,
        home: Path,
        redirected: str = "",
        given: str = "",
        env: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> None:
        home.mkdir()
        if given:
            (home / "given").write_bytes(given.encode())
        self.home = home
        self._redirected = redirected
        self._cold = bool(redirected or env)
        super().__init__(shown, str(home), env=environment(home, **(env or {})), cwd=HOUSE, **rest)

    def _begin(
        self, command: Sequence[str], handles: Sequence[int], **rest: Any
    ) -> subprocess.Popen[bytes] | Copy:
        if not self._cold:
            return PLAIN.start(*command, handles=handles, **rest)
        program = shlex.join([sys.executable, "-m", "tests.e2e.plain", *command])
        return super()._begin(("/bin/sh", "-c", f"exec {program} {self._redirected}"), handles, **rest)

    def told(self, what: str) -> list[str]:
        """What it told in lines, of the keys or of the ticks."""
        file = self.home / what
        return file.read_text().split() if file.exists() else []

    def kept(self) -> str:
        """The text that it left in order with."""
        return (self.home / "kept").read_bytes().decode()

    def lives(self) -> bool:
        return _fields(self.pid)[0] not in "ZX"

    def burns(self) -> None:
        """Wait until it has had a processor for another second; who rests never has."""
        spent = _spent(self.pid)
        self.when(lambda: _spent(self.pid) - spent > os.sysconf("SC_CLK_TCK"), "burning a processor")

    def stands_still(self, mend: str) -> None:
        """Wait until its clock ticks no more."""
        ticks = self.home / "ticks"
        self.when(lambda: time.time() - ticks.stat().st_mtime > 1.0, f"stands still: {mended(mend)}")

    def press_last(self, key: str) -> list[str]:
        """The keys that it heard, up to this one."""
        self.press(key)
        self.when(lambda: key in self.told("keys"), f"heard {key}")
        return self.told("keys")[:-1]


def _fields(pid: int) -> list[str]:
    """What /proc tells of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _spent(pid: int) -> int:
    """The time that a process has had a processor, in ticks."""
    return sum(map(int, _fields(pid)[11:13]))


def mended(mend: str) -> str:
    """What to say where the trap is gone."""
    return f"Textual alone does this now; look whether kbtui's own mend can go: {mend}"


# Keys and pastes


def test_a_paste_with_an_escape_presses_keys(home: Path) -> None:
    """kbtui: test_terminal.py, test_a_paste_with_escapes_presses_no_key_and_arrives_whole."""
    with Plain("table", home) as plain:
        plain.until(READY)
        plain.type(f"{START}log \x1b[1mbold\x1b[0m done d{END}")
        assert "d" in plain.press_last("x"), mended("Parser in paste.py")


def test_a_paste_whose_end_is_cut_by_a_slow_line_kills_the_keyboard(home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        paste_on_a_slow_line(plain)
        plain.type(f"dead{END}")
        assert not {*"dead"} & {*plain.press_last("x")}, mended("Parser in paste.py")


def test_it_ends_in_kbtui_all_the_same(server: Server, home: Path) -> None:
    server.create("Pasted slowly", "")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.edit("Pasted slowly")
        paste_on_a_slow_line(kbtui)
        kbtui.type(" alive")
        kbtui.until("Q and q alive")


def paste_on_a_slow_line(terminal: Terminal) -> None:
    slowly(terminal, f"{START}Q and q{END}", cut=-len(END) + 1)


def slowly(terminal: Terminal, keys: str, cut: int, pause: float = PAUSE) -> None:
    """Type what a slow line brings in two pieces."""
    terminal.type(keys[:cut])
    time.sleep(pause)
    terminal.type(keys[cut:])


@pytest.mark.parametrize("cut", [1, 4])
def test_a_paste_whose_start_is_cut_by_a_slow_line_presses_keys(cut: int, home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        slowly(plain, f"{START}log and d{END}", cut)
        assert "d" in plain.press_last("x"), mended("Parser in paste.py")


@pytest.mark.parametrize(("cut", "pause"), [(1, BLINK), (4, PAUSE)])
def test_it_arrives_whole_in_kbtui_all_the_same(cut: int, pause: float, server: Server, home: Path) -> None:
    name = f"Begun slowly, cut at {cut}"
    server.create(name, "")
    with Visit(home, url=server.url, key=server.key, env=LINK) as kbtui:
        kbtui.edit(name)
        slowly(kbtui, f"{START}Q and q\nand d{END}", cut, pause)
        kbtui.type(" alive")
        kbtui.when(lambda: kbtui.words() == "Q and q\nand d alive", "in the draft")


@pytest.mark.parametrize("cut", [1, 2])
def test_an_arrow_that_is_cut_by_a_slow_line_presses_other_keys(cut: int, home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        slowly(plain, KEYS["down"], cut)
        assert plain.press_last("x")[-2:] == ["left_square_bracket", "B"], mended("Parser in paste.py")


@pytest.mark.parametrize(("cut", "pause"), [(1, BLINK), (2, PAUSE)])
def test_it_is_an_arrow_in_kbtui_all_the_same(cut: int, pause: float, server: Server, home: Path) -> None:
    """In the editor, where an Escape would leave it."""
    name = f"Pointed at slowly, cut at {cut}"
    server.create(name, "one\ntwo\nthree")
    with Visit(home, url=server.url, key=server.key, env=LINK) as kbtui:
        kbtui.edit(name)
        slowly(kbtui, KEYS["down"], cut, pause)
        kbtui.type("word ")
        kbtui.when(lambda: kbtui.words() == "one\nword two\nthree", "typed in the second line")


def test_a_field_takes_the_first_line_of_a_paste_alone(home: Path) -> None:
    with Plain("field", home) as plain:
        plain.until(READY)
        plain.type(f"{START}first\nsecond{END}")
        plain.until("first")
        plain.press("ctrl+q")
        assert plain.ended() == 0
        assert plain.kept() == "first", mended("Field in fields.py")


def test_it_takes_all_of_them_as_one_in_kbtui(server: Server, home: Path) -> None:
    id = server.create("Named by a paste", "words")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a", "/")
        kbtui.until("Esc drop")
        kbtui.type(f"{START}Named by\na paste{END}")
        kbtui.until(r"Named by a paste[\s\S]*1 of 1 ")
        kbtui.press("enter", "r")
        kbtui.until("Enter save")
        kbtui.type(f" {START}and\nanother{END}")
        kbtui.press("enter")
        kbtui.until("Renamed")
        assert server.name(id) == "Named by a paste and another"


def test_what_is_typed_before_a_question_is_drawn_answers_it(home: Path) -> None:
    """kbtui: test_pacing.py, test_what_was_typed_before_a_question_was_seen_does_not_answer_it."""
    with Plain("asker", home) as plain:
        plain.until(READY)
        plain.type("dy")
        plain.when(lambda: plain.told("answers"), f"answered: {mended('Asking in question.py')}")


def test_a_program_that_is_woken_has_another_reader_of_its_keys_each_time(home: Path) -> None:
    """kbtui: test_terminal.py, test_who_is_woken_without_having_gone_to_sleep_reads_every_key_once."""
    with Plain("table", home) as plain:
        plain.until(READY)
        for times in (2, 3):
            plain.kill(signal.SIGCONT)
            plain.when(lambda: plain.raw.count(LISTENS) == times, "taken again")  # noqa: B023
            plain.press_last(str(times))
        readers = dict(zip(plain.told("keys"), plain.told("readers"), strict=True))
        assert readers.items() >= {"2": "2", "3": "3"}.items(), mended("_woken in driver.py")


# The words


ODD = "brown \u2028line\u0085and \x0bpage\x0c\r\nof mixed\nends\x1c\r\n"
"""A text with every sort of line end that a list of lines takes for the same."""


def test_a_text_area_changes_bytes_that_nobody_touched(home: Path) -> None:
    with Plain("text", home, given=ODD) as plain:
        plain.until("ends")
        plain.press("ctrl+q")
        assert plain.ended() == 0
        kept = plain.kept()
        assert kept.split() == ODD.split(), "the words at least"
        assert kept != ODD, mended("survives in content.py")


def test_no_byte_but_those_edited_changes_in_kbtui(server: Server, home: Path) -> None:
    """Not in $EDITOR; test_words.py and test_editing.py tell of its own editor."""
    id = server.create("Odd lines", ODD)
    with Visit(home, url=server.url, key=server.key, env={"EDITOR": "sed -i s/brown/red/"}) as kbtui:
        kbtui.settle()
        kbtui.select("Odd lines")
        kbtui.press("E")
        kbtui.until("Saved, verified")
        assert server.text(id) == ODD.replace("brown", "red")


# How it ends


def test_a_closed_terminal_costs_every_word(home: Path) -> None:
    """kbtui: test_promises.py, test_a_closed_terminal_costs_nothing."""
    with Plain("text", home) as plain:
        plain.until(READY)
        plain.type("words")
        plain.until("words")
        plain.hang_up()
        assert plain.ended() == -signal.SIGHUP, mended("Guard in terminal.py")
        assert not plain.told("kept"), mended("Guard in terminal.py")


def test_a_closed_terminal_that_is_not_told_of_burns_a_processor_for_good(home: Path) -> None:
    """kbtui: test_promises.py, test_a_closed_terminal_costs_nothing[nohup]."""
    with Plain("clock", home, how="nohup") as plain:
        plain.when(lambda: plain.told("ticks"), "ticking")
        plain.hang_up()
        plain.stands_still("Guard in terminal.py")
        plain.burns()


def test_a_signal_costs_every_word_and_leaves_the_terminal_as_it_is(home: Path) -> None:
    """kbtui: test_promises.py, test_an_orderly_end_by_signal_costs_nothing_and_gives_the_terminal_back."""
    with Plain("text", home) as plain:
        plain.until(READY)
        plain.kill(signal.SIGTERM)
        assert plain.ended() == -signal.SIGTERM, mended("Guard in terminal.py")
        assert not plain.told("kept"), mended("Guard in terminal.py")
        with pytest.raises(AssertionError):
            plain.restored()


# Another program in the terminal


def test_an_editor_that_cannot_be_run_leaves_a_program_that_hears_nothing(home: Path) -> None:
    with Plain("clock", home) as plain:
        plain.when(lambda: plain.told("ticks"), "ticking")
        plain.press("e")
        plain.stands_still("outside.py lets nothing be raised in App.suspend")
        plain.press("x")
        plain.when(lambda: b"x" in plain.left(), "left unread")
        assert plain.told("keys") == ["e"]


@pytest.mark.parametrize(
    ("editor", "trouble"),
    [("no-such-editor", "cannot be run"), ("sh -c 'kill -KILL $$'", "sh was ended by signal 9")],
    ids=["missing", "killed"],
)
def test_it_is_named_in_kbtui_which_goes_on(editor: str, trouble: str, server: Server, home: Path) -> None:
    name = f"Edited in vain with {editor[:2]}"
    server.create(name, "as it was")
    with Visit(home, url=server.url, key=server.key, env={"EDITOR": editor}) as kbtui:
        kbtui.until("/ filter")
        kbtui.select(name)
        kbtui.press("E")
        kbtui.until(trouble)
        kbtui.press("e")
        kbtui.until("as in the service")
        kbtui.type("words and ")
        kbtui.when(lambda: kbtui.words() == "words and as it was", "in the draft")
        kbtui.press("escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()


def test_whoever_waits_for_an_editor_and_draws_stands_still(home: Path) -> None:
    with Plain("clock", home) as plain:
        plain.when(lambda: plain.told("ticks"), "ticking")
        plain.press("w")
        plain.when(lambda: plain.told("lent"), "lent")
        plain.stands_still("batch_update in outside.py")


def test_kbtui_goes_on_with_its_work_meanwhile(server: Server, home: Path) -> None:
    """It has asked for everything again when $EDITOR opens; a document is then made, and comes."""
    id = server.create("Edited elsewhere", "as it was")
    editor = 'sh -c \'echo the editor is open; read answer; printf " and more" >> "$0"\''
    with (
        Wire(server.url) as wire,
        Visit(home, url=wire.url, key=server.key, env={"EDITOR": editor}) as kbtui,
    ):
        kbtui.settle()
        kbtui.select("Edited elsewhere")
        held = wire.hold("request", path="/knowledge-base$")
        kbtui.press("R")
        held.wait()
        kbtui.press("E")
        kbtui.until("the editor is open")
        server.create("Made meanwhile", "words")
        held.release()
        kbtui.when(lambda: in_mirror(home, "Made meanwhile"), "in the mirror")
        kbtui.type("go\n")
        kbtui.until("Saved, verified")
        assert server.text(id) == "as it was and more"
        kbtui.press("/", "ctrl+u")
        kbtui.type("Made mean")
        kbtui.until("Made meanwhile +text ")


def in_mirror(home: Path, name: str) -> bool:
    """Whether the disk has the name of a document."""
    files = [*(home / ".cache/kbtui").glob("*.mirror*")]
    assert files
    return any(name.encode() in file.read_bytes() for file in files)
