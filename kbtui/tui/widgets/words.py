"""The text buffer: words that are edited, drawn without harm, however many and however long their lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import TextArea
from textual.widgets.text_area import DocumentNavigator, Edit, EditResult, Location

from kbtui.tui.widgets.body import Body
from kbtui.tui.widgets.scrolling import Scrolling
from kbtui.tui.widgets.wrapped import Wrapped, shown, spread

TAG = re.compile(r"</?[a-z][^<>]{,500}>|<!--[^<>]{,500}-->", re.IGNORECASE)
LONGEST_TAG = 510  # characters
PAUSE = 1.0  # seconds without a key, after which the rows below a long line's change are set anew


class Words(Scrolling, TextArea):
    """A text area that gives back every text as it was, and draws nothing that a terminal obeys.

    It says at once, and not by a message, when it was edited and when its cursor moved: what stands around it
    is drawn with the same frame.
    """

    document: Body
    wrapped_document: Wrapped

    def __init__(
        self,
        text: str,
        id: str,
        edited: Callable[[], object],
        moved: Callable[[], object],
        *,
        tags: bool = False,
    ) -> None:
        """`tags`: it is HTML, whose tags stand back behind the words."""
        self._edited, self._moved, self._tags = edited, moved, tags
        self._marks: re.Pattern[str] | None = None
        self._pause: Timer | None = None
        self._reach = 0  # characters of the longest place that is marked
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="indent",
            max_checkpoints=sys.maxsize,
        )
        self.cursor_blink = False
        self._set_document(text, None)

    def _set_document(self, text: str, language: str | None) -> None:
        self.document = Body(text)
        self.wrapped_document = Wrapped(self.document, self.wrap_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self.move_cursor((0, 0))
        self._refresh_size()

    def on_resize(self) -> None:
        self.call_after_refresh(self.scroll_cursor_visible)

    def watch_selection(self) -> None:
        if self.is_mounted:
            self._moved()

    # Editing

    def edit(self, edit: Edit) -> EditResult:
        edit.text = self.document.typed(edit.text)
        return self._edit_as_is(edit)

    def put(self, text: str, start: Location, end: Location) -> None:
        """Replace what stands there by a text with its own line ends; undone in one step."""
        self.history.checkpoint()
        self._edit_as_is(Edit(text, start, end, maintain_selection_offset=False))
        self.history.checkpoint()

    def _edit_as_is(self, edit: Edit) -> EditResult:
        result = super().edit(edit)
        self._has_changed()
        return result

    def undo(self) -> None:
        super().undo()
        self.history.checkpoint()  # or what is typed next would be undone with what was typed before
        self._has_changed()

    def redo(self) -> None:
        super().redo()
        self._has_changed()

    def _has_changed(self) -> None:
        self._edited()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._tidy) if self.wrapped_document.loose else None

    def _tidy(self) -> None:
        """Set the words below the cursor anew, which in a long line is more than a key may cost."""
        before = self.wrapped_document.location_to_offset(self.cursor_location).y
        self.wrapped_document.tidy()
        self._refresh_size()
        after = self.wrapped_document.location_to_offset(self.cursor_location).y
        self.scroll_to(y=self.scroll_offset.y + after - before, animate=False, immediate=True)
        self.scroll_cursor_visible()
        self.refresh()

    # Textual lays out the lines of edits that are undone together by the lowest of their ends, though each is
    # a place in a text of its own time: lines that are no more would be drawn, which ends the app.

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in reversed(edits):
            super()._undo_batch([edit])

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            super()._redo_batch([edit])

    def _recompute_cursor_offset(self) -> None:
        # Textual undoes a change first and moves the cursor then: in between it may stand below the text.
        with suppress(ValueError):
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        return None  # Textual looks through all of the text for it, at every move

    def get_column_width(self, row: int, column: int) -> int:
        return self.wrapped_document.location_to_offset((row, column)).x  # Textual's asks at every character

    def get_cursor_line_end_location(self) -> Location:
        """The end of the row; where the cursor is there, that of the line, which goes on below."""
        end = super().get_cursor_line_end_location()
        return self._end_of_line if end == self.cursor_location else end

    def get_cursor_line_start_location(self, smart_home: bool = False) -> Location:
        start = super().get_cursor_line_start_location(smart_home)
        return (start[0], 0) if start == self.cursor_location else start

    @property
    def _end_of_line(self) -> Location:
        row, _ = self.cursor_location
        return row, len(self.document.get_line(row))

    def action_delete_to_end_of_line(self) -> None:
        self.delete(self.cursor_location, self._end_of_line, maintain_selection_offset=False)

    def action_delete_to_start_of_line(self) -> None:
        row, column = self.cursor_location
        if column:
            self.delete((row, 0), (row, column), maintain_selection_offset=False)
        else:
            super().action_delete_to_start_of_line()

    def choose(self, start: Location, end: Location) -> None:
        """Select what stands there, and scroll it into view, not to an edge."""
        y, top = self.wrapped_document.location_to_offset(end).y, self.scroll_offset.y
        self.move_cursor(start, center=not top <= y < top + self.size.height)
        self.move_cursor(end, select=True)

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        self._recompute_cursor_offset()
        y, height = self.wrapped_document.location_to_offset(self.cursor_location).y, self.size.height
        top = y - height // 2 if center else max(y - height + 1, min(y, self.scroll_offset.y))
        self.scroll_to(y=top, animate=False, immediate=True)  # Textual would do so a frame later
        return Offset(0, 0)

    # Drawing

    def mark(self, marks: re.Pattern[str] | None, reach: int) -> None:
        """Mark all places that match, none of them longer than `reach` characters."""
        self._marks, self._reach = marks, reach
        self.refresh()

    def render_line(self, y: int) -> Strip:
        wrapped, base = self.wrapped_document, self.rich_style
        y += self.scroll_offset.y
        if y >= wrapped.height:
            return Strip.blank(self.size.width, base)
        row, start, end = wrapped.row(y)
        line = self.document.lines[row]
        if row == self.cursor_location[0]:
            base += self.get_component_rich_style("text-area--cursor-line")
        text = shown(line)[start:end] + (" " if end == len(line) else "")  # where the cursor may stand
        looks = [
            (max(0, first - start), min(len(text), last - start), look)
            for first, last, look in self._looks(row, line, start, end)
            if first < start + len(text) and last > start
        ]
        places = sorted({0, len(text), *(place for look in looks for place in look[:2])})
        begins: dict[int, list[tuple[int, int, Style]]] = {}
        for layer, (begin, stop, look) in enumerate(looks):
            begins.setdefault(begin, []).append((layer, stop, look))
        segments, on = list[Segment](), list[tuple[int, int, Style]]()
        x = 0
        for first, last in pairwise(places):  # a line that is not broken into rows yet may have thousands
            on = sorted(each for each in [*on, *begins.get(first, ())] if each[1] > first)
            style = sum((look for *_, look in on), base)
            drawn = spread(text[first:last], x)
            segments.append(Segment(drawn, style))
            x += cell_len(drawn)
        return Strip(segments).adjust_cell_length(self.scrollable_content_region.width, base)

    def _looks(self, row: int, line: str, start: int, end: int) -> list[tuple[int, int, Style]]:
        """What is drawn otherwise in a part of a line: from where to where, what lies on top last."""
        looks: list[tuple[int, int, Style]] = []
        if self._tags:
            dim: Style = self.app.looks["dim"]  # type: ignore[attr-defined]
            tags = TAG.finditer(line, max(0, start - LONGEST_TAG), end + LONGEST_TAG)
            looks += [(*tag.span(), dim) for tag in tags]
        if self._marks is not None:
            hit: Style = self.app.looks["hit"]  # type: ignore[attr-defined]
            near = self._marks.finditer(line, max(0, start - self._reach), end + self._reach)
            looks += [(*place.span(), hit) for place in near]
        top, bottom = sorted(self.selection)
        if top != bottom and top[0] <= row <= bottom[0]:
            first = top[1] if row == top[0] else 0
            last = bottom[1] if row == bottom[0] else len(line) + 1
            selection = self.get_component_rich_style("text-area--selection")
            if self._marks is not None:  # the hit that was gone to, beside others that look much alike
                selection += self.app.looks["cursor"]  # type: ignore[attr-defined]
            looks.append((first, last, selection))
        cursor, column = self.cursor_location
        if cursor == row and self.has_focus:
            looks.append((column, column + 1, self.get_component_rich_style("text-area--cursor")))
        return looks
