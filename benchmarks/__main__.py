"""Compare orphanscan with pandas and Polars on one synthetic company: `python -m benchmarks`, or `--quick`."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks import company, results
from benchmarks.measure import RULES

HERE = Path(__file__).parent
ENGINES = {
    "orphanscan": ("orphanscan", "2000"),
    "orphanscan, 1 GB": ("orphanscan", "1000"),
    "polars": ("polars",),
    "pandas": ("pandas",),
}
QUICK_SCALE = 0.004


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one engine in a fresh process."""

    engine: str
    scale: float
    wall: dict[str, float]
    cpu: dict[str, float]
    peak_mb: float
    counts: dict[str, int]
    digests: dict[str, str]


def main() -> int:
    """Generate, run, compare and report; exit 1 if the engines disagree."""
    options = _options()
    data = Path(options.data)
    scales = [options.scale] if options.quick else [options.scale, options.scale / 10]
    try:
        for scale in scales:
            print(f"a company of {5_000_000 * scale:,.0f} accounts ...", file=sys.stderr)
            company.write(
                data / f"{scale:g}", workers=int(company.WORKERS * scale), accounts=int(company.ACCOUNTS * scale)
            )
        runs = list(_rounds(options, data))
    finally:
        if not options.keep:
            for scale in scales:
                shutil.rmtree(data / f"{scale:g}", ignore_errors=True)
    differences = results.differences([asdict(run) for run in runs])
    report = results.report([asdict(run) for run in runs], options.scale, differences)
    print(results.table(report))
    Path(options.out).write_text(json.dumps(report, indent=2) + "\n")
    return 1 if differences else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 1,000,000 workers and 5,000,000 accounts")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs of each engine; the median counts")
    parser.add_argument("--pandas-runs", type=int, default=1, help="runs of pandas, the slowest")
    parser.add_argument("--quick", action="store_true", help="20,000 accounts, one run: equality, not speed")
    parser.add_argument("--data", default=str(HERE / ".data"), help="folder for the company and the work")
    parser.add_argument("--keep", action="store_true", help="keep the company for the next time")
    parser.add_argument("--out", default=str(HERE / "results.json"), help="where the report goes")
    options = parser.parse_args()
    if options.quick:
        options.scale, options.runs, options.pandas_runs = QUICK_SCALE, 1, 1
    return options


def _rounds(options: argparse.Namespace, data: Path) -> Iterator[Run]:
    for number in range(options.runs):
        for engine in ENGINES:
            if engine != "pandas" or number < options.pandas_runs:
                yield _run(engine, options.scale, data)
        if not options.quick:
            yield _run("orphanscan", options.scale / 10, data)


def _run(engine: str, scale: float, data: Path) -> Run:
    module, *arguments = ENGINES[engine]
    with tempfile.TemporaryDirectory(dir=data) as out:
        command = [sys.executable, "-m", f"benchmarks.engine_{module}", str(data / f"{scale:g}"), out, *arguments]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{engine} failed:\n{done.stderr}")
        measured = json.loads(done.stdout)
        counts, digests = _digest(Path(out))
    total = sum(measured["wall"].values()) - measured["wall"]["load"]
    print(f"  {engine} at scale {scale:g}: {total:.1f} s without load", file=sys.stderr)
    return Run(engine, scale, measured["wall"], measured["cpu"], measured["peak_mb"], counts, digests)


def _digest(out: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Count each result and hash it without regard to the order of its rows."""
    keys = "app, account_id, entitlement, worker_id, verdict, severity"
    columns = {
        "matches": "app, account_id, worker_id, method, confidence, kind",
        "candidates": "app, account_id, worker_id, method",
        "shared": "key_kind, key, workers",
        **dict.fromkeys(RULES, keys),
    }
    counts, digests = {}, {}
    with duckdb.connect() as con:
        for name, listed in columns.items():
            row = con.execute(
                f"select count(*), coalesce(sum(hash({listed})::hugeint), 0)::varchar from read_parquet($file)",
                {"file": str(out / f"{name}.parquet")},
            ).fetchone()
            counts[name], digests[name] = row or (0, "")
        buckets = con.execute(
            "select method || ' ' || confidence, count(*) from read_parquet($file) group by all order by all",
            {"file": str(out / "matches.parquet")},
        ).fetchall()
    return counts | {f"matched: {bucket}": count for bucket, count in buckets}, digests


if __name__ == "__main__":
    sys.exit(main())
