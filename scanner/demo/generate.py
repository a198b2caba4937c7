"""Writes sample_data: `python -m scanner.demo.generate [FOLDER]`. No clock and no chance: the same bytes each time."""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from scanner import paths
from scanner.demo import starter
from scanner.demo.lines import by_lines
from scanner.demo.people import Person
from scanner.demo.plants import plant
from scanner.demo.servers import resource_id
from scanner.demo.workbook import workbook
from scanner.demo.world import World, ordinary_world

AS_OF = "2026-11-20T06:00:00Z"
EXPORTED = "helpdesk"
"""The application that is known by a saved export instead of a live server. It has no sign-in data."""

_STATUS = {"active": "aktiv", "on_leave": "beurlaubt", "terminated": "ausgetreten", "pre_hire": "vorgemerkt"}
_HR = (
    "Personalnummer", "PersonenID", "Nachname", "Vorname", "E-Mail", "Weitere E-Mails", "Status", "Eintritt",
    "Austritt", "Abteilung", "Stelle", "Vorgesetzte",
)  # fmt: skip
_CONTRACTORS = (
    "Contractor ID",
    "Full name",
    "E-mail",
    "State",
    "Type",
    "Start",
    "End",
    "Contract end",
    "Unit",
    "Sponsor",
)


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every generated file."""
    world = ordinary_world()
    plant(world)
    yield "hr.csv", _hr([person for person in world.people if person.roster == "hr"])
    yield "contractors.xlsx", _contractors([person for person in world.people if person.roster == "contractors"])
    for app in world.accounts:
        document = _export(app, world) if app == EXPORTED else _seed(app, world)
        yield f"applications/{app}.json", by_lines(document)
    yield "expected.json", by_lines(_expected(world))
    yield from ((f"starter/{name}", content) for name, content in starter.files())


def write(folder: Path) -> None:
    """Write every generated file into a folder."""
    for name, content in files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _hr(people: list[Person]) -> bytes:
    """Return the employees as the HR system exports them: semicolons, German dates, a byte order mark."""
    text = io.StringIO()
    rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
    rows.writerow(_HR)
    for person in people:
        rows.writerow(
            (
                person.number,
                person.person,
                person.last,
                person.first,
                person.email,
                person.other_emails,
                _STATUS[person.status],
                _german(person.hired),
                _german(person.ended),
                person.department,
                person.title,
                person.manager,
            )
        )
    return text.getvalue().encode("utf-8-sig")


def _german(day: date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


def _contractors(people: list[Person]) -> bytes:
    """Return the contractors as procurement keeps them: an Excel sheet with real date cells."""
    rows: list[tuple[Any, ...]] = [
        (
            person.number,
            person.name,
            person.email,
            "Ended" if person.status == "terminated" else "Active",
            person.worker_type,
            person.hired,
            person.ended,
            person.contract_end,
            person.department,
            person.manager,
        )
        for person in people
    ]
    return workbook("Contractors", [_CONTRACTORS, *rows])


def _seed(app: str, world: World) -> dict[str, Any]:
    """Return the users and groups that a live server is seeded with."""
    seed: dict[str, Any] = {
        "users": [account.resource(activity=True) for account in world.accounts[app].values()],
        "groups": [
            {"displayName": name, "members": members} for name, members in sorted(world.groups.get(app, {}).items())
        ],
    }
    return {"withheld": world.withheld, **seed} if app == "wiki" else seed


def _export(app: str, world: World) -> dict[str, Any]:
    """Return the users and groups of one application as a saved SCIM answer, without sign-in data."""
    users = [
        {"id": resource_id(app, name), **account.resource(activity=False)}
        for name, account in world.accounts[app].items()
    ]
    groups = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "id": resource_id(app, name),
            "displayName": name,
            "members": [{"value": resource_id(app, member), "type": "User"} for member in members],
        }
        for name, members in sorted(world.groups[app].items())
    ]
    return list_response([*users, *groups])


def list_response(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return resources as one SCIM list answer."""
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(resources),
        "startIndex": 1,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _expected(world: World) -> dict[str, Any]:
    """Return what the scan must find, and nothing else."""
    found = [
        {
            "rule": item.rule,
            "app": item.app,
            "username": item.username,
            "entitlement": item.entitlement,
            "worker": item.worker.number if item.worker else None,
            "worker_id": item.worker.worker_id if item.worker else None,
            "subject": item.subject,
            "verdict": item.verdict,
            "severity": item.severity,
            "why": item.why,
        }
        for item in world.planted
    ]
    return {"as_of": AS_OF, "findings": found}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else paths.bundled("sample_data"))
