"""The summary for management: one page whose numbers are those of the reports."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pikepdf
import pytest
import report_samples as samples
from pypdf import PdfReader

from scanner.framework_files import load, load_families
from scanner.frameworks import ControlOutcome, Framework
from scanner.model import Severity
from scanner.model_history import Trend, TrendChange, TrendScan
from scanner.model_record import Record
from scanner.report.content import Content
from scanner.report.management import Management, build_management, management_drawing, management_html
from scanner.report.objectives import MANAGEMENT, objectives
from scanner.report.pdf import draw

Make = Callable[..., Content]
FRAMEWORKS = [framework for framework in load() if framework.id in ("gdpr", "hipaa", "sox")]
OBJECTIVES = objectives(MANAGEMENT, load_families().values(), "0.1.0")


def page_of(record: Record | None = None, frameworks: list[Framework] | None = None, **changes: object) -> Management:
    """Compute the page of a record."""
    arguments: dict[str, object] = {
        "name": "management",
        "privacy": "L1",
        "key": samples.KEY,
        "prepared_by": "Night scheduler",
        "generated_at": samples.GENERATED,
        "manifest": samples.SEALED,
    }
    return build_management(record or samples.record(), OBJECTIVES, frameworks or FRAMEWORKS, **(arguments | changes))


def text_of(data: bytes) -> str:
    """Return the text of a PDF, blanks made alike."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


@pytest.fixture(scope="module")
def drawn() -> bytes:
    """Return the page of the sample as PDF."""
    return draw(management_drawing(page_of()))


def test_every_framework_has_the_numbers_of_its_report(content: Make) -> None:
    """Whoever compares page and reports finds the same results and exceptions."""
    for line, framework in zip(page_of().lines, FRAMEWORKS, strict=True):
        report = content(framework=framework)

        assert line.title == framework.title
        assert line.tallies == report.summary.tallies
        assert line.applications == len(report.scope)
        assert line.exceptions == sum(row.is_exception for row in report.listed)
        assert report.summary.sentences[0].startswith(f"{line.exceptions or 'None of the'} ")


def test_the_page_is_one_page_and_holds_what_management_asks(drawn: bytes) -> None:
    """Results, what matters most, leavers, what is not covered, and by what seal it can be checked."""
    text = text_of(drawn)

    assert len(PdfReader(io.BytesIO(drawn)).pages) == 1
    for heading in (
        "Results by framework",
        "What matters most",
        "Leavers and their access",
        "What these results cover",
    ):
        assert heading in text
    for framework in FRAMEWORKS:
        assert framework.title in text
    assert "Page 1 of 1" in text
    assert f"Manifest {samples.MANIFEST[:16]}" in text
    with pikepdf.open(io.BytesIO(drawn)) as document:
        assert list(document.attachments) == ["manifest.json"]
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")


def test_it_stays_one_page_whatever_there_is() -> None:
    """Sixty applications with names of two hundred characters, and every framework that is shipped."""
    record = samples.record()
    facts = tuple(
        replace(record.applications[0], app=f"app-{n}", name=f"{n} {'very long name ' * 14}", type=kind)
        for n, kind in enumerate(["none"] * 30 + ["scim"] * 30)
    )
    results = tuple(
        replace(result, findings=tuple(replace(one, app=f"app-{n % 60}") for n, one in enumerate(result.findings)))
        for result in record.results
    )
    data = draw(management_drawing(page_of(replace(record, applications=facts, results=results), list(load()))))

    assert len(PdfReader(io.BytesIO(data)).pages) == 1
    assert "27 more" in text_of(data)


@pytest.mark.parametrize("privacy", ["L1", "L2"])
def test_nobody_stands_on_it(privacy: str, drawn: bytes) -> None:
    """Neither by name nor by pseudonym, whatever the profile: it is made to be passed on."""
    record = samples.record()
    texts = [management_html(page_of(privacy=privacy, recipient="Board" if privacy == "L2" else "")).decode()]
    texts += [text_of(drawn)] if privacy == "L1" else []

    for text in texts:
        assert not re.search(r"\b[PAF]-[A-Z2-7]{8}", text)
        assert not [name for name in record.workers.values() if name in text]
        assert "@acme.example" not in text


def test_a_hostile_name_of_an_application_is_text_and_an_address_in_one_is_withheld() -> None:
    """Also where the name is cut: half an address must not stay."""
    record = samples.record()
    name = "x" * 30 + " ada.brook.of.the.long.name@partner.example"
    facts = tuple(replace(fact, name=name) if fact.type == "none" else fact for fact in record.applications)
    html = management_html(page_of(replace(record, applications=facts))).decode()

    assert "<script>" not in html
    assert "ada.brook" not in html
    assert "[e-mail withheld]" in html


def test_what_came_and_went_since_the_scan_before_stands_there_with_its_causes() -> None:
    """A number that moved says why."""
    before, last = samples.AS_OF.replace(day=1, month=9), samples.AS_OF
    change = TrendChange("b", "orphaned-account", "ledger", Severity.HIGH, "open", "new", "people", 7)
    gone = replace(change, rule="duplicate-accounts", event="resolved", change=-2)
    first = replace(change, scan="a", event="baseline", cause="baseline", change=9)
    scans = (TrendScan("a", before, True, {}), TrendScan("b", last, True, {}))
    page = page_of(replace(samples.record(), trend=Trend(scans, (first, change, gone))))

    assert page.since == "Since the scan before (2026-09-01 06:00 UTC): 7 exceptions came (people: 7), 2 went."
    assert page_of().since == ""


def test_unread_sources_and_the_sums_of_the_leavers_are_told() -> None:
    """The page never reads as clean where something could not be tested."""
    page, record = page_of(), samples.record()
    told = " ".join(page.coverage)

    assert "5 of 9 sources were not read completely" in told
    assert "Known, but not connected and not tested: Treasury workstation." in told
    assert sum(tally.controls for tally in page.lines[0].tallies) == len(FRAMEWORKS[0].controls)
    assert page.leavers[-1].startswith(f"{sum(v for k, v in record.ledger.leavers.items() if k != 'total')} in all")
    assert {tally.outcome for tally in page.lines[0].tallies} == set(ControlOutcome)
