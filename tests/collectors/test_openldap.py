"""What OpenLDAP holds: who may sign in, and four ways of being in a group."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import slapd
from contract import CANARY
from rig_directories import GROUPS, PEOPLE, application, collect, group, memberships, person, users

from scanner.model import Collected, Verdict

UNIX = "".join(
    (
        person("ada", objectClass=["inetOrgPerson", "posixAccount"], uidNumber="1", gidNumber="10", homeDirectory="/"),
        person("bo", pwdAccountLockedTime="000001010000Z"),
        person("cy", pwdAccountLockedTime="20200101000000Z"),
        person("di", objectClass=["inetOrgPerson", "shadowAccount"], shadowExpire="12000"),
        person("ed", objectClass=["inetOrgPerson", "shadowAccount"], shadowExpire="-1"),
        person("fay", objectClass=["inetOrgPerson", "shadowAccount"], shadowExpire="0"),
        person("gil", mail="gil@acme.example", employeeNumber="0042"),
        group("staff", "ada", "gil", kind="posixGroup\ngidNumber: 10", attribute="memberUid"),
        group("wheel", "gil", "nobody-here", kind="posixGroup\ngidNumber: 11", attribute="memberUid"),
        group("editors", f"uid=bo, {PEOPLE.upper()}", f"cn=Owners,{GROUPS}"),
        group("Owners", f"uid=cy,{PEOPLE}", kind="groupOfUniqueNames", attribute="uniqueMember"),
    )
)


@pytest.fixture(scope="module")
def unix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    """Collect a company that keeps its people in OpenLDAP."""
    with slapd.directory(UNIX, CANARY) as served:
        yield collect(application(served), tmp_path_factory.mktemp("unix"))


def test_openldap_says_who_may_sign_in(unix: Collected) -> None:
    """An administrator's lock and a past expiry close an account; other locks do not; what 0 means nobody knows."""
    assert unix.source.verdict is Verdict.COMPLETE, unix.source.detail
    assert {name: one["active"] for name, one in users(unix).items()} == {
        "ada": True,
        "bo": False,
        "cy": True,
        "di": False,
        "ed": True,
        "fay": None,
        "gil": True,
    }
    assert users(unix)["di"]["deactivated_at"] == "2002-11-09T00:00:00Z"
    assert users(unix)["gil"]["employee_number"] == "0042"
    assert uuid.UUID(users(unix)["gil"]["id"])


def test_openldap_says_in_four_ways_who_is_in_a_group(unix: Collected) -> None:
    """member, uniqueMember, memberUid and the primary gidNumber, in any spelling; strangers are counted."""
    assert memberships(unix) == {
        "staff": {"ada", "gil"},
        "wheel": {"gil"},
        "editors": {"bo", "Owners"},
        "Owners": {"cy"},
    }
    assert "1 members of groups are no accounts that were read" in unix.source.detail


def test_a_user_name_that_two_accounts_have_is_nobodys_in_a_group(tmp_path: Path) -> None:
    """Which of them is meant cannot be told."""
    twice = f"dn: ou=more,{PEOPLE}\nobjectClass: organizationalUnit\nou: more\n\n"
    twice += person("gil").replace(f"uid=gil,{PEOPLE}", f"uid=gil,ou=more,{PEOPLE}")
    entries = person("gil") + twice + group("wheel", "gil", kind="posixGroup\ngidNumber: 11", attribute="memberUid")
    with slapd.directory(entries, CANARY) as served:
        found = collect(application(served), tmp_path)

    assert memberships(found) == {"wheel": set()}
