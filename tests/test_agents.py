"""Which agents use a document, what an agent knows, and the knowledge base as one agent sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kbtui.agents import User
from kbtui.demo.sample import id_of
from kbtui.demo.server import Demo
from kbtui.rows import ALL, ROOT, Chosen, Found, View
from kbtui.tui.screens.agents import Agents
from kbtui.tui.screens.ask import Ask
from kbtui.tui.screens.knowledge import Known
from kbtui.tui.widgets.users import user_lines
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.test_hostile import HOSTILE, harmless
from tests.wire import Wire

AVA, EMIL = "Ava · customer care", "Emil · Kundendienst"
WINTER = f"agtbranch_{id_of(AVA + 'winter-tariffs')}"
REFUSAL = {"detail": {"status": "missing_permissions", "message": "The API key lacks convai_read."}}
LACKS = "lacks the permission convai_read"


def agent(name: str) -> str:
    return f"agent_{id_of(name)}"


def told(house: House) -> str:
    """What the document view says, in one line."""
    return " ".join(house.browse.reading.view.text.split())


def asked(wire: Wire, what: str) -> int:
    return sum(what in each.path for each in wire.requests)


async def users_of(house: House, name: str) -> str:
    """Everything that the tab of agents says of a document."""
    house.browse.reading.tab = "text"
    await house.select(name)
    await house.press("A")
    await house.until(lambda: house.reading and "asked at" in told(house), "its agents")
    return told(house)


# Who uses a document


async def test_who_uses_a_document_is_told_with_the_way_and_the_branches_or_why_not(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        text = await users_of(house, "Refund policy (EU)")
        assert text.startswith("1 agent uses it") and f"{AVA} {agent(AVA)} through the folder Support" in text
        assert "on the branches Main, winter-tariffs" in text and "directly" not in text
        text = await users_of(house, "Chargebacks")
        assert "2 agents use it" in text and f"Night desk {agent('Night desk')} directly" in text
        text = await users_of(house, "Warranty terms")
        unseen = f"an agent that you may not see {agent('People desk')} directly"
        assert unseen in text and f"{AVA} {agent(AVA)} through the folder Support" in text
        assert "No agent uses it." in await users_of(house, "Cell 7: notice of 2021")
        await house.press("A")
        await house.select("Payment methods")
        wire.answer(401, REFUSAL, path="dependent-agents")
        await house.press("A")
        await house.until(lambda: LACKS in told(house), "refused")
        await house.press("A")
        await house.until(lambda: told(house).startswith("Payment methods"), "its text")
        await house.press("A")
        await house.until(lambda: "1 agent uses it" in told(house), "asked again")


async def test_agents_are_asked_about_when_somebody_looks_and_once(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.press("g", "a")
        for _ in range(10):
            await house.press("j")
            await house.until(lambda: house.reading, "its text")
        assert not asked(wire, "dependent-agents")
        await house.press("A")
        await house.until(lambda: "asked at" in told(house), "its agents")
        await house.press("h", "j", "j")
        await house.until(lambda: house.reading, "rested, where nobody looks at agents")
        assert asked(wire, "dependent-agents") == 1
        await house.press("l")
        await house.until(lambda: asked(wire, "dependent-agents") == 2 and "asked at" in told(house), "seen")
        await house.press("h", "k", "k", "l")
        await house.until(lambda: house.reading and "asked at" in told(house), "seen again")
        assert asked(wire, "dependent-agents") == 2
        await house.press("R")
        await house.until(lambda: asked(wire, "dependent-agents") == 3, "anew")


# What an agent knows


async def knowledge(house: House) -> Known:
    await house.online()
    await house.press("g", "A")
    screen = house.app.screen
    assert isinstance(screen, Known)
    return screen


def modes(screen: Known) -> dict[str, str]:
    return {each.name: each.mode for each in screen.attached._attached}


async def test_what_an_agent_knows_is_told_with_its_size_and_leads_to_the_documents(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    pages = service.call("GET", f"/agent/{agent(AVA)}/knowledge-base/size")["number_of_pages"]
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        screen = await knowledge(house)
        await house.until(lambda: "pages" in house.line("heads"), "its size")
        assert f"{AVA} 2 documents, 4 folders · {round(pages)} pages · RAG on" in house.line("heads")
        assert modes(screen)["Support"] == "auto" and modes(screen)["Greeting and identification"] == "prompt"
        head = next(line for line in house.drawn if "Usage" in line)
        line = next(line for line in house.drawn if "Greeting and identification  Agent scripts" in line)
        assert line.index(" text") == head.index(" Type") and line.index("prompt") == head.index("Usage")
        assert line.index(" text") < line.index("Agent scripts") + 20, "near its name"
        await house.press("b")
        await house.until(lambda: len(modes(screen)) == 3, "the other branch")
        assert f"{AVA} (winter-tariffs)" in house.line("heads") and "pages" not in house.line("heads")
        await house.press("/", *"night", "enter")
        await house.until(lambda: "Night desk" in house.line("heads") and screen.attached.count == 5, "found")
        await house.press("enter", "G", "enter")
        assert house.app.screen is house.browse and house.row.name == "Script for a storm day ⚡"
        assert "Agent scripts" in house.line("header")
        await knowledge(house)
        await house.until(lambda: "Night desk" in house.line("heads"), "the agent that was looked at last")
        await house.press("/", *"ava", "enter", "b")
        await house.until(lambda: f"{AVA} (winter-tariffs)" in house.line("heads"), "her branch")
        await house.press("v")
        await house.until(lambda: house.browse.shown.eye, "as she sees it")
        await house.press("g", "A", "j", "q")
        await knowledge(house)
        await house.until(lambda: f"{AVA} (winter-tariffs)" in house.line("heads"), "whose eye it is")


async def test_what_the_service_does_not_tell_of_an_agent_is_said(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    def configured(answer: Any) -> Any:
        return {**answer, "conversation_config": {"agent": {"prompt": None}}}

    wire.rewrite(configured, path=f"agents/{agent(AVA)}$")
    wire.answer(403, {"detail": {"status": "x", "message": "Not yours."}}, path=f"agents/{agent(EMIL)}$")
    wire.answer(404, {"detail": "Not Found"}, path="size$", times=None)
    wire.answer(404, {"detail": "Not Found"}, path="branches$")
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        screen = await knowledge(house)
        await house.until(lambda: "does not tell what is attached" in screen._about.text, "said")
        assert "RAG" not in house.line("heads") and "page" not in house.line("heads")
        await house.press("b")
        await house.until(lambda: "has no other branch" in house.notices, "an older workspace")
        await house.press("j")
        await house.until(lambda: "Not yours." in screen._about.text, "refused")
        await house.press("j")
        await house.until(lambda: screen.attached.count and not screen._about.display, "the next one")


# As an agent sees it


def eyes(service: Service, chosen: Chosen) -> set[str]:
    """The documents that the service lets an agent read, by its own retrieval."""
    found = set()
    query = {"branch_id": chosen.branch} if chosen.branch else {}
    for each in everything(service):
        body = {"strategy": "cat", "documents": [each["id"]]}
        path = f"/agents/{chosen.agent}/knowledge-base/rag-query"
        answer = service.call("POST", path, params=query, json=body)
        found |= {each["id"]} if answer["document"] else set()
    return found


def everything(service: Service) -> list[dict[str, Any]]:
    query = {"page_size": 100, "types": ["text", "url", "file"]}
    answer = service.call("GET", "/knowledge-base", params=query)
    assert not answer["has_more"]
    return list(answer["documents"])


def shown(house: House) -> set[str]:
    """The ids of the list."""
    rows = (house.browse.documents.at(index) for index in range(house.browse.documents.count))
    return {row.id for row in rows if row is not None}


async def test_as_an_agent_sees_it_is_what_it_can_retrieve_and_nothing_else(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    night = Chosen(agent("Night desk"), "Night desk")
    winter = Chosen(agent(AVA), AVA, WINTER, "winter-tariffs")
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "a", "f", "a")
        await house.until(lambda: "4 agents" in house.line("header"), "the agents")
        await house.press(*"night", "enter")
        await house.until(lambda: "as Night desk sees it" in house.line("chips"), "its eyes")
        assert shown(house) == eyes(service, night) and len(shown(house)) == 5
        house.app.look_as(winter)
        await house.until(lambda: "(winter-tariffs) sees it" in house.line("chips"), "the branch")
        assert shown(house) == eyes(service, winter)


async def test_what_an_agent_sees_is_counted_and_the_newest_filter_goes_first(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        whole = house.browse.kb.mirror.count(ALL)
        await house.enter("Internal")
        await house.press("g", "A")
        await house.until(lambda: "pages" in house.line("heads"), "the agents")
        await house.press("/", *"night", "enter", "v")
        await house.until(lambda: "as Night desk sees it" in house.line("chips"), "its eyes")
        assert house.browse.shown.scope == ROOT, "it sees nothing in the folder that was shown"
        assert house.names == ["Agent scripts", "Products", "Support"]
        assert "1 of 3" in house.line("footer") and "(" not in house.line("footer")
        tree = {node.name: node.documents for node in house.browse.folders._shown}
        assert tree == {
            "All documents": 5, "Root": 5, "Agent scripts": 1, "Products": 2, "Support": 2,
        }  # fmt: skip
        assert any("Support" in line and "2 items" in line for line in house.drawn)
        await house.press("/", *"prod", "enter")
        assert house.names == ["Products"] and "(3)" in house.line("footer")
        await house.press("escape")
        assert house.browse.shown.eye and not house.browse.shown.text
        seen, unseen = "Chargebacks", "Refund policy (EU)"
        house.browse.show_found(Found(service.id(seen), seen, "text"))
        assert house.row.name == seen and house.browse.shown.eye
        house.browse.show_found(Found(service.id(unseen), unseen, "text"))
        assert house.row.name == unseen and not house.browse.shown.eye
        await house.until(lambda: "Night desk does not see it" in house.notices, "told")
        house.app.look_as(Chosen(agent("Night desk"), "Night desk"))
        await house.until(lambda: house.browse.shown.eye, "its eyes again")
        await house.press("2", "g", "h", "escape")
        assert house.browse.shown == View() and house.browse.whole(ALL) == whole
        assert not house.browse.has_class("-chips")


# Asking a branch


async def test_a_branch_is_asked_and_the_question_remembers_it(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.press("g", "q", *"What does the night cost?", "enter")
        screen = house.app.screen
        assert isinstance(screen, Agents)
        await house.until(lambda: screen.shown, "the agents")
        await house.until(lambda: any(" Tags " in line for line in house.drawn), "heads")
        assert house.drawn[1].startswith(" find part of its name")
        head = next(line for line in house.drawn if " Tags " in line)
        assert any(
            line.index(agent(AVA)) == head.index(" Id ") + 1 for line in house.drawn if agent(AVA) in line
        )
        await house.press(*"night", "tab")
        await house.until(lambda: "has one branch only" in house.notices, "told")
        await house.press("ctrl+u", *"ava", "tab")
        await house.until(lambda: len(screen.shown) == 3, "its branches")
        await house.press("down", "enter")
        ask = house.app.screen
        assert isinstance(ask, Ask)
        await house.until(lambda: ask.answer is not None, "answered")
        query = next(each for each in wire.requests if each.path.endswith("rag-query"))
        assert query.query == [("branch_id", WINTER)]
        assert f"{AVA} (winter-tariffs)"[:28] in house.line("header")
        kept = house.browse.kb.questions()[0]
        assert (kept.branch, kept.agent_name, kept.branch_name) == (WINTER, AVA, "winter-tariffs")
        await house.press("g", "q")
        await house.until(lambda: any("on winter-tariffs" in line for line in house.drawn), "its branch")


async def test_where_the_key_may_not_list_agents_its_own_sentence_is_said(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    wire.answer(401, REFUSAL, path="agents$", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "q", "f3")
        screen = house.app.screen
        assert isinstance(screen, Agents)
        await house.until(lambda: LACKS in screen.trouble.text, "refused")
        assert any(LACKS in line for line in house.drawn)
        await house.press("escape", "escape", "g", "A")
        known = house.app.screen
        assert isinstance(known, Known)
        await house.until(lambda: "lacks the" in known.trouble.text, "refused here, too")


async def test_agents_and_branches_of_any_name_are_shown_without_harm(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    name = " ".join(words for words in HOSTILE.values() if len(words) < 1000)

    def named(answer: Any) -> Any:
        """The answer with every name another."""
        if isinstance(answer, list):
            return [named(each) for each in answer]
        if not isinstance(answer, dict):
            return answer
        return {key: name if key.endswith("name") else named(value) for key, value in answer.items()}

    wire.rewrite(named, path="agents|branches", times=None)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("g", "A", "/")
        assert any("or of its id" in line for line in house.drawn), "what is looked at"
        await house.press(*agent(AVA)[-6:], "enter")
        await house.until(lambda: "pages" in house.line("heads"), "an agent")
        await house.press("b")
        await house.until(lambda: "pages" not in house.line("heads"), "a branch")
        harmless(house)
        await house.press("v")
        await house.until(lambda: "sees it" in house.line("chips"), "its eyes")
        harmless(house)
        await house.press("A")
        await house.until(lambda: "asked at" in told(house), "who uses it")
        harmless(house)
        await house.press("f", "a")
        await house.until(lambda: "4 agents" in house.line("header"), "the agents")
        await house.press(*agent(AVA)[-6:], "tab")
        await house.until(lambda: any("↳" in line for line in house.drawn), "branches")
        harmless(house)


async def test_the_eyes_that_were_given_up_do_not_come_back_with_a_late_answer(
    demo: Demo, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        house.app.look_as(Chosen(agent("Night desk"), "Night desk"))
        await house.until(lambda: house.browse.shown.eye, "its eyes")
        hold = wire.hold("answer", path=f"agents/{agent('Night desk')}$")
        await house.press("R")
        await house.until(hold.arrived.is_set, "asked again")
        await house.press("escape")
        assert house.browse.shown.eye is None
        hold.release()
        await house.until(lambda: house.settled, "all is read")
        assert house.browse.shown.eye is None


async def test_half_of_what_an_agent_knows_is_asked_for_again(demo: Demo, wire: Wire, tmp_path: Path) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        hold = wire.hold("answer", path=f"agent/{agent(AVA)}/knowledge-base/size")
        await knowledge(house)
        await house.until(hold.arrived.is_set, "its size is asked for")
        await house.press("j")
        await house.until(
            lambda: "Emil" in house.line("heads") and "pages" in house.line("heads"), "the next"
        )
        await house.press("k")
        await house.until(
            lambda: AVA in house.line("heads") and "pages" in house.line("heads"), "its size too"
        )
        hold.release()


def test_agents_folders_and_branches_that_are_not_told_of_are_counted() -> None:
    folders = [f"f{number}" for number in range(13)]
    branches = tuple(f"b{number}" for number in range(12))
    many = [User(f"a{number}", "Desk", True, False, tuple(folders), branches) for number in range(103)]
    lines = ["".join(text for text, _ in line) for line in user_lines(many, folders, str, "now")]
    assert "  103 agents use it, the first 100 are told of   now" in lines
    assert lines.count("    … and through 3 other folders") == 100
    assert sum(line.endswith("b8, b9 … and 2 others") for line in lines) == 100
    assert lines[-1] == "  … and 3 other agents"
    few = [User("a", "Desk", True, False, tuple(folders[:10]), branches[:10])]
    lines = ["".join(text for text, _ in line) for line in user_lines(few, folders, str, "now")]
    assert not any("…" in line or "first" in line for line in lines)
