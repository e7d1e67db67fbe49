"""A journal of drafts on the disk, and what the next start finds in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kbtui.drafts import Draft, Drafts

URL = "https://api.example.com"
BASE = "what was\r\nthere\u2028before"
SIZE = len(BASE.encode())


def begin(drafts: Drafts, document: str = "d1", base: str = BASE, field: str = "content") -> Draft:
    return drafts.begin(
        document=document, name="Refunds", field=field, format="html", base=base, base_updated=7
    )


def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition that another thread brings about."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.002)


@contextmanager
def opened(folder: Path, delay: float = 0.02, url: str = URL) -> Iterator[Drafts]:
    drafts = Drafts(folder, url, delay=delay)
    yield drafts
    drafts.close()


def left(folder: Path, url: str = URL) -> list[Draft]:
    """What the next start finds."""
    with opened(folder, url=url) as drafts:
        found = drafts.all()
        assert not drafts.damaged
        return found


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
