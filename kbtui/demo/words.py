"""The word index: FTS5 over the plain text of every stored body.

Scripts written without spaces are split into single characters by U+200B, so that a word inside a
sentence is found as a phrase; the mark is taken out again before a snippet is shown.
"""

from __future__ import annotations

import re
import sqlite3
from html.parser import HTMLParser

SCHEMA = """
create virtual table words using fts5 (text, tokenize = "unicode61 remove_diacritics 2");
create virtual table terms using fts5vocab (words, row);
create virtual table note_words using fts5 (text, tokenize = "unicode61 remove_diacritics 2");
create virtual table note_terms using fts5vocab (note_words, row);
"""

MARK = "\u200b"
OPEN, CLOSE = "\x02", "\x03"  # around a hit in a snippet; never in an indexed text
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b]")
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff])"
)


class _Text(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("script", "style")
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style") and self.hidden:
            self.hidden -= 1
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def plain(text: str, format: str | None) -> str:
    """The words of a body without its tags; markdown is left as it is."""
    if format != "html":
        return text
    reader = _Text()
    try:
        reader.feed(text)
        reader.close()
    except AssertionError:  # the standard parser gives up on some broken declarations
        return text
    return "".join(reader.pieces)


def put(db: sqlite3.Connection, n: int, text: str) -> None:
    """Index the plain text of document `n` in place of what was indexed before."""
    db.execute("delete from words where rowid = ?", (n,))
    if text.strip():
        db.execute("insert into words (rowid, text) values (?, ?)", (n, spaced(text)))


def spaced(text: str) -> str:
    """The text as it is indexed: without control characters, unspaced scripts marked apart."""
    return _UNSPACED.sub(rf"{MARK}\1{MARK}", _CONTROL.sub(" ", text))


def drop(db: sqlite3.Connection, numbers: str, parameter: str) -> None:
    """Forget the documents that the query `numbers` names."""
    db.execute(f"delete from words where rowid in ({numbers})", (parameter,))
