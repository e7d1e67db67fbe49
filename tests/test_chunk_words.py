"""Words that are looked for in chunks, while chunks come, go and change."""

from __future__ import annotations

from pathlib import Path

from kbtui.demo.server import Demo
from kbtui.tui.widgets.chunked_text import ChunkedText
from tests.chunking import LONG, indexed, viewing
from tests.house import opened, settings_for
from tests.service import Service


async def test_a_chunk_that_is_to_be_shown_alone_may_go_with_the_next_key(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        await house.press("enter", "m")
        await house.until(lambda: "no index yet" in house.line("header"), "the other model")
        assert not screen.whole.display


async def test_words_are_found_anew_in_chunks_that_were_built_anew_though_the_last_is_the_same(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    id = indexed(service, "Long one", LONG)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await viewing(house, "Long one")
        await house.press("/", *"crew", "enter")
        before = screen.list.pieces
        service.patch(id, content=LONG.replace("crew", "gang", 3))  # as long: all else stands where it did

        def anew() -> bool:
            return any("gang" in each.text for each in screen.list.pieces)

        await house.press("R")
        await house.until(lambda: anew() and "hit" in house.line("header"), "the new chunks")
        assert screen.list.pieces[-1] == before[-1]
        for chunk, places in screen.list.places.items():
            text = screen.list.pieces[chunk].text
            assert {text[start:end] for start, end in places} == {"crew"}


async def test_of_the_words_in_the_text_those_that_were_gone_to_stand_out(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    indexed(service, "Long one", LONG)

    def here(text: ChunkedText) -> list[int]:
        """The rows of the screen with words in reverse."""
        rows = ((row, text.render_line(row)) for row in range(text.size.height))
        return [row for row, strip in rows for words, style, _ in strip if words == "crew" and style.reverse]  # type: ignore[union-attr]

    async with opened(settings_for(demo.url, demo.key, tmp_path), (120, 30)) as house:
        screen = await viewing(house, "Long one")
        text = screen.text
        await house.press("/", *"crew")
        await house.until(lambda: " find crew" in house.drawn[1], "the field")
        assert not here(text)
        await house.press("enter")
        for key in ("n", "N", "n", "n"):
            await house.press(key)
            assert here(text) == [text.cursor - round(text.scroll_y)], key
        await house.press("/", "escape", "escape")
        assert not here(text)
