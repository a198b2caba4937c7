"""The `[[notify]]` tables of orphanscan.toml: who hears of changes after a scan."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scanner.config_auth import is_loopback, is_plain_http, read_auth, read_secret, url
from scanner.config_keys import (
    Key,
    Problems,
    anything,
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
    tables,
    text,
)
from scanner.config_sources import identifier
from scanner.config_values import of_form
from scanner.model import Severity
from scanner.settings import Receiver

_NEEDS: dict[str, tuple[str, ...]] = {
    "email": ("host", "sender", "to"),
    "slack": ("url",),
    "teams": ("url",),
    "webhook": ("url", "secret"),
    "jira": ("base_url", "auth", "project"),
    "servicenow": ("base_url", "auth"),
    "syslog": ("address",),
    "metrics": ("path",),
    "heartbeat": ("url",),
}
"""Type -> keys that it must have."""
_MAY: dict[str, tuple[str, ...]] = {
    "email": ("auth", "port", "tls", "to_owners", "ca_file", "privacy"),
    "slack": ("ca_file",),
    "teams": ("ca_file",),
    "webhook": ("ca_file", "privacy"),
    "jira": ("issue_type", "api", "ca_file", "privacy"),
    "servicenow": ("table", "ca_file", "privacy"),
    "syslog": ("format", "ca_file", "privacy"),
    "metrics": (),
    "heartbeat": ("fail_url", "ca_file"),
}
"""Type -> further keys of its own."""
_CHANGES = ("owners", "min_severity", "confidential", "include_existing", "overdue_days")
"""Keys of the types that tell of changes."""
mail_address = of_form(
    r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+", "must be an e-mail address such as security@acme.example"
)
"""Accepts a bare e-mail address."""
_WORD = of_form(r"[A-Za-z][A-Za-z0-9_]*", "must be one word of letters, digits and _")
_TRANSPORTS = ("udp", "tcp", "tls", "unix")


def read_receivers(raw: Mapping[str, Any], base: Path, problems: Problems) -> tuple[Receiver, ...]:
    """Return all receivers, or fewer with the reasons in `problems`."""
    found: dict[str, Receiver] = {}
    for where, item in tables(raw, "notify", problems):
        receiver = _receiver(item, where, base, problems)
        if receiver is not None and receiver.id in found:
            problems.add(f"{where}.id", f"{receiver.id} is there twice")
        elif receiver is not None:
            found[receiver.id] = receiver
    return tuple(found.values())


def _receiver(raw: Mapping[str, Any], where: str, base: Path, problems: Problems) -> Receiver | None:
    mark = len(problems.lines)
    values = read_table(raw, _keys(base), where, problems)
    for name in ("url", "fail_url", "secret"):
        if name in values:
            values[name] = read_secret(values[name], join(where, name), base, problems)
    if "auth" in values:
        values["auth"] = read_auth(values["auth"], join(where, "auth"), base, problems)
    if len(problems.lines) == mark:
        _check(values, where, problems)
    if "overdue_days" in values:
        values["overdue_days"] = Receiver("", "").overdue_days | values["overdue_days"]
    return Receiver(**values) if len(problems.lines) == mark else None


def _keys(base: Path) -> dict[str, Key]:
    return {
        "id": Key(identifier, required=True),
        "type": Key(one_of(*_NEEDS), required=True),
        "owners": Key(list_of(text, empty=False)),
        "min_severity": Key(one_of(*Severity)),
        "privacy": Key(one_of("L1", "L2")),
        "confidential": Key(boolean),
        "include_existing": Key(boolean),
        "overdue_days": Key(map_of(number(0, 3650, whole=True), [*Severity])),
        "max_seconds": Key(number(1, 3600)),
        "url": Key(anything),
        "fail_url": Key(anything),
        "secret": Key(anything),
        "base_url": Key(url),
        "auth": Key(table),
        "project": Key(_WORD),
        "issue_type": Key(text),
        "api": Key(one_of("2", "3")),
        "table": Key(_WORD),
        "host": Key(text),
        "port": Key(number(1, 65535, whole=True)),
        "tls": Key(one_of("starttls", "implicit", "none")),
        "sender": Key(mail_address),
        "to": Key(list_of(mail_address, empty=False)),
        "to_owners": Key(boolean),
        "address": Key(_syslog),
        "format": Key(one_of("rfc5424", "cef", "ocsf")),
        "path": Key(path_from(base)),
        "ca_file": Key(existing_from(base, "file")),
    }


def _check(values: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Refuse keys that the type does not use, demand those that it needs, and what would give something away."""
    kind = values["type"]
    known = {"id", "type", "max_seconds", *_NEEDS[kind], *_MAY[kind]} | set(() if kind == "heartbeat" else _CHANGES)
    if kind == "metrics":
        known = {"id", "type", "path", "confidential"}
    if kind in ("slack", "teams") and values.get("privacy") == "L2":
        problems.add(join(where, "privacy"), f"a {kind} channel gets pseudonyms only")
        known.add("privacy")
    for name in values:
        if name not in known:
            problems.add(join(where, name), f"does not apply to type {kind}")
    for name in _NEEDS[kind]:
        if name not in values:
            problems.add(join(where, name), f"missing; type {kind} needs it")
    if values.get("to_owners") and values.get("confidential"):
        problems.add(
            join(where, "confidential"), "owners of applications never hear of terminations to come; name `to`"
        )
    if is_plain_http(values.get("base_url")):
        problems.add(join(where, "base_url"), "http sends secrets in clear; use https")
    auth = values.get("auth")
    if kind == "email" and auth is not None and auth.type not in ("none", "basic"):
        problems.add(join(where, "auth"), 'a mail server takes {type = "basic", username, password_env}')
    elif kind != "email" and auth is not None and auth.type == "oauth2":
        problems.add(join(where, "auth"), "oauth2 is not offered here; use bearer, basic or header")
    if values.get("tls") == "none" and not is_loopback(str(values.get("host", ""))):
        problems.add(join(where, "tls"), "none is for a mail server on this machine only; use starttls or implicit")


def _syslog(value: object) -> str:
    address = text(value)
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError("is not a valid address") from None
    is_socket = parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
    is_host = parts.scheme in _TRANSPORTS[:3] and parts.hostname and port and parts.path in ("", "/")
    if not is_socket and not is_host:
        raise ValueError("must be udp://host:514, tcp://host:601, tls://host:6514 or unix:///dev/log")
    return address
