"""Lists of findings as CSV and JSON, in the privacy profile of their report."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from scanner.report.listing import COLUMNS, ListedFinding, as_cells, as_values
from scanner.report.tables import neutral

if TYPE_CHECKING:
    from scanner.report.whole import Whole  # which is computed with what this module writes

SCHEMA = "orphanscan.report-findings/1"


def render_csv(whole: "Whole") -> bytes:
    """Return all findings of a scan as CSV."""
    return list_csv(whole.about, whole.findings)


def render_json(whole: "Whole") -> bytes:
    """Return all findings of a scan as JSON."""
    return list_json(whole.about, whole.findings)


def list_csv(about: Mapping[str, str], rows: Sequence[ListedFinding]) -> bytes:
    """Return rows as CSV.

    Each row ends with the scan and the privacy profile it is from: rows of several files are put into one sheet.
    """
    origin = {name: about[name] for name in ("scan", "privacy")}
    return table_csv((*COLUMNS, *origin), ([*cells, *origin.values()] for cells in as_cells(rows)))


def table_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV: UTF-8 with a byte order mark, so that spreadsheets read names right, and no formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def list_json(about: Mapping[str, str], rows: Sequence[ListedFinding]) -> bytes:
    """Return rows as one document that says what it is a list of."""
    document = {"schema": SCHEMA, **about, "findings": list(as_values(rows))}
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8")
