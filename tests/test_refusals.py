"""Every refusal that the service is known for becomes the right error, in the service's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.errors import (
    SHORT,
    Busy,
    Error,
    MissingPermission,
    NotFound,
    Offline,
    Refused,
    Unauthorized,
    Unexpected,
    first_sentence,
)
from kbtui.refusals import LONGEST, failure, is_throttled, refusal


def said(status: int, body: Any, headers: dict[str, str] | None = None) -> Error:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(status, headers or {}, raw, request="GET /v1/convai/knowledge-base")


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


TABLE: list[tuple[int, str, type[Error]]] = [
    (400, "document_has_dependent_agents", Refused),
    (404, "knowledge_base_documentation_not_found", NotFound),
    (422, "rag_index_not_ready", Refused),
    (401, "missing_permissions", MissingPermission),
    (401, "invalid_api_key", Unauthorized),
    (401, "missing_api_key", Unauthorized),
    (401, "detected_unusual_activity", Unauthorized),
    (401, "quota_exceeded", Refused),
    (402, "quota_exceeded", Refused),
    (402, "insufficient_credits", Refused),
    (403, "insufficient_permissions", Refused),
    (403, "workspace_access_denied", Refused),
    (403, "feature_not_available", Refused),
    (403, "subscription_required", Refused),
    (400, "invalid_file_type", Refused),
    (400, "request_too_large", Refused),
    (400, "text_too_long", Refused),
    (400, "empty_text", Refused),
    (400, "invalid_page_size", Refused),
    (400, "invalid_cursor", Refused),
    (400, "invalid_parameters", Refused),
    (404, "document_not_found", NotFound),
    (404, "knowledge_base_not_found", NotFound),
    (404, "file_not_found", NotFound),
    (404, "agent_not_found", NotFound),
    (409, "already_processing", Refused),
    (409, "already_running", Refused),
    (409, "concurrent_modification", Refused),
    (409, "conflict", Refused),
    (429, "rate_limit_exceeded", Busy),
    (429, "concurrent_limit_exceeded", Busy),
    (429, "system_busy", Busy),
    (429, "too_many_concurrent_requests", Busy),
    (500, "internal_error", Unexpected),
    (503, "service_unavailable", Busy),
    (503, "maintenance", Busy),
    (418, "a_code_of_tomorrow", Refused),
    (599, "a_code_of_tomorrow", Unexpected),
]


@pytest.mark.parametrize("legacy", [False, True], ids=["code", "status"])
@pytest.mark.parametrize(("status", "code", "kind"), TABLE, ids=lambda value: str(value))
def test_the_code_decides_whether_it_is_called_code_or_status(
    status: int, code: str, kind: type[Error], legacy: bool
) -> None:
    error = said(status, detail(message="In its own words.", **{"status" if legacy else "code": code}))
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    if kind is not MissingPermission:
        assert "In its own words." in error.sentence
    assert code in error.detail and "GET /v1/convai/knowledge-base" in error.detail


def test_a_code_that_says_little_gives_way_to_the_status_that_says_more() -> None:
    error = said(
        401,
        detail(
            type="authentication_error",
            code="unauthorized",
            status="missing_permissions",
            message="The API key you used is missing the permission convai_write to execute this operation.",
        ),
    )
    assert type(error) is MissingPermission
    assert error.code == "missing_permissions"
    assert "convai_write" in error.sentence


def test_the_list_of_a_validation_names_the_fields() -> None:
    error = said(
        422,
        {
            "detail": [
                {"loc": ["query", "page_size"], "msg": "Input should be less than 101", "type": "x"},
                {"loc": ["body", "items", 0, "model"], "msg": "Field required", "type": "missing"},
            ]
        },
    )
    assert type(error) is Refused
    assert error.sentence == "page_size: Input should be less than 101; items.0.model: Field required"


def test_a_detail_that_is_a_string_is_the_sentence() -> None:
    error = said(400, {"detail": "There was an error parsing the body"})
    assert (type(error), error.sentence) == (Refused, "There was an error parsing the body")


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (401, Unauthorized, "key"),
        (402, Refused, "plan"),
        (403, Refused, "allow"),
        (407, Offline, "proxy"),
        (413, Refused, "large"),
        (429, Busy, "many"),
        (500, Unexpected, "500"),
        (502, Unexpected, "502"),
        (503, Busy, "available"),
        (504, Unexpected, "504"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html><body>nginx</body></html>", b"\xff\xfe", b'{"detail": {}}'])
def test_a_gateway_without_words_is_put_into_words(
    status: int, kind: type[Error], word: str, body: bytes
) -> None:
    error = said(status, body)
    assert type(error) is kind
    assert word in error.sentence.lower()
    assert "nginx" not in error.sentence


@pytest.mark.parametrize("body", [b"<h1>404</h1>", b'{"detail":"Not Found"}', b""])
def test_an_unknown_address_is_not_an_unknown_document(body: bytes) -> None:
    error = said(404, body)
    assert type(error) is Unexpected
    assert "base URL" in error.sentence


@pytest.mark.parametrize(
    ("headers", "in_body", "expected"),
    [
        ({"request-id": "h"}, "b", "h"),
        ({"x-trace-id": "t"}, "b", "b"),
        ({"x-trace-id": "t"}, None, "t"),
        ({}, "b", "b"),
        ({}, None, ""),
    ],
)
def test_the_request_id_comes_from_wherever_it_is(
    headers: dict[str, str], in_body: str | None, expected: str
) -> None:
    error = said(400, detail(code="empty_text", message="m", request_id=in_body), headers)
    assert error.request_id == expected


def test_words_of_strangers_are_one_line_of_printable_text_and_not_too_long() -> None:
    error = said(400, detail(message="a\x1b[31m\n\nb\u202e" + "x" * 5000))
    assert error.sentence.isprintable()
    assert error.sentence.startswith("a [31m b x")
    assert len(error.sentence) == LONGEST


def test_a_failure_in_a_batch_is_the_error_it_would_be_alone() -> None:
    missing = failure(
        {
            "status": "failure",
            "error_code": 404,
            "error_status": "knowledge_base_documentation_not_found",
            "error_message": "Documentation with id x not found.",
        },
        request="GET summaries",
    )
    assert (type(missing), missing.sentence) == (NotFound, "Documentation with id x not found.")
    assert type(failure({"error_code": 404}, request="")) is NotFound
    assert type(failure({"error_code": "?"}, request="")) is Unexpected


def test_only_what_was_turned_away_at_the_door_counts_as_throttled() -> None:
    assert is_throttled(said(429, b""))
    assert is_throttled(said(503, detail(code="system_busy")))
    assert not is_throttled(said(503, b""))
    assert not is_throttled(said(500, detail(code="internal_error")))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["detail", "code", "status", "message", "msg", "loc", "error", "x"]), inner
        )
    ),
)


@given(st.integers(300, 599), JSON.map(lambda body: json.dumps(body).encode()) | st.binary())
def test_no_body_is_too_odd_for_a_sentence(status: int, body: bytes) -> None:
    error = said(status, body)
    assert error.sentence and error.sentence.isprintable()
    assert error.status == status


@pytest.mark.parametrize(
    ("status", "body", "short"),
    [
        (401, detail(status="missing_permissions"), "The API key lacks a permission that this needs"),
        (401, detail(status="invalid_api_key"), "The service does not accept the API key"),
        (403, b"", "The service does not allow this (403)"),
        (404, detail(status="agent_not_found", message="Agent a.b not found."), "Agent a.b not found"),
        (422, {"detail": [{"loc": ["body", "query"], "msg": "Too short"}]}, "query: Too short"),
        (503, b"", "The service is not available at the moment (503)"),
    ],
)  # fmt: skip
def test_a_header_says_in_short_what_is_true(status: int, body: Any, short: str) -> None:
    assert first_sentence(said(status, body).sentence) == short


@given(st.text())
def test_what_is_said_in_short_is_short(sentence: str) -> None:
    assert len(first_sentence(sentence)) <= SHORT
