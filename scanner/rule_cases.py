"""The cases of each rule: small audit files with the findings that the rule must raise, and no others."""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import ConfigError
from scanner.model import Rule
from scanner.rule_process import Child, RuleError
from scanner.rule_runner import run_in
from scanner.rules import with_params
from scanner.store.audit import FILE, create_audit

_NOT_TABLES = {"name", "as_of", "params", "flagged", "result"}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Whether one case came out as written."""

    rule: str
    case: str
    problem: str = ""
    """Empty: it did."""


def run_cases(rules: Sequence[Rule], folder: Path) -> tuple[CaseResult, ...]:
    """Run the cases `<folder>/<rule-id>.toml` of every rule; a rule without cases is a problem of its own."""
    with Child(memory_mb=4096) as child, tempfile.TemporaryDirectory(prefix="orphanscan-cases-") as workdir:
        # Each case begins with a copy of one empty file: making the tables anew takes longer than the case.
        create_audit(Path(workdir) / FILE)
        return tuple(
            result for rule in rules for result in _run_rule(child, rule, folder / f"{rule.id}.toml", Path(workdir))
        )


def _run_rule(child: Child, rule: Rule, path: Path, workdir: Path) -> Iterator[CaseResult]:
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        yield CaseResult(rule.id, "-", f"there are no cases: {path.name} is missing")
        return
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"cannot read the cases {path}: {exc}") from exc
    for number, case in enumerate(document.get("case", [])):
        # A name of its own: the child holds on to the file that it has open.
        file = workdir / f"{rule.id}-{number}.duckdb"
        shutil.copyfile(workdir / FILE, file)
        yield _run_case(child, rule, case, document.get("as_of", "2026-03-31T00:00:00Z"), file)
        file.unlink()


def _run_case(child: Child, rule: Rule, case: Mapping[str, Any], as_of: str, file: Path) -> CaseResult:
    clock = datetime.fromisoformat(case.get("as_of", as_of)).astimezone(UTC)
    try:
        with duckdb.connect(str(file)) as con:
            _fill(con, case, clock)
        (result,) = run_in(child, file, [with_params(rule, case.get("params", {}))], as_of=clock, max_seconds=30)
    except (duckdb.Error, RuleError, ConfigError) as exc:
        return CaseResult(rule.id, case["name"], " ".join(str(exc).split()))
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
    return CaseResult(rule.id, case["name"])


def _fill(con: duckdb.DuckDBPyConnection, case: Mapping[str, Any], clock: datetime) -> None:
    """Insert the rows of a case; columns that it leaves out take the defaults of audit.sql."""
    naive = clock.replace(tzinfo=None)
    settings = [{"as_of": naive, **entry} for entry in case.get("settings", [{}])]
    apps = case.get("applications") or [{"app": app} for app in sorted({a["app"] for a in case.get("accounts", [])})]
    tables = {name: rows for name, rows in case.items() if name not in _NOT_TABLES}
    for table, rows in {**tables, "settings": settings, "applications": apps}.items():
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            con.execute(f'insert into audit."{table}" ({names}) values ({marks})', list(row.values()))
