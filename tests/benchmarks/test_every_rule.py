"""The benchmark of the rules gives every rule something to do."""

import json
import subprocess
import sys
from pathlib import Path

from scanner import rules

ROOT = Path(__file__).parents[2]


def test_every_rule_is_timed_on_a_population_that_it_can_test(tmp_path: Path) -> None:
    """A time over nothing would prove nothing; both processes stay far within their 4 GB at 20,000 accounts."""
    out = tmp_path / "rules.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.every_rule", "--quick", "--data", str(tmp_path), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(out.read_text())
    assert {row["rule"] for row in report["rules"]} == {rule.id for rule in rules.find()}
    assert all(row["seconds"] > 0 and row["population"] > 0 and not row["problem"] for row in report["rules"])
    assert 0 < report["peak_mb"] < 1024
    assert 0 < report["parent_mb"] < 1024
    assert all(f"{row['rule']:32}" in done.stdout for row in report["rules"])
