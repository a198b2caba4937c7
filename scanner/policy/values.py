"""The policy inputs as typed values."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


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
    interactive: bool | None = None
    """Whether people may sign in with it at a screen."""


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
    exact: bool = False
    """Taken literally, not as a glob."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A line of the role policy: who may hold an entitlement. Every text is a glob."""

    app: str
    entitlement: str
    departments: tuple[str, ...] = ("*",)
    job_titles: tuple[str, ...] = ("*",)
    birthright: bool = False
    direct: bool = False


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """Who may hold which entitlement, and where access is given by groups only."""

    allowances: tuple[Allowance, ...] = ()
    groups_only: tuple[str, ...] = ()
    """Globs over ids of applications."""
    separate_admin_accounts: tuple[str, ...] = ()
    """Globs over ids of applications in which privilege belongs on a second account."""


@dataclass(frozen=True, slots=True)
class DutyFunction:
    """An entitlement, or a glob of them, that gives a business function."""

    name: str
    app: str
    entitlement: str


@dataclass(frozen=True, slots=True)
class DutyConflict:
    """Two functions that no one person may hold together."""

    first: str
    second: str
    risk: str
    compensating_control: str | None = None


@dataclass(frozen=True, slots=True)
class DutyConflicts:
    """The matrix of conflicting duties."""

    functions: tuple[DutyFunction, ...] = ()
    conflicts: tuple[DutyConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the applications that match `app` may keep the account of a person who left."""

    app: str
    days: int | None
    """None: as the rule's parameter says."""
    basis: str


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A person whose data must not be erased for now."""

    worker: str
    """Person id, employee number or e-mail."""
    reason: str


@dataclass(frozen=True, slots=True)
class ErasureSchedule:
    """What may be kept of people who left."""

    retentions: tuple[Retention, ...] = ()
    holds: tuple[LegalHold, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """One file that was supplied."""

    name: str
    """links, or a key of `[policy]`."""
    path: str
    sha256: str
    entries: int
    approved_by: str | None = None
    approved_at: datetime | None = None
    needs_approval: bool = False
    """Nothing is judged by it before it is approved."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policy inputs of one scan."""

    links: tuple[Link, ...] = ()
    service_register: tuple[RegisterEntry, ...] = ()
    approved_domains: tuple[ApprovedDomain, ...] = ()
    privileged_entitlements: tuple[PrivilegedEntitlement, ...] = ()
    role_policy: RolePolicy = RolePolicy()
    duty_conflicts: DutyConflicts = DutyConflicts()
    erasure_schedule: ErasureSchedule = ErasureSchedule()
    feeds: tuple[tuple[str, Path], ...] = ()
    """(name, file) of the CSV inputs, which are checked here and loaded by the database."""
    inputs: tuple[PolicyInput, ...] = ()
