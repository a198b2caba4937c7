"""Collects the people of a Microsoft Entra tenant over Microsoft Graph, and whom it lets into other applications.

Rights needed: an app registration with the application permissions User.Read.All, GroupMember.Read.All,
RoleManagement.Read.Directory, AuditLog.Read.All (sign-in activity and the registration of second factors, both with
Entra ID P1 or P2 only) and Application.Read.All (for the applications that the configuration names), each with the
consent of an administrator. Covers all users of the tenant, guests and disabled ones included, with their group
memberships over any number of steps, active directory roles and second factors; not deleted users, roles that
somebody may activate but has not (PIM), app registrations and managed identities. The last sign-in is the last that
succeeded, which Entra keeps since 1 December 2023; its other dates count attempts. Graph states no rate limit
beforehand; it answers 429 with Retry-After, which is waited for.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from scanner.collectors import records, rest_source
from scanner.collectors.accounts import Entry, RowFile
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading
from scanner.collectors.rest_source import Lists, Record, filled, line_of, row_with
from scanner.config import Application
from scanner.connections import RestSettings
from scanner.model import Collected

_FIELDS = "id,userPrincipalName,mail,displayName,employeeId,accountEnabled,createdDateTime,userType"
_LIST = RestSettings(items="value", paging="next", next="@odata.nextLink")
_IDS = {"$select": "id"}
_GROUPS = replace(_LIST, path="/groups", query={"$select": "id,displayName"}, size_parameter="$top")
_TRANSITIVE = replace(_LIST, path="/groups/{id}/transitiveMembers", query=_IDS, size_parameter="$top")
_MEMBERS = replace(_TRANSITIVE, path="/groups/{id}/members")
_ROLES = replace(_LIST, path="/directoryRoles")
_HOLDERS = replace(_LIST, path="/directoryRoles/{id}/members", query=_IDS)
_FACTORS = replace(_LIST, path="/reports/authenticationMethods/userRegistrationDetails")
_ASSIGNED = replace(_LIST, path="/servicePrincipals/{id}/appRoleAssignedTo", size_parameter="$top")
_GROUP = "#microsoft.graph.group"


def collect_entra(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson, entitlements.ndjson and the assignments of other applications in `into`, with the verdict."""
    app = replace(app, coverage=app.coverage or "all")
    provided: dict[str, Path] = {}
    is_every_account_known = False

    def read(reading: Reading, api: Lists) -> None:
        nonlocal is_every_account_known
        statuses = _accounts(app, reading, api)
        is_every_account_known = not [why for why in api.doubts if _SIGN_INS_REFUSED not in why[1]]
        _groups(reading, api, statuses)
        _roles(reading, api)
        if app.provider.mfa:
            _factors(reading, api, statuses)
        if app.provider.applications:
            _assignments(app, api, provided)

    collected = rest_source.collect_accounts(app, into, progress, read, is_paging_known=True)
    if not (is_every_account_known and collected.source.rejected == 0):
        # Who is missing from half a list of accounts would count as not assigned.
        provided.clear()
    return replace(collected, files={**collected.files, **provided}) if collected.files else collected


def look(app: Application) -> Look:
    """Ask for one row of each list that a scan reads, so that a right that is missing shows; raises SourceError."""
    found, _ = rest_source.look(app, _users(with_sign_ins=False), row_with({"id": "id"}))
    further: list[RestSettings] = [_users(with_sign_ins=True)] if app.provider.sign_in_days else []
    further += [_GROUPS, _ROLES, *([_FACTORS] if app.provider.mfa else [])]
    further += [_one(_ASSIGNED, theirs) for theirs in app.provider.applications]
    return replace(found, doubt="; ".join(rest_source.refused(app, further)))


def _one(settings: RestSettings, identifier: str) -> RestSettings:
    return replace(settings, path=filled(settings.path, identifier))


def _users(*, with_sign_ins: bool) -> RestSettings:
    fields = f"{_FIELDS},signInActivity" if with_sign_ins else _FIELDS
    return replace(_LIST, path="/users", query={"$select": fields}, size_parameter="$top")


_SIGN_INS_REFUSED = "sign-in activity may not be read"


def _accounts(app: Application, reading: Reading, api: Lists) -> dict[str, str | None]:
    """Give all users to the reading; return id -> status."""
    statuses: dict[str, str | None] = {}
    for one in api.all(_users(with_sign_ins=app.provider.sign_in_days > 0), _user, "users"):
        reading.account(one["row"])
        statuses[one["id"]] = one["active"]
    if app.provider.sign_in_days and not statuses and api.main and api.main.refusal and api.main.refusal.status == 403:
        # The whole list is refused where one field of it is: the accounts are worth more than their sign-ins.
        verdict, why = api.doubts.pop()
        without = replace(app, provider=replace(app.provider, sign_in_days=0))
        statuses = _accounts(without, reading, api)
        if statuses:
            api.doubt(f"{_SIGN_INS_REFUSED}: {why}")
        else:
            api.doubts.append((verdict, why))
    return statuses


def _user(record: Record) -> tuple[str, bytes] | None:
    identity = records.text(record.get("id"))
    if identity is None:
        return None

    def said(path: str) -> str | None:
        return records.text(records.at(record, path))

    status = said("accountEnabled")
    row = {
        "account_id": identity,
        "username": said("userPrincipalName"),
        "email": said("mail"),
        "display_name": said("displayName"),
        "employee_number": said("employeeId"),
        "user_type": said("userType"),
        "kind": "external" if said("userType") == "Guest" else None,
        "status": status,
        "created_at": said("createdDateTime"),
        # lastSignInDateTime counts attempts that failed.
        "last_sign_in_at": said("signInActivity.lastSuccessfulSignInDateTime"),
    }
    return identity, line_of({"id": identity, "userName": row["username"], "active": status, "row": row})


def _groups(reading: Reading, api: Lists, known: Iterable[str]) -> None:
    people = {*known}
    names = {
        one["id"]: one["name"] for one in api.further(_GROUPS, row_with({"id": "id"}, name="displayName"), "groups")
    }
    for group, members in api.each(_TRANSITIVE, names, row_with({"id": "id"}), "members of a group"):
        for member in members:
            if member["id"] in people:  # others are devices, contacts and the groups on the way
                reading.grant(member["id"], group, "group", name=names[group])


def _roles(reading: Reading, api: Lists) -> None:
    rows = api.further(_ROLES, row_with({"id": "id"}, name="displayName"), "directory roles")
    names = {one["id"]: one["name"] for one in rows}
    member = row_with({"id": "id"}, type="@odata.type")
    groups: dict[str, list[str]] = {}
    for role, holders in api.each(_HOLDERS, names, member, "holders of a role"):
        for holder in holders:
            if holder["type"] == _GROUP:
                groups.setdefault(holder["id"], []).append(role)
            else:
                reading.grant(holder["id"], role, "role", name=names[role])
    for group, members in api.each(_TRANSITIVE, groups, member, "members of a group with a role"):
        for one in members:
            for role in groups[group] if one["type"] != _GROUP else ():
                reading.grant(one["id"], role, "role", name=names[role], path="nested")
    reading.catalogue += [Entry("role", role, name, "Reader" not in (name or "")) for role, name in names.items()]


def _factors(reading: Reading, api: Lists, statuses: dict[str, str | None]) -> None:
    for one in api.further(_FACTORS, row_with({"id": "id", "mfa": "isMfaRegistered"}), "second factors"):
        if one["id"] in statuses:
            reading.account({"account_id": one["id"], "status": statuses[one["id"]], "mfa": one["mfa"]})


def _assignments(app: Application, api: Lists, provided: dict[str, Path]) -> None:
    """Write whom the tenant lets into which application, by themselves or by a group; nested groups do not count."""
    row = row_with({"id": "id", "who": "principalId", "kind": "principalType"}, created="createdDateTime")
    with RowFile(api.into / "idp_assignments.ndjson") as out:
        for theirs, ours in app.provider.applications.items():
            if not _is_assignment_required(api, theirs):
                api.notes.append(f"everybody in the tenant may enter {ours}: no assignment is required")
                continue
            assigned = list(api.further(_one(_ASSIGNED, theirs), row, f"people assigned to {ours}"))
            unread: set[str] = set()
            whole = api.is_whole
            people = {one["who"]: one["created"] for one in assigned if one["kind"] == "User"}
            groups = [one["who"] for one in assigned if one["kind"] == "Group"]
            for _, members in api.each(_MEMBERS, groups, row_with({"id": "id"}), "members", unread=unread):
                people |= {one["id"]: None for one in members if one["id"] not in people}
            for who, since in people.items() if whole and not unread else ():
                out.add({"app": ours, "account": who, "name": None, "assigned_at": since})
    provided["idp_assignments"] = out.path


def _is_assignment_required(api: Lists, identifier: str) -> bool:
    path = filled("/servicePrincipals/{id}?$select=appRoleAssignmentRequired", identifier)
    return api.document(path).get("appRoleAssignmentRequired") is not False
