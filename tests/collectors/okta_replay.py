"""Answers as Okta's documentation says that an Okta organisation answers; it has never been compared with a real one.

Sources: the reference of the Okta Management API (users, groups, roles, factors, application users, system log) and its
pages on pagination and rate limits, as stored copies of developer.okta.com and of the README files of Okta's SDKs show
them. A list of users leaves deactivated ones out unless a filter names them, pages go on by the header Link with an
opaque `after`, administrators are listed under `value`, errors are errorCode and errorSummary, and X-Rate-Limit-Reset
is a time.
"""

import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from replay import Reply, Request, pages_by_link

TOKEN = "c4nary-s3cret-Value"
_MOST = {"/api/v1/users": 200, "/api/v1/groups": 200, "/api/v1/logs": 1000}


def user(identity: str, login: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    """Return a user; `profile` in `more` is merged."""
    names = {"firstName": login.partition("@")[0].title(), "lastName": "Test"}
    profile = {"login": login, "email": login if "@" in login else None, **names, **more.pop("profile", {})}
    known = {"created": "2020-01-02T03:04:05.000Z", "statusChanged": "2025-03-01T00:00:00.000Z", "lastLogin": None}
    return {"id": identity, "status": status, **known, "profile": profile, **more}


def event(number: int, at: str, actor: str, app: str | None = None, result: str = "SUCCESS") -> dict[str, Any]:
    """Return a sign-in of the system log, to Okta or through it to an application."""
    target = [{"id": app, "type": "AppInstance"}, {"id": "0ua", "type": "AppUser"}] if app else None
    return {
        "uuid": f"e-{number}",
        "published": at,
        "eventType": "user.authentication.sso" if app else "user.session.start",
        "actor": {"id": actor, "type": "User"},
        "outcome": {"result": result},
        "target": target,
    }


@dataclass
class Organisation:
    """An Okta organisation."""

    users: list[dict[str, Any]]
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Name -> ids of its members; the id of a group is g- and its name."""
    admins: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """User -> roles."""
    factors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    apps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Application -> users assigned."""
    events: list[dict[str, Any]] = field(default_factory=list)
    token: str = TOKEN
    most: int = 200
    """Rows in a page."""
    denied: set[str] = field(default_factory=set)
    """Paths, or path?after, that the token may not read."""
    throttled: deque[str] = field(default_factory=deque)
    """Paths that answer 429 once."""
    seen: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        self.seen.append(request.path)
        if request.headers.get("authorization") != f"SSWS {self.token}":
            return _error(401, "E0000011", "Invalid token provided")
        if request.path in self.denied or f"{request.path}?{'after' in request.query and 'after'}" in self.denied:
            return _error(403, "E0000006", "You do not have permission to perform the requested action")
        if self.throttled and self.throttled[0] == request.path:
            self.throttled.popleft()
            reset = {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0"}
            return Reply(
                {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."},
                429,
                {**reset, "X-Rate-Limit-Reset": str(int(time.time()))},
            )
        return self._found(request)

    def _found(self, request: Request) -> Reply:
        match request.path.removeprefix("/api/v1/").split("/"):
            case ["users"]:
                is_deactivated = request.query.get("filter") == 'status eq "DEPROVISIONED"'
                rows = [one for one in self.users if (one["status"] == "DEPROVISIONED") == is_deactivated]
                return self._pages(rows, request)
            case ["groups"]:
                groups = [{"id": f"g-{name}", "type": "OKTA_GROUP", "profile": {"name": name}} for name in self.groups]
                everyone = {"id": "g-everyone", "type": "BUILT_IN", "profile": {"name": "Everyone"}}
                return self._pages([everyone, *groups], request)
            case ["groups", group, "users"]:
                members = self.groups[group.removeprefix("g-")]
                return self._pages([one for one in self.users if one["id"] in members], request)
            case ["iam", "assignees", "users"]:
                return self._admins(request)
            case ["users", identity, "roles"]:
                return Reply(self.admins.get(identity, []))
            case ["users", identity, "factors"]:
                return Reply(self.factors.get(identity, []))
            case ["apps", app, "users"] if app in self.apps:
                return self._pages(self.apps[app], request)
            case ["logs"]:
                return self._log(request)
        return _error(404, "E0000007", "Not found: Resource not found")

    def _pages(self, rows: list[Any], request: Request) -> Reply:
        return pages_by_link(rows, request, size_parameter="limit", most=self.most)

    def _admins(self, request: Request) -> Reply:
        size, start = int(request.query.get("limit", 100)), int(request.query.get("after", 0))
        page = [{"id": one, "orn": f"orn:okta:directory:o:users:{one}"} for one in [*self.admins][start : start + size]]
        more = f"{request.origin}{request.path}?limit={size}&after={start + size}"
        links = {"next": {"href": more}} if start + size < len(self.admins) else {}
        return Reply({"value": page, "_links": links})

    def _log(self, request: Request) -> Reply:
        # Without an end it is a polling request, which always names a next page.
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", request.query["until"])
        asked = [one for one in self.events if request.query["since"] <= one["published"] <= request.query["until"]]
        return self._pages(sorted(asked, key=lambda one: str(one["published"])), request)


def _error(status: int, code: str, summary: str) -> Reply:
    return Reply({"errorCode": code, "errorSummary": summary, "errorCauses": []}, status)
