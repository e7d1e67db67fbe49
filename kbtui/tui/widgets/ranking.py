"""Lines of an answer: what is ranked where, what it was before, and what a search finds beside it."""

from __future__ import annotations

from collections.abc import Iterable

from kbtui.chunk_facts import chunk_as_read
from kbtui.content import safe
from kbtui.differences import reworded
from kbtui.questions import Difference, Question, Ranked
from kbtui.tui.widgets.line import Part, fit
from kbtui.tui.widgets.results import BOTH

BAR = 10  # cells of a distance of 1
WAYS = {"semantic": "by meaning", "keyword": "by words"}
MARKS = {"came": ("+", "good"), "went": ("-", "bad"), "rose": ("▲", "good"), "fell": ("▼", "warn")}
SIGNS = {"-": ("[-", "-]", "bad"), "+": ("{+", "+}", "good")}  # as `git diff --word-diff` has them
FAR = BAR + 7  # cells of a distance


def heads(far: bool) -> str:
    """What stands above the chunks of an answer; with `far`, it tells distances."""
    return f"{' Rank':<10}{fit('Distance', FAR) if far else ''}  Chunk of"


def is_far(differences: Iterable[Difference]) -> bool:
    """Whether distances are told: by words, none are."""
    return any(each and each.distance is not None for pair in differences for each in pair)


def ranked_line(
    difference: Difference, path: str, *, both: bool, first: bool, edited: bool, far: bool
) -> list[Part]:
    """A chunk of an answer: its rank, how that changed, its distance to scale, and its document.

    Args:
        both: a search for the same words finds the document, too.
        first: there is nothing before.
        edited: there is a draft of the document that was not saved.
        far: distances are told, of some of the chunks at least.
    """
    before, after = difference
    chunk = after or before
    assert chunk is not None
    mark, look = ("", "") if first else MARKS.get(difference.kind, ("", ""))
    if before and after and mark:
        mark += str(abs(before.rank - after.rank))
    words = " ".join(chunk_as_read(chunk.content[:600], chunk.format).split())
    quiet = "" if after else "dim"
    return [
        (f" {chunk.rank:>3} " if after else "     ", quiet),
        (f"{mark:<3}", look),
        ("* " if difference.reworded else "  ", "key"),
        *(_distance(after.distance if after else None) if far else ()),
        (f"{BOTH if both else ' '} ", "key"),
        (safe(chunk.name[:200]) or "(no name)", quiet or "strong"),
        ("  not saved" if edited else "", "warn"),
        (f"  {safe(path)}  " if path else "  ", "dim"),
        (words, "dim"),
    ]


def _distance(far: float | None) -> list[Part]:
    """A distance to scale, and as a number."""
    bar = "━" * round(BAR * max(0.1, min(1.0, far))) if far is not None else ""
    return [(fit(bar, BAR), "dim"), (fit(f" {far:.3f}" if far is not None else "", FAR - BAR), "")]


def about(difference: Difference, path: str, first: bool) -> list[list[Part]]:
    """A chunk of an answer in full, and what became of it and of its words since the answer before."""
    before, after = difference
    chunk = after or before
    assert chunk is not None
    read = chunk_as_read(chunk.content, chunk.format)
    lines: list[list[Part]] = [[(safe(chunk.name), "strong"), (f"  {safe(path)}", "dim")]]
    if not first:
        changes = _changes(before, read) if before and difference.reworded else []
        lines.append([(_became(difference, bool(changes)), MARKS.get(difference.kind, ("", "dim"))[1])])
        lines += [changes, [("", "")]] if changes else []
    return [*lines, *([(line, "")] for line in read.split("\n"))]


def _changes(before: Ranked, read: str) -> list[Part]:
    """Which words of a chunk are others than before, in their places; empty where only its mark-up is."""
    parts: list[Part] = []
    for stretch in reworded(chunk_as_read(before.content, before.format), read):
        begin, end, look = SIGNS.get(stretch.sign, ("", "", "dim"))
        parts.append((f"{begin}{stretch.words}{end}", look))
        parts.append((" " if end else "", ""))
    return parts


def _became(difference: Difference, others: bool) -> str:
    """What a chunk did; with `others`, its words are others now."""
    before, after = difference
    if before is None:
        return "It was not in the answer before."
    if after is None:
        return f"Before, it was number {_ranked(before)}; now it is not in the answer."
    words = (
        " Its words are others now:"
        if others
        else " Only its mark-up is another."
        if difference.reworded
        else ""
    )
    if _ranked(before) == _ranked(after):
        return f"Number {_ranked(after)}, as before.{words}"
    return f"Number {_ranked(after)}; before, it was number {_ranked(before)}.{words}"


def _ranked(chunk: Ranked) -> str:
    return (
        f"{chunk.rank}" if chunk.distance is None else f"{chunk.rank} at a distance of {chunk.distance:.3f}"
    )


def kept_line(question: Question, age: str) -> list[Part]:
    """A question that is kept: when it was asked last, of whom, and how."""
    return [
        (f"  {fit(age, 7, right=True)}  ", "dim"),
        (fit(safe(question.agent_name[:80] or question.agent), 20), "key"),
        (f"  {safe(question.words[:300])}", ""),
        (f"  {', '.join(ways(question))}" if ways(question) else "", "dim"),
    ]


def ways(question: Question) -> list[str]:
    """How a question is asked, where that is another way than most are."""
    branch = safe(question.branch_name or question.branch or "")[:80]
    found = [f"on {branch}"] if branch else []
    found += [] if question.strategy == "semantic" else [WAYS.get(question.strategy, safe(question.strategy))]
    return found if question.as_set else [*found, "with neutral settings"]
