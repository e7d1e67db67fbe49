"""The word index: FTS5 over the plain text of every stored body.

Scripts written without spaces are split into single characters by U+200B, so that a word inside a
sentence is found as a phrase; the mark is taken out again before a snippet is shown.
"""

from __future__ import annotations

import re
import sqlite3
from html import unescape

SCHEMA = """
create virtual table words using fts5 (text, tokenize = "unicode61 remove_diacritics 2");
create virtual table terms using fts5vocab (words, row);
create virtual table note_words using fts5 (text, tokenize = "unicode61 remove_diacritics 2");
create virtual table note_terms using fts5vocab (note_words, row);
"""

MARK = "\u200b"
OPEN, CLOSE = "\x02", "\x03"  # around a hit in a snippet; never in an indexed text
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b]")
_TAG = re.compile(r"<(!--|script\b|style\b|(?=[a-z/!?]))", re.IGNORECASE)
_ENDS = {
    "!--": re.compile("-->"),
    "script": re.compile(r"(?=</script)", re.IGNORECASE),
    "style": re.compile(r"(?=</style)", re.IGNORECASE),
    "": re.compile(">"),
}
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff])"
)


def plain(text: str, format: str | None) -> str:
    """The words of a body without its tags; markdown is left as it is.

    One pass whatever a stranger wrote: the standard parser takes minutes over a megabyte of open tags.
    """
    if format != "html":
        return text
    pieces: list[str] = []
    at = 0
    while (tag := _TAG.search(text, at)) is not None:
        pieces.append(text[at : tag.start()])
        end = _ENDS[tag[1].lower()].search(text, tag.end())
        if end is None:  # never closed: no reader would see the rest
            return unescape(" ".join(pieces))
        at = end.end()
    return unescape(" ".join((*pieces, text[at:])))


def put(db: sqlite3.Connection, n: int, text: str) -> None:
    """Index the plain text of document `n` in place of what was indexed before."""
    db.execute("delete from words where rowid = ?", (n,))
    if text.strip():
        db.execute("insert into words (rowid, text) values (?, ?)", (n, spaced(text)))


def spaced(text: str) -> str:
    """The text as it is indexed: without control characters, unspaced scripts marked apart."""
    return _UNSPACED.sub(rf"{MARK}\1{MARK}", _CONTROL.sub(" ", text))


def drop(db: sqlite3.Connection, numbers: str) -> None:
    """Forget the documents that the query `numbers` names."""
    db.execute(f"delete from words where rowid in ({numbers})")
