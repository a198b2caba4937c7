"""Several findings that ask for one change: what one of them lacks, another does not make up for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from company import Company, found, people
from live import Start

from scanner import config_file
from scanner import scan as scanning
from scanner.config import Config
from scanner.model import Finding, FindingState, Severity
from scanner.remediation import planning
from scanner.remediation.model import Action
from scanner.remediation.plan import Asked

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def basis(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, planning.Basis]:
    """Scan once: person 2 has left."""
    company: Company = found(tmp_path_factory.mktemp("company") / "co", {"crm": start().base_url})
    company.hr(people(40, [2]))
    company.scan()
    config = config_file.load(Path(company.folder / "orphanscan.toml"))
    return config, planning.basis(config, *scanning.latest_record(config, "latest"))


def planned(
    basis: tuple[Config, planning.Basis], *findings: dict[str, Any], grace: dict[str, int] | None = None, **past: Any
) -> Action:
    """Return the one change that is planned where these findings are raised about the account of person 2."""
    config, found = basis
    (result,) = [one for one in found.record.results if one.rule == "leaver-still-active"]
    (template,) = result.findings
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


def test_an_accepted_finding_lends_nothing_to_one_that_cannot_decide(basis: tuple[Config, planning.Basis]) -> None:
    """The accepted one is sure, the other is not: a person decides, and only the other is named as the reason."""
    sure = {"rule": "dormant-account", "state": FindingState.WAIVED, "severity": Severity.CRITICAL}

    action = planned(basis, sure, {"verdict": "unknown"})

    assert (action.decision, action.reason_code) == ("needs_a_person", "undecided")
    assert [cause.rule for cause in action.causes] == ["leaver-still-active"]
    assert action.severity is Severity.HIGH
    assert planned(basis, sure).reason_code == "waived"


def test_a_sure_finding_in_its_grace_period_waits_whatever_an_unsure_one_says(
    basis: tuple[Config, planning.Basis],
) -> None:
    """The other has no grace period, but would not be acted on by itself either."""
    action = planned(
        basis,
        {"rule": "dormant-account"},
        {"verdict": "unknown"},
        grace={"dormant-account": 7},
    )

    assert (action.decision, len(action.causes)) == ("waiting", 2)


def test_the_finding_that_carries_furthest_decides(basis: tuple[Config, planning.Basis]) -> None:
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
    basis: tuple[Config, planning.Basis], marked: timedelta, state: FindingState, first_seen: timedelta, decision: str
) -> None:
    """The clock of whoever plans does not count, and a plan of the scan that marked it never acts."""
    scan = basis[1].record.scan
    finding = {"rule": "dormant-account", "state": state, "first_seen_at": scan.started_at + first_seen}

    action = planned(basis, finding, grace={"dormant-account": 7}, marked_at={"0" * 64: scan.started_at + marked})

    assert action.decision == decision


def test_a_finding_that_went_away_and_came_back_is_marked_anew(
    basis: tuple[Config, planning.Basis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if no plan was made while it was away."""
    config, found = basis
    (finding,) = [f for result in found.record.results for f in result.findings]
    again = replace(finding, state=FindingState.OPEN, first_seen_at=datetime(2026, 6, 1, tzinfo=UTC))
    marks = {finding.fingerprint: datetime(2026, 5, 1, tzinfo=UTC)}
    monkeypatch.setattr("scanner.remediation.plan_file.marks", lambda state: marks)

    assert planning._marks(config, [again]) == {}
    marks[finding.fingerprint] = datetime(2026, 6, 2, tzinfo=UTC)
    assert planning._marks(config, [again]) == marks
