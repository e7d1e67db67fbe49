"""What the demo answers to what it cannot take, down to what is no HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


def test_unknown_paths_and_methods_are_answered_in_json(call: Caller) -> None:
    assert call.get("/nowhere").json() == {"detail": "Not Found"}
    assert call.get(f"{KB}/").json() == {"detail": "Not Found"}
    answer = call.request("BREW", KB)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})


def test_an_unknown_document_is_not_found_by_every_endpoint_that_names_one(call: Caller) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/content", None),
        ("POST", "/move", {}),
        ("POST", "/refresh", None),
        ("GET", "/source-file-url", None),
        ("GET", "/dependent-agents", None),
        ("PATCH", "/update-file", None),
    ):
        answer = call.request(method, f"{KB}/nobody{path}", json=body)
        assert refused(answer, 404, "knowledge_base_documentation_not_found")["code"] == "document_not_found"
    bulk = call.post(f"{KB}/dependent-agents", json={"document_ids": ["nobody"]})
    refused(bulk, 404, "knowledge_base_documentation_not_found")
    into = call.post(f"{KB}/text", json={"text": "a", "parent_folder_id": "nobody"})
    assert refused(into, 404, "knowledge_base_documentation_not_found")["param"] == "parent_folder_id"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe{",
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
        b"\x00",
        b"{'text': 'a'}",
    ],
)
def test_a_body_that_is_no_json_is_refused_as_such(call: Caller, raw: bytes) -> None:
    answer = call.post(f"{KB}/text", content=raw, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "There was an error parsing the body"})


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"", "application/json"),
        (b"null", "application/json"),
        (b'{"text": "a"}', "text/plain"),
        (b'{"text": "\\ud800"}', "application/json"),
        (b'{"text": 7}', "application/json"),
        (b'{"text": "a", "name": ""}', "application/json"),
        (b'{"text": NaN}', "application/json"),
    ],
)
def test_a_body_outside_the_contract_is_named_in_the_list_form(call: Caller, raw: bytes, kind: str) -> None:
    errors = invalid(call.post(f"{KB}/text", content=raw, headers={"content-type": kind}))
    assert errors[0]["loc"][0] == "body"


@pytest.mark.parametrize("body", [[], "words", 7])
def test_no_refusal_names_the_insides_of_the_demo(call: Caller, body: Any) -> None:
    batch = call.post(f"{KB}/rag-index", json={"items": [body]})
    for answer in (call.post(f"{KB}/text", json=body), call.patch(f"{KB}/{call.text()}", json=body), batch):
        (error,) = invalid(answer)
        assert error["msg"] == "Input should be a valid dictionary or object to extract fields from"


def test_values_of_the_query_are_checked(call: Caller) -> None:
    for query in (
        "page_size=0",
        "page_size=101",
        "page_size=x",
        "types=pdf",
        "sort_by=colour",
        "folders_first=2",
    ):
        errors = invalid(call.get(f"{KB}?{query}"))
        assert errors[0]["loc"][:2] == ["query", query.split("=")[0]]
    invalid(call.get(f"{KB}/summaries"))
    invalid(call.get(f"{KB}/summaries", params={"document_ids": ["x"] * 101}))
    invalid(call.get(f"{KB}/search"))
    invalid(call.post(f"{KB}/bulk-delete", json={"document_ids": [str(i) for i in range(21)]}))
    invalid(call.post(f"{KB}/bulk-delete", json={"document_ids": ["a", "a"]}))
    invalid(call.post(f"{KB}/bulk-move", json={"document_ids": []}))


def test_a_bug_is_answered_in_the_services_shape_and_named(
    call: Caller, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(demo.store), "document", lambda store, id: 1 / 0)
    answer = call.get(f"{KB}/any")
    assert refused(answer, 500, "internal_error")["type"] == "internal_error"
    assert answer.headers["x-trace-id"].startswith(answer.headers["request-id"])


# Below HTTP


def said(demo: Demo, raw: bytes) -> bytes:
    """All that the server says to these bytes until it closes the door."""
    host, port = demo.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(raw)
        pieces = []
        while piece := wire.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(demo: Demo, raw: bytes) -> None:
    head, _, body = said(demo, raw).rpartition(b"\r\n\r\n")
    last = head[head.rindex(b"HTTP/1.1") :].splitlines()
    assert last[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"content-type: application/json", b"connection: close"} <= set(last)
    assert json.loads(body) == {"detail": "Invalid HTTP request received."}


def test_a_body_that_breaks_off_is_no_fault_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    with Demo(index_seconds=0, sample=False) as demo:
        head = f"POST {KB}/text HTTP/1.1\r\nhost: x\r\nxi-api-key: {demo.key}\r\n"
        said(demo, f"{head}transfer-encoding: chunked\r\n\r\nno number\r\n".encode())
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
