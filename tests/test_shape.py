"""The architecture, executed."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from kbtui.commands import COMMANDS, PLACES
from kbtui.keymap import show_key
from kbtui.tui.app import KbApp
from kbtui.tui.keyboard import CommandScreen

HOUSE = Path(__file__).resolve().parent.parent
HEAVY = ("httpx", "pydantic", "pyperclip", "keyring", "starlette", "click", "html_to_markdown")


def modules_after(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], capture_output=True, text=True, cwd=HOUSE, check=False)
    assert done.returncode == 0, done.stdout


def rooms(contract: dict[str, Any]) -> set[str]:
    """The rooms that a contract names."""
    named = " ".join(contract.get("source_modules", [])) + " ".join(contract.get("layers", []))
    return set(re.findall(r"kbtui\.(\w+)", named))


def test_no_room_is_left_out_of_the_import_contracts() -> None:
    text = (HOUSE / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    named = {each["name"].partition(":")[0]: rooms(each) for each in contracts}
    all_rooms = {path.stem for path in (HOUSE / "kbtui").glob("*.py")} - {"__init__", "__main__"}
    all_rooms |= {"tui", "cli", "demo"}
    may = {
        "Only the tui imports Textual and Rich": {"tui"},
        "Only the transport and its line know httpx": {"transport", "orderly"},
        "Only the rooms of the mirror, the history and the demo know sqlite3": {
            *("mirror", "shelf", "clock", "database"),
            *("history", "demo"),
        },
    }
    for name, doors in may.items():
        assert all_rooms - named[name] == doors, name
    alone = {"settings", "terminal", "clipboard", "demo"}
    storeys = named["The house is built in storeys"] | named["The client stands on its own stairs"]
    assert all_rooms - storeys == alone


def test_the_core_loads_no_textual() -> None:
    assert not modules_after("import kbtui.knowledge_base") & {"textual", "rich", *HEAVY}


def test_the_first_frame_loads_neither_the_network_nor_the_models() -> None:
    assert not modules_after("import kbtui.tui.app, kbtui.tui.screens.browse") & set(HEAVY)


def test_the_command_line_answers_before_anything_is_loaded() -> None:
    assert not modules_after("import kbtui.__main__") & {"textual", "rich", "platformdirs", "sqlite3", *HEAVY}


def test_every_screen_has_a_sheet_by_its_name_and_every_sheet_a_screen() -> None:
    screens = {path.stem for path in (HOUSE / "kbtui/tui/screens").glob("*.py")} - {"__init__"}
    sheets = {path.stem for path in (HOUSE / "styles").glob("*.tcss")}
    assert sheets == screens | {"app"}


def test_no_screen_takes_the_name_of_a_private_part_of_what_all_screens_have_in_common() -> None:
    for path in (HOUSE / "kbtui/tui/screens").glob("*.py"):
        import_module(f"kbtui.tui.screens.{path.stem}")
    classes: list[Any] = [CommandScreen]
    common = {name for name in vars(CommandScreen) if name.startswith("_")}
    ours = {name for name in common if not name.startswith("__") and name not in vars(Screen)}
    for each in classes:
        classes += each.__subclasses__()
        taken = {name for name in ours & set(vars(each)) if callable(vars(each)[name])}
        assert each is CommandScreen or not taken, (each, taken)


def test_colours_come_from_the_theme_alone() -> None:
    for sheet in (HOUSE / "styles").glob("*.tcss"):
        assert not re.search(r"#[0-9a-fA-F]{3,8};|rgb\(", sheet.read_text()), sheet.name


def test_the_top_level_holds_nothing_but_what_belongs_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=HOUSE, check=False)
    if tracked.returncode:
        pytest.skip("not a checkout")
    top = {name.split("/")[0] for name in tracked.stdout.splitlines()}
    assert top <= {
        "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "constraints.txt", ".gitignore", ".ci",
        "kbtui", "tests", "screenshots", "styles",
    }  # fmt: skip


def test_a_python_file_has_one_reason_to_exist() -> None:
    for path in (path for part in ("kbtui", "tests") for path in (HOUSE / part).rglob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def key_table() -> str:
    """The table of keys for README, from the one declaration."""
    lines = []
    for place, title in PLACES.items():
        commands = [command for command in COMMANDS if command.places[0] == place]
        if commands:
            lines += ["", f"### {title}", "", "| key | what it does | id |", "|---|---|---|"]
        for command in commands:
            ways = [*map(show_key, command.keys), *([f":{command.typed}"] if command.typed else [])]
            keys = " ".join(f"`{way}`".replace("|", "\\|") for way in ways)
            lines.append(f"| {keys} | {command.help} | `{command.id}` |")
    return "\n".join([*lines, ""])


def test_the_key_table_of_readme_is_the_declaration(write: bool) -> None:
    path = HOUSE / "README.md"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("<!-- keys:"), text.index("<!-- /keys -->")
    start = text.index("-->", start) + 4
    if write:
        path.write_text(text[:start] + key_table() + "\n" + text[end:], encoding="utf-8")
    else:
        assert text[start:end] == key_table() + "\n", "run pytest --write"


def test_readme_begins_with_one_picture_and_two_commands() -> None:
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    fences = re.findall(r"^```sh\n(.*?)\n```$", text, re.M | re.S)
    assert fences[0].endswith("kbtui --demo") and "\n" not in fences[0]
    assert fences[1].endswith("-m pytest") and "\n" not in fences[1]
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (HOUSE / picture).exists(), picture


def test_constraints_name_versions_and_no_address() -> None:
    for line in (HOUSE / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", line), line


def test_no_part_of_the_app_hides_what_another_part_does() -> None:
    """The parts say what they need of each other by methods that only raise."""
    for name in dir(KbApp):
        found = inspect.getattr_static(KbApp, name)
        method = found.fget if isinstance(found, property) else found
        if inspect.isfunction(method) and method.__module__.startswith("kbtui"):
            assert "NotImplementedError" not in method.__code__.co_names, name
