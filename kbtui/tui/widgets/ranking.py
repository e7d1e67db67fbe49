"""Lines of an answer: what is ranked where, what it was before, and what a search finds beside it."""

from __future__ import annotations

from kbtui.chunk_facts import chunk_as_read
from kbtui.content import safe
from kbtui.questions import Difference, Question, Ranked
from kbtui.rows import Found
from kbtui.tui.widgets.line import Part, fit

BAR = 10  # cells of a distance of 1
MARKS = {"came": ("+", "good"), "went": ("-", "bad"), "rose": ("▲", "good"), "fell": ("▼", "warn")}
BOTH = "●"


def ranked_line(difference: Difference, path: str, both: bool, first: bool, edited: bool) -> list[Part]:
    """A chunk of an answer: its rank, how that changed, its distance to scale, and its document.

    With `both`, a search for the same words finds the document, too. With `first`, there is nothing before.
    With `edited`, there is a draft of the document that was not saved.
    """
    before, after = difference
    chunk = after or before
    assert chunk is not None
    mark, look = ("", "") if first else MARKS.get(difference.kind, ("", ""))
    if before and after and mark:
        mark += str(abs(before.rank - after.rank))
    far = after.distance if after else None
    bar = "━" * round(BAR * max(0.1, min(1.0, far))) if far is not None else ""
    words = " ".join(chunk_as_read(chunk.content[:600], chunk.format).split())
    quiet = "" if after else "dim"
    return [
        (f" {chunk.rank:>3} " if after else "     ", quiet),
        (f"{mark:<3}", look),
        ("* " if difference.reworded else "  ", "key"),
        (fit(bar, BAR), "dim"),
        (f" {far:.3f} " if far is not None else " " * 7, ""),
        (f"{BOTH if both else ' '} ", "key"),
        (safe(chunk.name[:200]) or "(no name)", quiet or "strong"),
        ("  not saved" if edited else "", "warn"),
        (f"  {safe(path)}  " if path else "  ", "dim"),
        (words, "dim"),
    ]


def about(difference: Difference, path: str, first: bool) -> list[list[Part]]:
    """A chunk of an answer in full, and what became of it since the answer before."""
    before, after = difference
    chunk = after or before
    assert chunk is not None
    lines: list[list[Part]] = [[(safe(chunk.name), "strong"), (f"  {safe(path)}", "dim")]]
    if not first:
        lines.append([(_became(difference), MARKS.get(difference.kind, ("", "dim"))[1])])
    return [*lines, *([(line, "")] for line in chunk_as_read(chunk.content, chunk.format).split("\n"))]


def _became(difference: Difference) -> str:
    before, after = difference
    if before is None:
        return "It was not in the answer before."
    if after is None:
        return f"Before, it was number {_ranked(before)}; now it is not in the answer."
    words = " Its words are others now." if difference.reworded else ""
    if _ranked(before) == _ranked(after):
        return f"Number {_ranked(after)}, as before.{words}"
    return f"Number {_ranked(after)}; before, it was number {_ranked(before)}.{words}"


def _ranked(chunk: Ranked) -> str:
    return (
        f"{chunk.rank}" if chunk.distance is None else f"{chunk.rank} at a distance of {chunk.distance:.3f}"
    )


def hit_line(hit: Found, both: bool) -> list[Part]:
    """What a search finds for the same words; with `both`, a chunk of it is in the answer."""
    score = "" if hit.score is None else f"{hit.score:.2f}"
    return [(f" {BOTH if both else ' '} ", "key"), (fit(score, 6), "dim"), (safe(hit.name[:200]), "")]


def kept_line(question: Question, age: str) -> list[Part]:
    """A question that is kept: when it was asked last, of whom, and how."""
    ways = "  on a branch" if question.branch else ""
    ways += "" if question.strategy == "semantic" else "  by words"
    ways += "" if question.as_set else "  neutral"
    return [
        (f"  {fit(age, 7, right=True)}  ", "dim"),
        (fit(safe(question.agent_name[:80] or question.agent), 20), "key"),
        (f"  {safe(question.words[:300])}", ""),
        (ways, "dim"),
    ]
