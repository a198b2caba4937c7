"""A SCIM server that costs next to nothing: ready pages in a file, sent by the kernel, one thread a connection.

`python -m benchmarks.collecting.server USERS PAGE_SIZE LATENCY_MS APPLICATIONS` prints one port an application, each an
origin of its own, and serves until its standard input ends.
"""

import os
import re
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from benchmarks.collecting import people

_LIST = re.compile(rb"GET /scim/v2/(Users|Groups)\?(\S*)")
_START = re.compile(rb"\bstartIndex=(\d+)")
_COUNT = re.compile(rb"\bcount=(\d+)")
_CONFIG = re.compile(rb"GET /scim/v2/ServiceProviderConfig ")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/scim+json\r\nContent-Length: %d\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Pages:
    """Where each page lies in the file: (kind, start, size of the page) -> offset and length."""

    file: BinaryIO
    places: dict[tuple[bytes, int, int], tuple[int, int]]
    config: bytes
    """ServiceProviderConfig (RFC 7643, section 5)."""
    empty: dict[bytes, bytes]
    """The page behind the end of each kind of list."""

    @classmethod
    def render(cls, users: int, size: int) -> "Pages":
        """Write all pages of that size, and first pages of one user and of one group."""
        config = b'{"patch":{"supported":true},"filter":{"supported":true,"maxResults":%d}}' % size
        empty = {b"Users": people.page([], users, users), b"Groups": people.page([], people.GROUPS, people.GROUPS)}
        pages = cls(tempfile.TemporaryFile(), {}, config, empty)  # noqa: SIM115  # lives as long as the process
        for number, body in enumerate(people.user_pages(users, size)):
            pages._add((b"Users", number * size + 1, size), body)
        pages._add((b"Users", 1, 1), people.page([people.user(0)], users, 0))
        for count in (1, size):
            pages._add((b"Groups", 1, count), people.group_page())
        pages.file.flush()
        return pages

    def _add(self, place: tuple[bytes, int, int], body: bytes) -> None:
        self.places[place] = (self.file.tell(), len(body))
        self.file.write(body)

    def send(self, connection: socket.socket, request: bytes) -> None:
        """Answer one request."""
        asked = _LIST.match(request)
        start, count = (found.search(asked[2]) if asked else None for found in (_START, _COUNT))
        place = self.places.get((asked[1], int(start[1]), int(count[1]))) if asked and start and count else None
        if place is None:
            body = self.empty[asked[1]] if asked else self.config if _CONFIG.match(request) else None
            connection.sendall(_NOT_FOUND if body is None else _HEAD % len(body) + body)
            return
        offset, length = place
        connection.send(_HEAD % length, socket.MSG_MORE)
        end = offset + length
        while offset < end:
            offset += os.sendfile(connection.fileno(), self.file.fileno(), offset, end - offset)


def _serve(listener: socket.socket, pages: Pages, latency: float) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_talk, args=(connection, pages, latency), daemon=True).start()


def _talk(connection: socket.socket, pages: Pages, latency: float) -> None:
    with suppress(OSError), connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while chunk := connection.recv(65536):
            waiting += chunk
            while b"\r\n\r\n" in waiting:
                request, _, waiting = waiting.partition(b"\r\n\r\n")
                if latency:
                    time.sleep(latency)
                pages.send(connection, request)


def main() -> None:
    """Serve until nobody is left to serve."""
    users, size, milliseconds, applications = map(int, sys.argv[1:])
    pages = Pages.render(users, size)
    for _ in range(applications):
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=_serve, args=(listener, pages, milliseconds / 1000), daemon=True).start()
        print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
