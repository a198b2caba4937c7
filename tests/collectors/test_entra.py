"""Microsoft Entra, replayed from the documentation of Graph: what arrives, and what a missing right does."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import rig_entra
from rig_entra import Tenant, user

from scanner.collectors import SOURCES, http
from scanner.model import Collected, Verdict

CRM = {"sp1": "crm", "sp2": "wiki"}


def rows(collected: Collected, kind: str = "users") -> list[dict[str, Any]]:
    """Return what was staged of a kind."""
    return [json.loads(line) for line in collected.files[kind].read_text().splitlines()]


def company(**more: Any) -> Tenant:
    """Return a tenant in which everything occurs."""
    signed_in = {"lastSignInDateTime": "2026-03-01T00:00:00Z", "lastSuccessfulSignInDateTime": "2025-01-02T00:00:00Z"}
    return Tenant(
        users=[
            user("1", "ada@x.example", employeeId="0007", mail="ada@x.example", signInActivity=signed_in),
            user("2", "bo@x.example", False),
            user("3", "cy_y.example#EXT#@x.example", userType="Guest"),
        ],
        groups={"Sales": ["2", "g-Inner"], "Inner": ["3"]},
        roles={"Global Administrator": ["1", "g-Inner"], "Reports Reader": ["2"]},
        factors={"1": True, "2": False, "gone": True},
        apps={"sp1": [("1", "User"), ("g-Sales", "Group"), ("robot", "ServicePrincipal")], "sp2": []},
        open_apps={"sp2"},
        **more,
    )


def test_everything_that_graph_knows_arrives(tmp_path: Path) -> None:
    """The sign-in that succeeded and not the attempt, groups over two steps, roles by group, factors, guests."""
    collected = rig_entra.collect(tmp_path, company(), applications=CRM)

    found = {one["id"]: one for one in rows(collected)}
    source = collected.source
    assert source.verdict is Verdict.COMPLETE, source.detail
    assert source.detail == "everybody in the tenant may enter wiki: no assignment is required"
    assert set(found) == {"1", "2", "3"}
    assert (found["1"]["last_sign_in_at"], found["1"]["employee_number"]) == ("2025-01-02T00:00:00Z", "0007")
    assert [found[one]["mfa"] for one in "123"] == ["true", "false", None]
    assert [found[one]["active"] for one in "123"] == [True, False, True]
    assert (found["3"]["kind"], found["1"]["kind"]) == ("external", None)
    assert [one["display"] for one in found["3"]["groups"]] == ["Inner", "Sales"]
    assert [one["display"] for one in found["3"]["roles"]] == ["Global Administrator"]
    told = {one["name"]: one["is_privileged"] for one in rows(collected, "entitlements")}
    assert told == {"Global Administrator": True, "Reports Reader": False}


def test_assignments_by_group_reach_its_own_members_only(tmp_path: Path) -> None:
    """Entra lets nobody in for a group within the group; and an open application restricts nobody."""
    collected = rig_entra.collect(tmp_path, company(), applications=CRM)

    told = {(one["app"], one["account"]) for one in rows(collected, "idp_assignments")}
    assert told == {("crm", "1"), ("crm", "2"), ("crm", "g-Inner")}


def test_throttling_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After: nothing is lost."""
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)
    org = company(throttled=deque(["/v1.0/users", "/v1.0/groups/g-Sales/transitiveMembers"]))

    assert rig_entra.collect(tmp_path, org).source.verdict is Verdict.COMPLETE
    assert not org.throttled


@pytest.mark.parametrize(
    ("path", "verdict", "handed_on"),
    [
        ("/v1.0/users?next", Verdict.FAILED, None),
        ("/v1.0/groups", Verdict.SHORT, 3),
        ("/v1.0/directoryRoles/r-Reports/members", Verdict.SHORT, 3),
        ("/v1.0/reports/authenticationMethods/userRegistrationDetails?next", Verdict.SHORT, 3),
        ("/v1.0/servicePrincipals/sp1/appRoleAssignedTo?next", Verdict.SHORT, 0),
        ("/v1.0/groups/g-Sales/members", Verdict.SHORT, 0),
        ("signInActivity", Verdict.SHORT, 3),
    ],
)
def test_a_right_that_is_missing_half_way_is_never_complete(
    path: str, verdict: Verdict, handed_on: int | None, tmp_path: Path
) -> None:
    """What was read is kept, and half a list of assignments is not used."""
    collected = rig_entra.collect(tmp_path, company(denied={path}), applications=CRM)

    assert collected.source.verdict is verdict, collected.source.detail
    assert {one["id"] for one in rows(collected)} >= {"1", "2"}
    given = len(rows(collected, "idp_assignments")) if "idp_assignments" in collected.files else None
    assert given == handed_on
    if path == "signInActivity":
        assert "sign-in activity may not be read" in collected.source.detail


def test_doctor_says_which_right_is_missing() -> None:
    """One row of each list is asked for."""
    denied = {"signInActivity", "/v1.0/directoryRoles"}
    seen = rig_entra.ask(company(denied=denied), SOURCES["entra"].look)

    assert seen.doubt.count("answered 403") == 2
    assert "/directoryRoles" in seen.doubt
