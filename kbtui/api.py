"""The service's knowledge-base API: one method an endpoint, typed.

    async with Api(base_url, key) as api:
        async for page in api.documents(types=["url"]):
            ...

Every method raises `errors.Error` of the kind that fits. Every request goes ahead of what waits for a
slot, since a person asked for it; those of `list_page` and `summary_dicts`, on which the sweep runs, only
with `urgent=True`. What is sent again when an answer stays away is written beside each call as its
effect, which `transport` explains. Source: the published contract, and the official SDK 2.78.0 where
that is newer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from mimetypes import guess_type
from typing import Any, TypedDict, Unpack

from kbtui.calls import KB, MOST, batches, given, one_by_one, success
from kbtui.errors import Error, NotFound, Unexpected
from kbtui.models import Crawl, CrawlPage, Created, Document, Page
from kbtui.retrieval import RetrievalCalls
from kbtui.rows import Page as ListPage
from kbtui.transport import CHANGE, STALL, UPLOAD, Answer, Ask, ContentPiece, Effect, Exchange, File
from kbtui.waiting import Wait

__all__ = ["Api", "ContentPiece", "Exchange", "Wait"]


class Filters(TypedDict, total=False):
    """What the list can be narrowed to and sorted by.

    `search` is the beginning of a name; no value of `parent_folder_id` means the root; "@me" is the
    owner of the key. Pages hold 100 documents where nothing else is said, which is the most there can be.
    """

    page_size: int
    search: str | None
    types: Sequence[str]
    parent_folder_id: str | None
    ancestor_folder_id: str | None
    folders_first: bool
    sort_by: str | None  # name, created_at, updated_at, size
    sort_direction: str | None  # asc, desc
    created_by_user_id: str | None


class Api(RetrievalCalls):
    """One workspace of the service: a base URL and a key. Nothing is opened before the first call."""

    async def __aenter__(self) -> Api:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # -- the list --------------------------------------------------------------------------------------

    async def list_page(
        self, *, cursor: str | None = None, urgent: bool = False, **filters: Unpack[Filters]
    ) -> ListPage:
        """One page of summaries as they came; what is no object among them is left out."""
        query = {"page_size": 100, **filters, "cursor": cursor}
        data = await self._get(KB, query=query, urgent=urgent)
        documents, following = data.get("documents"), data.get("next_cursor")
        if not isinstance(documents, list):
            raise Unexpected("The service sent a list without documents.", detail=f"GET {KB}: {sorted(data)}")
        place = following if isinstance(following, str) and following else None
        more = place is not None and data.get("has_more") is not False
        return ListPage([each for each in documents if isinstance(each, dict)], place, more)

    def documents(self, **filters: Unpack[Filters]) -> AsyncIterator[Page]:
        """Pages of summaries, to the end."""
        return self._walk(Page, KB, query={"page_size": 100, **filters})

    async def summaries(self, ids: Iterable[str]) -> dict[str, Document | Error]:
        """The summary of each id, or why there is none."""
        answers = await self._summaries(ids, urgent=True)
        return {id: success(Document, answers.get(id), "GET summaries") for id in answers}

    async def summary_dicts(
        self, ids: Iterable[str], *, urgent: bool = False
    ) -> dict[str, dict[str, Any] | None]:
        """The summary of each id as it came; None where the service says that there is no such document.

        An id that it does not let us read, or does not answer for, is left out: nothing is known of it.
        """
        found: dict[str, dict[str, Any] | None] = {}
        for id, entry in (await self._summaries(ids, urgent=urgent)).items():
            summary = success(Document, entry, "GET summaries")
            if isinstance(summary, Document):
                found[id] = summary.raw()
            elif isinstance(summary, NotFound):
                found[id] = None
        return found

    async def _summaries(self, ids: Iterable[str], *, urgent: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for batch in batches(ids, MOST):
            data = await self._get(KB, "summaries", query={"document_ids": batch}, urgent=urgent)
            found |= {id: data.get(id) for id in batch}
        return found

    # -- one document ----------------------------------------------------------------------------------

    async def get(self, id: str, *, agent_id: str = "") -> Document:
        """The document in full, its body included: for metadata alone `summaries` is lighter."""
        return Document.read(await self._get(KB, id, query={"agent_id": agent_id or None}))

    def content(self, id: str) -> AsyncGenerator[ContentPiece, None]:
        """The stored content in pieces, in the format that the document names."""
        return self._line.stream(Ask("GET", (KB, id, "content"), patience=STALL))

    async def source_file_url(self, id: str) -> str:
        """Where the uploaded file can be fetched, without the key, for a while."""
        url = (await self._get(KB, id, "source-file-url")).get("signed_url")
        if not isinstance(url, str):
            raise Unexpected("The service named no address for the file.")
        return url

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        content: str | None = None,
        enable_auto_sync: bool | None = None,
        auto_remove: bool | None = None,
        minimum_frequency_days: int | None = None,
        tighten_only: bool | None = None,
    ) -> Document:
        """Change what is given, keep the rest; the document as it is then.

        Content goes once: between two tries somebody else may have saved, and the second would undo
        that unseen. Where the fate is unknown, read the document and compare.
        """
        body = given(
            name=name,
            content=content,
            enable_auto_sync=enable_auto_sync,
            auto_remove=auto_remove,
            minimum_frequency_days=minimum_frequency_days,
            tighten_only=tighten_only,
        )
        effect: Effect = "settled" if content is None else "once"
        ask = Ask("PATCH", (KB, id), body=body, effect=effect, patience=CHANGE)
        return Document.read((await self._line.json(ask)).data)

    async def update_file(self, id: str, filename: str, data: bytes) -> Document:
        """Replace the source file. The name becomes the file's; edits of the content are lost."""
        ask = Ask(
            "PATCH", (KB, id, "update-file"), file=_file(filename, data), effect="once", patience=UPLOAD
        )
        return Document.read((await self._line.json(ask)).data)

    async def refresh(self, id: str) -> Document:
        """Fetch the page of a URL document again."""
        ask = Ask("POST", (KB, id, "refresh"), effect="once", patience=CHANGE)
        return Document.read((await self._line.json(ask)).data)

    # -- create ----------------------------------------------------------------------------------------

    async def create_text(self, name: str | None, text: str, parent_folder_id: str | None = None) -> Created:
        return await self._create("text", text=text, name=name, parent_folder_id=parent_folder_id)

    async def create_url(
        self,
        url: str,
        name: str | None = None,
        parent_folder_id: str | None = None,
        *,
        enable_auto_sync: bool | None = None,
        auto_remove: bool | None = None,
        minimum_frequency_days: int | None = None,
    ) -> Created:
        return await self._create(
            "url",
            url=url,
            name=name,
            parent_folder_id=parent_folder_id,
            enable_auto_sync=enable_auto_sync,
            auto_remove=auto_remove,
            minimum_frequency_days=minimum_frequency_days,
        )

    async def create_folder(
        self,
        name: str,
        parent_folder_id: str | None = None,
        *,
        enable_auto_sync: bool | None = None,
        auto_remove: bool | None = None,
        minimum_frequency_days: int | None = None,
    ) -> Created:
        return await self._create(
            "folder",
            name=name,
            parent_folder_id=parent_folder_id,
            enable_auto_sync=enable_auto_sync,
            auto_remove=auto_remove,
            minimum_frequency_days=minimum_frequency_days,
        )

    async def create_file(
        self, filename: str, data: bytes, name: str | None = None, parent_folder_id: str | None = None
    ) -> Created:
        """Upload a file, at most 20 MB: pdf, docx, txt, md, html or epub. Without a name it has its own."""
        ask = Ask(
            "POST",
            (KB, "file"),
            form=given(name=name, parent_folder_id=parent_folder_id),
            file=_file(filename, data),
            effect="once",
            patience=UPLOAD,
        )
        return Created.read((await self._line.json(ask)).data)

    async def _create(self, kind: str, **fields: Any) -> Created:
        ask = Ask("POST", (KB, kind), body=given(**fields), effect="once", patience=CHANGE)
        return Created.read((await self._line.json(ask)).data)

    # -- delete and move -------------------------------------------------------------------------------

    async def delete(self, id: str, *, force: bool = False) -> None:
        """Delete a document. `force`: also one that agents use, and a folder with all that is in it."""
        query = {"force": force or None}
        await self._line.json(
            Ask("DELETE", (KB, id), query=query, effect="settled", patience=CHANGE, mute=True)
        )

    async def bulk_delete(self, ids: Iterable[str], *, force: bool = False) -> dict[str, Error | None]:
        """Delete each id, 20 at a time: None where it is gone, else why not.

        A batch that fails as a whole is the last: its ids have its error, and the rest are not tried.
        """

        async def delete(batch: list[str]) -> dict[str, Error | None]:
            answer = await self._post(
                KB, "bulk-delete", body={"document_ids": batch, "force": force}, effect="settled"
            )
            return {id: _deleted(answer, id) for id in batch}

        return await one_by_one(ids, delete)

    async def move(self, id: str, move_to: str | None) -> None:
        """Put a document into a folder; None is the root."""
        await self._post(KB, id, "move", body={"move_to": move_to}, effect="settled", mute=True)

    async def bulk_move(self, ids: Iterable[str], move_to: str | None) -> dict[str, Error | None]:
        """Move each id, 20 at a time: None where it was moved, else why not; as `bulk_delete`.

        The service answers a batch as a whole.
        """

        async def move(batch: list[str]) -> dict[str, Error | None]:
            body = {"document_ids": batch, "move_to": move_to}
            await self._post(KB, "bulk-move", body=body, effect="settled", mute=True)
            return dict.fromkeys(batch)

        return await one_by_one(ids, move)

    # -- crawls ----------------------------------------------------------------------------------------

    async def create_crawl(
        self,
        url: str,
        *,
        max_pages: int | None = None,
        pattern: str | None = None,
        exclude_patterns: Sequence[str] | None = None,
        sitemap_urls: Sequence[str] | None = None,
        parent_folder_id: str | None = None,
        enable_auto_sync: bool | None = None,
        auto_remove: bool | None = None,
        auto_discover: bool | None = None,
        minimum_frequency_days: int | None = None,
    ) -> Crawl:
        """Start to fetch a site into a folder of its own."""
        body = given(
            url=url,
            max_pages=max_pages,
            pattern=pattern,
            exclude_patterns=None if exclude_patterns is None else list(exclude_patterns),
            sitemap_urls=None if sitemap_urls is None else list(sitemap_urls),
            parent_folder_id=parent_folder_id,
            enable_auto_sync=enable_auto_sync,
            auto_remove=auto_remove,
            auto_discover=auto_discover,
            minimum_frequency_days=minimum_frequency_days,
        )
        return Crawl.read((await self._post(KB, "crawl", body=body, effect="once")).data)

    def crawls(
        self, *, include_job_ids: Sequence[str] = (), page_size: int = 100
    ) -> AsyncIterator[CrawlPage]:
        """Running and recent crawls, and those named."""
        fixed = {"include_job_ids": list(include_job_ids), "page_size": page_size}
        return self._walk(CrawlPage, KB, "crawl", query=fixed)

    async def crawl(self, job_id: str) -> Crawl:
        return Crawl.read(await self._get(KB, "crawl", job_id))

    async def cancel_crawl(self, job_id: str) -> None:
        """Stop a crawl, and delete every document and folder that came of it."""
        await self._post(KB, "crawl", job_id, "cancel", effect="once", mute=True)


def _deleted(answer: Answer, id: str) -> Error | None:
    """Whether one id of a bulk delete is gone. On a second try, not to be found is to be gone."""
    outcome = success(Document, answer.data.get(id), "POST bulk-delete")
    if isinstance(outcome, Error) and not (answer.repeated and isinstance(outcome, NotFound)):
        return outcome
    return None


_MIMES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "epub": "application/epub+zip",
}
"""What the service takes, whatever this machine's own table of types says."""


def _file(name: str, data: bytes) -> File:
    ending = name.rpartition(".")[2].lower()
    return File(name, data, _MIMES.get(ending) or guess_type(name)[0] or "application/octet-stream")
