"""How long until a whole knowledge base is here: python -m tests.benchmarks.bench_sync [documents, 100,000]

One sweep of the demo over HTTP into an empty mirror, then the listing of all that it holds and a filter.
The demo answers from the same process: it has a good part of the time. Prints seconds, and compares nothing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from kbtui.api import Api
from kbtui.demo.server import Demo
from kbtui.mirror import Mirror
from kbtui.rows import ALL, View
from tests.sweeping import swept


def show(what: str, began: float) -> None:
    print(f"{what:40} {time.perf_counter() - began:8.3f} s")


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Demo(size=count, index_seconds=0) as demo:
        mirror = Mirror(Path(folder) / "mirror.db")
        began = time.perf_counter()
        async with Api(demo.url, demo.key) as api:
            last = await swept(api, mirror, focus=View())
        show(f"{last.seen:,} documents read and kept", began)
        began = time.perf_counter()
        listing = mirror.listing(View(ALL))
        show("listed by name", began)
        name = mirror.window(listing, count // 2, count // 2 + 1)[0].name
        began = time.perf_counter()
        found = mirror.listing(View(ALL, text=name))
        show(f"filtered, {len(found):,} left", began)
        mirror.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
