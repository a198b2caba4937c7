"""The benchmark of reports: its company has as many findings as it says, and it sees what a command takes."""

import sys
from pathlib import Path

from benchmarks import reports


def test_the_company_has_as_many_findings_as_it_says(tmp_path: Path) -> None:
    """Read from the scan that the reports are then drawn of."""
    reports.company(tmp_path, 40)

    assert reports.scan(tmp_path) == 40


def test_memory_of_all_processes_is_seen() -> None:
    """Two of 60 MB each: together more than 120, the largest less."""
    hold = "import time; held = bytearray(60 << 20); time.sleep(1)"
    both = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', '{hold}']); {hold}; child.wait()"
    _, cpu, together, largest = reports.measured([sys.executable, "-c", both])

    assert cpu > 0
    assert together > 120 > largest > 60
