"""Work that goes on while a person goes on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from textual.worker import Worker

from kbtui.errors import Error


def background(
    group: str, *, exclusive: bool = True
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Callable[..., Worker[None]]]:
    """Run a coroutine method as a worker of `group`; if exclusive, the newest of a group on one owner wins.

    An `errors.Error` becomes one notice through `failed`. Anything else is a bug and ends the app, after
    the drafts are safe.
    """

    def wrap(method: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Worker[None]]:
        async def run(owner: Any, *args: Any, **named: Any) -> None:
            try:
                await method(owner, *args, **named)
            except Error as error:
                owner.failed(error)

        @wraps(method)
        def start(owner: Any, *args: Any, **named: Any) -> Worker[None]:
            work = partial(run, owner, *args, **named)  # not begun: a newer one may come first
            worker: Worker[None] = owner.run_worker(
                work, name=method.__name__, group=group, exclusive=exclusive
            )
            return worker

        return start

    return wrap
