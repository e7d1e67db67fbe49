"""From a cold start to words in the service and back, as a person goes it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from elevenlabs import ElevenLabs

from tests.e2e.visit import Server, Visit


def loop(kbtui: Visit, name: str) -> None:
    """Filter, open, edit, save; rename; leave."""
    kbtui.settle()
    kbtui.press("g", "a", "/", "ctrl+u")
    kbtui.type(name[:12])
    kbtui.until("1 of 1 ")
    kbtui.press("enter", "enter")
    kbtui.until("text +info")
    kbtui.press("e")
    kbtui.until("as in the service")
    kbtui.type("Edited: ")
    kbtui.until("not saved yet")
    kbtui.press("ctrl+s")
    kbtui.until("Saved, verified")
    kbtui.until("as in the service")
    kbtui.press("escape")
    kbtui.until("/ find")
    kbtui.until("Edited: ")
    kbtui.press("r")
    kbtui.until("Enter save")
    kbtui.type(", renamed")
    kbtui.press("enter")
    kbtui.until("Renamed")
    kbtui.until(", renamed ")


def test_from_a_cold_start_to_words_in_the_service_and_back(server: Server, home: Path) -> None:
    id = server.create("Loop of the day", "what it said before")
    with Visit(home, url=server.url, key=server.key, cold=True) as kbtui:
        loop(kbtui, "Loop of the day")
        assert server.name(id) == "Loop of the day, renamed"
        assert server.text(id) == "Edited: what it said before"
        kbtui.press("u")
        kbtui.until("Undone: rename")
        assert server.name(id) == "Loop of the day"
        kbtui.press("u")
        kbtui.until("Undone: edit")
        assert server.text(id) == "what it said before"
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
        assert not kbtui.drafts()
    with Visit(home, url=server.url, key=server.key) as again:
        again.until("Loop of the day|Support")
        again.press("Q")
        assert again.ended() == 0


QUESTION = "How long may I send things back?"
FIX = "Things may be sent back for 99 days."


def test_a_wrong_answer_is_found_mended_indexed_and_asked_again(server: Server, home: Path) -> None:
    with Visit(home, url=server.url, key=server.key) as kbtui:
        kbtui.settle()
        kbtui.press("g", "q")
        kbtui.until("a question, as a caller asks it")
        kbtui.type(QUESTION)
        kbtui.press("enter")
        kbtui.until("4 agents")
        kbtui.type("ava")
        kbtui.until("1 +Ava|Ava · customer care")
        kbtui.press("enter")
        kbtui.until(r" 1 +━+ +0\.\d+ .*Lithium batteries")  # which says nothing of that
        kbtui.press("j")
        kbtui.until(r"(?m)^ Refund policy  Support")
        kbtui.press("e")
        kbtui.until("as in the service")
        kbtui.type(f"{FIX} ")
        kbtui.press("ctrl+s")
        kbtui.until("Saved, verified")
        kbtui.press("escape")
        kbtui.until("indexed anew: . asks again")
        kbtui.press(".")
        kbtui.until(r" 1 ▲1 +\* ━+ +0\.\d+ .*Refund policy")
        kbtui.until(r"1 rose.*1 in other words since .* ago")
        service = server.sdk()
        (id,) = [
            each.id
            for each in service.list(search="Refund policy", page_size=100).documents
            if each.name == "Refund policy" and FIX in server.text(each.id)
        ]
        model = "e5_mistral_7b_instruct"
        assert service.document.compute_rag_index(id, model=model).status == "succeeded"
        assert FIX in service.documents.chunks.list(id, embedding_model=model).chunks[0].content
        kbtui.press("enter")
        kbtui.until(r"(?m)\d chunks$")
        kbtui.until(FIX.split(" for")[0])
        kbtui.press("escape")
        kbtui.until(r"Search .*\d+ hit")
        kbtui.press("escape", "escape")
        kbtui.until("/ filter")
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()


TELL = """
from pathlib import Path
from kbtui.demo.server import Demo

def enter(demo, enter=Demo.__enter__):
    entered = enter(demo)
    Path({place!r}).write_text(entered.url + " " + entered.key)
    return entered

Demo.__enter__ = enter
"""


def test_the_demo_in_the_app_holds_what_was_typed_and_leaves_nothing_behind(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("demo") / "address"
    with Visit(home, "--demo", script=TELL.format(place=str(place))) as kbtui:
        loop(kbtui, "Welcome to the knowledge base")
        url, key = place.read_text().split()
        with httpx.Client(trust_env=False) as wire:
            client = ElevenLabs(api_key=key, base_url=url, httpx_client=wire)
            service = client.conversational_ai.knowledge_base
            (found,) = service.list(search="Welcome to the knowledge base").documents
            assert found.name == "Welcome to the knowledge base, renamed"
            assert "Edited: " in str(service.documents.get_content(found.id))
            kbtui.press("u")
            kbtui.until("Undone: rename")
            assert service.documents.get(found.id).name == "Welcome to the knowledge base"
        assert list(home.parent.glob("kbtui-demo-*"))
        kbtui.press("Q")
        assert kbtui.ended() == 0
        kbtui.restored()
    assert not list(home.rglob("*"))
    assert [path.name for path in home.parent.iterdir()] == [home.name]
