"""The body of an answer: unpacked piece by piece, whole or an error, and never more than is wanted."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

PIECE = 65536  # bytes unpacked at once: a small body may hold any amount of the same letter
_GZIP = zlib.MAX_WBITS | 16


async def unpacked(raw: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The pieces of a body that travels under this content-encoding.

    Raises:
        EOFError: the body ends before its end; of a body as it is only the line can tell.
        zlib.error: it is damaged, or packed in a way that nobody asked for.
    """
    if encoding.strip().lower() in ("", "identity"):
        async for data in raw:
            yield data
        return
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise zlib.error("content-encoding")
    member = zlib.decompressobj(_GZIP)
    async for data in raw:
        while data:
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            yield member.decompress(data, PIECE)
            data = member.unconsumed_tail or member.unused_data
    if not member.eof:
        raise EOFError


async def gathered(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """The pieces as one, as soon as they are more than `most` bytes or at their end."""
    body = bytearray()
    async for data in pieces:
        body += data
        if len(body) > most:
            break
    return bytes(body)


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body spells, or None where it is no such thing."""
    try:
        data = json.loads(body.decode("utf-8", "replace"))
        if b"\\ud" in body.lower():
            data = _whole_characters(data)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _whole_characters(data: Any) -> Any:
    """JSON can spell half a character (a lone surrogate), which nothing after this can store or draw."""
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, list):
        return [_whole_characters(item) for item in data]
    if isinstance(data, dict):
        return {_whole_characters(name): _whole_characters(value) for name, value in data.items()}
    return data
