"""Text that is safe to show, HTML as Markdown, and bytes that survive."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kbtui.content import (
    MARKS,
    digest,
    safe,
    suffix,
    to_markdown,
)

T = TypeVar("T")
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LINE_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def any_text(alphabet: str) -> st.SearchStrategy[str]:
    """Text in which the characters of interest are as frequent as all others together."""
    return st.text(st.one_of(st.sampled_from(alphabet), st.characters(exclude_categories=())))


nasty = any_text(BIDI + LINE_BREAKS + "\x1b\0\t\x7f\x9b\xad\u200b\u200c\u200d\ufe0f\u0301مक्👩❤1\U000e0041")


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


# Bytes


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
