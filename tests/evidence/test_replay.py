"""`replay` finds the same again from the bundle alone, or says exactly what differs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from sealed_company import Company, orphanscan

from scanner.evidence import manifest
from scanner.evidence.files import canonical
from scanner.evidence.replay import replay, replay_sha256
from scanner.paths import bundled

ROOT = Path(__file__).parents[2]
LIMITS = {"max_seconds": 60, "memory_mb": 4096}


def seal_again(bundle: Path) -> None:
    """Write the manifest anew over what lies there, as somebody would who wants a change to pass."""
    document = json.loads((bundle / manifest.MANIFEST).read_bytes())
    document["files"] = manifest.listing(bundle)
    (bundle / manifest.MANIFEST).write_bytes(canonical(document))


def test_a_bundle_copied_elsewhere_replays_to_the_same_findings_without_secrets_or_state(
    company: Company, tmp_path: Path
) -> None:
    """In a process with an empty environment, in a folder whose name DuckDB would read as a pattern."""
    place = tmp_path / "a [copy] of *"
    shutil.copytree(company.bundle, place)
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "replay", str(place), "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert told["same"] is told["as_sealed"] is True
    assert told["recorded_sha256"] == told["replayed_sha256"]
    assert told["findings"] == 3
    assert told["rules"] == 6
    assert told["known_answers"]["problems"] == []


def test_the_replay_hash_is_what_the_design_says(company: Company) -> None:
    """SHA-256 of the canonical sorted list of [fingerprint, verdict, severity, reason, evidence]."""
    import hashlib

    results = json.loads((company.bundle / "results.json").read_bytes())["results"]
    rows = sorted(
        [one["fingerprint"], one["verdict"], one["severity"], one["reason"], one["evidence"]]
        for result in results
        for one in result["findings"]
    )

    assert hashlib.sha256(canonical(rows)).hexdigest() == manifest.read(company.bundle).replay_sha256
    assert replay_sha256(()) == hashlib.sha256(b"[]").hexdigest()


def test_a_change_of_the_data_shows_in_the_findings_though_the_manifest_was_written_anew(bundle: Path) -> None:
    """An orphan that was made to disappear from the accounts is missed, and named."""
    path = bundle / "audit" / "accounts.parquet"
    results = json.loads((bundle / "results.json").read_bytes())["results"]
    orphan = next(one for result in results if result["rule"] == "orphaned-account" for one in result["findings"])
    with duckdb.connect() as con:
        con.execute(
            f"create table kept as from read_parquet('{path}') where account_id <> $id", {"id": orphan["account_id"]}
        )
        con.execute(f"copy kept to '{path}' (format parquet)")
    seal_again(bundle)
    found = replay(bundle, **LIMITS)

    assert not found.is_same
    gone = [one for one in found.differences if one.field == "finding" and one.rule == "orphaned-account"]
    assert [(one.fingerprint, one.was, one.now) for one in gone] == [(orphan["fingerprint"], "there", "not there")]
    assert any((one.rule, one.field) == ("orphaned-account", "tested") for one in found.differences)


def test_a_changed_rule_shows_rule_fingerprint_and_field(bundle: Path) -> None:
    """With what it was and what it is; exit code 1."""
    path = bundle / "rules" / "identity" / "orphaned-account.sql"
    path.write_text(path.read_text().replace("'critical', 'high') as severity", "'medium', 'medium') as severity"))
    code, told = orphanscan("replay", bundle, "--json", "--no-self-test")
    document = json.loads(told)

    assert code == 1
    assert document["same"] is False
    assert document["as_sealed"] is False
    changes = {(one["rule"], one["field"], one["was"], one["is"]) for one in document["differences"]}
    assert ("orphaned-account", "severity", "critical", "medium") in changes
    assert all(rule == "orphaned-account" for rule, *_ in changes)


def test_other_rules_can_be_tried_with_the_parameters_of_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Only they run; the rest of the bundle is named as not run. The same rule gives the same."""
    folder = tmp_path / "mine" / "identity"
    folder.mkdir(parents=True)
    rule = shutil.copy(bundled("rules") / "identity" / "orphaned-account.sql", folder)
    code, told = orphanscan("replay", bundle, "--rules", tmp_path / "mine", "--no-self-test")

    assert code == 0, told
    assert "1 rules ran again and returned 1 findings" in told
    assert "not run: dormant-account" in told

    text = Path(rule).read_text()
    Path(rule).write_text(text.replace("in no register.'", "nowhere.'"))
    assert orphanscan("replay", bundle, "--rules", tmp_path / "mine", "--no-self-test")[0] == 1


@pytest.mark.parametrize("lost", ["audit/accounts.parquet", "parameters.json", "results.json", "manifest.json"])
def test_half_a_bundle_is_an_error_that_names_what_is_missing(bundle: Path, lost: str) -> None:
    """Never the same, and never a traceback."""
    (bundle / lost).unlink()
    code, told = orphanscan("replay", bundle, "--no-self-test")

    assert code == 6
    assert lost.rpartition("/")[2] in told
    assert "Traceback" not in told


def test_a_bundle_with_links_is_not_opened(bundle: Path) -> None:
    """They might lead to files of whoever replays it."""
    (bundle / "audit" / "accounts.parquet").unlink()
    (bundle / "audit" / "accounts.parquet").symlink_to("/etc/passwd")
    code, told = orphanscan("replay", bundle, "--no-self-test")

    assert code == 6
    assert "links" in told


def test_a_bundle_of_an_older_schema_replays_with_the_tables_that_it_had(bundle: Path) -> None:
    """A table that came later stays empty, a rule file of then runs as it is."""
    (bundle / "audit" / "legal_holds.parquet").unlink()
    shutil.rmtree(bundle / "rules" / "data")
    results = json.loads((bundle / "results.json").read_bytes())
    gone = {"departed-person-data-kept"}
    for name in ("rules", "results"):
        results[name] = [one for one in results[name] if one.get("id", one.get("rule")) not in gone]
    (bundle / "results.json").write_bytes(canonical(results))
    seal_again(bundle)
    found = replay(bundle, **LIMITS)

    assert found.differences == ()
    assert found.rules == 5
