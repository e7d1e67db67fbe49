"""A caller of the demo for tests, and the shapes of refusal it expects."""

from __future__ import annotations

from typing import Any

import httpx

from kbtui.demo.server import Demo

KB = "/v1/convai/knowledge-base"


class Caller(httpx.Client):
    """An HTTP client with the demo's key."""

    def __init__(self, demo: Demo, key: str | None = None) -> None:
        super().__init__(base_url=demo.url, headers={"xi-api-key": key or demo.key}, trust_env=False)

    def text(self, text: str = "Words.", **more: Any) -> str:
        return self.made(self.post(f"{KB}/text", json={"text": text, **more}))

    def folder(self, name: str, parent: str | None = None, **more: Any) -> str:
        return self.made(self.post(f"{KB}/folder", json={"name": name, "parent_folder_id": parent, **more}))

    def url(self, address: str, **more: Any) -> str:
        return self.made(self.post(f"{KB}/url", json={"url": address, **more}))

    @staticmethod
    def made(answer: httpx.Response) -> str:
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def document(self, id: str) -> dict[str, Any]:
        answer = self.get(f"{KB}/{id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def everything(self, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list, one after the other."""
        documents: list[dict[str, Any]] = []
        while True:
            answer = self.get(KB, params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            documents += page["documents"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if not page["has_more"]:
                return documents
            query["cursor"] = page["next_cursor"]


def refused(answer: httpx.Response, http: int, status: str) -> dict[str, Any]:
    """The detail of a refusal in the service's object shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (http, "application/json"), answer.text
    detail: dict[str, Any] = answer.json()["detail"]
    assert set(detail) == {"type", "code", "message", "status", "request_id", "param"}
    assert detail["status"] == status, detail
    assert detail["request_id"] == answer.headers["request-id"]
    return detail


def invalid(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.text
    detail: list[dict[str, Any]] = answer.json()["detail"]
    assert detail and all(set(each) == {"type", "loc", "msg"} for each in detail)
    return detail


def hits(call: Caller, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = call.get(f"{KB}/search", params={"query": query, **more})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results
