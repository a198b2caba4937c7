"""The nouns of the domain. `None` always means "the source did not say", never "no". Imports nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad an exception is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical to 4 for info."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    """The completeness of one collection, decided by the machine."""

    COMPLETE = "complete"
    DRIFT = "drift"
    """The list changed while it was read, and a second walk did not settle it."""
    SHORT = "short"
    """Fewer rows than the source stated, or rows or groups that could not be read."""
    CAPPED = "capped"
    """The source stops at a round number and offers no way to go on."""
    FAILED = "failed"
    UNKNOWN = "unknown"


class RuleOutcome(StrEnum):
    """The result of a rule over its whole population, worst first."""

    ERROR = "error"
    EXCEPTIONS = "exceptions"
    UNABLE_TO_TEST = "unable_to_test"
    CLEAN = "clean"


class FindingState(StrEnum):
    """Where a finding stands in its life."""

    BASELINE = "baseline"
    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    WAIVED = "waived"


NEWS = (FindingState.NEW, FindingState.REOPENED)
"""What the scan before did not show. A finding whose waiver ended is reopened too; a baseline holds no news."""


@dataclass(frozen=True, slots=True)
class Source:
    """One collection of one roster or application, with its completeness verdict and the numbers behind it."""

    id: str
    kind: str
    """roster or application."""
    type: str
    """scim, scim_file, csv, database, rest ...: as the configuration calls it."""
    verdict: Verdict
    stated: int | None = None
    """Rows that the source said it holds; None when it did not say."""
    collected: int = 0
    """Distinct rows read."""
    duplicates: int = 0
    rejected: int = 0
    coverage: str = "unknown"
    """all, provisioned_only, members_no_guests, one_domain or unknown."""
    detail: str = ""
    """One sentence for people: why the verdict is not `complete`, or what was noticed. Free of secrets."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pages: int = 0
    query: str = ""
    """What was asked, exactly: URL path and parameters, or file name and parse settings. Free of secrets."""
    sha256: str = ""
    """Over the raw bytes of all pages or of the file, in the order read."""
    groups_stated: int | None = None
    groups_collected: int = 0
    sign_in_grain_days: int = 0
    """How many days later than told a last sign-in may have been; 0 where it is told to the second."""


ANSWERS = "answers.ndjson"
"""In the folder of a source: a line for each answer of its server, with size and SHA-256; for the evidence."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector leaves behind: the verdict, and one NDJSON file per kind of row in the staging folder."""

    source: Source
    files: Mapping[str, Path] = field(default_factory=dict)
    """Keys: users, groups, entitlements (names and privileges that the application states), workers; and what an
    identity provider says beside its accounts: idp_assignments, sign_ins, mfa."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one rule, as the rule returned it, with its fingerprint."""

    fingerprint: str
    rule: str
    severity: Severity
    verdict: str
    """fail, or unknown when the data cannot decide."""
    app: str | None
    account_id: str | None
    entitlement: str | None
    worker_id: str | None
    subject: str | None
    reason: str
    """A sentence without personal data; may hold {account}, {worker}, {manager} to be filled when rendered."""
    evidence: Mapping[str, object]
    state: FindingState = FindingState.NEW
    first_seen: str = ""
    """Scan id of the first scan of this stretch that showed it."""
    username: str | None = None
    """Of the account, for the identified files."""
    first_seen_at: datetime | None = None
    """`as_of` of the scan `first_seen`, UTC. The age of a finding is `scan.as_of - first_seen_at`; at least, where that
    was the first scan of the store. None for scans of before this was kept."""
    waiver: str | None = None
    """Id of the waiver that accepts it, in the state `waived`."""

    @property
    def counts(self) -> bool:
        """Whether this is an exception: not `unknown`, not waived, not a thing of the past."""
        return self.verdict == "fail" and self.state not in (
            FindingState.WAIVED,
            FindingState.RESOLVED,
            FindingState.VERIFIED,
        )


@dataclass(frozen=True, slots=True)
class AppOutcome:
    """The share of one application in a rule's result. `app` is None for rules about people or sources."""

    app: str | None
    population: int
    tested: int
    unable: int
    excluded: int
    findings: int
    result: RuleOutcome
    detail: str = ""
    is_read: bool = True
    """Whether the silence of the rule says something: what it does not flag here, it would have flagged otherwise."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule said about one scan. population = tested + unable + excluded."""

    rule: str
    title: str
    severity: Severity
    result: RuleOutcome
    population: int
    tested: int
    unable: int
    excluded: int
    findings: tuple[Finding, ...]
    scope_note: str = ""
    """What `clean` does not cover, for instance systems that are not connected."""
    detail: str = ""
    """Why it is an error or unable to test, and which input would change that."""
    apps: tuple[AppOutcome, ...] = ()
    lead: bool = False
    """A lead is never an exception."""
    is_judged: bool = True
    """False where nothing was asked: the rule failed, or lacked an input."""
    seconds: float = field(default=0.0, compare=False)
    """How long it ran; the only part that another run need not repeat."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of both directions. Keys in the order of the buckets; `total` is the sum of the others."""

    accounts: Mapping[str, int]
    leavers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scan:
    """The envelope of one run over all sources."""

    id: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    complete: bool
    is_baseline: bool
    tool_version: str
    config_sha256: str
    rules_sha256: str = ""
    manifest_sha256: str = ""
    """Of the evidence manifest; empty until `check` has sealed the scan."""
    manifest_number: int = 0
    """Place of that manifest in the chain, from 1; 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class RuleParameter:
    """One parameter of a rule, as declared in its front matter."""

    name: str
    type: str
    """integer, number, text, boolean or list (of text)."""
    default: object
    minimum: float | None = None
    maximum: float | None = None
    source: str = ""
    """Where the default comes from, for the appendix of the report."""
    value: object = None
    """The value in force."""

    @property
    def is_changed(self) -> bool:
        """Whether the configuration set something else than the default."""
        return self.value != self.default


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule must have before `clean` may be said."""

    roster: bool = False
    """Every roster complete."""
    apps: bool = True
    """The application's list complete."""
    fields: tuple[str, ...] = ()
    """Columns of the population that the application must supply."""
    policy: tuple[str, ...] = ()
    """Policy inputs."""
    history: bool = False
    """An earlier scan."""

    @property
    def words(self) -> tuple[str, ...]:
        """Each of them, as commands and documents say it."""
        return (
            *(("complete rosters",) if self.roster else ()),
            *(("complete lists of accounts",) if self.apps else ()),
            *(f"the field {name}" for name in self.fields),
            *(f"the policy input {name}" for name in self.policy),
            *(("an earlier scan",) if self.history else ()),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule file, parsed."""

    id: str
    theme: str
    title: str
    severity: Severity
    population: str
    needs: Needs
    why: str
    remedy: str
    remedy_mode: str
    lead: bool
    personal: tuple[str, ...]
    params: tuple[RuleParameter, ...]
    sql: str
    sha256: str
    """Of the whole file."""
    text: str = ""
    """The whole file, as kept in the evidence."""


@dataclass(frozen=True, slots=True)
class ApplicationFact:
    """What the reports say about an application."""

    app: str
    name: str
    owner: str | None
    data: tuple[str, ...]
    type: str
    profile: str
    coverage: str
    verdict: str | None
    unconnected_reason: str | None
    accounts: int = 0
    active_accounts: int = 0
    has_sign_ins: bool = False
    owner_worker_id: str | None = None
    """The person whose work e-mail the owner is, if exactly one person has it."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A kind of thing that can keep a finding from being raised, counted."""

    kind: str
    entries: int
    previous_entries: int | None


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


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """What the rules said of the known-answer data set."""

    planted: int
    """Violations that must be found."""
    detected: int
    false: int
    """Findings that were not planted."""
    near_misses: int
    """Plants that look like a violation and are none."""
    rules: int
    """Rules that were judged by it."""
    unplanted: tuple[str, ...]
    """Rules that the data set does not speak of."""
    rules_sha256: str
    """Over the files of these rules, with the defaults of their parameters."""
    problems: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether all was found, and nothing else."""
        return not self.problems

    def __str__(self) -> str:
        """Return the result in words."""
        return f"{self.detected} of {self.planted} planted violations detected, {self.false} false"


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
