"""A reader learns, application by application, what could not be tested and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import report_samples as samples

from scanner.model import AppOutcome, RuleOutcome, Verdict
from scanner.model_record import Record
from scanner.report.content import Content

Make = Callable[..., Content]


def one_rule(*apps: AppOutcome, needs_fields: tuple[str, ...] = ()) -> Record:
    """Return a record whose rule on dormant accounts saw these applications, and whose other rules saw none."""
    record = samples.record()
    results = tuple(
        replace(
            result,
            result=RuleOutcome.CLEAN,
            findings=(),
            detail="",
            apps=apps if result.rule == "dormant-account" else (),
            population=sum(app.population for app in apps),
            tested=sum(app.tested for app in apps),
            unable=sum(app.unable for app in apps),
            excluded=sum(app.excluded for app in apps),
        )
        for result in record.results
        if result.rule == "dormant-account"
    )
    rules = tuple(
        replace(rule, needs=replace(rule.needs, fields=needs_fields)) if rule.id == "dormant-account" else rule
        for rule in record.rules
    )
    return replace(record, results=results, rules=rules)


def reasons(report: Content) -> str:
    """Return all that the control of dormant accounts could not test."""
    return " ".join(next(control for control in report.controls if control.id == "Art. 25(2)").unable)


def test_single_accounts_without_a_field_are_counted(content: Make) -> None:
    """Where an application supplies a field for most accounts, those without it are counted, not the application."""
    record = one_rule(AppOutcome("crm", 412, 405, 7, 0, 0, RuleOutcome.CLEAN), needs_fields=("last_sign_in_at",))

    told = reasons(content(record))

    assert "7 of 412 have no time of the last sign-in, in " in told
    assert "supplies no" not in told


def test_application_that_lacks_a_field_is_named_with_it(content: Make) -> None:
    """Where no account of an application has what a rule needs, the application lacks it."""
    record = one_rule(
        AppOutcome("crm", 412, 0, 412, 0, 0, RuleOutcome.UNABLE_TO_TEST), needs_fields=("last_sign_in_at",)
    )

    assert "it supplies no time of the last sign-in" in reasons(content(record))


def test_incomplete_list_is_told_with_its_verdict(content: Make) -> None:
    """A list that never settled is told as such, not as a missing field."""
    record = one_rule(
        AppOutcome("wiki", 412, 0, 412, 0, 0, RuleOutcome.UNABLE_TO_TEST), needs_fields=("last_sign_in_at",)
    )

    told = reasons(content(record))

    assert "its list is not proven complete (not settled)" in told
    assert "last sign-in" not in told


def test_list_that_was_read_in_part_is_never_called_unread(content: Make) -> None:
    """A rule that met nobody in an incomplete list says that the list is incomplete, not that nothing was read."""
    told = reasons(content(one_rule(AppOutcome("crm", 412, 411, 1, 0, 0, RuleOutcome.CLEAN))))

    assert "Clinic records: its list is not proven complete (cut off)" in told
    assert "Clinic records: nothing could be read" not in told


def test_applications_that_lack_the_same_are_told_once(content: Make) -> None:
    """One line names all applications that lack a field, and ends as a sentence does."""
    lacking = [AppOutcome(app, 9, 0, 9, 0, 0, RuleOutcome.UNABLE_TO_TEST) for app in ("crm", "ledger")]

    told = reasons(content(one_rule(*lacking, needs_fields=("last_sign_in_at",))))

    assert "Customer relations and General ledger: they supply no time of the last sign-in." in told
    assert told.count("no time of the last sign-in") == 1


def test_rule_without_its_input_is_told_in_one_sentence(content: Make) -> None:
    """What a rule as a whole needs is not told of single applications, and ends with a full stop."""
    record = one_rule()
    needs = "needs the policy input role_policy: name its file as role_policy under [policy] in the configuration"
    results = tuple(replace(one, result=RuleOutcome.UNABLE_TO_TEST, detail=needs) for one in record.results)

    told = reasons(content(replace(record, results=results)))

    assert f": {needs}." in told
    assert "not tested in full in" not in told


def test_rule_that_only_fell_short_elsewhere_says_so(content: Make) -> None:
    """A rule that met nothing in the scope is not said to lack a recorded detail."""
    record = one_rule(AppOutcome("elsewhere", 1, 0, 1, 0, 0, RuleOutcome.UNABLE_TO_TEST, "elsewhere: undecided"))
    results = tuple(replace(one, result=RuleOutcome.UNABLE_TO_TEST) for one in record.results)
    facts = tuple(replace(fact, verdict=Verdict.COMPLETE) for fact in record.applications)

    told = reasons(content(replace(record, results=results, applications=facts)))

    assert "nothing of this scope was in its population, and elsewhere it could not be tested." in told
    assert "no detail was recorded" not in told


def test_file_without_a_number_of_its_own_is_not_called_proven(content: Make) -> None:
    """A roster file that states no number reads as read to its end, in table, summary and limitations."""
    record = samples.record()
    sources = tuple(replace(one, stated=None) if one.kind == "roster" else one for one in record.sources)

    before, report = content(record), content(replace(record, sources=sources))

    rows = {row.name: row.verdict for row in report.sources}
    assert rows["HR roster hr"] == "Read to its end"
    assert {row.name: row.verdict for row in before.sources}["HR roster hr"] == "Complete"
    assert any("1 more is a file that states no number of its own" in line for line in report.summary.coverage)
    assert not any("states no number" in line for line in before.summary.coverage)
    assert any("HR roster hr is a file that states no number" in line for line in report.limits_of_scan)


def test_nothing_read_has_no_hash(content: Make) -> None:
    """The hash of no bytes at all is never printed as evidence."""
    record = samples.record()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    sources = tuple(replace(one, sha256=empty) if one.verdict is Verdict.FAILED else one for one in record.sources)

    report = content(replace(record, sources=sources))

    hashes = [row.hash for row in report.sources]
    assert "nothing was read" in hashes
    assert not any(shown.startswith("e3b0c4") for shown in hashes)
    facts = [fact.value for sheet in report.sheets.sheets for fact in sheet.facts]
    assert not any("e3b0c4" in fact for fact in facts)


def test_source_that_was_not_read_never_adds_up(content: Make) -> None:
    """Where nothing could be read, no line says that there are no other rows."""
    record = samples.record()
    sources = tuple(
        replace(one, stated=None, collected=0, duplicates=0, rejected=0) if one.verdict is Verdict.FAILED else one
        for one in record.sources
    )
    lines = {line.name: line for line in content(replace(record, sources=sources)).completeness.reconciliation}

    failed = lines["Help desk"]
    assert failed.explained == "Nothing could be read: how many rows there are is not known."
    assert not failed.adds_up


def test_first_scan_knows_of_no_repeats(content: Make) -> None:
    """A first scan does not count findings that came back, as it cannot know of any."""
    record = samples.record()
    first = content(replace(record, scan=replace(record.scan, is_baseline=True)))

    assert first.sheets.repeats == "In a first scan nobody can tell which exceptions are repeat findings."
    assert {fact.value for sheet in first.sheets.sheets for fact in sheet.facts if fact.term == "repeat finding"} == {
        "not known"
    }


def test_exceptions_in_an_incomplete_list_stand_beside_the_tested_ones(content: Make) -> None:
    """No sentence counts an exception among tested accounts that lie outside of them."""
    record = samples.record()
    results = tuple(
        replace(
            result,
            apps=tuple(replace(app, tested=0, unable=407) if app.app == "wiki" else app for app in result.apps),
            findings=tuple(samples.finding("leaver-still-active", n, app) for n, app in enumerate(("crm", "wiki"))),
        )
        if result.rule == "leaver-still-active"
        else result
        for result in record.results
    )

    report = content(replace(record, results=results))

    section = next(one for one in report.exceptions if one.rule == "leaver-still-active")
    assert section.denominator.startswith("2 found: 1 of ")
    assert " tested active accounts, and 1 in a list that is not complete." in section.denominator


def test_every_paper_tells_the_same_first_day(content: Make) -> None:
    """A finding is first seen as of the instant that its scan judged, in tables and lists alike, not when it ran."""
    record = samples.record()
    seen = datetime(2026, 3, 31, 6, tzinfo=UTC)
    results = tuple(
        replace(one, findings=tuple(replace(finding, first_seen_at=seen) for finding in one.findings))
        for one in record.results
    )

    report = content(replace(record, results=results))

    assert {row.first_seen for section in report.exceptions for row in section.rows} == {"2026-03-31"}
    assert {row.first_seen_at for row in report.listed} == {"2026-03-31T06:00:00Z"}


def test_rule_that_met_nothing_of_an_incomplete_list_claims_no_whole_population(content: Make) -> None:
    """Where a list was not read whole, what was tested is what was seen."""
    record = samples.record()
    results = tuple(
        replace(
            result,
            apps=tuple(app for app in result.apps if app.app in ("crm", "ledger")),
            findings=(samples.finding("leaver-still-active", 1, "crm"),),
        )
        if result.rule == "leaver-still-active"
        else result
        for result in record.results
    )
    rules = tuple(
        replace(rule, needs=replace(rule.needs, apps=True)) if rule.id == "leaver-still-active" else rule
        for rule in record.rules
    )

    report = content(replace(record, results=results, rules=rules))

    section = next(one for one in report.exceptions if one.rule == "leaver-still-active")
    assert "whole population" not in section.denominator
    assert "nothing of it seen in" in section.denominator
    assert "Help desk" in section.denominator
