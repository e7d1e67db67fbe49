"""Knowledge: the agents of the workspace, and what the one under the cursor has in its knowledge base."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from kbtui.agents import Attached, Branch, Knowledge
from kbtui.content import safe
from kbtui.errors import Error
from kbtui.rows import FOLDER, Chosen
from kbtui.tui.agent_panes import AgentPanes
from kbtui.tui.background import background
from kbtui.tui.widgets.attached_list import AttachedList
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.table import ColumnHeads
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

BESIDE = 100  # columns from which the two lists stand side by side
LOW = 16  # rows below which there is room for one of them


class Told(NamedTuple):
    """What the service tells of the knowledge of an agent, or why it does not."""

    knowledge: Knowledge | None = None
    pages: float | None = None
    trouble: str = ""


class Known(AgentPanes[None]):
    """The commands of the place "knowledge", each in a method by its name."""

    heading = "Agents, and what they know"

    def __init__(self, app: KbApp) -> None:
        super().__init__(app)
        self.attached = AttachedList("attached", self.kb)
        self.head, self._columns = Line("heads"), ColumnHeads("columns", self.attached.heads)
        self._about = DocumentView("about")
        self._told: dict[Chosen, Told] = {}
        self._branches: dict[str, list[Branch]] = {}  # of agents, by their ids
        self._wanted = app.looked_at()  # the agent that the cursor begins on
        self._on: dict[str, Chosen] = {}  # the branch that each agent is looked at on
        if self._wanted is not None:
            self._on[self._wanted.agent] = self._wanted
        self._settle: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.field
        with Horizontal(id="body"):
            with Vertical(id="agents"):
                yield self.trouble
                yield self.lines
            with Vertical(id="knowledge"):
                yield self.head
                yield self._about
                yield self._columns
                yield self.attached
        yield Line("footer")

    def on_mount(self) -> None:
        self._about.can_focus = self._about.display = False
        self._lead(self.lines)

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < BESIDE, "-narrow")
        self.set_class(self.app.size.height < LOW, "-low")
        self._look_soon()

    def here(self) -> tuple[str, ...]:
        return ("agent_words",) if self.focused is self.field else ("knowledge", "move", "around")

    # The agents

    @property
    def chosen(self) -> Chosen | None:
        """The agent under the cursor, on the branch that it is looked at on."""
        found = self.found()
        if self.lines.cursor >= len(found):
            return None
        agent = found[self.lines.cursor]
        return self._on.get(agent.agent_id, Chosen(agent.agent_id, agent.name))

    def fill(self) -> None:
        known = [self._on.get(each.agent_id, Chosen(each.agent_id, each.name)) for each in self.found()]
        at = known.index(self._wanted) if self._wanted in known else self.lines.cursor
        self._wanted = None
        self.lines.show([_line(each) for each in known], at)
        self.show_lines()
        self._look_soon()

    def do_move(self, by: str) -> None:
        (self.attached if self.focused is self.attached else self.lines).move(by)

    @on(VirtualList.Moved, "#lines")
    def _look_soon(self) -> None:
        """Tell of the agent under the cursor once the cursor rests."""
        self.kbapp.agent = self.chosen or self.kbapp.agent
        if self._settle is not None:
            self._settle.stop()
        known = self._told.get(self.chosen) if self.chosen else None
        if self.chosen is not None and known is not None and known.knowledge is None:
            del self._told[self.chosen]  # it may be known by now
        if self.chosen in self._told:
            self._show()
        else:
            self._settle = self.set_timer(self.kbapp.settle, self._show)

    @property
    def _in_view(self) -> bool:
        return not self.has_class("-low") or self.has_class("-within")

    def _show(self) -> None:
        """Tell what the agent under the cursor knows; what is not known yet is asked for."""
        chosen = self.chosen
        told = self._told.get(chosen) if chosen else Told()
        self._about.display = bool(told is not None and told.trouble)
        self.head.show(_head(chosen, told), _facts(told))
        if told is None:
            self._list(())
            if chosen is not None and self._in_view:
                self._ask(chosen)
            return
        if told.trouble:
            mark, look = ("  ✕ ", "bad") if told.knowledge is None else ("  ", "warn")
            self._about.say([[("", "")], [(f"{mark}{safe(told.trouble)}", look)]], hang=len(mark))
        self._list((told.knowledge and told.knowledge.attached) or ())
        if not self.attached.count and self.focused is self.attached and not self.has_class("-low"):
            self._lead(self.lines)  # there is nothing to move in

    def _list(self, attached: Sequence[Attached]) -> None:
        self.attached.show(attached)
        self._columns.follow()

    @background("knowledge")
    async def _ask(self, chosen: Chosen) -> None:
        try:
            knowledge = await self.kb.knowledge(chosen)
            told = Told(knowledge, trouble=_lacks(knowledge))
        except Error as error:
            told = Told(trouble=error.sentence)
        self._tell(chosen, told)
        if chosen.branch is None:  # the service tells the size of the main one alone
            try:
                pages = await self.kb.pages_of(chosen.agent)
            except Error:
                return  # it says no more than that; what is attached is there
            except asyncio.CancelledError:
                self._told.pop(chosen, None)  # asked again when the cursor comes back
                raise
            self._tell(chosen, told._replace(pages=pages))

    def _tell(self, chosen: Chosen, told: Told) -> None:
        self._told[chosen] = told
        if chosen == self.chosen:  # else the cursor moves, and asks when it rests
            self._show()

    # Keys

    def _lead(self, pane: VirtualList) -> None:
        """Give the keys to one of the two lists, and show it where there is room for one only."""
        self.set_class(pane is self.attached, "-within")
        self.set_focus(pane)
        self.lines.show_led()
        self.attached.show_led()
        self.show_footer()

    @on(VirtualList.Opened)
    def do_knowledge_open(self) -> None:
        if self.focused is not self.attached:
            self.do_knowledge_pane()
            return
        each = self.attached.selected
        if each is not None and self.kb.mirror.row(each.id) is None:
            self.tell(f"“{safe(each.name[:80])}” is not in the list.", "warn")
        elif each is not None:
            self.kbapp.uncover()
            self.kbapp.go_to(each.id, each.name)

    def do_knowledge_pane(self) -> None:
        self._lead(self.lines if self.focused is self.attached else self.attached)
        self._show()

    def do_go_agents(self) -> None:
        """They are here."""
        self._lead(self.lines)
        self._show()

    def do_knowledge_eye(self) -> None:
        if self.chosen is not None:
            chosen = self.chosen
            self.kbapp.uncover()
            self.kbapp.look_as(chosen)

    def do_knowledge_branch(self) -> None:
        if self.chosen is not None:
            self._next_branch(self.chosen)

    @background("branch")
    async def _next_branch(self, chosen: Chosen) -> None:
        """Look at the agent on its next branch, all around."""
        id = chosen.agent
        if id not in self._branches:
            self._branches[id] = await self.kb.branches(id)
        ways = [None, *(branch for branch in self._branches[id] if not branch.main)]
        if len(ways) == 1:
            self.tell(f"“{safe(chosen.name[:80])}” has no other branch that the service would tell of.")
            return
        at = next((at for at, way in enumerate(ways) if way and way.id == chosen.branch), 0)
        way = ways[(at + 1) % len(ways)]
        self._on[id] = Chosen(id, chosen.name, way.id, way.name) if way else Chosen(id, chosen.name)
        self.fill()

    def do_knowledge_words(self) -> None:
        self._lead(self.lines)
        self.set_focus(self.field)
        self.lines.show_led()
        self.show_footer()

    def do_agent_words_keep(self) -> None:
        self._lead(self.lines)

    def do_agent_words_drop(self) -> None:
        self.field.value = ""
        self._lead(self.lines)

    def do_knowledge_reload(self) -> None:
        self._told.clear()
        self._branches.clear()
        self.load()

    def do_knowledge_leave(self) -> None:
        if self.focused is self.attached:
            self._lead(self.lines)
        else:
            self.dismiss()


def _line(chosen: Chosen) -> list[Part]:
    branch = f"  {safe((chosen.branch_name or chosen.branch)[:80])}" if chosen.branch else ""
    return [(f"  {safe(chosen.name[:200]) or '(no name)'}", ""), (branch, "key")]


def _head(chosen: Chosen | None, told: Told | None) -> list[Part]:
    if chosen is None:
        return []
    asking: Part = ("  asking …" if told is None else "", "dim")
    return [(f" {safe(chosen.label[:200])}", "strong"), asking]


def _facts(told: Told | None) -> list[Part]:
    """What is told beside the list: how large it is, and whether it is searched."""
    if told is None:
        return []
    parts: list[Part] = []
    if told.knowledge is not None and told.knowledge.attached:
        attached = told.knowledge.attached
        folders = sum(each.type == FOLDER for each in attached)
        words = [counted(len(attached) - folders, "document")] if len(attached) > folders else []
        words += [counted(folders, "folder")] if folders else []
        parts.append((", ".join(words), ""))
    if told.pages is not None:
        pages = f"{told.pages:.1f} pages" if told.pages < 10 else counted(round(told.pages), "page")
        parts += [(" · " if parts else "", "dim"), (pages, "")]
    if told.knowledge is not None and told.knowledge.rag is not None:
        rag: Part = ("RAG on", "good") if told.knowledge.rag else ("RAG off", "warn")
        parts += [(" · " if parts else "", "dim"), rag]
    return [*parts, (" ", "")]


def _lacks(knowledge: Knowledge) -> str:
    """What there is to be said of an empty list."""
    if knowledge.attached is None:
        return "The service does not tell what is attached to this agent."
    return "" if knowledge.attached else "Nothing is attached to this agent: its prompt is all that it knows."
