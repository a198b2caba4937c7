"""A company that moves for thirty days, what it delivers each day, and what a scan of that must raise."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner import rules
from scanner.model import Severity

FIRST = datetime(2026, 3, 1, 6, tzinfo=UTC)
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

Key = tuple[str, str, str]
"""Rule, application, account; for what is about a person, no application and the person."""


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


def date(day: int) -> str:
    """Return a day of the simulation as HR writes it."""
    return f"{FIRST + timedelta(days=day):%Y-%m-%d}"
