"""The reading pane: the text of a document, what is known of it, and the line above them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from textual import events
from textual.geometry import Size
from textual.widgets import TextArea

from kbtui.demo.server import Demo
from kbtui.tui.widgets import document_view, laying
from kbtui.tui.widgets.laying import Laid, _source
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Wire

# The text


async def test_the_text_follows_the_cursor_rendered_or_as_its_source(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.enter("Agent scripts")
        view = house.browse.reading.view
        for key in ("j", "j", "k"):
            await house.press(key)
            name = house.row.name
            await house.until(lambda: house.reading, name)
            assert name in house.line("tabs")
            first = service.text(house.row.id).splitlines()[0].lstrip("# ").strip()
            assert first in view.text
        await house.select("Words we avoid")
        await house.until(lambda: house.reading, "html")
        assert "html" in house.line("tabs") and "<" not in view.text
        await house.press("V")
        await house.until(lambda: house.reading and "<" in view.text, "the source")
        assert "html source" in house.line("tabs")
        together = "".join(view.text.split())
        assert together == "".join(service.text(house.row.id).split())
        await house.press("V")
        await house.until(lambda: house.reading and "<" not in view.text, "rendered again")
        await house.press("]")
        await house.until(lambda: "Your role" in view.text, "info")
        await house.press("y", "a")
        await house.until(lambda: re.match("Name +Words we avoid\n", house.app.clipboard), "copied")
        assert "about " in house.app.clipboard and "not asked" in house.app.clipboard
        for fact in (house.row.id, "Agent scripts", "Théo Lambert", f"{house.row.size:,}".replace(",", " ")):
            assert fact in view.text
        await house.press("[")
        await house.until(lambda: house.reading and "Your role" not in view.text, "text")
        await house.select("Delivery of batteries (web)")
        await house.press("i")
        await house.until(lambda: "Auto-sync" in view.text, "info of a URL")
        assert "/help/delivery" in view.text and "Auto-sync is on" in view.text
        assert "read-only" in house.line("tabs")
        await house.press("[", "2", "F", "g", "h", "g", "g")
        await house.until(
            lambda: house.reading and "below" in view.text, "a folder, of which the facts are all"
        )
        await house.press("3")
        assert "▸ info" in house.line("tabs")
        await house.press("]")
        assert "▸ agents" in house.line("tabs")
        await house.press("]")
        assert "▸ info" in house.line("tabs"), "it has no text"


async def test_a_document_without_words_says_so(demo: Demo, service: Service, tmp_path: Path) -> None:
    id = service.add("Emptied", "words")
    service.patch(id, content="")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Emptied")
        await house.until(lambda: "No words." in house.browse.reading.view.text, "no words")


async def test_another_theme_draws_the_text_in_its_own_colours(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and view.text, "the text")

        def colours() -> set[str]:
            styles = [
                style for strip in house.app.screen._compositor.render_strips() for _, style, _ in strip
            ]
            return {style.color.name for style in styles if style is not None and style.color is not None}

        dark = colours()
        await house.press("g", "t")
        await house.until(lambda: not colours() & dark, "no colour of the dark theme is left")


async def test_three_hundred_kilobytes_are_shown_whole_and_scroll(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        view = house.browse.reading.view
        await house.until(lambda: "Fault codes" in view.text, "the beginning of it")
        assert len(view.text) < 250_000
        house.browse.open(house.row, True)  # as when the mirror moves in the middle of it
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        top = house.drawn
        await house.press("J")
        assert house.drawn != top and house.browse.pane == "list"
        await house.press("3", "G")
        last = view.text.splitlines()[-1].strip()
        await house.until(lambda: any(last in line for line in house.drawn), "the last line")
        await house.press("g", "g")
        await house.until(lambda: house.drawn[-12:] == top[-12:] or view.scroll_y == 0, "the top")


ROWS = "".join(f"| row {i} | {'words ' * (i % 7)} | {i * 3} euro |\n" for i in range(3000))
LONG = {
    "table": f"| a | b | c |\n|---|---|---|\n{ROWS}",
    "list": "".join(f"- item {i} with words\n" for i in range(6000)),
    "code": "```\n" + "line of code here\n" * 15_000 + "```\n",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
async def test_keys_are_heard_while_one_long_table_list_or_code_is_laid_out(
    demo: Demo, service: Service, tmp_path: Path, text: str
) -> None:
    service.add("Nothing", "words")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Nothing")
        await house.until(lambda: house.reading, "a short text")
        turns = 0
        laying = asyncio.create_task(house.browse.reading.view.show_markdown(text))
        while not laying.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 10, "the loop had its turns, and so have keys"
        shown = house.browse.reading.view.text
        assert shown.count("euro") in (0, 3000) and len(shown.splitlines()) >= 3000
        assert len({line.rindex("  ") for line in shown.splitlines() if "euro" in line}) <= 1


def other(view: document_view.DocumentView, size: Size) -> bool:
    return view.size != size


async def test_a_long_text_is_not_laid_out_for_every_size_of_a_window_that_is_drawn_larger(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths: list[int] = []

    def lay(text: str, console: Console) -> Iterator[Laid]:
        widths.append(console.width)
        return _source(text, console)

    monkeypatch.setattr(laying, "_markdown", lay)
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        await house.press("3")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        widths.clear()
        for width in range(81, 97):
            size = Size(width, 24)
            house.app.post_message(events.Resize(size, size))
            await house.until(partial(other, view, view.size), "the size")
        await house.until(lambda: widths[-1:] == [view.size.width - 2], "laid out for the last size")
        assert len(widths) <= 8


async def test_paragraphs_of_a_long_text_are_apart_and_html_in_markdown_is_shown_as_it_is(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    text = "\n\n".join(f"Paragraph {i} with some words in it." for i in range(2000))
    service.add("Apart", f"{text}\n\n<details>\n<summary>Folded</summary>\n</details>\n")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Apart")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and "</details>" in view.text, "all of it")
        lines = [line.strip() for line in view.text.splitlines()]
        assert lines[1:4000:2] == [""] * 2000 and lines[-2] == "<summary>Folded</summary>"


async def test_the_bottom_is_the_end_of_the_text_also_of_what_is_not_yet_laid_out(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        await house.press("l", "G")
        view = house.browse.reading.view
        assert len(view.text) < 250_000
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        last = view.text.splitlines()[-1].strip()
        await house.until(lambda: any(last in line for line in house.drawn), "the last line")
        await house.pilot.resize_terminal(100, 30)
        await house.until(lambda: house.drawn[-2].strip(), "the end at another width")
        await house.press("k", "g", "g")
        await house.until(lambda: view.scroll_y == 0, "the top")
        await house.press("G", "2", "F", "k")
        await house.until(lambda: house.reading and house.row.name != "Fault codes, complete", "another")
        await house.until(lambda: view.scroll_y == 0, "its top")


async def test_the_tab_line_says_how_far_down_a_text_is_that_does_not_fit(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Short", "words")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Fault codes, complete")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and len(view.text) > 250_000, "all of it")
        await house.until(lambda: house.line("tabs").endswith("· 0 %   "), "at the top")
        await house.press("3", "G")
        await house.until(lambda: house.line("tabs").endswith("· 100 % "), "at the end")
        await house.press("k")
        await house.until(lambda: house.line("tabs").endswith("· 99 %  "), "a line before the end")
        assert any(line.rstrip().endswith("· 99 %") for line in house.drawn)
        await house.press("g", "g")
        await house.until(lambda: house.line("tabs").endswith("· 0 %   "), "at the top again")
        await house.press("2")
        await house.select("Short")
        await house.until(lambda: house.reading and "%" not in house.line("tabs"), "all of it is in view")


async def test_the_place_is_told_anew_when_the_window_gets_another_height(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Lines", "line\n\n" * 10)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Lines")
        await house.until(lambda: house.reading and " 0 %" in house.line("tabs"), "it does not fit")
        await house.pilot.resize_terminal(120, 60)
        await house.until(lambda: "%" not in house.line("tabs"), "it fits")


async def test_what_is_known_stays_where_a_text_was_to_be_laid_out_anew_a_moment_before(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Lines", "line")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Lines")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and "line" in view.text, "its text")
        view.show_lines(wrap=not view.wrap, numbers=False)  # begun, as when the view appears
        view.say([[("what is known", "")]])
        laying = [each for each in house.app.workers if each.group == "lay"]
        await house.until(lambda: all(each.is_finished for each in laying), "laid out")
        assert laying and view.text == "what is known"


async def test_a_text_that_cannot_be_fetched_is_told_in_the_services_words(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        detail = {"status": "no", "message": "This text is \x1b[31mnot for you.", "code": "forbidden"}
        wire.answer(403, {"detail": detail}, path="/content$", times=None)
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: "not for you" in view.text, "the service's words")
        assert "✕" in view.text and "\x1b" not in view.text


async def test_offline_the_texts_that_were_read_are_there_and_marked(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        view = house.browse.reading.view
        await house.until(lambda: house.reading and "chargeback" in view.text, "read once")
        await house.press("escape", "g", "g")
        service.patch(house.browse.kb.mirror.row(service.id("Chargebacks")).id, content="Newer words.")  # type: ignore[union-attr]
        service.patch(service.id("Payment methods"), name="Payment methods, renamed")
        wire.cut("request", path="/content$|/knowledge-base/[^/]+$", times=None)
        await house.press("R")
        await house.until(lambda: "Payment methods, renamed" in house.names, "the sweep saw it")
        await house.select("Chargebacks")
        await house.until(lambda: house.reading, "shown")
        assert "A chargeback means" in view.text
        wire.down()
        await house.press("R")
        await house.until(lambda: "offline" in house.status, "offline")
        await house.select("Osaka, Horie 大阪")
        await house.until(lambda: "✕" in view.text, "never read")
        wire.up()
        wire.heal()
        await house.press("R")
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: "Newer words." in view.text, "the new text")


async def test_the_tab_line_tells_where_a_document_is_that_it_has_a_draft_and_has_the_keys(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        await house.until(lambda: house.reading, "its text")
        assert "Support / Billing" in house.line("tabs") and "draft" not in house.line("tabs")
        assert "▸" not in house.line("tabs") and "read-only" not in house.line("tabs")
        await house.press("3")
        assert house.line("tabs").startswith("▸ text ")
        await house.press("i")
        assert house.line("tabs").startswith("  text ▸ info   agents  Chargebacks  Support / Billing")
        await house.press("i")
        await house.press("e")
        await house.until(lambda: house.app.screen.query("TextArea"), "the editor")
        await house.type("Typed. ")
        assert "Support / Billing" in house.line("header")
        await house.press("ctrl+end", *" End.")
        assert house.app.screen.query_one(TextArea).text.endswith(" End.")
        await house.press("ctrl+home", *"Start. ")
        assert house.app.screen.query_one(TextArea).text.startswith("Start. Typed. ")
        await house.press("escape")
        await house.until(lambda: "● draft · markdown rendered" in house.line("tabs"), "there is a draft")


async def test_of_the_tab_line_the_name_stays_longest_and_no_folder_is_cut(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(settings_for(demo.url, demo.key, tmp_path), (150, 50)) as house:

        def line() -> str:
            region = house.browse.reading.region
            return house.drawn[region.y][region.x :]

        await house.online()
        await house.select("Returns, step by step")
        await house.until(lambda: house.reading, "its text")
        await house.press("3", "/", *"the", "enter", "w")
        tabs = "▸ text   info   agents  Returns, step by step"
        folder, hit = "  Support / Shipping", "hit 1 of 18"
        for width, before, behind in (
            (150, tabs + folder, f"markdown rendered · not wrapped · {hit}"),
            (100, tabs + folder, hit),
            (76, tabs, hit),
            (50, tabs[:36] + "…", hit),
        ):
            await house.pilot.resize_terminal(width, 50)
            wanted = f"{re.escape(before)} +{re.escape(behind)}"
            await house.until(lambda wanted=wanted: re.fullmatch(wanted, line().strip()), wanted)  # type: ignore[misc]
        open_tab = [
            text
            for text, style, _ in house.browse.reading._tabs.render_line(0)
            if style is not None and style.reverse
        ]
        assert open_tab == ["▸ text "], "the name is not selected"


@pytest.mark.parametrize("long", [10_000, 100])
async def test_after_a_look_at_what_else_is_known_the_text_is_where_it_was(
    demo: Demo, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    monkeypatch.setattr(
        "kbtui.tui.widgets.document_view.LONG", long
    )  # rows from which on the beginning is shown meanwhile
    alike = "\n\n".join("The same words in every paragraph of it.\n\n" * 2 for _ in range(60))
    service.add("Alike", f"Quokka.\n\n{alike}\n\nA quokka.\n\n{alike}\n\nThe quokka.\n")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Alike")
        await house.until(lambda: house.reading, "its text")
        view = house.browse.reading.view
        await house.press("3", "pagedown", "pagedown", "j")
        for place in (view.scroll_y, 0):
            for keys in (("i", "i"), ("]", "]", "]"), ("A", "i", "i")):
                await house.press(*keys[:-1])
                await house.until(lambda: house.reading and "quokka" not in view.text, "something else")
                await house.press(keys[-1])
                await house.until(lambda: house.reading and "quokka" in view.text, "the text")
                assert view.scroll_y == place, keys
            await house.press("g", "g")
        await house.press("/", *"quokka", "enter", "n")
        assert "hit 2 of 3" in house.line("tabs")
        place = view.scroll_y
        await house.press("i", "i")
        await house.until(lambda: house.reading and "hit 2 of 3" in house.line("tabs"), "the same hit")
        assert view.scroll_y == place > 0
        await house.press("i", "V")
        await house.until(lambda: "markdown source" in house.line("tabs") and house.reading, "its source")
        assert "hit 2 of 3" in house.line("tabs") and view.hit_in_view
        for burst in ("iV", "iVVV"):
            await house.press("i")
            await house.until(lambda: house.reading and "quokka" not in view.text, "what else is known")
            house.burst(*burst)
            await house.until(lambda: house.reading and "quokka" in view.text.lower(), "the text")
            assert view.hit_in_view, burst
        await house.press("i", "2")
        for name in ("Chargebacks", "Alike"):
            await house.select(name)
            await house.until(lambda: house.reading, "what is known of it")
        await house.press("i")
        await house.until(lambda: house.reading and "Quokka" in view.text, "the text")
        assert view.scroll_y == 0, "another was looked at: from its beginning"
