"""kbtui without the screen: the same answers as the service's, in lines or as its own objects."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbtui.__main__ import main
from kbtui.answers import merged
from kbtui.demo.server import Demo
from kbtui.history import History
from kbtui.settings import Places
from tests.e2e.terminal import Terminal
from tests.e2e.visit import environment
from tests.service import Service
from tests.wire import Wire

Kbtui = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kbtui(demo: Demo, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Kbtui:
    """A command on the demo; its exit code, what it wrote and what it said."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", demo.key)

    def run(*argv: str, url: str = demo.url) -> tuple[int, str, str]:
        try:
            code = main([*argv, "--base-url", url])
        except SystemExit as ended:
            assert isinstance(ended.code, int)
            code = ended.code
        wrote, said = capsysbinary.readouterr()
        return code, wrote.decode(), said.decode()

    return run


def listed(service: Service, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = service.call("GET", "/knowledge-base", params={**query, "page_size": 100, "cursor": cursor})
        found += page["documents"]
        cursor = page.get("next_cursor")
        if not cursor:
            return found


def test_ls_lists_the_root_a_folder_or_all_below_it(kbtui: Kbtui, service: Service) -> None:
    everything = listed(service, sort_by="name", sort_direction="asc")
    code, wrote, _ = kbtui("ls", "--json")
    assert code == 0
    assert json.loads(wrote) == [each for each in everything if each["folder_parent_id"] is None]
    support = service.id("Support")
    for named in (support, "Support", "/Support/"):
        _, wrote, _ = kbtui("ls", named)
        inside = [each for each in everything if each["folder_parent_id"] == support]
        lines = [line.split("\t") for line in wrote.splitlines()]
        assert [line[0] for line in lines] == [each["id"] for each in inside]
        assert all(len(line) == 5 and line[3].endswith("Z") for line in lines)
    code, wrote, _ = kbtui("ls", "-r", "--type", "text", "--type", "url", "--sort", "size", "--reverse")
    lines = [line.split("\t") for line in wrote.splitlines()]
    assert len(lines) == sum(each["type"] in ("text", "url") for each in everything)
    sizes = [int(line[2]) for line in lines]
    assert sizes == sorted(sizes, reverse=True)
    assert "Support/Billing/Chargebacks" in [line[4] for line in lines]
    code, _, said = kbtui("ls", "Chargebacks")
    assert code == 4 and "is no folder" in said


def test_a_document_is_named_by_its_id_its_name_or_its_path(kbtui: Kbtui, service: Service) -> None:
    folder, other = service.folder("Twins"), service.folder("Others")
    here, there = service.add("A/B test", "here", folder), service.add("A/B test", "there", other)
    for named, text in ((here, "here"), ("Twins/A/B test", "here"), ("/Others/A/B test", "there")):
        assert kbtui("cat", named) == (0, text, "")
    code, wrote, said = kbtui("cat", "A/B test")
    assert (code, wrote) == (4, "") and here in said and there in said
    for gone in ("A/B", "Elsewhere/A/B test", "a_name_like_an_id", ""):
        code, wrote, said = kbtui("cat", gone)
        assert (code, wrote) == (3, "") and said.startswith("kbtui: There is no document")


BODY = "line\r\nbreaks\rof all\nkinds\u2028 and é \x07\x1b[31m no end"


def test_cat_writes_every_byte_as_it_is_and_nothing_else(kbtui: Kbtui, service: Service) -> None:
    service.add("Bytes", BODY)
    service.add("More bytes", "more")
    assert kbtui("cat", "Bytes", "More bytes") == (0, BODY + "more", "")
    code, _, said = kbtui("cat", "Support")
    assert code == 4 and "kbtui ls" in said


def test_on_a_terminal_nothing_that_is_written_is_obeyed(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("\x1b]0;named\x07", BODY)
    env = environment(tmp_path / "home", ELEVENLABS_API_KEY=demo.key)
    for command in (("cat", "\x1b]0;named\x07"), ("ls",), ("ls", "--json"), ("search", "kinds")):
        with Terminal(sys.executable, "-m", "kbtui", *command, "--base-url", demo.url, env=env) as terminal:
            assert terminal.ended() == 0
            assert b"\x1b" not in terminal.raw and b"\x07" not in terminal.raw
            assert b"named" in terminal.raw or b"no end" in terminal.raw


def test_search_marks_what_was_found(kbtui: Kbtui, service: Service) -> None:
    theirs = service.call("GET", "/knowledge-base/search", params={"query": "refund", "page_size": 100})
    code, wrote, _ = kbtui("search", "refund", "--json", "-n", "100")
    assert code == 0 and json.loads(wrote) == theirs["results"]
    code, wrote, _ = kbtui("search", "refund", "-n", "2")
    first, snippet, _, _ = wrote.splitlines()
    assert (
        first.split("\t")[2] == theirs["results"][0]["document"]["id"] and "»" in snippet and "«" in snippet
    )
    assert kbtui("search", "xyzzyqq", "--json") == (0, "[]\n", "")


def test_search_goes_on_to_further_pages(kbtui: Kbtui, service: Service) -> None:
    for number in range(45):
        service.add(f"Quokka {number}", f"A quokka, number {number}.")
    code, wrote, _ = kbtui("search", "quokka", "--json", "-n", "40")
    ids = [each["document"]["id"] for each in json.loads(wrote)]
    assert code == 0 and len(ids) == len(set(ids)) == 40


def test_chunks_are_those_of_the_index_that_is_ready(kbtui: Kbtui, service: Service) -> None:
    id = service.add("Long", "\n\n".join(f"Paragraph {number}. " + "Words. " * 60 for number in range(30)))
    code, _, said = kbtui("chunks", "Long")
    assert code == 3 and "no index that is ready" in said
    model = "multilingual_e5_large_instruct"
    service.call("POST", f"/knowledge-base/{id}/rag-index", json={"model": model})
    theirs = service.call(
        "GET", f"/knowledge-base/{id}/chunks", params={"embedding_model": model, "page_size": 100}
    )
    for flags in ((), ("--model", model)):
        code, wrote, _ = kbtui("chunks", "Long", "--json", *flags)
        assert code == 0 and json.loads(wrote) == theirs["chunks"] and len(theirs["chunks"]) > 3
    code, wrote, _ = kbtui("chunks", "Long")
    assert wrote.count("\n# ") == len(theirs["chunks"]) - 1 and theirs["chunks"][0]["id"] in wrote
    code, wrote, _ = kbtui("chunks", "Long", "--places")
    places = [tuple(map(int, each)) for each in re.findall(r"(?m)^# .* at (\d+) to (\d+), lines? ", wrote)]
    text = service.text(id)
    for (start, end), chunk in zip(places, theirs["chunks"], strict=True):
        assert text[start - 1 : end] in chunk["content"] and end - start > len(chunk["content"]) - 10


def test_ask_shows_what_an_agent_would_retrieve(kbtui: Kbtui, service: Service) -> None:
    agent = service.call("GET", "/agents", params={"search": "Night desk"})["agents"][0]["agent_id"]
    path, question = f"/agents/{agent}/knowledge-base/rag-query", "How long may I send things back?"
    for flags, body in (
        ((), {"strategy": "semantic", "use_agent_defaults": True}),
        (("--keyword", "--neutral"), {"strategy": "keyword", "use_agent_defaults": False}),
    ):
        theirs = service.call("POST", path, json={"query": question, **body})
        for named in (agent, "Night desk"):
            code, wrote, _ = kbtui("ask", named, *question.split(), "--json", *flags)
            assert code == 0 and json.loads(wrote) == theirs["chunks"]
    code, wrote, _ = kbtui("ask", agent, question)
    assert code == 0 and wrote.startswith("# 1  distance 0.")
    code, _, said = kbtui("ask", "Nobody", "Why?")
    assert code == 3 and "There is no agent “Nobody”. There are “" in said


def test_kept_questions_are_asked_again_and_what_changed_is_told(kbtui: Kbtui, service: Service) -> None:
    agent = service.call("GET", "/agents", params={"search": "Night desk"})["agents"][0]["agent_id"]
    path, words = f"/agents/{agent}/knowledge-base/rag-query", "How long may I send things back?"
    code, wrote, said = kbtui("ask", "--kept")
    assert (code, wrote) == (3, "") and "No question is kept." in said
    plain = kbtui("ask", "Night desk", words)
    assert kbtui("ask", "--kept")[0] == 3
    assert kbtui("ask", "Night desk", *words.split(), "--keep") == plain
    code, wrote, _ = kbtui("ask", "--keep", "--keyword", "--neutral", agent, "refund", "--json")
    refund = {"query": "refund", "strategy": "keyword", "use_agent_defaults": False}
    assert code == 0 and json.loads(wrote) == service.call("POST", path, json=refund)["chunks"]
    for _ in range(2):  # in the same order each time
        code, wrote, said = kbtui("ask", "--kept")
        first, second = wrote.rstrip().split("\n\n")
        assert (code, said) == (0, "") and first.splitlines()[0] == f"# Night desk  {words}"
        assert second.splitlines()[0] == "# Night desk  refund  by words  neutral"
        assert re.fullmatch(r"since \d{4}-\S+Z: \d+ stayed", first.splitlines()[1])
    nearest = service.call("POST", path, json={"query": words})["chunks"][0]
    id = nearest["document_id"]
    service.patch(id, content=f"You may send things back. {service.text(id)}\x1b[31m")
    code, wrote, _ = kbtui("ask", "--kept")
    assert code == 0 and "1 in other words" in wrote and "\x1b" not in wrote
    assert re.search(rf"(?m)^stayed  1 → 1  distance 0.\d+ → 0.\d+  .*  {id}/\S+  other words$", wrote)
    service.patch(id, content="Nothing.")
    wrote = kbtui("ask", "--kept")[1]
    assert re.search(rf"(?m)^went  1 → -  distance 0.\d+ → -  .*  {id}/\S+$", wrote)
    code, wrote, _ = kbtui("ask", "--kept", "--json")
    theirs = service.call("POST", path, json={"query": words, "strategy": "semantic"})
    assert code == 0 and json.loads(wrote) == [theirs, service.call("POST", path, json=refund)]


def test_a_kept_question_without_an_answer_keeps_none_of_the_others_from_theirs(
    kbtui: Kbtui, demo: Demo
) -> None:
    for words in ("Why?", "refund"):
        assert kbtui("ask", "--keep", "--keyword", "Night desk", words)[0] == 0
    history = History.open(Places.of_user().state / "state.db")
    (gone,) = [each for each in history.questions(demo.url) if each.words == "Why?"]
    history.forget_question(demo.url, gone)
    history.keep_question(demo.url, gone._replace(agent="agent_that_is_gone"))
    new = gone._replace(words="parcel")
    history.keep_question(demo.url, new)
    history.close()
    code, wrote, said = kbtui("ask", "--kept")
    assert code == 3 and "One kept question has no answer: “Why?”: " in said
    assert "  refund  by words\nsince " in wrote and "  parcel  by words\nfirst answer: " in wrote
    assert kbtui("ask", "--kept", url="http://127.0.0.1:1")[0] == 3  # nothing is kept of that address


def test_a_question_that_cannot_be_kept_is_told(kbtui: Kbtui) -> None:
    state = Places.of_user().state
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text("a file in the way")
    for argv in (("ask", "--keep", "Night desk", "refund"), ("ask", "--kept")):
        code, wrote, said = kbtui(*argv)
        assert (code, wrote) == (
            4,
            "",
        ) and "out of reach. The history is not usable" in said


def test_info_tells_place_index_and_agents(kbtui: Kbtui, service: Service) -> None:
    code, wrote, _ = kbtui("info", "Chargebacks")
    facts = dict(line.split(maxsplit=1) for line in wrote.splitlines())
    assert (
        code == 0
        and facts["path"] == "Support/Billing/Chargebacks"
        and facts["id"] == service.id("Chargebacks")
    )
    agents = [line.split(maxsplit=1)[1] for line in wrote.splitlines() if line.startswith("agent")]
    assert [each.partition(") ")[2] or each.partition("), ")[2] for each in agents] == [
        "through a folder, on Main, winter-tariffs",
        "on Main",
    ]
    assert "e5_mistral_7b_instruct" in facts["index"]
    code, wrote, _ = kbtui("info", "Chargebacks", "Support", "--json")
    assert [each["name"] for each in json.loads(wrote)] == ["Chargebacks", "Support"]
    code, wrote, _ = kbtui("info", "Chargebacks", "Nowhere", "--json")
    assert code == 3 and [each["name"] for each in json.loads(wrote)] == ["Chargebacks"]


def test_the_exit_code_tells_why_there_is_no_answer(kbtui: Kbtui, monkeypatch: pytest.MonkeyPatch) -> None:
    code, wrote, said = kbtui("ls", url="http://127.0.0.1:1")
    assert (code, wrote) == (5, "") and said.startswith("kbtui: ")
    for argv in (
        ["ls", "--bogus"], ["cat"], ["ls", "--sort", "colour"], ["ls", "--type", "book"],
        ["search", " "], ["search", "x", "-n", "0"], ["ask", "Night desk", ""],
        ["ask"], ["ask", "Night desk"], ["ask", "--kept", "Night desk"], ["ask", "--keep", "--kept"],
        ["ask", "--kept", "--neutral"],
    ):  # fmt: skip
        code, wrote, said = kbtui(*argv)
        assert (code, wrote) == (2, "") and f"See kbtui {argv[0]} --help." in said
    monkeypatch.setenv("ELEVENLABS_API_KEY", "wrong")
    assert kbtui("ls")[0] == 4
    monkeypatch.delenv("ELEVENLABS_API_KEY")
    code, _, said = kbtui("ls")
    assert code == 2 and "no API key" in said


def test_a_pipe_that_nobody_reads_any_more_ends_it_quietly(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Large", "x" * 3_000_000)
    env = environment(tmp_path / "home", ELEVENLABS_API_KEY=demo.key)
    for command in (("cat", "Large"), ("ls", "-r")):
        kbtui = [sys.executable, "-m", "kbtui", *command, "--base-url", demo.url]
        reading, writing = os.pipe()
        process = subprocess.Popen(kbtui, env=env, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        os.close(reading)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (141, b"")


def test_it_is_interrupted_without_a_word(demo: Demo, wire: Wire, tmp_path: Path) -> None:
    env = environment(tmp_path / "home", ELEVENLABS_API_KEY=demo.key)
    hold = wire.hold("answer")
    kbtui = [sys.executable, "-m", "kbtui", "ls", "--base-url", wire.url]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where these tests hear nothing of it
    process = subprocess.Popen(kbtui, env=env, stdout=-1, stderr=-1, preexec_fn=heard)
    hold.wait()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"") and process.returncode == 130
    hold.release()


@pytest.mark.parametrize("command", [("ls",), ("cat", "Large")])
def test_an_output_that_takes_no_more_is_told(
    command: tuple[str, ...], demo: Demo, service: Service, tmp_path: Path
) -> None:
    service.add("Large", "x" * 100_000)
    env = environment(tmp_path / "home", ELEVENLABS_API_KEY=demo.key)
    kbtui = [sys.executable, "-m", "kbtui", *command, "--base-url", demo.url]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(kbtui, env=env, stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 6 and done.stderr.startswith(b"kbtui: The output cannot be written: ")
    assert done.stderr.count(b"\n") == 1


@given(pages=st.lists(st.lists(st.integers(0, 20))))
async def test_pages_are_merged_without_losing_or_repeating_anything(pages: list[list[int]]) -> None:
    async def read() -> AsyncIterator[Sequence[int]]:
        for page in pages:
            yield page

    found = [each async for page in merged(read(), lambda number: number) for each in page]
    assert found == list(dict.fromkeys(each for page in pages for each in page))
