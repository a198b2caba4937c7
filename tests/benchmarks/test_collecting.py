"""The benchmark of the collector compares like with like: every engine reads the same list, and ours proves it."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_all_engines_see_the_same_users_and_every_list_is_proven_complete(tmp_path: Path) -> None:
    """2,000 users are equal in orphanscan, scim2-client and dlt, at any speed of the server; goals are not judged."""
    out = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.collecting", "--quick", "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(out.read_text())
    assert report["equal"]
    assert report["complete"]
    assert report["found"] == {"accounts": 2000, "grants": 6000}
    assert report["engines"]["many users (8)"]["users"] == 4000
    assert report["engines"]["many applications (8)"]["users"] == 5 * 200
