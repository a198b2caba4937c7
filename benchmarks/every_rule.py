"""The time of every rule on one synthetic company, run as a scan runs it: `python -m benchmarks.every_rule`.

Two sizes, a tenth and the whole: a rule that takes more than ten times longer on the whole grows faster than the data.
"""

import argparse
import json
import shutil
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from multiprocessing import get_context
from pathlib import Path

import duckdb

from benchmarks import company, engine_orphanscan
from benchmarks.measure import AS_OF, Stages, peak_mb
from scanner import rule_runner, rules
from scanner.model import RuleOutcome, RuleResult
from scanner.policy import INPUTS
from scanner.store import audit

HERE = Path(__file__).parent
QUICK_SCALE = 0.004
MEMORY_MB = 4096
TOO_SHORT = 0.5
"""Seconds below which a time says nothing about growth."""


@dataclass(frozen=True, slots=True)
class Run:
    """All rules on one company."""

    scale: float
    results: tuple[RuleResult, ...]
    peak_mb: float
    """Of the process that runs the SQL."""
    parent_mb: float
    """Of the process that holds all findings of all rules, as a scan does."""


def main() -> int:
    """Measure and report; exit 1 if a rule failed, saw nothing, or memory was not enough."""
    options = _options()
    data = Path(options.data)
    scales = [options.scale] if options.quick else [options.scale / 10, options.scale]
    runs = [_run(scale, data, keep=options.keep) for scale in scales]
    print(table(runs))
    Path(options.out).write_text(json.dumps(report(runs), indent=2) + "\n")
    return 1 if any(problem(result) for result in runs[-1].results) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.every_rule", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 1,000,000 workers and 5,000,000 accounts")
    parser.add_argument("--quick", action="store_true", help="20,000 accounts, one size")
    parser.add_argument("--data", default=str(HERE / ".data"), help="folder for the company and the work")
    parser.add_argument("--keep", action="store_true", help="keep the company for the next time")
    parser.add_argument("--out", default=str(HERE / "every_rule.json"), help="where the report goes")
    options = parser.parse_args()
    if options.quick:
        options.scale = QUICK_SCALE
    return options


def _run(scale: float, data: Path, *, keep: bool) -> Run:
    folder, work = data / f"{scale:g}", data / f"{scale:g}-second-scan"
    print(f"a company of {5_000_000 * scale:,.0f} accounts ...", file=sys.stderr)
    try:
        company.write(folder, workers=int(company.WORKERS * scale), accounts=int(company.ACCOUNTS * scale))
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        # In a process of its own, so that what it needs counts for neither peak.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            file = pool.submit(second_scan, folder, work).result()
        peaks = [0.0]

        def tell(result: RuleResult) -> None:
            print(f"  {result.rule}: {result.seconds:.2f} s", file=sys.stderr)
            peaks.extend(peak_mb(child) for child in _children())

        results = rule_runner.run(
            file,
            rules.find(),
            as_of=AS_OF.replace(tzinfo=UTC),
            max_seconds=3600,
            memory_mb=MEMORY_MB,
            on_result=tell,
        )
        return Run(scale, results, max(peaks), peak_mb())
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _children() -> list[str]:
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()


def second_scan(folder: Path, work: Path) -> Path:
    """Make the audit file of a scan with history, feeds and every policy input."""
    engine_orphanscan.fill(folder, work, Stages(), "2000MB")
    file = work / audit.FILE
    with duckdb.connect(str(file), config={"memory_limit": "2000MB", "temp_directory": str(work / "spill")}) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set preserve_insertion_order = false")
        con.execute("use audit")
        con.executemany(
            "insert into policy_inputs (name, entries, approved_by, approved_at) values (?, 1, 'benchmark', ?)",
            [(name, AS_OF) for name in INPUTS],
        )
        con.execute((HERE / "second_scan.sql").read_text())
    return file


def problem(result: RuleResult) -> str:
    """Return why a time proves nothing; empty if it does."""
    if result.result is RuleOutcome.ERROR:
        return result.detail
    if not result.population:
        return "nothing was in its population"
    return "" if result.tested else f"nothing could be tested: {result.detail}"


def growth(runs: list[Run]) -> Mapping[str, float]:
    """Return rule -> how many times longer the whole takes than a tenth, divided by ten; 1 is linear."""
    if len(runs) < 2:
        return {}
    tenth = {result.rule: result.seconds for result in runs[0].results}
    return {
        result.rule: result.seconds / tenth[result.rule] / 10
        for result in runs[1].results
        if result.seconds >= TOO_SHORT and tenth[result.rule] > 0
    }


def report(runs: list[Run]) -> dict[str, object]:
    """Fold the runs to one document."""
    grown = growth(runs)
    return {
        "accounts": int(company.ACCOUNTS * runs[-1].scale),
        "grants": int(company.ACCOUNTS * company.GRANTS_PER_ACCOUNT * runs[-1].scale),
        "memory_limit_mb": MEMORY_MB,
        "peak_mb": round(runs[-1].peak_mb),
        "parent_mb": round(runs[-1].parent_mb),
        "rules": [
            {
                "rule": result.rule,
                "seconds": result.seconds,
                "growth": round(grown[result.rule], 2) if result.rule in grown else None,
                "population": result.population,
                "findings": len(result.findings),
                "result": str(result.result),
                "problem": problem(result),
            }
            for result in runs[-1].results
        ],
    }


def table(runs: list[Run]) -> str:
    """Write the report for people."""
    last, grown = runs[-1], growth(runs)
    lines = [
        f"{company.ACCOUNTS * last.scale:,.0f} accounts; all rules {sum(r.seconds for r in last.results):.1f} s,"
        f" peak {last.peak_mb:,.0f} MB for the SQL, {last.parent_mb:,.0f} MB with all findings",
        f"{'rule':32}{'seconds':>9}{'growth':>8}{'population':>12}{'findings':>10}",
    ]
    for result in sorted(last.results, key=lambda one: -one.seconds):
        factor = f"{grown[result.rule]:.2f}" if result.rule in grown else ""
        told = f"{result.rule:32}{result.seconds:>9.2f}{factor:>8}{result.population:>12,}{len(result.findings):>10,}"
        lines.append(f"{told}   {problem(result)}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
