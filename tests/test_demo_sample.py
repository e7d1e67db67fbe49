"""The demo's company and its web site."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kbtui.demo import pages, sample
from kbtui.demo.extract import cleaned, extract
from kbtui.demo.sample import FOLDER, id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, refused

FILES = sorted((FOLDER / "files").glob("*.*"))
DAY = 86_400
FAULT_CODES = "Fault codes, complete"


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


# The company


def test_the_sample_has_everything_a_list_can_show(call: Caller) -> None:
    everything = call.everything(page_size=100)
    documents = [each for each in everything if each["type"] != "folder"]
    assert len(documents) >= 60
    assert {each["type"] for each in everything} == {"text", "url", "file", "folder"}
    assert max(len(each["folder_path"]) for each in documents) >= 3
    sizes = {each["name"]: each["metadata"]["size_bytes"] for each in documents}
    assert sizes[FAULT_CODES] > 300_000
    assert sizes["Solvane app (web page)"] == 0
    assert any(each.get("is_frozen") for each in everything)
    assert {each["access_info"]["role"] for each in everything} == {"admin", "viewer", "commenter"}
    assert len({each["access_info"]["creator_name"] for each in everything}) >= 5
    synced = [each for each in everything if each.get("external_sync_info")]
    assert {each["type"] for each in synced} == {"file", "folder"}
    pages_shown = [each for each in everything if each["type"] == "url"]
    assert {bool(each["auto_sync_info"]) for each in pages_shown} == {True, False}
    assert any((each["auto_sync_info"] or {}).get("consec_failures", 0) > 2 for each in pages_shown)


def test_the_sample_is_written_in_many_scripts_and_in_both_formats(call: Caller) -> None:
    bodies = [call.document(each["id"]) for each in call.everything(types="text", page_size=100)]
    assert {each["content_format"] for each in bodies} == {"html", "markdown"}
    text = "".join(each["extracted_inner_html"] for each in bodies)
    for word in (
        "Erstattung",
        "remboursement",
        "batería",
        "返品",
        "الاسترداد",
        "סוללה",
        "वापसी",
        "επιστροφής",
        "退货",
    ):
        assert word.casefold() in text.casefold(), word


def test_what_the_refund_policy_says_contradicts_itself_and_others(call: Caller) -> None:
    policy = call.document(id_of("Support/Refund policy"))["extracted_inner_html"]
    assert "within <strong>30 days</strong>" in policy and "no more than 14 days ago" in policy
    steps = call.document(id_of("Support/Shipping/Returns, step by step"))["extracted_inner_html"]
    assert "14 days after delivery" in steps


def test_times_are_ages_so_the_sample_never_looks_abandoned(call: Caller) -> None:
    now = time.time()
    stamps = [each["metadata"] for each in call.everything(page_size=100)]
    for stamp in stamps:
        assert stamp["created_at_unix_secs"] <= stamp["last_updated_at_unix_secs"] <= now
    assert now - max(stamp["last_updated_at_unix_secs"] for stamp in stamps) < DAY / 2
    assert len({stamp["created_at_unix_secs"] for stamp in stamps}) > 100


@pytest.mark.parametrize("days", [0, 0.5, 6, 400])
def test_a_sync_that_works_is_never_late_whenever_one_looks(
    call: Caller, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    later = time.time() + days * DAY
    monkeypatch.setattr("kbtui.demo.auto_sync.time.time", lambda: later)
    for each in call.everything(page_size=100):
        sync = each.get("auto_sync_info") or {"next_refresh_by": None}
        if sync["next_refresh_by"] and not sync["consec_failures"]:
            assert 0 < sync["next_refresh_by"] - later <= sync["minimum_frequency_days"] * DAY, each["name"]


def test_a_sync_is_late_from_its_first_failure_on_and_no_earlier(
    call: Caller, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = call.url(f"{demo.url}/site/press", enable_auto_sync=True, minimum_frequency_days=7)
    monkeypatch.setattr(pages, "_known", dict)  # every page is gone
    later = time.time() + 400 * DAY
    monkeypatch.setattr("kbtui.demo.auto_sync.time.time", lambda: later)
    refused(call.post(f"{KB}/{id}/refresh"), 400, "invalid_parameters")
    sync = call.document(id)["auto_sync_info"]
    assert sync["consec_failures"] == 1 and 0 < sync["next_refresh_by"] - later <= 7 * DAY
    later += 8 * DAY
    assert call.document(id)["auto_sync_info"] == sync


def test_a_shared_file_that_works_was_synced_within_its_interval(call: Caller) -> None:
    for each in call.everything(types="file", page_size=100):
        if (sync := each["auto_sync_info"]) is not None:
            age = time.time() - each["refresh_status"]["last_synced_at"]
            works = each["refresh_status"]["status"] == "succeeded"
            assert works == (sync["consec_failures"] == 0)
            assert (age <= sync["minimum_frequency_days"] * DAY) == works


def test_every_file_of_the_sample_is_in_the_manifest_and_reads_as_it_is_kept() -> None:
    manifest = (FOLDER / "manifest.json").read_text("utf-8")
    site = (FOLDER / "site" / "site.json").read_text("utf-8")
    for file in FOLDER.rglob("*"):
        path = file.relative_to(FOLDER).as_posix()
        if file.suffix in (".md", ".html", ".pdf", ".docx", ".epub", ".txt"):
            assert f'"{path}"' in manifest or f'"{file.name}"' in site, path
    for file in FILES:
        kept = file.with_name(file.name + ".content")
        if kept.exists():
            assert extract(file.read_bytes(), file.name) == (kept.read_text("utf-8"), "html")


def test_a_file_of_the_sample_is_given_out_as_it_was_uploaded(call: Caller) -> None:
    id = id_of("Support/Warranty/Warranty claim form.pdf")
    signed = call.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
    assert call.get(signed).content == (FOLDER / "files" / "warranty-claim-form.pdf").read_bytes()


def test_links_between_sample_files_and_json_are_sound() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))

    def paths(entries: list[dict[str, Any]], above: str = "") -> Iterator[str]:
        for entry in entries:
            yield f"{above}{entry['name']}"
            yield from paths(entry.get("in", []), f"{above}{entry['name']}/")

    known = list(paths(manifest["tree"]))
    assert len(set(known)) == len(known)
    for agent in manifest["agents"]:
        for attached in agent["branches"].values():
            assert set(attached["auto"] + attached["prompt"]) <= set(known)
    assert sample.id_of("Support") != sample.id_of("Products")


def test_what_one_text_says_of_another_is_so(call: Caller) -> None:
    listed = call.everything(page_size=100)
    bodies = {each["name"]: call.document(each["id"]) for each in listed if each["type"] != "folder"}
    codes = set(re.findall(r"(?m)^### ([A-Z]-\d{3}) ", bodies[FAULT_CODES]["extracted_inner_html"]))
    for body in (each["extracted_inner_html"] for each in bodies.values()):
        named = re.findall(r"\b[A-Z]-\d{3}\b", body) + re.findall(r"(?:`|<code>)([A-Z]-?\d\d+)[`<]", body)
        assert set(named) <= codes | {"C-200"}  # "everything from C-200 on"
        assert set(re.findall(r"go to \*\*(.+?)\*\*", body)) <= bodies.keys()
    assert "emergency" in bodies["How to reach us"]["extracted_inner_html"]


def test_fault_codes_keep_what_their_beginning_promises() -> None:
    text = (FOLDER / "trouble" / "fault-codes.md").read_text("utf-8")
    entries = dict(re.findall(r"(?ms)^### ([A-Z]-\d{3}) · (.+?)(?=^##|\Z)", text))
    assert len(entries) > 400
    for code, entry in entries.items():
        if int(code[2:]) < 200:  # cured without a visit
            assert not re.search(r"\bpartner|\bvisit", entry), code
            later = f"{code[:2]}{int(code[2:]) + 100}"
            assert f"the code is {later}" in entry and f"when {code} came back" in entries[later]
        else:
            assert ("visit of a certified partner" in entry) != ("by post" in entry), code
    for code in ("C-117", "C-118"):
        assert "Start a remote reset" in entries[code]
    assert "current to earth" in entries["W-201"] and "The ring is red" in entries["W-201"]


# The web site


def test_the_site_changes_with_the_time_and_a_refresh_brings_the_change(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = id_of("Website/Flex prices, hour by hour")
    at = time.time()
    monkeypatch.setattr(pages, "clock", lambda: at)
    first = call.post(f"{KB}/{id}/refresh").json()["extracted_inner_html"]
    assert call.post(f"{KB}/{id}/refresh").json()["extracted_inner_html"] == first
    monkeypatch.setattr(pages, "clock", lambda: at + 3 * 3600)
    assert call.post(f"{KB}/{id}/refresh").json()["extracted_inner_html"] != first


def test_a_page_that_is_gone_lets_the_sync_fail_once_more(call: Caller) -> None:
    id = id_of("Website/Store Madrid (opening soon)")
    failures = call.document(id)["auto_sync_info"]["consec_failures"]
    refused(call.post(f"{KB}/{id}/refresh"), 400, "invalid_parameters")
    assert call.document(id)["auto_sync_info"]["consec_failures"] == failures + 1


def test_the_site_has_its_odd_pages(call: Caller) -> None:
    assert call.get("/site/jobs").status_code == 404
    assert "Disallow: /site/private/" in call.get("/robots.txt").text
    listed = call.get("/site/sitemap.xml").text
    assert "/site/help/refunds</loc>" in listed and "/private" not in listed
    assert pages.page("/site/archive", 0).delay > 0
    assert cleaned(pages.page("/site/app", 0).body) == ""
    body = cleaned(pages.page("/site/press", 0).body)
    assert "Flex prices" in body and "<h1>" not in body
    assert "KB-0000007" in call.get("/site/notes/7").text


@pytest.mark.parametrize("path", ["/site", "/site/", "/site/%00", "/site/notes/x", "/site/../x"])
def test_no_address_of_the_site_is_a_fault(call: Caller, path: str) -> None:
    assert call.get(path).status_code in (200, 404)
