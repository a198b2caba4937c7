"""The policy inputs: small files beside the configuration, read, checked and typed."""

from dataclasses import dataclass
from datetime import datetime


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
