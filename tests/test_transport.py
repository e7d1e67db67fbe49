"""What goes out, what is sent again, and what is said when nothing comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from kbtui.demo.server import Demo
from kbtui.errors import Busy, NotFound, Offline, Refused, Unauthorized
from kbtui.transport import TRIES, Ask, Effect, File
from tests.line import FAULTS, LIST, Line, a_document, create, failed
from tests.wire import Wire


@pytest.fixture
async def line(demo: Demo, wire: Wire) -> AsyncIterator[Line]:
    line = Line(wire.url, demo.key)
    yield line
    await line.aclose()


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
