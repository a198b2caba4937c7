"""The whole demo, once, as a user runs it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run `orphanscan demo` in a folder of its own and return that folder and the finished process."""
    folder = tmp_path_factory.mktemp("demo") / "work"
    command = [sys.executable, "-m", "scanner", "demo", "--dir", str(folder)]
    return folder, subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def findings(run):
    """Read the findings of the demo's scan."""
    [path] = run[0].glob("state/scans/*/findings.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_scan_finds_what_was_planted_and_nothing_else(run):
    """The demo ends with 0, which it does only if both directions agree."""
    assert run[1].returncode == 0, run[1].stderr
    assert "exactly what was planted" in run[1].stderr
    assert run[1].stdout == ""


def test_reports_lie_where_the_demo_says(run):
    """Each report that the demo names exists, as PDF and as HTML."""
    named = re.findall(r"^\s+(/\S+\.(?:pdf|html))$", run[1].stderr, re.MULTILINE)

    assert {name.rpartition("/")[2] for name in named} == {
        f"{framework}.{form}" for framework in ("gdpr", "sox", "hipaa") for form in ("pdf", "html")
    }
    for name in named:
        assert Path(name).stat().st_size > 5000


def test_sources_are_judged_as_they_are(findings):
    """The spoiled list is short, the refused one failed, everything else complete."""
    verdicts = {source["id"]: source["verdict"] for source in findings["sources"]}

    assert verdicts.pop("wiki") == "short"
    assert verdicts.pop("code") == "failed"
    verdicts.pop("payroll", None)
    assert verdicts == dict.fromkeys(["hr", "contractors", "directory", "crm", "erp", "ehr", "helpdesk"], "complete")


def test_nothing_unproven_reads_as_clean(findings):
    """No rule that looks at every application's accounts is clean while two lists cannot be trusted."""
    results = {rule["id"]: rule["result"] for rule in findings["rules"]}

    assert set(results.values()) <= {"exceptions", "unable_to_test", "clean"}
    assert results["roster-implausible"] == "clean"
    about_people = {"roster-implausible", "manager-gone", "upcoming-leaver"}
    assert {rule for rule, result in results.items() if result == "clean"} == about_people


def test_ledger_balances(findings):
    """Both directions add up: every account, and every leaver in every application."""
    for side in findings["ledger"].values():
        assert side["total"] == sum(count for bucket, count in side.items() if bucket != "total")
    leavers = findings["ledger"]["leavers"]
    assert leavers["open"] == 5
    assert leavers["closed_late"] > 0


@pytest.mark.parametrize(
    ("framework", "printed", "told"),
    [
        (
            "sox",
            ("5 deciding rules, 285 tests in a population of 287: 2 exceptions.", "10 exceptions found by"),
            ("71 + 70 + 70 + 74 + 0 = 285", "71 + 71 + 71 + 74 + 0 = 287", "1 + 1 = 2", "10 exceptions"),
        ),
        (
            "hipaa",
            (
                "10 exceptions noted 1 no exceptions noted 5 unable to test 13 not tested",
                "16 deciding rules, 529 tests in a population of 774: 8 exceptions.",
                "10 exceptions found by",
            ),
            ("10 + 1 + 5 + 13 = 29", "8 exceptions", "10 exceptions"),
        ),
        (
            "gdpr",
            (
                "9 exceptions noted 0 no exceptions noted 2 unable to test 8 not tested",
                "62 exceptions found by 15 rules",
                "5 found: 4 of 95 tested accounts of leavers, and 1 in a list that is not complete.",
            ),
            ("9 + 0 + 2 + 8 = 19", "62 exceptions by 15 rules", "5 found: 4 of 95 tested, and 1 in a list"),
        ),
    ],
)
def test_examples_of_the_guides_are_those_of_the_demo(run, framework, printed, told):
    """Who compares docs/reports with the demo's reports meets the same numbers."""
    [path] = run[0].glob(f"state/scans/*/reports/{framework}.html")
    report = " ".join(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")).split())
    guide = " ".join((Path(__file__).parents[2] / "docs" / "reports" / f"{framework}.md").read_text().split())

    assert [text for text in printed if text not in report] == []
    assert [text for text in told if text not in guide] == []


def test_no_token_is_left_behind(run):
    """The tokens were in the environment only."""
    for path in run[0].rglob("*.toml"):
        assert "token_env" in path.read_text(encoding="utf-8") or path.name != "orphanscan.toml"
        assert not re.search(r'token\s*=\s*"', path.read_text(encoding="utf-8"))
