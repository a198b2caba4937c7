"""The cases of each rule: small audit files with the findings that the rule must raise, and no others."""

import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import ConfigError
from scanner.model import Finding, RuleOutcome
from scanner.model_rules import Rule
from scanner.rule_process import Child, RuleError
from scanner.rule_runner import Frame, read_columns, read_frame, run_framed
from scanner.rules import with_params
from scanner.store.audit import FILE, create_audit

_NOT_TABLES = {"name", "as_of", "params", "flagged", "result"}
Case = Mapping[str, Any]
"""One case of a file, as written."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Whether one case came out as written."""

    rule: str
    case: str
    problem: str = ""
    """Empty: it did."""
    findings: tuple[Finding, ...] = ()


def rows(case: Case) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return table of the audit schema -> the rows that a case puts there."""
    return {name: entries for name, entries in case.items() if name not in _NOT_TABLES}


def read(path: Path) -> tuple[Case, ...]:
    """Return the cases of a file; FileNotFoundError if there is none, ConfigError if it is not TOML."""
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"cannot read the cases {path}: {exc}") from exc
    as_of = document.get("as_of", "2026-03-31T00:00:00Z")
    return tuple({"as_of": as_of, **case} for case in document.get("case", []))


def run_cases(
    rules: Sequence[Rule], folder: Path, choose: Callable[[Sequence[Case]], Sequence[Case]] = lambda cases: cases
) -> tuple[CaseResult, ...]:
    """Run the cases `<folder>/<rule-id>.toml` of every rule, or those that `choose` picks of each file.

    A rule without cases is a problem of its own.
    """
    with (
        Child(memory_mb=4096) as child,
        tempfile.TemporaryDirectory(prefix="orphanscan-cases-") as workdir,
        duckdb.connect() as con,
    ):
        # Each case begins with a copy of one empty file: making the tables anew takes longer than the case. One
        # connection attaches them all in turn: opening one of its own for each takes longer, too.
        create_audit(Path(workdir) / FILE)
        with _attached(con, Path(workdir) / FILE):
            columns = read_columns(con)
        bench = _Bench(child, con, Path(workdir), columns)
        return tuple(result for rule in rules for result in _run_rule(bench, rule, folder / f"{rule.id}.toml", choose))


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the cases share."""

    child: Child
    con: duckdb.DuckDBPyConnection
    workdir: Path
    columns: Mapping[str, frozenset[str]]


def _run_rule(
    bench: _Bench, rule: Rule, path: Path, choose: Callable[[Sequence[Case]], Sequence[Case]]
) -> Iterator[CaseResult]:
    try:
        cases = choose(read(path))
    except FileNotFoundError:
        yield CaseResult(rule.id, "-", f"there are no cases: {path.name} is missing")
        return
    for number, case in enumerate(cases):
        # A name of its own: the child holds on to the file that it has open.
        file = bench.workdir / f"{rule.id}-{number}.duckdb"
        shutil.copyfile(bench.workdir / FILE, file)
        yield _run_case(bench, rule, case, file)
        file.unlink()


def _run_case(bench: _Bench, rule: Rule, case: Case, file: Path) -> CaseResult:
    clock = datetime.fromisoformat(case["as_of"]).astimezone(UTC)
    try:
        frame = _prepare(bench, case, clock, file)
        chosen = [with_params(rule, case.get("params", {}))]
        (result,) = run_framed(bench.child, file, chosen, frame=frame, as_of=clock, max_seconds=30)
    except (duckdb.Error, RuleError, ConfigError) as exc:
        return CaseResult(rule.id, case["name"], " ".join(str(exc).split()))
    if result.result is RuleOutcome.ERROR:
        return CaseResult(rule.id, case["name"], result.detail)
    wanted = [dict(entry) for entry in case.get("flagged", [])]
    for finding in result.findings:
        match = next((w for w in wanted if all(str(getattr(finding, k)) == str(v) for k, v in w.items())), None)
        if match is None:
            return CaseResult(
                rule.id,
                case["name"],
                f"flagged {finding.app}/{finding.account_id} ({finding.verdict}, {finding.severity})",
            )
        wanted.remove(match)
    if wanted:
        return CaseResult(rule.id, case["name"], f"did not flag {wanted[0]}; {result.detail}")
    if "result" in case and case["result"] != result.result:
        return CaseResult(
            rule.id, case["name"], f"the result is {result.result}, not {case['result']}; {result.detail}"
        )
    return CaseResult(rule.id, case["name"], findings=result.findings)


def _prepare(bench: _Bench, case: Case, clock: datetime, file: Path) -> Frame:
    """Fill the audit file of a case and return what its rule is judged against."""
    with _attached(bench.con, file):
        bench.con.execute("begin")
        try:
            _fill(bench.con, case, clock)
            bench.con.execute("commit")
        except duckdb.Error:
            bench.con.execute("rollback")
            raise
        return read_frame(bench.con, bench.columns)


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """Make an audit file the current database of a connection."""
    quoted = str(file).replace("'", "''")
    con.execute(f"attach '{quoted}' as audited; use audited")
    try:
        yield
    finally:
        con.execute("use memory; detach audited")


def _fill(con: duckdb.DuckDBPyConnection, case: Case, clock: datetime) -> None:
    """Insert the rows of a case; columns that it leaves out take the defaults of audit.sql."""
    naive = clock.replace(tzinfo=None)
    settings = [{"as_of": naive, **entry} for entry in case.get("settings", [{}])]
    apps = case.get("applications") or [{"app": app} for app in sorted({a["app"] for a in case.get("accounts", [])})]
    for table, entries in {**rows(case), "settings": settings, "applications": apps}.items():
        for row in entries:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            con.execute(f'insert into audit."{table}" ({names}) values ({marks})', list(row.values()))
