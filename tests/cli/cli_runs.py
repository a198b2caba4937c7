"""Runs the command line as a scheduler does: in a process of its own, without a terminal."""

import os
import subprocess
import sys
from pathlib import Path

ORPHANSCAN = [sys.executable, "-m", "scanner"]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a run, without what the developer's own shell may hold."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    root = str(Path(__file__).parents[2])
    return kept | {"PYTHONPATH": root} | more


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `orphanscan` in a folder; `more` are variables of its environment."""
    return subprocess.run(
        [*ORPHANSCAN, *words],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
