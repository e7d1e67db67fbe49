"""Text that is safe to show, HTML as Markdown, differences, merges, and bytes that survive."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.document._document import Document

from kbtui.content import (
    MARKS,
    Merge,
    diff,
    digest,
    keeps,
    merge,
    reworded,
    safe,
    suffix,
    survives,
    to_markdown,
    unresolved,
)

T = TypeVar("T")
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LINE_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def any_text(alphabet: str) -> st.SearchStrategy[str]:
    """Text in which the characters of interest are as frequent as all others together."""
    return st.text(st.one_of(st.sampled_from(alphabet), st.characters(exclude_categories=())))


nasty = any_text(BIDI + LINE_BREAKS + "\x1b\0\t\x7f\x9b\xad\u200b\u200c\u200d\ufe0f\u0301مक्👩❤1\U000e0041")
lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n", "e"]), max_size=12).map("".join)
bodies = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<li>", "One. ", "Two! ", "Three ", "\n", "\r\n", "four", "Fünf? ", "。"]
    ),
    max_size=15,
).map("".join)


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of the work, which must take less than so long (ten times what it takes here)."""
    start = time.perf_counter()
    result = work()
    assert time.perf_counter() - start < seconds
    return result


# Safe


@given(nasty, st.booleans())
@example("\ud800\udfff", False)
def test_nothing_a_terminal_obeys_and_nothing_invisible_is_shown(text: str, newlines: bool) -> None:
    shown = safe(text, newlines=newlines)
    kept = "\n\t" if newlines else ""
    for character in shown:
        assert character in kept or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert character not in BIDI
        assert character not in "\u200b\u2060\ufeff\u00ad\ufe0f"
        assert not "\U000e0000" <= character <= "\U000e00ff"
    shown.encode("utf-8")


@given(nasty, st.booleans())
def test_what_is_safe_stays_as_it_is(text: str, newlines: bool) -> None:
    once = safe(text, newlines=newlines)
    assert safe(once, newlines=newlines) == once


@given(nasty)
def test_a_safe_name_is_one_line(text: str) -> None:
    assert len(safe(text).splitlines()) <= 1
    assert safe(text, newlines=True).splitlines() == safe(text, newlines=True).removesuffix("\n").split(
        "\n"
    ) or (not text)


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "Po", "Zs", "Sm"), exclude_characters="ᅟᅠㅤﾠ")))
def test_letters_of_every_script_stay(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x07", "a␛[31mred␇"),
        ("two\nlines\tand a tab", "two␊lines␉and a tab"),
        ("report\u202etxt.exe", "report�txt.exe"),
        ("\x9b31m\x7f", "�31m␡"),
        ("pay\u200bpal", "pay�pal"),
        ("Kranken\xadhaus", "Kranken‧haus"),
        ("line\u2028line\u2029", "line↵line¶"),
        ("hidden\U000e0068\U000e0069", "hidden��"),
        ("[/foo] [@click=app.quit]x[/]", "[/foo] [@click=app.quit]x[/]"),
        ("עברית العربية", "עברית العربية"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("a\u200cb\u200dc", "a�b�c"),
        ("👩\u200d🚀 🧑🏽\u200d🦰", "👩\u200d🚀 🧑🏽\u200d🦰"),
        ("❤\ufe0f ⚠\ufe0e 1\ufe0f\u20e3", "❤ ⚠ 1\u20e3"),
        ("x\ufe0f\ufe01", "x��"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("\ue000", "\ue000"),
    ],
)
def test_each_kind_of_character_has_its_stand_in(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_line_ends_of_every_kind_are_one_kind_on_the_screen() -> None:
    assert safe("a\r\nb\rc\n\td\x0c", newlines=True) == "a\nb\nc\n\td␌"


def test_a_pile_of_marks_is_cut_and_an_honest_one_is_not() -> None:
    honest = "ệ" + unicodedata.normalize("NFD", "ệ") + "שָּׁ"
    assert safe(honest) == honest
    assert safe("a" + "\u0301" * 500 + "b") == "a" + "\u0301" * MARKS + "�b"


def test_harmless_text_is_given_back_itself() -> None:
    for text in ("plain", "Größe ✓", ""):
        assert safe(text) is text


def test_making_300_kb_safe_takes_milliseconds() -> None:
    within(0.05, lambda: safe("all is well\n" * 25_000, newlines=True))
    within(0.2, lambda: safe("alles schön\n" * 25_000, newlines=True))
    within(2, lambda: safe("\u202e\x1b" * 150_000))


# Markdown

PAGE = (
    "<p>Refunds are <b>paid</b> within 14 days, see <a href='https://x.example/z'>terms</a>.</p>"
    "<ul><li>one</li><li>two<ul><li>three</li></ul></li></ul>"
    "<table><tr><th>Plan</th><th>Price</th></tr><tr><td>Basic</td><td>1|2</td></tr></table>"
)


def test_html_becomes_markdown_with_lists_links_and_tables() -> None:
    markdown = to_markdown(f"<html><head><style>p{{}}</style></head><body><h2>Refunds</h2>{PAGE}", "html")
    assert "## Refunds" in markdown
    assert "**paid**" in markdown
    assert "[terms](https://x.example/z)" in markdown
    assert re.search(r"- two\n +\* three", markdown)
    assert "| Plan | Price |\n| --- | --- |\n| Basic | 1\\|2 |" in markdown
    assert "p{}" not in markdown


def test_no_word_is_left_out_but_those_of_scripts_and_styles() -> None:
    markdown = to_markdown(
        "<nav>menu</nav><form>order<button>send</button></form><p hidden>secret</p><aside>note</aside>"
        "<p style='display:none'>unseen</p><details><summary>more</summary>inside</details>"
        "<script>alert(1)</script><style>p{color:red}</style>"
        "<img alt='a map' src='data:image/png;base64,AAAA'>",
        "html",
    )
    for word in ("menu", "order", "send", "secret", "note", "unseen", "more", "inside", "a map"):
        assert word in markdown
    for word in ("alert", "color", "AAAA"):
        assert word not in markdown


def test_text_that_looks_like_markup_is_text() -> None:
    markdown = to_markdown("<p>*not bold* _nor this_ &lt;script&gt; # no heading</p>", "html")
    assert markdown.strip() == r"\*not bold\* \_nor this\_ \<script\> \# no heading"


def test_other_formats_are_given_as_they_are() -> None:
    for format in ("markdown", "a format of tomorrow", ""):
        assert to_markdown("# <b>x</b> *y*\r\n", format) == "# <b>x</b> *y*\r\n"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 60_000 + "word",
        "<b>" * 100 + "word",
        "<blockquote>" * 300 + "<p>word</p>" * 10_000,
        "<table><tr>" + "<td>x</td>" * 3000 + "</tr>" + "<tr><td>word</td></tr>" * 20_000 + "</table>",
        "<!-- word",
    ],
)
def test_html_that_cannot_be_drawn_is_shown_as_its_source(html: str) -> None:
    shown = within(10, lambda: to_markdown(html + "\n```\n", "html"))
    assert "this is its source" in shown.splitlines()[0]
    assert f"````\n{html}\n```\n\n````" in shown


@pytest.mark.parametrize(
    "html",
    [
        PAGE * 1200,
        "<p>" * 100_000,
        "<ol>" + "<li>x</li>" * 30_000 + "</ol>",
        "<!--" * 75_000,
        "<a" * 150_000,
        "<" + "a" * 300_000,
        "< " * 150_000,
        "<a " + "x=1 " * 75_000,
        "&" * 300_000,
        "<b><i></b></i>" * 20_000,
        "a<br>" * 60_000,
        "<ul><li>" * 60 + "<p>word</p>" * 25_000,
        "<blockquote>" * 16 + "<p>word</p>" * 25_000,
        "<select><option>" * 18_000,
        "<p>" + " \n" * 150_000 + "x",
        "<pre>" + "`" * 300_000,
        "\0\ud800<p>\x1b</p>",
    ],
    ids=lambda html: html[:12],
)
def test_no_html_of_300_kb_takes_long(html: str) -> None:
    within(5, lambda: to_markdown(html, "html"))


def test_html_on_which_the_converter_breaks_down_is_given_as_its_source() -> None:
    html, told = "<pre><li>&nbsp;<a href><p>", []
    markdown = to_markdown(html, "html", broke=lambda: told.append("broke"))
    assert markdown.startswith("*The markup of this document is not understood") and html in markdown
    assert told == ["broke"]


@given(any_text("<>/=\"'!-&; abdivptlouihr"))
def test_no_html_is_too_broken_to_show(html: str) -> None:
    assert isinstance(to_markdown(html, "html"), str)


# Differences


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


def hostile() -> list[tuple[str, str]]:
    """Pairs of 300 kB on which common algorithms take minutes."""
    chance = random.Random(1)

    def of(tokens: list[str], count: int) -> str:
        return "".join(chance.choice(tokens) for _ in range(count))

    shuffled = [f"<p>Sentence {n}. </p>" for n in range(15_000)]
    ordered = "".join(shuffled)
    chance.shuffle(shuffled)
    return [
        (of(["a\n", "b\n"], 150_000), of(["a\n", "b\n"], 150_000)),
        (of([f"{n}\n" for n in range(300)], 75_000), of([f"{n}\n" for n in range(300)], 75_000)),
        (ordered, "".join(shuffled)),
        ("<li>x</li>" * 30_000, "<li>x</li>" * 15_000 + "<li>y</li>" + "<li>x</li>" * 14_000),
        ("x" * 300_000, "y" * 300_000),
    ]


@pytest.mark.parametrize("pair", hostile(), ids=["two tokens", "300 tokens", "shuffled", "list", "one line"])
def test_no_pair_of_300_kb_takes_long_to_compare_or_merge(pair: tuple[str, str]) -> None:
    before, after = pair
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


def test_markers_end_as_the_lines_of_the_text_do() -> None:
    merged = merge("a\r\nb\r\n", "a\r\nc\r\n", "a\r\nd\r\n")
    assert merged.text == "a\r\n<<<<<<< mine\r\nc\r\n=======\r\nd\r\n>>>>>>> theirs\r\n"
    assert survives(merged.text)


def test_a_text_about_merging_is_not_taken_for_an_unresolved_one() -> None:
    assert not unresolved("Look for <<<<<<< mine in the text.\n=======\n")
    assert unresolved("a\r\n<<<<<<< mine\r\nb")


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


# Bytes


@given(any_text(LINE_BREAKS + "ab"))
@example("")
@example("\n")
@example("a\r\nb\n")
@example("a\u2028b")
@example("a\x0c")
def test_what_survives_is_what_the_editing_widget_gives_back(text: str) -> None:
    assert survives(text) is (Document(text).text == text)


def test_a_digest_names_exactly_one_text() -> None:
    assert digest("a\n") != digest("a\r\n")
    assert digest("\ud800") == digest("\ud800")
    assert digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_file_for_an_editor_is_named_after_its_format() -> None:
    assert [suffix(format) for format in ("html", "markdown", "of tomorrow")] == [".html", ".md", ".txt"]


def test_importing_it_loads_none_of_its_libraries() -> None:
    heavy = "html_to_markdown textual bs4 httpx"
    code = f"import sys, kbtui.content; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
