"""What the driver hears of its terminal: answers inside pastes, frames that are drawn, the focus."""

from __future__ import annotations

import threading
from collections import deque

import pytest
from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from kbtui.tui.driver import LOST, PacedDriver, Returned
from tests.keys import heard


class Flying(PacedDriver):
    """A driver with some frames in flight."""

    def __init__(self, frames: int) -> None:
        self._flying = deque([0.0] * frames)
        self._trips: deque[float] = deque()
        self._counting = threading.RLock()
        self._answers, self._owed = False, frames


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """What the driver tells the app."""
    told: list[Message] = []
    monkeypatch.setattr(LinuxDriver, "process_message", lambda driver, message: told.append(message))
    return told


@pytest.mark.parametrize(("frames", "left"), [(0, 3), (1, 2), (3, 0), (4, 0)])
def test_answers_between_the_pieces_of_a_paste_are_no_text_as_many_as_were_asked_for(
    frames: int, left: int, told: list[Message]
) -> None:
    driver = Flying(frames)
    driver.process_message(events.Paste("a\x1b[1;1Rb\x1b[12;40Rc\x1b[1mQ\x1b[3;4R"))
    (paste,) = told
    assert isinstance(paste, events.Paste)
    assert paste.text.count("R") == left and "c\x1b[1mQ" in paste.text
    assert len(driver._flying) == max(frames - 3, 0)


def test_an_answer_outside_a_paste_says_that_the_oldest_frame_is_drawn(told: list[Message]) -> None:
    driver = Flying(2)
    for message in heard("\x1b[1;1R\x1b[1;1R\x1b[1;1R").heard:
        driver.process_message(message)
    assert len(told) == 3 and not driver._flying


def test_a_window_that_loses_the_focus_takes_keys_and_pastes_all_the_same(told: list[Message]) -> None:
    driver = Flying(0)
    for message in heard("\x1b[Oj\x1b[I").heard:
        driver.process_message(message)
    assert [type(message) for message in told] == [events.Key, Returned]


def test_an_answer_that_is_lost_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Flying(1)
    driver._answers, driver._heard, driver._flying[0] = True, 0.0, 0.0
    monkeypatch.setattr("time.monotonic", lambda: LOST - 0.1)
    assert driver.in_flight == 1
    monkeypatch.setattr("time.monotonic", lambda: LOST + 0.1)
    assert driver.in_flight == 0 and not driver._flying
