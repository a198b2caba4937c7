"""Findings as a table for spreadsheets: identified (L2), with the pseudonyms that the reports show beside the ids."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import date, datetime

from scanner.model import Finding
from scanner.model_record import Record
from scanner.report.disclosure import disclosure
from scanner.report.pseudonyms import account_pseudonym, finding_reference, worker_pseudonym
from scanner.report.words import load

COLUMNS = (
    "fingerprint",
    "reference",
    "account_pseudonym",
    "worker_pseudonym",
    "rule",
    "severity",
    "verdict",
    "state",
    "app",
    "account_id",
    "username",
    "entitlement",
    "worker_id",
    "reason",
    "evidence",
    "first_seen",
    "remedy",
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\ud800-\udfff\ufeff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def findings_csv(record: Record, key: bytes) -> bytes:
    """Return every finding of the scan as CSV, UTF-8 with a byte order mark so that spreadsheets read names right."""
    seen = disclosure(record, load(), privacy="L2", key=key)
    remedies = {rule.id: rule.remedy for rule in record.rules}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in record.results:
        for finding in result.findings:
            reason = "".join(piece for piece, _ in seen.reason(finding))
            row = _row(finding, reason, remedies.get(finding.rule, ""), record, key)
            writer.writerow([neutral(row[column]) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def neutral(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before it where it could be one."""
    if text[:1].isalnum() and text.isascii() and text.isprintable():
        return text
    # Control characters go first: one of them before a sign would hide it from the test and vanish afterwards.
    kept = _CONTROL.sub("", text)
    return f"'{kept}" if is_formula(kept) else kept


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet could take a text for a formula."""
    return text.lstrip(" \n").startswith(_FORMULA)


def _row(finding: Finding, reason: str, remedy: str, record: Record, key: bytes) -> Mapping[str, str]:
    app, account_id, worker_id = finding.app or "", finding.account_id, finding.worker_id
    return {
        "fingerprint": finding.fingerprint,
        "reference": finding_reference(key, finding.fingerprint),
        "account_pseudonym": account_pseudonym(key, app, account_id) if account_id is not None else "",
        "worker_pseudonym": worker_pseudonym(key, worker_id) if worker_id else "",
        "rule": finding.rule,
        "severity": finding.severity.value,
        "verdict": finding.verdict,
        "state": finding.state.value,
        "app": app,
        "account_id": account_id or "",
        "username": finding.username or record.names.get((app, account_id or ""), ""),
        "entitlement": finding.entitlement or "",
        "worker_id": worker_id or "",
        "reason": reason,
        "evidence": json.dumps(finding.evidence, ensure_ascii=False, sort_keys=True, default=_plain),
        "first_seen": finding.first_seen,
        "remedy": remedy,
    }


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
