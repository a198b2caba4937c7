"""The `[[roster]]` and `[[application]]` tables of orphanscan.toml."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanner.config import Application, Limits, Roster, WriteSettings
from scanner.config_auth import CLEAR, is_plain_http, read_auth, url
from scanner.config_connections import MAKE
from scanner.config_connections import keys as connection_keys
from scanner.config_keys import (
    Check,
    Key,
    Problems,
    boolean,
    existing_from,
    join,
    list_of,
    map_of,
    number,
    one_of,
    path_from,
    read_table,
    table,
    text,
)
from scanner.config_values import date_format, delimiter, encoding

ROSTER_COLUMNS = (
    "employee_number",
    "person_id",
    "full_name",
    "first_name",
    "last_name",
    "email",
    "other_emails",
    "status",
    "worker_type",
    "hire_date",
    "termination_date",
    "last_day_worked",
    "contract_end",
    "department",
    "job_title",
    "manager",
    "time_zone",
)
ATTRIBUTES = (
    "last_sign_in_at",
    "last_activity_at",
    "mfa",
    "kind",
    "created_at",
    "deactivated_at",
    "employee_number",
    "owner",
    "origin",
)
ACCOUNT_COLUMNS = (
    "account_id",
    "username",
    "email",
    "display_name",
    "employee_number",
    "external_id",
    "status",
    "kind",
    "owner",
    "user_type",
    "created_at",
    "deactivated_at",
    "last_sign_in_at",
    "last_activity_at",
    "mfa",
    "origin",
    "role",
    "group",
    "entitlement",
)
"""What a row of an application without SCIM may say of an account, and of what it holds."""
COVERAGES = ("all", "provisioned_only", "members_no_guests", "one_domain", "unknown")

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SESSIONS_CALL = re.compile(r"(?:(?:POST|DELETE) )?/[\w./~-]*\{id\}[\w./~-]*")
_ROWS = ("columns", "statuses", "kinds", "date_format", "time_zone", "separator", "entitlements")
_NO_TABLE = ("delimiter", "encoding", "sheet", "header_row", "control_total")
_CONNECTION = {
    "scim": ("base_url", "auth", "ca_file", "allow_http", "limits", "write", "profile", "attributes"),
    "scim_file": ("path", "profile", "attributes"),
    **dict.fromkeys(("csv", "excel", "json"), ("path", "file", *_ROWS)),
    "database": ("database", "auth", "ca_file", "allow_http", "limits", *_ROWS),
    "sqlite": ("path", "database", "limits", *_ROWS),
    "none": ("profile", "attributes"),
}
"""Type of an application -> the keys that apply to it, of those that do not apply to all."""
_NEEDED = {
    "scim": ("base_url",),
    "none": ("owner", "reason"),
    **dict.fromkeys(("scim_file", "csv", "excel", "json", "sqlite"), ("path",)),
    "database": ("database",),
}
_PARTS = {"file": {"csv": ("sheet", "records"), "excel": ("delimiter", "encoding", "records"), "json": _NO_TABLE}}
"""Table -> type -> keys of the table that do not apply to it."""


def identifier(value: object) -> str:
    """Accept the id of a source."""
    name = text(value)
    if not _ID.fullmatch(name):
        raise ValueError(f'"{name}" is not an id: lower-case letters, digits, _ and -, the first a letter or digit')
    return name


def read_roster(raw: Mapping[str, Any], where: str, base: Path, time_zone: Check, problems: Problems) -> Roster | None:
    """Return the roster that a `[[roster]]` table describes, or None with the reasons in `problems`."""
    mark = len(problems.lines)
    keys = {
        "id": Key(identifier, required=True),
        "type": Key(one_of("csv", "excel")),
        "path": Key(path_from(base), required=True),
        "sheet": Key(text),
        "delimiter": Key(delimiter),
        "encoding": Key(encoding),
        "date_format": Key(date_format),
        "columns": Key(map_of(text, ROSTER_COLUMNS)),
        "statuses": Key(map_of(one_of("pre_hire", "active", "on_leave", "terminated"))),
        "worker_types": Key(map_of(one_of("employee", "contractor", "vendor", "intern", "external"))),
        "time_zone": Key(time_zone),
        "max_shrink_percent": Key(number(0, 100)),
        "min_rows": Key(number(1, 100_000_000, whole=True)),
        "done_marker": Key(boolean),
    }
    values = read_table(raw, keys, where, problems)
    kind = raw.get("type", "csv")
    for name in ("delimiter", "encoding") if kind == "excel" else ("sheet",) if kind == "csv" else ():
        if name in raw:
            problems.add(join(where, name), f"does not apply to type {kind}")
    return Roster(**values) if len(problems.lines) == mark else None


def read_application(
    raw: Mapping[str, Any], where: str, base: Path, time_zone: Check, problems: Problems
) -> Application | None:
    """Return the application that an `[[application]]` table describes, or None with the reasons in `problems`."""
    mark = len(problems.lines)
    clear = {name: value for name, value in raw.items() if name in CLEAR}
    for name in clear:
        problems.add(
            join(where, name), 'a secret never stands in this file; use auth = {type = "bearer", token_env = ...}'
        )
    raw = {name: value for name, value in raw.items() if name not in clear}
    values = read_table(raw, _application_keys(base, time_zone), where, problems)
    values.setdefault("name", values.get("id"))
    _check_connection(raw, values, where, problems)
    _check_http(values, where, problems)
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    if "limits" in values:
        values["limits"] = Limits(**read_table(values["limits"], _LIMITS, join(where, "limits"), problems))
    for name, keys in connection_keys().items():
        if name in values:
            part = read_table(values[name], keys, join(where, name), problems)
            if len(problems.lines) == mark:
                values[name] = MAKE[name](**part)
    if "write" in values:
        values["write"] = _write_side(values["write"], join(where, "write"), base, problems)
    return Application(**values) if len(problems.lines) == mark else None


def _write_side(raw: Mapping[str, Any], where: str, base: Path, problems: Problems) -> WriteSettings | None:
    keys = {
        "auth": Key(table, required=True),
        "own_accounts": Key(list_of(text), required=True),
        "inactive": Key(one_of("disable", "remove", "licence", "none")),
        "reversible": Key(boolean),
        "revoke_sessions": Key(_sessions_call),
        "settle_seconds": Key(number(0, 300)),
    }
    mark = len(problems.lines)
    values = read_table(raw, keys, where, problems)
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    return WriteSettings(**values) if len(problems.lines) == mark else None


def _application_keys(base: Path, time_zone: Check) -> dict[str, Key]:
    return {
        "id": Key(identifier, required=True),
        "name": Key(text),
        "type": Key(one_of(*_CONNECTION), required=True),
        "data": Key(list_of(one_of("personal", "financial", "ephi", "cardholder"), empty=False)),
        "owner": Key(text),
        "reason": Key(text),
        "profile": Key(one_of(*_profiles())),
        "base_url": Key(url()),
        "path": Key(path_from(base)),
        "auth": Key(table),
        "ca_file": Key(existing_from(base, "file")),
        "allow_http": Key(boolean),
        "coverage": Key(one_of(*COVERAGES)),
        "sso": Key(boolean),
        "identity_provider": Key(boolean),
        "external_id": Key(one_of("employee_number", "person_id")),
        "attributes": Key(map_of(text, ATTRIBUTES)),
        "limits": Key(table),
        "columns": Key(map_of(text, ACCOUNT_COLUMNS)),
        "statuses": Key(map_of(one_of("active", "inactive", "unknown"))),
        "kinds": Key(map_of(one_of("human", "service", "shared", "break_glass", "external"))),
        "date_format": Key(date_format),
        "time_zone": Key(time_zone),
        "separator": Key(text),
        "entitlements": Key(existing_from(base, "file")),
        **dict.fromkeys(connection_keys(), Key(table)),
        "write": Key(table),
    }


_LIMITS = {
    "page_size": Key(number(1, 100_000, whole=True)),
    "max_seconds": Key(number(1, 7 * 86400)),
    "timeout_seconds": Key(number(0.1, 3600)),
    "retries": Key(number(0, 100, whole=True)),
    "parallel": Key(number(1, 64, whole=True)),
    "requests_per_minute": Key(number(0.1, 1_000_000)),
    "rate_share": Key(number(0.01, 1)),
    "max_pages": Key(number(1, 100_000_000, whole=True)),
    "max_page_bytes": Key(number(1024, 2**31, whole=True)),
}


def _profiles() -> list[str]:
    """Return the vendor profiles that are shipped; their content is the collector's business."""
    folder = Path(__file__).parent / "collectors" / "profiles"
    return sorted({"generic", *(file.stem for file in folder.glob("*.toml"))})


def _check_connection(raw: Mapping[str, Any], values: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Refuse keys that the type does not use, and demand those that it needs."""
    kind = values.get("type")
    if kind is None:
        return
    for name in sorted({name for names in _CONNECTION.values() for name in names}):
        if name in raw and name not in _CONNECTION[kind]:
            problems.add(join(where, name), f"does not apply to type {kind}")
    for table_name, by_kind in _PARTS.items():
        for name in by_kind.get(kind, ()):
            if isinstance(raw.get(table_name), dict) and name in raw[table_name]:
                problems.add(join(join(where, table_name), name), f"does not apply to type {kind}")
    for name in _NEEDED[kind]:
        if name not in raw:
            problems.add(join(where, name), f"missing; type {kind} needs it")
    if kind in ("database", "sqlite"):
        _check_database(raw, where, problems)
    if "reason" in raw and kind != "none":
        problems.add(join(where, "reason"), f"does not apply to type {kind}; it says why a system is not connected")


def _check_database(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Demand what a database is asked, and refuse ways to sign in that it does not know."""
    settings = raw.get("database", {})
    if not isinstance(settings, dict):
        return
    if raw["type"] == "database" and "url" not in settings:
        problems.add(f"{where}.database.url", "missing; type database needs it")
    if raw["type"] == "sqlite" and "url" in settings:
        problems.add(f"{where}.database.url", "does not apply to type sqlite; use path")
    if not {"accounts", "profile"} & set(settings):
        problems.add(f"{where}.database.accounts", "missing; without a profile, somebody must say what is asked")
    auth = raw.get("auth")
    if isinstance(auth, dict) and auth.get("type") not in ("basic", "none"):
        problems.add(f"{where}.auth.type", "must be basic or none with this type")


def _check_http(values: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Refuse to send secrets and personal data in clear over a network."""
    addresses = {
        "base_url": values.get("base_url"),
        "auth.token_url": values.get("auth", {}).get("token_url"),
        "write.auth.token_url": _token_url(values.get("write", {}).get("auth")),
    }
    for name, address in addresses.items():
        if not values.get("allow_http", False) and is_plain_http(address):
            problems.add(f"{where}.{name}", "http sends secrets in clear; use https, or set allow_http = true")


def _token_url(auth: object) -> object:
    return auth.get("token_url") if isinstance(auth, dict) else None


def _sessions_call(value: object) -> str:
    call = text(value)
    if not _SESSIONS_CALL.fullmatch(call) or ".." in call:
        raise ValueError(
            "must be a path with {id} in it, such as /api/users/{id}/sessions/revoke, with DELETE and a blank before it"
            " where the call is not a POST"
        )
    return call
