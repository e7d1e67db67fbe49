"""What a program made with Textual alone sends to a terminal, what that costs, and what it does not stand.

The budgets are those of kbtui, which keeps them: where a test of bytes names no other place, kbtui's half is
in test_budgets.py.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from kbtui.terminal import LINK_VARIABLES, prepare
from tests.e2e.terminal import Terminal
from tests.e2e.test_budgets import ASK, FIRST_FRAME, FOCUS, MOVE, PAGE, PALETTE
from tests.e2e.test_terminal import NOTHING_SHOWN
from tests.e2e.test_traps import LINK, READY, Plain, mended
from tests.e2e.visit import HOUSE, KBTUI, Server, Visit, environment
from tests.wire import Wire

REPAINTED = 4_000  # bytes: far more than what changed, and far less than a whole widget
STAGE = "picture.py and output.py"
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*[34]8;[25];")


def cost(plain: Plain, *keys: str) -> int:
    """The bytes that keys cost, pressed without a pause."""
    plain.quiet(0.2)
    before = len(plain.raw)
    plain.press(*keys)
    plain.when(lambda: len(plain.raw) > before, "drawn")
    plain.quiet(0.2)
    return len(plain.raw) - before


# What changes


def test_the_first_frame_is_far_more_than_its_words(home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        plain.quiet()
        assert len(plain.raw) > 2 * FIRST_FRAME, mended(STAGE)


@pytest.mark.parametrize(
    ("shown", "key", "budget"),
    [
        ("text", "x", REPAINTED),
        ("options", "down", REPAINTED),
        ("table", "pagedown", PAGE),
        ("panes", "tab", FOCUS),
        ("panes", "ctrl+p", PALETTE),
    ],
    ids=["a character", "a row of a list", "a page", "the focus", "the commands"],
)
def test_a_key_repaints_what_did_not_change(shown: str, key: str, budget: int, home: Path) -> None:
    with Plain(shown, home) as plain:
        plain.until(READY)
        cost(plain, "down")
        assert cost(plain, key) > budget, mended(STAGE)


def test_a_row_more_repaints_the_whole_list(home: Path) -> None:
    with Plain("table", home) as plain:
        plain.until(READY)
        cost(plain, "pagedown", "pagedown")
        cost(plain, "up")
        assert cost(plain, "up") > REPAINTED, mended(STAGE)


def test_a_held_key_repaints_the_whole_list_again_and_again(home: Path) -> None:
    with Plain("options", home) as plain:
        plain.until(READY)
        assert cost(plain, *["down"] * 30) > 30 * MOVE, mended(STAGE)


# What does not


@pytest.mark.parametrize(
    ("shown", "mend"), [("text", "cursor_blink is off"), ("loading", "nothing in kbtui is ever loading")]
)
def test_what_only_waits_sends_bytes_for_ever(shown: str, mend: str, home: Path) -> None:
    with Plain(shown, home) as plain:
        plain.when(lambda: len(plain.raw) > FIRST_FRAME, "drawn")
        for _ in range(3):
            before = len(plain.raw)
            plain.when(lambda: len(plain.raw) > before, mended(mend), seconds=3)  # noqa: B023


def test_a_character_that_spins_costs_more_than_a_move_of_kbtui_at_every_turn(home: Path) -> None:
    with Plain("spinner", home) as plain:
        plain.until(READY)
        plain.when(lambda: len(plain.told("ticks")) > 1, "turning")
        turns, before = len(plain.told("ticks")), len(plain.raw)
        plain.when(lambda: len(plain.told("ticks")) >= turns + 8, "turning on")
        assert len(plain.raw) - before > 8 * MOVE, mended("nothing in kbtui spins")


@pytest.mark.parametrize(
    ("path", "seen"), [("", "Reading the knowledge base …"), ("/content$", "Fetching the text …")]
)
def test_kbtui_sends_nothing_while_it_waits_for_the_service(
    path: str, seen: str, server: Server, home: Path
) -> None:
    name = f"Waited for{path}"
    server.create(name, "words")
    with Wire(server.url) as wire:
        held = wire.hold("request", path=path, times=None)
        with Visit(home, url=wire.url, key=server.key) as kbtui:
            if path:
                kbtui.settle()
                kbtui.select(name)
            held.wait()
            kbtui.until(seen)
            kbtui.quiet(1.0)
            sent = len(kbtui.raw)
            kbtui.quiet(2.0)
            assert len(kbtui.raw) == sent


def test_kbtui_sends_nothing_while_nobody_types_in_its_editor(server: Server, home: Path) -> None:
    server.create("Thought about", "words")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.edit("Thought about")
        kbtui.quiet(1.0)
        sent = len(kbtui.raw)
        kbtui.quiet(2.0)
        assert len(kbtui.raw) == sent


# What it does not stand


def test_a_stalled_terminal_stops_everything(home: Path) -> None:
    """kbtui: test_promises.py, test_a_stalled_terminal_stops_nothing_however_much_is_drawn."""
    with Plain("clock", home) as plain:
        plain.when(lambda: plain.told("ticks"), "ticking")
        plain.stall()
        plain.stands_still("frames in flight in driver.py")
        plain.thaw()
        stood = len(plain.told("ticks"))
        plain.when(lambda: len(plain.told("ticks")) > stood, "ticking again")


def test_a_question_in_a_window_too_small_for_it_is_whole_again_and_answered(
    server: Server, home: Path
) -> None:
    """Textual alone does right, too."""
    id = server.create("Asked about", "as it was")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.edit("Asked about")
        kbtui.type("words ")
        kbtui.until("not saved yet")
        kbtui.press("f8")
        kbtui.until("Discard the draft")
        kbtui.quiet()
        before = kbtui.text
        kbtui.resize(5, 20)
        kbtui.until("Discard")
        kbtui.resize(40, 140)
        kbtui.when(lambda: kbtui.text == before, f"as before\n{before}\n")
        kbtui.quiet()
        kbtui.press("y")
        kbtui.until("Draft discarded")
        assert server.text(id) == "as it was" and not kbtui.drafts()


def test_a_name_that_looks_like_markup_is_the_end(home: Path) -> None:
    with Plain("[/foo]", home) as plain:
        assert plain.ended() == 1, mended("names are never given to Textual as str")
        assert "MarkupError" in plain.text


def test_it_is_a_name_like_any_other_in_kbtui(server: Server, home: Path) -> None:
    for name in ("[/foo] is closed", "[bold]x is closed"):
        server.create(name, "words")
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a", "/")
        kbtui.type("is closed")
        kbtui.until(r"(?m)│ +\[/foo\] is closed +text .*\n.*│ +\[bold\]x is closed +text ")
        kbtui.press("enter", "home")
        kbtui.until(r"agents +\[/foo\] is closed")
        kbtui.press("Q")
        assert kbtui.ended() == 0


def test_a_copy_is_of_any_size_and_nothing_is_said(home: Path) -> None:
    """kbtui: test_clipboard.py, test_what_is_copied_reaches_the_terminal_of_the_person, and the one of a text
    that is too long for terminals."""
    with Plain("copier", home) as plain:
        plain.until(READY)
        plain.quiet()
        before = plain.text
        plain.press("c")
        copied = re.compile(rb"\x1b\]52;c;[\w+/=]{200000}\x07")
        plain.when(lambda: copied.search(plain.raw), f"copied: {mended('clipboard.py')}")
        plain.quiet()
        assert plain.text == before, mended("copying.py")


# Colours


def test_without_colours_as_much_is_sent_and_all_of_it_is_coloured(tmp_path: Path) -> None:
    costs = []
    for number, env in enumerate(({}, {"NO_COLOR": "1"})):
        with Plain("table", tmp_path / str(number), env=env) as plain:
            plain.until(READY)
            costs.append(cost(plain, "pagedown"))
            assert COLOUR.search(plain.raw), mended("themes.py")
    assert costs[1] > 0.9 * costs[0], mended("themes.py")


def test_without_colours_kbtui_sends_none(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key, env={"NO_COLOR": "1"}) as kbtui:
        kbtui.settle()
        kbtui.press("g", "a")
        kbtui.until(r"1 of \d\d")
        kbtui.quiet()
        assert not COLOUR.search(kbtui.raw)


def test_the_background_of_the_terminal_is_not_asked_for(home: Path) -> None:
    """kbtui: test_pacing.py, test_the_theme_is_that_of_the_terminal_and_the_person_goes_before."""
    with Plain("table", home) as plain:
        plain.until(READY)
        plain.quiet()
        assert b"\x1b]11;" not in plain.raw, mended("QUESTIONS in driver.py")


# Over a link


def test_a_page_of_a_tree_is_many_frames_over_a_link(tmp_path: Path) -> None:
    costs = []
    for number, more in enumerate(({"TEXTUAL_ANIMATIONS": "none"}, {})):
        with Plain("tree", tmp_path / str(number), env={**LINK, **more}) as plain:
            plain.until(READY)
            costs.append(max(cost(plain, "pagedown") for _ in range(3)))
    assert costs[1] > 2 * costs[0], mended("prepare in terminal.py")


def test_a_page_of_a_text_is_one_frame_of_kbtui_over_a_link(server: Server, home: Path) -> None:
    server.create("Read over a link", "\n\n".join(f"Paragraph {number}." for number in range(400)))
    with Visit(home, url=server.url, key=server.key, env=LINK) as kbtui:
        kbtui.settle()
        kbtui.select("Read over a link")
        kbtui.until(r"Paragraph 1\.")
        kbtui.press("3")
        kbtui.until("▸ text")
        for _ in range(3):
            kbtui.quiet()
            frames, shown = kbtui.raw.count(ASK), kbtui.text
            kbtui.press("pagedown")
            kbtui.when(lambda: kbtui.text != shown, "on the next page")  # noqa: B023
            kbtui.quiet()
            assert kbtui.raw.count(ASK) == frames + 1


@pytest.mark.parametrize("variable", LINK_VARIABLES)
def test_kbtui_draws_half_as_often_over_a_link_and_animates_nothing_anywhere(variable: str) -> None:
    still = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
    near: dict[str, str] = {}
    prepare(near)
    assert near == still
    far = {variable: "something"}
    prepare(far)
    assert far == {variable: "something", "TEXTUAL_FPS": "30", **still}
    chosen = {variable: "something", "TEXTUAL_FPS": "10", "TEXTUAL_ANIMATIONS": "full"}
    prepare(chosen)
    assert chosen["TEXTUAL_FPS"] == "10" and chosen["TEXTUAL_ANIMATIONS"] == "full"


# Where nothing can be shown


@pytest.mark.parametrize("redirected", ["2>{log}", "</dev/null 2>{log}"])
def test_a_redirected_error_output_is_painted_on(redirected: str, home: Path, tmp_path: Path) -> None:
    """kbtui: test_terminal.py, test_a_redirected_error_output_is_told_where_somebody_sees_it."""
    log = tmp_path / "log"
    log.touch()
    with Plain("table", home, redirected.format(log=shlex.quote(str(log)))) as plain:
        painted = mended("why_not in terminal.py")
        plain.when(lambda: b"table 20" in log.read_bytes(), f"painted: {painted}")
        assert plain.lives()


def test_who_has_no_keyboard_runs_for_ever_and_burns_a_processor(home: Path) -> None:
    with Plain("table", home, "</dev/null") as plain:
        plain.until(READY)
        plain.burns()


def test_it_says_so_in_kbtui_and_ends(home: Path) -> None:
    command = f"exec {shlex.join(KBTUI)} --demo </dev/null"
    with Terminal("/bin/sh", "-c", command, env=environment(home), cwd=HOUSE) as kbtui:
        assert kbtui.ended() == NOTHING_SHOWN
        assert "ssh -t gives it one" in kbtui.text and b"\x1b" not in kbtui.raw


def test_a_terminal_that_cannot_draw_is_drawn_on_in_full_colour(home: Path) -> None:
    """kbtui: test_terminal.py, test_a_terminal_that_cannot_draw_is_told_so."""
    with Plain("table", home, env={"TERM": "dumb", "COLORTERM": ""}) as plain:
        plain.when(lambda: b"\x1b[38;2;" in plain.raw, f"drawn on: {mended('why_not in terminal.py')}")
