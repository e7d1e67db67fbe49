"""All agents of the workspace, cut down to those whose names hold what is typed: what two screens show."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kbtui.content import safe
from kbtui.errors import Error
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from kbtui.models import Agent
    from kbtui.tui.app import KbApp

Answer = TypeVar("Answer")


class AgentPanes(CommandScreen[Answer]):
    """A field, the agents, and where they cannot be told of, why."""

    heading = ""

    def __init__(self, app: KbApp) -> None:
        super().__init__(app.keymap)
        self.kb, self.kbapp = app.kb, app
        self.header, self.lines = Line("header"), Lines("lines")
        self.field = Field("words", "part of its name, or of its id", lambda words: self.fill(), "find ")
        self.trouble = DocumentView("trouble")
        self._agents: list[Agent] = []
        self._state: Part = ("asking …", "dim")

    def on_mount(self) -> None:
        self.trouble.can_focus = self.trouble.display = False
        self.show_lines()
        self.load()

    def show_lines(self) -> None:
        state = self._state
        if self._agents and self.field.value.strip():
            found = len(self.found())
            state = (f"{found} of {counted(len(self._agents), 'agent')}", "" if found else "warn")
        self.header.show([(f" {self.heading}", "strong")], [state, (" ", "")])
        self.show_footer()

    def say(self, sentence: str, look: str = "") -> None:
        """Tell how it stands with the agents."""
        self._state = (sentence, look)
        self.show_lines()

    @background("agents")
    async def load(self) -> None:
        """Ask which agents there are."""
        self.say("asking …", "dim")
        try:
            self._agents = await self.kb.agents()
        except Error as error:
            self.trouble.display = True
            self.trouble.say([[("", "")], [(f"  ✕ {safe(error.sentence)}", "bad")]], hang=4)
            self.say("")
            return
        self.trouble.display = False
        self._agents.sort(key=lambda agent: (agent.archived, agent.name.casefold()))
        self.say(counted(len(self._agents), "agent"), "" if self._agents else "warn")
        self.fill()

    def found(self) -> list[Agent]:
        """The agents whose names or ids hold every word that is typed."""
        words = self.field.value.casefold().split()
        return [
            agent
            for agent in self._agents
            if all(word in agent.name.casefold() or word in agent.agent_id.casefold() for word in words)
        ]

    def fill(self) -> None:
        """Draw the agents that are found."""
        raise NotImplementedError
