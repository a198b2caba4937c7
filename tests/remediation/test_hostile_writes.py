"""Servers that write badly: nothing is lost, nothing else is changed, and nothing is called done that is not."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from company import READ, WRITE, Company, found, people
from hostile_writes import HostileWrites, hostile_writes
from hypothesis import given
from hypothesis import strategies as st

from scanner import config_file
from scanner.errors import StoreError
from scanner.remediation.execute import Book, Outcome, Result, carry_out
from scanner.remediation.journal import Journal, save
from scanner.remediation.model import Kind
from scanner.remediation.requests import request
from scanner.remediation.run import kept
from scanner.remediation.server import Server
from scanner.remediation.steps import AccountStep, Look, SessionsStep, ValueStep, grant_element


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostileWrites, Company]]:
    """Plan and approve once: switch off user 2, take 5 and 6, who are inactive, out of the administrators."""
    with hostile_writes() as server:
        write = 'reversible = true\ninactive = "disable"\nrevoke_sessions = "/scim/v2/sessions/{id}"\n'
        company = found(tmp_path_factory.mktemp("company") / "co", {"crm": server.base_url}, write=write)
        company.hr(people(40, [2]))
        company.scan()
        company.plan()
        company.approve()
        yield server, company


def apply(world: tuple[HostileWrites, Company], quirk: str, expect: int) -> tuple[list[str], dict[str, Any]]:
    """Return the outcomes in the order of the plan, and what `apply --json` says."""
    server, company = world
    server.reset(quirk)
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    document = company.document("apply", expect=expect)
    return [one["outcome"] for one in document["results"]], document


MATRIX = {
    # quirk: outcomes (switch off 2, take one out of the group, take the other out), exit code, requests
    "": (["done", "done", "done"], 0, 3),
    "no_effect": (["no_effect"] * 3, 4, 3),
    "html": (["no_effect"] * 3, 4, 3),
    "wipe": (["done", "surprise", "stopped"], 4, 2),
    "remove": (["surprise", "stopped", "stopped"], 4, 1),
    "conflict": (["refused"] * 3, 4, 3),
    "conflict_done": (["done"] * 3, 0, 3),
    "precondition": (["stale"] * 3, 0, 3),
    "busy_once": (["done"] * 3, 0, 6),
    "busy": (["failed"] * 3, 4, 12),
    "busy_long": (["failed"] * 3, 4, 3),
    "error": (["failed"] * 3, 4, 3),
    "error_done": (["done"] * 3, 0, 3),
    "redirect": (["failed"] * 3, 4, 3),
    "reset": (["unsettled"] * 3, 4, 3),
    "reset_done": (["done"] * 3, 0, 3),
    "late": (["done"] * 3, 0, 3),
    "no_path_only": (["done"] * 3, 0, 4),
    "string_only": (["refused", "done", "done"], 4, 4),
    "delete_only": (["refused"] * 3, 4, 3),
    "meanwhile": (["surprise", "stopped", "stopped"], 4, 1),
    "echo": (["refused"] * 3, 4, 4),
}


@pytest.mark.parametrize("quirk", MATRIX)
def test_nothing_is_called_done_that_is_not(world: tuple[HostileWrites, Company], quirk: str) -> None:
    """Outcomes, exit code and number of requests; `done` exactly where the server holds the change."""
    expected, code, requests = MATRIX[quirk]
    server, company = world
    with hostile_writes() as elsewhere:
        server.first.elsewhere = elsewhere.base_url.removesuffix("/scim/v2")
        outcomes, document = apply(world, quirk, code)
        assert elsewhere.state.writes == []

    assert outcomes == expected, document
    held = server.state
    assert len(held.writes) == requests
    members = {member["value"] for member in held.groups["g-1"]["members"]}
    for one in document["results"]:
        is_there = (
            held.users.get("u-2", {}).get("active") is False
            if one["account_id"] == "u-2"
            else one["account_id"] not in members
        )
        assert (one["outcome"] == "done") <= is_there
    if quirk != "wipe":
        assert {"u-4", "u-7"} <= members
    assert all(row["active"] == (name not in ("u-5", "u-6")) for name, row in held.users.items() if name != "u-2")
    journal = (company.state / "actions" / document["run"] / "journal.ndjson").read_text()
    assert WRITE not in journal
    assert "canary" not in journal


def test_a_wiped_group_stops_the_application_and_the_list_of_members_is_kept(
    world: tuple[HostileWrites, Company],
) -> None:
    """The message names the saved list, which holds all members from before; an undo says the same."""
    _, document = apply(world, "wipe", 4)
    _, company = world
    run = company.state / "actions" / document["run"]

    (saved,) = (run / "saved").iterdir()
    assert {member["value"] for member in json.loads(saved.read_text())["members"]} == {"u-4", "u-5", "u-6", "u-7"}
    assert str(saved) in company.run("actions", "show", expect=0).stdout
    undone = company.document("undo", document["run"], "--reason", "wiped", expect=0)
    assert [one["outcome"] for one in undone["results"]] == ["done"]
    assert str(run / "saved") in undone["not_possible"][0]["because"]
    assert world[0].state.users["u-2"]["active"] is True


def test_a_list_of_members_that_somebody_changed_restores_nothing(tmp_path: Path) -> None:
    """The journal names the SHA-256 of what lies beside it."""
    named = save(tmp_path, "a-before.json", b'{"members": [{"value": "u-4"}]}')
    assert kept(named, tmp_path) == {"members": [{"value": "u-4"}]}
    (tmp_path / "saved" / "a-before.json").write_text('{"members": [{"value": "u-9"}]}')

    with pytest.raises(StoreError, match="was changed after the journal named it"):
        kept(named, tmp_path)


def test_an_application_is_left_alone_though_the_kill_came_before_the_journal_said_so(
    world: tuple[HostileWrites, Company],
) -> None:
    """The line that tells of the surprise is enough."""
    server, company = world
    _, document = apply(world, "wipe", 4)
    journal = company.state / "actions" / document["run"] / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if b'"outcome":"surprise"' in line)
    journal.write_bytes(b"".join(lines[: last + 1]))

    again = company.document("apply", expect=4)

    assert [one["outcome"] for one in again["results"]] == ["done", "surprise", "stopped"]
    assert len(server.state.writes) == 2


def test_a_group_that_does_not_show_its_members_is_not_written_to(world: tuple[HostileWrites, Company]) -> None:
    """Nobody could see who else left it; that the account is in it, the account says."""
    server, company = world
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    held = server.reset()
    held.groups["g-1"]["members"] = [{"value": "u-4"}]
    for name in ("u-5", "u-6"):
        held.users[name]["groups"] = [{"value": "g-1"}]

    document = company.document("apply", expect=4)

    assert [one["outcome"] for one in document["results"]] == ["done", "failed", "failed"]
    assert "the group does not list the account, though the account lists the group" in document["results"][1]["detail"]
    assert len(held.writes) == 1
    del held.groups["g-1"]["members"]
    for name in ("u-5", "u-6"):
        del held.users[name]["groups"]
    shutil.rmtree(company.state / "actions")
    rehearsed = company.document("apply", "--dry-run", expect=4)
    assert [one["outcome"] for one in rehearsed["results"]] == ["already", "failed", "failed"]
    assert "the group shows no members" in rehearsed["results"][1]["detail"]


@pytest.mark.parametrize("token", [READ, WRITE])
def test_the_account_behind_a_credential_is_never_touched(world: tuple[HostileWrites, Company], token: str) -> None:
    """The server tells whose it is, for the one that reads as for the one that writes."""
    server, company = world
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    server.reset().own[f"Bearer {token}"] = "u-2"

    document = company.document("apply", expect=0)

    assert [one["outcome"] for one in document["results"]] == ["stale", "done", "done"]
    assert "orphanscan itself signs in with it" in document["results"][0]["detail"]


def test_only_the_one_member_filter_is_ever_sent_to_a_group(world: tuple[HostileWrites, Company]) -> None:
    """No `members` without a filter, no replace, no PUT."""
    apply(world, "", 0)

    sent = [body["Operations"] for _, path, body in world[0].state.writes if path.startswith("/Groups/")]
    assert sorted(sent, key=str) == [
        [{"op": "remove", "path": f'members[value eq "{name}"]'}] for name in ("u-5", "u-6")
    ]


def test_an_account_that_cannot_be_read_again_is_not_written_to(world: tuple[HostileWrites, Company]) -> None:
    """It is gone from the application: stale, and nothing is sent for it."""
    server, company = world
    server.reset()
    shutil.rmtree(company.state / "actions", ignore_errors=True)
    del server.state.users["u-2"]

    document = company.document("apply", expect=0)

    assert [one["outcome"] for one in document["results"]] == ["stale", "done", "done"]
    assert len(server.state.writes) == 2


def carried_out(
    server: HostileWrites, folder: Path, kind: Kind, entitlement: str | None, write: str = ""
) -> tuple[Result, Look]:
    """Return what became of one change to user 2, and the look before it."""
    company = found(folder / "co", {"crm": server.base_url}, write=write)
    company.hr(people(2, []))
    os.environ |= {"READ_TOKEN": READ, "WRITE_TOKEN": WRITE}
    app = config_file.load(company.folder / "orphanscan.toml").applications[0]
    with Server(app) as opened, Journal(folder) as journal:
        sent = request(kind, app, opened.profile, "u-2", entitlement)
        assert sent is not None
        step = (
            SessionsStep(opened, sent, "u-2")
            if kind is Kind.REVOKE_SESSIONS
            else AccountStep(opened, sent, "u-2", active=False)
            if kind is Kind.DELETE
            else ValueStep(opened, sent, "u-2", "roles", "admin", present=False)
        )
        before = step.look()
        return carry_out(opened, step, before, Book(journal, folder, "a", {}), step.look), before


def test_a_role_is_taken_and_the_other_roles_stay(world: tuple[HostileWrites, Company], tmp_path: Path) -> None:
    """By its value, and the values are compared before and after."""
    world[0].reset()

    result, before = carried_out(world[0], tmp_path, Kind.REMOVE_GRANT, "role:admin")

    assert result.outcome is Outcome.DONE
    assert world[0].state.users["u-2"]["roles"] == [{"value": "editor"}]
    assert grant_element(before.resource, "role:admin", "u-2") == {"value": "admin"}


def test_where_nothing_else_exists_the_account_is_deleted(world: tuple[HostileWrites, Company], tmp_path: Path) -> None:
    """One DELETE, and the account is no longer shown."""
    world[0].reset("delete_only")

    result, _ = carried_out(world[0], tmp_path, Kind.DELETE, None)

    assert result.outcome is Outcome.DONE
    assert "u-2" not in world[0].state.users
    assert [sent[0] for sent in world[0].state.writes] == ["DELETE"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_sessions_are_ended_by_the_call_of_the_application_and_never_called_done(
    world: tuple[HostileWrites, Company], tmp_path: Path, method: str
) -> None:
    """Nothing can show that they ended: accepted, not done."""
    world[0].reset("no_effect")
    call = "/scim/v2/sessions/{id}" if method == "POST" else "DELETE /scim/v2/sessions/{id}"

    result, _ = carried_out(world[0], tmp_path, Kind.REVOKE_SESSIONS, None, f'revoke_sessions = "{call}"\n')

    assert result.outcome is Outcome.ACCEPTED
    assert [sent[:2] for sent in world[0].state.writes] == [(method, "/sessions/u-2")]


@pytest.fixture(scope="module")
def opened(world: tuple[HostileWrites, Company]) -> Iterator[Server]:
    """Open the application as `apply` does."""
    os.environ |= {"READ_TOKEN": READ, "WRITE_TOKEN": WRITE}
    app = config_file.load(world[1].folder / "orphanscan.toml").applications[0]
    with Server(app) as server:
        yield server


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        (None, 'W/"7"'),
        ({"etag": {"supported": True}}, 'W/"7"'),
        ({"patch": {"supported": True}}, 'W/"7"'),
        ({"etag": {"supported": False}}, None),
    ],
)
def test_a_version_is_sent_unless_the_server_says_that_it_knows_none(
    world: tuple[HostileWrites, Company], config: dict[str, Any] | None, sent: str | None
) -> None:
    """A server that shows versions and refuses them would make every change stale for ever."""
    world[0].reset().config = config
    with Server(config_file.load(world[1].folder / "orphanscan.toml").applications[0]) as server:
        assert server.version({"meta": {"version": 'W/"7"'}}) == sent


@given(account_id=st.text(min_size=1, max_size=20), value=st.text(min_size=1, max_size=20), kind=st.sampled_from(Kind))
def test_what_is_planned_is_what_is_sent(
    world: tuple[HostileWrites, Company], opened: Server, account_id: str, value: str, kind: Kind
) -> None:
    """Method, address and body on the wire, whatever ids an application gives; an id stays one segment of the path."""
    planned = request(kind, opened.app, opened.profile, account_id, f"group:{value}")
    if planned is None:
        assert kind is Kind.NOTICE or {account_id, value} & {".", ".."}
        return
    held = world[0].reset("no_effect")

    opened.send(planned.method, planned.url, planned.body, None)

    (sent,) = held.writes
    assert sent == (planned.method, planned.url.removeprefix(opened.app.base_url or ""), planned.body)
    if kind is not Kind.REVOKE_SESSIONS:
        named = value if kind is Kind.REMOVE_GRANT else account_id
        assert [unquote(part) for part in sent[1].split("/")[2:]] == [named]
    if kind is Kind.REMOVE_GRANT:
        path = sent[2]["Operations"][0]["path"]
        assert json.loads(path.removeprefix("members[value eq ").removesuffix("]")) == account_id
