"""Collects the members and outside collaborators of a GitHub organisation, and who of them is linked by SAML.

Rights needed: a fine-grained token of an owner with the organisation permission Members (read) for lists and teams;
for second factors and SAML identities a classic token of an owner with read:org and admin:org, authorised for single
sign-on. Covers members, owners and outside collaborators with their teams; not pending invitations, deploy keys,
apps, machine users' tokens and rights on single repositories. GitHub tells of nobody when they last signed in, and
e-mail addresses only by SAML. Keeps to half of the rate limit that GitHub states (5,000 requests an hour).
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from scanner.collectors import records, rest_source
from scanner.collectors.accounts import Entry, RowFile
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading
from scanner.collectors.rest_source import Lists, filled, row_with
from scanner.config import Application
from scanner.connections import RestSettings
from scanner.errors import SourceError
from scanner.model import Collected

_LIST = RestSettings(paging="link", size_parameter="per_page")
_PERSON = row_with({"id": "id", "login": "login"})
_IDENTITIES = """query($org: String!, $after: String) { organization(login: $org) { samlIdentityProvider {
 externalIdentities(first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor }
 nodes { guid samlIdentity { nameId } user { databaseId } } } } } }"""
_PLACE = "data.organization.samlIdentityProvider"
_MOST_PAGES = 10_000


def collect_github(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson, entitlements.ndjson and the people linked by SAML in `into`, with the verdict."""
    app = replace(app, coverage=app.coverage or "all")
    provided: dict[str, Path] = {}

    def read(reading: Reading, api: Lists) -> None:
        linked = _identities(app, api)
        owners = list(api.all(_of(app, "/orgs/{id}/members", role="admin"), _PERSON, "owners"))
        members = list(api.further(_of(app, "/orgs/{id}/members", role="member"), _PERSON, "members"))
        outside = list(api.further(_of(app, "/orgs/{id}/outside_collaborators"), _PERSON, "outside collaborators"))
        weak = _without_second_factor(app, api)
        for role, people in (("owner", owners), ("member", members), ("outside_collaborator", outside)):
            for one in people:
                reading.account({**_account(one, linked, weak, is_member=people is not outside), "role": role})
        reading.catalogue += [Entry("role", role, None, role == "owner") for role in ("owner", "member")]
        _teams(app, reading, api)
        if linked is not None:
            provided["idp_assignments"] = _managed(app, api, linked, owners + members)

    collected = rest_source.collect_accounts(app, into, progress, read, is_paging_known=True)
    return replace(collected, files={**provided, **collected.files}) if collected.files else collected


def look(app: Application) -> Look:
    """Ask for one row of each list that a scan reads, so that a right that is missing shows; raises SourceError."""
    found, _ = rest_source.look(app, _of(app, "/orgs/{id}/members", role="admin"), _PERSON)
    further = [_of(app, "/orgs/{id}/outside_collaborators"), _of(app, "/orgs/{id}/teams")]
    further.append(_of(app, "/orgs/{id}/members", filter="2fa_disabled"))
    return replace(found, doubt="; ".join(rest_source.refused(app, further)))


def _of(app: Application, path: str, **query: str) -> RestSettings:
    return replace(_LIST, path=filled(path, app.github.organization), query=query)


def _account(
    person: dict[str, Any], linked: dict[str, str | None] | None, weak: set[str] | None, *, is_member: bool
) -> dict[str, object]:
    """Return the row of a person: who is a member and not linked by SAML came in by hand."""
    name = (linked or {}).get(person["id"])
    is_local = is_member and linked is not None and person["id"] not in linked
    return {
        "account_id": person["id"],
        "username": person["login"],
        "email": name if name and "@" in name else None,
        "external_id": name,
        "status": "active",
        "kind": None if is_member else "external",
        "mfa": None if weak is None else str(person["id"] not in weak).lower(),
        "origin": "local" if is_local else None,
    }


def _without_second_factor(app: Application, api: Lists) -> set[str] | None:
    """Return the ids of those without one; None where not all of them are known."""
    found: set[str] = set()
    for path in ("/orgs/{id}/members", "/orgs/{id}/outside_collaborators"):
        listed = api.further(_of(app, path, filter="2fa_disabled"), _PERSON, "people without a second factor")
        found |= {one["id"] for one in listed}
        if not api.is_whole:
            return None
    return found


def _teams(app: Application, reading: Reading, api: Lists) -> None:
    row = row_with({"id": "id", "slug": "slug"}, name="name")
    teams = {one["slug"]: one for one in api.further(_of(app, "/orgs/{id}/teams"), row, "teams")}
    members = replace(_LIST, path=filled("/orgs/{id}/teams/", app.github.organization) + "{id}/members")
    for slug, people in api.each(members, teams, _PERSON, "members of a team"):
        for one in people:
            reading.grant(one["id"], teams[slug]["id"], "group", name=teams[slug]["name"])


def _identities(app: Application, api: Lists) -> dict[str, str | None] | None:
    """Return id -> SAML name id of the people who are linked; None where there is no SAML, or it could not be read."""
    found: dict[str, str | None] = {}
    try:
        for page in _pages(app, api):
            if page is None:
                api.notes.append(
                    "the organisation has no SAML identity provider of its own, or this token may not see it"
                )
                return None
            for node in page["nodes"]:
                identity = records.text(records.at(node, "user.databaseId"))
                if identity is not None:
                    found[identity] = records.text(records.at(node, "samlIdentity.nameId"))
    except SourceError as error:
        api.doubt(f"the SAML identities could not be read whole: {error}")
        return None
    return found


def _pages(app: Application, api: Lists) -> Iterator[dict[str, Any] | None]:
    """Yield the pages of the SAML identities, by GraphQL; None where there is no identity provider."""
    api.queries.append("POST /graphql (externalIdentities)")
    after: str | None = None
    seen = 0
    for _ in range(_MOST_PAGES):
        asked = {"query": _IDENTITIES, "variables": {"org": app.github.organization, "after": after}}
        answer = api.asker.taken("/graphql", api.session.query("/graphql", msgspec.json.encode(asked)))
        document = api.asker.document(answer)
        if isinstance(document, dict) and document.get("errors"):
            said = records.text(records.at(document, "errors.message")) or "an error"
            raise SourceError(f"POST /graphql answered: {api.session.redactor.text(said)}")
        provider = records.at(document, _PLACE)
        if provider is None:
            yield None
            return
        page = records.at(provider, "externalIdentities")
        if not isinstance(page, dict) or not isinstance(page.get("nodes"), list):
            raise SourceError("POST /graphql answered with something else than identities")
        seen += len(page["nodes"])
        yield page
        following = records.text(records.at(page, "pageInfo.endCursor"))
        if records.at(page, "pageInfo.hasNextPage") is not True:
            if seen != page.get("totalCount"):
                raise SourceError(f"it states {page.get('totalCount')} identities and lists {seen:,}")
            return
        if following is None or following == after:
            raise SourceError("POST /graphql repeated a cursor")
        after = following
    raise SourceError("the identities did not end")


def _managed(app: Application, api: Lists, linked: dict[str, str | None], members: list[dict[str, Any]]) -> Path:
    with RowFile(api.into / "idp_assignments.ndjson") as out:
        for one in members:
            if one["id"] in linked:
                out.add({"app": app.id, "account": one["id"], "name": one["login"], "assigned_at": None})
    return out.path
