"""A server on loopback that answers as a function of the request says: REST APIs, and replays of closed systems."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    origin: str = ""
    """Of this server, for links."""


@dataclass(frozen=True)
class Reply:
    """What goes back; a body that is no bytes is sent as JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Reply]


@dataclass
class Replay:
    """A running server."""

    origin: str
    seen: list[Request] = field(default_factory=list)

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path."""
        return [one for one in self.seen if one.path == path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, body, self.server.replay.origin)
        self.server.replay.seen.append(request)
        reply = self.server.answer(request)
        raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **reply.headers}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.replay = Replay(f"http://127.0.0.1:{self.server_address[1]}")


@contextmanager
def replay(answer: Answer) -> Iterator[Replay]:
    """Run a server as long as the block lasts."""
    server = _Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(status: int = 403, said: str = "no") -> Reply:
    """Return a refusal."""
    return Reply({"message": said}, status)


def pages_by_link(rows: list[Any], request: Request, *, size_parameter: str, most: int, after: str = "after") -> Reply:
    """Return the page of rows that a request asks for, with the header Link (RFC 8288) where more follows."""
    size = min(int(request.query.get(size_parameter, most)), most)
    start = int(request.query.get(after, 0))
    page = rows[start : start + size]
    links = [f'<{request.origin}{request.path}?{size_parameter}={size}>; rel="self"']
    if start + size < len(rows):
        rest = "&".join(f"{k}={v}" for k, v in request.query.items() if k not in (after, size_parameter))
        links.append(
            f'<{request.origin}{request.path}?{size_parameter}={size}&{after}={start + size}&{rest}>; rel="next"'
        )
    return Reply(page, headers={"Link": ", ".join(links)})
