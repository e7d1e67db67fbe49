"""Request for request, what we send is what the service's official SDK sends; where not, it says why."""

from __future__ import annotations

import asyncio
import email
import inspect
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from operator import attrgetter
from typing import Any

import elevenlabs.types
import httpx
import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core import ApiError

from kbtui.api import Api, Filters
from kbtui.errors import Busy, Error, Refused
from kbtui.pacing import Pacing
from tests.wire import Request, Wire

DEVIATIONS = {
    "test_ids_are_escaped": "an id is a name, never a part of an address",
    "test_mime_types_do_not_depend_on_this_machine": "not every table of types knows .md and .epub",
    "test_an_upload_is_repeated_whole": "repeated without its fields, it lands in the root, unnamed",
    "test_a_create_is_not_repeated": "there is no idempotency key: it may make two documents",
    "test_a_read_is_repeated_when_the_line_is_cut": "it changes nothing, and lines are cut",
    "test_a_repeated_delete_that_finds_nothing_is_done": "the first may have been carried out",
    "test_the_key_follows_no_redirect_to_another_origin": "a key is for one host",
    "test_a_refusal_to_do_it_twice_is_not_repeated": "409 says that it is under way: to repeat is no help",
    "test_pages_hold_100_documents_by_default": "fewer round trips than with the service's 30",
    "test_the_place_of_a_move_is_always_sent": "null and absent both mean the root; said is plainer",
    "test_deprecated_parameters_are_not_offered": "`@me` says the first, the second means nothing any more",
}
"""Where we do not do as the SDK does, and why; each by the test below that shows both."""

ANSWERS: dict[str, Any] = {
    "documents": [],
    "results": [],
    "chunks": [],
    "agents": [],
    "crawl_jobs": [],
    "indexes": [],
    **{"has_more": False, "id": "d", "name": "n", "type": "text", "number_of_pages": 1},
    "signed_url": "https://files.example/x",
}
"""One answer that every endpoint's reader is content with."""

E5 = "e5_mistral_7b_instruct"

Ours = Callable[[Api], Awaitable[Any]]


@dataclass(frozen=True)
class Sdk:
    """A call of the SDK, by its dotted path below `conversational_ai`."""

    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, sdk: ElevenLabs) -> None:
        answer = attrgetter(self.path)(sdk.conversational_ai)(*self.args, **self.kwargs)
        if isinstance(answer, Iterator):
            list(answer)


async def drain(pages: AsyncIterator[Any]) -> None:
    async for _ in pages:
        pass


def kb(path: str, *args: Any, **kwargs: Any) -> Sdk:
    return Sdk(path, args, kwargs)


KB = "knowledge_base."
DOCUMENTS = KB + "documents."
SETTINGS: dict[str, Any] = {"enable_auto_sync": True, "auto_remove": False, "minimum_frequency_days": 3}
LISTING: dict[str, Any] = {
    "page_size": 100,
    "search": "a b&c",
    "types": ["file", "url"],
    "parent_folder_id": "f1",
    "ancestor_folder_id": "f2",
    "folders_first": True,
    "sort_by": "updated_at",
    "sort_direction": "asc",
    "created_by_user_id": "@me",
}
CRAWL: dict[str, Any] = {
    "max_pages": 5,
    "pattern": "/docs/.*",
    "exclude_patterns": ["/old/.*"],
    "sitemap_urls": ["https://e.x/sitemap.xml"],
    "parent_folder_id": "f",
    "auto_discover": True,
    **SETTINGS,
}

CALLS: dict[str, tuple[Ours, Sdk]] = {
    "list": (lambda api: api.list_page(cursor="c", **LISTING), kb(KB + "list", cursor="c", **LISTING)),
    "list, as pages": (lambda api: drain(api.documents(**LISTING)), kb(KB + "list", **LISTING)),
    "list, one type": (
        lambda api: api.list_page(types=["text"], page_size=1),
        kb(KB + "list", types="text", page_size=1),
    ),
    "search": (
        lambda api: drain(api.search("refund? 50%", types=["url", "text"])),
        kb(KB + "search", query="refund? 50%", types=["url", "text"], page_size=30),
    ),
    "create url": (
        lambda api: api.create_url("https://e.x/a?b=c", "N", "f", **SETTINGS),
        kb(
            DOCUMENTS + "create_from_url", url="https://e.x/a?b=c", name="N", parent_folder_id="f", **SETTINGS
        ),
    ),
    "create url, bare": (
        lambda api: api.create_url("https://e.x"),
        kb(DOCUMENTS + "create_from_url", url="https://e.x"),
    ),
    "create text": (
        lambda api: api.create_text("Ä \u202e", 'a "quoted"\ttext\n', "f"),
        kb(
            DOCUMENTS + "create_from_text",
            text='a "quoted"\ttext\n',
            name="Ä \u202e",
            parent_folder_id="f",
        ),
    ),
    "create folder": (
        lambda api: api.create_folder("F", "f", **SETTINGS),
        kb(DOCUMENTS + "create_folder", name="F", parent_folder_id="f", **SETTINGS),
    ),
    "create file": (
        lambda api: api.create_file("a.txt", b"x\r\n\x00y", "N", "f"),
        kb(
            DOCUMENTS + "create_from_file",
            file=("a.txt", b"x\r\n\x00y", "text/plain"),
            name="N",
            parent_folder_id="f",
        ),
    ),
    "create file, bare": (
        lambda api: api.create_file("ä b.pdf", b"%PDF"),
        kb(DOCUMENTS + "create_from_file", file=("ä b.pdf", b"%PDF", "application/pdf")),
    ),
    "get": (lambda api: api.get("d1"), kb(DOCUMENTS + "get", "d1")),
    "get, for an agent": (
        lambda api: api.get("d1", agent_id="a1"),
        kb(DOCUMENTS + "get", "d1", agent_id="a1"),
    ),
    "update": (
        lambda api: api.update("d1", name="N", content="c", tighten_only=True, **SETTINGS),
        kb(DOCUMENTS + "update", "d1", name="N", content="c", tighten_only=True, **SETTINGS),
    ),
    "update, name alone": (
        lambda api: api.update("d1", name="N"),
        kb(DOCUMENTS + "update", "d1", name="N"),
    ),
    "update to nothing": (
        lambda api: api.update("d1", content=""),
        kb(DOCUMENTS + "update", "d1", content=""),
    ),
    "delete": (lambda api: api.delete("d1"), kb(DOCUMENTS + "delete", "d1")),
    "delete by force": (
        lambda api: api.delete("d1", force=True),
        kb(DOCUMENTS + "delete", "d1", force=True),
    ),
    "bulk delete": (
        lambda api: api.bulk_delete(["d1", "d2"], force=True),
        kb(DOCUMENTS + "bulk_delete", document_ids=["d1", "d2"], force=True),
    ),
    "move": (lambda api: api.move("d1", "f"), kb(DOCUMENTS + "move", "d1", move_to="f")),
    "move to the root": (lambda api: api.move("d1", None), kb(DOCUMENTS + "move", "d1", move_to=None)),
    "bulk move": (
        lambda api: api.bulk_move(["d1", "d2"], "f"),
        kb(DOCUMENTS + "bulk_move", document_ids=["d1", "d2"], move_to="f"),
    ),
    "content": (lambda api: drain(api.content("d1")), kb(DOCUMENTS + "get_content", "d1")),
    "source file": (
        lambda api: api.source_file_url("d1"),
        kb(DOCUMENTS + "get_source_file_url", "d1"),
    ),
    "update file": (
        lambda api: api.update_file("d1", "b.html", b"<p>"),
        kb(KB + "document.update_file", "d1", file=("b.html", b"<p>", "text/html")),
    ),
    "refresh": (lambda api: api.refresh("d1"), kb(KB + "document.refresh", "d1")),
    "chunks": (
        lambda api: drain(api.chunks("d1", E5)),
        kb(DOCUMENTS + "chunks.list", "d1", embedding_model=E5, page_size=100),
    ),
    "chunk": (
        lambda api: api.chunk("d1", "c1", embedding_model=E5),
        kb(DOCUMENTS + "chunk.get", "d1", "c1", embedding_model=E5),
    ),
    "chunk, of any model": (lambda api: api.chunk("d1", "c1"), kb(DOCUMENTS + "chunk.get", "d1", "c1")),
    "dependents": (
        lambda api: drain(api.dependents("d1", dependent_type="direct")),
        kb(DOCUMENTS + "get_agents", "d1", dependent_type="direct", page_size=100),
    ),
    "dependents of many": (
        lambda api: drain(api.dependents_of_many(["d1", "d2"], dependent_type="all")),
        kb(DOCUMENTS + "get_bulk_agents", document_ids=["d1", "d2"], dependent_type="all", page_size=100),
    ),
    "summaries": (
        lambda api: api.summaries(["d1", "d2"]),
        kb(DOCUMENTS + "summaries.get", document_ids=["d1", "d2"]),
    ),
    "rag indexes": (lambda api: api.rag_indexes("d1"), kb("get_document_rag_indexes", "d1")),
    "rag compute": (
        lambda api: api.compute_rag_index("d1", E5),
        kb(KB + "document.compute_rag_index", "d1", model=E5),
    ),
    "rag delete": (
        lambda api: api.delete_rag_index("d1", "i1"),
        kb("delete_document_rag_index", "d1", "i1"),
    ),
    "rag overview": (lambda api: api.rag_overview(), kb("rag_index_overview")),
    "rag batch": (
        lambda api: api.rag_batch(["d1", "d2"], E5, create_if_missing=True),
        kb(
            KB + "get_or_create_rag_indexes",
            items=[{"document_id": id, "create_if_missing": True, "model": E5} for id in ("d1", "d2")],
        ),
    ),
    "agent": (lambda api: api.agent("a1", branch_id="b1"), kb("agents.get", "a1", branch_id="b1")),
    "branches": (lambda api: api.branches("a1"), kb("agents.branches.list", "a1")),
    "agent size": (lambda api: api.agent_size("a1"), kb("agents.knowledge_base.size", "a1")),
    "agents": (
        lambda api: drain(
            api.agents(search="s", archived=False, tags=["x", "y"], sort_by="name", sort_direction="asc")
        ),
        kb(
            "agents.list",
            search="s",
            archived=False,
            tags=["x", "y"],
            sort_by="name",
            sort_direction="asc",
            page_size=100,
        ),
    ),
    "crawl": (
        lambda api: api.create_crawl("https://e.x", **CRAWL),
        kb(KB + "crawl_jobs.create", url="https://e.x", **CRAWL),
    ),
    "crawl, bare": (
        lambda api: api.create_crawl("https://e.x"),
        kb(KB + "crawl_jobs.create", url="https://e.x"),
    ),
    "crawls": (
        lambda api: drain(api.crawls(include_job_ids=["j1", "j2"])),
        kb(KB + "crawl_jobs.list", include_job_ids=["j1", "j2"], page_size=100),
    ),
    "crawl status": (lambda api: api.crawl("j1"), kb(KB + "crawl_jobs.get", "j1")),
    "crawl cancel": (lambda api: api.cancel_crawl("j1"), kb(KB + "crawl_jobs.cancel", "j1")),
}


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A service that is content with everything."""
    with Wire("http://127.0.0.1:9") as wire:
        wire.answer(200, ANSWERS, times=None)
        yield wire


@pytest.fixture
def sdk(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("elevenlabs.core.http_client.time.sleep", lambda seconds: None)
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        yield ElevenLabs(api_key="the-key", base_url=wire.url, httpx_client=client)


@pytest.fixture
async def api(wire: Wire) -> AsyncIterator[Api]:
    async with Api(wire.url, "the-key", environ={}, pacing=Pacing(draw=lambda: 0.0)) as api:
        yield api


def parts(request: Request) -> Any:
    """The parts of a multipart body: headers and bytes of each, by field and in order."""
    head = f"content-type: {request.header('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body)
    assert message.is_multipart()
    found: list[Any] = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        found.append((sorted(part.items()), part.get_payload(decode=True)))
    return found


def sent(request: Request) -> dict[str, Any]:
    kind = (request.header("content-type") or "").split(";")[0]
    body: Any = request.body
    if kind == "multipart/form-data":
        body = parts(request)
    elif request.body:
        body = json.loads(request.body)
    return {
        "method": request.method,
        "path": request.path,
        "query": sorted(request.query),
        "type": kind,
        "key": request.header("xi-api-key"),
        "body": body,
    }


@pytest.mark.parametrize("call", CALLS)
async def test_the_same_request_goes_out(wire: Wire, api: Api, sdk: ElevenLabs, call: str) -> None:
    ours, theirs = CALLS[call]
    await asyncio.to_thread(theirs, sdk)
    (expected,) = wire.requests
    wire.forget()
    await ours(api)
    (made,) = wire.requests
    assert sent(made) == sent(expected)


def test_every_method_of_the_sdk_is_compared() -> None:
    agents = {"agents.list", "agents.get", "agents.branches.list"}  # of many that do not bear on knowledge
    clients = {theirs.path.rpartition(".")[0] for _, theirs in CALLS.values()} - {
        "",
        "agents",
        "agents.branches",
    }
    sdk = ElevenLabs(api_key="the-key").conversational_ai
    methods = {
        f"{path}.{name}"
        for path in clients
        for name, value in vars(type(attrgetter(path)(sdk))).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    methods |= {name for name in vars(type(sdk)) if "rag" in name}
    assert len(methods) >= 30
    assert methods | agents == {theirs.path for _, theirs in CALLS.values()}


async def test_the_retrieval_query_which_the_sdk_has_no_method_for(wire: Wire, api: Api) -> None:
    asked: dict[str, Any] = {
        "query": "Can I return it?",
        "strategy": "semantic",
        "documents": ["d1"],
        "use_agent_defaults": False,
        "max_documents_length": 1000,
        "max_retrieved_rag_chunks_count": 5,
    }
    await api.rag_query("a1", branch_id="b", **asked)
    (request,) = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/convai/agents/a1/knowledge-base/rag-query")
    assert request.query == [("branch_id", "b")]
    assert request.json() == asked
    assert set(asked) == set(elevenlabs.types.AgentKnowledgeBaseRagQueryRequestModel.model_fields)


# The deviations


def test_every_deviation_is_shown() -> None:
    assert set(DEVIATIONS) <= set(globals())


async def test_ids_are_escaped(wire: Wire, api: Api, sdk: Any) -> None:
    await asyncio.to_thread(sdk.conversational_ai.knowledge_base.documents.get, "a/b?c")
    await api.get("a/b?c")
    theirs, ours = wire.requests
    assert (theirs.path, theirs.query) == ("/v1/convai/knowledge-base/a/b", [("c", "")])
    assert (ours.path, ours.query) == ("/v1/convai/knowledge-base/a%2Fb%3Fc", [])


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.pdf", "application/pdf"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.TXT", "text/plain"),
        ("a.md", "text/markdown"),
        ("a.html", "text/html"),
        ("a.epub", "application/epub+zip"),
        ("a.nobody-knows", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
async def test_mime_types_do_not_depend_on_this_machine(
    wire: Wire, api: Api, sdk: Any, name: str, mime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mimetypes, "_db", mimetypes.MimeTypes(()))
    monkeypatch.setattr(mimetypes._db, "types_map", ({}, {}))  # type: ignore[attr-defined]
    documents = sdk.conversational_ai.knowledge_base.documents
    await asyncio.to_thread(documents.create_from_file, file=(name, b"x"))
    await api.create_file(name, b"x")
    theirs, ours = (dict(parts(request)[0][0])["Content-Type"] for request in wire.requests)
    assert theirs == "application/octet-stream"
    assert ours == mime


async def test_an_upload_is_repeated_whole(wire: Wire, api: Api, sdk: Any) -> None:
    documents = sdk.conversational_ai.knowledge_base.documents
    file = ("a.txt", b"x", "text/plain")
    refused_once(wire, 429)
    await asyncio.to_thread(documents.create_from_file, file=file, name="N", parent_folder_id="f")
    assert [len(parts(request)) for request in wire.requests] == [3, 1]
    wire.forget()
    refused_once(wire, 429)
    await api.create_file("a.txt", b"x", "N", "f")
    assert [len(parts(request)) for request in wire.requests] == [3, 3]


async def test_a_create_is_not_repeated(wire: Wire, api: Api, sdk: Any) -> None:
    refused_once(wire, 503)
    await asyncio.to_thread(sdk.conversational_ai.knowledge_base.documents.create_from_text, text="t")
    assert len(wire.requests) == 2
    wire.forget()
    refused_once(wire, 503)
    with pytest.raises(Busy) as caught:
        await api.create_text(None, "t")
    assert caught.value.fate_unknown
    assert len(wire.requests) == 1


async def test_a_read_is_repeated_when_the_line_is_cut(wire: Wire, api: Api, sdk: Any) -> None:
    refused_once(wire, None)
    with pytest.raises(httpx.RemoteProtocolError):
        await asyncio.to_thread(sdk.conversational_ai.knowledge_base.list)
    refused_once(wire, None)
    assert (await api.list_page()).documents == []


async def test_a_repeated_delete_that_finds_nothing_is_done(wire: Wire, api: Api, sdk: Any) -> None:
    refused_once(wire, 502, then=404)
    with pytest.raises(ApiError):
        await asyncio.to_thread(sdk.conversational_ai.knowledge_base.documents.delete, "d")
    refused_once(wire, 502, then=404)
    await api.delete("d")
    assert len(wire.requests) == 4


async def test_the_key_follows_no_redirect_to_another_origin(wire: Wire, api: Api, sdk: Any) -> None:
    with Wire("http://127.0.0.1:9") as elsewhere:
        elsewhere.answer(200, ANSWERS, times=None)
        wire.heal()
        wire.answer(302, headers={"location": elsewhere.url + "/x"}, times=None)
        await asyncio.to_thread(sdk.conversational_ai.knowledge_base.list)
        assert [request.header("xi-api-key") for request in elsewhere.requests] == ["the-key"]
        elsewhere.forget()
        with pytest.raises(Error, match="the key is not taken there"):
            await api.list_page()
        assert elsewhere.requests == []


async def test_a_refusal_to_do_it_twice_is_not_repeated(wire: Wire, api: Api, sdk: Any) -> None:
    refused_once(wire, 409)
    await asyncio.to_thread(sdk.conversational_ai.knowledge_base.document.refresh, "d")
    assert len(wire.requests) == 2
    wire.forget()
    refused_once(wire, 409)
    with pytest.raises(Refused):
        await api.refresh("d")
    assert len(wire.requests) == 1


async def test_pages_hold_100_documents_by_default(wire: Wire, api: Api, sdk: Any) -> None:
    await asyncio.to_thread(sdk.conversational_ai.knowledge_base.list)
    await api.list_page()
    await drain(api.documents())
    assert [request.query for request in wire.requests] == [[], *[[("page_size", "100")]] * 2]


async def test_the_place_of_a_move_is_always_sent(wire: Wire, api: Api, sdk: Any) -> None:
    await asyncio.to_thread(sdk.conversational_ai.knowledge_base.documents.move, "d")
    await api.move("d", None)
    assert [request.json() for request in wire.requests] == [{}, {"move_to": None}]


def test_deprecated_parameters_are_not_offered(sdk: Any) -> None:
    kb = sdk.conversational_ai.knowledge_base
    assert "show_only_owned_documents" in inspect.signature(kb.list).parameters
    assert "show_only_owned_documents" not in Filters.__annotations__
    assert "max_depth" in inspect.signature(kb.crawl_jobs.create).parameters
    assert "max_depth" not in inspect.signature(Api.create_crawl).parameters


def refused_once(wire: Wire, status: int | None, then: int = 200) -> None:
    """The next request is answered so (None: cut), those after it as `then`."""
    wire.heal()
    if status is None:
        wire.cut("request")
    else:
        wire.answer(status, {"detail": {"message": "No."}})
    wire.answer(then, ANSWERS if then == 200 else {"detail": {"code": "document_not_found"}}, times=None)
