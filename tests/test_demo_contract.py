"""A fuzzer that holds the demo to the service's published contract.

The contract is not part of this project: name a file with it in the environment variable
`KBTUI_OPENAPI`. `KBTUI_EXAMPLES` (30) says how many requests are tried for each operation and test.
"""

from __future__ import annotations

import json
import os
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from kbtui.demo.server import Demo

FILE = os.environ.get("KBTUI_OPENAPI")
if not FILE:
    pytest.skip("KBTUI_OPENAPI names no file with the service's contract", allow_module_level=True)
SPEC: dict[str, Any] = json.loads(Path(FILE).read_text())
STANDINS = [f"id-{i}" for i in range(30)]  # for ids, which change while requests are made up
METHODS = ("get", "post", "patch", "delete", "put")
OPERATIONS = [(m, path) for path, item in SPEC["paths"].items() for m in METHODS if m in item]

fuzz = settings(
    max_examples=int(os.environ.get("KBTUI_EXAMPLES", "30")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
each_operation = pytest.mark.parametrize(("method", "path"), OPERATIONS)

# What the service is known to answer beside 200 and 422: section 2 of the notes on it, by HTTP status.
KNOWN = {
    400: {
        "document_has_dependent_agents",
        "invalid_file_type",
        "request_too_large",
        "text_too_long",
        "empty_text",
        "invalid_page_size",
        "invalid_cursor",
        "invalid_parameters",
    },
    401: {"missing_permissions", "invalid_api_key", "missing_api_key"},
    402: {"quota_exceeded", "insufficient_credits"},
    403: {"insufficient_permissions", "workspace_access_denied", "feature_not_available"},
    404: {
        "knowledge_base_documentation_not_found",
        "document_not_found",
        "knowledge_base_not_found",
        "file_not_found",
        "agent_not_found",
    },
    409: {"already_processing", "already_running", "concurrent_modification", "conflict"},
}
TYPES = {"validation_error", "authentication_error", "authorization_error", "not_found", "conflict"}
FRAMEWORK = {400: "There was an error parsing the body", 404: "Not Found", 405: "Method Not Allowed"}


class Request(NamedTuple):
    """One request, not yet written out."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    files: dict[str, Any] | None


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with (
        Demo(index_seconds=0) as demo,
        httpx.Client(base_url=demo.url, headers={"xi-api-key": demo.key}, trust_env=False) as client,
    ):
        yield client


# Values from schemas

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SPEC["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def valid(schema: dict[str, Any], ids: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values that fit a schema; strings are ids of the demo half of the time."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of([valid(each, ids) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        needed = schema.get("required", [])
        fields = {name: valid(each, ids) for name, each in schema["properties"].items()}
        optional = {name: each for name, each in fields.items() if name not in needed}
        return st.fixed_dictionaries({name: fields[name] for name in needed}, optional=optional)
    if kind == "array":
        return st.lists(
            valid(schema["items"], ids),
            min_size=schema.get("minItems", 0),
            max_size=min(schema.get("maxItems", 4), 4),
            unique=schema.get("uniqueItems", False),
        )
    if kind == "integer":
        return st.integers(int(schema.get("minimum", -(2**70))), int(schema.get("maximum", 2**70)))
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    assert kind == "string", schema
    return (ids | TEXT).filter(lambda text: len(text) >= schema.get("minLength", 0))


def written(value: Any) -> list[str]:
    """A value of the query as the service's clients write it."""
    if isinstance(value, list):
        return [text for each in value for text in written(each)]
    if value is None:
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]


@st.composite
def requests(draw: st.DrawFn, method: str, path: str, *, broken: bool) -> Request:
    """A request for an operation; a broken one has junk in one place of the query or the body."""
    operation = SPEC["paths"][path][method]
    some = st.sampled_from(STANDINS)
    plain = st.text(string.ascii_letters + string.digits + "-_~ é", min_size=1, max_size=12)
    query: list[tuple[str, str]] = []
    places = [p for p in operation.get("parameters", []) if p["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    json_schema = content.get("application/json", {}).get("schema")
    where = draw(st.sampled_from([p["name"] for p in places] + ["body"])) if broken else None
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(draw(some | plain), safe=""))
        elif parameter["in"] == "query":
            if where == name:
                query += [(name, draw(TEXT)) for _ in range(draw(st.integers(0, 2)))]
            elif (parameter.get("required") or draw(st.booleans())) and name != "cursor":
                query += [(name, text) for text in written(draw(valid(parameter["schema"], some)))]
    body: Any = None
    files: dict[str, Any] | None = None
    if json_schema is not None:
        body = draw(valid(json_schema, some))
        if where == "body" and (not body or draw(st.booleans())):
            body = draw(JUNK)
        elif where == "body":
            body = {**body, draw(st.sampled_from(sorted(body))): draw(JUNK)}
        if "url" in resolved(json_schema)["properties"] and isinstance(body, dict) and draw(st.booleans()):
            body["url"] = "http://127.0.0.1:1/"
    elif content:
        files = draw(upload(broken=where == "body"))
    return Request(method.upper(), path, query, body, files)


@st.composite
def upload(draw: st.DrawFn, *, broken: bool) -> dict[str, Any]:
    endings = ["txt", "md", "html", "pdf", "docx", "epub"]
    ending = draw(st.sampled_from([*endings, "exe", ""] if broken else endings))
    data = draw(st.binary(max_size=50) | TEXT.map(str.encode))
    parts: dict[str, Any] = {"file": (f"{draw(TEXT)}.{ending}", data)}
    if draw(st.booleans()):
        parts["name"] = (None, draw(TEXT if broken else TEXT.filter(bool)))
    if broken and draw(st.booleans()):
        parts["file"] = (None, draw(TEXT))
    return parts


# Answers

COMPONENTS = {"components": SPEC["components"]}


def judge(operation: dict[str, Any], answer: httpx.Response) -> None:
    """Hold one answer against the contract and what is known of the service's errors."""
    note(f"{answer.request.method} {answer.request.url} {answer.status_code} {answer.text[:500]}")
    assert answer.status_code < 500
    assert "x-trace-id" in answer.headers and "request-id" in answer.headers
    if answer.status_code in (200, 422):
        content = operation["responses"][str(answer.status_code)].get("content", {})
        if "application/json" in content:
            assert answer.headers["content-type"] == "application/json"
            schema = {**content["application/json"]["schema"], **COMPONENTS}
            jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
        elif content:
            assert answer.headers["content-type"].split(";")[0] in content
        else:
            assert answer.content == b""
        return
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        assert detail == FRAMEWORK[answer.status_code]
        return
    assert set(detail) == {"type", "code", "message", "status", "request_id", "param"}
    assert detail["status"] in KNOWN[answer.status_code], detail
    assert detail["type"] in TYPES and detail["message"]


def send(client: httpx.Client, request: Request) -> httpx.Response:
    address = request.path + ("?" + urlencode(request.query) if request.query else "")
    if request.files is not None:
        return client.request(request.method, address, files=request.files)
    if request.body is None:
        return client.request(request.method, address)
    raw = json.dumps(request.body).encode()
    return client.request(request.method, address, content=raw, headers={"content-type": "application/json"})


def place(request: Request, client: httpx.Client) -> Request:
    """The request with ids that exist at this moment, and some that do not, where stand-ins stood."""
    found: list[str] = []
    for path, key, name in (
        ("knowledge-base", "documents", "id"),
        ("agents", "agents", "agent_id"),
        ("knowledge-base/crawl", "crawl_jobs", "id"),
    ):
        page = client.get(f"/v1/convai/{path}", params={"page_size": 100}).json()
        found += sorted(each[name] for each in page[key])
    step = max(1, len(found) // (len(STANDINS) - 2))
    ids = [*found[::step], *(f"nobody{i}" for i in range(len(STANDINS)))]
    known = dict(zip(STANDINS, ids, strict=False))

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(each) for each in value]
        if isinstance(value, dict):
            return {key: put(each) for key, each in value.items()}
        return known.get(value, value) if isinstance(value, str) else value

    path = "/".join(known.get(part, part) for part in request.path.split("/"))
    query = [(name, known.get(text, text)) for name, text in request.query]
    return request._replace(path=path, query=query, body=put(request.body))


@each_operation
@fuzz
@given(data=st.data())
def test_a_request_within_the_contract_is_never_called_invalid(
    client: httpx.Client, method: str, path: str, data: st.DataObject
) -> None:
    request = place(data.draw(requests(method, path, broken=False)), client)
    answer = send(client, request)
    judge(SPEC["paths"][path][method], answer)
    assert answer.status_code != 422


@each_operation
@fuzz
@given(data=st.data())
def test_a_request_outside_the_contract_is_refused_in_its_words(
    client: httpx.Client, method: str, path: str, data: st.DataObject
) -> None:
    request = place(data.draw(requests(method, path, broken=True)), client)
    answer = send(client, request)
    judge(SPEC["paths"][path][method], answer)
    if request.body is not None:
        schema = SPEC["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        if not jsonschema.Draft202012Validator({**schema, **COMPONENTS}).is_valid(request.body):
            assert answer.status_code >= 400


@each_operation
@fuzz
@given(data=st.data())
def test_absurd_bytes_are_answered_with_manners(
    client: httpx.Client, method: str, path: str, data: st.DataObject
) -> None:
    """Any body under any name of a kind, odd queries, other methods, half a key."""
    kinds = st.sampled_from(
        [
            "application/json",
            "application/problem+json",
            "application/json; charset=utf-16",
            "multipart/form-data; boundary=b",
            "multipart/form-data; boundary=b; charset=utf-7",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "text/plain",
            ";;;",
            "",
        ]
    )
    lines = [b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"+2AA-", b"\xff\x00", b'"', b"{", b"["]
    lines += [b'Content-Disposition: form-data; name="file"; filename="+2AA-.txt"', b"Content-Disposition:"]
    lines += [
        b'Content-Disposition: form-data; name="name"',
        b"Content-Transfer-Encoding: x",
        b'{"name": "\\ud800"}',
    ]
    raw = data.draw(st.binary(max_size=60) | st.lists(st.sampled_from(lines), max_size=12).map(b"".join))
    for name in ("documentation_id", "document_id", "agent_id", "crawl_job_id", "chunk_id", "rag_index_id"):
        path_id = data.draw(
            st.sampled_from(["nobody", "%00", "%FF", "%2F", "..", "%ED%A0%80", "a%20b", "%25"])
        )
        path = path.replace(f"{{{name}}}", path_id)
    odd = data.draw(st.text("&=%+;[]\x7faA0?/#", max_size=30).map(lambda t: quote(t, safe="&=%+;[]/?")))
    verb = data.draw(st.sampled_from([method.upper()] * 4 + ["PUT", "HEAD", "OPTIONS", "TRACE", "BREW"]))
    headers = {"content-type": data.draw(kinds)}
    if data.draw(st.booleans()):
        headers["xi-api-key"] = data.draw(st.text(string.ascii_letters, max_size=5))
    answer = client.request(verb, f"{path}?{odd}", content=raw, headers=headers)
    note(f"{verb} {path}?{odd} {raw!r} {headers}: {answer.status_code} {answer.text[:300]}")
    assert answer.status_code < 500
    if verb != "HEAD" and answer.status_code >= 400:
        assert "detail" in answer.json()
