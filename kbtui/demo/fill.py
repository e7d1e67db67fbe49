"""Filling a store with generated documents: a million in well under a minute."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from kbtui.demo import generated, words
from kbtui.demo.store import ME, Store, name_key
from kbtui.demo.tables import INDEXES

_COLUMNS = "id, type, name, name_key, parent, size, created, updated, creator, role, seed, format"


def fill(store: Store, size: int, now: int) -> None:
    """Add generated documents until there have been `size` of them; those deleted since do not come back."""
    done = int(store.meta("generated") or 0)
    if done >= size:
        return
    with store.transaction():
        _add_folders(store, range(done, min(size, done + generated.PLACES)), now)
        for name in INDEXES:
            store.db.execute(f"drop index {name}")
        store.db.executemany(
            f"insert into documents ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _rows(range(done, size), _people(store), now),
        )
        for statement in INDEXES.values():
            store.db.execute(statement)
        if not done:
            texts = ((residue, words.spaced(text)) for residue, text in generated.templates())
            store.db.executemany("insert into note_words (rowid, text) values (?, ?)", texts)
        store.set_meta("generated", str(size))


def _id(*what: object) -> str:
    return blake2b(repr(what).encode(), digest_size=10).hexdigest()


def _people(store: Store) -> list[str]:
    others = [row["id"] for row in store.db.execute("select id from users where id <> ? order by id", (ME,))]
    return [ME] * max(2, len(others)) + others


def _add_folders(store: Store, seeds: range, now: int) -> None:
    """The folders of these documents that are not there: new ones, and those deleted since."""
    made = {row["id"] for row in store.db.execute("select id from documents where type = 'folder'")}
    for seed in seeds:
        parent: str | None = None
        for place, name in generated.path(seed):
            id = _id("folder", *place)
            if id not in made:
                made.add(id)
                store.add("folder", name, id=id, parent=parent, created=now - generated.AGE)
            parent = id


def _rows(seeds: range, people: list[str], now: int) -> Iterator[tuple[Any, ...]]:
    leaves = [_id("folder", *generated.path(seed)[-1][0]) for seed in range(generated.PLACES)]
    for seed in seeds:
        creator = people[seed * 7 % len(people)]
        role = "admin" if creator == ME else ("editor", "viewer", "editor", "admin")[seed % 4]
        name = generated.name(seed)
        created, updated = generated.times(seed, now)
        yield (
            _id(seed),
            generated.kind(seed),
            name,
            name_key(name),
            leaves[seed % generated.PLACES],
            generated.size(seed),
            created,
            updated,
            creator,
            role,
            seed,
            "markdown",
        )
