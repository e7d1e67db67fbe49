"""Whatever the order in which answers come, what is shown is the answer to what was asked last.

`KBTUI_ROUNDS` says how many orders are tried, `KBTUI_SEED` which.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.tui import found_panes
from kbtui.tui.screens.search import Search
from tests.asking import QUERY, asking, here, told
from tests.asking import shown as answered
from tests.asking import theirs as ranked
from tests.house import opened, settings_for
from tests.searching import SEARCH, shown
from tests.service import Service
from tests.wire import Hold, Request, Wire

ROUNDS = int(os.environ.get("KBTUI_ROUNDS", "8"))
SEED = int(os.environ.get("KBTUI_SEED", "0")) or random.randrange(1, 2**32)
WORDS = ["refund", "battery", "invoice", "delivery", "warranty", "storm", "meter", "contract"]


def held(wire: Wire, path: str, words: list[str], chance: random.Random) -> dict[str, Hold]:
    """The answer to each of these waits: before it is sent there, or on its way back."""

    def of(word: str) -> Hold:
        return wire.hold(
            chance.choice(["request", "answer"]),
            path=path,
            when=lambda request: word in wanted(request),
        )

    return {word: of(word) for word in words}


def wanted(request: Request) -> str:
    """The words of a search, or the question."""
    return dict(request.query).get("query") or str(request.json()["query"])


def came(wire: Wire, path: str, words: str) -> bool:
    return any(each.path.endswith(path) and wanted(each) == words for each in wire.requests)


async def test_a_search_shows_what_was_found_for_the_last_words(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(SEED)
    monkeypatch.setattr(found_panes, "PAUSE", 0.0)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.press("S")
        screen = house.app.screen
        assert isinstance(screen, Search)
        for _ in range(ROUNDS):
            words = chance.sample(WORDS, chance.randint(2, 4))
            holds = held(wire, SEARCH, words, chance)
            let_go = []
            for word in words:
                wire.forget()
                await house.press("ctrl+u", *word)
                await house.until(lambda: came(wire, SEARCH, word), f"asked for {word}")  # noqa: B023
                if chance.random() < 0.4:
                    let_go.append(word)
                    holds[word].release()
            for word in chance.sample(words, len(words)):
                if word not in let_go:
                    holds[word].release()
                    await house.press()
            found = service.call("GET", f"/{SEARCH}", params={"query": words[-1]})["results"]
            theirs = [each["document"]["id"] for each in found]
            names = [each.id for each in screen.names if each.id not in theirs]
            await house.until(lambda: "searching" not in house.line("header"), f"{words}, KBTUI_SEED={SEED}")
            assert shown(screen) == [*names, *theirs], f"{words}, KBTUI_SEED={SEED}"


async def test_an_answer_shown_is_that_to_the_last_question(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await asking(house)
        for number in range(ROUNDS):
            words = [f"{word} {number}" for word in chance.sample(WORDS, chance.randint(2, 3))]
            holds = held(wire, QUERY, words, chance)
            for word in words:
                here(house).do_answer_words()
                await house.press("ctrl+u", *word, "enter")
                await house.until(lambda: came(wire, QUERY, word), f"asked {word}")  # noqa: B023
                if chance.random() < 0.4:
                    holds[word].release()
            for word in chance.sample(words, len(words)):
                holds[word].release()
            await house.until(lambda: "asking" not in told(house), f"{words}, KBTUI_SEED={SEED}")
            theirs = [(each["document_id"], each["chunk_id"]) for each in ranked(service, words[-1])]
            assert answered(here(house)) == theirs, f"{words}, KBTUI_SEED={SEED}"
            assert here(house).asked.words == words[-1]
