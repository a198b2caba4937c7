"""Collects the HR roster from BambooHR's list of employees.

Rights needed: an API key of a user whose access level may see all employees, active or not, and each field that is
asked for. Covers the employees whom that user may see; a field that it may not see comes empty and is named in
_restrictedFields, which makes the roster `short`. Somebody who will leave stays Active until that day. Names of
statuses are the customer's own. BambooHR states no rate limit; it answers 429 or 503 with Retry-After, which is
waited for.
"""

from dataclasses import replace
from pathlib import Path

from scanner.collectors import rest_roster
from scanner.collectors.interface import Look, Progress
from scanner.collectors.rest_source import Record
from scanner.config import Roster
from scanner.connections import RestSettings
from scanner.model import Collected

COLUMNS = {
    "person_id": "employeeId",
    "employee_number": "employeeNumber",
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "workEmail",
    "status": "status",
    "hire_date": "hireDate",
    "termination_date": "terminationDate",
    "department": "departmentName",
    "job_title": "jobTitleName",
}
"""Where the configuration does not say otherwise. Never bestEmail, which is the private address of many."""
_ALWAYS = ("employeeId", "firstName", "lastName", "status", "jobTitleName")
_LIST = RestSettings(
    path="/api/v1/employees",
    items="data",
    paging="cursor",
    parameter="page[after]",
    size_parameter="page[limit]",
    next="meta.page.nextCursor",
)


def collect_bamboohr(roster: Roster, into: Path, progress: Progress) -> Collected:
    """Leave workers.ndjson in `into`, with the verdict on the list."""
    roster = _mapped(roster)
    asked = set(roster.columns.values())
    restricted: set[str] = set()

    def note(record: Record) -> None:
        said = record.get("_restrictedFields")
        restricted.update(asked.intersection(map(str, said if isinstance(said, list) else ())))

    def doubts() -> list[str]:
        return [f"of some people this key may not see {', '.join(sorted(restricted))}"] if restricted else []

    return rest_roster.collect(roster, _list(roster), into, progress, note, doubts)


def look(roster: Roster) -> Look:
    """Ask for one employee, as a scan would; raises SourceError where a scan would fail."""
    roster = _mapped(roster)
    return rest_roster.look_at(roster, _list(roster))


def _mapped(roster: Roster) -> Roster:
    return replace(roster, columns={**COLUMNS, **roster.columns})


def _list(roster: Roster) -> RestSettings:
    fields = dict.fromkeys(theirs.partition(".")[0] for theirs in roster.columns.values())
    return replace(_LIST, query={"fields": ",".join(name for name in fields if name not in _ALWAYS)})
