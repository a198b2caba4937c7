"""What Active Directory holds, read from a server with its schema."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import slapd
from active_directory import ad_entry, ad_group, ad_user, filetime
from contract import CANARY
from rig_directories import PEOPLE, application, collect, memberships, users

from scanner.collectors import SOURCES
from scanner.connections import LdapSettings
from scanner.model import Collected, Verdict

NOW = datetime.now(UTC).replace(microsecond=0)
WEEK_AGO = NOW - timedelta(days=7)
CORP = "".join(
    (
        ad_user("ada", 1101, employeeID="007", mail="ada@acme.example", lastLogonTimestamp=filetime(WEEK_AGO)),
        ad_user("bo", 1102, userAccountControl="514", lastLogonTimestamp="0"),
        ad_user("cy", 1103, accountExpires=filetime(WEEK_AGO), whenCreated="20200301080000.0Z"),
        ad_user("di", 1104, accountExpires="0", pwdLastSet=filetime(WEEK_AGO), lockoutTime=filetime(WEEK_AGO)),
        ad_user("ed", 1105, accountExpires=filetime(NOW + timedelta(days=9)), primaryGroupID="1201"),
        ad_user("corp2$", 1106, userAccountControl="2080"),
        ad_entry("laptop", PEOPLE, ["computer"], 1107, sn="x", userAccountControl="4096"),
        ad_group("Domain Users", 513),
        ad_group("Finance", 1201, "ada", "group:Auditors"),
        ad_group("Auditors", 1202, "bo", "group:Finance"),
        ad_group("Domain Admins", 512, "di", adminCount="1"),
        ad_group("Newsletter", 1203, "ada", "bo", kind="2"),
    )
)


@pytest.fixture(scope="module")
def corp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    """Collect a company that keeps its people in Active Directory."""
    with slapd.directory(CORP, CANARY, schema=slapd.ACTIVE_DIRECTORY) as served:
        settings = LdapSettings(url=served.url, directory="active_directory")
        yield collect(application(served, settings), tmp_path_factory.mktemp("corp"))


def test_active_directory_says_who_may_sign_in(corp: Collected) -> None:
    """The bit for disabled and a past expiry close an account; never has two spellings; a lock ends by itself."""
    assert corp.source.verdict is Verdict.COMPLETE, corp.source.detail
    assert {name: one["active"] for name, one in users(corp).items()} == {
        "ada": True,
        "bo": False,
        "cy": False,
        "di": True,
        "ed": True,
        "corp2$": True,
    }
    assert users(corp)["cy"]["deactivated_at"] == WEEK_AGO.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_active_directory_fills_every_field_that_it_has(corp: Collected) -> None:
    """The id is objectGUID as people write it; a trust to another domain is no person."""
    ada = users(corp)["ada"]

    assert ada["id"] == str(uuid.UUID(int=1101))
    assert (ada["employee_number"], ada["emails"][0]["value"]) == ("007", "ada@acme.example")
    assert ada["last_sign_in_at"] == WEEK_AGO.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert users(corp)["bo"]["last_sign_in_at"] is None
    assert users(corp)["cy"]["created_at"] == "2020-03-01T08:00:00Z"
    assert {name: one["kind"] for name, one in users(corp).items() if one["kind"]} == {"corp2$": "service"}


def test_a_sign_in_of_active_directory_is_known_to_fourteen_days(corp: Collected) -> None:
    """The source says so, and rules go by it."""
    assert corp.source.sign_in_grain_days == 14


def test_groups_of_active_directory_hold_members_primary_members_and_groups(corp: Collected) -> None:
    """Lists for mail give no rights; a circle of groups is told as it is."""
    assert memberships(corp) == {
        "Domain Users": {"ada", "bo", "cy", "di", "corp2$"},
        "Finance": {"ada", "ed", "Auditors"},
        "Auditors": {"bo", "Finance"},
        "Domain Admins": {"di"},
    }
    assert "1 groups are lists for mail" in corp.source.detail
    catalogue = [json.loads(line) for line in corp.files["entitlements"].read_text().splitlines()]
    assert [(one["name"], one["is_privileged"]) for one in catalogue] == [("Domain Admins", True)]


def test_the_last_sign_in_can_come_from_another_attribute(tmp_path: Path) -> None:
    """One that is exact on the server that is asked; then nothing is coarse."""
    entries = ad_user("ada", 1101, lastLogon=filetime(WEEK_AGO), lastLogonTimestamp=filetime(NOW - timedelta(days=90)))
    with slapd.directory(entries, CANARY, schema=slapd.ACTIVE_DIRECTORY) as served:
        settings = LdapSettings(url=served.url, directory="active_directory")
        found = collect(application(served, settings, columns={"last_sign_in_at": "lastLogon"}), tmp_path)

    assert users(found)["ada"]["last_sign_in_at"] == WEEK_AGO.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found.source.sign_in_grain_days == 0


def test_who_may_not_read_the_standing_cannot_tell_who_is_active(tmp_path: Path) -> None:
    """Every account would be of unknown status: the list is short, and `doctor` says why beforehand."""
    hidden = "access to attrs=userAccountControl by * none\n" + slapd.ACCESS
    with slapd.directory(CORP, CANARY, schema=slapd.ACTIVE_DIRECTORY, access=hidden) as served:
        settings = LdapSettings(url=served.url, directory="active_directory")
        found = collect(application(served, settings), tmp_path)
        seen = SOURCES["ldap"].look(application(served, settings))

    assert found.source.verdict is Verdict.SHORT
    assert "no account shows userAccountControl" in found.source.detail
    assert users(found)["ada"]["active"] is None
    assert "no account shows userAccountControl" in seen.doubt
