"""The way back: where a person was, as a browser keeps it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kbtui.trail import DEEP, REST, Stop, Trail

scopes = st.sampled_from("abcdef")
verbs = st.sampled_from(["go", "go", "back", "forward", "swap"])


def anything(stop: Stop) -> bool:
    return True


def at(scope: str, document: str = "1", pane: str = "list") -> Stop:
    return Stop(scope, document, pane)


@given(st.lists(st.tuples(verbs, scopes), max_size=60))
def test_between_folders_it_is_the_history_of_a_browser(steps: list[tuple[str, str]]) -> None:
    trail, model, here = Trail(), ["a"], 0
    trail.come(at("a"), 0)
    for verb, scope in steps:
        if verb == "go":
            trail.come(at(scope), 0)
            if scope != model[here]:
                model[here + 1 :] = [scope]
                here = len(model) - 1
        elif verb == "back":
            found = trail.back(anything, 0)
            assert (found is None) == (here == 0)
            here = max(0, here - 1)
        elif verb == "forward":
            found = trail.forward(anything, 0)
            assert (found is None) == (here == len(model) - 1)
            here = min(len(model) - 1, here + 1)
        assert trail.here == at(model[here])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["come", "come", "come", "back", "forward", "swap"]),
            scopes,
            st.sampled_from("12"),
            st.sampled_from(["tree", "list", "view"]),
            st.sampled_from([0.0, REST]),
        ),
        max_size=80,
    ),
    st.sets(st.tuples(scopes, st.sampled_from("12"))),
)
def test_whatever_is_done_only_what_is_still_there_is_gone_to_and_the_person_is_there(
    steps: list[tuple[str, str, str, str, float]], gone: set[tuple[str, str]]
) -> None:
    trail, now = Trail(), 0.0
    for verb, scope, document, pane, rest in steps:
        now += rest
        before = trail.here
        if verb == "come":
            trail.come(Stop(scope, document, pane), now)
            assert trail.here == (scope, document, pane)
            continue
        found = getattr(trail, verb)(lambda stop: stop[:2] not in gone, now)
        if found is not None:
            assert found[:2] not in gone and found == trail.here != before
            trail.come(found, now)
            assert trail.last == before
        else:
            assert trail.here == before
        assert len(trail.stops) <= DEEP and -1 <= trail.at < len(trail.stops)


@given(st.lists(scopes, min_size=2, max_size=30), st.integers(0, 5))
def test_the_last_place_and_again_is_where_it_began(visits: list[str], backs: int) -> None:
    trail = Trail()
    for scope in visits:
        trail.come(at(scope), 0)
    for _ in range(backs):
        trail.back(anything, 0)
    here, stops = trail.here, list(trail.stops)
    if trail.swap(anything, 0) is not None:
        assert trail.here != here
        assert trail.swap(anything, 0) == here
        assert backs != 0 or trail.stops[: len(stops)] == stops


def test_a_hundred_places_are_kept() -> None:
    trail = Trail()
    for number in range(3 * DEEP):
        trail.come(at(str(number)), 0)
    found = [trail.back(anything, 0) for _ in range(DEEP)]
    assert found[0] == at(str(3 * DEEP - 2)) and found[-2] == at(str(2 * DEEP)) and found[-1] is None


def test_what_the_cursor_passes_through_leaves_no_trace_and_what_was_rested_at_or_read_does() -> None:
    trail = Trail()
    for number in range(5):
        trail.come(at("a", str(number)), 0.1 * number)
    trail.come(at("a", "5"), 0.4 + REST)  # rested at 4
    trail.come(at("a", "5", "view"), 3.0)  # and read 5
    trail.come(at("a", "6", "view"), 3.1)
    trail.come(at("a", "7"), 3.2)
    trail.come(at("a", "9", "view"), 3.2)  # as a search goes to it
    trail.come(at("b"), 3.3)
    found = [trail.back(anything, 3.4) for _ in range(6)]
    assert [stop.document for stop in found if stop] == ["9", "7", "6", "5", "4"]


def test_a_step_from_where_one_came_back_to_drops_nothing_and_is_taken_back_first() -> None:
    trail = Trail()
    for scope in "abc":
        trail.come(at(scope), 0)
    trail.back(anything, 0)
    trail.come(at("b", "2"), 0)
    trail.come(at("b", "3"), 0)
    assert trail.forward(anything, 0) == at("c")
    trail.back(anything, 0)
    trail.come(at("b", "2"), 0)
    assert trail.back(anything, 0) == at("b") and trail.forward(anything, 0) == at("c")
    trail.back(anything, 0)
    trail.come(at("b", "2"), 0)
    trail.come(at("d"), 0)
    assert trail.forward(anything, 0) is None and trail.back(anything, 0) == at("b", "2")
    trail.come(at("b", "3"), 0)
    assert trail.swap(anything, 0) == trail.here == at("b", "2") == trail.stops[trail.at]


def test_the_pane_that_was_left_is_come_back_to_and_folders_passed_in_the_tree_are_no_places() -> None:
    trail = Trail()
    trail.come(at("a"), 0)
    trail.come(at("a", "1", "view"), 0)
    for scope in "bcd":
        trail.come(at(scope, "1", "tree"), 0)
    assert trail.back(anything, 0) == at("a", "1", "view")
    assert trail.forward(anything, 0) == at("d", "1", "tree")
