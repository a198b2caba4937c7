"""Tables in files, whatever wrote them: a header, then rows that speak of somebody, then perhaps a total."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scanner.collectors.table_columns import Layout
from scanner.collectors.table_csv import CsvTable, Row
from scanner.collectors.table_excel import ExcelTable

_TOTAL = re.compile(
    r"(grand |sub ?)?(totals?|sum|summe|gesamt|gesamtsumme|anzahl|count|records?|rows?|row count|record count|somme|"
    r"totale|totaal|suma|end of (file|report)|eof|trailer)\s*[:=]?\s*[\d.,' ]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[\d.,'\s%-]*")


class Table(Protocol):
    """An open table."""

    header: list[str]
    above: list[str]
    """Lines above the header."""

    @property
    def note(self) -> str:
        """What a reader of the evidence should know about its values."""

    @property
    def settings(self) -> str:
        """How the file was read, for the evidence."""

    def rows(self, columns: Mapping[int, str]) -> Iterator[Row]:
        """Yield the rows below the header; `columns` says which positions hold which of our columns."""

    def finish(self) -> str:
        """Return the hash of the bytes read; raises SourceError if the file changed meanwhile."""

    def close(self) -> None:
        """Close the file."""


@dataclass(slots=True)
class Count:
    """What was seen on the way."""

    rows: int = 0
    rejected: list[int] = field(default_factory=list)
    """Lines of rows that could not be read; the first few are told."""
    has_total: bool = False
    trailer: str = ""
    """The control line at the end, where one was looked for and found."""


def open_table(kind: str, layout: Layout) -> Table:
    """Open a file of a kind (csv or excel) and read its header; raises SourceError."""
    return ExcelTable(layout) if kind == "excel" else CsvTable(layout)


def body(
    table: Table, columns: Mapping[str, int], count: Count, trailer: re.Pattern[str] | None = None
) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows that speak of somebody: not empty or odd ones, not a total or `trailer` at the end."""
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
    joined = " ".join(cell.strip() for cell in held[1] if cell.strip())
    if trailer is not None and trailer.search(joined):
        count.trailer = joined
    elif _is_total(held[1]):
        count.has_total = True
    elif len(held[1]) == width:
        yield held
    else:
        count.rejected.append(held[0])


def without_nul(encode: Callable[[object], bytes], row: Mapping[str, object]) -> bytes:
    """Return a row as a line of JSON without NUL: no text of a person holds it, and not every reader bears it."""
    encoded = encode(row)
    if b"\\u0000" in encoded:
        encoded = encode({name: _clean(value) for name, value in row.items()})
    return encoded


def _clean(value: object) -> object:
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def _is_total(cells: Sequence[str]) -> bool:
    """Whether the last row of a file is a sum below the table: its word first, then nothing but numbers."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return _TOTAL.fullmatch(filled[0]) is not None and all(_NUMBER.fullmatch(cell) for cell in filled[1:])
