"""Servers on loopback that keep what they are sent."""

import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme

Answer = tuple[int, Mapping[str, str], object]
"""Status, headers and JSON."""


@dataclass
class Request:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Http:
    """What the server was asked, and how it answers."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    script: deque[Answer] = field(default_factory=deque)
    """Answers to the next requests; afterwards `answer` is asked."""
    answer: Callable[[Request], Answer] = lambda request: (200, {}, {})

    @property
    def posts(self) -> list[Request]:
        """What was sent."""
        return [one for one in self.requests if one.method == "POST"]


@contextmanager
def http() -> Iterator[Http]:
    """Run an HTTP server."""
    state = Http()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            state.requests.append(request)
            status, headers, document = state.script.popleft() if state.script else state.answer(request)
            content = json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_HEAD = _any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def stream(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, Callable[[], bytes]]]:
    """Run a TCP server for one connection; give its port, and what waits for the connection's end."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    came: list[bytes] = []

    def take() -> None:
        connection, _ = server.accept()
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as one:
                while chunk := one.recv(65536):
                    came.append(chunk)
        except OSError:
            return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()

    def received() -> bytes:
        thread.join(20)
        return b"".join(came)

    try:
        yield server.getsockname()[1], received
    finally:
        server.close()


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the TLS side of a server called `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
