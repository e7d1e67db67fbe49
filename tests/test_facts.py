"""The info page: everything that is known of a document, in a person's words."""

from __future__ import annotations

import re
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kbtui.documents import COLUMNS, columns
from kbtui.rows import Body, DocumentRow, FolderRow
from kbtui.tui.widgets.facts import facts as told
from kbtui.tui.widgets.facts import in_text, shown, words


def facts(summary: dict[str, Any], **row: Any) -> str:
    known = DocumentRow("id", "name", "url", 1, 0, 0, None, None, None, "admin", None, None)._replace(**row)
    lines = shown([*told(known, summary)])
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_the_info_page_words_numbers_as_a_person_does() -> None:
    assert "1 byte, as" in facts({}) and "920 bytes, as" in facts({}, size=920)
    assert "1 234 bytes (1.2 k), as the service counts" in facts({}, size=1234)
    assert "1 here, 1 document below" in facts({}, type="folder", children=1, documents=1)
    assert "0 here, 2 documents below" in facts({}, type="folder", children=0, documents=2)


def test_the_info_page_says_how_far_off_a_moment_is() -> None:
    now = int(time.time())
    assert "(just now)" in facts({}, created=now) and "(2 h ago)" in facts({}, created=now - 7300)

    def sync(days: int, failures: int, next: int) -> str:
        told = {"minimum_frequency_days": days, "consec_failures": failures, "next_refresh_by": next}
        return facts({"auto_sync_info": told})

    assert "every day at the latest" in sync(1, 1, now + 3 * 86400 + 60)
    assert "once" in sync(1, 1, 0) and "2 times in a row" in sync(7, 2, 0)
    assert "(in 3 d)" in sync(1, 1, now + 3 * 86400 + 60) and "(due)" in sync(7, 0, now - 9000)
    assert "every 7 days" in sync(7, 0, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)
SYNC = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("minimum_frequency_days", "consec_failures", "next_refresh_by", "type"), JSON),
)
ACCESS = st.fixed_dictionaries({}, optional=dict.fromkeys(("creator_name", "is_creator", "role"), JSON))


@given(
    st.fixed_dictionaries(
        {"id": st.just("id")},
        optional={
            **dict.fromkeys(("name", "type", "folder_parent_id", "url", "children_count"), JSON),
            **dict.fromkeys(("metadata", "supported_usages", "is_frozen", "document_count"), JSON),
            **dict.fromkeys(("auto_sync_info", "external_sync_info"), JSON | SYNC),
            "access_info": JSON | ACCESS,
        },
    )
)
def test_the_info_page_is_drawn_whatever_kinds_of_values_the_service_sends(summary: dict[str, Any]) -> None:
    values = columns(summary)
    assert values is not None
    row = dict(zip(COLUMNS.split(", "), values, strict=True))
    shown = facts(summary, **{name: row[name] for name in DocumentRow._fields})
    assert "None" not in shown.replace(row["name"], "").replace(row["type"], "") or "None" in str(summary)


def test_what_is_of_another_kind_than_expected_counts_as_absent() -> None:
    for sync in ({"minimum_frequency_days": None}, {"next_refresh_by": "tomorrow"}, {"next_refresh_by": [1]}):
        shown = facts({"auto_sync_info": sync})
        assert "every 7 days" in shown and "Next refresh" not in shown
    for access in (["x"], "admin", None, {"creator_name": ["x"], "is_creator": "no"}):
        owner = next(line for line in facts({"access_info": access}).splitlines() if "Owner" in line)
        assert owner.split() == ["Owner", "unknown"]
    assert re.search("Usage +prompt\n", facts({"supported_usages": ["prompt", None, {}]}) + "\n")


def test_the_info_page_names_the_source_of_a_synced_document() -> None:
    def source(**told: Any) -> str:
        return next(
            line for line in facts({"external_sync_info": told}).splitlines() if "Synced from" in line
        )

    assert source(type="google_drive").endswith("Google Drive")
    assert source(type="of tomorrow").endswith("of tomorrow")
    assert source().endswith("an external source")


def test_the_info_page_counts_the_words_of_a_text_that_is_kept() -> None:
    row = DocumentRow("id", "n", "text", 1, 0, 7, "f", None, None, "admin", None, None)
    assert "not fetched yet" in in_text([*told(row, {})])
    body = Body("id", "html", "<p>Don't <b>panic</b>, 世界!</p> – é", 7)
    table = {label: value for label, value, _ in told(row, {}, [FolderRow("f", "F", None, 1, 1)], body)}
    assert table["Text"] == "34 characters, 41 bytes" and table["Format"] == "html"
    assert table["Words"] == "5" and table["Tokens"].startswith("about ")
    assert table["Folder"] == "F" and table["Folder id"] == "f"
    older = body._replace(updated=6)
    assert "before it was changed" in in_text([*told(row, {}, [], older)])
    assert (words("- - –"), words("one-two, 'three'"), words("世界 a"), words("")) == (0, 2, 3, 0)


def test_the_info_page_lists_what_kbtui_does_not_know_under_its_own_name_and_nothing_twice() -> None:
    said = {
        "metadata": {"size_bytes": 9, "pages": 3},
        "access_info": {"role": "admin", "access_source": "creator"},
        "of_tomorrow": {"deep": [1, {"x": "é"}]},
        "filename": "a.pdf",
        "nothing": None,
        "empty": {},
        "\x1b[31m": "\x1b[0m",
        "refresh_status": {"status": "failed", "error_message": "404", "enqueued_at": 5},
        "auto_sync_info": {"auto_remove": True},
    }
    shown = facts(said)
    for label, value in (
        ("metadata.pages", "3"),
        ("Your access", "as its creator"),
        ("of_tomorrow.deep", '[1, {"x": "é"}]'),
        ("File", "a.pdf"),
        ("Last refresh", "failed: 404"),
        ("refresh_status.enqueued_at", "5"),
        ("If it is gone", "the service removes the document, too"),
    ):
        assert re.search(rf"^ +{re.escape(label)} +{re.escape(value)}$", shown, re.M), label
    assert "nothing" not in shown and "empty" not in shown and "\x1b" not in shown
    assert "access_source" not in shown and "of_tomorrow" in facts(
        {"access_info": {"access_source": "of_tomorrow"}}
    )
    assert "size_bytes" not in shown and shown.count("a.pdf") == 1
