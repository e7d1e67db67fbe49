"""What kbtui uses of Textual that Textual does not promise to keep; a release that moves it fails here."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.strip import Strip
from textual.widgets import Input, TextArea

import kbtui.tui

HOUSE = Path(kbtui.tui.__file__).parent

USED: dict[type, tuple[str, ...]] = {
    App: (
        "_display", "_driver", "_running", "_closed", "_batch_count", "_clipboard", "_exception", "_exit",
        "_fatal_error", "_handle_exception",
    ),
    Driver: ("_app", "_loop"),
    LinuxDriver: (
        "_writer_thread", "_key_thread", "_must_signal_resume", "_sigcont_application",
        "_enable_mouse_support", "_get_terminal_size",
    ),
    WriterThread: ("_queue",),
    XTermParser: ("_sequence_to_key_events", "parse_mouse_code"),
    Parser: ("_timeout_time", "feed", "tick"),
    LayoutUpdate: ("strips", "region"),
    ChopsUpdate: ("spans", "chops", "chop_ends"),
    Input: ("_value",),
    TextArea: ("_recompute_cursor_offset", "_redo_batch", "_refresh_size", "_set_document", "_undo_batch"),
    Strip: ("render_ansi",),
}  # fmt: skip
"""Names by the class that has them."""

IMPORTED = {
    "textual._compositor": ("ChopsUpdate", "LayoutUpdate"),
    "textual._time": ("get_time",),
    "textual._xterm_parser": ("XTermParser",),
}
"""Names by the private module that has them."""


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner in USED for name in USED[owner]])
def test_textual_still_has(owner: type, name: str) -> None:
    sources = [inspect.getsource(each) for each in owner.__mro__ if each.__module__.startswith("textual.")]
    here = hasattr(owner, name) or re.search(rf"self\.{name}\b.* = ", "".join(sources))
    assert here, f"{owner.__name__} has no {name} any more; see who uses it in kbtui/tui"


@pytest.mark.parametrize("module", IMPORTED)
def test_textual_still_has_the_module(module: str) -> None:
    assert [name for name in IMPORTED[module] if not hasattr(importlib.import_module(module), name)] == []


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
                case ast.ImportFrom(module=str(module), names=names) if re.search(r"textual.*\._", module):
                    assert {each.name for each in names} <= {*IMPORTED[module]}, f"{path.name}:{node.lineno}"
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
    assert names(XTermParser._sequence_to_key_events) == ["self", "sequence", "alt"]
    assert names(XTermParser.parse_mouse_code) == ["self", "code"]
    assert names(Parser.feed) == ["self", "data"] and names(Parser.tick) == ["self"]
    assert "queue.put" in inspect.getsource(WriterThread.write)
    assert "get_time() >= self._timeout_time" in inspect.getsource(Parser)
