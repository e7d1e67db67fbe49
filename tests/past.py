"""Changes and questions that a history keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kbtui.history import Change, History
from kbtui.questions import Answer, Question, Ranked

URL = "https://api.example.com"
OTHER = "https://elsewhere.example.com"


def begin(
    history: History, document: str = "d1", kind: str = "edit", url: str = URL, text: str = "new"
) -> Change:
    before = {"content": f"what was before {text}", "format": "html", "name": "Before"}
    after = {"content": text, "name": "After"}
    return history.begin_change(url, document, "Refunds", kind, before=before, after=after)


def done(
    history: History, document: str = "d1", kind: str = "edit", url: str = URL, text: str = "new"
) -> Change:
    return history.finish_change(begin(history, document, kind, url, text), updated=7)


def latest(history: History) -> Change | None:
    """What undo would take back, with its images."""
    found = history.latest_undoable(URL)
    return history.whole(found) if found else None


@contextmanager
def again(path: Path) -> Iterator[History]:
    """The history as the next start opens it."""
    with closing(History.open(path)) as history:
        assert history.notice == ""
        yield history


QUESTION = Question("a1", "Night desk", "How long may I send things back?")


def answer(number: int = 1) -> Answer:
    text = "mixed\r\nlines\u2028\x0b\0 \ud800 ' \" \\ 😀"
    chunks = (Ranked(1, "c1", "d1", text, 0.25, text), Ranked(2, "", "d2", "Refunds", None, ""))
    return Answer(float(number), chunks)
