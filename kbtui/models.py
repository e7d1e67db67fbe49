"""The service's nouns, as it sends them, read with tolerance.

The service adds fields, words and types without notice, and says so in its policy. So nothing here
refuses an answer: unknown fields are kept, enumerations are text (the words known today are listed
where they are declared), null means what absent means, and a value of the wrong kind gives way to the
default of its field. What was really sent is always in `raw()`.

Fields: the published contract, and the official SDK 2.78.0 where that is newer. Times are Unix seconds
and sizes are bytes, unless a field says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

_LARGEST = 2**63 - 1  # no number is kept that the mirror could not hold


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and math.isfinite(value) else value


def _bounded(value: int) -> int:
    return max(-_LARGEST, min(value, _LARGEST))


def _percent(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("no share of anything")
    return max(0.0, min(value, 100.0))


def _each(kind: type) -> BeforeValidator:
    """In a list, what is not of the kind is left out instead of spoiling the rest."""
    return BeforeValidator(
        lambda value: [item for item in value if isinstance(item, kind)] if isinstance(value, list) else []
    )


M = TypeVar("M", bound="Model")
Whole = Annotated[int, BeforeValidator(_whole), AfterValidator(_bounded)]
Percent = Annotated[float, AfterValidator(_percent)]
Texts = Annotated[list[str], _each(str)]
List = Annotated[list[M], _each(dict)]


class Model(BaseModel):
    """An object of the service. Every field has a default; unknown ones are attributes as well."""

    model_config = ConfigDict(
        extra="allow", coerce_numbers_to_str=True, defer_build=True, protected_namespaces=()
    )
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    def raw(self) -> dict[str, Any]:
        """The JSON object as the service sent it, unknown fields included."""
        return self._raw

    @classmethod
    def read(cls: type[M], data: object) -> M:
        """`data` as this model; what is no JSON object counts as an empty one."""
        return cls.model_validate(data if isinstance(data, Mapping) else {})

    @model_validator(mode="wrap")
    @classmethod
    def _keep_raw(cls: type[M], data: Any, build: ModelWrapValidatorHandler[M]) -> M:
        model = build(data)
        if isinstance(data, dict):
            model._raw = data
        return model

    @field_validator("*", mode="wrap")
    @classmethod
    def _give_way(cls, value: Any, build: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if value is not None:
            try:
                return build(value)
            except ValidationError:
                pass
        return field.get_default(call_default_factory=True)


# Documents


class Metadata(Model):
    created_at_unix_secs: Whole = 0
    last_updated_at_unix_secs: Whole = 0
    size_bytes: Whole = 0


class AccessInfo(Model):
    """What the owner of the key may do. `creator_email` is personal: not for logs."""

    is_creator: bool = False
    creator_name: str = ""
    creator_email: str = ""
    role: str = ""  # admin, editor, commenter, viewer
    anonymous_access_level_override: str | None = None  # the same words
    access_source: str | None = None  # creator, explicit, workspace_admin, workspace_default


class FolderSegment(Model):
    """One folder of a path; `name` is None in summaries, and where one may not see the folder."""

    id: str = ""
    name: str | None = None


class AutoSync(Model):
    """Present: the service fetches the source again by itself, and content cannot be edited."""

    minimum_frequency_days: Whole = 7
    auto_remove: bool = False
    consec_failures: Whole = 0
    next_refresh_by: Whole | None = None


class ExternalSync(Model):
    """Where a synced file (the first five and `root_folder_id`) or folder comes from."""

    type: str = ""  # google_drive
    source_entity_id: str = ""
    integration_connection_id: str = ""
    source_parent_entity_id: str = ""
    source_mime_type: str = ""
    source_modified_time: str = ""  # ISO 8601
    root_folder_id: str | None = None
    sync_cursor: str | None = None
    last_sync_at: Whole | None = None


class RefreshStatus(Model):
    status: str = "queued"  # queued, processing, succeeded, failed, skipped, cancelled
    enqueued_at: Whole | None = None
    started_at: Whole | None = None
    completed_at: Whole | None = None
    last_synced_at: Whole | None = None
    error_message: str | None = None


class SyncJob(Model):
    type: str = ""  # google_drive
    folder_id: str = ""
    integration_connection_id: str = ""
    triggered_by: str = ""  # on_demand, on_connect, auto
    status: str = "queued"  # as RefreshStatus
    sync_type: str | None = None  # full, incremental
    items_identified: Whole = 0
    items_processed: Whole = 0
    error_message: str | None = None
    started_at: Whole | None = None
    completed_at: Whole | None = None
    updated_at: Whole = 0
    id: str = ""
    created_at: Whole = 0


class Dependent(Model):
    """An agent that uses a document; `type` "unknown" is one that the key cannot see: an id, no more."""

    type: str = "available"
    id: str = ""
    name: str = ""
    created_at_unix_secs: Whole = 0
    access_level: str = ""  # as AccessInfo.role
    referenced_resource_ids: Texts = []  # where it depends through folders: what it names directly


class Document(Model):
    """Anything the service lists, in summary or in full; of a type unknown today as well."""

    type: str = ""  # text, url, file, folder
    id: str = ""
    name: str = ""
    metadata: Metadata = Metadata()
    supported_usages: Texts = []  # prompt, auto
    access_info: AccessInfo = AccessInfo()
    folder_parent_id: str | None = None  # None: the root
    folder_path: List[FolderSegment] = []
    dependent_agents: List[Dependent] = []  # summaries only, and announced to go

    url: str | None = None
    filename: str | None = None
    children_count: Whole | None = None  # folders: direct children
    document_count: Whole | None = None  # folders: the whole subtree; the service stops past 1000
    auto_sync_info: AutoSync | None = None
    external_sync_info: ExternalSync | None = None
    refresh_status: RefreshStatus | None = None
    is_frozen: bool = False

    extracted_inner_html: str | None = None  # full only; of a long document perhaps a part
    content_format: str = "html"  # html, markdown; full only
    active_sync_job: SyncJob | None = None  # full folders only


class Page(Model):
    documents: List[Document] = []
    next_cursor: str | None = None
    has_more: bool | None = None


class Created(Model):
    """What a create answers."""

    id: str = ""
    name: str = ""
    folder_path: List[FolderSegment] = []


# Search, chunks and retrieval


class Highlight(Model):
    value: str = ""
    is_hit: bool = False


class Hit(Model):
    document: Document = Document()
    search_snippet: List[Highlight] = []
    score: float = 0.0


class HitPage(Model):
    results: List[Hit] = []
    next_cursor: str | None = None


class Chunk(Model):
    id: str = ""
    name: str = ""
    content: str = ""


class ChunkPage(Model):
    chunks: List[Chunk] = []
    next_cursor: str | None = None


class RetrievedChunk(Model):
    document_id: str = ""
    document_name: str = ""
    source_url: str | None = None
    chunk_id: str = ""
    text: str = ""
    vector_distance: float | None = None
    content_format: str = "html"
    document_type: str = ""


class RetrievedDocument(Model):
    document_id: str = ""
    document_name: str = ""
    source_url: str | None = None
    content: str = ""
    truncated: bool = False
    content_format: str = "html"
    document_type: str = ""


class ListingEntry(Model):
    id: str = ""
    name: str = ""
    is_folder: bool = False


class AgentListing(Model):
    """A folder as an agent is shown it; `total_count` counts what was left out as well."""

    entries: List[ListingEntry] = []
    total_count: Whole = 0


class Retrieval(Model):
    """What an agent would get for a query."""

    strategy: str = "semantic"  # semantic, keyword, cat, ls
    retrieval_query: str | None = None
    chunks: List[RetrievedChunk] = []
    document: RetrievedDocument | None = None
    listing: AgentListing | None = None


# RAG indexes


class IndexUsage(Model):
    used_bytes: Whole = 0


class RagIndex(Model):
    id: str = ""
    model: str = ""  # e5_mistral_7b_instruct, multilingual_e5_large_instruct
    # new, created, processing; succeeded, failed, rag_limit_exceeded, document_too_small, cannot_index_folder
    status: str = ""
    progress_percentage: Percent | None = None  # None: it does not tell
    document_model_index_usage: IndexUsage = IndexUsage()


class ModelUsage(Model):
    model: str = ""
    used_bytes: Whole = 0


class RagOverview(Model):
    total_used_bytes: Whole = 0
    total_max_bytes: Whole = 0
    models: List[ModelUsage] = []


# Agents


class Branch(Model):
    agent_id: str = ""
    agent_name: str = ""
    branch_id: str = ""
    branch_name: str = ""
    is_main: bool = False


class DependentPage(Model):
    agents: List[Dependent] = []
    branches: List[Branch] = []
    next_cursor: str | None = None
    has_more: bool | None = None


class Agent(Model):
    agent_id: str = ""
    name: str = ""
    voice_id: str = ""
    tags: Texts = []
    created_at_unix_secs: Whole = 0
    updated_at_unix_secs: Whole = 0
    access_info: AccessInfo = AccessInfo()
    last_call_time_unix_secs: Whole | None = None
    archived: bool = False


class AgentPage(Model):
    agents: List[Agent] = []
    next_cursor: str | None = None
    has_more: bool | None = None


class Locator(Model):
    """What is attached to an agent: its name as it was when it was attached."""

    type: str = ""
    id: str = ""
    name: str = ""
    usage_mode: str = "auto"  # prompt, auto


class Rag(Model):
    enabled: bool | None = None
    embedding_model: str = ""
    max_vector_distance: float | None = None
    max_retrieved_rag_chunks_count: Whole | None = None


class Prompt(Model):
    knowledge_base: List[Locator] | None = None
    rag: Rag = Rag()


class AgentPart(Model):
    prompt: Prompt = Prompt()


class Conversation(Model):
    agent: AgentPart = AgentPart()


class WholeAgent(Model):
    """An agent as one of its branches has it; of its configuration, what bears on knowledge."""

    agent_id: str = ""
    name: str = ""
    conversation_config: Conversation = Conversation()
    branch_id: str | None = None
    main_branch_id: str | None = None


class AgentBranch(Model):
    id: str = ""
    name: str = ""
    is_archived: bool = False
    parent_branch_id: str | None = None  # None: it is the main one


class BranchList(Model):
    results: List[AgentBranch] = []


# Crawls


class Crawl(Model):
    """A crawl job; on creation the service names only the first five and the path."""

    id: str = ""
    type: str = "discovery"  # discovery, sitemap
    root_folder_id: str = ""
    status: str = "queued"  # queued, processing, succeeded, failed, skipped, cancelled
    created_at: Whole = 0
    folder_path: List[FolderSegment] = []
    seed_url: str = ""
    pattern: str | None = None
    exclude_patterns: Texts = []
    max_depth: Whole | None = None  # means nothing any more
    max_pages: Whole = 0
    auto_discover: bool = False
    pages_identified: Whole = 0
    pages_scraped: Whole = 0
    pages_skipped: Whole = 0
    pages_failed: Whole = 0
    updated_at: Whole = 0


class CrawlPage(Model):
    crawl_jobs: List[Crawl] = []
    next_cursor: str | None = None
