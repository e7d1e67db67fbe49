"""The way to the service: through which proxy, trusting whom, and what it means when there is no way.

Environment, the first that is set: ELEVENLABS_PROXY, then HTTPS_PROXY or HTTP_PROXY by the scheme of the
base URL, then ALL_PROXY (all but the first not for hosts that NO_PROXY names). ELEVENLABS_CA_BUNDLE is
trusted beside the usual authorities; SSL_CERT_FILE and SSL_CERT_DIR take their place, as for OpenSSL.
This machine itself is never reached through a proxy.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from kbtui.errors import Error
from kbtui.settings import is_loopback

CONNECT = 10.0  # seconds until a connection must stand

_SCHEMES = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5h", "socks": "socks5h"}


@dataclass(frozen=True)
class Route:
    """How to reach one host. `proxy` may hold a password, so it is never shown: `proxy_name` is."""

    host: str
    proxy: str | None
    proxy_name: str
    tls: ssl.SSLContext | None  # None where the base URL is plain http

    def __repr__(self) -> str:
        return f"Route({self.host!r}, through {self.proxy_name or 'no proxy'})"


def find(base_url: str, environ: Mapping[str, str]) -> Route:
    """The way to `base_url`.

    Raises:
        Error: the environment names a proxy or certificates that cannot be used.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    variable, proxy = ("", None) if is_loopback(host) else _proxy(parts.scheme, host, environ)
    name = ""
    if proxy is not None:
        proxy, name = _checked_proxy(proxy, variable)
    secure = parts.scheme == "https" or (proxy or "").startswith("https:")
    return Route(parts.netloc, proxy, name, _trust(environ) if secure else None)


def _proxy(scheme: str, host: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The variable that names the proxy, and what it says."""
    if environ.get("ELEVENLABS_PROXY"):
        return "ELEVENLABS_PROXY", environ["ELEVENLABS_PROXY"]
    if any(
        _covers(name, host) for name in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    ):
        return "", None
    for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper(), "all_proxy", "ALL_PROXY"):
        if environ.get(name):
            return name, environ[name]
    return "", None


def _covers(name: str, host: str) -> bool:
    """Whether an entry of NO_PROXY means the host: a name and all below it, a network, or everything."""
    name = name.strip().lower()
    if name == "*":
        return True
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        name = name.removeprefix("*").removeprefix(".").rsplit(":", 1)[0]
        return bool(name) and (host == name or host.endswith("." + name))


def _checked_proxy(text: str, variable: str) -> tuple[str, str]:
    """The proxy's address with a scheme that is understood, and its name without a password."""
    given = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise Error(f"{variable} does not hold the address of a proxy; it looks like http://proxy:8080.")
    if parts.scheme.lower() not in _SCHEMES:
        raise Error(f"{variable} names a {parts.scheme} proxy; kbtui can use http, https and socks5.")
    scheme = _SCHEMES[parts.scheme.lower()]
    return f"{scheme}://{parts.netloc}", f"{host}:{port}" if port else host


def _trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Whose certificates are believed."""
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file:
        _load(context, "SSL_CERT_FILE", file)
    if folder:
        if not Path(folder).is_dir():
            raise Error(f"SSL_CERT_DIR names {folder}, which is no directory.")
        context.load_verify_locations(capath=folder)
    if not file and not folder:
        import certifi

        context.load_verify_locations(certifi.where())
    if environ.get("ELEVENLABS_CA_BUNDLE"):
        _load(context, "ELEVENLABS_CA_BUNDLE", environ["ELEVENLABS_CA_BUNDLE"])
    return context


def _load(context: ssl.SSLContext, variable: str, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise Error(f"{variable} names {path}, which holds no certificates in PEM form.") from None
    except OSError as error:
        raise Error(f"{variable} names {path}, which cannot be read: {error.strerror}.") from None


# What it means when there is no way


def why_no_connection(error: BaseException, route: Route) -> tuple[str, bool]:
    """A sentence for a connection that did not come about, and whether another try may help."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, route.host), False
    target = f"The proxy {route.proxy_name}" if route.proxy else route.host
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            name = route.proxy_name if route.proxy else route.host
            return f"No address is known for {name}. Check the network and the name.", True
        if isinstance(cause, ConnectionRefusedError):
            return f"{target} refuses the connection. Check that it runs, and its address.", True
        if isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return f"{target} cannot be reached from this network. Check the connection.", True
        if isinstance(cause, TimeoutError):
            return why_no_connection_in_time(route), True
    return f"{target} could not be connected to. Check the network.", True


def why_no_connection_in_time(route: Route) -> str:
    target = f"The proxy {route.proxy_name}" if route.proxy else route.host
    return (
        f"{target} did not take the connection within {CONNECT:.0f} s. Check the network, VPN and firewall."
    )


def why_the_proxy_failed(text: str, route: Route) -> tuple[str, bool]:
    """A sentence for a proxy that answered, but did not lead on; `text` is what it said."""
    if "407" in text or "auth" in text.lower():
        return (
            f"The proxy {route.proxy_name} wants another name and password. Put them into its address.",
            False,
        )
    return f"The proxy {route.proxy_name} did not lead to {route.host}: {text or 'it gave no reason'}.", True


def _tls(error: ssl.SSLError, host: str) -> str:
    """Which of the things that can be wrong with a certificate it is. Numbers: OpenSSL, X509_V_ERR_*."""
    code = getattr(error, "verify_code", None)
    if code == 10:
        return f"The certificate of {host} has expired. Check this machine's clock, or tell its owner."
    if code == 9:
        return f"The certificate of {host} is not valid yet. Check this machine's clock."
    if code in (62, 64):
        return (
            f"The certificate that came is not for {host}. Check the base URL; something may be in between."
        )
    if code in (2, 18, 19, 20, 21):
        return (
            f"The certificate of {host} comes from an authority unknown here. If a proxy or a server of "
            "your own is meant, name its certificate in SSL_CERT_FILE or ELEVENLABS_CA_BUNDLE."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} is not good: {error.verify_message}."
    return f"{host} does not speak TLS as it should ({error.reason or 'broken off'}). Check the base URL."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    seen: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        cause = queue.pop(0)
        if cause is None or cause in seen:
            continue
        seen.append(cause)
        yield cause
        queue += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            queue += cause.exceptions
