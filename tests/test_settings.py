from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kbtui.settings import (
    REGIONS,
    BadSettings,
    Places,
    Settings,
    Workspace,
    is_loopback,
    load,
    parse_base_url,
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "config", tmp_path / "state", tmp_path / "cache")


def write(places: Places, text: str, mode: int = 0o600) -> Path:
    places.config.mkdir(parents=True, exist_ok=True)
    path = places.config / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def loaded(places: Places, environ: dict[str, str] | None = None, **flags: object) -> Settings:
    return load(places=places, environ=environ or {}, **flags)  # type: ignore[arg-type]


def test_without_flags_environment_or_file_the_service_itself_is_opened(places: Places) -> None:
    settings = loaded(places)
    assert settings.workspace.base_url == "https://api.elevenlabs.io"
    assert settings.workspace.region == "global"
    assert settings.cache and not settings.demo


def test_flags_win_over_the_environment_and_the_environment_over_the_file(places: Places) -> None:
    write(places, 'workspace = "a"\n[workspaces.a]\nregion = "eu"\n[workspaces.b]\nregion = "us"\n')
    assert loaded(places).workspace.base_url == REGIONS["eu"]
    assert loaded(places, {"KBTUI_WORKSPACE": "b"}).workspace.base_url == REGIONS["us"]
    assert loaded(places, {"KBTUI_WORKSPACE": "b"}, workspace="a").workspace.base_url == REGIONS["eu"]
    assert loaded(places, region="sg").workspace.base_url == REGIONS["sg"]
    assert loaded(places, {"ELEVENLABS_BASE_URL": "https://x.org"}, region="sg").workspace.region == "sg"


@pytest.mark.parametrize("own", ["region = 'eu'", "base_url = 'https://kb.example'", "api_key = 'sk_a'"])
def test_the_key_of_a_workspace_never_goes_to_the_host_of_the_variable(places: Places, own: str) -> None:
    elsewhere = {"ELEVENLABS_BASE_URL": "https://elsewhere.example/"}
    assert loaded(places, elsewhere).workspace.base_url == "https://elsewhere.example"
    write(places, "workspace = 'a'\n[workspaces.a]\ncolour = 'red'\n")
    assert loaded(places, elsewhere).workspace.base_url == "https://elsewhere.example"
    assert loaded(places, elsewhere, workspace="a").workspace.base_url == REGIONS["global"]
    assert loaded(places, elsewhere | {"KBTUI_WORKSPACE": "a"}).workspace.base_url == REGIONS["global"]
    write(places, f"[workspaces.a]\n{own}\n")
    configured = loaded(places).workspace
    assert loaded(places, elsewhere).workspace == configured
    assert loaded(places, elsewhere, workspace="a").workspace == configured
    assert loaded(places, base_url="https://by.hand").workspace.base_url == "https://by.hand"


@pytest.mark.parametrize("kept", ["sk_secret ", "\nsk_secret\n", "sk secret", "sk_\x1bsecret", None])
def test_the_key_of_the_keyring_is_looked_at_as_any_other(
    monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    monkeypatch.setattr("keyring.get_password", lambda *_: kept)
    workspace = Workspace("a", REGIONS["global"], keyring=True)
    if kept is None or kept.strip() == "sk_secret":
        assert workspace.find_key({}) == (kept or "").strip()
        return
    with pytest.raises(BadSettings, match="keyring") as caught:
        workspace.find_key({})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("backend", ["no.such.Backend", "nodots", "os.path", "keyring.backends.fail.Keyring"])
def test_a_keyring_that_cannot_be_used_is_told_where_it_is_named_and_done_without_elsewhere(
    backend: str,
) -> None:
    script = """
import sys
from kbtui.settings import BadSettings, Workspace
assert Workspace("a", "https://x.io").find_key({}) == ""
try:
    Workspace("a", "https://x.io", keyring=True).find_key({})
except BadSettings as error:
    print(error)
"""
    environ = {**os.environ, "PYTHON_KEYRING_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("The system's keyring cannot be asked for the key: ")


def test_reading_only_is_asked_of_every_workspace(places: Places) -> None:
    assert not loaded(places).workspace.read_only
    assert loaded(places, read_only=True).workspace.read_only
    write(places, "[workspaces.a]\n[workspaces.b]\nread_only = true\n")
    assert [each.read_only for each in loaded(places).workspaces] == [False, True]
    assert all(each.read_only for each in loaded(places, read_only=True, workspace="b").workspaces)


def test_the_official_spelling_of_residency_regions_is_understood(places: Places) -> None:
    assert loaded(places, region="eu-residency").workspace.base_url == REGIONS["eu"]


def test_each_region_has_its_dashboard_and_no_other_host_has_one(places: Places) -> None:
    page = "elevenlabs.io/app/agents/knowledge-base"
    wanted = {"global": page, "us": page, "eu": f"eu.residency.{page}", "in": f"in.residency.{page}"}
    for region, address in wanted.items():
        assert loaded(places, region=region).workspace.dashboard == f"https://{address}"
    assert loaded(places, base_url="https://kb.example.com").workspace.dashboard == ""


def test_a_key_file_that_others_can_read_is_refused(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk_secret\n")
    path.chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        loaded(places, key_file=path).workspace.find_key({})
    path.chmod(0o600)
    assert loaded(places, key_file=path).workspace.find_key({}) == "sk_secret"


def test_a_key_in_a_configuration_that_others_can_read_is_refused(places: Places) -> None:
    text = '[workspaces.a]\napi_key = "sk_secret"\n'
    write(places, text, mode=0o640)
    with pytest.raises(BadSettings, match="chmod 600"):
        loaded(places)
    write(places, text)
    assert loaded(places).workspace.find_key({}) == "sk_secret"


def test_the_source_that_a_workspace_names_wins_over_the_general_variable(places: Places) -> None:
    write(places, '[workspaces.a]\napi_key_env = "ACME"\n')
    workspace = loaded(places).workspace
    assert workspace.find_key({"ACME": "sk_acme", "ELEVENLABS_API_KEY": "sk_other"}) == "sk_acme"
    with pytest.raises(BadSettings, match="ACME"):
        workspace.find_key({"ELEVENLABS_API_KEY": "sk_other"})


def test_the_key_never_shows_in_what_is_printed_of_the_settings(places: Places) -> None:
    write(places, '[workspaces.a]\napi_key = "sk_secret"\n')
    assert "sk_secret" not in repr(loaded(places))


@pytest.mark.parametrize("key", ["", "two words", "sk_\x1b[31m", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_before_it_is_sent(
    places: Places, tmp_path: Path, key: str
) -> None:
    path = tmp_path / "key"
    path.write_text(key)
    path.chmod(0o600)
    with pytest.raises(BadSettings):
        loaded(places, key_file=path).workspace.find_key({})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workspce = 1", "Did you mean “workspace”"),
        ('workspace = "b"\n[workspaces.a]\n', "it has a"),
        ("theme = 3", "one of auto"),
        ("[workspaces.a]\nregion = 'mars'", "config.toml: [workspaces.a]: There is no region “mars”; the"),
        ("[workspaces.a]\nbase_url = 'ftp://x'", "config.toml: [workspaces.a]: “ftp://x” is not a base URL"),
        ("[workspaces.a]\nregion='eu'\nbase_url='https://x.y'", "keep one"),
        ("[workspaces.a]\nkeyring=true\napi_key_env='X'", "more than one source"),
        ("[workspaces.a]\nread_only='yes'", "true or false"),
        ("workspaces = 3", "written [workspaces]"),
        ("[keys]\nx = 3", "a key or a list of keys"),
        ("[keys]\nx = []", "a key or a list of keys"),
        ("[workspaces.a]\nregion = 5", "config.toml: “region” takes a text"),
        ("[drafts]\nkeep_days = 0", "from 1 to 1000000"),
        ("[history]\nmax_mb = 9_000_000_000_000", "from 1 to 1000000"),
        (f"[drafts]\nkeep_days = 0x{'f' * 5000}", "from 1 to 1000000"),
        (f"[drafts]\nkeep_days = {'9' * 5000}", "a size that cannot be read"),
        (f"x = {'[' * 5000}", "a size that cannot be read"),
        ("[workspaces.a]\napi_key_file = '~nouser/key'", "[workspaces.a] api_key_file: there is no home"),
        ('[workspaces.a]\napi_key_file = "\\u0000"', "takes a text"),
        ('editor = "vi\\u0000"', "takes a text"),
        ("a = [", "is not TOML"),
        ("editor = ''", "takes a text"),
    ],
)
def test_a_bad_line_of_the_configuration_is_named_in_one_sentence(
    places: Places, text: str, says: str
) -> None:
    write(places, text)
    with pytest.raises(BadSettings) as caught:
        loaded(places)
    assert says in str(caught.value)
    assert str(caught.value).count("config.toml") <= 1
    assert "\n" not in str(caught.value).strip().split("(at line")[0]


def test_a_configuration_that_was_named_must_exist(places: Places, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="no configuration"):
        loaded(places, config=tmp_path / "none.toml")


@pytest.mark.parametrize(
    "url",
    [
        "api.elevenlabs.io",
        "ftp://x",
        "http://kb.example.org",
        "https://u:p@x",
        "https://x?",
        "https://ex\nample.com",
        "https://exa mple.com",
        "https://é\u2028.com",
        "https://x?y",
        "https://",
        "http://[",
    ],
)
def test_an_address_that_is_none_or_would_leak_the_key_is_refused(url: str) -> None:
    with pytest.raises(BadSettings) as caught:
        parse_base_url(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["https://:secret@x", "ftp://u:secret@x", "u:secret@[", "ftp://x?key=secret"])
def test_a_secret_in_an_address_is_not_repeated(url: str) -> None:
    with pytest.raises(BadSettings) as caught:
        parse_base_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:5", "https://x.y/z/"]
)
def test_an_address_of_this_machine_or_an_encrypted_one_is_taken(url: str) -> None:
    assert parse_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("host", "here"), [("127.8.9.1", True), ("LOCALHOST", True), ("::1", True), ("127.0.0.1.evil.io", False)]
)
def test_only_this_machine_counts_as_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_nothing_is_written_where_files_are_kept_by_reading_settings(places: Places) -> None:
    loaded(places)
    assert not places.state.exists() and not places.cache.exists()
