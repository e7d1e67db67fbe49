"""What goes out, what is sent again, and what is said when nothing comes back."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from kbtui import transport
from kbtui.demo.server import Demo
from kbtui.errors import Busy, Error, NotFound, Offline, Refused, Unauthorized, Unexpected
from kbtui.pacing import Pacing
from kbtui.transport import TRIES, Ask, Effect, Exchange, File, Transport
from kbtui.waiting import Wait
from tests.wire import Wire

LIST = Ask("GET", ("knowledge-base",), query={"page_size": 1})


class Line(Transport):
    """A transport that counts down in no time, and remembers what it would have waited."""

    def __init__(self, base_url: str, key: str, **rest: Any) -> None:
        self.waits: list[Wait] = []
        self.log: list[Exchange] = []
        self.while_waiting: Callable[[], Awaitable[None]] = self._nothing
        options: dict[str, Any] = {"pacing": Pacing(draw=lambda: 0.5), "environ": {}, **rest}
        super().__init__(
            base_url,
            key,
            on_wait=self.waits.append,
            on_exchange=self.log.append,
            sleep=lambda seconds: self.while_waiting(),
            **options,
        )

    async def _nothing(self) -> None:
        await asyncio.sleep(0)


@pytest.fixture
async def line(demo: Demo, wire: Wire) -> AsyncIterator[Line]:
    line = Line(wire.url, demo.key)
    yield line
    await line.aclose()


async def failed(line: Transport, ask: Ask) -> Error:
    with pytest.raises(Error) as caught:
        await line.json(ask)
    return caught.value


def create(name: str = "New") -> Ask:
    body = {"text": "Some words.", "name": name}
    return Ask("POST", ("knowledge-base", "text"), body=body, effect="once")


async def a_document(line: Transport) -> str:
    return str((await line.json(create())).data["id"])


# What goes out


async def test_the_key_goes_in_its_header_and_nowhere_else(line: Line, demo: Demo, wire: Wire) -> None:
    await line.json(LIST)
    (request,) = wire.requests
    assert request.header("xi-api-key") == demo.key
    others = [value for name, value in request.headers if name != "xi-api-key"]
    assert demo.key not in repr([request.path, request.query, others])


async def test_ids_are_escaped_so_that_they_name_no_other_address(line: Line, wire: Wire) -> None:
    for id in ("a/b?c#d", "../agents", "%2e%2e", "é ;&=+", "a\\b", "\x00\n"):
        assert (await failed(line, Ask("GET", ("knowledge-base", id)))).status == 404
    assert [request.path.removeprefix("/v1/convai/knowledge-base/") for request in wire.requests] == [
        "a%2Fb%3Fc%23d",
        "..%2Fagents",
        "%252e%252e",
        "%C3%A9%20%3B%26%3D%2B",
        "a%5Cb",
        "%00%0A",
    ]
    assert not any(request.query for request in wire.requests)


@pytest.mark.parametrize("id", ["", ".", ".."])
async def test_ids_that_no_escape_can_tame_are_not_sent(line: Line, wire: Wire, id: str) -> None:
    ask = Ask("DELETE", ("knowledge-base", id), effect="settled")
    assert type(await failed(line, ask)) is NotFound
    assert wire.requests == []


async def test_queries_repeat_lists_spell_booleans_and_leave_out_none(line: Line, wire: Wire) -> None:
    query = {"types": ["file", "url"], "folders_first": True, "cursor": None, "search": "a b&c", "n": 3}
    await line.json(Ask("GET", ("knowledge-base",), query=query))
    assert line.log[0].path == (
        "/v1/convai/knowledge-base?types=file&types=url&folders_first=true&search=a+b%26c&n=3"
    )


async def test_half_a_character_is_refused_before_it_is_sent(line: Line, wire: Wire) -> None:
    for ask in (create("\ud800"), Ask("GET", ("knowledge-base", "\udc80"))):
        assert type(await failed(line, ask)) is Refused
    assert wire.requests == []


async def test_an_upload_is_sent_again_whole(line: Line, wire: Wire) -> None:
    wire.answer(429)
    file = File("report.md", b"# Report\n" * 10_000, "text/markdown")
    form = {"name": "Report"}
    ask = Ask("POST", ("knowledge-base", "file"), form=form, file=file, effect="once")
    await line.json(ask)
    first, second = wire.requests
    for request in (first, second):
        assert request.body.count(file.data) == 1
        assert b'name="name"\r\n\r\nReport\r\n' in request.body
        assert b'filename="report.md"\r\nContent-Type: text/markdown' in request.body


@pytest.mark.parametrize("key", ["", "kéy", "key\r\nx-evil: 1", "sk_key ", " sk_key"])
async def test_a_key_that_is_none_is_not_sent(wire: Wire, key: str) -> None:
    line = Line(wire.url, key)
    error = await failed(line, LIST)
    assert type(error) is Unauthorized
    assert not key or key not in error.sentence + error.detail
    assert wire.requests == []


async def test_what_the_protocol_complains_of_is_not_quoted(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def complain(*_: object, **__: object) -> None:
        raise httpx.LocalProtocolError("Illegal header value b'sk_key '")

    monkeypatch.setattr(httpx.AsyncClient, "send", complain)
    assert "sk_key" not in (await failed(line, LIST)).detail


@pytest.mark.parametrize("url", ["https://ex\nample.com", "https://é\u2028.com", "https://xn--zz.com"])
async def test_a_base_url_that_cannot_be_asked_is_a_sentence(url: str) -> None:
    assert "base URL" in (await failed(Line(url, "key"), LIST)).sentence


async def test_a_request_too_long_for_an_address_is_refused_before_it_is_sent(line: Line, wire: Wire) -> None:
    error = await failed(line, Ask("GET", ("knowledge-base", "i" * 70_000)))
    assert type(error) is Refused and len(error.detail) < 100
    assert wire.requests == []


# What is sent again


FAULTS: dict[str, Callable[[Wire], object]] = {
    "cut before the service heard of it": lambda wire: wire.cut("request"),
    "cut before the answer": lambda wire: wire.cut("answer"),
    "cut in the middle of the answer": lambda wire: wire.cut("body"),
    "500": lambda wire: wire.answer(500),
    "502": lambda wire: wire.answer(502, b"<html>"),
    "503": lambda wire: wire.answer(503),
    "504": lambda wire: wire.answer(504),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_is_sent_again(line: Line, wire: Wire, fault: str) -> None:
    FAULTS[fault](wire)
    answer = await line.json(LIST)
    assert len(answer.data["documents"]) == 1
    assert len(wire.requests) == 2
    assert len(line.waits) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_change_that_comes_to_the_same_is_sent_again(line: Line, wire: Wire, fault: str) -> None:
    id = await a_document(line)
    wire.forget()
    FAULTS[fault](wire)
    rename = Ask("PATCH", ("knowledge-base", id), body={"name": "Newer"}, effect="settled")
    answer = await line.json(rename)
    assert answer.data["name"] == "Newer"
    assert answer.repeated
    assert [request.body for request in wire.requests] == [b'{"name":"Newer"}'] * 2
    assert "carried out" not in line.waits[0].reason


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_create_whose_fate_is_unknown_is_told_and_not_sent_again(
    line: Line, wire: Wire, fault: str
) -> None:
    FAULTS[fault](wire)
    error = await failed(line, create())
    assert error.fate_unknown
    assert "may have been carried out" in error.sentence
    assert str(error) == error.sentence
    assert len(wire.requests) == 1
    assert line.waits == []


@pytest.mark.parametrize("effect", ["read", "settled", "once"])
async def test_what_was_turned_away_is_sent_again_whatever_it_is(
    line: Line, wire: Wire, effect: Effect
) -> None:
    wire.answer(429, {"detail": {"code": "rate_limit_exceeded", "message": "Slow down."}}, times=3)
    answer = await line.json(Ask("POST", ("knowledge-base", "folder"), body={"name": "F"}, effect=effect))
    assert answer.data["name"] == "F"
    assert not answer.repeated
    assert len(wire.requests) == 4
    assert [(wait.attempt, wait.reason) for wait in line.waits] == [
        (1, "Slow down."),
        (2, "Slow down."),
        (3, "Slow down."),
    ]


@pytest.mark.parametrize("effect", ["read", "settled", "once"])
async def test_what_never_got_a_connection_is_sent_when_there_is_one(
    line: Line, wire: Wire, effect: Effect
) -> None:
    async def light() -> None:
        await asyncio.to_thread(wire.up)

    wire.down()
    line.while_waiting = light
    answer = await line.json(Ask("POST", ("knowledge-base", "folder"), body={"name": "F"}, effect=effect))
    assert answer.data["name"] == "F"
    assert len(wire.requests) == 1


async def test_a_line_that_was_closed_while_it_was_idle_is_not_used(line: Line, wire: Wire) -> None:
    await line.json(LIST)
    await asyncio.to_thread(wire.down)
    await asyncio.to_thread(wire.up)
    assert (await line.json(create())).data["id"]
    assert wire.connections == 2
    assert line.waits == []


async def test_lines_are_shared_between_requests(line: Line, wire: Wire) -> None:
    for _ in range(5):
        await line.json(LIST)
    assert wire.connections == 1


async def test_who_stays_offline_is_told_after_three_tries(line: Line, wire: Wire) -> None:
    wire.down()
    error = await failed(line, create())
    assert type(error) is Offline
    assert not error.fate_unknown
    assert "refuses the connection" in error.sentence
    assert len(line.waits) == TRIES - 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 409, 422])
async def test_a_refusal_is_final(line: Line, wire: Wire, status: int) -> None:
    wire.answer(status, {"detail": {"code": "x", "message": "No."}})
    error = await failed(line, create())
    assert error.status == status
    assert not error.fate_unknown
    assert len(wire.requests) == 1


async def test_a_delete_that_finds_nothing_the_second_time_is_done(line: Line, wire: Wire) -> None:
    id = await a_document(line)
    wire.cut("answer", method="DELETE")
    answer = await line.json(Ask("DELETE", ("knowledge-base", id), effect="settled", mute=True))
    assert answer.repeated
    assert [request.method for request in wire.requests] == ["POST", "DELETE", "DELETE"]


async def test_a_delete_that_never_found_anything_says_so(line: Line, wire: Wire) -> None:
    ask = Ask("DELETE", ("knowledge-base", "nope"), effect="settled", mute=True)
    assert type(await failed(line, ask)) is NotFound
    wire.answer(429, method="DELETE")
    assert type(await failed(line, ask)) is NotFound


# Waiting


async def test_the_service_is_waited_for_as_long_as_it_asks(line: Line, wire: Wire) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    wire.answer(429, headers={"retry-after": "7"})
    wire.answer(503, headers={"retry-after": date})
    await line.json(LIST)
    assert [7 <= line.waits[0].seconds <= 8, 50 < line.waits[1].seconds <= 61] == [True, True]


async def test_who_asks_for_too_long_a_wait_is_reported_at_once(line: Line, wire: Wire) -> None:
    wire.answer(429, headers={"retry-after": "3600"})
    error = await failed(line, LIST)
    assert isinstance(error, Busy)
    assert error.retry_after == 3600
    assert line.waits == []


async def test_a_countdown_can_be_seen_and_given_up(line: Line, wire: Wire) -> None:
    waiting = asyncio.Event()

    async def forever() -> None:
        waiting.set()
        await asyncio.Event().wait()

    wire.answer(429, {"detail": "Come back later."}, headers={"retry-after": "30"})
    line.while_waiting = forever
    request = asyncio.ensure_future(line.json(LIST))
    await waiting.wait()
    (wait,) = line.waits
    assert wait.reason == "Come back later."
    assert 29 < wait.until - time.monotonic() <= wait.seconds
    assert not wait.over
    wait.cancel()
    with pytest.raises(Busy, match="Come back later"):
        await request
    assert wait.over
    assert len(wire.requests) == 1
    assert line.pacing.in_flight == 0


async def test_who_leaves_while_it_counts_down_leaves_nothing_behind(line: Line, wire: Wire) -> None:
    waiting = asyncio.Event()

    async def forever() -> None:
        waiting.set()
        await asyncio.Event().wait()

    wire.answer(429)
    line.while_waiting = forever
    request = asyncio.ensure_future(line.json(LIST))
    await waiting.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert line.waits[0].over
    assert line.pacing.in_flight == 0


# The gate


async def test_no_more_go_at_once_than_the_gate_lets_through(line: Line, wire: Wire) -> None:
    held = wire.hold("request", times=4)
    running = [asyncio.ensure_future(line.json(LIST)) for _ in range(7)]
    await wire.seen(lambda request: request.number == 3)
    assert (len(wire.requests), line.pacing.in_flight) == (4, 4)
    held.release()
    await asyncio.gather(*running)
    assert line.pacing.in_flight == 0


async def test_the_urgent_go_first(line: Line, wire: Wire) -> None:
    line.pacing.served(line.pacing.ask(lambda: None), maximum=2)  # one place is taken for good
    held = wire.hold("request")
    running = []
    for name, urgent in [("held", False), ("late", False), ("urgent", True)]:
        ask = Ask("GET", ("knowledge-base",), query={"search": name}, urgent=urgent)
        running.append(asyncio.ensure_future(line.json(ask)))
        await asyncio.sleep(0)
    await asyncio.to_thread(held.wait)
    held.release()
    await asyncio.gather(*running)
    assert [request.query[0][1] for request in wire.requests] == ["held", "urgent", "late"]


async def test_a_crowd_refused_is_half_a_crowd(line: Line, wire: Wire) -> None:
    held = wire.hold("request", times=4)
    wire.answer(429, times=4)
    limits = []

    async def note() -> None:
        limits.append(line.pacing.limit)

    line.while_waiting = note
    running = [asyncio.ensure_future(line.json(LIST)) for _ in range(4)]
    await wire.seen(lambda request: request.number == 3)
    held.release()
    await asyncio.gather(*running)
    assert len(limits) == 4
    assert limits[0] == min(limits) == 2


async def test_the_concurrency_that_the_service_names_is_kept(line: Line, wire: Wire) -> None:
    wire.answer(200, {"documents": []}, headers={"maximum-concurrent-requests": "2"})
    await line.json(LIST)
    assert line.pacing.limit == 2


async def test_who_gives_up_frees_the_place(line: Line, wire: Wire) -> None:
    held = wire.hold("request", times=4)
    running = [asyncio.ensure_future(line.json(LIST)) for _ in range(6)]
    await wire.seen(lambda request: request.number == 3)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert line.pacing.in_flight == 0
    held.release()
    assert (await line.json(LIST)).data["documents"]


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
