"""What else happens when an account or a right goes: sentences for the person who approves."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.remediation.model import Account, Kind


@dataclass(frozen=True, slots=True)
class Standing:
    """What hangs on an account."""

    grants: Mapping[str, tuple[str, bool | None]]
    alone_in: int
    owned: int
    other_admins: int | None
    """Administrators who would remain; None: it is none."""


def consequences(kind: Kind, account: Account, standing: Standing) -> tuple[str, ...]:
    """Return the consequences that the evidence shows."""
    said = []
    if kind in (Kind.DEACTIVATE, Kind.DELETE):
        if standing.grants:
            privileged = sum(bool(is_privileged) for _, is_privileged in standing.grants.values())
            said.append(f"It holds {_many(len(standing.grants), 'right')}, {privileged} of them privileged.")
        if standing.alone_in:
            said.append(f"It is the only active member of {_many(standing.alone_in, 'group')}.")
        if standing.owned:
            said.append(f"Its person answers for {_many(standing.owned, 'machine account')}: name another owner.")
        if account.external_id:
            said.append("Another system provisions it (externalId) and may switch it on again: change it there too.")
    if standing.other_admins is not None and kind is not Kind.REVOKE_SESSIONS:
        said.append(f"It is an administrator; {_many(standing.other_admins, 'other')} would remain.")
    if account.last_sign_in_at:
        said.append(f"Last sign-in: {account.last_sign_in_at}.")
    return tuple(said)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
