"""A scan from end to end on files, as the scheduler runs it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from in_process import orphanscan

from scanner.settings import FORMATS

STARTER = Path(__file__).parent.parent / "sample_data" / "starter"


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return a folder with the starter configuration and its files, without reports to render."""
    folder = tmp_path / "company"
    shutil.copytree(STARTER, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    config = folder / "orphanscan.toml"
    config.write_text(config.read_text() + '\n[report]\nformats = ["html"]\nframeworks = ["sox"]\n')
    return folder


def latest(folder: Path) -> dict[str, object]:
    """Return findings.json of the last scan."""
    scan = max((folder / "orphanscan-state" / "scans").iterdir(), key=lambda path: path.stat().st_mtime)
    document: dict[str, object] = json.loads((scan / "findings.json").read_text())
    return document


def states(document: dict[str, object]) -> set[str]:
    """Return the states of all findings."""
    findings = document["findings"]
    assert isinstance(findings, list)
    return {finding["state"] for finding in findings}


def test_the_starter_scans_at_once_and_its_ledger_balances(company: Path) -> None:
    """The first scan is a baseline; buckets add up to all accounts."""
    done = orphanscan(company, "scan", "--json")

    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert summary["complete"] is True
    document = latest(company)
    assert states(document) == {"baseline"}
    ledger = document["ledger"]
    assert isinstance(ledger, dict)
    for side in ("accounts", "leavers"):
        assert ledger[side]["total"] == sum(count for name, count in ledger[side].items() if name != "total")
    assert ledger["accounts"]["total"] == 15


def test_the_time_of_every_rule_is_told(company: Path) -> None:
    """On a terminal as a column, for programs as a number; a check of the same scan tells it anew."""
    told = orphanscan(company, "scan").stderr
    summary = json.loads(orphanscan(company, "check", "--json").stdout)

    head = next(line for line in told.splitlines() if line.startswith("rule "))
    line = next(line for line in told.splitlines() if line.startswith("orphaned-account "))
    column = slice(head.index("seconds"), head.index("why not"))
    assert float(line[column]) >= 0
    times = {rule["id"]: rule["seconds"] for rule in summary["rules"]}
    assert times.keys() == {rule["id"] for rule in latest(company)["rules"]}
    assert all(0 < seconds < 60 for seconds in times.values())
    assert summary["known_answers"]["problems"] == []
    assert f"known answers: {summary['known_answers']['result']}" in told


def test_a_finding_is_open_then_resolved_and_history_is_kept(company: Path) -> None:
    """What is closed in the application is resolved by the next complete scan."""
    orphanscan(company, "scan")
    again = orphanscan(company, "scan")
    assert again.returncode == 1
    assert states(latest(company)) == {"open"}

    users = company / "users.json"
    document = json.loads(users.read_text())
    for resource in document["Resources"]:
        if resource.get("userName") == "dmitri.volkov":
            resource["active"] = False
    users.write_text(json.dumps(document))
    orphanscan(company, "scan")

    findings = latest(company)["findings"]
    assert isinstance(findings, list)
    assert [f["rule"] for f in findings if f["state"] == "resolved"] == ["leaver-still-active"]


def test_collect_then_check_then_report_give_a_sealed_scan(company: Path) -> None:
    """The three parts do what scan does, and a second check writes nothing."""
    assert orphanscan(company, "collect").returncode == 0
    assert orphanscan(company, "report").returncode == 6
    assert orphanscan(company, "check").returncode == 1
    report = orphanscan(company, "report", "--format", "html")
    assert report.returncode == 0, report.stderr
    scan = next((company / "orphanscan-state" / "scans").iterdir())
    every = [word for kind in FORMATS if kind != "pdf" for word in ("--format", kind)]
    written = orphanscan(company, "report", *every)
    assert written.returncode == 0, written.stderr
    made = {file.name: file.read_bytes() for file in (scan / "reports").iterdir()}
    assert set(made) == {
        *("sox.html", "sox.oscal.json", "findings.xlsx", "findings.csv", "findings.json", "findings.ocsf.jsonl"),
        *("summary.md", "manifest.json"),
    }
    assert orphanscan(company, "report", *every).stdout == written.stdout
    assert {file.name: file.read_bytes() for file in (scan / "reports").iterdir()} == made
    sealed = (scan / "evidence" / "manifest.json").read_bytes()

    assert orphanscan(company, "check").returncode == 1
    assert (scan / "evidence" / "manifest.json").read_bytes() == sealed


def test_a_shrunken_roster_is_refused_and_nothing_rests_on_it(company: Path) -> None:
    """The scan is incomplete (3), and no colleague becomes an orphan."""
    orphanscan(company, "scan")
    roster = company / "hr.csv"
    roster.write_text("\n".join(roster.read_text().splitlines()[:4]) + "\n")

    done = orphanscan(company, "scan")

    assert done.returncode == 3
    rules = {rule["id"]: rule for rule in latest(company)["rules"]}  # type: ignore[attr-defined]
    assert rules["orphaned-account"]["result"] == "unable_to_test"
    assert rules["roster-implausible"]["result"] == "exceptions"


def test_a_killed_scan_leaves_the_store_as_it_was_and_the_next_one_runs(company: Path) -> None:
    """SIGKILL at several moments: never a broken store, never a stale lock."""
    orphanscan(company, "scan")
    state = company / "orphanscan-state"
    for delay in (0.4, 0.9, 1.4, 2.0):
        process = subprocess.Popen(
            [sys.executable, "-m", "scanner", "scan"],
            cwd=company,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert orphanscan(company, "findings").returncode == 0
    done = orphanscan(company, "scan")
    assert done.returncode == 1, done.stderr
    assert list((state / "staging").iterdir()) == []


def test_a_second_writer_is_told_who_holds_the_lock(company: Path) -> None:
    """Exit 6 with the command and process of the first one."""
    from scanner.store.state import writing

    with writing(company / "orphanscan-state", "scan"):
        done = orphanscan(company, "scan")

    assert done.returncode == 6
    assert f"`orphanscan scan` (process {os.getpid()}" in done.stderr


def test_a_clock_before_the_last_scan_is_refused(company: Path) -> None:
    """History cannot be written backwards: exit 2."""
    orphanscan(company, "scan", "--as-of", "2026-11-20")

    done = orphanscan(company, "scan", "--as-of", "2026-11-19")

    assert done.returncode == 2
    assert "before that of the last one" in done.stderr


def test_a_pdf_that_cannot_be_drawn_loses_neither_the_scan_nor_the_page(company: Path) -> None:
    """Exit 6 with the reason; findings and HTML are there, and `report` catches up byte for byte alike."""
    config = company / "orphanscan.toml"
    config.write_text(config.read_text().replace('formats = ["html"]', 'formats = ["pdf", "html"]'))
    (company / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")\n")

    done = orphanscan(company, "scan")

    assert done.returncode == 6
    assert "sox.pdf: not written: the renderer failed: OSError: cannot load library 'libpango-1.0-0'" in done.stderr
    folder = Path(done.stdout.strip())
    assert {path.name for path in (folder / "reports").iterdir()} == {"sox.html", "manifest.json"}
    assert latest(company)["findings"]

    (company / "weasyprint.py").unlink()
    before = (folder / "reports" / "sox.html").read_bytes()
    assert orphanscan(company, "report").returncode == 0
    assert (folder / "reports" / "sox.pdf").read_bytes().startswith(b"%PDF-1.7")
    assert (folder / "reports" / "sox.html").read_bytes() == before


def test_characters_without_a_font_are_told(company: Path) -> None:
    """A box in place of a name is never silent; the report is written, and the exit code is that of the findings."""
    config = company / "orphanscan.toml"
    text = config.read_text().replace('formats = ["html"]', 'formats = ["pdf"]')
    config.write_text(re.sub(r'^name = ".*"', 'name = "Acme \U00013000"', text, count=1, flags=re.MULTILINE))

    done = orphanscan(company, "scan")

    assert done.returncode == 1
    assert "sox.pdf: some characters are printed as their numbers, as no font here has them (1: U+13000)" in done.stderr


def test_a_clock_to_come_is_refused_and_leaves_nothing(company: Path) -> None:
    """Exit 2, and the next scan runs as if nothing had been asked."""
    done = orphanscan(company, "scan", "--as-of", "2999-01-01")

    assert done.returncode == 2
    assert "--as-of '2999-01-01' is still to come" in done.stderr
    assert not list((company / "orphanscan-state").glob("s[ct]*/*"))


def test_a_full_disk_ends_the_scan_with_one_clear_line_and_the_next_one_runs(company: Path) -> None:
    """Exit 6, the disk named, nothing left behind; with room again, the scan runs."""
    (company / "small").mkdir()
    script = f"""
        mount -t tmpfs -o size=3m tmpfs small || exit 99
        {sys.executable} -m scanner scan --state small/state; echo "full: $?"
        mount -o remount,size=64m small
        {sys.executable} -m scanner scan --state small/state; echo "again: $?"
        echo "left: $(ls small/state/staging | wc -l)"
    """
    # A mount name space of its own, and for an ordinary user one of users too: the mount is gone with the process.
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]

    done = subprocess.run(
        [*own, "sh", "-c", script], cwd=company, capture_output=True, text=True, timeout=120, check=False
    )

    assert "full: 6" in done.stdout, done.stderr
    assert "again: 1" in done.stdout
    assert "left: 0" in done.stdout
    assert "no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("trouble", ["no folder", "damaged", "of another kind"])
def test_a_store_that_cannot_be_used_is_named_and_left_as_it_is(company: Path, trouble: str) -> None:
    """Exit 6 in one line, before anything is read; what lies there is not overwritten."""
    state = company / "orphanscan-state"
    if trouble == "no folder":
        state.write_text("a file in its place")
    else:
        state.mkdir(mode=0o700)
        (state / "store.duckdb").write_bytes(b"\0" * 20_000 if trouble == "damaged" else b"SQLite format 3\0" * 900)
    before = state.read_bytes() if state.is_file() else (state / "store.duckdb").read_bytes()

    done = orphanscan(company, "scan")

    assert done.returncode == 6
    (line,) = done.stderr.splitlines()
    assert "cannot use the state folder" in line or "cannot read the store" in line
    assert before == (state.read_bytes() if state.is_file() else (state / "store.duckdb").read_bytes())
    assert state.is_file() or not list((state / "staging").glob("*"))
