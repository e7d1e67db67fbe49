"""What the footer tells, and what becomes of words that cannot be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.drafts import Drafts
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.question import Question
from tests.house import opened, settings_for
from tests.wire import Wire


@pytest.mark.parametrize("width", [44, 60, 80, 120])
async def test_the_footer_holds_whole_hints_and_the_key_that_tells_all_keys(
    demo: Demo, tmp_path: Path, width: int
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (width, 24)) as house:
        await house.until(lambda: house.settled, "online")
        await house.select("Chargebacks")
        await house.until(lambda: "1 of 1" in house.drawn[-1], "drawn")
        assert "? keys" in house.drawn[-1] and "…" not in house.drawn[-1]
        assert house.drawn[-1].startswith(" / filter")


async def test_a_save_that_fails_says_that_the_words_are_safe_and_what_goes_on(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled, "online")
        await house.select("Chargebacks")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
        await house.type("Typed. ")
        wire.down()
        await house.press("ctrl+s")
        await house.until(lambda: "words are safe" in house.notices, "told")
        assert "^s goes on" in house.notices
        await house.press("escape")
        await house.until(lambda: house.app.screen is house.browse, "back")
        house.app.clear_notifications()
        await house.press("r", *"!", "enter")
        await house.until(lambda: "words are safe" in house.notices, "told of the name too")
        assert "r goes on" in house.notices
        fields = {draft.field: draft.text for draft in house.browse.kb.drafts.all()}
        assert fields["content"].startswith("Typed. ") and fields["name"] == "Chargebacks!"


async def test_drafts_that_cannot_reach_the_disk_are_told_and_not_left_without_a_question(
    demo: Demo, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "drafts").write_text("in the way")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled, "online")
        await house.select("Chargebacks")
        await house.press("e")
        await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
        await house.type("Typed. ")
        await house.until(lambda: "drafts are not safe" in house.line("header"), "told while typing")
        await house.press("escape", "Q")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question")
        assert "lost for good" in " ".join(house.drawn)
        await house.press("enter")
        await house.until(lambda: house.app.screen is house.browse, "stayed")
        (tmp_path / "state" / "drafts").unlink()
        await house.press("Q")
        await house.until(lambda: not house.app.is_running, "nothing is lost now")
    assert [draft.text[:7] for draft in Drafts(tmp_path / "state" / "drafts", demo.url).all()] == ["Typed. "]
