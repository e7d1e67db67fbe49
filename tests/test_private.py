"""What kbtui uses of Textual that Textual does not promise to keep; a release that moves it fails here."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

import kbtui.tui

HOUSE = Path(kbtui.tui.__file__).parent

USED = {
    "textual.app": (
        "_display", "_driver", "_running", "_closed", "_batch_count", "_clipboard", "_exception", "_exit",
        "_fatal_error", "_handle_exception",
    ),
    "textual.screen": ("_display",),
    "textual.driver": ("_app", "_loop"),
    "textual.drivers.linux_driver": (
        "_writer_thread", "_key_thread", "_must_signal_resume", "_sigcont_application",
        "_enable_mouse_support", "_get_terminal_size",
    ),
    "textual.drivers._writer_thread": ("_queue",),
    "textual._xterm_parser": ("XTermParser", "_sequence_to_key_events"),
    "textual._parser": ("_timeout_time",),
    "textual._compositor": ("ChopsUpdate", "LayoutUpdate", "spans", "chops", "chop_ends", "strips", "region"),
    "textual._time": ("get_time",),
    "textual.document._document": ("EditResult",),
    "textual.document._edit": ("Edit",),
    "textual.widgets._input": ("_value",),
    "textual.widgets._text_area": ("_recompute_cursor_offset",),
    "textual.strip": ("render_ansi",),
}  # fmt: skip
"""Names by the module that has them."""


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in USED for name in USED[module]])
def test_textual_still_has(module: str, name: str) -> None:
    source = inspect.getsource(importlib.import_module(module))
    assert re.search(rf"\b{name}\b", source), f"{module} has no {name} any more; see who uses it in kbtui/tui"


def test_no_other_private_name_of_textual_is_used() -> None:
    ours: set[str] = set()
    used: dict[str, str] = {}
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    ours.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                    ours.add(name)
                case ast.Attribute(attr=name) if re.match("_(?!_|replace$)", name):
                    used[name] = f"{path.name}:{node.lineno}"
                case ast.ImportFrom(module=str(module)) if re.search(r"textual.*\._", module):
                    assert module in USED, f"{path.name}:{node.lineno}"
                case _:
                    pass
    declared = {name for names in USED.values() for name in names}
    assert {name: place for name, place in used.items() if name not in ours | declared} == {}


def test_what_the_stage_overrides_is_called_as_before() -> None:
    def names(function: object) -> list[str]:
        return list(inspect.signature(function).parameters)  # type: ignore[arg-type]

    assert names(App._display) == ["self", "screen", "renderable"]
    assert names(LinuxDriver.process_message) == ["self", "message"]
    assert names(LinuxDriver.run_input_thread) == ["self"]
    assert names(LinuxDriver.disable_input) == names(LinuxDriver.start_application_mode) == ["self"]
    assert names(ChopsUpdate) == ["chops", "spans", "chop_ends"]
    assert names(LayoutUpdate) == ["strips", "region"]
    assert "queue.put" in inspect.getsource(WriterThread.write)
