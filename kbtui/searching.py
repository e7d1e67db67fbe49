"""Searching: by the service in contents, by name, and without the service in what was opened here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from html import unescape

from kbtui.indexing import Indexing
from kbtui.rows import ALL, Found, View

SEARCHES = 100  # that are remembered
LOOKED_AT = 500  # documents with the words in their names, of which those in a scope are picked
SHOWN = 50  # documents that are found without the service
BEFORE, AFTER = 60, 240  # characters of a passage around the first word

Inside = Callable[[str], bool]


def passage(text: str, words: str) -> tuple[tuple[str, bool], ...]:
    """What stands around the first of these words in a text, in pieces; empty unless it has all of them."""
    wanted = [re.compile(re.escape(word), re.IGNORECASE) for word in words.split()]
    places = [found.start() for each in wanted if (found := each.search(text))]
    if not places or len(places) < len(wanted):
        return ()
    first = min(places)
    before, after = text[max(0, first - BEFORE) : first], text[first : first + AFTER]
    if first > BEFORE:
        before = "…" + (before.partition(" ")[2] or before)
    if first + AFTER < len(text):
        after = (after.rpartition(" ")[0] or after) + "…"
    known = {word.casefold() for word in words.split()}
    pieces = re.split("|".join(f"({re.escape(word)})" for word in words.split()), after, flags=re.IGNORECASE)
    return tuple((piece, piece.casefold() in known) for piece in (before, *pieces) if piece)


class Searching(Indexing):
    """What searches a workspace."""

    def within(self, ids: Iterable[str]) -> Inside:
        """Whether a document is one of these, or lies in one of them."""
        among = frozenset(ids)
        return lambda id: id in among or any(folder.id in among for folder in self.mirror.path(id))

    def named(
        self, words: str, most: int, types: tuple[str, ...] = (), inside: Inside | None = None
    ) -> tuple[list[Found], int]:
        """The first documents whose names hold all these words, and how many there are.

        With `inside`, those of them in a scope, of which only the first are looked at.
        """
        listing = self.mirror.listing(View(ALL, text=words, types=types))
        rows = self.mirror.window(listing, 0, LOOKED_AT if inside else most)
        found = [Found(row.id, row.name, row.type) for row in rows if inside is None or inside(row.id)]
        return found[:most], len(found) if inside else len(listing)

    async def found(
        self, words: str, types: Sequence[str] = ()
    ) -> AsyncGenerator[tuple[list[Found], bool], None]:
        """What the service finds in contents, best first, and whether there is more, page by page.

        The mirror hears of the documents.
        """
        ticket = await asyncio.to_thread(self.mirror.ticket)
        async with aclosing(self.search(words, types)) as pages:
            async for page, more in pages:
                await asyncio.to_thread(self.mirror.store, [hit.document.raw() for hit in page], ticket)
                yield (
                    [
                        Found(
                            hit.document.id,
                            hit.document.name,
                            hit.document.type,
                            hit.score,
                            tuple((each.value, each.is_hit) for each in hit.search_snippet),
                        )
                        for hit in page
                    ],
                    more,
                )
                ticket = await asyncio.to_thread(self.mirror.ticket)

    def found_here(self, words: str, types: Sequence[str] = ()) -> list[Found]:
        """The documents with all these words in their texts, of those whose texts are kept here.

        Those opened last come first. May take a second: not for the event loop's thread.
        """
        from kbtui.chunk_facts import as_read

        wanted, found = words.casefold().split(), list[Found]()
        for id in self.mirror.kept():
            row, body = self.mirror.row(id), self.mirror.peek(id)
            if row is None or body is None or (types and row.type not in types):
                continue
            text = unescape(body.text).casefold()
            snippet = (
                passage(as_read(body.text, body.format), words) if all(map(text.__contains__, wanted)) else ()
            )
            if snippet:
                found.append(Found(id, row.name, row.type, None, snippet))
            if len(found) == SHOWN:
                break
        return found

    def typed_before(self, kind: str, key: str) -> list[str]:
        """What was typed in a field, the newest first."""
        kept = self.history.recall(self.base_url, kind, key)
        return [each for each in kept if isinstance(each, str)] if isinstance(kept, list) else []

    def remember_typed(self, kind: str, key: str, words: str, most: int) -> None:
        """Keep it for another time."""
        kept = [words, *(each for each in self.typed_before(kind, key) if each != words)]
        self.history.remember(self.base_url, kind, key, kept[:most])

    def searches(self) -> list[str]:
        """The words that were searched for, the newest first."""
        return self.typed_before("search", "words")

    def remember_search(self, words: str) -> None:
        """Keep words for another time."""
        self.remember_typed("search", "words", words, SEARCHES)
