"""The rooms of the demo as one application: its routes, its error answers, the names of an exchange."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kbtui.demo import (
    agents,
    changes,
    chunks,
    crawl,
    dependents,
    disk,
    documents,
    files,
    index,
    pages,
    search,
    urls,
)
from kbtui.demo.contract import ApiError, Endpoint, Invalid, answer

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

_ROOMS = (documents, changes, urls, files, dependents, search, agents, index, chunks, crawl, pages)
_KINDS = {
    400: "validation_error",
    401: "authentication_error",
    402: "payment_required",
    403: "authorization_error",
    404: "not_found",
    409: "conflict",
    500: "internal_error",
    503: "service_unavailable",
    507: "insufficient_storage",
}


def application(demo: Demo) -> _Traced:
    """The routes of every room; traced from outside, since the answer to a bug is made outermost."""
    routes = [each for room in _ROOMS for each in room.routes]
    app = Starlette(routes=_by_path(routes), exception_handlers=_HANDLERS)
    app.router.redirect_slashes = False
    app.state.demo = demo
    return _Traced(app)


def _by_path(routes: Iterable[Route]) -> list[Route]:
    """One route a path, so that 405 names all its methods; fixed paths before those with an id in them."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for each in routes:
        paths.setdefault(each.path, {}).update(dict.fromkeys(each.methods or (), each.endpoint))

    def joined(path: str, endpoints: dict[str, Endpoint]) -> Route:
        async def dispatch(request: Request) -> Response:
            return await endpoints[request.method](request)

        return Route(path, dispatch, methods=list(endpoints))

    return [joined(path, paths[path]) for path in sorted(paths, key=lambda path: "{" in path)]


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    detail = {
        "type": _KINDS[error.http],
        "code": error.code,
        "message": error.message,
        "status": error.status,
        "request_id": request.scope.get("request_id", ""),
        "param": error.param,
    }
    return answer({"detail": detail}, error.http)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    return answer({"detail": error.errors}, 422)


def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=error.headers)


def _failing_disk(request: Request, error: Exception) -> Response:
    assert isinstance(error, sqlite3.Error)
    http = disk.report(error)
    return _refused(request, ApiError(http, _KINDS[http], f"The demo cannot use its database: {error}."))


def _bug(request: Request, error: Exception) -> Response:
    return _refused(request, ApiError(500, "internal_error", "Something went wrong on our side."))


_HANDLERS: dict[Any, Callable[[Request, Exception], Response]] = {
    ApiError: _refused,
    Invalid: _invalid,
    HTTPException: _framework,
    sqlite3.Error: _failing_disk,
    Exception: _bug,
}

Scope = MutableMapping[str, Any]


class _Traced:
    """ASGI middleware: gives every exchange the service's two names, `request-id` and `x-trace-id`."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        trace = secrets.token_hex(16)
        scope["request_id"] = trace[:20]
        names = [(b"request-id", trace[:20].encode()), (b"x-trace-id", trace.encode())]

        async def named(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *names]
            await send(message)

        await self.app(scope, receive, named)
