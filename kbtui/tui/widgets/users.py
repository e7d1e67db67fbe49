"""The agents that use a document, in lines: each with the way it comes to it, and its branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kbtui.agents import User
from kbtui.content import safe
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Part

SHOWN = 200  # characters of a name
MOST = 100  # agents that are told of
WAYS = 10  # folders, and branches, that are told of each


def user_lines(
    users: Sequence[User], above: Sequence[str], path: Callable[[str], str], asked: str
) -> Iterator[list[Part]]:
    """`above` are the folders that hold the document, `path` names one, `asked` says when this was asked."""
    number = counted(len(users), "agent") + (" uses it" if len(users) == 1 else " use it")
    number += f", the first {MOST} are told of" if len(users) > MOST else ""
    head = (number, "strong") if users else ("No agent uses it.", "warn")
    yield [("", "")]
    yield [("  ", ""), head, (f"   {asked}", "dim")]
    for user in users[:MOST]:
        yield [("", "")]
        yield [("  ", ""), *_named(user)]
        ways = ["directly"] if user.direct else []
        # Some services name all that an agent has attached: only what holds the document is a way to it.
        holding = [id for id in user.folders if id in above]
        if not holding and not user.direct:
            holding = [*user.folders]
        ways += [f"through the folder {path(id)}" for id in holding[:WAYS]]
        yield from ([(f"    {way}", "")] for way in ways)
        if len(holding) > WAYS:
            yield [(f"    … and through {counted(len(holding) - WAYS, 'other folder')}", "dim")]
        if user.branches:
            branches = ", ".join(safe(name[:SHOWN]) for name in user.branches[:WAYS])
            more = len(user.branches) - WAYS
            branches += f" … and {counted(more, 'other')}" if more > 0 else ""
            yield [(f"    on the branch{'' if len(user.branches) == 1 else 'es'} {branches}", "dim")]
    if len(users) > MOST:
        yield [("", "")]
        yield [(f"  … and {counted(len(users) - MOST, 'other agent')}", "dim")]


def _named(user: User) -> list[Part]:
    if not user.may_be_seen:
        return [("an agent that you may not see", "warn"), (f"  {safe(user.id[:SHOWN])}", "dim")]
    return [(safe(user.name[:SHOWN]) or "(no name)", "key"), (f"  {safe(user.id[:SHOWN])}", "dim")]
