from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from textual.widgets import TextArea

from kbtui import keymap
from kbtui.commands import BY_ID, COMMANDS, PLACES, TYPING
from kbtui.keymap import Keymap, show_key
from kbtui.rows import DocumentRow
from kbtui.situation import Situation
from kbtui.tui.keyboard import CommandScreen

ROW = DocumentRow("d", "Refunds", "text", 10, 1, 1, None, None, None, "admin", None, None)


def test_every_command_is_declared_once_with_a_place_and_a_sentence() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert command.label and command.help and (command.keys or command.typed)
        assert set(command.places) <= set(PLACES)


def test_what_is_typed_for_a_command_means_one_thing_in_one_place() -> None:
    typed = [(place, each.typed) for each in COMMANDS if each.typed for place in each.places]
    assert len(set(typed)) == len(typed)


def test_what_a_command_does_is_said_in_full_on_a_terminal_of_80_columns() -> None:
    beside = 4 + 15 + 1 + 1  # what stands before its keys, the keys, a space, the scroll bar
    assert [command.id for command in COMMANDS if len(command.help) > 80 - beside] == []


def test_no_key_means_two_things_in_one_place() -> None:
    Keymap()  # raises where it does


def test_no_capital_letter_deletes_and_nothing_destroys_on_a_single_shifted_key() -> None:
    for command in COMMANDS:
        if command.destroys:
            assert not any(len(key) == 1 and key.isupper() for key in command.keys), command.id


def test_outside_text_fields_nothing_essential_needs_a_control_key() -> None:
    for command in COMMANDS:
        if not set(command.places) & TYPING and any("ctrl" in k for k in command.keys):
            twins = [key for key in command.keys if "ctrl" not in key]
            assert twins or command.id in {
                "move.half_down", "move.half_up", "screen.redraw", "app.suspend",
            }, command.id  # fmt: skip


def test_inside_text_fields_every_control_key_has_a_twin() -> None:
    for command in COMMANDS:  # those of a text area are run from F1
        if set(command.places) & TYPING and not command.id.startswith("text."):
            assert any("ctrl" not in key for key in command.keys), command.id


def test_in_a_text_field_a_character_is_a_character_and_a_narrower_key_hides_a_wider_one() -> None:
    keymap = Keymap()
    assert keymap.find(("editor",), "?") is None and keymap.find(("editor",), "g t") is None
    assert keymap.find(("filter",), "f1") is keymap.find(("browse",), "?") is BY_ID["help.keys"]
    assert keymap.keys(BY_ID["help.keys"], ("editor",)) == ("f1",)
    assert keymap.find(("editor",), "ctrl+z") is BY_ID["text.undo"]
    assert keymap.keys(BY_ID["app.suspend"], ("editor",)) == ()
    assert keymap.keys(BY_ID["app.suspend"], ("browse",)) == ("ctrl+z",)


@pytest.mark.parametrize("place", [place for place in PLACES if place != "keys"])
def test_help_is_a_key_and_in_the_footer_everywhere(place: str) -> None:
    footer = [(key, command.id) for key, command in Keymap().footer((place,), Situation())]
    assert footer[-1] == ("F1" if place in TYPING else "?", "help.keys")


def test_what_a_text_area_does_is_declared_with_the_keys_it_has_there() -> None:
    bound = {key for binding in TextArea.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    ours = {key for command in COMMANDS if command.id.startswith("text.") for key in command.keys}
    plain = {"up", "down", "left", "right", "pageup", "pagedown", "backspace", "ctrl+backspace"}
    assert ours - bound == {"ctrl+home", "ctrl+end", "alt+d"}  # what Textual's lacks
    assert {key for key in bound - ours if not key.startswith("super+")} == plain


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+h", "ctrl+i", "ctrl+m"])
def test_keys_that_do_not_arrive_are_bound_to_nothing(key: str) -> None:
    assert not any(key in command.keys for command in COMMANDS)


def test_the_key_that_screen_takes_is_never_the_only_one() -> None:
    assert not any(command.keys == ("ctrl+a",) for command in COMMANDS)


def test_the_narrowest_place_wins() -> None:
    keymap = Keymap()
    command = keymap.find(("filter", "browse"), "enter")
    assert command is not None and command.id == "filter.keep"


def test_a_first_key_tells_what_may_follow() -> None:
    following = dict(Keymap().after(("browse",), "s"))
    assert following["u"].id == "sort.updated" and following["U"].id == "sort.updated_down"
    assert Keymap().after(("browse",), "e") == []


def test_a_key_given_in_the_configuration_replaces_the_old_ones() -> None:
    keymap = Keymap({"document.rename": ("f6",)})
    found = keymap.find(("browse",), "f6")
    assert found is not None and found.id == "document.rename"
    assert keymap.find(("browse",), "r") is None


def test_a_command_that_does_not_exist_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(ValueError, match=r"document\.rename"):
        Keymap({"document.renam": ("x",)})


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        Keymap({"document.rename": ("e",)})


def test_the_footer_shows_what_can_be_done_and_what_acts_on_documents_in_its_place() -> None:
    labels = [c.label for _, c in Keymap().footer(("browse", "everywhere"), Situation(row=ROW))]
    assert "edit" in labels and "rename" in labels and "undo" not in labels
    locked = ROW._replace(lock="auto-sync is on")
    labels = [c.label for _, c in Keymap().footer(("browse", "everywhere"), Situation(row=locked))]
    assert "edit" in labels and "rename" in labels and "undo" not in labels
    assert len(labels) <= 10


def test_a_command_that_is_off_says_why() -> None:
    edit = next(command for command in COMMANDS if command.id == "document.edit")
    assert edit.reason(Situation()) == "nothing is selected"
    assert edit.reason(Situation(row=ROW, read_only="Why not.")) == "Why not."
    assert edit.reason(Situation(row=ROW._replace(role="viewer"))) == "your role on this document is viewer"
    assert edit.reason(Situation(row=ROW._replace(lock="auto-sync is on"))) == "auto-sync is on"
    assert edit.reason(Situation(row=ROW)) is None


def test_keys_are_shown_as_a_person_reads_them() -> None:
    keys = ("g g", "ctrl+d", "pagedown", "f2", "?", "f", "shift+tab", "ctrl+shift+left", "alt+delete", "+")
    assert [show_key(key) for key in keys] == [
        "gg", "^d", "PgDn", "F2", "?", "f", "S-Tab", "^S-←", "A-Del", "+",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "hidden"),
    [
        ({"sync.refresh": ("j",)}, ("move.down", "sync.refresh")),
        ({"move.down": ("e",)}, ("move.down", "document.edit")),
        ({"move.down": ("x",)}, ("choose.discard", "move.down")),
        ({"screen.theme": ("f8",)}, ("edit.discard", "screen.theme")),
        ({"document.rename": ("g",)}, ("document.rename", "move.top")),
        ({"go.root": ("e h",)}, ("document.edit", "go.root")),
        ({"screen.theme": ("m t",)}, ("unindexed.model", "screen.theme")),
        ({"sort.menu": ("g",)}, ("sort.menu", "move.top")),
        ({"document.rename": ("s r",)}, ("sort.menu", "document.rename")),
    ],
)
def test_a_key_that_keeps_another_from_its_command_is_refused_with_both(
    given: dict[str, tuple[str, ...]], hidden: tuple[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"^\[keys\] .*\.$") as caught:
        Keymap(given)
    assert all(id in str(caught.value) for id in hidden)


@pytest.mark.parametrize(
    "given",
    [
        {"sync.refresh": ("j",), "move.down": ("down",)},
        {"document.rename": ("e",), "document.edit": ("r",)},
        {"document.rename": ("R", "f6"), "sync.refresh": ("f5",)},  # README
        {"sort.menu": ("O",), "sort.name": ("O n", "s x")},
        {"question.verb": ("j",)},
        {"screen.theme": ("ctrl+x t",)},
        {"move.down": ("%", "ctrl++", "f12", "alt+comma")},
    ],
)
def test_a_key_is_free_where_its_command_has_moved_or_is_never_asked_together(
    given: dict[str, tuple[str, ...]],
) -> None:
    Keymap(given)


@pytest.mark.parametrize("key", ["ctrl+", "+x+", " ", "g  g", "g ", "\x1b", "Ctrl+x", "\N{NO-BREAK SPACE}"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"document\.rename: .* is no key"):
        Keymap({"document.rename": (key,)})


def test_places_that_a_screen_asks_together_are_checked_together() -> None:
    for path in Path(keymap.__file__).parent.glob("tui/screens/[a-z]*.py"):
        for screen in vars(import_module(f"kbtui.tui.screens.{path.stem}")).values():
            if isinstance(screen, type) and issubclass(screen, CommandScreen):
                places = set(screen.places) - {"everywhere"}
                assert len(places) <= 1 or any(places <= set(each) for each in keymap._TOGETHER), screen
