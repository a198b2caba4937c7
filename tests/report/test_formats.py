"""Spreadsheets, programs, log pipelines, tools of governance and tickets: read back by what reads them."""

import csv
import io
import json
import re
import zipfile
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import report_samples as samples
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from scanner import ocsf as schema_of
from scanner.model_record import Record
from scanner.report import FILES, RENDERERS, WHOLE_RENDERERS, ocsf, oscal, xlsx
from scanner.report.content import Content
from scanner.report.listing import COLUMNS
from scanner.report.markdown import escape
from scanner.report.whole import Whole, build_whole
from scanner.settings import FORMATS

Make = Callable[..., Content]
LONG = "n" * 40_000
SIGNS = ("=", "+", "-", "@", "\t=", " =", "\uff1d")


def whole_of(record: Record | None = None, privacy: str = "L1") -> Whole:
    """Compute a scan as a whole."""
    recipient = "Internal Audit" if privacy == "L2" else ""
    return build_whole(
        record or samples.record(), [samples.framework()], privacy=privacy, key=samples.KEY, recipient=recipient
    )


def mean_record() -> Record:
    """Return a record whose applications, entitlements and accounts attack spreadsheets and Markdown."""
    record = samples.record()
    odd = [
        samples.finding(
            "orphaned-account", 100 + n, "scanner", account_id=f"{sign}cmd()", username=None, worker_id=None
        )
        for n, sign in enumerate(SIGNS)
    ]
    odd.append(samples.finding("orphaned-account", 200, "scanner", entitlement=LONG))
    results = tuple(
        replace(result, findings=(*result.findings, *odd)) if result.rule == "orphaned-account" else result
        for result in record.results
    )
    return replace(record, results=results)


@pytest.fixture(scope="module")
def whole() -> Whole:
    """Return the identified scan, hostile names included."""
    return whole_of(mean_record(), "L2")


@pytest.fixture(scope="module")
def book(whole: Whole) -> Any:
    """Return its workbook as a program reads it."""
    return openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(whole)))


def table(sheet: Any) -> list[dict[str, Any]]:
    """Return the rows of a sheet by their heads."""
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_format_has_one_renderer_and_one_name() -> None:
    """What the configuration takes is what can be written."""
    assert set(FORMATS) == set(RENDERERS) | set(WHOLE_RENDERERS) == set(FILES)
    assert not set(RENDERERS) & set(WHOLE_RENDERERS)
    assert len(set(FILES.values())) == len(FILES)


@pytest.mark.parametrize("kind", WHOLE_RENDERERS)
def test_equal_scans_give_equal_bytes(kind: str) -> None:
    """Nothing depends on the time of the rendering."""
    assert WHOLE_RENDERERS[kind](whole_of()) == WHOLE_RENDERERS[kind](whole_of())


@pytest.mark.parametrize("kind", [*WHOLE_RENDERERS, "oscal"])
def test_pseudonymised_file_names_nobody_and_says_what_it_is(kind: str, content: Make) -> None:
    """No name, no id and no e-mail address of L2 is anywhere in the file, and its profile is."""
    data = RENDERERS[kind](content()) if kind in RENDERERS else WHOLE_RENDERERS[kind](whole_of())
    if kind == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            data = b"".join(parts.read(name) for name in parts.namelist())
    text = data.decode()

    assert not re.findall(r"[\w.]+@[\w.]+", text)
    assert not [name for name in samples.PEOPLE.values() if name in text]
    assert "acc-000" not in text
    assert "L1" in text
    assert samples.MANIFEST in text or kind == "csv"


def test_workbook_holds_typed_cells(book: Any, whole: Whole) -> None:
    """Dates are dates, numbers are numbers, truth values are truth values, and nothing is left out."""
    assert book.sheetnames == ["summary", "findings", "sources", "controls", "ledger"]
    findings, sources = table(book["findings"]), table(book["sources"])

    assert len(findings) == len(whole.findings)
    assert {type(row["first_seen"]) for row in findings} == {datetime}
    assert {row["lead"] for row in findings} == {True, False}
    assert [row["collected"] for row in sources] == [source.collected for source in whole.sources]
    assert {type(row["started_at_utc"]) for row in sources} == {datetime}
    assert None in [row["stated"] for row in sources]
    counts = [row["count"] for row in table(book["ledger"]) if row["direction"] == "accounts"]
    assert sum(counts) == dict(book["summary"].iter_rows(values_only=True))["accounts"]
    assert {row["result"] for row in table(book["controls"])} == {part.result.value for part in whole.controls}


def test_workbook_has_filters_frozen_heads_and_its_origin(book: Any, whole: Whole) -> None:
    """Every sheet can be filtered below a head that stays, and the file says what scan it is from."""
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(sheet.max_row, sheet.max_column).coordinate}"
        assert sheet["A1"].font.b
    properties = {one.name: one.value for one in book.custom_doc_props.props}
    assert properties == whole.about
    assert book.properties.title == whole.report_id
    assert book.properties.created == datetime(2026, 10, 1, 6, 0)


def test_no_cell_of_the_workbook_is_calculated(book: Any) -> None:
    """What begins like a formula is text, marked as such, and a text too long for a cell is cut visibly."""
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    mean = [cell for cell in cells if isinstance(cell.value, str) and cell.value.strip().startswith(tuple("=+-@"))]

    assert len(mean) >= 5
    assert {cell.data_type for cell in mean} == {"s"} or {cell.data_type for cell in mean} == {"inlineStr"}
    assert all(cell.quotePrefix for cell in mean)
    assert "f" not in {cell.data_type for cell in cells}
    assert max(len(cell.value) for cell in cells if isinstance(cell.value, str)) == xlsx.LONGEST
    assert not any(set(str(cell.value)) & set(map(chr, [*range(9), *range(11, 32)])) for cell in cells)


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch, whole: Whole) -> None:
    """Each sheet has its head and its filter, and no row is lost or doubled."""
    monkeypatch.setattr(xlsx, "ROWS", 41)
    book = openpyxl.load_workbook(io.BytesIO(xlsx.render_xlsx(whole)))
    sheets = [name for name in book.sheetnames if name.startswith("findings")]
    rows = [row["reference"] for name in sheets for row in table(book[name])]

    assert sheets[:3] == ["findings", "findings 2", "findings 3"]
    assert rows == [row.reference for row in whole.findings]
    assert all(book[name].auto_filter.ref.startswith("A1:") and book[name].max_row <= 41 for name in sheets)


def test_lists_of_the_scan_hold_every_finding(whole: Whole) -> None:
    """CSV and JSON hold all rules, those of no framework too, with the same columns and the origin of each row."""
    rows = list(csv.DictReader(io.StringIO(WHOLE_RENDERERS["csv"](whole).decode("utf-8-sig"), newline="")))
    document = json.loads(WHOLE_RENDERERS["json"](whole))

    assert len(rows) == len(document["findings"]) == sum(len(one.findings) for one in samples.record().results) + 8
    assert list(rows[0]) == [*COLUMNS, "scan", "privacy"]
    assert {(row["scan"], row["privacy"]) for row in rows} == {(whole.scan.id, "L2")}
    assert {name: document[name] for name in whole.about} == whole.about
    assert document["recipient"] == "Internal Audit"


@pytest.fixture(scope="module")
def compliance_finding() -> Draft202012Validator:
    """Return the published schema of the OCSF class, without any profile."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(schema_of.VERSION)).get_class_schema("compliance_finding")
    return Draft202012Validator(schema)


def test_events_fit_the_published_schema(compliance_finding: Draft202012Validator) -> None:
    """Every finding is one line, and a valid Compliance Finding of OCSF 1.8.0: one of each kind is checked."""
    for privacy in ("L1", "L2"):
        whole = whole_of(mean_record(), privacy)
        events = [json.loads(line) for line in ocsf.render_ocsf(whole).splitlines()]
        kinds = {(row.rule, row.state, row.verdict): made for row, made in zip(whole.findings, events, strict=True)}
        problems = [problem.message for made in kinds.values() for problem in compliance_finding.iter_errors(made)]

        assert problems == []
        assert len(kinds) > 12
        assert len({made["metadata"]["uid"] for made in events}) == len(events)
        assert [made["finding_info"]["uid"] for made in events] == [row.reference for row in whole.findings]


def test_schema_check_of_events_finds_faults(compliance_finding: Draft202012Validator) -> None:
    """A wrong number and an attribute that the class does not know are noticed."""
    event = ocsf.event(whole_of(), whole_of().findings[0])

    assert not compliance_finding.is_valid(event | {"severity_id": 77})
    assert not compliance_finding.is_valid(event | {"unheard_of": 1})
    assert not compliance_finding.is_valid({name: event[name] for name in event if name != "finding_info"})


def test_events_tell_the_life_of_a_finding() -> None:
    """What is new is created, what is gone is closed, what is accepted is suppressed."""
    whole = whole_of()
    seen = {row.state: ocsf.event(whole, row) for row in whole.findings}

    assert {state: (seen[state]["activity_name"], seen[state]["status"]) for state in seen} == {
        "baseline": ("Create", "baseline"),
        "new": ("Create", "New"),
        "open": ("Update", "open"),
        "reopened": ("Create", "reopened"),
        "resolved": ("Close", "Resolved"),
        "verified": ("Close", "Resolved"),
        "waived": ("Update", "Suppressed"),
    }
    by_rule = {row.rule: ocsf.event(whole, row) for row in whole.findings}
    assert by_rule["leaver-still-active"]["compliance"]["requirements"] == [
        "General Data Protection Regulation: Art. 5(1)(f)"
    ]
    assert by_rule["peer-outlier"]["unmapped"]["lead"] is True
    assert by_rule["population-incomplete"]["resources"] == [{"uid": whole.scan.id, "type": "scan"}]


@pytest.mark.parametrize("privacy", ["L1", "L2"])
def test_assessment_results_are_what_nist_asks_for(content: Make, tmp_path: Path, privacy: str) -> None:
    """The models of compliance-trestle read the document, and find every id that it refers to."""
    from trestle.common import const
    from trestle.core.validator_factory import validator_factory
    from trestle.oscal import OSCAL_VERSION
    from trestle.oscal.assessment_results import AssessmentResults

    path = tmp_path / "gdpr.oscal.json"
    path.write_bytes(oscal.render_oscal(content(mean_record(), privacy=privacy)))
    read = AssessmentResults.oscal_read(path)

    assert read is not None
    checks = validator_factory.get(Namespace(mode=const.VAL_MODE_ALL, quiet=True))
    assert checks.model_is_valid(read, True, tmp_path)
    assert str(read.metadata.oscal_version.root.root) == oscal.VERSION == OSCAL_VERSION
    (result,) = read.results
    observed = {one.uuid for one in result.observations}
    assert len(observed) == len(result.observations)
    assert {one.observation_uuid for found in result.findings for one in found.related_observations} <= observed


def test_assessment_results_never_call_an_objective_satisfied(content: Make) -> None:
    """Controls with exceptions become findings; how every control came out is an observation."""
    shown = content()
    (result,) = json.loads(oscal.render_oscal(shown))["assessment-results"]["results"]
    told = {prop["value"] for one in result["observations"] for prop in one["props"] if prop["name"] == "result"}

    assert {found["target"]["status"]["state"] for found in result["findings"]} == {"not-satisfied"}
    assert len(result["findings"]) == sum(part.result.value == "exceptions noted" for part in shown.controls)
    assert told == {part.result.value for part in shown.controls} | {
        line.result.value for part in shown.controls for line in part.rules
    }
    assert {"exceptions noted", "unable to test", "not tested"} <= told
    selection = result["reviewed-controls"]["control-selections"][0]
    assert len(selection["include-controls"]) + len(selection["exclude-controls"]) == len(shown.controls)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>x</script>", r"&lt;script&gt;x&lt;/script&gt;"),
        ("[link](http://x)", r"\[link\]\(http://x\)"),
        ("@everyone #12", r"&#64;everyone \#12"),
        ("# head\n- item", r"\# head \- item"),
        ("`code` | cell &amp;", r"\`code\` \| cell &amp;amp;"),
    ],
)
def test_markdown_holds_no_markup_of_others(text: str, shown: str) -> None:
    """Names cannot become HTML, links, mentions, references or headings."""
    assert escape(text) == shown


def test_summary_is_short_and_says_what_was_not_tested(whole: Whole) -> None:
    """A ticket gets counts, the worst rules, what was incomplete, and where the rest is; never a person."""
    text = WHOLE_RENDERERS["md"](whole).decode()

    assert len(text.splitlines()) < 40
    assert text.startswith("# Acme Åland GmbH &amp; Co, 2026\\-10\\-01: ")
    assert "sources are not proven complete" in text
    assert re.search(r"^- \d+ \S Leaver whose account still works \\\(critical\\\): ", text, re.MULTILINE)
    assert "<script>" not in text
    assert samples.MANIFEST in text
    assert not [name for name in samples.PEOPLE.values() if name in text]
