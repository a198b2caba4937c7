"""Lists of findings as CSV and JSON, in the privacy profile of their report."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

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
    # Straight into bytes: as text, a list of 100,000 findings would be held twice, and up to four times as large.
    data = io.BytesIO()
    with io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(head)
        writer.writerows([neutral(cell) for cell in row] for row in rows)
        text.flush()
        return data.getvalue()


def list_json(about: Mapping[str, str], rows: Sequence[ListedFinding]) -> bytes:
    """Return rows as one document that says what it is a list of; each finding stands on a line of its own."""
    head = msgspec.json.encode({"schema": SCHEMA, **about})
    # Row by row: as values, 100,000 findings take half a gigabyte.
    data = io.BytesIO()
    data.write(head[:-1] + b',"findings":[')
    for n, row in enumerate(as_values(rows)):
        data.write((b",\n" if n else b"\n") + msgspec.json.encode(row))
    data.write(b"\n]}\n")
    return data.getvalue()
