"""A proxy that misbehaves as real servers do: it throttles, resets, repeats rows, and holds some back.

It returns as many repeated rows as it withholds, so that the number of rows read equals the stated total although
people are missing. Only a count of distinct ids can tell.
"""

import http.client
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scanner.demo.servers import Server

PAGE = 40
"""Rows in a page at most, whatever the client asked for."""

_THROTTLED = {2: "0", 6: "1"}
"""Number of the list request -> Retry-After in seconds."""
_RESET = 4
"""Number of the list request whose connection is torn down."""


class _Proxy(ThreadingHTTPServer):
    """The state that all requests share."""

    daemon_threads = True

    def __init__(self, upstream: str, withheld: Collection[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream)
        self.withheld = frozenset(withheld)
        self.lists: Counter[str] = Counter()
        self.lists_read: dict[str, dict[str, Any]] = {}
        """Authorization header -> the whole list. The demo changes nothing, and a page each would read it all again."""
        self.lock = threading.Lock()

    def next_list_request(self, path: str) -> int:
        """Count the list requests to one path."""
        with self.lock:
            self.lists[path] += 1
            return self.lists[path]


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: _Proxy

    def do_GET(self) -> None:
        """Pass a request on, and spoil it if it asks for the list of users."""
        url = urlsplit(self.path)
        if not url.path.endswith("/Users"):
            self._send(*self._ask(self.path))
            return
        number = self.server.next_list_request(url.path)
        if number == _RESET:
            self._reset()
        elif number in _THROTTLED:
            self._send(429, b"", {"Retry-After": _THROTTLED[number]})
        else:
            self._send_page(url.path, parse_qs(url.query))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send_page(self, path: str, query: dict[str, list[str]]) -> None:
        kept, key = self.server.lists_read, self.headers.get("Authorization", "")
        if key not in kept:
            status, body = self._ask(f"{path}?startIndex=1&count=1000")
            if status != 200:
                self._send(status, body)
                return
            kept[key] = json.loads(body)
        everything = kept[key]
        rows = spoil(everything["Resources"], self.server.withheld)
        start = max(int(query.get("startIndex", ["1"])[0]), 1)
        count = min(int(query.get("count", ["100"])[0]), PAGE)
        page = rows[start - 1 : start - 1 + max(count, 0)]
        answer = everything | {"startIndex": start, "itemsPerPage": len(page), "Resources": page}
        self._send(200, json.dumps(answer).encode())

    def _ask(self, target: str) -> tuple[int, bytes]:
        """Ask the real server, with the client's own credentials."""
        upstream = self.server.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=60)
        try:
            kept = {name: self.headers[name] for name in ("Authorization", "Accept", "Host") if name in self.headers}
            connection.request("GET", target, headers=kept)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Close with a TCP reset instead of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        # The base class would flush what it never wrote into a closed socket.
        self.wfile = _Sink()  # type: ignore[assignment]
        self.close_connection = True


class _Sink:
    """Takes whatever is flushed into it."""

    closed = False

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def spoil(rows: list[dict[str, Any]], withheld: Collection[str]) -> list[dict[str, Any]]:
    """Take the withheld users out and repeat as many others, each at the start of the page after its own."""
    shown = [row for row in rows if row["userName"] not in withheld]
    repeats = len(rows) - len(shown)
    for number in range(1, repeats + 1):
        position = number * PAGE
        if position > len(shown):
            position = len(shown)
        shown.insert(position, shown[position - 1])
    return shown


@contextmanager
def misbehave(server: Server, withheld: Collection[str]) -> Iterator[Server]:
    """Put the misbehaving proxy before a server until the context ends."""
    proxy = _Proxy(server.base_url, withheld)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        path = urlsplit(server.base_url).path
        yield Server(server.app, f"http://127.0.0.1:{proxy.server_port}{path}", server.token)
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(timeout=5)
