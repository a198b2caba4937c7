"""What is refused before anything is sent: the gates of `approve` and `apply`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from company import Company, outcomes
from live import Recorder, off

from scanner import config_file
from scanner.errors import RefusedError
from scanner.remediation import gates, plan_file


def test_an_unapproved_changed_expired_or_stale_plan_is_refused(fresh: tuple[Recorder, Company]) -> None:
    """Exit 5 each time, with what to do, and nothing is sent."""
    server, company = fresh
    plan = company.plan()
    path = company.state / "plans" / f"{plan['id']}.json"
    original = path.read_bytes()
    assert "0 of 1 approvals" in company.run("apply", expect=5).stderr
    company.approve()

    path.write_bytes(original.replace(b'"active"', b'"actjve"', 1))
    assert "is not what the evidence gives" in company.run("apply", expect=5).stderr
    path.write_bytes(original + b" ")
    assert "0 of 1 approvals" in company.run("apply", expect=5).stderr
    path.write_bytes(original)

    config = company.folder / "orphanscan.toml"
    kept = config.read_text()
    for changed in (
        kept + "max_unproven = 4\n",
        kept.replace("settle_seconds = 0.3", "settle_seconds = 0.4"),
        kept + "[rules.params.dormant-account]\ndormant_days = 400\n",
    ):
        config.write_text(changed)
        assert "the configuration, the approvers or a policy changed" in company.run("apply", expect=5).stderr
    config.write_text(kept)

    signed = path.with_suffix(".approvals.json").read_text()
    path.with_suffix(".approvals.json").write_text(signed.replace('"dana"', '"omar"'))
    assert "0 of 1 approvals" in company.run("apply", expect=5).stderr
    path.with_suffix(".approvals.json").write_text(signed)

    company.scan()
    assert "make a new plan" in company.run("apply", expect=5).stderr
    assert server.sent == []


def edited(company: Company, plan: dict[str, Any], **changes: Any) -> None:
    """Change a plan as somebody who may write the file could, before anybody signs it."""
    path = company.state / "plans" / f"{plan['id']}.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def test_whoever_signs_cannot_first_change_what_the_evidence_gives(fresh: tuple[Recorder, Company]) -> None:
    """Fewer approvals, a wider budget, another account behind the address, a longer life: not signed, not applied."""
    server, company = fresh
    config = company.folder / "orphanscan.toml"
    config.write_text(config.read_text() + "approvals = 2\n")
    plan = company.plan()
    first, *others = [one for one in plan["actions"] if one["kind"] == "deactivate"]
    request = {**first["request"], "url": first["request"]["url"].replace(first["account_id"], server.id_of(9))}
    harmless = {**first["meaning"], "safety": "S2", "reversible": True}

    for changes in (
        {"approvals_needed": 1},
        {"targets": [{**plan["targets"][0], "accounts": 100_000}]},
        {"budget": []},
        {"expires_at": "2030-01-01T00:00:00Z"},
        {"is_baseline": False},
        {"filters": {"nosuch": ["a"]}},
        {"actions": [{**first, "request": request}, *others]},
        {"actions": [{**first, "meaning": harmless}, *others]},
        {"actions": [{**first, "id": "0" * 12}, *others]},
    ):
        edited(company, plan, **changes)
        assert "is not what the evidence gives" in company.run("approve", "--key", "dana.pem", expect=5).stderr, changes
    assert "is not what the evidence gives" in company.run("apply", "--dry-run", expect=5).stderr
    assert server.sent == []


def test_a_plan_of_a_clock_that_was_ahead_is_refused(fresh: tuple[Recorder, Company]) -> None:
    """Neither a longer life nor an earlier end of grace comes from it."""
    _, company = fresh
    plan = company.plan()
    later = datetime.now(UTC) + timedelta(days=30)
    edited(company, plan, created_at=f"{later:%Y-%m-%dT%H:%M:%SZ}", expires_at=f"{later + timedelta(days=1):%FT%TZ}")

    assert "set the clock, and make a new plan" in company.run("approve", "--key", "dana.pem", expect=5).stderr
    assert "set the clock, and make a new plan" in company.run("apply", "--unattended", expect=5).stderr


def test_an_expired_plan_is_neither_approved_nor_applied(fresh: tuple[Recorder, Company]) -> None:
    """A plan lives for as long as the policy says."""
    server, company = fresh
    plan = company.plan()
    company.approve()
    edited(company, plan, created_at="2026-01-01T00:00:00Z", expires_at="2026-01-02T00:00:00Z")

    assert "expired" in company.run("apply", expect=5).stderr
    assert "expired" in company.run("approve", "--key", "omar.pem", expect=5).stderr
    assert server.sent == []


def test_over_budget_nothing_is_written_even_if_people_had_approved(fresh: tuple[Recorder, Company]) -> None:
    """The plan says so, an approval is refused, and so is the run."""
    server, company = fresh
    (company.folder / "orphanscan.toml").write_text(
        (company.folder / "orphanscan.toml").read_text() + "max_actions = 2\n"
    )
    company.plan(expect=5)

    assert "over budget" in company.run("approve", "--key", "dana.pem", expect=5).stderr
    assert "over budget" in company.run("apply", expect=5).stderr
    assert server.sent == []


def test_a_subject_may_not_approve_and_two_people_sign_where_the_policy_asks(fresh: tuple[Recorder, Company]) -> None:
    """The same person twice is one person; a key that nobody owns approves nothing."""
    server, company = fresh
    config = company.folder / "orphanscan.toml"
    config.write_text(config.read_text() + "approvals = 2\n")
    approvers = company.folder / "approvers.toml"
    approvers.write_text(approvers.read_text().replace('"E902"', '"user3@corp.example"'))
    company.plan()
    assert "omar is a subject" in company.run("approve", "--key", "omar.pem", expect=5).stderr
    company.run("approve", "--key", "dana.pem", expect=0)
    assert "dana has approved" in company.run("approve", "--key", "dana.pem", expect=5).stderr
    assert "1 of 2 approvals" in company.run("apply", expect=5).stderr
    company.run("key", "new", "stranger.pem", "--no-passphrase", expect=0)
    assert "belongs to nobody" in company.run("approve", "--key", "stranger.pem", expect=5).stderr

    written = approvers.read_text()
    approvers.write_text(written.replace('"user3@corp.example"', '"E999"'))
    plan = company.plan()
    assert (
        "HR knows nobody, or several people, as 'E999'" in company.run("approve", "--key", "omar.pem", expect=5).stderr
    )
    approvers.write_text(written)
    (other,) = [one["causes"][0]["fingerprint"] for one in plan["actions"] if one["account_id"] == server.id_of(2)]
    company.plan("--fingerprint", other)
    assert "HR says terminated of them" in company.run("approve", "--key", "omar.pem", expect=5).stderr
    approvers.write_text(written.replace('"user3@corp.example"', '"omar@corp.example"'))
    company.plan()
    company.approve("dana", "omar")
    assert set(outcomes(company.document("apply")).values()) == {"done"}
    entries = company.document("actions", "show")["entries"]
    assert [one["approver"] for one in entries[0]["approvals"]] == ["dana", "omar"]
    assert "was applied in" in company.run("apply", expect=5).stderr
    assert len(server.sent) == 3


def test_unattended_runs_do_what_the_policy_opted_in_and_no_more(fresh: tuple[Recorder, Company]) -> None:
    """Not on a baseline, not without opt-in, not a plan that somebody changed; leavers go, and the journal says how."""
    server, company = fresh
    config = company.folder / "orphanscan.toml"
    company.plan()
    assert "nothing may run unattended" in company.run("apply", "--unattended", expect=5).stderr
    config.write_text(config.read_text() + 'unattended_classes = ["S3"]\nunattended_rules = ["leaver-still-active"]\n')
    company.plan()
    assert "baseline" in company.run("apply", "--unattended", expect=5).stderr
    company.scan()
    plan = company.plan()
    path = company.state / "plans" / f"{plan['id']}.json"
    original = path.read_bytes()
    path.write_bytes(original.replace(server.id_of(2).encode(), server.id_of(9).encode()))
    assert "it was changed" in company.run("apply", "--unattended", expect=5).stderr
    kept = config.read_text()
    config.write_text(kept + "max_actions = 2\n")
    company.plan(expect=5)
    assert "over budget: 3 changes in one run" in company.run("apply", "--unattended", expect=5).stderr
    config.write_text(kept)
    company.plan()
    now, (made, _) = datetime.now(UTC), plan_file.read(plan_file.find(company.state, "latest"))
    with pytest.raises(RefusedError, match="old evidence: scan again"):
        gates.unattended(config_file.load(config), made, now - timedelta(hours=25), now)
    assert server.sent == []

    done = company.document("apply", "--unattended")

    assert outcomes(done) == dict.fromkeys(("user2", "user3", "user4"), "done")
    assert off(server) >= {"user2", "user3", "user4"}
    assert company.document("actions", "show")["entries"][0]["mode"] == "unattended"
