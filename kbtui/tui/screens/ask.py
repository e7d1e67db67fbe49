"""Ask: what an agent would retrieve for a question, and what became of that since it was asked before."""

from __future__ import annotations

import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from textual import on
from textual.await_complete import AwaitComplete
from textual.widget import Widget

from kbtui.commands import Command
from kbtui.content import safe
from kbtui.errors import Error, Offline, first_sentence
from kbtui.indexing import in_words, slowest
from kbtui.placing import Spot
from kbtui.questions import Difference, Question, Ranked, summary
from kbtui.rows import Chosen
from kbtui.tui.answer_panes import AnswerPanes, here_of
from kbtui.tui.background import background
from kbtui.tui.finding import Left
from kbtui.tui.widgets.document_list import human_age
from kbtui.tui.widgets.folder_tree import counted
from kbtui.tui.widgets.ranking import WAYS
from kbtui.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from kbtui.models import RagIndex
    from kbtui.tui.app import KbApp

SLOW = 3.0  # seconds without an answer until that is told


class Ask(AnswerPanes):
    """The commands of the places "ask" and "answer", each in a method by its name."""

    def __init__(self, app: KbApp, *, words: str = "", again: bool = False) -> None:
        """`words` are those to begin with; with `again`, the last question is asked at once."""
        super().__init__(app, words)
        self._again = again
        self._looked_up = ""  # the words that the hits are of
        self._followed: tuple[str, str] | None = None  # the document and the model of an index being built

    def begin(self) -> None:
        if self._again:
            self.do_ask_again()
        elif self.field.value.strip():  # words that were searched for: the keys are for their answer
            self._lead_answer()
            self.do_ask_now()

    def here(self) -> tuple[str, ...]:
        if self.within:
            return ("hits", "answer", "move", "around")
        return ("ask",) if self.focused is self.field else ("answer", "move", "around")

    def label(self, command: Command) -> str:
        by_words = command.id == "answer.strategy" and self.question.strategy != "semantic"
        return WAYS["semantic"] if by_words else super().label(command)

    # Asking

    def do_ask_now(self) -> None:
        words = self.field.value.strip()
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
        if not self.field.value.strip():
            self.field.value = self.question.words
        if self.field.value.strip():
            self.do_ask_now()
        else:
            self.tell("Nothing was asked yet; type a question.")

    @background("ask")
    async def _ask(self, question: Question) -> None:
        self.index, here = ("", ""), self.chunk
        self.say("asking …", "dim")
        slow = self.set_timer(SLOW, lambda: self.say("the service has not answered yet", "warn"))
        try:
            self.kb.keep_question(question)
            before = self.kb.last_answers(question)
            answer, differences, waiting, trouble = await self.kb.ask_kept(question)
        except Error as error:
            if question != self.asked:  # else, the answer before is still what was true last
                self.answer, self.asked, self.trouble = (), question, error.sentence
                self.show()
            self.say(first_sentence(safe(error.sentence)), "bad")
            raise
        finally:
            slow.stop()
        self.asked, self.trouble = question, ""
        self.first = differences is None
        new = tuple(Difference(None, chunk) for chunk in answer.chunks)
        self.answer = new if differences is None else differences
        self.lines.cursor = next(
            (at for at, (was, _) in enumerate(self.answer) if was and _same(was, here)), 0
        )
        self.show()
        chunks = counted(len(answer.chunks), "chunk")
        since = f" since {_ago(before[0].at)}" if before else ""
        self.say(chunks if differences is None else summary(differences) + since)
        self._learn(question)
        if waiting:
            self._watch(next(iter(waiting)))  # asked again then, the next is waited for
        if trouble:
            self.tell(f"The answer is not kept: {trouble}", "warn")

    @background("knowledge")
    async def _learn(self, question: Question) -> None:
        """Under which model the chunks stand, and how many of them there may be, is the agent's to tell."""
        with suppress(Error):  # a key that may not see the agent may ask it nevertheless
            self.known[question.agent, question.branch] = await self.kb.knowledge(question.chosen)
            self.show_lines()
            if self.chunk is None:
                self.tell_of_line()

    @background("lexical")
    async def _look_up(self, words: str) -> None:
        """The first page of what the search finds for the same words."""
        if words != self._looked_up:
            self.hits = []
        self._looked_up = words
        self.searched = ("searching …", "dim")
        self.show_beside()
        try:
            async with aclosing(self.kb.found(words)) as pages:
                async for page, more in pages:
                    self.hits = page
                    known = f"{len(page)}+ hits" if more else counted(len(page), "hit")
                    self.searched = (known, "dim" if page else "warn")
                    break
        except Error as error:  # the question is answered nevertheless, or its notice says more
            self.searched = (first_sentence(safe(error.sentence)), "bad")
            if isinstance(error, Offline):
                self.kbapp.look_again()
        if self.answer is not None:
            self.show()

    def do_answer_agent(self) -> None:
        from kbtui.tui.screens.agents import Agents

        self.app.push_screen(Agents(self.kbapp), self._chosen)

    do_ask_agent = do_answer_agent

    def _chosen(self, chosen: Chosen | None) -> None:
        if chosen is None:
            return
        self.question = self.question._replace(
            agent=chosen.agent,
            agent_name=chosen.name,
            branch=chosen.branch,
            branch_name=chosen.branch_name,
        )
        self.show_lines()
        if self.field.value.strip():
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
        (self.results if self.within else self.lines).move(by)
        self.tell_of_line()
        self.show_footer()

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self.tell_of_line()

    def do_ask_results(self) -> None:
        if self.lines.count:
            self._lead_answer()

    def _lead(self, pane: Widget) -> None:
        """Give the keys to the field or to one of the two lists."""
        self.set_focus(pane)
        self.show_within()
        self.lines.show_led()
        self.results.show_led()
        self.tell_of_line()
        self.show_footer()

    def _lead_answer(self) -> None:
        self._lead(self.lines)

    def do_answer_hits(self) -> None:
        self._lead(self.results)

    do_hits_leave = _lead_answer

    def do_answer_words(self) -> None:
        self._lead(self.field)

    @on(VirtualList.Opened, "#ranked")
    def do_answer_open(self) -> None:
        """The chunk in its document; of a kept question, its answer now."""
        row, chunk = self.row, self.chunk
        if self.answer is None:
            if self.lines.cursor < len(self.kept):
                self._keep_typed()
                self.question = self.kept[self.lines.cursor]
                self.field.value = self.question.words
                self.do_ask_now()
        elif row is None:
            gone = "The document is not in the list; R there brings it up to date."
            self.tell(gone if self.chunk is not None else "There is no chunk to be opened.", "warn")
        elif chunk is not None:
            from kbtui.tui.screens.chunks import Chunks

            screen = Chunks(self.kbapp, row, (chunk.id, chunk.content))
            screen.model = self.model
            self.app.push_screen(screen)

    def left(self) -> Left:
        """`gs` goes on with the search that the hits are of; the answer is asked for again by `.`."""
        return Left(self._looked_up)

    def spot(self) -> Spot | None:
        chunk = self.chunk
        return super().spot() if self.within else Spot(passage=chunk.content) if chunk is not None else None

    def do_results_info(self) -> None:
        """Everything known of the document, in its place."""
        row = self.row
        if self.within:
            super().do_results_info()
        elif row is not None:
            self.kbapp.uncover()
            self.kbapp.go_to(row.id, row.name)
            self.kbapp.show_info()

    def _keep_typed(self) -> None:
        """Words that were typed and not asked are kept among the questions."""
        typed = self.field.value.strip()
        if typed and typed != self.asked.words:
            self.kb.keep_question(self.question._replace(words=typed))

    def do_answer_search(self) -> None:
        from kbtui.tui.screens.search import Search

        self._hand_over()
        self.app.switch_screen(Search(self.kbapp, self.field.value))

    def do_answer_kept(self) -> None:
        """Back to the kept questions."""
        self.workers.cancel_group(self, "ask")
        self.ages.clear()
        self.kept = self.kb.questions()
        self.answer = None
        self.lines.cursor = 0
        self.say("")
        self.show()
        if self.kept:
            self._lead_answer()
        else:
            self.do_answer_words()

    def do_answer_forget(self) -> None:
        if self.lines.cursor < len(self.kept):
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
            self.say("")
        self.do_answer_words()

    def do_view(self, by: str) -> None:
        """Scroll the chunk that stands below, in full: down or up."""
        self.about.move(f"half_{by}")

    def do_ask_leave(self) -> None:
        self.dismiss()

    do_answer_close = do_ask_leave

    def dismiss(self, result: None = None) -> AwaitComplete:
        self._hand_over()  # however the screen is left
        return super().dismiss(result)

    def _hand_over(self) -> None:
        """What is followed here is followed on by the app, and told when it is ready."""
        if self._followed is not None:
            self.kbapp.follow_index(*self._followed)
            self._followed = None

    # The fix

    def do_document_edit(self) -> None:
        row, chunk = self.row, self.chunk
        if self.within:
            super().do_document_edit()
        elif row is not None and chunk is not None:
            self.kbapp.edit_at(row.id, chunk.content)

    def content_saved(self, document: str) -> None:
        """Follow the index of what the agent is given, and of what only the search finds: it may be next."""
        if self.answer is not None and document in {*self.results.both, *(hit.id for hit in self.hits)}:
            self._watch(document)

    @background("index")
    async def _watch(self, document: str) -> None:
        """Follow the indexes of a document that was saved until they are built."""
        if self._followed is not None and self._followed[0] != document:
            self._hand_over()
        if self.model and document in self.results.both:  # it had an index under this model
            self._followed = (document, self.model)
        row = self.kb.mirror.row(document)
        name = safe(row.name[:60]) if row is not None else "the document"
        indexes: list[RagIndex] = []
        try:
            async with aclosing(self.kb.follow_indexes(document)) as looks:
                async for indexes in looks:
                    await self.uncovered()
                    building = slowest(indexes)
                    if building:
                        self._followed = (document, building.model)
                    state = f"is {in_words(building)[0]}" if building else "was asked for"
                    self.index = (f"the index of “{name}” {state}", "warn")
                    self.show_lines()
        except Error:
            self._followed, self.index = None, ("", "")
            self.show_lines()
            raise
        self._followed = None
        if any(each.reworded and here_of(each).document == document for each in self.answer or ()):
            self.index = ("", "")  # it was asked meanwhile, and the answer has the new words
            self.show_lines()
            return
        ready = any(each.status == "succeeded" for each in indexes)
        why, look = in_words(indexes[0] if indexes else None)
        done = "is indexed anew: . asks again" if ready else f"has no index that is ready: {why}"
        self.index = (f"“{name}” {done}", "good" if ready else look)
        self.show_lines()
        self.tell(f"“{name}” {done}.", "" if ready else look)


def _ago(moment: float) -> str:
    age = human_age(int(moment), int(time.time()))
    return "a moment ago" if age == "now" else f"{age} ago"


def _same(chunk: Ranked, other: Ranked | None) -> bool:
    return other is not None and (chunk.document, chunk.id) == (other.document, other.id)
