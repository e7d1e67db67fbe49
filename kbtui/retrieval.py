"""What agents make of documents: search, chunks, RAG indexes, retrieval, and who depends on what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Literal

from kbtui.calls import KB, MANY, MOST, Calls, batches, given, success
from kbtui.errors import Error
from kbtui.models import (
    AgentBranch,
    AgentPage,
    BranchList,
    Chunk,
    ChunkPage,
    DependentPage,
    HitPage,
    RagIndex,
    RagOverview,
    Retrieval,
    WholeAgent,
)
from kbtui.transport import Ask, Effect

DependentType = Literal["direct", "transitive", "all"]


class RetrievalCalls(Calls):
    """The half of `api.Api` that looks at documents as agents do."""

    # -- search, chunks and retrieval ------------------------------------------------------------------

    def search(self, query: str, *, types: Sequence[str] = (), page_size: int = 30) -> AsyncIterator[HitPage]:
        """Documents whose content has the words, best first."""
        fixed = {"query": query, "page_size": page_size, "types": list(types)}
        return self._walk(HitPage, KB, "search", query=fixed)

    def chunks(self, id: str, embedding_model: str, *, page_size: int = 100) -> AsyncIterator[ChunkPage]:
        """The chunks of a document under a model."""
        fixed = {"embedding_model": embedding_model, "page_size": page_size}
        return self._walk(ChunkPage, KB, id, "chunks", query=fixed)

    async def chunk(self, id: str, chunk_id: str, *, embedding_model: str | None = None) -> Chunk:
        query = {"embedding_model": embedding_model}
        return Chunk.read(await self._get(KB, id, "chunk", chunk_id, query=query))

    async def rag_query(
        self,
        agent_id: str,
        query: str | None = None,
        *,
        strategy: str | None = None,
        documents: Sequence[str] | None = None,
        branch_id: str | None = None,
        use_agent_defaults: bool | None = None,
        max_documents_length: int | None = None,
        max_retrieved_rag_chunks_count: int | None = None,
    ) -> Retrieval:
        """What an agent would retrieve. No conversation comes of it."""
        body = given(
            strategy=strategy,
            query=query,
            documents=None if documents is None else list(documents),
            use_agent_defaults=use_agent_defaults,
            max_documents_length=max_documents_length,
            max_retrieved_rag_chunks_count=max_retrieved_rag_chunks_count,
        )
        path = ("agents", agent_id, KB, "rag-query")
        return Retrieval.read((await self._post(*path, query={"branch_id": branch_id}, body=body)).data)

    # -- RAG indexes -----------------------------------------------------------------------------------

    async def rag_indexes(self, id: str) -> list[RagIndex]:
        """The indexes of one document, one a model."""
        data = await self._get(KB, id, "rag-index")
        found = data.get("indexes")
        return [RagIndex.read(each) for each in found] if isinstance(found, list) else []

    async def compute_rag_index(self, id: str, model: str) -> RagIndex:
        """Start the index where there is none; else only say how it stands."""
        answer = await self._post(KB, id, "rag-index", body={"model": model}, effect="settled")
        return RagIndex.read(answer.data)

    async def delete_rag_index(self, id: str, index_id: str) -> RagIndex | None:
        """Delete an index; None where it was already gone when the request had to be repeated."""
        answer = await self._line.json(Ask("DELETE", (KB, id, "rag-index", index_id), effect="settled"))
        return RagIndex.read(answer.data) if answer.data else None

    async def rag_overview(self) -> RagOverview:
        return RagOverview.read(await self._get(KB, "rag-index"))

    async def rag_batch(
        self, ids: Iterable[str], model: str, *, create_if_missing: bool = False
    ) -> dict[str, RagIndex | Error]:
        """How the index of each id stands under a model, or why there is none.

        One model a call: the answer is keyed by document alone.
        """
        found: dict[str, RagIndex | Error] = {}
        for batch in batches(ids, MOST):
            items = [
                {"document_id": id, "create_if_missing": create_if_missing, "model": model} for id in batch
            ]
            effect: Effect = "settled" if create_if_missing else "read"
            data = (await self._post(KB, "rag-index", body={"items": items}, effect=effect)).data
            found |= {id: success(RagIndex, data.get(id), "POST rag-index") for id in batch}
        return found

    # -- agents ----------------------------------------------------------------------------------------

    def agents(
        self,
        *,
        search: str | None = None,
        archived: bool | None = None,
        created_by_user_id: str | None = None,
        tags: Sequence[str] = (),
        sort_direction: str | None = None,
        sort_by: str | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[AgentPage]:
        fixed = {
            "page_size": page_size,
            "search": search,
            "archived": archived,
            "created_by_user_id": created_by_user_id,
            "tags": list(tags),
            "sort_direction": sort_direction,
            "sort_by": sort_by,
        }
        return self._walk(AgentPage, "agents", query=fixed)

    async def agent(self, agent_id: str, *, branch_id: str | None = None) -> WholeAgent:
        """An agent with its configuration, which is no part of the knowledge base's own contract."""
        return WholeAgent.read(await self._get("agents", agent_id, query={"branch_id": branch_id}))

    async def branches(self, agent_id: str) -> list[AgentBranch]:
        """The branches of an agent, those in the archive left out; no part of that contract either."""
        return BranchList.read(await self._get("agents", agent_id, "branches")).results

    async def agent_size(self, agent_id: str) -> float:
        """The number of pages in the knowledge base of an agent."""
        pages = (await self._get("agent", agent_id, KB, "size")).get("number_of_pages")
        return float(pages) if isinstance(pages, int | float) else 0.0

    def dependents(
        self, id: str, *, dependent_type: DependentType | None = None, page_size: int = 100
    ) -> AsyncIterator[DependentPage]:
        """The agents that use a document, directly or through a folder that holds it."""
        fixed = {"dependent_type": dependent_type, "page_size": page_size}
        return self._walk(DependentPage, KB, id, "dependent-agents", query=fixed)

    async def dependents_of_many(
        self, ids: Iterable[str], *, dependent_type: DependentType | None = None, page_size: int = 100
    ) -> AsyncIterator[DependentPage]:
        """The agents that use any of the documents; an agent may come once for every 20 of them."""
        fixed = {"dependent_type": dependent_type, "page_size": page_size}
        for batch in batches(ids, MANY):
            body = {"document_ids": batch}
            async for page in self._walk(DependentPage, KB, "dependent-agents", query=fixed, body=body):
                yield page
