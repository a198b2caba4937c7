"""The policy inputs: small files beside the configuration, read, checked and typed."""

import csv
import io
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scanner.config import Config
from scanner.config_file import domain
from scanner.config_keys import (
    Key,
    Problems,
    anything,
    day,
    decode,
    nearest,
    one_of,
    parse_toml,
    read_checked,
    read_table,
    tables,
    text,
)


@dataclass(frozen=True, slots=True)
class Link:
    """A decision by a person that an account belongs to a worker."""

    app: str
    account_id: str
    """Account id or user name."""
    worker: str
    """Person id, employee number or e-mail."""
    decided_by: str
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A registered service, shared or break-glass account."""

    app: str
    account_id: str | None
    username: str | None
    kind: str
    owner: str | None
    """Person id, employee number or e-mail of the person who answers for it."""
    attested_at: datetime | None
    purpose: str


@dataclass(frozen=True, slots=True)
class ApprovedDomain:
    """A foreign e-mail domain that accounts may have."""

    domain: str
    reason: str


@dataclass(frozen=True, slots=True)
class PrivilegedEntitlement:
    """Glob over name and id of entitlements, within the applications that match `app`."""

    app: str
    entitlement: str


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """One file that was supplied."""

    name: str
    """links, service_register, approved_domains or privileged_entitlements."""
    path: str
    sha256: str
    entries: int


@dataclass(frozen=True, slots=True)
class Policies:
    """All policy inputs of one scan."""

    links: tuple[Link, ...] = ()
    service_register: tuple[RegisterEntry, ...] = ()
    approved_domains: tuple[ApprovedDomain, ...] = ()
    privileged_entitlements: tuple[PrivilegedEntitlement, ...] = ()
    inputs: tuple[PolicyInput, ...] = ()


_LINK_COLUMNS = ("app", "account_id", "worker", "decided_by", "decided_at", "reason")

_ENTITLEMENT = {"app": Key(text), "entitlement": Key(text, required=True)}
_ACCOUNT = {
    "app": Key(text, required=True),
    "username": Key(text),
    "account_id": Key(text),
    "kind": Key(one_of("service", "shared", "break_glass"), required=True),
    "owner": Key(text),
    "attested_on": Key(day),
    "purpose": Key(text, required=True),
}
_DOMAIN = {"domain": Key(domain, required=True), "reason": Key(text, required=True)}


def read_policies(config: Config) -> Policies:
    """Return every policy input that the configuration names; ConfigError with all that is wrong in one file."""
    apps = tuple(application.id for application in config.applications)
    inputs: list[PolicyInput] = []

    def read(name: str, path: Path | None, parse: Callable[[bytes, Path, Problems], list[Any]]) -> tuple[Any, ...]:
        if path is None:
            return ()
        content, sha256 = read_checked(path)
        problems = Problems(path)
        entries = parse(content, path, problems)
        problems.raise_if_any()
        inputs.append(PolicyInput(name, _shown(path, config), sha256, len(entries)))
        return tuple(entries)

    def parse_links(content: bytes, path: Path, problems: Problems) -> list[Link]:
        return _links(content, path, apps, problems)

    def parse_register(content: bytes, path: Path, problems: Problems) -> list[RegisterEntry]:
        return [
            entry
            for where, values in _entries(content, path, "account", _ACCOUNT, problems)
            for entry in _register_entry(values, where, apps, problems)
        ]

    def parse_privileged(content: bytes, path: Path, problems: Problems) -> list[PrivilegedEntitlement]:
        found = []
        for where, values in _entries(content, path, "entitlement", _ENTITLEMENT, problems):
            app = values.get("app", "*")
            _check_app(app, apps, f"{where}.app", problems, globs=True)
            found.append(PrivilegedEntitlement(app, values.get("entitlement", "")))
        return found

    def parse_domains(content: bytes, path: Path, problems: Problems) -> list[ApprovedDomain]:
        entries = _entries(content, path, "domain", _DOMAIN, problems)
        return [ApprovedDomain(values.get("domain", ""), values.get("reason", "")) for _, values in entries]

    return Policies(
        links=read("links", config.matching.links, parse_links),
        service_register=read("service_register", config.policy.service_register, parse_register),
        approved_domains=read("approved_domains", config.policy.approved_domains, parse_domains),
        privileged_entitlements=read(
            "privileged_entitlements", config.policy.privileged_entitlements, parse_privileged
        ),
        inputs=tuple(inputs),
    )


def _shown(path: Path, config: Config) -> str:
    """Return the path as the evidence shows it: relative to the configuration where it lies beside it."""
    folder = config.path.parent
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _entries(
    content: bytes, path: Path, name: str, keys: Mapping[str, Key], problems: Problems
) -> list[tuple[str, dict[str, Any]]]:
    """Return the place and the checked values of each `[[name]]`; two that say the same are refused."""
    raw = parse_toml(content, path)
    read_table(raw, {name: Key(anything)}, "", problems)
    entries = [(where, read_table(item, keys, where, problems)) for where, item in tables(raw, name, problems)]
    for name_of in _identities(name):
        _refuse_repeats([(where, name_of(values)) for where, values in entries], problems)
    return entries


def _identities(name: str) -> tuple[Callable[[Mapping[str, Any]], Hashable], ...]:
    """Return what makes two entries the same; None: cannot be told."""

    def pair(key: str, app: str | None = None) -> Callable[[Mapping[str, Any]], Hashable]:
        return lambda values: (values.get("app", app), values[key]) if key in values else None

    by_name = {
        "account": (pair("account_id"), pair("username")),
        "entitlement": (pair("entitlement", "*"),),
        "domain": (lambda values: values.get("domain"),),
    }
    return by_name[name]


def _refuse_repeats(entries: list[tuple[str, Hashable]], problems: Problems) -> None:
    first: dict[Hashable, str] = {}
    for where, identity in entries:
        if identity is not None and first.setdefault(identity, where) != where:
            problems.add(where, f"says the same as {first[identity]}; keep one of them")


def _check_app(app: str, apps: Collection[str], where: str, problems: Problems, *, globs: bool = False) -> None:
    """Refuse an entry for an application that does not exist: it would silently have no effect."""
    if globs and set(app) & set("*?["):
        if not any(fnmatchcase(known, app) for known in apps):
            problems.add(where, f"{app} matches no application")
    elif app not in apps:
        problems.add(where, f"there is no application {app}{nearest(app, apps)}")


def _register_entry(
    values: Mapping[str, Any], where: str, apps: Collection[str], problems: Problems
) -> list[RegisterEntry]:
    if "app" in values:
        _check_app(values["app"], apps, f"{where}.app", problems)
    if "username" not in values and "account_id" not in values:
        problems.add(where, "needs username or account_id")
    if not {"app", "kind", "purpose"} <= values.keys():
        return []
    attested = values.get("attested_on")
    return [
        RegisterEntry(
            values["app"],
            values.get("account_id"),
            values.get("username"),
            values["kind"],
            values.get("owner"),
            _midnight(attested) if attested else None,
            values["purpose"],
        )
    ]


def _midnight(value: date) -> datetime:
    return datetime.combine(value, time(), UTC)


def _links(content: bytes, path: Path, apps: Collection[str], problems: Problems) -> list[Link]:
    """Return the decisions in a CSV file with a head line."""
    reader = csv.DictReader(io.StringIO(decode(content, path), newline=""), strict=True)
    try:
        if not _has_link_columns(reader.fieldnames or (), problems):
            return []
        rows = [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as error:
        problems.add(f"line {reader.line_num + 1}", f"not valid CSV: {error}")
        return []
    _refuse_repeats([(where, (row["app"], row["account_id"])) for where, row in rows], problems)
    return [link for where, row in rows for link in _link(row, where, apps, problems)]


def _has_link_columns(columns: Collection[str], problems: Problems) -> bool:
    mark = len(problems.lines)
    for column in columns:
        if column not in _LINK_COLUMNS:
            problems.add("line 1", f"unknown column {column}{nearest(column, _LINK_COLUMNS)}")
    for column in _LINK_COLUMNS:
        if column not in columns:
            problems.add("line 1", f"column {column} is missing")
    if len(set(columns)) < len(columns):
        problems.add("line 1", "a column is there twice")
    return len(problems.lines) == mark


def _link(row: Mapping[str, Any], where: str, apps: Collection[str], problems: Problems) -> list[Link]:
    if None in row or None in row.values():
        problems.add(where, f"must have {len(_LINK_COLUMNS)} fields")
        return []
    values = {name: value.strip() for name, value in row.items()}
    for name in ("app", "account_id", "worker", "decided_by", "reason"):
        if not values[name]:
            problems.add(f"{where}: {name}", "must not be empty")
    if values["app"]:
        _check_app(values["app"], apps, f"{where}: app", problems)
    decided = None
    if values["decided_at"]:
        try:
            decided = _midnight(datetime.strptime(values["decided_at"], "%Y-%m-%d").date())
        except ValueError:
            problems.add(f"{where}: decided_at", "must be a date such as 2026-03-31")
    return [
        Link(values["app"], values["account_id"], values["worker"], values["decided_by"], decided, values["reason"])
    ]
