"""What goes on behind the screen: tasks, the requests that were made, and the last error."""

from __future__ import annotations

import re
import subprocess
from collections import deque
from contextlib import suppress
from gc import collect
from pathlib import Path
from weakref import ref

import pytest
from rich.cells import cell_len
from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

import kbtui.tui
from kbtui.demo.server import Demo
from kbtui.errors import (
    Busy,
    Conflict,
    Error,
    MissingPermission,
    NotFound,
    Offline,
    Refused,
    Unauthorized,
    Unexpected,
    failure_of,
)
from kbtui.requests import BELOW, KEPT, Requests, in_short
from kbtui.transport import Exchange
from kbtui.tui.driver import PacedDriver, Returned
from kbtui.tui.screens.facts import Address, of_error, of_request
from kbtui.tui.screens.question import Question
from kbtui.tui.screens.requests import OTHERS, RequestLines, RequestLog
from kbtui.tui.screens.tasks import TaskList
from kbtui.tui.tasks import QUIET, WORDS
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.wire import Wire

PATH = "/v1/convai/knowledge-base?search=don%27t&page_size=5"


def exchange(method: str = "GET", path: str = PATH, sends: str = "") -> Exchange:
    return Exchange(method, path, 200, 12.5, "req_1", 321, sends)


def test_whatever_runs_in_the_background_has_words_or_is_told_otherwise() -> None:
    files = Path(kbtui.tui.__file__).parent.rglob("*.py")
    groups = {
        group
        for file in files
        for group in re.findall(r'(?:background\(|group=)"([a-z-]+)"', file.read_text())
    }
    assert not groups - WORDS.keys() - QUIET and not QUIET & WORDS.keys()


# The log


def test_the_last_requests_are_kept_newest_first_and_no_more() -> None:
    log = Requests(lambda: 100.0)
    for number in range(KEPT + 10):
        log.add(exchange(path=f"/{number}"))
    last = log.last()
    assert len(last) == KEPT and log.count == KEPT + 10
    assert last[0].path == f"/{KEPT + 9}" and last[0].number - last[-1].number == KEPT - 1
    assert last[0].at == pytest.approx(100 - 0.0125)
    assert log.failed() is None


@pytest.mark.parametrize("name", ["key", "api_key", "access-token", "X-Amz-Signature", "client_secret"])
def test_what_looks_like_a_secret_is_not_kept(name: str) -> None:
    log = Requests()
    log.add(exchange(path=f"/a?b=1&{name}=hush%20hush&c=2"))
    assert log.last()[0].path == f"/a?b=1&{name}=…&c=2"


@pytest.mark.parametrize(
    ("method", "sends", "rest"),
    [
        ("GET", "", ""),
        ("DELETE", "", "-X DELETE "),
        ("PATCH", "application/json", "-X PATCH "),
        ("POST", "multipart/form-data", "-X POST "),
    ],
)
def test_a_request_becomes_a_command_that_a_shell_reads_as_it_was_without_key_and_body(
    method: str, sends: str, rest: str
) -> None:
    log = Requests()
    log.add(exchange(method, "/v1/convai/a'b`c$d?x=1&y=2", sends))
    words = log.last()[0].curl("https://me:hush@host.example:8443/")
    assert words.startswith(f"curl -sS {rest}") and "hush" not in words
    said = subprocess.run(
        ["sh", "-c", words.replace("curl", "printf '%s\\n'", 1)],
        env={"ELEVENLABS_API_KEY": "of the shell"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "xi-api-key: of the shell" in said
    assert said[-1] == "https://host.example:8443/v1/convai/a'b`c$d?x=1&y=2"
    assert ("@body.json" in said) == (sends == "application/json")
    assert ("file=@FILE" in said) == (sends == "multipart/form-data")


def test_there_is_something_to_do_about_every_error() -> None:
    kinds = (Offline, Unauthorized, MissingPermission, Refused, NotFound, Busy, Unexpected)
    told = {failure_of(kind("It failed.")).advice for kind in (*kinds, Error)}
    told.add(failure_of(Conflict("Changed.", base="", mine="", theirs="")).advice)
    assert len(told) == len(kinds) + 2


def test_what_is_kept_of_an_error_keeps_nothing_of_where_it_came_through_alive() -> None:
    class Words(str):
        """A text that can be seen to be gone."""

    log, error = Requests(), Offline("No line.")

    def fails(words: Words, error: Error) -> None:
        log.add(exchange()._replace(error=error))
        raise error

    words = Words("nobody's business")
    gone = ref(words)
    with suppress(Offline):
        fails(words, error)
    del words, error
    collect()
    assert gone() is None
    failed = log.failed()
    assert failed is not None and failed.error is not None and failed.error.sentence == "No line."


@pytest.mark.parametrize(
    ("path", "width", "short"),
    [
        ("knowledge-base", 36, "knowledge-base"),
        ("knowledge-base/hoAwfmTglgSmBMdurqEe/content", 36, "knowledge-base/hoAwfmTglgSm…/content"),
        ("knowledge-base/5RUw34MLnq5mw1tzCuZ8/content", 36, "knowledge-base/5RUw34MLnq5m…/content"),
        ("knowledge-base/5RUw34MLnq5mw1tzCuZ8/content", 80, None),
        (
            "knowledge-base?page_size=100&folders_first=false&sort_by=name&types=url",
            60,
            "knowledge-base?types=url&sort_by=name&folders_first=false&page_size=100",
        ),
        ("agents?page_size=100&cursor=abc", 20, "agents?cursor=abc&page_size=100"),
        (
            "agents/agent_MT0J6hPqBmBNixZ4RgF5/knowledge-base/rag-query",
            36,
            "agents/agent_MT0J…/knowledge-base/rag-query",
        ),
    ],
)
def test_a_path_that_is_too_long_tells_first_what_tells_it_from_others(
    path: str, width: int, short: str | None
) -> None:
    assert in_short(f"/v1/convai/{path}", width) == (short or path)


def test_an_address_is_broken_where_a_part_of_it_begins() -> None:
    words = Address("GET /v1/convai/knowledge-base?page_size=100&sort_by=name")
    assert words.rows(80) == [words]
    assert words.rows(45) == ["GET /v1/convai/knowledge-base?page_size=100", "&sort_by=name"]
    assert words.rows(20) == ["GET /v1/convai", "/knowledge-base", "?page_size=100", "&sort_by=name"]
    assert Address("curl 'http://127.0.0.1/a/b'").rows(22) == ["curl 'http://127.0.0.1", "/a/b'"]
    assert Address("/" + "x" * 25).rows(10) == ["/" + "x" * 9, "x" * 10, "x" * 6]
    assert Address("").rows(10) == [""]


def test_what_went_wrong_with_a_request_tells_its_id_once() -> None:
    log = Requests()
    error = Refused("No.", detail="GET /x: 400", request_id="req_1")
    log.add(exchange()._replace(error=error))
    request = log.last()[0]
    for facts in (
        of_request(request, "https://h"),
        of_error(1.0, failure_of(error), request, "https://h"),
        of_error(1.0, failure_of(error), None, "https://h"),
    ):
        assert [value for label, value, _ in facts if label == "Request id"] == ["req_1"]


# On the screen


def drawn(house: House) -> str:
    return "\n".join(line.rstrip() for line in house.drawn)


@pytest.mark.parametrize("width", [79, 119, 199])
def test_a_path_is_cut_only_where_there_is_no_room_and_no_heads_touch(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestLines, "resize_to", lambda *_: None)  # it is on no screen
    lines, requests = RequestLines("lines"), Requests()
    long = BELOW + "knowledge-base?" + "&".join(f"cursor{n}={n:09}" for n in range(5))
    for path in (BELOW + "agents", BELOW + f"knowledge-base/{'x' * 20}/content", long):
        requests.add(exchange(path=path))
    lines.show(requests.last())
    head = lines.heads(width)
    drawn = ["".join(part for part, _ in lines.parts(at, width)) for at in range(3)]
    assert head.split("  ")[0] == " Sent" and "  Took  Received" in head and "Answer  Request, below" in head
    assert {cell_len(line) for line in [head, *drawn]} == {min(width, OTHERS + len(long) - len(BELOW))}
    assert "/content " in drawn[1]
    assert (long.removeprefix(BELOW) in drawn[0]) is (width > 119)


async def test_requests_are_told_as_they_end_with_all_that_is_known_and_the_last_error_too(
    demo: Demo, wire: Wire, service: Service, tmp_path: Path
) -> None:
    id = service.add("Shared", "Words that are nobody's business.")
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.press("!")
        assert "Nothing has gone wrong" in house.notices
        await house.online()
        await house.until(lambda: house.indexes_known and house.reading, "all that is asked of itself")
        await house.press("@")
        log = house.app.screen
        assert isinstance(log, RequestLog)
        await house.until(lambda: "knowledge-base?" in drawn(house), "its requests")
        assert "Request, below /v1/convai/" in house.drawn[1] and "Received" in house.drawn[1]
        asked = len(log.kb.requests.last())
        wire.forget()
        await house.press("j", "j", "j")
        stands = log.request
        assert not wire.requests, "looking at requests"
        wire.answer(404, {"detail": {"status": "not_found", "message": "No such thing."}}, path=f"{id}$")
        row = house.browse.kb.mirror.row(id)
        house.browse.open(row)
        await house.until(lambda: "✕ 404" in drawn(house), "that one failed")
        assert log.request == stands and len(log.kb.requests.last()) > asked
        await house.press("g", "g", "enter")
        shown = drawn(house)
        assert f"GET /v1/convai/knowledge-base/{id}" in shown and "404" in shown
        assert demo.key not in shown and "$ELEVENLABS_API_KEY" in shown
        house.app._clipboard = ""
        await house.press("y")
        assert house.app.clipboard.startswith("curl -sS -H") and demo.key not in house.app.clipboard
        await house.press("T", "@", "T", "@")
        assert isinstance(house.app.screen, RequestLog) and len(house.app.screen_stack) == 2
        await house.press("enter", "@")
        assert isinstance(house.app.screen, RequestLog), "back to them, not to others over them"
        await house.press("T", "!", "!", "!")
        shown = drawn(house)
        assert "The last error" in shown and "What to do" in shown and "404" in shown
        await house.press("q")
        assert len(house.app.screen_stack) == 1
        await house.press("T", "T")
        assert len(house.app.screen_stack) == 1


async def test_tasks_tell_what_runs_leaving_asks_before_it_is_cut_off_and_x_cancels_what_may_be(
    demo: Demo, wire: Wire, service: Service, tmp_path: Path
) -> None:
    for number in range(3):
        service.add(f"Long {number}", "A sentence of some length about batteries. " * 300)
    async with opened(settings_for(wire.url, demo.key, tmp_path), (80, 24)) as house:
        await house.online()
        await house.press("T")
        assert isinstance(house.app.screen, TaskList)
        await house.until(lambda: "done, looks again at" in drawn(house), "how it stands")
        assert "x cancel" not in house.line("footer") and "cannot be cancelled" in drawn(house)
        await house.press("x")
        assert "Cancel: it waits for its next look" in house.notices
        await house.press("q", "/", *"Long", "enter", "space", "space", "space", "I")
        await house.until(lambda: drawn(house).count("no index yet") >= 3, "no index under any model")
        hold = wire.hold("request", method="POST", path="rag-index$")
        await house.press("B")
        await house.until(lambda: isinstance(house.app.screen, Question), "a question")
        await house.press("y", "T")
        await house.until(lambda: "Indexes of 3 documents" in drawn(house), "a job")
        assert "0 of 3 done" in drawn(house)
        await house.press("Q")
        await house.until(lambda: isinstance(house.app.screen, Question), "leaving cuts that off")
        await house.until(lambda: "the indexes of 3 documents." in drawn(house), "what is cut off")
        await house.press("n", "j", "x")
        await house.until(lambda: "Indexes of 3 documents" not in drawn(house), "begun no more")
        assert "Cancelled: Indexes of 3 documents" in house.notices
        hold.release()
        await house.press("q", "q")
        hold = wire.hold("request", path="knowledge-base", times=None)
        house.browse.visit()
        await house.press("R", "T")
        await house.until(lambda: "x cancels it" in drawn(house), "it asks")
        await house.until(lambda: "Read the first page" in drawn(house), "in words")
        assert not any("<" in task.title for task in house.app.tasks())
        assert "x cancel " in house.line("footer")
        await house.press("x")
        await house.until(lambda: "R goes on" in drawn(house), "broken off")
        hold.release()
        await house.press("q", "R")
        await house.online()


def test_the_focus_of_the_terminal_is_news_for_us_and_not_for_textual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = list[Message]()
    monkeypatch.setattr(LinuxDriver, "process_message", lambda self, message: heard.append(message))
    driver = PacedDriver.__new__(PacedDriver)
    driver._flying = deque()
    for message in (events.AppBlur(), events.AppFocus()):
        driver.process_message(message)
    assert [type(message) for message in heard] == [Returned]


async def test_who_comes_back_after_a_while_is_shown_what_is_new_and_may_read_only_or_change_again(
    demo: Demo, wire: Wire, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.add("Shared", "One.")
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Shared")
        await house.until(lambda: house.reading and house.indexes_known, "all that is asked of itself")
        wire.forget()
        house.app.post_message(Returned())
        await house.press("j")
        assert not wire.requests, "the last look is not old"
        monkeypatch.setattr("kbtui.tui.following.OLD", 0.0)
        house.app.post_message(Returned())
        await house.until(lambda: wire.requests, "a look")

        await house.press(":", *"set ro", "enter", "e")
        assert (
            "read-only" in house.line("header")
            and "Edit: this workspace is open for reading" in house.notices
        )
        house.wait_a_moment()
        await house.press(":", *"set rw", "enter", "e")
        await house.editor()
        await house.type("Word ")
        await house.press("ctrl+p", *"set ro", "enter", "ctrl+s")
        await house.until(lambda: "reading only" in house.notices and "draft" in house.notices, "not sent")
        assert not wire.patches
