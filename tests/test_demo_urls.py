"""Addresses of the demo: auto-sync, refresh, and how a page is fetched and read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kbtui.demo.sample import id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused

DAY = 86_400


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


# Auto-sync and refresh


def test_auto_sync_is_for_addresses_and_folders(call: Caller, demo: Demo) -> None:
    text = call.text()
    refused(call.patch(f"{KB}/{text}", json={"enable_auto_sync": True}), 400, "invalid_parameters")
    assert call.patch(f"{KB}/{text}", json={"enable_auto_sync": False}).status_code == 200
    page = call.url(page_address(call), enable_auto_sync=True, minimum_frequency_days=30)
    sync = call.document(page)["auto_sync_info"]
    assert (sync["minimum_frequency_days"], sync["auto_remove"], sync["consec_failures"]) == (30, False, 0)
    refused(call.patch(f"{KB}/{page}", json={"content": "mine"}), 400, "invalid_parameters")
    off = call.patch(f"{KB}/{page}", json={"content": "mine", "enable_auto_sync": False}).json()
    assert (off["auto_sync_info"], off["extracted_inner_html"]) == (None, "mine")
    invalid(call.patch(f"{KB}/{page}", json={"minimum_frequency_days": 181}))


def page_address(call: Caller) -> str:
    """The address of a page of the demo's own site, of a document whose sync works."""
    for each in call.everything(types="url", page_size=100):
        sync = each["auto_sync_info"]
        if each["url"].startswith(str(call.base_url)) and not (sync and sync["consec_failures"]):
            return str(each["url"])
    raise AssertionError("the sample has no page of its own")


def test_a_new_document_is_synced_at_least_as_often_as_its_folder(call: Caller) -> None:
    folder = call.folder("synced", enable_auto_sync=True, minimum_frequency_days=3, auto_remove=True)
    page = call.url(
        page_address(call), parent_folder_id=folder, enable_auto_sync=True, minimum_frequency_days=9
    )
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 3
    call.patch(f"{KB}/{folder}", json={"minimum_frequency_days": 2, "tighten_only": True})
    tight = call.document(page)["auto_sync_info"]
    assert (tight["minimum_frequency_days"], tight["auto_remove"]) == (2, True)
    call.patch(f"{KB}/{folder}", json={"minimum_frequency_days": 60, "tighten_only": True})
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 2
    call.patch(f"{KB}/{folder}", json={"tighten_only": False})
    assert call.document(page)["auto_sync_info"]["minimum_frequency_days"] == 60
    call.patch(f"{KB}/{folder}", json={"enable_auto_sync": False, "tighten_only": False})
    assert call.document(page)["auto_sync_info"] is None


SYNCED = id_of("Support/Refund policy (EU)")  # every 7 days, last 6 days ago


def due(call: Caller, id: str = SYNCED, **change: Any) -> int:
    """When the next sync of a document is due after this change."""
    answer = call.patch(f"{KB}/{id}", json=change)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["auto_sync_info"]["next_refresh_by"])


def test_the_next_sync_is_moved_by_another_interval_and_by_nothing_else(call: Caller) -> None:
    first = due(call)
    assert due(call, auto_remove=True) == due(call, name="Other") == first
    assert due(call, enable_auto_sync=True, minimum_frequency_days=7, auto_remove=False) == first
    assert due(call, minimum_frequency_days=9) == first + 2 * DAY
    assert due(call, minimum_frequency_days=7) == first
    call.patch(f"{KB}/{SYNCED}", json={"enable_auto_sync": False})
    assert due(call, enable_auto_sync=True) > first
    assert call.post(f"{KB}/{SYNCED}/refresh").json()["auto_sync_info"]["next_refresh_by"] > first


def test_a_folder_hands_down_its_interval_but_not_its_own_date(call: Caller) -> None:
    folder = id_of("Website")  # every 7 days
    press = id_of("Website/Press")
    first = due(call, press)
    call.patch(f"{KB}/{folder}", json={"tighten_only": False, "minimum_frequency_days": 8})
    sync = call.document(press)["auto_sync_info"]
    assert (sync["minimum_frequency_days"], sync["next_refresh_by"]) == (8, first + DAY)


@pytest.mark.parametrize("tighten", [True, False])
def test_a_folder_changes_no_document_that_one_may_only_view(call: Caller, demo: Demo, tighten: bool) -> None:
    folder = call.folder("shared", enable_auto_sync=True)
    inner = call.folder("inner", folder)
    mine = call.url(page_address(call), parent_folder_id=inner, enable_auto_sync=True)
    seen = demo.store.add("url", "theirs", parent=inner, url=page_address(call), role="viewer")
    before = [call.document(id) for id in (folder, mine, seen)]
    change = {"minimum_frequency_days": 2, "tighten_only": tighten}
    refused(call.patch(f"{KB}/{folder}", json=change), 403, "insufficient_permissions")
    assert [call.document(id) for id in (folder, mine, seen)] == before  # all or nothing
    assert call.patch(f"{KB}/{folder}", json={"minimum_frequency_days": 2}).status_code == 200
    assert [call.document(id) for id in (mine, seen)] == before[1:]


def test_refresh_fetches_the_page_again(call: Caller) -> None:
    page = call.url(page_address(call))
    call.patch(f"{KB}/{page}", json={"content": "by hand"})
    fresh = call.post(f"{KB}/{page}/refresh").json()
    assert fresh["id"] == page and fresh["extracted_inner_html"] != "by hand"
    assert fresh["metadata"]["size_bytes"] == len(call.get(f"{KB}/{page}/content").content) > 0
    refused(call.post(f"{KB}/{call.text()}/refresh"), 400, "invalid_parameters")


# Fetching


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.216.34/",
        "http://[2606:2800:220:1::1]/",
        "http://10.0.0.1:80/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0:1/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "no address",
        "http://",
        "http://[::1",
        "http://localhost:99999/",
        "http://localhost/\r\nX: y",
        "http://www.solvane.example/",
        "http://localhost.solvane.example/",
        "http://2130706433:1/",
        "http://\x00/",
        "http://" + "a" * 300 + "/",
        "http://xn--/",
        "http://127.0.0.1:1/",
    ],
)
def test_what_is_not_on_this_machine_or_does_not_answer_is_not_fetched(call: Caller, address: str) -> None:
    detail = refused(call.post(f"{KB}/url", json={"url": address}), 400, "invalid_parameters")
    assert detail["param"] == "url" and detail["message"].startswith("The URL could not be fetched")


def test_no_name_beyond_this_machine_is_even_looked_up(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    look_up = socket.getaddrinfo

    def noted(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    answer = call.post(f"{KB}/url", json={"url": "http://www.solvane.example/a"})
    sentence = refused(answer, 400, "invalid_parameters")["message"]
    literal = refused(call.post(f"{KB}/url", json={"url": "http://10.0.0.1/a"}), 400, "invalid_parameters")
    assert sentence == literal["message"].replace("10.0.0.1", "www.solvane.example")
    assert {"www.solvane.example", "10.0.0.1"}.isdisjoint(asked)
    local = page_address(call).replace("127.0.0.1", "localhost")
    assert call.post(f"{KB}/url", json={"url": local}).status_code == 200


@contextmanager
def answering(head: str, body: bytes) -> Iterator[str]:
    """The address of a server that gives this answer to one request."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def answer() -> None:
            there, _ = door.accept()
            with there:
                there.recv(65536)
                there.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/"
        thread.join()


PAGE = "<html><head>%s<title>Ćwiczenia żółwia</title></head><body><p>Zażółć gęślą jaźń</p></body></html>"


@pytest.mark.parametrize(
    ("kind", "meta", "charset"),
    [
        ("text/html; charset=iso-8859-2", "", "iso-8859-2"),
        ('Text/HTML; Charset="ISO-8859-2"', '<meta charset="utf-8">', "iso-8859-2"),
        ("text/html", '<meta charset="iso-8859-2">', "iso-8859-2"),
        ("text/html; charset=iso-8859-99", '<meta charset="windows-1250">', "windows-1250"),
        ("text/html; charset=utf-16le", "", "utf-16-le"),
        ("text/html; charset=iso-8859-2", "", "utf-8-sig"),
        ("text/html; charset=klingon", "", "utf-8"),
        ("text/html; charset=", '<meta charset="cp99999">', "utf-8"),
        ("nonsense", "", "utf-8"),
    ],
)
def test_title_and_content_are_read_in_the_charset_of_the_page(
    call: Caller, kind: str, meta: str, charset: str
) -> None:
    with answering(f"200 OK\r\nContent-Type: {kind}", (PAGE % meta).encode(charset)) as address:
        page = call.document(call.url(address))
    assert page["name"] == "Ćwiczenia żółwia"
    assert page["extracted_inner_html"] == "<p>Zażółć gęślą jaźń</p>"


@pytest.mark.parametrize("unit", ["<title", "<title>", "<loc>", "<a "])
def test_a_page_of_unclosed_tags_is_read_while_one_waits(call: Caller, unit: str) -> None:
    with answering("200 OK\r\nContent-Type: text/html", unit.encode() * 100_000) as address:
        answer = call.post(f"{KB}/url", json={"url": address}, timeout=60)
    assert call.document(call.made(answer))["name"] == address


def test_plain_text_is_read_in_the_charset_it_is_sent_in(call: Caller) -> None:
    body = "Zażółć <b>".encode("iso-8859-2")
    with answering("200 OK\r\nContent-Type: text/plain; charset=iso-8859-2", body) as address:
        page = call.document(call.url(address))
    assert (page["name"], page["extracted_inner_html"]) == (address, "Zażółć <b>")
    assert page["content_format"] == "markdown"


def test_a_redirect_off_this_machine_is_not_followed(call: Caller) -> None:
    away = "302 Found\r\nLocation: http://93.184.216.34/"
    with answering(away, b"") as address:
        detail = refused(call.post(f"{KB}/url", json={"url": address}), 400, "invalid_parameters")
    assert "93.184.216.34 is not on this machine" in detail["message"]
