"""The files inside a PDF: its findings in full, as the privacy profile allows, and the manifest of the evidence."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.frameworks import RuleShare
from scanner.report.exceptions import finding_rows
from scanner.report.inputs import Inputs
from scanner.report.tables import neutral

SCHEMA = "orphanscan.report-findings/1"
COLUMNS = (
    "reference",
    "rule",
    "title",
    "severity",
    "verdict",
    "state",
    "lead",
    "application",
    "subject",
    "person",
    "entitlement",
    "reason",
    "evidence",
    "first_seen",
)
"""What a row of both files holds. `subject` is the account, else the person, else what the finding is about."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One embedded file."""

    name: str
    description: str
    relationship: str
    """How it relates to the report, in the words of ISO 32000-2 7.11.3: Data or Source."""
    data: bytes


def attachments(inputs: Inputs, report_id: str, manifest: bytes) -> tuple[Attachment, ...]:
    """Return findings.csv, findings.json and, if the scan is sealed, manifest.json."""
    rows = [row for share in inputs.shares.values() for row in _rows(inputs, share)]
    words = inputs.words
    made = [
        Attachment("findings.csv", words("attachment.csv"), "Data", _csv(rows)),
        Attachment("findings.json", words("attachment.json"), "Data", _json(inputs, report_id, rows)),
    ]
    if manifest:
        made.append(Attachment("manifest.json", words("attachment.manifest"), "Source", manifest))
    return tuple(made)


def _rows(inputs: Inputs, share: RuleShare) -> Iterator[dict[str, object]]:
    for finding, row in zip(share.findings, finding_rows(inputs, share.findings), strict=True):
        yield {
            "reference": row.reference,
            "rule": share.rule,
            "title": share.title,
            "severity": finding.severity.value,
            "verdict": finding.verdict,
            "state": finding.state.value,
            "lead": share.lead,
            "application": row.application,
            "subject": row.subject,
            "person": row.person,
            "entitlement": row.entitlement,
            "reason": "".join(text for text, _ in row.reason),
            "evidence": dict(row.evidence),
            "first_seen": finding.first_seen,
        }


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return neutral("; ".join(f"{label}: {told}" for label, told in value.items()))
    return neutral(str(value))


def _json(inputs: Inputs, report_id: str, rows: Sequence[dict[str, object]]) -> bytes:
    scan = inputs.record.scan
    document = {
        "schema": SCHEMA,
        "report": report_id,
        "framework": inputs.framework.id,
        "privacy": inputs.disclosure.privacy,
        "scan": scan.id,
        "as_of": scan.as_of.isoformat(),
        "evidence_manifest_sha256": scan.manifest_sha256,
        "findings": rows,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8")
