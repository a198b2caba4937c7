"""One company seen through several kinds of sources at once: each planted difference is found, and no other."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import okta_replay
import pytest
import slapd
from active_directory import ad_group, ad_user, filetime
from contract import CANARY
from in_process import orphanscan
from postgresql import cluster, connect
from replay import replay

from scanner.demo.seed import seed
from scanner.demo.servers import ACTIVITY, serve

NOW = datetime.now(UTC).replace(microsecond=0)
LEAVER = 9
PEOPLE = (
    "Ada Byron",
    "Bo Lindqvist",
    "Cy Young",
    "Di Prince",
    "Ed Hyde",
    "Fay Wray",
    "Gil Evans",
    "Hal Jordan",
    "Ida Wells",
)


def ago(days: float) -> datetime:
    """Return an instant so many days before now."""
    return NOW - timedelta(days=days)


@dataclass(frozen=True)
class Account:
    """An account as any view tells it: number of the person, and what is planted."""

    number: int
    username: str = ""
    email: str = ""
    is_active: bool = True
    signed_in: datetime = field(default_factory=lambda: ago(3))
    closed: datetime | None = None
    """Since when it is closed, where that is told."""
    mfa: bool = True
    is_privileged: bool = False

    @property
    def id(self) -> str:
        """Of the account, where its view takes ours."""
        return f"{self.number:03}"


def person(number: int, **more: Any) -> Account:
    """Return the account of a person; that of the leaver was closed in time."""
    login = PEOPLE[number - 1].split()[0].lower()
    usual = {"username": login, "email": f"{login}@acme.example"}
    if number == LEAVER:
        usual |= {"is_active": False, "closed": ago(30), "signed_in": ago(60)}
    return Account(number, **{**usual, **more})


def view(*planted: Account) -> list[Account]:
    """Return everybody, but for those who are planted in another way."""
    there = {one.number for one in planted}
    return sorted([*planted, *(person(n) for n in range(1, 10) if n not in there)], key=lambda one: one.number)


CLOSED = person(4, is_active=False)
"""Di is closed everywhere but in the CRM."""
UNASSIGNED = (8, LEAVER)
"""Whom Okta does not let into the CRM: Hal has an account there all the same, Ida none that is open."""
VIEWS: dict[str, list[Account]] = {
    "crm": view(),
    "corp": view(
        Account(90, "ghost", "ghost@acme.example"),
        CLOSED,
        person(6, signed_in=ago(97)),
    ),
    "erp": view(CLOSED, person(LEAVER, is_active=True, closed=None), person(5, signed_in=ago(200))),
    "okta": view(person(4, is_active=False, closed=ago(10)), Account(95, "temp", "temp@acme.example")),
    "shop": view(CLOSED, person(7, mfa=False, is_privileged=True), Account(93, "cy-two", "cy@acme.example")),
}
"""Application -> what it holds."""
PLANTED = {
    ("orphaned-account", "corp", "ghost", "fail"),
    ("orphaned-account", "okta", "temp", "fail"),
    ("unmanaged-local-account", "crm", "hal", "fail"),
    ("dormant-account", "corp", "fay", "unknown"),  # 97 days, and the directory knows sign-ins to 14
    ("idp-disabled-app-active", "crm", "di", "fail"),
    ("leaver-still-active", "erp", "ida", "fail"),
    ("dormant-account", "erp", "ed", "fail"),
    ("duplicate-accounts", "shop", "cy-two", "fail"),
    ("privileged-without-mfa", "shop", "gil", "fail"),
}
"""Rule, application, user name and verdict of all that is to be found."""


def roster() -> str:
    """Return the HR list; the leaver left 30 days ago."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("employee_number", "full_name", "email", "status", "hire_date", "termination_date"))
    for number, name in enumerate(PEOPLE, 1):
        left = number == LEAVER
        login = name.split()[0].lower()
        rows.writerow(
            (
                *(f"{number:03}", name, f"{login}@acme.example", "terminated" if left else "active"),
                *("2020-01-01", f"{ago(30):%Y-%m-%d}" if left else ""),
            )
        )
    return out.getvalue()


@contextmanager
def crm(accounts: list[Account], folder: Path) -> Iterator[str]:
    """Serve accounts over SCIM."""

    def user(one: Account) -> dict[str, Any]:
        seen = {"lastSignIn": f"{one.signed_in:%Y-%m-%dT%H:%M:%SZ}", "createdOn": "2020-01-02T08:00:00Z"}
        if one.closed:
            seen["deactivatedOn"] = f"{one.closed:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ACTIVITY],
            "userName": one.username,
            "active": one.is_active,
            "emails": [{"value": one.email, "primary": True, "type": "work"}],
            ACTIVITY: {**seen, "secondFactor": one.mfa},
        }

    os.environ["VIEW_CRM"] = CANARY
    theirs = {
        "last_sign_in_at": "lastSignIn",
        "mfa": "secondFactor",
        "created_at": "createdOn",
        "deactivated_at": "deactivatedOn",
    }
    fields = ", ".join(f'{ours} = "{ACTIVITY}:{name}"' for ours, name in theirs.items())
    with serve("crm", CANARY) as server:
        seed(server, {"users": [user(one) for one in accounts], "groups": []})
        yield f"""
[[application]]
id = "crm"
type = "scim"
base_url = "{server.base_url}"
auth = {{ type = "bearer", token_env = "VIEW_CRM" }}
coverage = "all"
sso = true
attributes = {{ {fields} }}
"""


@contextmanager
def corp(accounts: list[Account], folder: Path) -> Iterator[str]:
    """Serve accounts over LDAP, as Active Directory holds them."""

    def user(one: Account) -> str:
        numbers = {} if one.number > len(PEOPLE) else {"employeeID": one.id}
        expires = {"accountExpires": filetime(one.closed)} if one.closed else {}
        return ad_user(
            *(one.username, 1000 + one.number),
            mail=one.email,
            userAccountControl="512" if one.is_active else "514",
            lastLogonTimestamp=filetime(one.signed_in),
            whenCreated="20200102080000.0Z",
            **numbers,
            **expires,
        )

    os.environ["VIEW_CORP"] = CANARY
    entries = "".join(map(user, accounts)) + ad_group("Staff", 513)
    with slapd.directory(entries, CANARY, schema=slapd.ACTIVE_DIRECTORY) as served:
        yield f"""
[[application]]
id = "corp"
type = "ldap"
auth = {{ type = "basic", username = "{slapd.READER}", password_env = "VIEW_CORP" }}
ca_file = "{served.ca_file}"
coverage = "all"
ldap = {{ url = "{served.tls_url}", directory = "active_directory" }}
"""


@contextmanager
def erp(accounts: list[Account], folder: Path) -> Iterator[str]:
    """Keep accounts in PostgreSQL."""
    os.environ["VIEW_ERP"] = CANARY
    with cluster() as port:
        with connect(port) as con:
            con.execute(f"create role reader login password '{CANARY}'")
            con.execute(
                "create table users (id text, login text, mail text, enabled boolean, seen timestamptz, mfa boolean)"
            )
            rows = [(one.id, one.username, one.email, one.is_active, one.signed_in, one.mfa) for one in accounts]
            con.cursor().executemany("insert into users values (%s, %s, %s, %s, %s, %s)", rows)
            con.execute("grant select on users to reader")
        yield f"""
[[application]]
id = "erp"
type = "database"
auth = {{ type = "basic", username = "reader", password_env = "VIEW_ERP" }}
coverage = "all"

[application.database]
url = "postgresql://127.0.0.1:{port}/postgres"
accounts = '''
select id as account_id, login as username, mail as email, enabled as status, seen as last_sign_in_at, mfa,
    date '2020-01-02' as created_at
from users'''
count = "select count(*) from users"
"""


@contextmanager
def shop(accounts: list[Account], folder: Path) -> Iterator[str]:
    """Export accounts as CSV."""
    with (folder / "shop.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        header = ("account_id", "username", "email", "status", "last_sign_in_at", "mfa", "role", "created_at")
        rows.writerow((*header, "deactivated_at"))
        for one in accounts:
            role = "owner" if one.is_privileged else "clerk"
            state = "Active" if one.is_active else "Closed"
            said = (one.id, one.username, one.email, state, one.signed_in.isoformat(), "yes" if one.mfa else "no", role)
            rows.writerow((*said, "2020-01-02", one.closed.isoformat() if one.closed else ""))
    (folder / "roles.csv").write_text("entitlement,privileged\nowner,yes\nclerk,no\n")
    yield """
[[application]]
id = "shop"
type = "csv"
path = "shop.csv"
entitlements = "roles.csv"
coverage = "all"
file = { stable_seconds = 0 }
"""


@contextmanager
def okta(accounts: list[Account], folder: Path) -> Iterator[str]:
    """Replay an Okta organisation, which lets people into the CRM."""

    def told(one: Account) -> dict[str, Any]:
        return okta_replay.user(
            f"00u{one.number}",
            one.username,
            "ACTIVE" if one.is_active else "DEPROVISIONED",
            profile={"email": one.email},
            statusChanged=f"{one.closed or ago(900):%Y-%m-%dT%H:%M:%S.000Z}",
            lastLogin=f"{one.signed_in:%Y-%m-%dT%H:%M:%S.000Z}",
        )

    def assigned(one: Account) -> dict[str, Any]:
        names = {"credentials": {"userName": one.username}, "created": "2024-05-01T00:00:00.000Z"}
        return {"id": f"00u{one.number}", "status": "ACTIVE", "scope": "USER", **names}

    organisation = okta_replay.Organisation(
        [told(one) for one in accounts],
        factors={f"00u{one.number}": [{"id": "f", "factorType": "push", "status": "ACTIVE"}] for one in accounts},
        apps={"0oa1": [assigned(one) for one in accounts if one.number not in UNASSIGNED]},
        token=CANARY,
    )
    os.environ["VIEW_OKTA"] = CANARY
    with replay(organisation.answer) as server:
        yield f"""
[[application]]
id = "okta"
type = "okta"
base_url = "{server.origin}"
auth = {{ type = "bearer", scheme = "SSWS", token_env = "VIEW_OKTA" }}
coverage = "all"
identity_provider = true
limits = {{ rate_share = 1 }}
provider = {{ applications = {{ 0oa1 = "crm" }} }}
"""


# A further view: a function here, its accounts in VIEWS, what differs in PLANTED.
SERVED: dict[str, Callable[[list[Account], Path], Any]] = {
    "crm": crm,
    "corp": corp,
    "erp": erp,
    "okta": okta,
    "shop": shop,
}
FRAME = """
[organization]
name = "Acme"
timezone = "UTC"
email_domains = ["acme.example"]

[[roster]]
id = "hr"
path = "hr.csv"

[report]
formats = ["html"]
frameworks = ["sox"]

[policy]
privileged_entitlements = "privileged.toml"
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Scan the company with all of its views at once, and return what was found."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "hr.csv").write_text(roster())
    (folder / "privileged.toml").write_text("")
    with ExitStack() as stack:
        tables = [stack.enter_context(serve_(VIEWS[app], folder)) for app, serve_ in SERVED.items()]
        config = folder / "orphanscan.toml"
        config.write_text(FRAME + "".join(tables))
        for file in folder.iterdir():
            file.chmod(0o600)
        done = orphanscan(folder, "scan", "--json")
    kept = Path(json.loads(done.stdout)["dir"])
    assert CANARY not in done.stdout + done.stderr
    return dict(json.loads((kept / "findings.json").read_text()))


def test_every_view_is_whole(document: dict[str, Any]) -> None:
    """Each states as many accounts as it holds, and as many were read."""
    told = {one["id"]: (one["verdict"], one["collected"]) for one in document["sources"]}

    assert told == {"hr": ("complete", len(PEOPLE)), **{app: ("complete", len(held)) for app, held in VIEWS.items()}}


def test_each_planted_difference_is_found_and_nothing_else(document: dict[str, Any]) -> None:
    """Whatever the kind of source."""
    found = {(one["rule"], one["app"], one["username"], one["verdict"]) for one in document["findings"]}

    assert found == PLANTED


def test_the_ledger_balances_over_all_views(document: dict[str, Any]) -> None:
    """Every account falls into one bucket, and every leaver has one outcome in every application."""
    accounts, leavers = document["ledger"]["accounts"], document["ledger"]["leavers"]

    assert accounts["total"] == sum(map(len, VIEWS.values()))
    assert leavers["total"] == len(VIEWS)
    for side in (accounts, leavers):
        assert side["total"] == sum(count for name, count in side.items() if name != "total")
    assert (accounts["unmatched"], accounts["matched_leaver"]) == (2, 1)
    assert leavers["open"] == 1
