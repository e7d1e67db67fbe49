"""Work beside the loop: in threads of which a few work at once, and for which nobody waits at the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
_HANDS = threading.Semaphore(6)  # a packed file may take some hundred megabytes to read


async def aside(work: Callable[..., T], *args: object) -> T:
    """What `work` returns, from a thread. A server that stops leaves it behind, half done."""
    promise: Future[T] = Future()

    def run() -> None:
        with _HANDS:
            if not promise.set_running_or_notify_cancel():
                return
            try:
                promise.set_result(work(*args))
            except BaseException as error:
                promise.set_exception(error)

    # asyncio's own threads are waited for, by the loop and again by the process
    threading.Thread(target=run, name="kbtui-demo-aside", daemon=True).start()
    return await asyncio.wrap_future(promise)
