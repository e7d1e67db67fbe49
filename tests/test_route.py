"""Which way leads to the service, by the environment alone."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from kbtui.errors import Error
from kbtui.route import find
from kbtui.settings import REGIONS

EVERYWHERE = {
    "ALL_PROXY": "socks5://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "ELEVENLABS_PROXY": "http://127.0.0.1:1",
}


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8000",
        "http://127.8.9.10",
        "http://[::1]:8000",
        "http://localhost:8000",
        "https://localhost",
    ],
)
def test_this_machine_is_never_reached_through_a_proxy(base_url: str) -> None:
    assert find(base_url, EVERYWHERE).proxy is None


@pytest.mark.parametrize("base_url", REGIONS.values(), ids=REGIONS.keys())
def test_all_regions_take_the_proxy_of_the_environment(base_url: str) -> None:
    assert find(base_url, {"HTTPS_PROXY": "http://proxy:3128"}).proxy == "http://proxy:3128"


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://high:1"}, "http://low:1"),
        ({"HTTP_PROXY": "http://other:1"}, None),
        ({"ALL_PROXY": "socks5://all:1"}, "socks5://all:1"),
        ({"ALL_PROXY": "socks5://all:1", "HTTPS_PROXY": "http://tls:1"}, "http://tls:1"),
        ({"ELEVENLABS_PROXY": "http://own:1", "HTTPS_PROXY": "http://tls:1"}, "http://own:1"),
        ({"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "socks://proxy:1080"}, "socks5h://proxy:1080"),
        ({"HTTPS_PROXY": "http://me:secret@proxy:1/"}, "http://me:secret@proxy:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "elevenlabs.io"}, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "example.org, .elevenlabs.io"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "labs.io,10.0.0.0/8,,"}, "http://p:1"),
        ({"ELEVENLABS_PROXY": "http://own:1", "NO_PROXY": "*"}, "http://own:1"),
    ],
)
def test_the_environment_names_the_proxy(environ: dict[str, str], proxy: str | None) -> None:
    assert find("https://api.elevenlabs.io", environ).proxy == proxy


def test_networks_can_be_left_out_of_the_proxy() -> None:
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.1.0.0/16"}
    assert find("https://10.1.2.3", environ).proxy is None
    assert find("https://10.2.2.3", environ).proxy == "http://p:1"


@pytest.mark.parametrize(
    "value", ["http://", "http://proxy:port", "socks4://proxy:1", "ftp://proxy", "http://[x"]
)
def test_a_bad_proxy_is_a_sentence_that_names_the_variable_and_not_the_value(value: str) -> None:
    with pytest.raises(Error) as caught:
        find("https://api.elevenlabs.io", {"HTTPS_PROXY": value.replace("://", "://me:secret@")})
    assert "HTTPS_PROXY" in caught.value.sentence
    assert "secret" not in str(caught.value) + caught.value.detail


def test_the_password_of_a_proxy_is_never_shown() -> None:
    way = find("https://api.elevenlabs.io", {"HTTPS_PROXY": "http://me:secret@proxy:3128"})
    assert way.proxy_name == "proxy:3128"
    assert "secret" not in repr(way)


def authorities(context: ssl.SSLContext | None) -> set[str]:
    assert context is not None
    return {str(each["subject"]) for each in context.get_ca_certs()}


def test_certificates_come_from_where_the_environment_says(tmp_path: Path) -> None:
    own, bundle = tmp_path / "own.pem", tmp_path / "bundle.pem"
    trustme.CA(organization_name="Own").cert_pem.write_to_path(own)
    trustme.CA(organization_name="Bundle").cert_pem.write_to_path(bundle)
    url = "https://api.elevenlabs.io"

    usual = authorities(find(url, {}).tls)
    assert len(usual) > 50
    only = authorities(find(url, {"SSL_CERT_FILE": str(own)}).tls)
    assert len(only) == 1 and "Own" in only.pop()
    more = authorities(find(url, {"ELEVENLABS_CA_BUNDLE": str(bundle)}).tls)
    assert usual < more and len(more) == len(usual) + 1
    both = authorities(find(url, {"SSL_CERT_FILE": str(own), "ELEVENLABS_CA_BUNDLE": str(bundle)}).tls)
    assert len(both) == 2
    assert find("http://127.0.0.1", {"SSL_CERT_FILE": "/nowhere"}).tls is None


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "ELEVENLABS_CA_BUNDLE", "SSL_CERT_DIR"])
def test_bad_certificates_are_a_sentence_that_names_the_variable(variable: str, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for path in (str(junk), str(tmp_path / "missing")):
        with pytest.raises(Error) as caught:
            find("https://api.elevenlabs.io", {variable: path})
        assert variable in caught.value.sentence and path in caught.value.sentence
