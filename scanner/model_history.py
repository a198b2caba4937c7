"""What outlives one scan: accepted risks, what changed from scan to scan, and what remediation did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from scanner.model import Severity


class WaiverStatus(StrEnum):
    """What a waiver did in one scan."""

    IN_FORCE = "in_force"
    """It accepts at least one finding, or would if another waiver did not."""
    UNMATCHED = "unmatched"
    """It is in time, and no finding is what it speaks of."""
    LAPSED = "lapsed"
    """It is in time, but each account that it speaks of has changed since it was granted."""
    EXPIRED = "expired"
    """Its last day was over: what it had accepted fires again."""
    NOT_YET = "not_yet"
    """It was granted for a day after the clock of the scan."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """A finding that a waiver no longer accepts, because its account has changed since the waiver was granted."""

    fingerprint: str
    because: str
    """A sentence without personal data."""


@dataclass(frozen=True, slots=True)
class AppliedWaiver:
    """An accepted risk as one scan applied it: who, why, until when, and to which findings."""

    id: str
    """12 hex digits over rule and subject: a renewed waiver keeps it."""
    line: int
    """Of its entry in the file."""
    rule: str
    """Id or glob; so are app, account, worker and entitlement, where None means that the entry does not say."""
    app: str | None
    account: str | None
    """Account id or user name."""
    worker: str | None
    """Person id, employee number or e-mail."""
    entitlement: str | None
    """Entitlement id or name."""
    reason: str
    approver: str
    granted_on: date
    expires_on: date
    """The last day on which it holds, in the organisation's time zone."""
    status: WaiverStatus
    ticket: str | None = None
    compensating_control: str | None = None
    exact: bool = False
    """Whether * ? and [ stand for themselves."""
    fingerprints: tuple[str, ...] = ()
    """Findings that it accepts; each finding is accepted by one waiver at most."""
    lapsed: tuple[Lapse, ...] = ()
    fires_again: tuple[str, ...] = ()
    """Of an expired waiver: findings that it would accept if it were renewed, and that no other waiver accepts."""


@dataclass(frozen=True, slots=True)
class TrendScan:
    """One scan of a trend."""

    scan: str
    """Scan id."""
    as_of: datetime
    complete: bool
    accounts: Mapping[str, int] = field(default_factory=dict)
    """app -> accounts, only where the number differs from the scan before; 0 where an application went."""


@dataclass(frozen=True, slots=True)
class TrendChange:
    """Exceptions of one rule and application that came or went between a scan and the one before; never leads."""

    scan: str
    """Scan id of the later one."""
    rule: str
    app: str | None
    severity: Severity
    state: str
    """Which number changed: `open` (exceptions, which count) or `waived` (accepted, which do not)."""
    event: str
    """baseline, new, reopened, waived, waiver_ended, resolved, verified, unseen (not raised, but not tested either:
    proves nothing), seen_again or changed (severity or verdict). `before` for what stood when the trend begins."""
    cause: str
    """people (accounts, grants, HR), rules (rule file, parameter, policy input; a rule switched on or off), coverage (a
    source was not complete, or is again; an application was connected), waivers; baseline or before for the first scan.
    Where several apply, the first of waivers, rules, coverage, people."""
    change: int
    """Added (positive) or taken away (negative). Over all changes of a scan and state they are the difference."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The scans up to this one, oldest first, and what changed from each to the next; a quiet night adds no change.

    `scanner.trend.points` makes the series of numbers of it, for any choice of rules and applications.
    """

    scans: tuple[TrendScan, ...]
    changes: tuple[TrendChange, ...]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The numbers of one scan, for some rules and applications."""

    scan: str
    as_of: datetime
    complete: bool
    exceptions: Mapping[Severity, int]
    """Every severity -> exceptions that stood, and count."""
    waived: int
    """Exceptions that stood and were accepted."""
    accounts: int
    came: Mapping[str, int]
    """cause -> exceptions that the scan before did not have. came - went, summed, is the difference of the totals."""
    went: Mapping[str, int]
    """cause -> exceptions that only the scan before had."""
    events: Mapping[str, int]
    """new, reopened, resolved, verified, waived ... -> how many; verified ones are not among the resolved."""


@dataclass(frozen=True, slots=True)
class ActionFact:
    """One change that a remediation run tried, and what became of it."""

    run: str
    action: str
    kind: str
    """deactivate, remove_grant, revoke_sessions, delete, or undo."""
    app: str
    account_id: str
    entitlement: str | None
    rules: tuple[str, ...]
    fingerprints: tuple[str, ...]
    at: datetime
    outcome: str
    """done, accepted, already, stale, no_effect, refused, failed, unsettled, stopped or surprise."""
    approvers: tuple[str, ...] = ()
    """Empty for an unattended run."""
    verification: str = "not_yet"
    """verified (a later complete scan shows it), came_undone, undone (by `undo`), not_yet, not_possible (no scan can
    show it) or nothing_done."""
    verified_by: str = ""
    """Scan id."""
