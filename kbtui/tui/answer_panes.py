"""The answer to a question, and what stands around it: what the Ask screen shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kbtui.commands import Situation
from kbtui.content import safe
from kbtui.questions import Difference, Question, Ranked
from kbtui.rows import DocumentRow, Found
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.line import Line, Part, cut
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.ranking import about, hit_line, kept_line, ranked_line

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

AGENT = 28  # cells of an agent's name that stay in view
BESIDE = 100  # columns from which what the search finds stands beside the answer
HEADS = f"{' Rank':<10}{'Distance':<19}Chunk of"
LOW, LOWEST = 18, 10  # rows below which only the chunk in full stands below the answer, or nothing
WAYS = {"semantic": "by meaning", "keyword": "by words"}
HINT = (
    "Type a question as a caller asks it: you see the chunks that the agent would be given, nearest first. "
    "No conversation comes of it. What you asked is kept; after a change, . asks again and tells what moved."
)


class AnswerPanes(CommandScreen[None]):
    """A field for the question, the chunks of the answer, and what the search finds for the same words."""

    def __init__(self, app: KbApp, words: str) -> None:
        """`words` are those to begin with."""
        super().__init__(app.keymap)
        self.kb, self.kbapp = app.kb, app
        self.kept = self.kb.questions()
        self.question = self.kept[0] if self.kept else Question("", "", "")
        self.answer: tuple[Difference, ...] | None = None  # None: the kept questions are shown
        self.hits: list[Found] = []
        self.asked = Question("", "", "")  # what `answer` belongs to
        self.trouble = ""  # why there is none
        self.first = False  # there is no answer before this one
        self._header = Line("header")
        self.field = Field("words", "a question, as a caller asks it")
        self.field.value = words
        self.lines, self.lexical = Lines("ranked"), Lines("lexical")
        self._heads, self._beside = Line("heads"), Line("beside")
        self.about = DocumentView("about")
        self._heading: list[Part] = []
        self._state: Part = ("", "")
        self.index: Part = ("", "")
        self.ages: dict[Question, str] = {}
        self.models: dict[tuple[str, str | None], str] = {}  # of agents on their branches, as far as was told

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.field
        with Horizontal(id="body"):
            with Vertical(id="answer"):
                yield self._heads
                yield self.lines
            with Vertical(id="found"):
                yield self._beside
                yield self.lexical
        yield self.about
        yield Line("footer")

    def on_mount(self) -> None:
        self.about.can_focus = self.lexical.can_focus = False
        self.set_focus(self.field)
        self.show()
        self.begin()

    def begin(self) -> None:
        """What is done as soon as everything is there."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < BESIDE, "-narrow")
        self.set_class(self.app.size.height < LOW, "-low")
        self.set_class(self.app.size.height < LOWEST, "-lowest")
        self.show_lines()

    def on_screen_resume(self) -> None:
        self.show()  # there may be a draft now

    def situation(self) -> Situation:
        undoable = self.kb.undoable() is not None
        return Situation(
            row=self.row, read_only=self.kbapp.read_only(), undoable=undoable, marked=bool(self.kb.marks)
        )

    @property
    def model(self) -> str:
        """The embedding model of the agent that was asked, or "" where nobody told."""
        return self.models.get((self.asked.agent, self.asked.branch), "")

    @property
    def chunk(self) -> Ranked | None:
        """The chunk under the cursor, as it was ranked last."""
        if self.answer is None or self.lines.cursor >= len(self.answer):
            return None
        return here_of(self.answer[self.lines.cursor])

    @property
    def row(self) -> DocumentRow | None:
        """The document of that chunk, as the mirror knows it."""
        return self.kb.mirror.row(self.chunk.document) if self.chunk is not None else None

    # What it tells

    def show_lines(self) -> None:
        question = self.question
        agent = safe(question.agent_name or question.agent) or "no agent chosen"
        ways = f"  {WAYS.get(question.strategy, question.strategy)}, "
        ways += "with its settings" if question.as_set else "with neutral settings"
        left: list[Part] = [(" Ask ", "strong"), (f" {agent}", "key")]
        state = self.index if self.index[0] else self._state
        if self.has_class("-narrow"):  # the agent stays readable; how it is asked stands below
            room = self.app.size.width - min(cell_len(agent), AGENT) - 9
            self._heads.show(self._heading, [(f"{ways.strip()} ", "dim")])
            self._header.show(left, [*cut([state], room), (" ", "")])
        else:
            model = f"{safe(self.model)} " if self.model and self.answer is not None else ""
            self._heads.show(self._heading, [(model, "dim")])
            self._header.show([*left, (ways, "dim")], [state, (" ", "")])
        self.show_footer()

    def say(self, sentence: str, look: str = "") -> None:
        """Tell how it stands with the question."""
        self._state = (sentence, look)
        self.show_lines()

    def show(self) -> None:
        """Draw everything anew."""
        asked = self.answer is not None
        self.set_class(not asked, "-kept")
        hits = {hit.id for hit in self.hits}
        if self.answer is not None:
            known = {chunk.document for chunk in map(here_of, self.answer)}
            self._heading = [(HEADS, "dim")]
            edited = self.kb.edited()
            lines = [self._line(each, hits, edited) for each in self.answer]
            self.lines.show(lines, self.lines.cursor)
            self._beside.show([(" Found by the search", "dim")])
            self.lexical.show([hit_line(hit, hit.id in known) for hit in self.hits])
            self.lexical.cursor = -1  # it has none
        else:
            self._heading = [("  Questions you asked" if self.kept else "", "dim")]
            now = int(time.time())
            lines = [kept_line(each, self._age(each, now)) for each in self.kept]
            self.lines.show(lines, self.lines.cursor)
        self.tell_of_chunk()
        self.show_lines()

    def _line(self, difference: Difference, hits: set[str], edited: frozenset[str]) -> list[Part]:
        document = here_of(difference).document
        return ranked_line(
            difference, self.kb.place(document), document in hits, self.first, document in edited
        )

    def _age(self, question: Question, now: int) -> str:
        if question not in self.ages:
            answers = self.kb.last_answers(question)
            self.ages[question] = human_age(int(answers[0].at), now) if answers else "never"
        return self.ages[question]

    def tell_of_chunk(self) -> None:
        """Say in full what is under the cursor."""
        if self.answer is None:
            self.about.say([[(HINT, "dim")]])
        elif self.trouble:
            self.about.say([[(safe(self.trouble), "bad")]])
        elif self.chunk is None:
            self.about.say([[("The agent would be given nothing for this question.", "warn")]])
        else:
            difference = self.answer[self.lines.cursor]
            self.about.say(about(difference, self.kb.place(self.chunk.document), self.first))


def here_of(difference: Difference) -> Ranked:
    """The chunk as the newer answer has it, or where it went, as the one before had it."""
    chunk = difference.after or difference.before
    assert chunk is not None
    return chunk
