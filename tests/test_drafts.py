"""The journal of unsaved words: on the disk in time, whole, and offered again, whatever happened."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbtui.drafts import DELAY, Draft, Drafts, is_another
from kbtui.errors import Refused
from kbtui.rows import Body, DocumentRow
from tests.drafting import BASE, SIZE, URL, begin, files, left, opened, until

# In time


def test_the_timer_leaves_the_disk_a_part_of_the_promised_second() -> None:
    assert DELAY <= 0.7


def test_words_are_on_the_disk_soon_though_nobody_flushes(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        until(lambda: [found.text for found in left(tmp_path)] == ["typed"])


def test_the_timer_runs_from_the_first_key_and_typing_does_not_put_it_off(tmp_path: Path) -> None:
    with opened(tmp_path, delay=0.1) as drafts:
        draft = begin(drafts)
        keys = 0

        def typing() -> bool:
            nonlocal keys
            keys += 1
            drafts.typed(draft, lambda: "x" * keys)
            return bool(left(tmp_path))

        until(typing)
        assert 0 < len(left(tmp_path)[0].text) <= keys


def test_an_edit_without_a_key_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.flush()
        assert drafts.all() == []
        assert draft.text == BASE
    assert files(tmp_path) == []


def test_words_typed_and_taken_back_leave_no_draft_behind(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        drafts.flush()
        drafts.typed(draft, lambda: BASE)
        drafts.flush()
        assert drafts.all() == []
    assert files(tmp_path) == []


@pytest.mark.parametrize("way", ["flush", "key", "close"])
def test_a_draft_whose_folder_was_removed_is_written_anew(tmp_path: Path, way: str) -> None:
    with opened(tmp_path / "state", delay=10 if way == "flush" else 0.02) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        drafts.flush()
        while (tmp_path / "state").exists():  # the journal may be writing there
            shutil.rmtree(tmp_path / "state", ignore_errors=True)
        if way == "flush":
            drafts.flush()
            assert [kept.text for kept in left(tmp_path / "state")] == ["typed"]
        elif way == "key":
            drafts.typed(draft, lambda: "typed")
            until(lambda: [kept.elsewhere for kept in left(tmp_path / "state")] == [True])
    assert [draft.text for draft in left(tmp_path / "state")] == ["typed"]


# Byte for byte


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
@settings(max_examples=60)
def test_every_text_comes_back_byte_for_byte(base: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with opened(Path(folder)) as drafts:
            drafts.typed(begin(drafts, base=base), lambda: text)
        found = [(draft.base, draft.text) for draft in left(Path(folder))]
        assert found == ([(base, text)] if text != base else [])


def test_a_draft_tells_everything_about_its_edit(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts, field="name")
        drafts.typed(draft, lambda: "Other")
    found = left(tmp_path)[0]
    assert (found.id, found.document, found.name, found.field) == (draft.id, "d1", "Refunds", "name")
    assert (found.format, found.base_updated, found.session) == ("html", 7, draft.session)
    assert draft.started <= found.saved_at <= time.time()


def test_only_the_person_can_read_the_files(tmp_path: Path) -> None:
    with opened(tmp_path / "state" / "drafts") as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        drafts.lend(draft, ".html")
        for path in (tmp_path / "state").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_drafts_are_kept_by_base_url(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        drafts.typed(begin(drafts), lambda: "typed")
    assert len(left(tmp_path)) == 1
    assert left(tmp_path, "https://elsewhere.example.com") == []


# A save


def test_what_is_typed_during_a_save_is_the_next_draft(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "sent")
        drafts.flush()
        drafts.typed(draft, lambda: "sent, and more")
        rest = drafts.saved(draft, "sent", updated=9)
        assert rest is not None
        assert (rest.base, rest.text, rest.base_updated) == ("sent", "sent, and more", 9)
        until(lambda: [found.base for found in left(tmp_path)] == ["sent"])
        assert left(tmp_path)[0].text == "sent, and more"
        assert drafts.saved(rest, "sent, and more", updated=10) is None
        assert drafts.all() == left(tmp_path) == []


def test_a_draft_on_another_base_keeps_what_is_being_typed(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        words = "one"
        drafts.typed(draft, lambda: words)
        drafts.flush()
        words = "one two"
        moved = drafts.rebase(draft, base="theirs", updated=8)
        assert (moved.base, moved.text, moved.base_updated) == ("theirs", "one two", 8)
        merged = drafts.rebase(moved, base="theirs", text="merged")
        assert merged.text == "merged"
    assert [(found.base, found.text) for found in left(tmp_path)] == [("theirs", "merged")]


def test_the_disk_never_pairs_a_base_with_the_text_of_another(tmp_path: Path) -> None:
    stop = threading.Event()
    torn: list[tuple[str, str]] = []

    def look() -> None:
        while not stop.is_set():
            torn.extend((d.base, d.text) for d in left(tmp_path) if d.base.split()[0] != d.text.split()[0])

    with opened(tmp_path, delay=0.0) as drafts:
        draft = begin(drafts, base="0 base")
        drafts.typed(draft, lambda: "0 text")
        looking = threading.Thread(target=look)
        looking.start()
        for n in range(1, 200):
            drafts.rebase(draft, base=f"{n} base", text=f"{n} text")
            if n % 3 == 0:
                drafts.flush()
        stop.set()
        looking.join()
    assert torn == []
    assert [(found.base, found.text) for found in left(tmp_path)] == [("199 base", "199 text")]


def test_a_dropped_draft_stays_dropped_though_its_editor_types_on(tmp_path: Path) -> None:
    with opened(tmp_path, delay=0.0) as drafts:
        for n in range(50):
            draft = begin(drafts)
            drafts.typed(draft, lambda n=n: f"typed {n}")  # type: ignore[misc]
            drafts.drop(draft)
            drafts.typed(draft, lambda: "too late")
        drafts.flush()
        assert drafts.all() == []
    assert files(tmp_path) == []


# Other sessions


def test_a_draft_of_a_living_session_is_shown_and_cannot_be_taken(tmp_path: Path) -> None:
    with opened(tmp_path) as theirs, opened(tmp_path) as mine:
        theirs.typed(begin(theirs), lambda: "theirs")
        theirs.flush()
        (draft,) = mine.all()
        assert draft.elsewhere
        assert not theirs.all()[0].elsewhere
        for refused in (mine.adopt, mine.drop):
            with pytest.raises(Refused, match="Another kbtui is typing"):
                refused(draft)
        assert mine.trim(max_age=0, max_bytes=0) == 0
        assert theirs.all()[0].text == "theirs"


def test_two_sessions_have_a_draft_of_one_document_each(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        one.typed(begin(one), lambda: "of one")
        other.typed(begin(other), lambda: "of other")
    assert sorted(draft.text for draft in left(tmp_path)) == ["of one", "of other"]


def test_a_draft_of_a_dead_session_is_taken_over(tmp_path: Path) -> None:
    with opened(tmp_path) as dead:
        dead.typed(begin(dead), lambda: "kept")
    with opened(tmp_path) as drafts, opened(tmp_path) as third:
        (found,) = drafts.all()
        assert not found.elsewhere
        draft = drafts.adopt(found)
        assert (draft.text, draft.base, draft.session) == ("kept", BASE, drafts.session)
        assert third.all()[0].elsewhere
        drafts.typed(draft, lambda: "kept and more")
        assert drafts.adopt(draft).text == "kept and more"
        with pytest.raises(Refused, match="gone"):
            third.adopt(found)
    assert [draft.text for draft in left(tmp_path)] == ["kept and more"]


def test_of_many_that_take_one_draft_over_one_gets_it(tmp_path: Path) -> None:
    with opened(tmp_path) as dead:
        dead.typed(begin(dead), lambda: "kept")
    sessions = [Drafts(tmp_path, URL) for _ in range(6)]
    (found,) = sessions[0].all()
    won: list[Draft] = []
    start = threading.Barrier(len(sessions))

    def take(drafts: Drafts) -> None:
        start.wait()
        with suppress(Refused):
            won.append(drafts.adopt(found))

    threads = [threading.Thread(target=take, args=(drafts,)) for drafts in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    for drafts in sessions:
        drafts.close()
    assert [draft.text for draft in left(tmp_path)] == ["kept"]


def test_the_newest_draft_comes_first(tmp_path: Path) -> None:
    for text in ("first", "second", "third"):
        with opened(tmp_path) as drafts:
            drafts.typed(begin(drafts), lambda text=text: text)  # type: ignore[misc]
    assert [draft.text for draft in left(tmp_path)] == ["third", "second", "first"]


# Damage and limits


def test_a_damaged_draft_is_told_of_and_kept_and_hides_no_other(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        for text in ("one", "two", "three"):
            drafts.typed(begin(drafts), lambda text=text: text)  # type: ignore[misc]
    one, two, _ = sorted(tmp_path.rglob("draft"))
    one.write_bytes(b"\xff not what it was")
    next(two.parent.glob("base-*")).unlink()
    with opened(tmp_path) as drafts:
        assert len(drafts.all()) == 1
        assert len(drafts.damaged) == 2
        assert any(str(one.parent) in sentence for sentence in drafts.damaged)
        assert drafts.trim(max_age=0, max_bytes=0) == 1
    assert one.exists()
    assert two.exists()


def test_a_draft_of_a_newer_kbtui_that_tells_more_is_read(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        drafts.typed(begin(drafts), lambda: "typed")
    (path,) = tmp_path.rglob("draft")
    header, _, text = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps({**json.loads(header), "mood": "good"}).encode() + b"\n" + text)
    assert left(tmp_path)[0].text == "typed"


def tampered() -> Iterator[Any]:
    """Headers that nobody of ours wrote, and what they say instead of the truth."""
    yield from ("null", "[]", "{}", '"x"', "[" * 100_000, "9" * 5000, '{"base": 5}')
    strange: tuple[Any, ...] = (
        None,
        5,
        [],
        {},
        "\0",
        "../../x",
        "x" * 300,
        float("nan"),
        1e400,
        1e300,
        -1e300,
        "\ud800",
        True,
    )
    for key in (
        "document",
        "name",
        "field",
        "format",
        "base_updated",
        "session",
        "started",
        "saved_at",
        "base",
    ):
        yield from ({key: value} for value in strange)


def test_a_draft_that_somebody_tampered_with_is_no_harm_and_not_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        drafts.typed(begin(drafts), lambda: "typed")
    (path,) = tmp_path.rglob("draft")
    header, _, text = path.read_bytes().partition(b"\n")
    for strange in tampered():
        said = strange if isinstance(strange, str) else json.dumps({**json.loads(header), **strange})
        path.write_bytes(said.encode() + b"\n" + text)
        with opened(tmp_path) as drafts:
            found = drafts.all()
            assert len(found) + len(drafts.damaged) == 1, said[:300]
            for draft in found:
                assert {draft.document} and time.localtime(draft.saved_at), said
            drafts.trim(max_age=1e12, max_bytes=10**9)
        assert path.exists(), said[:300]


def test_limits_take_the_old_and_the_oldest_and_spare_the_living(tmp_path: Path) -> None:
    for n in range(4):
        with opened(tmp_path) as drafts:
            drafts.typed(begin(drafts, base=""), lambda n=n: str(n) * 10_000)  # type: ignore[misc]
    with opened(tmp_path) as drafts:
        mine = begin(drafts)
        drafts.typed(mine, lambda: "mine" * 10_000)
        drafts.flush()
        assert drafts.trim(max_age=3600, max_bytes=10**9) == 0
        assert drafts.trim(max_age=3600, max_bytes=25_000) == 2
        assert [draft.text[0] for draft in drafts.all()] == ["m", "3", "2"]
        assert drafts.trim(max_age=0, max_bytes=10**9) == 2
        assert [draft.text[0] for draft in drafts.all()] == ["m"]


def test_limits_pass_over_what_cannot_be_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        sessions = drafts._journal._sessions
        in_the_way = sessions / "no-file"
        in_the_way.mkdir(parents=True)
        os.utime(in_the_way, (0, 0))
        assert drafts.trim(1e9, 10**9) == 0
        assert in_the_way.is_dir()


def test_a_session_that_could_not_begin_at_first_is_alive_once_the_disk_is_well(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path, URL, delay=0.02)
    folder = drafts._journal._folder
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    draft = begin(drafts)
    drafts.typed(draft, lambda: "typed")
    drafts.flush()
    assert drafts.trouble
    folder.unlink()
    beside = Drafts(tmp_path, URL)
    until(lambda: [(each.text, each.elsewhere) for each in beside.all()] == [("typed", True)])
    until(lambda: not drafts.trouble)
    drafts.close()
    beside.close()


def test_limits_clear_what_a_crash_left_half_done(tmp_path: Path) -> None:
    with opened(tmp_path) as drafts:
        drafts.typed(begin(drafts), lambda: "typed")
        drafts.flush()
        (folder,) = tmp_path.iterdir()
        (folder / ".gone-1").mkdir()
        (folder / ".gone-1" / "draft").write_text("x")
        (folder / "unborn").mkdir()
        (folder / "sessions" / "dead").touch()
        for path in (folder / "unborn", folder / "sessions" / "dead"):
            os.utime(path, (0, 0))
        drafts.trim(max_age=3600, max_bytes=10**9)
        assert {path.name for path in folder.iterdir()} == {"sessions", drafts.all()[0].id}
        assert {path.name for path in (folder / "sessions").iterdir()} == {drafts.session}


def test_a_full_disk_stops_no_key_and_is_told_until_the_words_are_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "before")
        drafts.flush()

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", full)
            drafts.typed(draft, lambda: "while the disk was full")
            until(lambda: drafts.trouble)
            drafts.typed(draft, lambda: "while the disk was still full")
            drafts.flush()
            assert drafts.trouble == "No space left on device"
            assert left(tmp_path)[0].text == "before"
            assert drafts.all()[0].text == "while the disk was still full"
        until(lambda: not drafts.trouble)
        assert left(tmp_path)[0].text == "while the disk was still full"
        assert not [name for name in files(tmp_path) if name.startswith(".")]


def test_a_folder_that_cannot_be_made_stops_no_key(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file in the way")
    with opened(tmp_path / "drafts") as drafts:
        draft = begin(drafts)
        drafts.typed(draft, lambda: "typed")
        until(lambda: drafts.trouble)
        assert [found.text for found in drafts.all()] == ["typed"]
        (tmp_path / "drafts").unlink()
        until(lambda: not drafts.trouble)
    assert [found.text for found in left(tmp_path / "drafts")] == ["typed"]


@pytest.mark.parametrize(
    ("name", "size", "text", "another"),
    [
        ("Faq", SIZE, None, True),  # its text, or only how it is renewed: nobody knows
        ("FAQ", SIZE, None, False),
        ("FAQ", SIZE + 1, None, True),
        ("Faq", SIZE + 1, BASE, False),
        ("FAQ", SIZE, "Another.", True),
    ],
)
def test_a_document_was_changed_by_others_where_its_text_may_be_another(
    name: str, size: int, text: str | None, another: bool
) -> None:
    draft = Draft("a", "d", "Faq", "content", "html", BASE, 1, "Mine.", "b", 0.0, 0.0)
    row = DocumentRow("d", name, "text", size, 0, 2, None, None, None, "admin", None, None)
    body = Body("d", "html", text, 2) if text is not None else None
    assert is_another(row, body, draft) is another
    assert is_another(row, body, replace(draft, field="name", base="Faq")) is (name != "Faq")
