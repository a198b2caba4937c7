"""Real SCIM servers, each with the habits of its own that were observed with the versions pinned here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_servers import TOKEN, Stored, django_scim, scimmy
from servers import scim2

from scanner.collectors.interface import no_progress
from scanner.collectors.scim import collect_scim
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.model import Collected, Verdict

COUNT = 130
LEAVER = 7


def _stored() -> Stored:
    users = [
        {"id": f"{n}", "userName": f"user{n}@corp.example", "active": n % 3 != 0, "externalId": f"E{n}"}
        for n in range(COUNT)
    ]
    members = [{"value": f"{n}"} for n in (1, 2, LEAVER)]
    return {"users": users, "groups": [{"id": "g1", "displayName": "Staff", "members": members}]}


@pytest.fixture(scope="module")
def base_urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run all of them with the same users and groups."""
    assert request.config.cache is not None
    installed = request.config.cache.mkdir("scimmy")
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("stored")
        running = {
            "django": stack.enter_context(django_scim(folder / "django", _stored())),
            "express4": stack.enter_context(scimmy(4, installed, folder / "express4", _stored())),
            "express5": stack.enter_context(scimmy(5, installed, folder / "express5", _stored())),
            "scim2-index": stack.enter_context(scim2(token=TOKEN)),
            "scim2-cursor": stack.enter_context(scim2(cursor=True, token=TOKEN)),
        }
        for name in ("scim2-index", "scim2-cursor"):
            _fill(running[name])
        yield running


def _fill(base_url: str) -> None:
    schemas = {name: [f"urn:ietf:params:scim:schemas:core:2.0:{name}"] for name in ("User", "Group")}
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        ids = {}
        for row in _stored()["users"]:
            body = {**row, "schemas": schemas["User"]}
            ids[row["id"]] = client.post(f"{base_url}/Users", json=body).json()["id"]
        for row in _stored()["groups"]:
            members = [{"value": ids[member["value"]]} for member in row["members"]]
            client.post(f"{base_url}/Groups", json={**row, "members": members, "schemas": schemas["Group"]})


def _collect(base_url: str, into: Path, monkeypatch: pytest.MonkeyPatch) -> Collected:
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)
    auth = Auth("bearer", Secret("env", "ORPHANSCAN_TEST_TOKEN"))
    app = Application("crm", "CRM", "scim", base_url=base_url, auth=auth, limits=Limits(max_seconds=60, page_size=25))
    return collect_scim(app, into, no_progress)


def _rows(collected: Collected, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in collected.files[kind].read_bytes().splitlines()]


@pytest.mark.parametrize("name", ["django", "express4", "scim2-index", "scim2-cursor"])
def test_a_real_server_is_read_to_its_end(
    base_urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every user with the right state and every membership arrive, and the list is proven complete."""
    collected = _collect(base_urls[name], tmp_path, monkeypatch)
    source = collected.source

    assert (source.verdict, source.stated, source.collected, source.rejected) == (Verdict.COMPLETE, COUNT, COUNT, 0)
    expected = {row["userName"]: row["active"] for row in _stored()["users"]}
    users = _rows(collected, "users")
    assert {row["userName"]: row["active"] for row in users} == expected
    names = {row["id"]: row["userName"] for row in users}
    members = [names[member["value"]] for member in _rows(collected, "groups")[0]["members"]]
    assert sorted(members) == ["user1@corp.example", "user2@corp.example", "user7@corp.example"]


def test_a_server_that_ignores_paging_altogether_is_short(
    base_urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scimmy-routers 1.3.2 on Express 5 takes no notice of startIndex and count: 20 rows, whatever is asked."""
    source = _collect(base_urls["express5"], tmp_path, monkeypatch).source

    assert (source.verdict, source.stated, source.collected) == (Verdict.SHORT, COUNT, 20)
    assert f"states {COUNT} users but lists 20 and repeats them" in source.detail


def test_all_of_them_in_one_scan(base_urls: dict[str, str], tmp_path: Path) -> None:
    """One scan reads all servers at once, names the one that is short, and finds the leaver on each of them."""
    people = [f"E{n},user{n}@corp.example,{'terminated' if n == LEAVER else 'active'}," for n in range(COUNT)]
    people[LEAVER] += "2026-01-31"
    (tmp_path / "hr.csv").write_text("\n".join(["employee_number,email,status,termination_date", *people, ""]))
    applications = [
        f'[[application]]\nid = "{name}"\ntype = "scim"\nbase_url = "{base_url}"\n'
        f'auth = {{type = "bearer", token_env = "SCIM_TOKEN"}}\nlimits = {{page_size = 25}}\n'
        for name, base_url in base_urls.items()
    ]
    config = tmp_path / "orphanscan.toml"
    config.write_text(
        '[organization]\nname = "Acme"\ntimezone = "UTC"\nemail_domains = ["corp.example"]\n'
        '[[roster]]\nid = "hr"\npath = "hr.csv"\n' + "".join(applications)
    )
    config.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-m", "scanner", "scan", "-c", str(config), "--json"],
        env={**os.environ, "SCIM_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    summary = json.loads(done.stdout)
    verdicts = {one["id"]: one["verdict"] for one in summary["sources"]}
    assert verdicts == {name: "short" if name == "express5" else "complete" for name in ["hr", *base_urls]}
    findings = json.loads((Path(summary["dir"]) / "findings.json").read_text())["findings"]
    leavers = [one for one in findings if one["rule"] == "leaver-still-active"]
    assert sorted(one["app"] for one in leavers) == sorted(base_urls)
    assert {one["worker_id"] for one in leavers} == {"hr:E7"}
    assert TOKEN not in done.stdout + done.stderr
