"""Real HTTP servers on loopback: scim2-server, and one that misbehaves as servers in the wild do."""

import base64
import gzip
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import hostile_lists

TOKEN = "canary-7f3a9e51c2d84b6098"
Row = dict[str, Any]


def user(number: int | str, **more: object) -> Row:
    """Return a synthetic user."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": f"u-{number}",
        "userName": f"user{number}@corp.example",
        "active": True,
        **more,
    }


def group(number: int | str, members: Sequence[str] | None = None) -> Row:
    """Return a synthetic group; without `members` the key is absent."""
    row: Row = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": f"g-{number}",
        "displayName": f"Group {number}",
    }
    if members is not None:
        row["members"] = [{"value": member, "type": "User"} for member in members]
    return row


@dataclass
class Behaviour:
    """What the hostile server does. Every field but the first three is a quirk."""

    users: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    quirks: frozenset[str] = frozenset()
    cap: int = 1000
    """Most rows a page may hold."""
    faults: deque[str] = field(default_factory=deque)
    """Taken one per request to /Users, first come."""
    script: deque[str] = field(default_factory=deque)
    """Quirks that are on for one page of users each, and a fault before it, as in "reset|no_total short_pages"."""
    retry_after: str | None = None
    raw: bytes | None = None
    """Sent as the answer to every GET /Users."""
    location: str = ""
    token: str | None = TOKEN
    expires_in: object = 3600
    seen: list[str] = field(default_factory=list)
    """Requests, as `GET /path?query`."""
    tokens: int = 0
    cursors: int = 0
    lists: int = 0
    """Pages asked for."""
    drifted: bool = False
    rate_limit: tuple[int, float] | None = None
    """Requests allowed in a window of so many seconds, stated with every answer."""
    windows: dict[int, int] = field(default_factory=dict)
    """Requests that came in each window."""
    spoken: bytes = b"@"
    """Stands where a group is called @, byte for byte."""
    cookies_sent: int = 0
    """Cookies that came back."""
    visible: int | None = None
    """Rows from this position on are never shown."""

    def has(self, quirk: str) -> bool:
        """Tell whether a quirk is on."""
        return quirk in self.quirks


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "HostileServer"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    @property
    def behaviour(self) -> Behaviour:
        return self.server.behaviour

    def do_POST(self) -> None:
        self.behaviour.seen.append(f"POST {self.path}")
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        basic = "Basic " + base64.b64encode(f"client:{TOKEN}".encode()).decode()
        by_header = self.headers.get("Authorization") == basic and not self.behaviour.has("secret_in_body")
        by_body = form.get("client_secret") == [TOKEN] and form.get("client_id") == ["client"]
        if form.get("grant_type") != ["client_credentials"] or not (by_header or by_body):
            self._json(401, {"error": "invalid_client", "error_description": f"no: {self.headers['Authorization']}"})
            return
        if self.behaviour.has("endless_token"):
            self._endless()
            return
        self.behaviour.tokens += 1
        self.behaviour.token = f"access-{self.behaviour.tokens}-{TOKEN[::-1]}"
        self._json(200, {"access_token": self.behaviour.token, "expires_in": self.behaviour.expires_in})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        behaviour = self.behaviour
        behaviour.seen.append(f"GET {self.path}")
        behaviour.cookies_sent += len(self.headers.get_all("Cookie", []))
        given = self.headers.get("Authorization")
        if behaviour.has("echo_token"):
            text = f"bad\x00\x1b[31m {given} {base64.b64encode((given or '').encode()).decode()} \u202e{TOKEN[:16]}"
            self._json(401, {"detail": text, "status": "401"})
            return
        if behaviour.token and given != f"Bearer {behaviour.token}":
            self._json(401, {"detail": "who are you", "status": "401"})
            return
        name = parts.path.removeprefix("/scim/v2")
        if name == "/Users" and behaviour.script:
            fault, _, quirks = behaviour.script.popleft().rpartition("|")
            if fault and self._fault(fault):
                return
            self._list(behaviour.users, parse_qs(parts.query, keep_blank_values=True), quirks=quirks.split())
            return
        if name == "/Users" and behaviour.faults and self._fault(behaviour.faults.popleft()):
            return
        if name == "/Users" and behaviour.raw is not None:
            self._send(200, behaviour.raw)
        elif name == "/Users":
            self._list(behaviour.users, parse_qs(parts.query, keep_blank_values=True), is_users=True)
        elif name == "/Groups" and behaviour.has("groups_refused"):
            self._json(403, {"detail": "no groups for you", "status": 403})
        elif name == "/Groups" and behaviour.has("groups_absent"):
            self._json(404, {"detail": "no such endpoint", "status": "404"})
        elif name == "/Groups":
            rows = behaviour.groups
            if behaviour.has("groups_without_members"):
                rows = [{key: value for key, value in row.items() if key != "members"} for row in rows]
            if behaviour.has("large_groups_without_members"):
                rows = [
                    {key: value for key, value in row.items() if key != "members" or len(value) < 9} for row in rows
                ]
            if behaviour.has("members_cut_in_list"):
                rows = [{**row, "members": row["members"][:100]} for row in rows]
            self._list(rows, parse_qs(parts.query, keep_blank_values=True), is_users=False)
        elif name.startswith("/Groups/"):
            wanted = unquote(name.removeprefix("/Groups/"))
            found = [row for row in behaviour.groups if row["id"] == wanted and wanted != "g-gone"]
            self._json(200, found[0]) if found else self._json(404, {"status": "404"})
        elif name == "/ServiceProviderConfig" and (behaviour.has("cursor") or behaviour.has("cursor_promised")):
            self._json(200, {"pagination": {"cursor": True, "index": True}})
        elif name == "/ServiceProviderConfig" and behaviour.has("cursor_only_said"):
            self._json(200, {"pagination": {"cursor": True, "index": False}})
        elif name == "/ResourceTypes" and behaviour.has("only_users"):
            self._json(200, {"totalResults": 1, "Resources": [{"id": "User", "endpoint": "/Users"}]})
        elif name == "/moved/Users":
            self._list(behaviour.users, parse_qs(parts.query, keep_blank_values=True), is_users=True)
        else:
            self._json(404, {"detail": "nothing here", "status": "404"})

    def _list(
        self, rows: list[Row], query: dict[str, list[str]], *, is_users: bool = True, quirks: Sequence[str] = ()
    ) -> None:
        always = self.behaviour.quirks
        self.behaviour.quirks = always | {*quirks}
        try:
            sent = hostile_lists.reply(self.behaviour, rows, query, is_users=is_users)
        finally:
            self.behaviour.quirks = always
        self._send(sent.status, sent.body, sent.headers)

    def _fault(self, fault: str) -> bool:
        """Misbehave as told; return whether the request is thereby dealt with."""
        if fault == "ok":
            return False
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self._hang_up()
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            self.wfile.write(b'{"totalResults": 3, "Resources": [')
            self._hang_up()
        elif fault == "cut_gzip":
            self._send(200, gzip.compress(b'{"totalResults": 3}' * 100)[:30], {"Content-Encoding": "gzip"})
        elif fault == "drip":
            self._drip()
        elif fault == "drip_headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self._drip()
        elif fault == "endless":
            self._endless()
        elif fault == "bomb":
            bomb = gzip.compress(b" " * 50_000_000)
            self._send(200, bomb, {"Content-Encoding": "gzip"})
        elif fault == "brotli":
            self._send(200, b"????", {"Content-Encoding": "br"})
        elif fault == "redirect":
            self._send(302, b"", {"Location": self.behaviour.location})
        else:
            headers = {"Retry-After": self.behaviour.retry_after} if self.behaviour.retry_after else {}
            self._send(int(fault), b'{"detail": "later", "scimType": "tooMany"}', headers)
        return True

    def _drip(self) -> None:
        with_headers = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        try:
            if not self.path.startswith("/raw"):
                self.wfile.write(with_headers)
            for _ in range(400):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            pass
        self._hang_up()

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" " * 65536)
        except OSError:
            self.close_connection = True

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def _json(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        body = body.replace(b'"displayName": "@"', b'"displayName": "%b"' % self.behaviour.spoken)
        self.send_response(status)
        if self.behaviour.has("sets_cookies"):
            self.send_header("Set-Cookie", f"n{len(self.behaviour.seen)}={'x' * 3000}; Path=/")
        self.send_header("Content-Type", "text/html" if self.behaviour.has("html_type") else "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in {**self._allowance(), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _allowance(self) -> dict[str, str]:
        if self.behaviour.rate_limit is None:
            return {}
        limit, seconds = self.behaviour.rate_limit
        window = int(time.monotonic() / seconds)
        self.behaviour.windows[window] = used = self.behaviour.windows.get(window, 0) + 1
        reset = (window + 1) * seconds - time.monotonic()
        remaining = str(max(0, limit - used))
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": remaining,
            "X-RateLimit-Reset": f"{reset:.3f}",
        }

    def finish(self) -> None:
        """Close quietly also after a connection was torn down on purpose."""
        with suppress(OSError, ValueError):
            super().finish()


class HostileServer(ThreadingHTTPServer):
    """A SCIM server with switches; set `behaviour` before each use."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, certificate: tuple[Path, Path] | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = Behaviour()
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def base_url(self) -> str:
        """Where its SCIM API begins."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}/scim/v2"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that hang up."""


@contextmanager
def hostile(certificate: tuple[Path, Path] | None = None) -> Iterator[HostileServer]:
    """Run a hostile server, over TLS if it is given a certificate and its key."""
    server = HostileServer(certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def scim2(*, cursor: bool = False, token: str = TOKEN) -> Iterator[str]:
    """Run the real scim2-server and yield its base URL."""
    from scim2_models import Pagination, ScimProvider
    from scim2_server.memory import InMemoryStorage
    from scim2_server.service import ScimService
    from scim2_server.testserver.application import BearerTokenApplication
    from scim2_server.utils import (
        load_default_resource_types,
        load_default_schemas,
        load_default_service_provider_config,
    )

    config = load_default_service_provider_config()
    if cursor:
        config.pagination = Pagination(cursor=True, index=True)
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )
    service = ScimService(provider, secret="0123456789abcdef0123456789abcdef")
    app = BearerTokenApplication(InMemoryStorage(), provider, service=service, bearer_tokens=[token])
    with make_server("127.0.0.1", 0, app, handler_class=_QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v2"
        server.shutdown()
