"""One document, edited from two kbtui at once: what is promised, over the orders of their requests.

Each request of both is let through alone, in an order that the dice decide, so that it is known which came
between which. Promised is (README): outside the one round trip between looking and sending nothing is
overwritten unseen; inside it the words are in the history of the kbtui that wrote them, which says so at once
or at its next look, and they can be merged.

`KBTUI_ORDERS` says how many orders are tried, `KBTUI_SEED` which.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from kbtui.__main__ import _connector
from kbtui.demo.server import Demo
from kbtui.differences import hunks, joined, keeps
from kbtui.drafts import Draft, Drafts
from kbtui.errors import Conflict
from kbtui.history import History
from kbtui.knowledge_base import KnowledgeBase
from kbtui.mirror import Mirror
from tests.saves import news, typed
from tests.service import Service
from tests.wire import Wire

ORDERS = int(os.environ.get("KBTUI_ORDERS", "12"))
SEED = int(os.environ.get("KBTUI_SEED", "0")) or random.randrange(1, 2**32)
TEXT = "Refunds take 14 days. We pay to the card. Ask us by mail. Gift cards are final."
APART = TEXT.replace("14", "30"), TEXT.replace("final", "never refunded")
TOGETHER = TEXT.replace("14", "30"), TEXT.replace("14", "7")


def both_kept(base: str, mine: str, theirs: str) -> str:
    """What a person makes of a conflict who keeps both where both changed the same."""
    found = hunks(base, mine, theirs)
    return joined(found, {at: "both" for at, hunk in enumerate(found) if hunk.whose == "both"})


class Sent(NamedTuple):
    """A request, in the order in which the service heard of it."""

    who: int
    what: str  # "look": the text was read; "send": it was changed; "": anything else
    text: str  # that was read or sent


class Writer:
    """One kbtui that saves its text, and after a conflict what both texts make."""

    def __init__(self, kb: KnowledgeBase, wire: Wire, id: str, text: str) -> None:
        self.kb, self.wire, self.id, self.text = kb, wire, id, text
        self.told = ""  # what the person was shown instead of "saved"
        self.saved = ""

    async def begin(self) -> None:
        self.draft = await typed(self.kb, self.id, self.text)
        self.wire.forget()
        self._hold = self.wire.hold("request")
        self._work = asyncio.create_task(self._save(self.draft, self.text))

    async def _save(self, draft: Draft, text: str) -> None:
        while True:
            try:
                saved = await self.kb.save(draft, text)
            except Conflict as conflict:
                text = both_kept(conflict.base, text, conflict.theirs)
                draft = self.kb.drafts.rebase(draft, base=conflict.theirs, text=text)
                continue
            self.saved = text
            if saved.state == "differs":
                self.told = saved.service_text
            return

    async def step(self, service: Service) -> Sent | None:
        """Let one request through, and wait until it is answered; None where there is none any more."""
        while not self._hold.arrived.is_set():
            if self._work.done():
                await self._work
                return None
            await asyncio.sleep(0.001)
        through, request = self._hold, self.wire.requests[-1]
        self._hold = self.wire.hold("request")
        through.release()
        await self.wire.seen(lambda each: each is request and each.finished)
        if request.method == "PATCH":
            return Sent(0, "send", request.json()["content"])
        return Sent(0, "look" if request.path.endswith("/content") else "", service.text(self.id))

    async def end(self) -> None:
        self.wire.heal()
        self._hold.release()
        await self._work


async def both(writers: list[Writer], service: Service, chance: random.Random) -> list[Sent]:
    """Both save, their requests in an order that the dice decide."""
    sent: list[Sent] = []
    left = [0, 1]
    while left:
        who = chance.choice(left)
        step = await writers[who].step(service)
        if step is None:
            left.remove(who)
        else:
            sent.append(step._replace(who=who))
    for writer in writers:
        await writer.end()
    return sent


@pytest.mark.parametrize("texts", [APART, TOGETHER], ids=["apart", "together"])
@pytest.mark.parametrize("machines", [1, 2])
async def test_what_two_write_into_one_document_is_never_overwritten_but_in_the_one_round_trip_and_then_told(
    demo: Demo, service: Service, tmp_path: Path, texts: tuple[str, str], machines: int
) -> None:
    chance = random.Random(SEED)
    for order in range(ORDERS):
        id = service.add(f"Shared {order}", TEXT)
        async with AsyncExitStack() as stack:
            writers: list[Writer] = []
            for who, text in enumerate(texts):
                wire = stack.enter_context(Wire(demo.url))
                state = tmp_path / (f"{order}-{who}" if machines == 2 else f"{order}")
                history, drafts = History.open(state / "state.db"), Drafts(state / "drafts", demo.url)
                connect = _connector(wire.url, demo.key)
                kb = KnowledgeBase(demo.url, Mirror(None), history, drafts, connect)
                stack.push_async_callback(kb.close)
                writers.append(Writer(kb, wire, id, text))
                await writers[-1].begin()
            sent = await both(writers, service, chance)
            try:
                await promised(writers, sent, service)
            except AssertionError as error:
                error.add_note(f"KBTUI_SEED={SEED}, order {order}: " + "\n".join(map(str, sent)))
                raise


async def promised(writers: list[Writer], sent: list[Sent], service: Service) -> None:
    first, second = (request for request in sent if request.what == "send")
    looks = sent[: sent.index(second)]
    looked = next(each for each in reversed(looks) if each.what == "look" and each.who == second.who)
    loser, winner = writers[first.who], writers[second.who]
    assert first.who != second.who and service.text(loser.id) == second.text == winner.saved
    history = loser.kb.history.changes(loser.kb.base_url, loser.id)
    assert first.text in [change.after.get("content") for change in history]
    if looked.text == first.text:  # seen, and joined
        assert keeps(TEXT, first.text, second.text)
        for writer in writers:
            assert await news(writer.kb, service, writer.id) == []
        return
    assert looked.text == TEXT and not keeps(TEXT, first.text, second.text)
    if loser.told:
        assert loser.told == second.text
        drafts = loser.kb.drafts.all()
    else:
        drafts = await news(loser.kb, service, loser.id)
    assert [draft.text for draft in drafts] == [first.text]
    made = both_kept(TEXT, first.text, second.text)
    assert keeps(TEXT, first.text, made) and keeps(TEXT, second.text, made)
    assert await news(winner.kb, service, winner.id) == []
