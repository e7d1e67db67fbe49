"""The size of the pane that has the keys: normal, half as large again, or alone on the screen."""

from __future__ import annotations

from kbtui.columns import Cells
from kbtui.tui.panes import NARROW, Panes

LARGER, ALONE = 1, 2


class Zooming(Panes):
    """What Browse does to give a pane more room; the size goes along to the next pane that has the keys."""

    zoom = 0

    @property
    def alone(self) -> bool:
        """Whether the pane with the keys has the screen to itself."""
        return self.zoom == ALONE or self.app.size.width < NARROW

    @property
    def full(self) -> bool:
        return super().full or (self.alone and self.pane == "view")

    def do_zoom_in(self) -> None:
        self._zoom_to(self.zoom + 1)

    def do_zoom_out(self) -> None:
        self._zoom_to(self.zoom - 1)

    def _zoom_to(self, zoom: int) -> None:
        if self.app.size.width < NARROW:
            self.tell("The pane has the whole screen; a terminal that is wider shows several.")
        elif not 0 <= zoom <= ALONE:
            self.tell("The pane is alone already." if zoom > ALONE else "All panes have their normal size.")
        else:
            self.app.wait_for_more()  # type: ignore[attr-defined]
            self.zoom = zoom
            self._show_pane(self.pane)
            self.set_class(zoom == LARGER, "-larger")
            self.set_class(zoom == ALONE, "-alone")
            self.share_room()

    def _show_pane(self, shown: str) -> None:
        super()._show_pane(shown)
        if self.zoom and not self.has_class(f"-in-{shown}"):
            self.app.wait_for_more()  # type: ignore[attr-defined]
        if self.zoom:
            for name in ("tree", "list", "view"):
                self.set_class(name == shown, f"-in-{name}")
            self.share_room()

    def list_cells(self, columns: Cells) -> int:
        return 0 if self.zoom and self.pane == "view" else super().list_cells(columns)
