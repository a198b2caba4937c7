"""A replayed Entra tenant: answers as the documentation of Microsoft Graph says; never compared with a real one.

Sources: the reference of Microsoft Graph v1.0 (list users, signInActivity, groups and transitiveMembers,
directoryRoles, userRegistrationDetails, appRoleAssignedTo, paging by @odata.nextLink, throttling) as stored copies of
microsoft-graph-docs-contrib show it.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from contract import CANARY, HOSTILE, Rig
from replay import Reply, Request, replay

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.connections import ProviderSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

Rows = Sequence[tuple[str, str, Any]]
ROWS: Rows = [("007", "ada", True), ("u-2", "bo", False), ("u-3", "cy", True)]
Told = TypeVar("Told")
GROUP = "#microsoft.graph.group"
USER = "#microsoft.graph.user"


def user(identity: str, name: str, is_enabled: Any = True, **more: Any) -> dict[str, Any]:
    """Return a user."""
    known = {"userType": "Member", "mail": None, "displayName": name, "createdDateTime": "2020-01-02T03:04:05Z"}
    return {"id": identity, "userPrincipalName": name, "accountEnabled": is_enabled, **known, **more}


@dataclass
class Tenant:
    """A tenant."""

    users: list[dict[str, Any]]
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Name -> ids of members; a member that is g- and the name of a group is that group."""
    roles: dict[str, list[str]] = field(default_factory=dict)
    factors: dict[str, bool] = field(default_factory=dict)
    apps: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Service principal -> (principalId, principalType)."""
    open_apps: set[str] = field(default_factory=set)
    """Those that need no assignment."""
    most: int = 2
    denied: set[str] = field(default_factory=set)
    throttled: deque[str] = field(default_factory=deque)

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        if request.headers.get("authorization") != f"Bearer {CANARY}":
            return _error(401, "InvalidAuthenticationToken", "Access token is empty.")
        later = "?next" if "$skiptoken" in request.query else ""
        if request.path + later in self.denied:
            return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        if "signInActivity" in request.query.get("$select", "") and "signInActivity" in self.denied:
            return _error(
                403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or has P1"
            )
        if self.throttled and self.throttled[0] == request.path:
            self.throttled.popleft()
            return Reply({"error": {"code": "TooManyRequests", "message": "slow"}}, 429, {"Retry-After": "0"})
        return self._found(request)

    def _found(self, request: Request) -> Reply:
        match request.path.removeprefix("/v1.0/").split("/"):
            case ["users"]:
                fields = request.query["$select"].split(",")
                rows = [{name: one[name] for name in fields if name in one} for one in self.users]
                return self._pages(rows, request)
            case ["groups"]:
                return self._pages([{"id": f"g-{name}", "displayName": name} for name in self.groups], request)
            case ["groups", group, "members"]:
                return self._pages(_members(self.groups[group[2:]]), request)
            case ["groups", group, "transitiveMembers"]:
                return self._pages(_members(self._transitive(group[2:])), request)
            case ["directoryRoles"]:
                return self._pages(
                    [{"id": f"r-{name.split()[0]}", "displayName": name} for name in self.roles], request
                )
            case ["directoryRoles", role, "members"]:
                found = next(held for name, held in self.roles.items() if name.startswith(role[2:]))
                return self._pages(_members(found), request)
            case ["reports", "authenticationMethods", "userRegistrationDetails"]:
                return self._pages([{"id": one, "isMfaRegistered": has} for one, has in self.factors.items()], request)
            case ["servicePrincipals", app]:
                return Reply({"appRoleAssignmentRequired": app not in self.open_apps})
            case ["servicePrincipals", app, "appRoleAssignedTo"]:
                told = [
                    {
                        "id": f"a{at}",
                        "principalId": who,
                        "principalType": kind,
                        "createdDateTime": "2024-05-01T00:00:00Z",
                    }
                    for at, (who, kind) in enumerate(self.apps[app])
                ]
                return self._pages(told, request)
        return _error(404, "Request_ResourceNotFound", "Resource does not exist.")

    def _transitive(self, group: str) -> list[str]:
        found: dict[str, None] = {}
        for one in self.groups[group]:
            found |= {one: None} | (dict.fromkeys(self._transitive(one[2:])) if one.startswith("g-") else {})
        return [*found]

    def _pages(self, rows: list[Any], request: Request) -> Reply:
        size = min(int(request.query.get("$top", self.most)), self.most)
        start = int(request.query.get("$skiptoken", 0))
        more = {}
        if start + size < len(rows):
            kept = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "$skiptoken")
            more["@odata.nextLink"] = f"{request.origin}{request.path}?{kept}&$skiptoken={start + size}"
        return Reply({"@odata.context": "x", "value": rows[start : start + size], **more})


def _members(ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": one, "@odata.type": GROUP if one.startswith("g-") else USER} for one in ids]


def _error(status: int, code: str, message: str) -> Reply:
    return Reply({"error": {"code": code, "message": message}}, status)


def tenant(rows: Rows, **more: Any) -> Tenant:
    """Return a tenant with these users, and a group."""
    return Tenant([user(*one) for one in rows], {"Admins": ["007"]}, **more)


def ask(org: Tenant, what: Callable[[Application], Told], **provider: Any) -> Told:
    """Let `what` have an application at a running tenant."""
    os.environ["CONTRACT_ENTRA"] = CANARY
    with replay(org.answer) as server:
        app = Application(
            "entra",
            "Entra",
            "entra",
            base_url=f"{server.origin}/v1.0",
            auth=Auth("bearer", Secret("env", "CONTRACT_ENTRA")),
            time_zone="UTC",
            provider=ProviderSettings(**provider),
            limits=Limits(page_size=2, retries=2, max_seconds=20),
        )
        return what(app)


def collect(folder: Path, org: Tenant, **provider: Any) -> Collected:
    """Collect a tenant."""
    return ask(org, lambda app: SOURCES["entra"].collect(app, folder / "staging", no_progress), **provider)


def _looked(folder: Path) -> Look:
    return ask(tenant(ROWS), SOURCES["entra"].look)


RIGS = {
    "entra": Rig(
        complete=lambda folder: collect(folder, tenant(ROWS)),
        cut=lambda folder: collect(folder, tenant(ROWS, denied={"/v1.0/users?next"})),
        denied=lambda folder: collect(folder, tenant(ROWS, denied={"/v1.0/groups/g-Admins/transitiveMembers"})),
        duplicates=lambda folder: collect(folder, tenant([*ROWS, ("u-3", "di", True)])),
        odd_status=lambda folder: collect(folder, tenant([*ROWS, ("u-4", "di", "Perhaps")])),
        hostile=lambda folder: collect(folder, tenant([(f"h{at}", name, True) for at, name in enumerate(HOSTILE)])),
        unreadable=lambda folder: collect(folder, tenant(ROWS, denied={"/v1.0/users"})),
        look=_looked,
        module="entra",
        page="entra",
    )
}
