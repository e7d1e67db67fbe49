from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from kbtui.__main__ import start_demo
from kbtui.settings import Places, load


def test_a_demo_in_another_container_keeps_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = load(places=Places(tmp_path, tmp_path, tmp_path), environ={})
    with ExitStack() as leaving:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(os, "getpid", lambda: 2**30)  # a number that no process has here
            living = start_demo(settings, leaving).places.state.parent
        start_demo(settings, leaving)
        assert living.is_dir()
        assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.iterdir())
