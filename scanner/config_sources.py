"""The `[[roster]]` and `[[application]]` tables of orphanscan.toml."""

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from scanner import config_rest
from scanner.collectors import ROSTERS, SOURCES
from scanner.collectors.installed import application_type, installed
from scanner.collectors.interface import SourceType
from scanner.columns import ACCOUNT_COLUMNS, ATTRIBUTES, ROSTER_COLUMNS
from scanner.config import COVERAGES, Application, Limits, Roster, ScimView, WriteSettings
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
from scanner.config_values import date_format, delimiter, encoding, no_secrets
from scanner.connections import RestSettings
from scanner.errors import ConfigError

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SESSIONS_CALL = re.compile(r"(?:(?:POST|DELETE) )?/[\w./~-]*\{id\}[\w./~-]*")
_UNCONNECTED = ("profile", "attributes")
"""Keys that apply to type none, of those that do not apply to all."""
_NEEDED_UNCONNECTED = ("owner", "reason")


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
        "type": Key(one_of(*ROSTERS)),
        "path": Key(path_from(base)),
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
        "stable_seconds": Key(number(0, 600)),
        "newest_by": Key(one_of("modified", "name")),
        "base_url": Key(url),
        "auth": Key(table),
        "ca_file": Key(existing_from(base, "file")),
        "allow_http": Key(boolean),
        "limits": Key(table),
        "rest": Key(table),
    }
    values = read_table(raw, keys, where, problems)
    kind = str(values.get("type", "" if "type" in raw else "csv"))
    if kind:
        every = {name for one in ROSTERS.values() for name in one.keys}
        _check_keys(raw, kind, ROSTERS[kind], every, where, problems)
    _check_http(values, where, problems)
    _read_parts(values, {"rest": (config_rest.list_keys(), RestSettings)}, where, base, problems)
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
    _check_kind(raw, values, where, problems)
    _check_http(values, where, problems)
    if "scim" in values:
        values["scim"] = _scim_view(values["scim"], join(where, "scim"), base, problems)
        values.setdefault("sso", True)  # an identity provider manages accounts there
    parts = {name: (keys, MAKE[name]) for name, keys in connection_keys().items()}
    _read_parts(values, parts, where, base, problems)
    if values.get("type") not in (*SOURCES, "none"):
        values["settings"] = _own_settings(values, where, problems)
    if "write" in values:
        values["write"] = _write_side(values["write"], join(where, "write"), base, problems)
    return Application(**values) if len(problems.lines) == mark else None


def _read_parts(
    values: dict[str, Any],
    parts: Mapping[str, tuple[Mapping[str, Key], Callable[..., object]]],
    where: str,
    base: Path,
    problems: Problems,
) -> None:
    """Replace the tables inside a table by what they are read into: how to sign in, the limits, and `parts`."""
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    for name, (keys, make) in {"limits": (_LIMITS, Limits), **parts}.items():
        if name in values:
            mark = len(problems.lines)
            part = read_table(values[name], keys, join(where, name), problems)
            if len(problems.lines) == mark:
                values[name] = make(**part)


def _scim_view(raw: Mapping[str, Any], where: str, base: Path, problems: Problems) -> ScimView | None:
    keys = {
        "base_url": Key(url, required=True),
        "auth": Key(table, required=True),
        "profile": Key(one_of(*_profiles())),
    }
    mark = len(problems.lines)
    values = read_table(raw, keys, where, problems)
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    return ScimView(**values) if len(problems.lines) == mark else None


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
        "type": Key(_kind, required=True),
        "data": Key(list_of(one_of("personal", "financial", "ephi", "cardholder"), empty=False)),
        "owner": Key(text),
        "reason": Key(text),
        "profile": Key(one_of(*_profiles())),
        "base_url": Key(url),
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
        "scim": Key(table),
        "settings": Key(no_secrets(table)),
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


def _check_kind(raw: Mapping[str, Any], values: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Refuse keys that the type does not use, demand those that it needs, and let it look at the rest."""
    name = values.get("type")
    if name is None:
        return
    try:
        kind = None if name == "none" else application_type(name)
    except ConfigError as error:
        problems.add(join(where, "type"), str(error))
        return
    every = {"settings", *_UNCONNECTED}.union(*(one.keys for one in SOURCES.values()))
    if kind is None:
        for key in sorted(every - {*_UNCONNECTED}):
            if key in raw:
                problems.add(join(where, key), f"does not apply to type {name}")
        for key in _NEEDED_UNCONNECTED:
            if key not in raw:
                problems.add(join(where, key), f"missing; type {name} needs it")
        return
    if "reason" in raw:
        problems.add(join(where, "reason"), f"does not apply to type {name}; it says why a system is not connected")
    _check_keys(raw, name, kind, every, where, problems)


def _check_keys(
    raw: Mapping[str, Any],
    name: str,
    kind: SourceType[Any],
    every: Collection[str],
    where: str,
    problems: Problems,
) -> None:
    """Refuse keys, of `every` that some type has, that this type does not use; demand those that it needs."""
    applying = (*kind.keys, *(["settings"] if kind.settings else []))
    for key in sorted(every):
        if key in raw and key not in applying:
            problems.add(join(where, key), f"does not apply to type {name}")
    for inner, keys in kind.unused.items():
        for key in keys:
            if isinstance(raw.get(inner), dict) and key in raw[inner]:
                problems.add(join(join(where, inner), key), f"does not apply to type {name}")
    for key in kind.needed:
        if key not in raw:
            problems.add(join(where, key), f"missing; type {name} needs it")
    kind.check(raw, where, problems)


def _own_settings(values: Mapping[str, Any], where: str, problems: Problems) -> dict[str, Any]:
    """Return the checked keys of a type that a package brings; its errors are already noted where it has none."""
    try:
        kind = application_type(values.get("type", "none"))
    except ConfigError:
        return {}
    return read_table(values.get("settings", {}), kind.settings, join(where, "settings"), problems)


def _kind(value: object) -> str:
    """Accept the type of an application; packages are asked only for one that orphanscan does not bring."""
    word = text(value)
    if word in SOURCES or word == "none":
        return word
    try:
        brought = installed()
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return str(one_of(*SOURCES, *sorted(brought), "none")(word))


def _check_http(values: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Refuse to send secrets and personal data in clear over a network."""
    addresses = {
        "base_url": values.get("base_url"),
        "auth.token_url": values.get("auth", {}).get("token_url"),
        "write.auth.token_url": _token_url(values.get("write", {}).get("auth")),
        "scim.base_url": values.get("scim", {}).get("base_url"),
        "scim.auth.token_url": _token_url(values.get("scim", {}).get("auth")),
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
