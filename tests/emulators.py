"""Terminals that can be asked what they show: pyte, made to do what it leaves out, and tmux."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pyte
from pyte.modes import DECAWM
from pyte.screens import Char, Margins, wcwidth

SIDES = 69 << 5  # DECLRMM, as pyte keeps private modes


class Cell(NamedTuple):
    """What is seen of a cell: of a space, nothing but its ground."""

    text: str
    front: str
    back: str
    attributes: tuple[bool, ...]


_NARROW = re.compile("[ -~\xa0-\u02ff\u2500-\u257f]+|.", re.S)


class Screen(pyte.Screen):
    """pyte's screen, with margins at the sides, and with rows that move whether they were touched or not.

    Of a character of two cells no half is left, and a mark goes to the character before it in the line.

    Args:
        fills: what is erased and rows that come in have the ground of now, as on xterm; else the terminal's
            own, as on screen.
    """

    def __init__(self, columns: int, lines: int, *, fills: bool = True) -> None:
        self._fills = fills
        self._sides: tuple[int, int] | None = None
        super().__init__(columns, lines)

    def set_side_margins(self, left: int | None = None, right: int | None = None) -> None:
        if SIDES in self.mode:
            self._sides = ((left or 1) - 1, right or self.columns)
            self.cursor_position()

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        super().reset_mode(*modes, **kwargs)
        if kwargs.get("private") and 69 in modes:
            self._sides = None

    def draw(self, data: str) -> None:
        for piece in _NARROW.findall(data):
            width = max(len(piece) if len(piece) > 1 else wcwidth(piece), 0)
            if width:
                if width == 2 and DECAWM not in self.mode:
                    self.cursor.x = min(self.cursor.x, self.columns - width)
                self._cut(min(self.cursor.x, self.columns - 1), self.cursor.x + width)
                super().draw(piece)
            elif unicodedata.combining(piece):
                self._mark(piece)

    def _mark(self, mark: str) -> None:
        line = self.buffer[self.cursor.y]
        x = self.cursor.x - 1
        if x > 0 and line[x].data == "":
            x -= 1
        if x >= 0:
            line[x] = line[x]._replace(data=unicodedata.normalize("NFC", line[x].data + mark))

    def _cut(self, *edges: int) -> None:
        """Empty the characters that lie across these columns."""
        line = self.buffer[self.cursor.y]
        for x in edges:
            if 0 < x < self.columns and line[x].data == "":
                line[x - 1], line[x] = line[x - 1]._replace(data=" "), line[x]._replace(data=" ")

    def _ground(self) -> Char:
        return self.default_char._replace(bg=self.cursor.attrs.bg) if self._fills else self.default_char

    def erase_characters(self, count: int | None = None) -> None:
        self._cut(self.cursor.x, self.cursor.x + (count or 1))
        self._erase(super().erase_characters, count)

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        if how == 0:
            self._cut(self.cursor.x)
        self._erase(super().erase_in_line, how, private)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        for line in map(self.buffer.__getitem__, range(self.lines)):
            for x in range(self.columns):
                line[x] = line[x]  # pyte erases only what was drawn on
        self._erase(super().erase_in_display, how, *args, **kwargs)

    def _erase(self, erase: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        drawn, self.cursor.attrs = self.cursor.attrs, self._ground()
        erase(*args, **kwargs)
        self.cursor.attrs = drawn

    def insert_lines(self, count: int | None = None) -> None:
        self._move(-(count or 1))

    def delete_lines(self, count: int | None = None) -> None:
        self._move(count or 1)

    def _move(self, by: int) -> None:
        _, bottom = self.margins or Margins(0, self.lines - 1)
        top = self.cursor.y
        left, right = self._sides or (0, self.columns)
        if (
            not (self.margins or Margins(0, self.lines)).top <= top <= bottom
            or not left <= self.cursor.x < right
        ):
            return
        ground = self._ground()
        rows = [[self.buffer[y][x] for x in range(left, right)] for y in range(top, bottom + 1)]
        empty = [[ground] * (right - left)] * min(abs(by), len(rows))
        rows = rows[by:] + empty if by > 0 else empty + rows[:by]
        for y, row in enumerate(rows, top):
            for x, cell in enumerate(row, left):
                self.buffer[y][x] = cell
        self.cursor.x = left

    def cells(self) -> list[list[Cell]]:
        """What is seen."""
        return [[_seen(self.buffer[y][x]) for x in range(self.columns)] for y in range(self.lines)]


class Stream(pyte.Stream):
    """pyte's parser, which also knows margins at the sides."""

    csi = {**pyte.Stream.csi, "s": "set_side_margins"}
    events = pyte.Stream.events | {"set_side_margins"}


class ByteStream(pyte.ByteStream, Stream):
    """The same for bytes."""


def _seen(char: Char) -> Cell:
    front, back = char.fg, char.bg
    attributes = (char.bold, char.italics, char.underscore, char.strikethrough, char.reverse, char.blink)
    if char.data == " ":
        attributes = (False, False, char.underscore, char.strikethrough, char.reverse, False)
        front = front if any(attributes) else "default"
    return Cell(char.data, front, back, attributes)


class Pyte:
    """The screen with its parser; with `fills`, see there."""

    def __init__(self, columns: int, lines: int, *, fills: bool = True) -> None:
        self._fills = fills
        self.begin(columns, lines)

    def begin(self, columns: int, lines: int) -> None:
        """Be of this size, with nothing to see."""
        self._screen = Screen(columns, lines, fills=self._fills)
        self._stream = Stream(self._screen)

    def feed(self, data: str) -> None:
        self._stream.feed(data)

    def mark_ends(self, lines: int, columns: int) -> None:
        """Nothing has to be drawn for the ends of the lines to be told."""

    def raw(self) -> object:
        """Two terminals of which this is equal show the same."""
        return self._screen.buffer

    def cells(self) -> list[list[Cell]]:
        return self._screen.cells()

    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.x, self._screen.cursor.y


class Tmux:
    """A tmux of its own with a pane that shows what it is fed; a context manager."""

    def __init__(self, columns: int, lines: int) -> None:
        self._folder = Path(tempfile.mkdtemp())
        os.mkfifo(self._folder / "in")
        self._socket = str(self._folder / "socket")
        self._marks = 0
        env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        self._control = subprocess.Popen(
            ["tmux", "-C", "-S", self._socket, "-f", "/dev/null", "new-session", "-x", str(columns), "-y",
             str(lines), f"stty raw -echo; exec cat {self._folder}/in"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True,
        )  # fmt: skip
        next(line for line in self._lines() if line.startswith("%end"))  # of how it was started
        self._ask("refresh-client -f no-output")
        self._ask("set-option -g status off")
        self._ask(f"resize-window -x {columns} -y {lines}")
        self._feed = (self._folder / "in").open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.close()
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)
        self._control.communicate()
        shutil.rmtree(self._folder)

    def begin(self, columns: int, lines: int) -> None:
        """Be of this size, with nothing to see."""
        self.feed("\x1bc")
        self._ask("clear-history")
        self._ask(f"resize-window -x {columns} -y {lines}")

    def feed(self, data: str) -> None:
        """Have it drawn; returns when it is.

        In pieces, for tmux forgets a joiner where what it reads at once comes to its end.
        """
        while data:
            end = data.rfind("\x1b", 1, 1000) if len(data) > 1000 else -1
            piece, data = (data[:end], data[end:]) if end > 0 else (data, "")
            self._marks += 1
            self._feed.write(f"{piece}\x1b]2;mark{self._marks}\x1b\\".encode())
            while self._ask("display-message -p '#{pane_title}'") != [f"mark{self._marks}"]:
                pass

    def mark_ends(self, lines: int, columns: int) -> None:
        """Draw something in the last column."""
        self.feed("\x1b[m" + "".join(f"\x1b[{y + 1};{columns}H|" for y in range(lines)))

    def raw(self) -> list[str]:
        """Two terminals of which this is equal show the same."""
        return self._ask("capture-pane -p -e -N")

    def cells(self) -> list[list[tuple[str, str]]]:
        """What is seen: characters with their attributes, without the blank end of a line.

        Of that, tmux does not tell the ground; `mark_ends` has it told.
        """
        now: dict[str, str] = {}
        return [_shown(line, now) for line in self.raw()]

    def cursor(self) -> tuple[int, int]:
        x, y = self._ask("display-message -p '#{cursor_x} #{cursor_y}'")[0].split()
        return int(x), int(y)

    def _ask(self, command: str) -> list[str]:
        """The lines that a command answers."""
        assert self._control.stdin is not None and self._control.stdout is not None
        self._control.stdin.write(command + "\n")
        self._control.stdin.flush()
        answer: list[str] | None = None
        for line in self._lines():
            if line.startswith("%begin") and line.endswith(" 1"):
                answer = []
            elif line.startswith(("%end", "%error")) and answer is not None:
                return answer
            elif answer is not None:
                answer.append(line)
        raise AssertionError("tmux has ended")

    def _lines(self) -> Iterator[str]:
        assert self._control.stdout is not None
        for line in self._control.stdout:
            yield line.rstrip("\n")


_SGR = re.compile(r"\x1b\[([\d;:]*)m|(.)", re.S)
_KINDS = {
    "22": "12",
    "23": "3",
    "24": "4",
    "25": "56",
    "27": "7",
    "28": "8",
    "29": "9",
    "39": "f",
    "49": "b",
    "55": "o",
}
_ON_BLANKS = set("479o")


def _shown(line: str, now: dict[str, str]) -> list[tuple[str, str]]:
    """A line as tmux tells it, character by character with what is seen of its attributes, which go on."""
    found: list[tuple[str, str]] = []
    for match in _SGR.finditer(line):
        codes, char = match.groups()
        if char is not None:
            seen = now
            if char == " ":
                under = bool(_ON_BLANKS & now.keys())
                seen = {
                    kind: code
                    for kind, code in now.items()
                    if kind in _ON_BLANKS or kind == "b" or (under and kind == "f")
                }
            found.append((char, " ".join(f"{kind}={seen[kind]}" for kind in sorted(seen))))
            continue
        rest = codes.split(";")
        while rest:
            code = rest.pop(0)
            if code in ("38", "48"):
                taken = 4 if rest[0] == "2" else 2
                now["f" if code == "38" else "b"] = ";".join(rest[:taken])
                del rest[:taken]
            elif code in ("", "0"):
                now.clear()
            elif code in _KINDS:
                for kind in _KINDS[code]:
                    now.pop(kind, None)
            elif code.startswith(("3", "9")) and len(code) == 2 and code != "9":
                now["f"] = code
            elif code == "9" or len(code) == 1 or code.startswith("4:"):
                now[code[0]] = code
            elif code in ("53", "5:3"):
                now["o"] = code
            else:
                now["b"] = code
    while found and found[-1][0] == " " and not _ON_BLANKS & {kind[0] for kind in found[-1][1].split()}:
        found.pop()
    return found
