"""The life of a finding: new, open, reopened, resolved. The store keeps one row per fingerprint."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import msgspec

from scanner.model import AppOutcome, Finding, FindingState, RuleOutcome, RuleResult, Severity

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
}


def live(
    con: duckdb.DuckDBPyConnection, results: Sequence[RuleResult], scan_no: int, *, is_baseline: bool, spool: Path
) -> tuple[tuple[RuleResult, ...], tuple[Finding, ...]]:
    """Give each finding its state and first scan, note it in the store, and return what was resolved too.

    A finding that is no longer raised is resolved only if its rule was really tested for its application: silence of
    an incomplete source proves nothing. `con` has the copy of the store as its main database.
    """
    _read_in(con, results, spool)
    states = {
        fingerprint: (FindingState(state), first_seen)
        for fingerprint, state, first_seen in con.execute(
            """
            select
                n.fingerprint,
                case
                    when f.fingerprint is null then $first_state
                    when f.resolved_scan is not null then 'reopened'
                    else 'open'
                end,
                c.scan_id
            from now_findings n
            left join findings f on f.fingerprint = n.fingerprint
            join scans c on c.scan_no = if(f.fingerprint is null or f.resolved_scan is not null, $scan_no, f.first_scan)
            """,
            {"first_state": "baseline" if is_baseline else "new", "scan_no": scan_no},
        ).fetchall()
    }
    resolved = _resolve(con, scan_no)
    _store(con, scan_no)
    aged = tuple(
        replace(
            result,
            findings=tuple(
                replace(finding, state=states[finding.fingerprint][0], first_seen=states[finding.fingerprint][1])
                for finding in result.findings
            ),
        )
        for result in results
    )
    return aged, resolved


def _read_in(con: duckdb.DuckDBPyConnection, results: Sequence[RuleResult], spool: Path) -> None:
    encoder = msgspec.json.Encoder()
    with spool.open("wb") as out:
        for result in results:
            for finding in result.findings:
                out.write(encoder.encode({name: getattr(finding, name) for name in _COLUMNS}) + b"\n")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _COLUMNS.items())
    con.execute(
        "create or replace temp table now_findings as"
        f" select {', '.join(_COLUMNS)} from read_json($file, format = 'newline_delimited', columns = {{{columns}}})",
        {"file": str(spool)},
    )
    con.execute("create or replace temp table tested (rule varchar, app varchar)")
    rows = [[result.rule, outcome.app] for result in results for outcome in _outcomes(result)]
    if rows:
        con.executemany("insert into tested values (?, ?)", rows)


def _outcomes(result: RuleResult) -> Iterable[AppOutcome]:
    """Yield the parts of a result in which silence means that nothing was found."""
    yield from (outcome for outcome in result.apps if outcome.result in _TESTED)
    if result.result in _TESTED and not any(outcome.app is None for outcome in result.apps):
        yield AppOutcome(None, 0, 0, 0, 0, 0, result.result)


def _resolve(con: duckdb.DuckDBPyConnection, scan_no: int) -> tuple[Finding, ...]:
    rows = con.execute(
        """
        select
            f.fingerprint, f.rule, f.severity, f.verdict, f.app, f.account_id, f.entitlement, f.worker_id, f.subject,
            f.reason, c.scan_id
        from findings f
        join scans c on c.scan_no = f.first_scan
        where f.resolved_scan is null
            and not exists (select 1 from now_findings n where n.fingerprint = f.fingerprint)
            and exists (select 1 from tested t where t.rule = f.rule and t.app is not distinct from f.app)
        order by f.rule, f.app, f.account_id, f.fingerprint
        """
    ).fetchall()
    con.execute(
        """
        update findings
        set resolved_scan = $scan_no
        where resolved_scan is null
            and not exists (select 1 from now_findings n where n.fingerprint = findings.fingerprint)
            and exists (select 1 from tested t where t.rule = findings.rule and t.app is not distinct from findings.app)
        """,
        {"scan_no": scan_no},
    )
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
            state=FindingState.RESOLVED,
            first_seen=row[10],
        )
        for row in rows
    )


def _store(con: duckdb.DuckDBPyConnection, scan_no: int) -> None:
    con.execute(
        """
        insert into findings
        select
            fingerprint, rule, app, account_id, entitlement, worker_id, subject, severity, verdict, reason,
            $scan_no, $scan_no, null, 0
        from now_findings
        on conflict (fingerprint) do update set
            severity = excluded.severity,
            verdict = excluded.verdict,
            reason = excluded.reason,
            first_scan = if(resolved_scan is null, first_scan, excluded.first_scan),
            times_reopened = times_reopened + if(resolved_scan is null, 0, 1),
            last_scan = excluded.last_scan,
            resolved_scan = null
        """,
        {"scan_no": scan_no},
    )
