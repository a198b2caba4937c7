"""Frameworks: what the shipped ones claim, bounds on parameters, and those that people add by files alone."""

import json
import re
import shutil
from pathlib import Path

import pytest
from in_process import orphanscan

from scanner import framework_files, rules
from scanner.errors import ConfigError
from scanner.frameworks import Bound, ControlOutcome, ControlResult, Strength, fold
from scanner.model import ApplicationFact, AppOutcome, RuleOutcome, RuleResult, Verdict
from scanner.model_rules import Rule

ROOT = Path(__file__).parent.parent
MAIN = ("gdpr", "hipaa", "sox")
RULES = {rule.id: rule for rule in rules.find()}
SHIPPED = {one.id: one for one in framework_files.load(rules=RULES.values())}


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Return the starter company with the rule and the framework that docs/frameworks.md adds."""
    shutil.copytree(ROOT / "sample_data" / "starter", tmp_path / "company")
    text = (ROOT / "docs" / "frameworks.md").read_text()
    for name, content in re.findall(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        path = tmp_path / "company" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{content}" if name.endswith(".toml") else content)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "company"


def clean(rule: Rule) -> RuleResult:
    """Return a result of a rule that found nothing."""
    part = AppOutcome("a", 9, 9, 0, 0, 0, RuleOutcome.CLEAN)
    return RuleResult(rule.id, rule.title, rule.severity, RuleOutcome.CLEAN, 9, 9, 0, 0, (), apps=(part,))


def folded(framework: str, control: str, chosen: list[Rule], data: str) -> ControlResult:
    """Return the result of one control over one application, where no rule found anything."""
    app = ApplicationFact("a", "A", None, (data,), "scim", "generic", "all", "complete", None)
    results = fold(SHIPPED[framework], [clean(rule) for rule in chosen], [app], chosen)
    return next(one for one in results if one.control.id == control)


def test_every_rule_is_drawn_on_and_every_lead_only_supports() -> None:
    """A rule that no main framework draws on would be work for nothing; a lead decides no control."""
    edges = [edge for one in MAIN for control in SHIPPED[one].controls for edge in control.edges]

    assert {edge.rule for edge in edges} == set(RULES)
    assert {edge.rule for edge in edges if RULES[edge.rule].lead and edge.strength is not Strength.SUPPORTING} == set()


def test_every_reason_is_a_sentence_and_every_gap_is_named() -> None:
    """Edges say why and what they miss; a control that no rule tests says so in its list of gaps."""
    for framework in SHIPPED.values():
        for control in framework.controls:
            assert all(text.endswith(".") for text in (control.paraphrase, *(edge.because for edge in control.edges)))
            assert all(not text.endswith(".") for text in control.not_tested)
            assert control.is_confirmed == bool(control.verified_on), f"{framework.id} {control.id}"
            assert control.edges or control.not_tested


def test_every_parameter_says_where_its_default_comes_from() -> None:
    """A reader of the report can tell a law from a habit of ours."""
    assert [(rule.id, one.name) for rule in RULES.values() for one in rule.params if not one.source.endswith(".")] == []


def test_hipaa_marks_what_is_required_and_addressable_and_sox_says_whose_numbers_it_uses() -> None:
    """Standards are mandatory; a specification is one or the other; the ITGC numbers are our own."""
    forces = {(control.kind, control.force) for control in SHIPPED["hipaa"].controls}

    assert {("standard", "mandatory"), ("specification", "required"), ("specification", "addressable")} <= forces
    assert not forces & {("standard", "required"), ("standard", "addressable")}
    assert "neither the Sarbanes-Oxley Act nor a standard of the PCAOB lists them" in SHIPPED["sox"].note


def test_what_is_proposed_is_no_report_by_default() -> None:
    """The proposed HIPAA rule is there for those who name it."""
    assert [one.id for one in SHIPPED.values() if one.status == "proposed"] == ["hipaa-nprm-2025"]


def test_a_parameter_looser_than_the_bound_makes_the_control_fail() -> None:
    """The rule found nothing at 120 days, which proves nothing about 90."""
    rule = RULES["dormant-account"]
    loose = rules.with_params(rule, {"dormant_days": 120})

    assert folded("pci-dss", "8.2.6", [rule], "cardholder").result is ControlOutcome.NO_EXCEPTIONS
    failed = folded("pci-dss", "8.2.6", [loose], "cardholder")
    assert failed.result is ControlOutcome.EXCEPTIONS
    assert [(bound.parameter, value) for bound, value in failed.loosened] == [("dormant_days", 120)]
    assert folded("pci-dss", "8.2.6", [loose], "personal").result is ControlOutcome.NOT_TESTED


def test_the_proposed_hour_holds_for_privileged_accounts_too() -> None:
    """Our default of four hours for them is looser than the proposal, whatever the others are given."""
    rule = rules.with_params(RULES["leaver-still-active"], {"sla_hours": 1})
    hour = rules.with_params(RULES["leaver-still-active"], {"sla_hours": 1, "privileged_sla_hours": 1})

    failed = folded("hipaa-nprm-2025", "Proposed: end of access", [rule], "ephi")
    assert [(bound.parameter, value) for bound, value in failed.loosened] == [("privileged_sla_hours", 4)]
    assert folded("hipaa-nprm-2025", "Proposed: end of access", [hour], "ephi").loosened == ()


@pytest.mark.parametrize(("value", "breaks"), [(1, True), (2, False), (5, False), (6, True), ("x", False)])
def test_a_bound_holds_on_both_sides(value: object, breaks: bool) -> None:
    """The limit itself is within it; what is no number cannot break it."""
    assert Bound("r", "p", at_most=5, at_least=2, because="").breaks(value) is breaks


def test_a_rule_and_a_framework_are_added_by_files_alone(company: Path) -> None:
    """The example of the documents gives a report of its own, in which the loosened parameter is named."""
    config = company / "orphanscan.toml"
    shown = orphanscan(company, "frameworks", "show", "acme")
    config.write_text(config.read_text() + "\n[rules.params.test-account]\ngrace_days = 60\n")
    loosened = orphanscan(company, "frameworks", "show", "acme")
    done = orphanscan(company, "scan", "--json")

    assert (
        "tested by test-account (partial): A test account belongs to nobody. It is the policy itself." in shown.stdout
    )
    assert "in force 30, within it" in shown.stdout
    assert "in force 60, looser, so the control fails" in loosened.stdout
    html = (Path(json.loads(done.stdout)["dir"]) / "reports" / "acme.html").read_text()
    assert "grace_days of test-account is 60; this asks for at most 30. The policy says a month." in html
    assert "Test account that can be used" in html


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("families.toml", '"test-account"', '"test-acount"', "names the rule test-acount, which does not exist"),
        ("families.toml", 'id = "CF-IDN"', 'id = "CF-XYZ"', "a new family needs title and objective"),
        ("families.toml", "not_covered", "not_coverd", "unknown key; did you mean not_covered?"),
        ("acme.toml", '"CF-IDN"', '"CF-IDM"', "there is no control family CF-IDM; did you mean CF-IDN?"),
        ("acme.toml", '"grace_days"', '"days"', "bounds days of test-account, which does not exist"),
        ("acme.toml", "at_most = 30, ", "", "needs at_most or at_least"),
        ("acme.toml", "bounds", "bound", "unknown key; did you mean bounds?"),
        ("acme.toml", 'id = "acme"', 'id = "other"', "the file of other must be called other.toml"),
        ("acme.toml", 'confidence = "confirmed"', 'confidence = "sure"', '"sure" is not one of confirmed, unconfirmed'),
        ("acme.toml", "because", "only = ['tests'], because", "only: tests is no rule of the family CF-IDN"),
    ],
)
def test_a_mapping_that_errs_is_refused_before_anything_is_read(
    company: Path, file: str, before: str, after: str, told: str
) -> None:
    """A slip of the pen must not leave a control untested unnoticed."""
    path = company / "our-rules" / "frameworks" / file
    path.write_text(path.read_text().replace(before, after, 1))

    with pytest.raises(ConfigError) as caught:
        framework_files.load([company / "our-rules"], rules.find([company / "our-rules"]))

    assert told in str(caught.value)


def test_a_mapping_that_others_may_write_is_refused(company: Path) -> None:
    """Whoever may write a mapping may make a control that failed look clean."""
    path = company / "our-rules" / "frameworks" / "acme.toml"
    path.chmod(0o666)

    done = orphanscan(company, "scan")

    assert done.returncode == 2
    assert "others may write this file" in done.stderr
    assert not (company / "orphanscan-state").exists()


def test_two_frameworks_of_one_name_are_refused(company: Path) -> None:
    """Nobody can tell which of them a report would show."""
    folder = company / "our-rules" / "frameworks"
    (folder / "sox.toml").write_text((folder / "acme.toml").read_text())

    with pytest.raises(ConfigError, match="two frameworks are called 'sox'"):
        framework_files.files([company / "our-rules"])


def test_a_disabled_rule_decides_nothing_and_is_named() -> None:
    """A control whose only rule is switched off is not tested, and says which rule that is."""
    result = folded("pci-dss", "8.2.6", [RULES["orphaned-account"]], "cardholder")

    assert result.result is ControlOutcome.NOT_TESTED
    assert "dormant-account" in result.not_run


def test_a_list_not_read_whole_of_which_a_rule_met_nothing_keeps_it_from_reading_as_clean() -> None:
    """What one application shows says nothing of another whose list failed, unless the rule needs no list."""
    apps = [
        ApplicationFact(app, app, None, ("personal",), "scim", "generic", "all", Verdict(verdict), None)
        for app, verdict in (("a", "complete"), ("b", "failed"))
    ]
    chosen = [RULES["contract-ended-still-active"], RULES["roster-implausible"]]

    controls = fold(SHIPPED["gdpr"], [clean(rule) for rule in chosen], apps, chosen)

    shares = {share.rule: share for control in controls for share in control.rules}
    assert shares["contract-ended-still-active"].result is ControlOutcome.UNABLE
    assert shares["contract-ended-still-active"].unseen == ("b",)
    assert shares["roster-implausible"].result is ControlOutcome.NO_EXCEPTIONS
