"""Files of the demo: uploads and signed addresses; and generated documents."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
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


# Files


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


@pytest.fixture
def notes() -> Iterator[Caller]:
    with Demo(index_seconds=0, sample=False, size=30) as server, Caller(server) as caller:
        yield caller


def test_a_generated_page_keeps_its_address_when_it_is_edited_and_refreshed(notes: Caller) -> None:
    page = notes.everything(types="url")[0]
    path = f"{KB}/{page['id']}"
    refreshed = notes.post(f"{path}/refresh").json()
    assert refreshed["url"] == page["url"] and "<h1>" in refreshed["extracted_inner_html"]
    assert notes.patch(path, json={"content": "by hand"}).json()["url"] == page["url"]
    again = notes.post(f"{path}/refresh").json()
    assert again["extracted_inner_html"] == refreshed["extracted_inner_html"]
    assert (
        next(each for each in notes.everything(types="url") if each["id"] == page["id"])["url"] == page["url"]
    )


def test_a_generated_page_that_was_edited_follows_the_server_to_its_next_address(tmp_path: Path) -> None:
    with Demo(data=tmp_path, sample=False, size=30) as demo, Caller(demo) as call:
        id = call.everything(types="url")[0]["id"]
        call.patch(f"{KB}/{id}", json={"content": "by hand"})
    with Demo(data=tmp_path, sample=False) as demo, Caller(demo) as call:
        fresh = call.post(f"{KB}/{id}/refresh").json()
        assert fresh["url"].startswith(f"{demo.url}/site/notes/") and "<h1>" in fresh["extracted_inner_html"]


def test_a_generated_file_keeps_its_first_name_and_bytes_as_an_uploaded_one_does(notes: Caller) -> None:
    uploaded = notes.made(notes.post(f"{KB}/file", files={"file": ("first.md", b"# First")}))
    for id in (uploaded, notes.everything(types="file", sort_direction="asc")[0]["id"]):
        first = notes.document(id)
        signed = notes.get(f"{KB}/{id}/source-file-url").json()["signed_url"]
        given = notes.get(signed)
        changed = notes.patch(f"{KB}/{id}", json={"name": "Another", "content": "edited"}).json()
        assert (changed["name"], changed["filename"]) == ("Another", first["filename"])
        again = notes.get(signed)
        assert again.content == given.content == first["extracted_inner_html"].encode()
        assert again.headers["content-disposition"] == given.headers["content-disposition"]
        replaced = notes.patch(f"{KB}/{id}/update-file", files={"file": ("new.txt", b"new")}).json()
        assert (replaced["filename"], notes.get(signed).content) == ("new.txt", b"new")
