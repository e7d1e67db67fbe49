"""Whatever the service sends is read: what is new is kept, what is odd gives way, nothing is refused."""

from __future__ import annotations

import inspect
import json
import math
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from kbtui import models
from kbtui.indexing import in_short, in_words, slowest
from kbtui.models import Document, Metadata, Model, Page, RagIndex

ALL = [
    model
    for _, model in inspect.getmembers(models, inspect.isclass)
    if issubclass(model, Model) and model is not Model
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

VALUES: list[Any] = [
    *(None, True, False, 0, -1, 2**70, 0.5, -1e300, math.nan, math.inf),
    *("", "x", "7", "2020-01-01", "\x00\ud800", "id" * 10_000),
    *([], [None], ["x"], [[]], [{}], [{"id": 7}], {}, {"x": None}, {"id": {}}, {"id": [], "type": "url"}),
]
"""What a field may come with, right or wrong."""

URL = {
    "type": "url",
    "id": "u1",
    "name": "Shipping",
    "metadata": {"created_at_unix_secs": 1, "last_updated_at_unix_secs": 2, "size_bytes": 3},
    "supported_usages": ["prompt", "auto"],
    "access_info": {"is_creator": True, "creator_name": "A", "creator_email": "a@b.c", "role": "editor"},
    "folder_parent_id": "f1",
    "folder_path": [{"id": "f0"}, {"id": "f1"}],
    "url": "https://example.com",
    "auto_sync_info": {"consec_failures": 2, "next_refresh_by": None},
    "dependent_agents": [{"type": "unknown", "id": "a"}],
}


def like(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have the model's own fields, with right and wrong values, and others."""
    return st.builds(
        lambda known, rest: {**rest, **known},
        st.dictionaries(st.sampled_from(sorted(model.model_fields)), JSON),
        st.dictionaries(st.text(), JSON, max_size=3),
    )


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_no_value_of_a_field_is_refused_and_raw_is_what_came(model: type[Model]) -> None:
    for name in model.model_fields:
        for value in VALUES:
            reads_as_it_came(model, {name: value})


@settings(max_examples=300)
@given(data=st.data())
def test_no_object_is_refused_and_raw_is_what_came(data: st.DataObject) -> None:
    model = data.draw(st.sampled_from(ALL))
    reads_as_it_came(model, data.draw(like(model)))


def reads_as_it_came(model: type[Model], came: dict[str, Any]) -> None:
    before = json.dumps(came)
    read = model.read(came)
    assert json.dumps(read.raw()) == before
    read.model_dump(mode="json")


@given(st.lists(like(Document) | JSON, max_size=5))
def test_an_odd_document_does_not_hide_the_page(items: list[Any]) -> None:
    page = Page.read({"documents": [URL, *items, {"id": "last"}], "next_cursor": "c"})
    assert [page.documents[0].id, page.documents[-1].id] == ["u1", "last"]
    assert len(page.documents) == 2 + sum(isinstance(item, dict) for item in items)
    assert page.next_cursor == "c"


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_null_means_what_absent_means(model: type[Model]) -> None:
    nulls = model.read(dict.fromkeys(model.model_fields))
    assert nulls.model_dump() == model.read({}).model_dump()


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_defaults_are_nobodys_to_share(model: type[Model]) -> None:
    first, second = model.read({}), model.read({})
    for name in model.model_fields:
        value = getattr(first, name)
        assert not isinstance(value, list | Model) or value is not getattr(second, name)


def test_a_document_of_a_known_type_is_read_in_full() -> None:
    document = Document.read(URL)
    assert (document.type, document.name, document.url) == ("url", "Shipping", "https://example.com")
    assert (document.metadata.last_updated_at_unix_secs, document.metadata.size_bytes) == (2, 3)
    assert document.access_info.role == "editor"
    assert [segment.id for segment in document.folder_path] == ["f0", "f1"]
    assert document.auto_sync_info is not None
    assert (document.auto_sync_info.consec_failures, document.auto_sync_info.minimum_frequency_days) == (2, 7)
    assert document.dependent_agents[0].type == "unknown"
    assert document.content_format == "html"
    assert document.extracted_inner_html is None


def test_an_unknown_type_is_a_document_with_its_fields_kept() -> None:
    document = Document.read({"type": "podcast", "id": "p", "name": "On air", "episodes": 3})
    assert (document.type, document.id, document.name) == ("podcast", "p", "On air")
    assert document.raw()["episodes"] == 3
    assert document.model_dump()["episodes"] == 3


def test_unknown_words_stay_text() -> None:
    document = Document.read({"access_info": {"role": "owner"}, "content_format": "asciidoc"})
    assert document.access_info.role == "owner"
    assert document.content_format == "asciidoc"


def test_nested_models_know_what_came_too() -> None:
    document = Document.read({**URL, "metadata": {"size_bytes": 3, "pages": 7}})
    assert document.metadata.raw() == {"size_bytes": 3, "pages": 7}
    assert Page.read({"documents": [URL]}).documents[0].raw() == URL


def test_a_value_of_the_wrong_kind_gives_way_and_the_rest_stands() -> None:
    document = Document.read(
        {**URL, "name": 404, "metadata": "none", "children_count": 2.0, "folder_path": {"id": "f"}}
    )
    assert document.name == "404"
    assert document.metadata.size_bytes == 0
    assert document.children_count == 2
    assert document.folder_path == []
    assert document.url == "https://example.com"


@pytest.mark.parametrize("vast", [2**70, 1e300, str(2**70)])
def test_a_number_too_large_to_be_kept_is_the_largest_that_can(vast: object) -> None:
    assert Metadata.read({"size_bytes": vast}).size_bytes == 2**63 - 1


@pytest.mark.parametrize(
    ("sent", "shown", "short"),
    [
        (60, "being built, 60 %", "◐ 60 %"),
        (-7, "being built, 0 %", "◐ 0 %"),
        (1e300, "being built, 100 %", "◐ 100 %"),
        (math.nan, "being built", "◐ …"),
        (math.inf, "being built", "◐ …"),
        ("soon", "being built", "◐ …"),
        (None, "being built", "◐ …"),
    ],
)
def test_a_progress_that_is_none_is_not_shown_and_any_other_is_from_0_to_100(
    sent: object, shown: str, short: str
) -> None:
    index = RagIndex.read({"status": "processing", "progress_percentage": sent})
    assert (in_words(index)[0], in_short(index)[0]) == (shown, short)
    assert slowest([index]) is index


def test_fields_named_like_our_own_methods_do_no_harm() -> None:
    odd = {"id": "x", "raw": 1, "_raw": 2, "read": 3, "model_fields": 4, "model_dump": 5, "__class__": 6}
    assert Document.read(odd).raw() == odd


OURS = {
    "AddKnowledgeBaseResponseModel": "Created",
    "AgentKnowledgeBaseRagChunkResponseModel": "RetrievedChunk",
    "AgentKnowledgeBaseRagQueryResponseModel": "Retrieval",
    "AgentSummaryResponseModel": "Agent",
    "AutoSyncInfo": "AutoSync",
    "CreateCrawlJobResponseModel": "Crawl",
    "DependentAvailableAgentIdentifier": "Dependent",
    "DependentBranchInfo": "Branch",
    "DependentUnknownAgentIdentifier": "Dependent",
    "ExternalFileSyncInfo": "ExternalSync",
    "ExternalFolderSyncInfo": "ExternalSync",
    "FileRefreshStatus": "RefreshStatus",
    "GetAgentsPageResponseModel": "AgentPage",
    "GetCrawlJobResponseModel": "Crawl",
    "GetKnowledgeBaseDependentAgentsResponseModel": "DependentPage",
    "GetKnowledgeBaseFileResponseModel": "Document",
    "GetKnowledgeBaseFolderResponseModel": "Document",
    "GetKnowledgeBaseListResponseModel": "Page",
    "GetKnowledgeBaseSummaryFileResponseModel": "Document",
    "GetKnowledgeBaseSummaryFolderResponseModel": "Document",
    "GetKnowledgeBaseSummaryTextResponseModel": "Document",
    "GetKnowledgeBaseSummaryURLResponseModel": "Document",
    "GetKnowledgeBaseTextResponseModel": "Document",
    "GetKnowledgeBaseURLResponseModel": "Document",
    "KbExternalSyncJob": "SyncJob",
    "KnowledgeBaseContentSearchResponseModel": "HitPage",
    "KnowledgeBaseContentSearchResult": "Hit",
    "KnowledgeBaseDocumentChunkResponseModel": "Chunk",
    "KnowledgeBaseDocumentChunksResponseModel": "ChunkPage",
    "KnowledgeBaseDocumentMetadataResponseModel": "Metadata",
    "KnowledgeBaseFolderPathSegmentResponseModel": "FolderSegment",
    "KnowledgeBaseFolderPathSegmentSummaryResponseModel": "FolderSegment",
    "ListCrawlJobsResponseModel": "CrawlPage",
    "RAGDocumentIndexResponseModel": "RagIndex",
    "RAGDocumentIndexUsage": "IndexUsage",
    "RAGIndexOverviewEmbeddingModelResponseModel": "ModelUsage",
    "RAGIndexOverviewResponseModel": "RagOverview",
    "ResourceAccessInfo": "AccessInfo",
    "SearchHighlightSegment": "Highlight",
}
"""The contract's names for what we read into a model."""

UNWRAPPED = {
    "BatchFailureResponseModel",  # becomes an error
    "GetAgentKnowledgebaseSizeResponseModel",  # one number
    "HTTPValidationError",  # becomes an error
    "KnowledgeBaseBulkDeleteSuccessfulResponseModel",  # an id that was given
    "KnowledgeBaseDeletedResponseModel",
    "KnowledgeBaseSourceFileUrlResponseModel",  # one address
    "KnowledgeBaseSummaryBatchSuccessfulResponseModel",  # status and data: the data
    "RAGDocumentIndexesResponseModel",  # one list
    "RAGIndexBatchSuccessfulResponseModel",
    "ValidationError",
}
"""Answers that `api` unwraps before anybody sees them."""

CONTRACT = os.environ.get("KBTUI_OPENAPI", "")


@pytest.mark.skipif(not CONTRACT, reason="KBTUI_OPENAPI names no contract")
def test_every_property_of_the_contract_is_a_field() -> None:
    schemas = json.loads(Path(CONTRACT).read_text())["components"]["schemas"]
    objects = {name: set(schema["properties"]) for name, schema in schemas.items() if "properties" in schema}
    requests = {name for name in objects if name.startswith("Body_") or name.endswith("RequestModel")}
    assert set(objects) - requests - UNWRAPPED == set(OURS), "an answer nobody reads, or one that is gone"
    for name, model in OURS.items():
        missing = objects[name] - set(getattr(models, model).model_fields)
        assert not missing, f"{name}: {missing}"


def test_every_list_of_objects_leaves_out_what_is_none() -> None:
    for model in ALL:
        for name, field in model.model_fields.items():
            inner = [kind for kind in get_args(field.annotation) if inspect.isclass(kind)]
            if any(issubclass(kind, Model) for kind in inner) and str(field.annotation).startswith("list["):
                read = model.read({name: [1, None, {}, "x", []]})
                assert len(getattr(read, name)) == 1, f"{model.__name__}.{name}"
