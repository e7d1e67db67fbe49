"""What an agent sees of the mirror, against a walk of the tree; and how agents are told of."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kbtui.agents import Branch, User, branches, users
from kbtui.mirror import Mirror
from kbtui.models import AgentBranch, Dependent
from kbtui.models import Branch as Told
from kbtui.rows import ALL, ROOT, UNPLACED, Chosen, Eye
from tests.shelf import document, fill, shown

IDS = [f"id{number}" for number in range(9)]
DOCUMENTS = st.lists(
    st.builds(
        lambda id, type, parent: document(id, type=type, parent=parent),
        st.sampled_from(IDS),
        st.sampled_from(["text", "url", "folder", "folder"]),
        st.sampled_from([None, "unknown", *IDS]),
    ),
    unique_by=lambda each: each["id"],
)
ATTACHED = st.lists(st.sampled_from([*IDS, "gone"]), unique=True, max_size=4)


class Tree:
    """The same documents as a dictionary."""

    def __init__(self, documents: list[dict[str, Any]], attached: list[str]) -> None:
        self.rows = {each["id"]: each for each in documents}
        self.attached = attached
        self.leading = {folder for id in attached if id in self.rows for folder in self.above(id)}

    def is_folder(self, id: str | None) -> bool:
        return id in self.rows and self.rows[id]["type"] == "folder"

    def above(self, id: str) -> list[str]:
        """The folders that hold a document, from the inmost outwards; in a circle, each once."""
        found: list[str] = []
        here = self.rows[id]["folder_parent_id"]
        while self.is_folder(here) and here not in found:
            found.append(here)
            here = self.rows[here]["folder_parent_id"]
        return found

    def sees(self, id: str) -> bool:
        return id in self.attached or any(folder in self.attached for folder in self.above(id))

    def shows(self, id: str) -> bool:
        return self.sees(id) or id in self.leading

    def children(self, folder: str | None) -> set[str]:
        return {id for id, each in self.rows.items() if each["folder_parent_id"] == folder and self.shows(id)}


@settings(max_examples=100)
@given(documents=DOCUMENTS, attached=ATTACHED)
def test_an_agent_sees_what_is_attached_to_it_and_what_lies_below(
    documents: list[dict[str, Any]], attached: list[str]
) -> None:
    mirror = Mirror(None)
    fill(mirror, *documents)
    tree, eye = Tree(documents, attached), Eye(Chosen("a", "Ava"), tuple(attached))
    sight = mirror.sight(eye)
    leaves = {id for id in tree.rows if not tree.is_folder(id) and tree.sees(id)}
    assert set(shown(mirror, ALL, eye=eye)) == leaves and sight.counts[ALL] == len(leaves)
    assert set(shown(mirror, ROOT, eye=eye)) == tree.children(None)
    assert {folder.id for folder in sight.folders} == {
        id for id in tree.rows if tree.is_folder(id) and tree.shows(id)
    }
    for folder in sight.folders:
        assert set(shown(mirror, folder.id, eye=eye)) == tree.children(folder.id)
        assert folder.children == len(tree.children(folder.id))
        assert folder.documents == sum(folder.id in tree.above(id) for id in leaves)
    unplaced = {id for id in shown(mirror, UNPLACED) if tree.shows(id)}
    assert set(shown(mirror, UNPLACED, eye=eye)) == unplaced and sight.counts[UNPLACED] == len(unplaced)
    mirror.close()


def test_the_main_branch_is_the_one_with_none_above_it_and_the_archive_is_left_out() -> None:
    def read(*told: dict[str, Any]) -> list[Branch]:
        return branches([AgentBranch.read(each) for each in told])

    trial, old = {"id": "t", "name": "trial", "parent_branch_id": "m"}, {"id": "o", "is_archived": True}
    main = Branch("m", "live", True)
    assert read(trial, {"id": "m", "name": "live"}, old) == [main, Branch("t", "trial", False)]
    assert read({"id": "b", "name": "B"}, {"id": "m", "name": "MAIN"})[0] == Branch("m", "MAIN", True)
    assert read({"id": "b", "name": "B"}, {"id": "c", "name": "C"})[0] == Branch("b", "B", False)


def test_an_agent_that_names_nothing_uses_the_document_itself_and_one_that_is_told_twice_comes_once() -> None:
    agents = [
        {"id": "a", "name": "Ava"},
        {"id": "b", "type": "unknown", "referenced_resource_ids": ["f"]},
        {"id": "a", "name": "Ava", "referenced_resource_ids": ["f", "d"]},
    ]
    told = [
        {"agent_id": "a", "branch_id": "t", "branch_name": "trial"},
        {"agent_id": "a", "branch_id": "m", "branch_name": "Main", "is_main": True},
        {"agent_id": "a", "branch_id": "t", "branch_name": "trial"},
    ]
    found = users("d", map(Dependent.read, agents), map(Told.read, told))
    assert found == [
        User("a", "Ava", True, True, ("f",), ("Main", "trial")),
        User("b", "", False, False, ("f",), ()),
    ]
    assert users("d", [Dependent.read({"id": "c"})], [])[0].direct
