"""Collects the people of an Okta organisation over its own API, and what Okta says of them for other applications.

Rights needed, read only: an API token (SSWS) of an administrator with the role Read-only Administrator, or an access
token with the scopes okta.users.read, okta.groups.read, okta.roles.read, okta.factors.read, okta.apps.read and
okta.logs.read. Covers all users of the organisation in every status, deactivated ones included, which Okta leaves out
of its list unless asked; group memberships, administrator roles, enrolled factors, and, for the applications that the
configuration names, whom Okta lets in and who signed in. An administrator who is limited to some groups sees some users
only, and nothing in the answers says so. Deleted users are gone. The log goes back 90 days. Keeps to each rate limit
that Okta states (X-Rate-Limit headers), and to half of it by default.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner.collectors import records, rest_source
from scanner.collectors.accounts import Entry, RowFile
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading
from scanner.collectors.rest_source import Lists, Record, line_of, row_with
from scanner.config import Application
from scanner.connections import RestSettings
from scanner.model import Collected

STATUSES = {
    **dict.fromkeys(("ACTIVE", "PASSWORD_EXPIRED", "RECOVERY", "LOCKED_OUT", "PROVISIONED"), "active"),
    **dict.fromkeys(("STAGED", "SUSPENDED", "DEPROVISIONED"), "inactive"),
}
"""A locked account opens by itself or by its owner, an invited one when the invitation is taken up: both are open."""
_USERS = RestSettings(path="/api/v1/users", paging="link", size_parameter="limit")
_DEACTIVATED = replace(_USERS, query={"filter": 'status eq "DEPROVISIONED"'})
_GROUPS = replace(_USERS, path="/api/v1/groups")
_MEMBERS = replace(_USERS, path="/api/v1/groups/{id}/users")
_ADMINS = RestSettings(
    path="/api/v1/iam/assignees/users", items="value", paging="next", next="_links.next.href", size_parameter="limit"
)
_ROLES = RestSettings(path="/api/v1/users/{id}/roles")
_FACTORS = RestSettings(path="/api/v1/users/{id}/factors")
_APP_USERS = replace(_USERS, path="/api/v1/apps/{id}/users")
_LOG = replace(_USERS, path="/api/v1/logs")
_WEAK_FACTORS = ("question", "email")
"""Knowledge, and an address that is often read with the same password: no second factor here."""
_HARMLESS_ROLES = ("READ_ONLY_ADMIN", "REPORT_ADMIN")
_NOT_LET_IN = ("DEPROVISIONED", "INACTIVE", "REVOKED", "SUSPENDED", "UNASSIGNED")
_SIGN_INS = (
    '(eventType eq "user.session.start" or eventType eq "user.authentication.sso") and outcome.result eq "SUCCESS"'
)


def collect_okta(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson, entitlements.ndjson and the lists for other applications in `into`, with the verdict."""
    app = replace(app, statuses={**STATUSES, **app.statuses}, coverage=app.coverage or "all")
    provided: dict[str, Path] = {}
    is_every_account_known = False

    def read(reading: Reading, api: Lists) -> None:
        nonlocal is_every_account_known
        enabled = _accounts(reading, api)
        is_every_account_known = not api.doubts
        _groups(reading, api)
        _admins(reading, api)
        factors = _factors(reading, api, enabled) if app.provider.mfa else {}
        names = _assignments(app, api, factors, provided)
        if app.provider.sign_in_days:
            _sign_ins(app, api, names, provided)

    collected = rest_source.collect_accounts(app, into, progress, read, is_paging_known=True)
    if not (is_every_account_known and collected.source.rejected == 0):
        # Who is missing from half a list of accounts would count as not assigned.
        provided.pop("idp_assignments", None)
    return replace(collected, files={**collected.files, **provided}) if collected.files else collected


def look(app: Application) -> Look:
    """Ask for one row of each list that a scan reads, so that a right that is missing shows; raises SourceError."""
    sample = row_with({"id": "id"})
    found, ids = rest_source.look(app, _USERS, sample)
    further = [_GROUPS, _ADMINS, _one(_FACTORS, ids[0]) if app.provider.mfa else None]
    further += [_one(_APP_USERS, theirs) for theirs in app.provider.applications]
    if app.provider.sign_in_days:
        further.append(replace(_LOG, query=_window(1)))
    refused = rest_source.refused(app, [one for one in further if one is not None])
    return replace(found, doubt="; ".join(refused))


def _one(settings: RestSettings, identifier: str) -> RestSettings:
    return replace(settings, path=rest_source.filled(settings.path, identifier))


def _accounts(reading: Reading, api: Lists) -> dict[str, str]:
    """Give all users to the reading; return id -> status of those that are open."""
    enabled = {}
    for listed in (api.all(_USERS, _user, "users"), api.further(_DEACTIVATED, _user, "deactivated users")):
        for one in listed:
            reading.account(one["row"])
            if STATUSES.get(one["active"]) == "active":
                enabled[one["id"]] = one["active"]
    return enabled


def _user(record: Record) -> tuple[str, bytes] | None:
    identity = records.text(record.get("id"))
    if identity is None:
        return None

    def said(path: str) -> str | None:
        return records.text(records.at(record, path))

    names = " ".join(filter(None, (said("profile.firstName"), said("profile.lastName"))))
    status = said("status")
    row = {
        "account_id": identity,
        "username": said("profile.login"),
        "email": said("profile.email"),
        "display_name": said("profile.displayName") or names or None,
        "employee_number": said("profile.employeeNumber"),
        "user_type": said("profile.userType"),
        "status": status,
        "created_at": said("created"),
        "deactivated_at": said("statusChanged") if STATUSES.get(status or "") == "inactive" else None,
        "last_sign_in_at": said("lastLogin"),
    }
    return identity, line_of({"id": identity, "userName": row["username"], "active": status, "row": row})


def _groups(reading: Reading, api: Lists) -> None:
    rows = api.further(_GROUPS, row_with({"id": "id"}, name="profile.name", type="type"), "groups")
    # Everybody is in the group Everyone: to read it would tell nothing, and take as long as all users.
    names = {one["id"]: one["name"] for one in rows if (one["type"], one["name"]) != ("BUILT_IN", "Everyone")}
    for group, members in api.each(_MEMBERS, names, row_with({"id": "id"}), "members of a group"):
        for member in members:
            reading.grant(member["id"], group, "group", name=names[group])


def _admins(reading: Reading, api: Lists) -> None:
    admins = [one["id"] for one in api.further(_ADMINS, row_with({"id": "id"}), "administrators")]
    labels: dict[str, str | None] = {}
    row = row_with({"id": "id", "type": "type"}, label="label", status="status", role="role")
    for admin, roles in api.each(_ROLES, admins, row, "administrator roles"):
        for one in roles:
            if one["status"] not in (None, "ACTIVE"):
                continue
            # All roles of one's own making are of the type CUSTOM.
            role = one["role"] or one["label"] or one["id"] if one["type"] == "CUSTOM" else one["type"]
            labels[role] = one["label"]
            reading.grant(admin, role, "role", name=one["label"])
    reading.catalogue += [Entry("role", role, label, role not in _HARMLESS_ROLES) for role, label in labels.items()]


def _factors(reading: Reading, api: Lists, enabled: dict[str, str]) -> dict[str, bool]:
    """Return id -> whether a second factor is enrolled, of the accounts whose factors could be read."""
    found = {}
    unread: set[str] = set()
    row = row_with({"id": "id", "kind": "factorType", "status": "status"})
    for account, factors in api.each(_FACTORS, enabled, row, "factors", unread=unread):
        if account in unread:
            continue
        found[account] = any(one["status"] == "ACTIVE" and one["kind"] not in _WEAK_FACTORS for one in factors)
        reading.account({"account_id": account, "status": enabled[account], "mfa": found[account]})
    return found


def _assignments(
    app: Application, api: Lists, factors: dict[str, bool], provided: dict[str, Path]
) -> dict[tuple[str, str], str]:
    """Write whom Okta lets into which application; return (its application, its user) -> user name there."""
    names: dict[tuple[str, str], str] = {}
    if not app.provider.applications:
        return names
    row = row_with({"id": "id"}, status="status", created="created", name="credentials.userName")
    lists = RowFile(api.into / "idp_assignments.ndjson"), RowFile(api.into / "mfa.ndjson")
    with lists[0] as assigned, lists[1] as mfa:
        for theirs, ours in app.provider.applications.items():
            people = list(api.further(_one(_APP_USERS, theirs), row, f"people assigned to {ours}"))
            if not api.is_whole:
                continue  # who is missing from half a list is not assigned for that
            for one in people:
                if one["status"] in _NOT_LET_IN:
                    continue
                assigned.add({"app": ours, "account": one["id"], "name": one["name"], "assigned_at": one["created"]})
                if one["name"]:
                    names[theirs, one["id"]] = one["name"]
                    if one["id"] in factors:
                        mfa.add({"app": ours, "account": one["name"], "mfa": str(factors[one["id"]]).lower()})
    provided["idp_assignments"] = lists[0].path
    provided["mfa"] = lists[1].path
    return names


def _sign_ins(app: Application, api: Lists, names: dict[tuple[str, str], str], provided: dict[str, Path]) -> None:
    """Write who signed in, to Okta and through it: one sign-in an hour for each account."""
    settings = replace(_LOG, query=_window(app.provider.sign_in_days))
    with RowFile(api.into / "sign_ins.ndjson") as out:
        hour, seen = "", set[tuple[str, str]]()
        for one in api.further(settings, _event, "sign-ins"):
            if one["at"][:13] != hour:
                hour, seen = one["at"][:13], set()
            for ours, account in _signed_in(app, one, names):
                if (ours, account) not in seen:
                    seen.add((ours, account))
                    out.add({"app": ours, "account": account, "signed_in_at": one["at"], "interactive": "true"})
    provided["sign_ins"] = out.path


def _signed_in(app: Application, event: Record, names: dict[tuple[str, str], str]) -> Iterator[tuple[str, str]]:
    if event["actor"] is None:
        return
    yield app.id, event["actor"]
    for theirs in event["apps"]:
        if theirs in app.provider.applications and (theirs, event["actor"]) in names:
            yield app.provider.applications[theirs], names[theirs, event["actor"]]


def _event(record: Record) -> tuple[str, bytes] | None:
    identity, at, actor = (records.text(records.at(record, path)) for path in ("uuid", "published", "actor.id"))
    if identity is None or at is None or actor is None:
        return None
    is_success = records.at(record, "outcome.result") == "SUCCESS"
    targets = record.get("target")
    found = [one for one in targets if isinstance(one, dict)] if isinstance(targets, list) and is_success else []
    apps = [records.text(one.get("id")) for one in found if one.get("type") == "AppInstance"]
    return identity, line_of({"id": identity, "at": at, "actor": actor if is_success else None, "apps": apps})


def _window(days: int) -> dict[str, str]:
    """Return the parameters for the sign-ins of the last days; without an end, the log would never end."""
    now = datetime.now(UTC).replace(microsecond=0)
    since, until = ((now - timedelta(days=back)).strftime("%Y-%m-%dT%H:%M:%SZ") for back in (days, 0))
    return {"since": since, "until": until, "filter": _SIGN_INS, "sortOrder": "ASCENDING"}
