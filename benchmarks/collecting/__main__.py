"""Measure the collector against its limit and two libraries: `python -m benchmarks.collecting`, or `--quick`."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.collecting import results
from benchmarks.collecting.terms import Task

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    users: int = 100_000
    many: int = 1_000_000
    page: int = 1000
    latency_ms: int = 200
    applications: int = 50
    runs: int = 3
    small_users: int = 1000
    """Of each of the many applications."""
    small_page: int = 100
    half_page: int = 500


QUICK = Sizes(
    users=2000, many=4000, page=100, latency_ms=20, applications=5, runs=1, small_users=200, small_page=20, half_page=50
)


def main() -> int:
    """Run everything and report; exit 1 if the engines disagree or a list was not proven complete."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collecting", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 users: equality and verdicts, not speed")
    parser.add_argument("--out", default=str(HERE / "results.json"), help="where the report goes")
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    with tempfile.TemporaryDirectory(prefix="orphanscan-bench-") as work:
        runs = list(_runs(sizes, Path(work)))
    report = results.report(runs, sizes)
    print(results.table(report))
    Path(options.out).write_text(json.dumps(report, indent=2) + "\n")
    return 0 if report["equal"] and report["complete"] else 1


def _runs(sizes: Sizes, work: Path) -> Iterator[dict[str, Any]]:
    with _serving(sizes.users, sizes.page, 0, 1) as urls:
        for number in range(sizes.runs):
            for connections in (1, 8):
                yield _run("limit", "limit", Task(urls, sizes.users, sizes.page, connections), work)
            yield _run("orphanscan", "engine_orphanscan", Task(urls, sizes.users, sizes.page, 8), work)
            if number == 0:
                # They take so long that one run of each says enough.
                yield _run("scim2-client", "rival_scim2", Task(urls, sizes.users, sizes.page, 1), work)
                yield _run("dlt", "rival_dlt", Task(urls, sizes.users, sizes.page, 1), work)
    with _serving(sizes.many, sizes.page, 0, 1) as urls:
        yield _run("many users", "engine_orphanscan", Task(urls, sizes.many, sizes.page, 8), work)
    with _serving(sizes.small_users, sizes.small_page, sizes.latency_ms, sizes.applications) as urls:
        yield _run("one of many", "engine_orphanscan", Task(urls[:1], sizes.small_users, sizes.small_page, 8), work)
        yield _run("many applications", "engine_orphanscan", Task(urls, sizes.small_users, sizes.small_page, 8), work)
    for name, size in (("slow", sizes.page), ("slow, half pages", sizes.half_page)):
        with _serving(sizes.users, size, sizes.latency_ms, 1) as urls:
            for connections in (1, 8):
                yield _run(name, "engine_orphanscan", Task(urls, sizes.users, size, connections), work)


@contextmanager
def _serving(users: int, size: int, latency_ms: int, applications: int) -> Iterator[tuple[str, ...]]:
    """Run the server in a process of its own and give its base addresses."""
    arguments = [str(one) for one in (users, size, latency_ms, applications)]
    command = [sys.executable, "-m", "benchmarks.collecting.server", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        lines = iter(server.stdout or ())
        ports = [int(next(lines)) for _ in range(applications)]
        try:
            yield tuple(f"http://127.0.0.1:{port}/scim/v2" for port in ports)
        finally:
            server.communicate()  # closing its standard input ends it


def _run(name: str, module: str, task: Task, work: Path) -> dict[str, Any]:
    """Run an engine in a fresh process."""
    with tempfile.TemporaryDirectory(dir=work) as out:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.collecting.{module}", task.to_json(), out],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{name} failed:\n{done.stderr}")
        measured = json.loads(done.stdout.splitlines()[-1])
        digests = {} if module == "limit" else _digests(Path(out))
    seconds = sum(measured["wall"].values())
    print(f"  {name}, {task.connections} at a time: {seconds:.2f} s, {measured['peak_mb']:.0f} MB", file=sys.stderr)
    asked = {"users": task.users * len(task.urls), "connections": task.connections}
    return {"name": name, **asked, **measured, "digests": digests}


def _digests(out: Path) -> dict[str, list[Any]]:
    """Count what an engine found and hash it without regard to the order of its rows."""
    columns = {
        "accounts": "account_id, username, email, display_name, external_id, employee_number, is_active",
        "grants": "account_id, entitlement",
    }
    with duckdb.connect() as con:
        return {
            name: list(
                con.execute(
                    f"select count(*), coalesce(sum(hash({listed})::hugeint), 0)::varchar from read_parquet($file)",
                    {"file": str(out / f"{name}.parquet")},
                ).fetchone()
                or ()
            )
            for name, listed in columns.items()
        }


if __name__ == "__main__":
    sys.exit(main())
