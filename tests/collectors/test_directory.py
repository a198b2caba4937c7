"""What a directory hides, cuts off or keeps elsewhere: never a whole list without a word."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ldap
import pytest
import slapd
from contract import CANARY
from ldap_between import Ranges, between
from pyasn1.codec.ber import decoder, encoder
from pyasn1_modules import rfc2251
from rig_directories import GROUPS, PEOPLE, application, collect, group, memberships, person, users
from slapd import BASE

from scanner.collectors import directory_link
from scanner.connections import LdapSettings
from scanner.model import Verdict


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


@pytest.mark.parametrize(
    ("back", "said", "most"),
    [(1, "a range of the values of member that ends before it begins", 2), (0, "did not end within 5 requests", 5)],
)
def test_ranges_without_end_are_given_up(back: int, said: str, most: int, tmp_path: Path) -> None:
    """A server that goes back would be asked the same for ever; one that gives crumbs, as often as limits allow."""
    ranges = Ranges(1, back=back)
    entries = crowd(10) + group("all", *(f"uid=p{at},{PEOPLE}" for at in range(10)))
    with (
        slapd.directory(entries, CANARY) as served,
        between(served, ask=ranges.ask, answer=ranges.answer) as url,
    ):
        app = application(served, LdapSettings(url=url, base=BASE))
        found = collect(replace(app, limits=replace(app.limits, max_pages=5, page_size=100)), tmp_path)

    assert found.source.verdict is not Verdict.COMPLETE
    assert said in found.source.detail
    assert len(ranges.asked) == most


def test_a_directory_may_have_an_address_of_ipv6(tmp_path: Path) -> None:
    """As any other."""
    with slapd.directory(person("ada"), CANARY) as served, between(served, at="::1") as url:
        found = collect(application(served, LdapSettings(url=url, base=BASE)), tmp_path)

    assert "[::1]" in url
    assert found.source.verdict is Verdict.COMPLETE, found.source.detail


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
