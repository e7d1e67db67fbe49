"""Agents: the list, what they depend on, and what they find when they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from elevenlabs import ElevenLabs

from kbtui.demo.sample import id_of
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, invalid, refused

AGENTS = "/v1/convai/agents"
AVA, EMIL, NIGHT, HARU = (
    f"agent_{id_of(name)}"
    for name in ("Ava · customer care", "Emil · Kundendienst", "Night desk", "Haru · カスタマーサポート")
)
HIDDEN = f"agent_{id_of('People desk')}"
WINTER = f"agtbranch_{id_of('Ava · customer care' + 'winter-tariffs')}"
POLICY = id_of("Support/Refund policy")


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


def asked(call: Caller, agent: str, /, branch: str | None = None, **body: Any) -> httpx.Response:
    query = {"branch_id": branch} if branch else {}
    return call.post(f"{AGENTS}/{agent}/knowledge-base/rag-query", json=body, params=query)


def chunks(call: Caller, agent: str, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = asked(call, agent, query=query, **more)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["chunks"]
    return found


# The list


def listed(call: Caller, **query: Any) -> list[str]:
    names: list[str] = []
    while True:
        answer = call.get(AGENTS, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        names += [each["name"] for each in page["agents"]]
        if not page["has_more"]:
            return names
        query["cursor"] = page["next_cursor"]


def test_agents_are_listed_by_name_creator_tag_and_archive(call: Caller) -> None:
    living = {"Ava · customer care", "Emil · Kundendienst", "Night desk", "Haru · カスタマーサポート"}
    assert set(listed(call)) == living
    assert listed(call, archived=True) == ["Ava, pilot of 2024"]
    assert listed(call, search="AVA") == ["Ava · customer care"]
    assert listed(call, created_by_user_id="@me") == ["Ava · customer care"]
    assert listed(call, created_by_user_id="user_theo", show_only_owned_agents=True) == ["Night desk"]
    assert listed(call, show_only_owned_agents=True) == ["Ava · customer care"]
    assert set(listed(call, tags=["night", "deutsch"])) == {"Night desk", "Emil · Kundendienst"}


@pytest.mark.parametrize("order", ["name", "created_at", "updated_at", "call_count_7d", None])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_agents_are_paged_in_every_order(call: Caller, order: str | None, size: int) -> None:
    query = {"page_size": size} | ({"sort_by": order} if order else {})
    down, up = listed(call, **query), listed(call, **query, sort_direction="asc")
    assert down == up[::-1] and len(set(down)) == 4
    if order == "name":
        assert up == sorted(up, key=str.casefold)


def test_agents_are_sorted_by_their_last_update(call: Caller) -> None:
    page = call.get(AGENTS, params={"sort_by": "updated_at"}).json()["agents"]
    updates = [each["updated_at_unix_secs"] for each in page]
    assert updates == sorted(updates, reverse=True)
    assert [each["agent_id"] for each in page] == [NIGHT, AVA, HARU, EMIL]
    assert all(each["created_at_unix_secs"] <= each["updated_at_unix_secs"] for each in page)


def test_questions_for_agents_are_validated(call: Caller) -> None:
    invalid(call.get(AGENTS, params={"page_size": 0}))
    invalid(call.get(AGENTS, params={"sort_by": "size"}))
    refused(call.get(AGENTS, params={"cursor": "x"}), 400, "invalid_cursor")
    cursor = call.get(AGENTS, params={"page_size": 1}).json()["next_cursor"]
    refused(call.get(AGENTS, params={"cursor": cursor, "search": "a"}), 400, "invalid_cursor")


# Dependence


def test_a_document_shows_who_uses_it_directly_through_folders_and_unseen(call: Caller) -> None:
    def dependents(path: str, kind: str) -> dict[str, dict[str, Any]]:
        query = {"dependent_type": kind}
        agents = call.get(f"{KB}/{id_of(path)}/dependent-agents", params=query).json()["agents"]
        return {each["id"]: each for each in agents}

    assert dependents("Support/Refund policy", "direct").keys() == {EMIL}
    transitive = dependents("Support/Refund policy", "transitive")
    assert transitive[AVA]["referenced_resource_ids"] == [id_of("Support")]
    unseen = dependents("Support/Warranty/Warranty terms", "all")[HIDDEN]
    assert unseen["type"] == "unknown" and "name" not in unseen
    answer = call.get(f"{KB}/{POLICY}/dependent-agents").json()
    assert {
        (each["branch_name"], each["is_main"]) for each in answer["branches"] if each["agent_id"] == AVA
    } == {
        ("Main", True),
        ("winter-tariffs", False),
    }


def test_every_agent_has_a_size(call: Caller) -> None:
    sizes = {
        agent: call.get(f"/v1/convai/agent/{agent}/knowledge-base/size").json()["number_of_pages"]
        for agent in (AVA, EMIL, NIGHT, HARU)
    }
    assert sizes[AVA] > sizes[NIGHT] > sizes[EMIL] > sizes[HARU] > 0


def test_an_agent_that_may_not_be_seen_shows_no_size(call: Caller) -> None:
    size = f"/v1/convai/agent/{HIDDEN}/knowledge-base/size"
    assert refused(call.get(size), 403, "insufficient_permissions") == {
        **refused(asked(call, HIDDEN, query="x"), 403, "insufficient_permissions"),
        "request_id": ANY,
    }


# Semantic


def test_the_loop_ask_find_the_wrong_words_fix_them_ask_again(call: Caller) -> None:
    question = "How many days do I have to return something?"
    found = chunks(call, AVA, question)
    wrong = next(each for each in found if "14 days after delivery" in each["text"])
    assert wrong["document_name"] == "Returns, step by step"
    shown = call.get(f"{KB}/{wrong['document_id']}/chunk/{wrong['chunk_id']}").json()
    assert shown["content"] == wrong["text"]
    body = call.document(wrong["document_id"])["extracted_inner_html"]
    fixed = body.replace("14 days after", "30 days after")
    assert call.patch(f"{KB}/{wrong['document_id']}", json={"content": fixed}).status_code == 200
    again = chunks(call, AVA, question)
    assert not any("14 days after delivery" in each["text"] for each in again)
    assert any("30 days after delivery" in each["text"] for each in again)


def test_chunks_come_by_distance_within_the_limits_of_the_agent(call: Caller) -> None:
    found = chunks(call, AVA, "code C-117 on the battery")
    distances = [each["vector_distance"] for each in found]
    assert distances == sorted(distances) and distances[0] >= 0 and distances[-1] <= 0.7
    assert len(found) == 8  # as many as Ava takes
    neutral = chunks(call, AVA, "code C-117 on the battery", use_agent_defaults=False)
    assert 8 < len(neutral) <= 20 and max(each["vector_distance"] for each in neutral) <= 0.6
    assert len(chunks(call, AVA, "code C-117 on the battery", max_retrieved_rag_chunks_count=2)) == 2
    short = chunks(call, AVA, "code C-117 on the battery", max_documents_length=3000)
    assert 0 < sum(len(each["text"]) for each in short) <= 3000
    assert asked(call, AVA, query="refund").headers["x-demo-ranking"] == "tf-idf"


def test_an_agent_finds_what_is_attached_to_the_branch_and_nothing_else(call: Caller) -> None:
    assert "The Dial is offline" in {
        each["document_name"] for each in chunks(call, AVA, "the Dial is offline")
    }
    answer = asked(call, AVA, branch=WINTER, query="the Dial is offline").json()
    assert "The Dial is offline" not in {each["document_name"] for each in answer["chunks"]}
    assert chunks(call, NIGHT, "invoice corrections VAT") == []
    assert {each["document_name"] for each in chunks(call, HARU, "返品の返金")} == {"返品と返金について"}
    names = {each["document_name"] for each in chunks(call, EMIL, "Rückgabe nach Lieferung")}
    assert "Rückgabe und Erstattung" in names


def test_what_is_read_as_a_whole_is_not_retrieved(call: Caller) -> None:
    assert "Greeting and identification" not in {
        each["document_name"] for each in chunks(call, AVA, "greeting and identification of the caller")
    }
    cat = asked(call, AVA, strategy="cat", documents=["Greeting and identification"]).json()
    assert cat["document"]["content"].startswith("# Greeting")


def test_documents_without_a_finished_index_are_not_retrieved(call: Caller) -> None:
    assert "Chargebacks" not in {
        each["document_name"] for each in chunks(call, AVA, "chargebacks dispute bank")
    }
    id = id_of("Support/Billing/Chargebacks")
    index = call.get(f"{KB}/{id}/rag-index").json()["indexes"][0]
    call.delete(f"{KB}/{id}/rag-index/{index['id']}")
    call.post(f"{KB}/{id}/rag-index", json={"model": "e5_mistral_7b_instruct"})
    assert chunks(call, AVA, "chargebacks dispute bank")[0]["document_name"] == "Chargebacks"


def test_the_search_can_be_kept_to_documents_and_folders_by_id_or_name(call: Caller) -> None:
    for only in ([POLICY], ["Refund policy"]):
        found = chunks(call, AVA, "days to return", documents=only)
        assert {each["document_id"] for each in found} == {POLICY}
    in_folder = chunks(call, AVA, "days to return", documents=[id_of("Support/Shipping")])
    assert in_folder and {each["document_name"] for each in in_folder} <= {
        "Delivery times",
        "Delivery of batteries (web)",
        "Returns, step by step",
        "Lithium batteries in transport",
        "Missing or damaged parcels",
    }
    assert chunks(call, AVA, "days to return", documents=["Leave", id_of("Archive")]) == []
    web = chunks(call, AVA, "refund policy EU withdrawal", documents=["Refund policy (EU)"])
    assert web[0]["source_url"].endswith("/site/help/refunds") and web[0]["document_type"] == "url"
    assert web[0]["content_format"] == "html"


# The other ways


def test_keyword_finds_words_in_plain_text_indexed_or_not(call: Caller) -> None:
    found = chunks(call, AVA, "chargeback", strategy="keyword")
    assert found[0]["document_name"] == "Chargebacks"
    policy = next(
        each for each in chunks(call, AVA, "Venlo", strategy="keyword") if each["document_id"] == POLICY
    )
    assert policy["content_format"] == "markdown" and policy["vector_distance"] is None
    assert "<" not in policy["text"] and "Venlo" in policy["text"]
    assert chunks(call, AVA, '"*(', strategy="keyword") == []


def test_cat_reads_one_document_and_says_where_it_was_cut(call: Caller) -> None:
    whole = asked(call, AVA, strategy="cat", documents=[POLICY]).json()
    assert whole["retrieval_query"] is None and whole["chunks"] == [] and whole["listing"] is None
    assert whole["document"]["truncated"] is False
    assert whole["document"]["content"] == call.get(f"{KB}/{POLICY}/content").text
    cut = asked(call, AVA, strategy="cat", documents=["Refund policy"], max_documents_length=40).json()
    assert (len(cut["document"]["content"]), cut["document"]["truncated"]) == (40, True)
    assert asked(call, AVA, strategy="cat", documents=["Leave"]).json()["document"] is None
    assert asked(call, AVA, strategy="cat", documents=["Support"]).json()["document"] is None
    refused(asked(call, AVA, strategy="cat"), 400, "invalid_parameters")
    refused(asked(call, AVA, strategy="cat", documents=["a", "b"]), 400, "invalid_parameters")


def test_ls_lists_what_is_attached_or_one_folder_folders_first(call: Caller) -> None:
    top = asked(call, AVA, strategy="ls").json()["listing"]
    assert [each["name"] for each in top["entries"]] == [
        "Agent scripts",
        "Products",
        "Support",
        "Website",
        "Greeting and identification",
        "Welcome to the knowledge base",
    ]
    assert top["total_count"] == 6
    folder = asked(call, AVA, strategy="ls", documents=["Billing"]).json()["listing"]
    assert [each["is_folder"] for each in folder["entries"]] == [True, False, False, False, False]
    assert asked(call, AVA, strategy="ls", documents=["Internal"]).json()["listing"] is None
    refused(asked(call, AVA, strategy="ls", documents=["Support", "Products"]), 400, "invalid_parameters")


def test_questions_to_agents_are_validated(call: Caller) -> None:
    assert invalid(asked(call, AVA))[0]["loc"] == ["body", "query"]
    invalid(asked(call, AVA, query=""))
    invalid(asked(call, AVA, strategy="keyword"))
    invalid(asked(call, AVA, query="x", strategy="guess"))
    invalid(asked(call, AVA, query="x", max_retrieved_rag_chunks_count=21))
    refused(asked(call, "agent_nobody", query="x"), 404, "agent_not_found")
    refused(asked(call, AVA, branch="agtbranch_none", query="x"), 404, "agent_not_found")
    refused(
        asked(call, AVA, branch=f"agtbranch_{id_of('Night deskMain')}", query="x"), 404, "agent_not_found"
    )
    refused(asked(call, HIDDEN, query="x"), 403, "insufficient_permissions")


def test_the_read_only_key_may_ask(demo: Demo) -> None:
    with Caller(demo, demo.read_only_key) as reader:
        assert chunks(reader, AVA, "refund")


def test_the_official_sdk_lists_agents_and_their_size(demo: Demo) -> None:
    with httpx.Client(trust_env=False) as wire:
        agents = ElevenLabs(api_key=demo.key, base_url=demo.url, httpx_client=wire).conversational_ai.agents
        page = agents.list(page_size=2, sort_by="name", sort_direction="asc", archived=False)
        assert [each.agent_id for each in page.agents] == [AVA, EMIL] and page.has_more
        rest = agents.list(
            page_size=2, sort_by="name", sort_direction="asc", archived=False, cursor=page.next_cursor
        )
        assert {each.agent_id for each in rest.agents} == {HARU, NIGHT} and rest.next_cursor is None
        for each in (*page.agents, *rest.agents):
            assert len(each.voice_id) == 20 and isinstance(each.updated_at_unix_secs, int)
        assert page.agents[0].access_info.role == "admin" and page.agents[0].tags == ["voice", "english"]
        assert agents.knowledge_base.size(AVA).number_of_pages > 100


# One agent


def test_the_sdk_reads_an_agent_and_its_branches(demo: Demo) -> None:
    with httpx.Client(trust_env=False) as wire:
        agents = ElevenLabs(api_key=demo.key, base_url=demo.url, httpx_client=wire).conversational_ai.agents
        main, winter = agents.branches.list(AVA).results
        ava, other = agents.get(AVA), agents.get(AVA, branch_id=WINTER)
    assert (main.name, main.parent_branch_id) == ("Main", None)
    assert (winter.id, winter.name, winter.parent_branch_id) == (WINTER, "winter-tariffs", main.id)
    assert (ava.name, ava.branch_id, ava.main_branch_id) == ("Ava · customer care", main.id, main.id)
    prompt: Any = ava.conversation_config.agent.prompt
    modes = {each.name: (each.type, each.usage_mode) for each in prompt.knowledge_base}
    assert modes["Support"] == ("folder", "auto") and len(modes) == 6
    assert modes["Greeting and identification"] == ("text", "prompt")
    assert prompt.rag.enabled and prompt.rag.max_retrieved_rag_chunks_count == 8
    knowledge: Any = other.conversation_config.agent.prompt
    assert len(knowledge.knowledge_base) == 3 and other.branch_id == WINTER


def test_an_agent_that_may_not_be_seen_shows_nothing_of_itself(call: Caller) -> None:
    for path in ("", "/branches"):
        refused(call.get(f"{AGENTS}/{HIDDEN}{path}"), 403, "insufficient_permissions")
        refused(call.get(f"{AGENTS}/agent_none{path}"), 404, "agent_not_found")
    refused(call.get(f"{AGENTS}/{AVA}", params={"branch_id": "none"}), 404, "agent_not_found")
