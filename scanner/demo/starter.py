"""The small sample that `orphanscan init` copies beside a new configuration: 12 people, one export of 15 accounts."""

from collections.abc import Iterator
from typing import Any

from scanner.demo.lines import by_lines
from scanner.demo.servers import resource_id

DOMAIN = "tarnwick.example"

_PEOPLE = (
    "employee_number,first_name,last_name,email,status,worker_type,hire_date,termination_date,contract_end,department",
    "0001,Amelia,Foss,amelia.foss@{},active,employee,2015-02-02,,,Management",
    "0002,Björn,Dahlgren,bjorn.dahlgren@{},active,employee,2016-04-01,,,Sales",
    "0003,Chiara,Neri,chiara.neri@{},active,employee,2017-09-04,,,Sales",
    "0004,Dmitri,Volkov,dmitri.volkov@{},terminated,employee,2018-01-08,2025-09-30,,Sales",
    "0005,Elif,Şahin,elif.sahin@{},active,employee,2018-03-05,,,Finance",
    "0006,Fergus,O'Hare,fergus.ohare@{},on_leave,employee,2019-07-01,,,Finance",
    "0007,Greta,Lindholm,greta.lindholm@{},active,employee,2019-10-01,,,IT",
    "0008,Hugo,Martín,hugo.martin@{},terminated,employee,2020-02-03,2025-06-30,,IT",
    "0009,Ines,Carvalho,ines.carvalho@{},active,employee,2020-08-03,,,IT",
    "0010,Jonas,Weiß,jonas.weiss@{},active,employee,2021-01-04,,,Operations",
    "0011,Keiko,Tanaka,keiko.tanaka@{},active,contractor,2024-01-08,,2025-12-31,IT",
    "0012,Lars,Ødegaard,lars.odegaard@{},active,employee,2022-05-02,,,Operations",
)

# user name, display name, e-mail ('' = none), employee number, active, groups
_ACCOUNTS: tuple[tuple[str, str, str, str, bool, str], ...] = (
    ("amelia.foss", "Amelia Foss", "amelia.foss@{}", "0001", True, "Staff"),
    ("bjorn.dahlgren", "Björn Dahlgren", "bjorn.dahlgren@{}", "0002", True, "Staff"),
    ("chiara.neri", "Chiara Neri", "chiara.neri@{}", "0003", True, "Staff"),
    ("chiara.neri.2", "Chiara Neri", "chiara.neri+2@{}", "0003", True, "Staff"),
    ("dmitri.volkov", "Dmitri Volkov", "dmitri.volkov@{}", "0004", True, "Staff"),
    ("elif.sahin", "Elif Şahin", "elif.sahin@{}", "0005", True, "Staff"),
    ("fergus.ohare", "Fergus O'Hare", "fergus.ohare@{}", "0006", True, "Staff"),
    ("greta.lindholm", "Greta Lindholm", "greta.lindholm@{}", "0007", True, "Administrators"),
    ("hugo.martin", "Hugo Martín", "hugo.martin@{}", "0008", False, "Administrators"),
    ("ines.carvalho", "Ines Carvalho", "ines.carvalho@{}", "0009", True, "Administrators"),
    ("jonas.weiss", "Jonas Weiß", "jonas.weiss@{}", "0010", True, "Staff"),
    ("keiko.tanaka", "Keiko Tanaka", "keiko.tanaka@{}", "0011", True, "Staff"),
    ("lars.odegaard", "Lars Ødegaard", "lars.odegaard@{}", "0012", True, "Staff"),
    ("old.intranet", "Old intranet", "old.intranet@{}", "", True, ""),
    ("svc-backup", "Backup robot", "", "", True, ""),
)


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of the generated files of the starter."""
    yield "hr.csv", "".join(f"{row.format(DOMAIN)}\n" for row in _PEOPLE).encode()
    groups = [_group(name) for name in ("Administrators", "Staff")]
    resources = [*(_user(*account) for account in _ACCOUNTS), *groups]
    document = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(resources),
        "Resources": resources,
    }
    yield "users.json", by_lines(document)


def _user(username: str, display: str, email: str, number: str, active: bool, _group: str) -> dict[str, Any]:
    """Return one account as a SCIM user."""
    core, enterprise = (f"urn:ietf:params:scim:schemas:{name}:2.0:User" for name in ("core", "extension:enterprise"))
    user: dict[str, Any] = {
        "schemas": [core, enterprise] if number else [core],
        "id": resource_id("starter", username),
        "userName": username,
        "displayName": display,
        "active": active,
    }
    if email:
        user["emails"] = [{"value": email.format(DOMAIN), "primary": True}]
    if number:
        user[enterprise] = {"employeeNumber": number}
    return user


def _group(name: str) -> dict[str, Any]:
    """Return one group with its members."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": resource_id("starter", name),
        "displayName": name,
        "members": [{"value": resource_id("starter", account[0])} for account in _ACCOUNTS if account[5] == name],
    }
