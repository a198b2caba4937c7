"""A SCIM server that reads well and writes badly, as servers in the wild do."""

import copy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from company import READ, WRITE, user

Row = dict[str, Any]


@dataclass
class State:
    """What the server holds, and how it writes."""

    users: dict[str, Row]
    groups: dict[str, Row]
    quirk: str = ""
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and body of every request that was no GET."""
    elsewhere: str = ""
    """Another host."""
    count: int = 0
    own: dict[str, str] = field(default_factory=dict)
    """Authorization -> id of the account behind it, as /Me tells."""
    config: Row | None = None
    """ServiceProviderConfig."""
    late: int = 0
    """Reads until the last write takes effect."""


def state(count: int = 40) -> State:
    """Return 40 users, 5 and 6 of them inactive members of a group of administrators."""
    users = {f"u-{n}": {**user(n), "id": f"u-{n}", "active": n not in (5, 6)} for n in range(count)}
    users["u-2"]["roles"] = [{"value": "editor"}, {"value": "admin"}]
    group = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "g-1",
        "displayName": "Admins",
        "members": [{"value": f"u-{n}", "type": "User"} for n in (4, 5, 6, 7)],
    }
    return State(users, {"g-1": group})


class Handler(BaseHTTPRequestHandler):
    """Serves /Users and /Groups; every write goes through the quirk."""

    protocol_version = "HTTP/1.1"
    server: "HostileWrites"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer lists and single resources."""
        if self.headers.get("Authorization") not in (f"Bearer {READ}", f"Bearer {WRITE}"):
            self.answer(401, {})
            return
        self.server.state.late -= 1
        if self.server.state.late == 0:
            self.apply()
        kind, _, name = urlsplit(self.path).path.removeprefix("/scim/v2/").partition("/")
        if kind == "Me" and (own := self.server.state.own.get(self.headers["Authorization"])) is not None:
            kind, name = "Users", own
        if kind == "ServiceProviderConfig" and self.server.state.config is not None:
            self.answer(200, self.server.state.config)
            return
        rows = {"Users": self.server.state.users, "Groups": self.server.state.groups}.get(kind)
        if rows is None:
            self.answer(404, {"status": "404"})
        elif name:
            row = rows.get(unquote(name))
            self.answer(200, row) if row else self.answer(404, {"status": "404"})
        else:
            self.answer(200, {"totalResults": len(rows), "Resources": list(rows.values()), "startIndex": 1})

    def do_PATCH(self) -> None:
        """Write, in the server's way."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        held = self.server.state
        held.count += 1
        held.writes.append((self.command, self.path.removeprefix("/scim/v2"), json.loads(body) if body else None))
        if self.headers.get("Authorization") != f"Bearer {WRITE}":
            self.answer(403, {"detail": f"no: {self.headers.get('Authorization')}"})
            return
        quirk = getattr(self, f"q_{held.quirk}", None)
        if quirk is None or not quirk():
            self.apply()
            self.answer(200, {})

    do_POST = do_DELETE = do_PATCH  # noqa: N815  # names of the library

    def apply(self) -> None:
        """Do what the last request asks."""
        held = self.server.state
        method, path, body = held.writes[-1]
        _, kind, name = path.split("/", 2)
        rows = held.users if kind == "Users" else held.groups
        if method == "DELETE":
            rows.pop(unquote(name), None)
            return
        if body is None or "Operations" not in body:
            return
        row = rows[unquote(name)]
        for operation in body["Operations"]:
            self.operate(row, operation)

    def operate(self, row: Row, operation: Row) -> None:
        """Carry out one operation of a PATCH."""
        path, value = operation.get("path", ""), operation.get("value")
        if operation["op"] == "add":
            row.setdefault(path, []).extend(value)
        elif path == "active":
            row["active"] = value
        elif not path:
            row.update(value)
        else:
            attribute, _, rest = path.partition("[value eq ")
            gone = json.loads(rest.removesuffix("]"))
            row[attribute] = [item for item in row[attribute] if item["value"] != gone]

    def q_no_effect(self) -> bool:
        """Say yes and do nothing."""
        self.answer(200, {})
        return True

    def q_html(self) -> bool:
        """Show a page to sign in."""
        self.answer(200, None, b"<html>Please sign in</html>")
        return True

    def q_wipe(self) -> bool:
        """Empty the group."""
        if "/Groups/" in self.path:
            self.server.state.groups["g-1"]["members"] = []
            self.answer(204, None)
            return True
        return False

    def q_remove(self) -> bool:
        """Remove an account that was to be switched off."""
        if "/Users/" in self.path:
            del self.server.state.users["u-2"]
            self.answer(204, None)
            return True
        return False

    def q_conflict(self) -> bool:
        """Refuse as a conflict."""
        self.answer(409, {"detail": "busy"})
        return True

    def q_conflict_done(self) -> bool:
        """Do it, and call it a conflict."""
        self.apply()
        self.answer(409, {"detail": "already"})
        return True

    def q_precondition(self) -> bool:
        """Say that it changed."""
        self.answer(412, {})
        return True

    def q_busy_once(self) -> bool:
        """Take every second request."""
        if self.server.state.count % 2:
            self.answer(429, {}, headers={"Retry-After": "0"})
            return True
        return False

    def q_busy(self) -> bool:
        """Take no request."""
        self.answer(429, {}, headers={"Retry-After": "0"})
        return True

    def q_busy_long(self) -> bool:
        """Take no request today."""
        self.answer(429, {}, headers={"Retry-After": "86400"})
        return True

    def q_error(self) -> bool:
        """Fail."""
        self.answer(500, {"detail": "oops"})
        return True

    def q_error_done(self) -> bool:
        """Do it, and fail."""
        self.apply()
        self.answer(503, {"detail": "oops"})
        return True

    def q_redirect(self) -> bool:
        """Send the client to another host."""
        self.answer(307, {}, headers={"Location": f"{self.server.state.elsewhere}{self.path}"})
        return True

    def q_reset(self) -> bool:
        """Hang up."""
        self.hang_up()
        return True

    def q_reset_done(self) -> bool:
        """Do it, and hang up."""
        self.apply()
        self.hang_up()
        return True

    def q_late(self) -> bool:
        """Do it some reads later."""
        self.server.state.late = 2
        self.answer(202, {})
        return True

    def q_no_path_only(self) -> bool:
        """Take only the form without a path."""
        if any(one.get("path") == "active" for one in self.server.state.writes[-1][2]["Operations"]):
            self.answer(400, {"scimType": "invalidPath", "detail": "no paths here"})
            return True
        return False

    def q_string_only(self) -> bool:
        """Take neither form."""
        if "/Users/" in self.path:
            self.answer(400, {"scimType": "invalidValue", "detail": "a string, please"})
            return True
        return False

    def q_delete_only(self) -> bool:
        """Take no PATCH."""
        if self.command == "DELETE":
            return False
        self.answer(405, {})
        return True

    def q_meanwhile(self) -> bool:
        """Ignore If-Match: somebody else made another person of it a moment ago."""
        if "/Users/" in self.path:
            self.server.state.users["u-2"]["userName"] = "somebody.else@corp.example"
        return False

    def q_echo(self) -> bool:
        """Repeat the credential."""
        self.answer(400, {"detail": f"bad {self.headers.get('Authorization')}"})
        return True

    def hang_up(self) -> None:
        """Close without an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def answer(
        self, status: int, document: Any, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Send an answer."""
        content = body if body is not None else b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class HostileWrites(ThreadingHTTPServer):
    """The server; set `state` before each use."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.first = state()
        self.state = copy.deepcopy(self.first)

    @property
    def base_url(self) -> str:
        """Where its SCIM API begins."""
        return f"http://127.0.0.1:{self.server_port}/scim/v2"

    def reset(self, quirk: str = "") -> State:
        """Return the state of the beginning, with a quirk."""
        self.state = copy.deepcopy(self.first)
        self.state.quirk = quirk
        return self.state

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that hang up."""


@contextmanager
def hostile_writes() -> Iterator[HostileWrites]:
    """Run the server."""
    server = HostileWrites()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
