"""The local copy: what it keeps, and in which order it shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kbtui.shelf
from kbtui.documents import LOCKS
from kbtui.mirror import Mirror, Place, Taking, lock_reason
from kbtui.rows import ALL, UNPLACED, Body, View
from tests.shelf import document, fill, folder, shown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "mirrors" / "workspace.db"


@pytest.fixture(params=["file", "memory"])
def mirror(request: pytest.FixtureRequest, path: Path) -> Iterator[Mirror]:
    opened = Mirror(path if request.param == "file" else None)
    yield opened
    opened.close()


# What the service said


def test_a_summary_gives_back_everything_the_service_said(mirror: Mirror) -> None:
    said = [
        document("text", "A text", new_field={"deep": [1, None, "x"]}),
        document(
            "url", type="url", url="https://example.com/a", auto_sync_info={"minimum_frequency_days": 7}
        ),
        folder("folder", children_count=3, document_count=1001),
        document("odd", type="hologram", depth=4),
        {"id": "bare"},
        document("more") | {"metadata": {"created_at_unix_secs": 5, "kept_until": 9}},
        document("lone", "half a pair \ud83d"),
        document("long", "n" * 10_000),
    ]
    fill(mirror, *said)
    assert {each["id"]: mirror.summary(each["id"]) for each in said if each["id"] != "bare"} == {
        each["id"]: each for each in said if each["id"] != "bare"
    }
    assert mirror.summary("unknown") is None


def test_the_body_that_a_full_document_carries_is_not_kept_with_the_row(mirror: Mirror) -> None:
    fill(mirror, document("a", content_format="html", extracted_inner_html="<p>words</p>"))
    summary = mirror.summary("a")
    assert (
        summary is not None and "extracted_inner_html" not in summary and summary["content_format"] == "html"
    )


@pytest.mark.parametrize(
    "strange",
    [{}, {"id": ""}, {"id": 7}, {"id": None, "name": "x"}, {"id": "\ud800"}, "words", None, ["id"]],
)
def test_what_has_no_id_is_left_out(mirror: Mirror, strange: Any) -> None:
    assert mirror.store([strange, document("a")], mirror.ticket()) == 1
    assert shown(mirror, ALL) == ["a"]


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": None},
        {"metadata": []},
        {
            "metadata": {
                "size_bytes": 10**40,
                "created_at_unix_secs": -(10**40),
                "last_updated_at_unix_secs": "now",
            }
        },
        {
            "metadata": {
                "size_bytes": 1.5,
                "created_at_unix_secs": float("inf"),
                "last_updated_at_unix_secs": True,
            }
        },
        {"metadata": {"size_bytes": float("nan")}},
        {"name": None},
        {"name": 12},
        {"name": "nul \0 inside, escape \x1b[2J, new\nline"},
        {"access_info": "everybody"},
        {"type": None},
        {"children_count": "many"},
        {"folder_parent_id": 7},
    ],
)
def test_odd_values_from_the_service_are_kept_and_listed(mirror: Mirror, fields: dict[str, Any]) -> None:
    fill(mirror, document("a") | fields)
    assert shown(mirror, ALL) == ["a"] and mirror.row("a") is not None
    summary = mirror.summary("a")
    assert summary is not None
    for name, value in fields.items():
        assert summary[name] == value or str(summary[name]) == str(
            value
        )  # no number that is none equals itself


def test_an_unknown_type_is_a_row_like_any_other_and_says_why_it_is_locked(mirror: Mirror) -> None:
    fill(mirror, document("a", type="hologram"))
    row = mirror.row("a")
    assert row is not None and (row.type, row.lock) == ("hologram", LOCKS["type"])
    assert shown(mirror, ALL) == shown(mirror) == shown(mirror, types=("hologram",)) == ["a"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, None),
        ({"type": "url", "auto_sync_info": None}, None),
        ({"type": "url", "auto_sync_info": {}}, "auto_sync"),
        (
            {"type": "file", "external_sync_info": {"type": "google_drive"}, "auto_sync_info": {}},
            "google_drive",
        ),
        ({"type": "file", "external_sync_info": {"type": "newer"}}, "external"),
        ({"type": "file", "external_sync_info": "odd"}, "external"),
        ({"type": "file", "is_frozen": True}, "frozen"),
        ({"type": "file", "is_frozen": False}, None),
        ({"type": "folder"}, "folder"),
        ({"type": "hologram"}, "type"),
        ({"access_info": {"role": "viewer"}}, "role"),
        ({"access_info": {"role": "commenter"}}, "role"),
        ({"access_info": {"role": "editor"}}, None),
        ({"access_info": {"role": "newer"}}, None),
    ],
)
def test_a_lock_says_why_the_content_cannot_be_edited(
    mirror: Mirror, fields: dict[str, Any], word: str | None
) -> None:
    full = document("a") | fields
    fill(mirror, full)
    row = mirror.row("a")
    assert row is not None
    assert row.lock == lock_reason(full) == (LOCKS[word] if word else None)


# Tickets


def test_a_page_asked_for_before_a_save_does_not_undo_it(mirror: Mirror) -> None:
    fill(mirror, document("a", "old"))
    asked = mirror.ticket()
    saved = fill(mirror, document("a", "saved"))
    assert mirror.store([document("a", "old")], asked) == 0
    assert (mirror.summary("a") or {})["name"] == "saved"
    assert mirror.unseen(saved) == []
    assert mirror.store([document("a", "newer still")], mirror.ticket()) == 1


def test_a_page_that_shows_a_row_as_newer_is_believed_whenever_it_was_asked_for(mirror: Mirror) -> None:
    asked = mirror.ticket()
    fill(mirror, document("a", "saved", updated=5))
    assert mirror.store([document("a", "edited by another", updated=6)], asked) == 1
    assert (mirror.summary("a") or {})["name"] == "edited by another"


def test_a_page_asked_for_before_a_removal_does_not_bring_the_document_back(mirror: Mirror) -> None:
    fill(mirror, document("a"), document("b"))
    asked = mirror.ticket()
    assert mirror.remove(["a", "never known"]) == 1
    assert mirror.store([document("a"), document("b"), document("never known")], asked) == 0
    assert shown(mirror, ALL) == ["b"]
    assert mirror.store([document("a")], mirror.ticket()) == 1  # the service has it after all
    assert shown(mirror, ALL) == ["a", "b"]


def test_the_version_grows_with_what_is_shown_and_with_nothing_else(mirror: Mirror) -> None:
    before = mirror.version
    ticket = fill(mirror, document("a"))
    after = mirror.version
    assert after > before
    mirror.store([document("a")], mirror.ticket())
    mirror.keep_body(Body("a", "html", "words", 1))
    mirror.remove(["b"])
    mirror.take([Taking([document("a")], mirror.ticket(), ticket, Place("part", "cursor"))])
    assert mirror.version == after
    mirror.remove(["a"])
    assert mirror.version > after


def test_a_sweep_counts_each_row_once_however_often_it_is_shown(mirror: Mirror) -> None:
    sweep = mirror.begin_sweep(mirror.claim())
    tickets = [mirror.ticket() for _ in range(3)]
    pages = [[document("a"), document("b"), document("b")], [document("b"), document("c")]]
    taken = mirror.take([Taking(page, tickets[0], sweep.ticket) for page in pages])
    taken += mirror.take([Taking([document("c"), document("d")], tickets[1], sweep.ticket)])
    assert [each.fresh for each in taken] == [2, 1, 1] and [each.changed for each in taken] == [2, 1, 1]
    assert mirror.begin_sweep(True).seen == 4


# Lists


def test_every_order_is_total_and_folders_come_first(mirror: Mirror) -> None:
    fill(
        mirror,
        document("d", "beta", created=3, updated=3, size=3),
        document("c", "Alpha", created=2, updated=2, size=9),
        document("b", "alpha", created=2, updated=9, size=9),
        folder("f", "zeta", created=1, updated=1, size=0),
        folder("e", "Zeta", created=9, updated=9, size=0),
        document("inside", "aaa", parent="f"),
    )
    orders = {
        "name": ["e", "f", "b", "c", "d"],
        "created_at": ["f", "e", "b", "c", "d"],
        "updated_at": ["f", "e", "c", "d", "b"],
        "size": ["e", "f", "d", "b", "c"],
    }
    for sort, order in orders.items():
        assert shown(mirror, sort=sort) == order
        assert shown(mirror, sort=sort, descending=True) == order[1::-1] + order[:1:-1]
    assert shown(mirror, ALL) == ["inside", "b", "c", "d"]
    assert shown(mirror, "f") == ["inside"]


def test_by_size_folders_are_ordered_by_the_number_of_children_that_is_shown_of_them(mirror: Mirror) -> None:
    fill(mirror, *(folder(f"f{count}", children_count=count, size=9 - count) for count in (2, 0, 5)))
    fill(mirror, document("small", size=1), document("large", size=3))
    assert shown(mirror, sort="size") == ["f0", "f2", "f5", "small", "large"]
    assert shown(mirror, sort="size", descending=True) == ["f5", "f2", "f0", "large", "small"]


def test_every_word_of_the_filter_must_occur_in_the_name_in_any_case_and_width(mirror: Mirror) -> None:
    names = [
        "Refund POLICY (EU)",
        "policy",
        "Straße 100% [x]_",
        "ＲＥＦＵＮＤ　ｐｏｌｉｃｙ",
        "Ångström",
        "A\u030angstro\u0308m 2",
    ]
    fill(mirror, *(document(str(number), name) for number, name in enumerate(names)))
    for text, found in {
        "refund pol": "03",
        "POLICY refund": "03",
        "policy eu": "0",
        "STRASSE": "2",
        "%": "2",
        "_": "2",
        "[x]": "2",
        "ångström": "45",
        "  ": "012345",
        "\0": "",
        "refundpolicy": "",
        "refund " * 3000: "03",
        " ".join("refund policy"[:end] for end in range(1, 14)) * 90: "",
        " ".join(map(str, range(3000))): "",
    }.items():
        assert sorted(shown(mirror, text=text)) == list(found), text


def test_a_filter_by_type_holds_in_every_scope(mirror: Mirror) -> None:
    fill(mirror, document("a"), document("b", type="url"), folder("f"), document("c", parent="f", type="url"))
    assert shown(mirror, types=("url", "folder")) == ["f", "b"]
    assert shown(mirror, ALL, types=("url",)) == ["b", "c"]
    assert shown(mirror, "f", types=("text",)) == []


def test_what_has_an_unknown_parent_is_unplaced_until_the_parent_is_known(mirror: Mirror) -> None:
    fill(mirror, document("a", parent="secret"), folder("b", parent="secret"), document("c", parent="a"))
    assert shown(mirror, UNPLACED) == ["b", "a", "c"]  # a document is no folder: nothing can be inside it
    assert mirror.count(UNPLACED) == 3 and mirror.path("a") == []
    fill(mirror, folder("secret"))
    assert shown(mirror, UNPLACED) == ["c"]
    assert [each.id for each in mirror.path("a")] == ["secret"]


def test_a_cycle_of_folders_is_unplaced_and_each_member_can_be_reached(mirror: Mirror) -> None:
    fill(
        mirror,
        *(
            folder("a", parent="b"),
            folder("b", parent="c"),
            folder("c", parent="a"),
            folder("self", parent="self"),
        ),
        *(folder("tail", parent="a"), document("leaf", parent="tail"), folder("placed"), document("x")),
    )
    assert shown(mirror, UNPLACED) == ["a", "b", "c", "self"] and mirror.count(UNPLACED) == 4
    assert [each.id for each in mirror.path("leaf")] == ["c", "b", "a", "tail"]
    assert mirror.path("self") == []
    reached, waiting = set(), [*shown(mirror), *shown(mirror, UNPLACED)]
    while waiting:
        id = waiting.pop()
        if id not in reached:
            reached.add(id)
            waiting += shown(mirror, id)
    assert reached == {"a", "b", "c", "self", "tail", "leaf", "placed", "x"}


def test_a_window_leaves_out_what_was_removed_and_never_shows_another_in_its_place(mirror: Mirror) -> None:
    fill(mirror, *(document(id) for id in "abc"))
    listing = mirror.listing(View())
    mirror.remove(["b", "c"])
    fill(mirror, document("d"), document("e"))
    assert [row.id for row in mirror.window(listing, 0, 3)] == ["a"]
    assert mirror.window(listing, 5, 9) == mirror.window(listing, -3, 0) == []
    assert (mirror.rank(listing, "a"), mirror.rank(listing, "d"), mirror.rank(listing, "b")) == (
        0,
        None,
        None,
    )
    assert len(listing) == 3 and listing.version < mirror.version


def test_folders_are_sorted_by_name_and_carry_the_counts_of_the_service(mirror: Mirror) -> None:
    fill(mirror, folder("a", "Zoo"), folder("b", "apes", parent="a", children_count=3, document_count=7))
    assert [tuple(each) for each in mirror.folders()] == [("b", "apes", "a", 3, 7), ("a", "Zoo", None, 0, 0)]
    fill(mirror, document("c", "Bananas", parent="b"), document("d", "Crumbs", parent="gone"))
    assert sorted(mirror.labels(9)) == [("Bananas", "apes"), ("Crumbs", "")] and len(mirror.labels(1)) == 1


def test_folders_that_count_other_children_than_were_seen_are_miscounted(mirror: Mirror) -> None:
    fill(mirror, document("long ago", parent="b"))
    ticket = fill(
        mirror,
        *(
            folder("a", children_count=1),
            folder("b", children_count=1),
            folder("c"),
            document("d", parent="a"),
        ),
    )
    assert mirror.miscounted(ticket) == ["b"] and mirror.unseen(ticket) == ["long ago"]


# Bodies


def test_bodies_are_kept_up_to_a_size_and_the_least_recently_opened_go_first(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kbtui.shelf, "BODIES", 300)
    for id in "abc":
        mirror.keep_body(Body(id, "html", id * 100, 1))
    assert mirror.body("a") == Body("a", "html", "a" * 100, 1)
    mirror.keep_body(Body("d", "markdown", "d" * 100, 2, lossy=True))
    assert [id for id in "abcd" if mirror.body(id)] == ["a", "c", "d"]
    mirror.keep_body(Body("d", "markdown", "ü" * 151, 3))  # too large for all of it
    assert [id for id in "abcd" if mirror.body(id)] == ["a", "c"]
    mirror.keep_body(Body("c", "html", "half a pair \ud83d", 3))
    mirror.remove(["a"])
    assert [id for id in "abcd" if mirror.body(id)] == []
