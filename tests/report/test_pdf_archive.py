"""The structure of the PDF: what archives, screen readers and programs find in it."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pytest
import report_samples as samples

from scanner.report.content import Content
from scanner.report.listing import COLUMNS
from scanner.report.plain import SCHEMA

Make = Callable[..., Content]


@pytest.fixture(scope="module")
def document(pdf: bytes) -> Iterator[pikepdf.Pdf]:
    """Open the sample."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        yield opened


@pytest.fixture(scope="module")
def inside(document: pikepdf.Pdf) -> dict[str, bytes]:
    """Return the embedded files by name."""
    return {name: file.get_file().read_bytes() for name, file in document.attachments.items()}


def elements(node: Any) -> Iterator[Any]:
    """Yield every element of a structure tree."""
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from elements(child)
    elif isinstance(node, pikepdf.Dictionary):
        yield node
        yield from elements(node.get("/K"))


def test_file_says_that_it_is_pdf_a_3a(document: pikepdf.Pdf) -> None:
    """Identification, colour profile and language are those that ISO 19005-3 asks for at level A."""
    with document.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert "Security of processing: access report" in metadata["dc:title"]
    intents = [intent for intent in document.Root.OutputIntents if intent.S == "/GTS_PDFA1"]

    assert len(intents) == 1
    assert intents[0].DestOutputProfile.read_bytes()[36:40] == b"acsp", "an ICC profile"
    assert document.Root.Lang == "en"
    assert bool(document.Root.MarkInfo.Marked)
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
    assert not document.is_encrypted


def test_every_font_is_embedded(document: pikepdf.Pdf) -> None:
    """The file reads the same on any machine, in any year."""
    fonts = [
        one for one in document.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
    ]

    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)


def test_tables_have_header_cells_with_a_scope(document: pikepdf.Pdf) -> None:
    """A screen reader tells for each number which row and column it belongs to."""
    heads = [one for one in elements(document.Root.StructTreeRoot.K) if one.get("/S") == "/TH"]
    scopes = {str(head.A.Scope) for head in heads}

    assert len(heads) > 100
    assert scopes == {"/Column", "/Row"}


def test_pictures_have_words(document: pikepdf.Pdf) -> None:
    """The chart is told in words too; a mark beside a word is no picture."""
    figures = [one for one in elements(document.Root.StructTreeRoot.K) if one.get("/S") == "/Figure"]

    told = [str(figure.Alt) for figure in figures]
    assert [text.split(". ")[0] for text in told] == [
        "Exceptions per application, by severity",
        "What is seen of each application",
        "Exceptions by age",
    ]
    assert "General ledger: " in told[0]


def test_embedded_files_say_what_they_are(document: pikepdf.Pdf) -> None:
    """Each is associated with the whole document, with its relation, kind and date."""
    files = {str(one.UF): one for one in document.Root.AF}

    assert {name: str(one.AFRelationship) for name, one in files.items()} == {
        "findings.csv": "/Data",
        "findings.json": "/Data",
        "matrix.csv": "/Data",
        "manifest.json": "/Source",
    }
    assert str(files["findings.csv"].EF.F.Subtype) == "/text/csv"
    assert str(files["findings.json"].EF.F.Subtype) == "/application/json"
    assert all(str(one.EF.F.Params.ModDate).startswith(f"D:{samples.GENERATED:%Y%m%d}") for one in files.values())


def test_embedded_findings_are_all_of_them(inside: dict[str, bytes], content: Make) -> None:
    """What the body caps is inside in full, in both files alike, with the references of the body."""
    rows = list(csv.DictReader(io.StringIO(inside["findings.csv"].decode("utf-8-sig"))))
    told = json.loads(inside["findings.json"])
    shown = {row.reference for section in content().exceptions for row in section.rows}

    assert tuple(rows[0]) == (*COLUMNS, "scan", "privacy")
    assert told["schema"] == SCHEMA
    assert [row["reference"] for row in rows] == [row["reference"] for row in told["findings"]]
    assert len(rows) == sum(len(one.findings) for one in samples.record().results if one.findings)
    assert shown < {row["reference"] for row in rows}


def test_embedded_findings_keep_the_profile(inside: dict[str, bytes], content: Make) -> None:
    """In the pseudonymised report no attachment names anybody or confirms a guess; in the identified one they do."""
    text = (inside["findings.csv"] + inside["findings.json"]).decode()
    named = b"".join(file.data for file in content(privacy="L2").attachments).decode()
    fingerprints = [finding.fingerprint for one in samples.record().results for finding in one.findings]

    assert "@" not in text
    assert not [name for name in samples.PEOPLE.values() if name in text]
    assert not [one for one in fingerprints if one[:8] in text]
    assert samples.PEOPLE["p001"] in named


def test_embedded_cells_are_no_formulas(content: Make) -> None:
    """A name that is a formula arrives as text."""
    data = next(file.data for file in content(privacy="L2").attachments if file.name == "findings.csv")
    cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]

    assert any(cell.startswith("'=cmd()") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_embedded_manifest_is_the_one_on_the_cover(inside: dict[str, bytes]) -> None:
    """Its hash is what the report prints, so that the file alone leads to the evidence."""
    assert hashlib.sha256(inside["manifest.json"]).hexdigest() == samples.MANIFEST
