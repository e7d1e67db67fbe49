"""Who we talk to and where things are kept: flags, then the environment, then `config.toml`.

A workspace is one base URL with one API key; the configuration may name several. A key is looked up when
it is needed and never kept anywhere by kbtui: not in a file, a log, an address, or the name of one.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REGIONS = {
    "global": "https://api.elevenlabs.io",
    "us": "https://api.us.elevenlabs.io",
    "eu": "https://api.eu.residency.elevenlabs.io",
    "in": "https://api.in.residency.elevenlabs.io",
    "sg": "https://api.sg.residency.elevenlabs.io",
}
"""The service's five hosts by their short names; residency hosts have keys of their own."""

_KNOWLEDGE_BASE = "/app/agents/knowledge-base"
"""Its page in the dashboard, as the service's documentation links it ("Knowledge base dashboard")."""

KEY_VARIABLE = "ELEVENLABS_API_KEY"
THEMES = ("auto", "dark", "light", "ansi-dark", "ansi-light")
DRAWINGS = ("changes", "all")
COLOURS = ("blue", "green", "yellow", "red", "magenta", "cyan", "grey")

_WORKSPACE_NAMES = [
    "region",
    "base_url",
    "api_key",
    "api_key_file",
    "api_key_env",
    "keyring",
    "colour",
    "read_only",
]
_NAMES = ["workspace", "theme", "editor", "drawing", "drafts", "history", "workspaces", "keys"]
_LIMITS = {"keep_days": 365, "max_mb": 512}
_MOST = 1_000_000  # days or megabytes: what is counted from them stays far below what a file can hold


class BadSettings(Exception):
    """A flag, a variable or a line of the configuration that cannot be used: one sentence."""


@dataclass(frozen=True)
class Places:
    """Where kbtui keeps things, by the customs of the system (XDG on Linux)."""

    config: Path  # config.toml, written by the person only
    state: Path  # drafts and state.db: never thrown away by the program
    cache: Path  # mirrors: may be deleted at any time

    @classmethod
    def of_user(cls) -> Places:
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("kbtui", appauthor=False)
        return cls(Path(dirs.user_config_dir), Path(dirs.user_state_dir), Path(dirs.user_cache_dir))


@dataclass(frozen=True)
class Workspace:
    """One base URL with one key, under the name a person gave it."""

    name: str
    base_url: str
    key: str = field(default="", repr=False)  # only where it was handed in already; else `find_key` asks
    key_file: Path | None = None
    key_variable: str | None = None
    keyring: bool = False
    colour: str = "blue"
    read_only: bool = False

    @property
    def region(self) -> str:
        """The region's short name, or the host where the base URL is none of the service's."""
        for name, url in REGIONS.items():
            if url == self.base_url:
                return name
        return urlsplit(self.base_url).netloc

    @property
    def dashboard(self) -> str:
        """The page of the knowledge base in a browser; "" where the base URL is none of the service's.

        Residency hosts have a dashboard of their own. Addresses of single documents are published nowhere.
        """
        if self.base_url not in REGIONS.values():
            return ""
        host = urlsplit(self.base_url).netloc.removeprefix("api.")
        return f"https://{host if 'residency' in host else 'elevenlabs.io'}{_KNOWLEDGE_BASE}"

    def find_key(self, environ: Mapping[str, str] = os.environ) -> str:
        """The key, or "" where none is set.

        Raises:
            BadSettings: a source that was named cannot be read, or others can read the file.
        """
        if self.key:
            return _checked_key(self.key, "the configuration")
        if self.key_file is not None:
            return _checked_key(_private_text(self.key_file).strip(), str(self.key_file))
        if self.key_variable is not None:
            if not environ.get(self.key_variable):
                raise BadSettings(
                    f"The workspace “{self.name}” takes its key from ${self.key_variable}, which is not set."
                )
            return _checked_key(environ[self.key_variable], f"${self.key_variable}")
        if not self.keyring and environ.get(KEY_VARIABLE):
            return _checked_key(environ[KEY_VARIABLE], f"${KEY_VARIABLE}")
        return _keyring_key(self)


@dataclass(frozen=True)
class Limits:
    """For how long, and up to which size, words of the person are kept."""

    days: int
    megabytes: int


@dataclass(frozen=True)
class Settings:
    """Everything that was decided before the first frame."""

    places: Places
    workspaces: tuple[Workspace, ...]
    workspace: Workspace
    theme: str = "auto"
    editor: str | None = None  # overrides $VISUAL and $EDITOR
    drawing: str = "changes"  # "all": as Textual does it, should a terminal not keep up with the changes
    cache: bool = True  # False: the mirror lives in memory
    demo: bool = False
    mouse: bool = True
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # command id -> keys
    config: Path | None = None  # where the keys stand
    drafts: Limits = Limits(365, 512)
    history: Limits = Limits(365, 512)


def load(
    *,
    places: Places,
    config: Path | None = None,
    workspace: str | None = None,
    region: str | None = None,
    base_url: str | None = None,
    key_file: Path | None = None,
    read_only: bool = False,
    environ: Mapping[str, str] = os.environ,
    **flags: Any,
) -> Settings:
    """Join flags, environment and configuration, in this order of precedence.

    Raises:
        BadSettings: with one sentence that names the cause and the next step.
    """
    named = config or (Path(environ["KBTUI_CONFIG"]) if environ.get("KBTUI_CONFIG") else None)
    path = named or places.config / "config.toml"
    table = _read_config(path, must_exist=named is not None)
    known = _workspaces(table, path)
    if read_only:
        known = tuple(replace(each, read_only=True) for each in known)
    named_workspace = workspace or environ.get("KBTUI_WORKSPACE")
    chosen = named_workspace or table.get("workspace")
    if chosen is None:
        here = known[0] if known else Workspace("default", REGIONS["global"], read_only=read_only)
    else:
        here = next((each for each in known if each.name == chosen), None) or _unknown_workspace(
            str(chosen), known, path
        )
    own = _table(_table(table, "workspaces", path), here.name, path).keys() - {"colour", "read_only"}
    if not named_workspace and not own:  # never the host of the variable with the key of a workspace
        base_url = base_url or environ.get("ELEVENLABS_BASE_URL")
    here = _override(here, region, base_url, key_file)
    if here.name not in {each.name for each in known}:
        known = (here, *known)
    else:
        known = tuple(here if each.name == here.name else each for each in known)
    return Settings(
        places=places,
        workspaces=known,
        workspace=here,
        theme=flags.pop("theme", None) or _choice(table, "theme", THEMES, "auto", path),
        editor=_text(table, "editor", path),
        drawing=_choice(table, "drawing", DRAWINGS, "changes", path),
        keys=_keys(table, path),
        config=path,
        drafts=_limits(table, "drafts", path),
        history=_limits(table, "history", path),
        **flags,
    )


def parse_base_url(text: str) -> str:
    """`text` as a base URL without a trailing slash.

    Raises:
        BadSettings: it is not an address, or would send the key over the open network.
    """
    text = text.strip()
    if any(sign in text for sign in "@?#"):  # looked for first: what stands beside them may be secret
        raise BadSettings("A base URL has no user, query or fragment; keys are never put into an address.")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not text.isprintable() or " " in text:
        raise BadSettings("The base URL holds spaces or characters that cannot be seen. Type it again.")
    if host is None or parts.scheme not in ("http", "https"):
        raise BadSettings(f"“{text}” is not a base URL; it looks like https://api.elevenlabs.io.")
    if parts.scheme == "http" and not is_loopback(host):
        raise BadSettings(f"“{text}” would send the key unencrypted; use https (http only on this machine).")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address stands for this machine itself."""
    from ipaddress import ip_address

    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _override(here: Workspace, region: str | None, base_url: str | None, key_file: Path | None) -> Workspace:
    if region is not None:
        here = replace(here, base_url=_region(region))
    elif base_url is not None:
        here = replace(here, base_url=parse_base_url(base_url))
    if key_file is not None:
        here = replace(here, key="", key_file=key_file, key_variable=None, keyring=False)
    return here


def _region(name: str) -> str:
    short = name.lower().removesuffix("-residency")
    if short not in REGIONS:
        raise BadSettings(f"There is no region “{name}”; the regions are {', '.join(REGIONS)}.")
    return REGIONS[short]


def _read_config(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if must_exist:
            raise BadSettings(f"There is no configuration at {path}.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"The configuration {path} cannot be read: {error}.") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"The configuration {path} is not TOML: {error}.") from None
    except (ValueError, RecursionError):
        raise BadSettings(
            f"The configuration {path} holds a number or brackets of a size that cannot be read."
        ) from None
    _only(table, _NAMES, "", path)
    if _has_key(table) and _others_can_read(path):
        raise BadSettings(f"{path} holds an API key and others can read it; run: chmod 600 {path}")
    return table


def _has_key(table: Mapping[str, Any]) -> bool:
    spaces = table.get("workspaces")
    return isinstance(spaces, dict) and any(isinstance(s, dict) and "api_key" in s for s in spaces.values())


def _workspaces(table: Mapping[str, Any], path: Path) -> tuple[Workspace, ...]:
    spaces = _table(table, "workspaces", path)
    return tuple(_workspace(name, _table(spaces, name, path), path) for name in spaces)


def _workspace(name: str, table: Mapping[str, Any], path: Path) -> Workspace:
    where = f"workspaces.{name}"
    _only(table, _WORKSPACE_NAMES, where, path)
    if "region" in table and "base_url" in table:
        raise BadSettings(f"{path}: [{where}] names a region and a base_url; keep one of them.")
    if sum(name in table for name in ("api_key", "api_key_file", "api_key_env", "keyring")) > 1:
        raise BadSettings(f"{path}: [{where}] names more than one source of the key; keep one of them.")
    base_url = _text(table, "base_url", path)
    region = _text(table, "region", path) or "global"
    key_file = _text(table, "api_key_file", path)
    try:
        base_url = parse_base_url(base_url) if base_url else _region(region)
    except BadSettings as error:
        raise BadSettings(f"{path}: [{where}]: {error}") from None
    try:
        full_key_file = path.parent / Path(key_file).expanduser() if key_file else None
    except RuntimeError:
        raise BadSettings(f"{path}: [{where}] api_key_file: there is no home for “{key_file}”.") from None
    return Workspace(
        name=name,
        base_url=base_url,
        key=_text(table, "api_key", path) or "",
        key_file=full_key_file,
        key_variable=_text(table, "api_key_env", path),
        keyring=_flag(table, "keyring", path),
        colour=_choice(table, "colour", COLOURS, "blue", path),
        read_only=_flag(table, "read_only", path),
    )


def _unknown_workspace(name: str, known: tuple[Workspace, ...], path: Path) -> Workspace:
    if not known:
        raise BadSettings(f"There is no workspace “{name}”: {path} names none. README shows how to add one.")
    names = ", ".join(each.name for each in known)
    raise BadSettings(f"There is no workspace “{name}” in {path}; it has {names}.")


def _keys(table: Mapping[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    keys: dict[str, tuple[str, ...]] = {}
    for command, given in _table(table, "keys", path).items():
        values = [given] if isinstance(given, str) else given
        if not (isinstance(values, list) and values and all(isinstance(key, str) and key for key in values)):
            raise BadSettings(f'{path}: [keys] {command} takes a key or a list of keys, such as "r".')
        keys[command] = tuple(values)
    return keys


def _limits(table: Mapping[str, Any], name: str, path: Path) -> Limits:
    limits = _table(table, name, path)
    _only(limits, list(_LIMITS), name, path)
    for key, value in limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
            raise BadSettings(f"{path}: [{name}] {key} takes a whole number from 1 to {_MOST}.")
    return Limits(limits.get("keep_days", _LIMITS["keep_days"]), limits.get("max_mb", _LIMITS["max_mb"]))


def _only(table: Mapping[str, Any], names: list[str], where: str, path: Path) -> None:
    for name in table:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f" Did you mean “{close[0]}”?" if close else f" Known: {', '.join(names)}."
            place = f"[{where}] " if where else ""
            raise BadSettings(f"{path}: {place}has no setting “{name}”.{hint}")


def _table(table: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict):
        raise BadSettings(f"{path}: “{name}” is a table, written [{name}].")
    return value


def _text(table: Mapping[str, Any], name: str, path: Path) -> str | None:
    value = table.get(name)
    if value is not None and (not isinstance(value, str) or not value or "\0" in value):
        raise BadSettings(f"{path}: “{name}” takes a text in quotes.")
    return value


def _flag(table: Mapping[str, Any], name: str, path: Path) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise BadSettings(f"{path}: “{name}” takes true or false.")
    return value


def _choice(table: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str, path: Path) -> str:
    value = table.get(name, default)
    if value not in choices:
        raise BadSettings(f"{path}: “{name}” is one of {', '.join(choices)}.")
    return str(value)


def _private_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
        raise BadSettings(f"The key file {path} cannot be read: {reason}.") from None
    if _others_can_read(path):
        raise BadSettings(f"Others can read the key file {path}; run: chmod 600 {path}")
    return text


def _others_can_read(path: Path) -> bool:
    return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _checked_key(key: str, source: str) -> str:
    if not key:
        raise BadSettings(f"The key from {source} is empty.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadSettings(f"The key from {source} is not an API key: it holds spaces or other characters.")
    return key


def _keyring_key(workspace: Workspace) -> str:
    """The key that the system's keyring holds for this base URL, or "" (a machine without one has none)."""
    try:
        import keyring

        key = (keyring.get_password("kbtui", workspace.base_url) or "").strip()
    except Exception as error:  # whichever the backend has, which the environment may name wrongly
        if workspace.keyring:
            raise BadSettings(f"The system's keyring cannot be asked for the key: {error}.") from None
        return ""
    return _checked_key(key, "the system's keyring") if key else ""
