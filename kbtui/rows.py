"""What passes between the rooms: plain tuples, so that a list of a million costs no objects.

Times are Unix seconds, sizes bytes, as the service gives them. Names and contents are raw: whoever
draws them makes them safe first (`kbtui.content.safe`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

ROOT = ""  # scope: the children of the root, which has no id of its own
ALL = "*"  # scope: every document of the workspace, flat, without folders
UNPLACED = "?"  # scope: what names a parent that the mirror does not have (a folder one may not see, a cycle)

FOLDER = "folder"
TYPES = ("text", "url", "file", FOLDER)
SORTS = ("name", "created_at", "updated_at", "size")  # the four orders of the service, by its own names


class Page(NamedTuple):
    """One answer of the paged list, undecoded beyond JSON.

    `documents` are summaries as the service sent them; `cursor` is the place of the next page, or None.
    """

    documents: list[dict[str, Any]]
    cursor: str | None
    has_more: bool


class DocumentRow(NamedTuple):
    """One line of a list: a document of any type, folders included."""

    id: str
    name: str
    type: str
    size: int
    created: int
    updated: int
    parent: str | None
    children: int | None  # direct children, folders only
    documents: int | None  # below it, folders only; the service stops counting past 1000
    role: str  # admin, editor, commenter, viewer, or a newer word
    url: str | None
    lock: str | None  # why the content cannot be edited, as a sentence; None where it can


class AutoSync(NamedTuple):
    """How the service renews a document by itself."""

    days: int = 7  # at least so often, 1 to 180
    remove: bool = False  # the document goes when its page is gone


class FolderRow(NamedTuple):
    """One folder of the tree."""

    id: str
    name: str
    parent: str | None
    children: int
    documents: int


class Chosen(NamedTuple):
    """An agent, on one of its branches."""

    agent: str  # its id
    name: str
    branch: str | None = None  # its id; None: the main one
    branch_name: str = ""

    @property
    def label(self) -> str:
        """How it is called where one line has to do."""
        name = self.name or self.agent
        return f"{name} ({self.branch_name or self.branch})" if self.branch else name


class Eye(NamedTuple):
    """An agent as one who looks: it sees what is attached to it, and what lies in attached folders."""

    chosen: Chosen
    attached: tuple[str, ...]  # the ids of documents and folders

    @property
    def name(self) -> str:
        return self.chosen.label


class Term(NamedTuple):
    """One part of a filter, beside plain words and types (`kbtui.filters`)."""

    key: str  # "word", or what it is about: "size", "updated" …
    value: str
    inverted: bool = False


class View(NamedTuple):
    """What a list shows: a scope, an order and a filter."""

    scope: str = ROOT
    sort: str = "name"
    descending: bool = False
    text: str = ""  # every word must occur in the name, in any case
    types: tuple[str, ...] = ()  # empty: all
    eye: Eye | None = None  # only what this agent sees, and the folders that lead there
    terms: tuple[Term, ...] = ()  # all of which hold

    @property
    def searched(self) -> bool:
        """Whether something typed, or a type, filters it."""
        return bool(self.text or self.types or self.terms)


class Beside(NamedTuple):
    """What a filter may be about and the mirror does not know."""

    marked: Collection[str] = ()  # ids
    indexed: Mapping[str, int] = {}  # whose indexes are as wanted, with the last change that this is known of


class Sight(NamedTuple):
    """What an agent sees, counted: folders by name with what it sees in them, and the rows of each scope."""

    folders: list[FolderRow]
    counts: dict[str, int]


class Found(NamedTuple):
    """A document that a search found.

    `score` is how well its content fits, or None where only its name does. `snippet` are pieces of its text,
    each with whether the words were found there; empty where the service names none.
    """

    id: str
    name: str
    type: str
    score: float | None = None
    snippet: tuple[tuple[str, bool], ...] = ()


class Start(NamedTuple):
    """What the command line wants to be shown first."""

    document: str  # its id, its name, or a path of names
    chunk: str = ""  # the id of one of its chunks
    edit: bool = False


class Body(NamedTuple):
    """The content of a document as it was read."""

    document: str
    format: str  # html, markdown, or a newer word
    text: str
    updated: int  # metadata.last_updated_at_unix_secs at the time of reading
    lossy: bool = False  # bytes that were no UTF-8 were replaced: show it, never write it back


class Progress(NamedTuple):
    """How far a sweep is.

    `total` is an estimate from the last complete sweep, or None on the first.
    """

    step: str  # a word for the status line: "focus", "folders", "documents", "compare", "confirm", "done"
    seen: int
    total: int | None
    changed: int
    removed: int
    complete: bool
