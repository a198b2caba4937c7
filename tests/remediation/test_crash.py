"""Killed at any instant, `apply` goes on without a second write."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from company import READ, ROOT, WRITE, Company, found, people
from live import Recorder, Start

LINES = 8
"""Of the journal of two changes: run, twice intent, answer and outcome, end."""
INSTANTS = [
    *(("half", number) for number in (1, 2, 4, LINES)),
    *(("after", number) for number in range(1, LINES + 1)),
    *((instant, number) for instant in ("sending", "sent") for number in (1, 2)),
]
Kill = Callable[[str, int, list[str]], int]


@pytest.fixture(scope="module")
def approved(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Company]:
    """Return a server and a company with an approved plan of two changes."""
    server = start(groups={"Admins": [7, 8]})
    company = found(tmp_path_factory.mktemp("company") / "co", {"crm": server.base_url})
    company.hr(people(40, [2, 3]))
    company.scan()
    company.plan()
    company.approve()
    return server, company


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Return a function that runs a command up to an instant and returns how it ended."""
    script = str(Path(__file__).with_name("killed_apply.py"))
    env = {**os.environ, "PYTHONPATH": ROOT, "READ_TOKEN": READ, "WRITE_TOKEN": WRITE}
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        stdin, stdout = running.stdin, running.stdout

        def run(instant: str, number: int, words: list[str]) -> int:
            stdin.write(json.dumps([instant, number, words]).encode() + b"\n")
            stdin.flush()
            return int(stdout.readline())

        yield run
        running.kill()


@pytest.mark.parametrize(("instant", "number"), INSTANTS)
def test_a_run_killed_at_any_instant_goes_on_without_a_second_write(
    approved: tuple[Recorder, Company], kill: Kill, instant: str, number: int
) -> None:
    """Each account is changed by one request in all, whenever the power went; the journal stays one chain."""
    server, company = approved
    for user in (2, 3):
        server.set_active(user, True)
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    server.sent.clear()
    words = ["apply", "-c", str(company.folder / "orphanscan.toml")]

    assert kill(instant, number, words) == -signal.SIGKILL
    sent_before = len(server.sent)
    again = company.run("apply")

    if (instant, number) == ("after", LINES):
        assert again.returncode == 5
        assert "was applied in" in again.stderr
    else:
        assert again.returncode == 0, again.stderr
    assert [sent[0] for sent in server.sent] == ["PATCH", "PATCH"]
    assert len({sent[1] for sent in server.sent}) == 2
    assert sent_before <= 2
    assert {name for name, is_active in server.active().items() if not is_active} == {
        "user2@corp.example",
        "user3@corp.example",
    }
    shown = company.document("actions", "show")
    outcomes = [entry["outcome"] for entry in shown["entries"] if entry["event"] == "outcome"]
    assert (outcomes, shown["ended"]) == (["done", "done"], True)


def test_the_run_that_nothing_kills_has_as_many_lines_as_instants(
    approved: tuple[Recorder, Company], kill: Kill
) -> None:
    """Should a run ever write more lines, the instants above no longer are all of them."""
    server, company = approved
    for user in (2, 3):
        server.set_active(user, True)
    shutil.rmtree(company.state / "actions", ignore_errors=True)

    assert kill("never", 0, ["apply", "-c", str(company.folder / "orphanscan.toml")]) == 0
    assert len(company.document("actions", "show")["entries"]) == LINES


def test_a_killed_run_that_can_no_longer_go_on_is_not_forgotten(
    approved: tuple[Recorder, Company], kill: Kill, tmp_path: Path
) -> None:
    """A newer scan forbids to go on: its last request is listed, shown by the scan, and taken back by an undo."""
    server, company = approved[0], approved[1].copy(tmp_path / "co")
    for user in (2, 3):
        server.set_active(user, True)
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    company.plan()
    company.approve()
    assert kill("sent", 1, ["apply", "-c", str(company.folder / "orphanscan.toml")]) == -signal.SIGKILL
    (before,) = company.document("actions", "list")
    company.scan()

    said = company.run("apply", expect=5).stderr
    assert f"make a new plan. {before['run']} was interrupted" in said
    (after,) = company.document("actions", "list")
    assert [(one["outcome"], one["verification"]) for one in (before, after)] == [
        ("unsettled", "not_yet"),
        ("unsettled", "verified"),
    ]
    done = company.document("undo", before["run"], "--reason", "nobody knows what it did")
    assert [one["outcome"] for one in done["results"]] == ["done"]
    assert all(server.active().values())
