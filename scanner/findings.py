"""The life of a finding: new, open, reopened, waived, resolved, verified. The store keeps what changed in a scan."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

import duckdb
import msgspec

from scanner.model import Finding, FindingState, RuleOutcome, RuleResult, Severity, Source, Verdict
from scanner.model_rules import Rule

SQL = Path(__file__).with_name("findings.sql")
_TESTED = (RuleOutcome.CLEAN, RuleOutcome.EXCEPTIONS)
_COLUMNS = {
    "fingerprint": "varchar",
    "rule": "varchar",
    "app": "varchar",
    "account_id": "varchar",
    "entitlement": "varchar",
    "worker_id": "varchar",
    "subject": "varchar",
    "severity": "varchar",
    "verdict": "varchar",
    "reason": "varchar",
    "waiver": "varchar",
}


@dataclass(frozen=True, slots=True)
class Night:
    """What one scan brings into the life of findings."""

    scan_no: int
    is_baseline: bool
    results: Sequence[RuleResult]
    """Findings that a waiver accepts bear its id."""
    rules: Sequence[Rule]
    sources: Sequence[Source]
    policies: Mapping[str, str]
    """Policy input -> SHA-256."""
    verified: Iterable[str]
    """Fingerprints for which a change was made that this scan shows."""


def live(
    con: duckdb.DuckDBPyConnection, night: Night, spool: Path
) -> tuple[tuple[RuleResult, ...], tuple[Finding, ...]]:
    """Give each finding its state and first scan, note it in the store, and return what was resolved too.

    A finding that is no longer raised is resolved only if its rule was really tested for its application: silence of
    an incomplete source proves nothing. `con` has the copy of the store as its main database.
    """
    _read_in(con, night, spool)
    con.execute(SQL.read_text())
    rows = con.execute(
        """
        select s.fingerprint, s.state, s.state_before, c.scan_id, c.as_of
        from next_states s
        join finding_events e on e.finding_no = s.finding_no and e.valid_to_scan is null
        join scans c on c.scan_no = e.first_scan
        join now_findings n on n.fingerprint = s.fingerprint
        """
    ).fetchall()
    first_state = FindingState.BASELINE if night.is_baseline else FindingState.NEW
    aged = {
        fingerprint: {
            "state": _shown(state, before, first_state),
            "first_seen": scan_id,
            "first_seen_at": as_of.replace(tzinfo=UTC),
        }
        for fingerprint, state, before, scan_id, as_of in rows
    }
    results = tuple(
        replace(result, findings=tuple(replace(one, **aged[one.fingerprint]) for one in result.findings))
        for result in night.results
    )
    return results, _closed(con)


def _shown(state: str, before: str | None, first_state: FindingState) -> FindingState:
    if state == "waived":
        return FindingState.WAIVED
    if before is None:
        return first_state
    # What a waiver no longer accepts fires again, and whoever looks for what changed must see it.
    return FindingState.REOPENED if before in ("resolved", "verified", "waived") else FindingState.OPEN


def _read_in(con: duckdb.DuckDBPyConnection, night: Night, spool: Path) -> None:
    encoder = msgspec.json.Encoder()
    with spool.open("wb") as out:
        for result in night.results:
            for finding in result.findings:
                out.write(encoder.encode({name: getattr(finding, name) for name in _COLUMNS}) + b"\n")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
    con.execute(
        "create or replace temp table now_findings as"
        f" select {', '.join(_COLUMNS)} from read_json($file, format = 'newline_delimited', columns = {{{columns}}})",
        {"file": str(spool)},
    )
    _table(con, "this_scan", {"scan_no": "integer"}, [(night.scan_no,)])
    _table(con, "verified_findings", {"fingerprint": "varchar"}, [(one,) for one in sorted(set(night.verified))])
    needs_apps = {rule.id: rule.needs.apps for rule in night.rules}
    read = [source.id for source in night.sources if source.kind == "application"]
    complete = [source.id for source in night.sources if source.id in read and source.verdict is Verdict.COMPLETE]
    tested = {
        (result.rule, app)
        for result in night.results
        for app in _tested(result, complete if needs_apps.get(result.rule, True) else read)
    }
    _table(con, "tested", {"rule": "varchar", "app": "varchar"}, list(tested))
    _table(
        con,
        "now_rules",
        {"rule": "varchar", "sha256": "varchar", "params": "varchar", "is_lead": "boolean"},
        [(rule.id, rule.sha256, _params(rule, night.policies), rule.lead) for rule in night.rules],
    )


def _table(
    con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Make a temporary table of rows in one statement, however many there are."""
    structure = json.dumps([dict(columns)])
    listed = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
    con.execute(
        f"create or replace temp table {name} as"
        f" select {', '.join(columns)} from (select unnest(from_json($rows, '{structure}'), recursive := true))",
        {"rows": listed},
    )


def _params(rule: Rule, policies: Mapping[str, str]) -> str:
    """Return what a rule judges by, beside its file: parameters, and the policy inputs that it needs."""
    values: dict[str, object] = {param.name: param.value for param in rule.params}
    values |= {f"policy input {name}": policies[name] for name in rule.needs.policy if name in policies}
    return json.dumps(values, sort_keys=True)


def _tested(result: RuleResult, readable: Iterable[str]) -> Iterable[str | None]:
    """Yield the applications in which silence means that nothing was found; None for people and sources.

    An application without a row in the population was tested too, if its list could be read.
    """
    shown = {part.app for part in result.apps}
    yield from (part.app for part in result.apps if part.is_read and result.is_judged)
    if result.is_judged:
        yield from (app for app in readable if app not in shown)
    if result.result in _TESTED and None not in shown:
        yield None


def _closed(con: duckdb.DuckDBPyConnection) -> tuple[Finding, ...]:
    """Return the findings that this scan closed."""
    rows = con.execute(
        """
        select
            f.fingerprint, f.rule, s.severity, s.verdict, f.app, f.account_id, f.entitlement, f.worker_id, f.subject,
            s.reason, s.state, c.scan_id, c.as_of
        from next_states s
        join findings f on f.finding_no = s.finding_no
        join finding_events e on e.finding_no = s.finding_no and e.valid_to_scan is null
        join scans c on c.scan_no = e.first_scan
        where not s.is_same and s.state in ('resolved', 'verified')
        order by f.rule, f.app, f.account_id, f.fingerprint
        """
    ).fetchall()
    return tuple(
        Finding(
            fingerprint=row[0],
            rule=row[1],
            severity=Severity(row[2]),
            verdict=row[3],
            app=row[4],
            account_id=row[5],
            entitlement=row[6],
            worker_id=row[7],
            subject=row[8],
            reason=row[9],
            evidence={},
            state=FindingState(row[10]),
            first_seen=row[11],
            first_seen_at=row[12].replace(tzinfo=UTC),
        )
        for row in rows
    )
