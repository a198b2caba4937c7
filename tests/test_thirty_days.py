"""Thirty nights of a moving company, compared day by day with what the simulation itself knows to be true.

People join, move, leave and come back; accounts are closed in time, late or never; sources fail, are cut short or
shrink; one scan is killed and one finds the disk full. The truth is computed from the events, never from the program.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from moving_company import APPS, FIRST, HR, LEAD, SECURITY, SHRUNKEN, Key, World, owner_of
from moving_truth import Told, Truth

from scanner import config_file, trend
from scanner import scan as scanning
from scanner.cli import notices as telling
from scanner.collectors.interface import no_progress
from scanner.policy import read_policies

DAYS = 30
KILLED, FULL = 19, 24
"""Days without a scan: one is killed, one finds no space on the disk."""


class Mailbox:
    """The inbox of a mail server: what came since it was emptied."""

    def __init__(self) -> None:
        self.messages: list[tuple[tuple[str, ...], str]] = []
        """To whom, and the text."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.messages.append((tuple(envelope.rcpt_tos), mail.get_content()))
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Mailbox, int]]:
    """Run a mail server; give its inbox and its port."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def read(text: str) -> set[Told]:
    """Return what a message tells, line by line."""
    found = set()
    for line in text.splitlines():
        if not line.startswith("- ") or ("(F-" not in line and "Source" not in line):
            continue  # remedies, and how much was open before anything was told
        heading = re.split("[,:]", line[2:])[0]
        if source := re.search(r"(?:roster|application) (\w+): ", line):
            found.add((heading, source[1], ""))
        elif account := re.search(r"[ (](crm|wiki)-([\w-]+)\)?: ", line):
            found.add((heading, account[1], account[2]))
        else:
            person = re.search(r"\(hr:E-([\w-]+)\)|hr:E-([\w-]+)", line)
            assert person is not None, line
            found.add((heading, "", person[1] or person[2]))
    return found


def scan(config: Any, day: int) -> scanning.Outcome:
    """Scan in this process."""
    at = (FIRST + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return scanning.run(config, read_policies(config), as_of=at, listeners=scanning.Listeners(progress=no_progress))


def killed(folder: Path, day: int) -> None:
    """Kill a scan in its middle."""
    at = (FIRST + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = [sys.executable, "-m", "scanner", "collect", "--as-of", at]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and not list((folder / "orphanscan-state" / "staging").glob("*/work.duckdb")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def without_space(folder: Path, day: int) -> None:
    """Scan with a disk that fills up under it."""
    at = (FIRST + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    script = (
        "mount -t tmpfs -o size=2m tmpfs orphanscan-state/staging || exit 99\n"
        f"{sys.executable} -m scanner collect --as-of {at}\n"
    )
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    done = subprocess.run([*own, "sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "no space left on" in done.stderr.lower()


@dataclass(frozen=True)
class Night:
    """One scan beside what is true."""

    day: int
    outcome: scanning.Outcome
    document: dict[str, Any]
    """findings.json."""
    told: dict[Key, tuple[str, int]]
    truth: Truth
    days: dict[str, int]
    """Scan id -> day."""
    mails: list[tuple[tuple[str, ...], str]]
    """To whom, and the text."""


def findings_are_as_they_must_be(night: Night) -> None:
    """Every finding stands there with its state and first scan, and no other does."""
    said = {
        (one["rule"], one["app"] or "", (one["account_id"] or one["worker_id"]).split("-", 1)[1]): (
            one["state"],
            night.days[one["first_seen"]],
        )
        for one in night.document["findings"]
    }
    assert said == night.told, f"day {night.day}"


def leavers_are_as_they_must_be(night: Night) -> None:
    """Each leaver has its one outcome in each application; nothing is said while HR cannot be believed."""
    if night.day in SHRUNKEN:
        return
    ledger = {name: count for name, count in night.document["ledger"]["leavers"].items() if count}
    expected = night.truth.ledger(night.day)
    assert ledger == dict(expected) | ({"total": expected.total()} if expected else {}), f"day {night.day}"


def scans_say_whether_they_are_complete(night: Night) -> None:
    """Name each source that was not read completely, and no other."""
    lacking = {source.id for source in night.outcome.sources if source.verdict != "complete"}
    assert lacking == night.truth.world.lacking(night.day)


def notices_tell_what_changed_and_nothing_else(night: Night) -> None:
    """Each owner gets at most one message, about their application; who leaves in secret is told to HR alone."""
    before = max((day for day in night.days.values() if day < night.day), default=None)
    expected = night.truth.notices(night.day, before, night.told)
    by_reader = {to: read(text) for (to,), text in night.mails}
    assert len(by_reader) == len(night.mails), f"day {night.day}: two messages to one reader"
    assert set(by_reader) <= {SECURITY, HR, *map(owner_of, APPS)}
    assert by_reader.get(HR, set()) == expected, f"day {night.day}"
    for app in APPS:
        own = {one for one in expected if one[1] == app}
        assert by_reader.get(owner_of(app), set()) == own, f"day {night.day}, {app}"
    assert by_reader.get(SECURITY, set()) == {one for one in expected if one[1] == "hr"}, f"day {night.day}"
    secrets = [one.name for one in night.truth.world.people if one.will_leave(night.day)]
    assert not any(name in text for (to,), text in night.mails for name in secrets if to != HR)


CHECKS: tuple[Callable[[Night], None], ...] = (
    findings_are_as_they_must_be,
    leavers_are_as_they_must_be,
    scans_say_whether_they_are_complete,
    notices_tell_what_changed_and_nothing_else,
)
"""What must hold after each night."""


def test_thirty_nights_of_a_moving_company_are_told_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, post: tuple[Mailbox, int]
) -> None:
    """States of findings, outcomes of leavers and notices are those of the events; the numbers add up to them."""
    box, port = post
    world = World(tmp_path, port)
    truth = Truth(world)
    config = config_file.load(tmp_path / "orphanscan.toml")
    # Rules and their known answers are the same every night: once is enough here.
    chosen = scanning.chosen_rules(config)
    monkeypatch.setattr(scanning, "chosen_rules", lambda config: chosen)
    monkeypatch.setattr(scanning, "_known_answers", lambda chosen, config: None)
    days: dict[str, int] = {}
    exceptions = []
    seen: set[str] = set()
    told_of: set[str] = set()
    for day in range(DAYS):
        world.export(day)
        if day in (KILLED, FULL):
            (killed if day == KILLED else without_space)(tmp_path, day)
            continue
        outcome = scan(config, day)
        days[outcome.scan.id] = day
        document = json.loads((outcome.folder / "findings.json").read_bytes())
        deliveries = telling.after_scan(config, "send", "text", 0)
        assert not any(one["failed"] for one in deliveries), deliveries
        night = Night(day, outcome, document, truth.night(day), truth, days, [*box.messages])
        box.messages.clear()
        told_of |= {heading for (to,), text in night.mails if to == HR for heading, _, _ in read(text)}
        for check in CHECKS:
            check(night)
        seen |= {state for state, _ in night.told.values()}
        exceptions.append(
            sum(state not in ("waived", "resolved") for key, (state, _) in night.told.items() if key[0] != LEAD)
        )

    record = outcome.record
    assert record is not None
    assert record.trend is not None
    points = trend.points(record.trend)
    assert [sum(point.exceptions.values()) for point in points] == exceptions
    assert [days[point.scan] for point in points] == sorted(days.values())
    causes = Counter(cause for point in points for cause in (*point.came, *point.went))
    assert set(causes) == {"baseline", "people", "coverage", "waivers"}
    assert seen >= {"baseline", "new", "open", "reopened", "resolved", "waived"}
    assert told_of == {"New", "Reopened", "Resolved", "Overdue", "Source not complete", "Source complete again"}
