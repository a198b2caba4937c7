"""Okta, replayed from its documentation: what arrives, and what a missing right does to the verdict."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rig_okta
from okta_replay import Organisation, event, user

from scanner.collectors import SOURCES, http
from scanner.model import Collected, Verdict

APP = "0oa1"
CRM = {APP: "crm"}


def rows(collected: Collected, kind: str = "users") -> list[dict[str, Any]]:
    """Return what was staged of a kind."""
    return [json.loads(line) for line in collected.files[kind].read_text().splitlines()]


def at(hours: float) -> str:
    """Return a time so many hours ago, as Okta writes it."""
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def company(**more: Any) -> Organisation:
    """Return an organisation in which everything occurs."""
    push = {"id": "f1", "factorType": "push", "status": "ACTIVE"}
    assigned = {"scope": "USER", "created": "2024-05-01T00:00:00.000Z"}
    return Organisation(
        users=[
            user("00u1", "ada@x.example", profile={"employeeNumber": "0007"}, lastLogin="2026-01-02T00:00:00.000Z"),
            user("00u2", "bo@x.example", "LOCKED_OUT"),
            user("00u3", "cy@x.example", "SUSPENDED"),
            user("00u4", "di@x.example", "DEPROVISIONED"),
            user("00u5", "ed@x.example", "PROVISIONED"),
        ],
        groups={"Sales": ["00u1", "00u2", "00u5"], "Empty": []},
        admins={
            "00u1": [
                {"id": "r1", "type": "SUPER_ADMIN", "label": "Super Administrator", "status": "ACTIVE"},
                {"id": "r2", "type": "READ_ONLY_ADMIN", "label": "Read-only Administrator", "status": "ACTIVE"},
            ],
            "00u2": [
                {"id": "r3", "type": "CUSTOM", "label": "Night shift", "role": "cr0Yq", "status": "ACTIVE"},
                {"id": "r4", "type": "ORG_ADMIN", "label": "Organization Administrator", "status": "INACTIVE"},
            ],
        },
        factors={
            "00u1": [push],
            "00u2": [{"id": "f2", "factorType": "email", "status": "ACTIVE"}, {**push, "status": "PENDING_ACTIVATION"}],
        },
        apps={
            APP: [
                {"id": "00u1", "status": "ACTIVE", "credentials": {"userName": "ada"}, **assigned},
                {"id": "00u2", "status": "PROVISIONED", "credentials": {"userName": "bo"}, **assigned},
                {"id": "00u3", "status": "SUSPENDED", "credentials": {"userName": "cy"}, **assigned},
            ]
        },
        events=[
            event(1, at(30), "00u1"),
            event(2, at(29.99), "00u1", APP),
            event(3, at(29.98), "00u1", APP),
            event(4, at(5), "00u2", "0oaUnknown"),
            event(5, at(4), "00u2", result="FAILURE"),
            event(6, at(24 * 40), "00u2"),
        ],
        most=2,
        **more,
    )


def test_everything_that_okta_knows_arrives(tmp_path: Path) -> None:
    """Deactivated users too, which its list leaves out; roles with their power, strong factors, groups."""
    org = company()
    collected = rig_okta.collect(tmp_path, org, applications=CRM)

    found = {one["id"]: one for one in rows(collected)}
    assert (collected.source.verdict, collected.source.detail) == (Verdict.COMPLETE, "")
    assert collected.source.coverage == "all"
    assert {one: found[one]["active"] for one in found} == {
        "00u1": True, "00u2": True, "00u3": False, "00u4": False, "00u5": True,
    }  # fmt: skip
    assert (found["00u1"]["employee_number"], found["00u1"]["last_sign_in_at"]) == ("0007", "2026-01-02T00:00:00Z")
    assert {one: found[one]["mfa"] for one in found} == {
        "00u1": "true", "00u2": "false", "00u3": None, "00u4": None, "00u5": "false",
    }  # fmt: skip
    assert found["00u4"]["deactivated_at"] == "2025-03-01T00:00:00Z"
    assert [one["value"] for one in found["00u1"]["roles"]] == ["READ_ONLY_ADMIN", "SUPER_ADMIN"]
    assert found["00u2"]["roles"] == [{"value": "cr0Yq", "display": "Night shift"}]
    assert {one for one in found if found[one]["groups"]} == {"00u1", "00u2", "00u5"}
    told = {one["entitlement"]: one["is_privileged"] for one in rows(collected, "entitlements")}
    assert told == {"role:SUPER_ADMIN": True, "role:READ_ONLY_ADMIN": False, "role:cr0Yq": True}
    assert "/api/v1/groups/g-everyone/users" not in org.seen


def test_what_okta_says_of_other_applications_is_handed_on(tmp_path: Path) -> None:
    """Who is let in, with which factor, and who signed in: once an hour, successes only, in the window asked for."""
    collected = rig_okta.collect(tmp_path, company(), applications=CRM, sign_in_days=30)

    assert rows(collected, "idp_assignments") == [
        {"app": "crm", "account": "00u1", "name": "ada", "assigned_at": "2024-05-01T00:00:00.000Z"},
        {"app": "crm", "account": "00u2", "name": "bo", "assigned_at": "2024-05-01T00:00:00.000Z"},
    ]
    assert rows(collected, "mfa") == [
        {"app": "crm", "account": "ada", "mfa": "true"},
        {"app": "crm", "account": "bo", "mfa": "false"},
    ]
    signed = {(one["app"], one["account"]) for one in rows(collected, "sign_ins")}
    assert signed == {("okta", "00u1"), ("crm", "ada"), ("okta", "00u2")}
    assert len(rows(collected, "sign_ins")) <= 4


def test_throttling_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with the time at which the limit begins anew: nothing is lost."""
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)
    paths = ["/api/v1/users", "/api/v1/groups/g-Sales/users", "/api/v1/logs"]
    org = company(throttled=deque(paths))
    collected = rig_okta.collect(tmp_path, org, applications=CRM)

    assert not org.throttled
    assert (collected.source.verdict, collected.source.detail) == (Verdict.COMPLETE, "")


@pytest.mark.parametrize(
    ("path", "verdict", "handed_on"),
    [
        ("/api/v1/users?after", Verdict.FAILED, {"mfa", "sign_ins"}),
        ("/api/v1/groups", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        ("/api/v1/groups/g-Sales/users?after", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        ("/api/v1/iam/assignees/users", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        ("/api/v1/users/00u2/roles", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        ("/api/v1/users/00u1/factors", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        (f"/api/v1/apps/{APP}/users?after", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
        ("/api/v1/logs?after", Verdict.SHORT, {"idp_assignments", "mfa", "sign_ins"}),
    ],
)
def test_a_right_that_is_missing_half_way_is_never_complete(
    path: str, verdict: Verdict, handed_on: set[str], tmp_path: Path
) -> None:
    """What was read is kept, the verdict says what is missing, and half a list of assignments is not used."""
    collected = rig_okta.collect(tmp_path, company(denied={path}), applications=CRM)

    assert collected.source.verdict is verdict
    assert "403" in collected.source.detail
    assert set(collected.files) - {"users", "entitlements"} == handed_on
    if path.startswith("/api/v1/apps/"):
        assert rows(collected, "idp_assignments") == []
    if path.endswith("/factors"):
        assert next(one["mfa"] for one in rows(collected) if one["id"] == "00u1") is None


def test_doctor_says_which_right_is_missing(tmp_path: Path) -> None:
    """One row of each list is asked for, and none of the others."""
    denied = {"/api/v1/users/00u1/factors", "/api/v1/logs"}
    seen = rig_okta.ask(company(denied=denied), SOURCES["okta"].look, applications=CRM)

    assert seen.detail == "1 of an unstated number read, paging by link"
    assert seen.doubt.count("answered 403: the credential may not read this") == 2
    assert "/api/v1/logs" in seen.doubt
