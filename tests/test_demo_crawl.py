"""Crawl jobs over the demo's own site."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from elevenlabs import ElevenLabs
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo import pages
from kbtui.demo.crawler import matches
from kbtui.demo.sample import id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused

CRAWL = f"{KB}/crawl"


@pytest.fixture(autouse=True)
def no_slow_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SLOW_SECONDS", 0.0)


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


def begin(call: Caller, path: str = "/site", **more: Any) -> dict[str, Any]:
    answer = call.post(CRAWL, json={"url": f"{str(call.base_url).rstrip('/')}{path}", **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait(call: Caller, id: str) -> dict[str, Any]:
    """Ask until the job has ended."""
    deadline = time.monotonic() + 30
    while (job := call.get(f"{CRAWL}/{id}").json())["status"] in ("queued", "processing"):
        assert time.monotonic() < deadline, job
    found: dict[str, Any] = job
    return found


def crawled(call: Caller, job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What lies in the folder of a job, by the path of its address."""
    found = call.everything(parent_folder_id=job["root_folder_id"], page_size=100)
    return {each["url"].removeprefix(str(call.base_url).rstrip("/")): each for each in found}


def test_discovery_follows_links_and_leaves_out_what_is_forbidden_gone_or_elsewhere(call: Caller) -> None:
    begun = begin(call)
    assert (begun["type"], begun["status"], begun["folder_path"]) == ("discovery", "queued", [])
    job = wait(call, begun["id"])
    assert job["status"] == "succeeded"
    found = crawled(call, job)
    assert {"/site", "/site/help/refunds", "/site/stores/lyon", "/site/archive"} <= found.keys()
    assert not {"/site/private/partners", "/site/jobs", "/site/stores/madrid"} & found.keys()
    assert all(path.startswith("/site") for path in found)
    assert job["pages_scraped"] == len(found)
    assert job["pages_skipped"] == 1  # robots.txt keeps the partners' portal to itself
    assert job["pages_failed"] == 2  # jobs and the store in Madrid
    assert job["pages_identified"] == len(found) + 2
    refunds = call.document(found["/site/help/refunds"]["id"])
    assert refunds["name"] == "Refund policy (EU) | Solvane" and refunds["content_format"] == "html"
    assert "30 days" in refunds["extracted_inner_html"] and "<script" not in refunds["extracted_inner_html"]


def test_patterns_choose_and_exclude_and_the_limit_holds(call: Caller) -> None:
    helped = wait(call, begin(call, pattern="*/site/help*", exclude_patterns=["payment", "*/re*-dial"])["id"])
    assert crawled(call, helped).keys() == {"/site/help", "/site/help/refunds", "/site/help/delivery"}
    assert (helped["pattern"], helped["exclude_patterns"]) == ("*/site/help*", ["payment", "*/re*-dial"])
    assert helped["pages_skipped"] > 10
    few = wait(call, begin(call, max_pages=3)["id"])
    assert (few["pages_identified"], len(crawled(call, few)), few["max_pages"]) == (3, 3, 3)


def test_a_sitemap_names_the_pages_and_links_are_not_followed(call: Caller) -> None:
    base = str(call.base_url).rstrip("/")
    begun = begin(call, sitemap_urls=[f"{base}/site/sitemap.xml"], exclude_patterns=["/stores"])
    job = wait(call, begun["id"])
    assert (begun["type"], job["type"], job["status"]) == ("sitemap", "sitemap", "succeeded")
    found = crawled(call, job)
    assert "/site/app" in found and not any("stores" in path for path in found)
    assert (job["pages_identified"], job["pages_failed"]) == (len(found), 0)
    only = wait(call, begin(call, sitemap_urls=[f"{base}/site/news", f"{base}/site/status"])["id"])
    assert crawled(call, only).keys() == {"/site/news", "/site/status"}


def test_a_crawl_lives_in_a_folder_and_hands_down_its_auto_sync(call: Caller) -> None:
    parent = id_of("Website")  # syncs every 7 days
    begun = begin(
        call, "/site/help", parent_folder_id=parent, max_pages=2, enable_auto_sync=True, auto_discover=True,
        minimum_frequency_days=30, auto_remove=True,
    )  # fmt: skip
    assert begun["folder_path"] == [{"id": parent}]
    job = wait(call, begun["id"])
    assert job["auto_discover"] is True
    folder = call.document(begun["root_folder_id"])
    assert folder["folder_parent_id"] == parent and folder["children_count"] == 2
    for each in (folder, *crawled(call, job).values()):
        sync = each["auto_sync_info"]
        assert (sync["minimum_frequency_days"], sync["auto_remove"]) == (7, True)


def test_the_counters_advance_while_the_job_runs() -> None:
    with Demo(index_seconds=1) as server, Caller(server) as call:
        id = begin(call)["id"]
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["status"] in ("queued", "processing"):
            seen.append(call.get(f"{CRAWL}/{id}").json())
        assert "processing" in {each["status"] for each in seen}
        scraped = [each["pages_scraped"] for each in seen]
        assert scraped == sorted(scraped) and len(set(scraped)) > 3


def test_cancelling_deletes_everything_the_job_made_wherever_it_is(call: Caller) -> None:
    job = wait(call, begin(call, "/site/help")["id"])
    before = len(call.everything(page_size=100))
    made = list(crawled(call, job).values())
    call.post(f"{KB}/{made[0]['id']}/move", json={"move_to": id_of("Support")})
    assert call.post(f"{CRAWL}/{job['id']}/cancel").json() == {}
    after = call.everything(page_size=100)
    assert len(after) == before - len(made) - 1
    assert not {each["id"] for each in after} & {each["id"] for each in made} | {job["root_folder_id"]} & {
        each["id"] for each in after
    }
    assert call.get(f"{CRAWL}/{job['id']}").json()["status"] == "cancelled"
    assert call.post(f"{CRAWL}/{job['id']}/cancel").json() == {}


def test_a_running_job_can_be_cancelled_and_adds_nothing_more() -> None:
    with Demo(index_seconds=20) as server, Caller(server) as call:
        begun = begin(call)
        while not call.get(f"{CRAWL}/{begun['id']}").json()["pages_scraped"]:
            pass
        call.post(f"{CRAWL}/{begun['id']}/cancel")
        job = call.get(f"{CRAWL}/{begun['id']}").json()
        assert job["status"] == "cancelled"
        refused(call.get(f"{KB}/{begun['root_folder_id']}"), 404, "knowledge_base_documentation_not_found")
        call.get("/site/help")
        assert call.get(f"{CRAWL}/{begun['id']}").json() == job


def test_a_crawl_whose_folder_is_deleted_ends(call: Caller) -> None:
    with Demo(index_seconds=10) as server, Caller(server) as slow:
        begun = begin(slow)
        while not slow.get(f"{CRAWL}/{begun['id']}").json()["pages_scraped"]:
            pass
        assert slow.delete(f"{KB}/{begun['root_folder_id']}", params={"force": True}).status_code == 200
        assert wait(slow, begun["id"])["pages_scraped"] < 10


def test_a_job_that_finds_nothing_or_was_cut_off_has_failed(tmp_path: Any) -> None:
    with Demo(data=tmp_path, index_seconds=20) as server, Caller(server) as call:
        assert wait(call, begin(call, "/nowhere")["id"])["status"] == "failed"
        cut = begin(call)["id"]
    with Demo(data=tmp_path, index_seconds=20) as server, Caller(server) as call:
        job = call.get(f"{CRAWL}/{cut}").json()
        assert job["status"] == "failed" and job["seed_url"] == f"{server.url}/site"


def test_jobs_are_listed_newest_first_page_by_page(call: Caller) -> None:
    made = [begin(call, "/site/status", max_pages=1)["id"] for _ in range(5)]
    for id in made:
        wait(call, id)
    found: list[str] = []
    query: dict[str, Any] = {"page_size": 2, "include_job_ids": [made[0], "unknown"]}
    while True:
        page = call.get(CRAWL, params=query).json()
        found += [each["id"] for each in page["crawl_jobs"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == made[::-1]
    refused(call.get(CRAWL, params={"cursor": query["cursor"]}), 400, "invalid_cursor")


def test_old_jobs_are_listed_only_by_their_id(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    id = wait(call, begin(call, "/site/status", max_pages=1)["id"])["id"]
    began = time.time()

    class Later:
        @staticmethod
        def time() -> float:
            return began + 8 * 86_400

    monkeypatch.setattr("kbtui.demo.crawl.time", Later)
    assert call.get(CRAWL).json()["crawl_jobs"] == []
    assert [each["id"] for each in call.get(CRAWL, params={"include_job_ids": id}).json()["crawl_jobs"]] == [
        id
    ]


def test_what_cannot_be_crawled_is_refused_and_leaves_nothing(demo: Demo, call: Caller) -> None:
    before = len(call.everything(page_size=100))
    for url in ("", "ftp://x/", "http://", "http://[::1", "nonsense"):
        refused(call.post(CRAWL, json={"url": url}), 400, "invalid_parameters")
    refused(call.post(CRAWL, json={"url": demo.url, "auto_discover": True}), 400, "invalid_parameters")
    refused(
        call.post(CRAWL, json={"url": demo.url, "parent_folder_id": "none"}),
        404,
        "knowledge_base_documentation_not_found",
    )
    viewed = id_of("Internal/People")
    refused(
        call.post(CRAWL, json={"url": demo.url, "parent_folder_id": viewed}), 403, "insufficient_permissions"
    )
    for wrong in ({"max_pages": 0}, {"max_pages": 10_001}, {"max_depth": 6}, {"pattern": "x" * 2049},
                  {"minimum_frequency_days": 181}, {"exclude_patterns": "x"}):  # fmt: skip
        invalid(call.post(CRAWL, json={"url": demo.url, **wrong}))
    invalid(call.post(CRAWL, json={}))
    refused(call.get(f"{CRAWL}/none"), 404, "document_not_found")
    refused(call.post(f"{CRAWL}/none/cancel"), 404, "document_not_found")
    with Caller(demo, demo.read_only_key) as reader:
        refused(reader.post(CRAWL, json={"url": demo.url}), 401, "missing_permissions")
        refused(reader.post(f"{CRAWL}/none/cancel"), 401, "missing_permissions")
    assert len(call.everything(page_size=100)) == before


def test_a_host_beyond_this_machine_is_not_crawled(call: Caller) -> None:
    answer = call.post(CRAWL, json={"url": "http://93.184.216.34/"})
    assert wait(call, answer.json()["id"])["pages_failed"] == 1


def test_the_official_sdk_crawls_looks_and_cancels(demo: Demo, call: Caller) -> None:
    with httpx.Client(trust_env=False) as wire:
        sdk = ElevenLabs(api_key=demo.key, base_url=demo.url, httpx_client=wire)
        crawls = sdk.conversational_ai.knowledge_base.crawl_jobs
        begun = crawls.create(url=f"{demo.url}/site/help", max_pages=3, exclude_patterns=["payment"])
        assert (begun.type, begun.status) == ("discovery", "queued")
        wait(call, begun.id)
        job = crawls.get(begun.id)
        assert (job.status, job.pages_scraped, job.exclude_patterns) == ("succeeded", 3, ["payment"])
        assert [each.id for each in crawls.list(page_size=10).crawl_jobs] == [begun.id]
        assert crawls.cancel(begun.id) == {}
        assert crawls.get(begun.id).status == "cancelled"


# Patterns


@pytest.mark.parametrize(
    ("pattern", "address", "fits"),
    [
        ("", "http://h/a", True),
        ("/a", "http://h/a/b", True),
        ("/b", "http://h/a", False),
        ("http://h/*", "http://h/a", True),
        ("*/a", "http://h/a/b", False),
        ("*/a*b", "http://h/a/c/b", True),
        ("http://h/a*a", "http://h/a", False),
        ("*a*a*", "http://h/a", False),
        ("*", "", True),
    ],
)
def test_a_pattern_is_a_part_of_the_address_or_all_of_it_with_stars(
    pattern: str, address: str, fits: bool
) -> None:
    assert matches(pattern, address) is fits


@given(st.lists(st.text("ab/", max_size=3), min_size=1, max_size=5), st.data())
def test_an_address_made_after_a_pattern_fits_it(parts: list[str], data: st.DataObject) -> None:
    gaps = [data.draw(st.text("ab/*", max_size=3)) for _ in parts[1:]] + [""]
    address = "".join(part + gap for part, gap in zip(parts, gaps, strict=True))
    assert matches("*".join(parts), address)


def test_a_pattern_full_of_stars_takes_no_time() -> None:
    began = time.perf_counter()
    assert not matches("*a" * 1000 + "*b*", "a" * 200_000)
    assert time.perf_counter() - began < 1


def test_a_full_disk_ends_a_crawl_in_a_line(
    call: Caller, demo: Demo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("kbtui.demo.crawler.note", full)
    assert wait(call, begin(call)["id"])["status"] == "failed"
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == [
        "The demo cannot use its database: database or disk is full."
    ]
