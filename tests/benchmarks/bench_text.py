"""How long no key is heard while a long text is laid out: python -m tests.benchmarks.bench_text

The text pane alone, 100 columns wide, without a terminal. Prints for each kind of text how long until all
of it is there, and the longest time in which the loop did not turn; compares nothing.
"""

from __future__ import annotations

import asyncio
import gc
import time

from textual.app import App, ComposeResult

from kbtui.content import safe, to_markdown
from kbtui.tui.themes import DARK, THEMES, looks
from kbtui.tui.widgets.document_view import DocumentView

ROWS = "".join(f"| row {i} | some words that say what it is {i} | {i * 3} euro |\n" for i in range(5000))
CELLS = "".join(f"<tr><td>row {i}</td><td>some words {i}</td></tr>" for i in range(5000))
TEXTS = {
    "table": f"| a | b | c |\n|---|---|---|\n{ROWS}",
    "HTML table": to_markdown(f"<table>{CELLS}</table>", "html"),
    "list": "".join(f"- item number {i} with words\n" for i in range(8000)),
    "list in a list": "- top\n" + "".join(f"  - item number {i} with words\n" for i in range(8000)),
    "code": "```\n" + "line of code here\n" * 15_000 + "```\n",
    "quotation": "".join(f"> line {i} of words\n>\n" for i in range(10_000)),
    "one paragraph": "word " * 60_000,
    "paragraphs": "Words and more of them. Words and more of them.\n\n" * 6_000,
}


class Pane(App[None]):
    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK

    @property
    def looks(self) -> object:
        return looks(self.theme_variables)

    def compose(self) -> ComposeResult:
        yield DocumentView("view")


async def gaps(longest: list[float]) -> None:
    """Keep the longest time between two turns of the loop."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest.append(now - last)
        last = now


async def measure() -> None:
    async with Pane().run_test(size=(100, 30)) as pilot:
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)  # as the app has it
        view = pilot.app.query_one(DocumentView)
        for name, text in TEXTS.items():
            view.say([])
            between: list[float] = []
            watch = asyncio.create_task(gaps(between))
            began = time.perf_counter()
            await view.show_markdown(safe(text, newlines=True))
            took = time.perf_counter() - began
            await asyncio.sleep(0.01)
            watch.cancel()
            print(
                f"{name:15} {len(text) / 1000:4.0f} kB  all {took * 1000:5.0f} ms"
                f"  loop stood still at most {max(between) * 1000:4.0f} ms"
            )


if __name__ == "__main__":
    asyncio.run(measure())
