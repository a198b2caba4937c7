"""GitHub, replayed from its documentation: what arrives, who is not linked, and what a missing right does."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import rig_github
from contract import CANARY, HOSTILE
from rig_github import Organisation

from scanner.collectors import SOURCES, http
from scanner.model import Collected, Verdict


def rows(collected: Collected, kind: str = "users") -> list[dict[str, Any]]:
    """Return what was staged of a kind."""
    return [json.loads(line) for line in collected.files[kind].read_text().splitlines()]


def company(**more: Any) -> Organisation:
    """Return an organisation in which everything occurs."""
    known = {
        "owners": {"1": "ada"},
        "members": {"2": "bo", "3": "cy", "4": "di"},
        "outside": {"9": "ext"},
        "weak": {"3", "9"},
        "teams": {"Core": ["1", "2", "4"], "Empty": []},
        "saml": {"1": "ada@x.example", "2": "bo@x.example", "3": "0007"},
    }
    return Organisation(**{**known, **more})


def test_everybody_arrives_with_what_is_known(tmp_path: Path) -> None:
    """Owners, members and outside collaborators, teams, second factors, and who came in by hand."""
    collected = rig_github.collect(tmp_path, company())

    found = {one["id"]: one for one in rows(collected)}
    assert (collected.source.verdict, collected.source.detail) == (Verdict.COMPLETE, "")
    assert {one: found[one]["roles"][0]["value"] for one in found} == {
        "1": "owner", "2": "member", "3": "member", "4": "member", "9": "outside_collaborator",
    }  # fmt: skip
    assert {one: found[one]["mfa"] for one in found} == {
        "1": "true", "2": "true", "3": "false", "4": "true", "9": "false",
    }  # fmt: skip
    assert {one: found[one]["origin"] for one in found} == {"1": None, "2": None, "3": None, "4": "local", "9": None}
    assert (found["1"]["emails"][0]["value"], found["3"]["externalId"]) == ("ada@x.example", "0007")
    assert {one for one in found if found[one]["groups"]} == {"1", "2", "4"}
    assert [one["account"] for one in rows(collected, "idp_assignments")] == ["1", "2", "3"]
    assert {one["entitlement"]: one["is_privileged"] for one in rows(collected, "entitlements")}["role:owner"]
    assert "POST /graphql" in collected.source.query


def test_an_organisation_without_saml_has_no_local_accounts(tmp_path: Path) -> None:
    """All came in the same way; it is noted, and nobody counts as assigned or not."""
    collected = rig_github.collect(tmp_path, company(saml=None))

    assert collected.source.verdict is Verdict.COMPLETE
    assert "no SAML identity provider" in collected.source.detail
    assert {one["origin"] for one in rows(collected)} == {None}
    assert "idp_assignments" not in collected.files


def test_throttling_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the lists and in GraphQL."""
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)
    org = company(throttled=deque(["/graphql", "/orgs/acme/members", "/orgs/acme/teams/core/members"]))

    assert rig_github.collect(tmp_path, org).source.verdict is Verdict.COMPLETE
    assert not org.throttled


@pytest.mark.parametrize(
    "path",
    [
        "/graphql",
        "/orgs/acme/members&after",
        "/orgs/acme/outside_collaborators",
        "/orgs/acme/members?filter=2fa_disabled",
        "/orgs/acme/teams",
        "/orgs/acme/teams/core/members&after",
    ],
)
def test_a_right_that_is_missing_half_way_is_never_complete(path: str, tmp_path: Path) -> None:
    """What was read is kept; where the identities or factors are unread, they are unknown."""
    collected = rig_github.collect(tmp_path, company(denied={path}))

    assert collected.source.verdict is Verdict.SHORT
    assert "403" in collected.source.detail
    assert {"1", "2"} <= {one["id"] for one in rows(collected)}
    if path == "/graphql":
        assert {one["origin"] for one in rows(collected)} == {None}
    if "2fa" in path:
        assert {one["mfa"] for one in rows(collected)} == {None}


def test_names_and_secrets(tmp_path: Path) -> None:
    """Any login arrives as it is; a token that is refused is told and repeated nowhere."""
    collected = rig_github.collect(tmp_path / "a", rig_github.hostile())
    refused = rig_github.collect(tmp_path / "b", company(denied={"/orgs/acme/members"}))

    assert {one["userName"] for one in rows(collected)} == set(HOSTILE)
    assert refused.source.verdict is not Verdict.COMPLETE
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    assert CANARY not in kept + repr(collected) + repr(refused)


def test_doctor_says_which_right_is_missing() -> None:
    """Second factors are for owners."""
    seen = rig_github.ask(company(denied={"/orgs/acme/members?filter=2fa_disabled"}), SOURCES["github"].look)

    assert "answered 403" in seen.doubt
