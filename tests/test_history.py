"""What several scans know together: people who leave, vanish and return; accounts that are closed, late or in time."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from in_process import orphanscan

STARTER = Path(__file__).parent.parent / "sample_data" / "starter"


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return the starter company, whose roster may lose a few of its twelve people."""
    folder = tmp_path / "company"
    shutil.copytree(STARTER, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    config = folder / "orphanscan.toml"
    text = config.read_text().replace('path = "hr.csv"', 'path = "hr.csv"\nmax_shrink_percent = 50', 1)
    config.write_text(text + '\n[report]\nformats = ["html"]\nframeworks = ["sox"]\n')
    return folder


def scan(folder: Path, as_of: str) -> dict[str, Any]:
    """Scan at an instant and return findings.json, with the folder of the scan."""
    done = orphanscan(folder, "scan", "--json", "--as-of", as_of)
    assert done.returncode in (0, 1, 3), done.stderr
    place = Path(json.loads(done.stdout)["dir"])
    return {**json.loads((place / "findings.json").read_text()), "folder": place}


def roster(folder: Path, change: dict[str, str | None]) -> None:
    """Replace lines of the roster by employee number; None takes the person out."""
    lines = (STARTER / "hr.csv").read_text().splitlines()
    kept = [change.get(line.split(",")[0], line) for line in lines]
    (folder / "hr.csv").write_text("\n".join(line for line in kept if line is not None) + "\n")


def deactivate(folder: Path, *usernames: str) -> None:
    """Close accounts in the application's export."""
    document = json.loads((STARTER / "users.json").read_text())
    for resource in document["Resources"]:
        if resource.get("userName") in usernames:
            resource["active"] = False
    (folder / "users.json").write_text(json.dumps(document))


def found(document: dict[str, Any], rule: str, username: str) -> list[tuple[str, str]]:
    """Return (verdict, state) of the findings of a rule about an account."""
    return [
        (finding["verdict"], finding["state"])
        for finding in document["findings"]
        if finding["rule"] == rule and finding["username"] in (username, None)
    ]


def test_a_person_who_vanishes_is_unknown_then_a_failure_and_resolved_on_return(company: Path) -> None:
    """Absence from a complete roster is told apart from a termination."""
    assert not found(scan(company, "2026-03-01T06:00:00Z"), "leaver-still-active", "lars.odegaard")
    roster(company, {"0012": None})

    first = scan(company, "2026-03-02T06:00:00Z")
    assert found(first, "leaver-still-active", "lars.odegaard") == [("unknown", "new")]
    assert not found(first, "orphaned-account", "lars.odegaard")
    assert first["ledger"]["accounts"]["matched_vanished"] == 1

    assert ("fail", "open") in found(scan(company, "2026-03-20T06:00:00Z"), "leaver-still-active", "lars.odegaard")

    roster(company, {})
    back = scan(company, "2026-03-21T06:00:00Z")
    assert ("fail", "resolved") in found(back, "leaver-still-active", "lars.odegaard")
    assert back["ledger"]["accounts"]["matched_vanished"] == 0


def test_history_tells_a_late_closing_from_one_in_time(company: Path) -> None:
    """The interval between two scans bounds the deactivation."""
    scan(company, "2026-03-01T06:00:00Z")
    left = {
        number: line.replace(",active,", ",terminated,").replace(",,,", ",2026-03-01,,", 1)
        for line in (STARTER / "hr.csv").read_text().splitlines()
        for number in [line.split(",")[0]]
        if number in ("0010", "0012")
    }
    roster(company, left)
    deactivate(company, "jonas.weiss")
    early = scan(company, "2026-03-02T06:00:00Z")
    assert not found(early, "leaver-still-active", "lars.odegaard"), "within the day allowed"
    before = early["ledger"]["leavers"]

    scan(company, "2026-03-10T06:00:00Z")
    deactivate(company, "jonas.weiss", "lars.odegaard")
    late = scan(company, "2026-03-11T06:00:00Z")

    after = late["ledger"]["leavers"]
    assert after["closed_in_time"] == before["closed_in_time"] == 1
    assert (before["closed_late"], before["not_due"]) == (0, 1)
    assert (after["closed_late"], after["not_due"]) == (1, 0)
    recorded = duckdb.sql(
        f"select max(termination_recorded_at)::varchar from '{late['folder']}/evidence/audit/workers.parquet'"
        " where worker_id = 'hr:0012'"
    ).fetchall()
    assert recorded == [("2026-03-02 06:00:00",)]


def test_an_unchanged_company_adds_no_versions_and_evidence_is_chained(company: Path) -> None:
    """A nightly scan of the same data costs next to nothing; each manifest names the one before."""
    first = scan(company, "2026-03-01T06:00:00Z")
    second = scan(company, "2026-03-02T06:00:00Z")

    with duckdb.connect(str(company / "orphanscan-state" / "store.duckdb"), read_only=True) as con:
        for table in ("worker_versions", "account_versions", "entitlement_versions", "grant_versions"):
            assert con.execute(f"select max(valid_from_scan), count(valid_to_scan) from {table}").fetchone() == (1, 0)
        sealed = [row[0] for row in con.execute("select manifest_sha256 from scans order by scan_no").fetchall()]
    manifest = json.loads((second["folder"] / "evidence" / "manifest.json").read_text())
    assert manifest["previous_manifest_sha256"] == sealed[0]
    assert first["folder"] != second["folder"]


def test_silence_of_an_incomplete_application_resolves_nothing(company: Path) -> None:
    """Rows that an application fails to show are neither gone nor closed."""
    scan(company, "2026-03-01T06:00:00Z")
    document = json.loads((STARTER / "users.json").read_text())
    document["Resources"] = [r for r in document["Resources"] if r.get("userName") != "dmitri.volkov"]
    (company / "users.json").write_text(json.dumps(document))

    short = scan(company, "2026-03-02T06:00:00Z")

    assert short["scan"]["complete"] is False
    assert not [finding for finding in short["findings"] if finding["state"] == "resolved"]
    with duckdb.connect(str(company / "orphanscan-state" / "store.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from account_versions where ended_by = 'absent'").fetchone() == (0,)
