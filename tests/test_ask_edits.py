"""What is edited from an answer is followed until it is indexed, and asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.tui.app import KbApp
from tests.asking import asking, shown, theirs, told
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_what_is_edited_from_an_answer_is_followed_until_it_is_indexed(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.press("j")
        await house.mend("Better words. ")
        await house.until(lambda: "indexed anew: . asks again" in screen.index[0], "followed")


async def test_the_index_is_followed_though_the_editor_is_opened_again_and_a_draft_is_told(
    tmp_path: Path,
) -> None:
    with Demo(index_seconds=1.5) as demo:
        async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
            screen = await asking(house)
            await house.press("j")
            await house.mend("Better words. ")
            for _ in range(2):
                await house.press("e")
                await house.editor()
                await house.press("escape")
            await house.until(lambda: "indexed anew" in screen.index[0], "followed")
            await house.press("e")
            await house.editor()
            await house.type("More of them. ")
            await house.press("escape")
            await house.until(lambda: any("not saved" in line for line in house.drawn), "told")


async def test_who_leaves_is_told_nevertheless_when_the_index_is_ready(tmp_path: Path) -> None:
    with Demo(index_seconds=1.5) as demo:
        async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
            screen = await asking(house)
            await house.press("j")
            assert screen.row is not None
            name = screen.row.name
            await house.mend("Better words. ")
            await house.until(lambda: "being built" in screen.index[0], "followed")
            await house.press("escape", "escape")
            assert house.app.screen is house.browse
            await house.until(lambda: f"Indexed: “{name}”." in house.notices, "told")


async def test_an_answer_that_lacks_what_is_being_indexed_says_so_and_is_not_compared_with(
    tmp_path: Path,
) -> None:
    with Demo(index_seconds=1.5) as demo, Service(demo) as service:
        async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
            screen = await asking(house)
            document, _ = shown(screen)[1]
            service.patch(document, content=f"Other words. {service.text(document)}")
            await house.press(".")
            await house.until(lambda: "is being built" in screen.index[0], "told, and followed")
            assert len(house.browse.kb.last_answers(screen.question)) == 1
            await house.until(lambda: "indexed anew: . asks again" in screen.index[0], "built")
            await house.press(".")
            await house.until(lambda: "1 in other words" in told(house), "compared with the one before")


async def test_words_that_are_others_now_are_shown_in_their_place(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    fine, id = "You may send things back within", theirs(service)[0]["document_id"]
    text = service.text(id)
    service.patch(id, content=f"{fine} 14 days of delivery.\n\n{text}")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        at = [document for document, _ in shown(screen)].index(id)
        await house.press(*"j" * at)
        service.patch(id, content=f"{fine} 30 days of delivery, unpacked or not.\n\n{text}")
        await house.press(".")
        await house.until(lambda: "1 in other words" in told(house), "compared")
        assert screen.chunk is not None and screen.chunk.document == id
        said = " ".join(screen.about.text.split())
        assert "Its words are others now:" in said
        assert "within [-14-] {+30+} days of [-delivery.-] {+delivery, unpacked or not.+}" in said
        await house.until(lambda: any("[-14-] {+30+}" in line for line in house.drawn), "drawn")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that the app tells, also what was taken away since."""
    found, tell = list[str](), KbApp.tell

    def telling(app: KbApp, sentence: str, look: str = "") -> None:
        found.append(sentence)
        tell(app, sentence, look)

    monkeypatch.setattr(KbApp, "tell", telling)
    return found


async def test_what_was_saved_is_followed_on_while_another_is_saved_and_when_the_answer_is_left(
    tmp_path: Path, said: list[str]
) -> None:
    with Demo(index_seconds=1) as slow:
        async with opened(settings_for(slow.url, slow.key, tmp_path)) as house:
            screen = await asking(house)
            documents = list(dict.fromkeys(document for document, _ in shown(screen)))[:2]
            names = [f"Indexed: “{house.browse.kb.mirror.row(id).name}”." for id in documents]  # type: ignore[union-attr]
            await house.mend("Better words. ")
            await house.until(lambda: screen._followed is not None, "being built")
            await house.press(*"j" * [document for document, _ in shown(screen)].index(documents[1]))
            await house.mend("Others. ")
            await house.until(lambda: screen._followed and screen._followed[0] == documents[1], "the other")
            await house.press("g", "A")
            await house.until(lambda: "pages" in house.line("heads"), "an agent")
            await house.press("enter", "enter")
            assert house.app.screen is house.browse
            await house.until(lambda: set(names) <= set(said), "both are told")


async def test_who_leaves_an_answer_right_after_a_save_is_told_when_it_is_indexed(
    tmp_path: Path, said: list[str]
) -> None:
    with Demo(index_seconds=1) as slow, Wire(slow.url) as wire:
        async with opened(settings_for(wire.url, slow.key, tmp_path)) as house:
            screen = await asking(house)
            await house.until(lambda: screen.model, "the agent's model")
            name = house.browse.kb.mirror.row(shown(screen)[0][0]).name  # type: ignore[union-attr]
            hold = wire.hold("request", path=r"rag-index$", times=None)
            await house.mend("Better words. ")
            screen.dismiss()
            await house.until(lambda: house.app.screen is house.browse, "left")
            assert f"Indexed: “{name}”." not in said, "the index before the save is not meant"
            hold.release()
            await house.until(lambda: f"Indexed: “{name}”." in said, "told")
