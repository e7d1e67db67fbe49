"""kbtui without the screen, for scripts and screen readers: one file a command.

Each says how it is called in `add_arguments`, and what it finds in `run`, item by item. Exit codes: 0 done,
1 a bug, 2 wrongly called or no key, 3 what was named is not there, 4 refused, 5 no answer, 6 the output
cannot be written, 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from signal import SIGPIPE
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kbtui.content import safe
from kbtui.errors import Error, NotFound, Refused, Unauthorized

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from kbtui.answers import Answers

COMMANDS = {
    "ls": "list the documents of a folder",
    "cat": "write the content of a document, byte for byte",
    "search": "find words in the contents of documents",
    "chunks": "show the chunks of a document",
    "ask": "show what an agent would retrieve for a question",
    "info": "tell everything about a document",
}


def words(text: str) -> str:
    """What may be looked for, as argparse checks it."""
    if not text.strip():
        raise ValueError
    return text


def positive(text: str) -> int:
    """A number from 1 on, as argparse checks it."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


class Item(NamedTuple):
    """One thing that was found: the service's own object, and how a person reads it."""

    raw: dict[str, Any]
    text: str


class CommandModule(Protocol):
    """What the file of a command has."""

    def add_arguments(self, parser: ArgumentParser) -> None: ...
    def run(self, answers: Answers, flags: Namespace) -> AsyncIterator[Item | bytes]:
        """What is found; `flags.settings` are those of the whole program."""
        ...


def module(command: str) -> CommandModule:
    """The file of a command."""
    return import_module(f"kbtui.cli.{command}")


def run(command: str, answers: Answers, flags: Namespace, say: Callable[[str], None]) -> int:
    """Carry out a command; its exit code. What goes wrong is told with `say`, in a sentence."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - somebody closed it before the start
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        code = _answered(command, answers, flags, say)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the end of Python complains
        return 128 + SIGPIPE
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"The output cannot be written: {error.strerror or error}.")
        return 6
    return code


def _answered(command: str, answers: Answers, flags: Namespace, say: Callable[[str], None]) -> int:
    try:
        asyncio.run(_write(command, answers, flags))
    except Error as error:
        sys.stdout.flush()  # before what is said on the other stream
        say(error.sentence)
        return _code(error)
    return 0


def _code(error: Error) -> int:
    if isinstance(error, NotFound):
        return 3
    return 4 if isinstance(error, Refused | Unauthorized) else 5


async def _write(command: str, answers: Answers, flags: Namespace) -> None:
    items: AsyncIterator[Item | bytes] = module(command).run(answers, flags)
    between, decode = "[", getincrementaldecoder("utf-8")("replace").decode
    try:
        async with aclosing(items):  # type: ignore[type-var]
            async for item in items:
                if isinstance(item, bytes) and sys.stdout.isatty():
                    sys.stdout.write(safe(decode(item), newlines=True))  # a terminal obeys nothing in it
                elif isinstance(item, bytes):
                    sys.stdout.buffer.write(item)
                elif flags.json:
                    # In ASCII alone: lossless, and nothing that a terminal obeys.
                    sys.stdout.write(f"{between}\n{json.dumps(item.raw)}")
                    between = ","
                else:
                    print(item.text)
        if between == "[" and getattr(flags, "json", False):
            print("[]")
    finally:
        if between == ",":
            print("\n]")  # what was found is whole, even where something else was not found
        await answers.close()
