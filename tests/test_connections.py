"""Every way in which no connection comes about is told apart, in words; and proxies lead to the service."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from kbtui import route, transport
from kbtui.demo.server import Demo
from kbtui.errors import Error, Offline
from kbtui.pacing import Pacing
from kbtui.transport import Ask, Transport
from tests.wire import Wire

LIST = Ask("GET", ("knowledge-base",), query={"page_size": 1})
NAME = "kb.example"  # a host that only the proxies here know
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback; its port."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def line(base_url: str, environ: dict[str, str] | None = None) -> AsyncIterator[Transport]:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    line = Transport(base_url, "the-key", environ=environ or {}, sleep=at_once)
    try:
        yield line
    finally:
        await line.aclose()


async def failure(base_url: str, environ: dict[str, str] | None = None, ask: Ask = LIST) -> Offline:
    async with line(base_url, environ) as broken:
        with pytest.raises(Offline) as caught:
            await broken.json(ask)
    assert not caught.value.fate_unknown
    assert "the-key" not in caught.value.sentence + caught.value.detail
    return caught.value


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The service, as far as it is needed here."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"documents": [], "has_more": false}'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
    finally:
        writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The network


async def test_a_host_that_refuses() -> None:
    port = free_port()
    error = await failure(f"http://127.0.0.1:{port}")
    assert error.sentence.startswith(f"127.0.0.1:{port} refuses the connection")


async def test_a_name_that_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failure(f"http://{NAME}")
    assert error.sentence.startswith(f"No address is known for {NAME}")


async def test_a_host_that_does_not_take_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT", 0.1)
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)  # its queue holds one that nobody accepts
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        error = await failure(f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert "did not take the connection within" in error.sentence


async def test_a_network_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError("all attempts failed")
    error.__cause__ = ExceptionGroup("", [OSError(101, "Network is unreachable")])
    way = route.find(f"https://{NAME}", {})
    assert route.why_no_connection(error, way) == (
        f"{NAME} cannot be reached from this network. Check the connection.",
        True,
    )


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """An environment that believes the authority."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return {"SSL_CERT_FILE": str(path)}


def shown(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server side that shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_a_certificate_of_an_own_authority_is_good(
    authority: trustme.CA, trusted: dict[str, str]
) -> None:
    async with serving(answer, shown(authority.issue_cert("127.0.0.1"))) as port:
        for environ in (trusted, {"ELEVENLABS_CA_BUNDLE": trusted["SSL_CERT_FILE"]}):
            async with line(f"https://127.0.0.1:{port}", environ) as good:
                assert (await good.json(LIST)).data["documents"] == []


async def test_a_certificate_of_an_unknown_authority(authority: trustme.CA) -> None:
    async with serving(answer, shown(authority.issue_cert("127.0.0.1"))) as port:
        error = await failure(f"https://127.0.0.1:{port}")
    assert "an authority unknown here" in error.sentence
    assert "SSL_CERT_FILE" in error.sentence


async def test_a_certificate_for_another_name(authority: trustme.CA, trusted: dict[str, str]) -> None:
    for name in ("127.0.0.2", "api.example"):
        async with serving(answer, shown(authority.issue_cert(name))) as port:
            error = await failure(f"https://127.0.0.1:{port}", trusted)
        assert f"is not for 127.0.0.1:{port}" in error.sentence


@pytest.mark.parametrize(("days", "word"), [(-1, "has expired"), (3, "is not valid yet")])
async def test_a_certificate_out_of_its_time(
    authority: trustme.CA, trusted: dict[str, str], days: int, word: str
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    old = authority.issue_cert("127.0.0.1", not_before=end - timedelta(days=2), not_after=end)
    async with serving(answer, shown(old)) as port:
        error = await failure(f"https://127.0.0.1:{port}", trusted)
    assert word in error.sentence
    assert "clock" in error.sentence


async def test_a_host_that_speaks_no_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving(plain) as port:
        error = await failure(f"https://127.0.0.1:{port}")
    assert "does not speak TLS" in error.sentence


async def test_a_bad_certificate_is_not_tried_again(authority: trustme.CA) -> None:
    shaken = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal shaken
        shaken += 1
        writer.close()

    async with serving(count) as port:
        await failure(f"https://127.0.0.1:{port}")
    assert shaken >= 1
    async with serving(answer, shown(authority.issue_cert("127.0.0.1"))) as port:
        waits: list[object] = []
        once = Transport(f"https://127.0.0.1:{port}", "the-key", environ={}, on_wait=waits.append)
        with pytest.raises(Offline):
            await once.json(LIST)
        await once.aclose()
    assert waits == []


# Proxies


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Let both sides talk to each other until one has enough."""
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(pour(reader, there_writer), pour(there_reader, writer))


def tunnel(port: int, log: list[bytes], verdict: bytes = b"200 OK") -> Handler:
    """An HTTP proxy for CONNECT, that leads to a port here whatever host is asked for."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        log.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + verdict + b"\r\n\r\n")
        await writer.drain()
        if verdict.startswith(b"200"):
            await join(reader, writer, port)
        writer.close()

    return handle


def socks(port: int, log: list[bytes], verdict: int = 0) -> Handler:
    """A SOCKS5 proxy (RFC 1928) without authentication, that leads to a port here."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        *_, kind, length = await reader.readexactly(5)
        assert kind == 3, "a name, so that the proxy looks it up"
        log.append(await reader.readexactly(length))
        await reader.readexactly(2)
        writer.write(bytes([5, verdict, 0, 1, 0, 0, 0, 0, 0, 0]))
        await writer.drain()
        if verdict == 0:
            await join(reader, writer, port)
        writer.close()

    return handle


async def test_an_http_proxy_leads_to_a_service_behind_tls(
    authority: trustme.CA, trusted: dict[str, str]
) -> None:
    asked: list[bytes] = []
    async with (
        serving(answer, shown(authority.issue_cert(NAME))) as port,
        serving(tunnel(port, asked)) as proxy,
        line(f"https://{NAME}", {**trusted, "HTTPS_PROXY": f"http://me:pw@127.0.0.1:{proxy}"}) as through,
    ):
        assert (await through.json(LIST)).data["documents"] == []
    assert asked[0].startswith(f"CONNECT {NAME}:443 ".encode())
    assert b"authorization: basic" in asked[0].lower()
    assert b"the-key" not in asked[0]


async def test_a_socks_proxy_leads_to_the_service(demo: Demo) -> None:
    asked: list[bytes] = []
    port = int(demo.url.rpartition(":")[2])
    async with serving(socks(port, asked)) as proxy:
        way = Transport(f"http://{NAME}", demo.key, environ={"ALL_PROXY": f"socks5://127.0.0.1:{proxy}"})
        assert len((await way.json(LIST)).data["documents"]) == 1
        await way.aclose()
    assert asked == [NAME.encode()]


async def test_a_proxy_in_the_environment_is_no_way_to_this_machine(
    demo: Demo, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "http_proxy", "ELEVENLABS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    way = Transport(wire.url, demo.key)
    assert (await way.json(LIST)).data["documents"]
    await way.aclose()


async def test_the_environment_of_the_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    async with serving(tunnel(0, asked, b"502 Bad Gateway")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        way = Transport(f"https://{NAME}", "the-key", pacing=Pacing(draw=lambda: 0.0))
        with pytest.raises(Offline):
            await way.json(Ask("GET", ("agents",)))
        await way.aclose()
    assert asked[0].startswith(f"CONNECT {NAME}:443 ".encode())


async def test_a_proxy_that_is_not_there() -> None:
    port = free_port()
    error = await failure(f"https://{NAME}", {"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{port}"})
    assert error.sentence.startswith(f"The proxy 127.0.0.1:{port} refuses the connection")
    assert "secret" not in error.sentence + error.detail


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (b"407 Proxy Authentication Required", "another name and password"),
        (b"502 Bad Gateway", "did not lead to"),
    ],
)
async def test_a_proxy_that_does_not_lead_on(verdict: bytes, word: str) -> None:
    asked: list[bytes] = []
    async with serving(tunnel(0, asked, verdict)) as proxy:
        error = await failure(f"https://{NAME}", {"HTTPS_PROXY": f"http://127.0.0.1:{proxy}"})
    assert word in error.sentence
    assert f"127.0.0.1:{proxy}" in error.sentence


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves the socket to the collector
async def test_a_socks_proxy_that_does_not_lead_on() -> None:
    async with serving(socks(0, [], verdict=4)) as proxy:
        error = await failure(f"http://{NAME}", {"ALL_PROXY": f"socks5://127.0.0.1:{proxy}"})
    gc.collect()
    assert "did not lead to kb.example" in error.sentence


async def test_a_bad_proxy_or_certificate_in_the_environment_is_told_and_nothing_is_sent() -> None:
    for environ, word in [
        ({"HTTPS_PROXY": "gopher://x"}, "HTTPS_PROXY"),
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE"),
    ]:
        async with line(f"https://{NAME}", environ) as broken:
            with pytest.raises(Error, match=word):
                await broken.json(LIST)
