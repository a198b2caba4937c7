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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from scanner import config_file, rules, trend
from scanner import scan as scanning
from scanner.cli import notices as telling
from scanner.collectors.interface import no_progress
from scanner.model import Severity
from scanner.policy import read_policies

FIRST = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAYS = 30
APPS = ("crm", "wiki")
KEPT = ("leaver-still-active", "orphaned-account", "upcoming-leaver")
LEAD = "upcoming-leaver"
OVERDUE_DAYS = 5
WAIVED_ACCOUNT, WAIVED_FROM, WAIVED_TO = "ghost", 5, 12
"""An orphan that is accepted from one day to another, the last one included."""
FAILED = {("crm", 8), ("wiki", 16), ("wiki", 17)}
"""The list of the application cannot be read."""
SHORT = {("crm", 14), ("crm", 21)}
"""The list ends half-way, and says so."""
SHRUNKEN = {10}
"""HR delivers a quarter of its people."""
SECURITY, HR = "security@acme.example", "people@acme.example"
"""Who gets what nobody answers for, and who may know of confidential departures."""
KILLED, FULL = 19, 24
"""Days without a scan: one is killed, one finds no space on the disk."""

Key = tuple[str, str, str]
"""Rule, application, account; for what is about a person, no application and the person."""
Told = tuple[str, str, str]
"""What a notice says: heading, application or roster, account; a source has no account."""


@dataclass
class Person:
    """Somebody in HR, with an account in every application."""

    name: str
    joined: int = -100
    """First day in HR."""
    account_from: int | None = None
    """First day of the accounts; None: that of HR."""
    left: int | None = None
    """Last day of work."""
    closed: dict[str, int] = field(default_factory=dict)
    """Application -> first day on which the account is off."""
    rehired: int | None = None
    moved: int | None = None
    announced: int | None = None
    """First day on which HR says when work will end."""

    def in_hr(self, day: int) -> bool:
        """Tell whether HR knows the person."""
        return day >= self.joined

    def has_left(self, day: int) -> bool:
        """Tell whether HR says at the hour of the scan that work has ended."""
        return self.left is not None and day > self.left and not (self.rehired is not None and day >= self.rehired)

    def will_leave(self, day: int) -> bool:
        """Tell whether HR says that work will end, and it has not."""
        return self.announced is not None and day >= self.announced and not self.has_left(day)

    def account(self, app: str, day: int) -> bool | None:
        """Return whether the account is active; None: there is none."""
        start = self.joined if self.account_from is None else self.account_from
        if day < start:
            return None
        closed = self.closed.get(app)
        is_off = closed is not None and day >= closed and not (self.rehired is not None and day >= self.rehired)
        return not is_off


def people() -> list[Person]:
    """Return the cast: thirty who stay, and those to whom something happens."""
    quiet = [Person(f"p{n}") for n in range(30)]
    return [
        *quiet,
        Person("join", joined=3),
        Person("early", joined=6, account_from=4),
        Person("move", moved=7),
        Person("prompt", left=3, closed={"crm": 4, "wiki": 4}),
        Person("between", left=5, closed={"crm": 7, "wiki": 7}),
        Person("late", left=4, closed={"crm": 9, "wiki": 11}),
        Person("never", left=6),
        Person("mixed", left=12, closed={"crm": 13}),
        Person("back", left=9, closed={"crm": 10, "wiki": 10}, rehired=18),
        Person("open-then-back", left=11, rehired=20),
        Person("around-outage", left=14, closed={"crm": 16, "wiki": 18}),
        Person("around-kill", left=16, closed={"crm": 19, "wiki": 20}),
        Person("around-full", left=22, closed={"crm": 25, "wiki": 24}),
        Person("secret", announced=18, left=26, closed={"crm": 27, "wiki": 27}),
    ]


class World:
    """The company, its files, and what is true of it."""

    def __init__(self, folder: Path, post: int) -> None:
        self.folder = folder
        self.people = people()
        self.ghosts = {"ghost": 0, "robot": 13}
        """Accounts of nobody in crm, from this day on; the second one is deleted on day 22."""
        off = json.dumps([rule.id for rule in rules.find() if rule.id not in KEPT])
        self._write(
            "orphanscan.toml",
            '[organization]\nname = "Acme"\ntimezone = "UTC"\nemail_domains = ["acme.example"]\n'
            '[[roster]]\nid = "hr"\npath = "hr.csv"\n'
            + "".join(
                f'[[application]]\nid = "{app}"\ntype = "scim_file"\npath = "{app}.json"\ncoverage = "all"\n'
                f'owner = "{owner_of(app)}"\n'
                for app in APPS
            )
            + f'[waivers]\nfile = "waivers.toml"\n[rules]\ndisable = {off}\n'
            + receiver("owners", post, "to_owners = true", SECURITY)
            + receiver("hr", post, "confidential = true", HR),
        )
        self._write(
            "waivers.toml",
            f'[[waiver]]\nrule = "orphaned-account"\napp = "crm"\naccount = "{WAIVED_ACCOUNT}"\nreason = "Move"\n'
            f'approver = "boss"\ngranted_on = {date(WAIVED_FROM)}\nexpires_on = {date(WAIVED_TO)}\n',
        )

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)

    def accounts(self, app: str, day: int) -> dict[str, bool]:
        """Return account -> whether it is active, as the application really holds them."""
        found = {one.name: one.account(app, day) for one in self.people}
        if app == "crm":
            found |= {name: True for name, start in self.ghosts.items() if day >= start}
            if day >= 22:
                del found["robot"]
        return {name: active for name, active in found.items() if active is not None}

    def shown(self, app: str, day: int) -> dict[str, bool]:
        """Return what a scan of that day gets to see."""
        whole = self.accounts(app, day)
        if (app, day) in FAILED:
            return {}
        return dict(list(whole.items())[: len(whole) // 2]) if (app, day) in SHORT else whole

    def is_complete(self, app: str, day: int) -> bool:
        """Tell whether the application is read completely."""
        return (app, day) not in FAILED | SHORT

    def export(self, day: int) -> None:
        """Write what HR and the applications deliver that day."""
        for app in APPS:
            if (app, day) in FAILED:
                (self.folder / f"{app}.json").unlink(missing_ok=True)
                continue
            resources = [
                {"id": f"{app}-{name}", "userName": name, "active": on, "emails": [{"value": f"{name}@acme.example"}]}
                for name, on in self.shown(app, day).items()
            ]
            total = len(self.accounts(app, day))
            self._write(f"{app}.json", json.dumps({"totalResults": total, "Resources": resources}))
        rows = [
            f"E-{one.name},{one.name}@acme.example,{'Sales' if one.moved and day >= one.moved else 'IT'},"
            + ("terminated," if one.has_left(day) else "active,")
            + (date(one.left) if one.left is not None and (one.has_left(day) or one.will_leave(day)) else "")
            for one in self.people
            if one.in_hr(day)
        ]
        kept = rows[: len(rows) // 4] if day in SHRUNKEN else rows
        self._write("hr.csv", "\n".join(["employee_number,email,department,status,termination_date", *kept, ""]))

    def raised(self, day: int) -> set[Key]:
        """Return the findings that a scan of that day must raise."""
        if day in SHRUNKEN:
            return set()
        known = {one.name: one for one in self.people if one.in_hr(day)}
        found = set()
        for app in APPS:
            for name, active in self.shown(app, day).items():
                if active and name not in known:
                    found.add(("orphaned-account", app, name))
                # Work ends with the day; 24 hours later, at the scan of the day after next, the account must be off.
                elif active and known[name].has_left(day) and day >= (known[name].left or 0) + 2:
                    found.add(("leaver-still-active", app, name))
        return found | {(LEAD, "", one.name) for one in known.values() if one.will_leave(day)}

    def is_tested(self, key: Key, day: int) -> bool:
        """Tell whether silence about a finding means that it is gone."""
        return day not in SHRUNKEN and (key[0] == LEAD or self.is_complete(key[1], day))

    def lacking(self, day: int) -> set[str]:
        """Return the sources that are not read completely."""
        return {app for app in APPS if not self.is_complete(app, day)} | ({"hr"} if day in SHRUNKEN else set())


class Truth:
    """The life of every finding, told anew from the events."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state: dict[Key, str] = {}
        self.first: dict[Key, int] = {}
        self.reads: dict[str, list[tuple[int, dict[str, bool], bool]]] = {app: [] for app in APPS}
        """Application -> day, what was seen, and whether it was all, for each scan."""

    def night(self, day: int) -> dict[Key, tuple[str, int]]:
        """Return what findings.json must hold: key -> state and day of the first scan of its stretch."""
        is_waived = WAIVED_FROM <= day <= WAIVED_TO
        raised = self.world.raised(day)
        told: dict[Key, tuple[str, int]] = {}
        for key in raised | set(self.state):
            before = self.state.get(key)
            if key in raised:
                if before in (None, "resolved"):
                    self.first[key] = day
                waived = is_waived and key == ("orphaned-account", "crm", WAIVED_ACCOUNT)
                self.state[key] = "waived" if waived else "open"
                if waived:
                    shown = "waived"
                elif before is None:
                    shown = "baseline" if day == 0 else "new"
                else:
                    shown = "reopened" if before in ("resolved", "waived") else "open"
                told[key] = (shown, self.first[key])
            elif before != "resolved" and self.world.is_tested(key, day):
                self.state[key] = "resolved"
                told[key] = ("resolved", self.first[key])
            elif before != "resolved":
                self.state[key] = "unseen"
        for app in APPS:
            self.reads[app].append((day, self.world.shown(app, day), self.world.is_complete(app, day)))
        return told

    def notices(self, day: int, before: int | None, told: Mapping[Key, tuple[str, int]]) -> set[Told]:
        """Return what is to be told of a night, the last one before it being `before`; nothing of the first."""
        if before is None:
            return set()
        headings = {"new": "New", "reopened": "Reopened", "resolved": "Resolved"}
        found = set()
        for (rule, app, name), (state, first) in told.items():
            if state in headings:
                found.add((headings[state], app, name))
            elif rule != LEAD and state == "open" and before < first + OVERDUE_DAYS <= day:
                found.add(("Overdue", app, name))
        now, earlier = self.world.lacking(day), self.world.lacking(before)
        found |= {("Source not complete", source, "") for source in now - earlier}
        return found | {("Source complete again", source, "") for source in earlier - now}

    def ledger(self, day: int) -> Counter[str]:
        """Return leavers x applications by outcome."""
        return Counter(self._outcome(one, app, day) for one in self.world.people if one.has_left(day) for app in APPS)

    def _outcome(self, one: Person, app: str, day: int) -> str:
        reads = self.reads[app]
        _, shown, is_complete = reads[-1]
        due = (one.left or 0) + 2  # the first scan after the time allowed
        if one.name not in shown:
            return "cannot_tell"
        if shown[one.name]:
            if day >= due:
                return "open"
            return "not_due" if is_complete else "cannot_tell"
        # Off: seen on by the last complete scan of the stretch in which it was on, seen off by the first scan after.
        off = max(n for n, (_, seen, _) in enumerate(reads) if seen.get(one.name) is True) + 1
        closed = next(d for d, seen, _ in reads[off:] if one.name in seen)
        active = max(d for d, _, complete in reads if complete and d < closed)
        if closed < due:
            outcome = "closed_in_time"
        elif active >= due:
            outcome = "closed_late"
        else:
            outcome = "cannot_tell"
        return outcome if is_complete or outcome == "closed_late" else "cannot_tell"


def owner_of(app: str) -> str:
    """Return the address of who answers for an application."""
    return f"{app}-owner@acme.example"


def receiver(name: str, port: int, more: str, to: str) -> str:
    """Return the settings of a receiver of mail that may read names."""
    days = ", ".join(f"{one} = {OVERDUE_DAYS}" for one in Severity)
    return (
        f'[[notify]]\nid = "{name}"\ntype = "email"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nprivacy = "L2"\n'
        f'sender = "scan@acme.example"\nto = ["{to}"]\nmin_severity = "info"\noverdue_days = {{ {days} }}\n{more}\n'
    )


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


def date(day: int) -> str:
    """Return a day of the simulation as HR writes it."""
    return f"{FIRST + timedelta(days=day):%Y-%m-%d}"


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
