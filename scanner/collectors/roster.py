"""Collects the HR roster from a CSV file or a workbook, and refuses one that cannot be whole."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from scanner.collectors.interface import Progress
from scanner.collectors.listing import open_staging
from scanner.collectors.redact import Redactor
from scanner.collectors.roster_columns import resolve
from scanner.collectors.roster_csv import CsvTable
from scanner.collectors.roster_excel import ExcelTable
from scanner.collectors.walk import write
from scanner.config import Roster
from scanner.errors import SourceError
from scanner.model import Collected, Source, Verdict

_STEP = 10_000
"""Rows between two signs of life."""
_TOTAL = re.compile(
    r"(grand |sub ?)?(totals?|sum|summe|gesamt|gesamtsumme|anzahl|count|records?|rows?|row count|record count|somme|"
    r"totale|totaal|suma|end of (file|report)|eof|trailer)\s*[:=]?\s*[\d.,' ]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,'\s%-]*")


@dataclass(slots=True)
class _Count:
    """What was seen on the way."""

    rows: int = 0
    rejected: list[int] = field(default_factory=list)
    """Lines of rows that could not be read; the first few are told."""
    has_total: bool = False


def collect_roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    """Leave workers.ndjson in `into`, with the verdict on the file; dates stay text."""
    blank = Source(
        id=roster.id,
        kind="roster",
        type=roster.type,
        verdict=Verdict.FAILED,
        query=_query(roster, ""),
        started_at=datetime.now(UTC),
    )
    file = into / "workers.ndjson"
    try:
        _await_marker(roster)
        source = _collect(roster, file, progress, blank)
    except SourceError as error:
        file.unlink(missing_ok=True)
        # A header is quoted, and holds what it likes.
        return Collected(replace(blank, detail=Redactor().text(str(error), 600), finished_at=datetime.now(UTC)))
    return Collected(replace(source, finished_at=datetime.now(UTC)), {"workers": file})


def shrunk(previous: int, now: int, max_percent: float) -> str | None:
    """Return why a roster that went from `previous` to `now` rows is refused, or None if it may be used."""
    if now >= previous or previous <= 0:
        return None
    lost = previous - now
    percent = 100 * lost / previous
    if percent <= max_percent:
        return None
    return (
        f"the roster fell from {previous:,} to {now:,} rows ({percent:.1f} % fewer; {max_percent:g} % are allowed);"
        " check the export, or raise max_shrink_percent for one scan if the people really left"
    )


def _await_marker(roster: Roster) -> None:
    marker = roster.path.with_name(roster.path.name + ".done")
    if roster.done_marker and not marker.exists():
        raise SourceError(f"{marker.name} is not there: the upload of {roster.path.name} has not been finished")


def _collect(roster: Roster, file: Path, progress: Progress, blank: Source) -> Source:
    table = ExcelTable(roster) if roster.type == "excel" else CsvTable(roster)
    try:
        columns = resolve(roster, table.header)
        count = _Count()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open_staging(file) as out:
            for batch in _batches(table, columns, count):
                write(out, batch)
                progress(roster.id, "workers", count.rows, None)
        digest = table.finish()
    finally:
        table.close()
    _refuse_small(roster, count)
    return replace(
        blank,
        verdict=Verdict.SHORT if count.rejected else Verdict.COMPLETE,
        collected=count.rows,
        rejected=len(count.rejected),
        detail=_detail(roster, table, columns, count),
        query=_query(roster, table.settings),
        pages=1,
        sha256=digest,
    )


def _batches(table: CsvTable | ExcelTable, columns: Mapping[str, int], count: _Count) -> Iterator[list[bytes]]:
    encode = msgspec.json.Encoder().encode
    wanted = tuple(columns.items())
    lines: list[bytes] = []
    for line, cells in _body(table, columns, count):
        row: dict[str, object] = {ours: cells[at].strip() or None for ours, at in wanted}
        row["line"] = line
        encoded = encode(row)
        if b"\\u0000" in encoded:  # no text of a person holds it, and not every reader of the evidence bears it
            row = {ours: value.replace("\0", "") if isinstance(value, str) else value for ours, value in row.items()}
            encoded = encode(row)
        lines.append(encoded)
        if len(lines) == _STEP:
            count.rows += len(lines)
            yield lines
            lines.clear()
    if lines:
        count.rows += len(lines)
        yield lines


def _body(
    table: CsvTable | ExcelTable, columns: Mapping[str, int], count: _Count
) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows that speak of people: not the empty ones, not the odd ones, not a total at the end."""
    width = len(table.header)
    held: tuple[int, Sequence[str]] | None = None
    # Several of our columns may come from one of theirs; dates decide how a cell of Excel is read.
    names = {at: ours for ours, at in columns.items()}
    for line, cells in table.rows(names):
        if cells is not None and not any(map(str.strip, cells)):
            continue
        if held is not None:
            if len(held[1]) == width:
                yield held
            else:
                count.rejected.append(held[0])
            held = None
        if cells is None:
            count.rejected.append(line)
        else:
            held = (line, cells)
    if held is None:
        return
    if _is_total(held[1]):
        count.has_total = True
    elif len(held[1]) == width:
        yield held
    else:
        count.rejected.append(held[0])


def _is_total(cells: Sequence[str]) -> bool:
    """Whether the last row of a file is a sum below the table: its word first, then nothing but numbers."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return _TOTAL.fullmatch(filled[0]) is not None and all(_NUMBER.fullmatch(cell) for cell in filled[1:])


def _refuse_small(roster: Roster, count: _Count) -> None:
    name = roster.path.name
    if not count.rows:
        what = "no row that can be read" if count.rejected else "a header but no rows"
        raise SourceError(f"{name} has {what}; an empty roster would turn everybody into a leaver")
    if count.rows < roster.min_rows:
        raise SourceError(
            f"{name} holds {count.rows:,} rows, fewer than min_rows = {roster.min_rows:,}; check the export"
        )


def _detail(roster: Roster, table: CsvTable | ExcelTable, columns: Mapping[str, int], count: _Count) -> str:
    said = []
    if count.rejected:
        rows = "1 row" if len(count.rejected) == 1 else f"{len(count.rejected):,} rows"
        shown = ", ".join(f"{line:,}" for line in count.rejected[:5])
        why = (
            "cells that cannot be read or a rounded id"
            if roster.type == "excel"
            else "another number of fields than the header"
        )
        said.append(f"{rows} with {why} (line {shown}{', ...' if len(count.rejected) > 5 else ''})")
    if not {"status", "termination_date"} & set(columns):
        said.append("no column tells who has left: neither status nor termination_date is mapped")
    if count.has_total:
        said.append("a total below the last row was left out")
    if table.note:
        said.append(table.note)
    return "; ".join(said)


def _query(roster: Roster, settings: str) -> str:
    """Say how the file was read, without where it lies."""
    columns = ", ".join(f"{ours}={theirs!r}" for ours, theirs in sorted(roster.columns.items()))
    parts = [os.fspath(roster.path.name), settings, f"date_format={roster.date_format}"]
    if columns:
        parts.append(f"columns={{{columns}}}")
    return " ".join(part for part in parts if part)
