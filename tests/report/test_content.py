"""What a report says, before anything is rendered."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import report_samples as samples

from scanner.errors import ConfigError, StoreError
from scanner.framework_files import load
from scanner.frameworks import ControlOutcome
from scanner.model import Ledger, RuleOutcome
from scanner.model_record import Record
from scanner.paths import bundled
from scanner.report.content import Content
from scanner.report.pseudonyms import worker_pseudonym

Make = Callable[..., Content]


def test_exceptions_leads_open_questions_and_waivers_are_kept_apart(content: Make) -> None:
    """Each kind of finding has its own place, and only exceptions count."""
    report = content()
    place = {
        name: {section.rule: section.total for section in getattr(report, name)}
        for name in ("exceptions", "unknowns", "leads", "waived")
    }

    assert place["exceptions"]["leaver-still-active"] == 70
    assert place["exceptions"]["duplicate-accounts"] == 4
    assert "peer-outlier" not in place["exceptions"]
    assert place["unknowns"] == {"leaver-still-active": 1}
    assert place["leads"] == {"peer-outlier": 3}
    assert place["waived"] == {"duplicate-accounts": 1}


def test_rows_are_capped_and_the_cap_is_told(content: Make) -> None:
    """The reader learns how many are not shown, and where they are."""
    report = content(samples.record(1204), rows_per_rule=50)
    section = next(one for one in report.exceptions if one.rule == "leaver-still-active")

    assert len(section.rows) == 50
    assert section.shown_sentence == "50 of 1,204 shown; findings.csv inside the PDF of this report lists all."


def test_worst_rows_come_first(content: Make) -> None:
    """A capped list never hides a critical exception behind lesser ones."""
    section = next(one for one in content().exceptions if one.rule == "leaver-still-active")
    ranks = [row.severity.rank for row in section.rows]

    assert sorted(ranks) == ranks


def test_counts_have_denominators(content: Make) -> None:
    """Numbers never stand alone."""
    report = content()

    found = "86 exceptions found by 6 rules of 11 that were run, in 4 of 9 applications in scope."
    assert report.summary.sentences[0] == found
    assert report.summary.headline == "Exceptions were noted for 4 of 8 articles and principles."
    assert all(" of " in item.sentence for item in report.summary.top)


def test_scope_follows_the_data_of_the_applications(content: Make) -> None:
    """A SOX report speaks about financial applications only, and says what lies outside."""
    report = content(framework=samples.framework("sox", "financial"))

    assert [row.name for row in report.scope] == ["General ledger", "Payroll & benefits", "Treasury workstation"]
    assert report.out_of_scope.startswith("Known, but outside the scope of this report (6):")
    assert {"General ledger", "Payroll & benefits", ""} == {
        row.application for section in report.exceptions for row in section.rows
    }
    assert any("further exceptions lie outside this report" in line for line in report.limits_of_scan)


def test_unconnected_application_is_named_with_owner_and_reason(content: Make) -> None:
    """What is known but not connected is a limitation, never silence."""
    report = content(privacy="L2")
    row = next(one for one in report.scope if one.app == "treasury")

    assert (row.connection, row.reason, row.verdict) == (
        "Known, not connected",
        "No licence for the interface",
        "Not tested",
    )
    assert any(
        "Treasury workstation is known but not connected (owner: jane.owner@acme.example" in x
        for x in report.limits_of_scan
    )


def test_incomplete_source_is_a_limitation(content: Make) -> None:
    """Every source that is not complete is named with its effect."""
    lines = "\n".join(content().limits_of_scan)

    for name in (
        "Payroll & benefits is not complete (short)",
        "Help desk is not complete (failed)",
        "Wiki is not complete",
    ):
        assert name in lines


def test_nothing_tested_never_reads_as_clean(content: Make) -> None:
    """If every rule was unable to test, the headline says so."""
    record = samples.record()
    unable = tuple(
        replace(
            one,
            result=RuleOutcome.UNABLE_TO_TEST,
            findings=(),
            apps=tuple(replace(app, result=RuleOutcome.UNABLE_TO_TEST, tested=0) for app in one.apps),
        )
        for one in record.results
    )
    report = content(replace(record, results=unable))

    assert report.summary.headline == "None of 8 articles and principles could be tested."
    assert not any(control.result is ControlOutcome.NO_EXCEPTIONS for control in report.controls)


def test_unable_control_says_why_and_what_would_change_it(content: Make) -> None:
    """The reason of the rule and the applications are told."""
    control = next(one for one in content().controls if one.id == "Art. 25(2)")

    assert any("map last_sign_in_at to test it" in reason for reason in control.unable)
    assert any("not tested in full in" in reason for reason in control.unable)


def test_ledger_has_every_bucket_and_adds_up(content: Make) -> None:
    """All 13 buckets are explained, zeros included, and the lines add up to the total."""
    report = content(framework=samples.framework("sox", "financial"))

    assert (len(report.accounts.terms), len(report.leavers.terms)) == (13, 6)
    for part in (report.accounts, report.leavers):
        *single, inside, outside, everything = part.lines
        assert part.total == everything.total == inside.total + outside.total == sum(term.count for term in part.terms)
        assert inside.total == sum(line.total for line in single)


@pytest.mark.parametrize("change", [{"inactive": 1}, {"total": 1}])
def test_ledger_that_does_not_add_up_is_refused(content: Make, change: dict[str, int]) -> None:
    """A wrong sum is never printed."""
    record = samples.record()
    wrong = Ledger(
        record.ledger.accounts | {k: record.ledger.accounts[k] + v for k, v in change.items()}, record.ledger.leavers
    )

    with pytest.raises(StoreError, match="does not add up"):
        content(replace(record, ledger=wrong))


def test_unknown_profile_is_refused(content: Make) -> None:
    """A misspelt profile must not show names."""
    with pytest.raises(ConfigError, match="L1, L2"):
        content(privacy="l1")


def test_empty_scan_is_told_in_sentences(content: Make) -> None:
    """A scan without applications, findings and rules still gives every section."""
    record = replace(
        samples.record(),
        applications=(),
        sources=(),
        rules=(),
        results=(),
        suppressions=(),
        names={},
        workers={},
        account_buckets={},
        leaver_outcomes={},
        ledger=Ledger({"inactive": 0, "total": 0}, {"open": 0, "total": 0}),
    )
    report = content(record)

    assert report.summary.headline == "None of 8 articles and principles could be tested."
    assert report.summary.chart is None
    assert (report.accounts.total, report.leavers.total) == (0, 0)


def test_wide_numbers_take_a_landscape_page(content: Make) -> None:
    """Columns turn to landscape only when the numbers need it."""
    record = samples.record()
    big = {app: {name: count * 9000 for name, count in parts.items()} for app, parts in record.account_buckets.items()}
    sums = {name: count * 9000 for name, count in record.ledger.accounts.items()}

    assert not content(record).accounts.is_wide
    assert content(replace(record, account_buckets=big, ledger=Ledger(sums, record.ledger.leavers))).accounts.is_wide


def test_chart_is_bounded(content: Make) -> None:
    """Bars stay within the drawing whatever the counts, and beyond eight applications the rest is one bar."""
    chart = content(samples.record(5000)).summary.chart

    assert chart is not None
    assert len(chart.bars) <= 9
    assert all(bar.end <= chart.width for bar in chart.bars)
    assert "General ledger: " in chart.description


@pytest.mark.parametrize("profile", ["L1", "L2"])
def test_shipped_frameworks_can_be_reported(content: Make, profile: str) -> None:
    """Every framework file gives a report with words of its own."""
    if not (bundled("rules") / "frameworks" / "families.toml").is_file():
        pytest.fail("rules/frameworks/families.toml is missing")
    for framework in load():
        report = content(framework=framework, privacy=profile)
        assert len(framework.controls) == len(report.controls)


def test_equal_arguments_give_equal_content(content: Make) -> None:
    """Nothing but the arguments goes into a report."""
    assert content() == content()


def test_record_is_not_changed(content: Make) -> None:
    """Computing a report leaves the record as it was."""
    record: Record = samples.record()
    content(record)

    assert samples.record() == record


def test_owner_is_a_pseudonym_where_hr_knows_the_person(content: Make) -> None:
    """An auditor can follow who answers for an application without learning a name; the identified copy names them."""
    record = samples.record()
    known = tuple(replace(fact, owner_worker_id="p001") if fact.app == "crm" else fact for fact in record.applications)
    owners = {
        privacy: next(
            row.owner for row in content(replace(record, applications=known), privacy=privacy).scope if row.app == "crm"
        )
        for privacy in ("L1", "L2")
    }

    assert owners == {"L1": worker_pseudonym(samples.KEY, "p001"), "L2": "jane.owner@acme.example"}


def test_data_read_after_the_instant_of_judgement_are_a_limitation(content: Make) -> None:
    """A reader of a report about the past learns that the data are of later."""
    record = samples.record()
    late = replace(record, scan=replace(record.scan, started_at=record.scan.as_of + timedelta(days=5)))

    assert any("read on 2026-10-06, after the instant" in line for line in content(late).limits_of_scan)
    assert not any("after the instant" in line for line in content(record).limits_of_scan)


def test_denominators_say_what_was_tested(content: Make) -> None:
    """No number of tests stands without its things, and a whole population is called so."""
    record = samples.record()
    whole = tuple(
        replace(one, apps=tuple(replace(app, tested=app.population, unable=0, excluded=0) for app in one.apps))
        for one in record.results
    )
    told = {one.rule: one.denominator for one in content(replace(record, results=whole)).exceptions}

    assert re.fullmatch(
        r"70 of [\d,]+ tested active accounts\. The whole population was tested\.", told["leaver-still-active"]
    )


def test_sources_that_are_not_complete_are_named_on_the_first_page(content: Make) -> None:
    """The summary tells how many were not read, and the coverage below it which."""
    summary = content().summary

    assert any("sources were not read completely" in sentence for sentence in summary.sentences)
    assert any("Not complete: " in line and "Help desk (failed)" in line for line in summary.coverage)
