"""Reads orphanscan.toml into a Config: every key known, every value checked, all errors shown at once."""

import os
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from scanner import config_record, paths
from scanner.config import SCIM_TYPES, Application, Config, Roster
from scanner.config_auth import secret_keys, take_secret, url
from scanner.config_keys import (
    Key,
    Problems,
    anything,
    boolean,
    existing_from,
    list_of,
    map_of,
    nearest,
    number,
    one_of,
    parse_toml,
    path_from,
    read_checked,
    read_table,
    table,
    tables,
    text,
)
from scanner.config_notify import read_receivers
from scanner.config_sources import read_application, read_roster
from scanner.model import Severity
from scanner.settings import (
    EVERY_APPLICATION,
    FORMATS,
    PRINTED,
    EncryptionSettings,
    EvidenceSettings,
    KindPattern,
    Matching,
    Policy,
    PrivacySettings,
    RemediationSettings,
    ReportSettings,
    RuleSettings,
    ScanSettings,
    WaiverSettings,
)

_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+")
_KINDS = ("human", "service", "shared", "break_glass", "external")
_RETAINED = ("reports", "evidence", "plans", "history")
_AGE_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_TABLES = (
    "organization",
    "roster",
    "application",
    "scan",
    "rules",
    "policy",
    "matching",
    "report",
    "evidence",
    "remediation",
    "notify",
    "waivers",
    "privacy",
    "encryption",
)


def load(path: Path, *, state: Path | None = None) -> Config:
    """Return the configuration in `path`; ConfigError with all that is wrong otherwise.

    Args:
        path: orphanscan.toml. Every path in it is relative to its folder.
        state: folder of the store, in place of the one that the file names.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link to another folder
    content, sha256 = read_checked(path)
    raw = parse_toml(content, path)
    problems = Problems(path)
    values = read_table(raw, _top_keys(path.parent), "", problems)
    rosters, applications = _sources(raw, path.parent, problems)
    settings = _settings(raw, path.parent, problems)
    organization = _section(raw, "organization", _ORGANIZATION, problems)
    apps = {str(item.get("id")) for _, item in tables(raw, "application", Problems(path))}
    _check_reported(settings["report"], apps, problems)
    settings["notify"] = read_receivers(raw, path.parent, problems)
    settings["encryption"] = _encryption(raw, path.parent, problems)
    settings["matching"] = _matching(raw, path.parent, apps, problems)
    problems.raise_if_any()
    applications = tuple(
        app if app.type in (*SCIM_TYPES, "none") else replace(app, time_zone=app.time_zone or organization["timezone"])
        for app in applications
    )
    return Config(
        path=path,
        sha256=sha256,
        state=Path(os.path.abspath(state)) if state else values.get("state", path.parent / "orphanscan-state"),  # noqa: PTH100
        organization=organization["name"],
        timezone=organization["timezone"],
        email_domains=organization.get("email_domains", ()),
        rosters=rosters,
        applications=applications,
        keys=config_record.keys(raw),
        **settings,
    )


def time_zone(value: object) -> str:
    """Accept an IANA time zone."""
    name = text(value)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name, zoneinfo.available_timezones()).partition("; did you mean ")
        raise ValueError(f'"{name}" is not a time zone such as Europe/Berlin{near[1]}{near[2]}') from None
    return name


def domain(value: object) -> str:
    """Accept a mail domain, in lower case."""
    name = text(value).lower()
    if not _DOMAIN.fullmatch(name):
        raise ValueError(f'"{name}" is not a domain such as acme.example')
    return name


def _top_keys(base: Path) -> dict[str, Key]:
    keys = dict.fromkeys(_TABLES, Key(anything))
    for name in ("organization", "roster", "application"):
        keys[name] = Key(anything, required=True)
    return keys | {"state": Key(path_from(base))}


_ORGANIZATION = {
    "name": Key(text, required=True),
    "timezone": Key(time_zone, required=True),
    "email_domains": Key(list_of(domain)),
}

_SCAN = {
    "fail_on": Key(one_of(*Severity)),
    "parallel": Key(number(1, 64, whole=True)),
    "max_seconds": Key(number(1, 7 * 86400)),
    "memory_mb": Key(number(64, 1_048_576, whole=True)),
}


def _policy_keys(base: Path) -> dict[str, Key]:
    file = existing_from(base, "file")
    return {field.name: Key(file) for field in fields(Policy)}


def _report_keys() -> dict[str, Key]:
    return {
        "frameworks": Key(list_of(text, empty=False)),
        "management": Key(boolean),
        "applications": Key(list_of(text)),
        "formats": Key(list_of(one_of(*FORMATS), empty=False)),
        "privacy": Key(one_of("L0", "L1", "L2")),
        "recipient": Key(text),
        "rows_per_rule": Key(number(1, 1_000_000, whole=True)),
        "sheets": Key(number(0, 10_000, whole=True)),
        "prepared_by": Key(text),
        "memory_mb": Key(number(512, 1_048_576, whole=True)),
        "max_seconds": Key(number(1, 86400)),
    }


def _evidence_keys(base: Path) -> dict[str, Key]:
    return {
        **secret_keys("signing_key", base),
        **secret_keys("passphrase", base),
        "timestamp_url": Key(url),
        "timestamp_ca_file": Key(existing_from(base, "file")),
        "timestamp_seconds": Key(number(1, 600)),
    }


def _rule_keys(base: Path) -> dict[str, Key]:
    return {
        "paths": Key(list_of(existing_from(base, "folder"))),
        "disable": Key(list_of(text)),
        "params": Key(map_of(table)),
        "max_seconds": Key(number(1, 86400)),
        "memory_mb": Key(number(256, 1_048_576, whole=True)),
    }


def _remediation_keys(base: Path) -> dict[str, Key]:
    percent = Key(number(0, 100))
    count = Key(number(0, 1_000_000, whole=True))
    return {
        "max_actions": count,
        "max_percent": percent,
        "max_actions_per_application": count,
        "max_percent_per_application": percent,
        "floor": count,
        "max_unproven": count,
        "expires_hours": Key(number(0.01, 30 * 24)),
        "approvers": Key(existing_from(base, "file")),
        "approvals": Key(number(1, 10, whole=True)),
        "approvals_irreversible": Key(number(1, 10, whole=True)),
        "unattended_classes": Key(list_of(one_of("S2", "S3"))),
        "unattended_rules": Key(list_of(text)),
        "grace_days": Key(map_of(number(0, 3650, whole=True))),
    }


def _section(raw: Mapping[str, Any], name: str, keys: Mapping[str, Key], problems: Problems) -> dict[str, Any]:
    """Return the checked values of the table `[name]`."""
    section = raw.get(name, {})
    if not isinstance(section, dict):
        problems.add(name, f"must be a table, headed [{name}]")
        return {}
    return read_table(section, keys, name, problems) if name in raw else {}


def _settings(raw: Mapping[str, Any], base: Path, problems: Problems) -> dict[str, Any]:
    """Return the plain tables, as the values of Config that they make."""
    make: dict[str, tuple[Callable[..., object], Mapping[str, Key]]] = {
        "scan": (ScanSettings, _SCAN),
        "policy": (Policy, _policy_keys(base)),
        "rules": (RuleSettings, _rule_keys(base)),
        "report": (ReportSettings, _report_keys()),
        "evidence": (EvidenceSettings, _evidence_keys(base)),
        "privacy": (PrivacySettings, {"retention": Key(map_of(number(1, 36500, whole=True), _RETAINED))}),
        "remediation": (RemediationSettings, _remediation_keys(base)),
        "waivers": (WaiverSettings, {"file": Key(path_from(base))}),
    }
    values = {name: _section(raw, name, keys, problems) for name, (_, keys) in make.items()}
    _check_rule_ids(values["rules"], values["remediation"], problems)
    _check_frameworks(values, problems)
    if values["report"].get("privacy") == "L2" and "recipient" not in values["report"]:
        problems.add("report.recipient", "missing: an identified report (L2) names for whom it is")
    _check_counts(values["report"], problems)
    for stem in ("signing_key", "passphrase"):
        if secret := take_secret(stem, values["evidence"], "evidence", problems):
            values["evidence"][stem] = secret
    return {name: build(**values[name]) for name, (build, _) in make.items()}


def _encryption(raw: Mapping[str, Any], base: Path, problems: Problems) -> EncryptionSettings | None:
    if "encryption" not in raw:
        return None
    keys = {
        "recipients": Key(list_of(_recipient, empty=False), required=True),
        **secret_keys("identity", base),
        **secret_keys("previous_identity", base),
        "seal_reports": Key(boolean),
        "staging": Key(path_from(base)),
    }
    mark = len(problems.lines)
    values = _section(raw, "encryption", keys, problems)
    identity = take_secret("identity", values, "encryption", problems)
    previous = take_secret("previous_identity", values, "encryption", problems)
    if identity is None:
        problems.add("encryption", f"needs one of {', '.join(secret_keys('identity', base))}")
    if identity is None or len(problems.lines) > mark:
        return None
    return EncryptionSettings(identity=identity, previous_identity=previous, **values)


def _recipient(value: object) -> str:
    """Accept a public key of age; the message never repeats the value, which may be a private key."""
    key = text(value)
    if not _AGE_RECIPIENT.fullmatch(key):
        raise ValueError("must be a public key of age (age1 and 58 letters and digits), as `orphanscan key new` prints")
    return key


def _check_counts(report: Mapping[str, Any], problems: Problems) -> None:
    """Refuse what cannot be written as counts only."""
    if report.get("privacy") != "L0":
        return
    lists = [kind for kind in report.get("formats", ()) if kind not in PRINTED]
    if lists:
        problems.add("report.formats", f"{', '.join(lists)} cannot be written as counts only (L0)")
    for name in ("management", "applications"):
        if report.get(name):
            problems.add(f"report.{name}", "cannot be written as counts only (L0)")


def _check_reported(report: ReportSettings, apps: set[str], problems: Problems) -> None:
    """Refuse a report for the owner of an application that does not exist."""
    for position, app in enumerate(report.applications, start=1):
        if app not in apps | {EVERY_APPLICATION}:
            problems.add("report.applications", f"item {position}: there is no application {app}{nearest(app, apps)}")


def _check_frameworks(values: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """Refuse reports on frameworks that are neither shipped nor in a folder of rules."""
    folders = (paths.bundled("rules"), *values["rules"].get("paths", ()))
    known = {file.stem for folder in folders for file in folder.glob("frameworks/*.toml")} - {"families"}
    for position, name in enumerate(values["report"].get("frameworks", ()), start=1):
        if name not in known:
            problems.add("report.frameworks", f'item {position} "{name}" is not one of {", ".join(sorted(known))}')


def _check_rule_ids(rules: Mapping[str, Any], remediation: Mapping[str, Any], problems: Problems) -> None:
    """Refuse settings for rules that do not exist: a typing error must not leave a rule on, or off, unnoticed."""
    folders = (paths.bundled("rules"), *rules.get("paths", ()))
    known = {file.stem for folder in folders for file in folder.rglob("*.sql")}
    for position, rule in enumerate(rules.get("disable", ()), start=1):
        if rule not in known:
            problems.add("rules.disable", f"item {position}: there is no rule {rule}{nearest(rule, known)}")
    named = {
        "rules.params": rules.get("params", {}),
        "remediation.grace_days": remediation.get("grace_days", {}),
        "remediation.unattended_rules": remediation.get("unattended_rules", ()),
    }
    for where, chosen in named.items():
        for rule in chosen:
            if rule not in known:
                problems.add(f"{where}.{rule}", f"there is no such rule{nearest(rule, known)}")


def _sources(
    raw: Mapping[str, Any], base: Path, problems: Problems
) -> tuple[tuple[Roster, ...], tuple[Application, ...]]:
    """Return rosters and applications; their ids share one space."""
    places: dict[str, str] = {}
    rosters = []
    applications = []
    for name in ("roster", "application"):
        if raw.get(name) == []:
            problems.add(name, f"there must be at least one [[{name}]]")
        for where, item in tables(raw, name, problems):
            source_id = item.get("id")
            if isinstance(source_id, str) and source_id in places:
                problems.add(f"{where}.id", f"{source_id} is taken by {places[source_id]}")
            elif isinstance(source_id, str):
                places[source_id] = where.partition(" ")[0]
            if name == "roster":
                roster = read_roster(item, where, base, time_zone, problems)
                rosters += [roster] if roster else []
            else:
                application = read_application(item, where, base, time_zone, problems)
                applications += [application] if application else []
    _check_provided(applications, problems)
    return tuple(rosters), tuple(applications)


def _check_provided(applications: Sequence[Application], problems: Problems) -> None:
    """Refuse an identity provider that speaks of applications which do not exist."""
    known = {app.id for app in applications}
    for provider in applications:
        for theirs, ours in provider.provider.applications.items():
            if ours not in known and not problems.lines:
                what = f'there is no application "{ours}"{nearest(ours, known)}'
                problems.add(f"application {provider.id}.provider.applications.{theirs}", what)


def _matching(raw: Mapping[str, Any], base: Path, apps: set[str], problems: Problems) -> Matching:
    keys = {
        "links": Key(existing_from(base, "file")),
        "domain_aliases": Key(map_of(domain)),
        "kinds": Key(anything),
    }
    values = _section(raw, "matching", keys, problems)
    aliases = values.get("domain_aliases", {})
    for alias, main in aliases.items():
        try:
            domain(alias)
        except ValueError as error:
            problems.add(f"matching.domain_aliases.{alias}", str(error))
        if main in (other.lower() for other in aliases):
            problems.add(f"matching.domain_aliases.{alias}", f"{main} is an alias itself; name the main domain")
    values["domain_aliases"] = {alias.lower(): main for alias, main in aliases.items()}
    values["kinds"] = tuple(_kind_patterns(values.get("kinds", []), apps, problems))
    return Matching(**values)


def _kind_patterns(raw: object, apps: set[str], problems: Problems) -> list[KindPattern]:
    keys = {"pattern": Key(text, required=True), "kind": Key(one_of(*_KINDS), required=True), "app": Key(text)}
    patterns = []
    mark = len(problems.lines)
    for where, item in tables({"matching.kinds": raw}, "matching.kinds", problems):
        values = read_table(item, keys, where, problems)
        app = values.get("app", "*")
        if app not in apps and not set(app) & set("*?["):
            problems.add(f"{where}.app", f"there is no application {app}{nearest(app, apps)}")
        if len(problems.lines) == mark:
            patterns.append(KindPattern(**values))
    return patterns
