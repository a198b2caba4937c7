"""Makes the plan of the latest scan: evidence checked, facts read, past consulted, file written."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scanner import evidence
from scanner.config import Config
from scanner.errors import RefusedError
from scanner.model import Finding, FindingState, Scan
from scanner.model_record import Record
from scanner.remediation import facts, history, plan_file
from scanner.remediation.model import Plan
from scanner.remediation.plan import Asked, Past, build
from scanner.store import scans, state, volatile


@dataclass(frozen=True, slots=True)
class Basis:
    """A scan with all that plans of it are made from; several plans may be made from one, for `--what-if`."""

    record: Record
    facts: facts.Facts
    past: Past


def basis(config: Config, scan: Scan, folder: Path, record: Record, before: datetime | None = None) -> Basis:
    """Check the evidence of the latest scan and gather what plans need; RefusedError for an older scan.

    Args:
        config: the configuration.
        scan: the latest one.
        folder: where it lies.
        record: what its rules said.
        before: runs that began later are left out; None: all count.
    """
    latest = scans.stored(config.state)[-1]
    if scan.id != latest.id:
        raise RefusedError(f"{scan.id} is not the latest scan ({latest.id} is): accounts may have changed since")
    evidence.check_sealed(folder, scan.manifest_sha256, "audit/")
    findings = [finding for result in record.results for finding in result.findings]
    wanted = {(f.app, f.account_id) for f in findings if f.app is not None and f.account_id is not None}
    audit = folder / "evidence" / "audit"
    runs = [run for run in history.runs(config.state) if before is None or run.began_at < before]
    done = history.done(runs)
    undone = history.came_undone(history.verified(done, audit, scan.id))
    return Basis(
        record,
        facts.read(audit, wanted),
        Past(
            came_undone={fact.action: fact.run for fact in undone},
            taken_back={fact.action: fact.run for fact in history.taken_back(done)},
            sentences=tuple(history.sentence(fact) for fact in undone),
            versions=volatile.versions(config.state, wanted),
            marked_at=_marks(config, findings),
        ),
    )


def with_accepted(record: Record, fingerprints: Collection[str]) -> Record:
    """Return the record with these findings in the state `waived`."""
    if not fingerprints:
        return record
    results = tuple(
        replace(
            result,
            findings=tuple(
                replace(one, state=FindingState.WAIVED) if one.fingerprint in fingerprints else one
                for one in result.findings
            ),
        )
        for result in record.results
    )
    return replace(record, results=results)


def _marks(config: Config, findings: list[Finding]) -> dict[str, datetime]:
    """Return the marks that still count: a finding that went away and came back is marked anew."""
    since = {f.fingerprint: f.first_seen_at for f in findings if f.first_seen_at is not None}
    return {one: at for one, at in plan_file.marks(config.state).items() if at >= since.get(one, at)}


def make(
    config: Config, found: Basis, asked: Asked, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Plan:
    """Return a plan, without writing it."""
    made = build(found.record, found.facts, config, asked, found.past, now=now().replace(microsecond=0))
    return replace(made, policy_sha256=plan_file.policy_sha256(config))


def keep(config: Config, found: Basis, plan: Plan) -> Path:
    """Write a plan, and the marks that its grace periods begin with, under the lock of the state folder."""
    with state.writing(config.state, "plan"):
        raised = frozenset(f.fingerprint for result in found.record.results for f in result.findings)
        plan_file.remember_marks(config.state, plan, found.past.marked_at, raised)
        return plan_file.write(config.state, plan)
