"""Decisions on the evidence of a real scan: by which finding, and whether what they rest on still holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from company import Company, found
from live import Recorder, Start

from scanner import config_file
from scanner import scan as scanning
from scanner.config import Config
from scanner.model import Finding, FindingState, Severity
from scanner.remediation import planning
from scanner.remediation.model import Action
from scanner.remediation.plan import Asked

DAY = timedelta(days=1)
Scanned = tuple[Config, planning.Basis]
HEAD = "employee_number,full_name,email,status,termination_date,department,job_title,manager,worker_type,hire_date"
ROW = "E{0},Person {0},user{0}@corp.example,{1},{2},Sales,Clerk,E0,employee,2020-01-01"

REGISTERED = {10: "break_glass", 11: "service", 12: "shared"}
"""Accounts that the register knows as another kind; their people have left all the same."""
ENTRY = '[[account]]\napp = "crm"\nusername = "user{}@corp.example"\nkind = "{}"\nowner = "E1"\npurpose = "A test"\n'


def roster(company: Company, changes: dict[int, tuple[str, str]]) -> None:
    """Write HR: some people have left; what is said of some others is another thing than before."""
    left = (2, *REGISTERED)
    rows = [
        ROW.format(n, "terminated" if n in left else "active", "2026-01-31" if n in left else "") for n in range(40)
    ]
    changed = [row.replace(*changes.get(number, ("", ""))) for number, row in enumerate(rows)]
    (company.folder / "hr.csv").write_text("\n".join([HEAD, *changed, ""]))


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Company]:
    """Scan once: person 2 has left; 5 to 9 work there, and their inactive accounts are administrators."""
    server = start(groups={"Admins": list(range(4, 10))}, inactive=range(5, 10))
    company = found(
        tmp_path_factory.mktemp("company") / "co",
        {"crm": server.base_url},
        remediation="floor = 20\nmax_unproven = 20\n",
    )
    roster(company, {})
    (company.folder / "register.toml").write_text("".join(ENTRY.format(*one) for one in REGISTERED.items()))
    company.scan()
    return server, company


@pytest.fixture(scope="module")
def basis(world: tuple[Recorder, Company]) -> Scanned:
    """Return what plans are made from."""
    config = config_file.load(world[1].folder / "orphanscan.toml")
    return config, planning.basis(config, *scanning.latest_record(config, "latest"))


def planned(basis: Scanned, *findings: dict[str, Any], grace: dict[str, int] | None = None, **past: Any) -> Action:
    """Return the one change that is planned where these findings are raised about the account of person 2."""
    config, found = basis
    (result,) = [one for one in found.record.results if one.rule == "leaver-still-active"]
    (template,) = [one for one in result.findings if one.username == "user2@corp.example"]
    raised: list[Finding] = [
        replace(template, **{"fingerprint": f"{number:x}" * 64, **more}) for number, more in enumerate(findings)
    ]
    others = tuple(replace(one, findings=()) for one in found.record.results if one is not result)
    record = replace(found.record, results=(*others, replace(result, findings=tuple(raised))))
    settings = replace(config.remediation, grace_days=grace or {})
    made = planning.make(
        replace(config, remediation=settings),
        replace(found, record=record, past=replace(found.past, **past)),
        Asked(),
    )
    (action,) = made.actions
    return action


def test_an_accepted_finding_lends_nothing_to_one_that_cannot_decide(basis: Scanned) -> None:
    """The accepted one is sure, the other is not: a person decides, and only the other is named as the reason."""
    sure = {"rule": "dormant-account", "state": FindingState.WAIVED, "severity": Severity.CRITICAL}

    action = planned(basis, sure, {"verdict": "unknown"})

    assert (action.decision, action.reason_code) == ("needs_a_person", "undecided")
    assert [cause.rule for cause in action.causes] == ["leaver-still-active"]
    assert action.severity is Severity.HIGH
    assert planned(basis, sure).reason_code == "waived"


def test_a_sure_finding_in_its_grace_period_waits_whatever_an_unsure_one_says(
    basis: Scanned,
) -> None:
    """The other has no grace period, but would not be acted on by itself either."""
    action = planned(
        basis,
        {"rule": "dormant-account"},
        {"verdict": "unknown"},
        grace={"dormant-account": 7},
    )

    assert (action.decision, len(action.causes)) == ("waiting", 2)


def test_the_finding_that_carries_furthest_decides(basis: Scanned) -> None:
    """One that waits does not hold up one that need not."""
    action = planned(basis, {"rule": "dormant-account"}, {}, grace={"dormant-account": 7})

    assert (action.decision, action.acts_from) == ("automatic", None)


@pytest.mark.parametrize(
    ("marked", "state", "first_seen", "decision"),
    [
        (-8 * DAY, FindingState.OPEN, -9 * DAY, "automatic"),
        (-6 * DAY, FindingState.OPEN, -9 * DAY, "waiting"),
        (DAY / 24, FindingState.NEW, timedelta(0), "waiting"),
    ],
)
def test_a_grace_period_is_over_when_a_scan_after_its_end_still_shows_the_finding(
    basis: Scanned, marked: timedelta, state: FindingState, first_seen: timedelta, decision: str
) -> None:
    """The clock of whoever plans does not count, and a plan of the scan that marked it never acts."""
    scan = basis[1].record.scan
    finding = {"rule": "dormant-account", "state": state, "first_seen_at": scan.started_at + first_seen}

    action = planned(basis, finding, grace={"dormant-account": 7}, marked_at={"0" * 64: scan.started_at + marked})

    assert action.decision == decision


def test_a_finding_that_went_away_and_came_back_is_marked_anew(basis: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if no plan was made while it was away."""
    config, found = basis
    finding, *_ = [f for result in found.record.results for f in result.findings]
    again = replace(finding, state=FindingState.OPEN, first_seen_at=datetime(2026, 6, 1, tzinfo=UTC))
    marks = {finding.fingerprint: datetime(2026, 5, 1, tzinfo=UTC)}
    monkeypatch.setattr("scanner.remediation.plan_file.marks", lambda state: marks)

    assert planning._marks(config, [again]) == {}
    marks[finding.fingerprint] = datetime(2026, 6, 2, tzinfo=UTC)
    assert planning._marks(config, [again]) == marks


def rehearsed(server: Recorder, company: Company) -> dict[int, str]:
    """Return what a dry run says of each person's account."""
    number = {str(row["id"]): int(row["userName"][4:].split("@")[0]) for row in server.resources("/Users")}
    done = company.document("apply", "--dry-run")
    return {number[one["account_id"]]: f"{one['outcome']} {one['detail']}".strip() for one in done["results"]}


def test_what_the_register_names_is_never_touched_though_its_person_left(basis: Scanned) -> None:
    """The finding is raised, and the plan says why nothing is sent; nobody can confirm it away."""
    config, found = basis
    everything = tuple(f.fingerprint for result in found.record.results for f in result.findings)

    made = planning.make(config, found, Asked(confirmed=everything, allow_irreversible=True))

    never = {(one.account.username, one.reason_code) for one in made.actions if one.decision == "never" and one.account}
    assert never == {
        ("user10@corp.example", "break-glass"),
        ("user11@corp.example", "service"),
        ("user12@corp.example", "shared"),
    }


def test_what_a_decision_rests_on_is_looked_at_again(world: tuple[Recorder, Company], tmp_path: Path) -> None:
    """Rights go with a post as it is now, a name decides nothing, and who was given more may be the last to hold it."""
    server, company = world[0], world[1].copy(tmp_path / "co")
    company.plan()
    assert set(rehearsed(server, company).values()) == {"would_send"}
    roster(
        company,
        {
            5: ("Person 5", "Person Five"),
            6: ("Sales", "Finance"),
            7: ("Clerk", "Administrator"),
            8: (",E0,", ",E1,"),
            9: ("active", "on_leave"),
        },
    )
    server.set(2, "roles", [{"value": "owner"}])

    said = rehearsed(server, company)

    assert said == {
        2: "stale it holds role:owner now, which it did not in the plan",
        5: "would_send",
        6: "stale worker_department is not as in the plan",
        7: "stale worker_job_title is not as in the plan",
        8: "stale worker_manager_id is not as in the plan",
        9: "stale worker_status is not as in the plan",
    }
