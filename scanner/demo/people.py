"""The people of the demo company: about 340 employees and 60 contractors, ordinary ones and those with a story."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from scanner.demo.cast import CONTRACTORS, EMPLOYEES, Role
from scanner.demo.names import mail_name, pair

DOMAIN = "brindlewick.example"
TODAY = date(2026, 11, 20)
"""The local day of the fixed clock, 2026-11-20T06:00:00Z."""

STAFF = {
    "Management": 8,
    "Finance": 30,
    "Procurement": 16,
    "Human Resources": 12,
    "Sales": 48,
    "Customer Service": 28,
    "Nursing": 64,
    "Physicians": 30,
    "Laboratory": 20,
    "Information Technology": 30,
    "Operations": 32,
}
"""Ordinary employees of each department: 318, of whom some have left, are on leave or have not started."""

_TITLES = {
    "Management": ("Director", "Assistant to the Board"),
    "Finance": ("Accountant", "Controller", "Payment Clerk"),
    "Procurement": ("Buyer", "Category Lead"),
    "Human Resources": ("HR Partner", "Recruiter"),
    "Sales": ("Account Manager", "Sales Assistant", "Key Account Lead"),
    "Customer Service": ("Service Agent", "Team Lead"),
    "Nursing": ("Nurse", "Ward Manager", "Nursing Assistant"),
    "Physicians": ("Physician", "Senior Physician"),
    "Laboratory": ("Technician", "Biologist"),
    "Information Technology": ("Engineer", "Administrator", "Architect"),
    "Operations": ("Technician", "Planner", "Dispatcher"),
}
_ORDINARY_CONTRACTORS = 46


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a roster: an employment. Two rows of one person share `person`."""

    roster: str
    number: str
    person: str
    """Person id of HR; contractors have none."""
    first: str
    last: str
    email: str
    department: str
    title: str
    hired: date
    status: str = "active"
    ended: date | None = None
    contract_end: date | None = None
    worker_type: str = "employee"
    other_emails: str = ""
    manager: str = ""
    tag: str = ""

    @property
    def worker_id(self) -> str:
        """The id that the scan gives to the person."""
        return self.person or f"{self.roster}:{self.number}"

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.first} {self.last}"


def build() -> list[Person]:
    """Return all roster rows, employees first."""
    people = [*_ordinary(), *(_employee(row, role) for row, role in enumerate(EMPLOYEES))]
    heads: dict[str, str] = {}
    for person in people:
        if person.status == "active":
            heads.setdefault(person.department, person.number)
    people += [_contractor(row, role) for row, role in enumerate((*_ordinary_contractors(), *CONTRACTORS))]
    return [_with_manager(person, heads) for person in people]


def _with_manager(person: Person, heads: dict[str, str]) -> Person:
    """Give a person the head of the department as manager; heads have none."""
    head = heads.get(person.department, "")
    return person if head == person.number else replace(person, manager=head)


def _ordinary() -> list[Person]:
    """Return the employees without a story."""
    departments = [name for name, size in STAFF.items() for _ in range(size)]
    people = []
    for number, department in enumerate(departments):
        first, last = pair(number)
        # Steps without a common divisor with the span spread the dates evenly and need no random numbers.
        hired = date(2008, 1, 7) + timedelta(days=(number * 211) % 6400)
        status, ended = "active", None
        if number % 12 == 7:
            status, ended = "terminated", TODAY - timedelta(days=4 + (number * 13) % 330)
            hired = min(hired, ended - timedelta(days=200))
        elif number % 53 == 11:
            status = "on_leave"
        elif number % 79 == 20:
            status, hired = "pre_hire", date(2026, 12, 1)
        people.append(
            Person(
                roster="hr",
                number=f"{number + 101:06d}",
                person=f"P{number + 20101}",
                first=first,
                last=last,
                email=f"{mail_name(first, last)}@{DOMAIN}",
                department=department,
                title=_TITLES[department][number % len(_TITLES[department])],
                hired=hired,
                status=status,
                ended=ended,
            )
        )
    return people


def _employee(row: int, role: Role) -> Person:
    """Return an employee with a story."""
    return Person(
        roster="hr",
        number=f"{row + 701:06d}",
        person=role.person or f"P{row + 20701}",
        first=role.first,
        last=role.last,
        email=f"{role.mail or mail_name(role.first, role.last)}@{DOMAIN}",
        department=role.department,
        title=_TITLES[role.department][0],
        hired=role.hired,
        status=role.status,
        ended=role.ended,
        other_emails=role.other_emails,
        tag=role.tag,
    )


def _ordinary_contractors() -> list[Role]:
    """Return the contractors without a story: most at work, some gone in time."""
    roles = []
    for number in range(_ORDINARY_CONTRACTORS):
        first, last = pair(400 + number)
        department = ("Information Technology", "Operations", "Nursing", "Customer Service")[number % 4]
        hired = date(2024, 2, 1) + timedelta(days=(number * 17) % 600)
        if number % 9 == 4:
            ended = TODAY - timedelta(days=10 + number * 3)
            roles.append(Role("", first, last, department, hired, "terminated", ended, contract_end=ended))
        else:
            end = TODAY + timedelta(days=20 + (number * 23) % 320)
            roles.append(Role("", first, last, department, hired, contract_end=end))
    return roles


def _contractor(row: int, role: Role) -> Person:
    """Return a contractor, vendor or intern."""
    return Person(
        roster="contractors",
        number=f"C-{row + 1:04d}",
        person="",
        first=role.first,
        last=role.last,
        email=f"{role.mail or mail_name(role.first, role.last)}.ext@{DOMAIN}",
        department=role.department,
        title="",
        hired=role.hired,
        status=role.status,
        ended=role.ended,
        contract_end=role.contract_end,
        worker_type=role.worker_type or ("contractor", "vendor", "contractor", "intern")[row % 4],
        tag=role.tag,
    )
