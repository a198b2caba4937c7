"""Collects the accounts of a system from an export: CSV, an Excel workbook, or JSON.

Rights needed: to read the file; it is never written, moved or deleted. Covers what the export holds and nothing else:
who exports decides whether disabled, technical and local accounts are in it, so state that in `coverage`. A file that
ends between two rows looks whole; only a control total (`[application.file]`) proves that it is. No network, no rate
limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from scanner.collectors import accounts, records
from scanner.collectors.accounts import Folded, RowFile, fold
from scanner.collectors.catalogue import read_catalogue
from scanner.collectors.file_choice import choose, too_old
from scanner.collectors.interface import Look, Progress
from scanner.collectors.outcome import begun, ended
from scanner.collectors.redact import Redactor
from scanner.collectors.table import Count, Table, body, open_table
from scanner.collectors.table_columns import Layout, resolve
from scanner.collectors.table_json import JsonTable
from scanner.columns import ACCOUNT_COLUMNS
from scanner.config import Application
from scanner.errors import SourceError
from scanner.model import Collected, Source, Verdict

_STEP = 10_000
"""Rows between two signs of life."""
_ISO = "%Y-%m-%dT%H:%M:%S"


@dataclass(slots=True)
class _Read:
    """What a file turned out to be."""

    columns: tuple[str, ...] = ()
    count: Count = field(default_factory=Count)
    stated: int | None = None
    settings: str = ""
    sha256: str = ""
    note: str = ""
    doubt: str = ""


def collect_account_file(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and, with a catalogue, entitlements.ndjson in `into`, with the verdict on the file."""
    blank = begun(app)
    try:
        collected = _collect(app, into, progress, blank)
    except SourceError as error:
        # A header is quoted, and holds what it likes.
        collected = Collected(replace(blank, detail=Redactor().text(str(error), 600)))
    return ended(collected)


def look(app: Application) -> Look:
    """Read the header as a scan would, and none of the accounts."""
    if app.path is None:
        raise SourceError(f"application {app.id} has no path")
    file = choose(app.path, replace(app.file, stable_seconds=0), 0)
    columns = columns_of(app, file)
    found = Look(f"{len(columns)} columns known", accounts.doubt_of(columns), file)
    return replace(found, max_age_hours=app.file.max_age_hours or found.max_age_hours)


def layout(app: Application, file: Path) -> Layout:
    """Return what an export is expected to hold."""
    return Layout(
        file,
        "account",
        ACCOUNT_COLUMNS,
        identity=accounts.IDENTITY,
        ids=frozenset(accounts.IDS),
        dates=frozenset(accounts.DATES),
        names=app.columns,
        delimiter=app.file.delimiter,
        encoding=app.file.encoding,
        sheet=app.file.sheet,
        date_format=app.date_format or _ISO,
        header_row=app.file.header_row,
    )


def columns_of(app: Application, file: Path) -> tuple[str, ...]:
    """Return our columns that a file holds, from its header or its first object; raises SourceError."""
    if app.type == "json":
        table = JsonTable(file, app.file.records)
        try:
            first = next((record for _, record in table.rows() if record is not None), {})
        finally:
            table.close()
        seen: set[str] = set()
        dict(_values(first, {ours: app.columns.get(ours, ours) for ours in ACCOUNT_COLUMNS}, seen, None))
        if accounts.identity_of(seen) is None:
            raise SourceError(f"the first object of {file.name} holds none of {', '.join(accounts.IDENTITY)}")
        return tuple(seen)
    form = layout(app, file)
    sheet = open_table(app.type, form)
    try:
        return tuple(resolve(form, sheet.header))
    finally:
        sheet.close()


def _collect(app: Application, into: Path, progress: Progress, blank: Source) -> Collected:
    if app.path is None:
        raise SourceError(f"application {app.id} has no path")
    file = choose(app.path, app.file, app.limits.max_seconds)
    blank = replace(blank, query=_query(app, file, ""))
    catalogue = read_catalogue(app.entitlements, _usual(app)) if app.entitlements else ()
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with RowFile(into / "rows.ndjson") as rows:
        read = _json(app, file, rows, progress) if app.type == "json" else _table(app, file, rows, progress)
    name = file.name
    if not rows.rows:
        raise SourceError(f"{name} holds {'no row that can be read' if read.count.rejected else 'no rows'}")
    if rows.rows < app.file.min_rows:
        raise SourceError(f"{name} holds {rows.rows:,} rows, fewer than min_rows = {app.file.min_rows:,}")
    folded = fold(app, rows, read.columns, catalogue=catalogue)
    verdict, detail = _judge(app, file, read, folded)
    source = replace(
        blank,
        verdict=verdict,
        detail=detail,
        # The number that the file states is of rows; where those are accounts, it is theirs.
        stated=read.stated if folded.rows + folded.rejected == folded.accounts + folded.rejected else None,
        collected=folded.accounts,
        duplicates=folded.duplicates,
        rejected=len(read.count.rejected) + folded.rejected,
        query=_query(app, file, read.settings),
        pages=1,
        sha256=read.sha256,
    )
    return Collected(source, folded.files)


def _usual(app: Application) -> str:
    """Return the kind of an entitlement of which the catalogue names none."""
    return next((kind for kind in accounts.LISTS if kind in app.columns), "role")


def _table(app: Application, file: Path, rows: RowFile, progress: Progress) -> _Read:
    form = layout(app, file)
    table = open_table(app.type, form)
    try:
        columns = resolve(form, table.header)
        read = _Read(tuple(columns), settings=table.settings)
        trailer = re.compile(app.file.control_total) if app.file.control_total else None
        plain = [(ours, at) for ours, at in columns.items() if ours not in accounts.LISTS]
        lists = [(ours, at) for ours, at in columns.items() if ours in accounts.LISTS]
        for line, cells in body(table, columns, read.count, trailer):
            row: dict[str, object] = {ours: cells[at].strip() or None for ours, at in plain}
            row |= {ours: records.texts(cells[at], app.separator) for ours, at in lists}
            row["line"] = line
            rows.add(row)
            if rows.rows % _STEP == 0:
                progress(app.id, "rows", rows.rows, None)
        read.sha256, read.note = table.finish(), table.note
    finally:
        table.close()
    _state_total(app, read, table, rows.rows + len(read.count.rejected))
    return read


def _state_total(app: Application, read: _Read, table: Table | None, found: int) -> None:
    """Note how many rows the file says it holds, and what is wrong with that."""
    read.stated = app.file.expected_rows
    if app.file.control_total and table is not None:
        pattern = re.compile(app.file.control_total)
        places = [read.count.trailer, *table.above]
        match = next((match for place in places if (match := pattern.search(place))), None)
        digits = re.sub(r"[.,' ]", "", match[1] or "") if match else ""
        if not digits.isdecimal():
            read.doubt = "the control total was not found: the file may be cut off"
            return
        read.stated = int(digits)
    if read.stated is not None and read.stated != found:
        read.doubt = f"the file should hold {read.stated:,} rows and holds {found:,}"


def _json(app: Application, file: Path, rows: RowFile, progress: Progress) -> _Read:
    paths = {ours: app.columns.get(ours, ours) for ours in ACCOUNT_COLUMNS}
    read = _Read()
    seen: set[str] = set()
    table = JsonTable(file, app.file.records)
    try:
        for number, record in table.rows():
            if record is None:
                read.count.rejected.append(number)
                continue
            row = {"line": number, **dict(_values(record, paths, seen, app.separator))}
            rows.add(row)
            if rows.rows % _STEP == 0:
                progress(app.id, "rows", rows.rows, None)
        read.sha256 = table.finish()
    finally:
        table.close()
    read.columns = tuple(ours for ours in paths if ours in seen)
    read.settings = table.settings
    if rows.rows:
        _refuse_missing(app, seen)
    _state_total(app, read, None, rows.rows + len(read.count.rejected))
    return read


def _values(
    record: object, paths: Mapping[str, str], seen: set[str], separator: str | None
) -> Iterator[tuple[str, object]]:
    for ours, path in paths.items():
        value = records.at(record, path)
        if value is records.ABSENT:
            continue
        seen.add(ours)
        yield ours, records.texts(value, separator) if ours in accounts.LISTS else records.text(value)


def _refuse_missing(app: Application, seen: set[str]) -> None:
    for ours, theirs in app.columns.items():
        if ours not in seen:
            raise SourceError(f"no object holds '{theirs}', which the column map names for {ours}")
    if accounts.identity_of(seen) is None:
        raise SourceError(f"no object holds {', '.join(accounts.IDENTITY)}; name one of them in the column map")


def _judge(app: Application, file: Path, read: _Read, folded: Folded) -> tuple[Verdict, str]:
    """Return the verdict: what is missing outweighs what cannot be told."""
    verdict, detail = folded.judge()
    said = [read.doubt]
    if read.count.rejected:
        lines = ", ".join(f"{line:,}" for line in read.count.rejected[:5])
        more = ", ..." if len(read.count.rejected) > 5 else ""
        said.append(f"{len(read.count.rejected):,} rows that cannot be read (line {lines}{more})")
    if any(said):
        verdict = Verdict.SHORT
    stale = too_old(file, app.file.max_age_hours)
    if stale and verdict is Verdict.COMPLETE:
        verdict = Verdict.UNKNOWN
    said += [stale, detail, read.note]
    if read.count.has_total:
        said.append("a total below the last row was left out")
    if read.stated is not None and not read.doubt:
        said.append(f"the stated {read.stated:,} rows were read")
    return verdict, "; ".join(filter(None, said))


def _query(app: Application, file: Path, settings: str) -> str:
    """Say how the file was read, without where it lies."""
    columns = ", ".join(f"{ours}={theirs!r}" for ours, theirs in sorted(app.columns.items()))
    dates = f"date_format={app.date_format or 'ISO 8601'} time_zone={app.time_zone}"
    return " ".join(filter(None, (file.name, settings, dates, f"columns={{{columns}}}" if columns else "")))
