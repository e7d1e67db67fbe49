"""Views that are kept by name, between what they are and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kbtui.filters import parse, show
from kbtui.rows import SORTS, Chosen, View


class KeptView(NamedTuple):
    """A view by its name.

    `agent` is whose eyes it is seen through: what that sees is asked anew. `trouble` tells what of its filter
    is not understood, and left out; then `typed` is all of it, which is kept as it is.
    """

    name: str
    view: View
    agent: Chosen | None = None
    trouble: str = ""
    typed: str = ""

    @property
    def filter(self) -> str:
        """What would have to be typed for its filter."""
        return self.typed or " ".join(filter(None, show(self.view)))


def kept_view(name: str, view: View) -> KeptView:
    """A view as it is shown, under a name."""
    return KeptView(name, view._replace(eye=None), view.eye.chosen if view.eye else None)


def dump(views: Iterable[KeptView]) -> list[dict[str, Any]]:
    """What is kept of them."""
    return [
        {
            "name": each.name,
            "scope": each.view.scope,
            "sort": each.view.sort,
            "descending": each.view.descending,
            "filter": each.filter,
            "agent": each.agent,
        }
        for each in views
    ]


def load(kept: object) -> list[KeptView]:
    """The views of what was kept, by name; what is damaged is left out."""
    found = (_one(each) for each in kept if isinstance(each, Mapping)) if isinstance(kept, list) else ()
    return sorted((each for each in found if each), key=lambda each: (each.name.casefold(), each.name))


def _one(kept: Mapping[str, Any]) -> KeptView | None:
    name, scope, sort = kept.get("name"), kept.get("scope"), kept.get("sort")
    typed, agent = kept.get("filter"), kept.get("agent")
    if not (isinstance(name, str) and isinstance(scope, str) and isinstance(typed, str)):
        return None
    parts = parse(typed)
    sort = sort if sort in SORTS else "name"
    view = View(scope, sort, kept.get("descending") is True, parts.text, parts.types, terms=parts.terms)
    why, whole = (parts.wrong.why, typed) if parts.wrong else ("", "")
    return KeptView(name, view, _agent(agent), why, whole)


def _agent(kept: object) -> Chosen | None:
    if not isinstance(kept, list) or len(kept) != len(Chosen._fields):
        return None
    id, name, branch, branch_name = kept
    words = isinstance(id, str) and isinstance(name, str) and isinstance(branch_name, str)
    return Chosen(id, name, branch, branch_name) if words and isinstance(branch, str | None) else None
