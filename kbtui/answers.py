"""Answers to a question: what a search finds, a document's chunks, what an agent retrieves, who uses what.

They come from the service as they are asked for, page by page; nothing of them is kept here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar

from kbtui.access import Access
from kbtui.agents import Branch, Knowledge, User, branches, knowledge, users
from kbtui.errors import Error, NotFound, Refused, Unexpected
from kbtui.rows import Chosen, Eye

if TYPE_CHECKING:
    from kbtui.models import Agent, Chunk, Document, Hit, RagIndex, Retrieval
    from kbtui.transport import ContentPiece

T = TypeVar("T")

MODELS = ("e5_mistral_7b_instruct", "multilingual_e5_large_instruct")
"""The embedding models that the contract names; the first is the one that agents have if nobody chose."""

PENDING = frozenset({"new", "created", "processing"})
"""States of an index that pass by themselves; all others stay until somebody acts."""

_ID = re.compile(r"[\w-]{8,64}")


async def merged(
    pages: AsyncIterator[Sequence[T]], same: Callable[[T], Hashable]
) -> AsyncGenerator[list[T], None]:
    """Pages without what an earlier one held: a list that grows while it is read shows some things twice."""
    seen = set[Hashable]()
    async for page in pages:
        fresh = list[T]()
        for each in page:
            if (key := same(each)) not in seen:
                seen.add(key)
                fresh.append(each)
        yield fresh


class Answers(Access):
    """What a workspace answers, beside its list."""

    # Documents

    async def documents(
        self,
        folder: str | None = None,
        *,
        below: bool = False,
        types: Sequence[str] = (),
        sort: str | None = None,
        descending: bool = False,
    ) -> AsyncGenerator[list[Document], None]:
        """The documents in a folder, or in the root, page by page; with `below`, in all folders under it.

        Args:
            sort: name, created_at, updated_at or size.
        """
        api = await self.api()
        direction = None if sort is None else "desc" if descending else "asc"
        pages = api.documents(
            types=types,
            parent_folder_id=None if below else folder,
            ancestor_folder_id=folder if below else None,
            sort_by=sort,
            sort_direction=direction,
        )
        async for page in merged((page.documents async for page in pages), lambda document: document.id):
            # No value of the parameter means the root.
            yield [each for each in page if below or folder or each.folder_parent_id is None]

    async def find(self, named: str) -> Document:
        """The document of an id, of a name, or of a path of names such as Support/Billing/Refund policy.

        Raises:
            NotFound: there is none.
            Refused: there are several; their ids are told.
        """
        api = await self.api()
        if _ID.fullmatch(named):
            known = (await api.summaries([named]))[named]
            if not isinstance(known, Error):
                return known
        parts = named.strip("/").split("/")
        for cut in range(len(parts)):
            found = await self._of_name("/".join(parts[cut:]), parts[:cut])
            if len(found) == 1:
                return found[0]
            if found:
                paths = await self.paths(found[:5])
                each = "; ".join("/".join([*paths[one.id], one.name]) + f" ({one.id})" for one in found[:5])
                raise Refused(f"There are {len(found)} documents “{named}”; name one by path or id: {each}.")
        raise NotFound(f"There is no document “{named}”.")

    async def _of_name(self, name: str, folders: list[str]) -> list[Document]:
        """The documents of a name, in these folders, the last of them the innermost."""
        pages = (await self.api()).documents(search=name)
        found = [each async for page in pages for each in page.documents if each.name == name]
        if not folders:
            return found
        paths = await self.paths(found)
        return [each for each in found if paths[each.id][-len(folders) :] == folders]

    async def paths(self, documents: Sequence[Document]) -> dict[str, list[str]]:
        """The names of the folders that each document lies in, from the root inwards, by its id."""
        ids = {segment.id for each in documents for segment in each.folder_path}
        known = await (await self.api()).summaries(ids) if ids else {}
        names = {id: "" if isinstance(folder, Error) else folder.name for id, folder in known.items()}
        return {each.id: [names[segment.id] for segment in each.folder_path] for each in documents}

    async def content(self, id: str) -> AsyncGenerator[ContentPiece, None]:
        """The stored content, byte for byte, in pieces."""
        async with aclosing((await self.api()).content(id)) as pieces:
            async for piece in pieces:
                yield piece

    # Search

    async def search(
        self, words: str, types: Sequence[str] = ()
    ) -> AsyncGenerator[tuple[list[Hit], bool], None]:
        """Documents whose content has the words, best first, and whether there are more, page by page.

        No place in a document comes twice.
        """
        pages = (await self.api()).search(words, types=types)
        more = False

        async def results() -> AsyncIterator[list[Hit]]:
            nonlocal more
            async for page in pages:
                more = bool(page.next_cursor)
                yield page.results

        def place(hit: Hit) -> Hashable:
            return hit.document.id, tuple((each.value, each.is_hit) for each in hit.search_snippet)

        async for page in merged(results(), place):
            yield page, more

    # Chunks and indexes

    async def chunks(self, id: str, model: str) -> AsyncGenerator[list[Chunk], None]:
        """The chunks of a document under a model, in their order, page by page."""
        pages = (await self.api()).chunks(id, model)
        async for page in merged((page.chunks async for page in pages), lambda chunk: chunk.id):
            yield page

    async def chunk(self, id: str, chunk: str, model: str | None = None) -> Chunk:
        """One chunk of a document, by its id."""
        return await (await self.api()).chunk(id, chunk, embedding_model=model)

    async def indexes(self, id: str) -> list[RagIndex]:
        """The RAG indexes of a document, one a model."""
        return await (await self.api()).rag_indexes(id)

    async def being_indexed(self, ids: Iterable[str]) -> set[str]:
        """Those of these documents of which an index is being built: for now, no agent is given them."""
        found = set[str]()
        for id in ids:
            with suppress(NotFound):
                if any(index.status in PENDING for index in await self.indexes(id)):
                    found.add(id)
        return found

    # Agents

    async def agents(self) -> list[Agent]:
        """All agents of the workspace."""
        pages = (await self.api()).agents()
        return [agent async for page in pages for agent in page.agents]

    async def find_agent(self, named: str) -> Agent:
        """The agent of an id or of a name.

        Raises:
            NotFound: there is none.
            Refused: there are several; their ids are told.
        """
        agents = await self.agents()
        found = [agent for agent in agents if named in (agent.agent_id, agent.name)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(agent.agent_id for agent in found[:5])
            raise Refused(f"There are {len(found)} agents “{named}”; name one by its id: {ids}.")
        names = ", ".join(f"“{agent.name}”" for agent in agents[:5])
        raise NotFound(f"There is no agent “{named}”." + (f" There are {names}." if names else ""))

    async def ask(
        self,
        agent: str,
        question: str,
        *,
        branch: str | None = None,
        strategy: str = "semantic",
        as_set: bool = True,
    ) -> Retrieval:
        """What an agent, by its id, would retrieve for a question; no conversation comes of it.

        Args:
            strategy: semantic or keyword.
            as_set: with the settings of the agent, else with neutral ones.
        """
        return await (await self.api()).rag_query(
            agent, question, branch_id=branch, strategy=strategy, use_agent_defaults=as_set
        )

    async def agents_of(self, id: str) -> list[User]:
        """The agents that use a document, directly or through a folder that holds it."""
        pages = [page async for page in (await self.api()).dependents(id)]
        return users(
            id,
            [agent for page in pages for agent in page.agents],
            [branch for page in pages for branch in page.branches],
        )

    async def branches(self, agent: str) -> list[Branch]:
        """The branches of an agent, by its id, the main one first; none where the service knows of none."""
        try:
            return branches(await (await self.api()).branches(agent))
        except (NotFound, Unexpected) as error:
            if error.status == 404:  # an older workspace
                return []
            raise

    async def knowledge(self, chosen: Chosen) -> Knowledge:
        """What an agent has in its knowledge base on a branch."""
        return knowledge(await (await self.api()).agent(chosen.agent, branch_id=chosen.branch))

    async def eye(self, chosen: Chosen) -> Eye:
        """An agent as one who looks at the list.

        Raises:
            Refused: nobody tells what is attached to it.
        """
        attached = (await self.knowledge(chosen)).attached
        if attached is None:
            raise Refused(f"The service does not tell what is attached to “{chosen.label}”.")
        return Eye(chosen, tuple(dict.fromkeys(each.id for each in attached)))

    async def pages_of(self, agent: str) -> float:
        """The size of an agent's knowledge base in pages of print, on its main branch."""
        return await (await self.api()).agent_size(agent)
