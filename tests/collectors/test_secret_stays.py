"""The secret goes to its own origin and nowhere else: not to a proxy in clear, and not into what is kept."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from servers import TOKEN, Behaviour, HostileServer, group, hostile, user

from scanner.collectors import http
from scanner.collectors.http import Session
from scanner.collectors.interface import no_progress
from scanner.collectors.redact import MASK
from scanner.collectors.refusal import HttpError
from scanner.collectors.scim import collect_scim
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.errors import ConfigError
from scanner.model import Verdict

BEARER = Auth("bearer", Secret("env", "ORPHANSCAN_TEST_TOKEN"))
PASSWORD = "pr0xy-pa55word"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def application(base_url: str, **more: Any) -> Application:
    """Return an application that signs in with the token."""
    limits = Limits(max_seconds=10, timeout_seconds=5, retries=2)
    return Application("crm", "CRM", "scim", **{"base_url": base_url, "auth": BEARER, "limits": limits, **more})


class _Proxy:
    """A forward proxy that knows CONNECT, and keeps all that it could read."""

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        self.port = port
        self.refusal = refusal
        self.read: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        self.read.append(head)
        if self.refusal or not head.startswith(b"CONNECT"):
            client.sendall(self.refusal or b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            client.close()
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        upstream = socket.create_connection(("127.0.0.1", self.port))
        threading.Thread(target=_pump, args=(client, upstream), daemon=True).start()
        _pump(upstream, client)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_a_proxy_reads_the_host_and_never_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over https a list is read through the proxy of the environment, which sees a tunnel and its own password."""
    subject = ["-subj", "/CN=crm.example", "-addext", "subjectAltName=DNS:crm.example"]
    new = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "ca.pem")]
    subprocess.run(["openssl", "req", *new, *subject, *files], check=True, capture_output=True)
    with hostile(certificate=(tmp_path / "ca.pem", tmp_path / "key.pem")) as secure:
        secure.behaviour = Behaviour([user(n) for n in range(5)], [group(1, ["u-1"])])
        proxy = _Proxy(secure.server_port)
        monkeypatch.setenv("https_proxy", f"http://jo:{PASSWORD}@{proxy.address}")
        app = application("https://crm.example/scim/v2", ca_file=tmp_path / "ca.pem")

        source = collect_scim(app, tmp_path / "out", no_progress).source

        assert source.verdict is Verdict.COMPLETE, source.detail
        assert all(head.startswith(b"CONNECT crm.example:443 ") for head in proxy.read)
        assert proxy.read
        assert TOKEN.encode() not in b"".join(proxy.read)
        refusing = _Proxy(0, b"HTTP/1.1 407 Who\x1b[31m are you %b\r\n\r\n" % PASSWORD.encode())
        monkeypatch.setenv("https_proxy", f"http://jo:{PASSWORD}@{refusing.address}")

        detail = collect_scim(app, tmp_path / "again", no_progress).source.detail

        assert "could not connect to https://crm.example: 407" in detail
        assert detail.isprintable()
        assert PASSWORD not in detail


def test_plain_http_never_passes_a_proxy_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """allow_http lets the secret travel to its own host, not to a proxy that reads along."""
    proxy = _Proxy(0)
    monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
    app = application("http://crm.example/scim", allow_http=True)

    with (
        Session(app) as session,
        pytest.raises(ConfigError, match=r"which would read the secret.*crm\.example to no_p"),
    ):
        session.get("/Users")
    assert proxy.read == []
    with Session(replace(app, auth=Auth("none"))) as session:
        assert session.get("/Users").body == b"{}"


@pytest.mark.parametrize("address", ["socks5://h:1", "ftp://h", "h:99999", "http://h:99999", "http://[::1", "http://"])
def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """What the environment holds is not repeated: it may hold a password."""
    monkeypatch.setenv("all_proxy", address)

    with (
        Session(application("https://crm.example/scim")) as session,
        pytest.raises(
            ConfigError, match=r"the proxy that the environment sets for https://crm\.example cannot be used"
        ),
    ):
        session.get("/Users")


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(one):04X}" for one in text)


@pytest.mark.parametrize(
    "told",
    [
        TOKEN,
        f"Bearer {TOKEN}",
        _escaped(TOKEN),
        TOKEN.replace("a", r"\u0061"),
        r"\u0000".join(TOKEN),
        r"\u200b".join(TOKEN),
        r"\n".join(TOKEN),
        "\x00".join(TOKEN),
        "\x1b".join(TOKEN),
        "\x7f".join(TOKEN),
        "\u200b".join(TOKEN),
        "\u00ad".join(TOKEN),
        "\u202e" + "\u2060".join(TOKEN),
        "\ufeff".join(TOKEN),
        r"\ud800".join(TOKEN),
        r"\n" + TOKEN.encode().hex(),
        r"\n" + "".join(f"%{byte:02X}" for byte in TOKEN.encode()),
    ],
)
@pytest.mark.parametrize("place", ["name", "key", "group", "single"])
def test_rows_are_kept_without_the_token_however_it_is_spelled(
    server: HostileServer, tmp_path: Path, told: str, place: str
) -> None:
    """Characters strewn in, escapes of JSON and hex are seen through, in values, in names and in a group by itself."""
    name = told if place == "name" else "x"
    key = told if place == "key" else "x"
    users = (
        f'{{"totalResults": 1, "Resources": [{{"id": "u-1", "userName": "jo", "displayName": "{name}", "{key}": 1}}]}}'
    )
    quirks = frozenset(["groups_without_members"] if place == "single" else [])
    server.behaviour = Behaviour([], [{**group(1, ["u-1"]), "displayName": "@"}], quirks, raw=users.encode())
    if place in ("group", "single"):
        server.behaviour.spoken = told.encode()

    collected = collect_scim(application(server.base_url), tmp_path, no_progress)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert MASK.encode() in kept
    visible = "".join(character for character in kept.decode() if character.isalnum()).lower()
    for form in (TOKEN, TOKEN.encode().hex()):
        assert form.replace("-", "") not in visible


def test_harmless_rows_stay_as_they_are(server: HostileServer, tmp_path: Path) -> None:
    """Umlauts, escapes and line breaks alone change nothing."""
    users = rb'{"totalResults":1,"Resources":[{"id":"u-1","userName":"jo","displayName":"J\u00f6\/\u200b\n \u2026"}]}'
    server.behaviour = Behaviour([], [], raw=users)

    collected = collect_scim(application(server.base_url), tmp_path, no_progress)

    assert collected.files["users"].read_bytes().strip() == users[users.index(b'{"id"') : -2]


def test_cookies_of_a_server_are_not_carried_along(server: HostileServer) -> None:
    """Nothing that a server says grows with the number of requests."""
    server.behaviour = Behaviour([user(1)], quirks=frozenset(["sets_cookies"]))
    with Session(application(server.base_url)) as session:
        for _ in range(3):
            session.get("/Users?startIndex=1&count=5")

    assert server.behaviour.cookies_sent == 0


def test_a_secret_that_was_replaced_is_read_again(server: HostileServer, tmp_path: Path) -> None:
    """A token file that is rotated during the walk costs one request; one that is not replaced is asked once."""
    file = tmp_path / "token"
    file.write_text("old-token-of-yesterday")
    file.chmod(0o600)
    server.behaviour = Behaviour([user(1)])
    app = application(server.base_url, auth=Auth("bearer", Secret("file", str(file))))
    with Session(app) as session:
        with pytest.raises(HttpError, match="401"):
            session.get("/Users")
        assert len(server.behaviour.seen) == 1
        file.write_text(TOKEN)
        assert session.get("/Users").status == 200
        assert "old-token" not in session.redactor.text("no: old-token-of-yesterday")
        server.behaviour.token = "another"
        file.unlink()
        with pytest.raises(HttpError, match="401"):
            session.get("/Users")
