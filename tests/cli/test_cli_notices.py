"""Notices as a scheduler sees them: what `scan` says and sends, and that no notice changes its exit code."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_runs import run

sys.path += [str(Path(__file__).parents[1] / "notices")]

from listeners import Http, http  # found by the line above

STARTER = Path(__file__).parents[2] / "sample_data" / "starter"
RECEIVERS = """
[report]
formats = ["html"]
frameworks = ["sox"]
[[notify]]
id = "hook"
type = "webhook"
url = { env = "HOOK_URL" }
secret = { env = "HOOK_KEY" }
include_existing = true
[[notify]]
id = "chat"
type = "slack"
url = { env = "NOT_SET" }
[[notify]]
id = "beat"
type = "heartbeat"
url = { env = "HOOK_URL" }
"""
KEY = "QUJD" * 11


@pytest.fixture
def listener() -> Iterator[Http]:
    """Run an HTTP server that keeps what it is sent."""
    with http() as server:
        yield server


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return a folder with the starter and receivers."""
    folder = tmp_path / "company"
    shutil.copytree(STARTER, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    with (folder / "orphanscan.toml").open("a") as file:
        file.write(RECEIVERS)
    return folder


def test_a_scan_sends_its_notices_and_says_which_failed(company: Path, listener: Http) -> None:
    """The exit code is that of the findings; the scan is named by its number and the hash of its evidence."""
    done = run(company, "scan", "--json", HOOK_URL=listener.url, HOOK_KEY=KEY)

    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    failed = {one["receiver"]: one["failed"] for one in summary["notices"]}
    assert failed == {"hook": False, "chat": True, "beat": False}
    assert "notice to chat: not delivered: the secret in env 'NOT_SET' is not set" in done.stderr
    (hook,) = listener.posts
    manifest = json.loads((Path(summary["dir"]) / "reports" / "manifest.json").read_text())
    assert hook.json["scan"]["manifest_sha256"] in json.dumps(manifest)
    assert hook.json["scan"]["number"] == 1
    assert {change["kind"] for change in hook.json["changes"]} == {"existing"}
    assert [one.path for one in listener.requests if one.method == "GET"] == ["/"]


def test_a_scan_that_could_not_run_is_told_to_the_heartbeat(company: Path, listener: Http) -> None:
    """Another one holds the lock: exit 6, the failure is told, and nothing else."""
    from scanner.store.state import writing

    with writing(company / "orphanscan-state", "scan"):
        done = run(company, "scan", HOOK_URL=listener.url, HOOK_KEY=KEY)

    assert done.returncode == 6
    assert "notice to beat: told that the scan failed" in done.stderr
    assert [(one.method, one.path) for one in listener.requests] == [("GET", "/fail")]
