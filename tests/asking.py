"""Questions to agents, their answers, and what the screen shows of them."""

from __future__ import annotations

from typing import Any

from kbtui.tui.screens.agents import Agents
from kbtui.tui.screens.ask import Ask
from tests.house import House
from tests.service import Service
from tests.wire import Wire

QUESTION = "How long may I send things back?"
OTHER = "What does the red light mean?"
QUERY = "rag-query"


def agent(service: Service, name: str = "Ava") -> str:
    """The id of the agent whose name begins so."""
    agents = service.call("GET", "/agents", params={"page_size": 100})["agents"]
    return str(next(each["agent_id"] for each in agents if each["name"].startswith(name)))


def theirs(service: Service, question: str = QUESTION, **more: Any) -> list[dict[str, Any]]:
    """The chunks that the service gives for a question, as it ranks them."""
    body = {"query": question, "strategy": "semantic", **more}
    answer = service.call("POST", f"/agents/{agent(service)}/knowledge-base/{QUERY}", json=body)
    return list(answer["chunks"])


def shown(screen: Ask) -> list[tuple[str, str]]:
    """The document and the id of each chunk, in the order of the list."""
    return [
        (chunk.document, chunk.id)
        for before, after in screen.answer or ()
        if (chunk := after or before) is not None
    ]


def here(house: House) -> Ask:
    screen = house.app.screen
    assert isinstance(screen, Ask)
    return screen


def asked(wire: Wire) -> list[str]:
    """The questions that went to the service."""
    return [each.json()["query"] for each in wire.requests if each.path.endswith(QUERY)]


async def asking(house: House, question: str = QUESTION) -> Ask:
    """A question is asked of Ava, and answered."""
    await house.online()
    await house.press("g", "q", *question, "enter")
    if isinstance(house.app.screen, Agents):
        await house.until(lambda: "agents" in house.line("header"), "the agents")
        await house.press(*"ava", "enter")
    screen = here(house)
    await answered(house)
    return screen


async def answered(house: House) -> None:
    await house.until(lambda: here(house).answer is not None and "chunk" in told(house), "an answer")


def told(house: House) -> str:
    """How it stands with the question."""
    return here(house)._state[0]
