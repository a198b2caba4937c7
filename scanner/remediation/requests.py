"""Builds the requests: the standard form, at most one alternative, and what undoes them (RFC 7644, 3.5.2)."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from scanner.collectors.profiles import Profile
from scanner.config import Application
from scanner.remediation.model import Kind, Request

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def request(kind: Kind, app: Application, profile: Profile, account_id: str, entitlement: str | None) -> Request | None:
    """Return the request of an action; None where there is none."""
    if {account_id, (entitlement or "").partition(":")[2]} & {".", ".."}:
        return None  # as a segment of a path it would name something else
    match kind:
        case Kind.NOTICE:
            return None
        case Kind.DEACTIVATE:
            return activation(app, profile, account_id, active=False)
        case Kind.DELETE:
            return Request("DELETE", user_url(app, account_id))
        case Kind.REVOKE_SESSIONS:
            return _sessions(app, account_id)
        case Kind.REMOVE_GRANT:
            return _removal(app, profile, account_id, entitlement or "")


def activation(app: Application, profile: Profile, account_id: str, *, active: bool) -> Request:
    """Return the PATCH that switches an account off or on."""
    other = None if profile.active_alternative == "none" else _active(profile.active_alternative, active)
    return Request("PATCH", user_url(app, account_id), _active(profile.active_form, active), other)


def addition(app: Application, account_id: str, entitlement: str, item: Mapping[str, Any]) -> Request:
    """Return the PATCH that gives a removed right back, from the element that was saved."""
    kind, _, value = entitlement.partition(":")
    if kind == "group":
        return Request("PATCH", group_url(app, value), _patch({"op": "add", "path": "members", "value": [dict(item)]}))
    path = "roles" if kind == "role" else "entitlements"
    return Request("PATCH", user_url(app, account_id), _patch({"op": "add", "path": path, "value": [dict(item)]}))


def user_url(app: Application, account_id: str) -> str:
    """Return the address of a user."""
    return f"{_base(app)}/Users/{quote(account_id, safe='')}"


def group_url(app: Application, group_id: str) -> str:
    """Return the address of a group."""
    return f"{_base(app)}/Groups/{quote(group_id, safe='')}"


def _removal(app: Application, profile: Profile, account_id: str, entitlement: str) -> Request | None:
    kind, _, value = entitlement.partition(":")
    if kind == "group":
        # A remove of path "members" with a value empties the whole group on many servers; the filter cannot.
        if profile.member_removal == "value":
            body = _patch({"op": "remove", "path": "members", "value": [{"value": account_id}]})
        else:
            body = _patch({"op": "remove", "path": f"members[value eq {_literal(account_id)}]"})
        return Request("PATCH", group_url(app, value), body)
    path = {"role": "roles", "entitlement": "entitlements"}.get(kind)
    if path is None:
        return None
    return Request(
        "PATCH", user_url(app, account_id), _patch({"op": "remove", "path": f"{path}[value eq {_literal(value)}]"})
    )


def _sessions(app: Application, account_id: str) -> Request | None:
    if app.write is None or app.write.revoke_sessions is None:
        return None
    parts = urlsplit(app.base_url or "")
    method, _, path = app.write.revoke_sessions.rpartition(" ")
    url = f"{parts.scheme}://{parts.netloc}{path.replace('{id}', quote(account_id, safe=''))}"
    return Request("DELETE", url, None) if method == "DELETE" else Request("POST", url, {})


def _active(form: str, active: bool) -> dict[str, Any]:
    if form == "no_path":
        return _patch({"op": "replace", "value": {"active": active}})
    return _patch({"op": "replace", "path": "active", "value": str(active) if form == "string" else active})


def _patch(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": [_PATCH], "Operations": [dict(operation)]}


def _literal(value: str) -> str:
    """Return a string of the filter grammar, which is JSON's (RFC 7644, 3.4.2.2)."""
    return json.dumps(value, ensure_ascii=False)


def _base(app: Application) -> str:
    return (app.base_url or "").rstrip("/")
