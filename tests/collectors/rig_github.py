"""A replayed GitHub organisation: answers as GitHub's documentation says; never compared with a real one.

Sources: the REST reference of organisation members, outside collaborators and teams (per_page up to 100, the header
Link, filter=2fa_disabled for owners) and the GraphQL reference of externalIdentities, as stored copies of
docs.github.com show them.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from contract import CANARY, HOSTILE
from replay import Reply, Request, pages_by_link, refused, replay

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.connections import GithubSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

Told = TypeVar("Told")


@dataclass
class Organisation:
    """An organisation; people are id -> login."""

    owners: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    weak: set[str] = field(default_factory=set)
    """Ids without a second factor."""
    teams: dict[str, list[str]] = field(default_factory=dict)
    saml: dict[str, str] | None = None
    """Id -> name id; None: no identity provider."""
    denied: set[str] = field(default_factory=set)
    throttled: deque[str] = field(default_factory=deque)
    twice: dict[str, str] = field(default_factory=dict)
    """Owners that are listed a second time under another login."""

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        if request.headers.get("authorization") != f"Bearer {CANARY}":
            return refused(401, "Bad credentials")
        key = request.path + (f"?filter={request.query['filter']}" if "filter" in request.query else "")
        if key in self.denied or (f"{key}&after" in self.denied and "after" in request.query):
            return refused(403, "Must have admin rights to Repository.")
        if self.throttled and self.throttled[0] == request.path:
            self.throttled.popleft()
            return Reply({"message": "You have exceeded a secondary rate limit."}, 429, {"Retry-After": "0"})
        if request.path == "/graphql":
            return self._identities(request)
        return self._found(request)

    def _found(self, request: Request) -> Reply:
        match request.path.removeprefix("/orgs/acme/").split("/"):
            case ["members"]:
                role = request.query.get("role")
                people = {**(self.owners if role != "member" else {}), **(self.members if role != "admin" else {})}
                return self._pages(people, request, self.twice if role == "admin" else {})
            case ["outside_collaborators"]:
                return self._pages(self.outside, request)
            case ["teams"]:
                rows = [{"id": f"t{at}", "slug": name.lower(), "name": name} for at, name in enumerate(self.teams)]
                return pages_by_link(rows, request, size_parameter="per_page", most=2)
            case ["teams", slug, "members"]:
                ids = next(ids for name, ids in self.teams.items() if name.lower() == slug)
                everybody = {**self.owners, **self.members}
                return self._pages({one: everybody[one] for one in ids}, request)
        return refused(404, "Not Found")

    def _pages(self, people: dict[str, str], request: Request, more: dict[str, str] | None = None) -> Reply:
        rows = [{"id": one, "login": login} for one, login in (*people.items(), *(more or {}).items())]
        if request.query.get("filter") == "2fa_disabled":
            rows = [row for row in rows if row["id"] in self.weak]
        return pages_by_link(rows, request, size_parameter="per_page", most=2)

    def _identities(self, request: Request) -> Reply:
        if self.saml is None:
            return Reply({"data": {"organization": {"samlIdentityProvider": None}}})
        start = int(json.loads(request.body)["variables"]["after"] or 0)
        rows = [{"guid": f"g{one}", "samlIdentity": {"nameId": name}, "user": {"databaseId": int(one)}}
                for one, name in self.saml.items()]  # fmt: skip
        page = {"hasNextPage": start + 2 < len(rows), "endCursor": str(start + 2)}
        told = {"totalCount": len(rows), "pageInfo": page, "nodes": rows[start : start + 2]}
        return Reply({"data": {"organization": {"samlIdentityProvider": {"externalIdentities": told}}}})


def ask(org: Organisation, what: Callable[[Application], Told]) -> Told:
    """Let `what` have an application at a running organisation."""
    os.environ["CONTRACT_GITHUB"] = CANARY
    with replay(org.answer) as server:
        app = Application(
            "github",
            "GitHub",
            "github",
            base_url=server.origin,
            auth=Auth("bearer", Secret("env", "CONTRACT_GITHUB")),
            time_zone="UTC",
            github=GithubSettings("acme"),
            limits=Limits(page_size=2, retries=2, max_seconds=20),
        )
        return what(app)


def collect(folder: Path, org: Organisation) -> Collected:
    """Collect an organisation."""
    return ask(org, lambda app: SOURCES["github"].collect(app, folder / "staging", no_progress))


def _looked(folder: Path) -> Look:
    return ask(Organisation({"1": "ada"}), SOURCES["github"].look)


def hostile(logins: Sequence[str] = HOSTILE) -> Organisation:
    """Return an organisation of people with such names."""
    return Organisation({f"{at}": name for at, name in enumerate(logins)})
