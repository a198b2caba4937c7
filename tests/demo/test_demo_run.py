"""The demo keeps its hands off other people's files, and cleans up when it is stopped."""

import re
import signal
import socket
import subprocess
import sys

import pytest

from scanner.demo import run_demo
from scanner.errors import ConfigError


def test_a_folder_with_other_files_is_refused(tmp_path):
    """A folder that no demo made is left as it was."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(ConfigError, match="name another folder"):
        run_demo(tmp_path, say=print)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupt_ends_servers_and_scan(tmp_path):
    """Stopped while it scans, the demo ends with 130, leaves no server behind and no half scan."""
    command = [sys.executable, "-m", "scanner", "demo", "--dir", str(tmp_path / "work")]
    ports = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr:
            ports += [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)/", line)]
            if line.startswith("Scanning"):
                process.send_signal(signal.SIGINT)
                break
        process.stderr.read()
        assert process.wait(timeout=30) == 130

    assert len(ports) == 6
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert not list(tmp_path.glob("work/state/scans/*"))
