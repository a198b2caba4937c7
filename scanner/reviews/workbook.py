"""The workbook of one reviewer: written so that no value is a formula, and read back cell by cell."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError
from scanner.report.disclosure import clean
from scanner.reviews.campaign import Campaign, Row

SHEET = "Decisions"
DECISIONS = ("keep", "revoke", "undecided")
COLUMNS: tuple[tuple[str, int], ...] = (
    ("Person", 24),
    ("Department", 18),
    ("Job title", 20),
    ("Application", 18),
    ("User name", 26),
    ("What", 28),
    ("Privileged", 10),
    ("Granted", 12),
    ("Last sign-in", 12),
    ("Decision", 12),
    ("Decided by", 28),
    ("Decided on", 12),
    ("Remark", 30),
    ("Item", 16),
    ("Application id", 14),
    ("Account id", 20),
    ("Entitlement id", 20),
)
"""Head and width of each column; the ones to fill in begin at `Decision`."""
_TO_FILL = ("Decision", "Decided by", "Decided on", "Remark")
_MOST_BYTES = 64 * 1024**2
_MOST_INSIDE = 512 * 1024**2
_MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Returned:
    """One row of a workbook that came back."""

    number: int
    """As the spreadsheet counts."""
    item: str
    app: str
    account_id: str
    entitlement: str
    decision: str
    decided_by: str
    decided_on: object
    """As the cell has it: a date, or whatever was typed."""


def write(path: Path, campaign: Campaign, rows: Sequence[tuple[str, Row]]) -> None:
    """Write the items (id and row) of one reviewer for their eyes only."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    heads = [head for head, _ in COLUMNS]
    sheet.append(heads)
    for number, (_, width) in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.cell(1, number).font = Font(bold=True)
    to_fill = [heads.index(head) + 1 for head in _TO_FILL]
    fill = PatternFill("solid", fgColor="FFF7D6")
    for number, (item, row) in enumerate(rows, start=2):
        for column, value in enumerate(_cells(item, row), start=1):
            _put(sheet.cell(number, column), value)
        for column in to_fill:
            sheet.cell(number, column).fill = fill
            sheet.cell(number, column).protection = Protection(locked=False)
        sheet.cell(number, heads.index("Decided on") + 1).number_format = "yyyy-mm-dd"
    last = len(rows) + 1
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True, showErrorMessage=True)
    begin = campaign.exported_at.date()
    when = DataValidation(
        type="date", operator="greaterThanOrEqual", formula1=f"DATE({begin.year},{begin.month},{begin.day})",
        allow_blank=True, showErrorMessage=True,
    )  # fmt: skip
    for rule, head in ((choice, "Decision"), (when, "Decided on")):
        letter = get_column_letter(heads.index(head) + 1)
        rule.add(f"{letter}2:{letter}{last}")
        sheet.add_data_validation(rule)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{last}"
    sheet.protection.sheet = True
    sheet.protection.autoFilter = sheet.protection.sort = sheet.protection.formatColumns = False
    _about(book.create_sheet("About"), campaign, rows)
    out = io.BytesIO()
    book.save(out)
    _private(path, out.getvalue())


def read(path: Path) -> Iterator[Returned]:
    """Yield the rows of a workbook; ConfigError if it is none, or not one of ours."""
    from openpyxl import load_workbook

    raw = _bytes(path)
    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        if SHEET not in book.sheetnames:
            raise ConfigError(f"{path}: has no sheet {SHEET}; return the workbook that `export review` wrote")
        found = book[SHEET].iter_rows(values_only=True)
        head = [str(cell or "").strip() for cell in next(found, ())]
        places = {name: head.index(name) for name, _ in COLUMNS if name in head}
        missing = [name for name, _ in COLUMNS if name not in places and name not in ("Remark",)]
        if missing:
            raise ConfigError(f"{path}: the column {missing[0]} is missing; heads must stay as they were")
        for number, cells in enumerate(found, start=2):
            if number > _MOST_ROWS:
                raise ConfigError(f"{path}: has more than {_MOST_ROWS:,} rows")
            if any(cell not in (None, "") for cell in cells):
                yield _returned(number, places, cells)
    except ConfigError:
        raise
    except Exception as error:  # openpyxl has an error of its own for every way in which a file can be broken
        raise ConfigError(f"{path}: cannot be read as a workbook ({type(error).__name__}); save it as .xlsx") from None


def _cells(item: str, row: Row) -> Iterator[object]:
    yield row.full_name or (f"{row.kind} account" if row.kind and row.kind != "human" else "nobody that is known")
    yield row.department
    yield row.job_title
    yield row.app_name
    yield row.username
    yield "The account" if row.entitlement is None else row.entitlement_name
    yield {True: "yes", False: "no", None: None}[row.is_privileged]
    yield row.granted_at
    yield row.last_sign_in_at
    yield None
    yield row.reviewer_email
    yield None
    yield None
    yield item
    yield row.app
    yield row.account_id
    yield row.entitlement


def _put(cell: Any, value: object) -> None:
    """Write a value. A text stays a text, whatever it begins with: what people typed elsewhere must not run here."""
    if value is None or value == "":
        return
    if isinstance(value, datetime):
        cell.value = value.date()
        cell.number_format = "yyyy-mm-dd"
        return
    cell.value = shown(str(value))
    cell.data_type = "s"
    cell.quotePrefix = True


def shown(text: str) -> str:
    """Return a text as it stands in a cell: without characters that Excel cannot keep, and no longer than it takes."""
    return clean(text)[:32_000]


def _about(sheet: Any, campaign: Campaign, rows: Sequence[tuple[str, Row]]) -> None:
    first = rows[0][1]
    lines = (
        ("Review", campaign.name),
        ("Reviewer", first.reviewer_name or "nobody is known: pass it on to who can decide"),
        ("Items", str(len(rows))),
        ("As of scan", campaign.scan_id),
        ("Evidence manifest, SHA-256", campaign.manifest_sha256),
        ("Exported", f"{campaign.exported_at:%Y-%m-%d %H:%M} UTC"),
        ("What to do", "For each row choose keep or revoke, and fill in who decided and on which day."),
        ("", "keep: the person needs it for the work of today. revoke: take it away. undecided, or empty: not yet."),
        ("", "The row `The account` is about the account as a whole; the others are about single rights of it."),
        ("", "If you pass rows on, put the person who decides into `Decided by`. Nobody decides about themselves."),
        ("", "Change nothing else, and return the file."),
    )
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 100
    for number, (term, text) in enumerate(lines, start=1):
        _put(sheet.cell(number, 1), term)
        _put(sheet.cell(number, 2), text)


def _private(path: Path, content: bytes) -> None:
    from scanner.evidence import write_file

    try:
        write_file(path, content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def _bytes(path: Path) -> bytes:
    """Return the file, if it is a workbook of a size that memory bears."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ConfigError(f"{path}: is larger than {_MOST_BYTES:,} bytes")
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST_INSIDE:
                raise ConfigError(f"{path}: unpacks to more than {_MOST_INSIDE:,} bytes")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, ValueError):
        raise ConfigError(f"{path}: is no .xlsx workbook") from None
    return raw


def _returned(number: int, places: Mapping[str, int], cells: Sequence[object]) -> Returned:
    def text(name: str) -> str:
        cell = cells[places[name]] if places[name] < len(cells) else None
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)  # an id that a spreadsheet took for a number
        return "" if cell is None else str(cell).strip()

    at = places["Decided on"]
    when = cells[at] if at < len(cells) else None
    return Returned(
        number=number,
        item=text("Item"),
        app=text("Application id"),
        account_id=text("Account id"),
        entitlement=text("Entitlement id"),
        decision=text("Decision").lower(),
        decided_by=text("Decided by"),
        decided_on=when.date() if isinstance(when, datetime) else when,
    )


def day_of(value: object) -> date | None:
    """Return the day that a cell holds: a date, or a text such as 2026-11-25."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None
