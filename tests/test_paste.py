"""Pastes arrive whole, however they are cut, and press no key."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from textual import events

from kbtui.tui.paste import END, START, Parser, decoder


def heard(*pieces: str) -> list[events.Event]:
    parser = Parser()
    return [event for piece in pieces for event in parser.feed(piece)]  # type: ignore[misc]


def pasted(found: list[events.Event]) -> list[str]:
    return [event.text for event in found if isinstance(event, events.Paste)]


def keys(found: list[events.Event]) -> list[str]:
    return [event.key for event in found if isinstance(event, events.Key)]


@given(text=st.text(st.characters(codec="utf-8") | st.just("\x1b")), data=st.data())
def test_a_paste_is_one_event_with_every_character_wherever_the_line_cuts_it(
    text: str, data: st.DataObject
) -> None:
    text = "".join(text.replace("\x00", "").split(END))
    assume(END not in text)
    stream = text + END + "q"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = heard("k" + START, *filter(None, pieces))
    assert pasted(found) == [text]
    assert keys(found) == ["k", "q"]


def test_the_beginning_of_a_paste_may_come_in_pieces_too() -> None:
    for cut in range(3, len(START)):
        found = heard("k" + START[:cut], START[cut:] + "\x1b[1mQ" + END, "j")
        assert (pasted(found), keys(found)) == (["\x1b[1mQ"], ["k", "j"])


def test_a_key_that_begins_like_a_paste_is_still_a_key() -> None:
    assert keys(heard("\x1b[20", "~", "\x1b[2", "4~", "\x1b[A")) == ["f9", "f12", "up"]


def test_bytes_of_another_encoding_end_nothing() -> None:
    assert decoder("utf-8")().decode(b"caf\xe9 ok") == "caf\ufffd ok"
