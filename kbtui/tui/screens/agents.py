"""Agents: one is chosen, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.errors import Error
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part, fit
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import Agent
    from kbtui.tui.app import KbApp


class Agents(CommandScreen["Agent | None"]):
    """All agents of the workspace; what is typed cuts them down, Enter chooses."""

    places = ("agents",)

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kb = app.kb
        self.shown: list[Agent] = []
        self._agents: list[Agent] = []
        self._header, self._lines = Line("header"), Lines("lines")
        self._field = Field("words", "part of its name", lambda words: self._fill())
        self._state: Part = ("asking …", "dim")

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        yield self._lines
        yield Line("footer")

    def on_mount(self) -> None:
        self.set_focus(self._field)
        self.show_lines()
        self._load()

    def show_lines(self) -> None:
        self._header.show([(" Which agent is asked?", "strong")], [self._state, (" ", "")])
        self.show_footer()

    @background("agents")
    async def _load(self) -> None:
        try:
            self._agents = await self.kb.agents()
        except Error:
            self._state = ("the service did not answer", "bad")
            self.show_lines()
            raise
        self._agents.sort(key=lambda agent: (agent.archived, agent.name.casefold()))
        self._state = (counted(len(self._agents), "agent"), "" if self._agents else "warn")
        self._fill()

    def _fill(self) -> None:
        wanted = self._field.value.casefold().split()
        self.shown = [
            agent
            for agent in self._agents
            if all(word in agent.name.casefold() or word in agent.agent_id.casefold() for word in wanted)
        ]
        self._lines.show([_line(agent) for agent in self.shown])
        self.show_lines()

    @on(VirtualList.Opened)
    def do_agents_choose(self) -> None:
        if self.shown:
            self.dismiss(self.shown[self._lines.cursor])
        else:
            self.tell("No agent is shown to be chosen.", "warn")

    def do_agents_down(self) -> None:
        self._lines.move("down")

    def do_agents_up(self) -> None:
        self._lines.move("up")

    def do_agents_leave(self) -> None:
        self.dismiss(None)


def _line(agent: Agent) -> list[Part]:
    tags = f"  {', '.join(agent.tags)}" if agent.tags else ""
    return [
        (f"  {fit(safe(agent.name[:200]) or '(no name)', 40)}", ""),
        (f"  {safe(agent.agent_id[:60])}{safe(tags[:100])}", "dim"),
        ("  archived" if agent.archived else "", "warn"),
    ]
