"""No unmatched private address reaches a pseudonymised report, whatever its form and wherever a rule puts it."""

import html
import io
import re
from collections.abc import Callable
from dataclasses import fields, replace

import pypdf
import report_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import Finding
from scanner.model_record import Record
from scanner.report import RENDERERS
from scanner.report.content import Content

LOCAL = "zqprivatezq"
FORMS = (
    "{}@home.example",
    "{}+tag@home.example",
    "{}\uff20home.example",
    "mailto:{}@home.example",
    "<{}@home.example>",
    '"{}"@home.example',
    "{}@xn--hme-0na.example",
    "{}%40home.example",
    "{} @ home.example",
    "{}\ufe6bhome.example",
    "{}\u200b@home.example",
    "{}@[192.0.2.1]",
    "x!{}@home.example",
)
PLACES = ("account_id", "username", "evidence", "listed", "nested", "entitlement", "subject", "detail")


def with_address(record: Record, address: str, place: str) -> Record:
    """Return the record with an address of a stranger in one place of an orphan."""
    result = next(one for one in record.results if one.rule == "orphaned-account")
    changes: dict[str, dict[str, object]] = {
        "account_id": {"account_id": address, "username": None},
        "username": {"username": address},
        "evidence": {"evidence": {"seen": address}},
        "listed": {"evidence": {"seen": [f"mail to {address}", address]}},
        "nested": {"evidence": {"seen": {"to": address}}},
        "entitlement": {"entitlement": address},
        "subject": {"subject": address},
        "detail": {},
    }
    finding: Finding = replace(result.findings[0], worker_id=None, **changes[place])  # type: ignore[arg-type]
    results = tuple(replace(one, findings=(finding,)) if one is result else one for one in record.results)
    sources = record.sources
    if place == "detail":
        sources = tuple(replace(one, detail=f"the server said: no such user {address}") for one in record.sources)
    return replace(record, results=results, sources=sources)


@settings(max_examples=40)
@given(form=st.sampled_from(FORMS), place=st.sampled_from(PLACES))
def test_an_address_of_a_stranger_is_in_no_attachment_and_no_part_of_the_content(
    content: Callable[..., Content], form: str, place: str
) -> None:
    """Neither whole nor its part before the sign."""
    report = content(with_address(samples.record(), form.format(LOCAL), place))
    files = "".join(one.data.decode("utf-8-sig") for one in report.attachments)
    parts = repr([getattr(report, field.name) for field in fields(report) if field.name != "attachments"])

    assert not re.search(LOCAL, files + parts, re.IGNORECASE), (form, place)


def test_the_page_the_text_of_the_pdf_and_the_files_inside_hold_none_either(content: Callable[..., Content]) -> None:
    """Every form at once, read back from the files as they are mailed."""
    record = with_address(samples.record(), " ".join(form.format(LOCAL) for form in FORMS), "listed")
    report = content(record, rows_per_rule=1, most_sheets=0)
    page = html.unescape(RENDERERS["html"](report).decode())
    reader = pypdf.PdfReader(io.BytesIO(RENDERERS["pdf"](report)))
    text = "".join(page.extract_text() for page in reader.pages)
    files = b"".join(data for several in reader.attachments.values() for data in several)

    assert "[e-mail withheld]" in page
    assert "[e-mail withheld]" in text
    assert LOCAL not in page + text
    assert LOCAL.encode() not in files
