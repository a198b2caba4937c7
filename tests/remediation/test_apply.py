"""From plan to undo on real servers: the effect is seen on the server, never believed from its answer."""

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from company import Company, found, outcomes, people
from live import Recorder, Start, off


def members_by_number(server: Recorder, group: str) -> set[str]:
    """Return the members of a group by user name."""
    names = {str(row["id"]): row["userName"].split("@")[0] for row in server.resources("/Users")}
    return {names[member] for member in server.members(group)}


def planned(plan: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Return the requests that a plan names."""
    acting = [one for one in plan["actions"] if one["decision"] in ("automatic", "confirmed")]
    return [
        (
            one["request"]["method"],
            urlsplit(one["request"]["url"]).path.removeprefix("/scim/v2"),
            one["request"]["body"],
        )
        for one in acting
    ]


@pytest.mark.parametrize("name", ["scim2", "django", "scimmy"])
def test_a_real_server_is_changed_verified_by_a_scan_and_changed_back(start: Start, tmp_path: Path, name: str) -> None:
    """Two leavers are switched off, one member leaves a group, nobody else is touched; undo brings all of it back."""
    server = start(name, groups={"Admins": [4, 5, 6], "Staff": [1, 2, 3]}, inactive=[5])
    profile = 'profile = "django-scim2"\n' if name == "django" else ""
    company = found(tmp_path / "co", {"crm": server.base_url}, app=profile)
    company.hr(people(40, [2, 3]))
    company.scan()
    plan = company.plan()
    company.approve()

    done = company.document("apply")

    assert {one["outcome"] for one in done["results"]} == {"done"}, done
    assert off(server) == {"user2", "user3", "user5"}
    assert members_by_number(server, "Admins") == {"user4", "user6"}
    assert members_by_number(server, "Staff") == {"user1", "user2", "user3"}
    assert [sent[:3] for sent in server.sent] == planned(plan)
    assert server.refused == []

    company.scan()
    facts = company.document("actions", "list")
    assert {fact["verification"] for fact in facts} == {"verified"}
    (latest,) = [
        path for path in (company.state / "scans").iterdir() if "verified" in (path / "findings.json").read_text()
    ]
    states = {one["state"] for one in json.loads((latest / "findings.json").read_text())["findings"]}
    assert states == {"verified"}
    manifest = json.loads((latest / "evidence" / "manifest.json").read_text())
    assert manifest["action_runs"] == {done["run"]: company.document("actions", "show")["head"]}

    if name == "scim2":
        company.run("report", "--framework", "gdpr", "--format", "html", expect=0)
        page = (latest / "reports" / "gdpr.html").read_text()
        assert "3 changes: 3 verified by a scan, 0 waiting for one, 0 came undone" in page
        assert "user2@corp.example" not in page

    undone = company.document("undo", done["run"], "--reason", "a test")
    assert {one["outcome"] for one in undone["results"]} == {"done"}, undone
    assert off(server) == {"user5"}
    assert members_by_number(server, "Admins") == {"user4", "user5", "user6"}
    if name == "scim2":
        company.scan()
        listed = company.document("actions", "list")
        assert [one["verification"] for one in listed] == ["undone"] * 3 + ["verified"] * 3
        assert "user2@corp.example" in company.run("actions", "list", expect=0).stdout
    assert (
        "changed nothing that is not taken back" in company.run("undo", done["run"], "--reason", "x", expect=5).stderr
    )


def test_a_dry_run_decides_as_a_real_run_and_sends_nothing(fresh: tuple[Recorder, Company]) -> None:
    """The requests that it names are those that a real run then sends."""
    server, company = fresh
    company.plan()
    dry = company.document("apply", "--dry-run")
    assert server.sent == []
    assert not (company.state / "actions").exists()
    company.approve()

    company.document("apply")

    told = [(one["request"]["method"], one["request"]["body"]) for one in dry["results"]]
    assert [(sent[0], sent[2]) for sent in server.sent] == told
    assert all(sent[3].startswith('W/"') for sent in server.sent if sent[3] is not None)
    assert [sent[3] is not None for sent in server.sent] == [True, True, True]


def test_what_changed_since_the_plan_is_left_alone(fresh: tuple[Recorder, Company]) -> None:
    """Back in HR, renamed, or switched off by somebody else: two stale skips and one that was so already; exit 0."""
    server, company = fresh
    company.plan()
    company.approve()
    company.hr([row.replace("E2,user2@corp.example,terminated,2026-01-31", "E2,user2@corp.example,active,")
                for row in people(40, [2, 3, 4])])  # fmt: skip
    server.set_active(4, False)
    server.set(3, "externalId", "somebody-else")

    done = company.document("apply", expect=0)

    assert outcomes(done) == {"user2": "stale", "user3": "stale", "user4": "already"}
    assert server.sent == []


def test_what_an_identity_provider_switches_on_again_is_shown_and_left_to_a_person(
    fresh: tuple[Recorder, Company],
) -> None:
    """The next scan finds it undone, the plan says by which run it had been done, and no second fight begins."""
    server, company = fresh
    company.plan()
    company.approve()
    run = company.document("apply")["run"]
    server.set_active(3, True)
    company.scan()

    plan = company.plan()

    (again,) = [one for one in plan["actions"] if one["kind"] == "deactivate"]
    assert (again["decision"], again["reason_code"], again["earlier_run"]) == ("needs_a_person", "came-undone", run)
    assert "is active again" in plan["came_undone"][0]
    assert {f["verification"] for f in company.document("actions", "list")} == {"verified", "came_undone"}
    fingerprint = again["causes"][0]["fingerprint"]
    confirmed = company.plan("--confirm", fingerprint[:16])
    assert [one["decision"] for one in confirmed["actions"] if one["kind"] == "deactivate"] == ["confirmed"]


def test_what_a_person_took_back_is_left_to_a_person(fresh: tuple[Recorder, Company]) -> None:
    """Neither a plan that was signed before nor a later one takes it a second time."""
    server, company = fresh
    plan = company.plan()
    company.approve()
    run = company.document("apply")["run"]
    company.plan()
    company.approve()
    (action,) = [one["id"] for one in plan["actions"] if one["account_id"] == server.id_of(3)]
    assert "has no action 0123" in company.run("undo", run, "--action", "0123", "--dry-run", expect=2).stderr
    company.document("undo", run, "--action", action, "--reason", "needed until the end of the month")
    server.sent.clear()

    done = company.document("apply")

    assert outcomes(done) == {"user2": "already", "user3": "stale", "user4": "already"}
    assert next(one["detail"] for one in done["results"] if one["outcome"] == "stale").startswith("a person took this")
    assert (off(server), server.sent) == ({"user2", "user4"}, [])
    assert [f["verification"] for f in company.document("actions", "list") if f["run"] == run].count("undone") == 1
    later = {one["account"]["username"]: one for one in company.plan()["actions"] if one["kind"] == "deactivate"}
    again = later["user3@corp.example"]
    assert (again["decision"], again["reason_code"], again["earlier_run"]) == ("needs_a_person", "taken-back", run)


def test_no_secret_follows_a_changed_address(fresh: tuple[Recorder, Company]) -> None:
    """An undo whose application has another address by now is refused before anything is sent there."""
    server, company = fresh
    company.plan()
    company.approve()
    run = company.document("apply")["run"]
    config = company.folder / "orphanscan.toml"
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        moved = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/scim/v2"
        config.write_text(config.read_text().replace(server.base_url, moved))

        said = company.run("undo", run, "--reason", "moved", expect=5).stderr

        assert "base_url of crm is another one" in said
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_a_second_apply_at_the_same_time_is_refused(fresh: tuple[Recorder, Company]) -> None:
    """The one that holds the lock is named."""
    from scanner.store.state import writing

    _, company = fresh
    company.plan()
    company.approve()

    with writing(company.state, "apply"):
        assert "`orphanscan apply` (process" in company.run("apply", expect=6).stderr


def test_a_journal_that_was_changed_is_noticed_and_does_not_stop_a_scan(fresh: tuple[Recorder, Company]) -> None:
    """The chain breaks at the line; the manifest of the next scan calls the run damaged."""
    _, company = fresh
    company.plan()
    company.approve()
    run = company.document("apply")["run"]
    file = company.state / "actions" / run / "journal.ndjson"
    file.write_bytes(file.read_bytes().replace(b'"done"', b'"gone"', 1))

    assert "the journal was changed" in company.run("actions", "list", expect=6).stderr
    company.scan()
    scan = max((company.state / "scans").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert json.loads((scan / "evidence" / "manifest.json").read_text())["action_runs"] == {run: "damaged"}


def test_what_a_waiver_accepts_after_the_approval_is_stale_and_the_rest_is_done(
    fresh: tuple[Recorder, Company],
) -> None:
    """The file is read again before each write; a plan made afterwards says never; a broken file stops all."""
    server, company = fresh
    config = company.folder / "orphanscan.toml"
    config.write_text(config.read_text() + '[waivers]\nfile = "waivers.toml"\n')
    (company.folder / "waivers.toml").touch(0o600)
    company.plan()
    company.approve()
    entry = ["--rule", "leaver-still-active", "--account", "user3@corp.example", "--reason", "Handover"]

    (company.folder / "waivers.toml").write_text("[[waiver]]\n")
    assert "line 1: waiver[1].rule: missing" in company.run("apply", expect=2).stderr
    assert server.sent == []
    (company.folder / "waivers.toml").write_text("")
    added = company.document("waivers", "add", *entry, "--approver", "dana", "--days", "30")["waiver"]
    done = company.document("apply")

    assert (added["status"], len(added["findings"])) == ("in_force", 1)
    assert outcomes(done) == {"user2": "done", "user3": "stale", "user4": "done"}
    (stale,) = [one for one in done["results"] if one["outcome"] == "stale"]
    assert stale["detail"] == "a waiver accepts it now"
    assert off(server) == {"user2", "user4"}
    decisions = {one["account"]["username"]: one["reason_code"] for one in company.plan()["actions"]}
    assert decisions["user3@corp.example"] == "waived"


def test_another_waiver_file_is_a_question_for_what_if(fresh: tuple[Recorder, Company]) -> None:
    """It is judged as the file of the configuration would be, and changes nothing."""
    _, company = fresh
    other = company.folder / "other.toml"
    other.write_text(
        '[[waiver]]\nrule = "leaver-*"\naccount = "user[23]@*"\nreason = "r"\napprover = "dana"\n'
        f"granted_on = {datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}\n"
    )
    other.chmod(0o600)

    changes = company.document("plan", "--what-if", f"waivers={other}")["changes"]

    assert {(one["now"], one["then"]) for one in changes} == {("automatic", "never")}
    assert len(changes) == 2
