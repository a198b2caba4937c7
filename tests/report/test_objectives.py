"""The report for the owner of one application: all that concerns it, and nothing of any other."""

from dataclasses import fields, replace

import pytest
import report_samples as samples

from scanner.errors import ConfigError
from scanner.framework_files import load_families
from scanner.frameworks import ControlOutcome
from scanner.model import Severity
from scanner.model_history import Trend, TrendChange, TrendScan
from scanner.report.content import Content, build
from scanner.report.html import render_html
from scanner.report.objectives import APPLICATION, objectives, of_application

OBJECTIVES = objectives(APPLICATION, load_families().values(), "0.1.0")


def report_of(app: str, **changes: object) -> Content:
    """Compute the report of one application of the sample."""
    arguments: dict[str, object] = {
        "name": f"application-{app}",
        "privacy": "L1",
        "key": samples.KEY,
        "rows_per_rule": 100,
        "prepared_by": "Night scheduler",
        "manifest_sha256": samples.MANIFEST,
        "generated_at": samples.GENERATED,
    }
    return build(of_application(samples.record(), app), OBJECTIVES, **(arguments | changes))


@pytest.mark.parametrize("fact", [one for one in samples.record().applications if one.app != "scanner"])
def test_it_holds_the_findings_of_its_application_and_no_others(fact) -> None:
    """Each finding of the scan that names the application once, and none that names another or none."""
    expected = [one for result in samples.record().results for one in result.findings if one.app == fact.app]
    report = report_of(fact.app)

    assert {row.application for row in report.listed} <= {fact.name}
    assert len(report.listed) == len(expected)
    assert report.cover.title.startswith(f"Access report: {fact.name[:20]}")
    assert report.cover.id == f"APPLICATION-{fact.app.upper()}-20261001T060000Z-1a2b-L1"


def test_both_directions_are_those_of_the_application_and_add_up() -> None:
    """The sums are of its own accounts and leavers."""
    record, report = samples.record(), report_of("ledger")

    assert report.accounts.total == sum(record.account_buckets["ledger"].values())
    assert report.leavers.total == sum(record.leaver_outcomes["ledger"].values())
    assert report.out_of_scope == "All other applications are outside the scope of this report."


def test_an_application_that_is_not_connected_is_not_tested() -> None:
    """Its owner is told that nothing was seen, in every objective."""
    results = {control.result for control in report_of("treasury").controls}

    assert results == {ControlOutcome.NOT_TESTED}


def test_what_its_own_scan_could_not_read_is_unable_to_test() -> None:
    """The list of the wiki drifted while it was read: none of its objectives is clean."""
    results = {control.result for control in report_of("wiki").controls if control.rules}

    assert ControlOutcome.NO_EXCEPTIONS not in results
    assert ControlOutcome.UNABLE in results


def test_other_applications_and_other_people_are_in_no_part_of_it() -> None:
    """No name of theirs, no address, no name of a person: on the page and in the files inside."""
    report = report_of("crm")
    text = render_html(report).decode() + "".join(one.data.decode("utf-8-sig") for one in report.attachments)
    parts = repr([getattr(report, field.name) for field in fields(report)])

    for fact in samples.record().applications:
        assert fact.app == "crm" or fact.name not in text + parts
    assert not [name for name in samples.record().workers.values() if name in text]
    assert "@acme.example" not in text


def test_the_trend_counts_what_is_its_own() -> None:
    """What came in other applications, or in none, is not drawn."""
    record = samples.record()
    scans = tuple(TrendScan(name, samples.AS_OF, True, {}) for name in ("a", "b"))
    own = TrendChange("b", "orphaned-account", "crm", Severity.HIGH, "open", "new", "people", 2)
    others = (replace(own, app="ledger", change=50), replace(own, app=None, change=70))
    narrowed = of_application(replace(record, trend=Trend(scans, (own, *others))), "crm")

    assert narrowed.trend is not None
    assert narrowed.trend.changes == (own,)


def test_an_unknown_application_is_named_with_the_known_ones() -> None:
    """The message says what there is."""
    with pytest.raises(ConfigError, match="knows no application 'erp'; it knows ledger, payroll"):
        of_application(samples.record(), "erp")
