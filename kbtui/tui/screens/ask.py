"""Ask: what an agent would retrieve for a question, and what became of that since it was asked before."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kbtui.answers import PENDING
from kbtui.commands import Situation
from kbtui.content import safe
from kbtui.errors import Error
from kbtui.indexing import in_words
from kbtui.questions import Difference, Question, Ranked, summary
from kbtui.rows import DocumentRow, Found
from kbtui.tui.background import background
from kbtui.tui.keyboard import CommandScreen
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.document_view import DocumentView
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.line import Line, Part
from kbtui.tui.widgets.lines import Lines
from kbtui.tui.widgets.ranking import about, hit_line, kept_line, ranked_line
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import Agent, RagIndex
    from kbtui.tui.app import KbApp

BESIDE = 100  # columns from which what the search finds stands beside the answer
HEADS = f"{' Rank':<10}{'Distance':<19}Chunk of"
LOW, LOWEST = 18, 10  # rows below which only the chunk in full stands below the answer, or nothing
WAYS = {"semantic": "by meaning", "keyword": "by words"}
HINT = (
    "Type a question as a caller asks it: you see the chunks that the agent would be given, nearest first. "
    "No conversation comes of it. What you asked is kept; after a change, . asks again and tells what moved."
)


class Ask(CommandScreen[None]):
    """A field for the question, the chunks of the answer, and what the search finds for the same words."""

    def __init__(self, app: KbApp, *, words: str = "", again: bool = False) -> None:
        """`words` are those to begin with; with `again`, the last question is asked at once."""
        super().__init__(app.keymap)
        self.kb, self.kbapp = app.kb, app
        self.kept = self.kb.questions()
        self.question = self.kept[0] if self.kept else Question("", "", "")
        self.answer: tuple[Difference, ...] | None = None  # None: the kept questions are shown
        self.hits: list[Found] = []
        self._again = again
        self._asked = Question("", "", "")  # what `answer` belongs to
        self._trouble = ""  # why there is none
        self._first = False  # there is no answer before this one
        self._header = Line("header")
        self._field = Field("words", "a question, as a caller asks it")
        self._field.value = words
        self.lines, self.lexical = Lines("ranked"), Lines("lexical")
        self._heads, self._beside = Line("heads"), Line("beside")
        self._about = DocumentView("about")
        self._state: Part = ("", "")
        self._index: Part = ("", "")
        self._ages: dict[Question, str] = {}

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        with Horizontal(id="body"):
            with Vertical(id="answer"):
                yield self._heads
                yield self.lines
            with Vertical(id="found"):
                yield self._beside
                yield self.lexical
        yield self._about
        yield Line("footer")

    def on_mount(self) -> None:
        self._about.can_focus = self.lexical.can_focus = False
        self.set_focus(self._field)
        self._show()
        if self._again:
            self.do_ask_again()

    def on_resize(self) -> None:
        self.set_class(self.app.size.width < BESIDE, "-narrow")
        self.set_class(self.app.size.height < LOW, "-low")
        self.set_class(self.app.size.height < LOWEST, "-lowest")
        self._show()

    def on_screen_resume(self) -> None:
        self._show()  # there may be a draft now

    def here(self) -> tuple[str, ...]:
        return ("ask",) if self.focused is self._field else ("answer", "move")

    def situation(self) -> Situation:
        return Situation(row=self._row, read_only=self.kbapp.read_only())

    @property
    def chunk(self) -> Ranked | None:
        """The chunk under the cursor, as it was ranked last."""
        if self.answer is None or self.lines.cursor >= len(self.answer):
            return None
        before, after = self.answer[self.lines.cursor]
        return after or before

    @property
    def _row(self) -> DocumentRow | None:
        return self.kb.mirror.row(self.chunk.document) if self.chunk is not None else None

    # What it tells

    def show_lines(self) -> None:
        question = self.question
        agent = safe(question.agent_name or question.agent) or "no agent chosen"
        ways = f"  {WAYS.get(question.strategy, question.strategy)}, "
        ways += "with its settings" if question.as_set else "with neutral settings"
        left: list[Part] = [(" Ask ", "strong"), (f" {agent}", "key"), (ways, "dim")]
        self._header.show(left, [self._index if self._index[0] else self._state, (" ", "")])
        self.show_footer()

    def _say(self, sentence: str, look: str = "") -> None:
        self._state = (sentence, look)
        self.show_lines()

    def _show(self) -> None:
        """Draw everything anew."""
        asked = self.answer is not None
        self.set_class(not asked, "-kept")
        hits = {hit.id for hit in self.hits}
        if self.answer is not None:
            known = {chunk.document for chunk in map(_here, self.answer)}
            self._heads.show([(HEADS, "dim")])
            edited = {draft.document for draft in self.kb.drafts.all()}
            lines = [self._line(each, hits, edited) for each in self.answer]
            self.lines.show(lines, self.lines.cursor)
            self._beside.show([(" Found by the search", "dim")])
            self.lexical.show([hit_line(hit, hit.id in known) for hit in self.hits])
            self.lexical.cursor = -1  # it has none
        else:
            self._heads.show([("  Questions you asked" if self.kept else "", "dim")])
            now = int(time.time())
            lines = [kept_line(each, self._age(each, now)) for each in self.kept]
            self.lines.show(lines, self.lines.cursor)
        self._tell()
        self.show_lines()

    def _line(self, difference: Difference, hits: set[str], edited: set[str]) -> list[Part]:
        document = _here(difference).document
        return ranked_line(
            difference, self._path(document), document in hits, self._first, document in edited
        )

    def _age(self, question: Question, now: int) -> str:
        if question not in self._ages:
            answers = self.kb.last_answers(question)
            self._ages[question] = human_age(int(answers[0].at), now) if answers else "never"
        return self._ages[question]

    def _path(self, document: str) -> str:
        return " / ".join(folder.name for folder in self.kb.mirror.path(document))

    def _tell(self) -> None:
        """Say in full what is under the cursor."""
        if self.answer is None:
            self._about.say([[(HINT, "dim")]])
        elif self._trouble:
            self._about.say([[(safe(self._trouble), "bad")]])
        elif self.chunk is None:
            self._about.say([[("The agent would be given nothing for this question.", "warn")]])
        else:
            difference = self.answer[self.lines.cursor]
            self._about.say(about(difference, self._path(self.chunk.document), self._first))

    # Asking

    def do_ask_now(self) -> None:
        words = self._field.value.strip()
        if not words:
            self.do_ask_results()
        elif not self.question.agent:
            self.do_answer_agent()
        else:
            self.question = self.question._replace(words=words)
            self._ask(self.question)
            self._look_up(words)
            self._lead_answer()

    def do_ask_again(self) -> None:
        """What stands in the field goes before what was asked last: it is newer."""
        if self.answer is None and self.focused is self.lines and self.lines.count:
            self.do_answer_open()
            return
        if not self._field.value.strip():
            self._field.value = self.question.words
        if self._field.value.strip():
            self.do_ask_now()
        else:
            self.tell("Nothing was asked yet; type a question.")

    @background("ask")
    async def _ask(self, question: Question) -> None:
        self._index, here = ("", ""), self.chunk
        self._say("asking …", "dim")
        try:
            self.kb.keep_question(question)
            before = self.kb.last_answers(question)
            answer, differences, waiting, trouble = await self.kb.ask_kept(question)
        except Error as error:
            if question != self._asked:  # else, the answer before is still what was true last
                self.answer, self._asked, self._trouble = (), question, error.sentence
                self._show()
            self._say("no answer", "bad")
            raise
        self._asked, self._trouble = question, ""
        self._first = differences is None
        new = tuple(Difference(None, chunk) for chunk in answer.chunks)
        self.answer = new if differences is None else differences
        self.lines.cursor = next(
            (at for at, (was, _) in enumerate(self.answer) if was and _same(was, here)), 0
        )
        self._show()
        chunks = counted(len(answer.chunks), "chunk")
        since = f"since {_ago(before[0].at)}: " if before else ""
        self._say(chunks if differences is None else since + summary(differences))
        for document in waiting:
            self._watch(document)
        if trouble:
            self.tell(f"The answer is not kept: {trouble}", "warn")

    @background("lexical")
    async def _look_up(self, words: str) -> None:
        """The first page of what the search finds for the same words."""
        self.hits = []
        async with aclosing(self.kb.found(words)) as pages:
            async for page, _ in pages:
                self.hits = page
                break
        if self.answer is not None:
            self._show()

    def do_answer_agent(self) -> None:
        from kbtui.tui.screens.agents import Agents

        self.app.push_screen(Agents(self.kbapp), self._chosen)

    do_ask_agent = do_answer_agent

    def _chosen(self, agent: Agent | None) -> None:
        if agent is None:
            return
        self.question = self.question._replace(agent=agent.agent_id, agent_name=agent.name, branch=None)
        self.show_lines()
        if self._field.value.strip():
            self.do_ask_now()

    def do_answer_strategy(self) -> None:
        other = "keyword" if self.question.strategy == "semantic" else "semantic"
        self.question = self.question._replace(strategy=other)
        self._ask_or_show()

    def do_answer_settings(self) -> None:
        self.question = self.question._replace(as_set=not self.question.as_set)
        self._ask_or_show()

    def _ask_or_show(self) -> None:
        if self.answer is not None:
            self.do_ask_again()
        else:
            self.show_lines()

    # Moving

    def do_move(self, by: str) -> None:
        self.lines.move(by)
        self._tell()
        self.show_footer()

    @on(VirtualList.Moved, "#ranked")
    def _moved(self) -> None:
        self._tell()

    def do_ask_results(self) -> None:
        if self.lines.count:
            self._lead_answer()

    def _lead_answer(self) -> None:
        self.set_focus(self.lines)
        self.lines.show_led()
        self.show_footer()

    def do_answer_words(self) -> None:
        self.set_focus(self._field)
        self.lines.show_led()
        self.show_footer()

    @on(VirtualList.Opened, "#ranked")
    def do_answer_open(self) -> None:
        """The chunk in its document; of a kept question, its answer now."""
        row, chunk = self._row, self.chunk
        if self.answer is None:
            if self.lines.cursor < len(self.kept):
                self._keep_typed()
                self.question = self.kept[self.lines.cursor]
                self._field.value = self.question.words
                self.do_ask_now()
        elif row is None:
            gone = "The document is not in the list; R there brings it up to date."
            self.tell(gone if self.chunk is not None else "There is no chunk to be opened.", "warn")
        elif chunk is not None:
            from kbtui.tui.screens.chunks import Chunks

            self.app.push_screen(Chunks(self.kbapp, row, (chunk.id, chunk.content)))

    def _keep_typed(self) -> None:
        """Words that were typed and not asked are kept among the questions."""
        typed = self._field.value.strip()
        if typed and typed != self._asked.words:
            self.kb.keep_question(self.question._replace(words=typed))

    def do_answer_search(self) -> None:
        from kbtui.tui.screens.search import Search

        self.app.switch_screen(Search(self.kbapp, self._field.value))

    def do_answer_kept(self) -> None:
        """Back to the kept questions."""
        self.workers.cancel_group(self, "ask")
        self._ages.clear()
        self.kept = self.kb.questions()
        self.answer = None
        self.lines.cursor = 0
        self._say("")
        self._show()
        if self.kept:
            self._lead_answer()
        else:
            self.do_answer_words()

    def do_answer_forget(self) -> None:
        if self.answer is None and self.lines.cursor < len(self.kept):
            self._forget(self.kept[self.lines.cursor])

    @background("forget")
    async def _forget(self, question: Question) -> None:
        from kbtui.tui.screens.question import Question as Asked

        answers = counted(len(self.kb.last_answers(question)), "kept answer")
        loss = f"“{safe(question.words[:80])}” and its {answers} are lost for good."
        if await self.app.push_screen_wait(Asked(self.kbapp, "Forget this question?", loss, "Forget")):
            self.kb.forget_question(question)
            self.tell("The question and its answers are forgotten.")
            self.do_answer_kept()

    def do_answer_leave(self) -> None:
        if self.answer is None:
            self.workers.cancel_group(self, "ask")
            self._say("")
        self.do_answer_words()

    def do_view(self, by: str) -> None:
        """Scroll the chunk that stands below, in full: down or up."""
        self._about.move(f"half_{by}")

    def do_ask_leave(self) -> None:
        self.dismiss()

    # The fix

    def do_document_edit(self) -> None:
        row, chunk = self._row, self.chunk
        if row is not None and chunk is not None:
            self.kbapp.edit_at(row.id, chunk.content)

    def content_saved(self, document: str) -> None:
        if any(_here(each).document == document for each in self.answer or ()):
            self._watch(document)

    @background("index")
    async def _watch(self, document: str) -> None:
        """Follow the indexes of a document that was saved until they are built."""
        row = self.kb.mirror.row(document)
        name = safe(row.name[:60]) if row is not None else "the document"
        indexes: list[RagIndex] = []
        try:
            async with aclosing(self.kb.follow_indexes(document)) as looks:
                async for indexes in looks:
                    await self.uncovered()
                    pending = [each.progress_percentage for each in indexes if each.status in PENDING]
                    state = f"is being built, {min(pending):.0f} %" if pending else "was asked for"
                    self._index = (f"the index of “{name}” {state}", "warn")
                    self.show_lines()
        except Error:
            self._index = ("", "")
            self.show_lines()
            raise
        if any(each.reworded and _here(each).document == document for each in self.answer or ()):
            self._index = ("", "")  # it was asked meanwhile, and the answer has the new words
            self.show_lines()
            return
        ready = any(each.status == "succeeded" for each in indexes)
        why, look = in_words(indexes[0] if indexes else None)
        done = "is indexed anew: . asks again" if ready else f"has no index that is ready: {why}"
        self._index = (f"“{name}” {done}", "good" if ready else look)
        self.show_lines()
        self.tell(f"“{name}” {done}.", "" if ready else look)


def _ago(moment: float) -> str:
    age = human_age(int(moment), int(time.time()))
    return "a moment ago" if age == "now" else f"{age} ago"


def _same(chunk: Ranked, other: Ranked | None) -> bool:
    return other is not None and (chunk.document, chunk.id) == (other.document, other.id)


def _here(difference: Difference) -> Ranked:
    chunk = difference.after or difference.before
    assert chunk is not None
    return chunk
