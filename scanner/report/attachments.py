"""The files inside a PDF: its findings in full, as the privacy profile allows, and the manifest of the evidence."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.report.inputs import Inputs
from scanner.report.listing import COLUMNS, ListedFinding, as_cells, as_values
from scanner.report.matrix import Column
from scanner.report.tables import neutral

SCHEMA = "orphanscan.report-findings/1"

MATRIX_COLUMNS = ("requirement", "title", "system", "result", "exceptions")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One embedded file."""

    name: str
    description: str
    relationship: str
    """How it relates to the report, in the words of ISO 32000-2 7.11.3: Data or Source."""
    data: bytes


def attachments(
    inputs: Inputs, report_id: str, manifest: bytes, rows: Sequence[ListedFinding], systems: Sequence[Column] = ()
) -> tuple[Attachment, ...]:
    """Return findings.csv, findings.json, matrix.csv and, if the scan is sealed, manifest.json."""
    words, scan = inputs.words, inputs.record.scan
    about = {
        "report": report_id,
        "framework": inputs.framework.id,
        "privacy": inputs.disclosure.privacy,
        "scan": scan.id,
        "as_of": scan.as_of.isoformat(),
        "evidence_manifest_sha256": scan.manifest_sha256,
    }
    made = [
        Attachment("findings.csv", words("attachment.csv"), "Data", list_csv(rows)),
        Attachment("findings.json", words("attachment.json"), "Data", list_json(about, rows)),
    ]
    if systems:
        made.append(Attachment("matrix.csv", words("attachment.matrix"), "Data", _matrix(systems)))
    if manifest:
        made.append(Attachment("manifest.json", words("attachment.manifest"), "Source", manifest))
    return tuple(made)


def list_csv(rows: Sequence[ListedFinding]) -> bytes:
    """Return rows as CSV, UTF-8 with a byte order mark so that spreadsheets read names right."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([neutral(cell) for cell in cells] for cells in as_cells(rows))
    return text.getvalue().encode("utf-8-sig")


def list_json(about: dict[str, str], rows: Sequence[ListedFinding]) -> bytes:
    """Return rows as one document that says what it is a list of."""
    document = {"schema": SCHEMA, **about, "findings": list(as_values(rows))}
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8")


def _matrix(systems: Sequence[Column]) -> bytes:
    """Return one row per requirement and system."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(MATRIX_COLUMNS)
    for name, _, results in systems:
        for result in results:
            row = (result.control.id, result.control.title, name, result.result.value, str(result.exceptions))
            writer.writerow([neutral(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")
