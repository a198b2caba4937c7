"""The demo company before anything goes wrong: everybody has the accounts of their department, leavers' are closed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from scanner.demo.people import TODAY, Person, build
from scanner.demo.servers import ACTIVITY

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_EVERYBODY: tuple[str, ...] = ()

USERS_OF = {
    "directory": _EVERYBODY,
    "crm": ("Sales", "Customer Service", "Management"),
    "erp": ("Finance", "Procurement", "Human Resources", "Management"),
    "ehr": ("Nursing", "Physicians", "Laboratory"),
    "code": ("Information Technology",),
    "wiki": _EVERYBODY,
    "helpdesk": ("Customer Service", "Operations", "Information Technology", "Human Resources", "Nursing"),
}
"""Application -> departments whose people have an account; empty: all."""

EMPLOYEES_ONLY = ("erp", "ehr", "wiki")

LAUNCHED = date(2016, 1, 4)
"""The day on which the present systems went live; older staff were brought in on that day."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, before it becomes a SCIM resource."""

    username: str
    display: str
    email: str | None
    number: str | None = None
    active: bool | None = True
    """None: the application does not say."""
    created: datetime | None = None
    signed_in: datetime | None = None
    last_activity: datetime | None = None
    deactivated: datetime | None = None
    department: str | None = None
    roles: tuple[str, ...] = ()

    def resource(self, *, activity: bool) -> dict[str, Any]:
        """Return the account as a SCIM user without an id; sign-ins only where the application has them."""
        document: dict[str, Any] = {
            "schemas": [CORE, ENTERPRISE, ACTIVITY],
            "userName": self.username,
            "displayName": self.display,
            "name": {"formatted": self.display},
        }
        if self.active is not None:
            document["active"] = self.active
        if self.email:
            document["emails"] = [{"value": self.email, "type": "work", "primary": True}]
        if self.roles:
            document["roles"] = [{"value": role, "type": "work"} for role in self.roles]
        enterprise = {"employeeNumber": self.number, "department": self.department}
        times = {
            "createdOn": self.created,
            "lastSignIn": self.signed_in if activity else None,
            "lastActivity": self.last_activity if activity else None,
            "deactivatedOn": self.deactivated,
        }
        said = {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" for name, value in times.items() if value}
        for schema, values in ((ENTERPRISE, {k: v for k, v in enterprise.items() if v}), (ACTIVITY, said)):
            if values:
                document[schema] = values
            else:
                document["schemas"].remove(schema)
        return document


@dataclass(frozen=True, slots=True)
class Planted:
    """One violation that the scan must find."""

    rule: str
    app: str | None
    username: str | None
    why: str
    severity: str
    entitlement: str | None = None
    worker: Person | None = None
    subject: str | None = None
    verdict: str = "fail"


@dataclass(slots=True)
class World:
    """People, accounts and groups, and what was planted into them."""

    people: list[Person]
    accounts: dict[str, dict[str, Account]]
    groups: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    """User names that the proxy before the wiki does not show."""

    def person(self, tag: str) -> Person:
        """Return the person with this story; of two employments, the first."""
        return next(person for person in self.people if person.tag == tag)

    def add(self, app: str, account: Account) -> None:
        """Create an account."""
        if account.username in self.accounts[app]:
            raise ValueError(f"{app} has {account.username} already")
        self.accounts[app][account.username] = account

    def change(self, app: str, person: Person, **values: Any) -> str:
        """Change the ordinary account of a person and return its user name."""
        self.accounts[app][person.email] = replace(self.accounts[app][person.email], **values)
        return person.email

    def rename(self, app: str, person: Person, account: Account) -> None:
        """Put another account in place of the ordinary one of a person."""
        del self.accounts[app][person.email]
        for members in self.groups[app].values():
            members[:] = [account.username if name == person.email else name for name in members]
        self.add(app, account)

    def join(self, app: str, group: str, usernames: Iterable[str]) -> None:
        """Put accounts into a group."""
        self.groups.setdefault(app, {}).setdefault(group, []).extend(usernames)

    def expect(self, rule: str, app: str | None, username: str | None, why: str, severity: str, **more: Any) -> None:
        """Note that the scan must find this."""
        self.planted.append(Planted(rule, app, username, why, severity, **more))


def ordinary_world() -> World:
    """Return the company in order."""
    people = build()
    world = World(people, {app: {} for app in USERS_OF})
    for app, departments in USERS_OF.items():
        for number, person in enumerate(people):
            # The second employment of a person brings no second account.
            if _uses(person, app, departments) and person.email not in world.accounts[app]:
                account = _account(person, number)
                world.add(app, account)
                if account.active:
                    world.join(app, person.department, [account.username])
    return world


def _uses(person: Person, app: str, departments: tuple[str, ...]) -> bool:
    """Return whether a person has an account in an application."""
    if person.status == "pre_hire" or (person.roster == "contractors" and app in EMPLOYEES_ONLY):
        return False
    return not departments or person.department in departments


def _account(person: Person, number: int) -> Account:
    """Return the account that a person would have if everything went well."""
    created = datetime.combine(max(person.hired, LAUNCHED), time(8))
    account = Account(
        person.email, person.name, person.email, person.number, created=created, department=person.department
    )
    if person.status == "terminated" and person.ended and person.tag not in ("rehire", "two-jobs"):
        end = datetime.combine(person.ended, time(15))
        # Some were closed five days late: no open access any more, but late in the ledger.
        is_late = number % 5 == 0 and person.ended < TODAY - timedelta(days=20)
        closed = end + timedelta(hours=1, days=5 if is_late else 0)
        return replace(account, active=False, deactivated=closed, signed_in=end - timedelta(hours=2 + number % 40))
    days = 61 if person.status == "on_leave" else number * 7 % 26
    return replace(account, signed_in=datetime.combine(TODAY, time(5)) - timedelta(days=days, minutes=number))
