"""Reads the TOML inputs into typed values, and collects all that is wrong in a file."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scanner.config_keys import Key, Problems, anything, nearest, parse_toml, read_table, tables
from scanner.policy.spec import Input, Table
from scanner.policy.values import (
    Allowance,
    ApprovedDomain,
    DutyConflict,
    DutyConflicts,
    DutyFunction,
    ErasureSchedule,
    LegalHold,
    PrivilegedEntitlement,
    RegisterEntry,
    Retention,
    RolePolicy,
)


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML input whose keys are known and whose values are of the right kind."""

    top: Mapping[str, Any]
    tables: Mapping[str, list[tuple[str, dict[str, Any]]]]
    """Name -> place and values of each entry."""

    @property
    def entries(self) -> int:
        """How many entries it has."""
        return sum(len(entries) for entries in self.tables.values())

    @property
    def approved_at(self) -> datetime | None:
        """From when it may be judged by; None unless both who and when are said."""
        day = self.top.get("approved_on")
        return midnight(day) if day and self.top.get("approved_by") else None


def read_document(item: Input, content: bytes, path: Path, problems: Problems) -> Document:
    """Return the checked content; two entries that say the same are refused."""
    raw = parse_toml(content, path)
    keys = {field.name: field.key() for field in item.fields}
    top = read_table(raw, keys | {table.name: Key(anything) for table in item.tables}, "", problems)
    return Document(top, {table.name: _entries(raw, table, problems) for table in item.tables})


def _entries(raw: Mapping[str, Any], table: Table, problems: Problems) -> list[tuple[str, dict[str, Any]]]:
    keys = table.keys()
    entries = [(where, read_table(item, keys, where, problems)) for where, item in tables(raw, table.name, problems)]
    has_pattern = any(field.name == "app" and not field.required for field in table.fields)
    for names in table.identities:
        defaults = {"app": "*"} if has_pattern else {}
        refuse_repeats([(where, _identity(defaults | values, names)) for where, values in entries], problems)
    return entries


def _identity(values: Mapping[str, Any], names: tuple[str, ...]) -> Hashable:
    """Return what makes two entries the same; None: cannot be told."""
    return tuple(values[name] for name in names) if set(names) <= values.keys() else None


def refuse_repeats(entries: list[tuple[str, Hashable]], problems: Problems) -> None:
    """Refuse entries with the same identity."""
    first: dict[Hashable, str] = {}
    for where, identity in entries:
        if identity is not None and first.setdefault(identity, where) != where:
            problems.add(where, f"says the same as {first[identity]}; keep one of them")


def check_app(app: str, apps: Collection[str], where: str, problems: Problems, *, globs: bool = False) -> None:
    """Refuse an entry for an application that does not exist: it would silently have no effect."""
    if globs and set(app) & set("*?["):
        if not any(fnmatchcase(known, app) for known in apps):
            problems.add(where, f"{app} matches no application")
    elif app not in apps:
        problems.add(where, f"there is no application {app}{nearest(app, apps)}")


def midnight(value: date) -> datetime:
    """Return the start of a day."""
    return datetime.combine(value, time(), UTC)


def privileged_entitlements(
    document: Document, apps: Collection[str], problems: Problems
) -> tuple[PrivilegedEntitlement, ...]:
    """Return the patterns of what is privileged."""
    return tuple(
        PrivilegedEntitlement(
            _pattern_app(values, where, apps, problems), values.get("entitlement", ""), values.get("exact", False)
        )
        for where, values in document.tables["entitlement"]
    )


def service_register(document: Document, apps: Collection[str], problems: Problems) -> tuple[RegisterEntry, ...]:
    """Return the registered accounts."""
    found = []
    for where, values in document.tables["account"]:
        if "app" in values:
            check_app(values["app"], apps, f"{where}.app", problems)
        if "username" not in values and "account_id" not in values:
            problems.add(where, "needs username or account_id")
        if {"app", "kind", "purpose"} <= values.keys():
            attested = values.get("attested_on")
            found.append(
                RegisterEntry(
                    values["app"],
                    values.get("account_id"),
                    values.get("username"),
                    values["kind"],
                    values.get("owner"),
                    midnight(attested) if attested else None,
                    values["purpose"],
                    values.get("interactive"),
                )
            )
    return tuple(found)


def approved_domains(document: Document, apps: Collection[str], problems: Problems) -> tuple[ApprovedDomain, ...]:
    """Return the foreign domains that are welcome."""
    entries = document.tables["domain"]
    return tuple(ApprovedDomain(values.get("domain", ""), values.get("reason", "")) for _, values in entries)


def role_policy(document: Document, apps: Collection[str], problems: Problems) -> RolePolicy:
    """Return who may hold what."""
    for key in ("groups_only", "separate_admin_accounts"):
        for position, app in enumerate(document.top.get(key, ()), start=1):
            check_app(app, apps, f"{key}: item {position}", problems, globs=True)
    return RolePolicy(
        tuple(
            Allowance(
                _pattern_app(values, where, apps, problems),
                values.get("entitlement", ""),
                values.get("departments", ("*",)),
                values.get("job_titles", ("*",)),
                values.get("birthright", False),
                values.get("direct", False),
            )
            for where, values in document.tables["allow"]
        ),
        document.top.get("groups_only", ()),
        document.top.get("separate_admin_accounts", ()),
    )


def duty_conflicts(document: Document, apps: Collection[str], problems: Problems) -> DutyConflicts:
    """Return the matrix; a conflict of a function that nothing gives is refused."""
    functions = tuple(
        DutyFunction(values.get("name", ""), _pattern_app(values, where, apps, problems), values.get("entitlement", ""))
        for where, values in document.tables["function"]
    )
    names = {function.name for function in functions}
    conflicts = []
    for where, values in document.tables["conflict"]:
        first, second = values.get("first", ""), values.get("second", "")
        for key, name in (("first", first), ("second", second)):
            if name and name not in names:
                problems.add(f"{where}.{key}", f"there is no [[function]] {name}{nearest(name, names)}")
        if first and first == second:
            problems.add(where, "names one function twice")
        conflicts.append(DutyConflict(first, second, values.get("risk", ""), values.get("compensating_control")))
    pairs = [(f"conflict[{n}]", frozenset((c.first, c.second))) for n, c in enumerate(conflicts, start=1)]
    if not problems.lines:
        refuse_repeats([(where, pair) for where, pair in pairs], problems)
    return DutyConflicts(functions, tuple(conflicts))


def erasure_schedule(document: Document, apps: Collection[str], problems: Problems) -> ErasureSchedule:
    """Return how long accounts of people who left may be kept."""
    return ErasureSchedule(
        tuple(
            Retention(_pattern_app(values, where, apps, problems), values.get("days"), values.get("basis", ""))
            for where, values in document.tables["keep"]
        ),
        tuple(LegalHold(values.get("worker", ""), values.get("reason", "")) for _, values in document.tables["hold"]),
    )


def _pattern_app(values: Mapping[str, Any], where: str, apps: Collection[str], problems: Problems) -> str:
    app = str(values.get("app", "*"))
    check_app(app, apps, f"{where}.app", problems, globs=True)
    return app
