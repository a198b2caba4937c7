"""What is particular to each framework, and what lets an auditor rely on a report."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
import report_samples as samples

from scanner.errors import ConfigError, StoreError
from scanner.framework_files import files, load
from scanner.frameworks import SECTIONS, ControlOutcome, Framework
from scanner.model import FindingState
from scanner.model_history import AppliedWaiver, WaiverStatus
from scanner.report import matrix
from scanner.report.background import Background, Change
from scanner.report.content import Content
from scanner.report.inputs import gather
from scanner.report.words import load as words

Make = Callable[..., Content]
FRAMEWORKS = {framework.id: framework for framework in load()}


def real(name: str) -> Framework:
    """Return a shipped framework that draws on the rules of the sample too."""
    return FRAMEWORKS[name]


def test_each_framework_has_its_own_order_and_words(content: Make) -> None:
    """An auditor finds the data before the controls, an assessor the systems, a privacy officer the processing."""
    order = {name: content(framework=real(name)).sections for name in ("sox", "hipaa", "gdpr")}
    headings = {name: content(framework=real(name)).headings for name in order}

    assert len(set(order.values())) == 3
    assert order["sox"].index("completeness") < order["sox"].index("controls")
    assert order["hipaa"].index("matrix") == order["hipaa"].index("scope") + 1
    assert order["gdpr"].index("worksheet") == order["gdpr"].index("scope") + 1
    assert headings["sox"]["matrix"] == "Controls by application"
    assert headings["hipaa"]["matrix"] == "Standards and specifications by system"
    assert headings["gdpr"]["matrix"] == "Principles and articles by processing"


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_no_framework_leaves_out_what_must_be_told(name: str) -> None:
    """Whatever its order: scope, data, both directions, results, exceptions, limits and sign-off are there."""
    assert set(SECTIONS) <= set(FRAMEWORKS[name].structure.sections)


def test_a_framework_file_that_leaves_a_section_out_is_refused(tmp_path) -> None:
    """Nobody can hide the limitations by a mapping of their own."""
    folder = tmp_path / "frameworks"
    folder.mkdir()
    text = (samples_file("sox")).replace('id = "sox"', 'id = "mine"', 1).replace('"limitations", ', "", 1)
    (folder / "mine.toml").write_text(text)
    (folder / "mine.toml").chmod(0o644)

    with pytest.raises(ConfigError, match=r"structure\.sections.*limitations"):
        load([tmp_path])


def samples_file(name: str) -> str:
    """Return a shipped framework file."""
    return files()[name].read_text(encoding="utf-8")


def test_the_matrix_adds_up_over_its_systems(content: Make) -> None:
    """Each exception stands in exactly one system, and those of a line are those of the requirement."""
    report = content()
    rows: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(attached(report, "matrix.csv"))):
        rows[row["requirement"]] = rows.get(row["requirement"], 0) + int(row["exceptions"])

    assert rows == {control.id: control.exceptions for control in report.controls}
    assert sum(rows.values()) > 0


def attached(report: Content, name: str) -> str:
    """Return the text of an attached file."""
    return next(file.data for file in report.attachments if file.name == name).decode("utf-8-sig")


def test_an_unconnected_system_is_not_tested_in_any_line(content: Make) -> None:
    """What no collector reads is neither clean nor unable: it is not tested."""
    table = csv.DictReader(io.StringIO(attached(content(), "matrix.csv")))

    assert {row["result"] for row in table if row["system"] == "Treasury workstation"} == {"not tested"}


def test_a_matrix_that_loses_an_exception_is_refused() -> None:
    """Nothing is printed of which the sums do not agree."""
    inputs = inputs_of(samples.record())

    with pytest.raises(StoreError, match="does not add up"):
        matrix.check_sums(inputs, [one for one in matrix.columns(inputs) if one.name != "General ledger"])


def inputs_of(record):
    """Return what the parts of a report are computed from."""
    return gather(record, samples.framework(), words(), privacy="L1", key=samples.KEY, rows_per_rule=5)


def test_addressable_specifications_are_marked_and_ask_for_a_decision(content: Make) -> None:
    """Each has its flag in the matrix, and a line in the form for the decision of the entity."""
    report = content(framework=real("hipaa"))
    addressable = [control.id for control in real("hipaa").controls if control.force == "addressable"]
    flags = {row.id: row.flag for table in report.matrix.tables for row in table.rows}

    assert {name for name, flag in flags.items() if flag == "Addressable"} == set(addressable)
    assert {"Required", "Addressable"} <= set(flags.values())
    assert [row[0].split(" ")[0] for row in report.worksheet.rows] == [name.split(" ")[0] for name in addressable]


def test_processing_stands_with_its_kinds_of_data(content: Make) -> None:
    """The unit of the GDPR report is an application with the data in it."""
    report = content(framework=real("gdpr"))
    systems = dict(system for table in report.matrix.tables for system in table.systems)

    assert systems["Clinic records"] == "personal data, electronic health information"
    assert [row[1] for row in report.worksheet.rows if row[0] == "General ledger"] == ["personal data, financial data"]


def test_controls_with_exceptions_wait_for_their_classification(content: Make) -> None:
    """Management classifies, and the tool leaves the place empty."""
    report = content(framework=real("sox"))
    failed = [f"{c.id} {c.title}" for c in report.controls if c.result is ControlOutcome.EXCEPTIONS]

    assert [row[0] for row in report.worksheet.rows] == failed != []
    assert "Classification, and why" in report.worksheet.blanks


def test_use_after_leaving_has_a_line_for_whoever_must_decide(content: Make) -> None:
    """The form names the exception by its reference, and asks what the law of the framework asks."""
    report = content(framework=real("hipaa"))
    [section] = [one for one in content(framework=real("gdpr")).exceptions if one.rule == "activity-after-leaving"]

    assert report.incidents.rows == ()
    assert [row[0] for row in content(framework=real("gdpr")).incidents.rows] == [row.reference for row in section.rows]


def test_grave_exceptions_get_a_sheet_up_to_the_cap(content: Make) -> None:
    """The worst come first, the cap is told, and the number zero gives none."""
    report = content(most_sheets=4)

    assert [sheet.row.severity_word for sheet in report.sheets.sheets][:2] == ["Critical", "Critical"]
    assert len(report.sheets.sheets) == 4
    assert report.sheets.shown_sentence.startswith("4 of ")
    assert content(most_sheets=0).sheets.sheets == ()


def test_the_cause_is_printed_only_where_the_data_prove_it(content: Make) -> None:
    """HR recorded the end after the time allowed: that is the cause. Elsewhere the place is empty."""
    late = samples.finding(
        "leaver-still-active",
        1,
        evidence={"termination_recorded_at": "2026-09-05T00:00:00", "due_at": "2026-09-02T22:00:00"},
    )
    record = with_findings("leaver-still-active", [late, samples.finding("leaver-still-active", 2)])
    causes = {sheet.row.reference: sheet.cause for sheet in content(record).sheets.sheets}

    assert causes[content(record).exceptions[1].rows[0].reference] in ("HR-LATE", "")
    assert list(causes.values()).count("HR-LATE") == 1


def with_findings(rule, findings):
    """Return the sample with the findings of one rule exchanged."""
    record = samples.record(0, hostile=False)
    results = (replace(r, findings=tuple(findings)) if r.rule == rule else r for r in record.results)
    return replace(record, results=tuple(results))


def test_repeat_findings_are_counted(content: Make) -> None:
    """What was gone and is back is told beside the number of all."""
    back = [samples.finding("leaver-still-active", n, state=FindingState.REOPENED) for n in range(3)]

    assert "4 were gone once and are back" in content(with_findings("leaver-still-active", back)).sheets.repeats


def test_a_row_that_got_lost_is_told_in_words(content: Make) -> None:
    """What was collected and what the rules saw are set against each other, source by source."""
    record = samples.record()
    rows = {source.id: source.collected for source in record.sources}
    sound = content(replace(record, stored_rows=rows))
    broken = content(replace(record, stored_rows=rows | {"ledger": rows["ledger"] - 2}))
    line = next(one for one in broken.completeness.reconciliation if one.name == "General ledger")

    assert "DOES NOT ADD UP" in broken.completeness.reconciled
    assert "2 rows differ" in line.explained
    assert all(one.read == one.collected + one.duplicates + one.rejected for one in sound.completeness.reconciliation)


def test_changes_since_the_last_scan_are_told_and_silence_is_not(content: Make) -> None:
    """A report that did not look says so; one that did names what was before and what is now."""
    earlier = replace(samples.record().scan, id="20260930T060000Z-0001")
    change = Change(
        samples.record().scan.id, samples.AS_OF, "parameter", "sla_hours of leaver-still-active", "24", "48"
    )
    told = content(background=Background(previous=earlier, changes=(change,), is_known=True)).completeness

    assert "nothing is said about changes" in content().completeness.changes_intro
    assert "first sealed scan" in content(background=Background(is_known=True)).completeness.changes_intro
    assert [(line.what, line.before, line.after) for line in told.changes] == [
        ("parameter sla_hours of leaver-still-active", "24", "48")
    ]


def test_every_waiver_is_listed_and_counted(content: Make) -> None:
    """Also one that expired or accepts nothing; who approved it is no name in a pseudonymised report."""
    waivers = tuple(
        AppliedWaiver(
            f"{n:012x}", n, "orphaned-account", "ledger", None, None, None, "Agreed", "Ann Approver",
            date(2026, 1, 1), date(2026, 12, 31), status,
        )
        for n, status in enumerate(WaiverStatus)
    )  # fmt: skip
    report = content(replace(samples.record(), waivers=waivers)).waivers

    assert len(report.rows) == len(WaiverStatus)
    assert report.counted.startswith("5 entries: 1 in force")
    assert "Ann Approver" not in str(report)
