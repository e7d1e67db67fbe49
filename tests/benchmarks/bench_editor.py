"""What a key costs in the editor: python -m tests.benchmarks.bench_editor [15 [MB]]

So many keys of a kind, in the texts with that in their name. The whole app over the demo server, 120 columns
by 40 lines, with the stage that sends only what changed. Prints the processor time from a key to the
end of its frame, in milliseconds, and its bytes: the median and (the most). Compares nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from kbtui.demo.server import Demo
from kbtui.tui.app import KbApp
from tests.house import House, opened, settings_for
from tests.service import Service
from tests.stage import Stage

WORDS = "Refunds are paid within 14 days, to the card that was charged, and never in cash. "
TEXTS = {
    "1 MB in lines": (WORDS + "\n") * 12_500,
    "1 MB in paragraphs": (WORDS * 8 + "\n\n") * 1_560,
    "1 MB of short lines": "- one of them\n" * 75_000,
    "a line of 100 kB": WORDS * 1_250,
    "a line of 1 MB": WORDS * 12_500,
    "a line of 100 kB, with signs": (WORDS + "✔\ufe0f ") * 1_200,
    "a line of 100 kB, Japanese": "返金は十四日以内に、請求されたカードに支払われます。" * 1_300,
}
KEYS = {
    "character": "x",
    "backspace": "backspace",
    "line end": "enter",
    "undo": "ctrl+z",
    "right": "right",
    "down": "down",
    "page": "pagedown",
}
TURNS = ("start", "middle", "end")


class Meter:
    """Frames and bytes of an app that has no terminal, as the stage would send them."""

    def __init__(self) -> None:
        self.stage, self.frames, self.bytes = Stage("truecolor", fills=False), 0, 0
        display, meter = KbApp._display, self

        def displayed(self: KbApp, screen: Any, renderable: Any) -> None:
            if renderable is not None:
                before = meter.stage.frames
                meter.stage._display(screen, renderable)
                meter.frames += meter.stage.frames - before
                meter.bytes += sum(len(sent.encode()) for sent in meter.stage.fast.sent)
                meter.stage.fast.sent.clear()
            display(self, screen, renderable)

        KbApp._display = displayed  # type: ignore[assignment, method-assign]

    async def key(self, house: House, key: str) -> tuple[float, int]:
        """The milliseconds of processor time until a key is drawn, and its bytes."""
        await asyncio.sleep(0.03)
        frames, sent, began = self.frames, self.bytes, time.thread_time()
        house.burst(key)
        with suppress(TimeoutError):  # a key that changes nothing draws nothing
            async with asyncio.timeout(0.3):
                while self.frames == frames:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)
        return (time.thread_time() - began) * 1000, self.bytes - sent


async def measure(times: int, only: str) -> None:
    meter = Meter()
    with Demo(index_seconds=0) as demo, Service(demo) as service, tempfile.TemporaryDirectory() as home:
        for name, text in TEXTS.items():
            if only in name:
                service.add(name, text)
        async with opened(settings_for(demo.url, demo.key, Path(home)), (120, 40)) as house:
            await house.online()
            for name, text in TEXTS.items():
                if only in name:
                    await visit(house, meter, name, text, times)


async def visit(house: House, meter: Meter, name: str, text: str, times: int) -> None:
    await house.select(name)
    began = time.thread_time()
    await house.press("e")
    editor = await house.editor()
    print(f"{name}: opened in {(time.thread_time() - began) * 1000:.0f} ms")
    for kind, key in KEYS.items():
        line = f"  {kind:10}"
        for turn in TURNS:
            lines = text.split("\n")
            row = {"start": 0, "middle": len(lines) // 2, "end": len(lines) - 1}[turn]
            column = len(lines[row]) * TURNS.index(turn) // 2
            editor.area.move_cursor((row, column))
            await asyncio.sleep(0.1)
            took = [await meter.key(house, key) for _ in range(times + 1)][1:]
            costs, sent = zip(*took, strict=True)
            middle, bytes = statistics.median(costs), statistics.median(sent)
            line += f"  {turn} {middle:5.1f} ({max(costs):5.1f}) ms {bytes:4.0f} ({max(sent):4}) B"
        print(line, flush=True)
    print(f"  {await seek(house, meter)}")
    await house.press("escape")


async def seek(house: House, meter: Meter) -> str:
    """What it takes to find a letter that is everywhere, then a word, and to replace all of them."""
    await house.press("ctrl+home", "ctrl+f", "ctrl+u")
    typed = [(await meter.key(house, key))[0] for key in "refunds"]
    moved = [(await meter.key(house, key))[0] for key in ("down", "down", "up", "up", "up")]
    await house.press("tab", *"Chargebacks")
    began = time.thread_time()
    await house.press("f6")
    replaced = (time.thread_time() - began) * 1000
    told = house.line("found").strip()
    began = time.thread_time()
    await house.press("ctrl+z")
    undone = (time.thread_time() - began) * 1000
    await house.press("escape")
    return (
        f"find         a character at most {max(typed):.1f} ms, a hit at most {max(moved):.1f} ms, "
        f"{told} in {replaced:.0f} ms, undone in {undone:.0f} ms"
    )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(measure(int(arguments[0]) if arguments else 15, arguments[1] if arguments[1:] else ""))
