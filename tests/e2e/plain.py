"""A program as it is written with Textual alone: `python -m tests.e2e.plain SHOWN DIRECTORY`.

It shows a table (or one with a row of another name), a text or a clock, and tells in the directory what
happened: the keys that were pressed, the ticks of its timer, and the text that it left in order with.
"""

from __future__ import annotations

import sys
from pathlib import Path

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static, TextArea


class Plain(App[None]):
    def __init__(self, shown: str, place: Path) -> None:
        super().__init__()
        self._shown, self._place = shown, place
        self._ticks = 0

    def compose(self) -> ComposeResult:
        if self._shown == "text":
            yield TextArea("\n".join(f"line {number}" for number in range(100)))
        elif self._shown == "clock":
            yield Static()
        else:
            yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        for table in self.query(DataTable[str]):
            table.add_columns("name", "type")
            table.add_rows((f"{self._shown} {number}", "text") for number in range(200))
        if self._shown == "clock":
            self.set_interval(0.02, self._tick)

    def _tick(self) -> None:
        self._ticks += 1
        self.query_one(Static).update(f"tick {self._ticks} " * 500)
        self._tell("ticks", f"{self._ticks}\n")

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._tell("keys", f"{event.key}\n")
        await super().on_event(event)

    def on_unmount(self) -> None:
        for text in self.query(TextArea):
            self._tell("kept", text.text)

    def _tell(self, what: str, told: str) -> None:
        with (self._place / what).open("a") as file:
            file.write(told)


if __name__ == "__main__":
    app = Plain(sys.argv[1], Path(sys.argv[2]))
    app.run()
    sys.exit(app.return_code)
