"""The nouns of remediation: what a plan is made of. All values are frozen, and are what the plan file holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from scanner.model import Severity

SCHEMA = "orphanscan.plan/1"


class Kind(StrEnum):
    """What is done to an account."""

    DEACTIVATE = "deactivate"
    REVOKE_SESSIONS = "revoke_sessions"
    REMOVE_GRANT = "remove_grant"
    DELETE = "delete"
    """Only where the application knows no inactive accounts."""
    NOTICE = "notice"
    """A ticket or a message to a person; nothing is sent to the application."""


class Decision(StrEnum):
    """What becomes of an action."""

    AUTOMATIC = "automatic"
    """Applied once the plan is approved, or unattended where the policy opted in."""
    CONFIRMED = "confirmed"
    """As above, because a person chose it by its fingerprint; never unattended."""
    NEEDS_A_PERSON = "needs_a_person"
    WAITING = "waiting"
    """Marked; its grace period is not over."""
    TICKET = "ticket"
    """For people to do: there is nothing that may be sent."""
    NEVER = "never"

    @property
    def is_actionable(self) -> bool:
        """Whether `apply` may send its request."""
        return self in (Decision.AUTOMATIC, Decision.CONFIRMED)


class SafetyClass(StrEnum):
    """How much can go wrong."""

    S0 = "S0"
    """Report only."""
    S1 = "S1"
    """Tells a person."""
    S2 = "S2"
    """Can be undone."""
    S3 = "S3"
    """Can be undone in part, or nobody documents that it can; or it takes a right away."""
    S4 = "S4"
    """Cannot be undone."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a request really does on that vendor's system."""

    effect: str
    """disable, remove, licence, none (there are no inactive accounts), unknown; or grant, sessions, notice."""
    reversible: bool | None
    """None: no document says so."""
    safety: SafetyClass
    sentence: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision rests on, as plain values: a line of the decision table matches or does not."""

    mode: str
    """remedy_mode of the rule: none, notify, deactivate, remove_grant or revoke_sessions."""
    account_kind: str
    """human, service, shared, break_glass, external or unknown."""
    source: str
    """Completeness verdict of the application in the scan."""
    verdict: str = "fail"
    """Of the finding: fail or unknown."""
    is_waived: bool = False
    is_lead: bool = False
    is_active: bool | None = True
    match: str = "certain"
    roster_complete: bool = True
    proven: bool = False
    """HR says that the matched person's work has ended."""
    activity_known: bool = True
    is_own: bool = False
    """Whether the tool's own credential belongs to it."""
    last_admin: bool | None = False
    """None: nobody said which entitlements make an administrator."""
    connection: str = "write"
    """write, read_only (no credential for writing) or none (a file, or not connected)."""
    effect: str = "disable"
    path: str = "direct"
    """Of the grant: direct, group, nested, or none (the finding names no grant that can be removed)."""
    has_sessions_call: bool = False
    second_writer: bool = False
    """Whether a write by anybody but the identity provider is documented to break its synchronisation."""
    came_undone: bool = False
    """Whether an earlier action on this was reverted by somebody else."""
    taken_back: bool = False
    """Whether a person took an earlier change of this back by `undo`."""
    provider_unread: bool = False
    """Whether it rests on the identity provider, and that cannot be asked again before the change."""
    in_grace: bool = False
    irreversible_allowed: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its person, as a scan or a later look showed them. Instants are ISO texts in UTC."""

    app: str
    account_id: str
    username: str | None = None
    email: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    is_active: bool | None = None
    kind: str = "unknown"
    last_sign_in_at: str | None = None
    last_activity_at: str | None = None
    match_method: str = "none"
    match_confidence: str = "none"
    worker_id: str | None = None
    worker_status: str | None = None
    worker_terminated_at: str | None = None
    worker_type: str | None = None
    worker_hired_at: str | None = None
    worker_contract_ends_at: str | None = None
    worker_department: str | None = None
    worker_job_title: str | None = None
    worker_manager_id: str | None = None
    worker_keys: tuple[str, ...] = ()
    """Employee numbers and e-mails of the person: an approver may not be the subject."""
    rights: tuple[str, ...] = ()
    """Entitlements that it holds; a later look sees those only that the account itself lists."""
    version: str | None = None
    """meta.version at the scan, where the application gave one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, exactly as it will be sent; a current If-Match is added where the server gives versions."""

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    alternative: Mapping[str, Any] | None = None
    """The one other body, for a server that refuses the first with 400."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding that asks for an action."""

    fingerprint: str
    rule: str
    severity: Severity
    reason: str


@dataclass(frozen=True, slots=True)
class Action:
    """One change to one account, with why, what it means, and whether it may be made."""

    id: str
    """First 12 hex digits of the SHA-256 of application, account, kind and entitlement."""
    kind: Kind
    app: str
    account_id: str | None
    entitlement: str | None
    causes: tuple[Cause, ...]
    decision: Decision
    reason_code: str
    """The line of the decision table that decided."""
    because: str
    may_confirm: bool
    """Whether `plan --confirm` can turn it into an action."""
    meaning: Meaning
    case: Case
    account: Account | None = None
    request: Request | None = None
    consequences: tuple[str, ...] = ()
    other_admins: tuple[tuple[str, str], ...] = ()
    """(account id, entitlement) of administrators who would remain; one of them must still be there at the time."""
    at_provider: tuple[tuple[str, str], ...] = ()
    """(app, account id) in the identity provider, read over SCIM, that must still be closed: a finding rests on it."""
    acts_from: datetime | None = None
    """End of the grace period."""
    entitlement_name: str | None = None
    """What people call the right that is removed."""
    earlier_run: str | None = None
    """The run whose action on this came undone, or was taken back."""

    @property
    def severity(self) -> Severity:
        """The worst of its findings."""
        return min((cause.severity for cause in self.causes), key=lambda severity: severity.rank)


@dataclass(frozen=True, slots=True)
class Target:
    """An application that a plan is about."""

    app: str
    name: str
    base_url: str | None
    profile: str
    accounts: int
    """In the scan, inactive ones left out: the base of percentages."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One limit, and how much of it a plan would use."""

    limit: str
    """Name of the configuration key that sets it."""
    app: str | None
    used: int
    allowed: int
    sentence: str

    @property
    def is_over(self) -> bool:
        """Whether nothing may be written because of it."""
        return self.used > self.allowed


@dataclass(frozen=True, slots=True)
class Plan:
    """A reviewable list of changes, bound to the evidence of one scan."""

    id: str
    created_at: datetime
    expires_at: datetime
    tool_version: str
    organization: str
    scan_id: str
    scan_as_of: datetime
    scan_complete: bool
    is_baseline: bool
    manifest_sha256: str
    """Of the scan's evidence."""
    policy_sha256: str
    """Of the settings and approvers under which it was made."""
    filters: Mapping[str, tuple[str, ...]]
    confirmed: tuple[str, ...]
    """Fingerprints, or the beginnings of some, that a person decided on."""
    irreversible_allowed: bool
    approvals_needed: int
    targets: tuple[Target, ...]
    actions: tuple[Action, ...]
    budget: tuple[BudgetLine, ...]
    came_undone: tuple[str, ...] = ()
    """Sentences about earlier actions that did not last."""
    schema: str = SCHEMA
    notices: tuple[Mapping[str, str], ...] = field(default_factory=tuple)
    """Whom to tell what while a grace period runs."""

    @property
    def over_budget(self) -> tuple[BudgetLine, ...]:
        """The limits that forbid every write."""
        return tuple(line for line in self.budget if line.is_over)

    @property
    def to_apply(self) -> tuple[Action, ...]:
        """The actions that an approved run sends."""
        return tuple(action for action in self.actions if action.decision.is_actionable)
