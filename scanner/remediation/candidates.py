"""From findings to candidates: one per account and change, with all findings that ask for it."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scanner.config import Config
from scanner.model import Finding, FindingState
from scanner.model_record import Record
from scanner.model_rules import Rule
from scanner.remediation.meaning import inactive_effect
from scanner.remediation.model import Kind

_KINDS = {
    "deactivate": Kind.DEACTIVATE,
    "remove_grant": Kind.REMOVE_GRANT,
    "revoke_sessions": Kind.REVOKE_SESSIONS,
    "notify": Kind.NOTICE,
}
_PAST = (FindingState.RESOLVED, FindingState.VERIFIED)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which findings a plan is about; an empty tuple means all."""

    rule: tuple[str, ...] = ()
    app: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    fingerprint: tuple[str, ...] = ()
    """Fingerprints, or the beginnings of some."""

    def allow(self, finding: Finding) -> bool:
        """Tell whether a finding is wanted."""
        return (
            (not self.rule or finding.rule in self.rule)
            and (not self.app or finding.app in self.app)
            and (not self.severity or finding.severity in self.severity)
            and (not self.fingerprint or finding.fingerprint.startswith(self.fingerprint))
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that findings ask for, before anything was decided."""

    id: str
    kind: Kind
    mode: str
    app: str
    account_id: str | None
    entitlement: str | None
    findings: tuple[Finding, ...]
    """Those that nobody accepted; all of them where all are accepted."""


def candidates(
    record: Record, config: Config, wanted: Callable[[Finding], bool], is_waived: Callable[[Finding], bool]
) -> tuple[Candidate, ...]:
    """Return the candidates of a scan, the surest and worst first, always in the same order."""
    rules = {rule.id: rule for rule in record.rules}
    grouped: dict[tuple[str, ...], list[Finding]] = {}
    for finding in _findings(record, rules, wanted):
        grouped.setdefault(_key(finding, rules[finding.rule], config), []).append(finding)
    found = []
    for key, findings in grouped.items():
        # An accepted finding is no reason for a change that another one asks for.
        asking = [finding for finding in findings if not is_waived(finding)]
        found.append(_candidate(key, asking or findings, rules))
    return tuple(sorted(found, key=lambda one: (min(f.severity.rank for f in one.findings), one.app, one.id)))


def action_id(*key: str) -> str:
    """Return a short name that is the same in every plan for the same change."""
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]


def _findings(record: Record, rules: dict[str, Rule], wanted: Callable[[Finding], bool]) -> Iterable[Finding]:
    for result in record.results:
        for finding in result.findings:
            if rules[finding.rule].remedy_mode != "none" and finding.state not in _PAST and wanted(finding):
                yield finding


def _key(finding: Finding, rule: Rule, config: Config) -> tuple[str, ...]:
    kind = _KINDS[rule.remedy_mode]
    if finding.app is None or finding.account_id is None:
        kind = Kind.NOTICE
    if kind is Kind.NOTICE:
        return (kind, finding.app or "", finding.account_id or "", finding.fingerprint)
    if kind is Kind.DEACTIVATE and _knows_only_delete(finding.app or "", config):
        kind = Kind.DELETE
    entitlement = finding.entitlement or "" if kind is Kind.REMOVE_GRANT else ""
    return (kind, finding.app or "", finding.account_id or "", entitlement)


def _knows_only_delete(app_id: str, config: Config) -> bool:
    from scanner.collectors import profiles

    app = next((app for app in config.applications if app.id == app_id), None)
    return app is not None and inactive_effect(profiles.load(app.profile), app.write) == "none"


def _candidate(key: tuple[str, ...], findings: list[Finding], rules: dict[str, Rule]) -> Candidate:
    kind, app, account_id, last = key
    first = findings[0]
    mode = "notify" if kind == Kind.NOTICE else rules[first.rule].remedy_mode
    return Candidate(
        id=action_id(app, account_id, kind, last),
        kind=Kind(kind),
        mode=mode,
        app=app,
        account_id=account_id or None,
        entitlement=first.entitlement,
        findings=tuple(findings),
    )
