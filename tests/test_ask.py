"""Asking as an agent asks: the answer, what became of it, and what the search finds beside it."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from kbtui.answers import MODELS
from kbtui.demo.server import Demo
from kbtui.questions import Question
from kbtui.tui.screens.agents import Agents
from kbtui.tui.screens.ask import Ask
from kbtui.tui.screens.chunks import Chunks
from kbtui.tui.screens.question import Question as Asked
from kbtui.tui.screens.search import Search
from tests.asking import OTHER, QUERY, QUESTION, agent, answered, asked, asking, here, shown, theirs, told
from tests.house import opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_the_chunks_are_those_of_the_service_in_its_order_with_their_distances(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    chunks = theirs(service)
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        assert shown(screen) == [(each["document_id"], each["chunk_id"]) for each in chunks]
        for number, (line, chunk) in enumerate(zip(house.drawn[3:], chunks, strict=False), 1):
            assert line.lstrip().startswith(f"{number} ")
            assert f" {chunk['vector_distance']:.3f} " in line and chunk["document_name"] in line
        await house.until(lambda: screen.hits, "what the search finds")
        both = {id for id, _ in shown(screen)} & {hit.id for hit in screen.hits}
        await house.until(
            lambda: (
                sum("●" in line[:40] for line in house.drawn[3:])
                == sum(id in both for id, _ in shown(screen))
            ),
            "marked in the answer",
        )
        assert "● in both" in house.line("beside"), "and what the mark means"


async def test_opening_it_asks_nothing_and_each_question_asks_once(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.until(lambda: house.indexes_known, "the column of the list")
        wire.forget()
        await house.press("g", "q", *QUESTION)
        assert not wire.requests
        await house.press("escape")
        await asking(house)
        assert asked(wire) == [QUESTION]
        await house.press("j", "k", "G")
        assert asked(wire) == [QUESTION]


async def test_asked_again_after_a_change_it_tells_what_became_of_each_chunk(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        last = len(shown(screen)) - 1
        await house.press("G")
        document, _ = shown(screen)[last]
        text = service.text(document)
        service.patch(
            document, content=f"<p>{QUESTION} You may send things back for long: 99 days.</p>{text}"
        )
        ranks = [each["document_id"] for each in theirs(service)]
        await house.press(".")
        await house.until(lambda: "since" in told(house), "compared")
        assert "1 rose" in told(house) and "1 in other words" in told(house)
        assert [id for id, _ in shown(screen)][: len(ranks)] == ranks
        assert screen.chunk is not None and screen.chunk.document == document  # the cursor went along
        line = next(line for line in house.drawn if "▲" in line)
        assert f"▲{last - ranks.index(document)}" in line and "*" in line
        await house.until(lambda: "before, it was number" in " ".join(house.drawn), "in words")


async def test_an_endpoint_that_refuses_says_so_and_the_search_goes_on(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await asking(house)
        refused = {"detail": {"status": "not_found", "message": "No such endpoint."}}
        wire.answer(404, refused, path=QUERY, times=None)
        await house.press("/", "ctrl+u", *OTHER, "enter")
        screen = here(house)
        await house.until(lambda: told(house) == "No such endpoint", "told")
        await house.until(lambda: house.notices, "in a sentence")
        await house.until(lambda: screen.hits and screen.results.count == len(screen.hits), "the search")
        assert not shown(screen)


async def test_a_late_answer_never_takes_the_place_of_a_newer_one(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    newer = [each["chunk_id"] for each in theirs(service, OTHER)]
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        hold = wire.hold("answer", path=QUERY)
        await house.press(".")
        await house.until(lambda: len(asked(wire)) == 2, "asked again")
        await house.press("/", "ctrl+u", *OTHER, "enter")
        await house.until(lambda: [id for _, id in shown(screen)] == newer, "the newer one")
        hold.release()
        await house.press("j", "k")
        assert [id for _, id in shown(screen)] == newer


async def test_questions_are_kept_newest_first_asked_by_enter_and_forgotten_after_a_question(
    demo: Demo, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings) as house:
        await asking(house)
        await house.press("/", "ctrl+u", *OTHER, "enter")
        await house.until(lambda: here(house).question.words == OTHER and "chunk" in told(house), "answered")
    async with opened(settings) as house:
        await house.online()
        await house.press("g", "q")
        screen = here(house)
        assert [each.words for each in screen.kept] == [OTHER, QUESTION]
        assert house.drawn[3].endswith(OTHER.ljust(len(house.drawn[3]) - house.drawn[3].index(OTHER)))
        await house.press("down", "j", "enter")
        await house.until(lambda: "since" in told(house), "asked again")
        assert screen.question.words == QUESTION
        await house.press("g", "q")
        assert [each.words for each in screen.kept] == [QUESTION, OTHER]
        await house.press("x")
        await house.until(lambda: isinstance(house.app.screen, Asked), "the question")
        await house.press("escape")
        assert len(screen.kept) == 2
        await house.press("x")
        await house.until(lambda: isinstance(house.app.screen, Asked), "the question")
        await house.press("y")
        await house.until(lambda: [each.words for each in screen.kept] == [OTHER], "forgotten")


async def test_a_dot_in_browse_asks_the_last_question_again(demo: Demo, wire: Wire, tmp_path: Path) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press(".")
        await house.until(lambda: "Nothing was asked yet" in house.notices, "told")
        await house.press("escape")
        await asking(house)
        await house.press("escape", "escape")
        assert house.app.screen is house.browse
        await house.press(".")
        await house.until(lambda: "since" in told(house), "asked again")
        assert asked(wire) == [QUESTION, QUESTION]


@pytest.mark.parametrize("key", ["enter", "c"])
async def test_the_chunk_is_shown_among_those_of_its_document(
    demo: Demo, service: Service, tmp_path: Path, key: str
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house, "C-118 battery management board, fault code")
        documents = [document for document, _ in shown(screen)]
        at = documents.index(service.id("Fault codes, complete"))
        await house.press(*"j" * at)
        chunk = shown(screen)[at][1]
        await house.press(key)
        viewer = house.app.screen
        assert isinstance(viewer, Chunks)
        await house.until(lambda: viewer.list.piece and viewer.list.piece.id == chunk, "there")
        await house.press("escape")
        assert house.app.screen is screen


async def test_by_words_and_with_neutral_settings_are_other_questions(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        assert "s by words" in house.line("footer")
        await house.press("s")
        await house.until(lambda: len(asked(wire)) == 2 and "chunk" in told(house), "asked by words")
        assert "s by meaning" in house.line("footer")
        words = [each["chunk_id"] for each in theirs(service, strategy="keyword")]
        await house.until(lambda: [id for _, id in shown(screen)] == words, "by words")
        assert "by words" in house.line("header")
        await house.press("o")
        await house.until(lambda: len(asked(wire)) == 3 and "chunk" in told(house), "neutral")
        assert wire.requests[-1].path.endswith(QUERY) or asked(wire)
        assert [each.json()["use_agent_defaults"] for each in wire.requests if each.path.endswith(QUERY)] == [
            True,
            True,
            False,
        ]


async def test_a_kept_question_that_is_selected_is_the_one_that_is_asked_again(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.press("/", "ctrl+u", *OTHER, "enter")
        await house.until(lambda: screen.question.words == OTHER and "chunk" in told(house), "answered")
        await house.press("g", "q", "j", ".")
        await house.until(lambda: asked(wire)[2:] == [QUESTION], "the selected one")


async def test_agents_are_found_by_parts_of_their_names(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "q", "f3")
        screen = house.app.screen
        assert isinstance(screen, Agents)
        await house.until(lambda: len(screen.shown) == 4, "all")
        await house.press(*"DESK")
        assert [each.name for each in screen.shown] == ["Night desk"]
        assert "1 of 4 agents" in house.line("header")
        await house.press("enter")
        assert "Night desk" in house.line("header")


async def test_the_words_of_a_search_go_along_to_the_question_and_back(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await asking(house)
        await house.press("[")
        await house.until(lambda: isinstance(house.app.screen, Search), "the search")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("]")
        await house.until(lambda: isinstance(house.app.screen, Ask), "the question")
        await house.until(lambda: "since" in told(house), "asked again")
        assert here(house).question.words == QUESTION and "[ search" in house.line("footer")
        await house.press("[")
        await house.until(lambda: isinstance(house.app.screen, Search), "back")
        assert house.app.screen.field.value == QUESTION  # type: ignore[attr-defined]


async def test_a_chunk_opens_under_the_model_of_the_agent_that_was_asked(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "q", *"How long may I return things?", "enter")
        await house.until(lambda: "agents" in house.line("header"), "the agents")
        await house.press(*"emil", "enter")
        screen = here(house)
        await answered(house)
        await house.until(lambda: screen.model == MODELS[1], "its model")
        assert MODELS[1] in house.line("heads") and screen.chunk is not None
        wanted = screen.chunk.id
        await house.press("enter")
        chunks = house.app.screen
        assert isinstance(chunks, Chunks)
        await house.until(lambda: chunks.list.piece and chunks.list.piece.id == wanted, "the chunk")
        assert chunks.model == MODELS[1]


async def test_by_words_there_is_no_column_of_distances(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        assert "Distance" in house.line("heads")
        await house.press("s")
        await house.until(lambda: screen.asked.strategy == "keyword" and screen.answer, "by words")
        assert "Distance" not in house.line("heads") and "Chunk of" in house.line("heads")
        assert screen.chunk is not None and house.drawn[3].index(screen.chunk.name) < 16
        await house.press("s")
        await house.until(lambda: "Distance" in house.line("heads"), "by meaning again")


async def test_the_settings_of_the_agent_are_told_where_they_are_used(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    def limited(told: Any) -> Any:
        rag = told["conversation_config"]["agent"]["prompt"]["rag"]
        rag |= {"enabled": True, "max_vector_distance": 0.55, "max_retrieved_rag_chunks_count": most}
        return told

    most = 7
    wire.rewrite(limited, path=f"agents/{agent(service)}$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await asking(house)
        await house.until(lambda: "by meaning, ≤ 7 chunks, distance ≤ 0.55" in house.line("header"), "told")
        await house.press("s")
        await house.until(lambda: "by words, ≤ 7 chunks" in house.line("header"), "by words")
        assert "distance" not in house.line("header")
        await house.press("o")
        await house.until(lambda: "with neutral settings" in house.line("header"), "neutral")
        assert "≤" not in house.line("header")
        most = 9
        await house.press("s", "o")
        await house.until(lambda: "by meaning, ≤ 9 chunks" in house.line("header"), "as they are now")


async def test_an_answer_with_nothing_says_how_near_a_chunk_must_be(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    wire.rewrite(lambda told: {**told, "chunks": []}, path=QUERY)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.until(lambda: "none beyond a distance of 0." in screen.about.text, "why")


async def test_a_service_that_is_slow_is_said_not_to_have_answered_yet_and_nothing_more_is_drawn(
    demo: Demo, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await asking(house)
        monkeypatch.setattr("kbtui.tui.screens.ask.SLOW", 0.05)
        hold = wire.hold("answer", path=QUERY)
        await house.press(".")
        await house.until(lambda: told(house) == "the service has not answered yet", "told")
        hold.release()
        await house.until(lambda: "since" in told(house), "answered")
        monkeypatch.setattr("kbtui.tui.screens.ask.SLOW", 0.3)
        began = monotonic()
        await house.press(".")
        await house.until(lambda: monotonic() - began > 0.4 and "since" in told(house), "it stays answered")


async def test_the_branch_of_a_kept_question_has_its_name(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    settings = settings_for(demo.url, demo.key, tmp_path)
    async with opened(settings, (80, 24)) as house:
        await house.online()
        kb = house.browse.kb
        long = Question(agent(service), "Ava · customer care", QUESTION * 4, "b1", "keyword", False, "winter")
        kb.keep_question(long)
        await house.press("g", "q", "down")
        told = next(line for line in house.drawn if "on winter" in line)
        assert "Ava · customer care, on winter, by words, with neutral settings" in told


async def test_from_a_search_the_keys_are_for_the_answer_and_from_there_for_what_is_found(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("S", *"battery")
        await house.until(lambda: "document" in house.line("header"), "found")
        await house.press("enter", "]")  # nobody was asked yet
        await house.until(lambda: isinstance(house.app.screen, Agents), "the agents")
        await house.until(lambda: "agents" in house.line("header"), "their names")
        await house.press("escape", "[")
        assert isinstance(house.app.screen, Search) and house.app.screen.field.value == "battery"
        await house.until(lambda: "document" in house.line("header"), "found again")
        await house.press("j", "]")
        await house.until(lambda: isinstance(house.app.screen, Agents), "the agents")
        await house.until(lambda: "agents" in house.line("header"), "their names")
        await house.press(*"ava", "enter")
        await answered(house)
        await house.press("[", "j")
        search = house.app.screen
        assert isinstance(search, Search) and search.field.value == "battery"


async def test_each_verb_of_an_answer_does_what_it_says(demo: Demo, service: Service, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.press("u")
        await house.until(lambda: "nothing to undo" in house.notices, "told")
        await house.mend("Better words. ")
        document = shown(screen)[0][0]
        await house.until(lambda: "indexed anew" in screen.index[0], "followed")
        screen.index = ("", "")
        await house.press("u")
        await house.until(lambda: "Undone: edit" in house.notices or screen.index[0], "taken back")
        await house.until(lambda: "indexed anew" in screen.index[0], "followed again")
        assert "Better words." not in service.text(document)
        await house.press("i")
        assert house.app.screen is house.browse and house.row.id == document
        assert house.browse.reading.tab == "info"


async def test_q_leaves_an_answer_and_a_capital_q_quits_from_there(demo: Demo, tmp_path: Path) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.until(lambda: screen.results.count, "hits")
        await house.press("tab", "q")
        assert screen.here()[0] == "answer"
        await house.press("q")
        assert house.app.screen is house.browse, "q leaves the answer and never types"
        await house.press(".")
        await house.until(lambda: here(house).answer is not None, "asked again")
        await house.press("?", *"quit; drafts")
        assert any("quit; drafts are kept" in line for line in house.drawn)
        await house.press("escape")
        house.burst("Q")
        await house.until(lambda: not house.app.is_running, "the end")


async def test_the_hits_beside_an_answer_are_of_the_words_that_were_looked_up(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        screen = await asking(house)
        await house.until(lambda: screen.hits, "what the search finds")
        before = screen.hits
        hold = wire.hold("request", path=QUERY)
        await house.press("/", "ctrl+u", *OTHER, "enter")
        await house.until(lambda: screen.hits and screen.hits != before, "for the other words")
        await house.press("tab", "enter", "g", "s")
        search = house.app.screen
        hold.release()
        assert isinstance(search, Search) and search.field.value == OTHER


async def test_what_an_answer_leaves_free_is_for_the_hits_and_a_line_parts_the_text_from_them(
    demo: Demo, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), (80, 24)) as house:
        screen = await asking(house)
        await house.until(lambda: screen.hits, "what the search finds")
        await house.pilot.pause()
        few, many = screen.lines.count, screen.results.count
        assert few < 6 and screen.lines.size.height == few and many > screen.results.size.height >= 7
        assert house.drawn[screen.about.region.y] == "─" * 80
        bars = [each.vertical_scrollbar.region.x for each in (screen.results, screen.about)]
        assert bars == [79, 79]
        await house.press("s")
        await house.until(
            lambda: screen.lines.count > few and "chunk" in told(house), "by words, there are more"
        )
        await house.until(lambda: screen.lines.size.height == screen.lines.count, "room for them")
        assert screen.results.size.height >= 3
        await house.pilot.resize_terminal(120, 36)
        await house.until(lambda: screen.results.size.width > 35, "beside the answer, wide enough for names")
