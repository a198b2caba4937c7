"""Runs rules on an audit file and folds what they say into results per application and over all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.model import AppOutcome, Finding, RuleOutcome, RuleResult, Severity
from scanner.model_rules import Rule
from scanner.rule_process import Child, RuleError
from scanner.rules import CONTRACT, arguments, fingerprint

_WORST_FIRST = (RuleOutcome.ERROR, RuleOutcome.EXCEPTIONS, RuleOutcome.UNABLE_TO_TEST, RuleOutcome.CLEAN)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the rules are judged against: the state of the sources and inputs of one audit file."""

    roster_complete: bool
    is_baseline: bool
    verdicts: Mapping[str, str | None]
    """app -> verdict, for connected applications."""
    unconnected: int
    partial_coverage: tuple[str, ...]
    """Connected applications whose list does not show all accounts."""
    policy_inputs: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    """Table or population -> its columns."""
    unapproved: frozenset[str] = frozenset()
    """Policy inputs by which nothing may be judged yet."""


def run(
    audit_file: Path,
    rules: Sequence[Rule],
    *,
    as_of: datetime,
    max_seconds: float,
    memory_mb: int,
    on_result: Callable[[RuleResult], None] = lambda result: None,
) -> tuple[RuleResult, ...]:
    """Run every rule on an audit file; a rule that fails, eats memory or never ends is an `error`, the others go on."""
    with Child(memory_mb) as child:
        return run_in(child, audit_file, rules, as_of=as_of, max_seconds=max_seconds, on_result=on_result)


def run_in(
    child: Child,
    audit_file: Path,
    rules: Sequence[Rule],
    *,
    as_of: datetime,
    max_seconds: float,
    on_result: Callable[[RuleResult], None] = lambda result: None,
) -> tuple[RuleResult, ...]:
    """Run rules as `run` does, in a child process that is there already."""
    with duckdb.connect(str(audit_file), read_only=True) as con:
        frame = read_frame(con, read_columns(con))
    return run_framed(child, audit_file, rules, frame=frame, as_of=as_of, max_seconds=max_seconds, on_result=on_result)


def run_framed(
    child: Child,
    audit_file: Path,
    rules: Sequence[Rule],
    *,
    frame: Frame,
    as_of: datetime,
    max_seconds: float,
    on_result: Callable[[RuleResult], None] = lambda result: None,
) -> tuple[RuleResult, ...]:
    """Run rules as `run_in` does, on an audit file whose frame was read before."""
    clock = as_of.replace(tzinfo=None).isoformat()
    results = []
    for rule in rules:
        began = time.monotonic()
        try:
            result = _judge(child, audit_file, rule, frame, clock, max_seconds)
        except RuleError as exc:
            result = RuleResult(
                rule.id,
                rule.title,
                rule.severity,
                RuleOutcome.ERROR,
                0,
                0,
                0,
                0,
                (),
                detail=str(exc),
                lead=rule.lead,
                is_judged=False,
            )
        results.append(replace(result, seconds=round(time.monotonic() - began, 3)))
        on_result(results[-1])
    return tuple(results)


def read_columns(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """Return table or population -> its columns, of an audit file that is the current database."""
    # For all at once: to list the columns of one population, the database binds all of them.
    found = con.execute(
        "select table_name, list(column_name) from duckdb_columns()"
        " where database_name = current_database() and schema_name = 'audit' group by table_name"
    ).fetchall()
    return {table: frozenset(names) for table, names in found}


def read_frame(con: duckdb.DuckDBPyConnection, columns: Mapping[str, frozenset[str]]) -> Frame:
    """Read the state of sources and policy inputs from an audit file that is the current database."""
    settings = con.execute("select roster_complete, is_baseline from audit.settings").fetchone() or (True, False)
    apps = con.execute("select app, type, verdict, coverage from audit.applications order by app").fetchall()
    policies = con.execute(
        "select p.name, p.needs_approval and not coalesce(p.approved_at <= s.as_of, false)"
        " from audit.policy_inputs p cross join audit.settings s"
    ).fetchall()
    return Frame(
        roster_complete=settings[0],
        is_baseline=settings[1],
        verdicts={app: verdict for app, kind, verdict, _ in apps if kind != "none"},
        unconnected=sum(kind == "none" for _, kind, _, _ in apps),
        partial_coverage=tuple(app for app, kind, _, coverage in apps if kind != "none" and coverage != "all"),
        policy_inputs=frozenset(name for name, _ in policies),
        columns=columns,
        unapproved=frozenset(name for name, is_unapproved in policies if is_unapproved),
    )


def _judge(child: Child, file: Path, rule: Rule, frame: Frame, clock: str, max_seconds: float) -> RuleResult:
    why_not = _untestable(rule, frame)
    deadline = time.monotonic() + max_seconds
    population = _population(child, file, rule, frame.columns.get(rule.population, frozenset()), deadline)
    if why_not:
        parts = [
            AppOutcome(app, total, 0, total - excluded, excluded, 0, RuleOutcome.UNABLE_TO_TEST, why_not, is_read=False)
            for app, (total, excluded, _) in population.items()
        ]
        return _fold(rule, parts, (), frame, why_not)
    findings = _findings(child, file, rule, clock, deadline)
    by_app: dict[str | None, list[Finding]] = {}
    for finding in findings:
        by_app.setdefault(finding.app, []).append(finding)
    parts = [
        _share(rule, app, population.get(app, (0, 0, 0)), by_app.get(app, []), frame)
        for app in sorted({*population, *by_app}, key=lambda app: (app is not None, app or ""))
    ]
    return _fold(rule, parts, findings, frame, "")


def _untestable(rule: Rule, frame: Frame) -> str:
    """Return why the whole rule cannot be tested, or nothing."""
    if rule.needs.roster and not frame.roster_complete:
        return "a roster is not complete, and this rule rests on who is absent from it or has left"
    missing = [name for name in rule.needs.policy if name not in frame.policy_inputs]
    if missing:
        return f"needs the policy input {missing[0]}: name its file as {missing[0]} under [policy] in the configuration"
    unapproved = [name for name in rule.needs.policy if name in frame.unapproved]
    if unapproved:
        return f"the policy input {unapproved[0]} is not approved: its file must say approved_by and approved_on"
    if rule.needs.history and frame.is_baseline:
        return "needs an earlier scan to compare with"
    return ""


def _population(
    child: Child, file: Path, rule: Rule, columns: frozenset[str], deadline: float
) -> dict[str | None, tuple[int, int, int]]:
    """Return app -> (rows, excluded rows, rows that lack a needed field)."""
    app = "app" if "app" in columns else "null::varchar"
    lacks = " or ".join(f'"{field}" is null' for field in rule.needs.fields if field in columns) or "false"
    sql = (
        f"select {app} as app, count(*), count(excluded_because),"  # names come from the checked front matter
        f" count(*) filter (where excluded_because is null and ({lacks}))"
        f' from "{rule.population}" group by 1'
    )
    return {row[0]: (row[1], row[2], row[3]) for _, row in child.ask(file, sql, {}, deadline)}


def _findings(child: Child, file: Path, rule: Rule, clock: str, deadline: float) -> tuple[Finding, ...]:
    values: dict[str, object] = {**arguments(rule)}
    if "$as_of" in rule.sql:
        values["as_of"] = clock
    found: dict[str, Finding] = {}
    for columns, row in child.ask(file, rule.sql, values, deadline):
        missing = [name for name in ("app", "account_id", "reason") if name not in columns]
        if missing:
            raise RuleError(f"its select lacks the column {', '.join(missing)}")
        finding = _finding(rule, dict(zip(columns, row, strict=True)))
        if finding.fingerprint in found:
            raise RuleError(
                f"returned two rows for one subject (app {finding.app}, account {finding.account_id}):"
                " add a subject or entitlement that tells them apart"
            )
        found[finding.fingerprint] = finding
    return tuple(
        sorted(
            found.values(),
            key=lambda f: (f.app or "", f.account_id or "", f.entitlement or "", f.worker_id or "", f.subject or ""),
        )
    )


def _finding(rule: Rule, row: dict[str, Any]) -> Finding:
    severity = Severity(row.get("severity") or rule.severity)
    if rule.severity.rank - severity.rank > 1:
        raise RuleError(f"raised the severity of a row from {rule.severity} to {severity}: one step is the most")
    if not isinstance(row["reason"], str) or not row["reason"]:
        raise RuleError("returned a row without a reason")
    verdict = row.get("verdict") or "fail"
    if verdict not in ("fail", "unknown"):
        raise RuleError(f"returned the verdict {verdict!r}; there are fail and unknown")
    identity = {name: row.get(name) for name in ("app", "account_id", "entitlement", "worker_id", "subject")}
    return Finding(
        fingerprint=fingerprint(rule.id, **identity),
        rule=rule.id,
        severity=severity,
        verdict=verdict,
        reason=row["reason"],
        evidence={name: value for name, value in row.items() if name not in CONTRACT and name != "username"},
        username=row.get("username"),
        app=identity["app"],
        account_id=identity["account_id"],
        entitlement=identity["entitlement"],
        worker_id=identity["worker_id"],
        subject=identity["subject"],
    )


def _share(
    rule: Rule, app: str | None, population: tuple[int, int, int], findings: Sequence[Finding], frame: Frame
) -> AppOutcome:
    """Judge one application's part; population = tested + unable + excluded."""
    total, excluded, lacking = population
    reason = _app_untestable(rule, app, total - excluded, lacking, frame)
    is_read = not reason
    flagged = [finding for finding in findings if finding.verdict == "fail"]
    undecided = len({(f.account_id, f.worker_id, f.subject) for f in findings if f.verdict == "unknown"})
    scope = max(0, total - excluded)
    unable = scope if reason else min(scope, lacking + undecided)
    if flagged and not rule.lead:
        result = RuleOutcome.EXCEPTIONS
    elif reason or undecided:
        result = RuleOutcome.UNABLE_TO_TEST
        reason = reason or f"{undecided} cannot be decided from the data"
    else:
        result = RuleOutcome.CLEAN
    return AppOutcome(app, total, scope - unable, unable, excluded, len(findings), result, reason, is_read)


def _app_untestable(rule: Rule, app: str | None, scope: int, lacking: int, frame: Frame) -> str:
    if app is None and rule.needs.apps:
        # What a person holds in an application that was not read whole is not known.
        incomplete = [name for name, verdict in frame.verdicts.items() if verdict != "complete"]
        if incomplete:
            return f"{incomplete[0]}: {_unread(frame.verdicts[incomplete[0]])}"
    verdict = frame.verdicts.get(app) if app is not None else "complete"
    if rule.needs.apps and verdict not in ("complete", None):
        return _unread(verdict)
    if rule.needs.fields and scope and lacking == scope:
        return f"the application does not supply {', '.join(rule.needs.fields)}{_instead(rule.needs.fields)}"
    return ""


_SUPPLIED_BY = {
    "last_sign_in_at": "the policy input sign_ins can",
    "sign_ins_reported": "the policy input sign_ins can",
    "mfa": "the policy input mfa can",
    "idp_assigned": "the policy input idp_assignments must speak of it",
    "idp_active": "mark the identity provider with identity_provider = true in the configuration",
}
"""Field -> what stands in where the application is silent."""


def _instead(fields: Sequence[str]) -> str:
    found = list(dict.fromkeys(_SUPPLIED_BY[name] for name in fields if name in _SUPPLIED_BY))
    return f"; {', '.join(found)}" if found else ""


def _fold(
    rule: Rule, parts: Sequence[AppOutcome], findings: tuple[Finding, ...], frame: Frame, why_not: str
) -> RuleResult:
    shown = {part.app for part in parts}
    silent = [app for app, verdict in frame.verdicts.items() if verdict not in ("complete", None) and app not in shown]
    results = {part.result for part in parts}
    if why_not or (silent and rule.needs.apps):
        # An application of which nothing was seen has no rows in the population, and must not read as clean.
        results.add(RuleOutcome.UNABLE_TO_TEST)
    reasons = [f"{part.app}: {part.detail}" if part.app else part.detail for part in parts if part.detail]
    reasons += [f"{app}: {_unread(frame.verdicts[app])}" for app in silent if rule.needs.apps and not why_not]
    return RuleResult(
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        result=next((result for result in _WORST_FIRST if result in results), RuleOutcome.CLEAN),
        population=sum(part.population for part in parts),
        tested=sum(part.tested for part in parts),
        unable=sum(part.unable for part in parts),
        excluded=sum(part.excluded for part in parts),
        findings=findings,
        scope_note=_scope_note(rule, frame),
        detail=why_not or "; ".join(reasons),
        apps=tuple(parts),
        lead=rule.lead,
        is_judged=not why_not,
    )


def _unread(verdict: str | None) -> str:
    return "nothing could be read" if verdict == "failed" else f"the list of accounts is not complete ({verdict})"


def _scope_note(rule: Rule, frame: Frame) -> str:
    notes = []
    if rule.needs.apps and frame.partial_coverage:
        notes.append(
            f"speaks of the accounts that the applications list; {', '.join(frame.partial_coverage)} may hold others,"
            " which were not tested"
        )
    if rule.needs.apps and frame.unconnected:
        systems = "1 known system is" if frame.unconnected == 1 else f"{frame.unconnected} known systems are"
        notes.append(f"{systems} not connected and not tested")
    return "; ".join(notes)
