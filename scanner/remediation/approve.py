"""Approvals: named people sign the SHA-256 of a plan. Nobody approves a plan of which they are a subject."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from scanner import evidence, keys
from scanner.config_keys import Key, Problems, anything, parse_toml, read_checked, read_table, tables, text
from scanner.errors import ConfigError, RefusedError, StoreError
from scanner.remediation import facts
from scanner.remediation.model import Plan

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who may approve."""

    name: str
    worker: str
    """Person id, employee number or e-mail in HR: to tell whether a plan is about this person."""
    public_key: str
    person: "Person | None" = None
    """As HR knows the approver; None: nobody, or several people, are called so there."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who an approver is in HR."""

    worker_id: str
    status: str
    keys: tuple[str, ...]
    """Employee numbers and e-mails."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One signature."""

    plan_id: str
    plan_sha256: str
    manifest_sha256: str
    approver: str
    key: str
    """Fingerprint of the key."""
    signed_at: str
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What is signed: everything but the signature."""
        return evidence.canonical({name: value for name, value in asdict(self).items() if name != "signature"})


_APPROVER = {
    "name": Key(text, required=True),
    "worker": Key(text, required=True),
    "public_key": Key(text, required=True),
}


def approvers(path: Path | None) -> tuple[Approver, ...]:
    """Read the file of [remediation] approvers; ConfigError with all that is wrong."""
    if path is None:
        raise ConfigError("nobody may approve: name a file of approvers in [remediation] approvers")
    content, _ = read_checked(path)
    problems = Problems(path)
    raw = parse_toml(content, path)
    read_table(raw, {"approver": Key(anything)}, "", problems)
    found = []
    for where, item in tables(raw, "approver", problems):
        values = read_table(item, _APPROVER, where, problems)
        if set(values) == set(_APPROVER):
            found.append(Approver(**values))
            try:
                keys.public(values["public_key"])
            except ValueError as error:
                problems.add(f"{where}.public_key", str(error))
    for name in ("name", "public_key", "worker"):
        seen = [getattr(one, name) for one in found]
        if len(set(seen)) < len(seen):
            problems.add("approver", f"two of them have the same {name}; one person is one approver")
    problems.raise_if_any()
    return tuple(found)


def with_people(known: Sequence[Approver], audit: Path) -> tuple[Approver, ...]:
    """Return approvers with the people that the evidence of a scan knows; StoreError if it cannot be read."""
    workers = facts.workers(audit, [one.worker for one in known])
    return tuple(
        replace(one, person=Person(*found[0]) if len(found := workers[one.worker]) == 1 else None) for one in known
    )


def approve(
    path: Path, plan: Plan, plan_sha256: str, known: Sequence[Approver], key: "Ed25519PrivateKey", now: datetime
) -> Approval:
    """Sign a plan and keep the signature beside it; RefusedError with the reason otherwise."""
    line = keys.public_text(key.public_key())
    approver = next((one for one in known if keys.public_text(keys.public(one.public_key)) == line), None)
    if approver is None:
        print_ = keys.fingerprint(key.public_key())
        raise RefusedError(f"the key {print_} belongs to nobody in the file of approvers")
    if not plan.to_apply:
        raise RefusedError(f"{plan.id} holds nothing to apply")
    subject = subject_among(plan, approver)
    if subject is not None:
        raise RefusedError(f"{approver.name} is a subject of {plan.id} (action {subject}) and may not approve it")
    if (why := _why_not(approver)) is not None:
        raise RefusedError(f"{approver.name} may not approve: {why}")
    kept = read(path)
    if any(one.approver == approver.name and one.plan_sha256 == plan_sha256 for one in kept):
        raise RefusedError(f"{approver.name} has approved {plan.id} already; another approver may add their own")
    unsigned = Approval(
        plan.id,
        plan_sha256,
        plan.manifest_sha256,
        approver.name,
        keys.fingerprint(key.public_key()),
        now.astimezone(UTC).isoformat(timespec="seconds"),
    )
    signed = replace(unsigned, signature=keys.sign(key, unsigned.message))
    evidence.write_file(place_of(path), msgspec.json.format(msgspec.json.encode((*kept, signed)), indent=1))
    return signed


def read(path: Path) -> tuple[Approval, ...]:
    """Return the approvals kept beside a plan, unproven; StoreError if they cannot be read."""
    place = place_of(path)
    try:
        return msgspec.json.decode(place.read_bytes(), type=tuple[Approval, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{place} cannot be read: {error}; remove it and approve again") from None


def place_of(path: Path) -> Path:
    """Return where the approvals of a plan lie."""
    return path.with_suffix(".approvals.json")


def subject_among(plan: Plan, approver: Approver) -> str | None:
    """Return an action whose account belongs to the approver, or None."""
    person = approver.person
    own = {approver.worker, *((person.worker_id, *person.keys) if person else ())}
    own = {name.strip().casefold() for name in own}
    for action in plan.to_apply:
        account = action.account
        if account is None:
            continue
        names = (account.worker_id, *account.worker_keys, account.username, account.email, account.external_id)
        if own & {name.strip().casefold() for name in names if name}:
            return action.id
    return None


def _why_not(approver: Approver) -> str | None:
    """Return why somebody may approve nothing at all."""
    if approver.person is None:
        return (
            f"HR knows nobody, or several people, as {approver.worker!r}, so that it cannot be told whether a plan is"
            " about them; correct `worker` in the file of approvers"
        )
    if approver.person.status in ("terminated", "vanished"):
        return f"HR says {approver.person.status} of them"
    return None


def valid(path: Path, plan: Plan, plan_sha256: str, known: Sequence[Approver]) -> tuple[Approval, ...]:
    """Return the approvals of exactly this plan, by approvers who may, each once; RefusedError if too few."""
    by_name = {one.name: one for one in known}
    found: dict[str, Approval] = {}
    for approval in read(path):
        approver = by_name.get(approval.approver)
        if (
            approver is not None
            and approval.plan_id == plan.id
            and approval.plan_sha256 == plan_sha256
            and approval.manifest_sha256 == plan.manifest_sha256
            and keys.is_signed(keys.public(approver.public_key), approval.signature, approval.message)
            and _why_not(approver) is None
            and subject_among(plan, approver) is None
        ):
            found[approver.name] = approval
    if len(found) < plan.approvals_needed:
        raise RefusedError(
            f"{plan.id} has {len(found)} of {plan.approvals_needed} approvals that hold for it as it is;"
            f" `orphanscan approve {plan.id} --key FILE` adds one"
        )
    return tuple(found.values())
