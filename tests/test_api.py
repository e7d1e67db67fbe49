"""Every endpoint against the demo knowledge base, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kbtui import rows
from kbtui.api import Api
from kbtui.calls import MANY, MOST
from kbtui.demo.server import Demo
from kbtui.errors import Busy, Error, MissingPermission, NotFound, Offline, Refused, Unauthorized, Unexpected
from kbtui.models import Agent, Document, RagIndex
from kbtui.pacing import Pacing
from tests.wire import Request, Wire

E5 = "e5_mistral_7b_instruct"
LONG = "Refunds are paid within fourteen days of the return.\n\n" * 150


@pytest.fixture
async def api(demo: Demo, wire: Wire) -> AsyncIterator[Api]:
    async with Api(wire.url, demo.key, environ={}, pacing=Pacing(draw=lambda: 0.0)) as api:
        yield api


async def everything(api: Api, **filters: Any) -> list[Document]:
    return [document async for page in api.documents(**filters) for document in page.documents]


async def some_texts(api: Api, count: int) -> list[str]:
    return [(await api.create_text(f"Text {n:03}", f"Words {n}.")).id for n in range(count)]


async def read(api: Api, id: str) -> bytes:
    return b"".join([piece.data async for piece in api.content(id)])


# The list


async def test_pages_lead_to_the_end_and_to_every_document_once(api: Api) -> None:
    whole = [document.id for document in await everything(api)]
    assert len(whole) == len(set(whole)) > 5
    for size in (1, 2, 7):
        assert [document.id for document in await everything(api, page_size=size)] == whole


async def test_a_lean_page_is_what_the_service_sent(api: Api, wire: Wire) -> None:
    page = await api.list_page(page_size=2, sort_by="name", sort_direction="asc")
    assert isinstance(page, rows.Page)
    assert len(page.documents) == 2 and page.has_more and page.cursor
    typed = await anext(api.documents(page_size=2, sort_by="name", sort_direction="asc"))
    assert [document.raw() for document in typed.documents] == page.documents
    following = await api.list_page(page_size=2, sort_by="name", sort_direction="asc", cursor=page.cursor)
    assert following.documents[0]["name"].casefold() >= page.documents[1]["name"].casefold()


async def test_filters_reach_the_service(api: Api) -> None:
    folder = await api.create_folder("Zoo")
    inner = await api.create_folder("Zebras", folder.id)
    text = await api.create_text("Zephyr", "A zebra.", inner.id)
    assert {document.id for document in await everything(api, parent_folder_id=folder.id)} == {inner.id}
    below = await everything(api, ancestor_folder_id=folder.id)
    assert {document.id for document in below} == {inner.id, text.id}
    assert {document.id for document in await everything(api, search="Ze")} >= {inner.id, text.id}
    assert {document.type for document in await everything(api, types=["url", "file"])} == {"url", "file"}
    mine = await everything(api, created_by_user_id="@me", ancestor_folder_id=folder.id)
    assert len(mine) == 2
    first, *_ = await everything(api, folders_first=True, sort_by="size", sort_direction="desc")
    assert first.type == "folder"


async def test_a_cursor_that_repeats_ends_the_walk(api: Api, wire: Wire) -> None:
    wire.answer(200, {"documents": [], "next_cursor": "again", "has_more": True}, times=None)
    pages = [page async for page in api.documents(page_size=1)]
    assert len(pages) == 2


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({"documents": [], "next_cursor": "c"}, 2),
        ({"documents": [], "next_cursor": "c", "has_more": None}, 2),
        ({"documents": [], "next_cursor": "c", "has_more": False}, 1),
        ({"documents": [], "next_cursor": None, "has_more": True}, 1),
        ({"documents": [], "next_cursor": "", "has_more": True}, 1),
        ({"documents": []}, 1),
    ],
)
async def test_the_end_is_seen_without_has_more(
    api: Api, wire: Wire, answer: dict[str, Any], count: int
) -> None:
    wire.answer(200, answer)
    wire.answer(200, {"documents": []})
    assert len([page async for page in api.documents()]) == count
    wire.heal()
    wire.answer(200, answer)
    assert (await api.list_page()).has_more is (count == 2)


async def test_an_odd_document_does_not_hide_the_page(api: Api, wire: Wire) -> None:
    odd = {"type": "podcast", "episodes": 3}
    wire.answer(200, {"documents": [odd, "?", None, {"id": "d", "name": "N"}], "has_more": False}, times=2)
    page = await api.list_page()
    assert page.documents == [odd, {"id": "d", "name": "N"}]
    first, second = await everything(api)
    assert (first.type, first.raw(), second.name) == ("podcast", odd, "N")


async def test_a_list_without_documents_is_no_empty_list(api: Api, wire: Wire) -> None:
    wire.answer(200, {"status": "login required"})
    with pytest.raises(Unexpected):
        await api.list_page()


async def test_the_sweep_gives_way_to_what_a_person_asked_for(api: Api, wire: Wire) -> None:
    wire.answer(200, {"documents": []}, headers={"maximum-concurrent-requests": "1"})
    await api.list_page()
    held = wire.hold("request")
    running: list[asyncio.Future[Any]] = [asyncio.ensure_future(api.list_page())]
    await asyncio.to_thread(held.wait)
    for call in (api.summary_dicts(["a"]), api.list_page(), api.rag_overview(), api.list_page(urgent=True)):
        running.append(asyncio.ensure_future(call))
        await asyncio.sleep(0)
    held.release()
    await asyncio.gather(*running)
    order = [request.path.rpartition("/")[2] for request in wire.requests[2:]]
    assert order == ["rag-index", "knowledge-base", "summaries", "knowledge-base"]


# One document


async def test_a_text_lives_and_dies(api: Api) -> None:
    created = await api.create_text("Returns", "Within 14 days.\n")
    document = await api.get(created.id)
    assert (document.type, document.name, document.folder_parent_id) == ("text", "Returns", None)
    assert await read(api, created.id) == b"Within 14 days.\n"
    renamed = await api.update(created.id, name="Returns (EU)")
    assert (renamed.id, renamed.name) == (created.id, "Returns (EU)")
    rewritten = await api.update(created.id, content="Within 30 days.\n")
    assert rewritten.name == "Returns (EU)"
    assert await read(api, created.id) == b"Within 30 days.\n"
    await api.delete(created.id)
    with pytest.raises(NotFound):
        await api.get(created.id)


@pytest.mark.parametrize(
    "text",
    ["\ufeffa\r\nb\rc\n", "\u2028\x85\x0b\x0c\t", "日本語 🎉 \u202eabc", "[/foo] <b>&amp;</b> \x1b[31m", " "],
)
async def test_the_bytes_of_a_text_are_sacred(api: Api, text: str) -> None:
    created = await api.create_text("Odd", text)
    assert await read(api, created.id) == text.encode()


async def test_a_file_is_uploaded_replaced_and_fetched(api: Api) -> None:
    created = await api.create_file("terms.md", b"# Terms\n\nBe kind.\n", "Our terms")
    document = await api.get(created.id)
    assert (document.type, document.name, document.filename) == ("file", "Our terms", "terms.md")
    assert (await api.source_file_url(created.id)).startswith("http")
    replaced = await api.update_file(created.id, "terms-2.txt", b"Be kinder.")
    assert (replaced.name, replaced.filename) == ("terms-2.txt", "terms-2.txt")
    assert b"Be kinder." in await read(api, created.id)
    text = await api.create_text("No file", "x")
    with pytest.raises(Error) as caught:
        await api.source_file_url(text.id)
    assert isinstance(caught.value, Refused | NotFound)


async def test_a_page_is_added_refreshed_and_synced(api: Api, demo: Demo) -> None:
    created = await api.create_url(f"{demo.url}/site/help/delivery", "Hours", enable_auto_sync=True)
    document = await api.get(created.id)
    assert document.auto_sync_info is not None
    assert document.auto_sync_info.minimum_frequency_days == 7
    with pytest.raises(Refused):
        await api.update(created.id, content="Closed.")
    manual = await api.update(created.id, enable_auto_sync=False)
    assert manual.auto_sync_info is None
    edited = await api.update(created.id, content="Closed.")
    assert edited.extracted_inner_html == "Closed."
    refreshed = await api.refresh(created.id)
    assert refreshed.extracted_inner_html != "Closed."


async def test_folders_hold_and_let_go(api: Api) -> None:
    folder = await api.create_folder("Folder")
    text = await api.create_text("Text", "Words.", folder.id)
    await api.move(text.id, None)
    assert (await api.get(text.id)).folder_parent_id is None
    await api.move(text.id, folder.id)
    assert (await api.get(text.id)).folder_parent_id == folder.id
    assert (await api.get(folder.id)).children_count == 1
    with pytest.raises(Refused):
        await api.delete(folder.id)
    await api.delete(folder.id, force=True)
    with pytest.raises(NotFound):
        await api.get(text.id)


async def test_a_folder_passes_its_settings_on(api: Api, demo: Demo) -> None:
    folder = await api.create_folder("Synced", enable_auto_sync=True, minimum_frequency_days=3)
    assert (await api.update(folder.id, name="Synced too", tighten_only=True)).name == "Synced too"
    info = (await api.get(folder.id)).auto_sync_info
    assert info is not None and info.minimum_frequency_days == 3


async def test_what_an_agent_uses_is_not_deleted_unasked(api: Api, wire: Wire) -> None:
    used = await a_used_document(api)
    with pytest.raises(Refused) as caught:
        await api.delete(used)
    assert caught.value.code == "document_has_dependent_agents"
    await api.delete(used, force=True)


# Many documents


async def test_summaries_come_by_the_hundred_and_say_what_is_missing(api: Api, wire: Wire) -> None:
    ids = await some_texts(api, MOST + 1)
    wire.forget()
    found = await api.summaries([*ids, "nope", ids[0]])
    assert list(found) == [*ids, "nope"]
    assert isinstance(found["nope"], NotFound)
    assert all(isinstance(found[id], Document) for id in ids)
    assert [len(request.query) for request in wire.requests] == [MOST, 2]
    lean = await api.summary_dicts(["nope", ids[3]])
    assert lean["nope"] is None
    assert (lean[ids[3]] or {})["name"] == "Text 003"


async def test_only_what_the_service_says_is_gone_is_gone(api: Api, wire: Wire) -> None:
    failure = {"status": "failure", "error_code": 403, "error_status": "x", "error_message": "Not yours."}
    gone = {**failure, "error_code": 404}
    wire.answer(200, {"a": failure, "b": gone, "c": {"status": "success", "data": {"id": "c"}}})
    assert await api.summary_dicts(["a", "b", "c", "d"]) == {"b": None, "c": {"id": "c"}}
    wire.answer(200, {"a": "?", "b": failure}, times=None)
    assert {id: type(entry) for id, entry in (await api.summaries(["a", "b"])).items()} == {
        "a": Unexpected,
        "b": Refused,
    }


async def test_many_are_moved_and_deleted_by_the_twenty(api: Api, wire: Wire) -> None:
    ids = await some_texts(api, MANY + 5)
    folder = await api.create_folder("Folder")
    wire.forget()
    assert await api.bulk_move(ids, folder.id) == dict.fromkeys(ids)
    assert [len(request.json()["document_ids"]) for request in wire.requests] == [MANY, 5]
    assert len(await everything(api, parent_folder_id=folder.id)) == MANY + 5
    wire.forget()
    outcome = await api.bulk_delete([*ids, "nope", ids[0]])
    assert [len(request.json()["document_ids"]) for request in wire.requests] == [MANY, 6]
    assert isinstance(outcome.pop("nope"), NotFound)
    assert outcome == dict.fromkeys(ids)
    assert await everything(api, parent_folder_id=folder.id) == []


async def test_a_batch_that_fails_is_the_last_and_the_others_are_told(api: Api, wire: Wire) -> None:
    ids = await some_texts(api, 3 * MANY)
    second = ids[MANY]

    def is_second(request: Request) -> bool:
        return request.method == "POST" and second in request.json()["document_ids"]

    wire.answer(
        400, {"detail": {"code": "conflict", "message": "Not now."}}, path="bulk-delete", when=is_second
    )
    outcome = await api.bulk_delete(ids)
    assert [outcome[id] for id in ids[:MANY]] == [None] * MANY
    assert {type(outcome[id]) for id in ids[MANY : 2 * MANY]} == {Refused}
    assert {type(outcome[id]) for id in ids[2 * MANY :]} == {Error}
    assert "was not tried" in str(outcome[ids[-1]])
    assert len(await everything(api, search="Text ")) == 2 * MANY


async def test_a_repeated_bulk_delete_that_finds_nothing_is_done(api: Api, wire: Wire) -> None:
    ids = await some_texts(api, 2)
    wire.cut("answer", path="bulk-delete")
    assert await api.bulk_delete(ids) == dict.fromkeys(ids)
    assert [isinstance(error, NotFound) for error in (await api.bulk_delete(ids)).values()] == [True, True]


async def test_nothing_is_asked_about_no_documents(api: Api, wire: Wire) -> None:
    answers: list[Any] = [await api.summaries([]), await api.summary_dicts([]), await api.rag_batch([], E5)]
    assert [*answers, await api.bulk_delete([]), await api.bulk_move([], None)] == [{}] * 5
    assert [page async for page in api.dependents_of_many([])] == []
    assert wire.requests == []


# Search, chunks and indexes


async def test_content_is_searched_with_highlights(api: Api) -> None:
    created = await api.create_text("Whales", "The quokka is no whale.")
    hits = [hit async for page in api.search("quokka", types=["text"]) for hit in page.results]
    assert [hit.document.id for hit in hits] == [created.id]
    assert any(part.is_hit and "quokka" in part.value.lower() for part in hits[0].search_snippet)
    assert hits[0].score > 0


async def test_an_index_is_built_read_and_deleted(api: Api) -> None:
    created = await api.create_text("Refunds", LONG)
    assert await api.rag_indexes(created.id) == []
    with pytest.raises(Error):
        await anext(api.chunks(created.id, E5))
    await api.compute_rag_index(created.id, E5)
    (index,) = await api.rag_indexes(created.id)
    assert (index.model, index.status, index.progress_percentage) == (E5, "succeeded", 100.0)
    assert index.document_model_index_usage.used_bytes > 0
    chunks = [chunk async for page in api.chunks(created.id, E5, page_size=2) for chunk in page.chunks]
    assert len({chunk.id for chunk in chunks}) == len(chunks) > 2
    assert (await api.chunk(created.id, chunks[1].id, embedding_model=E5)).content == chunks[1].content
    overview = await api.rag_overview()
    assert 0 < overview.total_used_bytes <= overview.total_max_bytes
    assert E5 in {model.model for model in overview.models}
    gone = await api.delete_rag_index(created.id, index.id)
    assert gone is not None and gone.id == index.id
    assert await api.rag_indexes(created.id) == []


async def test_a_repeated_delete_of_an_index_that_finds_nothing_is_done(api: Api, wire: Wire) -> None:
    created = await api.create_text("Refunds", LONG)
    index = await api.compute_rag_index(created.id, E5)
    wire.cut("answer", method="DELETE")
    assert await api.delete_rag_index(created.id, index.id) is None


async def test_indexes_are_told_by_the_hundred(api: Api, wire: Wire) -> None:
    ids = await some_texts(api, MOST + 1)
    wire.forget()
    states = await api.rag_batch([*ids, "nope"], E5)
    assert list(states) == [*ids, "nope"]
    assert [len(request.json()["items"]) for request in wire.requests] == [MOST, 2]
    assert isinstance(states["nope"], NotFound)
    assert all(isinstance(state, RagIndex | Error) for state in states.values())
    big = (await api.create_text("Refunds", LONG)).id
    await api.rag_batch([big], E5, create_if_missing=True)
    state = (await api.rag_batch([big], E5))[big]
    assert isinstance(state, RagIndex) and state.status == "succeeded"


# Agents


async def all_agents(api: Api) -> list[Agent]:
    return [agent async for page in api.agents(page_size=2) for agent in page.agents]


async def a_used_document(api: Api) -> str:
    """A document that an agent names directly."""
    for document in await everything(api):
        async for page in api.dependents(document.id, dependent_type="direct"):
            if page.agents and document.type != "folder":
                return document.id
    raise AssertionError("the sample has no document that an agent names")


async def test_agents_depend_on_documents(api: Api) -> None:
    agents = await all_agents(api)
    assert len({agent.agent_id for agent in agents}) == len(agents) > 1
    used = await a_used_document(api)
    direct = [
        agent.id async for page in api.dependents(used, dependent_type="direct") for agent in page.agents
    ]
    assert set(direct) & {agent.agent_id for agent in agents}
    every = [document.id for document in await everything(api)]
    many = {agent.id async for page in api.dependents_of_many(every, page_size=1) for agent in page.agents}
    assert set(direct) <= many
    assert max([await api.agent_size(agent.agent_id) for agent in agents]) > 0


async def test_an_agent_is_asked_what_it_would_find(api: Api) -> None:
    for agent in await all_agents(api):
        try:
            answer = await api.rag_query(agent.agent_id, "When are refunds paid?", use_agent_defaults=True)
        except Refused:
            continue
        assert answer.retrieval_query == "When are refunds paid?"
        if answer.chunks:
            assert answer.chunks[0].text and answer.chunks[0].document_id
            return
    raise AssertionError("no agent found anything")


# Crawls


async def test_a_site_is_crawled_listed_and_cancelled(api: Api, demo: Demo) -> None:
    started = await api.create_crawl(f"{demo.url}/site/", max_pages=3)
    assert started.id and started.root_folder_id
    crawl = await api.crawl(started.id)
    assert (crawl.id, crawl.seed_url, crawl.max_pages) == (started.id, f"{demo.url}/site/", 3)
    jobs = [
        job.id
        async for page in api.crawls(page_size=1, include_job_ids=[started.id])
        for job in page.crawl_jobs
    ]
    assert started.id in jobs
    await api.cancel_crawl(started.id)
    assert (await api.crawl(started.id)).status == "cancelled"
    with pytest.raises(NotFound):
        await api.get(started.root_folder_id)


# Refusals, as the service words them


async def test_a_key_that_may_only_read_is_told_what_it_lacks(demo: Demo, wire: Wire) -> None:
    async with Api(wire.url, demo.read_only_key, environ={}) as api:
        await api.list_page()
        with pytest.raises(MissingPermission, match="convai_write") as caught:
            await api.create_text("N", "x")
    assert caught.value.status == 401


async def test_a_wrong_key_is_told_apart(wire: Wire) -> None:
    async with Api(wire.url, "sk_wrong", environ={}) as api:
        with pytest.raises(Unauthorized) as caught:
            await api.list_page()
    assert not isinstance(caught.value, MissingPermission)


async def test_what_does_not_fit_the_contract_is_refused_with_the_field(api: Api) -> None:
    with pytest.raises(Refused, match="page_size") as caught:
        await api.list_page(page_size=101)
    assert caught.value.status == 422


async def test_an_unknown_document_is_named_in_the_services_words(api: Api) -> None:
    with pytest.raises(NotFound, match="nope") as caught:
        await api.get("nope")
    assert caught.value.request_id
    with pytest.raises(NotFound):
        await read(api, "nope")


async def test_the_end_of_patience_is_the_services_own_word(api: Api, wire: Wire) -> None:
    wire.answer(429, {"detail": {"code": "system_busy", "message": "So busy."}}, times=None)
    with pytest.raises(Busy, match="So busy"):
        await api.list_page()


async def test_a_save_whose_fate_is_unknown_is_not_sent_twice_but_a_rename_is(api: Api, wire: Wire) -> None:
    (id,) = await some_texts(api, 1)
    wire.cut("answer", method="PATCH")
    assert (await api.update(id, name="New")).name == "New"
    wire.forget()
    wire.cut("answer", method="PATCH")
    with pytest.raises(Offline) as caught:
        await api.update(id, content="New words.")
    assert caught.value.fate_unknown
    assert len(wire.requests) == 1
    assert await read(api, id) == b"New words."


async def test_no_connection_is_opened_before_the_first_call(wire: Wire) -> None:
    api = Api(wire.url, "k", environ={})
    await api.aclose()
    assert wire.connections == 0
