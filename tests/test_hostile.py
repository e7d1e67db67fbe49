"""Names, texts, answers and settings written by strangers: shown, renamed and edited without harm."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual import events

from kbtui.content import safe
from kbtui.demo.server import Demo
from kbtui.settings import Workspace
from kbtui.tui import widths
from kbtui.tui.cells import PLAIN, cells
from kbtui.tui.picture import Picture
from kbtui.tui.screens.conflict import ConflictScreen
from kbtui.tui.screens.editor import Editor
from kbtui.tui.screens.question import Question
from kbtui.tui.screens.welcome import Welcome
from kbtui.tui.widgets.fields import NameField
from kbtui.tui.widgets.line import fit
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

HOSTILE = {
    "markup": "[/foo]",
    "an action": "[@click=app.quit]x[/]",
    "escapes": "\x1b[31mred\x1b]0;title\x07\x1bPq\x1b\\",
    "C1 controls": "\x9b31m\x85next\u2028line\u2029",
    "line ends": "two\nlines\r\nand\ta tab\x0b\x0c",
    "right to left": "שלום \u202eevil\u2066x\u2069 \u200fעולם",
    "emoji": "👩\u200d👩\u200d👧 ⚡\ufe0f 1\ufe0f\u20e3 e\u0301 \U0001f3f4",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\U000e0041",
    "entities": "&#27;[31m &#x9b;31m &amp;#27; <b> &#x202e;&rlm;&shy;&#xfeff;&amp;#8238;",
    "piles of marks": "Z" + "\u0335" * 60,
    "ten thousand": "long " * 2000,
}
WORDS = "\n\n".join(f'{text}\n[{text}](http://x/%1b\x1b "{text}")\n`{text}`' for text in HOSTILE.values())
OBEYED = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ud800-\\udfff]"
)


def harmless(house: House) -> None:
    """Nothing that is drawn holds what a terminal obeys, nor an action that a click would start."""
    for strip in house.app.screen._compositor.render_strips():
        for text, style, control in strip:
            assert not control
            assert not OBEYED.search(text), text
            assert style is None or ("@click" not in style.meta and style.link is None), (style, text)


@pytest.fixture
def bare() -> Iterator[Demo]:
    """A demo without documents."""
    with Demo(index_seconds=0, sample=False) as server:
        yield server


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_document_of_any_name_is_listed_shown_edited_and_renamed(
    bare: Demo, tmp_path: Path, name: str
) -> None:
    with Service(bare) as service:
        folder = service.folder(name)
        id = service.add(name, "Harmless words.\n", folder)
        async with opened(settings_for(bare.url, bare.key, tmp_path)) as house:
            await house.until(lambda: house.settled and house.names == [name], "listed")
            harmless(house)
            await house.press("1", "z", "R", "l", "enter")
            await house.until(lambda: "Root" not in house.line("header"), "inside")
            shown = safe(name[:20]).strip()
            assert shown in house.line("header") and house.names == [name]
            await house.until(lambda: "Harmless" in house.browse.reading.view.text, "its text")
            harmless(house)
            assert shown in house.line("tabs")
            await house.press("i")
            await house.until(lambda: id in house.browse.reading.view.text, "its info")
            harmless(house)
            await house.press("i", "e")
            await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
            await house.press(*"More. ")
            await house.until(lambda: any("More. Harmless" in line for line in house.drawn), "drawn")
            harmless(house)
            await house.press("f8")
            await house.until(lambda: isinstance(house.app.screen, Question), "the question")
            await house.pilot.pause()
            harmless(house)
            await house.press("escape")
            await house.until(lambda: isinstance(house.app.screen, Editor), "back")
            await house.press("ctrl+s")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            harmless(house)
            assert service.text(id) == "More. Harmless words.\n"
            await house.press("escape", "r", "end", *"!?", "backspace")
            field = house.app.screen.query_one(NameField)
            await house.until(lambda: field.region.y > 1, "the field")
            harmless(house)
            await house.press("enter")
            await house.until(lambda: "Renamed" in house.notices, "renamed")
            assert service.get(id)["name"] == name + "!"
            await house.press("u")
            await house.until(lambda: "Undone" in house.notices, "undone")
            await house.pilot.pause()
            harmless(house)
            assert service.get(id)["name"] == name
            await house.press("r", "end", *"?")
            service.patch(id, name=f"{name}{name}"[:9000])
            await house.press("enter")
            await house.until(lambda: "meanwhile" in house.notices, "a conflict of names")
            await house.pilot.pause()
            harmless(house)
            await house.press("r", "end", *"draft")
            await house.pilot.click("#list", offset=(60, 5))
            await house.press("g", "d")
            await house.until(lambda: any("Put in" in line for line in house.drawn), "the drafts")
            harmless(house)


@pytest.mark.parametrize("format", ["markdown", "html"])
async def test_a_text_of_any_kind_is_shown_and_edited_without_harm(
    bare: Demo, tmp_path: Path, format: str
) -> None:
    html = f"<h1>{WORDS}</h1><p>&amp;#27;[31m <a href='\x1b'>{WORDS}</a></p>"
    words = re.sub("[\x0b\x0c\r\x85\u2028\u2029]", "", html if format == "html" else WORDS)
    with Service(bare) as service:
        id = service.add("Words", words)
        if format == "html":
            service.patch(id, content=words)
        async with opened(settings_for(bare.url, bare.key, tmp_path)) as house:
            await house.until(lambda: house.settled and house.names == ["Words"], "listed")
            await house.until(lambda: house.reading and "foo" in house.browse.reading.view.text, "shown")
            await house.press("3")
            for key in ("V", "V"):
                await house.press(key)
                await house.until(lambda: house.reading and "foo" in house.browse.reading.view.text, "shown")
                for _ in range(12):
                    harmless(house)
                    await house.press("pagedown")
            assert house.app.is_running
            await house.press("e")
            await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
            house.app.post_message(events.Paste("Pasted \x1b[31m[@click=app.quit]x[/]. "))
            await house.until(lambda: any("Pasted ␛[31m[@click" in line for line in house.drawn), "drawn")
            for _ in range(12):
                harmless(house)
                await house.press("pagedown", "end", "shift+up")
            service.patch(id, content="Theirs: \x1b[31m[/]\u202e")
            await house.press("ctrl+s")
            await house.until(lambda: isinstance(house.app.screen, ConflictScreen), "the differences")
            await house.until(lambda: any("What would be saved" in line for line in house.drawn), "drawn")
            for _ in range(12):
                harmless(house)
                await house.press("pagedown")
            await house.press("a", "m")
            await house.until(lambda: "Saved, verified" in house.notices, "saved")
            assert service.text(id) == "Pasted \x1b[31m[@click=app.quit]x[/]. " + words


EVIL = " ".join(text[:60] for text in HOSTILE.values())
OURS = {"cursor", "next_cursor", "extracted_inner_html"}  # what is no text to be shown, or is tested apart


def poisoned(answer: Any, spare: set[str], key: str = "") -> Any:
    """An answer of the service with harm in each of its texts, but for those under the keys of `spare`."""
    if isinstance(answer, dict):
        return {name: poisoned(value, spare, name) for name, value in answer.items()}
    if isinstance(answer, list):
        return [poisoned(value, spare, key) for value in answer]
    return f"\x1b[2J\x1bc\u202e{EVIL}{answer}" if isinstance(answer, str) and key not in spare else answer


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """A document with every text that the contract knows of."""
    sync = {"type": "x", "source_entity_id": "x", "source_mime_type": "x", "source_modified_time": "x"}
    refresh = {"status": "x", "error_message": "x"}
    agent = {"type": "available", "id": "x", "name": "x", "access_level": "x"}
    access = {"creator_name": "x", "creator_email": "x", "role": "x", "access_source": "x"}
    synced = {} if document["type"] == "text" else {"external_sync_info": sync, "active_sync_job": refresh}
    return document | {
        **{"url": "http://x/", "filename": "x", "content_format": "html", "refresh_status": refresh},
        **synced,
        **{"access_info": access, "dependent_agents": [agent], "supported_usages": ["x"], "of tomorrow": "x"},
    }


@pytest.mark.parametrize(
    "spare",
    [OURS | {"id", "folder_parent_id", "type"}, OURS | {"id", "folder_parent_id"}, OURS | {"type"}],
    ids=["all but ids and types", "all but ids", "all but types"],
)
async def test_whatever_text_the_service_sends_of_documents_is_shown_as_text(
    demo: Demo, wire: Wire, tmp_path: Path, spare: set[str]
) -> None:
    def rewritten(answer: dict[str, Any]) -> Any:
        if "documents" in answer:
            answer["documents"] = [complete(document) for document in answer["documents"]]
        return poisoned(complete(answer) if "id" in answer else answer, spare)

    wire.rewrite(rewritten, path="knowledge-base(/[^/]+)?$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled and house.names, "listed")
        harmless(house)
        await house.press("1", "z", "R", "j", "j")
        await house.until(lambda: house.settled, "the tree")
        harmless(house)
        await house.press("g", "a", "2", "t")
        await house.pilot.pause()
        harmless(house)
        await house.press("escape", "g", "a")
        for tab in ("i", "i"):
            await house.press("g", "g", tab)
            for _ in range(8):
                await house.until(lambda: house.reading, "the document")
                harmless(house)
                await house.press("j")
        for key in ("r", "escape", "F", "escape", "e"):
            await house.press(key)
            await house.pilot.pause()
            harmless(house)
        if {"id", "type"} <= spare:
            await house.until(lambda: isinstance(house.app.screen, Editor), "the editor")
            await house.press(*"Words")
            harmless(house)


async def test_a_refusal_of_the_service_is_shown_as_text(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    for number in range(len(HOSTILE)):
        service.add(f"Refused {number}", "words")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.until(lambda: house.settled and house.names, "listed")
        for number, evil in enumerate(HOSTILE.values()):
            answer = {"detail": {"message": evil, "code": evil, "status": evil}}
            wire.answer(403, answer, path="/content$", times=None)
            await house.select(f"Refused {number}")
            await house.until(lambda: house.reading, "read")
            assert "✕" in house.browse.reading.view.text, "in the place of the text"
            harmless(house)
            house.app.clear_notifications()
            await house.press("e")
            await house.until(lambda: house.notices, "as a notice")
            await house.pilot.pause()
            harmless(house)
            wire.heal()
            house.wait_a_moment()


async def test_names_and_addresses_of_workspaces_are_shown_as_text(bare: Demo, tmp_path: Path) -> None:
    for name in HOSTILE.values():
        settings = settings_for(bare.url, bare.key, tmp_path, name=name)
        away = Workspace(name + "2", f"https://host.example/{name[:40]}")
        async with opened(replace(settings, workspaces=(settings.workspace, away))) as house:
            await house.online()
            harmless(house)
            await house.press("g", "w", "j")
            await house.pilot.pause()
            harmless(house)
            await house.press("enter")
            await house.until(lambda: isinstance(house.app.screen, Welcome), "the first-run page")
            await house.pilot.pause()
            harmless(house)


@pytest.mark.parametrize("marks", [0, 1], ids=["joined", "apart"])
def test_what_stands_behind_a_name_is_in_its_column_however_wide_a_terminal_draws_the_name(
    marks: int,
) -> None:
    def columns(sent: str, words: tuple[str, ...]) -> list[int]:
        """Where words begin in a terminal that gives vowel signs this many cells."""
        text, at, x = "", list[int](), 0
        for numbers, kind, character in re.findall(r"\x1b\[([0-9;?]*)([a-zA-Z])|([^\x1b])", sent):
            if character:
                text, at = text + character, [*at, x]
                category = unicodedata.category(character)
                x += marks if category == "Mc" else category not in ("Mn", "Me", "Cf")
            elif kind == "H":
                x = int(numbers.partition(";")[2] or 1) - 1
            elif kind in "CD":
                x += int(numbers or 1) * (1 if kind == "C" else -1)
        return [at[text.rindex(each)] for each in words]

    widths.install()
    words = ("text", "5 B", "now")
    for name in ("plain", "वापसी और धन-वापसी"):
        picture = Picture(60, 1)
        picture.put(0, 0, cells([(fit(name, 30) + "text      5 B     now", PLAIN)], 60))
        assert columns(picture.changes(), words) == [30, 40, 48]


def filtered(house: House, start: str) -> bool:
    return house.browse.shown.text.startswith(start)


async def test_a_filter_of_any_kind_is_shown_as_text(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        for text in HOSTILE.values():
            await house.press("/", "ctrl+u")
            house.app.post_message(events.Paste(text))
            await house.until(partial(filtered, house, text.splitlines()[0][:9]), "pasted")
            await house.pilot.pause()
            harmless(house)
            await house.press("enter")
            await house.pilot.pause()
            assert house.line("chips")
            harmless(house)
