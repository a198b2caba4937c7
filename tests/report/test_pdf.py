"""The PDF, read back."""

import gc
import hashlib
import io
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import report_samples as samples
from conftest import content_of
from jinja2 import UndefinedError
from pypdf import PdfReader

from scanner.framework_files import load
from scanner.frameworks import Framework
from scanner.model_record import Record
from scanner.report import RENDERERS
from scanner.report.content import Content
from scanner.report.pdf import bundled_file
from scanner.report.pseudonyms import account_pseudonym
from scanner.report.templates import FOLDER

Make = Callable[..., Content]
STATEMENT = "It is not an audit opinion, a certification or legal advice."
FORBIDDEN = re.compile(r"complian(t|ce)|certified|breach|material weakness", re.IGNORECASE)


@pytest.fixture(autouse=True)
def no_warnings(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail on any warning of the renderer, except that CJK names need a font of the system."""
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        yield
    entries = [one for when in ("setup", "call") for one in caplog.get_records(when) if one.name == "weasyprint"]
    assert not [one for one in entries if not re.search(r"notdef glyph.*\(U\+[3-9][0-9A-F]{3}\)", one.getMessage())]


@cache
def pages(data: bytes) -> tuple[str, ...]:
    """Return the text of each page, blanks and line ends made alike."""
    return tuple(re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages)


def brief(findings: int = 1, controls: int = 1) -> tuple[Record, Framework]:
    """Return a record and a framework that render fast."""
    framework = samples.framework()
    return samples.record(findings, hostile=False), replace(framework, controls=framework.controls[:controls])


def squeezed(data: bytes) -> str:
    """Return the whole text without blanks: a wrapped id is one piece again."""
    return re.sub(r"\s+", "", "".join(pages(data)))


def test_sections_and_results_are_there(pdf: bytes) -> None:
    """Every section has its heading, and results use the four words only."""
    text = " ".join(pages(pdf))

    for heading in (
        "Summary",
        "Processing of personal data",
        "Record of processing and risk to people",
        "Principles and articles by processing",
        "Exception sheets",
        "Completeness and accuracy of the data",
        "Balance in both directions",
        "Result per article",
        "Exceptions",
        "Open questions",
        "For review",
        "Accepted risks",
        "Limitations",
        "Sign-off",
        "Appendix",
    ):
        assert heading in text
    for word in ("exceptions noted", "unable to test", "not tested"):
        assert word in text


def test_rows_are_really_there(pdf: bytes, content: Make) -> None:
    """Each row that the content shows can be read in the file: nothing is cut."""
    text = squeezed(pdf)
    rows = [row for section in content().exceptions for row in section.rows]

    assert rows
    for row in rows:
        assert row.reference in text
        assert re.sub(r"\s+", "", row.subject) in text


def test_each_page_says_what_it_belongs_to(pdf: bytes) -> None:
    """Footer and draft mark stand on every page, with the right page number."""
    every = pages(pdf)

    for number, text in enumerate(every, 1):
        assert f"Page {number} of {len(every)}" in text
        assert "GDPR-20261001T060000Z-1a2b-L1" in text
        assert samples.MANIFEST[:16] in text
        assert "Confidential" in text
        assert "DRAFT, not signed" in text


def test_last_words_and_no_legal_conclusion(pdf: bytes) -> None:
    """The closing sentence ends the report, and no word of it judges in law."""
    every = pages(pdf)

    assert STATEMENT in every[-1]
    assert not FORBIDDEN.search(" ".join(every))


def test_l1_shows_no_name_and_no_mail(pdf: bytes) -> None:
    """No name, no account id and nothing like an e-mail is in the pseudonymised file."""
    text = squeezed(pdf)

    assert "@" not in text
    for secret in (*samples.PEOPLE.values(), *samples.HOSTILE.values(), "acc-000", "user1"):
        if secret != samples.SCRIPT:  # is also the name of an application
            assert re.sub(r"\s+", "", secret) not in text
    assert account_pseudonym(samples.KEY, "ledger", "h2") in text


def test_l2_shows_names_and_says_so(content: Make) -> None:
    """The identified file names people of every script and is marked on each page."""
    record, framework = samples.record(9), brief()[1]
    # A name whose script no font covers changes how its page is encoded, which the reader used here cannot follow.
    results = (replace(one, findings=tuple(f for f in one.findings if f.account_id != "h4")) for one in record.results)
    data = RENDERERS["pdf"](content(replace(record, results=tuple(results)), framework, privacy="L2"))
    text = squeezed(data)

    for name in ("AdaBrook", "ŁukaszŻółć-Ångström", "ΟδυσσέαςΠαπαδόπουλος", "=cmd()"):
        assert name in text
    assert samples.LONG_ID[:60] in text
    assert all("RESTRICTED DISTRIBUTION" in page for page in pages(data))
    assert not set(text) & set(map(chr, [*range(32), 0x202E]))


def test_file_is_tagged_titled_and_has_bookmarks(pdf: bytes) -> None:
    """Readers with a screen reader, and archives, find what they need."""
    reader = PdfReader(io.BytesIO(pdf))
    catalog = reader.trailer["/Root"]

    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert reader.metadata is not None
    assert "Security of processing: access report" in str(reader.metadata.title)
    top = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert top[:2] == ["Summary", "Processing of personal data"]


def test_pages_are_portrait_and_none_is_empty(pdf: bytes) -> None:
    """No page turns without need, and each says something besides its frame."""
    reader = PdfReader(io.BytesIO(pdf))

    assert all(page.mediabox.width < page.mediabox.height for page in reader.pages)
    assert all(len(text) > 300 for text in pages(pdf))


def test_no_heading_ends_its_page(pdf: bytes) -> None:
    """Below the heading of each section something of it is to be read on the same page."""
    reader = PdfReader(io.BytesIO(pdf))
    sections = [entry for entry in reader.outline if not isinstance(entry, list)]
    frame = 250  # Footer and margins of a page, in characters.

    for entry in sections:
        text = pages(pdf)[reader.get_destination_page_number(entry)]
        assert len(text) - text.rindex(entry.title) > frame, entry.title


def test_summary_takes_one_page(content: Make) -> None:
    """A reader in a hurry turns no page, also where a framework has many controls and each application exceptions."""
    framework = max(load(), key=lambda one: len(one.controls))
    record = samples.record(20, hostile=False)
    reader = PdfReader(io.BytesIO(RENDERERS["pdf"](content(record, framework, rows_per_rule=1))))
    sections = [entry for entry in reader.outline if not isinstance(entry, list)]

    assert len(framework.controls) > 15
    assert sections[0].title == "Summary"
    assert [reader.get_destination_page_number(entry) for entry in sections[:2]] == [1, 2]


def test_wide_ledger_turns_the_page(content: Make) -> None:
    """Large numbers in many columns get a landscape page, also where the system has no CJK font."""
    record, framework = samples.record(1), brief()[1]
    big = {app: {name: count * 90000 for name, count in parts.items()} for app, parts in record.account_buckets.items()}
    ledger = replace(record.ledger, accounts={name: n * 90000 for name, n in record.ledger.accounts.items()})
    data = RENDERERS["pdf"](content(replace(record, account_buckets=big, ledger=ledger), framework, privacy="L2"))
    turned = [page.mediabox.width > page.mediabox.height for page in PdfReader(io.BytesIO(data)).pages]

    assert any(turned)
    assert not turned[0]
    assert not turned[-1]


OTHER_PROCESS = """
import sys, hashlib
sys.path.insert(0, sys.argv[1])
from test_pdf import digests
print(digests())
"""


def digests() -> list[str]:
    """Return the hash of each format of a brief report."""
    made = content_of(*brief())
    return [hashlib.sha256(render(made)).hexdigest() for render in RENDERERS.values()]


def test_equal_content_gives_equal_bytes_in_every_process() -> None:
    """Neither the clock nor the order of sets reaches the file."""
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "UTC+9"}
    command = [sys.executable, "-c", OTHER_PROCESS, str(Path(__file__).parent)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)

    assert done.stdout.strip() == str(digests()), done.stderr


def test_ten_thousand_findings_are_capped_in_time(content: Make) -> None:
    """A long list neither fills the report nor stops the night's work."""
    record, framework = brief(10_000)
    started = time.process_time()
    data = RENDERERS["pdf"](content(record, framework, rows_per_rule=20))

    assert "20 of 10,000 shown" in " ".join(pages(data))
    assert time.process_time() - started < 40


def test_collector_is_on_again_after_rendering(content: Make) -> None:
    """Rendering leaves the process as it was, also after a failure."""
    with pytest.raises(UndefinedError):
        RENDERERS["pdf"](replace(content(), summary=None))

    assert gc.isenabled()


@pytest.mark.parametrize(
    "url",
    [
        "https://fonts.example/x.woff2",
        "file:///etc/passwd",
        f"{FOLDER.as_uri()}/fonts/../text/en.toml",
        f"{FOLDER.as_uri()}/fonts/%2e%2e/base.html",
        "data:text/css,x",
        f"file://host{FOLDER}/fonts/OFL.txt",
    ],
)
def test_renderer_opens_bundled_files_only(url: str) -> None:
    """A name in the data can never make the renderer read a file or call a server."""
    with pytest.raises(ValueError, match="may not load"):
        bundled_file(url)
