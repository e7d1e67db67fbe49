"""From a key to a command: the footer, the list of keys, questions, and keys faster than the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual import events

from kbtui.__main__ import open_workspace
from kbtui.commands import BY_ID, LEAVES, PLACES
from kbtui.demo.server import Demo
from kbtui.errors import Refused
from kbtui.keymap import _TOGETHER, Keymap
from kbtui.rows import DocumentRow
from kbtui.situation import Situation
from kbtui.tui.app import KbApp
from kbtui.tui.keyboard import CommandScreen, caught_up, fitting
from kbtui.tui.screens.ask import Ask
from kbtui.tui.screens.keys import Keys
from kbtui.tui.screens.knowledge import Known
from kbtui.tui.screens.palette import Palette
from kbtui.tui.screens.question import Question
from kbtui.tui.screens.search import Search
from tests.house import BASE, House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

ROW = DocumentRow("d", "Refunds", "text", 10, 1, 1, None, None, None, "admin", None, None)

# The footer


@pytest.mark.parametrize("width", [44, 60, 80, 120])
async def test_the_footer_holds_whole_hints_and_the_key_that_tells_all_keys(
    demo: Demo, tmp_path: Path, width: int
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (width, 24)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: "1 of 1" in house.drawn[-1], "drawn")
        assert "? keys" in house.drawn[-1] and "…" not in house.drawn[-1]
        assert house.drawn[-1].startswith(" / filter") or width == 44
        assert "F clear filter" in house.drawn[-1]
        await house.press("l")
        assert "Esc back" in house.drawn[-1] and "? keys" in house.drawn[-1]
        await house.press("l", "/")
        assert "Esc drop" in house.drawn[-1]
        await house.press("escape", "escape", "escape", "escape")
        assert "q quit" in house.drawn[-1] and "F clear" not in house.drawn[-1]
        assert house.drawn[-1].startswith(" / filter")


AT_80 = 80 - len(" 4 of 12 (90) · 3 marked · 2.2 kB ") - 2  # cells, beside the most that is told there
INSIDE = {
    "everywhere",
    "move",
    "around",
    "list",
    "tree",
    "unindexed",
    "drafts",
    "columns",
    "views",
}  # of others


@pytest.mark.parametrize("room", [AT_80, 200])
@pytest.mark.parametrize("now", [Situation(), Situation(ROW), Situation(ROW, filtered=True, full=True)])
def test_every_footer_names_the_way_out_and_the_key_that_tells_all_keys(now: Situation, room: int) -> None:
    keymap = Keymap()
    for places in (*_TOGETHER, *((place,) for place in PLACES if place not in INSIDE)):
        hints = list(keymap.footer(places, now))
        shown = fitting(hints, room)
        ids = [command.id for _, command in shown]
        out = next((command for _, command in hints if command.id in LEAVES), None)
        assert out is not None and out.id in ids, places
        assert keymap.find(places, "escape") in (out, BY_ID["app.back"], None), places
        assert "help.keys" in ids or places == ("keys",)
        assert shown == [each for each in hints if each in shown], "in their order"
        assert sum(len(f"{key} {command.label}  ") for key, command in shown) <= room


def test_where_there_is_room_for_nothing_else_the_key_that_tells_all_keys_stays() -> None:
    hints = list(Keymap().footer(("view", "move", "browse"), Situation(ROW)))
    assert [command.id for _, command in fitting(hints, 8)] == ["help.keys"]
    assert [command.id for _, command in fitting(hints, 18)] == ["view.leave", "help.keys"]
    assert fitting(hints, 2) == []


async def test_a_first_key_that_leads_nowhere_says_so(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "escape")
        assert not house.notices
        await house.press("g", "x")
        assert "gx is no command" in house.notices


async def test_a_command_that_is_off_is_called_by_its_name_as_it_is_written(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("E")
        assert "$EDITOR: " in house.notices


# The list of keys


async def test_the_list_of_keys_filters_and_runs(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("?")
        assert any("show only names that hold" in line for line in house.drawn)
        await house.type("size largest")
        assert sum("sort by size" in line for line in house.drawn) == 1
        await house.press("enter")
        await house.until(lambda: any("Size ▼" in line for line in house.drawn), "it ran")
        await house.press(":")
        await house.type("no such thing")
        assert any("Nothing is called that" in line for line in house.drawn)
        await house.press("enter", "escape")
        assert house.app.screen is house.browse
        await house.press("f1")
        await house.type("save to the service")
        await house.press("enter")
        assert "works elsewhere: Editor" in house.notices
        await house.press("escape")


async def test_no_key_of_a_command_is_left_out_of_the_list(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("?")
        await house.type("back to the answer")
        await house.until(lambda: "Esc  Tab  S-Tab  q  h  ← back to" in " ".join(house.drawn), "all keys")


async def test_f1_in_the_editor_lists_its_keys_and_runs_them(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        ours = await house.editing("Shared")
        await house.until(lambda: "F1 keys" in house.line("footer"), "its keys")
        await house.press(*"What? ")
        assert ours.text == "What? " + BASE
        await house.press("f1")
        await house.until(lambda: any("  Editor" in line for line in house.drawn), "the list")
        assert any("^z" in line and "take back what was typed last" in line for line in house.drawn)
        assert not any("^z" in line and "shell" in line for line in house.drawn)
        await house.type("typed last")
        await house.press("enter")
        await house.until(lambda: house.app.screen is ours and ours.text == BASE, "run from the list")
        await house.press("ctrl+y", "end", "ctrl+u", "ctrl+k", "shift+down", "ctrl+c", "ctrl+x", "ctrl+v")
        assert ours.text == BASE.removeprefix("One.\n")
        await house.press("ctrl+c", "escape")
        await house.until(lambda: house.app.screen is house.browse, "left")


async def test_help_tells_what_works_here_before_all_else(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 300)) as house:
        await house.online()

        def at(words: str) -> int:
            return next((i for i, line in enumerate(house.drawn) if words in line), -1)

        for keys, first, elsewhere in (
            ((), "Browse", "Editor"),
            (("/",), "While typing a filter", "Browse"),
            (("r",), "While typing a name", "Browse"),
            (("g", "d"), "Drafts", "Browse"),
            (("g", "w"), "Drafts and workspaces", "Browse"),
        ):
            await house.press(*keys)
            await house.press("f1")
            await house.until(lambda: at("Keys and commands") == 0 and at("  Editor") > 0, "the list")
            assert at(f"  {first}") == 3, (keys, house.drawn[:5])
            assert at(f"  {elsewhere}") > at("  Everywhere") > 3
            if not keys:
                assert at("  Editor") > at("  Not now") > at("  Everywhere")
                assert at("nothing to undo") > at("  Not now")
            await house.press("escape")
            await house.until(lambda: not isinstance(house.app.screen, Keys), "back")
            await house.press("escape")


# Questions


async def test_a_question_shows_what_is_below_and_is_answered_by_keys(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Shared", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.editing("Shared")
        await house.press(*"Mine. ")

        async def asked() -> None:
            await house.press("f8")
            await house.until(lambda: isinstance(house.app.screen, Question), "the question")
            await house.until(lambda: "Cancel" in house.app.export_screenshot(), "drawn")

        for answer in (
            ("n",),
            ("escape",),
            ("q",),
            ("enter",),
            ("tab", "left", "space"),
            ("?", "escape", "n"),
        ):
            await asked()
            await house.press(*answer)
            await house.editor()
            assert len(house.drafts) == 1
        await asked()
        assert "Three." in house.app.export_screenshot(), "what is below"
        assert any("▸ Cancel" in line for line in house.drawn)
        assert any("y yes" in line and "n cancel" in line for line in house.drawn)
        await house.press("right")
        assert any("▸ Discard" in line and "▸ Cancel" not in line for line in house.drawn)
        await house.press("y")
        await house.until(lambda: house.app.screen is house.browse and not house.drafts, "discarded")


async def test_a_key_typed_before_a_question_was_asked_is_no_answer(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        early = [events.Key("y", "y"), events.Key("enter", "\r")]
        question = Question(house.app, "Really?", "Everything is lost.", "Lose it")
        answers: list[bool | None] = []
        await house.app.push_screen(question, answers.append)
        for key in early:
            house.app.post_message(key)
        await house.press("right")
        await house.until(lambda: any("▸ Lose it" in line for line in house.drawn), "still asking")
        assert answers == []
        await house.press("enter")
        await house.until(lambda: answers == [True], "answered")


async def test_a_screen_below_another_does_not_take_that_one_away(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("?")
        await house.until(lambda: isinstance(house.app.screen, Keys), "the keys")
        below = house.app.screen
        assert isinstance(below, Keys)
        house.app.push_screen(above := Question(house.app, "Well?", "Nothing.", "Do"))
        await house.until(lambda: house.app.screen is above and above.focused, "a question")
        await caught_up(above)  # a screen that comes up takes a focus of itself
        below.do_keys_leave()
        assert house.app.screen is above
        above.set_focus(None)
        await house.press("enter")
        assert house.app.screen is above and above.focused
        await house.press("enter")
        await house.until(lambda: house.app.screen is below, "answered")


# Keys


async def test_a_key_that_a_line_joins_to_escape_comes_after_it_and_among_words_it_is_none(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()

        async def joined(character: str) -> None:
            house.app.post_message(events.Key(f"alt+{character}", character))
            await house.press()

        question, answers = Question(house.app, "Really?", "All is lost.", "Lose it"), list[bool | None]()
        await house.app.push_screen(question, answers.append)
        await house.until(lambda: question.frame is not None, "the question")
        await joined("y")
        await house.until(
            lambda: house.app.screen is house.browse and house.browse.prefix == "y", "no, and y"
        )
        assert answers != [True]
        await house.press("escape", "/", *"policy")
        await joined("j")
        assert house.browse.shown.text == "policy" and "A-j does nothing here" in house.notices
        await house.press("enter", "g", "g")
        editor = await house.editing("Chargebacks")
        before = editor.text
        await joined("u")
        assert editor.text == before and house.app.screen is editor
        await joined("d")
        assert before.endswith(editor.text) and editor.text != before, "which deletes a word, as in a shell"


async def test_a_command_that_is_off_says_why(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("e")
        assert "A folder has no content" in house.notices
        await house.press("escape", "?")
        await house.type("edit the text here")
        assert any("A folder has no content" in line for line in house.drawn)
        await house.press("enter")
        await house.until(lambda: house.app.screen is house.browse and "no content" in house.notices)
        await house.press("escape", "u")
        assert "nothing to undo" in house.notices


async def test_words_typed_after_a_refused_key_run_no_commands(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        for key in ("|", "e"):
            house.burst(key, *"jwc -Q", "enter", "space")
            await house.until(lambda: "typed after that key did nothing" in house.notices, "told")
            await house.press("escape")
            assert house.app.screen is house.browse and house.browse.documents.cursor == 0
            await house.press("j", "k")
            await house.until(lambda: house.browse.documents.cursor == 0)
        house.burst("e", *"jjjjj")
        await house.until(lambda: house.browse.documents.cursor == 1, "a key that is held down is no word")
        await house.press("k")
        house.burst("e", "down")
        await house.until(lambda: house.browse.documents.cursor == 1, "a key that is no letter is a command")


async def test_words_typed_for_an_editor_that_cannot_open_run_no_commands(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Alpha", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Alpha")
        wire.answer(403, {"detail": "No."}, path="content$|knowledge-base/[^/]+$", times=None)
        house.burst("e", *"jr")
        await house.until(lambda: house.app.held is None and house.notices, "refused")
        house.burst(*"jams of r ", "enter", *"x ")
        await house.pilot.pause()
        assert house.app.screen is house.browse and house.browse.here()[0] == "move"
        assert house.browse.documents.cursor == 0 and not house.browse.kb.marks and house.drafts == []


async def test_keys_that_arrive_all_at_once_lose_nothing_and_keep_their_order(
    demo: Demo, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await house.online()
    async with opened(settings) as house:
        house.burst(*"ga/refund pol", "enter", *"jk")
        await house.until(lambda: house.browse.shown.text == "refund pol", "the filter")
        await house.until(lambda: house.browse.pane == "list", "kept")
        assert all("refund pol" in name.casefold() for name in house.names)
        house.burst("/", "ctrl+u", *"cell", "escape", *"sZ")
        await house.until(lambda: house.browse.shown.sort == "size", "sorted after all")
        await house.pilot.pause()
        assert house.browse.shown.text == "" and house.browse.shown.descending
        house.burst(*"?sort by name, backwards", "enter")
        await house.until(lambda: house.browse.shown[1:3] == ("name", True), "run from the list of keys")


async def test_keys_typed_before_the_first_frame_are_not_lost(demo: Demo, tmp_path: Path) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await house.online()
    app = KbApp(
        settings, open_workspace(settings, settings.workspace), Keymap(), open_workspace, lambda: settings
    )
    house = House(app, None)  # type: ignore[arg-type]
    running = asyncio.create_task(app.run_async(headless=True, size=(120, 36)))
    await asyncio.sleep(0)
    house.burst(*"ga/refund")
    try:
        await house.until(lambda: app.screen_stack and house.browse.shown.text == "refund", "the filter")
        assert all("refund" in name.casefold() for name in house.names) and house.names
    finally:
        app.exit()
        await running


async def test_a_command_that_fails_at_once_is_told_and_nothing_ends(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refused("This draft is gone.")

    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        monkeypatch.setattr(house.browse.name_field, "open", refuse)
        await house.press("r")
        assert "This draft is gone" in house.notices
        await house.press("j")
        assert house.app.is_running


async def test_a_notice_about_what_was_left_goes_with_it(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Crossed", BASE)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.typing("Crossed", "Mine. ")
        await house.press("escape", "e")
        await house.editor()
        assert "Going on with your draft" in house.notices
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "left")
        assert house.notices == ""


async def test_keys_typed_after_the_app_has_ended_are_for_the_shell(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        end = house.app.exit

        def exit(*args: Any) -> None:
            house.burst("?", *"words")
            end(*args)

        monkeypatch.setattr(house.app, "exit", exit)
        monkeypatch.setattr(house.app, "do_help_keys", lambda: asked.append("?"))
        await house.press("Q")
        await house.until(lambda: not house.app.is_running, "ended")
    assert not asked


@pytest.mark.parametrize(
    ("over", "opens"),
    [
        ("c", {"gq": Ask, "gA": Known, "S": Search}),
        ("I", {"gq": Ask, "gA": Known, "S": Search}),
        ("gA", {"gq": Ask, "S": Search}),
    ],
)
async def test_what_opens_a_screen_in_browse_does_so_over_the_others_too(
    demo: Demo, tmp_path: Path, over: str, opens: dict[str, type[CommandScreen[Any]]]
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.press(*over)
        below = house.app.screen
        assert below is not house.browse
        for keys, screen in (opens | {"?": Keys, ":": Palette}).items():
            await house.press(*keys)
            assert isinstance(house.app.screen, screen), keys
            while house.app.screen is not below:
                assert house.app.screen is not house.browse, keys
                await house.press("escape")
        await house.press("g", "h")
        assert "works elsewhere: Browse" in house.notices


async def test_a_result_of_a_search_over_the_chunks_is_shown_in_browse(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.press("c", "S", *"quick start", "enter")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter")
        assert house.app.screen is house.browse and house.row.name != "Chargebacks"
        await house.press("c", "g", "s")
        assert isinstance(house.app.screen, Search)


async def test_a_screen_is_covered_by_the_one_right_above_it(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("I", "S")
        below = house.app.screen_stack[-2]
        assert isinstance(below, CommandScreen) and not below.is_uncovered
        waiting = asyncio.create_task(below.uncovered())
        await house.press(*"words")
        assert not waiting.done()
        await house.press("escape")
        await waiting
