"""The files inside a PDF: its findings in full, as the privacy profile allows, and the manifest of the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.report.inputs import Inputs
from scanner.report.leavers import leavers_csv
from scanner.report.listing import ListedFinding
from scanner.report.matrix import Column
from scanner.report.plain import list_csv, list_json, table_csv
from scanner.report.words import Words

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
    """Return findings.csv, findings.json, matrix.csv, of a period leavers.csv, and of a sealed scan its manifest."""
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
        Attachment("findings.csv", words("attachment.csv"), "Data", list_csv(about, rows)),
        Attachment("findings.json", words("attachment.json"), "Data", list_json(about, rows)),
    ]
    if systems:
        made.append(Attachment("matrix.csv", words("attachment.matrix"), "Data", _matrix(systems)))
    if inputs.background.period is not None:
        made.append(
            Attachment(
                "leavers.csv", words("attachment.leavers"), "Data", leavers_csv(inputs, inputs.background.period)
            )
        )
    return (*made, *manifest_file(words, manifest))


def manifest_file(words: Words, manifest: bytes) -> tuple[Attachment, ...]:
    """Return the manifest of a sealed scan as a file, by which `verify` knows a paper; of no bytes nothing."""
    return (Attachment("manifest.json", words("attachment.manifest"), "Source", manifest),) if manifest else ()


def _matrix(systems: Sequence[Column]) -> bytes:
    """Return one row per requirement and system."""
    return table_csv(
        MATRIX_COLUMNS,
        (
            (result.control.id, result.control.title, column.name, result.result.value, str(result.exceptions))
            for column in systems
            for result in column.results
        ),
    )
