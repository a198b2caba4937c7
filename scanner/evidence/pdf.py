"""A report as PDF, checked by the files inside it: manifest and findings against each other and against a bundle."""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from scanner import pdf_seal
from scanner.errors import StoreError
from scanner.evidence import bundle, manifest
from scanner.evidence.manifest import Manifest
from scanner.evidence.verify import Statement, Subject, left_open, mismatch, proven

SECONDS = 120
MEMORY_MB = 4096


@dataclass(frozen=True, slots=True)
class Embedded:
    """What lies inside a PDF."""

    trouble: str
    """Why nothing could be read; empty if it could."""
    files: Mapping[str, bytes]
    manifest: Manifest | None = None
    manifest_trouble: str = ""
    is_as_written: bool = False
    """Whether the file is the one of which it carries the hash."""


def read(path: Path) -> Embedded:
    """Read the files inside a PDF in a process of its own, as a PDF may come from anybody.

    Raises StoreError if there is no such file.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file, bundle or scan")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "scanner.pdf_reader", str(MEMORY_MB), str(path.resolve())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        answer = msgspec.json.decode(done.stdout, type=dict[str, bytes] | str)
    except subprocess.TimeoutExpired:
        return Embedded(f"it was not read within {SECONDS} s", {})
    except msgspec.DecodeError:
        return Embedded("the process that read it ended, most likely for want of memory", {})
    if isinstance(answer, str):
        return Embedded(answer, {})
    if manifest.MANIFEST not in answer:
        return Embedded(
            "", answer, None, "it holds no evidence manifest: it is no report of orphanscan, or was changed"
        )
    is_as_written = pdf_seal.holds(path.read_bytes())
    try:
        sealed = manifest.parse(answer[manifest.MANIFEST], "the manifest inside")
        return Embedded("", answer, sealed, is_as_written=is_as_written)
    except StoreError as exc:
        return Embedded("", answer, None, str(exc))


def check(name: str, found: Embedded) -> Subject:
    """Check the files inside a PDF against each other."""
    if found.trouble or found.manifest is None:
        return Subject(name, (mismatch(f"Not checked: {found.trouble or found.manifest_trouble}."),))
    said = [_WHOLE if found.is_as_written else _CHANGED]
    wrong = list(_findings(found, found.manifest)) if _has_findings(found) else [left_open(_WITHOUT)]
    said += wrong
    if not wrong:
        said += [
            proven("The findings inside, as table and for programs, are the same, and name the manifest inside."),
            left_open(
                "That its pages say what the findings inside say: `orphanscan report` on the same scan writes the same"
                " bytes again."
            ),
        ]
    return Subject(name, tuple(said), found.manifest)


_WHOLE = proven("Every byte of the file is as it was written: the hash that it carries of itself fits.")
_CHANGED = mismatch(
    "The file was changed after it was written: it does not fit the hash that a report carries of itself."
)
_WITHOUT = (
    "What its pages say: no findings lie inside, as in a page for management or in a further volume."
    " `orphanscan report` on the same scan writes the same bytes again."
)


def _has_findings(found: Embedded) -> bool:
    """Return whether findings or counts lie inside, in any form."""
    return any(f"{name}.{form}" in found.files for name in _KEYS for form in ("json", "csv"))


def _findings(found: Embedded, sealed: Manifest) -> Iterator[Statement]:
    document, name = _document(found), _name(found)
    if document is None:
        yield mismatch(f"{name}.json is missing inside, or cannot be read.")
        return
    if document.get("evidence_manifest_sha256") != sealed.sha256:
        yield mismatch("The findings inside name another manifest than the one inside.")
    if document.get("scan") != sealed.scan:
        yield mismatch("The findings inside name another scan than the manifest inside.")
    rows = [row for row in document[name] if isinstance(row, dict)]
    try:
        text = found.files[f"{name}.csv"].decode("utf-8-sig")
        table = list(csv.DictReader(io.StringIO(text, newline="")))
        same = [_key(row, name) for row in table] == [_key(row, name) for row in rows]
    except (KeyError, UnicodeDecodeError, csv.Error):
        same = False
    if not same:
        yield mismatch(f"{name}.csv and {name}.json inside do not hold the same {name}.")


_KEYS = {
    "findings": ("reference", "rule", "severity", "verdict", "state"),
    "counts": ("rule", "exceptions", "tested"),
}
"""What a report holds, and the columns by which its two forms are compared."""


def _name(found: Embedded) -> str:
    """Return whether a report holds findings, or counts only."""
    return "counts" if "counts.json" in found.files and "findings.json" not in found.files else "findings"


def _key(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    # A cell of the table that a spreadsheet could take for a formula has an apostrophe before it.
    return tuple(str(row.get(column)).removeprefix("'") for column in _KEYS[name])


def _document(found: Embedded) -> dict[str, Any] | None:
    try:
        document = json.loads(found.files[f"{_name(found)}.json"])
    except (KeyError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get(_name(found)), list) else None


def against(found: Embedded, folder: Path) -> list[Statement]:
    """Compare a report with the bundle that it should rest on."""
    if found.manifest is None:
        return []
    try:
        sealed, record = manifest.read(folder), bundle.results(folder)
    except StoreError as exc:
        return [mismatch(f"The bundle cannot be read: {exc}.")]
    if sealed.sha256 != found.manifest.sha256:
        return [mismatch(f"The bundle in {folder} is not the evidence of this report: its manifest is another one.")]
    if not _has_findings(found):
        return [proven("The manifest inside is that of the evidence.")]
    if _name(found) == "counts":
        return [left_open("Whether its counts are those of the evidence: `orphanscan report --privacy L0` shows it.")]
    document = _document(found) or {"findings": []}
    told = Counter(_judged(row) for row in document["findings"] if isinstance(row, dict))
    rules = {rule for rule, *_ in told}
    known: Counter[tuple[str, ...]] = Counter(
        (finding.rule, str(finding.severity), finding.verdict, str(finding.state))
        for result in record.results
        if result.rule in rules
        for finding in result.findings
    )
    if told - known:
        return [mismatch("The report holds findings that the evidence does not.")]
    return [
        proven(f"Its {told.total()} findings are among those of the evidence, by rule, severity, verdict and state.")
    ]


def _judged(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ("rule", "severity", "verdict", "state"))
