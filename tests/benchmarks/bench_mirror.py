"""What the mirror costs, in figures: python -m tests.benchmarks.bench_mirror [documents, 1000000 unless told]

Prints the median of several runs in milliseconds, or microseconds a document, and compares nothing: the
machine decides what is fast.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from kbtui.mirror import Mirror, Taking
from kbtui.rows import ALL, ROOT, UNPLACED, View

WORDS = (
    *("refund", "policy", "invoice", "shipping", "returns", "warranty"),
    *("account", "billing", "terms", "privacy", "contact", "delivery"),
)
FOLDER = 2000  # documents of the folder that is listed
BATCH = 500  # documents a transaction, as when five cursors run


def documents(count: int) -> Iterator[dict[str, Any]]:
    """A tree of folders with what an average workspace says of a document, the same on every run."""
    dice = random.Random(7)
    folders = max(1, count // 1000)
    for number in range(folders):
        yield document(f"folder{number:06}", "folder", dice) | {"children_count": 0, "document_count": 0}
    for number in range(count - folders):
        parent = 0 if number < FOLDER else dice.randrange(folders)
        home = {"folder_parent_id": f"folder{parent:06}"} if number % 4 else {"folder_parent_id": None}
        yield document(f"{dice.getrandbits(80):020x}", dice.choice(["text", "url", "file"]), dice) | home


def document(id: str, type: str, dice: random.Random) -> dict[str, Any]:
    made = 1_700_000_000 + dice.randrange(50_000_000)
    access = {"is_creator": True, "creator_name": "Jo", "creator_email": "jo@example.com", "role": "admin"}
    return {
        "type": type,
        "id": id,
        "name": f"{' '.join(dice.choices(WORDS, k=3)).title()} {dice.randrange(1_000_000)}",
        "metadata": {
            "created_at_unix_secs": made,
            "last_updated_at_unix_secs": made + dice.randrange(1_000_000),
            "size_bytes": dice.randrange(100_000),
        },
        "supported_usages": ["prompt", "auto"],
        "access_info": access,
        "folder_parent_id": None,
        "folder_path": [],
        "dependent_agents": [],
    }


def timed(work: Callable[[], Any], times: int = 7) -> float:
    """Milliseconds, the median."""
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spans.append((time.perf_counter() - began) * 1000)
    return statistics.median(spans)


def show(what: str, figure: float, unit: str = "ms") -> None:
    print(f"  {what:<58}{figure:>12.2f} {unit}", flush=True)


def bench(count: int, path: Path) -> None:
    print(f"{count:,} documents")
    mirror = Mirror(path)
    sweep = mirror.begin_sweep(mirror.claim())
    waiting, spent = documents(count), 0.0
    while batch := list(islice(waiting, BATCH)):
        spent += timed(lambda: mirror.take([Taking(batch, mirror.ticket(), sweep.ticket)]), 1)
    show("store, first sweep", spent * 1000 / count, "us/doc")
    show("end of that sweep, which indexes names", timed(lambda: mirror.end_sweep(sweep, complete=True), 1))
    again = mirror.begin_sweep(True)
    rows = mirror.window(mirror.listing(View(ALL)), 0, BATCH)
    page = Taking([mirror.summary(row.id) or {} for row in rows], mirror.ticket(), again.ticket)
    show("store, what has not changed", timed(lambda: mirror.take([page]), 1) * 1000 / BATCH, "us/doc")
    show("folders that are miscounted", timed(lambda: mirror.miscounted(again.ticket), 1))
    mirror.end_sweep(again)
    mirror.close()
    show("size of the file", path.stat().st_size / count, "bytes/doc")

    def warm() -> None:
        opened = Mirror(path)
        opened.window(opened.listing(View("folder000000")), 0, 40)
        opened.close()

    show("open warm, list a folder of 2,000, first window, close", timed(warm))
    mirror = Mirror(path)
    folder = mirror.listing(View("folder000000"))
    show(f"list a folder of {len(folder):,} by name", timed(lambda: mirror.listing(View("folder000000"))))
    show("  by size", timed(lambda: mirror.listing(View("folder000000", "size", True))))
    everything = mirror.listing(View(ALL))
    show(f"list all {len(everything):,} by name", timed(lambda: mirror.listing(View(ALL)), 3))
    show("  by time of update", timed(lambda: mirror.listing(View(ALL, "updated_at", True)), 3))
    show("list the root by name", timed(lambda: mirror.listing(View(ROOT)), 3))
    show("list the unplaced", timed(lambda: mirror.listing(View(UNPLACED)), 3))
    places = iter(random.Random(1).choices(range(max(1, len(everything) - 40)), k=1000))

    def window() -> None:
        at = next(places)
        mirror.window(everything, at, at + 40)

    show("window of 40 rows at a random place", timed(window, 500))
    last = mirror.window(everything, len(everything) - 1, len(everything))[0].id
    show("rank of the last row", timed(lambda: mirror.rank(everything, last)))
    for text in ("r", "refund", "refund policy 77", "zzzz"):
        show(f"filter all by “{text}”", timed(partial(mirror.listing, View(ALL, text=text)), 3))
    for text in ("refund", "rfnd plcy", "zzzz"):
        show(f"names that begin with “{text}”", timed(partial(mirror.beginning_with, text)))
        show("  that are like it", timed(partial(mirror.like, text), 3))
    show("all folders", timed(mirror.folders))
    show("count of a scope", timed(lambda: mirror.count(ALL)))
    show("version", timed(lambda: mirror.version, 50))
    mirror.close()
    for module in ("kbtui.mirror", "kbtui.sync"):
        code = (
            f"import asyncio, time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        )
        run = [float(subprocess.check_output([sys.executable, "-c", code])) * 1000 for _ in range(5)]
        show(f"import of {module}, asyncio not counted", statistics.median(run))


if __name__ == "__main__":
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for size in sorted({2_000, 100_000, most}):
        if size <= most:
            with tempfile.TemporaryDirectory() as folder:
                bench(size, Path(folder) / "mirror.db")
