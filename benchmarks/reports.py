"""Reports of many findings: time and memory of `orphanscan report`, as people run it: `python -m benchmarks.reports`.

Every finding in print, as volumes, against one WeasyPrint document of the same content; and the usual report, which
prints a few of each rule and embeds the rest. Each run is a process of its own on a stored scan; memory is that of all
its processes at one time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scanner import rules

HERE = Path(__file__).parent
AS_OF = datetime(2026, 6, 30, 4, tzinfo=UTC)
RULES = ("leaver-still-active", "orphaned-account")
"""Each account breaks one: every other belongs to somebody who left, the rest to nobody."""
APPLICATIONS = 4
FULL_TIME, FULL_MEMORY = 0.5, 0.2
CAPPED_SECONDS, CAPPED_MB = 30, 500
SETTINGS = """
[organization]
name = "Acme"
timezone = "UTC"
email_domains = ["acme.example"]

[[roster]]
id = "hr"
path = "hr.csv"

[rules]
disable = {off}

[report]
frameworks = ["sox"]
formats = ["md"]
memory_mb = 16000
max_seconds = 7200
rows_per_rule = {rows}
"""
APPLICATION = """
[[application]]
id = "{id}"
name = "Application {number}"
type = "scim_file"
path = "{id}.json"
coverage = "all"
data = ["financial"]
attributes = {{last_sign_in_at = "urn:acme:1.0:User:lastLogin"}}
"""
ONE_DOCUMENT = "one.toml"


@dataclass(frozen=True, slots=True)
class Run:
    """What one command cost."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    """Of all its processes together, at the worst moment."""
    largest_mb: float
    """Of its largest process."""
    files: int
    pages: int


def company(folder: Path, findings: int) -> None:
    """Write an invented company in which the rules find so many findings."""
    off = json.dumps([rule.id for rule in rules.find() if rule.id not in RULES])
    apps = "".join(APPLICATION.format(id=f"app{n}", number=n) for n in range(APPLICATIONS))
    people = ["employee_number,full_name,email,status,termination_date"]
    users: list[list[dict[str, Any]]] = [[] for _ in range(APPLICATIONS)]
    for n in range(findings):
        if n % 2:
            people.append(f"E{n:06},Person {n},user{n}@acme.example,terminated,{_day(200 + n % 150)}")
        users[n % APPLICATIONS].append(
            {
                "id": f"{n:08x}-{n * 2654435761 % 2**32:08x}",
                "userName": f"user{n}@acme.example",
                "externalId": f"E{n:06}",
                "active": True,
                "displayName": f"Person {n}",
                "emails": [{"value": f"user{n}@acme.example", "primary": True}],
                "urn:acme:1.0:User": {"lastLogin": f"{_day(370 + n % 300)}T08:00:00Z"},
            }
        )
    files = {
        "orphanscan.toml": SETTINGS.format(off=off, rows=50) + apps,
        ONE_DOCUMENT: SETTINGS.format(off=off, rows=findings) + apps,
        "hr.csv": "\n".join(people) + "\n",
    } | {f"app{n}.json": json.dumps({"totalResults": len(held), "Resources": held}) for n, held in enumerate(users)}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def _day(before: int) -> str:
    return f"{AS_OF - timedelta(days=before):%Y-%m-%d}"


def scan(folder: Path) -> int:
    """Scan the company; returns how many findings the scan has."""
    done = subprocess.run(
        _command(folder, "scan", "--as-of", f"{AS_OF:%Y-%m-%dT%H:%M:%SZ}"), capture_output=True, text=True
    )
    if done.returncode != 1:
        raise SystemExit(f"the scan ended with {done.returncode}:\n{done.stderr}")
    found = json.loads((Path(done.stdout.strip()) / "findings.json").read_bytes())
    return len(found["findings"])


def report(folder: Path, *options: str) -> Run:
    """Write the PDF of SOX of the stored scan, and measure it."""
    run = measured(_command(folder, "report", "--framework", "sox", "--format", "pdf", *options))
    [reports] = (folder / "orphanscan-state" / "scans").glob("*/reports")
    from pypdf import PdfReader

    made = list(reports.glob("*.pdf"))
    pages = sum(len(PdfReader(path).pages) for path in made)
    for path in made:
        path.unlink()
    return Run(*run, files=len(made), pages=pages)


def _command(folder: Path, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "scanner",
        *words,
        "--state",
        str(folder / "orphanscan-state"),
        *_config(folder, words),
    ]


def _config(folder: Path, words: tuple[str, ...]) -> list[str]:
    return [] if "-c" in words else ["-c", str(folder / "orphanscan.toml")]


def measured(command: list[str]) -> tuple[float, float, float, float]:
    """Run a command; returns seconds, CPU seconds, and the peak of all its processes and of its largest one in MB."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peaks, over = [0.0, 0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            held = [_resident_mb(pid) for pid in _family(process.pid)]
            peaks[0] = max(peaks[0], sum(held))
            peaks[1] = max([peaks[1], *held])

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, told = process.communicate()
    over.set()
    watcher.join()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{told.decode()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, peaks[0], peaks[1]


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    try:
        children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return
    for child in {int(one) for held in children for one in held}:
        yield from _family(child)


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1024**2
    except (OSError, IndexError):
        return 0.0


def measure(full: int, capped: int) -> dict[str, Any]:
    """Run both comparisons; a size of 0 leaves one out."""
    told: dict[str, Any] = {"machine": {"cpus": os.cpu_count()}, "runs": {}, "goals": {}}
    for size in sorted({full, capped} - {0}):
        with tempfile.TemporaryDirectory(prefix="orphanscan-reports-") as made:
            folder = Path(made)
            company(folder, size)
            _say(f"{scan(folder):,} findings scanned")
            if size == full:
                volumes = _told(told, f"{size:,} findings in volumes", report(folder, "--full"))
                one = _told(
                    told, f"{size:,} findings in one document", report(folder, "-c", str(folder / ONE_DOCUMENT))
                )
                _goal(told, "volumes: part of the time of one document", volumes.seconds / one.seconds, FULL_TIME)
                _goal(told, "volumes: part of its memory, all processes", volumes.peak_mb / one.peak_mb, FULL_MEMORY)
                largest = volumes.largest_mb / one.largest_mb
                _goal(told, "volumes: part of its memory, largest process", largest, FULL_MEMORY)
            if size == capped:
                usual = _told(told, f"{size:,} findings, capped", report(folder))
                _goal(told, "capped: seconds", usual.seconds, CAPPED_SECONDS)
                _goal(told, "capped: MB of the largest process", usual.largest_mb, CAPPED_MB)
    told["machine"]["load_at_the_end"] = round(os.getloadavg()[0], 1)
    return told


def _told(told: dict[str, Any], name: str, run: Run) -> Run:
    told["runs"][name] = {
        "seconds": round(run.seconds, 1),
        "cpu_seconds": round(run.cpu_seconds, 1),
        "peak_mb": round(run.peak_mb),
        "largest_process_mb": round(run.largest_mb),
        "files": run.files,
        "pages": run.pages,
    }
    _say(f"{name}: {told['runs'][name]}")
    return run


def _goal(told: dict[str, Any], name: str, value: float, goal: float) -> None:
    told["goals"][name] = {"goal": f"<= {goal:g}", "value": round(value, 2), "met": value <= goal}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print, and keep the results; exit 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--full", type=int, default=10_000, help="findings printed in full; 0 leaves this out")
    parser.add_argument("--capped", type=int, default=100_000, help="findings of the capped report; 0 leaves this out")
    parser.add_argument("--out", default=str(HERE / "reports.json"), help="where the results go")
    options = parser.parse_args()
    told = measure(options.full, options.capped)
    print(json.dumps(told, indent=2))
    Path(options.out).write_text(json.dumps(told, indent=2) + "\n")
    return 0 if all(goal["met"] for goal in told["goals"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
