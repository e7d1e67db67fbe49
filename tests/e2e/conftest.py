"""A knowledge base in another process, and a home to come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.visit import Server
from tests.e2e.warm import Warm


@pytest.fixture(scope="session", autouse=True)
def loaded() -> Iterator[None]:
    """What was loaded for the starts of many tests is let go after the last."""
    yield
    while Warm.begun:
        Warm.begun.pop().end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A knowledge base for all tests of a file; each makes documents of its own."""
    with Server(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a person who has never started kbtui."""
    return tmp_path / "person"
