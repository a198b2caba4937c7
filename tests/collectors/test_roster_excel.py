import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from scanner.collectors.interface import no_progress
from scanner.collectors.roster import collect_roster
from scanner.config import Roster
from scanner.model import Collected, Verdict

HEADER = ("employee_number", "full_name", "email", "status", "hire_date", "termination_date")


def _collect(
    folder: Path, sheets: dict[str, list[tuple[Any, ...]]], *, epoch_1904: bool = False, **settings: Any
) -> Collected:
    book = openpyxl.Workbook()
    book.remove(book.active)
    if epoch_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "hr.xlsx")
    return collect_roster(Roster("hr", folder / "hr.xlsx", "excel", **settings), folder / "out", no_progress)


def _people(collected: Collected) -> list[dict[str, Any]]:
    return [json.loads(line) for line in collected.files["workers"].read_text(encoding="utf-8").splitlines()]


def test_ids_become_text_and_dates_take_the_roster_format(tmp_path: Path) -> None:
    """Numbers in id columns lose no digit and gain no .0; real dates are written in the configured format."""
    collected = _collect(
        tmp_path,
        {
            "People": [
                HEADER,
                (12345, "Ada Blum", "ada@acme.example", "active", datetime(2020, 1, 31), None),
                (12346.0, "Bo Čapek", "bo@acme.example", "left", date(2020, 2, 1), datetime(2026, 3, 31, 17, 30)),
                ("00042", "李 小龙", None, True, "05.02.2020", None),
            ]
        },
        date_format="%d.%m.%Y",
    )
    assert collected.source.verdict is Verdict.COMPLETE
    assert collected.source.detail == "2 ids are stored as numbers: zeros that they began with, if any, are lost"
    assert [tuple(row[name] for name in (*HEADER, "line")) for row in _people(collected)] == [
        ("12345", "Ada Blum", "ada@acme.example", "active", "31.01.2020", None, 2),
        ("12346", "Bo Čapek", "bo@acme.example", "left", "01.02.2020", "31.03.2026", 3),
        ("00042", "李 小龙", None, "true", "05.02.2020", None, 4),
    ]


@pytest.mark.parametrize(("epoch_1904", "serial"), [(False, 43861), (True, 43861 - 1462)])
def test_unformatted_date_serials(tmp_path: Path, epoch_1904: bool, serial: int) -> None:
    """A date that lost its cell format is read by the calendar of the workbook, 1900 or 1904."""
    rows = [HEADER, ("1", "Ada", None, "active", serial, None)]
    people = _people(_collect(tmp_path, {"People": rows}, epoch_1904=epoch_1904))
    assert people[0]["hire_date"] == "2020-01-31"


def test_compact_date_numbers_stay_text(tmp_path: Path) -> None:
    """20200131 is no day count: it stays text for a format such as %Y%m%d."""
    rows = [HEADER, ("1", "Ada", None, "active", 20200131, None)]
    assert _people(_collect(tmp_path, {"People": rows}, date_format="%Y%m%d"))[0]["hire_date"] == "20200131"


def test_rounded_id_is_rejected(tmp_path: Path) -> None:
    """An id with more digits than Excel keeps is not the id that HR gave: the row is rejected."""
    rows = [HEADER, (1.23e17, "Ada", None, "active", None, None), ("2", "Bo", None, "active", None, None)]
    source = _collect(tmp_path, {"People": rows}).source
    assert (source.verdict, source.collected, source.rejected) == (Verdict.SHORT, 1, 1)


def test_sheet_by_name_and_missing_sheet(tmp_path: Path) -> None:
    """The first sheet is read unless another is named; a wrong name lists the sheets there are."""
    sheets = {"Notes": [("person_id",), ("n",)], "People": [("person_id",), ("p",)]}
    assert _people(_collect(tmp_path, sheets))[0]["person_id"] == "n"
    collected = _collect(tmp_path, sheets, sheet="People")
    assert _people(collected)[0]["person_id"] == "p"
    assert "sheet='People'" in collected.source.query
    source = _collect(tmp_path, sheets, sheet="Staff").source
    assert (source.verdict, source.detail) == (
        Verdict.FAILED,
        "hr.xlsx has no sheet 'Staff'; it has 'Notes', 'People'",
    )


def test_formulas_are_never_evaluated(tmp_path: Path) -> None:
    """A formula gives the value that Excel stored; none was stored here, so the cell says nothing."""
    rows = [HEADER, ("1", '=HYPERLINK("https://evil.example","x")', None, "active", None, None)]
    assert _people(_collect(tmp_path, {"People": rows}))[0]["full_name"] is None


def test_empty_rows_total_and_leading_blank_rows(tmp_path: Path) -> None:
    """Blank rows are passed over, also above the header, and a total below the table is left out."""
    rows = [(), HEADER, ("1", "Ada", None, "active", None, None), (None, " "), ("Total", 1)]
    collected = _collect(tmp_path, {"People": rows})
    assert [row["line"] for row in _people(collected)] == [3]
    assert collected.source.detail == "a total below the last row was left out"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 cut off", "not a readable .xlsx workbook"),
        (b"person_id,email\n", "not a readable .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "protected by a password"),
    ],
)
def test_unreadable_workbooks_fail(tmp_path: Path, raw: bytes, said: str) -> None:
    """A damaged, cut off, old or protected workbook fails with a clear sentence."""
    (tmp_path / "hr.xlsx").write_bytes(raw)
    source = collect_roster(Roster("hr", tmp_path / "hr.xlsx", "excel"), tmp_path / "out", no_progress).source
    assert (source.verdict, said in source.detail) == (Verdict.FAILED, True), source.detail


def test_truncated_workbook_fails(tmp_path: Path) -> None:
    """Half of a sound workbook is no workbook."""
    _collect(tmp_path, {"People": [HEADER, ("1", "Ada", None, "active", None, None)]})
    path = tmp_path / "hr.xlsx"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = collect_roster(Roster("hr", path, "excel"), tmp_path / "out", no_progress).source
    assert source.verdict is Verdict.FAILED


def test_empty_and_missing_workbooks_fail(tmp_path: Path) -> None:
    """An empty sheet, a header alone and a missing file fail."""
    assert "is empty" in _collect(tmp_path, {"People": []}).source.detail
    assert "has a header but no rows" in _collect(tmp_path, {"People": [HEADER]}).source.detail
    gone = collect_roster(Roster("hr", tmp_path / "no.xlsx", "excel"), tmp_path / "out", no_progress).source
    assert (gone.verdict, "does not exist" in gone.detail) == (Verdict.FAILED, True)
