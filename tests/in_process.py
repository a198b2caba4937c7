"""Runs the command line in this process: for tests of what a command does, not of how its process starts or ends."""

import contextlib
import io
import subprocess
from pathlib import Path
from unittest import mock

from scanner import cli


def orphanscan(folder: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder; `more` are variables of its environment.

    A new process would read its modules, rules and templates anew, which takes longer than most commands.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict("os.environ", more),
        mock.patch("sys.stdin", io.StringIO()),
    ):
        code = cli.main([str(word) for word in words], standalone_mode=False)
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(["orphanscan", *words], code, out.getvalue(), err.getvalue())
