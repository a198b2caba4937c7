"""Collects the HR roster from a CSV file or a workbook, and refuses one that cannot be whole."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from scanner.collectors.file_choice import choose
from scanner.collectors.interface import Look, Progress
from scanner.collectors.listing import open_staging
from scanner.collectors.outcome import begun, ended
from scanner.collectors.redact import Redactor
from scanner.collectors.table import Count, Table, body, open_table, without_nul
from scanner.collectors.table_columns import Layout, resolve
from scanner.collectors.walk import write
from scanner.columns import ROSTER_COLUMNS
from scanner.config import Roster
from scanner.connections import FileSettings
from scanner.errors import SourceError
from scanner.model import Collected, Source, Verdict

_STEP = 10_000
"""Rows between two signs of life."""


def collect_roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    """Leave workers.ndjson in `into`, with the verdict on the file; dates stay text."""
    blank = replace(begun(roster), query=_query(roster, ""))
    file = into / "workers.ndjson"
    try:
        roster = replace(roster, path=chosen(roster, roster.limits.max_seconds))
        source = _collect(roster, file, progress, replace(blank, query=_query(roster, "")))
    except SourceError as error:
        file.unlink(missing_ok=True)
        # A header is quoted, and holds what it likes.
        return ended(Collected(replace(blank, detail=Redactor().text(str(error), 600))))
    return ended(Collected(source, {"workers": file}))


def look(roster: Roster) -> Look:
    """Read the header as a scan would, and none of the people."""
    if not {"*", "?"} & set(_file(roster).name):
        _file(roster).stat()  # where it fails, the whole path is named: this is for whoever runs the scan
    roster = replace(roster, path=chosen(replace(roster, stable_seconds=0), 0))
    sheet = open_table(roster.type, layout(roster))
    try:
        columns = resolve(layout(roster), sheet.header)
    finally:
        sheet.close()
    missing = [name for name in ("status", "termination_date", "hire_date") if name not in columns]
    doubt = f"without {', '.join(missing)} some leavers cannot be told" if missing else ""
    return Look(f"{len(columns)} columns known", doubt, _file(roster))


def _file(roster: Roster) -> Path:
    if roster.path is None:
        raise SourceError(f"roster {roster.id} has no path")
    return roster.path


def layout(roster: Roster) -> Layout:
    """Return what the file of a roster is expected to hold."""
    return Layout(
        _file(roster),
        "roster",
        ROSTER_COLUMNS,
        identity=("employee_number", "person_id", "email"),
        ids=frozenset({"employee_number", "person_id", "manager"}),
        dates=frozenset({"hire_date", "termination_date", "last_day_worked", "contract_end"}),
        names=roster.columns,
        delimiter=roster.delimiter,
        encoding=roster.encoding,
        sheet=roster.sheet,
        date_format=roster.date_format,
    )


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


def chosen(roster: Roster, seconds: float) -> Path:
    """Return the file to read: the newest of a pattern, finished and standing still. Raises SourceError."""
    settings = FileSettings(
        done_marker=roster.done_marker, stable_seconds=roster.stable_seconds, newest_by=roster.newest_by
    )
    return choose(_file(roster), settings, seconds)


def _collect(roster: Roster, file: Path, progress: Progress, blank: Source) -> Source:
    table = open_table(roster.type, layout(roster))
    try:
        columns = resolve(layout(roster), table.header)
        count = Count()
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


def _batches(table: Table, columns: Mapping[str, int], count: Count) -> Iterator[list[bytes]]:
    encode = msgspec.json.Encoder().encode
    wanted = tuple(columns.items())
    lines: list[bytes] = []
    for line, cells in body(table, columns, count):
        row: dict[str, object] = {ours: cells[at].strip() or None for ours, at in wanted}
        row["line"] = line
        lines.append(without_nul(encode, row))
        if len(lines) == _STEP:
            count.rows += len(lines)
            yield lines
            lines.clear()
    if lines:
        count.rows += len(lines)
        yield lines


def _refuse_small(roster: Roster, count: Count) -> None:
    name = _file(roster).name
    if not count.rows:
        what = "no row that can be read" if count.rejected else "a header but no rows"
        raise SourceError(f"{name} has {what}; an empty roster would turn everybody into a leaver")
    if count.rows < roster.min_rows:
        raise SourceError(
            f"{name} holds {count.rows:,} rows, fewer than min_rows = {roster.min_rows:,}; check the export"
        )


def _detail(roster: Roster, table: Table, columns: Mapping[str, int], count: Count) -> str:
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
    parts = [roster.path.name if roster.path else "", settings, f"date_format={roster.date_format}"]
    if columns:
        parts.append(f"columns={{{columns}}}")
    return " ".join(part for part in parts if part)
