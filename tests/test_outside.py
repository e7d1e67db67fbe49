"""$EDITOR: the same draft in another program, whatever that does."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from kbtui.demo.server import Demo
from kbtui.drafts import Drafts
from kbtui.tui.outside import leaves_its_window
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.question import Question
from tests.house import BASE, opened, settings_for
from tests.service import Service
from tests.wire import Wire


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes $EDITOR of some lines of Python, in which `path` is the file to edit."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)

    def make(lines: str) -> None:
        script = tmp_path / "an editor"
        start = f"#!{sys.executable}\nimport sys, pathlib\npath = pathlib.Path(sys.argv[-1])\n"
        script.write_text(f"{start}{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", f"'{script}' --flag")

    return make


APPEND = "path.write_bytes(path.read_bytes() + b'Four.\\n')"


async def test_a_text_is_edited_in_the_editor_of_the_person(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(f"assert path.suffix == '.md' and path.stat().st_mode & 0o77 == 0\n{APPEND}")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == BASE + "Four.\n" and house.drafts == []
        await house.press("e")
        await house.editor()
        ours = await house.editor()
        wire.forget()
        await house.press(*"Zero. ", "f4")
        outside = "Zero. " + BASE + "Four.\nFour.\n"
        await house.until(lambda: ours.text == outside, "back in our editor")
        assert house.app.screen is ours and not wire.patches and "not saved yet" in house.line("header")
        assert [draft.text for draft in house.drafts] == [outside]
        assert [path.name for path in (tmp_path / "state" / "drafts").rglob("text*")] == []
        await house.press("ctrl+z")
        await house.until(lambda: ours.text == "Zero. " + BASE + "Four.\n", "undone in one step")
        await house.press("ctrl+y", "ctrl+s")
        await house.until(lambda: service.text(id) == outside, "saved when the person says so")


async def test_words_typed_after_an_editor_came_back_with_the_old_text_are_kept_too(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    service.add("Shared", BASE)
    editor("pathlib.Path(path).touch(); sys.exit(0)")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        await house.press("f4")
        await house.until(lambda: "Unchanged" in house.notices, "back")
        await house.until(lambda: house.app.screen is ours)
        await house.press(*"After. ", "escape")
        assert [draft.text for draft in house.drafts] == ["After. " + BASE]


async def test_a_text_that_is_being_saved_is_not_lent_to_another_editor(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(APPEND)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        hold = wire.hold("answer", method="PATCH")
        await house.press(*"Mine. ", "ctrl+s")
        await asyncio.to_thread(hold.wait)
        await house.press("f4")
        assert "being saved" in house.notices and ours.text == "Mine. " + BASE
        hold.release()
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "Mine. " + BASE


async def test_line_ends_of_another_kind_come_back_from_another_editor_as_it_left_them(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", "-")
    service.patch(id, content="a\r\nb\r\n")
    editor("path.write_bytes(path.read_bytes() + b'c\\nd\\r')")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        await house.press("f4")
        await house.until(lambda: ours.text == "a\r\nb\r\nc\nd\r", "back")
        await house.press("X", "enter", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "X\na\r\nb\r\nc\nd\r"


@pytest.mark.parametrize(
    ("lines", "words", "kept"),
    [
        ("import time; time.sleep(1.05)", "Unchanged", []),
        (f"{APPEND}; sys.exit(3)", "ended with 3: nothing is saved. The draft is kept", [BASE + "Four.\n"]),
        ("sys.exit(1)", "ended with 1: nothing is saved.", []),
        (
            f"{APPEND}; import os; os.kill(os.getpid(), 9)",
            "was ended by signal 9: nothing",
            [BASE + "Four.\n"],
        ),
        ("path.unlink()", "left no file", []),
        (f"{APPEND}; path.write_bytes(b'\\xff')", "no UTF-8; they are kept in", [BASE]),
    ],
    ids=["unchanged", "failed", "given up", "killed", "deleted", "not text"],
)
async def test_an_editor_that_ends_otherwise_saves_nothing(
    demo: Demo,
    service: Service,
    wire: Wire,
    tmp_path: Path,
    editor: Callable[[str], None],
    lines: str,
    words: str,
    kept: list[str],
) -> None:
    id = service.add("Shared", BASE)
    editor(lines)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: words in house.notices, words)
        assert not wire.patches and service.text(id) == BASE
        assert [draft.text for draft in house.drafts] == kept


@pytest.mark.parametrize(
    ("command", "leaves"),
    [("code", True), ("/usr/bin/code --wait", False), ("gvim -f", False), ("subl -n", True), ("vim", False)],
)
def test_an_editor_is_known_by_its_name_that_ends_before_its_window_is_closed(
    command: str, leaves: bool
) -> None:
    assert leaves_its_window(command.split()) is leaves


async def test_what_others_change_comes_in_while_an_editor_has_the_terminal(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    end = tmp_path / "end"
    editor(f"import time\nwhile not pathlib.Path({str(end)!r}).exists(): time.sleep(0.01)\n{APPEND}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        house.burst("E")
        await house.until(lambda: house.app.away, "the other program")
        came = service.add("Came meanwhile", "-")
        service.patch(id, content="Zero.\n" + BASE)
        house.app.do_sync_refresh()
        await house.until(lambda: house.browse.kb.mirror.row(came), "in the mirror")
        end.touch()
        await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "both changed it")
        assert [each.text for each in house.drafts] == [BASE + "Four.\n"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-editor", "no-such-editor cannot be run (No such file"),
        ("vi 'unclosed", "No closing quotation"),
    ],
)
async def test_an_editor_that_cannot_be_run_is_named(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path, editor=command)) as house:
        await house.online()
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: words in house.notices, words)
        assert house.drafts == []
        await house.press("j")


async def test_an_editor_with_a_window_of_its_own_is_waited_for(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(path))")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.press("E")
        await house.until(lambda: isinstance(house.app.screen, Question), "asked whether it is done")
        await house.until(lambda: "Enter go on" in house.line("footer"), "the only answer")
        assert "cancel" not in house.line("footer")
        Path((tmp_path / "where").read_text()).write_text(BASE + "From a window.\n")
        await house.press("enter")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == BASE + "From a window.\n"


@pytest.mark.parametrize("key", ["e", "E"])
async def test_a_text_that_a_list_of_lines_would_change_survives_byte_for_byte(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, editor: Callable[[str], None], key: str
) -> None:
    text = "\ufeffa\r\nb\nc\r\x0bd\x0ce\x85f\u2028g\u2029h\x00\x1b[31mi\t\x7f\r\n\n\r\r\nno line end"
    id = service.add("Bytes", "-")
    service.patch(id, content=text)
    editor("path.write_bytes(b'X' + path.read_bytes())")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Bytes")
        await house.press(key)
        if key == "e":
            await house.editor()
            await house.press("ctrl+s")
            await house.until(lambda: "Nothing to save" in house.notices, "unchanged")
            assert not wire.patches and not any("\x1b" in line for line in house.drawn)
            await house.press("X", "ctrl+s")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert service.text(id) == "X" + text


@pytest.mark.parametrize("leaves", ["path.mkdir()", "__import__('os').mkfifo(path)"])
async def test_what_an_editor_left_that_is_no_file_is_told_and_the_words_are_kept(
    leaves: str, demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    service.add("Shared", BASE)
    editor(f"path.unlink(); {leaves}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        await house.press(*"Mine. ", "f4")
        await house.until(lambda: "cannot be read: it is no file" in house.notices, "told")
        assert house.app.screen is ours and ours.text == "Mine. " + BASE
        editor("path.write_text(path.read_text().replace('Mine', 'Again'))")
        await house.press("f4")
        await house.until(lambda: ours.text == "Again. " + BASE, "the editor can be used again")
    left = Drafts(tmp_path / "state" / "drafts", demo.url).all()
    assert [draft.text for draft in left] == ["Again. " + BASE]


async def test_keys_that_were_on_their_way_when_another_program_took_the_terminal_do_nothing(
    demo: Demo, service: Service, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    id = service.add("Shared", BASE)
    editor(
        f"import time\nwhile not pathlib.Path({str(tmp_path / 'end')!r}).exists(): time.sleep(0.01)\n{APPEND}"
    )
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        house.burst("f4", "escape", "E", "Q")
        await house.until(lambda: house.app.away, "the other program")
        house.burst("escape", "E", "Q")
        (tmp_path / "end").touch()
        await house.until(lambda: ours.text == BASE + "Four.\n", "back in our editor")
        assert house.app.screen is ours and not house.app.away
        (tmp_path / "end").unlink()
        await house.press("escape")
        house.burst("E", "Q")
        await house.until(lambda: house.app.away, "the other program")
        house.burst("escape", "Q")
        (tmp_path / "end").touch()
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        assert house.app.screen_stack[-1] is house.browse and house.app.held is None and house.app.is_running
        assert service.text(id) == BASE + "Four.\n" * 2
