"""The palette: commands, folders and documents by what is typed of them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.commands import Command
from kbtui.demo.server import Demo
from kbtui.documents import folded
from kbtui.mirror import Mirror
from kbtui.tui.fuzzy import LONGEST, begins, fit
from kbtui.tui.screens.palette import Entries, Palette
from kbtui.tui.screens.question import Question
from kbtui.tui.widgets.virtual_list import VirtualList
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.shelf import document, fill, folder

# How well something fits


def test_what_begins_with_the_words_fits_better_than_what_holds_them_and_that_better_than_their_letters() -> (
    None
):
    names = ["Refund policy", "The refund policy", "Reading of funds, a policy"]
    scores = [fit(["refund"], name).score for name in names]
    assert scores == sorted(scores, reverse=True) and all(scores)
    assert fit(["refund", "policy"], "Refund terms").score == 0
    assert {"Refund policy"[at] for at in fit(["rpol"], "Refund policy").letters} <= set("Rpol")


def test_a_name_is_meant_by_what_begins_its_words_and_not_by_letters_somewhere_in_it() -> None:
    name = "When to hand_over (T-shirts)"
    for typed in ("hand", "when hand", "over", "t-sh", "shirts when", ""):
        assert begins(typed.split(), name)
    for typed in ("and", "hnd", "when hind"):
        assert not begins(typed.split(), name)


@given(st.lists(st.text("aab ", min_size=1, max_size=30), max_size=3), st.text("aaaab", max_size=300))
def test_no_name_and_no_words_take_long_or_meet_letters_that_are_not_there(
    words: list[str], name: str
) -> None:
    found = fit(words, name)
    assert all(0 <= at < min(len(name), LONGEST) for at in found.letters)
    if found.score:
        assert all(letter in name for word in words for letter in word)


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_name_is_found_by_its_own_beginning(before: str, after: str) -> None:
    words = folded(before).split()
    assert (
        not words
        or fit(words, before + after).score
        or folded(before + after)[: len(before)] != folded(before)
    )


# Names in the mirror


@pytest.fixture
def mirror() -> Mirror:
    found = Mirror(None)
    fill(
        found,
        folder("S", "Support"),
        folder("B", "Billing", parent="S"),
        folder("O", "Billing", parent=None),
        document("d1", "Chargebacks", parent="B"),
        document("d2", "Chargebacks", parent="O"),
        document("d3", "100% refund_policy", parent="B"),
        document("d4", "A/B tests", parent="O"),
    )
    return found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("chgb", ["d1", "d2"]),
        ("CHARGE backs", ["d1", "d2"]),
        ("billing/charge", ["d1", "d2"]),
        ("support/billing/chargebacks", ["d1"]),
        ("Support / Billing", ["B"]),
        ("support/", ["B"]),
        ("%", ["d3"]),
        ("d_p", ["d3"]),
        ("a/b", ["d4"]),
        ("/chargebacks", ["d1", "d2"]),
        ("nowhere/chargebacks", []),
        ("", []),
        ("//", []),
        ("\ud800", []),
        ("x" * 5_000, []),
    ],
)
def test_names_are_found_by_letters_in_their_order_and_by_paths(
    mirror: Mirror, typed: str, found: list[str]
) -> None:
    rows = [row.id for row in mirror.like(typed)]
    assert rows[: len(found)] == found if "/" in typed and found else rows == found
    assert mirror.notice == ""


@given(st.text(max_size=120))
def test_whatever_is_typed_the_mirror_is_none_the_worse(typed: str) -> None:
    mirror = Mirror(None)
    fill(mirror, folder("f", "Folder"), document("d", typed, parent="f"))
    mirror.like(typed)
    mirror.beginning_with(typed)
    assert mirror.notice == "" and mirror.row("d") is not None
    mirror.close()


# On the screen


def drawn(house: House) -> str:
    return "\n".join(line.rstrip() for line in house.drawn)


async def test_the_palette_runs_commands_goes_to_names_and_takes_paths(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("A fold", "Paper.", service.folder("Folded maps"))
    service.add("Zebra [bold]\x1b[31m crossing", "Stripes.")
    service.add("Quagga" + " ears" * 30, "Two.")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press(":", "f")
        assert "  Commands  6 of " in drawn(house) and ": type on for the others" in drawn(house)
        await house.press(*"old")
        shown = drawn(house)
        assert shown.index("  Commands\n") < shown.index("  Folders") < shown.index("  Documents")
        assert "type on" not in shown, "there is room for all of them"
        assert "A fold   Folded maps" in shown, "and where it lies"
        lines = house.app.screen.query_one(VirtualList)
        hit = house.app.looks["hit"]
        for at in (1, shown.split("\n").index("  Documents") - 1):
            marked = "".join(text for text, style, _ in lines.render_line(at) if style and style.underline)
            assert marked.casefold() == "fold" and hit.underline, "in commands as in names"
        await house.press(*["backspace"] * 4, *"quagga")
        assert "…   Root" in drawn(house), "what is cut says so"
        await house.press(*["backspace"] * 6, *"zbra cro")
        assert "Zebra [bold]" in drawn(house) and "\x1b" not in drawn(house) and "Root" in drawn(house)
        await house.press("enter")
        await house.until(lambda: house.row.name.startswith("Zebra") and house.reading, "there")
        assert house.browse.pane == "view" and house.app.screen is house.browse
        await house.press(":", *"Support/Bill", "enter")
        assert "Support / Billing" in house.line("header") and house.browse.pane == "list"
        await house.press(":", *"open Billing/Chargebacks")
        assert "Commands\n" not in drawn(house)
        await house.press("enter")
        assert house.row.name == "Chargebacks" and house.browse.pane == "view"
        await house.press("H")
        assert house.browse.pane == "list"

        await house.press("g", "h", "1", ":", *"chunks")
        await house.until(lambda: "nothing is selected" in drawn(house), "off, with its reason")
        await house.press("escape", "2", ":", *"sort largest", "enter")
        assert house.browse.shown.sort == "size" and house.browse.shown.descending

        editor = await house.editing("Chargebacks")
        await house.type("Word ")
        await house.press("ctrl+p", "w", "enter")
        await house.until(lambda: "Saved, verified" in house.notices, "saved")
        await house.type("Kept ")
        await house.press("ctrl+p", *"Support/", "down", "enter")
        assert house.app.screen is house.browse and not editor.is_attached
        (draft,) = house.drafts
        assert draft.text.startswith("Word Kept ")

        await house.press(":", *"hand")
        assert "take back the last change" in drawn(house), "the id of undo has these letters, somewhere"
        await house.press("enter")
        assert house.row.name == "When to hand over to a colleague" and "Undone" not in house.notices


async def test_a_large_mirror_is_looked_through_in_a_thread_and_enter_waits_for_it(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kbtui.tui.screens.palette.RANKED_AT_ONCE", 0)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press(":")
        house.burst(*"chrgbks", "enter")
        await house.until(lambda: house.app.screen is house.browse and house.row.name == "Chargebacks")
        await house.press(":")
        house.burst(*"hand", "enter")
        await house.until(
            lambda: house.row.name.startswith("When to hand"), "no command that has its letters"
        )
        gate, like = threading.Event(), Mirror.like
        with monkeypatch.context() as patch:
            patch.setattr(Mirror, "like", lambda self, name: (gate.wait(), like(self, name))[1])
            await house.press(":", *"srt", "enter")
            assert isinstance(house.app.screen, Palette), "what only has the letters waits"
            await house.press("down", "enter")
            assert not isinstance(house.app.screen, Palette), "but not where it was chosen"
            await house.press(":")
            house.paste("rt")
            await house.press(*["down"] * 8)
            opened_again = house.app.screen
            assert isinstance(opened_again, Palette) and opened_again.finding
            found = opened_again.query_one(Entries)
            chosen = found.entry
            gate.set()
            await house.until(lambda: not opened_again.finding, "the names")
            assert isinstance(chosen, Command) and found.entry == chosen, "what was chosen stays"
            await house.press("escape")
            gate.clear()
            await house.press(":", *"hndvrclg", "down", "enter")
            gate.set()
            await house.until(
                lambda: house.app.screen is house.browse, "Enter is not lost where there was no line yet"
            )
            assert house.row.name == "When to hand over to a colleague"
        await house.press(":", *"chargeb")
        palette = house.app.screen
        assert isinstance(palette, Palette) and "Chargebacks" in drawn(house), "its beginning, at once"
        await house.press(*"no such thing")
        await house.until(lambda: "Nothing is called that" in drawn(house), "looked through all")
        await house.press("enter")
        assert house.app.screen is palette
        await house.press("escape")
        house.app.push_screen(Question(house.app, "Lose it?", "It is lost.", "Lose"))
        await house.until(lambda: "Lose it?" in drawn(house), "a question")
        await house.press("T")
        await house.press(":", *"chargeb")
        assert isinstance(house.app.screen, Palette) and house.app.screen is not palette
        assert "Chargebacks" not in drawn(house), "there is no leaving before the answer"
