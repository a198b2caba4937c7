"""Real SCIM servers behind a recorder, which knows two tokens and lets the reading one read only."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from company import READ, WRITE, user
from real_servers import TOKEN, django_scim, scimmy
from servers import scim2

_CLIENT = httpx.Client(timeout=20, verify=False)
_SIGNED = {"Authorization": f"Bearer {TOKEN}"}
_KEPT = ("content-type", "location", "etag", "retry-after")


@dataclass
class Recorder:
    """A reverse proxy on loopback, and what went through it."""

    upstream: str
    base_url: str = ""
    sent: list[tuple[str, str, Any, str | None]] = field(default_factory=list)
    """Method, path below the base, body and If-Match of every request that was no GET."""
    refused: list[str] = field(default_factory=list)
    """Writes that came with the token for reading."""
    on_write: Callable[[], None] = lambda: None
    after_write: Callable[[], None] = lambda: None

    def resources(self, path: str) -> list[dict[str, Any]]:
        """Return what the server itself holds now."""
        answer = _CLIENT.get(f"{self.upstream}{path}?startIndex=1&count=200", headers=_SIGNED).json()
        found: list[dict[str, Any]] = answer["Resources"]
        return found

    def active(self) -> dict[str, bool]:
        """Return user name -> active, as the server says now."""
        return {row["userName"]: row["active"] for row in self.resources("/Users")}

    def members(self, name: str) -> set[str]:
        """Return the ids of the members of a group, as the server says now."""
        (group,) = [row for row in self.resources("/Groups") if row["displayName"] == name]
        return {member["value"] for member in group.get("members") or ()}

    def id_of(self, number: int) -> str:
        """Return the id of a user."""
        return next(str(r["id"]) for r in self.resources("/Users") if r["userName"] == f"user{number}@corp.example")

    def change(self, method: str, path: str, body: object) -> None:
        """Change something as an administrator of the server would."""
        _CLIENT.request(method, f"{self.upstream}{path}", json=body, headers=_SIGNED).raise_for_status()

    def set_active(self, number: int, active: bool) -> None:
        """Switch a user on or off as an identity provider would."""
        self.set(number, "active", active)

    def set(self, number: int, attribute: str, value: object) -> None:
        """Set an attribute of a user as an identity provider would."""
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": attribute, "value": value}],
        }
        self.change("PATCH", f"/Users/{self.id_of(number)}", body)


def off(server: Recorder) -> set[str]:
    """Return the users that are switched off."""
    return {name.split("@")[0] for name, is_active in server.active().items() if not is_active}


Start = Callable[..., Recorder]
"""(name, count, groups, inactive) -> a running server; what the fixture `start` gives."""


@contextmanager
def recorded(upstream: str) -> Iterator[Recorder]:
    """Run a recorder in front of a server."""
    recorder = Recorder(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            is_write = self.command != "GET"
            path = self.path.removeprefix("/scim/v2")
            if is_write and token == READ:
                recorder.refused.append(f"{self.command} {path}")
            if token not in (READ, WRITE) or (is_write and token == READ):
                self._answer(403, b'{"status": "403"}', {})
                return
            if is_write:
                recorder.sent.append(
                    (self.command, path, json.loads(body) if body else None, self.headers.get("If-Match"))
                )
                recorder.on_write()
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}
            headers |= {"If-Match": self.headers["If-Match"]} if self.headers.get("If-Match") else {}
            answer = _CLIENT.request(self.command, recorder.upstream + path, content=body, headers=headers)
            if is_write:
                recorder.after_write()
            self._answer(answer.status_code, answer.content, answer.headers)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815  # names of the library

        def _answer(self, status: int, body: bytes, headers: Any) -> None:
            self.send_response(status)
            for name in _KEPT:
                if name in headers:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder.base_url = f"http://127.0.0.1:{server.server_port}/scim/v2"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def live(
    name: str,
    folder: Path,
    installed: Path | None,
    count: int,
    groups: dict[str, list[int]],
    inactive: Sequence[int] = (),
) -> Iterator[Recorder]:
    """Run scim2, django or scimmy with users 0 to count - 1 and these groups, behind a recorder."""
    users = [user(n, id=str(n), externalId=f"X{n}", active=n not in inactive) for n in range(count)]
    stored = {
        "users": users,
        "groups": [
            {"id": f"g{i}", "displayName": group, "members": [{"value": str(n)} for n in members]}
            for i, (group, members) in enumerate(groups.items())
        ],
    }
    with ExitStack() as stack:
        if name == "scim2":
            upstream = stack.enter_context(scim2(token=TOKEN))
            _fill(upstream, stored)
        elif name == "django":
            upstream = stack.enter_context(django_scim(folder / "django", stored))
        else:
            assert installed is not None
            upstream = stack.enter_context(scimmy(4, installed, folder / "scimmy", stored))
        yield stack.enter_context(recorded(upstream))


def _fill(base_url: str, stored: dict[str, list[dict[str, Any]]]) -> None:
    ids = {}
    for row in stored["users"]:
        ids[row["id"]] = _CLIENT.post(f"{base_url}/Users", json=row, headers=_SIGNED).json()["id"]
    for row in stored["groups"]:
        members = [{"value": ids[member["value"]], "type": "User"} for member in row["members"]]
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], **row, "members": members}
        _CLIENT.post(f"{base_url}/Groups", json=body, headers=_SIGNED).raise_for_status()
