"""The manners of the service: who may ask what, how a request is read, what an error looks like.

Three shapes of error leave the demo, as they leave the service:

    422   {"detail": [{"type", "loc", "msg"}]}            the request does not fit the contract
    4xx   {"detail": {"type", "code", "message", "status", "request_id", "param"}}
    4xx   {"detail": "There was an error parsing the body"}   and the framework's own 404 and 405
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from kbtui.demo.server import Demo

READ = "convai_read"
WRITE = "convai_write"
PREFIX = "/v1/convai"
BODY_LIMIT = 64 * 1024 * 1024  # bytes; beyond it a request is refused however it is meant


class ApiError(Exception):
    """A refusal in the service's own shape.

    `status` is the word clients see in `detail.status`; `code` the newer name, where it differs;
    `param` the field that is to blame.
    """

    def __init__(
        self, http: int, status: str, message: str, *, code: str = "", param: str | None = None
    ) -> None:
        super().__init__(message)
        self.http = http
        self.status = status
        self.message = message
        self.code = code or status
        self.param = param

    def failure(self) -> dict[str, Any]:
        """The same refusal as one entry of a batch answer."""
        return {
            "status": "failure",
            "error_code": self.http,
            "error_status": self.status,
            "error_message": self.message,
        }


class Invalid(Exception):
    """A request that does not fit the contract (422): pydantic's errors, and where the values stood."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


def document_not_found(id: str, param: str = "documentation_id") -> ApiError:
    message = f"Documentation with id {id} not found."
    return ApiError(
        404, "knowledge_base_documentation_not_found", message, code="document_not_found", param=param
    )


def invalid(message: str, param: str | None = None) -> ApiError:
    """What the contract allows and the service's rules do not (400)."""
    return ApiError(400, "invalid_parameters", message, param=param)


def not_permitted(message: str) -> ApiError:
    return ApiError(403, "insufficient_permissions", message)


def unparsable() -> HTTPException:
    return HTTPException(400, "There was an error parsing the body")


# Requests


class Query(BaseModel):
    """The query of a request. Text is read leniently: `page_size=10`, `force=true`."""

    model_config = ConfigDict(extra="ignore")


class Body(BaseModel):
    """The JSON body of a request. Nothing is coerced: `"force": "yes"` is refused."""

    model_config = ConfigDict(extra="ignore", strict=True)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unique(ids: list[str]) -> list[str]:
    if len(set(ids)) != len(ids):
        raise PydanticCustomError("unique_items", "List should have unique items after validation")
    return ids


Whole = Annotated[int, BeforeValidator(_whole)]  # in JSON 7.0 is an integer too
Days = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=180)]
PageSize = Annotated[int, Field(ge=1, le=100)]
Name = Annotated[str, Field(min_length=1)]
Ids = Annotated[list[str], Field(min_length=1, max_length=20), AfterValidator(_unique)]

Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Body)


def query(request: Request, model: type[Q]) -> Q:
    """The query as `model`; raises `Invalid`. A repeated parameter is a list, or its last value counts."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        given = request.query_params.getlist(name)
        kinds = (field.annotation, *get_args(field.annotation))
        if given:
            values[name] = given if any(get_origin(kind) is list for kind in kinds) else given[-1]
    return _read(model, values, "query")


async def body(request: Request, model: type[B]) -> B:
    """The JSON body as `model`; raises `Invalid`, or 400 where it is no JSON at all."""
    raw = await read(request)
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if not raw:
        value: Any = None
    elif kind.startswith("application/") and (kind.endswith("/json") or kind.endswith("+json")):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            raise unparsable() from None
        if b"\\u" in raw:
            check_unicode(json.dumps(value, ensure_ascii=False), "body")
    else:
        value = []
    if value is None:
        needed = [name for name, field in model.model_fields.items() if field.is_required()]
        if needed:
            raise Invalid([{"type": "missing", "loc": ["body"], "msg": "Field required"}])
        value = {}
    return _read(model, value, "body")


def check_unicode(text: str, *place: str) -> None:
    """Raise `Invalid` for half of a surrogate pair, which is no text and fits in no database."""
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "Input should be a valid string, unable to parse raw data as a unicode string"
        raise Invalid([{"type": "string_unicode", "loc": list(place), "msg": message}]) from None


async def read(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """The raw body, read to its end even where it is too large, so that the answer can be heard."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size <= limit:
                pieces.append(piece)
    except ClientDisconnect:
        raise unparsable() from None  # nobody hears it; a fault would be reported on the terminal
    if size > limit:
        raise ApiError(400, "request_too_large", f"The request is larger than {limit} bytes.")
    return b"".join(pieces)


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], value: object, place: str) -> M:
    try:
        return model.model_validate(value, from_attributes=True)  # else a refusal names our class
    except ValidationError as error:
        raise Invalid(
            [{"type": e["type"], "loc": [place, *e["loc"]], "msg": e["msg"]} for e in error.errors()]
        ) from None


class Cursors:
    """Opaque places in a listing, signed, so that a foreign or mangled one is told from a good one."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def seal(self, place: Any, scope: str) -> str:
        """`place` (small, JSON) as a cursor that is good for questions of the same `scope` only."""
        text = json.dumps(place).encode()
        return base64.urlsafe_b64encode(self._sign(text, scope) + text).decode().rstrip("=")

    def open(self, cursor: str, scope: str) -> Any:
        """What was sealed; raises 400 `invalid_cursor`."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded.encode("ascii"), b"-_", validate=True)
        except ValueError:
            raw = b""
        text = raw[12:]
        if not text or not hmac.compare_digest(raw[:12], self._sign(text, scope)):
            raise ApiError(400, "invalid_cursor", "The cursor is invalid or expired.", param="cursor")
        return json.loads(text)

    def _sign(self, text: bytes, scope: str) -> bytes:
        message = scope.encode() + b"\0" + text
        return hmac.digest(self._secret, message, hashlib.sha256)[:12]


# Routes and keys

Endpoint = Callable[[Request], Awaitable[Response]]


def route(method: str, path: str, endpoint: Endpoint, scope: str = READ) -> Route:
    """One operation of the API under `/v1/convai`, for keys that have `scope`."""

    async def answer(request: Request) -> Response:
        authorize(request, scope)
        return await endpoint(request)

    return Route(PREFIX + path, answer, methods=[method])


def authorize(request: Request, scope: str) -> None:
    """Raise 401 unless the request carries a key of this demo that has `scope`."""
    demo: Demo = request.app.state.demo
    given = request.headers.get("xi-api-key", "").encode("latin-1", "replace")
    if not given:
        raise ApiError(401, "missing_api_key", "An API key is needed in the header xi-api-key.")
    if hmac.compare_digest(given, demo.key.encode()):
        return
    if not hmac.compare_digest(given, demo.read_only_key.encode()):
        raise ApiError(401, "invalid_api_key", "Invalid API key")
    if scope == WRITE:
        message = f"The API key you used is missing the permission {scope} to execute this operation."
        raise ApiError(401, "missing_permissions", message, code="unauthorized")


# Answers


def answer(value: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(value, status_code=status)
