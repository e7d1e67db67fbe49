"""Agents: one is chosen, by its name, and one of its branches if it has several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.agents import Branch
from kbtui.content import safe
from kbtui.rows import Chosen
from kbtui.tui.agent_panes import AgentPanes
from kbtui.tui.background import background
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.table import table
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import Agent
    from kbtui.tui.app import KbApp

HEADS = ("Agent", "Tags", "Id", "State")
LEAST = {1: 8, 0: 24}  # cells of tags and of names, which give way to ids


class Agents(AgentPanes["Chosen | None"]):
    """What is typed cuts the agents down, Enter chooses; branches are asked for when somebody wants them."""

    places = ("agents",)

    def __init__(self, app: KbApp, heading: str = "Which agent is asked?") -> None:
        super().__init__(app)
        self.heading = heading
        self.heads = Line("heads")
        self.shown: list[Chosen] = []
        self._branches: dict[str, list[Branch]] = {}  # of agents, by their ids
        self._unfolded: set[str] = set()  # agents whose branches are shown

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.field
        yield self.trouble
        yield self.heads
        yield self.lines
        yield Line("footer")

    def on_mount(self) -> None:
        self.set_focus(self.field)

    def on_resize(self) -> None:
        if self.shown:
            self.fill(self.shown[self.lines.cursor])

    def fill(self, keep: Chosen | None = None) -> None:
        """Draw the agents that are found, the cursor on `keep`."""
        lines = list(self._laid())
        self.shown = [chosen for chosen, _ in lines]
        at = self.shown.index(keep) if keep in self.shown else 0
        width, rows = self.app.size.width - 1, [line for _, line in lines]
        laid = table(rows, width, heads=HEADS, least=LEAST) if rows else [[]]
        self.heads.show(laid[0])
        self.lines.show(laid[1:], at)
        self.show_lines()

    def _laid(self) -> Iterator[tuple[Chosen, list[Part]]]:
        for agent in self.found():
            yield Chosen(agent.agent_id, agent.name), _line(agent)
            if agent.agent_id in self._unfolded:
                for branch in self._branches[agent.agent_id]:
                    id = None if branch.main else branch.id
                    yield Chosen(agent.agent_id, agent.name, id, branch.name if id else ""), _branch(branch)

    @on(VirtualList.Opened)
    def do_agents_choose(self) -> None:
        if self.shown:
            self.dismiss(self.shown[self.lines.cursor])
        else:
            self.tell("No agent is shown to be chosen.", "warn")

    def do_agents_branches(self) -> None:
        if self.shown:
            self._unfold(self.shown[self.lines.cursor])

    @background("branches")
    async def _unfold(self, chosen: Chosen) -> None:
        """Show the branches of an agent under it, the cursor on the first; or hide them."""
        id, agent = chosen.agent, Chosen(chosen.agent, chosen.name)
        if id in self._unfolded:
            self._unfolded.discard(id)
            self.fill(agent)
            return
        if id not in self._branches:
            self._branches[id] = await self.kb.branches(id)
        branches = self._branches[id]
        if len(branches) < 2:
            only = "has one branch only" if branches else "has no branches that the service would tell of"
            self.tell(f"“{safe(chosen.name[:80])}” {only}.")
            return
        self._unfolded.add(id)
        stands = bool(self.shown) and self.shown[self.lines.cursor] == agent
        self.fill(agent if stands else None)
        if stands:
            self.lines.move("down")

    def do_agents_down(self) -> None:
        self.lines.move("down")

    def do_agents_up(self) -> None:
        self.lines.move("up")

    def do_agents_leave(self) -> None:
        self.dismiss(None)


def _line(agent: Agent) -> list[Part]:
    return [
        (safe(agent.name[:200]) or "(no name)", ""),
        (safe(", ".join(agent.tags)[:100]), "dim"),
        (safe(agent.agent_id[:60]), "dim"),
        ("archived" if agent.archived else "", "warn"),
    ]


def _branch(branch: Branch) -> list[Part]:
    main = "the main one" if branch.main else safe(branch.id[:60])
    return [(f"  ↳ {safe(branch.name[:200]) or '(no name)'}", "key"), ("", ""), (main, "dim"), ("", "")]
