"""`kbtui open`: the document that is named, one of its chunks, or the editor on it."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import pytest

from kbtui.__main__ import main
from kbtui.demo.server import Demo
from kbtui.rows import Start
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.editor import Editor
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Wire

MODEL = "e5_mistral_7b_instruct"


@pytest.mark.parametrize("how", ["id", "name", "path"])
async def test_a_document_is_opened_by_its_id_its_name_or_its_path(
    demo: Demo, service: Service, tmp_path: Path, how: str
) -> None:
    id = service.id("Chargebacks")
    named = {"id": id, "name": "Chargebacks", "path": "Support/Billing/Chargebacks"}[how]
    async with opened(settings_for(demo.url, demo.key, tmp_path), start=Start(named)) as house:
        await house.until(lambda: house.browse.documents.row and house.row.id == id, "there")
        await house.until(lambda: any("chargeback" in line.casefold() for line in house.drawn), "its text")
        assert house.browse.pane == "view"
        browse = house.browse
        await house.until(lambda: browse.folders.scope == browse.shown.scope, "its folder in the tree")


async def test_a_chunk_is_opened_by_its_id(demo: Demo, service: Service, tmp_path: Path) -> None:
    id = service.add("Long", "\n\n".join(f"# Part {n}\n\n" + f"Sentence {n}. " * 60 for n in range(12)))
    service.call("POST", f"/knowledge-base/{id}/rag-index", json={"model": MODEL})
    house_settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(house_settings) as house:
        await house.online()
        async for _ in house.browse.kb.follow_indexes(id, MODEL):
            pass
    found = service.call("GET", f"/knowledge-base/{id}/chunks", params={"embedding_model": MODEL})["chunks"]
    async with opened(house_settings, start=Start(id, chunk=found[3]["id"])) as house:
        await house.until(lambda: isinstance(house.app.screen, Chunks), "its chunks")
        screen = house.app.screen
        assert isinstance(screen, Chunks)
        await house.until(lambda: screen.list.piece and screen.list.piece.id == found[3]["id"], "the chunk")
    async with opened(house_settings, start=Start(id, found[3]["id"], edit=True)) as house:
        editor = await house.editor()
        assert isinstance(editor, Editor)
        line = editor.query_one("TextArea").document.get_line(editor.query_one("TextArea").cursor_location[0])  # type: ignore[attr-defined]
        assert line and line.split()[0] in found[3]["content"]


async def test_what_cannot_be_edited_says_so_and_is_shown(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    start = Start(service.folder("Box"), edit=True)
    async with opened(settings_for(demo.url, demo.key, tmp_path), start=start) as house:
        await house.until(lambda: "Edit: " in house.notices, "why not")
        assert house.app.screen is house.browse and "Box" in house.line("header")


async def test_where_nothing_may_be_changed_no_editor_opens(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path, read_only=True)
    async with opened(settings, start=Start(service.id("Chargebacks"), edit=True)) as house:
        await house.until(
            lambda: "Edit: this workspace is open for reading only." in house.notices, "why not"
        )
        assert house.app.screen is house.browse and house.row.name == "Chargebacks"


async def test_a_name_that_nothing_has_is_told(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), start=Start("Nessie")) as house:
        await house.until(lambda: "There is no document “Nessie”" in house.notices, "told")
        assert house.app.screen is house.browse


async def test_a_document_that_takes_long_to_find_is_said_to_be_looked_for(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    hold = wire.hold("answer", path=r"/knowledge-base$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path), start=Start("Chargebacks")) as house:
        await house.until(lambda: "Looking for “Chargebacks” …" in house.notices, "told")
        hold.release()
        await house.until(lambda: house.browse.documents.row and house.row.name == "Chargebacks", "there")


async def test_what_is_known_here_opens_without_the_service(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    settings = settings_for(wire.url, demo.key, tmp_path)
    id = service.id("Chargebacks")
    async with opened(settings) as house:
        await house.online()
    wire.down()
    async with opened(settings, start=Start(id)) as house:
        await house.until(lambda: house.browse.documents.row and house.row.id == id, "there")
    wire.up()


@pytest.mark.parametrize(
    ("argv", "start"),
    [
        (["a/b"], Start("a/b")),
        (["a", "--edit", "--demo"], Start("a", edit=True)),
        (["--chunk", "c", "a", "--theme", "dark"], Start("a", "c")),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--demo", "--theme", "light", "-w", "open"]], ids=["", "before"])
def test_what_is_called_is_what_the_app_begins_with(
    argv: list[str], start: Start, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    called = list[argparse.Namespace]()

    def show(settings: object, leaving: object, start: object) -> int:
        begun.append(start)
        return 0

    monkeypatch.setattr("kbtui.__main__._settings", lambda flags, leaving: called.append(flags))
    monkeypatch.setattr("kbtui.__main__._show", show)
    assert main([*flags, "open", *argv]) == 0 and begun == [start]
    assert called[0].workspace == ("open" if flags else None) and called[0].demo == ("--demo" in flags + argv)
    assert called[0].theme == ("dark" if "dark" in argv else "light" if flags else None)


@pytest.mark.parametrize("argv", [["open"], ["open", " "], ["open", "a", "b"], ["open", "a", "--chunk", ""]])
def test_what_is_wrongly_called_is_told_in_a_sentence(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2 and "See kbtui open --help." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--demo", "opne", "a"], "Unrecognized arguments: opne a. See kbtui --help."),
        (["--demo", "serve"], "“serve” goes before its flags. See kbtui --help."),
        (["--demo", "open"], "See kbtui open --help."),
    ],
)
def test_what_stands_behind_flags_is_told_likewise(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "whose"),
    [
        (["--demo", "ls", "--help"], "kbtui ls"),
        (["--demo", "open", "-h"], "kbtui open"),
        (["--demo", "-h"], "kbtui"),
    ],
)
def test_the_help_behind_flags_is_that_of_the_command(
    argv: list[str], whose: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 0 and capsys.readouterr().out.startswith(f"usage: {whose} [-h]")


async def test_a_chunk_that_no_model_has_is_told(demo: Demo, tmp_path: Path) -> None:
    start = Start("Support/Refund policy", chunk="nessie")
    async with opened(settings_for(demo.url, demo.key, tmp_path), start=start) as house:
        await house.until(lambda: "No model has the chunk that you came for" in house.notices, "told")


@pytest.mark.parametrize(
    "start", [Start("", edit=True), Start("", "chunk"), Start("")], ids=["edit", "chunk", "text"]
)
async def test_what_is_found_late_opens_over_nothing_that_is_typed_meanwhile(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, start: Start
) -> None:
    id = service.add("Late one", "Late words.")
    service.add("Mine", "My words.")
    found = wire.hold("answer", path="/summaries$")
    wire.rewrite(
        lambda page: page | {"documents": [each for each in page["documents"] if each["id"] != id]},
        method="GET",
        path="knowledge-base$",
        times=None,
    )
    settings = settings_for(wire.url, demo.key, tmp_path)
    async with opened(settings, start=start._replace(document=id)) as house:
        await asyncio.to_thread(found.wait)
        await house.until(lambda: house.browse.documents.count, "the list")
        editor = await house.editing("Mine")
        await house.type("This is ")
        found.release()
        await house.until(lambda: "“Late one” was found" in house.notices, "told")
        await house.type("among ")
        assert house.app.screen is editor and editor.text == "This is among My words."
        await house.press("escape")
        assert house.row.name == "Mine"
