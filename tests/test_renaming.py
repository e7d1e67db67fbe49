"""Names that are changed in their line of the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbtui.demo.server import Demo
from kbtui.drafts import Drafts
from kbtui.tui.widgets.fields import NameField
from tests.house import BASE, last_change, opened, settings_for
from tests.service import Service
from tests.wire import Wire


async def test_a_name_is_changed_in_its_line_and_the_service_has_it(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        id = house.row.id
        await house.press("r")
        field = house.app.screen.query_one(NameField)
        documents = house.browse.documents
        await house.until(lambda: field.region.y == documents.region.y + documents.cursor, "over its line")
        assert field.value == "Chargebacks"
        await house.type(", revised")
        (draft,) = house.drafts
        assert (draft.field, draft.base, draft.text) == ("name", "Chargebacks", "Chargebacks, revised")
        beside = Drafts(tmp_path / "state" / "drafts", wire.url)
        await house.until(lambda: [each.text for each in beside.all()] == [draft.text], "on the disk")
        service.add("Above: chargebacks", "words")
        house.app.do_sync_refresh()
        await house.until(lambda: house.browse.documents.cursor == 1, "a line further down")
        await house.until(lambda: field.region.y == documents.region.y + 1, "still over its line")
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "the answer")
        assert service.get(id)["name"] == "Chargebacks, revised"
        (patch,) = wire.patches
        assert patch.json() == {"name": "Chargebacks, revised"} and house.drafts == []
        await house.until(lambda: "Chargebacks, revised" in house.names, "in the list")
        assert house.row.id == id and not field.display
        await house.press("r", "ctrl+u", "space", "enter")
        assert "at least one character" in house.notices and field.display
        await house.press("escape")
        assert not field.display and house.drafts == [] and len(wire.patches) == 1
        await house.press("r", "enter")
        await house.pilot.pause()
        assert len(wire.patches) == 1


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_field_for_a_name_lies_over_its_line_at_every_size(
    demo: Demo, service: Service, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path), size) as house:
        await house.online()
        documents = house.browse.documents
        await house.press("G", "3", "r")
        field = house.app.screen.query_one(NameField)
        await house.until(lambda: field.region.y == documents.region.y + documents.cursor, "over its line")
        assert field.region.width > 40 and field.value == "Welcome to the knowledge base"
        await house.press("escape")
        await house.enter("Support")
        await house.press("/", *"re", "enter")
        await house.until(lambda: house.reading and house.indexes_known and house.settled, "at rest")
        house.browse.run_id("list.unfilter")
        house.browse.run_id("document.rename")
        await house.until(lambda: documents.region.y == 2, "the filter is gone, the list a line higher")
        await house.pilot.pause()
        assert field.region.y == 2 + documents.cursor
        await house.press("escape", "g", "h", "G", "r")
        await house.pilot.resize_terminal(100, 30)
        await house.until(lambda: field.region.right <= 100 and field.region.width > 40, "after a resize")
        await house.press("escape", "1", "j", "r")
        folders = house.browse.folders
        await house.until(lambda: field.region.y == folders.region.y + folders.cursor, "over the tree")
        assert field.value == "Agent scripts"
        await house.press("ctrl+u", *"Scripts", "enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.id("Scripts") and house.browse.pane == "tree"
        house.burst("2", "G", "r", "ctrl+u", *"Typed at once", "enter", "k")
        await house.until(lambda: "Typed at once" in house.names, "renamed in one go")
        assert house.row.name != "Typed at once"


async def test_a_name_that_somebody_else_changed_is_not_replaced_unasked(
    demo: Demo, service: Service, tmp_path: Path
) -> None:
    async with opened(settings_for(demo.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        id = house.row.id
        await house.press("escape")  # else it leaves the list with its name
        await house.press("r", "ctrl+u", *"Mine")
        service.patch(id, name="Theirs")
        await house.press("enter")
        await house.until(lambda: "renamed to “Theirs” meanwhile" in house.notices, "the conflict")
        assert service.get(id)["name"] == "Theirs" and house.drafts[0].text == "Mine"
        await house.press("r")
        assert house.app.screen.query_one(NameField).value == "Mine"
        await house.press("enter")
        await house.until(lambda: "Renamed" in house.notices, "renamed")
        assert service.get(id)["name"] == "Mine"
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.get(id)["name"] == "Theirs"


async def test_two_names_under_way_are_kept_apart(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        first = house.row.id
        hold = wire.hold("request", method="PATCH")
        wire.cut("request", method="PATCH", times=None)
        await house.press("r", *" A", "enter")
        await house.select("Payment methods")
        await house.press("r", *" B")
        texts = {draft.document: draft.text for draft in house.drafts}
        assert texts == {first: "Chargebacks A", house.row.id: "Payment methods B"}
        hold.release()
        await house.until(lambda: "X stops" in house.status, "a countdown")
        await house.press("escape", "X")
        await house.until(lambda: house.notices, "told that the line was cut")
        assert [draft.text for draft in house.drafts] == ["Chargebacks A"]
        wire.heal()
        await house.press("r", *" C", "enter")
        await house.until(lambda: "Renamed" in house.notices, "the second")
        assert service.get(first)["name"] == "Chargebacks"
        assert [draft.text for draft in house.drafts] == ["Chargebacks A"]


async def test_a_rename_of_unknown_fate_is_found_out_and_can_be_undone(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Chargebacks")
        id = house.row.id
        wire.cut("answer", method="PATCH", times=None)
        await house.press("r", *" A", "enter")
        await house.until(lambda: "X stops" in house.status, "a countdown")
        await house.press("X")
        await house.until(lambda: house.notices, "told")
        wire.heal()
        wire.forget()
        assert service.get(id)["name"] == "Chargebacks A" and len(house.drafts) == 1
        await house.press("r", "enter")
        await house.until(lambda: "Renamed" in house.notices, "found out")
        assert not wire.patches and house.drafts == []
        await house.press("u")
        await house.until(lambda: "Undone" in house.notices, "undone")
        assert service.get(id)["name"] == "Chargebacks"


async def test_a_name_that_the_service_keeps_otherwise_stays_a_draft(
    demo: Demo, service: Service, wire: Wire, tmp_path: Path
) -> None:
    service.add("Zebra", BASE)
    async with opened(settings_for(wire.url, demo.key, tmp_path)) as house:
        await house.online()
        await house.select("Zebra")
        wire.rewrite(
            lambda answer: {**answer, "name": "zebra!"}, path=f"{house.row.id}$",
            when=lambda _: bool(wire.patches), times=None,
        )  # fmt: skip
        await house.press("r", *"!", "enter")
        await house.until(lambda: "keeps the name “zebra!”" in house.notices, "told")
        assert [(draft.base, draft.text) for draft in house.drafts] == [("zebra!", "Zebra!")]
        assert "u takes" not in house.notices and last_change(house.browse.kb) == ("rename", "Zebra")
