"""What is typed to filter a list: parts in any order, and what each of them lets through."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kbtui.filters import HINT, KEYS, aged, chips, moments, parse, show, sizes, without
from kbtui.mirror import Mirror
from kbtui.rows import ALL, ROOT, Beside, Chosen, Eye, Term, View
from tests.shelf import document, fill, folder

NOW = 1_800_000_000
DAY = 86_400


def view_of(typed: str, scope: str = ROOT) -> View:
    found = parse(typed)
    assert found.wrong is None, found.wrong
    return View(scope, text=found.text, types=found.types, terms=found.terms)


# What is typed

SOME = 'foo: ! " "" , .. > <= 1 2mb 7d text URL ready me on yes 2026-11-01 9999-12-31 a:b ß ٣ | = kb m d size'
pieces = st.sampled_from([*(f"{key}:" for key in KEYS), *SOME.split(), " ", "\t", "\0"])
typed = st.lists(pieces | st.text(max_size=3), max_size=12).map("".join)


@given(typed)
@example('!"re:invent" "a ""b""" size:>1mb')
@example('owner:"Ann Lee" "!x" !!x')
@example("kb m size:400..600")
@example("d updated:2026-11-01")
@example("word:size:>1 Word:x")
@example('!"|" !"size>5kb" "||" !"ſize>1"')
def test_whatever_is_typed_is_parsed_and_what_is_shown_of_it_says_the_same(words: str) -> None:
    found = parse(words)
    assert found.wrong is None or 0 <= found.wrong.start < len(words)
    view = View(text=found.text, types=found.types, terms=found.terms)
    again = parse(" ".join(show(view)))
    assert again == found._replace(wrong=None)
    for chip in chips(view):
        assert chip not in chips(without(view, chip))
    assert aged((), view) == chips(view)


@pytest.mark.parametrize(
    ("words", "text", "types", "terms"),
    [
        ("refund  EU", "refund EU", (), ()),
        ("type:url,TEXT refund type:file", "refund", ("text", "url", "file"), ()),
        ('"two words" x', "x", (), (Term("word", "two words"),)),
        ('!draft !"not this"', "", (), (Term("word", "draft", True), Term("word", "not this", True))),
        ("10:30 size:>1mb", "10:30", (), (Term("size", ">1mb"),)),
        ("!type:folder,url", "", (), (Term("type", "url,folder", True),)),
        (
            "index:none,failed !marked:yes",
            "",
            (),
            (Term("index", "failed,none"), Term("marked", "yes", True)),
        ),
        ('"re:invent" "open', "", (), (Term("word", "re:invent"), Term("word", "open"))),
        ('owner:"Ann Lee" owner:ME', "", (), (Term("owner", "Ann Lee"), Term("owner", "me"))),
        ('! "" !"" ', "", (), ()),
        ("this or that a|b a>b resize>1 size", "this or that a|b a>b resize>1 size", (), ()),
        ('"|" "size>5kb"', "", (), (Term("word", "|"), Term("word", "size>5kb"))),
    ],
)
def test_parts_are_told_apart(words: str, text: str, types: tuple[str, ...], terms: tuple[Term, ...]) -> None:
    assert parse(words) == (text, types, terms, None)


@pytest.mark.parametrize(
    ("words", "start", "says"),
    [
        ("refund size:big", 7, "size: takes >1mb, <500, 10kb..2mb"),
        ("size:", 0, "size: takes"),
        ("size:500", 0, "size: takes"),
        ("type:url,page eu", 0, "type: takes text,url,file,folder; one or several"),
        ("eu !index:broken", 3, "index: takes ready,building,failed,full,small,none"),
        ("updated:<7", 0, "updated: takes <7d (newer)"),
        ("updated:2026-13-01", 0, "updated: takes"),
        ("sync:maybe", 0, "sync: takes on, off, failing or drive"),
        ("owner: x", 0, "owner: takes me"),
        ("id:", 0, "id: takes"),
        ("marked:", 0, "marked: takes yes or no"),
        ("Re: invoice", 0, "no key “re:”; in quotes it is a word"),
        ("https://x.example", 0, "no key “https:”"),
        ("eu size>5kb", 3, "a colon goes behind size: size:>5kb; in quotes it is a word"),
        ("!Updated<=1d", 0, "a colon goes behind updated: updated:<=1d"),
        ("type=URL", 0, "a colon goes behind type: type:URL"),
        ("size>", 0, "size: takes >1mb, <500, 10kb..2mb"),
        ("size=5kb", 0, "size: takes >1mb"),
        ("refund | return", 7, "there is no “or”: all parts must hold"),
        ("a !||", 2, "there is no “or”"),
        ("size:>5 KB refund", 8, 'no blank before KB: size:>5kb; "KB" is a word'),
        ("!size:>5 m", 9, "no blank before m: !size:>5m"),
        ("size:10 kb..2 mb", 8, "no blank before kb..2: size:10kb..2"),
        ("refund updated:<7 d", 18, "no blank before d: updated:<7d"),
        ("created:1 mo..3d", 10, "no blank before mo..3d: created:1mo..3d"),
        ("eu size:big updated:<7 d", 3, "size: takes"),
    ],
)
def test_the_first_wrong_part_says_what_would_be_right_and_the_others_hold(
    words: str, start: int, says: str
) -> None:
    found = parse(words)
    assert found.wrong and found.wrong.start == start and found.wrong.why.startswith(says)
    assert set(found.text.split()) <= set(words.split())


def test_what_is_said_of_each_key_fits_a_terminal_of_80_columns() -> None:
    assert len(HINT) < 80 and all(len(takes) <= 59 for takes in KEYS.values())
    assert all(len(parse(f"{key}:").wrong.why) < 78 for key in KEYS)  # type: ignore[union-attr]
    assert len(parse("abcd:").wrong.why) <= 110  # type: ignore[union-attr]
    assert all(len(parse(wrong).wrong.why) < 78 for wrong in ("||", "updated>2026-11-01"))  # type: ignore[union-attr]


def test_a_unit_is_a_word_where_it_is_in_quotes_or_behind_something_else() -> None:
    assert parse('size:>5 "kb"').wrong is None and parse("size:>5kb mb").wrong is None
    assert parse("size:>5 refund kb").text == "refund kb" and parse("size:>5 !kb").wrong is None
    assert parse("cell 10 kb type:text kb").wrong is None and parse("updated:2026-11-01 d").wrong is None
    assert parse("size:>5").terms == (Term("size", ">5b"),)


def test_what_is_right_stays_while_its_colon_is_missing() -> None:
    assert parse("size>5kb").wrong.key == "size"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "inside", "outside"),
    [
        (">1mb", [1_000_001], [1_000_000]),
        (">=1mb", [1_000_000], [999_999]),
        ("<500", [0, 499], [500]),
        ("<=1.5k", [1500], [1501]),
        ("10kb..2m", [10_000, 2_000_000], [9_999, 2_000_001]),
        ("2m..10kb", [10_000, 2_000_000], [9_999, 2_000_001]),
        ("..2gb", [0, 2 * 10**9], [2 * 10**9 + 1]),
        ("1b..", [1, 10**12], [0]),
    ],
)
def test_sizes(value: str, inside: list[int], outside: list[int]) -> None:
    least, most = sizes(value) or (0, -1)
    assert all(least <= size <= most for size in inside)
    assert not any(least <= size <= most for size in outside)


@pytest.mark.parametrize(
    ("value", "inside", "outside"),
    [
        ("<7d", [NOW, NOW - 7 * DAY + 1], [NOW - 7 * DAY]),
        (">2h", [NOW - 7201, 0], [NOW - 7200, NOW]),
        ("7d..1mo", [NOW - 7 * DAY, NOW - 30 * DAY], [NOW, NOW - 31 * DAY]),
        ("1mo..7d", [NOW - 7 * DAY, NOW - 30 * DAY], [NOW, NOW - 31 * DAY]),
    ],
)
def test_ages(value: str, inside: list[int], outside: list[int]) -> None:
    least, most = moments(value, NOW) or (0, -1)
    assert all(least <= moment <= most for moment in inside)
    assert not any(least <= moment <= most for moment in outside)


def test_dates_are_days_of_the_calendar_here() -> None:
    begin = int(time.mktime((2026, 11, 1, 0, 0, 0, 0, 0, -1)))
    after = int(time.mktime((2026, 11, 2, 0, 0, 0, 0, 0, -1)))
    assert moments("2026-11-01", 0) == (begin, after - 1)
    assert moments(">2026-11-01", 0)[0] == after  # type: ignore[index]
    assert moments("<2026-11-02", 0)[1] == after - 1  # type: ignore[index]
    assert moments("2026-11-01..2026-11-01", 0) == (begin, after - 1)


def test_parts_keep_their_age_and_what_is_new_is_the_newest() -> None:
    eye = Eye(Chosen("a", "Night desk"), ())
    first = aged((), View(text="refund"))
    second = aged(first, View(text="refund", terms=(Term("size", ">1mb"),), eye=eye))
    third = aged(second, View(text="eu refund", terms=(Term("size", ">1mb"),), eye=eye))
    assert [chip.value for chip in third] == ["refund", ">1mb", "Night desk", "eu"]
    assert without(View(text="refund eu", eye=eye), third[2]).eye is None


# What it lets through


def documents() -> list[dict[str, Any]]:
    theirs = {"access_info": {"is_creator": False, "creator_name": "Élise B", "creator_email": "e@x.example"}}
    now = int(time.time())
    return [
        document("a1", "Refund policy", updated=now - 60, size=500),
        document("b2", "Refund, two words", type="url", updated=now - 10 * DAY, size=2_000_000, **theirs),
        document("c3", "Draft", type="file", updated=now - 40 * DAY, external_sync_info={"type": "x"}),
        document("d4", "re:invent", type="url", auto_sync_info={"consec_failures": 2}, access_info={}),
        document("e5", "Strange", type="url", auto_sync_info={}, weight=float("nan")),
        folder("f6", "Refunds", auto_sync_info={}),
    ]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("refund", "f6 a1 b2"),
        ("type:url refund", "b2"),
        ('"two words"', "b2"),
        ('"words two"', ""),
        ("!refund", "c3 d4 e5"),
        ('"re:invent"', "d4"),
        ("!type:folder,url", "c3 a1"),
        ("size:>1mb", "b2"),
        ("!size:>1mb", "c3 d4 a1 e5"),
        ("size:400..600 refund", "a1"),
        ("updated:<7d", "a1"),
        ("updated:>30d !type:url", "f6 c3"),
        ("sync:on", "f6 c3 d4"),
        ("sync:failing", "d4"),
        ("sync:drive", "c3"),
        ("sync:off", "a1 b2"),
        ("!sync:on", "a1 b2"),
        ("id:2", "b2"),
        ("id:D4", "d4"),
        ("marked:yes", "c3 a1"),
        ("marked:no refund", "f6 b2"),
        ("!marked:yes refund", "f6 b2"),
        ("index:failed", "a1"),
    ],
)
def test_what_each_part_lets_through(words: str, ids: str) -> None:
    mirror = Mirror(None)
    fill(mirror, *documents())
    (updated,) = (row.updated for row in [mirror.row("a1")] if row)
    beside = Beside(marked=("a1", "c3"), indexed={"a1": updated, "b2": 1})
    listing = mirror.listing(view_of(words), beside)
    assert [row.id for row in mirror.window(listing, 0, 9)] == ids.split()
    flat = mirror.listing(view_of(words, ALL), beside)
    assert {row.id for row in mirror.window(flat, 0, 9)} == set(ids.split()) - {"f6"}
    mirror.close()


def test_an_owner_without_a_name_is_found_by_the_address() -> None:
    mirror = Mirror(None)
    fill(mirror, document("a1", "Refund policy", access_info={"creator_email": "e@x.example"}))
    assert len(mirror.listing(view_of("owner:e@x"))) == 1
    nobody = mirror.listing(view_of("owner:ann"))
    assert len(nobody) == 0 and nobody.unknown == 0
    mirror.close()


@pytest.mark.parametrize(
    ("words", "ids", "unknown"),
    [
        ("owner:me", "f6 c3 a1", 2),
        ("!owner:me", "b2", 2),
        ("owner:ÉLISE", "b2", 2),
        ("owner:e@x.ex", "b2", 2),
        ("owner:me type:text", "a1", 0),
        ("sync:off", "a1 b2", 1),
        ("owner:me sync:drive", "c3", 1),
    ],
)
def test_what_the_service_does_not_say_enough_of_is_counted(words: str, ids: str, unknown: int) -> None:
    mirror = Mirror(None)
    fill(mirror, *documents())
    listing = mirror.listing(view_of(words))
    assert [row.id for row in mirror.window(listing, 0, 9)] == ids.split()
    assert listing.unknown == unknown
    mirror.close()
