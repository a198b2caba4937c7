"""Progress and log lines: on a terminal, in a file, for programs."""

import json
import logging
import os
import pty
import re
import subprocess
import sys
import threading
import warnings

import pytest
from cli_runs import environment

from scanner.cli import logs
from scanner.cli.progress import ProgressDisplay
from scanner.model import Source, Verdict

SHOW = """
from scanner.cli import logs
from scanner.cli.progress import ProgressDisplay
from scanner.model import Source, Verdict
logs.set_up()
with ProgressDisplay() as display:
    display("crm", "users", 1200, 2400)
    display("crm", "users", 2400, 2400)
    display.finished(Source("crm", "application", "scim", Verdict.COMPLETE, collected=2400))
    display("hr", "workers", 7, None)
"""


@pytest.fixture(autouse=True)
def log_as_it_was():
    """Leave the log of the test run as it was."""
    root = logging.getLogger()
    kept = (root.handlers[:], root.level, logging.getLogger("scanner").level)
    yield
    root.handlers[:], _, _ = kept
    root.setLevel(kept[1])
    logging.getLogger("scanner").setLevel(kept[2])
    logging.captureWarnings(capture=False)


def test_without_a_terminal_a_source_is_two_lines(capsys):
    """One line when a source begins, one with verdict and numbers when it ends."""
    logs.set_up()
    with ProgressDisplay() as display:
        for done in range(0, 500, 100):
            display("crm", "users", done, 400)
        display("crm", "groups", 12, 12)
        display.finished(Source("crm", "application", "scim", Verdict.SHORT, collected=400, detail="12 rows rejected"))
        display("erp", "users", 3, None)

    lines = [re.sub(r"^\S+ ", "", line) for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "info: crm: reading",
        "info: crm: short (12 rows rejected): 400 users, 12 groups",
        "info: erp: reading",
        "info: erp: read: 3 users",
    ]


def test_json_lines_hold_the_numbers(capsys):
    """Every line is one JSON object with instant, level, message and fields."""
    logs.set_up("json")
    with ProgressDisplay("json") as display:
        display("crm", "users", 400, 400)
        display.finished(Source("crm", "application", "scim", Verdict.COMPLETE, collected=400))
    logging.getLogger("scanner.x").info("änd\x1b", extra={"path": "/srv"})

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time")) for line in lines)
    assert lines == [
        {"level": "info", "message": "crm: reading", "source": "crm"},
        {
            "level": "info",
            "message": "crm: complete: 400 users",
            "source": "crm",
            "verdict": "complete",
            "users": 400,
        },
        {"level": "info", "message": "änd\x1b", "path": "/srv"},
    ]


@pytest.mark.parametrize(
    ("verbose", "expected"), [(0, ["warning"]), (1, ["info", "warning"]), (2, ["debug", "info", "debug", "warning"])]
)
def test_verbose_says_more(capsys, verbose, expected):
    """Warnings always, what matters with -v, libraries with -vv."""
    logs.set_up("text", verbose)
    logging.getLogger("scanner.a").debug("d")
    logging.getLogger("scanner.a").info("i")
    logging.getLogger("library").debug("d")
    logging.getLogger("scanner.a").warning("w")

    assert re.findall(r"Z (\w+): ", capsys.readouterr().err) == expected


def test_a_log_line_is_one_harmless_line(capsys):
    """Text of servers cannot forge a line, and tracebacks and warnings of libraries stay out."""
    logs.set_up()
    try:
        raise ValueError("secret")
    except ValueError:
        logging.getLogger("scanner.a").warning("a\nb\x1b[2J", exc_info=True)
    warnings.warn("of a library", stacklevel=1)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(" warning: a b[2J")


def test_a_block_that_is_left_by_an_error_says_so(capsys):
    """A source that was being read when the run ended is not called read."""
    logs.set_up()

    def read() -> None:
        with ProgressDisplay() as display:
            display("crm", "users", 5, 10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()

    assert capsys.readouterr().err.endswith("info: crm: stopped: 5 users\n")


def test_many_threads_may_tell_their_progress(capsys):
    """Every source has its two lines, however many speak at once."""
    logs.set_up()

    def read(name: str) -> None:
        for done in range(200):
            display(name, "users", done, 200)
        display.finished(Source(name, "application", "scim", Verdict.COMPLETE, collected=200))

    with ProgressDisplay() as display:
        threads = [threading.Thread(target=read, args=(f"app-{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 16
    assert sum("reading" in line for line in lines) == 8


def on_terminal(**variables: str) -> str:
    """Run the display with a terminal as stderr, and return what it wrote there."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", SHOW],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(**variables),
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux tells the end of a terminal like this
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    out, _ = done.communicate(timeout=30)

    assert (done.returncode, out) == (0, b"")
    return shown.decode()


def test_a_terminal_shows_bars():
    """Bars name the source and its numbers; colours are left out where NO_COLOR is set."""
    coloured = on_terminal(TERM="xterm-256color")
    plain = on_terminal(TERM="xterm-256color", NO_COLOR="1")

    assert "2,400 complete" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", coloured)
    assert re.search(r"\x1b\[(3|38;|9)\d", coloured)
    assert not re.search(r"\x1b\[(3|38;|9)\d[;0-9]*m", plain)


def test_a_dumb_terminal_shows_lines():
    """A terminal that cannot move its cursor gets the lines of a file."""
    shown = on_terminal(TERM="dumb")

    assert "\x1b" not in shown
    assert "info: crm: complete: 2,400 users" in shown
