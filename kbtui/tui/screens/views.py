"""Saved views: a folder, an order and a filter by name, to come back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kbtui.content import safe
from kbtui.rows import View
from kbtui.saved_views import KeptView, kept_view
from kbtui.tui.background import background
from kbtui.tui.empty_list import key
from kbtui.tui.screens.choose import Choice
from kbtui.tui.widgets.fields import Field
from kbtui.tui.widgets.line import Line, Part

if TYPE_CHECKING:
    from kbtui.tui.app import KbApp
    from kbtui.tui.screens.browse import Browse

LONGEST = 60  # characters of a name


class ViewList(Choice):
    """The saved views, and a field for the name of one more: what is shown now."""

    heading = "Saved views"
    least = {0: 24, 1: 40}

    def __init__(self, app: KbApp, browse: Browse, now: View) -> None:
        super().__init__(app)
        self._browse, self._now = browse, now
        self.views: list[KeptView] = []
        self._field = Field("name", "for what is shown now", label="name: ")
        self._field.display = False

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._field
        yield self._lines
        yield Line("footer")

    def here(self) -> tuple[str, ...]:
        return ("view_name",) if self.focused is self._field else ("views", "choose", "move")

    def choices(self) -> list[list[Part]]:
        self.views = self.kbapp.kb.saved_views()
        return [
            [(safe(each.name), "strong"), (self._told(each), "dim"), (safe(each.trouble), "warn")]
            for each in self.views
        ]

    def nothing(self) -> list[list[Part]]:
        add, now = key(self.keymap, "views.add"), self._told(kept_view("", self._now))
        return [
            [("  None yet. ", "dim"), (add, "key"), (" saves what the list shows now:", "dim")],
            [(f"  {now}", "")],
        ]

    def _told(self, view: KeptView) -> str:
        """Where it is, in which order and what of it."""
        arrow = "▼" if view.view.descending else "▲"
        where = f"{self._browse.crumb(view.view.scope)} · {view.view.sort.removesuffix('_at')} {arrow}"
        seen = f" · as {view.agent.name}" if view.agent else ""
        return safe(f"{where}{seen}{' · ' if view.filter else ''}{view.filter}")

    def do_choose_open(self) -> None:
        chosen = self.views[self.cursor]
        self.dismiss()
        self._browse.show_saved(chosen)

    # One more

    def do_views_add(self) -> None:
        self._field.display = True
        self._field.value = ""
        self.set_focus(self._field)
        self.show_footer()

    def do_view_name_save(self) -> None:
        name = " ".join(self._field.value.split())[:LONGEST]
        if not name:
            self.tell("A view needs a name.", "warn")
            return
        before = any(each.name == name for each in self.views)
        if not self.kbapp.kb.save_view(kept_view(name, self._now)):
            self.tell("It could not be saved: another program holds the file. Try again in a moment.", "bad")
            return
        self.tell(f"“{safe(name)}” is {'another view now' if before else 'saved'}.")
        self.do_view_name_leave()
        self.fill(next(at for at, each in enumerate(self.kbapp.kb.saved_views()) if each.name == name))

    def do_view_name_leave(self) -> None:
        self._field.display = False
        self.set_focus(self._lines)
        self.show_footer()

    # One less

    def do_views_forget(self) -> None:
        self._forget(self.views[self.cursor])

    @background("forget")
    async def _forget(self, view: KeptView) -> None:
        from kbtui.tui.screens.question import Question

        loss = f"{self._told(view)}. No document is touched."
        title = f"Delete the view “{safe(view.name)}”?"
        if await self.app.push_screen_wait(Question(self.kbapp, title, loss, "Delete")):
            self.kbapp.kb.forget_view(view.name)
            self.fill(self.cursor)
