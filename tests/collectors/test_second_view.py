"""One system seen twice: by its own list, and by the SCIM server through which the identity provider manages it."""

import json
from pathlib import Path
from typing import Any

import pytest
from contract import CANARY
from replay import Reply, Request, refused, replay

from scanner.collectors import SOURCES
from scanner.collectors.interface import no_progress
from scanner.config import Application, Limits, ScimView
from scanner.connections import RestSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected, Verdict

OWN = [
    {"id": 1, "login": "ada", "mail": "ada@x.example", "on": True},
    {"id": 2, "login": "bo", "mail": "BO@x.example", "on": True},
    {"id": 3, "login": "cy", "mail": None, "on": True},
    {"id": 4, "login": "root", "mail": "root@x.example", "on": True},
]
MANAGED: list[dict[str, Any]] = [
    {"id": "s-1", "userName": "ADA", "active": True},
    {"id": "s-2", "userName": "someone", "emails": [{"value": "bo@x.example"}], "active": True},
    {"id": "s-3", "userName": "other", "externalId": "3", "active": "True"},
    {"id": "4x", "userName": "ghost", "emails": ["ghost@x.example"], "active": False},
]


def company(request: Request, own: list[dict[str, Any]], managed: list[dict[str, Any]], denied: str) -> Reply:
    """Answer as both servers do."""
    if request.path == denied or request.headers.get("authorization") != f"Bearer {CANARY}":
        return refused()
    if request.path == "/api/users":
        return Reply({"rows": own, "total": len(own)})
    if request.path == "/scim/v2/Users":
        start = int(request.query.get("startIndex", 1)) - 1
        count = int(request.query.get("count", 100))
        return Reply({"totalResults": len(managed), "Resources": managed[start : start + count]})
    if request.path == "/scim/v2/Groups":
        return Reply({"totalResults": 0, "Resources": []})
    return refused(404)


def collect(
    folder: Path, own: list[dict[str, Any]] = OWN, managed: list[dict[str, Any]] = MANAGED, denied: str = ""
) -> Collected:
    """Collect both lists."""
    with replay(lambda request: company(request, own, managed, denied)) as server:
        auth = Auth("bearer", Secret("env", "VIEW_TOKEN"))
        app = Application(
            "crm",
            "CRM",
            "rest",
            base_url=f"{server.origin}/api",
            auth=auth,
            columns={"account_id": "id", "username": "login", "email": "mail", "status": "on"},
            rest=RestSettings(path="/users", items="rows", count="total"),
            scim=ScimView(f"{server.origin}/scim/v2", auth),
            limits=Limits(retries=0, max_seconds=20),
        )
        return SOURCES["rest"].collect(app, folder, no_progress)


def origins(collected: Collected) -> dict[str, str | None]:
    """Return the origin of each account."""
    return {one["id"]: one["origin"] for one in map(json.loads, collected.files["users"].read_text().splitlines())}


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIEW_TOKEN", CANARY)


def test_accounts_that_only_one_list_shows_are_told_apart(tmp_path: Path) -> None:
    """By id, external id, user name and e-mail, whatever their case; what is managed counts as assigned."""
    collected = collect(tmp_path)

    found = {one["id"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}
    assert {one: found[one]["origin"] for one in found} == {
        "1": "scim", "2": "scim", "3": "scim", "4": "local", "scim:4x": "scim_only",
    }  # fmt: skip
    assert found["scim:4x"]["userName"] == "ghost"
    assigned = [json.loads(line)["account"] for line in collected.files["idp_assignments"].read_text().splitlines()]
    assert assigned == ["1", "2", "3"]
    assert (collected.source.verdict, collected.source.collected) == (Verdict.COMPLETE, 5)
    assert "SCIM: GET /Users" in collected.source.query
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "answers.ndjson",
        "idp_assignments.ndjson",
        "users.ndjson",
    ]
    assert "/Users?" in (tmp_path / "answers.ndjson").read_text()


@pytest.mark.parametrize("denied", ["/scim/v2/Users", "/api/users"])
def test_half_a_comparison_is_none(denied: str, tmp_path: Path) -> None:
    """Where one list is not whole, nothing is local and nothing missing for that."""
    collected = collect(tmp_path, denied=denied)

    assert collected.source.verdict is (Verdict.SHORT if "scim" in denied else Verdict.FAILED)
    assert "answered 403" in collected.source.detail
    assert "idp_assignments" not in collected.files
    if "users" in collected.files:
        assert {json.loads(line)["origin"] for line in collected.files["users"].read_text().splitlines()} == {None}


ADA = {"id": "s-1", "userName": "ada", "externalId": "9", "emails": [{"value": "ada@x.example"}], "active": True}


@pytest.mark.parametrize(
    ("own", "local"),
    [
        ([("1", "ada", "ada@x.example"), ("5", "backdoor", "ada@x.example")], {"5"}),
        ([("9", "a.l", None), ("1", "ADA", None), ("5", "backdoor", "Ada@X.example")], {"1", "5"}),
        ([("1", "ada", None), ("5", "9", None)], {"5"}),
        ([("1", "s-1", None)], {"1"}),
        ([("1", "x", "ada@x.example"), ("5", "y", "ada@x.example")], {"1", "5"}),
    ],
)
def test_one_managed_user_vouches_for_one_account(
    own: list[tuple[str, str, str | None]], local: set[str], tmp_path: Path
) -> None:
    """By an id before a user name, by that before an e-mail address; none is chosen of several that are as near."""
    rows = [{"id": id_, "login": login, "mail": mail, "on": True} for id_, login, mail in own]

    collected = collect(tmp_path, rows, [ADA])

    found = origins(collected)
    assert {one for one, origin in found.items() if origin == "local"} == local
    assert collected.source.verdict is Verdict.COMPLETE
    several = "1 SCIM users may each be any of several accounts, and vouch for none of them"
    assert (several in collected.source.detail) == (local == {"1", "5"} and len(own) == 2)


def test_a_user_name_that_is_an_address_meets_one(tmp_path: Path) -> None:
    """Identity providers sign people in by their address, which is no user name in the system itself."""
    own = [{"id": "1", "login": "ada", "mail": "ada@x.example", "on": True}]

    assert origins(collect(tmp_path, own, [{"id": "s", "userName": "Ada@x.example", "active": True}])) == {"1": "scim"}


def test_whatever_names_hold_survives_the_comparison(tmp_path: Path) -> None:
    """Quotes, controls, separators of lines, numbers without bounds: each account stays one line of JSON."""
    odd = "\x01\x02\x7f\u2028\r\n\"',\\ =1+1 <b>"
    own = [{"id": "1", "login": f"a{odd}", "mail": None, "on": True}]
    managed = [{"id": "s", "userName": f"b{odd}", "displayName": odd, "externalId": 10**400, "active": True}]

    found = [
        json.loads(line) for line in collect(tmp_path, own, managed).files["users"].read_text().split("\n") if line
    ]

    assert [(one["origin"], one["userName"]) for one in found] == [
        ("local", f"a{odd}".strip()),
        ("scim_only", f"b{odd}"),
    ]
    assert found[1]["displayName"] == odd
