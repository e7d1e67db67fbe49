"""Addresses and files of the demo: auto-sync, fetching, uploads, signed URLs; and generated documents."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.demo import generated
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, hits, invalid, refused


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


# Auto-sync, refresh, files


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


def test_refresh_fetches_the_page_again(call: Caller) -> None:
    page = call.url(page_address(call))
    call.patch(f"{KB}/{page}", json={"content": "by hand"})
    fresh = call.post(f"{KB}/{page}/refresh").json()
    assert fresh["id"] == page and fresh["extracted_inner_html"] != "by hand"
    assert fresh["metadata"]["size_bytes"] == len(call.get(f"{KB}/{page}/content").content) > 0
    refused(call.post(f"{KB}/{call.text()}/refresh"), 400, "invalid_parameters")


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
        "http://\x00/",
        "http://" + "a" * 300 + "/",
        "http://xn--/",
        "http://127.0.0.1:1/",
    ],
)
def test_what_is_not_on_this_machine_or_does_not_answer_is_not_fetched(call: Caller, address: str) -> None:
    detail = refused(call.post(f"{KB}/url", json={"url": address}), 400, "invalid_parameters")
    assert detail["param"] == "url" and detail["message"].startswith("The URL could not be fetched")


def test_a_redirect_off_this_machine_is_not_followed(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]

        def answer() -> None:
            there, _ = door.accept()
            with there:
                there.recv(65536)
                there.sendall(
                    b"HTTP/1.1 302 Found\r\nLocation: http://93.184.216.34/\r\nContent-Length: 0\r\n\r\n"
                )

        thread = threading.Thread(target=answer)
        thread.start()
        detail = refused(
            call.post(f"{KB}/url", json={"url": f"http://127.0.0.1:{port}/"}), 400, "invalid_parameters"
        )
        thread.join()
    assert "93.184.216.34 is not on this machine" in detail["message"]


def test_a_file_is_uploaded_read_replaced_and_given_out_again(call: Caller) -> None:
    folder = call.folder("files")
    made = call.post(
        f"{KB}/file",
        files={"file": ("C:\\docs\\notes.md", b"# Notes\n\nfirst", "text/markdown")},
        data={"name": "My notes", "parent_folder_id": folder},
    )
    id = call.made(made)
    document = call.document(id)
    assert (document["name"], document["filename"], document["content_format"]) == (
        "My notes",
        "notes.md",
        "markdown",
    )
    assert made.json()["folder_path"] == [{"id": folder}]
    signed = call.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
    with httpx.Client(trust_env=False) as nobody:
        given = nobody.get(signed)
        assert given.content == b"# Notes\n\nfirst"
        assert given.headers["content-disposition"] == "attachment; filename*=UTF-8''notes.md"
        refused(
            nobody.get(signed[:-1] + ("0" if signed[-1] != "0" else "1")), 403, "insufficient_permissions"
        )
        late = signed.replace("expires=", "expires=1")
        refused(nobody.get(late), 403, "insufficient_permissions")
        refused(nobody.get(urlsplit(signed)._replace(query="").geturl()), 403, "insufficient_permissions")
    changed = call.patch(f"{KB}/{id}/update-file", files={"file": ("new.txt", b"zweite")}).json()
    assert (changed["id"], changed["name"], changed["filename"]) == (id, "new.txt", "new.txt")
    assert call.get(f"{KB}/{id}/content").text == "zweite"
    refused(call.get(f"{KB}/{call.text()}/source-file-url"), 404, "file_not_found")


def test_a_signed_address_expires(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    id = call.made(call.post(f"{KB}/file", files={"file": ("a.txt", b"x")}))
    signed = call.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
    assert call.get(signed).status_code == 200
    later = time.time() + 3600
    monkeypatch.setattr("kbtui.demo.files.time.time", lambda: later)
    assert "expired" in refused(call.get(signed), 403, "insufficient_permissions")["message"]


def test_uploads_that_cannot_be_taken_are_refused(call: Caller) -> None:
    path = f"{KB}/file"
    invalid(call.post(path))
    invalid(call.post(path, files={"name": (None, "x")}))
    invalid(call.post(path, data={"file": "words"}))
    invalid(call.post(path, files={"file": ("a.txt", b"x")}, data={"name": ""}))
    refused(call.post(path, files={"file": ("a.exe", b"MZ")}), 400, "invalid_file_type")
    refused(
        call.post(path, files={"file": ("a.txt", b"x" * (20 * 1024 * 1024 + 1))}), 400, "request_too_large"
    )
    for kind, raw in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"nonsense"),
        ("multipart/form-data; boundary=a; charset=klingon", b"--a\r\nnope\r\n"),
    ):
        broken = call.post(path, content=raw, headers={"content-type": kind})
        assert (broken.status_code, broken.json()) == (400, {"detail": "There was an error parsing the body"})


# Generated documents


@given(st.integers(0, 10**9))
def test_a_generated_document_follows_from_its_number(seed: int) -> None:
    assert generated.size(seed) == len(generated.text(seed).encode())
    assert f"{seed:07}" in generated.text(seed) and f"{seed:07}" in generated.name(seed)
    created, updated = generated.times(seed, 2_000_000_000)
    assert created <= updated <= 2_000_000_000


def test_a_generated_document_can_be_read_edited_and_deleted() -> None:
    with Demo(index_seconds=0, sample=False, size=50) as demo, Caller(demo) as call:
        for document in call.everything(page_size=100, types=["text", "file", "url"]):
            text = call.get(f"{KB}/{document['id']}/content").content
            assert len(text) == document["metadata"]["size_bytes"]
        mine = call.everything(types="text", created_by_user_id="@me")[0]
        assert call.patch(f"{KB}/{mine['id']}", json={"content": "quokka"}).status_code == 200
        assert [hit["document"]["id"] for hit in hits(call, "quokka")] == [mine["id"]]
        assert call.delete(f"{KB}/{mine['id']}").status_code == 200
