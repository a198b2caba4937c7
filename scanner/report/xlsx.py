"""A scan as a workbook: typed columns, filters, a frozen head, and no cell that a spreadsheet would calculate."""

import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from scanner.errors import ReportError
from scanner.report.listing import COLUMNS, ListedFinding
from scanner.report.tables import is_formula
from scanner.report.whole import Whole

ROWS = 1_048_576
"""Of one sheet, its head included (ECMA-376 leaves it open; Excel and LibreOffice stop here)."""
LONGEST = 32_767
"""Characters that Excel shows of a cell; a longer text would be refused."""
Cell = str | int | bool | datetime | None


def render_xlsx(whole: Whole) -> bytes:
    """Return the workbook; equal scans give equal bytes. Needs the extra `xlsx`."""
    try:
        import xlsxwriter
    except ImportError as exc:
        raise ReportError("XlsxWriter is not installed; run: pip install 'orphanscan[xlsx]'") from exc
    made = io.BytesIO()
    # Rows go to files as they come, so that memory does not grow with them; the folder is private and goes at the end.
    with tempfile.TemporaryDirectory(prefix="orphanscan-") as folder:
        book = xlsxwriter.Workbook(
            made, {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        )
        _describe(book, whole)
        pen = _Pen(book)
        pen.sheet("summary", ("item", "value"), (26, 90), _summary(whole))
        pen.sheet("findings", FINDINGS, FINDING_WIDTHS, (_finding(row) for row in whole.findings))
        pen.sheet("sources", SOURCES, (24, 12, 12, 12, 10, 10, 11, 10, 18, 60, 20, 20, 66), _sources(whole))
        pen.sheet("controls", CONTROLS, (12, 40, 24, 60, 20, 11, 10, 11, 50), _controls(whole))
        pen.sheet("ledger", LEDGER, (12, 40, 24, 80, 10), _ledger(whole))
        book.close()
    return made.getvalue()


FINDINGS = (*COLUMNS[:-2], "first_seen", "first_seen_scan")
FINDING_WIDTHS = (13, 28, 40, 10, 10, 11, 7, 28, 34, 34, 24, 70, 60, 20, 24)
SOURCES = (
    *("source", "kind", "type", "verdict", "stated", "collected", "duplicates", "rejected", "coverage", "detail"),
    *("started_at_utc", "finished_at_utc", "sha256"),
)
CONTROLS = (
    *("framework", "framework_title", "control", "title", "result", "exceptions", "tested", "population"),
    "deciding_rules",
)
LEDGER = ("direction", "application", "bucket", "meaning", "count")


class _Pen:
    """Writes sheets in the formats of one workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        self._date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"})
        self._text = book.add_format({"valign": "top"})
        # The mark that Excel sets for a leading apostrophe: the cell stays text also after somebody edits it.
        self._quoted = book.add_format({"quote_prefix": True, "valign": "top"})

    def sheet(self, name: str, head: Sequence[str], widths: Sequence[float], rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows into as many sheets as they need, each with head, filter and widths of its own."""
        sheet, number, last = self._begin(name, head, widths), 1, 0
        for row in rows:
            if last + 1 == ROWS:
                self._end(sheet, last, head)
                number += 1
                sheet, last = self._begin(f"{name} {number}", head, widths), 0
            last += 1
            for column, cell in enumerate(row):
                self._cell(sheet, last, column, cell)
        self._end(sheet, last, head)

    def _begin(self, name: str, head: Sequence[str], widths: Sequence[float]) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        for column, title in enumerate(head):
            sheet.write_string(0, column, title, self._head)
        return sheet

    def _end(self, sheet: Any, last: int, head: Sequence[str]) -> None:
        sheet.autofilter(0, 0, last, len(head) - 1)

    def _cell(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        match cell:
            case None:
                pass
            case bool():
                sheet.write_boolean(row, column, cell, self._text)
            case int():
                sheet.write_number(row, column, cell, self._text)
            case datetime():
                sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), self._date)
            case str() if cell:
                kept = cell if len(cell) <= LONGEST else f"{cell[: LONGEST - 1]}…"
                sheet.write_string(row, column, kept, self._quoted if is_formula(kept) else self._text)


def _describe(book: Any, whole: Whole) -> None:
    scan = whole.scan
    book.set_properties(
        {
            "title": whole.report_id,
            "subject": whole.classification,
            "author": whole.organization,
            "comments": f"orphanscan {scan.tool_version}",
            # The time of the scan, not of the rendering.
            "created": (scan.finished_at or scan.started_at).astimezone(UTC).replace(tzinfo=None, microsecond=0),
        }
    )
    for name, value in whole.about.items():
        book.set_custom_property(name, value, "text")


def _summary(whole: Whole) -> list[tuple[str, Cell]]:
    scan = whole.scan
    complete = sum(source.verdict == "complete" for source in whole.sources)
    return [
        ("organization", whole.organization),
        ("report", whole.report_id),
        ("classification", whole.classification),
        ("scan", scan.id),
        ("as_of_utc", scan.as_of),
        ("started_at_utc", scan.started_at),
        ("finished_at_utc", scan.finished_at),
        ("complete", scan.complete),
        ("sources", len(whole.sources)),
        ("sources_complete", complete),
        *((f"exceptions_{severity}", count) for severity, count in whole.by_severity().items()),
        ("findings", len(whole.findings)),
        ("accounts", sum(line.count for line in whole.ledger if line.direction == "accounts")),
        ("leavers_x_applications", sum(line.count for line in whole.ledger if line.direction == "leavers")),
        ("tool_version", scan.tool_version),
        ("rules_sha256", scan.rules_sha256),
        ("config_sha256", scan.config_sha256),
        ("evidence_manifest_sha256", scan.manifest_sha256),
    ]


def _finding(row: ListedFinding) -> list[Cell]:
    told: dict[str, Cell] = {"reason": row.sentence, "evidence": row.evidence_line}
    cells: list[Cell] = [told[name] if name in told else getattr(row, name) for name in COLUMNS[:-2]]
    seen = datetime.fromisoformat(row.first_seen_at) if row.first_seen_at else None
    return [*cells, seen, row.first_seen]


def _sources(whole: Whole) -> Iterable[Sequence[Cell]]:
    for one in whole.sources:
        yield (
            *(one.name, one.kind, one.type, one.verdict, one.stated, one.collected, one.duplicates, one.rejected),
            *(one.coverage, one.detail, one.started_at, one.finished_at, one.sha256),
        )


def _controls(whole: Whole) -> Iterable[Sequence[Cell]]:
    for one in whole.controls:
        yield (
            *(one.framework, one.framework_title, one.control, one.title, one.result.value),
            *(one.exceptions, one.tested, one.population, ", ".join(one.rules)),
        )


def _ledger(whole: Whole) -> Iterable[Sequence[Cell]]:
    for one in whole.ledger:
        yield one.direction, one.application, one.bucket, one.meaning, one.count
