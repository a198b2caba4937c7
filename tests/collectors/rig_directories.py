"""Directories as sources of the contract: a real slapd for each list."""

import json
import os
from pathlib import Path
from typing import Any

import slapd
from contract import CANARY, HOSTILE, Rig
from slapd import BASE, READER, Directory

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.connections import LdapSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

ROWS = [("007", "ada", "Active"), ("u-2", "bo", "Disabled"), ("u-3", "cy", "Active")]
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
COLUMNS = {"account_id": "employeeNumber", "username": "cn", "status": "employeeType"}
"""Ids of the contract in place of those of the server, and a word for the status."""


def person(uid: str, **more: str | list[str]) -> str:
    """Return a person as LDIF."""
    values = {"objectClass": "inetOrgPerson", "uid": uid, "cn": uid, "sn": "Nobody", **more}
    lines = [f"dn: uid={uid},{PEOPLE}"]
    for name, said in values.items():
        lines += [f"{name}: {value}" for value in ([said] if isinstance(said, str) else said)]
    return "\n".join(lines) + "\n\n"


def group(name: str, *members: str, kind: str = "groupOfNames", attribute: str = "member") -> str:
    """Return a group as LDIF; members by distinguished name."""
    lines = [f"dn: cn={name},{GROUPS}", f"objectClass: {kind}", f"cn: {name}"]
    return "\n".join((*lines, *(f"{attribute}: {member}" for member in members))) + "\n\n"


def application(served: Directory, settings: LdapSettings | None = None, **more: Any) -> Application:
    """Return a directory as orphanscan.toml describes it."""
    os.environ["CONTRACT_LDAP"] = CANARY
    auth = Auth("basic", Secret("env", "CONTRACT_LDAP"), username=READER)
    ldap = settings or LdapSettings(url=served.url, base=PEOPLE, groups_base=BASE)
    usual = {"auth": auth, "limits": Limits(retries=0, max_seconds=30, page_size=2), "time_zone": "UTC"}
    return Application("ldap", "LDAP", "ldap", ldap=ldap, **{**usual, **more})


def collect(app: Application, folder: Path) -> Collected:
    """Collect from a directory."""
    return SOURCES["ldap"].collect(app, folder / "staging", no_progress)


def users(collected: Collected) -> dict[str, dict[str, Any]]:
    """Return the staged accounts by user name."""
    return {one["userName"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}


def memberships(collected: Collected) -> dict[str, set[str]]:
    """Return group -> names of its members, accounts and groups."""
    groups = [json.loads(line) for line in collected.files["groups"].read_text().splitlines()]
    names = {one["id"]: name for name, one in users(collected).items()} | {
        one["id"]: one["displayName"] for one in groups
    }
    return {one["displayName"]: {names[member["value"]] for member in one["members"]} for one in groups}


def entries(rows: list[tuple[str, str, str]] = ROWS) -> str:
    """Return the people of the contract, and their group."""
    people = "".join(
        person(f"p{at}", employeeNumber=number, cn=name, employeeType=word)
        for at, (number, name, word) in enumerate(rows)
    )
    return people + group("Admins", f"uid=p0,{PEOPLE}")


def _collected(folder: Path, rows: list[tuple[str, str, str]] = ROWS, **server: str) -> Collected:
    with slapd.directory(entries(rows), CANARY, **server) as served:  # type: ignore[arg-type]
        return collect(application(served, columns=COLUMNS), folder)


def _look(folder: Path) -> Look:
    with slapd.directory(entries(), CANARY) as served:
        return SOURCES["ldap"].look(application(served, columns=COLUMNS))


def _hostile(folder: Path) -> Collected:
    # cn is escaped by slapd where it stands in a name; here it is a value.
    rows = [(f"h{at}", name, "Active") for at, name in enumerate(HOSTILE)]
    return _collected(folder, rows)


_HIDDEN = f"""
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=groups,{BASE}" attrs=member by * none
access to * by dn.exact="{READER}" read by * none
"""
_MEMBER_OF = "overlay memberof"

RIGS = {
    "ldap": Rig(
        complete=_collected,
        cut=lambda folder: _collected(folder, settings=f'limits dn.exact="{READER}" size.prtotal=2'),
        denied=lambda folder: _hidden(folder),
        duplicates=lambda folder: _collected(folder, [*ROWS, ("u-3", "di", "Active")]),
        odd_status=lambda folder: _collected(folder, [*ROWS, ("u-4", "di", "Perhaps")]),
        hostile=_hostile,
        unreadable=lambda folder: _refused(folder),
        look=_look,
        module="directory",
        page="directories",
    )
}


def _hidden(folder: Path) -> Collected:
    """Hide the members of groups, while accounts say that they are in one."""
    people = entries().replace("employeeNumber: 007", f"employeeNumber: 007\nmemberOf: cn=Admins,ou=groups,{BASE}")
    with slapd.directory(people, CANARY, access=_HIDDEN, overlays=_MEMBER_OF) as served:
        return collect(application(served, columns=COLUMNS), folder)


def _refused(folder: Path) -> Collected:
    with slapd.directory(entries(), f"not-{CANARY[:4]}") as served:
        return collect(application(served, columns=COLUMNS), folder)
