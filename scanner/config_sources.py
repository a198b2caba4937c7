"""The `[[roster]]` and `[[application]]` tables of orphanscan.toml."""

import codecs
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner.config import Application, Limits, Roster, WriteSettings
from scanner.config_auth import CLEAR, is_plain_http, read_auth, url
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
COVERAGES = ("all", "provisioned_only", "members_no_guests", "one_domain", "unknown")

_NAMED_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SESSIONS_CALL = re.compile(r"(?:(?:POST|DELETE) )?/[\w./~-]*\{id\}[\w./~-]*")
_CONNECTION = {
    "scim": ("base_url", "auth", "ca_file", "allow_http", "limits", "write"),
    "scim_file": ("path",),
    "none": (),
}


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
        "delimiter": Key(_delimiter),
        "encoding": Key(_encoding),
        "date_format": Key(_date_format),
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


def read_application(raw: Mapping[str, Any], where: str, base: Path, problems: Problems) -> Application | None:
    """Return the application that an `[[application]]` table describes, or None with the reasons in `problems`."""
    mark = len(problems.lines)
    clear = {name: value for name, value in raw.items() if name in CLEAR}
    for name in clear:
        problems.add(
            join(where, name), 'a secret never stands in this file; use auth = {type = "bearer", token_env = ...}'
        )
    raw = {name: value for name, value in raw.items() if name not in clear}
    values = read_table(raw, _application_keys(base), where, problems)
    values.setdefault("name", values.get("id"))
    _check_connection(raw, values, where, problems)
    _check_http(values, where, problems)
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    if "limits" in values:
        values["limits"] = Limits(**read_table(values["limits"], _LIMITS, join(where, "limits"), problems))
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


def _application_keys(base: Path) -> dict[str, Key]:
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
    for name in ("base_url", "path", "auth", "ca_file", "allow_http", "limits", "write"):
        if name in raw and name not in _CONNECTION[kind]:
            problems.add(join(where, name), f"does not apply to type {kind}")
    needed = {"scim": ("base_url",), "scim_file": ("path",), "none": ("owner", "reason")}[kind]
    for name in needed:
        if name not in raw:
            problems.add(join(where, name), f"missing; type {kind} needs it")
    if "reason" in raw and kind != "none":
        problems.add(join(where, "reason"), f"does not apply to type {kind}; it says why a system is not connected")


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


def _delimiter(value: object) -> str:
    if isinstance(value, str) and value in _NAMED_DELIMITERS:
        return _NAMED_DELIMITERS[value]
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError(f'must be one character, such as ";", or one of {", ".join(_NAMED_DELIMITERS)}')
    return value


def _encoding(value: object) -> str:
    name = text(value)
    try:
        codecs.lookup(name)
        "".encode(name)
    except LookupError:
        raise ValueError(f'"{name}" is not an encoding such as utf-8 or cp1252') from None
    return name


def _date_format(value: object) -> str:
    """Accept a strptime format that gives year, month and day back."""
    form = text(value)
    sample = datetime(2031, 11, 29, tzinfo=UTC)
    try:
        same = datetime.strptime(sample.strftime(form), form).date() == sample.date()
    except (ValueError, re.error):
        same = False
    if not same:
        raise ValueError(f'"{form}" does not hold year, month and day, such as %Y-%m-%d or %d.%m.%Y')
    return form
