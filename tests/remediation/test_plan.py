"""Plans of live scans: what they hold, what they refuse, and that they send nothing."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
from company import Company, found, people
from live import Recorder, Start

from scanner.remediation import plan_file
from scanner.remediation.budgets import budget
from scanner.remediation.model import Decision, Target
from scanner.settings import RemediationSettings


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Company]:
    """Scan once: people 2, 3 and 4 have left; 3 and 4 are the administrators."""
    server = start(groups={"Staff": [1, 2], "Admins": [3, 4]})
    company = found(tmp_path_factory.mktemp("company") / "co", {"crm": server.base_url})
    company.hr(people(40, [2, 3, 4]))
    company.scan()
    company.plan()
    return server, company


def by_name(plan: dict[str, Any]) -> dict[str, Any]:
    """Return user name -> action, notices left out."""
    return {one["account"]["username"].split("@")[0]: one for one in plan["actions"] if one["kind"] != "notice"}


def test_a_plan_holds_all_that_a_reviewer_needs_and_sends_nothing(world: tuple[Recorder, Company]) -> None:
    """Finding, state and version before, exact request, meaning, class, consequences; bound to the evidence."""
    server, company = world

    plan = company.plan()

    action = by_name(plan)["user2"]
    assert (action["decision"], action["kind"], action["meaning"]["safety"]) == ("automatic", "deactivate", "S3")
    assert action["causes"][0]["rule"] == "leaver-still-active"
    assert re.fullmatch(r"[0-9a-f]{64}", action["causes"][0]["fingerprint"])
    assert action["account"]["is_active"] is True
    assert action["account"]["version"].startswith('W/"')
    assert action["request"]["method"] == "PATCH"
    assert action["request"]["url"] == f"{server.base_url}/Users/{server.id_of(2)}"
    assert action["request"]["body"]["Operations"] == [{"op": "replace", "path": "active", "value": False}]
    assert "no document says so" in action["meaning"]["sentence"]
    assert "It holds 1 right, 0 of them privileged." in action["consequences"]
    (scan,) = (company.state / "scans").iterdir()
    manifest = (scan / "evidence" / "manifest.json").read_bytes()
    assert plan["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert server.sent == []


def test_administrators_who_all_leave_do_not_leave_the_application_without_one(
    world: tuple[Recorder, Company],
) -> None:
    """The second of them is the last administrator, because the plan already takes the first."""
    actions = by_name(world[1].plan())

    codes = {actions[name]["reason_code"] for name in ("user3", "user4")}
    assert codes == {"automatic", "last-administrator"}
    said = [sentence for name in ("user3", "user4") for sentence in actions[name]["consequences"]]
    assert "It is an administrator; 1 other would remain." in said
    assert "It is an administrator; 0 others would remain." in said


def test_filters_narrow_a_plan(world: tuple[Recorder, Company]) -> None:
    """By fingerprint, by rule, by application and severity."""
    _, company = world
    fingerprint = by_name(company.plan())["user3"]["causes"][0]["fingerprint"]

    assert list(by_name(company.plan("--fingerprint", fingerprint[:12]))) == ["user3"]
    assert by_name(company.plan("--rule", "dormant-account")) == {}
    assert list(by_name(company.plan("--app", "crm", "--severity", "high"))) == ["user2"]


def test_what_names_nothing_is_a_slip_and_not_an_empty_plan(world: tuple[Recorder, Company]) -> None:
    """Rule, application, fingerprint and confirmation, each with what to write instead; a decision is about one."""
    _, company = world
    for words, said in (
        (["--rule", "leaver-still-activ"], "did you mean leaver-still-active?"),
        (["--app", "crn"], "did you mean crm?"),
        (["--fingerprint", "00"], "begins no fingerprint"),
        (["--confirm", "00000000"], "begins no fingerprint"),
        (["--confirm", "12345"], "at least its first 8 hex digits"),
    ):
        assert said in company.run("plan", *words, expect=2).stderr


def test_over_budget_says_what_to_change_and_exits_5(world: tuple[Recorder, Company], tmp_path: Path) -> None:
    """And what-if shows what another limit, parameter or waiver would do, without a file."""
    server, company = world[0], world[1].copy(tmp_path / "co", max_actions_per_application=1)

    done = company.run("plan", expect=5)

    assert "2 changes in one application (crm); max_actions_per_application allows 1" in done.stderr
    assert "narrow it with --app" in done.stderr
    before = sorted((company.state / "plans").iterdir())
    shown = company.document("plan", "--what-if", "max_actions_per_application=5")
    assert shown == {"changes": [], "over_budget": []}
    waived = company.document("plan", "--what-if", "waive=leaver-still-active")["changes"]
    assert {one["then"] for one in waived} == {"never"}
    assert len(waived) == 2
    assert "max_percent" in company.run("plan", "--what-if", "max_prcent=1", expect=2).stderr
    later = company.document("plan", "--what-if", "leaver-still-active.sla_hours=720")["changes"]
    assert later == []
    assert sorted((company.state / "plans").iterdir()) == before
    assert server.sent == []


def budget_lines() -> list[tuple[str, ...]]:
    """Return the cells of the table of budgets."""
    text = (Path(__file__).parents[2] / "docs" / "remediation.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \|(.*)\|$", text, re.MULTILINE)
    assert len(rows) > 9
    return rows


@pytest.mark.parametrize("line", budget_lines(), ids=lambda cells: "-".join(cells[:3]))
def test_budgets_bound_number_share_and_what_is_unproven(
    world: tuple[Recorder, Company], line: tuple[str, ...]
) -> None:
    """As the table of the document says; what would not be sent uses nothing of them."""
    path = plan_file.find(world[1].state, "latest")
    template = next(action for action in plan_file.read(path)[0].actions if action.decision == "automatic")
    accounts, changes, proven = map(int, line[:3])
    actions = [replace(template, id=str(n), case=replace(template.case, proven=n < proven)) for n in range(changes)]
    others = [replace(template, decision=one) for one in Decision if not one.is_actionable for _ in range(100)]

    lines = budget(RemediationSettings(), [Target("crm", "CRM", None, "generic", accounts)], [*actions, *others])

    assert {one.limit for one in lines if one.is_over} == set(filter(None, line[3].strip().split(", ")))


def test_the_pdf_and_the_page_hold_the_plan(world: tuple[Recorder, Company]) -> None:
    """Text of the PDF is read back; only the owner may read either."""
    _, company = world

    done = company.run("plan", "--format", "pdf", "--format", "html", expect=0)

    pdf, html = (next((company.state / "plans").glob(f"*.{kind}")) for kind in ("pdf", "html"))
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)
    for words in ("user2@corp.example", "Remediation plan", "No other administrator would remain"):
        assert words in text
        assert words in html.read_text()
    assert "<script" not in html.read_text()
    assert str(pdf) in done.stdout
    assert (pdf.stat().st_mode & 0o777, html.stat().st_mode & 0o777) == (0o600, 0o600)


def test_a_plan_stands_though_its_pdf_cannot_be_drawn(
    world: tuple[Recorder, Company], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is drawn in a process of its own: what fails there is told, and the plan is there to be rendered again."""
    company = world[1].copy(tmp_path / "co")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    before = set((company.state / "plans").glob("*.json"))

    done = company.run("plan", "--format", "pdf", expect=6)

    assert "the plan is written as" in done.stderr
    assert "the renderer failed: OSError: cannot load library 'libpango-1.0-0'" in done.stderr
    assert len(set((company.state / "plans").glob("*.json")) - before) == 1


def test_evidence_that_was_changed_since_the_scan_plans_nothing(
    world: tuple[Recorder, Company], tmp_path: Path
) -> None:
    """The plan would rest on something else than what the rules saw."""
    company = world[1].copy(tmp_path / "co")
    (settings,) = (company.state / "scans").glob("*/evidence/audit/settings.parquet")
    settings.write_bytes(settings.read_bytes() + b" ")

    assert "was changed after the scan was sealed" in company.run("plan", expect=6).stderr
