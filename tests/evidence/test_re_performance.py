"""The guide for auditors is run as it stands: every command, on a scan, in an order that the guide gives."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sealed_company import Company

from scanner.evidence import manifest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "re-performance.md").read_text()


def test_an_auditor_can_follow_the_guide(company: Company, tmp_path: Path) -> None:
    """With a copy of the scan's folder, the hash and the number of the report, and nothing else of the organisation."""
    company_copy = company.copy(tmp_path / "theirs")
    desk = tmp_path / "desk"
    desk.mkdir()
    company_copy.scan.rename(desk / "scan")
    sealed = manifest.read(desk / "scan" / "evidence")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in {"orphanscan": "-m scanner", "python3": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        (programs / name).chmod(0o755)
    commands = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    script = "set -e\n" + "\n".join(f"echo; echo '== {n}'\n{command}" for n, command in enumerate(commands))
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=desk,
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HEAD": sealed.sha256[:16],
            "NUMBER": "1",
            "HOME": os.environ.get("HOME", "/"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    told = re.split(r"^== \d+\n", done.stdout, flags=re.MULTILINE)[1:]

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(told) == len(commands) >= 9
    assert "The manifest is the one that was told of elsewhere." in " ".join(told[0].split())
    assert sealed.sha256 in told[1]
    assert "\nthe same\n" in told[2]
    assert "known answers: " in told[2]
    assert "scan/evidence/rules/identity/orphaned-account.sql" in told[3]
    assert "crm" in told[4]
    assert "terminated_at" in told[5]
    assert "1 rules ran again" in told[6]
    assert '"verdict": "complete"' in told[7]
