"""The nouns of a scan. `None` always means "the source did not say", never "no". Imports nothing of ours.

What a rule is stands in `model_rules`, what outlives a scan in `model_history`, a scan as read back in `model_record`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
