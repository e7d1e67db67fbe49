"""What two texts have in common and where they differ; three texts made one."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.differences import (
    Merge,
    amount,
    diff,
    differing,
    hunks,
    joined,
    keeps,
    merge,
    moved,
    reworded,
    unresolved,
)
from tests.test_content import within

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n", "e"]), max_size=12).map("".join)
bodies = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<li>", "One. ", "Two! ", "Three ", "\n", "\r\n", "four", "Fünf? ", "。"]
    ),
    max_size=15,
).map("".join)


def rebuilt(old: list[str], shown: list[str]) -> str:
    """What the diff makes of the pieces that it is about."""
    new: list[str] = []
    at = 0
    for line in shown[2:]:
        if head := re.fullmatch(r"@@ -(\d+),(\d+) \+\d+,\d+ @@", line):
            start = int(head[1]) - (head[2] != "0")
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            new += [line[1:]] if line[0] == " " else []
            at += 1
    return "".join(new + old[at:])


def marked(shown: list[str], end: str) -> list[str]:
    """The diff with the line ends of the text in it, as the diff tells of them."""
    lines = [
        line.removesuffix("↵") + "\n" if line[0] in " +-" and line.endswith(end) else line for line in shown
    ]
    return [
        line.removesuffix("\n") if after.startswith("\\") else line
        for line, after in pairwise([*lines, ""])
        if not line.startswith("\\")
    ]


@given(lines, lines)
def test_a_diff_applied_to_before_is_after(before: str, after: str) -> None:
    shown = diff(before, after, before_name="before", after_name="after")
    assert rebuilt(re.split(r"(?<=\n)", before), marked(shown, "")) == after


def test_equal_texts_have_no_diff_and_others_have_names() -> None:
    assert diff("x\n", "x\n", before_name="a", after_name="b") == []
    assert diff("x\n", "y", before_name="a", after_name="b") == [
        "--- a", "+++ b", "@@ -1,1 +1,1 @@", "-x", "+y", "\\ No newline at end of file",
    ]  # fmt: skip


def test_one_long_line_of_html_is_compared_by_its_sentences() -> None:
    before = "".join(f"<p>This is <b>sentence</b> {n}. And another one {n}.</p>" for n in range(100))
    after = before.replace("another one 50.", "changed one 50.")
    assert diff(before, after, before_name="a", after_name="b")[2:] == [
        "@@ -99,7 +99,7 @@",
        " <p>This is <b>sentence</b> 49. ",
        " And another one 49.</p>",
        " <p>This is <b>sentence</b> 50. ",
        "-And another one 50.</p>",
        "+And changed one 50.</p>",
        " <p>This is <b>sentence</b> 51. ",
        " And another one 51.</p>",
        " <p>This is <b>sentence</b> 52. ",
    ]


@given(bodies, bodies)
def test_a_diff_by_sentences_mentions_every_change(before: str, after: str) -> None:
    long = "x" * 300 + "\n"
    shown = diff(long + before, long + after, before_name="a", after_name="b")

    pieces = [line[1:] for line in marked(diff(long + before, "", before_name="a", after_name="b"), "↵")[3:]]
    assert "".join(pieces) == long + before
    assert rebuilt(pieces, marked(shown, "↵")) == long + after


@cache
def hostile() -> dict[str, tuple[str, str]]:
    """Pairs of 300 kB on which common algorithms take minutes."""
    chance = random.Random(1)

    def of(tokens: list[str], count: int) -> str:
        return "".join(chance.choice(tokens) for _ in range(count))

    shuffled = [f"<p>Sentence {n}. </p>" for n in range(15_000)]
    ordered = "".join(shuffled)
    chance.shuffle(shuffled)
    lines = [f"{n}\n" for n in range(300)]
    return {
        "two tokens": (of(["a\n", "b\n"], 150_000), of(["a\n", "b\n"], 150_000)),
        "300 tokens": (of(lines, 75_000), of(lines, 75_000)),
        "shuffled": (ordered, "".join(shuffled)),
        "list": ("<li>x</li>" * 30_000, "<li>x</li>" * 15_000 + "<li>y</li>" + "<li>x</li>" * 14_000),
        "one line": ("x" * 300_000, "y" * 300_000),
    }


@pytest.mark.parametrize("pair", ["two tokens", "300 tokens", "shuffled", "list", "one line"])
def test_no_pair_of_300_kb_takes_long_to_compare_or_merge(pair: str) -> None:
    before, after = hostile()[pair]
    assert within(10, lambda: diff(before, after, before_name="a", after_name="b"))
    within(10, lambda: merge(before, after, before[::-1]))


# Merge


@given(bodies, bodies, bodies)
def test_a_side_that_changed_nothing_gives_way_byte_for_byte(base: str, mine: str, theirs: str) -> None:
    assert merge(base, base, theirs) == Merge(theirs, True)
    assert merge(base, mine, base) == Merge(mine, True)
    assert merge(base, mine, mine) == Merge(mine, True)


@given(bodies, bodies, bodies)
def test_a_merge_takes_no_word_away_that_a_side_added(base: str, mine: str, theirs: str) -> None:
    mine, theirs = mine.replace("four", "mine4"), theirs.replace("four", "theirs4")
    merged, clean = merge(base, mine, theirs)
    assert clean != unresolved(merged)
    assert ("mine4" in mine) <= ("mine4" in merged)
    assert ("theirs4" in theirs) <= ("theirs4" in merged)


@given(st.lists(st.integers(0, 3), min_size=5, max_size=30), st.data())
def test_changes_in_different_sentences_merge(lengths: list[int], data: st.DataObject) -> None:
    sentences = [f"Sentence {n}{' word' * length}. " for n, length in enumerate(lengths)]
    first = data.draw(st.integers(0, len(sentences) - 2))
    second = data.draw(st.integers(first + 1, len(sentences) - 1))

    def changed(*which: int) -> str:
        return (
            "<p>" + "".join(f"New {n}. " if n in which else text for n, text in enumerate(sentences)) + "</p>"
        )

    assert merge(changed(), changed(first), changed(second)) == Merge(changed(first, second), True)
    assert keeps(changed(), changed(first), changed(first, second))
    assert not keeps(changed(), changed(first), changed(second))


def test_changes_of_the_same_sentence_are_put_between_markers() -> None:
    base = "<p>Refunds take 14 days. They are free.</p>"
    merged = merge(base, base.replace("14", "30"), base.replace("14", "7"))
    assert not merged.clean
    assert unresolved(merged.text)
    assert merged.text == (
        "<p>\n<<<<<<< mine\nRefunds take 30 days.\n=======\nRefunds take 7 days.\n>>>>>>> theirs\n"
        " They are free.</p>"
    )


def test_conflict_markers_have_the_line_ends_of_theirs_where_mine_has_none() -> None:
    merged = merge("a\r\nb\r\n", "", "a\r\nd\r\n")
    assert merged.text.replace("\r\n", "").isprintable() and not merged.clean


def test_markers_end_as_the_lines_of_the_text_do() -> None:
    merged = merge("a\r\nb\r\n", "a\r\nc\r\n", "a\r\nd\r\n")
    assert merged.text == "a\r\n<<<<<<< mine\r\nc\r\n=======\r\nd\r\n>>>>>>> theirs\r\n"


def test_a_text_about_merging_is_not_taken_for_an_unresolved_one() -> None:
    assert not unresolved("Look for <<<<<<< mine in the text.\n=======\n")
    assert unresolved("a\r\n<<<<<<< mine\r\nb")


# Place by place


@given(bodies, bodies, bodies)
def test_the_stretches_of_three_texts_are_these_texts(base: str, mine: str, theirs: str) -> None:
    found = hunks(base, mine, theirs)
    assert tuple("".join(sides) for sides in zip(*(hunk[1:] for hunk in found), strict=True)) == (
        (base, mine, theirs) if found else ()
    )
    assert found or not (base or mine or theirs)
    for hunk in found:
        alike = (hunk.base == hunk.mine, hunk.base == hunk.theirs, hunk.mine == hunk.theirs)
        assert {"": alike == (True, True, True), "mine": alike[1], "theirs": alike[0], "same": alike[2],
                "both": not any(alike)}[hunk.whose]  # fmt: skip


@given(bodies, bodies, bodies, st.data())
def test_what_is_decided_place_by_place_holds_the_chosen_sides_and_no_marks(
    base: str, mine: str, theirs: str, data: st.DataObject
) -> None:
    found = hunks(base, mine, theirs)
    overlaps = [at for at, hunk in enumerate(found) if hunk.whose == "both"]
    choices = {at: data.draw(st.sampled_from(["mine", "theirs", "both"])) for at in overlaps}
    text = joined(found, choices)
    assert not unresolved(text)
    at = 0
    for number, hunk in enumerate(found):
        choice = choices.get(number)
        sides = (hunk.settled or "",) if choice is None else (hunk.mine, hunk.theirs)
        for side in sides if choice in (None, "both") else (getattr(hunk, choice or ""),):
            at = text.index(side, at) + len(side)


def test_both_sides_of_a_sentence_stand_apart_when_both_are_kept() -> None:
    base, mine, theirs = (f"We pay in {days} days. Call us." for days in (14, 30, 7))
    found = hunks(base, mine, theirs)
    (at,) = (at for at, hunk in enumerate(found) if hunk.whose == "both")
    assert joined(found, {at: "both"}) == "We pay in 30 days. We pay in 7 days. Call us."
    found = hunks("a\nb\n", "a\nc", "a\nd")
    assert joined(found, {len(found) - 1: "both"}) == "a\nc\nd"


# What another's save left of mine

BASE = "Refunds take 14 days. Shipping is free. Call us."
MINE = BASE.replace("14", "30")
SHORT = BASE.replace(" Shipping is free.", "")


@pytest.mark.parametrize(
    ("mine", "theirs", "kept"),
    [
        (MINE, BASE, False),
        (MINE, BASE.replace("Call", "Mail"), False),
        (MINE, MINE.replace("Call", "Mail"), True),
        (MINE, MINE.replace("30", "at most 30"), True),
        (MINE, BASE.replace("14", "7"), False),
        (SHORT, BASE + " Or mail us.", False),
        (SHORT, SHORT + " Or mail us.", True),
        (BASE, "anything", True),
    ],
)
def test_it_is_noticed_when_another_save_took_my_words_away(mine: str, theirs: str, kept: bool) -> None:
    assert keeps(BASE, mine, theirs) is kept


@given(bodies, bodies)
def test_my_own_words_are_all_there_and_a_base_that_is_back_holds_none(base: str, mine: str) -> None:
    assert keeps(base, mine, mine)
    assert keeps(base, mine, base) is (mine == base)


@given(bodies, bodies, bodies)
def test_a_word_of_mine_that_is_nowhere_is_always_missed(base: str, mine: str, theirs: str) -> None:
    assert not keeps(base, f"{mine} mine4 ", theirs)


def test_the_words_that_are_others_now_stand_among_a_few_that_are_not() -> None:
    before = "We are here for you. You may send things back within 14 days of delivery. Keep the box, please."
    after = before.replace("14", "30").replace(" please", " if you can")
    said = [f"{stretch.sign}{stretch.words}" for stretch in reworded(before, after)]
    assert said == [
        "… ",
        "may send things back within ",
        "-14",
        "+30",
        "days of delivery. Keep the box, ",
        "-please.",
        "+if you can.",
    ]
    assert not reworded(before, before.replace(" ", "\n"))
    assert [s for s in reworded("バッテリーは暖かい", "バッテリーが暖かい") if s.sign] == [
        ("-", "は"),
        ("+", "が"),
    ]


@given(before=st.text(), after=st.text())
def test_what_is_told_of_other_words_is_empty_only_where_all_are_the_same(before: str, after: str) -> None:
    same = before.split() == after.split()
    assert not reworded(before, before)
    assert same or any(stretch.sign for stretch in reworded(before, after)) or unspaced(before, after)


def unspaced(*texts: str) -> bool:
    """Whether only spaces between letters of scripts that have none tell the texts apart."""
    return len({"".join(text.split()) for text in texts}) == 1


def test_of_many_other_words_a_few_lines_are_told_and_how_many_more_places_there_are() -> None:
    before = " ".join(f"word{at}" for at in range(5_000))
    after = " ".join(f"other{at}" if at % 50 == 0 else f"word{at}" for at in range(5_000))
    told = reworded(before, after)
    assert told[-1].words == "and in 77 more places"
    assert sum(len(each.words) for each in told) < 1_000
    assert sum(len(each.words) for each in reworded("a" * 100_000 + before, "b" * 100_000)) < 1_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("In 30 days.\nEnd.\n", "In 45| days.\nEnd.\n"),
        ("One.\nTwo.\nThree.\n", "1.\nTwo.\n3|.\n"),
        ("One.\n", "One.\nMore.\n|"),
        ("One.\n", "Mine. |One.\n"),
        ("One. Gone. Two.", "One. |Two."),
        ("aa", "aaa|"),
        ("", "all|"),
        ("all", "|"),
        ("same", "same|"),
    ],
)
def test_what_differs_ends_behind_the_last_word_that_is_another(before: str, after: str) -> None:
    assert differing(before, after.replace("|", ""))[2] == after.index("|")


@given(bodies, bodies)
def test_around_what_differs_both_texts_are_the_same(before: str, after: str) -> None:
    begin, gone, came = differing(before, after)
    assert before[:begin] + after[begin:came] + before[gone:] == after
    assert before[begin:gone] == after[begin:came] == "" or before != after


MANY = " ".join(f"word{number}" for number in range(10_000))


@pytest.mark.parametrize(
    ("before", "after", "put_in", "taken_out"),
    [
        ("One. Two. Three.", "One. Two, two. Three.", 5, 0),
        ("A b c d e f g h.", "AA b c d e f g hh.", 2, 0),
        ("same", "same", 0, 0),
        ("返金は十四日以内。", "返金は三十日以内。", 1, 1),
        (f"One {MANY} two.", f"XOne {MANY} twoX.", 8, 6),
        ("", "all", 3, 0),
        ("gone", "", 0, 4),
    ],
)
def test_what_was_put_in_and_taken_out_is_counted(
    before: str, after: str, put_in: int, taken_out: int
) -> None:
    assert amount(before, after) == (put_in, taken_out)


@given(bodies, bodies)
def test_what_was_put_in_and_taken_out_makes_one_length_the_other(before: str, after: str) -> None:
    put_in, taken_out = amount(before, after)
    assert min(put_in, taken_out) >= 0 and len(before) + put_in - taken_out == len(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("One. Tw|o. Three.", "Zero. One. Tw|o. Three. Four."),
        ("One. Tw|o. Three.", "Zero. One. |Three. Four."),
        ("|One.", "|One. Two."),
        ("One.|", "Zero. One.|"),
        ("Gone.|", "|"),
    ],
)
def test_a_place_moves_with_the_words_that_it_is_in(before: str, after: str) -> None:
    assert moved(before.replace("|", ""), after.replace("|", ""), before.index("|")) == after.index("|")


@given(bodies, bodies, st.integers(0, 60))
def test_a_place_is_always_one_of_the_other_text(before: str, after: str, at: int) -> None:
    assert 0 <= moved(before, after, min(at, len(before))) <= len(after)


def test_what_differs_in_long_texts_is_found_at_once() -> None:
    text = "Some words. " * 100_000
    changed = f"{text[:9]}?{text[9:-9]}!{text[-9:]}"
    assert within(0.1, lambda: differing(text, changed)) == (9, len(text) - 9, len(text) - 7)
