"""The guides to reading a report name what its readers meet, in the order in which they meet it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.framework_files import load
from scanner.frameworks import ControlOutcome
from scanner.model import Severity
from scanner.report.content import Content
from scanner.report.words import load as load_words

Make = Callable[..., Content]
GUIDES = Path(__file__).parents[2] / "docs" / "reports"
FRAMEWORKS = {framework.id: framework for framework in load()}
COMMON = " ".join((GUIDES / "README.md").read_text().split())


def chapter(report: Content, heading: str) -> str:
    """Return a chapter of the page of the report's framework."""
    page = (GUIDES / f"{report.cover.id.split('-')[0].lower()}.md").read_text()
    return page.split(f"## {heading}\n")[1].split("\n## ")[0]


def first_cells(table: str) -> list[str]:
    """Return the first cell of each row of a table, its head left out."""
    return re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]


@pytest.fixture(scope="module", params=["sox", "hipaa", "gdpr"])
def report(request: pytest.FixtureRequest, content: Make) -> Content:
    """Compute a report of each framework."""
    return content(framework=FRAMEWORKS[request.param])


def test_each_part_has_its_line_in_the_order_of_the_report(report: Content) -> None:
    """Heading by heading, the cover first."""
    headings = [report.headings[part] for part in report.sections]

    assert first_cells(chapter(report, "Part by part")) == ["cover", *headings]


def test_each_field_that_people_fill_in_is_named_with_who_does(report: Content) -> None:
    """Those of the framework on its page, those of every report on the common one."""
    page = first_cells(chapter(report, "Who fills in what"))
    common = COMMON.split("## Who fills in what")[1]
    own = (*report.worksheet.blanks, *report.incidents.blanks, report.signatures[-1].role)
    shared = (*report.sheets.sheets[0].blanks, *(one.role for one in report.signatures[:-1]))

    assert not [label for label in own if label not in page]
    assert not [label for label in shared if label not in common]


def test_each_result_is_explained_for_the_readers_of_the_framework(report: Content) -> None:
    """The four words, and no other."""
    results = chapter(report, "What the results mean to you")

    assert first_cells(results) == [str(outcome) for outcome in ControlOutcome]


def test_the_common_page_explains_every_word_for_a_result_a_finding_and_a_source() -> None:
    """A word that a report prints and nobody explains is one that somebody reads as they like."""
    words = load_words()
    severities = [words(f"severity.{severity}") for severity in Severity]
    verdicts = [text for key, text in words.group("verdict").items() if key.endswith("word")]
    strengths = words.group("strength").values()
    states = [words(f"state.{state}") for state in ("baseline", "new", "open", "reopened", "resolved", "waived")]

    told = (*map(str, ControlOutcome), *severities, *verdicts, words("verdict.read_to_end"), *strengths, *states)
    assert not [word for word in told if word.casefold() not in COMMON.casefold()]


def test_the_report_leads_to_its_guides(report: Content) -> None:
    """Whoever holds a report alone learns where it is explained."""
    (step,) = [step for step in report.verification if "docs/reports" in step]
    named = re.findall(r"docs/[a-z-]+(?:\.md)?", step)

    assert named == ["docs/reports", "docs/re-performance.md"]
    assert all((GUIDES.parents[1] / path).exists() for path in named)
