"""What a directory holds, in the ways of each kind of directory, and what it hides, cuts off or keeps elsewhere."""

import base64
import json
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ldap
import pytest
import slapd
from contract import CANARY
from ldap_between import Ranges, between
from pyasn1.codec.ber import decoder, encoder
from pyasn1_modules import rfc2251
from rig_directories import PEOPLE, application, collect, group, person
from slapd import BASE, Directory

from scanner.collectors import SOURCES, directory_link
from scanner.collectors.directory_kinds import generalized, sid
from scanner.collectors.directory_names import key, same
from scanner.config import Limits
from scanner.connections import LdapSettings
from scanner.credentials import Auth
from scanner.model import Collected, Verdict

GROUPS = f"ou=groups,{BASE}"
DOMAIN = (21, 1, 2, 3)
NEVER = str(0x7FFF_FFFF_FFFF_FFFF)


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


def filetime(moment: datetime) -> str:
    """Return an instant as Active Directory writes it."""
    return str(int((moment - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000)


def security_id(last: int) -> bytes:
    """Return the identifier of an account or group of the domain."""
    parts = (*DOMAIN, last)
    return bytes([1, len(parts)]) + (5).to_bytes(6, "big") + struct.pack(f"<{len(parts)}I", *parts)


def ad_entry(name: str, place: str, classes: list[str], number: int, **more: str | list[str]) -> str:
    """Return an entry of Active Directory as LDIF."""
    values: dict[str, str | list[str]] = {
        "objectClass": ["top", *classes, "extensibleObject"],
        "cn": name,
        "instanceType": "4",
        "nTSecurityDescriptor": "x",
        "objectCategory": f"cn=person,{BASE}",
        "sAMAccountName": name,
        **more,
    }
    lines = [f"dn: cn={name},{place}", f"objectGUID:: {base64.b64encode(uuid.UUID(int=number).bytes_le).decode()}"]
    lines.append(f"objectSid:: {base64.b64encode(security_id(number)).decode()}")
    for attribute, said in values.items():
        lines += [f"{attribute}: {value}" for value in ([said] if isinstance(said, str) else said)]
    return "\n".join(lines) + "\n\n"


def ad_user(name: str, number: int, **more: str | list[str]) -> str:
    """Return a user that may sign in, unless told otherwise."""
    usual = {"sn": name, "userAccountControl": "512", "accountExpires": NEVER, "primaryGroupID": "513"}
    return ad_entry(name, PEOPLE, ["user"], number, **{**usual, **more})


def ad_group(name: str, number: int, *members: str, kind: str = "-2147483646", **more: str) -> str:
    """Return a group, of users by name and groups as group:name; one that gives rights, unless told otherwise."""
    named = [f"cn={one[6:]},{GROUPS}" if one.startswith("group:") else f"cn={one},{PEOPLE}" for one in members]
    return ad_entry(name, GROUPS, ["group"], number, groupType=kind, **({"member": named} if named else {}), **more)


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


@pytest.mark.parametrize(("known", "verdict"), [((), Verdict.SHORT), ((GROUPS,), Verdict.COMPLETE)])
def test_a_group_outside_of_the_base_is_told(known: tuple[str, ...], verdict: Verdict, tmp_path: Path) -> None:
    """The membership counts, by what the account says of itself; the list is short unless the place is known."""
    entries = person("ada") + group("Admins", f"uid=ada,{PEOPLE}")
    with slapd.directory(entries, CANARY, overlays="overlay memberof") as served:
        con = served.connect()
        con.modify_s(f"cn=Admins,{GROUPS}", [(ldap.MOD_REPLACE, "member", [f"uid=ada,{PEOPLE}".encode()])])
        settings = LdapSettings(url=served.url, base=PEOPLE, elsewhere=known)
        found = collect(application(served, settings), tmp_path)

    assert found.source.verdict is verdict
    assert ("1 groups that were not listed, such as Admins" in found.source.detail) is (not known)
    assert [one["display"] for one in users(found)["ada"]["groups"]] == ["Admins"]


ELSEWHERE = f"dn: ou=child,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: child\nref: {{ref}}\n\n"


@pytest.mark.parametrize(
    ("known", "verdict"), [((), Verdict.SHORT), ((f"OU=Child, {PEOPLE}",), Verdict.COMPLETE)], ids=["unknown", "known"]
)
def test_a_part_that_another_server_holds_is_not_followed(
    known: tuple[str, ...], verdict: Verdict, tmp_path: Path
) -> None:
    """Nothing is sent there, and without a word about it in the configuration the list is short."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.2)
        ref = f"ldap://127.0.0.1:{stranger.getsockname()[1]}/ou=child,{PEOPLE}"
        with slapd.directory(person("ada") + ELSEWHERE.format(ref=ref), CANARY) as served:
            settings = LdapSettings(url=served.url, base=PEOPLE, groups_base=BASE, elsewhere=known)
            found = collect(application(served, settings), tmp_path)
        with pytest.raises(TimeoutError):
            stranger.accept()

    assert found.source.verdict is verdict, found.source.detail
    assert set(users(found)) == {"ada"}


def test_a_base_that_another_server_holds_fails(tmp_path: Path) -> None:
    """Whoever configured it has to name that server."""
    with slapd.directory(ELSEWHERE.format(ref="ldap://stranger.example"), CANARY) as served:
        found = collect(application(served, LdapSettings(url=served.url, base=f"ou=child,{PEOPLE}")), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert "another server, which is not followed" in found.source.detail


def crowd(count: int) -> str:
    """Return many people."""
    return "".join(person(f"p{at}") for at in range(count))


def test_a_limit_of_the_server_is_never_a_whole_list(tmp_path: Path) -> None:
    """What came until then counts."""
    with slapd.directory(crowd(7), CANARY, settings=f'limits dn.exact="{slapd.READER}" size.prtotal=4') as served:
        found = collect(application(served), tmp_path)

    assert found.source.verdict is Verdict.CAPPED
    assert (found.source.collected, found.source.stated) == (4, None)
    assert "ends the list at a limit of its own: Size limit exceeded" in found.source.detail


@pytest.mark.parametrize(("code", "said"), [("0x33", "Server is busy"), ("0x03", "Time limit exceeded"), ("0x50", "")])
def test_a_server_that_is_busy_late_or_broken_proves_nothing(code: str, said: str, tmp_path: Path) -> None:
    """Its own words are in the verdict."""
    place = f"ou=codes,{BASE}"
    overlay = f'overlay retcode\nretcode-parent "{place}"\nretcode-item "cn=now" {code}'
    with slapd.directory(crowd(1), CANARY, overlays=overlay) as served:
        found = collect(application(served, LdapSettings(url=served.url, base=f"cn=now,{place}")), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert said in found.source.detail


def test_accounts_that_come_while_the_directory_is_read_are_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second walk shows them."""
    with slapd.directory(crowd(2), CANARY) as served:
        con, listed = served.connect(), directory_link.Link.listed
        walks = []

        def hire(*words: Any) -> Iterator[directory_link.Entry]:
            yield from listed(*words)
            if not walks:
                con.add_s(
                    f"uid=late,{PEOPLE}", [("objectClass", [b"inetOrgPerson"]), ("cn", [b"late"]), ("sn", [b"x"])]
                )
            walks.append(words)

        monkeypatch.setattr(directory_link.Link, "listed", hire)
        found = collect(application(served), tmp_path)

    assert (found.source.verdict, found.source.collected) == (Verdict.DRIFT, 2)
    assert "1 accounts came or went" in found.source.detail


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_connection_that_is_cut_is_never_a_whole_list(share: float, tmp_path: Path) -> None:
    """Wherever it breaks off: in a page, in a group, or while the list is proven."""
    with slapd.directory(crowd(9) + group("g", f"uid=p0,{PEOPLE}"), CANARY) as served:
        seen: list[int] = []
        with between(served, answer=lambda message: seen.append(len(message)) or message) as url:
            whole = collect(application(served, LdapSettings(url=url, base=BASE)), tmp_path / "whole")
        with between(served, cut_after=int(sum(seen) * share)) as url:
            found = collect(application(served, LdapSettings(url=url, base=BASE)), tmp_path / "cut")

    assert (whole.source.verdict, whole.source.collected) == (Verdict.COMPLETE, 10)
    assert found.source.verdict is Verdict.FAILED, found.source
    assert found.source.collected <= 10
    assert "Can't contact LDAP server" in found.source.detail


def test_the_members_of_a_large_group_come_in_ranges(tmp_path: Path) -> None:
    """All of them, however many the directory gives at a time; ten in threes."""
    ranges = Ranges(3)
    entries = crowd(10) + group("all", *(f"uid=p{at},{PEOPLE}" for at in range(10)))
    with (
        slapd.directory(entries, CANARY) as served,
        between(served, ask=ranges.ask, answer=ranges.answer) as url,
    ):
        found = collect(application(served, LdapSettings(url=url, base=BASE)), tmp_path)

    assert found.source.verdict is Verdict.COMPLETE, found.source.detail
    assert ranges.asked == [0, 3, 6, 9]
    assert memberships(found) == {"all": {f"p{at}" for at in range(10)}}


def test_a_server_that_forgets_to_page_is_not_believed(tmp_path: Path) -> None:
    """An answer without the control for pages may be cut off anywhere."""

    def without_controls(message: bytes) -> bytes:
        decoded, _ = decoder.decode(message, asn1Spec=rfc2251.LDAPMessage())
        if decoded["protocolOp"].getName() == "searchResDone":
            bare = rfc2251.LDAPMessage()
            bare["messageID"], bare["protocolOp"] = decoded["messageID"], decoded["protocolOp"]
            return bytes(encoder.encode(bare))
        return message

    with slapd.directory(crowd(3), CANARY) as served, between(served, answer=without_controls) as url:
        found = collect(application(served, LdapSettings(url=url, base=BASE)), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert "without the control for pages" in found.source.detail


@pytest.mark.parametrize("start_tls", [True, False])
def test_a_certificate_is_demanded_whatever_the_machine_says(
    start_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trusted with ca_file; without it the password is not sent, even where the environment asks for no proof."""
    monkeypatch.setenv("LDAPTLS_REQCERT", "never")
    with slapd.directory(person("ada"), CANARY) as served:
        settings = LdapSettings(url=served.url if start_tls else served.tls_url, start_tls=start_tls)
        trusted = collect(application(served, settings, ca_file=served.ca_file), tmp_path / "trusted")
        stranger = collect(application(served, settings), tmp_path / "stranger")

    assert trusted.source.verdict is Verdict.COMPLETE, trusted.source.detail
    assert stranger.source.verdict is Verdict.FAILED
    assert "set ca_file" in stranger.source.detail


def test_a_server_that_does_not_encrypt_is_not_signed_in_to(tmp_path: Path) -> None:
    """With start_tls a server, or a stranger in front of it, that refuses encryption never sees the password."""
    seen: list[bytes] = []

    def refuse(message: bytes) -> bytes:
        seen.append(message)
        return message.replace(b"1.3.6.1.4.1.1466.20037", b"1.3.6.1.4.1.1466.20038")

    with slapd.directory(person("ada"), CANARY) as served, between(served, ask=refuse) as url:
        found = collect(application(served, LdapSettings(url=url, start_tls=True), ca_file=served.ca_file), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert seen
    assert CANARY.encode() not in b"".join(seen)


def test_a_stale_or_unknown_reader_is_told(tmp_path: Path) -> None:
    """With the words of the server, without the password; one without a name reads what everybody may see."""
    everybody = "access to attrs=userPassword by anonymous auth\naccess to * by * read"
    with slapd.directory(person("ada"), CANARY, access=everybody) as served:
        auth = application(served).auth
        wrong = collect(application(served, auth=replace(auth, username=f"cn=nobody,{BASE}")), tmp_path / "wrong")
        nobody = collect(application(served, auth=Auth("none")), tmp_path / "nobody")
        silent = collect(application(served, auth=replace(auth, username="")), tmp_path / "silent")

    assert (wrong.source.verdict, wrong.source.collected) == (Verdict.FAILED, 0)
    assert "does not let us in: Invalid credentials" in wrong.source.detail
    assert "read without signing in" in nobody.source.detail
    assert silent.source.verdict is Verdict.FAILED, silent.source
    assert CANARY not in repr((wrong, nobody, silent))


@pytest.mark.parametrize(
    ("scheme", "start_tls", "said"),
    [("ldap", False, "no answer within"), ("ldap", True, "silent for"), ("ldaps", False, "silent for")],
)
def test_a_server_that_is_silent_is_given_up(scheme: str, start_tls: bool, said: str, tmp_path: Path) -> None:
    """After timeout_seconds, also while the connection is being encrypted."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = LdapSettings(url=f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", start_tls=start_tls)
        limits = Limits(retries=0, timeout_seconds=0.3, max_seconds=5)
        found = collect(application(Directory("", "", tmp_path), settings, limits=limits), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert said in found.source.detail


def test_a_server_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    """A byte now and then resets every other clock; max_seconds ends it."""
    is_cut = threading.Event()

    def drip(listening: socket.socket) -> None:
        client, _ = listening.accept()
        try:
            for byte in b"\x30\x84\x00\xff\xff\xff" + bytes(10_000):
                client.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            is_cut.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        settings = LdapSettings(url=f"ldap://127.0.0.1:{listening.getsockname()[1]}")
        limits = Limits(retries=0, timeout_seconds=30, max_seconds=1)
        found = collect(application(Directory("", "", tmp_path), settings, limits=limits), tmp_path)
        assert is_cut.wait(30)

    assert found.source.verdict is Verdict.FAILED


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    """Though an authority that is trusted made it."""
    with slapd.directory(person("ada"), CANARY) as served:
        settings = LdapSettings(url=served.tls_url.replace("127.0.0.1", "localhost"))
        found = collect(application(served, settings, ca_file=served.ca_file), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert "its certificate is not trusted" in found.source.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20260301080000Z", "2026-03-01T08:00:00+00:00"),
        ("20260301080000.123Z", "2026-03-01T08:00:00+00:00"),
        ("202603010800Z", "2026-03-01T08:00:00+00:00"),
        ("20260301080000+0130", "2026-03-01T06:30:00+00:00"),
        ("20261301080000Z", None),
        ("000001010000Z", None),
        ("yesterday", None),
    ],
)
def test_times_are_read_as_the_standard_writes_them(text: str, said: str | None) -> None:
    """RFC 4517, 3.3.13; anything else is no time."""
    found = generalized(text)

    assert (found and found.isoformat()) == said


def test_a_security_identifier_is_read_as_people_write_it() -> None:
    """A damaged one is none."""
    assert sid(security_id(513)) == "S-1-5-21-1-2-3-513"
    assert sid(security_id(513)[:-1]) is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("cn=A,dc=x", "CN=a, DC=X", True),
        ('cn="A,B",dc=x', r"cn=a\2cb,dc=x", True),
        (r"cn=A\,B,dc=x", r"cn=a\2CB,dc=x", True),
        ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x", True),
        ("cn=a,dc=x", "cn=a,dc=y", False),
        ("cn=a\\", "cn=a\\", True),
    ],
)
def test_distinguished_names_have_many_spellings(one: str, other: str, is_same: bool) -> None:
    """RFC 4514; what is none is compared as it stands."""
    assert same(one, other) is is_same
    assert (key(one) == key(other)) is is_same
