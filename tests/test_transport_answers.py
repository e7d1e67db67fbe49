"""What comes back: redirects, answers of strangers, downloads, silence; and what is said of it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import traceback
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import pytest

from kbtui import transport
from kbtui.demo.server import Demo
from kbtui.errors import Busy, Error, Offline, Refused, Unexpected
from kbtui.transport import TRIES, Ask, Transport
from tests.line import FAULTS, LIST, Line, a_document, create, failed
from tests.wire import Wire


@pytest.fixture
async def line(demo: Demo, wire: Wire) -> AsyncIterator[Line]:
    line = Line(wire.url, demo.key)
    yield line
    await line.aclose()


# Redirects


async def test_a_read_follows_redirects_at_home_with_the_key(line: Line, demo: Demo, wire: Wire) -> None:
    wire.answer(307, headers={"location": "/v1/convai/knowledge-base?page_size=2"})
    answer = await line.json(LIST)
    assert len(answer.data["documents"]) == 2
    assert [request.header("xi-api-key") for request in wire.requests] == [demo.key] * 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_never_follows_a_redirect_to_another_origin(
    line: Line, demo: Demo, wire: Wire, status: int
) -> None:
    with Wire(demo.url) as elsewhere:
        place = elsewhere.url.removeprefix("http:")
        for location in (elsewhere.url, place, f"http://{wire.url[7:]}@{place[2:]}/"):
            wire.answer(status, headers={"location": location})
            error = await failed(line, LIST)
            assert type(error) is Unexpected
            assert elsewhere.url in error.sentence
        wire.answer(status, headers={"location": wire.url.replace("http:", "https:")})
        assert "https://" in (await failed(line, LIST)).sentence
        assert elsewhere.requests == []
        assert elsewhere.connections == 0


async def test_a_change_follows_no_redirect(line: Line, wire: Wire) -> None:
    for location in ("/v1/convai/knowledge-base/text", "http://elsewhere.invalid"):
        wire.forget()
        wire.answer(303, headers={"location": location})
        error = await failed(line, create())
        assert type(error) is Unexpected and error.fate_unknown
        assert "redirect" in error.sentence and "key" not in error.sentence
        assert len(wire.requests) == 1


@pytest.mark.parametrize("location", ["http://xn--zz.com/", "http://h:123456/", "x" * 65_530, "x" * 66_000])
async def test_a_redirect_to_no_address_is_a_sentence(line: Line, wire: Wire, location: str) -> None:
    wire.answer(302, headers={"location": location}, times=None)
    assert (await failed(line, LIST)).sentence
    assert line.pacing.in_flight == 0


async def test_redirects_in_circles_come_to_an_end(line: Line, wire: Wire) -> None:
    wire.answer(302, headers={"location": "/v1/convai/knowledge-base?page_size=1"}, times=None)
    assert "circles" in (await failed(line, LIST)).sentence
    assert len(wire.requests) == transport.REDIRECTS


# Answers


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"", b"[]", b"null", b"[" * 100_000])
async def test_an_answer_that_is_none_of_the_services_is_said_to_be_so(
    line: Line, wire: Wire, body: bytes
) -> None:
    wire.answer(200, body, headers={"content-type": "text/html"})
    error = await failed(line, LIST)
    assert type(error) is Unexpected
    assert "login page" in error.sentence
    assert not error.fate_unknown


async def test_a_create_answered_by_a_stranger_may_have_been_carried_out(line: Line, wire: Wire) -> None:
    wire.answer(200, b"<html>")
    assert (await failed(line, create())).fate_unknown


async def test_an_answer_too_deep_to_be_read_is_none(line: Line, wire: Wire) -> None:
    for depth in range(500, 1000, 25):
        deep = b'{"a": "\\ud800", "b": ' + b"[" * depth + b"]" * depth + b"}"
        wire.answer(200, deep, headers={"content-type": "application/json"})
        with suppress(Unexpected):
            await line.json(LIST)


async def test_a_concurrency_of_a_thousand_digits_is_no_number(line: Line, wire: Wire) -> None:
    wire.answer(200, {"documents": []}, headers={"maximum-concurrent-requests": "1" * 5000})
    assert (await line.json(LIST)).data == {"documents": []}


async def test_half_a_character_in_an_answer_is_replaced(line: Line, wire: Wire) -> None:
    wire.answer(
        200, rb'{"a\ud800": ["\udc00x", "\ud83d\ude00"]}', headers={"content-type": "application/json"}
    )
    assert (await line.json(LIST)).data == {"a\ufffd": ["\ufffdx", "😀"]}


async def test_every_exchange_is_reported_with_its_time_and_name(line: Line, wire: Wire) -> None:
    wire.answer(503, headers={"request-id": "r1"})
    wire.cut("request")
    await line.json(LIST)
    assert [(each.method, each.status) for each in line.log] == [("GET", 503), ("GET", None), ("GET", 200)]
    assert line.log[0].request_id == "r1"
    assert all(each.ms > 0 for each in line.log)
    assert all(each.path == "/v1/convai/knowledge-base?page_size=1" for each in line.log)
    assert [type(each.error) for each in line.log] == [Busy, Offline, type(None)]
    assert [bool(each.received) for each in line.log] == [False, False, True]
    with suppress(Error):
        await line.json(create())
    assert [line.log[0].sends, line.log[-1].sends] == ["", "application/json"]


# The key in what goes wrong


async def everything_told(line: Transport, ask: Ask) -> list[str]:
    try:
        await line.json(ask)
    except Error as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return [*shown.format(), repr(error), error.detail]
    return []


async def test_no_error_log_or_traceback_holds_the_key(
    demo: Demo, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line = Line(wire.url, demo.key)
    told = [repr(line)]

    def stray(wire: Wire) -> object:
        return wire.answer(302, headers={"location": "http://elsewhere.invalid"})

    for fault in (*FAULTS.values(), stray):
        for ask in (LIST, create()):
            for _ in range(TRIES):
                fault(wire)
            told += await everything_told(line, ask)
            wire.heal()
    told += [caplog.text, repr(line.log), repr(line.waits)]
    assert len(told) > 20
    assert demo.key not in "".join(told)
    await line.aclose()


# Downloads


async def collect(line: Transport, id: str) -> tuple[bytes, list[tuple[int, int | None]]]:
    data, progress = bytearray(), []
    async for piece in line.stream(Ask("GET", ("knowledge-base", id, "content"))):
        data += piece.data
        progress.append((piece.received, piece.total))
    return bytes(data), progress


async def test_a_download_comes_in_pieces_with_progress(line: Line, wire: Wire) -> None:
    text = "words, " * 100_000
    ask = Ask("POST", ("knowledge-base", "text"), body={"text": text}, effect="once")
    id = (await line.json(ask)).data["id"]
    data, progress = await collect(line, id)
    assert data == text.encode()
    assert len(progress) > 2
    assert progress[-1] == (len(text), len(text))
    assert progress == sorted(progress)
    assert line.pacing.in_flight == 0


async def test_a_download_that_has_not_begun_is_begun_again(line: Line, wire: Wire) -> None:
    id = await a_document(line)
    wire.cut("answer", path="content")
    wire.answer(429, path="content")
    assert (await collect(line, id))[0] == b"Some words."


async def test_a_download_cut_on_the_way_is_not_passed_off_as_whole(line: Line, wire: Wire) -> None:
    id = await a_document(line)
    wire.cut("body", path="content")
    with pytest.raises(Offline, match="cut in the middle"):
        await collect(line, id)
    assert line.pacing.in_flight == 0


async def test_a_packed_download_is_whole_or_an_error(line: Line, wire: Wire) -> None:
    id, text = await a_document(line), b"".join(b"Sentence %d. " % number for number in range(9000))
    packed = gzip.compress(text[:70_000]) + gzip.compress(text[70_000:])
    headers = {"content-encoding": "gzip"}
    wire.answer(200, packed, headers=headers, path="content")
    assert (await collect(line, id))[0] == text
    assert wire.requests[-1].header("accept-encoding") == "identity"
    for short in (len(packed) // 2, len(packed) // 5, len(packed) - 4, 0):
        wire.answer(200, packed[:short], headers=headers, path="content")
        with pytest.raises(Offline, match="cut in the middle"):
            await collect(line, id)
    wire.answer(200, packed[:-8] + b"x" * 8, headers=headers, path="content")
    wire.answer(200, packed, headers={"content-encoding": "br"}, path="content")
    for _ in range(2):
        with pytest.raises(Offline, match="damaged"):
            await collect(line, id)
    assert line.pacing.in_flight == 0


async def test_a_packed_answer_cut_short_is_asked_for_again(line: Line, wire: Wire) -> None:
    packed = gzip.compress(b'{"documents": []}')
    wire.answer(200, packed[:-8], headers={"content-encoding": "gzip"})
    wire.answer(200, packed, headers={"content-encoding": "gzip"})
    assert (await line.json(LIST)).data == {"documents": []}
    assert [request.header("accept-encoding") for request in wire.requests] == ["gzip", "gzip"]


async def test_a_small_body_that_unpacks_to_a_vast_one_takes_no_memory(
    line: Line, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    await line.json(LIST)
    packed = gzip.compress(b" " * 100_000_000, 1)
    wire.answer(400, packed, headers={"content-encoding": "gzip"})
    wire.answer(200, packed, headers={"content-encoding": "gzip"})
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1_000_000)
    tracemalloc.start()
    try:
        assert type(await failed(line, LIST)) is Refused
        assert "larger than kbtui takes" in (await failed(line, LIST)).sentence
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


async def test_a_refusal_is_told_though_its_words_are_cut_short(line: Line, wire: Wire) -> None:
    wire.answer(403, gzip.compress(b'{"detail": "No."}')[:-8], headers={"content-encoding": "gzip"})
    assert type(await failed(line, LIST)) is Refused


async def test_a_download_that_stands_still_is_given_up(line: Line, wire: Wire) -> None:
    id = await a_document(line)
    held = wire.hold("body", path="content")
    with pytest.raises(Offline, match="stands still"):
        async for _ in line.stream(Ask("GET", ("knowledge-base", id, "content"), patience=0.5)):
            pass
    held.release()


async def test_who_stops_reading_a_download_frees_the_place(line: Line, wire: Wire) -> None:
    id = await a_document(line)
    async with aclosing(line.stream(Ask("GET", ("knowledge-base", id, "content")))) as pieces:
        await anext(pieces)
        assert line.pacing.in_flight == 1
    assert line.pacing.in_flight == 0


async def test_a_download_takes_no_more_memory_than_a_piece() -> None:
    piece, count = b"x" * 65536, 640

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(count):
            writer.write(b"10000\r\n" + piece + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line = Line(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key")
    received = 0
    tracemalloc.start()
    try:
        async for each in line.stream(Ask("GET", ("knowledge-base", "big", "content"))):
            received = each.received
            assert each.total is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await line.aclose()
        server.close()
        await server.wait_closed()
    assert received == count * len(piece)
    assert peak < 4_000_000, f"{peak} bytes for {received}"


# Silence


async def test_who_does_not_answer_in_time_is_told_apart_from_who_is_not_there(
    line: Line, wire: Wire
) -> None:
    held = wire.hold("answer", times=None)
    error = await failed(line, Ask("GET", ("knowledge-base",), patience=0.1))
    assert "did not answer within" in error.sentence
    error = await failed(line, Ask("POST", create().path, body=create().body, effect="once", patience=0.1))
    assert error.fate_unknown
    held.release()


async def test_closing_ends_what_is_under_way_and_lets_nothing_new_begin(line: Line, wire: Wire) -> None:
    wire.hold("request", times=None)
    running = asyncio.ensure_future(line.json(LIST))
    await wire.seen(lambda request: True)
    await line.aclose()
    with pytest.raises(Offline):
        await running
    assert "closed" in (await failed(line, LIST)).sentence
