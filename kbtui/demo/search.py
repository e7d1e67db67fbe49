"""Content search: ranked, with what was hit marked in a snippet; one typo a word is forgiven.

Stored bodies come first, by BM25. Generated ones follow: the 3,000 texts they are made of are searched,
and each that matches stands for all the documents that have it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from kbtui.demo import generated, words
from kbtui.demo.contract import PageSize, Query, answer, query, route
from kbtui.demo.shapes import Shapes
from kbtui.demo.store import Row, Store

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

_LETTERS, _WORDS = 400, 32  # of a question, the rest is not looked at
_VARIANTS = 16  # spellings tried for a word that occurs nowhere
_TYPO_LENGTH = 4  # shorter words must be right
_BEFORE, _AFTER = 80, 160  # characters of a snippet around the beginning of its first hit
# FTS5's snippet() weighs each hit against all others: half a minute for a question of common words.
_MARKED = "highlight({table}, 0, '" + words.OPEN + "', '" + words.CLOSE + "')"
_BREAKS = re.compile(r"\s+")


class _Search(Query):
    query: str
    page_size: PageSize = 30
    types: list[Literal["file", "url", "text", "folder"]] | None = None
    cursor: str | None = None


class _Hit(NamedTuple):
    row: Row
    score: float
    snippet: str


async def search(request: Request) -> Response:
    demo: Demo = request.app.state.demo
    asked = query(request, _Search)
    types = sorted(set(asked.types or ("file", "url", "text")))
    scope = f"search {types} {asked.query}"
    place = demo.cursors.open(asked.cursor, scope) if asked.cursor else None
    hits, rest = find(demo.store, asked.query, types, asked.page_size, place)
    shapes = Shapes(demo.store, demo.url)
    results = [
        {
            "document": shapes.summary(hit.row),
            "search_snippet": segments(hit.snippet),
            "score": hit.score,
        }
        for hit in hits
    ]
    return answer({"results": results, "next_cursor": demo.cursors.seal(rest, scope) if rest else None})


def find(
    store: Store, text: str, types: Sequence[str], size: int, place: list[int] | None
) -> tuple[list[_Hit], list[int] | None]:
    """A page of hits after `place`, and the place of the next page, None where this is the last.

    A place is: which expression matched, whether the generated ones have begun, and where therein.
    """
    expressions = _expressions(store.db, text)
    if place is None:
        place = [next((i for i, each in enumerate(expressions) if _any(store.db, each)), -1), 0, 0, -1]
    which, phase, offset, seed = place
    if not 0 <= which < len(expressions):
        return [], None
    expression, hits = expressions[which], list[_Hit]()
    if phase == 0:
        hits = _stored(store, expression, types, size + 1, offset)
        if len(hits) > size:
            return hits[:size], [which, 0, offset + size, -1]
        offset = 0
    notes = _generated(store, expression, types, size + 1 - len(hits), offset, seed)
    found = [*hits, *(hit for hit, _ in notes)]
    if len(found) <= size:
        return found, None
    if len(notes) == 1:
        return found[:size], [which, 1, 0, -1]
    return found[:size], [which, 1, notes[-2][1], notes[-2][0].row["seed"]]


def _any(db: sqlite3.Connection, expression: str) -> bool:
    sql = "select 1 from {0} where {0} match ? limit 1"
    return any(db.execute(sql.format(t), (expression,)).fetchone() for t in ("words", "note_words"))


def _stored(store: Store, expression: str, types: Sequence[str], limit: int, offset: int) -> list[_Hit]:
    marks = ", ".join("?" for _ in types)
    ranks = store.db.execute(
        "select words.rowid as n, bm25(words) as rank from words join documents on documents.n = words.rowid"
        f" where words match ? and documents.type in ({marks}) order by rank, words.rowid limit ? offset ?",
        (expression, *types, limit, offset),
    ).fetchall()
    hits = []
    for n, rank in ranks:
        row = store.db.execute("select * from documents where n = ?", (n,)).fetchone()
        hits.append(
            _Hit(row, round(0.5 + _strength(rank) / 2, 6), _snippet(store.db, "words", expression, n))
        )
    return hits


def _generated(
    store: Store, expression: str, types: Sequence[str], limit: int, first: int, seed: int
) -> list[tuple[_Hit, int]]:
    """Generated documents with the number of their text in the ranking, from text `first` after `seed`."""
    texts = store.db.execute(
        "select rowid as residue, bm25(note_words) as rank from note_words where note_words match ?"
        " order by rank, rowid limit -1 offset ?",
        (expression, first),
    ).fetchall()
    marks = ", ".join("?" for _ in types)
    hits: list[tuple[_Hit, int]] = []
    for number, (residue, rank) in enumerate(texts, first):
        rows = store.db.execute(
            f"select * from documents where seed is not null and seed % {generated.PERIOD} = ? and seed > ?"
            f" and type in ({marks}) order by seed limit ?",
            (residue, seed, *types, limit - len(hits)),
        ).fetchall()
        if rows:
            snippet = _snippet(store.db, "note_words", expression, residue)
            hits.extend((_Hit(row, round(_strength(rank) / 2, 6), snippet), number) for row in rows)
        if len(hits) >= limit:
            break
        seed = -1
    return hits


def _strength(rank: float) -> float:
    """BM25 as SQLite gives it (the better the more negative), between 0 and 1."""
    return max(-rank, 0.0) / (1.0 + max(-rank, 0.0))


def _snippet(db: sqlite3.Connection, table: str, expression: str, n: int) -> str:
    sql = f"select {_MARKED.format(table=table)} from {table} where {table} match ? and rowid = ?"
    return _excerpt(str(db.execute(sql, (expression, n)).fetchone()[0]))


def _excerpt(marked: str) -> str:
    """The surroundings of the first hit in a marked text, in whole words where there are spaces."""
    hit = marked.find(words.OPEN)
    start = max(0, hit - _BEFORE)
    before, around = marked[start:hit], marked[hit : hit + _AFTER]
    if start:
        before = "…" + (before.partition(" ")[2] or before)
    if hit + _AFTER < len(marked):
        around = (around.rpartition(" ")[0] or around) + "…"
    return before + around


def segments(snippet: str) -> list[dict[str, Any]]:
    """A marked snippet as the contract's list of pieces, hit or not."""
    clean = _BREAKS.sub(" ", snippet.replace(words.MARK, ""))
    pieces = []
    for i, piece in enumerate(re.split(f"[{words.OPEN}{words.CLOSE}]", clean)):
        if piece:
            pieces.append({"value": piece, "is_hit": i % 2 == 1})
    return pieces


# From words typed to what FTS5 is asked


def _expressions(db: sqlite3.Connection, text: str) -> list[str]:
    """What to try, in this order: every word, then any word. Words are quoted, so none is an operator."""
    typed = [word for word in words.spaced(text[:_LETTERS]).split() if re.search(r"\w", word)][:_WORDS]
    typed = list(dict.fromkeys(reversed(typed)))[::-1]
    if not typed:
        return []
    wanted = [_spellings(db, word, last=word is typed[-1]) for word in typed]
    return [" AND ".join(wanted), " OR ".join(wanted)]


def _spellings(db: sqlite3.Connection, word: str, *, last: bool) -> str:
    quoted = '"' + word.replace('"', '""') + '"'
    if last:
        quoted += " *"  # it may still be being typed
    bare = _folded(word)
    if len(bare) < _TYPO_LENGTH or not bare.isalnum() or _any(db, quoted):
        return quoted
    near = [f'"{term}"' for term in _near(db, bare)]
    return f"({' OR '.join([quoted, *near])})"


def _folded(word: str) -> str:
    """Lower case without accents, as the tokenizer writes its terms."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def _near(db: sqlite3.Connection, word: str) -> list[str]:
    """The most frequent terms that one slip of the finger turns into `word`."""
    rows = db.execute(
        "select term, sum(cnt) as times"
        " from (select term, cnt from terms union all select term, cnt from note_terms)"
        " where length(term) between ? and ? group by term order by times desc, term",
        (len(word) - 1, len(word) + 1),
    )
    near = (row["term"] for row in rows if one_slip(row["term"], word))
    return [term for term, _ in zip(near, range(_VARIANTS), strict=False)]


def one_slip(a: str, b: str) -> bool:
    """Whether one letter was left out, added, mistaken, or swapped with its neighbour."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


routes = [route("GET", "/knowledge-base/search", search)]
