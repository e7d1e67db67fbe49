"""The answer to a question, and what stands around it: what the Ask screen shows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kbtui.agents import Knowledge
from kbtui.content import safe
from kbtui.questions import Difference, Question, Ranked
from kbtui.rows import DocumentRow, Found
from kbtui.situation import Situation
from kbtui.tui.finding import Finding
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.line import Line, Part, cut, prose
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.ranking import WAYS, about, heads, is_far, kept_line, ranked_line, ways
from kbtui.tui.widgets.results import BOTH, Beside, passage

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp

AGENT = 28  # cells of an agent's name that stay in view
BESIDE = 100  # columns from which what the search finds stands beside the answer
LOW, LOWEST = 18, 10  # rows below which only the chunk in full stands below the answer, or nothing
HINT = (
    "Type a question as a caller asks it: you see the chunks that the agent would be given, nearest first. "
    "No conversation comes of it. Questions are kept; after a change, `.` asks again and tells what moved."
)


class AnswerPanes(Finding):
    """A field for the question, the chunks of the answer, and what the search finds for the same words."""

    results: Beside

    def __init__(self, app: KbApp, words: str) -> None:
        """`words` are those to begin with."""
        super().__init__(app.keymap)
        self.kb, self.kbapp = app.kb, app
        self.kept = self.kb.questions()
        self.question = self.kept[0] if self.kept else Question("", "", "")
        self.answer: tuple[Difference, ...] | None = None  # None: the kept questions are shown
        self.hits: list[Found] = []
        self.searched: Part = ("", "")  # how it stands with them
        self.asked = Question("", "", "")  # what `answer` belongs to
        self.trouble = ""  # why there is none
        self.first = False  # there is no answer before this one
        self._header = Line("header")
        self.field = Field("words", "a question, as a caller asks it")
        self.field.value = words
        self.lines, self.results = Lines("ranked"), Beside("lexical", self.kb.marks, self.kb.place)
        self._heads, self._beside = Line("heads"), Line("beside")
        self.about = DocumentView("about")
        self._heading: list[Part] = []
        self._state: Part = ("", "")
        self.index: Part = ("", "")
        self.ages: dict[Question, str] = {}
        self.known: dict[tuple[str, str | None], Knowledge] = {}  # of agents on branches, as far as told

    def compose(self) -> ComposeResult:
        yield self._header
        yield self.field
        with Horizontal(id="body"):
            with Vertical(id="answer"):
                yield self._heads
                yield self.lines
            with Vertical(id="found"):
                yield self._beside
                yield self.results
        yield self.about
        yield Line("footer")

    def on_mount(self) -> None:
        self.about.can_focus = False
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
        self.show_within()
        self.show_lines()

    def show_within(self) -> None:
        """Where there is room for one list only, show the one that has the keys."""
        self.set_class(self.within and self.has_class("-low"), "-within")

    def on_screen_resume(self) -> None:
        self.show()  # there may be a draft now

    def situation(self) -> Situation:
        return Situation(
            row=self.row,
            read_only=self.kbapp.read_only(),
            undoable=self.kb.undoable() is not None,
            marked=bool(self.kb.marks),
            hits=self.answer is not None and self.results.count > 0,
            kept=self.answer is None and bool(self.kept),
        )

    def facts(self) -> list[Part]:
        return self.kbapp.marked()

    @property
    def within(self) -> bool:
        """Whether the keys are for what the search finds."""
        return self.focused is self.results

    @property
    def model(self) -> str:
        """The embedding model of the agent that was asked, or "" where nobody told."""
        known = self.known.get((self.asked.agent, self.asked.branch))
        return known.model if known is not None else ""

    @property
    def chunk(self) -> Ranked | None:
        """The chunk under the cursor, as it was ranked last."""
        if self.answer is None or self.lines.cursor >= len(self.answer):
            return None
        return here_of(self.answer[self.lines.cursor])

    @property
    def row(self) -> DocumentRow | None:
        """The document of that chunk, or of the hit that has the keys, as the mirror knows it."""
        if self.within:
            found = self.results.found
            return self.kb.mirror.row(found.id) if found is not None else None
        return self.kb.mirror.row(self.chunk.document) if self.chunk is not None else None

    # What it tells

    def show_lines(self) -> None:
        agent = safe(self.question.chosen.label) or "no agent chosen"
        how = f"  {WAYS.get(self.question.strategy, self.question.strategy)}, {self._settings()}"
        left: list[Part] = [(" Ask ", "strong"), (f" {agent}", "key")]
        state = self.index if self.index[0] else self._state
        if self.has_class("-narrow"):  # the agent stays readable; how it is asked stands below
            room = self.app.size.width - min(cell_len(agent), AGENT) - 9
            self._heads.show(self._heading, [(f"{how.strip()} ", "dim")])
            self._header.show(left, [*cut([state], room), (" ", "")])
        else:
            model = f"{safe(self.model)} " if self.model and self.answer is not None else ""
            self._heads.show(self._heading, [(model, "dim")])
            self._header.show([*left, (how, "dim")], [state, (" ", "")])
        self.show_footer()

    def _settings(self) -> str:
        """With which settings is asked, as far as they were told."""
        if not self.question.as_set:
            return "with neutral settings"
        known = self.known.get((self.question.agent, self.question.branch))
        limits = ["RAG off"] if known and known.rag is False else []
        limits += [f"≤ {known.chunks} chunks"] if known and known.chunks is not None else []
        by_meaning = self.question.strategy == "semantic"
        limits += [f"distance ≤ {known.distance:g}"] if known and known.distance and by_meaning else []
        return ", ".join(limits) or "with its settings"

    def say(self, sentence: str, look: str = "") -> None:
        """Tell how it stands with the question."""
        self._state = (sentence, look)
        self.show_lines()

    def show(self) -> None:
        """Draw everything anew."""
        asked = self.answer is not None
        self.set_class(not asked, "-kept")
        if self.answer is not None:
            far = is_far(self.answer)
            self._heading = [(heads(far), "dim")]
            hits, edited = {hit.id for hit in self.hits}, self.kb.edited()
            before = self.lines.count
            self.lines.show([self._line(each, hits, edited, far) for each in self.answer], self.lines.cursor)
            if self.lines.count != before and self.has_class("-narrow"):
                self.lines.refresh(layout=True)  # what it leaves free is for the hits
            self.show_beside()
        else:
            self._heading = [("  Questions you asked" if self.kept else "", "dim")]
            now = int(time.time())
            lines = [kept_line(each, self._age(each, now)) for each in self.kept]
            self.lines.show(lines, self.lines.cursor)
        self.tell_of_line()
        self.show_lines()

    def show_beside(self) -> None:
        """Draw what the search finds, and how it stands with it."""
        if self.answer is not None:
            self.results.both = frozenset(here_of(each).document for each in self.answer)
            self._beside.show(
                [(" Search", "strong"), (f"  {BOTH}", "key"), (" in both", "dim")],
                [self.searched, (" · score ", "dim")],
            )
            self.results.show(self.hits)

    def _line(self, difference: Difference, hits: set[str], edited: frozenset[str], far: bool) -> list[Part]:
        document = here_of(difference).document
        return ranked_line(
            difference,
            self.kb.place(document),
            both=document in hits,
            first=self.first,
            edited=document in edited,
            far=far,
        )

    def _age(self, question: Question, now: int) -> str:
        if question not in self.ages:
            answers = self.kb.last_answers(question)
            self.ages[question] = human_age(int(answers[0].at), now) if answers else "never"
        return self.ages[question]

    def tell_of_line(self) -> None:
        """Say in full what is under the cursor."""
        self.about.say(list(self._told()))

    def _told(self) -> Iterable[list[Part]]:
        found = self.results.found if self.within else None
        if found is not None:
            return passage(found, self.kb.place(found.id) or "Root")
        if self.answer is None:
            return [*self._told_of_kept(), prose(HINT)]
        if self.trouble:
            return [[(safe(self.trouble), "bad")]]
        if self.chunk is None:
            return [[("The agent would be given nothing for this question.", "warn")], self._why_nothing()]
        difference = self.answer[self.lines.cursor]
        return about(difference, self.kb.place(self.chunk.document), self.first)

    def _why_nothing(self) -> list[Part]:
        """What keeps chunks from an agent, where that was told."""
        known = self.known.get((self.asked.agent, self.asked.branch))
        if not known or not known.distance or not self.asked.as_set or self.asked.strategy != "semantic":
            return []
        far = f"It is given none beyond a distance of {known.distance:g}; `o` asks with neutral settings."
        return prose(far)

    def _told_of_kept(self) -> Iterable[list[Part]]:
        """Of whom the kept question under the cursor is asked, and how, where that is unusual."""
        if self.focused is not self.lines or self.lines.cursor >= len(self.kept):
            return
        question = self.kept[self.lines.cursor]
        name = safe(question.agent_name[:80] or question.agent)
        if ways(question):
            yield [(name, "key"), (f", {', '.join(ways(question))}", "")]


def here_of(difference: Difference) -> Ranked:
    """The chunk as the newer answer has it, or where it went, as the one before had it."""
    chunk = difference.after or difference.before
    assert chunk is not None
    return chunk
