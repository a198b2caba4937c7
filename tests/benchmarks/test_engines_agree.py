"""The benchmark compares like with like: all engines give the same matches and findings."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_all_engines_give_the_same_results(tmp_path: Path) -> None:
    """Matches, candidates, shared keys and findings are equal in orphanscan, Polars and pandas at 20,000 accounts."""
    out = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--data", str(tmp_path), "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(out.read_text())
    assert report["equal"]
    assert set(report["engines"]) == {"orphanscan", "orphanscan, 1 GB", "polars", "pandas"}
    # Equal and empty would prove nothing: every tier and every rule has something to say.
    assert all(count > 0 for count in report["results"].values())
    tiers = {name.split()[1] for name in report["results"] if name.startswith("matched: ")}
    assert tiers == {"link", "employee_number", "external_id", "email", "email_alias", "username", "name", "none"}
