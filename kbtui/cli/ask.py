"""`kbtui ask`: what an agent would retrieve for a question, and whether that is better than it was."""

from __future__ import annotations

import time
from argparse import Action, ArgumentParser, Namespace
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING, Any

from kbtui.cli import Item, words
from kbtui.cli.ls import moment
from kbtui.content import safe
from kbtui.errors import NotFound, Refused
from kbtui.questions import Answer, Difference, Question, Ranked, answered, compare, gone, summary

if TYPE_CHECKING:
    from kbtui.answers import Answers
    from kbtui.history import History
    from kbtui.models import Retrieval
    from kbtui.settings import Settings


class _Kept(Action):
    """--kept, in place of an agent and a question."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, *_: Any) -> None:
        namespace.kept = True
        for positional in self.const:
            positional.required = False


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    asked = (
        add("agent", metavar="AGENT", help="its id or name"),
        add("question", nargs="+", type=words, metavar="WORD", help="the question, as a caller asks it"),
    )
    add("-b", "--branch", metavar="ID", help="a branch of the agent; else the main one")
    add("--keyword", action="store_true", help="by words instead of by meaning")
    add("--neutral", action="store_true", help="without the agent's own settings")
    add("--keep", action="store_true", help="keep the question, and its answer, on this machine")
    add(
        "--kept",
        action=_Kept,
        nargs=0,
        const=asked,
        default=False,
        help="instead: ask all kept questions again; tell what changed since their last answers",
    )
    parser.usage = "%(prog)s [options] AGENT WORD [WORD ...]\n       %(prog)s [options] --kept"
    parser.set_defaults(wrong=parser.error)


async def run(answers: Answers, flags: Namespace) -> AsyncIterator[Item]:
    """The chunks, nearest first; of kept questions what became of them. No conversation comes of it."""
    if flags.kept and (flags.agent or flags.branch or flags.keyword or flags.neutral or flags.keep):
        flags.wrong("--kept asks as was asked before; it takes no question and nothing that belongs to one")
    if flags.demo and (flags.kept or flags.keep):
        flags.wrong(
            "a demo ends with its command, and nothing is kept of it; kbtui serve runs one that stays"
        )
    async with aclosing((_asked_again if flags.kept else _asked)(answers, flags)) as items:
        async for item in items:
            yield item


async def _asked(answers: Answers, flags: Namespace) -> AsyncGenerator[Item, None]:
    agent = await answers.find_agent(flags.agent)
    question = Question(
        agent.agent_id,
        agent.name,
        " ".join(flags.question),
        branch=flags.branch,
        strategy="keyword" if flags.keyword else "semantic",
        as_set=not flags.neutral,
    )
    found = await _answer(answers, question)
    answer = answered(found, time.time())
    if flags.keep:
        with _history(flags.settings) as (history, base_url):
            history.keep_question(base_url, question)
            history.remember_answer(base_url, question, answer)
    for chunk, ranked in zip(found.chunks, answer.chunks, strict=True):
        far = "" if ranked.distance is None else f"  distance {ranked.distance:.3f}"
        text = safe(ranked.content, newlines=True)
        yield Item(chunk.raw(), f"# {ranked.rank}{far}  {_place(ranked)}\n{text}\n")


async def _asked_again(answers: Answers, flags: Namespace) -> AsyncGenerator[Item, None]:
    missing = list[tuple[Question, NotFound | Refused]]()
    with _history(flags.settings) as (history, base_url):
        questions = history.questions(base_url)
        if not questions:
            raise NotFound("No question is kept. Keep one: kbtui ask --keep AGENT QUESTION.")
        for question in reversed(questions):  # the last to be asked is the newest in use: the order stays
            try:
                found = await _answer(answers, question)
            except (NotFound, Refused) as error:  # the agent is gone, perhaps; the others are not
                missing.append((question, error))
                continue
            answer = answered(found, time.time())
            before = next(iter(history.last_answers(base_url, question)), None)
            differences = compare(before, answer) if before else ()
            went = gone(differences)
            waiting = [went[id] for id in await answers.being_indexed(went)]
            if not waiting and not flags.json:  # what nobody was told of is told the next time
                history.remember_answer(base_url, question, answer)
            yield Item(found.raw(), _changes(question, before, answer, differences, waiting))
    if missing:
        question, why = missing[0]
        of = "One kept question has" if len(missing) == 1 else f"{len(missing)} kept questions have"
        raise type(why)(f"{of} no answer: “{question.words}”: {why.sentence}")


async def _answer(answers: Answers, question: Question) -> Retrieval:
    return await answers.ask(
        question.agent,
        question.words,
        branch=question.branch,
        strategy=question.strategy,
        as_set=question.as_set,
    )


@contextmanager
def _history(settings: Settings) -> Iterator[tuple[History, str]]:
    """What is kept on this machine, and the base URL that it is kept under."""
    from kbtui.history import History  # here: a question that is not kept needs no SQLite

    with closing(History.open(settings.places.state / "state.db")) as history:
        if not history.lasting:
            raise Refused(f"Kept questions are out of reach. {history.notice}")
        yield history, settings.workspace.base_url


def _changes(
    question: Question,
    before: Answer | None,
    answer: Answer,
    differences: Sequence[Difference],
    waiting: Sequence[str],
) -> str:
    """The question in a line, then how many chunks rose, fell and so on, then each that did."""
    ways = ["by words"] if question.strategy == "keyword" else []
    ways += [] if question.as_set else ["neutral"]
    ways += [f"branch {question.branch_name or question.branch}"] if question.branch else []
    head = "  ".join(map(safe, (question.agent_name or question.agent, question.words, *ways)))
    if before is None:
        return f"# {head}\nfirst answer: {len(answer.chunks)} chunks\n"
    if waiting:
        names = ", ".join(f"“{safe(name)}”" for name in waiting)
        return f"# {head}\nno answer yet: {names} is being indexed; ask again in a while\n"
    lines = [_line(each) for each in differences if each.kind != "stayed" or each.reworded]
    return "\n".join((f"# {head}", f"since {moment(int(before.at))}: {summary(differences)}", *lines, ""))


def _line(difference: Difference) -> str:
    """What a chunk did, its ranks and distances before → after, where it is; - where it is not."""
    before, after = difference
    here = after or before
    assert here is not None
    ranks = " → ".join("-" if each is None else str(each.rank) for each in difference)
    far = [None if each is None else each.distance for each in difference]
    told = " → ".join("-" if each is None else f"{each:.3f}" for each in far)
    parts = (
        difference.kind,
        ranks,
        f"distance {told}" if any(each is not None for each in far) else "",
        _place(here),
        "other words" if difference.reworded else "",
    )
    return "  ".join(filter(None, parts))


def _place(chunk: Ranked) -> str:
    return f"{safe(chunk.name)}  {safe(chunk.document)}/{safe(chunk.id)}"
