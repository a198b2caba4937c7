"""One sealed scan as it is read back: everything that reports may draw on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scanner.model import ApplicationFact, Finding, Ledger, RuleResult, Scan, Source, Suppression
from scanner.model_history import ActionFact, AppliedWaiver, Trend
from scanner.model_rules import KnownAnswers, Rule


@dataclass(frozen=True, slots=True)
class Record:
    """One sealed scan, as read back from its folder: everything that reports may draw on."""

    scan: Scan
    organization: str
    timezone: str
    sources: tuple[Source, ...]
    applications: tuple[ApplicationFact, ...]
    rules: tuple[Rule, ...]
    results: tuple[RuleResult, ...]
    ledger: Ledger
    suppressions: tuple[Suppression, ...]
    known_answers: KnownAnswers | None = None
    """What the rules said of the known-answer data set before they judged this scan; None for scans of before."""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(app, account_id) -> user name, for the accounts in findings."""
    workers: Mapping[str, str] = field(default_factory=dict)
    """worker_id -> full name, for the people in findings."""
    entitlements: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(app, entitlement) -> name, for the entitlements in findings."""
    account_buckets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """app -> bucket -> accounts."""
    leaver_outcomes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """app -> outcome -> leavers."""
    actions: tuple[ActionFact, ...] = ()
    """Changes of earlier remediation runs, as this scan shows them."""
    waivers: tuple[AppliedWaiver, ...] = ()
    """Every entry of the waiver file, as this scan applied it."""
    resolved: tuple[Finding, ...] = ()
    """Findings of earlier scans that this one no longer raises, though it tested for them: resolved or verified."""
    trend: Trend | None = None
    """This scan and at most 399 before it; None for scans of before this was kept."""
    closures: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """app -> how long after the end of work an account was closed -> accounts of leavers."""
    stored_rows: Mapping[str, int] = field(default_factory=dict)
    """Source id -> rows that the tables of the evidence hold of it; empty for scans of before this was kept."""
    run_by: str = ""
    """Login name under which the scan ran."""
