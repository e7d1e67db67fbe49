"""How lists are shown: the order of each folder, columns, marks, and views that are kept by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from kbtui.agent_counts import AgentCounts
from kbtui.columns import USUAL, Cells, recalled
from kbtui.errors import Error
from kbtui.filters import is_about
from kbtui.marks import Marks
from kbtui.rows import SORTS, Beside, View
from kbtui.saved_views import KeptView, dump, load
from kbtui.sources import Sources


class Lists(Sources):
    """What a person has arranged, and what a filter may be about."""

    @cached_property
    def marks(self) -> Marks:
        """The documents that are marked."""
        return Marks()

    @cached_property
    def agent_counts(self) -> AgentCounts:
        """How many agents use documents, as far as was heard."""
        return AgentCounts()

    async def count_agents(self, ids: Iterable[str]) -> bool:
        """Ask how many agents use the first of these that are due; False where none is.

        Through folders is told of twenty at once, and so is that none is used directly. By which agents each
        is, the service tells of one alone.

        Raises:
            errors.Error: nobody knows; they are not due again at once.
        """
        due = self.agent_counts.due(ids)
        if not due:
            return False
        used: dict[str, set[str]] = {id: set() for id in due}
        above = {id: {folder.id for folder in self.mirror.path(id)} for id in due}
        api = await self.api()
        try:
            async for page in api.dependents_of_many(due, dependent_type="transitive"):
                for agent in page.agents:
                    for id, folders in above.items():
                        if not folders.isdisjoint(agent.referenced_resource_ids):
                            used[id].add(agent.id)
            direct = api.dependents_of_many(due, dependent_type="direct")
            if any([page.agents async for page in direct]):
                for id in due:
                    async for page in api.dependents(id, dependent_type="direct"):
                        used[id].update(agent.id for agent in page.agents)
        except Error:
            self.agent_counts.tell(dict.fromkeys(due))
            raise
        self.agent_counts.tell({id: len(agents) for id, agents in used.items()})
        return True

    def order(self, scope: str) -> tuple[str, bool]:
        """The order last chosen for a scope, as (sort, descending)."""
        kept = self.history.recall(self.base_url, "order", scope)
        if isinstance(kept, dict) and kept.get("sort") in SORTS:
            return kept["sort"], kept.get("descending") is True
        return "name", False

    def remember_order(self, view: View) -> None:
        """Keep the order of a view for its scope."""
        order = {"sort": view.sort, "descending": view.descending}
        self.history.remember(self.base_url, "order", view.scope, order)

    @property
    def columns(self) -> Cells:
        """The columns of the list that were chosen."""
        return recalled(self.history.recall(self.base_url, "columns", ""))

    def remember_columns(self, columns: Cells) -> None:
        """Keep them between visits; what is usual needs no keeping."""
        self.history.remember(self.base_url, "columns", "", None if columns == USUAL else dict(columns))

    def saved_views(self) -> list[KeptView]:
        """The views that were saved, by name."""
        return load(self.history.recall(self.base_url, "views", ""))

    def save_view(self, view: KeptView) -> bool:
        """Keep a view, in place of one by the same name; whether it is kept."""
        self._keep_views([*(each for each in self.saved_views() if each.name != view.name), view])
        return view in self.saved_views()

    def forget_view(self, name: str) -> None:
        """Forget a view."""
        self._keep_views([each for each in self.saved_views() if each.name != name])

    def _keep_views(self, views: list[KeptView]) -> None:
        self.history.remember(self.base_url, "views", "", dump(views) or None)

    def beside(self, view: View) -> Beside:
        """What the filter of a view is about and the mirror does not know, as of now."""
        marked = self.marks.ids if is_about(view, "marked") else ()
        asked = [(term.value.split(","), term.inverted) for term in view.terms if term.key == "index"]
        if not asked:
            return Beside(marked)
        return Beside(
            marked,
            self.index_states.having(
                lambda word: all((word in words) is not inverted for words, inverted in asked)
            ),
        )
