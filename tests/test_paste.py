"""What comes from the terminal: pastes arrive whole and press no key, however the line cuts and delays it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from kbtui.terminal import LINK_VARIABLES
from kbtui.tui.paste import BURST, END, LATE, START, STUCK, Ground, SideMargins, decoder
from tests.keys import TICK, Line, heard

READ = 4096  # characters that the driver reads at once
PATIENCE = 0.085  # seconds that anything is waited for, on a line that is not slow
SLOW_PATIENCE = 0.185
GIVEN_UP = 10.0  # seconds after which nothing is waited for


# Cut anywhere

KEYS = [*"jQ[]O é世", "\r", "\x03", "\x7f", "\x1b[A", "\x1bOP", "\x1b[1;5C", "\x1b[15~", "\x1b[20~", "\x1b[Z"]
EVENTS = ["\x1b[I", "\x1b[O", "\x1b[<0;12;3M", "\x1b[<35;-1;3M", "\x1b[<65;9;9m", "\x1b[48;24;80;480;800t"]
ANSWERS = [
    "\x1b]11;rgb:1414/1717/1a1a\x1b\\",
    "\x1b]11;rgb:ff/ff/ff\x07",
    "\x1b]4;1;rgb:00/00/00\x1b\\",
    "\x1b[?69;2$y",
    "\x1b[>41;390;0c",
    "\x1b[?2026;2$y",
    "\x1b[12;40R",
    "\x1b[?64;1;2c",
    "\x1b[>0;276;0c",
    "\x1bP>|term 1.0\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=1;OK\x1b\\",
]
ALT = ["\x1bx", "\x1bb", "\x1b\x7f"]

texts = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=5)
    | st.sampled_from(["\x1b", START, END[:-1], "\x1b[1mQ", "\x1b[B", "\x00", "Q q", "\x1b]11;", "\x9b201~"])
).map(lambda parts: "".join(parts).replace(END, ""))
sent = st.sampled_from(KEYS + EVENTS + ANSWERS) | texts.map(lambda text: START + text + END)


def cut(stream: str, data: st.DataObject, longest: float) -> Line:
    """A line that delivers the stream in pieces, after pauses of at most `longest` seconds."""
    line = Line()
    places = sorted(data.draw(st.sets(st.integers(1, max(len(stream) - 1, 1)), max_size=8)))
    for begin, end in zip([0, *places], [*places, len(stream)], strict=True):
        line.wait(data.draw(st.floats(0, longest)))
        line.read(*filter(None, [stream[begin:end]]))
    return line


@given(stream=st.lists(sent, max_size=8).map("".join), data=st.data())
def test_where_the_line_cuts_changes_nothing_while_the_rest_comes_in_time(
    stream: str, data: st.DataObject
) -> None:
    assert list(map(repr, cut(stream, data, PATIENCE).heard)) == list(map(repr, heard(stream).heard))


@given(stream=st.lists(sent | st.sampled_from(ALT), max_size=8).map("".join), data=st.data())
def test_nor_for_keys_with_alt_while_the_rest_comes_at_once(stream: str, data: st.DataObject) -> None:
    assert list(map(repr, cut(stream, data, BURST - TICK).heard)) == list(map(repr, heard(stream).heard))


@given(stream=st.lists(st.sampled_from(KEYS + EVENTS), max_size=8).map("".join))
def test_what_needs_no_help_is_what_textual_makes_of_it(stream: str) -> None:
    assert list(map(repr, heard(stream).heard)) == list(map(repr, Line(XTermParser).read(stream).heard))


# Pastes


@given(text=texts, data=st.data())
def test_a_paste_is_one_event_with_every_character_wherever_the_line_cuts_it(
    text: str, data: st.DataObject
) -> None:
    line = cut("k" + START + text + END + "q", data, PATIENCE)
    whole, end, rest = (text + END).partition(END)
    assert (line.pasted[0], end) == (whole.replace("\x00", ""), END)
    assert rest or (line.keys == ["k", "q"] and len(line.heard) == 3)


@pytest.mark.parametrize("size", [1, 5, 6, 7, READ])
def test_a_paste_of_a_megabyte_is_one_event_too(size: int) -> None:
    text = "\x1b[20 and Q\n" * (1_000_000 // 11 if size == READ else 2_000)
    stream = START + text + END
    line = heard(*(stream[at : at + size] for at in range(0, len(stream), size)))
    assert line.pasted == [text] and len(line.heard) == 1


def test_a_paste_is_not_copied_again_for_every_piece_of_it() -> None:
    line = heard(START, *["x" * READ] * 2_500)
    pieces = line.parser._pasted  # type: ignore[attr-defined]
    assert len(pieces) < 2 * 2_500 + 2 and max(map(len, pieces)) <= READ + len(END)
    line.read(END)
    assert [len(text) for text in line.pasted] == [2_500 * READ]


def test_an_empty_paste_is_a_paste_and_the_next_one_is_another() -> None:
    assert heard(START + END + START + "a" + END).pasted == ["", "a"]


def test_the_beginning_of_a_paste_may_be_late_however_late_it_is() -> None:
    for pause in (0.06, 0.15, 0.5, 0.9):
        line = heard("k\x1b").wait(pause).read("[200~Q q\x1b[1m", "d" + END, "j")
        assert (line.pasted, line.keys[-1]) == (["Q q\x1b[1md"], "j")
        assert line.keys in (["k", "j"], ["k", "escape", "j"])


def test_the_end_of_a_paste_may_take_its_time() -> None:
    for at in range(1, len(END)):
        for pause in (0.2, 1.0, STUCK + 1):
            line = heard(START + "Q" + END[:at]).wait(pause).read(END[at:], "j").wait(1)
            assert ("".join(line.pasted), line.keys[-1]) == ("Q", "j")
            assert len(line.keys) == 1 or (at == 1 and pause > STUCK)


def test_an_escape_before_a_paste_is_pressed_before_it() -> None:
    first, second = heard("\x1b" + START + "Q" + END).heard
    assert isinstance(first, events.Key) and first.key == "escape"
    assert isinstance(second, events.Paste) and second.text == "Q"


# Pastes that never end


@pytest.fixture
def stuck() -> Line:
    """A line on which the end of a paste was lost."""
    return heard(START + "a\x1b[1mb").wait(STUCK + TICK)


def test_what_came_of_a_paste_without_an_end_is_given_out_when_nothing_more_comes() -> None:
    line = heard(START + "a\x00\x1b[1mb").wait(STUCK - 2 * TICK)
    assert line.heard == []
    line.wait(3 * TICK)
    assert (line.pasted, line.keys) == (["a\x1b[1mb"], [])
    assert len(line.wait(GIVEN_UP).heard) == 1


def test_what_comes_after_it_is_still_paste_and_its_end_ends_it(stuck: Line) -> None:
    stuck.read("Qu", "more").wait(STUCK + TICK).read("do").wait(0.5).read("\x1b[1mq" + END + "j")
    assert (stuck.pasted[1:], stuck.keys) == (["Qumore", "do\x1b[1mq"], ["j"])


@pytest.mark.parametrize(
    ("pressed", "key"),
    [("\x1b", "escape"), ("\x03", "ctrl+c"), ("\x1b[B", "down"), ("\x1bOB", "down"), ("\x1bOP", "f1"),
     ("\x1b[15~", "f5"), ("\x7f", "backspace"), ("\x1b[27u", "escape"), ("\x1b[1;5C", "ctrl+right"),
     ("Q", "Q"), ("\r", "enter"), ("\t", "tab"), ("~", "tilde")],
)  # fmt: skip
def test_a_key_ends_it_and_is_that_key(pressed: str, key: str, stuck: Line) -> None:
    stuck.read(pressed).wait(2).read("j")
    assert (stuck.pasted, stuck.keys) == (["a\x1b[1mb"], [key, "j"])


@pytest.mark.parametrize("pressed", ["\x1b[B\x1b[B", "\x1b[1m", "\x03\x03", "jk", "\r\r", "\x1bj", END[:4]])
def test_anything_else_does_not(pressed: str, stuck: Line) -> None:
    stuck.read(pressed, "Q" + END)
    assert stuck.keys == [] and len(stuck.pasted) == 2


def test_answers_and_the_mouse_do_not_end_it_and_are_no_text(stuck: Line) -> None:
    stuck.read("\x1b[12;40R", "\x1b[<35;1;1M\x1b[<35;2;1M", "\x1b[O", "Q" + END)
    assert (stuck.pasted[1:], stuck.keys) == (["Q"], [])
    kinds = [events.CursorPosition, events.MouseMove, events.MouseMove, events.AppBlur]
    assert [type(event) for event in stuck.heard[1:5]] == kinds


def test_another_paste_ends_it(stuck: Line) -> None:
    stuck.read(START + "c", "d" + END + "j")
    assert (stuck.pasted[1:], stuck.keys) == (["cd"], ["j"])


# Keys in pieces


@pytest.mark.parametrize("pause", [0.0, 0.03, 0.06, PATIENCE])
def test_an_arrow_in_two_pieces_is_one_arrow(pause: float) -> None:
    for arrow in ("\x1b[B", "\x1bOB"):
        for at in (1, 2):
            assert heard(arrow[:at]).wait(pause).read(arrow[at:]).wait(GIVEN_UP).keys == ["down"]


@pytest.mark.parametrize("rest", ["[B", "OB", "[1;5B", "[B\x1b[B"])
def test_an_arrow_whose_rest_is_too_late_is_still_an_arrow(rest: str) -> None:
    keys = heard("\x1b").wait(0.5).read(rest).wait(GIVEN_UP).keys
    assert keys[0] == "escape" and set(keys[1:]) <= {"down", "ctrl+down"} and len(keys) > 1


def test_an_answer_whose_rest_is_too_late_is_still_an_answer() -> None:
    for answer in ANSWERS:
        line = heard("\x1b").wait(0.5).read(answer[1:]).wait(GIVEN_UP)
        assert line.keys == ["escape"]


def test_an_answer_in_the_middle_of_an_arrow_changes_nothing() -> None:
    for pause in (0.03, 0.06, 0.3):
        line = heard("\x1b").wait(pause).read("\x1b[1;1R").wait(0.01).read("\x1b[2;2R", "[B").wait(1)
        assert line.keys == ["escape"] * (pause > 0.1) + ["down"] and len(line.heard) == 2 + len(line.keys)


def test_after_that_time_they_are_keys_that_somebody_pressed() -> None:
    assert heard("\x1b").wait(LATE + 0.5).read("[B").wait(1).keys == ["escape", "left_square_bracket", "B"]
    assert heard("\x1b").wait(0.5).read("j", "[B").wait(1).keys[1:] == ["j", "left_square_bracket", "B"]


def test_a_key_that_begins_like_a_paste_is_still_a_key() -> None:
    assert heard("\x1b[20", "~", "\x1b[2", "4~", "\x1b[A").keys == ["f9", "f12", "up"]


# Escape and Alt


def waits(line: Line) -> float:
    """Seconds until Escape, pressed now, is given on."""
    before, begun = len(line.keys), line.now
    line.read("\x1b")
    while len(line.keys) == before:
        line.wait(TICK)
    assert line.keys[-1] == "escape"
    return line.now - begun


def test_escape_waits_longer_the_slower_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LINK_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    near = waits(Line())
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    far = waits(Line())
    kitty = waits(heard("\x1b[106;1u"))
    assert PATIENCE < near <= 0.11 and SLOW_PATIENCE < far <= 0.21 and far < kitty <= 1.1


def test_escape_and_then_a_key_are_two_keys() -> None:
    for key in "jQx":
        line = heard("\x1b").wait(0.06).read(key).wait(GIVEN_UP)
        assert line.keys == ["escape", key]
    for key in "[]OP_":
        line = heard("\x1b").wait(0.06).read(key).wait(GIVEN_UP)
        assert [event.character for event in line.heard] == ["\x1b", key]  # type: ignore[attr-defined]
        line = heard("\x1b").wait(0.06).read(key).wait(0.1).read("j").wait(GIVEN_UP)
        assert line.keys[-1] == "j" and (key == "[" or line.keys[0] == "escape")


def test_escapes_are_as_many_as_were_pressed() -> None:
    for pause in (0.0, 0.06, 0.3):
        for times in (2, 3, 5):
            line = Line()
            for _ in range(times):
                line.read("\x1b").wait(pause)
            assert line.wait(GIVEN_UP).keys == ["escape"] * times
    assert heard("\x1b\x1b\x1b").wait(1).keys == ["escape"] * 3


@pytest.mark.parametrize("character", [*"xPX[]O_^\\Nbf1"])
def test_alt_with_a_key_is_what_textual_makes_of_it(character: str) -> None:
    pressed = "\x1b" + character
    wanted = Line(XTermParser).read(pressed).wait(GIVEN_UP).keys
    assert heard(pressed).wait(GIVEN_UP).keys == wanted
    assert heard("\x1b").wait(BURST - TICK).read(character).wait(GIVEN_UP).keys == wanted
    assert heard(pressed).wait(0.2).read("j").wait(GIVEN_UP).keys[-1] == "j"


def test_alt_with_a_key_that_an_answer_follows_at_once_is_still_that_key() -> None:
    for character in "xPX]_^":
        found = heard("\x1b" + character + ANSWERS[0] + "\x1b" + character + "\x1b[1;1R").heard
        key, ground, again, report = found
        assert isinstance(key, events.Key) and isinstance(again, events.Key)
        assert key.key == again.key and key.character == again.character == character
        assert isinstance(ground, Ground) and isinstance(report, events.CursorPosition)


@pytest.mark.parametrize("character", [*"xPX]_^"])
def test_what_is_typed_after_alt_with_a_key_is_not_swallowed(character: str) -> None:
    line = heard("\x1b" + character)
    for typed in "hello":
        line.wait(0.1).read(typed)
    assert line.wait(GIVEN_UP).keys[-5:] == list("hello")


# Answers


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        ("rgb:0/8/f", (0, 8 / 15, 1)),
        ("rgb:00/80/ff", (0, 128 / 255, 1)),
        ("rgb:0000/8000/FFFF", (0, 0x8000 / 0xFFFF, 1)),
        ("rgb:fff/000/fff", (1, 0, 1)),
        ("rgba:0000/8000/ffff/1234", (0, 0x8000 / 0xFFFF, 1)),
    ],
)
@pytest.mark.parametrize("end", ["\x07", "\x1b\\"])
def test_the_background_is_told_with_as_many_digits_as_the_terminal_likes(
    answer: str, ground: tuple[float, ...], end: str
) -> None:
    (message,) = heard(f"\x1b]11;{answer}{end}").heard
    assert isinstance(message, Ground)
    assert (message.red, message.green, message.blue) == pytest.approx(ground)


@pytest.mark.parametrize("setting", "01234")
def test_side_margins_are_told_where_there_are_any(setting: str) -> None:
    found = heard(f"\x1b[?69;{setting}$y").heard
    assert [type(message) for message in found] == [SideMargins] * (setting in "12")


@pytest.mark.parametrize(
    "answer",
    [
        "\x1b]11;rgb:00/00\x1b\\", "\x1b]11;rgb:zz/zz/zz\x07", "\x1b]11;\x07", "\x1b]52;c;aGk=\x07",
        "\x1b]4;1;rgb:00/00/00\x1b\\", "\x1bP1$r0m\x1b\\", "\x1bP>|term 1.0\x1b\\", "\x1b_Gi=1;OK\x1b\\",
        "\x1b]52;c;" + "aGk=" * 3_000 + "\x1b\\", "\x1b[?1;2c", "\x1b[>0;276;0c", "\x1b[?997;1n", "\x1b[?0u",
        "\x1b]11;rgb:0000/00",
    ],
)  # fmt: skip
def test_an_answer_that_nobody_asked_for_presses_no_key(answer: str) -> None:
    line = heard("k" + answer + "\x1b[B").read(answer + "\x1b", "[Aj").wait(GIVEN_UP)
    assert (line.keys, len(line.heard)) == (["k", "down", "up", "j"], 4)


def test_an_escape_before_an_answer_is_pressed_before_it() -> None:
    line = heard("\x1b" + ANSWERS[0] + "j").wait(1)
    assert line.keys == ["escape", "j"]


# Nonsense

nonsense = st.lists(
    st.text(max_size=3)
    | st.text("\x1b[]OPM_?<>;:$~u0123456789ABtcy", max_size=12)
    | st.from_regex(r"\x1b\[[0-9;:<?]{0,12}[A-Za-z~]", fullmatch=True)
    | st.sampled_from([START, END, *KEYS, *EVENTS, *ANSWERS, *ALT])
).map("".join)
pauses = st.sampled_from([0.0, TICK, 0.07, 0.15, 1.0, STUCK + TICK])


def alive(line: Line) -> None:
    """Fail unless Escape and j still arrive, and everything that came can be written to a file."""
    line.wait(BURST + 6).read("\x1b").wait(2).read("j").wait(1)
    assert line.keys[-2:] == ["escape", "j"]
    for text in [*line.pasted, *(event.character for event in line.heard if isinstance(event, events.Key))]:
        (text or "").encode()


@given(reads=st.lists(st.tuples(nonsense, pauses), max_size=8))
def test_no_nonsense_ends_the_keyboard(reads: list[tuple[str, float]]) -> None:
    line = Line()
    for text, pause in reads:
        line.read(*filter(None, [text])).wait(pause)
    alive(line)


@given(reads=st.lists(st.binary(max_size=20) | nonsense.map(str.encode)))
def test_no_bytes_end_the_keyboard(reads: list[bytes]) -> None:
    line, decode = Line(), decoder("utf-8")().decode
    for data in reads:
        line.read(*filter(None, [decode(data)])).wait(TICK)
    line.read(*filter(None, [decode(b"", final=True)]))
    alive(line)


@pytest.mark.parametrize(
    "code",
    ["\x1b[9999999999u", "\x1b[55296u", "\x1b[97;;55296u", "\x1b[97:65;2u", "\x1b[97;1:3u"],
)
def test_the_code_of_no_character_presses_no_key(code: str) -> None:
    line = heard(code, "j")
    assert line.keys[-1] == "j"
    alive(line)


def test_a_mouse_on_cells_without_a_size_ends_nothing() -> None:
    alive(heard("\x1b[48;24;80;0;0t", "\x1b[<0;12;3M", "\x1b[48;0;0;0;0t", "\x1b[<0;12;3M"))


def test_bytes_of_another_encoding_end_nothing() -> None:
    assert decoder("utf-8")().decode(b"caf\xe9 ok") == "caf\ufffd ok"


def test_a_long_sequence_presses_no_keys() -> None:
    for sequence in ("\x1b[0;;12371:12435:12395:12385:12399:19990:30028u", f"\x1b[{'1;' * 20}u"):
        assert heard(sequence + "j").keys == ["j"]


def test_an_answer_without_an_end_is_not_waited_for_while_keys_come() -> None:
    line = heard("\x1b]11;rgb:1")
    for _ in range(8):
        line.wait(1).read("j")
    assert line.keys.count("j") >= 2


def test_a_line_end_from_a_bare_paste_is_a_line_end() -> None:
    assert heard("a\nb").keys == ["a", "enter", "b"]
