"""A company whose roster and applications all come over APIs, from the collection to the findings."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scanner.cli import main

sys.path.append(str(Path(__file__).parent / "collectors"))
from replay import Reply, Request, refused, replay

TOKEN = "c4nary-s3cret-Value"
PEOPLE = [
    {"id": "P1", "no": "0001", "mail": "ada@acme.example", "end": None},
    {"id": "P2", "no": "0002", "mail": "bo@acme.example", "end": "2025-01-31"},
    {"id": "P3", "no": "0003", "mail": "cy@acme.example", "end": None},
]
ACCOUNTS = [
    {"id": 1, "login": "ada", "mail": "ada@acme.example", "on": True},
    {"id": 2, "login": "bo", "mail": "bo@acme.example", "on": True},
    {"id": 3, "login": "cy", "mail": "cy@acme.example", "on": True},
    {"id": 4, "login": "stranger", "mail": "stranger@acme.example", "on": True},
]
MANAGED = [
    {"id": "s1", "userName": "ada", "active": True},
    {"id": "s2", "userName": "bo", "active": True},
    {"id": "s4", "userName": "stranger", "active": True},
    {"id": "s5", "userName": "ghost", "emails": [{"value": "cy.old@acme.example"}], "active": True},
]
FILE = """
[organization]
name = "Acme"
timezone = "UTC"
email_domains = ["acme.example"]
[[roster]]
id = "hr"
type = "rest"
base_url = "{origin}/hr"
auth = {{ type = "bearer", token_env = "E2E_TOKEN" }}
columns = {{ person_id = "id", employee_number = "no", email = "mail", termination_date = "end" }}
[roster.rest]
path = "/people"
items = "rows"
count = "total"
[[application]]
id = "crm"
type = "rest"
base_url = "{origin}/crm"
auth = {{ type = "bearer", token_env = "E2E_TOKEN" }}
coverage = "all"
columns = {{ account_id = "id", username = "login", email = "mail", status = "on" }}
[application.rest]
path = "/users"
items = "rows"
count = "total"
[application.scim]
base_url = "{origin}/scim/v2"
auth = {{ type = "bearer", token_env = "E2E_TOKEN" }}
[report]
formats = ["html"]
frameworks = ["sox"]
"""


def company(request: Request) -> Reply:
    """Answer as the three servers do."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return refused(401)
    lists: dict[str, list[dict[str, Any]]] = {"/hr/people": PEOPLE, "/crm/users": ACCOUNTS}
    if request.path in lists:
        return Reply({"rows": lists[request.path], "total": len(lists[request.path])})
    if request.path in ("/scim/v2/Users", "/scim/v2/Groups"):
        rows = MANAGED if request.path.endswith("Users") else []
        start = int(request.query.get("startIndex", 1)) - 1
        return Reply(
            {"totalResults": len(rows), "Resources": rows[start : start + int(request.query.get("count", 100))]}
        )
    return refused(404)


def test_one_scan_over_apis_finds_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaver, the stranger, the account that SCIM does not know and the one that only SCIM knows; nothing leaks."""
    monkeypatch.setenv("E2E_TOKEN", TOKEN)
    config = tmp_path / "orphanscan.toml"
    with replay(company) as server:
        config.write_text(FILE.format(origin=server.origin))
        config.chmod(0o600)
        examined = CliRunner().invoke(main, ["doctor", "-c", str(config), "--json"])
        done = CliRunner().invoke(main, ["scan", "-c", str(config), "--json"])

    assert done.exit_code == 1, done.output
    kept = Path(json.loads(done.stdout)["dir"])
    document = json.loads((kept / "findings.json").read_text())
    assert {one["id"]: one["verdict"] for one in document["sources"]} == {"hr": "complete", "crm": "complete"}
    found: dict[str, set[str]] = {}
    for one in document["findings"]:
        found.setdefault(one["rule"], set()).add(one["account_id"])
    assert found["leaver-still-active"] == {"2"}
    assert found["orphaned-account"] == {"4", "scim:s5"}
    assert found["unmanaged-local-account"] == {"3", "scim:s5"}
    for side in document["ledger"].values():
        assert side["total"] == sum(count for name, count in side.items() if name != "total")
    looked = {one["check"]: one["result"] for one in json.loads(examined.stdout)["checks"]}
    assert (looked["roster hr"], looked["application crm"], looked["application crm, SCIM list"]) == ("ok", "ok", "ok")
    assert TOKEN not in examined.output + done.output
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and TOKEN.encode() in one.read_bytes()]
