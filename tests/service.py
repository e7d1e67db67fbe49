"""The service by plain HTTP: what somebody else does there, and what is really in it."""

from __future__ import annotations

from typing import Any

import httpx

from kbtui.demo.server import Demo


class Service:
    """A client of the demo without a line of kbtui; it fails where the service refuses."""

    def __init__(self, demo: Demo) -> None:
        self._client = httpx.Client(  # reading certificates that nobody asks for would take a while
            base_url=f"{demo.url}/v1/convai", headers={"xi-api-key": demo.key}, trust_env=False, verify=False
        )

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, method: str, path: str, **rest: Any) -> Any:
        answer = self._client.request(method, path, **rest)
        assert answer.is_success, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    def add(self, name: str, text: str, parent: str | None = None) -> str:
        """A new text document; its id."""
        body = {"name": name, "text": text, "parent_folder_id": parent}
        return str(self.call("POST", "/knowledge-base/text", json=body)["id"])

    def folder(self, name: str, parent: str | None = None) -> str:
        body = {"name": name, "parent_folder_id": parent}
        return str(self.call("POST", "/knowledge-base/folder", json=body)["id"])

    def get(self, id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/knowledge-base/{id}"))

    def text(self, id: str) -> str:
        return bytes(self.call("GET", f"/knowledge-base/{id}/content")).decode()

    def patch(self, id: str, **change: Any) -> None:
        self.call("PATCH", f"/knowledge-base/{id}", json=change)

    def delete(self, id: str) -> None:
        self.call("DELETE", f"/knowledge-base/{id}", params={"force": True})

    def id(self, name: str) -> str:
        """The id of the one document of this name."""
        found = self.call("GET", "/knowledge-base", params={"search": name, "page_size": 100})["documents"]
        (id,) = [each["id"] for each in found if each["name"] == name]
        return str(id)
