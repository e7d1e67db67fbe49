from __future__ import annotations

import pytest

from kbtui.commands import COMMANDS, PLACES, Keymap, Situation, show_key
from kbtui.rows import DocumentRow

ROW = DocumentRow("d", "Refunds", "text", 10, 1, 1, None, None, None, "admin", None, None)


def test_every_command_is_declared_once_with_a_place_and_a_sentence() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    for command in COMMANDS:
        assert command.label and command.help and command.keys
        assert set(command.places) <= set(PLACES)


def test_no_key_means_two_things_in_one_place() -> None:
    Keymap()  # raises where it does


def test_no_capital_letter_deletes_and_nothing_destroys_on_a_single_shifted_key() -> None:
    for command in COMMANDS:
        if command.destroys:
            assert not any(len(key) == 1 and key.isupper() for key in command.keys), command.id


def test_outside_text_fields_nothing_essential_needs_a_control_key() -> None:
    for command in COMMANDS:
        if not set(command.places) & {"editor", "filter", "rename"} and any(
            "ctrl" in k for k in command.keys
        ):
            twins = [key for key in command.keys if "ctrl" not in key]
            assert twins or command.id in {
                "move.half_down", "move.half_up", "screen.redraw", "app.suspend",
            }, command.id  # fmt: skip


def test_inside_text_fields_every_control_key_has_a_twin() -> None:
    for command in COMMANDS:
        if set(command.places) & {"editor", "filter", "rename"}:
            assert any("ctrl" not in key for key in command.keys), command.id


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+h", "ctrl+i", "ctrl+m", "ctrl+a"])
def test_keys_that_do_not_arrive_are_bound_to_nothing(key: str) -> None:
    assert not any(key in command.keys for command in COMMANDS)


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


def test_the_footer_shows_only_what_can_be_done() -> None:
    labels = [c.label for _, c in Keymap().footer(("browse", "everywhere"), Situation(row=ROW))]
    assert "edit" in labels and "rename" in labels and "undo" not in labels
    locked = ROW._replace(lock="auto-sync is on")
    labels = [c.label for _, c in Keymap().footer(("browse", "everywhere"), Situation(row=locked))]
    assert "edit" not in labels and "rename" in labels
    assert len(labels) <= 7


def test_a_command_that_is_off_says_why() -> None:
    edit = next(command for command in COMMANDS if command.id == "document.edit")
    assert edit.reason(Situation()) == "nothing is selected"
    assert edit.reason(Situation(row=ROW, read_only=True)) == "this workspace is open for reading only"
    assert edit.reason(Situation(row=ROW._replace(role="viewer"))) == "your role on this document is viewer"
    assert edit.reason(Situation(row=ROW._replace(lock="auto-sync is on"))) == "auto-sync is on"
    assert edit.reason(Situation(row=ROW)) is None


def test_keys_are_shown_as_a_person_reads_them() -> None:
    assert [show_key(key) for key in ("g g", "ctrl+d", "pagedown", "f2", "?", "f")] == [
        "gg", "^d", "PgDn", "F2", "?", "f",
    ]  # fmt: skip
