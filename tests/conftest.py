"""Fixtures every room shares: the real demo server, and a wire on which faults can be put."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kbtui.demo.server import Demo
from tests.service import Service
from tests.wire import Wire

# What is not installed is looked for on the disk by httpcore, at every request.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

# How long an example takes is told by benchmarks; here it would fail on a busy machine.
settings.register_profile("kbtui", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kbtui")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write", action="store_true", help="rewrite screenshots/ and README's key table")


@pytest.fixture
def write(request: pytest.FixtureRequest) -> bool:
    """Whether what the tests compare with is to be written anew."""
    return bool(request.config.getoption("--write"))


@pytest.fixture(autouse=True)
def clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the configuration, the state or the key of the person who runs it."""
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in (
        *("ELEVENLABS_API_KEY", "KBTUI_CONFIG", "SSH_CONNECTION", "EDITOR", "VISUAL"),
        *("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY"),  # ways to the clipboard
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def demo() -> Iterator[Demo]:
    """A demo server of this test's own, filled with the sample, its index instant."""
    with Demo(index_seconds=0) as server:
        yield server


@pytest.fixture
def service(demo: Demo) -> Iterator[Service]:
    """What is really in `demo`, and a hand to change it from elsewhere."""
    with Service(demo) as client:
        yield client


@pytest.fixture
def wire(demo: Demo) -> Iterator[Wire]:
    """A proxy in front of `demo` that records every exchange and can be told to misbehave."""
    with Wire(demo.url) as proxy:
        yield proxy
