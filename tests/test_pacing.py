"""How many requests go at once, in which order, and how long a refusal is waited out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.pacing import CAP, CEILING, PATIENCE, START, Pacing, Turn, retry_after

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC).timestamp()


def fill(pacing: Pacing, count: int) -> list[Turn]:
    return [pacing.ask(lambda: None) for _ in range(count)]


def serve_round(pacing: Pacing) -> None:
    """As many requests as may go at once go, and are answered."""
    turns = fill(pacing, pacing.limit)
    for turn in turns:
        pacing.served(turn)
    for turn in turns:
        pacing.leave(turn)


def test_four_go_at_once_and_the_fifth_when_one_is_over() -> None:
    pacing = Pacing()
    turns = fill(pacing, 5)
    assert [turn.granted for turn in turns] == [True] * START + [False]
    pacing.leave(turns[0])
    assert turns[4].granted
    assert pacing.in_flight == START


def test_urgent_ones_overtake_whoever_waits_and_keep_their_own_order() -> None:
    pacing, went = Pacing(), list[str]()
    running = fill(pacing, START)
    for name, urgent in [("a", False), ("b", False), ("c", True), ("d", True)]:
        pacing.ask(lambda name=name: went.append(name), urgent=urgent)  # type: ignore[misc]
    for turn in running:
        pacing.leave(turn)
    assert went == ["c", "d", "a", "b"]


def test_who_gives_up_in_the_queue_takes_nobodys_place() -> None:
    pacing = Pacing()
    running = fill(pacing, START)
    bored, patient = fill(pacing, 2)
    pacing.leave(bored)
    pacing.leave(running[0])
    assert patient.granted and not bored.granted
    assert pacing.in_flight == START


def test_leaving_twice_frees_one_place() -> None:
    pacing = Pacing()
    turns = fill(pacing, START)
    pacing.leave(turns[0])
    pacing.leave(turns[0])
    assert pacing.in_flight == START - 1


def test_the_limit_doubles_a_round_while_the_service_is_glad_up_to_the_ceiling() -> None:
    pacing, limits = Pacing(), list[int]()
    for _ in range(4):
        serve_round(pacing)
        limits.append(pacing.limit)
    assert limits[0] > START
    assert limits[-1] == CEILING == max(limits)


def test_the_limit_does_not_grow_while_it_holds_nobody_back() -> None:
    pacing = Pacing()
    for _ in range(50):
        (turn,) = fill(pacing, 1)
        pacing.served(turn)
        pacing.leave(turn)
    assert pacing.limit == START


def test_a_burst_of_refusals_halves_once_and_growth_is_slow_after_it() -> None:
    pacing = Pacing()
    while pacing.limit < CEILING:
        serve_round(pacing)
    turns = fill(pacing, CEILING)
    for turn in turns:
        pacing.refused(turn)
        pacing.leave(turn)
    assert pacing.limit == CEILING // 2
    serve_round(pacing)
    assert pacing.limit == CEILING // 2 + 1
    (again,) = fill(pacing, 1)
    pacing.refused(again)
    assert pacing.limit == (CEILING // 2 + 1) // 2


def test_at_least_one_request_may_always_go() -> None:
    pacing = Pacing()
    for _ in range(10):
        (turn,) = fill(pacing, 1)
        pacing.refused(turn)
        pacing.leave(turn)
    assert pacing.limit == 1


def test_the_maximum_that_the_service_names_is_never_passed() -> None:
    pacing = Pacing()
    (turn,) = fill(pacing, 1)
    pacing.served(turn, maximum=2)
    pacing.leave(turn)
    assert pacing.limit == 2
    for _ in range(20):
        serve_round(pacing)
    assert pacing.limit == 2


@pytest.mark.parametrize("maximum", [0, -3])
def test_a_maximum_that_makes_no_sense_is_ignored(maximum: int) -> None:
    pacing = Pacing()
    (turn,) = fill(pacing, 1)
    pacing.served(turn, maximum=maximum)
    assert pacing.limit == START


@given(st.floats(0, 1), st.integers(1, 2000))
def test_waits_double_up_to_a_cap_and_are_spread_from_nothing_on(drawn: float, attempt: int) -> None:
    wait = Pacing(draw=lambda: drawn).delay(min(attempt, 1000))
    assert wait is not None and 0 <= wait <= CAP
    assert wait == pytest.approx(drawn * min(CAP, 2.0 ** min(attempt - 1, 10)))


@given(st.floats(0, 1), st.floats(0, PATIENCE))
def test_never_less_is_waited_than_the_service_asked_for(drawn: float, asked: float) -> None:
    wait = Pacing(draw=lambda: drawn).delay(1, asked)
    assert wait is not None and asked <= wait <= asked + 1


def test_a_wait_beyond_all_patience_is_not_begun() -> None:
    assert Pacing().delay(1, PATIENCE + 1) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("-1", None),
        ("soon", None),
        ("١٢", None),
        ("Sat, 21 Nov 2026 12:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Saturday, 21-Nov-26 12:00:05 GMT", 5.0),
        ("Sat Nov 21 12:00:10 2026", 10.0),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.integers(0, 10**6))
def test_a_date_says_the_same_as_the_seconds(seconds: int) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)
    assert retry_after(date, NOW) == seconds


@given(st.text())
def test_no_retry_after_header_can_do_harm(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
