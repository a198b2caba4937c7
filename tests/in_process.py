"""Runs the command line in this process: for tests of what a command does, not of how its process starts or ends."""

import contextlib
import io
import subprocess
from pathlib import Path

from scanner import cli


def orphanscan(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in the folder; a new process would read its modules, rules and templates anew."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(list(words), standalone_mode=False)
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(["orphanscan", *words], code, out.getvalue(), err.getvalue())
