"""The line to the terminal, where Textual's driver needs help: how far behind it is, how it is given back.

Every frame ends with a question that any terminal answers when it has drawn it, and that Textual's parser
knows: where is the cursor? The answer says that the frame is seen. Until then the frame is in flight.
"""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Queue
from types import FrameType
from typing import Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from kbtui.terminal import QUIET, RESET
from kbtui.tui.paste import Parser, decoder

ASK = "\x1b[6n"
QUESTIONS = "\x1b[?69$p\x1b[>c\x1b]11;?\x1b\\"
"""Can you move parts of rows (`SideMargins`), are you GNU screen (`GnuScreen`), what is your background
(`Ground`)? See `paste.py`."""

FRAMES = 4  # in flight at most; more would only lie in buffers, and be old when they are seen
LOST = 5.0  # seconds after which an answer is not late but lost
ENDING = 1.0  # seconds for which a shell waits for the terminal, since it would take late answers for keys
TICK = 0.05  # seconds between looks at what the keyboard has begun
WAITING = 2  # frames that may wait for a terminal that answers nothing

_ANSWER = re.compile(r"\x1b\[\d+;\d+R")
_OUR_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l\x1b[?2048$p"


class Returned(Message, bubble=False):
    """The terminal has the focus again."""


class PacedDriver(LinuxDriver):
    """Textual's driver, which also knows what the terminal has drawn already."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.screens = 0  # how often a screen was begun whose cells nobody knows
        self._flying: deque[float] = deque(maxlen=4 * FRAMES)  # when the frames in flight were sent
        # Answers come in another thread; a signal may send a frame in the middle of counting.
        self._counting = threading.RLock()
        self._owed = 0  # answers that have not come, of frames that were given up, too
        self._answers = False  # the terminal is known to answer
        self._heard = 0.0  # when it did last; 0 before it did
        self._trips: deque[float] = deque(maxlen=FRAMES)  # seconds that answers took lately
        self._modes: list[Any] = []
        self._began = 0.0
        self._enough = -1
        self._stop_reading: int | None = None  # the pipe whose other end is `_enough`

    def start_application_mode(self) -> None:
        self._flying.clear()
        self._owed = 0
        self.screens += 1
        self._enough, self._stop_reading = os.pipe()
        # A sleep in the middle would stop threads that have not begun.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
        try:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self._began = time.monotonic()
            self.frame(QUESTIONS)
            with suppress(termios.error):
                self._modes = termios.tcgetattr(self.fileno)
            signal.signal(signal.SIGCONT, self._woken)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def ready(self) -> bool:
        """Whether the terminal can take another frame now; what is drawn meanwhile goes with the next one."""
        return self._waiting() < WAITING and self.in_flight < FRAMES

    @property
    def in_flight(self) -> int:
        """How many frames may not be drawn yet; 0 where no answers come, which nobody waits for."""
        now = time.monotonic()
        with self._counting:
            while self._flying and now - self._flying[0] >= LOST:
                self._flying.popleft()
                # Until it answers again, if that was not just one of many.
                self._answers = self._answers and now - self._heard < LOST
            return len(self._flying) if self._answers else 0

    def frame(self, sent: str) -> None:
        """Send a frame."""
        with self._counting:
            self._flying.append(time.monotonic())
            self._owed += 1
        self.write(sent + ASK)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.AppBlur):
            return  # Textual would take no key and no paste while another window has the focus
        if isinstance(message, events.AppFocus):
            message = Returned()
        if isinstance(message, events.Paste) and self._flying:
            # Terminals that send a paste in pieces answer between them.
            message.text, answered = _ANSWER.subn("", message.text, count=len(self._flying))
        else:
            answered = int(isinstance(message, events.CursorPosition))
        if answered:
            self._hear(answered)
        super().process_message(message)

    def _hear(self, answers: int) -> None:
        now = time.monotonic()
        with self._counting:
            self._owed = max(0, self._owed - answers)
            for _ in range(min(answers, len(self._flying))):  # the others were given up
                self._trips.append(now - self._flying.popleft())
                self._answers, self._heard = True, now

    def run_input_thread(self) -> None:
        """Read the keyboard until it is enough; Textual's would look for the end ten times a second."""
        try:
            self._read_keys()
        except Exception as error:
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)

    def _read_keys(self) -> None:
        parser, decode = Parser(), decoder("utf-8")().decode
        while True:
            patience = TICK if parser.waits else None
            ready, _, _ = select.select([self.fileno, self._enough], [], [], patience)
            if self._enough in ready:
                return
            if ready:
                try:
                    data = os.read(self.fileno, 65536)
                except OSError:  # the line is closed
                    return
                if not data:
                    return
                parser.round_trip = min(self._trips, default=0.0)
                if text := decode(data):  # not the beginning of a character alone
                    for event in parser.feed(text):
                        self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def resume_application_mode(self) -> None:
        if not self._app._exit:
            super().resume_application_mode()
            return
        with suppress(OSError):  # the other program was ended with the app, and may not have tidied up
            os.write(self.fileno, RESET.encode())

    def disable_input(self) -> None:
        if self._stop_reading is None:
            super().disable_input()
            return
        # Nothing is left where there is no other screen; and the answer to this is the last that comes.
        self.frame(f"\x1b[m\x1b[2J\x1b[H{QUIET}")
        self._hear_answers()
        os.write(self._stop_reading, b".")
        super().disable_input()
        for end in (self._enough, self._stop_reading):
            os.close(end)
        self._stop_reading = None

    def _hear_answers(self) -> None:
        begin = time.monotonic() if self._heard else self._began
        end = begin + max(ENDING, min(2 * max(self._trips, default=0.0), LOST))
        while self._owed and time.monotonic() < end:
            time.sleep(0.002)

    def _waiting(self) -> int:
        """How many writes wait for the terminal."""
        queue: Queue[str | None] | None = self._writer_thread._queue if self._writer_thread else None
        return queue.qsize() if queue is not None else 0

    # Awake again

    def _woken(self, number: int, frame: FrameType | None) -> None:
        """Textual would begin to read the keys beside its own reader, where it had not gone to sleep."""
        if self._must_signal_resume:
            self._sigcont_application()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._come_back)

    def _come_back(self) -> None:
        """Woken without having gone to sleep: a shell may have set other modes and drawn on the screen."""
        reader = self._key_thread
        if reader is None or not reader.is_alive():
            return  # the terminal is lent, or was given back
        with suppress(termios.error):
            if self._modes:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._modes)
        self.frame(_OUR_SCREEN)
        self._enable_mouse_support()
        self.screens += 1
        for screen in self._app.screen_stack[-1:]:  # there is none at the very end
            screen.refresh(layout=True)
